/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/tree_content.h"

#include <string.h>

#include "base/array.h"
#include "image/frame.h"

enum { KEPT_FRAMES = 64 };

struct kept_frame {
	uint8_t *bytes; /* NULL: free */
	size_t length;
	size_t layer, number;
	uint64_t used; /* when, on `clock` */
};

struct tree_content {
	const struct layer_index *const *indexes;
	const int *fds;
	struct frame_decoder *decoder;
	struct kept_frame kept[KEPT_FRAMES];
	size_t kept_bytes;
	uint64_t clock;
};

struct tree_content *tree_content_new(const struct layer_index *const *indexes, const int *fds,
				      struct err *e)
{
	struct tree_content *c = array_new(1, sizeof(*c), e);

	if (!c)
		return NULL;
	c->indexes = indexes;
	c->fds = fds;
	c->decoder = frame_decoder_new(e);
	if (!c->decoder) {
		tree_content_free(c);
		return NULL;
	}
	return c;
}

void tree_content_free(struct tree_content *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < KEPT_FRAMES; i++)
		free(c->kept[i].bytes);
	frame_decoder_free(c->decoder);
	free(c);
}

static void drop(struct tree_content *c, struct kept_frame *f)
{
	c->kept_bytes -= f->length;
	free(f->bytes);
	*f = (struct kept_frame){.bytes = NULL};
}

static struct kept_frame *oldest(struct tree_content *c)
{
	struct kept_frame *found = NULL;

	for (size_t i = 0; i < KEPT_FRAMES; i++) {
		struct kept_frame *f = &c->kept[i];
		if (f->bytes && (!found || f->used < found->used))
			found = f;
	}
	return found;
}

/* A slot to load a frame of `length` bytes into. */
static struct kept_frame *make_room(struct tree_content *c, size_t length)
{
	struct kept_frame *old = oldest(c);

	for (; old && c->kept_bytes + length > TREE_CONTENT_BYTES; old = oldest(c))
		drop(c, old);
	for (size_t i = 0; i < KEPT_FRAMES; i++) {
		if (!c->kept[i].bytes)
			return &c->kept[i];
	}
	drop(c, old);
	return old;
}

/* The frame that holds `tar_offset` of a layer, decoded. */
static const struct kept_frame *get_frame(struct tree_content *c, size_t layer, size_t number,
					  struct err *e)
{
	for (size_t i = 0; i < KEPT_FRAMES; i++) {
		struct kept_frame *f = &c->kept[i];
		if (f->bytes && f->layer == layer && f->number == number) {
			f->used = ++c->clock;
			return f;
		}
	}
	const struct layer_index *ix = c->indexes[layer];
	const struct frame frame = layer_index_frame(ix, number);
	struct kept_frame *f = make_room(c, frame.length);
	uint8_t *bytes = array_new(1, frame.length, e);
	if (!bytes)
		return NULL;
	if (frame_read(c->decoder, c->fds[layer], layer_index_encoding(ix), &frame, bytes, e) < 0) {
		free(bytes);
		return NULL;
	}
	*f = (struct kept_frame){bytes, frame.length, layer, number, ++c->clock};
	c->kept_bytes += frame.length;
	return f;
}

/* Up to `len` bytes at the current offset, which is inside of extent `x`. */
static int read_data(struct tree_content_file *f, const struct extent *x, void *buf, size_t len,
		     size_t *got, struct err *e)
{
	const struct layer_index *ix = f->content->indexes[f->layer];
	const uint64_t tar_offset = x->tar_offset + (f->offset - x->file_offset);
	const size_t number = layer_index_frame_at(ix, tar_offset);
	const uint64_t in_frame = tar_offset - layer_index_frame(ix, number).tar_offset;

	const struct kept_frame *frame = get_frame(f->content, f->layer, number, e);
	if (!frame)
		return -1;
	size_t n = frame->length - (size_t)in_frame;
	if (n > len)
		n = len;
	if (n > x->file_offset + x->length - f->offset)
		n = (size_t)(x->file_offset + x->length - f->offset);
	memcpy(buf, frame->bytes + in_frame, n);
	*got = n;
	return 0;
}

int tree_content_read(void *file, void *buf, size_t len, struct err *e)
{
	struct tree_content_file *f = file;
	uint8_t *out = buf;

	while (len > 0) {
		const struct extent *x =
			f->extent < f->en->extent_count ? &f->en->extents[f->extent] : NULL;
		size_t n = len;
		if (x && f->offset >= x->file_offset + x->length) {
			f->extent++;
			continue;
		}
		if (x && f->offset >= x->file_offset) {
			if (read_data(f, x, out, len, &n, e) < 0)
				return -1;
		} else {
			if (x && n > x->file_offset - f->offset)
				n = (size_t)(x->file_offset - f->offset);
			memset(out, 0, n);
		}
		f->offset += n;
		out += n;
		len -= n;
	}
	return 0;
}
