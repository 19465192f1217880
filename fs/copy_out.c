/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything is done relative to descriptors of directories that were opened without following a
 * link, one at a time: on the way up the parent is opened as ".." and compared with what it was.
 * So depth costs no descriptors, and nobody who changes the destination meanwhile can move us out
 * of it.
 *
 * What is made gets its name last: under the name itself when that is free, else under a random
 * one that then takes its place by rename(2).
 */
#include "fs/copy_out.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/array.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/link_table.h"
#include "base/log.h"
#include "base/path.h"
#include "base/quote.h"
#include "base/str.h"
#include "fs/copy_dest.h"

enum {
	DIR_MODE_MEANWHILE = 0700,
	FILE_MODE_MEANWHILE = 0600,
	PERMISSIONS = 0777,
	ALL_MODE_BITS = 07777,
	TEMPORARY_MAX = 32,
	TEMPORARY_TRIES = 8,
	PROC_PATH_MAX = 32,
	STREAM_BUFFER = 256 * 1024,
};

/* A directory of the image that is being copied. */
struct level {
	uint32_t inode;
	uint64_t at; /* the next of its names */
	size_t path_len;
	dev_t dev; /* of the copy */
	ino_t ino;
	bool is_ours; /* made by us: it gets the metadata of the image */
};

struct copy {
	struct view *v;
	const struct copy_out_options *opt;
	int base; /* the directory of the host that all goes into; borrowed */
	int fd;   /* the copy of the deepest level, or `base` when there is none; owned */
	struct level *levels;
	size_t depth;            /* how many */
	struct str path;         /* of the current copy, from `base` */
	struct link_table links; /* of the image's inodes */
	struct str xattr_names;
	struct str xattr_value;
	bool has_warned_xattrs;
};

/* A name that is to be made in the current directory; 0, or -1 with errno. */
struct new_file {
	int (*make)(const struct new_file *f, const char *name);
	struct copy *k;
	int fd;             /* of the file that gets the name; or -1 */
	const char *target; /* of a symlink */
	const struct catalog_stat *st;
};

static int get_stat(struct copy *k, uint32_t inode, struct catalog_stat *out, struct err *e)
{
	return VIEW_RETRY(k->v, e, catalog_stat(view_catalog(k->v), inode, out, e));
}

