/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/context_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/quote.h"

enum {
	NAMES_BUFFER = 32768,
	LEVELS_OPEN = 16, /* however deep a directory is, so many descriptors are enough */
};

void context_dir_fini(struct context_dir *d)
{
	free(d->path);
	strlist_fini(&d->names);
	*d = (struct context_dir){0};
}

void context_walked_fini(struct context_walked *w)
{
	for (size_t i = 0; i < w->count; i++)
		context_dir_fini(&w->dirs[i]);
	free(w->dirs);
	*w = (struct context_walked){0};
}

void context_memory_free(struct context_memory *m)
{
	if (!m)
		return;
	for (size_t i = m->next; i < m->count; i++)
		context_walked_fini(&m->walks[i]);
	free(m->walks);
	free(m);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a + 1, *(char *const *)b + 1);
}

static int add_name(struct strlist *names, const struct dirent64 *de, struct err *e)
{
	char name[1 + sizeof(de->d_name)];

	/* Zero is DT_UNKNOWN, and no character of a text. */
	name[0] = (char)(1 + de->d_type);
	memcpy(name + 1, de->d_name, strlen(de->d_name) + 1);
	return strlist_add(names, name, e);
}

unsigned char context_name_type(const char *name)
{
	return (unsigned char)(name[0] - 1);
}

static int open_dir(const struct context *c, const char *dir, struct err *e)
{
	const int fd = path_open_beneath(c->fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	return fd < 0 ? context_set_open_error(dir, e) : fd;
}

/* Adds the names among what getdents64(2) gave. */
static int add_names(const char *buf, size_t len, struct strlist *names, struct err *e)
{
	for (size_t at = 0; at < len;) {
		const struct dirent64 *de = (const struct dirent64 *)(const void *)(buf + at);
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0 &&
		    add_name(names, de, e) < 0)
			return -1;
		at += de->d_reclen;
	}
	return 0;
}

/* The names in a directory of the context, which `fd` is and nobody has read from, sorted.  Not by
 * a stream, which would cost another descriptor and a large buffer for each directory. */
static int read_names(int fd, const char *dir, struct strlist *names, struct err *e)
{
	alignas(struct dirent64) char buf[NAMES_BUFFER];
	ssize_t n;

	while ((n = getdents64(fd, buf, sizeof(buf))) > 0) {
		if (add_names(buf, (size_t)n, names, e) < 0)
			return -1;
	}
	if (n < 0)
		return context_set_open_error(dir, e);
	if (names->count)
		qsort(names->items, names->count, sizeof(*names->items), compare_names);
	return 0;
}

int context_names(const struct context *c, const char *dir, struct strlist *names, struct err *e)
{
	SCOPE_FD int fd = open_dir(c, dir, e);

	return fd < 0 ? -1 : read_names(fd, dir, names, e);
}

int context_join(struct str *out, const char *dir, const char *name, struct err *e)
{
	char q[QUOTE_MAX];

	str_truncate(out, 0);
	if (strcmp(dir, ".") != 0 &&
	    (str_append_z(out, dir, e) < 0 || str_append_c(out, '/', e) < 0))
		return -1;
	if (str_append_z(out, name, e) < 0)
		return -1;
	if (out->len > LIMIT_PATH)
		return err_set(e, ERR_LIMIT, "'%s' of the context: path is longer than %d bytes",
			       quote_str(q, out->data), LIMIT_PATH);
	return 0;
}

static void level_close(struct context_level *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

int context_level_fd(const struct context *c, struct context_level *l, struct err *e)
{
	if (l->fd < 0)
		l->fd = open_dir(c, l->dir.path, e);
	return l->fd;
}

/* Fills in the innermost level, whose path is set. */
static int enter(const struct context *c, struct context_level *l, struct context_dir *known,
		 struct err *e)
{
	struct context_dir *d = &l->dir;
	struct stat st;

	if (context_level_fd(c, l, e) < 0)
		return -1;
	if (fstat(l->fd, &st) < 0)
		return context_set_open_error(d->path, e);
	d->stamp = stamp_of(&st);
	/* Names that come or go in the very tick in which the directory is read may be missed, as
	 * if they came or went after the build. */
	if (!known || !stamp_equal(&d->stamp, &known->stamp))
		return read_names(l->fd, d->path, &d->names, e);
	d->names = known->names;
	known->names = (struct strlist)STRLIST_INIT;
	return 0;
}

int context_push(const struct context *c, struct context_level *levels, size_t *depth,
		 const char *dir, struct context_dir *known, struct err *e)
{
	if (*depth == LIMIT_DEPTH)
		return err_set(e, ERR_LIMIT, "directories of the context nest deeper than %d",
			       LIMIT_DEPTH);
	if (*depth >= LEVELS_OPEN)
		level_close(&levels[*depth - LEVELS_OPEN]);
	struct context_level *l = &levels[(*depth)++];
	*l = (struct context_level){.dir.path = str_dup(dir, e), .fd = -1};
	return l->dir.path ? enter(c, l, known, e) : -1;
}

void context_pop(struct context_level *levels, size_t *depth)
{
	struct context_level *l = &levels[--*depth];

	level_close(l);
	context_dir_fini(&l->dir);
}
