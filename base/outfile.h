/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that the user named for output: it appears whole and synced, or what was there stays as it
 * was.
 *
 * A name that is free, or that of a regular file, is written beside it and takes its place at the
 * end.  A character device, a FIFO, and a file below /dev or /proc (/dev/stdout), which somebody
 * has open, are streams: written into, never replaced.  Nothing else is written to.
 *
 * Calls: outfile_open | outfile_open_stdout -> outfile_write* -> outfile_commit -> outfile_fini,
 * which without outfile_commit takes all away that has no name yet.
 * Threads: one at a time; open before threads start (it looks at the umask).
 */
#ifndef BASE_OUTFILE_H
#define BASE_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/tmpfile.h"

struct outfile {
	char *path; /* as the user wrote it; NULL: standard output */
	int fd;
	int dir;    /* that holds it; -1: a stream */
	char *name; /* in `dir` */
	char litter[TMPFILE_LITTER_MAX];
	mode_t mode; /* that it gets: of the file that is replaced, else 0666 without the umask */
	uint8_t *buf;
	size_t used;
	uint64_t size;    /* bytes that came so far, */
	uint64_t written; /* that left the buffer, */
	uint64_t started; /* and that are on their way to the disk */
};

#define OUTFILE_INIT                              \
	{                                         \
		.path = NULL, .fd = -1, .dir = -1 \
	}

enum {
	/* A link to a regular file is followed: it stays, and the file is replaced.  Else it is
	 * refused, because a link may lead where its user does not know. */
	OUTFILE_FOLLOW = 1,
	/* A terminal will do: it is text.  Else it is refused. */
	OUTFILE_TERMINAL = 2,
};

/*
 * Waits for a reader of a FIFO.  ERR_USAGE for a directory and a terminal; ERR_EXISTS for a link, a
 * block device, a socket; ERR_SYS, ERR_NOMEM.  Messages name the path.
 */
int outfile_open(struct outfile *out, const char *path, unsigned flags, struct err *e);
/* ERR_USAGE when it is a terminal. */
int outfile_open_stdout(struct outfile *out, struct err *e);

/* Fails as outfile_open would, as far as can be told without waiting, and changes nothing. */
int outfile_check(const char *path, unsigned flags, struct err *e);

bool outfile_is_stream(const struct outfile *f);

int outfile_write(struct outfile *f, const void *bytes, size_t len, struct err *e);

/* Writes what is buffered, syncs, and gives the file its name.  Nothing can be written after it. */
int outfile_commit(struct outfile *f, struct err *e);

void outfile_fini(struct outfile *f);
SCOPE_DEFINE_VALUE(outfile, struct outfile, outfile_fini)

/* The mode of a new file of the user's. */
mode_t outfile_default_mode(void);

#endif
