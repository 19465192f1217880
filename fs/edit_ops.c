/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/edit_ops.h"

#include <errno.h>
#include <linux/falloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "base/array.h"
#include "base/log.h"
#include "base/min.h"
#include "fs/channel.h"
#include "fs/edit_private.h"
#include "fs/session_data.h"
#include "fs/session_room.h"
#include "fs/xattr_reply.h"

enum {
	/* struct fuse_in_header has 40 bytes. */
	SETATTR_VALID_AT = 40, /* struct fuse_setattr_in: valid */
	FATTR_KILL_SUIDGID = 1 << 11,
	WRITE_FLAGS_AT = 40 + 20, /* struct fuse_write_in: write_flags */
	FUSE_WRITE_KILL_SUIDGID = 1 << 2,
	MAX_BACKGROUND = 64,
	BUFFER_MAX = 1024 * 1024,    /* what copy_file_range copies at a time */
	COPY_MAX = 64 * 1024 * 1024, /* of one copy_file_range: a client can be interrupted */
};

/* Most are answers, and what the host's disk says of itself is meant for the client, too (fs/
 * session_files.c leaves nothing else of the host's). */
int edit_errno(const struct err *e)
{
	switch (e->code) {
	case ERR_NOMEM:
		return ENOMEM;
	case ERR_NOT_FOUND:
		return ESTALE;
	case ERR_UNSUPPORTED: /* of a catalog: a name in a file */
		return ENOTDIR;
	case ERR_SYS:
		return e->sys == ENOSYS ? EIO : e->sys;
	case ERR_NONE:
	case ERR_USAGE:
	case ERR_SYNTAX:
	case ERR_FORMAT:
	case ERR_LIMIT:
	case ERR_DIGEST:
	case ERR_UNTRUSTED:
	case ERR_NET:
	case ERR_EXISTS:
	case ERR_BUSY:
		break;
	}
	return EIO;
}

struct session *edit_session(fuse_req_t req)
{
	const struct edit_context *c = fuse_req_userdata(req);

	return c->session;
}

void edit_reply_err(fuse_req_t req, const char *what, fuse_ino_t ino, struct err *e)
{
	static _Atomic time_t last;
	const time_t now = time(NULL);
	const int error = edit_errno(e);

	if ((error == EIO || error == ENOSPC || error == ENOMEM) &&
	    atomic_exchange(&last, now) != now)
		log_error("%s of inode %llu: %s", what, (unsigned long long)ino, e->msg);
	fuse_reply_err(req, error);
	err_clear(e);
}

/* 0, or the error of `r` < 0. */
static void reply_done(fuse_req_t req, int r, const char *what, fuse_ino_t ino, struct err *e)
{
	if (r < 0)
		edit_reply_err(req, what, ino, e);
	else
		fuse_reply_err(req, 0);
}

/* A number for each thread: it serves one request at a time. */
static unsigned thread_number(void)
{
	static _Thread_local unsigned number;
	static _Atomic unsigned last;

	if (number == 0)
		number = atomic_fetch_add(&last, 1) + 1;
	return number;
}

static struct session_caller caller_of(fuse_req_t req)
{
	const struct edit_context *c = fuse_req_userdata(req);
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	return (struct session_caller){
		.uid = ctx->uid,
		.gid = ctx->gid,
		.unique = channel_unique(),
		.slot = c->first_slot + thread_number(),
	};
}

/* Whether the request was carried out by a worker that died before it could say so: 1, and `ino`
 * (NULL: nobody asks) is the inode that it made or found; 0; -1 when nobody can tell, and it must
 * not be done twice. */
static int find_done(fuse_req_t req, uint64_t *ino, struct err *e)
{
	uint64_t found = 0;

	if (!channel_is_resent())
		return 0;
	const int r = session_replay(edit_session(req), channel_unique(), &found, e);
	if (r > 0 && ino)
		*ino = found;
	return r;
}

/* The value of `call`, a change that is made once and as SESSION_RETRY has it; 0 when it was made
 * before: `ino` as in find_done. */
#define CHANGE(req, ino, e, makes_room, call)                                                   \
	({                                                                                      \
		const int edit_done_ = find_done((req), (ino), (e));                            \
		edit_done_ > 0   ? 0                                                            \
		: edit_done_ < 0 ? -1                                                           \
				 : SESSION_RETRY(edit_session(req), (e), (makes_room), (call)); \
	})

