/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the requests of an edit mount share.  Private to fs/edit_ops.c and fs/edit_dir.c.
 */
#ifndef FS_EDIT_PRIVATE_H
#define FS_EDIT_PRIVATE_H

#include "fs/edit_ops.h"

enum { EDIT_TIMEOUT_S = 86400 }; /* what the kernel may keep it keeps for a day */

struct session *edit_session(fuse_req_t req);

/* Answers with an error, which is cleared.  At most one line a second is logged, and none for what
 * is an answer. */
void edit_reply_err(fuse_req_t req, const char *what, fuse_ino_t ino, struct err *e);

/* The inode number that programs see. */
uint64_t edit_number(fuse_req_t req, uint64_t ino);

/* The entry of an inode that the kernel learns of; when it does not, after all, session_forget. */
int edit_entry(fuse_req_t req, uint64_t ino, struct fuse_entry_param *out, struct err *e);

/* Answers READDIR or READDIRPLUS. */
void edit_reply_dir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, bool is_plus);

#endif