/* A catalog cannot hold them; this is the last look before they become names of the host. */
static int check_name(const char *name, size_t len, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (len == 0 || len > LIMIT_NAME || strlen(name) != len || strchr(name, '/') ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(e, ERR_FORMAT, "'%s' cannot be the name of a file",
			       quote_bytes(quoted, name, len));
	return 0;
}

static int read_xattr(struct copy *k, uint32_t inode, const char *name, size_t *len, struct err *e)
{
	k->xattr_value.len = 0;
	if (str_reserve(&k->xattr_value, LIMIT_XATTR_VALUE, e) < 0)
		return -1;
	const int found =
		VIEW_RETRY(k->v, e,
			   catalog_getxattr(view_catalog(k->v), inode, name, k->xattr_value.data,
					    LIMIT_XATTR_VALUE, len, e));
	if (found == 0 || (found > 0 && *len > LIMIT_XATTR_VALUE))
		return err_set(e, ERR_FORMAT, "an extended attribute that is listed is not there");
	return found < 0 ? -1 : 0;
}

/* `path` leads to the file itself, as /proc has it. */
static int set_xattrs(struct copy *k, uint32_t inode, const char *path, struct err *e)
{
	size_t size, len;

	if (VIEW_RETRY(k->v, e, catalog_listxattr(view_catalog(k->v), inode, NULL, 0, &size, e)) <
	    0)
		return -1;
	if (size == 0)
		return 0;
	k->xattr_names.len = 0;
	if (str_reserve(&k->xattr_names, size, e) < 0)
		return -1;
	char *names = k->xattr_names.data;
	if (VIEW_RETRY(k->v, e,
		       catalog_listxattr(view_catalog(k->v), inode, names, size, &size, e)) < 0)
		return -1;
	for (const char *name = names; name < names + size; name += strlen(name) + 1) {
		if (read_xattr(k, inode, name, &len, e) < 0)
			return -1;
		if (setxattr(path, name, k->xattr_value.data, len, 0) == 0)
			continue;
		if (errno != ENOTSUP)
			return err_sys(e, errno, "cannot set the attribute '%s'", name);
		if (!k->has_warned_xattrs)
			log_warning("the destination cannot keep extended attributes like '%s'",
				    name);
		k->has_warned_xattrs = true;
	}
	return 0;
}

/*
 * Owner, attributes, mode and times of the file that `fd` (O_PATH will do) is, in an order in which
 * none takes another away: a change of the owner clears setuid bits and capabilities.  /proc leads
 * to the file itself, be it a link, whatever its name is by now.
 */
static int set_metadata(struct copy *k, int fd, uint32_t inode, const struct catalog_stat *st,
			struct err *e)
{
	const struct timespec time = {.tv_sec = st->mtime, .tv_nsec = st->mtime_nsec};
	const struct timespec times[] = {time, time};
	const mode_t mode = st->mode & (k->opt->is_archive ? ALL_MODE_BITS : PERMISSIONS);
	char path[PROC_PATH_MAX];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (k->opt->is_archive) {
		if (fchownat(fd, "", st->uid, st->gid, AT_EMPTY_PATH) < 0)
			return err_sys(e, errno, "cannot set the owner");
		if (set_xattrs(k, inode, path, e) < 0)
			return -1;
	}
	if (!S_ISLNK(st->mode) && chmod(path, mode) < 0)
		return err_sys(e, errno, "cannot set the mode");
	if (utimensat(AT_FDCWD, path, times, 0) < 0)
		return err_sys(e, errno, "cannot set the times");
	return 0;
}

static int make_temporary(char name[static TEMPORARY_MAX], struct err *e)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_sys(e, errno, "cannot get random bytes");
	(void)snprintf(name, TEMPORARY_MAX, ".shale-%016" PRIx64, random);
	return 0;
}

/* What of the host a file of the image does not replace: no name in an image takes the place of
 * /dev/null, unless it is the name of a device itself. */
