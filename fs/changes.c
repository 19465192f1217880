/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk.  In a directory that is the base's own, under the path that it has there, only names
 * with rows or marks (fs/changes_names.c) are looked at; any other is walked whole, beside what the
 * base has under its path.
 *
 * Directories around a change are told when the first change in them turns up.
 *
 * Whiteouts have names of their own, ".wh." and the name that is gone, and the order of a layer is
 * that of its names: what is gone in a directory comes between the names below ".wh." and those
 * above, so that for a layer each directory is gone through in three passes.
 */
#include "fs/changes.h"

#include <string.h>
#include <sys/sysmacros.h>

#include "base/array.h"
#include "base/quote.h"
#include "fs/changes_private.h"
#include "fs/diff_inode.h"
#include "image/whiteout.h"

/* What of a directory is told. */
enum { PATH_SHOWN = 60 /* bytes of a path that is too long */ };

enum pass {
	PASS_ALL,
	PASS_BELOW,     /* names below ".wh." */
	PASS_WHITEOUTS, /* what is gone */
	PASS_ABOVE,
};

/* The names that come next. */
struct cursor {
	bool is_read;
	bool has_row, has_lower, has_base;
	struct session_name row;     /* the last one that was taken, until it is read anew */
	struct catalog_dirent lower; /* that the session shows */
	struct catalog_dirent base;  /* what the base has under this path */
	uint64_t lower_at, base_at;
};

struct level {
	uint64_t ino;
	uint32_t base; /* under the same path; CHANGES_NONE when that is no directory */
	bool is_whole; /* all its names are looked at */
	size_t path_len;
	enum pass pass;
	struct cursor at;
	struct cursor above; /* where PASS_ABOVE begins */
};

struct walk {
	struct session *session;
	const struct changes_options *opt;
	struct changes_names names;
	struct changes_compare compare;
	struct changes_links links;
	bool is_collecting; /* nothing is told yet: files with several names, which move with a
			       directory, get marks */
	struct str path;    /* "/a/b" */
	struct level *levels;
	size_t count, cap;
	size_t told; /* so many levels, the outer ones, were told */
	int (*each)(void *ctx, const struct change *c, struct err *e);
	void *ctx;
};

/* What a name leads to. */
struct found {
	const char *name;
	size_t len;
	uint64_t ino;  /* 0: gone */
	uint32_t type; /* S_IFMT bits of `ino` */
	uint32_t base; /* CHANGES_NONE */
};

static int lower_stat(struct walk *w, uint32_t inode, struct catalog_stat *out, struct err *e)
{
	struct view *base = w->session->base;

	return VIEW_RETRY(base, e, catalog_stat(view_catalog(base), inode, out, e));
}

static int push(struct walk *w, uint64_t ino, uint32_t base, struct err *e)
{
	if (w->count > LIMIT_DEPTH)
		return err_set(e, ERR_LIMIT, "directories nest deeper than %d", LIMIT_DEPTH);
	if (array_reserve(&w->levels, &w->cap, w->count + 1, sizeof(*w->levels), e) < 0)
		return -1;
	struct level *l = &w->levels[w->count++];
	*l = (struct level){
		.ino = ino,
		.base = base,
		.is_whole = base == CHANGES_NONE || ino != (uint64_t)base + 1,
		.path_len = w->path.len,
		/* Where the base has nothing, nothing is gone. */
		.pass = w->opt->is_layer && !w->is_collecting && base != CHANGES_NONE ? PASS_BELOW
										      : PASS_ALL,
	};
	l->at.lower_at = l->is_whole ? 0 : changes_names_first(&w->names, ino);
	return 0;
}

static int read_base(struct walk *w, uint32_t dir, uint64_t at, struct catalog_dirent *out,
		     struct err *e)
{
	struct view *base = w->session->base;

	return VIEW_RETRY(base, e, catalog_readdir(view_catalog(base), dir, at, out, e));
}

