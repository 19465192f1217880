/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both trees are walked side by side, in the order of the paths' bytes.  That is not the order in
 * which a walk comes by: "a-b" is before "a/x", because "-" is before "/".  So a directory that
 * was met waits while its siblings' names go on where its own ends, and is opened before the first
 * name that is behind its name with "/".  What waits in one directory are names each of which
 * begins with the one before, so there are never more of them than bytes in a path.
 *
 * A directory is told of when something below it differs, and in front of all that; which is found
 * out when the first change turns up behind it.  If that change is below it, there is nothing to
 * find out; if it waits, it is looked into, by a walk of its own that ends at the first difference.
 * No name is passed by two such walks: were it before the end of the first one, then so would
 * be the change that started the second one.
 */
#include "fs/diff.h"

#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/path.h"
#include "base/quote.h"
#include "fs/diff_inode.h"

static const uint32_t NOTHING = UINT32_MAX; /* no inode */

/* A directory of the new image that was met; with its counterpart, when that is a directory. */
struct level {
	uint32_t old, new;       /* inodes; `old` may be NOTHING */
	uint64_t old_at, new_at; /* the names that come next */
	size_t path_len;         /* walk.path begins with its path as long as it is here */
	size_t parent;           /* the level that holds its name */
	bool is_open;            /* its names are being walked; else it waits */
	bool is_same;            /* was looked into: nothing differs */
};

struct walk {
	const struct diff_side *old, *new;
	struct str path;
	struct level *levels;
	size_t count, cap;
	size_t open; /* the level whose names are being walked */
	size_t told; /* so many levels, the outer ones, have their line, or need none */
	/* The next names of levels[open]. */
	bool has_names, has_old, has_new;
	struct catalog_dirent old_name, new_name;
};

/* What both images have under a name. */
struct pair {
	uint32_t old, new;           /* inodes, or NOTHING */
	uint32_t old_type, new_type; /* S_IFMT bits */
};

static void walk_fini(struct walk *w)
{
	str_fini(&w->path);
	free(w->levels);
}
SCOPE_DEFINE_VALUE(walk, struct walk, walk_fini)

/* The pair of w->path becomes a level that waits, when there is something in it to walk. */
static int push(struct walk *w, const struct pair *p, struct err *e)
{
	if (p->new == NOTHING || p->new_type != S_IFDIR)
		return 0;
	/* Each level makes the path longer by a byte at least. */
	if (w->count > LIMIT_PATH)
		return err_set(e, ERR_LIMIT, "a path is longer than %d bytes", LIMIT_PATH);
	if (array_reserve(&w->levels, &w->cap, w->count + 1, sizeof(*w->levels), e) < 0)
		return -1;
	w->levels[w->count++] = (struct level){
		.old = p->old != NOTHING && p->old_type == S_IFDIR ? p->old : NOTHING,
		.new = p->new,
		.path_len = w->path.len,
		.parent = w->open,
	};
	return 0;
}

static void open_top(struct walk *w)
{
	w->open = w->count - 1;
	w->levels[w->open].is_open = true;
	w->has_names = false;
	str_truncate(&w->path, w->levels[w->open].path_len);
}

static void pop(struct walk *w)
{
	w->count--;
	w->open = w->levels[w->count].parent;
	w->has_names = false;
	if (w->told > w->count)
		w->told = w->count;
}

/* The name at `at`: 1, 0 past the last one, -1. */
static int read_name(const struct diff_side *s, uint32_t dir, uint64_t at,
		     struct catalog_dirent *out, struct err *e)
{
	if (dir == NOTHING)
		return 0;
	const int r =
		VIEW_RETRY(s->view, e, catalog_readdir(view_catalog(s->view), dir, at, out, e));
	return r < 0 ? diff_side_fail(s, e) : r;
}

