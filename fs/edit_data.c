/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in files: reads, writes, room and holes, and when it is on the disk.
 */
#include <errno.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <time.h>

#include "base/min.h"
#include "base/scope.h"
#include "fs/edit_private.h"
#include "fs/session_data.h"

enum {
	WRITE_FLAGS_AT = EDIT_HEADER_SIZE + 20, /* struct fuse_write_in: write_flags */
	FUSE_WRITE_KILL_SUIDGID = 1 << 2,
	BUFFER_MAX = 1024 * 1024,    /* what copy_file_range copies at a time */
	COPY_MAX = 64 * 1024 * 1024, /* of one copy_file_range: a client can be interrupted */
};

void edit_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	SCOPE_FREE char *buf = malloc(size ? size : 1);
	struct err e = ERR_INIT;

	(void)fi;
	const ssize_t n =
		buf ? session_read(edit_session(req), ino, (uint64_t)offset, buf, size, &e)
		    : (ssize_t)err_nomem(&e);
	if (n < 0)
		edit_reply_err(req, "read", ino, &e);
	else
		fuse_reply_buf(req, buf, (size_t)n);
}

static void note_write_back(fuse_req_t req)
{
	struct edit_context *c = fuse_req_userdata(req);
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	c->written_back = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void edit_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t offset,
		struct fuse_file_info *fi)
{
	/* The kernel writes back pages of a mapping: nobody's write(2). */
	const unsigned set = fi->writepage ? SESSION_KEEP_PRIV
			     : edit_request_u32(WRITE_FLAGS_AT) & FUSE_WRITE_KILL_SUIDGID
				     ? SESSION_KILL_PRIV
				     : 0;
	const struct session_caller who = edit_caller(req);
	struct err e = ERR_INIT;

	if (fi->writepage)
		note_write_back(req);
	/* Once more is no harm: it has its offset. */
	if (SESSION_RETRY(edit_session(req), &e, false,
			  session_write(edit_session(req), &who, ino, (uint64_t)offset, buf, size,
					set, &e)) < 0)
		edit_reply_err(req, "write", ino, &e);
	else
		fuse_reply_write(req, size);
}

void edit_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct err e = ERR_INIT;

	(void)datasync;
	(void)fi;
	const int r = session_sync_inode(edit_session(req), ino, &e);
	edit_reply_done(req, r, "fsync", ino, &e);
}

/* The names in a directory have rows of their own. */
void edit_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct err e = ERR_INIT;

	(void)datasync;
	(void)fi;
	const int r = session_sync(edit_session(req), &e);
	edit_reply_done(req, r, "fsyncdir", ino, &e);
}

void edit_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
		    struct fuse_file_info *fi)
{
	const struct session_caller who = edit_caller(req);
	struct err e = ERR_INIT;

	(void)fi;
	const bool makes_room = mode & FALLOC_FL_PUNCH_HOLE;
	const int r = SESSION_RETRY(edit_session(req), &e, makes_room,
				    session_fallocate(edit_session(req), &who, ino, mode,
						      (uint64_t)offset, (uint64_t)length, &e));
	edit_reply_done(req, r, "fallocate", ino, &e);
}

void edit_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, struct fuse_file_info *fi)
{
	struct err e = ERR_INIT;

	(void)fi;
	if (offset < 0 || (whence != SEEK_DATA && whence != SEEK_HOLE)) {
		fuse_reply_err(req, offset < 0 ? ENXIO : EINVAL);
		return;
	}
	const int64_t at = session_seek(edit_session(req), ino, (uint64_t)offset, whence, &e);
	if (at < 0)
		edit_reply_err(req, "lseek", ino, &e);
	else
		fuse_reply_lseek(req, at);
}

/* Bytes copied: what was asked, up to the end of the source; less when something then failed, as
 * Linux has it, and the next call tells why.  Unlike a write, the request does not say whether the
 * caller may keep setuid bits. */
/* NOLINTNEXTLINE(readability-function-size): two ends */
static int64_t copy(struct session *s, const struct session_caller *who, fuse_ino_t from,
		    uint64_t from_at, fuse_ino_t to, uint64_t to_at, uint64_t len, struct err *e)
{
	const unsigned set = who->uid != 0 ? SESSION_KILL_PRIV : 0;
	uint64_t done = 0;
	struct stat st;

	if (session_stat(s, from, &st, e) < 0)
		return -1;
	const uint64_t there = (uint64_t)st.st_size > from_at ? (uint64_t)st.st_size - from_at : 0;
	const size_t most = (size_t)min_u64(min_u64(len, there), BUFFER_MAX);
	SCOPE_FREE char *buf = malloc(most ? most : 1);
	ssize_t n = buf ? 1 : (ssize_t)err_nomem(e);
	while (n > 0 && done < len && done < there) {
		n = session_read(s, from, from_at + done, buf, min_u64(len - done, most), e);
		if (n > 0 && SESSION_RETRY(s, e, false,
					   session_write(s, who, to, to_at + done, buf, (size_t)n,
							 set, e)) < 0)
			n = -1;
		done += n > 0 ? (size_t)n : 0;
	}
	if (n < 0 && done == 0) /* NOLINT(clang-analyzer-unix.Malloc): freed */
		return -1;
	err_clear(e);
	return (int64_t)done;
}

/* NOLINTNEXTLINE(readability-function-size): as libfuse has it */
void edit_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_at,
			  struct fuse_file_info *from_fi, fuse_ino_t to, off_t to_at,
			  struct fuse_file_info *to_fi, size_t len, int flags)
{
	const struct session_caller who = edit_caller(req);
	struct err e = ERR_INIT;

	(void)from_fi;
	(void)to_fi;
	(void)flags;
	const int64_t n = copy(edit_session(req), &who, from, (uint64_t)from_at, to,
			       (uint64_t)to_at, len < COPY_MAX ? len : COPY_MAX, &e);
	if (n < 0)
		edit_reply_err(req, "copy_file_range", to, &e);
	else
		fuse_reply_write(req, (size_t)n);
}
