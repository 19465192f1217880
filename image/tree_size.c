/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tree_size.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/str.h"

/* A directory that is being walked. */
struct level {
	uint32_t dir;
	uint64_t at;     /* the name that comes next */
	size_t path_len; /* measuring.path begins with its path, without "/" at the end */
	uint64_t bytes, files;
};

struct measuring {
	const struct catalog *c;
	size_t top, depth;
	struct tree_size *out;
	struct str path;
	struct level *levels;
	size_t count, cap;
};

static void measuring_fini(struct measuring *m)
{
	str_fini(&m->path);
	free(m->levels);
}
SCOPE_DEFINE_VALUE(measuring, struct measuring, measuring_fini)

static int push(struct measuring *m, uint32_t dir, struct err *e)
{
	if (m->count > LIMIT_DEPTH)
		return err_set(e, ERR_LIMIT, "directories nest deeper than %d", LIMIT_DEPTH);
	if (array_reserve(&m->levels, &m->cap, m->count + 1, sizeof(*m->levels), e) < 0)
		return -1;
	m->levels[m->count++] = (struct level){.dir = dir, .path_len = m->path.len};
	return 0;
}

/* Whether a directory of this size comes before another one. */
static bool is_before(uint64_t bytes, const char *path, const struct tree_size_dir *other)
{
	return bytes != other->bytes ? bytes > other->bytes : strcmp(path, other->path) < 0;
}

/* Takes the directory that was walked into the list, when it is among the largest so far. */
static int offer(struct measuring *m, const struct level *l, struct err *e)
{
	struct tree_size *t = m->out;
	const char *path = str_text(&m->path);
	size_t at = t->dir_count;

	while (at > 0 && is_before(l->bytes, path, &t->dirs[at - 1]))
		at--;
	if (at == m->top || l->bytes == 0)
		return 0;
	if (t->dir_count < m->top) {
		if (array_reserve(&t->dirs, &t->dir_cap, t->dir_count + 1, sizeof(*t->dirs), e) < 0)
			return -1;
	}
	char *copy = str_dup(path, e);
	if (!copy)
		return -1;
	if (t->dir_count < m->top)
		t->dir_count++;
	else
		free(t->dirs[t->dir_count - 1].path);
	memmove(&t->dirs[at + 1], &t->dirs[at], (t->dir_count - 1 - at) * sizeof(*t->dirs));
	t->dirs[at] = (struct tree_size_dir){copy, l->bytes, l->files};
	return 0;
}

/* The innermost directory is walked. */
static int pop(struct measuring *m, struct err *e)
{
	const struct level *l = &m->levels[m->count - 1];
	const size_t depth = m->count - 1;

	str_truncate(&m->path, l->path_len);
	if (depth > 0 && depth <= m->depth && offer(m, l, e) < 0)
		return -1;
	uint64_t *bytes = depth ? &m->levels[depth - 1].bytes : &m->out->bytes;
	uint64_t *files = depth ? &m->levels[depth - 1].files : &m->out->files;
	*bytes = add_up_to(*bytes, l->bytes, INT64_MAX);
	*files += l->files;
	m->count--;
	return 0;
}

/* 1 when a name is the one under which its inode counts, 0, -1. */
static int is_first_name(const struct measuring *m, uint32_t dir, const struct catalog_dirent *de,
			 const struct catalog_stat *st, struct err *e)
{
	struct catalog_dirent first;
	uint32_t parent;

	if (st->nlink < 2)
		return 1;
	const int found = catalog_name(m->c, de->inode, 0, &parent, &first, e);
	if (found <= 0)
		return found;
	return parent == dir && strcmp(first.name, de->name) == 0;
}

static int count_file(struct measuring *m, struct level *l, const struct catalog_dirent *de,
		      struct err *e)
{
	struct tree_size *t = m->out;
	struct catalog_stat st;

	if (catalog_stat(m->c, de->inode, &st, e) < 0)
		return -1;
	const int counts = is_first_name(m, l->dir, de, &st, e);
	if (counts <= 0)
		return counts;
	l->files++;
	if (!S_ISREG(st.mode))
		return 0;
	if (st.layer >= t->layer_count)
		return err_set(e, ERR_FORMAT, "the catalog is damaged: a layer that is none");
	l->bytes = add_up_to(l->bytes, st.data_bytes, INT64_MAX);
	t->layers[st.layer] = add_up_to(t->layers[st.layer], st.data_bytes, INT64_MAX);
	return 0;
}

/* The next name of the innermost directory. */
static int step(struct measuring *m, struct err *e)
{
	struct level *l = &m->levels[m->count - 1];
	struct catalog_dirent de;

	const int found = catalog_readdir(m->c, l->dir, l->at++, &de, e);
	if (found < 0)
		return -1;
	if (found == 0)
		return pop(m, e);
	if (de.type != S_IFDIR)
		return count_file(m, l, &de, e);
	str_truncate(&m->path, l->path_len);
	if (str_append_c(&m->path, '/', e) < 0 || str_append(&m->path, de.name, de.name_len, e) < 0)
		return -1;
	return push(m, de.inode, e);
}

int tree_size_measure(const struct catalog *c, size_t top, size_t depth, struct tree_size *out,
		      struct err *e)
{
	SCOPE(measuring) struct measuring m = {.c = c, .top = top, .depth = depth, .out = out};

	out->layer_count = catalog_layer_count(c);
	out->layers = array_new(out->layer_count, sizeof(*out->layers), e);
	if (!out->layers || push(&m, CATALOG_ROOT, e) < 0)
		return -1;
	while (m.count > 0) {
		if (step(&m, e) < 0)
			return -1;
	}
	return 0;
}

void tree_size_fini(struct tree_size *t)
{
	for (size_t i = 0; i < t->dir_count; i++)
		free(t->dirs[i].path);
	free(t->dirs);
	free(t->layers);
	*t = (struct tree_size)TREE_SIZE_INIT;
}
