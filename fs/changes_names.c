/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where to look for changes, and all names of a file.
 *
 * Something can differ at names that are rows, at names of inodes that are rows, and above and
 * below these.  A directory that has rows, and an inode of the base that is one, get marks at the
 * names that the base gives them, and so do the directories above, up to the root or to one that is
 * itself reached by a row: the directory of that row has rows, and its own marks.  That a mark may
 * lie in a directory that is gone does no harm: nobody comes by.
 */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "fs/changes_private.h"

static const char *text_of(const struct changes_names *n, const struct changes_name *x)
{
	return n->text.data + x->at;
}

static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	const int r = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return r ? r : (a_len > b_len) - (a_len < b_len);
}

static int compare_marks(const void *a, const void *b, void *ctx)
{
	const struct changes_name *x = a, *y = b;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	return compare_bytes(text_of(ctx, x), x->len, text_of(ctx, y), y->len);
}

static int compare_places(const void *a, const void *b, void *ctx)
{
	const struct changes_name *x = a, *y = b;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return compare_marks(a, b, ctx);
}

static void sort_list(struct changes_names *n, struct changes_list *l,
		      int (*compare)(const void *, const void *, void *))
{
	if (l->count)
		qsort_r(l->items, l->count, sizeof(*l->items), compare, n);
	l->sorted = l->count;
}

void changes_names_sort(struct changes_names *n)
{
	sort_list(n, &n->marks, compare_marks);
	sort_list(n, &n->places, compare_places);
}

static int add(struct changes_names *n, struct changes_list *l, uint64_t parent, uint64_t ino,
	       const char *name, size_t len, struct err *e)
{
	const struct changes_name x = {parent, ino, n->text.len, len};

	if (array_reserve(&l->items, &l->cap, l->count + 1, sizeof(*l->items), e) < 0 ||
	    str_append(&n->text, name, len, e) < 0)
		return -1;
	l->items[l->count++] = x;
	return 0;
}

/* The `at`-th name that the base gives an inode: 1, 0 no more, -1. */
static int lower_name(const struct changes_names *n, uint32_t inode, uint32_t at, uint64_t *parent,
		      struct catalog_dirent *out, struct err *e)
{
	struct view *base = n->session->base;
	uint32_t dir = 0;
	const int found =
		VIEW_RETRY(base, e, catalog_name(view_catalog(base), inode, at, &dir, out, e));

	*parent = (uint64_t)dir + 1;
	return found;
}

/* Whether a name of the base leads where it did: 1, 0, -1. */
static int is_left(const struct changes_names *n, uint64_t parent,
		   const struct catalog_dirent *lower, struct err *e)
{
	struct session_name row;
	const int found =
		session_db_name(n->session->db, parent, lower->name, lower->name_len, &row, e);

	return found < 0 ? -1 : !found;
}

/* Marks for all directories from `dir` up. */
static int mark_up(struct changes_names *n, uint64_t dir, struct err *e)
{
	struct catalog_dirent lower;
	uint64_t parent;

	while (dir != SESSION_ROOT && session_is_lower(n->session, dir) &&
	       !u64map_get(&n->seen, dir)) {
		if (u64map_put(&n->seen, dir, 1, e) < 0)
			return -1;
		int r = lower_name(n, session_lower(dir), 0, &parent, &lower, e);
		if (r > 0)
			r = is_left(n, parent, &lower, e);
		if (r <= 0)
			return r;
		if (add(n, &n->marks, parent, dir, lower.name, lower.name_len, e) < 0)
			return -1;
		dir = parent;
	}
	return 0;
}

int changes_names_mark(struct changes_names *n, uint64_t ino, struct err *e)
{
	struct catalog_dirent lower;
	uint64_t parent;
	int r;

	if (ino == SESSION_ROOT || u64map_get(&n->seen, ino))
		return 0;
	if (u64map_put(&n->seen, ino, 1, e) < 0)
		return -1;
	for (uint32_t at = 0; (r = lower_name(n, session_lower(ino), at, &parent, &lower, e)) > 0;
	     at++) {
		r = is_left(n, parent, &lower, e);
		if (r > 0 && (add(n, &n->marks, parent, ino, lower.name, lower.name_len, e) < 0 ||
			      mark_up(n, parent, e) < 0))
			r = -1;
		if (r < 0)
			break;
	}
	return r < 0 ? -1 : 0;
}

static int scan_inodes(struct changes_names *n, struct err *e)
{
	struct session_inode in = {.ino = 0};
	int found;

	while ((found = session_db_inode_next(n->session->db, in.ino, &in, e)) > 0) {
		int r = 0;
		if (session_is_lower(n->session, in.ino))
			r = changes_names_mark(n, in.ino, e);
		else if (!S_ISDIR(in.mode) && in.nlink > 1)
			r = u64map_put(&n->linked, in.ino, 1, e);
		if (r < 0)
			return -1;
	}
	return found;
}

