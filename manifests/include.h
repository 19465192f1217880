/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INCLUDE: the instructions of a fragment stand in its place.
 *
 * This room opens nothing: whoever parses a build file hands in how a fragment is read.  A path is
 * relative to the directory of the file that includes it, and never leaves the root of the context;
 * what it is is decided by its text alone.
 */
#ifndef MANIFESTS_INCLUDE_H
#define MANIFESTS_INCLUDE_H

#include "base/err.h"
#include "base/str.h"

struct includes {
	/* The text of a file of the context: 1, 0 when it is not there, -1. */
	int (*read)(void *ctx, const char *path, struct str *out, struct err *e);
	void *ctx;
	const char *path; /* the build file's own in the context; of one that is not in it: "" */
};

/* A build file, or a fragment, and what includes it. */
struct include_chain {
	const char *path; /* in the context, clean */
	const struct include_chain *outer;
};

/*
 * Appends to `out` where in the context `path` is, written in the file `chain`.  ERR_SYNTAX: an
 * absolute path, one that leads out of the context, a file that includes itself; ERR_UNSUPPORTED: a
 * URL; ERR_LIMIT: LIMIT_PATH, LIMIT_INCLUDE_DEPTH.
 */
int include_resolve(const struct include_chain *chain, const char *path, struct str *out,
		    struct err *e);

#endif