static const char *in_the_way(const struct copy *k, const char *temporary, const char *name)
{
	struct stat there, ours;

	if (fstatat(k->fd, name, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return NULL;
	if (S_ISDIR(there.st_mode))
		return "a directory is in the way";
	if (S_ISREG(there.st_mode) || S_ISLNK(there.st_mode))
		return NULL;
	if (fstatat(k->fd, temporary, &ours, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (ours.st_mode & S_IFMT) == (there.st_mode & S_IFMT))
		return NULL;
	return "a device, FIFO or socket is in the way";
}

/* Gives the file `temporary` its name. */
static int take_place(const struct copy *k, const char *temporary, const char *name, struct err *e)
{
	const char *obstacle = in_the_way(k, temporary, name);

	if (obstacle) {
		unlinkat(k->fd, temporary, 0);
		return err_set(e, ERR_EXISTS, "%s", obstacle);
	}
	const int r = renameat(k->fd, temporary, k->fd, name);
	const int sys = errno;
	/* It is still there when the two are one file, too. */
	unlinkat(k->fd, temporary, 0);
	return r < 0 ? err_sys(e, sys, "cannot replace it") : 0;
}

/* Makes `f` under `name` by its `make`, in place of what is there. */
static int place(struct new_file *f, const char *name, struct err *e)
{
	char temporary[TEMPORARY_MAX];

	if (f->make(f, name) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, errno, "cannot create it");
	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		if (make_temporary(temporary, e) < 0)
			return -1;
		if (f->make(f, temporary) == 0)
			return take_place(f->k, temporary, name, e);
		if (errno != EEXIST)
			break;
	}
	return err_sys(e, errno, "cannot create it");
}

/* new_file.make */
static int link_file(const struct new_file *f, const char *name)
{
	char path[PROC_PATH_MAX];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd);
	return linkat(AT_FDCWD, path, f->k->fd, name, AT_SYMLINK_FOLLOW);
}

/* new_file.make */
static int make_symlink(const struct new_file *f, const char *name)
{
	return symlinkat(f->target, f->k->fd, name);
}

/* new_file.make */
static int make_special(const struct new_file *f, const char *name)
{
	return mknodat(f->k->fd, name, (f->st->mode & S_IFMT) | FILE_MODE_MEANWHILE,
		       makedev(f->st->rdev_major, f->st->rdev_minor));
}

static int copy_data(struct copy *k, uint32_t inode, const struct catalog_stat *st, int fd,
		     struct err *e)
{
	for (uint64_t at = 0; at < st->size;) {
		struct view_span span;
		if (view_span(k->v, inode, at, SIZE_MAX, &span, e) < 0)
			return -1;
		if (span.len == 0)
			return err_set(e, ERR_FORMAT, "is shorter than it should be");
		/* What is not written stays a hole. */
		const int r = span.bytes ? io_pwrite_all(fd, span.bytes, span.len, at) : 0;
		const int sys = errno;
		at += span.len;
		progress_add(k->opt->progress, span.len);
		view_span_put(k->v, &span);
		if (r < 0)
			return err_sys(e, sys, "cannot write");
	}
	/* A hole at the end. */
	if (ftruncate(fd, (off_t)st->size) < 0)
		return err_sys(e, errno, "cannot set the size");
	return 0;
}

/* A file to write to: nameless, or, where the file system has none of these, `temporary`. */
static int open_new(const struct copy *k, char temporary[static TEMPORARY_MAX], struct err *e)
{
	temporary[0] = '\0';
	int fd = openat(k->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE_MEANWHILE);
	if (fd >= 0)
		return fd;
	if (errno != EOPNOTSUPP && errno != EISDIR)
		return err_sys(e, errno, "cannot create it");
	if (make_temporary(temporary, e) < 0)
		return -1;
	fd = openat(k->fd, temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		    FILE_MODE_MEANWHILE);
	return fd < 0 ? err_sys(e, errno, "cannot create it") : fd;
}

static int note_link(struct copy *k, uint32_t inode, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot stat the copy");
	return link_table_add(&k->links, (struct file_id){.ino = inode},
			      (struct file_id){st.st_dev, st.st_ino}, str_text(&k->path),
			      k->path.len, e);
}

static bool may_link(const struct copy *k, const struct catalog_stat *st)
{
	return k->opt->is_archive && st->nlink > 1;
}

static int copy_file(struct copy *k, const char *name, uint32_t inode,
		     const struct catalog_stat *st, struct err *e)
{
	char temporary[TEMPORARY_MAX];
	SCOPE_FD int fd = open_new(k, temporary, e);

	if (fd < 0)
		return -1;
	int r = copy_data(k, inode, st, fd, e);
	if (r == 0)
		r = set_metadata(k, fd, inode, st, e);
	if (*temporary) {
		if (r == 0)
			r = take_place(k, temporary, name, e);
		else
			unlinkat(k->fd, temporary, 0);
	} else if (r == 0) {
		struct new_file f = {.k = k, .make = link_file, .fd = fd};
		r = place(&f, name, e);
	}
	if (r == 0 && may_link(k, st))
		r = note_link(k, inode, fd, e);
	return r;
}

/* Metadata of what has just been made under `name`, as long as it is that. */
static int finish_special(struct copy *k, const char *name, uint32_t inode,
			  const struct catalog_stat *st, struct err *e)
{
	struct stat now;
	SCOPE_FD int fd = openat(k->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &now) < 0)
		return err_sys(e, errno, "cannot open the copy");
	const bool is_device = S_ISCHR(st->mode) || S_ISBLK(st->mode);
	if ((now.st_mode & S_IFMT) != (st->mode & S_IFMT) ||
	    (is_device && now.st_rdev != makedev(st->rdev_major, st->rdev_minor)))
		return err_sys(e, EBUSY, "changed while it was made");
	if (set_metadata(k, fd, inode, st, e) < 0)
		return -1;
	return may_link(k, st) ? note_link(k, inode, fd, e) : 0;
}

