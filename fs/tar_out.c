/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/tar_out.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/link_table.h"
#include "base/quote.h"
#include "base/str.h"

enum { MODE_BITS = 07777 };

/* A directory whose names are being written. */
struct level {
	uint32_t inode;
	uint64_t at; /* the next of its names */
	size_t path_len;
};

struct walk {
	struct view *v;
	struct tar_archive *to;
	struct progress *progress;
	struct level *levels;
	size_t depth;
	struct str path; /* of the current member */
	struct link_table links;
	struct str names, values; /* of the current member's xattrs */
	struct xattr *xattrs;
	size_t xattr_count, xattr_cap;
	char target[LIMIT_SYMLINK];
};

/* Appends the value of an xattr to `values`; `out` has its length. */
static int read_value(struct walk *w, uint32_t inode, struct xattr *out, struct err *e)
{
	const size_t before = w->values.len;

	if (str_reserve(&w->values, LIMIT_XATTR_VALUE, e) < 0)
		return -1;
	char *room = w->values.data + before;
	const int found = VIEW_RETRY(w->v, e,
				     catalog_getxattr(view_catalog(w->v), inode, out->name, room,
						      LIMIT_XATTR_VALUE, &out->value_len, e));
	if (found < 0)
		return -1;
	if (found == 0 || out->value_len > LIMIT_XATTR_VALUE)
		return err_set(e, ERR_FORMAT, "an extended attribute that is listed is not there");
	w->values.len += out->value_len;
	return 0;
}

/* NUL-terminated names, one after the other, into `names`. */
static int read_names(struct walk *w, uint32_t inode, struct err *e)
{
	size_t size = 0;

	str_truncate(&w->names, 0);
	if (VIEW_RETRY(w->v, e, catalog_listxattr(view_catalog(w->v), inode, NULL, 0, &size, e)) <
	    0)
		return -1;
	if (size == 0)
		return 0;
	if (str_reserve(&w->names, size, e) < 0)
		return -1;
	char *room = w->names.data;
	if (VIEW_RETRY(w->v, e,
		       catalog_listxattr(view_catalog(w->v), inode, room, size, &size, e)) < 0)
		return -1;
	w->names.len = size;
	return 0;
}

