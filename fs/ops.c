/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything is answered from the immutable catalog, so there is no state between requests: no
 * handles, no lookup counts.  What the kernel may keep it keeps for a day, then asks again: an
 * answer costs nothing.
 */
#include "fs/ops.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "base/array.h"
#include "base/log.h"
#include "fs/device.h"
#include "fs/xattr_reply.h"

enum {
	TIMEOUT_S = 86400,
	BLOCK_SIZE = 512,     /* of st_blocks, by POSIX */
	IO_SIZE = 128 * 1024, /* st_blksize: what cp(1) reads at a time */
	STATFS_BLOCK = 4096,
	MAX_BACKGROUND =
		64, /* readahead requests in flight; the kernel's default of 12 starves 4 readers */
	DIR_BUFFER_MAX = 1024 * 1024,
};

/*
 * The two answers that speak of the request, and not of a failure, are the catalog's: no such
 * inode, not of that kind.  What failed below is EIO, whatever the host said: its ENOENT is not
 * that of a file of the image, and its ENOSYS would turn an operation off for as long as the mount
 * lives.
 */
int ops_errno(const struct err *e)
{
	switch (e->code) {
	case ERR_NOMEM:
		return ENOMEM;
	case ERR_NOT_FOUND:
		return ESTALE;
	case ERR_UNSUPPORTED:
		return ENOTDIR;
	case ERR_NONE:
	case ERR_SYS:
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

static struct ops_context *context_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static struct view *view_of(fuse_req_t req)
{
	return context_of(req)->view;
}

/* nodeid 1 is the root, catalog inode 0; an id beyond 32 bits becomes one that no catalog has. */
static uint32_t inode_of(fuse_ino_t ino)
{
	return ino - 1 > UINT32_MAX ? UINT32_MAX : (uint32_t)(ino - 1);
}

/* At most one line a second: a damaged file that is read in a loop must not fill a log. */
static void log_failure(const char *what, fuse_ino_t ino, const struct err *e)
{
	static _Atomic time_t last;
	const time_t now = time(NULL);

	if (e->code == ERR_NOT_FOUND || e->code == ERR_UNSUPPORTED)
		return;
	if (atomic_exchange(&last, now) != now)
		log_error("%s of inode %llu: %s", what, (unsigned long long)ino, e->msg);
}

static void reply_err(fuse_req_t req, const char *what, fuse_ino_t ino, struct err *e)
{
	log_failure(what, ino, e);
	fuse_reply_err(req, ops_errno(e));
	err_clear(e);
}

static void fill_stat(uint32_t inode, const struct catalog_stat *from, struct stat *st)
{
	*st = (struct stat){
		.st_ino = (ino_t)inode + 1,
		.st_mode = from->mode,
		.st_nlink = from->nlink,
		.st_uid = from->uid,
		.st_gid = from->gid,
		.st_rdev = makedev(from->rdev_major, from->rdev_minor),
		.st_size = (off_t)from->size,
		.st_blksize = IO_SIZE,
		.st_blocks = (blkcnt_t)((from->data_bytes + BLOCK_SIZE - 1) / BLOCK_SIZE),
	};
	st->st_mtim.tv_sec = from->mtime;
	st->st_mtim.tv_nsec = from->mtime_nsec;
	/* A tar layer has no other times; these are what an unpacked file would show at best. */
	st->st_atim = st->st_mtim;
	st->st_ctim = st->st_mtim;
}

static int fill_entry(struct view *v, uint32_t inode, struct fuse_entry_param *out, struct err *e)
{
	struct catalog_stat st;

	if (VIEW_RETRY(v, e, catalog_stat(view_catalog(v), inode, &st, e)) < 0)
		return -1;
	*out = (struct fuse_entry_param){
		.ino = (fuse_ino_t)inode + 1,
		.attr_timeout = TIMEOUT_S,
		.entry_timeout = TIMEOUT_S,
	};
	fill_stat(inode, &st, &out->attr);
	return 0;
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	static const unsigned wanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS |
				       FUSE_CAP_READDIRPLUS | FUSE_CAP_CACHE_SYMLINKS |
				       FUSE_CAP_NO_OPEN_SUPPORT | FUSE_CAP_NO_OPENDIR_SUPPORT |
				       FUSE_CAP_EXPORT_SUPPORT | FUSE_CAP_ASYNC_DIO;

	(void)userdata;
	conn->want = conn->capable & wanted;
	conn->max_background = MAX_BACKGROUND;
	conn->congestion_threshold = MAX_BACKGROUND * 3 / 4;
	conn->time_gran = 1;
}

/* The kernel sets the mount's readahead when it reads the reply to INIT, so this waits for the
 * first request after it. */
static void tune_once(struct ops_context *c)
{
	if (!atomic_exchange(&c->is_tuned, 1) && *c->device_number)
		device_set_readahead(c->device_number);
}

static int lookup(struct view *v, uint32_t dir, const char *name, uint32_t *out, struct err *e)
{
	const struct catalog *c = view_catalog(v);

	/* Asked by nodeid alone for NFS and open_by_handle_at(2). */
	if (strcmp(name, ".") == 0) {
		*out = dir;
		return 1;
	}
	if (strcmp(name, "..") == 0)
		return catalog_parent(c, dir, out, e) < 0 ? -1 : 1;
	return catalog_lookup(c, dir, name, strlen(name), out, e);
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct view *v = view_of(req);
	struct fuse_entry_param entry = {.entry_timeout = TIMEOUT_S};
	struct err e = ERR_INIT;
	uint32_t inode;

	tune_once(context_of(req));
	/* The kernel lets FUSE have names of up to 1024 bytes. */
	if (strlen(name) > LIMIT_NAME) {
		fuse_reply_err(req, ENAMETOOLONG);
		return;
	}
	const int found = VIEW_RETRY(v, &e, lookup(v, inode_of(parent), name, &inode, &e));
	if (found < 0 || (found > 0 && fill_entry(v, inode, &entry, &e) < 0))
		reply_err(req, "lookup", parent, &e);
	else
		fuse_reply_entry(req, &entry); /* ino 0: a name that is not there, kept too */
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct view *v = view_of(req);
	struct catalog_stat from;
	struct err e = ERR_INIT;
	struct stat st;

	(void)fi;
	tune_once(context_of(req));
	if (VIEW_RETRY(v, &e, catalog_stat(view_catalog(v), inode_of(ino), &from, &e)) < 0) {
		reply_err(req, "getattr", ino, &e);
		return;
	}
	fill_stat(inode_of(ino), &from, &st);
	fuse_reply_attr(req, &st, TIMEOUT_S);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct view *v = view_of(req);
	char target[LIMIT_SYMLINK + 1];
	struct err e = ERR_INIT;
	size_t len;

	if (VIEW_RETRY(v, &e, catalog_readlink(view_catalog(v), inode_of(ino), target, &len, &e)) <
	    0) {
		reply_err(req, "readlink", ino, &e);
		return;
	}
	target[len] = '\0';
	fuse_reply_readlink(req, target);
}

/* ENOSYS once, and the kernel opens nothing any more: no round trip, pages and names stay. */
static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	fuse_reply_err(req, ENOSYS);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *fi)
{
	struct view *v = view_of(req);
	struct view_span span;
	struct err e = ERR_INIT;

	(void)fi;
	if (view_span(v, inode_of(ino), (uint64_t)offset, size, &span, &e) < 0) {
		reply_err(req, "read", ino, &e);
		return;
	}
	if (span.bytes && span.len == size) {
		fuse_reply_buf(req, (const char *)span.bytes, span.len);
		view_span_put(v, &span);
		return;
	}
	view_span_put(v, &span);
	SCOPE_FREE char *buf = malloc(size ? size : 1);
	const ssize_t n = buf ? view_read(v, inode_of(ino), (uint64_t)offset, buf, size, &e)
			      : (ssize_t)err_nomem(&e);
	if (n < 0)
		reply_err(req, "read", ino, &e);
	else
		fuse_reply_buf(req, buf, (size_t)n);
}

static void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence,
		     struct fuse_file_info *fi)
{
	struct view *v = view_of(req);
	const uint32_t inode = inode_of(ino);
	struct catalog_range range;
	uint64_t at = (uint64_t)offset;
	struct err e = ERR_INIT;