/* Where a row leads, if that has to be known. */
static int add_place(struct changes_names *n, const struct session_name *row, struct err *e)
{
	const bool is_lower = session_is_lower(n->session, row->ino);

	if (row->ino == 0 ||
	    (!is_lower && row->type != S_IFDIR && !u64map_get(&n->linked, row->ino)))
		return 0;
	n->has_moved |= is_lower && row->type == S_IFDIR;
	return add(n, &n->places, row->parent, row->ino, row->name, row->len, e);
}

static int scan_names(struct changes_names *n, struct err *e)
{
	struct session_name row = {.ino = 0};
	uint64_t parent = 0;
	int found;

	while ((found = session_db_parent_next(n->session->db, parent, &parent, e)) > 0) {
		if (mark_up(n, parent, e) < 0)
			return -1;
		row.len = 0;
		row.name[0] = '\0';
		while ((found = session_db_name_above(n->session->db, parent, row.name, row.len,
						      &row, e)) > 0) {
			if (add_place(n, &row, e) < 0)
				return -1;
		}
		if (found < 0)
			return -1;
	}
	return found;
}

int changes_names_init(struct changes_names *n, struct session *s, struct err *e)
{
	*n = (struct changes_names){.session = s};
	if (scan_inodes(n, e) < 0 || scan_names(n, e) < 0)
		return -1;
	changes_names_sort(n);
	return 0;
}

void changes_names_fini(struct changes_names *n)
{
	str_fini(&n->text);
	free(n->marks.items);
	free(n->places.items);
	u64map_fini(&n->seen);
	u64map_fini(&n->linked);
}

