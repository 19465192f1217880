/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many names an inode has: those of the base, less those that rows hide, more those that rows
 * give.  Hidden, too, are all names in a directory of the base that is gone: its rows went with it.
 */
#include <string.h>

#include "base/array.h"
#include "base/quote.h"
#include "fs/session_check_private.h"

static int count(struct u64map *m, uint64_t id, struct err *e)
{
	uint64_t *n = u64map_get(m, id);

	if (n) {
		(*n)++;
		return 0;
	}
	return u64map_put(m, id, 1, e);
}

static int64_t counted(const struct u64map *m, uint64_t id)
{
	const uint64_t *n = u64map_get(m, id);

	return n ? (int64_t)*n : 0;
}

/* "name 'x' in inode 5: " and why. */
static int blame_name(const struct session_name *row, const char *why, struct err *e)
{
	char quoted[QUOTE_MAX];

	return err_set(e, ERR_FORMAT, "name '%s' in inode %llu %s",
		       quote_bytes(quoted, row->name, row->len), (unsigned long long)row->parent,
		       why);
}

static int blame_inode(uint64_t ino, const char *why, struct err *e)
{
	return err_set(e, ERR_FORMAT, "inode %llu %s", (unsigned long long)ino, why);
}

/* What the base has under the name of `row`: 1 and its entry, 0, -1. */
static int look_lower(struct session *s, const struct session_name *row, uint64_t *ino,
		      uint32_t *mode, struct err *e)
{
	struct catalog_stat st;
	uint32_t inode = 0;

	if (!session_is_lower(s, row->parent))
		return 0;
	const int found =
		VIEW_RETRY(s->base, e,
			   catalog_lookup(view_catalog(s->base), session_lower(row->parent),
					  row->name, row->len, &inode, e));
	if (found <= 0)
		return found;
	if (VIEW_RETRY(s->base, e, catalog_stat(view_catalog(s->base), inode, &st, e)) < 0)
		return -1;
	*ino = (uint64_t)inode + 1;
	*mode = st.mode;
	return 1;
}

static int add_dir(struct session_check *c, const struct session_name *row, struct err *e)
{
	if (u64map_get(&c->homes, row->ino))
		return blame_name(row, "is the second of a directory", e);
	if (row->ino == SESSION_ROOT)
		return blame_name(row, "leads to the root", e);
	if (count(&c->added_dirs, row->parent, e) < 0)
		return -1;
	return u64map_put(&c->homes, row->ino, row->parent, e);
}

static int add_name(struct session_check *c, const struct session_name *row, struct err *e)
{
	struct session_inode in;

	if (session_load(c->s, row->ino, &in, e) < 0) {
		if (e->code != ERR_NOT_FOUND)
			return -1;
		err_clear(e);
		return blame_name(row, "leads to an inode that is none", e);
	}
	if (row->type != (in.mode & S_IFMT))
		return blame_name(row, "says another type than its inode", e);
	if (count(&c->added, row->ino, e) < 0)
		return -1;
	return S_ISDIR(in.mode) ? add_dir(c, row, e) : 0;
}

static int check_name(struct session_check *c, const struct session_inode *dir,
		      const struct session_name *row, struct err *e)
{
	uint64_t lower = 0;
	uint32_t mode = 0;

	c->stats.names++;
	const int has_lower = look_lower(c->s, row, &lower, &mode, e);
	if (has_lower < 0)
		return -1;
	if (row->ino == lower)
		return blame_name(row,
				  lower ? "is a row, and as the image has it"
					: "hides what the image does not have",
				  e);
	if ((row->order != 0) != (row->ino && !has_lower) || row->order >= c->next)
		return blame_name(row, "has no place in the listing that can be", e);
	if (row->ino && dir->nlink == 0)
		return blame_name(row, "is in a directory that was removed", e);
	if (has_lower && (count(&c->hidden, lower, e) < 0 ||
			  (S_ISDIR(mode) && count(&c->hidden_dirs, row->parent, e) < 0)))
		return -1;
	return row->ino ? add_name(c, row, e) : 0;
}

