/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files with several names, in a layer.
 *
 * A file need not be told when the base has, under all its names, one file that is the same.  If
 * any name is new, or anything differs, all names are told: the first in the order of the layer is
 * the file, the others are links to it.
 *
 * Several files of the session can each be the same as one of the base, whose names were parted:
 * one was removed and made anew.  Only one of them can stay the base's; that is the one that has
 * the first of its names, so that it does not matter which of them was made anew.
 */
#include <string.h>

#include "base/array.h"
#include "fs/changes_private.h"

void changes_links_init(struct changes_links *l, struct changes_names *n, struct changes_compare *c)
{
	*l = (struct changes_links){.names = n, .compare = c};
}

void changes_links_fini(struct changes_links *l)
{
	u64map_fini(&l->groups);
	u64map_fini(&l->claims);
	str_fini(&l->text);
	free(l->items);
}

/* What the base has under all these names, when that is one file: 1, 0, -1. */
static int find_common(struct changes_links *l, const struct changes_paths *names, uint32_t *out,
		       struct err *e)
{
	uint32_t inode = CHANGES_NONE;

	for (size_t i = 0; i < names->count; i++) {
		const struct changes_name *x = &names->items[i];
		const int found = changes_find_lower(l->names->session, names->text.data + x->at,
						     x->len, &inode, e);
		if (found <= 0)
			return found;
		if (i > 0 && inode != *out)
			return 0;
		*out = inode;
	}
	return names->count > 0;
}

static int find_kept(struct changes_links *l, const struct session_inode *in,
		     const struct changes_paths *names, uint32_t *kept, struct err *e)
{
	struct view *base = l->names->session->base;
	struct catalog_stat st;
	uint32_t inode = 0;
	unsigned what = 0;

	*kept = CHANGES_NONE;
	const int found = find_common(l, names, &inode, e);
	if (found <= 0)
		return found;
	if (VIEW_RETRY(base, e, catalog_stat(view_catalog(base), inode, &st, e)) < 0 ||
	    changes_compare(l->compare, in, inode, &st, &what, e) < 0)
		return -1;
	if (!what)
		*kept = inode;
	return 0;
}

/* All names of a file that is at `path`. */
static int find_names(struct changes_links *l, const struct session_inode *in, const char *path,
		      size_t len, struct changes_paths *out, struct err *e)
{
	if (in->nlink > 1)
		return changes_names_of(l->names, in->ino, out, e);
	if (array_reserve(&out->items, &out->cap, 1, sizeof(*out->items), e) < 0 ||
	    str_append(&out->text, path, len, e) < 0)
		return -1;
	out->items[0] = (struct changes_name){.len = len};
	out->count = 1;
	return 0;
}

/* A group of which it is not known yet whether it is told. */
static struct changes_group *make(struct changes_links *l, const struct session_inode *in,
				  const char *path, size_t len, struct err *e)
{
	SCOPE(changes_paths) struct changes_paths names = CHANGES_PATHS_INIT;
	struct changes_group g = {.ino = in->ino, .at = l->text.len};

	if (find_names(l, in, path, len, &names, e) < 0 || find_kept(l, in, &names, &g.kept, e) < 0)
		return NULL;
	if (names.count) {
		const struct changes_name *first = &names.items[0];
		g.len = first->len;
		if (str_append(&l->text, names.text.data + first->at, first->len, e) < 0)
			return NULL;
	}
	if (array_reserve(&l->items, &l->cap, l->count + 1, sizeof(*l->items), e) < 0 ||
	    u64map_put(&l->groups, in->ino, l->count + 1, e) < 0)
		return NULL;
	l->items[l->count] = g;
	return &l->items[l->count++];
}

static struct changes_group *get(struct changes_links *l, const struct session_inode *in,
				 const char *path, size_t len, struct err *e)
{
	const uint64_t *at = u64map_get(&l->groups, in->ino);

	return at ? &l->items[*at - 1] : make(l, in, path, len, e);
}

/* The file of the session that stays the base's `inode`. */
static int find_claim(struct changes_links *l, uint32_t inode, uint64_t *out, struct err *e)
{
	SCOPE(changes_paths) struct changes_paths names = CHANGES_PATHS_INIT;
	struct session *s = l->names->session;
	struct session_inode in;
	uint64_t ino;

	if (changes_names_lower(l->names, inode, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		const struct changes_name *x = &names.items[i];
		const char *path = names.text.data + x->at;
		const int found = changes_find(s, path, x->len, &ino, e);
		if (found < 0)
			return -1;
		if (!found)
			continue;
		if (session_load(s, ino, &in, e) < 0)
			return -1;
		const struct changes_group *g =
			S_ISDIR(in.mode) ? NULL : get(l, &in, path, x->len, e);
		if (!g && e->code)
			return -1;
		if (!g || g->kept != inode)
			continue;
		*out = ino;
		return 0;
	}
	return err_set(e, ERR_FORMAT, "the session's database is damaged: names of inode %lu",
		       (unsigned long)inode + 1);
}

static int claim(struct changes_links *l, uint32_t inode, uint64_t *out, struct err *e)
{
	const uint64_t *known = u64map_get(&l->claims, (uint64_t)inode + 1);

	if (known) {
		*out = *known;
		return 0;
	}
	if (find_claim(l, inode, out, e) < 0)
		return -1;
	return u64map_put(&l->claims, (uint64_t)inode + 1, *out, e);
}

const struct changes_group *changes_links_get(struct changes_links *l,
					      const struct session_inode *in, const char *path,
					      size_t len, struct err *e)
{
	struct changes_group *g = get(l, in, path, len, e);
	uint64_t owner = 0;

	if (!g)
		return NULL;
	const size_t at = (size_t)(g - l->items);
	if (g->kept != CHANGES_NONE && claim(l, g->kept, &owner, e) < 0)
		return NULL;
	g = &l->items[at]; /* there may be more of them now */
	g->is_told = owner != in->ino;
	return g;
}
