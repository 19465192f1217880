/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers to GETXATTR and LISTXATTR, for every kind of mount.
 *
 * A request of `size` 0 asks for the length alone; a value or list that is longer than `size` is
 * ERANGE, as getxattr(2) has it.
 */
#ifndef FS_XATTR_REPLY_H
#define FS_XATTR_REPLY_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

enum { XATTR_REPLY_LIST_MAX = 64 * 1024 /* XATTR_LIST_MAX of Linux */ };

/* `value` has `len` bytes, when they are not more than `size`. */
void xattr_reply_value(fuse_req_t req, size_t size, const char *value, size_t len);

/*
 * NUL-terminated names, one after the other: `names` has `len` bytes, when they are not more than
 * XATTR_REPLY_LIST_MAX; else the answer is E2BIG.  Names under "trusted." are left out for who is
 * not root, as on any file system of Linux.
 */
void xattr_reply_list(fuse_req_t req, size_t size, char *names, size_t len);

#endif
