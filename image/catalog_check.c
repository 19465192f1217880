/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A catalog is one exact function of a tree, so the check goes through the inodes in order and
 * counts along: every list has to start where the one before it ended, and in the end all sections
 * have to be used up.  That every inode is reached, and no directory twice, follows from the
 * numbering (image/catalog_plan.h).
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "image/catalog.h"
#include "image/catalog_read.h"

struct checker {
	const struct catalog *c;
	uint32_t *names_seen; /* by inode */
	uint32_t next_inode;  /* the number of the next inode that gets its first name */
	uint64_t next_dirent;
	uint64_t next_link;
	uint64_t next_extent;
	uint64_t name_end; /* bytes of the section */
	uint64_t target_end;
	uint64_t xattr_end;
	uint64_t content_size;
};

/* A name's inode: a new number, or a further name of a file. */
static int check_name_inode(struct checker *k, const struct catalog_dirent_record *d, struct err *e)
{
	struct catalog_inode child;

	if (catalog_inode_get(k->c, d->inode, &child, e) < 0)
		return -1;
	if ((child.mode & S_IFMT) >> CATALOG_TYPE_SHIFT != d->type)
		return catalog_malformed("a name's kind is not its inode's", e);
	if (d->inode > k->next_inode)
		return catalog_malformed("the order of inodes", e);
	if (d->inode < k->next_inode && S_ISDIR(child.mode))
		return catalog_malformed("a directory with two names", e);
	if (d->inode == k->next_inode)
		k->next_inode++;
	k->names_seen[d->inode]++;
	return S_ISDIR(child.mode);
}

static bool is_above(const char *a, size_t a_len, const char *b, size_t b_len)
{
	const int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order > 0 || (order == 0 && a_len > b_len);
}

static int check_dir(struct checker *k, uint32_t dir, const struct catalog_inode *i, struct err *e)
{
	uint32_t first;
	uint32_t count;
	uint64_t nlink = 2;
	char before[LIMIT_NAME];
	size_t before_len = 0;

	if (catalog_dirents_of(i, k->c, &first, &count, e) < 0)
		return -1;
	if (first != k->next_dirent || i->size != 0)
		return catalog_malformed("the names of a directory", e);
	k->next_dirent += count;
	for (uint32_t at = 0; at < count; at++) {
		struct catalog_dirent_record d;
		char name[LIMIT_NAME];

		if (catalog_dirent_get(k->c, first + at, &d, e) < 0 ||
		    catalog_dirent_name(k->c, &d, name, e) < 0)
			return -1;
		if (d.parent != dir || d.name_offset != k->name_end ||
		    !is_above(name, d.name_len, before, before_len))
			return catalog_malformed("the order of a directory's names", e);
		k->name_end += d.name_len;
		memcpy(before, name, d.name_len);
		before_len = d.name_len;
		const int is_dir = check_name_inode(k, &d, e);
		if (is_dir < 0)
			return -1;
		nlink += (unsigned)is_dir;
	}
	return nlink == i->nlink ? 0 : catalog_malformed("a directory's link count", e);
}

static int check_file(struct checker *k, uint32_t inode, const struct catalog_inode *i,
		      struct err *e)
{
	const uint32_t count = (uint32_t)(i->where >> 32);
	uint64_t end = 0;
	uint64_t data_bytes = 0;

	if (add_overflows(k->content_size, i->size, &k->content_size))
		k->content_size = UINT64_MAX;
	if (!(i->flags & CATALOG_HAS_EXTENTS)) {
		struct catalog_range r;
		if (i->data_bytes != i->size)
			return catalog_malformed("a file's bytes of data", e);
		return catalog_range(k->c, inode, 0, &r, e);
	}
	if ((i->where & UINT32_MAX) != k->next_extent)
		return catalog_malformed("the extents of a file", e);
	k->next_extent += count;
	for (uint32_t at = 0; at < count; at++) {
		struct extent x;
		if (catalog_extent_get(k->c, i, at, &x, e) < 0)
			return -1;
		if (x.file_offset < end)
			return catalog_malformed("the order of extents", e);
		end = x.file_offset + x.length;
		data_bytes += x.length;
	}
	return data_bytes == i->data_bytes ? 0 : catalog_malformed("a file's bytes of data", e);
}

static int check_symlink(struct checker *k, uint32_t inode, const struct catalog_inode *i,
			 struct err *e)
{
	char target[LIMIT_SYMLINK];
	size_t len;

	if (i->where != k->target_end)
		return catalog_malformed("the order of symlink targets", e);
	k->target_end += i->size;
	return catalog_readlink(k->c, inode, target, &len, e);
}

static int check_kind(struct checker *k, uint32_t inode, const struct catalog_inode *i,
		      struct err *e)
{
	if (S_ISDIR(i->mode))
		return check_dir(k, inode, i, e);
	if (S_ISREG(i->mode))
		return check_file(k, inode, i, e);
	if (S_ISLNK(i->mode))
		return check_symlink(k, inode, i, e);
	return i->size == 0 ? 0 : catalog_malformed("the size of a special file", e);
}

