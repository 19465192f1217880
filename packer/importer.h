/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of an import share.
 *
 * Private to packer/import*.c.  Each import_from_* takes everything into the store under the lease,
 * and proves it; import_run then sets the refs.
 */
#ifndef PACKER_IMPORTER_H
#define PACKER_IMPORTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"
#include "base/strmap.h"
#include "image/config.h"
#include "image/descriptor.h"
#include "image/manifest.h"
#include "packer/import.h"
#include "store/layers.h"
#include "store/lease.h"
#include "store/store.h"

struct importer {
	const struct store *store;
	struct lease *lease;
	const struct import_options *opt;
	struct layers_options layers;
	struct tar_losses losses; /* of all tars that were read */
	struct strmap done;       /* what was taken or proven already, as a set of texts */
	uint64_t layer_count;
	uint64_t reframed_count;
	bool lacks_blob; /* the source does not hold all that it names: that is the error */
};

/* The signatures of a manifest, as an artifact of the source. */
struct import_signatures {
	char *tag; /* "sha256-<hex>.sig" */
	struct descriptor artifact;
};

/* What was taken. */
struct import_image {
	struct descriptor top;
	struct strlist names; /* that the source gives; may be none */
	struct import_signatures *signatures;
	size_t signature_count;
	size_t signature_cap;
};

int import_from_oci(struct importer *im, const struct import_source *src, struct import_image *out,
		    struct err *e);
int import_from_oci_archive(struct importer *im, const struct import_source *src,
			    struct import_image *out, struct err *e);
int import_from_docker_archive(struct importer *im, const struct import_source *src,
			       struct import_image *out, struct err *e);
int import_from_dir(struct importer *im, const struct import_source *src, struct import_image *out,
		    struct err *e);
int import_from_rootfs(struct importer *im, const struct import_source *src,
		       struct import_image *out, struct err *e);

/*
 * A regular file of the host, or for "-" a copy without a name of what standard input gives: an fd
 * at its start.  `size` may be NULL.  ERR_NOT_FOUND; ERR_UNSUPPORTED for anything else, ERR_USAGE
 * for a directory or a terminal; ERR_SYS.
 */
int import_open_file(const struct importer *im, const struct import_source *src, uint64_t *size,
		     struct err *e);

/* An OCI image layout, wherever it comes from. */
struct import_layout {
	struct str version; /* the file oci-layout */
	struct str index;   /* index.json */
	bool has_version;
	bool has_index;
	/* Takes a blob into the store, verified.  ERR_NOT_FOUND when the layout has none. */
	int (*take)(void *ctx, const struct descriptor *d, struct err *e);
	void *ctx;
};

/* Chooses the image `name` (NULL: the only one) and takes it. */
int import_layout(struct importer *im, const struct import_layout *l, const char *name,
		  struct import_image *out, struct err *e);
void import_layout_fini(struct import_layout *l);
SCOPE_DEFINE_VALUE(import_layout, struct import_layout, import_layout_fini)

/*
 * Takes an image or an index of images, and proves their layers.  `out` gets what was taken: `top`,
 * or with a platform in the options the manifest for it in an index.  ERR_NOT_FOUND when there is
 * none; a blob that `l` lacks is ERR_FORMAT.
 */
int import_graph(struct importer *im, const struct import_layout *l, const struct descriptor *top,
		 struct descriptor *out, struct err *e);
/* Takes a manifest that is no image, with all that it names. */
int import_artifact(struct importer *im, const struct import_layout *l, const struct descriptor *d,
		    struct err *e);

/* Proves the layers of an image, whose blobs are in the store.  ERR_DIGEST when they are not those
 * of the config; ERR_NOT_FOUND when it is for another platform than the options want. */
int import_prove_layers(struct importer *im, const struct manifest *m,
			const struct image_config *config, struct err *e);

/* That the layers of an image, proven one by one, can lie upon each other; keeps the catalog.
 * `d`: of its manifest, which is in the store. */
int import_prove_tree(struct importer *im, const struct descriptor *d, const struct manifest *m,
		      const struct image_config *config, struct err *e);

/* Adds `key` to what is done: 1 new, 0 it was there, -1. */
int import_note(struct importer *im, const char *key, struct err *e);

void import_image_fini(struct import_image *image);
SCOPE_DEFINE_VALUE(import_image, struct import_image, import_image_fini)

#endif