static int compare_xattrs(const void *a, const void *b)
{
	const struct xattr *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int read_xattrs(struct walk *w, uint32_t inode, struct entry *en, struct err *e)
{
	w->xattr_count = 0;
	str_truncate(&w->values, 0);
	if (read_names(w, inode, e) < 0)
		return -1;
	for (size_t at = 0; at < w->names.len;) {
		struct xattr x = {.name = w->names.data + at};
		x.name_len = strlen(x.name);
		if (array_reserve(&w->xattrs, &w->xattr_cap, w->xattr_count + 1, sizeof(x), e) <
			    0 ||
		    read_value(w, inode, &x, e) < 0)
			return -1;
		w->xattrs[w->xattr_count++] = x;
		at += x.name_len + 1;
	}
	/* The values lie still now. */
	for (size_t i = 0, at = 0; i < w->xattr_count; i++) {
		w->xattrs[i].value = w->values.data + at;
		at += w->xattrs[i].value_len;
	}
	if (w->xattr_count > 0)
		qsort(w->xattrs, w->xattr_count, sizeof(*w->xattrs), compare_xattrs);
	en->xattrs = w->xattrs;
	en->xattr_count = w->xattr_count;
	return 0;
}

/* 1: the inode was written under another name, and `en` is a link to that. */
static int make_hardlink(struct walk *w, uint32_t inode, struct entry *en, struct err *e)
{
	const struct file_id id = {.ino = inode};
	const struct link_name *first = link_table_get(&w->links, id);

	if (!first)
		return link_table_add(&w->links, id, id, en->path, en->path_len, e);
	en->kind = ENTRY_HARDLINK;
	en->link = first->path;
	en->link_len = first->path_len;
	en->size = 0;
	en->rdev_major = en->rdev_minor = 0;
	return 1;
}

static int put_data(struct walk *w, uint32_t inode, uint64_t size, struct err *e)
{
	for (uint64_t at = 0; at < size;) {
		struct view_span span;
		if (view_span(w->v, inode, at, SIZE_MAX, &span, e) < 0)
			return -1;
		/* A catalog that was made anew in the middle cannot say more than before either. */
		if (span.len == 0 || span.len > size - at) {
			view_span_put(w->v, &span);
			return err_set(e, ERR_FORMAT, "its size is another than it was");
		}
		at += span.len;
		const int r = span.bytes ? tar_archive_put(w->to, span.bytes, span.len, e)
					 : tar_archive_put_zeros(w->to, span.len, e);
		progress_add(w->progress, span.len);
		view_span_put(w->v, &span);
		if (r < 0)
			return -1;
	}
	return 0;
}

static int put_member(struct walk *w, uint32_t inode, const struct catalog_stat *st, struct err *e)
{
	char quoted[QUOTE_MAX];
	struct entry en = {
		.path = str_text(&w->path),
		.path_len = w->path.len,
		.mode = st->mode & MODE_BITS,
		.uid = st->uid,
		.gid = st->gid,
		.rdev_major = st->rdev_major,
		.rdev_minor = st->rdev_minor,
		.mtime = st->mtime,
		.mtime_nsec = st->mtime_nsec,
		.size = S_ISREG(st->mode) ? st->size : 0,
	};

	if (!entry_kind_of(st->mode, &en.kind))
		return err_set(e, ERR_FORMAT, "'%s' is of no kind that a tar can hold",
			       quote_str(quoted, en.path));
	const int is_link =
		!S_ISDIR(st->mode) && st->nlink > 1 ? make_hardlink(w, inode, &en, e) : 0;
	if (is_link < 0)
		return -1;
	if (is_link)
		return tar_archive_member(w->to, &en, e);
	if (en.kind == ENTRY_SYMLINK) {
		if (VIEW_RETRY(w->v, e,
			       catalog_readlink(view_catalog(w->v), inode, w->target, &en.link_len,
						e)) < 0)
			return -1;
		en.link = w->target;
	}
	if (read_xattrs(w, inode, &en, e) < 0 || tar_archive_member(w->to, &en, e) < 0)
		return -1;
	return put_data(w, inode, en.size, e);
}

/* An inode under the current path; a directory is entered. */
static int put_inode(struct walk *w, uint32_t inode, struct err *e)
{
	struct catalog_stat st;

	progress_name(w->progress, str_text(&w->path));
	if (VIEW_RETRY(w->v, e, catalog_stat(view_catalog(w->v), inode, &st, e)) < 0 ||
	    put_member(w, inode, &st, e) < 0)
		return -1;
	if (!S_ISDIR(st.mode))
		return 0;
	if (w->depth >= LIMIT_DEPTH)
		return err_set(e, ERR_LIMIT, "directories nest deeper than %d", LIMIT_DEPTH);
	w->levels[w->depth++] = (struct level){inode, 0, w->path.len};
	return 0;
}

/* The next name of the deepest directory: 1 done, 0 there are no more. */
static int step(struct walk *w, struct err *e)
{
	struct level *l = &w->levels[w->depth - 1];
	struct catalog_dirent de;

	str_truncate(&w->path, l->path_len);
	const int found =
		VIEW_RETRY(w->v, e, catalog_readdir(view_catalog(w->v), l->inode, l->at, &de, e));
	if (found <= 0)
		return found;
	l->at++;
	if ((w->path.len && str_append_c(&w->path, '/', e) < 0) ||
	    str_append(&w->path, de.name, de.name_len, e) < 0)
		return -1;
	return put_inode(w, de.inode, e) < 0 ? -1 : 1;
}

static int put_tree(struct walk *w, struct err *e)
{
	if (put_inode(w, CATALOG_ROOT, e) < 0)
		return -1;
	while (w->depth > 0) {
		const int more = step(w, e);
		if (more < 0)
			return -1;
		w->depth -= more == 0;
	}
	return 0;
}

int tar_out(struct view *v, struct tar_archive *to, struct progress *progress, struct err *e)
{
	struct walk w = {.v = v, .to = to, .progress = progress};
	char quoted[QUOTE_MAX];
	int r = -1;

	w.levels = array_new(LIMIT_DEPTH, sizeof(*w.levels), e);
	if (w.levels)
		r = put_tree(&w, e);
	if (r < 0)
		err_wrap(e, "'/%s'", quote_bytes(quoted, str_text(&w.path), w.path.len));
	free(w.levels);
	free(w.xattrs);
	link_table_fini(&w.links);
	str_fini(&w.path);
	str_fini(&w.names);
	str_fini(&w.values);
	return r;
}
