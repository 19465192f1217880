/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks a directory of the host in the order of a layer: names of one directory sorted bytewise, a
 * directory's content right after it.
 *
 * At any time one directory is open: on the way up the parent is opened as ".." and compared with
 * what it was, so that neither depth nor width costs descriptors, and nobody can move us elsewhere.
 */
#include "packer/tree_layer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/link_table.h"
#include "base/log.h"
#include "base/quote.h"
#include "base/strlist.h"
#include "image/whiteout.h"
#include "packer/host_file.h"

/* A directory that is being walked. */
struct level {
	dev_t dev;
	ino_t ino;
	struct strlist names; /* sorted */
	size_t at;
	size_t path_len; /* of the walk's path before this directory's children */
};

struct walk {
	struct layer_writer *w;
	struct link_table links;
	struct host_xattrs xattrs;
	struct level *levels;
	size_t depth;
	int fd; /* the directory of levels[depth] */
	dev_t dev;
	struct str path; /* of the current entry, from the root */
	struct progress *progress;
	struct str target;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(int fd, struct strlist *names, struct err *e)
{
	/* fdopendir takes its descriptor over, and ours is still needed. */
	const int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	struct dirent *de;
	int r = 0;

	if (!dir) {
		err_sys(e, errno, "cannot list the directory");
		if (own >= 0)
			close(own);
		return -1;
	}
	while (r == 0 && (errno = 0, de = readdir(dir))) {
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			r = strlist_add(names, de->d_name, e);
	}
	if (r == 0 && errno)
		r = err_sys(e, errno, "cannot list the directory");
	closedir(dir);
	if (r == 0 && names->count)
		qsort(names->items, names->count, sizeof(*names->items), compare_names);
	return r;
}

/* Opens levels[depth] for the directory `fd`, which it takes over. */
static int enter(struct walk *k, int fd, const struct stat *st, struct err *e)
{
	struct level *l = &k->levels[k->depth];

	if (k->fd >= 0)
		close(k->fd);
	k->fd = fd;
	*l = (struct level){.dev = st->st_dev, .ino = st->st_ino, .path_len = k->path.len};
	return read_names(fd, &l->names, e);
}

static int leave(struct walk *k, struct err *e)
{
	struct stat st;

	strlist_fini(&k->levels[k->depth].names);
	if (k->depth == 0)
		return 0;
	const struct level *up = &k->levels[--k->depth];
	SCOPE_FD int fd = openat(k->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot go back to the parent directory");
	if (st.st_dev != up->dev || st.st_ino != up->ino)
		return err_sys(e, EBUSY, "a directory was moved while it was read");
	close(k->fd);
	k->fd = steal_fd(&fd);
	return 0;
}

static int read_target(struct walk *k, const char *name, struct entry *en, struct err *e)
{
	str_truncate(&k->target, 0);
	if (str_reserve(&k->target, LIMIT_SYMLINK + 2, e) < 0)
		return -1;
	const ssize_t n = readlinkat(k->fd, name, k->target.data, LIMIT_SYMLINK + 1);
	if (n < 0)
		return err_sys(e, errno, "cannot read the link");
	if (n > LIMIT_SYMLINK)
		return err_set(e, ERR_LIMIT, "link target is longer than %d bytes", LIMIT_SYMLINK);
	en->link = k->target.data;
	en->link_len = (size_t)n;
	return 0;
}

/* 1: another name of a file that was added before, and is a hardlink entry now. */
static int check_links(struct walk *k, const struct stat *st, struct entry *en, struct err *e)
{
	const struct file_id id = {st->st_dev, st->st_ino};

	if (st->st_nlink < 2 || en->kind == ENTRY_DIR)
		return 0;
	const struct link_name *first = link_table_get(&k->links, id);
	if (!first)
		return link_table_add(&k->links, id, id, en->path, en->path_len, e);
	*en = (struct entry){
		.kind = ENTRY_HARDLINK,
		.path = en->path,
		.path_len = en->path_len,
		.link = first->path,
		.link_len = first->path_len,
		.mode = en->mode,
		.uid = en->uid,
		.gid = en->gid,
		.mtime = en->mtime,
		.mtime_nsec = en->mtime_nsec,
	};
	return 1;
}

/* Adds the entry `name` of the open directory (or, for "", that directory itself). */
static int add(struct walk *k, const char *name, const struct stat *st, struct err *e)
{
	struct entry en;

	if (host_file_entry(st, &en, e) < 0) {
		char q[QUOTE_MAX];
		if (e->code != ERR_UNSUPPORTED)
			return -1;
		err_clear(e);
		log_warning("'%s' is a socket: left out", quote_str(q, str_text(&k->path)));
		return 0;
	}
	en.path = str_text(&k->path);
	en.path_len = k->path.len;
	const int is_link = check_links(k, st, &en, e);
	if (is_link < 0)
		return -1;
	if (is_link)
		return layer_writer_add(k->w, &en, NULL, e);
	if (host_xattrs_read(&k->xattrs, k->fd, name, e) < 0)
		return -1;
	en.xattrs = k->xattrs.items;
	en.xattr_count = k->xattrs.count;
	if (en.kind == ENTRY_SYMLINK && read_target(k, name, &en, e) < 0)
		return -1;
	if (en.kind != ENTRY_REG)
		return layer_writer_add(k->w, &en, NULL, e);

	SCOPE_FD int fd = host_file_open(k->fd, name, st, e);
	return fd < 0 ? -1 : host_file_add(k->w, &en, fd, e);
}

/* Goes into a directory that was just added, unless something else is mounted on it. */
static int descend(struct walk *k, const char *name, const struct stat *st, struct err *e)
{
	struct stat now;

	if (st->st_dev != k->dev)
		return 0;
	if (k->depth + 1 >= LIMIT_DEPTH)
		return err_set(e, ERR_LIMIT, "directories nest deeper than %d", LIMIT_DEPTH);
	SCOPE_FD int fd = openat(k->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &now) < 0)
		return err_sys(e, errno, "cannot open the directory");
	if (now.st_dev != st->st_dev || now.st_ino != st->st_ino)
		return err_sys(e, EBUSY, "changed while it was read");
	k->depth++;
	return enter(k, steal_fd(&fd), st, e);
}

static int step(struct walk *k, struct err *e)
{
	struct level *l = &k->levels[k->depth];
	const char *name = l->names.items[l->at++];
	struct stat st;

	str_truncate(&k->path, l->path_len);
	if ((k->path.len && str_append_c(&k->path, '/', e) < 0) ||
	    str_append_z(&k->path, name, e) < 0)
		return -1;
	if (k->path.len > LIMIT_PATH)
		return err_set(e, ERR_LIMIT, "path is longer than %d bytes", LIMIT_PATH);
	if (str_has_prefix(name, WHITEOUT_PREFIX))
		return err_set(e, ERR_FORMAT,
			       "no image can hold a name that starts with '" WHITEOUT_PREFIX "'");
	progress_name(k->progress, str_text(&k->path));
	if (fstatat(k->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "cannot stat");
	if (add(k, name, &st, e) < 0)
		return -1;
	return S_ISDIR(st.st_mode) ? descend(k, name, &st, e) : 0;
}

static int walk_all(struct walk *k, int dirfd, struct err *e)
{
	struct stat st;
	SCOPE_FD int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot open the directory");
	k->dev = st.st_dev;
	k->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (k->fd < 0)
		return err_sys(e, errno, "cannot duplicate a descriptor");
	if (add(k, "", &st, e) < 0 || enter(k, steal_fd(&fd), &st, e) < 0)
		return -1;
	for (;;) {
		const struct level *l = &k->levels[k->depth];
		if (l->at < l->names.count) {
			if (step(k, e) < 0)
				return -1;
			continue;
		}
		const bool is_last = k->depth == 0;
		if (leave(k, e) < 0)
			return -1;
		if (is_last)
			return 0;
	}
}

int tree_layer_from_dir(struct layer_writer *w, int dirfd, const char *what,
			struct progress *progress, struct err *e)
{
	struct walk k = {.w = w, .fd = -1, .progress = progress};
	int r = -1;

	progress_begin(progress, "packing", 0);
	layer_writer_set_progress(w, progress);
	k.levels = array_new(LIMIT_DEPTH, sizeof(*k.levels), e);
	if (k.levels)
		r = walk_all(&k, dirfd, e);
	if (r < 0) {
		char q[QUOTE_MAX];
		err_wrap(e, "%s: '%s'", what, quote_bytes(q, str_text(&k.path), k.path.len));
	}
	for (size_t i = 0; k.levels && i < LIMIT_DEPTH; i++)
		strlist_fini(&k.levels[i].names);
	free(k.levels);
	if (k.fd >= 0)
		close(k.fd);
	host_xattrs_fini(&k.xattrs);
	str_fini(&k.path);
	str_fini(&k.target);
	link_table_fini(&k.links);
	return r;
}
