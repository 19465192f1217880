/* SPDX-License-Identifier: Apache-2.0 */
/* What hangs on a catalog's inode: link target, xattrs, and where its content is. */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "image/catalog.h"
#include "image/catalog_read.h"

enum { VALUE_PIECE = 4096 /* bytes of two xattrs' values that are compared at once */ };

int catalog_readlink(const struct catalog *c, uint32_t inode, char out[static LIMIT_SYMLINK],
		     size_t *len, struct err *e)
{
	struct catalog_inode i;

	if (catalog_inode_get_kind(c, inode, S_IFLNK, &i, e) < 0 ||
	    catalog_fetch(c, CATALOG_TARGETS, i.where, out, (size_t)i.size, e) < 0)
		return -1;
	if (memchr(out, '\0', (size_t)i.size))
		return catalog_malformed("a symlink's target", e);
	*len = (size_t)i.size;
	return 0;
}

int catalog_xattr_start(const struct catalog *c, const struct catalog_inode *i,
			struct catalog_xattr_cursor *out, struct err *e)
{
	uint8_t head[CATALOG_XATTR_HEAD];
	uint32_t size;

	*out = (struct catalog_xattr_cursor){0};
	if (i->xattrs == CATALOG_NONE)
		return 0;
	out->offset = (uint64_t)i->xattrs * CATALOG_XATTR_UNIT;
	if (catalog_fetch(c, CATALOG_XATTRS, out->offset, head, sizeof(head), e) < 0)
		return -1;
	catalog_unpack_xattr(head, &out->left, &size);
	out->offset += sizeof(head);
	out->end = out->offset + size;
	/* Each member has a head and a byte of name, so this bounds every walk. */
	if (out->left > size / (CATALOG_XATTR_HEAD + 1) || out->left > LIMIT_XATTRS ||
	    size - (uint64_t)out->left * CATALOG_XATTR_HEAD > LIMIT_XATTRS)
		return catalog_malformed("the size of an inode's xattrs", e);
	return 0;
}

int catalog_xattr_next(const struct catalog *c, struct catalog_xattr_cursor *at, struct err *e)
{
	uint8_t head[CATALOG_XATTR_HEAD];
	uint32_t name_len;
	uint32_t value_len;

	if (at->left == 0)
		return at->offset == at->end ? 0 : catalog_malformed("bytes after xattrs", e);
	if (catalog_fetch(c, CATALOG_XATTRS, at->offset, head, sizeof(head), e) < 0)
		return -1;
	catalog_unpack_xattr(head, &name_len, &value_len);
	at->value_offset = at->offset + sizeof(head) + name_len;
	if (name_len == 0 || name_len > LIMIT_XATTR_NAME || value_len > LIMIT_XATTR_VALUE ||
	    at->value_offset + value_len > at->end)
		return catalog_malformed("the size of an xattr", e);
	if (catalog_fetch(c, CATALOG_XATTRS, at->offset + sizeof(head), at->name, name_len, e) < 0)
		return -1;
	if (memchr(at->name, '\0', name_len))
		return catalog_malformed("the name of an xattr", e);
	at->name[name_len] = '\0';
	at->name_len = name_len;
	at->value_len = value_len;
	at->offset = at->value_offset + value_len;
	at->left--;
	return 1;
}

int catalog_getxattr(const struct catalog *c, uint32_t inode, const char *name, void *buf,
		     size_t size, size_t *len, struct err *e)
{
	struct catalog_inode i;
	struct catalog_xattr_cursor at;
	int found;

	if (catalog_inode_get(c, inode, &i, e) < 0 || catalog_xattr_start(c, &i, &at, e) < 0)
		return -1;
	while ((found = catalog_xattr_next(c, &at, e)) == 1) {
		if (strcmp(at.name, name) != 0)
			continue;
		if (at.value_len <= size &&
		    catalog_fetch(c, CATALOG_XATTRS, at.value_offset, buf, at.value_len, e) < 0)
			return -1;
		*len = at.value_len;
		return 1;
	}
	return found;
}

int catalog_listxattr(const struct catalog *c, uint32_t inode, char *buf, size_t size, size_t *len,
		      struct err *e)
{
	struct catalog_inode i;
	struct catalog_xattr_cursor at;
	size_t total = 0;
	int found;