/* A mark, as what the base has there. */
static int read_mark(struct walk *w, const struct level *l, struct catalog_dirent *out,
		     struct err *e)
{
	const struct changes_list *marks = &w->names.marks;
	struct catalog_stat st;

	if (l->at.lower_at >= marks->sorted)
		return 0;
	const struct changes_name *x = &marks->items[l->at.lower_at];
	if (x->parent != l->ino)
		return 0;
	if (lower_stat(w, session_lower(x->ino), &st, e) < 0)
		return -1;
	out->inode = session_lower(x->ino);
	out->type = st.mode & S_IFMT;
	out->name_len = x->len;
	memcpy(out->name, w->names.text.data + x->at, x->len);
	out->name[x->len] = '\0';
	return 1;
}

static int read_names(struct walk *w, struct level *l, struct err *e)
{
	struct cursor *c = &l->at;
	int row, lower = 0, base = 0;

	if (c->is_read)
		return 0;
	row = c->has_row ? 1
			 : session_db_name_above(w->session->db, l->ino, c->row.name, c->row.len,
						 &c->row, e);
	if (row >= 0 && !l->is_whole)
		lower = read_mark(w, l, &c->lower, e);
	else if (row >= 0 && session_is_lower(w->session, l->ino))
		lower = read_base(w, session_lower(l->ino), c->lower_at, &c->lower, e);
	if (row >= 0 && lower >= 0 && l->is_whole && l->base != CHANGES_NONE)
		base = read_base(w, l->base, c->base_at, &c->base, e);
	if (row < 0 || lower < 0 || base < 0)
		return -1;
	c->has_row = row;
	c->has_lower = lower;
	c->has_base = base;
	c->is_read = true;
	return 0;
}

/* The least of the names that come next; NULL at the end. */
static const char *least_name(const struct cursor *c)
{
	const char *name = c->has_row ? c->row.name : NULL;

	if (c->has_lower && (!name || strcmp(c->lower.name, name) < 0))
		name = c->lower.name;
	if (c->has_base && (!name || strcmp(c->base.name, name) < 0))
		name = c->base.name;
	return name;
}

/* What the base has, in a directory that is its own. */
static int find_base(struct walk *w, const struct level *l, struct found *f, struct err *e)
{
	struct view *base = w->session->base;
	uint32_t inode = 0;

	if (l->is_whole)
		return 0;
	const int r = VIEW_RETRY(
		base, e, catalog_lookup(view_catalog(base), l->base, f->name, f->len, &inode, e));
	if (r > 0)
		f->base = inode;
	return r < 0 ? -1 : 0;
}

/* Takes the next name of a directory: 1, 0 at the end, -1. */
static int take_name(struct walk *w, struct level *l, char name[static LIMIT_NAME + 1],
		     struct found *f, struct err *e)
{
	struct cursor *c = &l->at;

	if (read_names(w, l, e) < 0)
		return -1;
	const char *least = least_name(c);
	if (!least)
		return 0;
	*f = (struct found){.name = name, .len = strlen(least), .base = CHANGES_NONE};
	memcpy(name, least, f->len + 1);
	if (c->has_lower && strcmp(c->lower.name, name) == 0) {
		f->ino = (uint64_t)c->lower.inode + 1;
		f->type = c->lower.type;
		c->lower_at++;
	}
	if (c->has_row && strcmp(c->row.name, name) == 0) {
		f->ino = c->row.ino;
		f->type = c->row.type;
		c->has_row = false;
	}
	if (c->has_base && strcmp(c->base.name, name) == 0) {
		f->base = c->base.inode;
		c->base_at++;
	}
	c->is_read = false;
	return find_base(w, l, f, e) < 0 ? -1 : 1;
}