static int read_names(struct walk *w, struct err *e)
{
	const struct level *l = &w->levels[w->open];

	if (w->has_names)
		return 0;
	const int old = read_name(w->old, l->old, l->old_at, &w->old_name, e);
	if (old < 0)
		return -1;
	const int new = read_name(w->new, l->new, l->new_at, &w->new_name, e);
	if (new < 0)
		return -1;
	w->has_old = old;
	w->has_new = new;
	w->has_names = true;
	return 0;
}

/* As strcmp, of the two next names; one that is not there comes last. */
static int compare_names(const struct walk *w)
{
	if (!w->has_old || !w->has_new)
		return w->has_new ? 1 : -1;
	return strcmp(w->old_name.name, w->new_name.name);
}

/* Where a child's name begins in the path. */
static size_t name_start(const struct level *parent)
{
	return parent->path_len == 1 ? 1 : parent->path_len + 1;
}

/* Whether a name comes before what is in the directory that waits: it goes on where that one's name
 * ends, with something before "/". */
static bool is_before(const struct walk *w, const struct level *waiting, const char *name)
{
	const size_t start = name_start(&w->levels[waiting->parent]);
	const size_t len = waiting->path_len - start;

	return strncmp(name, w->path.data + start, len) == 0 && (uint8_t)name[len] < '/' &&
	       name[len] != '\0';
}

/* Takes the next name into `out` and the path. */
static int take_name(struct walk *w, struct pair *out, struct err *e)
{
	struct level *l = &w->levels[w->open];
	const int order = compare_names(w);
	const struct catalog_dirent *de = order <= 0 ? &w->old_name : &w->new_name;

	str_truncate(&w->path, l->path_len);
	if ((l->path_len > 1 && str_append_c(&w->path, '/', e) < 0) ||
	    str_append(&w->path, de->name, de->name_len, e) < 0)
		return -1;
	*out = (struct pair){NOTHING, NOTHING, 0, 0};
	if (order <= 0) {
		out->old = w->old_name.inode;
		out->old_type = w->old_name.type;
		l->old_at++;
	}
	if (order >= 0) {
		out->new = w->new_name.inode;
		out->new_type = w->new_name.type;
		l->new_at++;
	}
	w->has_names = false;
	return push(w, out, e);
}

/* The next pair, and its path in w->path: 1, 0 at the end, -1. */
static int next_pair(struct walk *w, struct pair *out, struct err *e)
{
	while (w->count > 0) {
		const struct level *top = &w->levels[w->count - 1];
		if (!top->is_open && (top->is_same || w->count == 1)) {
			if (top->is_same)
				pop(w);
			else
				open_top(w);
			continue;
		}
		if (read_names(w, e) < 0)
			return -1;
		const bool has_name = w->has_old || w->has_new;
		if (!top->is_open) {
			const char *name =
				compare_names(w) <= 0 ? w->old_name.name : w->new_name.name;
			if (!has_name || !is_before(w, top, name)) {
				open_top(w);
				continue;
			}
		}
		if (has_name)
			return take_name(w, out, e) < 0 ? -1 : 1;
		pop(w);
	}
	return 0;
}

struct diff {
	const struct diff_side *old, *new;
	const struct diff_options *opt;
	struct diff_inodes *inodes;
	struct walk walk;
	int (*each)(void *ctx, const struct diff_change *c, struct err *e);
	void *ctx;
};

/* Whether a pair differs by itself: 1 and the change but for its path, 0, -1. */
static int compare_pair(struct diff *d, const struct pair *p, struct diff_change *out,
			struct err *e)
{
	struct catalog_stat old = {0}, new = {0};