size_t changes_names_first(const struct changes_names *n, uint64_t parent)
{
	size_t low = 0, high = n->marks.sorted;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (n->marks.items[middle].parent < parent)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t first_place(const struct changes_names *n, uint64_t ino)
{
	size_t low = 0, high = n->places.sorted;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (n->places.items[middle].ino < ino)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void changes_paths_fini(struct changes_paths *p)
{
	str_fini(&p->text);
	free(p->items);
}

/* Where a directory is: 1 with its parent and name, 0 nowhere, -1. */
static int place_of(struct changes_names *n, uint64_t dir, uint64_t *parent,
		    struct catalog_dirent *out, struct err *e)
{
	const size_t at = first_place(n, dir);

	if (at < n->places.sorted && n->places.items[at].ino == dir) {
		const struct changes_name *x = &n->places.items[at];
		*parent = x->parent;
		out->name_len = x->len;
		memcpy(out->name, text_of(n, x), x->len);
		return 1;
	}
	if (!session_is_lower(n->session, dir))
		return 0;
	const int found = lower_name(n, session_lower(dir), 0, parent, out, e);
	return found > 0 ? is_left(n, *parent, out, e) : found;
}

/* Puts the path of a directory in front of what `path` has from its end; the components are put
 * there backwards: 1, 0 the directory is gone, -1. */
static int climb(struct changes_names *n, uint64_t dir, struct changes_paths *parts, struct err *e)
{
	struct catalog_dirent de;
	uint64_t parent = 0;

	for (unsigned depth = 0; dir != SESSION_ROOT; depth++, dir = parent) {
		if (depth == LIMIT_DEPTH)
			return err_set(e, ERR_LIMIT, "directories nest deeper than %d",
				       LIMIT_DEPTH);
		const int found = place_of(n, dir, &parent, &de, e);
		if (found <= 0)
			return found;
		if (array_reserve(&parts->items, &parts->cap, parts->count + 1,
				  sizeof(*parts->items), e) < 0)
			return -1;
		parts->items[parts->count++] =
			(struct changes_name){.at = parts->text.len, .len = de.name_len};
		if (str_append(&parts->text, de.name, de.name_len, e) < 0)
			return -1;
	}
	return 1;
}

static int add_path(struct changes_paths *out, const struct changes_paths *parts, const char *name,
		    size_t len, struct err *e)
{
	const size_t start = out->text.len;

	for (size_t i = parts->count; i-- > 0;) {
		const struct changes_name *x = &parts->items[i];
		if (str_append(&out->text, parts->text.data + x->at, x->len, e) < 0 ||
		    str_append_c(&out->text, '/', e) < 0)
			return -1;
	}
	if (str_append(&out->text, name, len, e) < 0 ||
	    array_reserve(&out->items, &out->cap, out->count + 1, sizeof(*out->items), e) < 0)
		return -1;
	out->items[out->count++] = (struct changes_name){.at = start, .len = out->text.len - start};
	return 0;
}

static int add_name(struct changes_names *n, uint64_t parent, const char *name, size_t len,
		    struct changes_paths *out, struct err *e)
{
	SCOPE(changes_paths) struct changes_paths parts = CHANGES_PATHS_INIT;
	const int found = climb(n, parent, &parts, e);

	return found > 0 ? add_path(out, &parts, name, len, e) : found;
}

static int compare_paths(const void *a, const void *b, void *ctx)
{
	const struct changes_name *x = a, *y = b;
	const char *text = ((const struct changes_paths *)ctx)->text.data;

	return entry_path_compare(text + x->at, x->len, text + y->at, y->len);
}

static void sort_paths(struct changes_paths *p)
{
	if (p->count)
		qsort_r(p->items, p->count, sizeof(*p->items), compare_paths, p);
}

int changes_names_of(struct changes_names *n, uint64_t ino, struct changes_paths *out,
		     struct err *e)
{
	struct catalog_dirent lower;
	uint64_t parent;
	int r = 0;

	for (size_t i = first_place(n, ino); i < n->places.sorted; i++) {
		const struct changes_name *x = &n->places.items[i];
		if (x->ino != ino)
			break;
		if (add_name(n, x->parent, text_of(n, x), x->len, out, e) < 0)
			return -1;
	}
	const bool is_lower = session_is_lower(n->session, ino);
	for (uint32_t at = 0; is_lower; at++) {
		r = lower_name(n, session_lower(ino), at, &parent, &lower, e);
		if (r <= 0)
			break;
		r = is_left(n, parent, &lower, e);
		if (r > 0)
			r = add_name(n, parent, lower.name, lower.name_len, out, e);
		if (r < 0)
			break;
	}
	sort_paths(out);
	return r < 0 ? -1 : 0;
}

int changes_names_lower(struct changes_names *n, uint32_t inode, struct changes_paths *out,
			struct err *e)
{
	struct view *base = n->session->base;
	struct catalog_dirent lower;
	uint64_t parent;
	int r;

	for (uint32_t at = 0; (r = lower_name(n, inode, at, &parent, &lower, e)) > 0; at++) {
		SCOPE(str) struct str path = STR_INIT;
		/* Which begins, and for the root ends, with "/". */
		if (VIEW_RETRY(base, e,
			       (str_truncate(&path, 0),
				catalog_path(view_catalog(base), session_lower(parent), &path,
					     e))) < 0)
			return -1;
		struct changes_name part = {.at = 1, .len = path.len - 1};
		const struct changes_paths dir = {path, &part, path.len > 1, 0};
		if (add_path(out, &dir, lower.name, lower.name_len, e) < 0)
			return -1;
	}
	sort_paths(out);
	return r;
}

/* Calls `step` for each component of a path: 1, 0 when one is not there, -1. */
static int each_component(const char *path, size_t len,
			  int (*step)(void *ctx, const char *name, size_t len, struct err *e),
			  void *ctx, struct err *e)
{
	size_t start = 0;

	while (start < len) {
		const char *slash = memchr(path + start, '/', len - start);
		const size_t end = slash ? (size_t)(slash - path) : len;
		const int r = step(ctx, path + start, end - start, e);
		if (r <= 0)
			return r;
		start = end + 1;
	}
	return 1;
}

struct finding {
	struct session *session;
	uint64_t ino;
};

static int step_down(void *ctx, const char *name, size_t len, struct err *e)
{
	struct finding *f = ctx;
	struct session_inode in;

	if (session_load(f->session, f->ino, &in, e) < 0)
		return -1;
	return S_ISDIR(in.mode) ? session_find(f->session, f->ino, name, len, &f->ino, e) : 0;
}

int changes_find(struct session *s, const char *path, size_t len, uint64_t *ino, struct err *e)
{
	struct finding f = {s, SESSION_ROOT};
	const int r = each_component(path, len, step_down, &f, e);

	*ino = f.ino;
	return r;
}

static int step_lower(void *ctx, const char *name, size_t len, struct err *e)
{
	struct finding *f = ctx;
	struct view *base = f->session->base;
	const uint32_t dir = session_lower(f->ino);
	struct catalog_stat st;
	uint32_t inode = 0;

	if (VIEW_RETRY(base, e, catalog_stat(view_catalog(base), dir, &st, e)) < 0)
		return -1;
	if (!S_ISDIR(st.mode))
		return 0;
	const int r =
		VIEW_RETRY(base, e, catalog_lookup(view_catalog(base), dir, name, len, &inode, e));
	f->ino = (uint64_t)inode + 1;
	return r;
}

int changes_find_lower(struct session *s, const char *path, size_t len, uint32_t *inode,
		       struct err *e)
{
	struct finding f = {s, SESSION_ROOT};
	const int r = each_component(path, len, step_lower, &f, e);

	*inode = session_lower(f.ino);
	return r;
}