	if (catalog_inode_get(c, inode, &i, e) < 0 || catalog_xattr_start(c, &i, &at, e) < 0)
		return -1;
	while ((found = catalog_xattr_next(c, &at, e)) == 1) {
		const size_t need = at.name_len + 1;
		if (total <= size && need <= size - total)
			memcpy(buf + total, at.name, need);
		total += need;
	}
	if (found < 0)
		return -1;
	*len = total;
	return 0;
}

/* The next xattr of an inode. */
struct xattr_place {
	const struct catalog *catalog;
	struct catalog_xattr_cursor at;
};

static int start_xattrs(struct xattr_place *p, uint32_t inode, struct err *e)
{
	struct catalog_inode i;

	if (catalog_inode_get(p->catalog, inode, &i, e) < 0)
		return -1;
	return catalog_xattr_start(p->catalog, &i, &p->at, e);
}

static int fetch_value(const struct xattr_place *p, size_t offset, uint8_t *out, size_t len,
		       struct err *e)
{
	return catalog_fetch(p->catalog, CATALOG_XATTRS, p->at.value_offset + offset, out, len, e);
}

/* Of two values of one length, in pieces: 1 the same, 0 not, -1. */
static int compare_values(const struct xattr_place *a, const struct xattr_place *b, struct err *e)
{
	uint8_t x[VALUE_PIECE], y[VALUE_PIECE];
	const size_t size = a->at.value_len;

	for (size_t done = 0; done < size; done += VALUE_PIECE) {
		const size_t len = size - done < VALUE_PIECE ? size - done : VALUE_PIECE;
		if (fetch_value(a, done, x, len, e) < 0 || fetch_value(b, done, y, len, e) < 0)
			return -1;
		if (memcmp(x, y, len) != 0)
			return 0;
	}
	return 1;
}

int catalog_same_xattrs(const struct catalog *a, uint32_t inode_a, const struct catalog *b,
			uint32_t inode_b, struct err *e)
{
	struct xattr_place x = {.catalog = a}, y = {.catalog = b};

	if (start_xattrs(&x, inode_a, e) < 0 || start_xattrs(&y, inode_b, e) < 0)
		return -1;
	for (;;) {
		const int found = catalog_xattr_next(a, &x.at, e);
		const int other = found < 0 ? -1 : catalog_xattr_next(b, &y.at, e);
		if (other < 0)
			return -1;
		if (found == 0 || other == 0)
			return found == other;
		/* Both are sorted by name. */
		if (strcmp(x.at.name, y.at.name) != 0 || x.at.value_len != y.at.value_len)
			return 0;
		const int same = compare_values(&x, &y, e);
		if (same != 1)
			return same;
	}
}

/* The layer that a file's content is in; its stream holds [tar_offset, tar_offset + length). */
static int check_in_layer(const struct catalog *c, uint32_t layer, uint64_t tar_offset,
			  uint64_t length, struct err *e)
{
	uint64_t end;

	if (layer >= c->header.layer_count || add_overflows(tar_offset, length, &end) ||
	    end > c->layers[layer].tar_size)
		return catalog_malformed("content outside of its layer", e);
	return 0;
}

int catalog_extent_get(const struct catalog *c, const struct catalog_inode *i, uint32_t at,
		       struct extent *out, struct err *e)
{
	const uint64_t number = (i->where & UINT32_MAX) + at;
	uint8_t bytes[CATALOG_EXTENT_SIZE];

	if (catalog_fetch(c, CATALOG_EXTENTS, number * CATALOG_EXTENT_SIZE, bytes, sizeof(bytes),
			  e) < 0)
		return -1;
	catalog_unpack_extent(bytes, out);
	if (out->length == 0 || out->file_offset > i->size ||
	    out->length > i->size - out->file_offset)
		return catalog_malformed("an extent outside of its file", e);
	return check_in_layer(c, i->layer, out->tar_offset, out->length, e);
}