static int check_dir(struct session_check *c, uint64_t parent, struct err *e)
{
	struct session_name row = {.len = 0}, made = {.order = 0};
	struct session_inode dir;
	uint64_t new_names = 0;
	int more;

	const int found = session_db_inode(c->s->db, parent, &dir, e);
	if (found < 0)
		return -1;
	if (found == 0 || !S_ISDIR(dir.mode))
		return blame_inode(parent,
				   found ? "has names, and is no directory"
					 : "has names of its own, and no row",
				   e);
	while ((more = session_db_name_above(c->s->db, parent, row.name, row.len, &row, e)) > 0) {
		if (check_name(c, &dir, &row, e) < 0)
			return -1;
		new_names += row.order != 0;
	}
	/* Two names in one place: a listing would give one of them. */
	while (more == 0 &&
	       (more = session_db_name_made(c->s->db, parent, made.order, &made, e)) > 0) {
		new_names--;
		more = 0;
	}
	if (more == 0 && new_names != 0)
		return blame_inode(parent, "has two names in one place of its listing", e);
	return more;
}

/* A stack of directories. */
struct dirs {
	uint64_t *inos;
	size_t count, size;
};

static int push(struct dirs *d, uint64_t ino, struct err *e)
{
	if (array_reserve(&d->inos, &d->size, d->count + 1, sizeof(*d->inos), e) < 0)
		return -1;
	d->inos[d->count++] = ino;
	return 0;
}

/* All names that the base has in a directory that is gone, and that rows do not hide already.  One
 * that is still open keeps its rows, which hide all of them. */
static int hide_all(struct session_check *c, uint64_t dir, struct dirs *todo, struct err *e)
{
	struct session *s = c->s;
	struct catalog_dirent lower;
	struct session_inode in;
	struct session_name row;
	int found = session_db_inode(s->db, dir, &in, e);

	if (found < 0)
		return -1;
	const bool is_open = found > 0;
	for (uint64_t at = 0;; at++) {
		found = VIEW_RETRY(
			s->base, e,
			catalog_readdir(view_catalog(s->base), session_lower(dir), at, &lower, e));
		if (found <= 0)
			return found;
		found = session_db_name(s->db, dir, lower.name, lower.name_len, &row, e);
		if (found < 0)
			return -1;
		if (found > 0)
			continue;
		if (is_open)
			return blame_inode(dir, "is a directory without a name that is not empty",
					   e);
		const uint64_t ino = (uint64_t)lower.inode + 1;
		if (count(&c->hidden, ino, e) < 0 ||
		    (S_ISDIR(lower.type) && !u64map_get(&c->homes, ino) && push(todo, ino, e) < 0))
			return -1;
	}
}

static int is_lower_dir(struct session *s, uint64_t ino, struct err *e)
{
	struct catalog_stat st;

	if (VIEW_RETRY(s->base, e,
		       catalog_stat(view_catalog(s->base), session_lower(ino), &st, e)) < 0)
		return -1;
	return S_ISDIR(st.mode);
}

static int hide_what_is_gone(struct session_check *c, struct err *e)
{
	struct dirs todo = {.count = 0};
	const struct u64map_entry *x;
	size_t at = 0;
	int r = 0;

	while (r == 0 && (x = u64map_next(&c->hidden, &at))) {
		r = u64map_get(&c->homes, x->key) ? 0 : is_lower_dir(c->s, x->key, e);
		if (r > 0)
			r = push(&todo, x->key, e);
	}
	while (r == 0 && todo.count > 0)
		r = hide_all(c, todo.inos[--todo.count], &todo, e);
	free(todo.inos);
	return r;
}

/* Up from a directory that a row names; `turn` is the number of this walk. */
static int walk_up(struct session_check *c, uint64_t ino, uint64_t turn, struct err *e)
{
	struct session_inode in;

	for (uint64_t dir = ino; dir != SESSION_ROOT; dir = in.parent) {
		const uint64_t *seen = u64map_get(&c->walked, dir);
		if (seen && *seen != turn)
			return 0;
		if (seen)
			return blame_inode(ino, "is a directory inside of itself", e);
		if (u64map_put(&c->walked, dir, turn, e) < 0)
			return -1;
		if (session_load(c->s, dir, &in, e) < 0 || !S_ISDIR(in.mode)) {
			if (e->code && e->code != ERR_NOT_FOUND)
				return -1;
			err_clear(e);
			return blame_inode(ino, "is in a directory that is none", e);
		}
		if (in.nlink == 0)
			return blame_inode(ino, "is in a directory that was removed", e);
	}
	return 0;
}

