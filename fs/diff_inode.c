/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/diff_inode.h"

#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/quote.h"

enum {
	PERMISSIONS = 07777,
	/* Files with several names whose comparison is remembered: a file with thousands of names
	 * is read once, and not once for each. */
	KNOWN_PAIRS = 4096,
};

/* Two files whose content was compared by reading. */
struct known_pair {
	uint32_t old, new;
	bool is_known, is_same;
};

/* What a range of a file is in. */
struct layer_class {
	uint32_t number; /* equal for layers of the same bytes */
	enum frame_encoding encoding;
};

struct diff_inodes {
	const struct diff_side *old, *new;
	const struct diff_options *opt;
	bool has_xattrs; /* either image, anywhere */
	struct layer_class *old_layers, *new_layers;
	struct known_pair *known;
};

int diff_side_fail(const struct diff_side *s, struct err *e)
{
	char q[QUOTE_MAX];

	return err_wrap(e, "in '%s'", quote_str(q, s->name));
}

int diff_side_stat(const struct diff_side *s, uint32_t inode, struct catalog_stat *out,
		   struct err *e)
{
	if (VIEW_RETRY(s->view, e, catalog_stat(view_catalog(s->view), inode, out, e)) < 0)
		return diff_side_fail(s, e);
	return 0;
}

/* The index has to be the same, too: it says what lies where in the blob, and a manifest that
 * nobody has proven may name another one for the same blob. */
static bool is_same_layer(const struct catalog_layer *a, const struct catalog_layer *b)
{
	return digest_equal(&a->blob, &b->blob) && digest_equal(&a->index, &b->index);
}

/* The layers of one image, after the `before` ones of the other. */
static int read_layers(const struct diff_side *s, struct catalog_layer *all, size_t before,
		       struct layer_class *out, struct err *e)
{
	const size_t count = catalog_layer_count(view_catalog(s->view));

	for (size_t i = 0; i < count; i++) {
		struct catalog_layer *l = &all[before + i];
		if (catalog_layer(view_catalog(s->view), i, l, e) < 0)
			return diff_side_fail(s, e);
		uint32_t number = 0;
		while (!is_same_layer(&all[number], l))
			number++;
		out[i] = (struct layer_class){number, l->encoding};
	}
	return 0;
}

static int classify_layers(struct diff_inodes *d, struct err *e)
{
	const size_t old = catalog_layer_count(view_catalog(d->old->view));
	const size_t new = catalog_layer_count(view_catalog(d->new->view));
	SCOPE_FREE struct catalog_layer *all = array_new(old + new, sizeof(*all), e);

	if (!all)
		return -1;
	d->old_layers = array_new(old, sizeof(*d->old_layers), e);
	if (!d->old_layers)
		return -1;
	d->new_layers = array_new(new, sizeof(*d->new_layers), e);
	if (!d->new_layers || read_layers(d->old, all, 0, d->old_layers, e) < 0 ||
	    read_layers(d->new, all, old, d->new_layers, e) < 0)
		return -1;
	return 0;
}

struct diff_inodes *diff_inodes_new(const struct diff_side *old, const struct diff_side *new,
				    const struct diff_options *opt, struct err *e)
{
	SCOPE(diff_inodes) struct diff_inodes *d = array_new(1, sizeof(*d), e);

	if (!d)
		return NULL;
	d->old = old;
	d->new = new;
	d->opt = opt;
	d->has_xattrs = catalog_has_xattrs(view_catalog(old->view)) ||
			catalog_has_xattrs(view_catalog(new->view));
	d->known = array_new(KNOWN_PAIRS, sizeof(*d->known), e);
	if (!d->known || classify_layers(d, e) < 0)
		return NULL;
	return steal_ptr(&d);
}

void diff_inodes_free(struct diff_inodes *d)
{
	if (!d)
		return;
	free(d->old_layers);
	free(d->new_layers);
	free(d->known);
	free(d);
}

/* A range of a file in one of the images. */
struct part {
	const struct diff_side *side;
	const struct layer_class *layers;
	uint32_t inode;
	struct catalog_range range;
};

