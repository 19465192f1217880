/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/edit_ops.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "base/array.h"
#include "fs/edit_private.h"
#include "fs/xattr_reply.h"

enum {
	SETATTR_VALID_AT = EDIT_HEADER_SIZE, /* struct fuse_setattr_in: valid */
	FATTR_KILL_SUIDGID = 1 << 11,
	MAX_BACKGROUND = 64,
};

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
	const struct session_caller who = edit_caller(req);
	struct err e = ERR_INIT;
	unsigned set = 0;

	(void)fi;
	if (edit_request_u32(SETATTR_VALID_AT) & FATTR_KILL_SUIDGID)
		set |= SESSION_KILL_PRIV;
	for (size_t i = 0; i < ARRAY_LEN(bits); i++)
		set |= to_set & bits[i].fuse ? bits[i].session : 0;
	const bool makes_room = set & SESSION_SET_SIZE;
	if (EDIT_CHANGE(req, NULL, &e, makes_room,
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
	const struct session_caller who = edit_caller(req);

	return EDIT_CHANGE(req, ino, e, false,
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
	const struct session_caller who = edit_caller(req);
	struct err e = ERR_INIT;

	if (EDIT_CHANGE(req, NULL, &e, false,
			session_link(edit_session(req), &who, ino, parent, name, &e)) < 0)
		edit_reply_err(req, "link", ino, &e);
	else
		reply_entry(req, ino, "link", &e);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct session_caller who = edit_caller(req);
	struct err e = ERR_INIT;

	const int r = EDIT_CHANGE(req, NULL, &e, true,
				  session_unlink(edit_session(req), &who, parent, name, &e));
	edit_reply_done(req, r, "unlink", parent, &e);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct session_caller who = edit_caller(req);
	struct err e = ERR_INIT;

	const int r = EDIT_CHANGE(req, NULL, &e, true,
				  session_rmdir(edit_session(req), &who, parent, name, &e));
	edit_reply_done(req, r, "rmdir", parent, &e);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		      const char *new_name, unsigned int flags)
{
	const struct session_move m = {parent, name, new_parent, new_name, flags};
	const struct session_caller who = edit_caller(req);
	struct err e = ERR_INIT;

	const int r =
		EDIT_CHANGE(req, NULL, &e, false, session_rename(edit_session(req), &who, &m, &e));
	edit_reply_done(req, r, "rename", parent, &e);
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
	const struct session_caller who = edit_caller(req);
	struct err e = ERR_INIT;

	const int r = EDIT_CHANGE(
		req, NULL, &e, false,
		session_setxattr(edit_session(req), &who, ino, name, value, size, flags, &e));
	edit_reply_done(req, r, "setxattr", ino, &e);
}

static void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	const struct session_caller who = edit_caller(req);
	struct err e = ERR_INIT;

	const int r = EDIT_CHANGE(req, NULL, &e, true,
				  session_removexattr(edit_session(req), &who, ino, name, &e));
	edit_reply_done(req, r, "removexattr", ino, &e);
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
	.read = edit_read,
	.write = edit_write,
	.release = op_release,
	.fsync = edit_fsync,
	.opendir = op_open,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.fsyncdir = edit_fsyncdir,
	.statfs = op_statfs,
	.setxattr = op_setxattr,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.removexattr = op_removexattr,
	.create = op_create,
	.fallocate = edit_fallocate,
	.copy_file_range = edit_copy_file_range,
	.lseek = edit_lseek,
};