int session_check_names(struct session_check *c, struct err *e)
{
	const struct u64map_entry *x;
	uint64_t parent = 0, turn = 0;
	size_t at = 0;
	int more;

	while ((more = session_db_parent_next(c->s->db, parent, &parent, e)) > 0) {
		if (check_dir(c, parent, e) < 0)
			return -1;
	}
	if (more < 0 || hide_what_is_gone(c, e) < 0)
		return -1;
	while ((x = u64map_next(&c->homes, &at))) {
		if (walk_up(c, x->key, ++turn, e) < 0)
			return -1;
	}
	return 0;
}

/* Of the base, for one of it: its links, and of a directory where it is. */
static int load_base(struct session *s, uint64_t ino, struct catalog_stat *st, uint64_t *home,
		     struct err *e)
{
	uint32_t parent = 0;

	*st = (struct catalog_stat){.nlink = 0};
	*home = 0;
	if (!session_is_lower(s, ino))
		return 0;
	if (VIEW_RETRY(s->base, e, catalog_stat(view_catalog(s->base), session_lower(ino), st, e)) <
		    0 ||
	    (S_ISDIR(st->mode) &&
	     VIEW_RETRY(s->base, e,
			catalog_parent(view_catalog(s->base), session_lower(ino), &parent, e)) < 0))
		return -1;
	*home = (uint64_t)parent + 1;
	return 0;
}

static int check_dir_links(const struct session_check *c, const struct session_inode *in,
			   const struct catalog_stat *base, uint64_t base_home, struct err *e)
{
	const uint64_t *home = u64map_get(&c->homes, in->ino);
	const int64_t names =
		(base->nlink > 0) + counted(&c->added, in->ino) - counted(&c->hidden, in->ino);
	const int64_t links = (base->nlink ? base->nlink : 2) + counted(&c->added_dirs, in->ino) -
			      counted(&c->hidden_dirs, in->ino);

	if (names == 0)
		return in->nlink == 0 ? 0
				      : blame_inode(in->ino, "is a directory without a name", e);
	if (names != 1)
		return blame_inode(in->ino, "is a directory with several names", e);
	if (in->nlink != links)
		return blame_inode(in->ino, "is a directory with a wrong number of links", e);
	if (in->parent != (home ? *home : base_home))
		return blame_inode(in->ino, "is a directory in another than it says", e);
	return 0;
}

int session_check_links(struct session_check *c, const struct session_inode *in, struct err *e)
{
	struct catalog_stat base;
	uint64_t home;

	if (load_base(c->s, in->ino, &base, &home, e) < 0)
		return -1;
	if (S_ISDIR(in->mode))
		return check_dir_links(c, in, &base, home, e);
	const int64_t names =
		base.nlink + counted(&c->added, in->ino) - counted(&c->hidden, in->ino);
	if (names != in->nlink)
		return blame_inode(in->ino, "has a wrong number of links", e);
	return 0;
}

/* One of the base without a row: all of its names are there, or none. */
static int check_rowless(struct session_check *c, uint64_t ino, struct err *e)
{
	struct session_inode in;
	struct catalog_stat base;
	uint64_t home;

	const int found = session_db_inode(c->s->db, ino, &in, e);
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (load_base(c->s, ino, &base, &home, e) < 0)
		return -1;
	const int64_t whole = S_ISDIR(base.mode) ? 1 : base.nlink;
	const int64_t names = whole + counted(&c->added, ino) - counted(&c->hidden, ino);
	if (names != 0 && names != whole)
		return blame_inode(ino, "lost names of the image, and has no row", e);
	if (u64map_get(&c->homes, ino))
		return blame_inode(ino, "is a directory that was moved, and has no row", e);
	return 0;
}

int session_check_rest(struct session_check *c, struct err *e)
{
	const struct u64map *maps[] = {&c->added, &c->hidden};
	const struct u64map_entry *x;

	for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
		size_t at = 0;
		while ((x = u64map_next(maps[i], &at))) {
			if (check_rowless(c, x->key, e) < 0)
				return -1;
		}
	}
	return 0;
}