/* A number of 32 bits in the request as the kernel wrote it, for flags that libfuse does not hand
 * on; its place by include/uapi/linux/fuse.h. */
static uint32_t request_u32(size_t at)
{
	uint32_t value = 0;
	size_t len;
	const uint8_t *request = channel_request(&len);

	if (at + sizeof(value) <= len)
		memcpy(&value, request + at, sizeof(value));
	return value;
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	/* Not ATOMIC_O_TRUNC: without OPEN the truncation of an open would be lost. */
	static const unsigned wanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS |
				       FUSE_CAP_READDIRPLUS | FUSE_CAP_CACHE_SYMLINKS |
				       FUSE_CAP_NO_OPEN_SUPPORT | FUSE_CAP_NO_OPENDIR_SUPPORT |
				       FUSE_CAP_EXPORT_SUPPORT | FUSE_CAP_ASYNC_DIO;
	const struct edit_context *c = userdata;

	conn->want = conn->capable & wanted;
	/* What mtime and size are is the kernel's to say then; it tells them by SETATTR. */
	if (c->is_writeback)
		conn->want |= conn->capable & FUSE_CAP_WRITEBACK_CACHE;
	conn->max_background = MAX_BACKGROUND;
	conn->congestion_threshold = MAX_BACKGROUND * 3 / 4;
	conn->time_gran = 1;
}

uint64_t edit_number(fuse_req_t req, uint64_t ino)
{
	const struct edit_context *c = fuse_req_userdata(req);

	return c->first_number + ino;
}

static int stat_inode(fuse_req_t req, uint64_t ino, struct stat *out, struct err *e)
{
	if (session_stat(edit_session(req), ino, out, e) < 0)
		return -1;
	out->st_ino = edit_number(req, ino);
	return 0;
}

int edit_entry(fuse_req_t req, uint64_t ino, struct fuse_entry_param *out, struct err *e)
{
	*out = (struct fuse_entry_param){
		.ino = ino,
		.attr_timeout = EDIT_TIMEOUT_S,
		.entry_timeout = EDIT_TIMEOUT_S,
	};
	if (stat_inode(req, ino, &out->attr, e) < 0)
		return -1;
	return session_remember(edit_session(req), ino, e);
}

static void reply_entry(fuse_req_t req, uint64_t ino, const char *what, struct err *e)
{
	struct fuse_entry_param entry;

	if (edit_entry(req, ino, &entry, e) < 0)
		edit_reply_err(req, what, ino, e);
	else if (fuse_reply_entry(req, &entry) == -ENOENT) /* interrupted: it was not told */
		session_forget(edit_session(req), ino, 1);
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct fuse_entry_param nothing = {.entry_timeout = EDIT_TIMEOUT_S};
	struct err e = ERR_INIT;
	uint64_t ino = 0;

	const int found = session_lookup(edit_session(req), parent, name, &ino, &e);
	if (found < 0)
		edit_reply_err(req, "lookup", parent, &e);
	else if (found == 0)
		fuse_reply_entry(req, &nothing); /* ino 0: a name that is not there, kept too */
	else
		reply_entry(req, ino, "lookup", &e);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	session_forget(edit_session(req), ino, count);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *items)
{
	for (size_t i = 0; i < count; i++)
		session_forget(edit_session(req), items[i].ino, items[i].nlookup);
	fuse_reply_none(req);
}

static void reply_attr(fuse_req_t req, fuse_ino_t ino, const char *what)
{
	struct err e = ERR_INIT;
	struct stat st;

	if (stat_inode(req, ino, &st, &e) < 0)
		edit_reply_err(req, what, ino, &e);
	else
		fuse_reply_attr(req, &st, EDIT_TIMEOUT_S);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)fi;
	reply_attr(req, ino, "getattr");
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int to_set,
		       struct fuse_file_info *fi)
{
	static const struct {
		int fuse;
		unsigned session;
	} bits[] = {
		{FUSE_SET_ATTR_MODE, SESSION_SET_MODE},
		{FUSE_SET_ATTR_UID, SESSION_SET_UID},
		{FUSE_SET_ATTR_GID, SESSION_SET_GID},
		{FUSE_SET_ATTR_SIZE, SESSION_SET_SIZE},
		{FUSE_SET_ATTR_ATIME, SESSION_SET_ATIME},
		{FUSE_SET_ATTR_MTIME, SESSION_SET_MTIME},
		{FUSE_SET_ATTR_ATIME_NOW, SESSION_SET_ATIME_NOW},
		{FUSE_SET_ATTR_MTIME_NOW, SESSION_SET_MTIME_NOW},
	};
	const struct session_caller who = caller_of(req);
	struct err e = ERR_INIT;
	unsigned set = 0;

