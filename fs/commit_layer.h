/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layer that a commit adds to an image: what an edit session changed, as entries.
 *
 * The base with this layer over it is what the session shows, for every reader that was tried
 * (fs/changes.h), except for sockets, which no layer can hold, and for an mtime that is all that
 * differs, unless it is asked for.  Whiteouts are explicit, never opaque.  Bytes depend on what the
 * session shows alone; with an epoch that all changes are younger than, neither on when they were
 * made nor in which order.
 *
 * Threads: as fs/changes.h.
 */
#ifndef FS_COMMIT_LAYER_H
#define FS_COMMIT_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "fs/session.h"
#include "image/layer_write.h"

struct commit_layer_options {
	bool has_epoch;
	int64_t epoch;             /* mtimes are at most that */
	bool has_times;            /* a file is written for an mtime that differs */
	struct progress *progress; /* NULL */
};

struct commit_layer_result {
	uint64_t entries;  /* 0: nothing differs, and the layer need not be */
	uint64_t content;  /* bytes of files */
	uint64_t repeated; /* of these, what the base has, but for a name or an attribute */
	uint64_t sockets;  /* that were left out */
	int64_t newest;    /* mtime of an entry; 0 without entries */
};

/* Adds all entries; the caller finishes `w`, and gives it its progress.  ERR_LIMIT for what no
 * layer can hold; as changes_walk, and layer_writer_add. */
int commit_layer_write(struct session *s, const struct commit_layer_options *opt,
		       struct layer_writer *w, struct commit_layer_result *out, struct err *e);

/* The same without writing: what it would be. */
int commit_layer_measure(struct session *s, const struct commit_layer_options *opt,
			 struct commit_layer_result *out, struct err *e);

#endif