	(void)fi;
	if (offset < 0 || (whence != SEEK_DATA && whence != SEEK_HOLE)) {
		fuse_reply_err(req, offset < 0 ? ENXIO : EINVAL);
		return;
	}
	for (;;) {
		if (VIEW_RETRY(v, &e, catalog_range(view_catalog(v), inode, at, &range, &e)) < 0) {
			reply_err(req, "lseek", ino, &e);
			return;
		}
		/* The end of a file is a hole, but only for those who come from inside. */
		if (range.length == 0 && (whence == SEEK_DATA || at == (uint64_t)offset)) {
			fuse_reply_err(req, ENXIO);
			return;
		}
		if (range.length == 0 || range.is_hole == (whence == SEEK_HOLE)) {
			fuse_reply_lseek(req, (off_t)at);
			return;
		}
		at += range.length;
	}
}

/* A reply to readdir or readdirplus that is being filled. */
struct dir_reply {
	fuse_req_t req;
	struct view *view;
	char *buf;
	size_t size, used;
	bool is_plus;
};

/* 1 added, 0 no room, -1. */
static int add_dirent(struct dir_reply *r, const char *name, uint32_t inode, uint32_t type,
		      uint64_t next, bool is_child, struct err *e)
{
	struct fuse_entry_param entry = {
		.attr = {.st_ino = (ino_t)inode + 1, .st_mode = type},
	};
	size_t n;

	if (r->is_plus) {
		/* "." and ".." take no reference in the kernel: it ignores their nodeid. */
		if (is_child && fill_entry(r->view, inode, &entry, e) < 0)
			return -1;
		n = fuse_add_direntry_plus(r->req, r->buf + r->used, r->size - r->used, name,
					   &entry, (off_t)next);
	} else {
		n = fuse_add_direntry(r->req, r->buf + r->used, r->size - r->used, name,
				      &entry.attr, (off_t)next);
	}
	if (n > r->size - r->used)
		return 0;
	r->used += n;
	return 1;
}

