/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the requests of an edit mount share.  Private to fs/edit_ops.c, fs/edit_request.c,
 * fs/edit_data.c and fs/edit_dir.c.
 */
#ifndef FS_EDIT_PRIVATE_H
#define FS_EDIT_PRIVATE_H

#include "fs/edit_ops.h"
#include "fs/session_room.h"

enum {
	EDIT_TIMEOUT_S = 86400, /* what the kernel may keep it keeps for a day */
	EDIT_HEADER_SIZE = 40,  /* struct fuse_in_header, before what a request says */
};

struct session *edit_session(fuse_req_t req);

/* Answers with an error, which is cleared.  At most one line a second is logged, and none for what
 * is an answer. */
void edit_reply_err(fuse_req_t req, const char *what, fuse_ino_t ino, struct err *e);

/* 0, or the error of `r` < 0. */
void edit_reply_done(fuse_req_t req, int r, const char *what, fuse_ino_t ino, struct err *e);

struct session_caller edit_caller(fuse_req_t req);

/* Whether the request was carried out by a worker that died before it could say so: 1, and `ino`
 * (NULL: nobody asks) is the inode that it made or found; 0; -1 when nobody can tell, and it must
 * not be done twice. */
int edit_find_done(fuse_req_t req, uint64_t *ino, struct err *e);

/* The value of `call`, a change that is made once and as SESSION_RETRY has it; 0 when it was made
 * before: `ino` as in edit_find_done. */
#define EDIT_CHANGE(req, ino, e, makes_room, call)                                              \
	({                                                                                      \
		const int edit_done_ = edit_find_done((req), (ino), (e));                       \
		edit_done_ > 0   ? 0                                                            \
		: edit_done_ < 0 ? -1                                                           \
				 : SESSION_RETRY(edit_session(req), (e), (makes_room), (call)); \
	})

/* A number of 32 bits in the request as the kernel wrote it, for flags that libfuse does not hand
 * on; its place by include/uapi/linux/fuse.h. */
uint32_t edit_request_u32(size_t at);

/* The inode number that programs see. */
uint64_t edit_number(fuse_req_t req, uint64_t ino);

/* The entry of an inode that the kernel learns of; when it does not, after all, session_forget. */
int edit_entry(fuse_req_t req, uint64_t ino, struct fuse_entry_param *out, struct err *e);

/* fs/edit_data.c: as libfuse has them. */
void edit_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
	       struct fuse_file_info *fi);
void edit_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t offset,
		struct fuse_file_info *fi);
void edit_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
void edit_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
void edit_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
		    struct fuse_file_info *fi);
void edit_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence,
		struct fuse_file_info *fi);
/* NOLINTNEXTLINE(readability-function-size): as libfuse has it */
void edit_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_at,
			  struct fuse_file_info *from_fi, fuse_ino_t to, off_t to_at,
			  struct fuse_file_info *to_fi, size_t len, int flags);

/* Answers READDIR or READDIRPLUS. */
void edit_reply_dir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, bool is_plus);

#endif
