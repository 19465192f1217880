/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files without a name until their content is complete, verified and synced.
 *
 * Rule of writing: only verified, synced bytes get a name.  A file from tmpfile_open_at has no
 * name (O_TMPFILE), so a process that dies leaves nothing behind.
 *
 * Calls: tmpfile_open_at -> write -> tmpfile_publish_at | tmpfile_replace_at -> close.
 * Crash: publish is link(2): there or not there.  Replace links a random "..." name first and
 * renames it; a crash between the two leaves that name (tmpfile_is_litter tells) to gc.
 */
#ifndef BASE_TMPFILE_H
#define BASE_TMPFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* Read-write, mode 0600, close-on-exec; on the file system of `dirfd`.  -1: ERR_SYS, or
 * ERR_UNSUPPORTED where the file system has no O_TMPFILE. */
int tmpfile_open_at(int dirfd, struct err *e);

/*
 * fchmod(mode), fsync, link as `name`, fsync of the directory.  Returns 1 when the name is new, 0
 * when it was there already (and stays as it was), -1 with ERR_SYS.
 */
int tmpfile_publish_at(int fd, int dirfd, const char *name, mode_t mode, struct err *e);

/* The same, but takes the place of whatever had the name.  0 or -1. */
int tmpfile_replace_at(int fd, int dirfd, const char *name, mode_t mode, struct err *e);

/* tmpfile_open_at + write + tmpfile_replace_at. */
int tmpfile_write_at(int dirfd, const char *name, mode_t mode, const void *bytes, size_t len,
		     struct err *e);

/*
 * For directories of the user's, whose file system may have no unnamed files (FAT, NFS): there the
 * file has a name of litter meanwhile, which goes to `litter` ("" for a file without a name), and
 * which the caller removes when he gives up.  As tmpfile_open_at otherwise.
 */
enum { TMPFILE_LITTER_MAX = 32 /* bytes, NUL included */ };
int tmpfile_create_at(int dirfd, char litter[static TMPFILE_LITTER_MAX], struct err *e);

/* As tmpfile_replace_at, for what tmpfile_create_at made.  A name that is free is taken at once.
 * Where the file system has modes of its own, `mode` is only asked for. */
int tmpfile_place_at(int fd, int dirfd, const char *litter, const char *name, mode_t mode,
		     struct err *e);

/* A name that a process may have left which died while it replaced a file. */
bool tmpfile_is_litter(const char *name);

#endif