static int set_path(struct walk *w, const struct level *l, const struct found *f, struct err *e)
{
	char q[QUOTE_MAX];

	str_truncate(&w->path, l->path_len);
	if ((l->path_len > 1 && str_append_c(&w->path, '/', e) < 0) ||
	    str_append(&w->path, f->name, f->len, e) < 0)
		return -1;
	if (w->opt->is_layer && w->path.len - 1 > LIMIT_PATH)
		return err_set(e, ERR_LIMIT,
			       "a path below '%s' is longer than %d bytes: no layer can hold it",
			       quote_bytes(q, w->path.data, PATH_SHOWN), LIMIT_PATH);
	return 0;
}

static void set_new(struct change *c, const struct session_inode *in)
{
	c->ino = in->ino;
	c->diff.new_mode = in->mode;
	c->diff.new_size = S_ISREG(in->mode) ? in->size : 0;
	c->st = (struct stat){
		.st_ino = in->ino,
		.st_mode = in->mode,
		.st_nlink = in->nlink,
		.st_uid = in->uid,
		.st_gid = in->gid,
		.st_rdev = makedev(in->rdev_major, in->rdev_minor),
		.st_size = (off_t)in->size,
		.st_blksize = SESSION_BLOCK,
		.st_atim = in->atim,
		.st_mtim = in->mtim,
		.st_ctim = in->ctim,
	};
}

static void set_old(struct change *c, uint32_t inode, const struct catalog_stat *st)
{
	c->lower = inode;
	c->diff.old_mode = st->mode;
	c->diff.old_size = S_ISREG(st->mode) ? st->size : 0;
}

static int give(struct walk *w, struct change *c, size_t path_len, struct err *e)
{
	c->diff.path = w->path.data;
	c->diff.path_len = path_len;
	return w->each(w->ctx, c, e);
}

/* Of the root, docker diff has no line for what is below; but a layer gives it its mtime. */
static bool is_level_told(const struct walk *w, const struct level *l,
			  const struct session_inode *in, const struct catalog_stat *st)
{
	return l->path_len > 1 || (w->opt->is_layer && (in->mtim.tv_sec != st->mtime ||
							in->mtim.tv_nsec != (long)st->mtime_nsec));
}

static int tell_of_level(struct walk *w, const struct level *l, struct err *e)
{
	struct change c = {.diff = {.kind = DIFF_CHANGED}};
	struct session_inode in;
	struct catalog_stat st;

	if (session_load(w->session, l->ino, &in, e) < 0 || lower_stat(w, l->base, &st, e) < 0)
		return -1;
	set_new(&c, &in);
	set_old(&c, l->base, &st);
	return is_level_told(w, l, &in, &st) ? give(w, &c, l->path_len, e) : 0;
}

/* Tells of the change at the walk's path, and before of the directories around it. */
static int tell(struct walk *w, struct change *c, struct err *e)
{
	for (; w->told < w->count; w->told++) {
		if (tell_of_level(w, &w->levels[w->told], e) < 0)
			return -1;
	}
	return give(w, c, w->path.len, e);
}

/* Bytes of all files below a directory that is gone. */
static int sum_below(struct walk *w, uint32_t dir, uint64_t *out, struct err *e)
{
	const struct diff_side side = {w->session->base, "the base"};

	return w->opt->has_sums ? diff_side_sum(&side, dir, out, e) : 0;
}

static int visit_gone(struct walk *w, const struct found *f, struct err *e)
{
	struct change c = {.diff = {.kind = DIFF_DELETED}, .lower = CHANGES_NONE};
	struct catalog_stat st;

	if (f->base == CHANGES_NONE)
		return 0;
	if (lower_stat(w, f->base, &st, e) < 0)
		return -1;
	set_old(&c, f->base, &st);
	if (S_ISDIR(st.mode) && sum_below(w, f->base, &c.diff.old_size, e) < 0)
		return -1;
	return tell(w, &c, e);
}

