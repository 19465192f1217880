/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of an export share.
 *
 * Private to packer/export*.c.
 */
#ifndef PACKER_EXPORTER_H
#define PACKER_EXPORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/scope.h"
#include "image/descriptor.h"
#include "image/reference.h"
#include "packer/export.h"
#include "store/spool.h"
#include "store/store.h"

struct exporter {
	const struct store *store;
	struct lease *lease; /* has all that `top` names */
	const struct export_options *opt;
	const struct export_dest *dest;
	const char *image;     /* its name in the store, or a digest */
	struct descriptor top; /* what that says; borrowed */
	struct spool *spool;   /* layers that are re-encoded, and documents that name them */
};

struct export_blob {
	struct digest digest;
	uint64_t size;
	bool is_layer;
	bool is_recodable; /* an image's layer, which may be passed on */
	size_t order;      /* in which it was found */
	bool is_new;       /* the destination did not have it */
	int fd;            /* of the spool, which has it from `offset` on; -1: the store has it */
	uint64_t offset;
};

/* The artifact with the signatures of a manifest. */
struct export_signatures {
	char *tag; /* "sha256-<hex>.sig" */
	struct digest artifact;
	uint64_t size;
};

/* All that makes up an image. */
struct export_set {
	struct descriptor top;     /* without annotations */
	struct export_blob *blobs; /* documents first, then layers; none twice */
	size_t blob_count, blob_cap;
	struct export_signatures *signatures;
	size_t signatures_count, signatures_cap;
	uint64_t layer_count;
	uint64_t signature_count;
	uint64_t bytes; /* of all blobs */
	struct export_changes changes;
};

#define EXPORT_SET_INIT       \
	{                     \
		.blobs = NULL \
	}

/* Walks the image, its documents verified.  ERR_NOT_FOUND: a document or a platform is not there.
 */
int export_collect(const struct exporter *x, struct export_set *out, struct err *e);
/* The same with the layers of all images in it re-encoded, `layers` different ones, and the
 * documents that name them made anew. ERR_UNSUPPORTED when there is no image in it. */
int export_collect_recoded(const struct exporter *x, size_t layers, struct export_set *out,
			   struct err *e);
void export_set_fini(struct export_set *set);
SCOPE_DEFINE_VALUE(export_set, struct export_set, export_set_fini)

/* What is left to do when the destination is open, before blobs are copied: re-encodes layers,
 * where the options want that, which may take long. */
int export_prepare(const struct exporter *x, struct export_set *set, struct err *e);

/* What index.json says of the image. */
int export_set_entry(const struct export_set *set, const char *name, struct descriptor *out,
		     struct err *e);

/* The whole blob to `write`, verified. */
int export_copy_blob(const struct exporter *x, const struct export_blob *blob,
		     int (*write)(void *to, const void *bytes, size_t len, struct err *e), void *to,
		     struct err *e);

/* A name that `place` ("a layout") can have: a reference without a digest.  ERR_USAGE. */
int export_parse_name(struct reference *out, const char *name, const char *place, struct err *e);

/* The name in an OCI form (NULL: none); the caller frees it. */
int export_oci_name(const struct exporter *x, char **out, struct err *e);

/* Each fills in what it knows of `out`: all but top. */
int export_to_oci(const struct exporter *x, struct export_set *set, struct export_result *out,
		  struct err *e);
int export_to_oci_archive(const struct exporter *x, struct export_set *set,
			  struct export_result *out, struct err *e);
int export_to_docker_archive(const struct exporter *x, struct export_result *out, struct err *e);

#endif
