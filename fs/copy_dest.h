/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a copy goes: the destination as the user typed it, which is the one path whose links are
 * followed.
 *
 * A directory takes the source in; a name that is free, or a regular file, will be the copy; a
 * character device or a FIFO is written into, never replaced, and so is a file below /dev or /proc
 * (/dev/stdout), which somebody has open.
 */
#ifndef FS_COPY_DEST_H
#define FS_COPY_DEST_H

#include <sys/types.h>

#include "base/err.h"
#include "base/scope.h"

enum copy_dest_kind { COPY_DEST_DIR, COPY_DEST_NAME, COPY_DEST_STREAM };

struct copy_dest {
	enum copy_dest_kind kind;
	int fd;     /* the directory, the one that holds `name`, or what is written into */
	char *name; /* of the copy; NULL but for COPY_DEST_NAME */
};

#define COPY_DEST_INIT                  \
	{                               \
		COPY_DEST_DIR, -1, NULL \
	}

/*
 * `source` is S_IFMT of what is copied.  Waits for a reader of a FIFO.  ERR_EXISTS: something is in
 * the way that is not replaced (a block device, a socket, a dangling link, a file for a directory);
 * ERR_NOT_FOUND: no directory to hold the copy; ERR_SYS, ERR_NOMEM.
 */
int copy_dest_open(struct copy_dest *out, const char *path, mode_t source, struct err *e);

/*
 * The same in an image whose root is mounted at the descriptor `root`: links lead as they do for
 * whoever has that root, and never out of it; nor does the path lead to what else is mounted there
 * (ERR_EXISTS).  There are no streams: devices and FIFOs of an image are only names of it.
 */
int copy_dest_open_in(struct copy_dest *out, int root, const char *path, mode_t source,
		      struct err *e);
void copy_dest_fini(struct copy_dest *d);
SCOPE_DEFINE_VALUE(copy_dest, struct copy_dest, copy_dest_fini)

#endif
