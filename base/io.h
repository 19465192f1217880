/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole reads and writes: short counts and EINTR are handled here and nowhere else.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/* read(2), retried on EINTR: bytes, 0 at the end, -1 with errno. */
ssize_t io_read(int fd, void *buf, size_t len);

/* Until `len` bytes or the end: the count, or -1 with errno. */
ssize_t io_read_full(int fd, void *buf, size_t len);
ssize_t io_pread_full(int fd, void *buf, size_t len, uint64_t offset);

/* 0, or -1 with errno. */
int io_write_all(int fd, const void *buf, size_t len);
int io_pwrite_all(int fd, const void *buf, size_t len, uint64_t offset);

/*
 * Lets the disk begin with what a file of `size` bytes got since the last call, so that the fsync
 * at its end finds little left to do.  `started` is 0 at first.  A hint: what fails is the fsync's
 * to tell.
 */
void io_start_sync(int fd, uint64_t size, uint64_t *started);

/*
 * Appends all that `fd` still has to `out`.  ERR_LIMIT when there are more than `limit` bytes;
 * ERR_SYS.  `what` names the file in messages.
 */
int io_slurp(int fd, uint64_t limit, const char *what, struct str *out, struct err *e);

/* The same for a regular file by path (O_NOFOLLOW is not set; FIFOs and devices are refused). */
int io_slurp_path(const char *path, uint64_t limit, struct str *out, struct err *e);

#endif
