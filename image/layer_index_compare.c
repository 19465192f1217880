/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layer_index.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/quote.h"

static int differ(const char *what, const struct entry *en, struct err *e)
{
	char quoted[QUOTE_MAX];

	return err_set(e, ERR_FORMAT, "the layer index has another %s for '%s' than its layer",
		       what, quote_bytes(quoted, en->path, en->path_len));
}

static bool same_bytes(const void *a, size_t a_len, const void *b, size_t b_len)
{
	return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

static bool same_xattrs(const struct entry *a, const struct entry *b)
{
	if (a->xattr_count != b->xattr_count)
		return false;
	for (size_t i = 0; i < a->xattr_count; i++) {
		const struct xattr *x = &a->xattrs[i], *y = &b->xattrs[i];
		if (!same_bytes(x->name, x->name_len, y->name, y->name_len) ||
		    !same_bytes(x->value, x->value_len, y->value, y->value_len))
			return false;
	}
	return true;
}

static bool same_extents(const struct entry *a, const struct entry *b)
{
	if (a->extent_count != b->extent_count)
		return false;
	for (size_t i = 0; i < a->extent_count; i++) {
		const struct extent *x = &a->extents[i], *y = &b->extents[i];
		if (x->file_offset != y->file_offset || x->tar_offset != y->tar_offset ||
		    x->length != y->length)
			return false;
	}
	return true;
}

static int compare_entries(const struct entry *a, const struct entry *b, struct err *e)
{
	if (!same_bytes(a->path, a->path_len, b->path, b->path_len))
		return differ("path", a, e);
	if (a->kind != b->kind)
		return differ("kind", a, e);
	if (!same_bytes(a->link, a->link_len, b->link, b->link_len))
		return differ("link target", a, e);
	if (a->mode != b->mode)
		return differ("mode", a, e);
	if (a->uid != b->uid || a->gid != b->gid)
		return differ("owner", a, e);
	if (a->rdev_major != b->rdev_major || a->rdev_minor != b->rdev_minor)
		return differ("device number", a, e);
	if (a->mtime != b->mtime || a->mtime_nsec != b->mtime_nsec)
		return differ("time", a, e);
	if (a->size != b->size)
		return differ("size", a, e);
	if (a->data_offset != b->data_offset || a->data_size != b->data_size)
		return differ("place of the content", a, e);
	if (!same_extents(a, b))
		return differ("map of holes", a, e);
	if (!same_xattrs(a, b))
		return differ("set of extended attributes", a, e);
	return 0;
}

int layer_index_same_tree(const struct layer_index *a, const struct layer_index *b, struct err *e)
{
	const struct digest a_id = layer_index_diff_id(a), b_id = layer_index_diff_id(b);
	const size_t a_count = layer_index_entry_count(a), b_count = layer_index_entry_count(b);
	SCOPE(entry_scratch) struct entry_scratch a_scratch = ENTRY_SCRATCH_INIT;
	SCOPE(entry_scratch) struct entry_scratch b_scratch = ENTRY_SCRATCH_INIT;

	if (!digest_equal(&a_id, &b_id) || layer_index_tar_size(a) != layer_index_tar_size(b))
		return err_set(e, ERR_FORMAT, "the layer index is of another tar stream");
	for (size_t i = 0; i < a_count && i < b_count; i++) {
		struct entry x, y;
		if (layer_index_entry(a, i, &a_scratch, &x, e) < 0 ||
		    layer_index_entry(b, i, &b_scratch, &y, e) < 0 ||
		    compare_entries(&x, &y, e) < 0)
			return -1;
	}
	if (a_count != b_count)
		return err_set(e, ERR_FORMAT, "the layer index has %zu entries, and its layer %zu",
			       a_count, b_count);
	return 0;
}