/* Whether a file is told in a layer, and how. */
static int look_at_links(struct walk *w, const struct session_inode *in, uint32_t lower_links,
			 bool differs, struct change *c, struct err *e)
{
	int is_told = differs;

	if (in->nlink > 1 || lower_links > 1) {
		const struct changes_group *g =
			changes_links_get(&w->links, in, w->path.data + 1, w->path.len - 1, e);
		if (!g)
			return -1;
		is_told = g->is_told;
		const char *first = w->links.text.data + g->at;
		if (g->len != w->path.len - 1 || memcmp(first, w->path.data + 1, g->len) != 0) {
			c->link = first;
			c->link_len = g->len;
		}
	}
	if (is_told && !c->link && S_ISREG(in->mode) &&
	    (changes_is_lower_content(w->session, in) ||
	     (c->diff.kind == DIFF_CHANGED && !(c->diff.what & (DIFF_TYPE | DIFF_CONTENT)))))
		c->repeated = in->size;
	return is_told;
}

static int visit_there(struct walk *w, const struct found *f, struct err *e)
{
	struct change c = {.diff = {.kind = DIFF_ADDED}, .lower = CHANGES_NONE};
	struct catalog_stat st = {.nlink = 0};
	struct session_inode in;

	if (session_load(w->session, f->ino, &in, e) < 0)
		return -1;
	set_new(&c, &in);
	if (f->base != CHANGES_NONE) {
		if (lower_stat(w, f->base, &st, e) < 0 ||
		    changes_compare(&w->compare, &in, f->base, &st, &c.diff.what, e) < 0)
			return -1;
		c.diff.kind = DIFF_CHANGED;
		set_old(&c, f->base, &st);
	}
	const bool is_dir = S_ISDIR(in.mode);
	if (S_ISDIR(st.mode) && !is_dir && sum_below(w, f->base, &c.diff.old_size, e) < 0)
		return -1;
	int is_told = c.diff.kind == DIFF_ADDED || c.diff.what;
	if (w->opt->is_layer && S_ISSOCK(in.mode))
		return give(w, &c, w->path.len, e); /* it brings no directories along */
	if (!is_dir && w->opt->is_layer)
		is_told = look_at_links(w, &in, st.nlink, is_told, &c, e);
	if (is_told < 0 || (is_told && tell(w, &c, e) < 0))
		return -1;
	if (!is_dir)
		return 0;
	if (push(w, in.ino, S_ISDIR(st.mode) ? f->base : CHANGES_NONE, e) < 0)
		return -1;
	if (is_told)
		w->told = w->count;
	return 0;
}

/* Of the first walk: what moves with its directory is at a new path, and so all its names are of
 * interest. */
static int collect(struct walk *w, const struct found *f, struct err *e)
{
	struct catalog_stat st = {.nlink = 0};
	const bool is_lower = session_is_lower(w->session, f->ino);

	if (f->type == S_IFDIR) {
		if (f->base != CHANGES_NONE && lower_stat(w, f->base, &st, e) < 0)
			return -1;
		return push(w, f->ino, S_ISDIR(st.mode) ? f->base : CHANGES_NONE, e);
	}
	if (!is_lower || !w->levels[w->count - 1].is_whole)
		return 0;
	if (lower_stat(w, session_lower(f->ino), &st, e) < 0)
		return -1;
	return st.nlink > 1 ? changes_names_mark(&w->names, f->ino, e) : 0;
}

static int visit(struct walk *w, enum pass pass, const struct found *f, struct err *e)
{
	/* No layer can hold a socket: whoever writes one is told of it, and what the base has
	 * there goes. */
	const bool is_gone = f->ino == 0 || (f->type == S_IFSOCK && pass == PASS_WHITEOUTS);

	if (w->is_collecting)
		return f->ino ? collect(w, f, e) : 0;
	if (is_gone)
		return pass == PASS_ALL || pass == PASS_WHITEOUTS ? visit_gone(w, f, e) : 0;
	return pass != PASS_WHITEOUTS ? visit_there(w, f, e) : 0;
}