static int copy_symlink(struct copy *k, const char *name, uint32_t inode,
			const struct catalog_stat *st, struct err *e)
{
	char target[LIMIT_SYMLINK + 1];
	struct new_file f = {.k = k, .make = make_symlink, .fd = -1, .target = target};
	size_t len;

	if (VIEW_RETRY(k->v, e, catalog_readlink(view_catalog(k->v), inode, target, &len, e)) < 0)
		return -1;
	target[len] = '\0';
	if (place(&f, name, e) < 0)
		return -1;
	return finish_special(k, name, inode, st, e);
}

static int copy_special(struct copy *k, const char *name, uint32_t inode,
			const struct catalog_stat *st, struct err *e)
{
	struct new_file f = {.k = k, .make = make_special, .fd = -1, .st = st};
	char quoted[QUOTE_MAX];

	if (!k->opt->is_archive) {
		log_warning("'%s' is a device or a FIFO: left out",
			    quote_str(quoted, str_text(&k->path)));
		return 0;
	}
	if (place(&f, name, e) < 0)
		return -1;
	return finish_special(k, name, inode, st, e);
}

/* 1: made as a link to an earlier copy; 0: there is none, or none that can be reached. */
static int copy_hardlink(struct copy *k, const char *name, uint32_t inode, struct err *e)
{
	const struct link_name *l = link_table_get(&k->links, (struct file_id){.ino = inode});
	struct stat st;

	if (!l)
		return 0;
	SCOPE_FD int fd = path_open_beneath(k->base, l->path, O_PATH | O_NOFOLLOW, 0);
	/* The name in the destination may make a path longer than the kernel takes. */
	if (fd < 0 && errno == ENAMETOOLONG)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot open its other name");
	if (st.st_dev != l->copy.dev || st.st_ino != l->copy.ino)
		return err_sys(e, EBUSY, "its other name was changed meanwhile");
	struct new_file f = {.k = k, .make = link_file, .fd = fd};
	return place(&f, name, e) < 0 ? -1 : 1;
}