	(void)fi;
	if (request_u32(SETATTR_VALID_AT) & FATTR_KILL_SUIDGID)
		set |= SESSION_KILL_PRIV;
	for (size_t i = 0; i < ARRAY_LEN(bits); i++)
		set |= to_set & bits[i].fuse ? bits[i].session : 0;
	const bool makes_room = set & SESSION_SET_SIZE;
	if (CHANGE(req, NULL, &e, makes_room,
		   session_setattr(edit_session(req), &who, ino, st, set, &e)) < 0)
		edit_reply_err(req, "setattr", ino, &e);
	else
		reply_attr(req, ino, "setattr");
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	char target[LIMIT_SYMLINK + 1];
	struct err e = ERR_INIT;

	if (session_readlink(edit_session(req), ino, target, &e) < 0)
		edit_reply_err(req, "readlink", ino, &e);
	else
		fuse_reply_readlink(req, target);
}

static int make(fuse_req_t req, fuse_ino_t parent, const struct session_new *what, uint64_t *ino,
		struct err *e)
{
	const struct session_caller who = caller_of(req);

	return CHANGE(req, ino, e, false,
		      session_create(edit_session(req), &who, parent, what, ino, e));
}

static void create(fuse_req_t req, fuse_ino_t parent, const struct session_new *what,
		   const char *why)
{
	struct err e = ERR_INIT;
	uint64_t ino;

	if (make(req, parent, what, &ino, &e) < 0)
		edit_reply_err(req, why, parent, &e);
	else
		reply_entry(req, ino, why, &e);
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	const struct session_new what = {
		.name = name, .mode = mode, .rdev_major = major(rdev), .rdev_minor = minor(rdev)};

	create(req, parent, &what, "mknod");
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	create(req, parent, &(struct session_new){.name = name, .mode = S_IFDIR | mode}, "mkdir");
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	const struct session_new what = {.name = name, .mode = S_IFLNK | 0777, .target = target};

	create(req, parent, &what, "symlink");
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *fi)
{
	const struct session_new what = {.name = name, .mode = S_IFREG | (mode & ~(mode_t)S_IFMT)};
	struct session *s = edit_session(req);
	struct fuse_entry_param entry;
	struct err e = ERR_INIT;
	uint64_t ino;

	if (make(req, parent, &what, &ino, &e) < 0 || edit_entry(req, ino, &entry, &e) < 0) {
		edit_reply_err(req, "create", parent, &e);
		return;
	}
	fi->keep_cache = 1;
	if (fuse_reply_create(req, &entry, fi) == -ENOENT)
		session_forget(s, ino, 1);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	const struct session_caller who = caller_of(req);
	struct err e = ERR_INIT;

	if (CHANGE(req, NULL, &e, false,
		   session_link(edit_session(req), &who, ino, parent, name, &e)) < 0)
		edit_reply_err(req, "link", ino, &e);
	else
		reply_entry(req, ino, "link", &e);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct session_caller who = caller_of(req);
	struct err e = ERR_INIT;

	const int r = CHANGE(req, NULL, &e, true,
			     session_unlink(edit_session(req), &who, parent, name, &e));
	reply_done(req, r, "unlink", parent, &e);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct session_caller who = caller_of(req);
	struct err e = ERR_INIT;

	const int r = CHANGE(req, NULL, &e, true,
			     session_rmdir(edit_session(req), &who, parent, name, &e));
	reply_done(req, r, "rmdir", parent, &e);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		      const char *new_name, unsigned int flags)
{
	const struct session_move m = {parent, name, new_parent, new_name, flags};
	const struct session_caller who = caller_of(req);
	struct err e = ERR_INIT;

	const int r = CHANGE(req, NULL, &e, false, session_rename(edit_session(req), &who, &m, &e));
	reply_done(req, r, "rename", parent, &e);
}

/* ENOSYS once, and the kernel asks no more: opens cost no round trip, pages and names stay. */
static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	fuse_reply_err(req, ENOSYS);
}

