/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an edit session changed in its image: the base and the session path by path, but only where
 * the session's rows say that there is something to see.
 *
 * A change is what differs now, not what was done: a file that was changed back, or removed and
 * made anew as it was, is none.  Content is compared where something was written; an mtime counts
 * only when asked for, because whatever is written anew has another one.  A directory in which
 * something differs is changed, too, as in fs/diff.h; of a deleted one nothing below is told.
 *
 * For a layer (changes_options.is_layer) the rest of what it must hold is told as well, which was
 * tried with podman's overlay and vfs drivers and umoci: the directories above a change, because
 * overlay takes the attributes of the uppermost; and all names of a file one of whose names is
 * told, because a link to a file of a lower layer cannot be unpacked by overlay.  What is gone
 * comes where its whiteout has to be.  A directory that took the place of another is told by what
 * differs in it: overlay does not see a whiteout beside a directory of the same name.
 *
 * Changes come in the order of a layer (entry_path_compare).  Time and memory follow what was
 * changed and what is in directories that were moved, not the image.
 *
 * Threads: one; nothing changes the session meanwhile (SESSION_READ: nothing can).
 */
#ifndef FS_CHANGES_H
#define FS_CHANGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "fs/diff.h"
#include "fs/session.h"

struct changes_options {
	bool has_times; /* an mtime that differs is a change */
	bool has_sums;  /* as diff_options has it */
	bool is_layer;
	bool is_lenient; /* content that cannot be read, or its base's, is told as another */
	struct progress *progress; /* counts the bytes that are compared by reading; may be NULL */
};

/* All pointers are borrowed until `each` returns. */
struct change {
	/* Changed in nothing: a directory above a change; in a layer also a file that another of
	 * its names brings along, and "/" when it has another mtime. */
	struct diff_change diff;
	uint64_t ino;   /* 0: deleted */
	uint32_t lower; /* inode of the base under this path; CHANGES_NONE */
	struct stat st; /* unless deleted; without st_dev, st_blocks */
	/* In a layer: the path of another name of the file, which was told before; else NULL. */
	const char *link;
	size_t link_len;
	/* In a layer: bytes of content that the base has, and the layer has to repeat, because of
	 * a name or an attribute. */
	uint64_t repeated;
};

#define CHANGES_NONE UINT32_MAX

/* ERR_FORMAT for a damaged session, ERR_LIMIT for a path that no layer can hold; as session.h and
 * view.h; whatever `each` fails with. */
int changes_walk(struct session *s, const struct changes_options *opt,
		 int (*each)(void *ctx, const struct change *c, struct err *e), void *ctx,
		 struct err *e);

#endif