static int find_range(struct part *p, uint64_t at, struct err *e)
{
	struct view *v = p->side->view;

	if (VIEW_RETRY(v, e, catalog_range(view_catalog(v), p->inode, at, &p->range, e)) < 0)
		return diff_side_fail(p->side, e);
	return 0;
}

static int find_frame(const struct part *p, struct frame *out, struct err *e)
{
	struct view *v = p->side->view;
	uint32_t number;

	if (VIEW_RETRY(v, e,
		       catalog_frame(view_catalog(v), p->range.layer, p->range.tar_offset, &number,
				     out, e)) < 0)
		return diff_side_fail(p->side, e);
	return 0;
}

/* Both are the same offset of frames with the same bytes: 1 and what is left of the frame. */
static int in_same_frame(const struct part *a, const struct part *b, uint64_t *left, struct err *e)
{
	struct frame x, y;

	if (a->layers[a->range.layer].encoding != b->layers[b->range.layer].encoding)
		return 0;
	if (find_frame(a, &x, e) < 0 || find_frame(b, &y, e) < 0)
		return -1;
	const uint64_t into = a->range.tar_offset - x.tar_offset;
	if (x.length != y.length || x.blob_length != y.blob_length ||
	    b->range.tar_offset - y.tar_offset != into ||
	    memcmp(x.sha256, y.sha256, sizeof(x.sha256)) != 0)
		return 0;
	*left = x.length - into;
	return 1;
}

static bool are_zeros(const uint8_t *bytes, size_t len)
{
	return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* A hole is zeros. */
static bool are_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	if (a && b)
		return memcmp(a, b, len) == 0;
	if (!a && !b)
		return true;
	return are_zeros(a ? a : b, len);
}

/* Compares up to `len` bytes by reading; `*step` is how many. */
static int read_both(struct part *a, struct part *b, uint64_t at, uint64_t len, uint64_t *step,
		     struct err *e)
{
	const size_t most = len < LIMIT_FRAME ? (size_t)len : LIMIT_FRAME;
	struct view_span x, y;

	if (view_span(a->side->view, a->inode, at, most, &x, e) < 0)
		return diff_side_fail(a->side, e);
	if (view_span(b->side->view, b->inode, at, most, &y, e) < 0) {
		view_span_put(a->side->view, &x);
		return diff_side_fail(b->side, e);
	}
	const size_t n = x.len < y.len ? x.len : y.len;
	const int is_same = are_equal(x.bytes, y.bytes, n);
	view_span_put(a->side->view, &x);
	view_span_put(b->side->view, &y);
	*step = n;
	return is_same;
}

/* Compares as much as can be told in one step from `at`: 1 the same, 0 not, -1. */
static int compare_step(struct diff_inodes *d, struct part *a, struct part *b, uint64_t at,
			uint64_t *step, struct err *e)
{
	if (find_range(a, at, e) < 0 || find_range(b, at, e) < 0)
		return -1;
	const struct catalog_range *x = &a->range, *y = &b->range;
	const uint64_t most = x->length < y->length ? x->length : y->length;

	*step = most;
	if (x->is_hole && y->is_hole)
		return 1;
	if (!x->is_hole && !y->is_hole) {
		uint64_t left;
		if (x->tar_offset == y->tar_offset &&
		    a->layers[x->layer].number == b->layers[y->layer].number)
			return 1;
		const int r = in_same_frame(a, b, &left, e);
		if (r < 0)
			return -1;
		if (r == 1) {
			*step = left < most ? left : most;
			return 1;
		}
	}
	const int r = read_both(a, b, at, most, step, e);
	progress_add(d->opt->progress, *step);
	return r;
}

static int compare_content(struct diff_inodes *d, uint32_t old, uint32_t new, uint64_t size,
			   struct err *e)
{
	struct part a = {.side = d->old, .layers = d->old_layers, .inode = old};
	struct part b = {.side = d->new, .layers = d->new_layers, .inode = new};
	uint64_t step;

	for (uint64_t at = 0; at < size; at += step) {
		step = 0;
		const int r = compare_step(d, &a, &b, at, &step, e);
		if (r <= 0)
			return r;
		if (step == 0)
			return err_set(e, ERR_FORMAT, "content ends before the file does");
	}
	return 1;
}

