/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a store: structure always, content on request.
 *
 * Structure: layout files, index.json, every document reachable from it (digest and parse), the
 * presence and size of every blob, layer indexes, catalogs (shallow).  With `read_data`: the
 * SHA-256 of every blob, every frame, and every block of every catalog and derived file; derived
 * files are proven by their layer's diff_id, and catalogs compared with fresh ones.  With `repair`:
 * what is derived and damaged is made anew; of the rest it is told which images are lost.
 */
#ifndef STORE_FSCK_H
#define STORE_FSCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "store/store.h"

enum fsck_severity {
	FSCK_ERROR,    /* an image is damaged or incomplete */
	FSCK_DERIVED,  /* derived data is damaged: it will be rebuilt when it is used */
	FSCK_NOTE,     /* litter of a dead process, a blob or image that nothing names: gc's work */
	FSCK_REPAIRED, /* derived data was damaged, and is made anew */
	FSCK_LOST,     /* an image that errors are about; of an index, one of its platforms */
};

struct fsck_finding {
	enum fsck_severity severity;
	enum err_code code;  /* ERR_DIGEST, ERR_NOT_FOUND, ERR_FORMAT, ... */
	const char *subject; /* "blob sha256:..", "image localhost/app:1", "catalog .." */
	const char *text;
};

struct fsck_report {
	uint64_t images, blobs, bytes_read;
	uint64_t errors, derived, notes, repaired, lost; /* findings by severity */
	uint64_t unreadable; /* of the errors: the system could not read what it is about */
	bool names_lost;     /* index.json is missing or damaged */
};

struct fsck_options {
	bool read_data;
	bool repair;               /* fails in a store that cannot be written */
	struct progress *progress; /* may be NULL */
	void (*found)(void *ctx, const struct fsck_finding *f);
	void *ctx;
};

/* 0 when the check ran (findings or not: see the report), -1 when it could not. */
int fsck_run(const struct store *s, const struct fsck_options *opt, struct fsck_report *out,
	     struct err *e);

#endif
