/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes images out of the store, for other tools.
 *
 *	oci:DIR[:NAME]			an OCI image layout: a new one, or one image more in one
 *	oci-archive:FILE[:NAME]		the same as tar
 *	docker-archive:FILE[:NAME]	what `docker load` takes
 *	rootfs:FILE			the merged file system as tar: fs/tar_out.h writes it, only
 *					the destination is read here
 *
 * Blobs go out byte for byte, each hashed while it is copied; or layers are re-encoded: each is
 * hashed before it is decompressed, its tar must have the diff_id of the config, and stays as it
 * is.  The same image gives the same archive, whenever and wherever.  Whatever fails leaves the
 * destination as it was.
 *
 * Threads: one, one that hashes (base/hash_copy.h), and those that compress (image/framer.h).
 */
#ifndef PACKER_EXPORT_H
#define PACKER_EXPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "base/scope.h"
#include "image/compression.h"
#include "image/descriptor.h"
#include "image/platform.h"
#include "image/tar_archive.h"
#include "store/lease.h"
#include "store/store.h"

enum export_kind {
	EXPORT_OCI,
	EXPORT_OCI_ARCHIVE,
	EXPORT_DOCKER_ARCHIVE,
	EXPORT_ROOTFS,
};

struct export_dest {
	enum export_kind kind;
	char *path; /* NULL: standard output */
	char *name; /* what the image is called there; NULL: as in the store */
};

#define EXPORT_DEST_INIT                                       \
	{                                                      \
		.kind = EXPORT_OCI, .path = NULL, .name = NULL \
	}

/* "-" alone is "oci-archive:-".  ERR_USAGE names the prefixes there are, and a NAME that tools
 * could not ask for. */
int export_dest_parse(struct export_dest *out, const char *text, struct err *e);
void export_dest_fini(struct export_dest *dest);
SCOPE_DEFINE_VALUE(export_dest, struct export_dest, export_dest_fini)

struct export_options {
	/* NULL: all of an index, where the destination can hold it, else the host's. */
	const struct platform *platform;
	/* That layers are re-encoded to; NULL: they stay as they are. */
	const struct compression *compression;
	unsigned workers; /* to re-encode; and for a layer's index, when there is none yet */
	struct progress *progress; /* may be NULL */
};

/* How what was exported differs from the image in the store; all zero unless layers were
 * re-encoded. */
struct export_changes {
	uint64_t recoded;        /* layers, each counted once a manifest */
	uint64_t kept_layers;    /* as they were: nobody may pass them on */
	uint64_t kept_images;    /* as they were: a layer is of an unknown type */
	uint64_t kept_manifests; /* as they were: they are no images */
	uint64_t signatures;     /* left out: the digest that they sign is another now */
};

struct export_result {
	struct descriptor top; /* the manifest or index that was exported */
	char *name;            /* what it is called there; NULL: it has none */
	uint64_t bytes;        /* of the archive; of a layout: those that it did not have */
	uint64_t layers;       /* of all manifests, each counted once a manifest */
	uint64_t signatures;   /* that went along */
	struct export_changes changes;
};

/*
 * `image` as image_find takes it; what it says is leased.  Not for EXPORT_ROOTFS.  ERR_NOT_FOUND
 * for an image, a platform or a blob that is not there; ERR_DIGEST for damage; ERR_USAGE,
 * ERR_EXISTS for a destination that is not replaced; ERR_FORMAT, ERR_UNSUPPORTED for a directory
 * that is no layout.
 */
int export_run(const struct store *s, struct lease *l, const char *image,
	       const struct export_dest *dest, const struct export_options *opt,
	       struct export_result *out, struct err *e);
void export_result_fini(struct export_result *r);
SCOPE_DEFINE_VALUE(export_result, struct export_result, export_result_fini)

/*
 * An archive at a destination that is a file: `fill` writes its members (content counts in a phase
 * that it begins), and the file gets its name when all went well.  For EXPORT_ROOTFS, whose members
 * come from fs/, and for the others here.
 */
int export_archive(const struct export_dest *dest,
		   int (*fill)(void *ctx, struct tar_archive *to, struct err *e), void *ctx,
		   struct progress *progress, uint64_t *out_bytes, struct err *e);

#endif