/* 1 the same, 0 not, -1. */
static int compare_files(struct diff_inodes *d, uint32_t old, uint32_t new,
			 const struct catalog_stat *of_old, const struct catalog_stat *of_new,
			 struct err *e)
{
	if (of_old->size != of_new->size)
		return 0;
	if (of_old->nlink < 2 && of_new->nlink < 2)
		return compare_content(d, old, new, of_old->size, e);

	/* 2654435761: Knuth's multiplier, 2^32 by the golden ratio. */
	struct known_pair *k = &d->known[((old * 2654435761U) ^ new) % KNOWN_PAIRS];
	if (k->is_known && k->old == old && k->new == new)
		return k->is_same;
	const int r = compare_content(d, old, new, of_old->size, e);
	if (r >= 0)
		*k = (struct known_pair){old, new, true, r == 1};
	return r;
}

static int read_target(const struct diff_side *s, uint32_t inode, char out[static LIMIT_SYMLINK],
		       size_t *len, struct err *e)
{
	if (VIEW_RETRY(s->view, e, catalog_readlink(view_catalog(s->view), inode, out, len, e)) < 0)
		return diff_side_fail(s, e);
	return 0;
}

static int compare_targets(struct diff_inodes *d, uint32_t old, uint32_t new, struct err *e)
{
	char a[LIMIT_SYMLINK], b[LIMIT_SYMLINK];
	size_t a_len, b_len;

	if (read_target(d->old, old, a, &a_len, e) < 0 ||
	    read_target(d->new, new, b, &b_len, e) < 0)
		return -1;
	return a_len == b_len && memcmp(a, b, a_len) == 0;
}

/* Of inodes of one kind: 1 the same, 0 not, -1. */
static int compare_by_kind(struct diff_inodes *d, uint32_t old, uint32_t new,
			   const struct catalog_stat *of_old, const struct catalog_stat *of_new,
			   struct err *e)
{
	switch (of_old->mode & S_IFMT) {
	case S_IFREG:
		return compare_files(d, old, new, of_old, of_new, e);
	case S_IFLNK:
		return compare_targets(d, old, new, e);
	case S_IFCHR:
	case S_IFBLK:
		return of_old->rdev_major == of_new->rdev_major &&
		       of_old->rdev_minor == of_new->rdev_minor;
	default:
		return 1;
	}
}

static int same_xattrs_once(struct diff_inodes *d, uint32_t old, uint32_t new, struct err *e)
{
	return VIEW_RETRY(d->new->view, e,
			  catalog_same_xattrs(view_catalog(d->old->view), old,
					      view_catalog(d->new->view), new, e));
}

/* It cannot be told which of two catalogs is damaged: each of them is repaired. */
static int same_xattrs(struct diff_inodes *d, uint32_t old, uint32_t new, struct err *e)
{
	if (!d->has_xattrs)
		return 1;
	return VIEW_RETRY(d->old->view, e, same_xattrs_once(d, old, new, e));
}

int diff_inodes_compare(struct diff_inodes *d, uint32_t old, uint32_t new,
			struct catalog_stat *of_old, struct catalog_stat *of_new, unsigned *what,
			struct err *e)
{
	int is_same = 1;

	if (diff_side_stat(d->old, old, of_old, e) < 0 ||
	    diff_side_stat(d->new, new, of_new, e) < 0)
		return -1;
	const uint32_t mode = of_old->mode ^ of_new->mode;
	*what = mode & S_IFMT ? DIFF_TYPE : 0;
	if (!*what)
		is_same = compare_by_kind(d, old, new, of_old, of_new, e);
	if (is_same < 0)
		return -1;
	if (!is_same)
		*what |= DIFF_CONTENT;
	if ((mode & PERMISSIONS) && !S_ISLNK(of_old->mode) && !S_ISLNK(of_new->mode))
		*what |= DIFF_MODE;
	if (of_old->uid != of_new->uid || of_old->gid != of_new->gid)
		*what |= DIFF_OWNER;
	if (d->opt->has_times &&
	    (of_old->mtime != of_new->mtime || of_old->mtime_nsec != of_new->mtime_nsec))
		*what |= DIFF_MTIME;
	is_same = same_xattrs(d, old, new, e);
	if (is_same < 0)
		return -1;
	if (!is_same)
		*what |= DIFF_XATTRS;
	return 0;
}