/* Offsets: 0 is ".", 1 "..", then the names of the catalog in order.  1: all are in; 0: no room for
 * more. */
static int fill_dir(struct dir_reply *r, uint32_t dir, uint64_t at, struct err *e)
{
	struct catalog_dirent de;
	uint32_t parent;
	int n;

	for (;; at++) {
		if (at == 0) {
			n = add_dirent(r, ".", dir, S_IFDIR, 1, false, e);
		} else if (at == 1) {
			if (VIEW_RETRY(r->view, e,
				       catalog_parent(view_catalog(r->view), dir, &parent, e)) < 0)
				return -1;
			n = add_dirent(r, "..", parent, S_IFDIR, 2, false, e);
		} else {
			n = VIEW_RETRY(r->view, e,
				       catalog_readdir(view_catalog(r->view), dir, at - 2, &de, e));
			if (n == 0)
				return 1;
			if (n > 0)
				n = add_dirent(r, de.name, de.inode, de.type, at + 1, true, e);
		}
		if (n <= 0)
			return n;
	}
}

static void reply_dir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, bool is_plus)
{
	struct err e = ERR_INIT;

	if (size > DIR_BUFFER_MAX)
		size = DIR_BUFFER_MAX;
	if (offset < 0) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	SCOPE_FREE char *buf = malloc(size ? size : 1);
	if (!buf) {
		err_nomem(&e);
		reply_err(req, "readdir", ino, &e);
		return;
	}
	struct dir_reply r = {
		.req = req, .view = view_of(req), .buf = buf, .size = size, .is_plus = is_plus};
	const int filled = fill_dir(&r, inode_of(ino), (uint64_t)offset, &e);
	if (filled < 0)
		reply_err(req, "readdir", ino, &e); /* NOLINT(clang-analyzer-unix.Malloc): freed */
	else if (filled == 0 && r.used == 0)
		fuse_reply_err(req, EINVAL); /* an empty answer would say that the directory ends */
	else
		fuse_reply_buf(req, buf, r.used);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		       struct fuse_file_info *fi)
{
	(void)fi;
	reply_dir(req, ino, size, offset, false);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
			   struct fuse_file_info *fi)
{
	(void)fi;
	reply_dir(req, ino, size, offset, true);
}

static void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct view *v = view_of(req);
	struct err e = ERR_INIT;
	size_t len = 0;

	/* Asked before every exec otherwise: once is enough for an image without any. */
	if (!catalog_has_xattrs(view_catalog(v))) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	SCOPE_FREE char *buf = size ? malloc(size) : NULL;
	const int found = size && !buf ? err_nomem(&e)
				       : VIEW_RETRY(v, &e,
						    catalog_getxattr(view_catalog(v), inode_of(ino),
								     name, buf, size, &len, &e));
	if (found < 0)
		reply_err(req, "getxattr", ino, &e);
	else if (found == 0)
		fuse_reply_err(req, ENODATA);
	else
		xattr_reply_value(req, size, buf, len);
}

static void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct view *v = view_of(req);
	struct err e = ERR_INIT;
	SCOPE_FREE char *buf = array_new(1, XATTR_REPLY_LIST_MAX, &e);
	size_t len = 0;

	if (!buf || VIEW_RETRY(v, &e,
			       catalog_listxattr(view_catalog(v), inode_of(ino), buf,
						 XATTR_REPLY_LIST_MAX, &len, &e)) < 0)
		reply_err(req, "listxattr", ino, &e);
	else
		xattr_reply_list(req, size, buf, len);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	const struct catalog *c = view_catalog(view_of(req));
	const struct statvfs st = {
		.f_bsize = STATFS_BLOCK,
		.f_frsize = STATFS_BLOCK,
		.f_blocks = (catalog_content_size(c) + STATFS_BLOCK - 1) / STATFS_BLOCK,
		.f_files = catalog_inode_count(c),
		.f_namemax = LIMIT_NAME,
	};

	(void)ino;
	fuse_reply_statfs(req, &st);
}

const struct fuse_lowlevel_ops ops_readonly = {
	.init = op_init,
	.lookup = op_lookup,
	.getattr = op_getattr,
	.readlink = op_readlink,
	.open = op_open,
	.read = op_read,
	.opendir = op_open,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.lseek = op_lseek,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.statfs = op_statfs,
};
