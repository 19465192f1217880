/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks a directory of the host: names of one directory sorted bytewise, a directory's content
 * where the caller goes into it.
 *
 * At any time one directory is open: on the way up the parent is opened as ".." and compared with
 * what it was, so that neither depth nor width costs descriptors, and nobody can move us elsewhere.
 *
 * Calls: host_walk_init -> host_walk_enter -> (host_walk_next | host_walk_enter | host_walk_leave)*
 * -> host_walk_fini.
 */
#ifndef BASE_HOST_WALK_H
#define BASE_HOST_WALK_H

#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/scope.h"
#include "base/str.h"

struct host_level;

struct host_walk {
	int fd;          /* the deepest directory; -1: none was entered */
	size_t depth;    /* how many are entered */
	struct str path; /* of the current name, from the first directory */
	struct host_level *levels;
};

#define HOST_WALK_INIT    \
	{                 \
		.fd = -1, \
	}

int host_walk_init(struct host_walk *w, struct err *e);
void host_walk_fini(struct host_walk *w);
SCOPE_DEFINE_VALUE(host_walk, struct host_walk, host_walk_fini)

/*
 * Goes into the directory `name` of `dirfd` ("" for itself), which was looked at as `seen`: the
 * first one, or one of the deepest.  Its names are those that it has now.  ERR_LIMIT for one that
 * is too deep; ERR_SYS, also when it is another by now.
 */
int host_walk_enter(struct host_walk *w, int dirfd, const char *name, const struct stat *seen,
		    struct err *e);

/* The next name of the deepest directory: 1, 0 when there are no more, -1 with ERR_LIMIT when its
 * path is too long.  Borrowed until the directory is left. */
int host_walk_next(struct host_walk *w, const char **name, struct err *e);

/* The deepest directory has no more names. */
void host_walk_skip(struct host_walk *w);

/* Goes back to the directory above the deepest; of the first one `fd` stays. */
int host_walk_leave(struct host_walk *w, struct err *e);

/*
 * Opens a regular file that was looked at as `seen`: no link followed, no FIFO waited for; `now` is
 * what it is by now.  ERR_SYS when it is another file.
 */
int host_walk_open_file(int dirfd, const char *name, const struct stat *seen, struct stat *now,
			struct err *e);

/* The target of a link, with a NUL behind it.  ERR_LIMIT for one that is too long. */
int host_walk_read_link(int dirfd, const char *name, char target[static LIMIT_SYMLINK + 1],
			size_t *len, struct err *e);

#endif