static int check_xattrs(struct checker *k, const struct catalog_inode *i, struct err *e)
{
	struct catalog_xattr_cursor at;
	char before[LIMIT_XATTR_NAME + 1] = "";
	int found;

	if (i->xattrs == CATALOG_NONE)
		return 0;
	const uint64_t start = (uint64_t)i->xattrs * CATALOG_XATTR_UNIT;
	if (start > k->xattr_end)
		return catalog_malformed("the order of xattrs", e);
	if (catalog_xattr_start(k->c, i, &at, e) < 0)
		return -1;
	const uint64_t end = at.end;
	while ((found = catalog_xattr_next(k->c, &at, e)) == 1) {
		if (strcmp(at.name, before) <= 0)
			return catalog_malformed("the order of an inode's xattrs", e);
		memcpy(before, at.name, at.name_len + 1);
	}
	if (found < 0)
		return -1;
	if (start == k->xattr_end)
		k->xattr_end =
			(end + CATALOG_XATTR_UNIT - 1) / CATALOG_XATTR_UNIT * CATALOG_XATTR_UNIT;
	return 0;
}

/* The names of an inode, from its side. */
static int check_names(struct checker *k, uint32_t inode, const struct catalog_inode *i,
		       struct err *e)
{
	const bool is_linked = !S_ISDIR(i->mode) && i->nlink > 1;
	const uint32_t count = is_linked ? i->nlink : 1;
	uint32_t before = 0;

	if (inode == CATALOG_ROOT)
		return S_ISDIR(i->mode) && i->name == CATALOG_NONE
			       ? 0
			       : catalog_malformed("its root", e);
	if (is_linked && i->name != k->next_link)
		return catalog_malformed("the order of hardlinks", e);
	k->next_link += is_linked ? i->nlink : 0;
	for (uint32_t at = 0; at < count; at++) {
		struct catalog_dirent_record d;
		uint32_t dirent;
		const int found = catalog_dirent_of(k->c, inode, at, &dirent, &d, e);
		if (found < 0)
			return -1;
		if (found == 0 || (at > 0 && dirent <= before))
			return catalog_malformed("the names of a hardlinked inode", e);
		before = dirent;
	}
	return 0;
}

static int check_inodes(struct checker *k, struct err *e)
{
	const struct catalog *c = k->c;

	for (uint32_t inode = 0; inode < c->header.inode_count; inode++) {
		struct catalog_inode i;
		if (inode >= k->next_inode)
			return catalog_malformed("an inode without a name", e);
		if (catalog_inode_get(c, inode, &i, e) < 0 || check_names(k, inode, &i, e) < 0 ||
		    check_kind(k, inode, &i, e) < 0 || check_xattrs(k, &i, e) < 0)
			return -1;
	}
	for (uint32_t inode = 1; inode < c->header.inode_count; inode++) {
		struct catalog_inode i;
		if (catalog_inode_get(c, inode, &i, e) < 0)
			return -1;
		if (!S_ISDIR(i.mode) && i.nlink != k->names_seen[inode])
			return catalog_malformed("a link count", e);
	}
	return 0;
}

static int check_used_up(const struct checker *k, struct err *e)
{
	const struct catalog_header *h = &k->c->header;
	const struct catalog_span *s = h->sections;

	if (k->next_inode != h->inode_count || k->next_dirent != h->dirent_count ||
	    k->name_end != s[CATALOG_NAMES].size || k->target_end != s[CATALOG_TARGETS].size ||
	    k->xattr_end != s[CATALOG_XATTRS].size ||
	    k->next_extent * CATALOG_EXTENT_SIZE != s[CATALOG_EXTENTS].size ||
	    k->next_link * CATALOG_LINK_SIZE != s[CATALOG_LINKS].size)
		return catalog_malformed("something belongs to no inode", e);
	if (k->content_size != h->content_size || (k->xattr_end > 0) != catalog_has_xattrs(k->c))
		return catalog_malformed("its totals", e);
	return 0;
}

static int check_frames(const struct catalog *c, struct err *e)
{
	for (uint32_t layer = 0; layer < c->header.layer_count; layer++) {
		const struct catalog_layer_record *l = &c->layers[layer];
		uint64_t end = 0;
		for (uint32_t at = 0; at < l->layer.frame_count; at++) {
			struct frame f;
			if (catalog_frame_number(c, layer, at, &f, e) < 0)
				return -1;
			if (f.tar_offset != end)
				return catalog_malformed("the order of frames", e);
			end += f.length;
		}
		if (end != l->tar_size)
			return catalog_malformed("frames do not make up their layer", e);
	}
	return 0;
}

int catalog_check(const struct catalog *c, struct err *e)
{
	struct checker k = {.c = c, .next_inode = 1};

	if (catalog_fetch_all(c, e) < 0)
		return -1;
	k.names_seen = array_new(c->header.inode_count, sizeof(*k.names_seen), e);
	if (!k.names_seen)
		return -1;
	int result = check_inodes(&k, e);
	if (result == 0)
		result = check_used_up(&k, e);
	if (result == 0)
		result = check_frames(c, e);
	free(k.names_seen);
	return result;
}
