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
#include "fs/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/xattr.h>

#include "base/array.h"
#include "base/interrupt.h"
#include "base/io.h"
#include "base/link_table.h"
#include "base/log.h"
#include "base/path.h"
#include "base/quote.h"
#include "base/scope.h"
#include "base/str.h"
#include "image/whiteout.h"

enum {
	DIR_MODE_MEANWHILE = 0700,
	FILE_MODE_MEANWHILE = 0600,
	PERMISSIONS = 0777,
	ALL_MODE_BITS = 07777,
	TEMPORARY_MAX = 32,
	TEMPORARY_TRIES = 8,
	PROC_PATH_MAX = 32,
};

/* The copy of a directory that is being copied. */
struct level {
	size_t path_len;
	dev_t dev;
	ino_t ino;
	bool is_ours; /* made by us: it gets the metadata of the source */
};

struct copy {
	struct copy_source *src;
	const struct copy_options *opt;
	int base;  /* the directory that all goes into; borrowed */
	dev_t dev; /* of `base` */
	int fd;    /* the copy of the deepest level, or `base` when there is none; owned */
	struct level *levels;
	size_t depth;            /* how many */
	struct str path;         /* of the current copy, from `base` */
	struct link_table links; /* of the source's files */
	bool has_warned_xattrs;
};

/* A name that is to be made in the current directory; 0, or -1 with errno. */
struct new_file {
	int (*make)(const struct new_file *f, const char *name);
	struct copy *k;
	int fd;             /* of the file that gets the name; or -1 */
	const char *target; /* of a symlink */
};

