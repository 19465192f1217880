/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes images that people already have into the store.  A source is one of:
 *
 * - oci:DIR[:NAME]: an OCI image layout;
 * - oci-archive:FILE[:NAME]: the same as tar (plain or compressed);
 * - docker-archive:FILE[:NAME]: what `docker save` writes; "@N" is the image at place N, from 0;
 * - dir:DIR: a root file system, faithfully;
 * - rootfs:FILE: the same as tar (plain, gzip, zstd, xz, bzip2).
 *
 * Blobs of foreign layers stay as they are, byte for byte; each is proven (blob digest, diff_id,
 * the tar itself) and what is needed to seek in it is derived.  A multi-platform index is kept
 * whole, or one manifest of it is taken.  A root file system becomes an image of one layer with an
 * empty config.
 */
#ifndef PACKER_IMPORT_H
#define PACKER_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/progress.h"
#include "base/strlist.h"
#include "image/compression.h"
#include "image/descriptor.h"
#include "image/platform.h"
#include "store/store.h"

enum import_kind {
	IMPORT_OCI,
	IMPORT_OCI_ARCHIVE,
	IMPORT_DOCKER_ARCHIVE,
	IMPORT_DIR,
	IMPORT_ROOTFS,
};

struct import_source {
	enum import_kind kind;
	char *path;
	char *name;  /* which image of several; NULL: the only one, or that at `at` */
	bool has_at; /* of a docker archive */
	size_t at;   /* in manifest.json, from 0 */
};

/* ERR_USAGE names the prefixes there are. */
int import_source_parse(struct import_source *out, const char *text, struct err *e);
void import_source_fini(struct import_source *src);

struct import_options {
	const char *tag; /* reference text; NULL: the names that the source gives, else ERR_USAGE */
	/* Of a root file system; NULL: the host's.  Of an image: the one to take of an index; NULL:
	 * all of it. */
	const struct platform *platform;
	struct compression compression; /* of root file systems */
	unsigned workers;
	struct progress *progress;
};

struct import_result {
	struct descriptor top; /* manifest or index */
	struct strlist names;  /* "localhost/app:1"; several of a docker archive */
	uint64_t layers;
	uint64_t reframed; /* layers that needed derived frames */
};

int import_run(const struct store *s, const struct import_source *src,
	       const struct import_options *opt, struct import_result *out, struct err *e);
void import_result_fini(struct import_result *r);

#endif
