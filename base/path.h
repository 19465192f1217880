/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths: lexical work, and opening beneath a directory without ever leaving it.
 *
 * Host paths are only ever the user's own; a path that an image names is data and is never opened.
 */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/*
 * Lexical clean-up as Go's path.Clean on an absolute path: "." and ".." and repeated "/" go, ".."
 * never climbs above "/".  `path` need not start with "/".  Appends the result without a leading
 * "/" ("" for the root) to `out`.
 */
int path_clean(const char *path, struct str *out, struct err *e);

/* Whether a component of the `len` bytes at `path` starts with `prefix`. */
bool path_has_name_with(const char *path, size_t len, const char *prefix);

/*
 * openat2(2) beneath `dirfd`: no way out by "..", absolute links, or magic links; with
 * PATH_NO_SYMLINKS no link at all is followed.  With PATH_IN_ROOT `dirfd` is "/", for the path and
 * the links on it, and nothing else that is mounted there is entered.  The fd has O_CLOEXEC and
 * O_NONBLOCK set, so a FIFO cannot hang the caller.  Returns the fd, or -1 with errno (EXDEV: the
 * path leaves the directory, or the mount).
 */
enum { PATH_NO_SYMLINKS = 1, PATH_IN_ROOT = 2 };
int path_open_beneath(int dirfd, const char *path, int flags, unsigned how);

/* mkdir -p; the new directories get `mode`, and their names are durable.  0, or -1 with ERR_SYS. */
int path_make_dirs(const char *path, mode_t mode, struct err *e);

#endif