/* Of a file that was made before the kernel had that answer. */
static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	fuse_reply_err(req, 0);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *fi)
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

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t offset,
		     struct fuse_file_info *fi)
{
	/* The kernel writes back pages of a mapping: nobody's write(2). */
	const unsigned set = fi->writepage ? SESSION_KEEP_PRIV
			     : request_u32(WRITE_FLAGS_AT) & FUSE_WRITE_KILL_SUIDGID
				     ? SESSION_KILL_PRIV
				     : 0;
	const struct session_caller who = caller_of(req);
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

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct err e = ERR_INIT;

	(void)datasync;
	(void)fi;
	const int r = session_sync_inode(edit_session(req), ino, &e);
	reply_done(req, r, "fsync", ino, &e);
}

/* The names in a directory have rows of their own. */
static void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct err e = ERR_INIT;

	(void)datasync;
	(void)fi;
	const int r = session_sync(edit_session(req), &e);
	reply_done(req, r, "fsyncdir", ino, &e);
}

static void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
			 struct fuse_file_info *fi)
{
	const struct session_caller who = caller_of(req);
	struct err e = ERR_INIT;

	(void)fi;
	const bool makes_room = mode & FALLOC_FL_PUNCH_HOLE;
	const int r = SESSION_RETRY(edit_session(req), &e, makes_room,
				    session_fallocate(edit_session(req), &who, ino, mode,
						      (uint64_t)offset, (uint64_t)length, &e));
	reply_done(req, r, "fallocate", ino, &e);
}

static void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence,
		     struct fuse_file_info *fi)
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
static void op_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_at,
			       struct fuse_file_info *from_fi, fuse_ino_t to, off_t to_at,
			       struct fuse_file_info *to_fi, size_t len, int flags)
{
	const struct session_caller who = caller_of(req);
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

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		       struct fuse_file_info *fi)
{
	(void)fi;
	edit_reply_dir(req, ino, size, offset, false);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
			   struct fuse_file_info *fi)
{
	(void)fi;
	edit_reply_dir(req, ino, size, offset, true);
}

static void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	SCOPE_FREE char *buf = malloc(size ? size : 1);
	struct err e = ERR_INIT;
	size_t len = 0;

	const int found = buf ? session_getxattr(edit_session(req), ino, name, buf, size, &len, &e)
			      : err_nomem(&e);
	if (found < 0)
		edit_reply_err(req, "getxattr", ino, &e);
	else if (found == 0)
		fuse_reply_err(req, ENODATA);
	else
		xattr_reply_value(req, size, buf, len);
}

static void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *buf = array_new(1, XATTR_REPLY_LIST_MAX, &e);
	size_t len = 0;

	if (!buf ||
	    session_listxattr(edit_session(req), ino, buf, XATTR_REPLY_LIST_MAX, &len, &e) < 0)
		edit_reply_err(req, "listxattr", ino, &e);
	else
		xattr_reply_list(req, size, buf, len);
}

static void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
			size_t size, int flags)
{
	const struct session_caller who = caller_of(req);
	struct err e = ERR_INIT;

	const int r = CHANGE(
		req, NULL, &e, false,
		session_setxattr(edit_session(req), &who, ino, name, value, size, flags, &e));
	reply_done(req, r, "setxattr", ino, &e);
}

static void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	const struct session_caller who = caller_of(req);
	struct err e = ERR_INIT;

	const int r = CHANGE(req, NULL, &e, true,
			     session_removexattr(edit_session(req), &who, ino, name, &e));
	reply_done(req, r, "removexattr", ino, &e);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct err e = ERR_INIT;
	struct statvfs st;

	if (session_statfs(edit_session(req), &st, &e) < 0) {
		edit_reply_err(req, "statfs", ino, &e);
		return;
	}
	st.f_namemax = LIMIT_NAME;
	fuse_reply_statfs(req, &st);
}

/* No FLUSH: there is nothing to do when one of several descriptors is closed. */
const struct fuse_lowlevel_ops edit_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.readlink = op_readlink,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.symlink = op_symlink,
	.rename = op_rename,
	.link = op_link,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.release = op_release,
	.fsync = op_fsync,
	.opendir = op_open,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.fsyncdir = op_fsyncdir,
	.statfs = op_statfs,
	.setxattr = op_setxattr,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.removexattr = op_removexattr,
	.create = op_create,
	.fallocate = op_fallocate,
	.copy_file_range = op_copy_file_range,
	.lseek = op_lseek,
};
