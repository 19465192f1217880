/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the host, as fs/copy.h copies them: with their ids, in the order of base/host_walk.h.
 *
 * The path is the user's, and its links are followed, but for one that is the last name itself; no
 * link below it is.  What else is mounted below it is left out, with a warning: its mountpoint is
 * an empty directory in the copy.
 */
#ifndef FS_COPY_HOST_H
#define FS_COPY_HOST_H

#include "base/host_walk.h"
#include "base/host_xattrs.h"
#include "base/scope.h"
#include "fs/copy.h"

struct copy_host {
	struct copy_source source; /* first */
	bool is_content;           /* a directory's content is meant, not itself: "DIR/.", "/" */
	char *own_name;            /* of what is to be copied; NULL for the root */
	/* Where the file is that the source is at: its name in a directory; "" for that itself. */
	int start; /* the directory of the first one */
	dev_t dev; /* of the first directory */
	const char *place;
	struct host_walk walk;
	struct host_xattrs xattrs;
	size_t xattr_at;
	/* Content that is being read. */
	int file;
	uint64_t size;                 /* of the file when it was opened */
	uint64_t data_start, data_end; /* of what was found last */
	char *buf;
};

#define COPY_HOST_INIT                                           \
	{                                                        \
		.start = -1, .walk = HOST_WALK_INIT, .file = -1, \
	}

/* At `path`; "link/" is the directory that a link leads to.  ERR_NOT_FOUND; ERR_SYS, ERR_NOMEM. */
int copy_host_open(struct copy_host *s, const char *path, struct err *e);
void copy_host_fini(struct copy_host *s);
SCOPE_DEFINE_VALUE(copy_host, struct copy_host, copy_host_fini)

#endif