/* Goes on with the next pass of a directory: false at its end. */
static bool next_pass(struct walk *w, struct level *l)
{
	if (l->pass == PASS_BELOW) {
		l->above = l->at;
		l->at = (struct cursor){
			.lower_at = l->is_whole ? 0 : changes_names_first(&w->names, l->ino)};
		l->pass = PASS_WHITEOUTS;
		return true;
	}
	if (l->pass == PASS_WHITEOUTS) {
		l->at = l->above;
		l->pass = PASS_ABOVE;
		return true;
	}
	return false;
}

/* 1 and a name, 0 at the end of the directory, -1. */
static int next_name(struct walk *w, struct level *l, char name[static LIMIT_NAME + 1],
		     struct found *f, struct err *e)
{
	for (;;) {
		if (read_names(w, l, e) < 0)
			return -1;
		const char *least = least_name(&l->at);
		if (least && (l->pass != PASS_BELOW || strcmp(least, WHITEOUT_PREFIX) < 0))
			return take_name(w, l, name, f, e);
		if (!next_pass(w, l))
			return 0;
	}
}

static int step(struct walk *w, struct err *e)
{
	struct level *l = &w->levels[w->count - 1];
	char name[LIMIT_NAME + 1];
	struct found f;
	char q[QUOTE_MAX];

	const int found = next_name(w, l, name, &f, e);
	if (found < 0)
		return err_wrap(e, "'%s'", quote_bytes(q, w->path.data, l->path_len));
	if (found == 0) {
		w->count--;
		if (w->told > w->count)
			w->told = w->count;
		return 0;
	}
	if (set_path(w, l, &f, e) < 0)
		return -1;
	const size_t len = w->path.len;
	if (visit(w, l->pass, &f, e) < 0)
		return err_wrap(e, "'%s'", quote_bytes(q, w->path.data, len));
	return 0;
}

/* The root has no name by which it could be visited. */
static int visit_root(struct walk *w, struct err *e)
{
	struct change c = {.diff = {.kind = DIFF_CHANGED}};
	struct session_inode in;
	struct catalog_stat st;

	if (session_load(w->session, SESSION_ROOT, &in, e) < 0 ||
	    lower_stat(w, CATALOG_ROOT, &st, e) < 0 ||
	    changes_compare(&w->compare, &in, CATALOG_ROOT, &st, &c.diff.what, e) < 0)
		return -1;
	set_new(&c, &in);
	set_old(&c, CATALOG_ROOT, &st);
	if (!c.diff.what)
		return 0;
	w->told = 1;
	return give(w, &c, w->path.len, e);
}

static int walk_all(struct walk *w, struct err *e)
{
	if (str_append_c(&w->path, '/', e) < 0 || push(w, SESSION_ROOT, CATALOG_ROOT, e) < 0 ||
	    (!w->is_collecting && visit_root(w, e) < 0))
		return -1;
	while (w->count > 0) {
		if (step(w, e) < 0)
			return -1;
	}
	str_truncate(&w->path, 0);
	return 0;
}

/* In a layer, what moved brings its other names along. */
static int mark_moved(struct walk *w, struct err *e)
{
	if (!w->opt->is_layer || !w->names.has_moved)
		return 0;
	w->is_collecting = true;
	if (walk_all(w, e) < 0)
		return -1;
	w->is_collecting = false;
	changes_names_sort(&w->names);
	return 0;
}

int changes_walk(struct session *s, const struct changes_options *opt,
		 int (*each)(void *ctx, const struct change *c, struct err *e), void *ctx,
		 struct err *e)
{
	struct walk w = {.session = s, .opt = opt, .each = each, .ctx = ctx};
	int r = changes_names_init(&w.names, s, e);

	changes_links_init(&w.links, &w.names, &w.compare);
	if (r == 0)
		r = changes_compare_init(&w.compare, s, opt, e);
	if (r == 0)
		r = mark_moved(&w, e);
	if (r == 0)
		r = walk_all(&w, e);
	changes_links_fini(&w.links);
	changes_compare_fini(&w.compare);
	changes_names_fini(&w.names);
	str_fini(&w.path);
	free(w.levels);
	return r;
}
