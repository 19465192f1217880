/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tars that are open to be unpacked by ADD, as trees.
 *
 * A build for several platforms unpacks the same tars for each of them: it keeps them open, so that
 * each is decompressed and indexed, and what is left out of it told, once.  What a kept one costs
 * until the build ends: a descriptor, its index in memory, and when it is compressed, a nameless
 * copy in the store.  Only the first ARCHIVES_KEPT are kept.
 */
#ifndef PACKER_ARCHIVES_H
#define PACKER_ARCHIVES_H

#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/stamp.h"
#include "image/merge.h"
#include "packer/stage.h"
#include "packer/tar_tree.h"

enum { ARCHIVES_KEPT = 64 };

struct archive {
	struct tar_tree tree;
	struct merge *merge; /* of that tree alone */
	struct stamp file;   /* which it is */
	size_t holders;
};

/* A file of the context that is open; all is borrowed. */
struct archive_file {
	int fd;
	const struct stat *st;
	const char *name; /* for messages */
};

struct archives;
struct archives *archives_new(struct err *e);
void archives_free(struct archives *a);
SCOPE_DEFINE(archives, struct archives *, archives_free)

/*
 * The tree of the file, which the caller lets go of by archive_close: a kept one of the same
 * stamp, or a new one, whose copy goes to the store of `st`.  `kept`
 * NULL: none is.  Warns of what is left out of a new one.  NULL: as tar_tree_open, without the
 * name.
 */
struct archive *archives_open(struct archives *kept, const struct stage *st,
			      const struct archive_file *file, struct err *e);
void archive_close(struct archive *a);
SCOPE_DEFINE(archive, struct archive *, archive_close)

#endif
