/* SPDX-License-Identifier: Apache-2.0 */
#include "base/host_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/array.h"
#include "base/strlist.h"

/* A directory that is being walked. */
struct host_level {
	dev_t dev;
	ino_t ino;
	struct strlist names; /* sorted */
	size_t at;
	size_t path_len; /* of the walk's path before this directory's children */
};

int host_walk_init(struct host_walk *w, struct err *e)
{
	*w = (struct host_walk)HOST_WALK_INIT;
	w->levels = array_new(LIMIT_DEPTH, sizeof(*w->levels), e);
	return w->levels ? 0 : -1;
}

void host_walk_fini(struct host_walk *w)
{
	while (w->depth > 0)
		strlist_fini(&w->levels[--w->depth].names);
	free(w->levels);
	scope_close(&w->fd);
	str_fini(&w->path);
	*w = (struct host_walk)HOST_WALK_INIT;
}

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

int host_walk_enter(struct host_walk *w, int dirfd, const char *name, const struct stat *seen,
		    struct err *e)
{
	struct stat now;

	if (w->depth >= LIMIT_DEPTH)
		return err_set(e, ERR_LIMIT, "directories nest deeper than %d", LIMIT_DEPTH);
	SCOPE_FD int fd =
		openat(dirfd, *name ? name : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &now) < 0)
		return err_sys(e, errno, "cannot open the directory");
	if (now.st_dev != seen->st_dev || now.st_ino != seen->st_ino)
		return err_sys(e, EBUSY, "changed while it was read");
	struct host_level *l = &w->levels[w->depth++];
	*l = (struct host_level){
		.dev = now.st_dev,
		.ino = now.st_ino,
		.path_len = w->path.len,
	};
	scope_close(&w->fd);
	w->fd = steal_fd(&fd);
	return read_names(w->fd, &l->names, e);
}

int host_walk_next(struct host_walk *w, const char **name, struct err *e)
{
	struct host_level *l = &w->levels[w->depth - 1];

	if (l->at >= l->names.count)
		return 0;
	*name = l->names.items[l->at++];
	str_truncate(&w->path, l->path_len);
	if ((w->path.len && str_append_c(&w->path, '/', e) < 0) ||
	    str_append_z(&w->path, *name, e) < 0)
		return -1;
	if (w->path.len > LIMIT_PATH)
		return err_set(e, ERR_LIMIT, "path is longer than %d bytes", LIMIT_PATH);
	return 1;
}

void host_walk_skip(struct host_walk *w)
{
	struct host_level *l = &w->levels[w->depth - 1];

	l->at = l->names.count;
}

int host_walk_leave(struct host_walk *w, struct err *e)
{
	struct stat st;

	strlist_fini(&w->levels[--w->depth].names);
	if (w->depth == 0)
		return 0;
	const struct host_level *up = &w->levels[w->depth - 1];
	SCOPE_FD int fd = openat(w->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot go back to the parent directory");
	if (st.st_dev != up->dev || st.st_ino != up->ino)
		return err_sys(e, EBUSY, "a directory was moved while it was read");
	close(w->fd);
	w->fd = steal_fd(&fd);
	return 0;
}

int host_walk_open_file(int dirfd, const char *name, const struct stat *seen, struct stat *now,
			struct err *e)
{
	/* O_NONBLOCK: what was a file may be a FIFO by now. */
	SCOPE_FD int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, errno, "cannot open");
	if (fstat(fd, now) < 0)
		return err_sys(e, errno, "cannot stat");
	if (now->st_dev != seen->st_dev || now->st_ino != seen->st_ino || !S_ISREG(now->st_mode))
		return err_sys(e, EBUSY, "changed while it was read");
	return steal_fd(&fd);
}

int host_walk_read_link(int dirfd, const char *name, char target[static LIMIT_SYMLINK + 1],
			size_t *len, struct err *e)
{
	const ssize_t n = readlinkat(dirfd, name, target, LIMIT_SYMLINK + 1);

	if (n < 0)
		return err_sys(e, errno, "cannot read the link");
	if (n > LIMIT_SYMLINK)
		return err_set(e, ERR_LIMIT, "link target is longer than %d bytes", LIMIT_SYMLINK);
	target[n] = '\0';
	*len = (size_t)n;
	return 0;
}