/* How many extents start at or before `offset`. */
static int count_before(const struct catalog *c, const struct catalog_inode *i, uint64_t offset,
			uint32_t count, uint32_t *out, struct err *e)
{
	uint32_t first = 0;

	while (count > 0) {
		const uint32_t half = count / 2;
		struct extent x;
		if (catalog_extent_get(c, i, first + half, &x, e) < 0)
			return -1;
		if (x.file_offset <= offset) {
			first += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	*out = first;
	return 0;
}

static int range_by_extents(const struct catalog *c, const struct catalog_inode *i, uint64_t offset,
			    struct catalog_range *out, struct err *e)
{
	const uint32_t count = (uint32_t)(i->where >> 32);
	struct extent x;
	uint32_t before;

	if (count_before(c, i, offset, count, &before, e) < 0)
		return -1;
	if (before > 0) {
		if (catalog_extent_get(c, i, before - 1, &x, e) < 0)
			return -1;
		const uint64_t into = offset - x.file_offset;
		if (into < x.length) {
			*out = (struct catalog_range){
				.layer = i->layer,
				.tar_offset = x.tar_offset + into,
				.length = x.length - into,
			};
			return 0;
		}
	}
	uint64_t end = i->size;
	if (before < count) {
		if (catalog_extent_get(c, i, before, &x, e) < 0)
			return -1;
		end = x.file_offset;
	}
	if (end <= offset)
		return catalog_malformed("the order of extents", e);
	*out = (struct catalog_range){.is_hole = true, .length = end - offset};
	return 0;
}

int catalog_range(const struct catalog *c, uint32_t inode, uint64_t offset,
		  struct catalog_range *out, struct err *e)
{
	struct catalog_inode i;

	if (catalog_inode_get_kind(c, inode, S_IFREG, &i, e) < 0)
		return -1;
	if (offset >= i.size) {
		*out = (struct catalog_range){0};
		return 0;
	}
	if (i.flags & CATALOG_HAS_EXTENTS)
		return range_by_extents(c, &i, offset, out, e);
	if (check_in_layer(c, i.layer, i.where, i.size, e) < 0)
		return -1;
	*out = (struct catalog_range){
		.layer = i.layer,
		.tar_offset = i.where + offset,
		.length = i.size - offset,
	};
	return 0;
}

static const struct catalog_layer_record *get_layer(const struct catalog *c, uint32_t layer,
						    struct err *e)
{
	if (layer < c->header.layer_count)
		return &c->layers[layer];
	err_set(e, ERR_NOT_FOUND, "the catalog has no layer %" PRIu32, layer);
	return NULL;
}

int catalog_frame_number(const struct catalog *c, uint32_t layer, uint32_t number,
			 struct frame *out, struct err *e)
{
	const struct catalog_layer_record *l = get_layer(c, layer, e);
	uint8_t bytes[CATALOG_FRAME_SIZE];
	struct frame f;
	uint64_t end;

	if (!l)
		return -1;
	if (number >= l->layer.frame_count)
		return err_set(e, ERR_NOT_FOUND, "layer %" PRIu32 " has no frame %" PRIu32, layer,
			       number);
	if (catalog_fetch(c, CATALOG_FRAMES, (l->first_frame + number) * CATALOG_FRAME_SIZE, bytes,
			  sizeof(bytes), e) < 0)
		return -1;
	catalog_unpack_frame(bytes, &f);
	if (f.length == 0 || f.length > LIMIT_FRAME || f.blob_length == 0 ||
	    add_overflows(f.blob_offset, f.blob_length, &end) || end > INT64_MAX)
		return catalog_malformed("the size of a frame", e);
	if (check_in_layer(c, layer, f.tar_offset, f.length, e) < 0)
		return -1;
	*out = f;
	return 0;
}

int catalog_frame(const struct catalog *c, uint32_t layer, uint64_t tar_offset, uint32_t *number,
		  struct frame *out, struct err *e)
{
	const struct catalog_layer_record *l = get_layer(c, layer, e);

	if (!l)
		return -1;
	if (tar_offset >= l->tar_size)
		return err_set(e, ERR_NOT_FOUND, "layer %" PRIu32 " has no byte %" PRIu64, layer,
			       tar_offset);

	uint32_t first = 0;
	uint32_t count = (uint32_t)l->layer.frame_count;
	while (count > 0) {
		const uint32_t half = count / 2;
		struct frame f = {0};
		if (catalog_frame_number(c, layer, first + half, &f, e) < 0)
			return -1;
		if (tar_offset < f.tar_offset) {
			count = half;
		} else if (tar_offset - f.tar_offset >= f.length) {
			first += half + 1;
			count -= half + 1;
		} else {
			*number = first + half;
			*out = f;
			return 0;
		}
	}
	return catalog_malformed("a gap between frames", e);
}