	*out = (struct diff_change){.kind = DIFF_CHANGED};
	if (p->new == NOTHING) {
		out->kind = DIFF_DELETED;
		if (diff_side_stat(d->old, p->old, &old, e) < 0)
			return -1;
	} else if (p->old == NOTHING) {
		out->kind = DIFF_ADDED;
		if (diff_side_stat(d->new, p->new, &new, e) < 0)
			return -1;
	} else if (diff_inodes_compare(d->inodes, p->old, p->new, &old, &new, &out->what, e) < 0) {
		return -1;
	} else if (!out->what) {
		return 0;
	}
	out->old_mode = old.mode;
	out->new_mode = new.mode;
	out->old_size = S_ISREG(old.mode) ? old.size : 0;
	out->new_size = S_ISREG(new.mode) ? new.size : 0;
	return 1;
}

/* The same for the pair that a walk is at, whose path is put in front of an error. */
static int compare_next(struct diff *d, const struct walk *w, const struct pair *p,
			struct diff_change *out, struct err *e)
{
	char q[QUOTE_MAX];

	const int r = compare_pair(d, p, out, e);
	return r < 0 ? err_wrap(e, "'%s'", quote_bytes(q, w->path.data, w->path.len)) : r;
}

/* Whether anything below a level differs: 1, 0, -1. */
static int look_into(struct diff *d, const struct level *l, struct err *e)
{
	const struct pair top = {l->old, l->new, S_IFDIR, S_IFDIR};
	SCOPE(walk) struct walk w = {.old = d->old, .new = d->new};
	struct diff_change c;
	struct pair p;
	int r = 0;

	if (str_append(&w.path, d->walk.path.data, l->path_len, e) < 0 || push(&w, &top, e) < 0)
		return -1;
	while (r == 0) {
		const int found = next_pair(&w, &p, e);
		if (found <= 0)
			return found;
		r = compare_next(d, &w, &p, &c, e);
	}
	return r;
}

/* Tells of the directories in front of the change that is at hand: of those around it, and of those
 * that wait and in which something differs, too. */
static int tell_of_levels(struct diff *d, size_t count, struct err *e)
{
	struct walk *w = &d->walk;

	for (; w->told < count; w->told++) {
		struct level *l = &w->levels[w->told];
		const int differs = l->is_open ? 1 : look_into(d, l, e);
		if (differs < 0)
			return -1;
		l->is_same = differs == 0;
		const struct diff_change c = {
			.kind = DIFF_CHANGED,
			.path = w->path.data,
			.path_len = l->path_len,
			.old_mode = S_IFDIR,
			.new_mode = S_IFDIR,
		};
		if (differs && d->each(d->ctx, &c, e) < 0)
			return -1;
	}
	return 0;
}

/* A directory that is being added up, and the name that comes next. */
struct sum_level {
	uint32_t dir;
	uint64_t at;
};

struct sum_stack {
	struct sum_level *levels;
	size_t count, cap;
};

static void sum_stack_fini(struct sum_stack *s)
{
	free(s->levels);
}
SCOPE_DEFINE_VALUE(sum_stack, struct sum_stack, sum_stack_fini)

static int push_sum(struct sum_stack *s, uint32_t dir, struct err *e)
{
	if (s->count == LIMIT_DEPTH)
		return err_set(e, ERR_LIMIT, "directories nest deeper than %d", LIMIT_DEPTH);
	if (array_reserve(&s->levels, &s->cap, s->count + 1, sizeof(*s->levels), e) < 0)
		return -1;
	s->levels[s->count++] = (struct sum_level){dir, 0};
	return 0;
}

int diff_side_sum(const struct diff_side *side, uint32_t dir, uint64_t *out, struct err *e)
{
	SCOPE(sum_stack) struct sum_stack s = {NULL, 0, 0};
	struct catalog_dirent de;
	struct catalog_stat st;

	if (push_sum(&s, dir, e) < 0)
		return -1;
	while (s.count > 0) {
		struct sum_level *top = &s.levels[s.count - 1];
		const int found = read_name(side, top->dir, top->at++, &de, e);
		if (found < 0)
			return -1;
		if (found == 0) {
			s.count--;
		} else if (de.type == S_IFDIR) {
			if (push_sum(&s, de.inode, e) < 0)
				return -1;
		} else if (de.type == S_IFREG) {
			if (diff_side_stat(side, de.inode, &st, e) < 0)
				return -1;
			*out = add_up_to(*out, st.size, INT64_MAX);
		}
	}
	return 0;
}

