/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content of the regular files of an edit session.  Errors and threads: as fs/session.h.
 */
#ifndef FS_SESSION_DATA_H
#define FS_SESSION_DATA_H

#include "fs/session.h"

/* Content: bytes (0 at the end), -1. */
ssize_t session_read(struct session *s, uint64_t ino, uint64_t offset, void *buf, size_t len,
		     struct err *e);
/* All of it, or an error.  `set`: 0, SESSION_KILL_PRIV or SESSION_KEEP_PRIV. */
/* NOLINTNEXTLINE(readability-function-size): pwrite(2), who asks for it, and of whom */
int session_write(struct session *s, const struct session_caller *who, uint64_t ino,
		  uint64_t offset, const void *buf, size_t len, unsigned set, struct err *e);
/* `mode` as fallocate(2): 0, KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE. */
int session_fallocate(struct session *s, const struct session_caller *who, uint64_t ino, int mode,
		      uint64_t offset, uint64_t len, struct err *e);
/* SEEK_DATA, SEEK_HOLE: the offset, or -1 (ENXIO). */
int64_t session_seek(struct session *s, uint64_t ino, uint64_t offset, int whence, struct err *e);

#endif