/* No source has such names; this is the last look before they are made. */
static int check_name(const struct copy *k, const char *name, size_t len, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (len == 0 || len > LIMIT_NAME || strlen(name) != len || strchr(name, '/') ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(e, ERR_FORMAT, "'%s' cannot be the name of a file",
			       quote_bytes(quoted, name, len));
	if (k->opt->is_for_image && str_has_prefix(name, WHITEOUT_PREFIX))
		return err_set(e, ERR_FORMAT,
			       "no image can hold a name that starts with '" WHITEOUT_PREFIX "'");
	return 0;
}

/* `path` leads to the file itself, as /proc has it. */
static int set_xattrs(struct copy *k, const char *path, struct err *e)
{
	struct xattr x;
	int found = k->src->ops->xattr(k->src, true, &x, e);

	for (; found > 0; found = k->src->ops->xattr(k->src, false, &x, e)) {
		if (setxattr(path, x.name, x.value, x.value_len, 0) == 0)
			continue;
		if (errno != ENOTSUP)
			return err_sys(e, errno, "cannot set the attribute '%s'", x.name);
		if (!k->has_warned_xattrs)
			log_warning("the destination cannot keep extended attributes like '%s'",
				    x.name);
		k->has_warned_xattrs = true;
	}
	return found;
}

/* Who owns the copy, unless that is the user. */
static int set_owner(const struct copy *k, int fd, struct err *e)
{
	const bool is_archive = k->opt->is_archive;

	if (!is_archive && !k->opt->is_for_image)
		return 0;
	return fchownat(fd, "", is_archive ? k->src->st.st_uid : 0,
			is_archive ? k->src->st.st_gid : 0, AT_EMPTY_PATH) < 0
		       ? err_sys(e, errno, "cannot set the owner")
		       : 0;
}

/*
 * Owner, attributes, mode and times of the file that `fd` (O_PATH will do) is, in an order in which
 * none takes another away: a change of the owner clears setuid bits and capabilities.  /proc leads
 * to the file itself, be it a link, whatever its name is by now.
 */
static int set_metadata(struct copy *k, int fd, struct err *e)
{
	const struct stat *st = &k->src->st;
	const struct timespec times[] = {st->st_mtim, st->st_mtim};
	const mode_t mode = st->st_mode & (k->opt->is_archive ? ALL_MODE_BITS : PERMISSIONS);
	char path[PROC_PATH_MAX];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (set_owner(k, fd, e) < 0 || (k->opt->is_archive && set_xattrs(k, path, e) < 0))
		return -1;
	if (!S_ISLNK(st->st_mode) && chmod(path, mode) < 0)
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

/* What a file does not replace: no name in an image takes the place of /dev/null, unless it is the
 * name of a device itself. */
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
	const struct stat *st = &f->k->src->st;

	return mknodat(f->k->fd, name, (st->st_mode & S_IFMT) | FILE_MODE_MEANWHILE, st->st_rdev);
}

/* What is not written stays a hole. */
static int copy_spans(struct copy *k, int fd, uint64_t *size, struct err *e)
{
	for (;;) {
		struct copy_span span;
		if (interrupt_check(e) < 0 || k->src->ops->span(k->src, *size, &span, e) < 0)
			return -1;
		if (span.len == 0)
			return 0;
		if (span.bytes && io_pwrite_all(fd, span.bytes, span.len, *size) < 0)
			return err_sys(e, errno, "cannot write");
		*size += span.len;
		progress_add(k->opt->progress, span.len);
	}
}

static int copy_data(struct copy *k, int fd, struct err *e)
{
	uint64_t size = 0;

	if (k->src->ops->open(k->src, e) < 0)
		return -1;
	const int r = copy_spans(k, fd, &size, e);
	k->src->ops->close(k->src);
	/* A hole at the end. */
	if (r == 0 && ftruncate(fd, (off_t)size) < 0)
		return err_sys(e, errno, "cannot set the size");
	return r;
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

static struct file_id source_id(const struct copy *k)
{
	return (struct file_id){k->src->st.st_dev, k->src->st.st_ino};
}

static int note_link(struct copy *k, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot stat the copy");
	return link_table_add(&k->links, source_id(k), (struct file_id){st.st_dev, st.st_ino},
			      str_text(&k->path), k->path.len, e);
}

static bool may_link(const struct copy *k)
{
	return k->opt->is_archive && k->src->st.st_nlink > 1;
}

/* `fd` is whole but for its name. */
static int name_file(struct copy *k, int fd, const char *temporary, const char *name, struct err *e)
{
	struct new_file f = {.k = k, .make = link_file, .fd = fd};

	return *temporary ? take_place(k, temporary, name, e) : place(&f, name, e);
}

static int copy_file(struct copy *k, const char *name, struct err *e)
{
	char temporary[TEMPORARY_MAX];
	SCOPE_FD int fd = open_new(k, temporary, e);

	if (fd < 0)
		return -1;
	if (copy_data(k, fd, e) < 0 || set_metadata(k, fd, e) < 0) {
		if (*temporary)
			unlinkat(k->fd, temporary, 0);
		return -1;
	}
	if (name_file(k, fd, temporary, name, e) < 0)
		return -1;
	return may_link(k) ? note_link(k, fd, e) : 0;
}

/* Metadata of what has just been made under `name`, as long as it is that. */
static int finish_special(struct copy *k, const char *name, struct err *e)
{
	const struct stat *st = &k->src->st;
	struct stat now;
	SCOPE_FD int fd = openat(k->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &now) < 0)
		return err_sys(e, errno, "cannot open the copy");
	const bool is_device = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
	if ((now.st_mode & S_IFMT) != (st->st_mode & S_IFMT) ||
	    (is_device && now.st_rdev != st->st_rdev))
		return err_sys(e, EBUSY, "changed while it was made");
	if (set_metadata(k, fd, e) < 0)
		return -1;
	return may_link(k) ? note_link(k, fd, e) : 0;
}

static int copy_symlink(struct copy *k, const char *name, struct err *e)
{
	char target[LIMIT_SYMLINK + 1];
	struct new_file f = {.k = k, .make = make_symlink, .fd = -1, .target = target};

	if (k->src->ops->read_link(k->src, target, e) < 0 || place(&f, name, e) < 0)
		return -1;
	return finish_special(k, name, e);
}

static int copy_special(struct copy *k, const char *name, struct err *e)
{
	struct new_file f = {.k = k, .make = make_special, .fd = -1};
	const bool is_socket = S_ISSOCK(k->src->st.st_mode);
	char quoted[QUOTE_MAX];

	if (is_socket || !k->opt->is_archive) {
		log_warning("'%s' is %s: left out", quote_str(quoted, str_text(&k->path)),
			    is_socket ? "a socket" : "a device or a FIFO");
		return 0;
	}
	if (place(&f, name, e) < 0)
		return -1;
	return finish_special(k, name, e);
}

/* 1: made as a link to an earlier copy; 0: there is none, or none that can be reached. */
static int copy_hardlink(struct copy *k, const char *name, struct err *e)
{
	const struct link_name *l = link_table_get(&k->links, source_id(k));
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

/* One more level, which is the directory `st`, of what the source is at. */
static int push(struct copy *k, const struct stat *st, bool is_ours, struct err *e)
{
	if (k->depth >= LIMIT_DEPTH)
		return err_set(e, ERR_LIMIT, "directories nest deeper than %d", LIMIT_DEPTH);
	if (k->src->ops->enter(k->src, e) < 0)
		return -1;
	k->levels[k->depth++] = (struct level){
		.path_len = k->path.len,
		.dev = st->st_dev,
		.ino = st->st_ino,
		.is_ours = is_ours,
	};
	return 0;
}

/* Makes the directory `name` and goes into it. */
static int enter(struct copy *k, const char *name, struct err *e)
{
	const bool is_ours = mkdirat(k->fd, name, DIR_MODE_MEANWHILE) == 0;
	struct stat st;

	if (!is_ours && errno != EEXIST)
		return err_sys(e, errno, "cannot create the directory");
	SCOPE_FD int fd = openat(k->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return err_set(e, ERR_EXISTS, "something that is no directory is in the way");
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot open the directory");
	if (k->opt->is_for_image && st.st_dev != k->dev)
		return err_set(e, ERR_EXISTS,
			       "something else is mounted there, which is no part of the image");
	if (push(k, &st, is_ours, e) < 0)
		return -1;
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
	/* First of all: without x for ourselves there is no way to "..". */
	SCOPE_FD int parent = open_parent(k, e);

	if (parent < 0)
		return -1;
	/* A directory of the user keeps what it is, unless he asked for all as in the source. */
	if ((l->is_ours || k->opt->is_archive) &&
	    (k->src->ops->self(k->src, e) < 0 || set_metadata(k, k->fd, e) < 0))
		return -1;
	if (k->src->ops->leave(k->src, e) < 0)
		return -1;
	k->depth--;
	close(k->fd);
	k->fd = steal_fd(&parent);
	return 0;
}

/* Copies what the source is at to `name` of the current directory; a directory is entered. */
static int copy_one(struct copy *k, const char *name, struct err *e)
{
	const mode_t mode = k->src->st.st_mode;

	if (interrupt_check(e) < 0)
		return -1;
	progress_name(k->opt->progress, str_text(&k->path));
	if (S_ISDIR(mode))
		return enter(k, name, e);
	const int is_link = may_link(k) ? copy_hardlink(k, name, e) : 0;
	if (is_link != 0)
		return is_link < 0 ? -1 : 0;
	if (S_ISREG(mode))
		return copy_file(k, name, e);
	return S_ISLNK(mode) ? copy_symlink(k, name, e) : copy_special(k, name, e);
}

/* The next name of the deepest directory: 1 done, 0 there are no more. */
static int step(struct copy *k, struct err *e)
{
	struct copy_source *src = k->src;

	str_truncate(&k->path, k->levels[k->depth - 1].path_len);
	const int found = src->ops->next(src, e);
	if (found <= 0)
		return found;
	if ((k->path.len && str_append_c(&k->path, '/', e) < 0) ||
	    str_append(&k->path, src->name, src->name_len, e) < 0 ||
	    check_name(k, src->name, src->name_len, e) < 0 || src->ops->look(src, e) < 0)
		return -1;
	return copy_one(k, src->name, e) < 0 ? -1 : 1;
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

/* Copies under `name` into the directory `base`; NULL: the content of the directory. */
static int copy_all(struct copy *k, const char *name, struct err *e)
{
	struct stat st;

	k->fd = fcntl(k->base, F_DUPFD_CLOEXEC, 0);
	if (k->fd < 0)
		return err_sys(e, errno, "cannot duplicate a descriptor");
	if (fstat(k->fd, &st) < 0)
		return err_sys(e, errno, "cannot stat");
	k->dev = st.st_dev;
	if (!name)
		return push(k, &st, false, e) < 0 ? -1 : copy_levels(k, e);
	if (str_append_z(&k->path, name, e) < 0 || check_name(k, name, strlen(name), e) < 0 ||
	    copy_one(k, name, e) < 0)
		return -1;
	return copy_levels(k, e);
}

int copy_tree(struct copy_source *s, int base, const char *name, const struct copy_options *opt,
	      struct err *e)
{
	struct copy k = {.src = s, .opt = opt, .base = base, .fd = -1};
	char quoted[QUOTE_MAX];
	int r = -1;

	k.levels = array_new(LIMIT_DEPTH, sizeof(*k.levels), e);
	if (k.levels)
		r = copy_all(&k, name, e);
	if (r < 0 && k.path.len)
		err_wrap(e, "'%s'", quote_bytes(quoted, str_text(&k.path), k.path.len));
	scope_close(&k.fd);
	free(k.levels);
	link_table_fini(&k.links);
	str_fini(&k.path);
	return r;
}