/* Compares a pair and what its path says, and tells of it. */
static int visit(struct diff *d, const struct pair *p, struct err *e)
{
	struct walk *w = &d->walk;
	/* It may have become the last level. */
	const bool is_level = w->count > 0 && !w->levels[w->count - 1].is_open &&
			      w->levels[w->count - 1].path_len == w->path.len;
	struct diff_change c;

	const int r = compare_next(d, w, p, &c, e);
	if (r <= 0)
		return r;
	if (S_ISDIR(c.old_mode) && !S_ISDIR(c.new_mode) && d->opt->has_sums &&
	    diff_side_sum(d->old, p->old, &c.old_size, e) < 0)
		return -1;
	if (tell_of_levels(d, w->count - is_level, e) < 0)
		return -1;
	c.path = w->path.data;
	c.path_len = w->path.len;
	if (d->each(d->ctx, &c, e) < 0)
		return -1;
	w->told = w->count;
	return 0;
}

/* What a path leads to in one of the images. */
static int find_start(const struct diff_side *s, const char *path, bool follow, uint32_t *inode,
		      uint32_t *type, struct err *e)
{
	struct catalog_stat st;

	*inode = NOTHING;
	const int found = VIEW_RETRY(
		s->view, e, catalog_resolve(view_catalog(s->view), path, follow, inode, e));
	if (found < 0)
		return diff_side_fail(s, e);
	if (found == 0) {
		*inode = NOTHING;
		return 0;
	}
	if (diff_side_stat(s, *inode, &st, e) < 0)
		return -1;
	*type = st.mode & S_IFMT;
	return 0;
}

/* The walk begins at `path`: first made plain, so that it is the path that is told. */
static int start(struct diff *d, const char *path, struct pair *out, struct err *e)
{
	const bool follow = str_has_suffix(path, "/");
	struct walk *w = &d->walk;
	char q[QUOTE_MAX];

	*out = (struct pair){NOTHING, NOTHING, 0, 0};
	if (str_append_c(&w->path, '/', e) < 0 || path_clean(path, &w->path, e) < 0 ||
	    find_start(d->old, w->path.data, follow, &out->old, &out->old_type, e) < 0 ||
	    find_start(d->new, w->path.data, follow, &out->new, &out->new_type, e) < 0)
		return -1;
	if (out->old == NOTHING && out->new == NOTHING)
		return err_set(e, ERR_NOT_FOUND, "no file '%s' in either image",
			       quote_str(q, path));
	return push(w, out, e);
}

static int run(struct diff *d, const char *path, struct err *e)
{
	struct walk *w = &d->walk;
	struct pair p;
	int found;

	if (start(d, path, &p, e) < 0 || visit(d, &p, e) < 0)
		return -1;
	/* docker diff has no line for the root, whatever differs below. */
	if (w->count == 1 && w->path.len == 1)
		w->told = 1;
	while ((found = next_pair(w, &p, e)) == 1) {
		if (visit(d, &p, e) < 0)
			return -1;
	}
	return found;
}

int diff_images(const struct diff_side *old, const struct diff_side *new, const char *path,
		const struct diff_options *opt,
		int (*each)(void *ctx, const struct diff_change *c, struct err *e), void *ctx,
		struct err *e)
{
	SCOPE(diff_inodes) struct diff_inodes *inodes = diff_inodes_new(old, new, opt, e);

	if (!inodes)
		return -1;
	struct diff d = {
		.old = old,
		.new = new,
		.opt = opt,
		.inodes = inodes,
		.walk = {.old = old, .new = new},
		.each = each,
		.ctx = ctx,
	};
	const int r = run(&d, path, e);
	walk_fini(&d.walk);
	return r;
}