/* Makes the directory `name` and goes into it. */
static int enter(struct copy *k, const char *name, uint32_t inode, struct err *e)
{
	const bool is_ours = mkdirat(k->fd, name, DIR_MODE_MEANWHILE) == 0;
	struct stat st;

	if (!is_ours && errno != EEXIST)
		return err_sys(e, errno, "cannot create the directory");
	if (k->depth >= LIMIT_DEPTH)
		return err_set(e, ERR_LIMIT, "directories nest deeper than %d", LIMIT_DEPTH);
	SCOPE_FD int fd = openat(k->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return err_set(e, ERR_EXISTS, "something that is no directory is in the way");
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot open the directory");
	k->levels[k->depth++] = (struct level){
		.inode = inode,
		.path_len = k->path.len,
		.dev = st.st_dev,
		.ino = st.st_ino,
		.is_ours = is_ours,
	};
	close(k->fd);
	k->fd = steal_fd(&fd);
	return 0;
}

/* An fd of the directory above the deepest level. */
static int open_parent(const struct copy *k, struct err *e)
{
	struct stat st;

	if (k->depth == 1) {
		const int fd = fcntl(k->base, F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? err_sys(e, errno, "cannot duplicate a descriptor") : fd;
	}
	const struct level *up = &k->levels[k->depth - 2];
	SCOPE_FD int fd = openat(k->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot go back to the parent directory");
	if (st.st_dev != up->dev || st.st_ino != up->ino)
		return err_sys(e, EBUSY, "a directory was moved while it was written");
	return steal_fd(&fd);
}

/* The deepest directory is complete: gives it its metadata, and goes up. */
static int leave(struct copy *k, struct err *e)
{
	const struct level *l = &k->levels[k->depth - 1];
	struct catalog_stat st;
	/* First of all: without x for ourselves there is no way to "..". */
	SCOPE_FD int parent = open_parent(k, e);

	if (parent < 0 || get_stat(k, l->inode, &st, e) < 0)
		return -1;
	/* A directory of the user keeps what it is, unless he asked for all as in the image. */
	if ((l->is_ours || k->opt->is_archive) && set_metadata(k, k->fd, l->inode, &st, e) < 0)
		return -1;
	k->depth--;
	close(k->fd);
	k->fd = steal_fd(&parent);
	return 0;
}

/* Copies an inode to `name` of the current directory; a directory is entered. */
static int copy_one(struct copy *k, const char *name, uint32_t inode, struct err *e)
{
	struct catalog_stat st;

	if (get_stat(k, inode, &st, e) < 0)
		return -1;
	progress_name(k->opt->progress, str_text(&k->path));
	if (S_ISDIR(st.mode))
		return enter(k, name, inode, e);
	const int is_link = may_link(k, &st) ? copy_hardlink(k, name, inode, e) : 0;
	if (is_link != 0)
		return is_link < 0 ? -1 : 0;
	if (S_ISREG(st.mode))
		return copy_file(k, name, inode, &st, e);
	if (S_ISLNK(st.mode))
		return copy_symlink(k, name, inode, &st, e);
	return copy_special(k, name, inode, &st, e);
}

/* The next name of the deepest directory: 1 done, 0 there are no more. */
static int step(struct copy *k, struct err *e)
{
	struct level *l = &k->levels[k->depth - 1];
	struct catalog_dirent de;

	str_truncate(&k->path, l->path_len);
	const int found =
		VIEW_RETRY(k->v, e, catalog_readdir(view_catalog(k->v), l->inode, l->at, &de, e));
	if (found <= 0)
		return found;
	l->at++;
	if (check_name(de.name, de.name_len, e) < 0 ||
	    (k->path.len && str_append_c(&k->path, '/', e) < 0) ||
	    str_append(&k->path, de.name, de.name_len, e) < 0)
		return -1;
	return copy_one(k, de.name, de.inode, e) < 0 ? -1 : 1;
}

/* Until the levels that are there are complete. */
static int copy_levels(struct copy *k, struct err *e)
{
	while (k->depth > 0) {
		const int more = step(k, e);
		if (more < 0 || (more == 0 && leave(k, e) < 0))
			return -1;
	}
	return 0;
}

/* Copies an inode under `name` into the directory `base`; NULL: the content of the directory. */
static int copy_all(struct copy *k, const char *name, uint32_t inode, struct err *e)
{
	struct stat st;

	k->fd = fcntl(k->base, F_DUPFD_CLOEXEC, 0);
	if (k->fd < 0)
		return err_sys(e, errno, "cannot duplicate a descriptor");
	if (name) {
		if (str_append_z(&k->path, name, e) < 0 || copy_one(k, name, inode, e) < 0)
			return -1;
		return copy_levels(k, e);
	}
	if (fstat(k->fd, &st) < 0)
		return err_sys(e, errno, "cannot stat");
	k->levels[k->depth++] = (struct level){.inode = inode, .dev = st.st_dev, .ino = st.st_ino};
	return copy_levels(k, e);
}

static int run(struct view *v, uint32_t inode, int base, const char *name,
	       const struct copy_out_options *opt, struct err *e)
{
	struct copy k = {.v = v, .opt = opt, .base = base, .fd = -1};
	char quoted[QUOTE_MAX];
	int r = -1;

	k.levels = array_new(LIMIT_DEPTH, sizeof(*k.levels), e);
	if (k.levels)
		r = copy_all(&k, name, inode, e);
	if (r < 0 && k.path.len)
		err_wrap(e, "'%s'", quote_bytes(quoted, str_text(&k.path), k.path.len));
	if (k.fd >= 0)
		close(k.fd);
	free(k.levels);
	link_table_fini(&k.links);
	str_fini(&k.path);
	str_fini(&k.xattr_names);
	str_fini(&k.xattr_value);
	return r;
}

/* What the end of the path in the image says. */
struct source {
	uint32_t inode;
	uint64_t size;             /* of a file; 0: not known */
	mode_t kind;               /* S_IFMT of its mode */
	bool is_content;           /* the directory's content, not itself */
	char name[LIMIT_NAME + 1]; /* "" for the root */
};

static int find_source(struct view *v, const char *path, struct source *out, struct err *e)
{
	char quoted[QUOTE_MAX];
	struct catalog_stat st;
	struct catalog_dirent de;
	uint32_t dir;
	SCOPE(str) struct str clean = STR_INIT;

	/* "link/" is what the link leads to. */
	const bool follow = str_has_suffix(path, "/");
	const int found =
		VIEW_RETRY(v, e, catalog_resolve(view_catalog(v), path, follow, &out->inode, e));
	if (found == 0)
		return err_set(e, ERR_NOT_FOUND, "'%s' is not in the image",
			       quote_str(quoted, path));
	if (found < 0 || VIEW_RETRY(v, e, catalog_stat(view_catalog(v), out->inode, &st, e)) < 0 ||
	    path_clean(path, &clean, e) < 0)
		return -1;
	out->kind = st.mode & S_IFMT;
	out->size = S_ISREG(st.mode) ? st.size : 0;
	out->is_content =
		S_ISDIR(st.mode) && (out->inode == CATALOG_ROOT || str_has_suffix(path, "/."));
	out->name[0] = '\0';
	if (out->inode == CATALOG_ROOT)
		return 0;
	const char *slash = strrchr(str_text(&clean), '/');
	const char *name = slash ? slash + 1 : str_text(&clean);
	if (!str_has_suffix(path, "..") && !str_has_suffix(path, "../") && strlen(name) > 0 &&
	    strlen(name) <= LIMIT_NAME) {
		memcpy(out->name, name, strlen(name) + 1);
		return 0;
	}
	/* "a/.." has no name that is its own in the text. */
	if (VIEW_RETRY(v, e, catalog_name(view_catalog(v), out->inode, 0, &dir, &de, e)) < 0)
		return -1;
	memcpy(out->name, de.name, sizeof(out->name));
	return 0;
}

/* Into something that is written through: all bytes in order, holes as zeros. */
static int write_stream(struct view *v, uint32_t inode, int fd, struct progress *progress,
			struct err *e)
{
	SCOPE_FREE char *buf = array_new(STREAM_BUFFER, 1, e);
	uint64_t at = 0;

	if (!buf)
		return -1;
	for (;;) {
		const ssize_t n = view_read(v, inode, at, buf, STREAM_BUFFER, e);
		if (n <= 0)
			return (int)n;
		if (io_write_all(fd, buf, (size_t)n) < 0)
			return err_sys(e, errno, "cannot write");
		at += (uint64_t)n;
		progress_add(progress, (uint64_t)n);
	}
}

int copy_out(struct view *v, const char *path, const char *dest, const struct copy_out_options *opt,
	     struct err *e)
{
	SCOPE(copy_dest) struct copy_dest to = COPY_DEST_INIT;
	struct source src;
	char quoted[QUOTE_MAX];

	if (find_source(v, path, &src, e) < 0 || copy_dest_open(&to, dest, src.kind, e) < 0)
		return -1;
	progress_begin(opt->progress, "copying", src.size);
	switch (to.kind) {
	case COPY_DEST_DIR:
		return run(v, src.inode, to.fd, src.is_content ? NULL : src.name, opt, e);
	case COPY_DEST_NAME:
		return run(v, src.inode, to.fd, to.name, opt, e);
	case COPY_DEST_STREAM:
		break;
	}
	if (write_stream(v, src.inode, to.fd, opt->progress, e) < 0)
		return err_wrap(e, "'%s'", quote_str(quoted, dest));
	return 0;
}
