/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layer_blob.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hasher.h"
#include "base/io.h"
#include "image/mediatype.h"
#include "image/seek_table.h"

struct layer_blob {
	int fd;
	enum frame_encoding encoding;
	struct framer *framer;
	struct layer_index_builder *entries;
	struct seek_table seek_table; /* FRAME_ZSTD */
	struct str own_index;         /* FRAME_GZIP, when it is finished */
	struct hasher hasher;
	uint64_t size; /* bytes written so far */
	bool syncs_early;
	uint64_t started; /* io_start_sync */
};

static int put(struct layer_blob *b, const void *bytes, size_t len, struct err *e)
{
	hasher_update(&b->hasher, bytes, len);
	if (io_write_all(b->fd, bytes, len) < 0)
		return err_sys(e, errno, "cannot write a layer");
	b->size += len;
	if (b->syncs_early)
		io_start_sync(b->fd, b->size, &b->started);
	return 0;
}

/* framer_sink.put */
static int put_frame(void *ctx, const struct frame *f, const void *bytes, struct err *e)
{
	struct layer_blob *b = ctx;

	if (put(b, bytes, f->blob_length, e) < 0)
		return -1;
	if (b->encoding == FRAME_ZSTD &&
	    seek_table_add(&b->seek_table, f->blob_length, f->length, e) < 0)
		return -1;
	return layer_index_builder_add_frame(b->entries, f, e);
}

struct layer_blob *layer_blob_new(int fd, const struct layer_options *opt, struct err *e)
{
	struct layer_blob *b = NULL;

	if (compression_check(&opt->compression, e) < 0)
		return NULL;
	b = array_new(1, sizeof(*b), e);
	if (!b)
		return NULL;
	b->fd = fd;
	b->encoding = opt->compression.encoding;
	hasher_init(&b->hasher, DIGEST_SHA256);
	const struct framer_options framer = {opt->compression, opt->workers};
	const struct framer_sink sink = {put_frame, b};
	b->framer = framer_new(&framer, &sink, e);
	if (!b->framer)
		goto fail;
	b->entries = layer_index_builder_new(e);
	if (!b->entries)
		goto fail;
	return b;
fail:
	layer_blob_free(b);
	return NULL;
}

void layer_blob_free(struct layer_blob *b)
{
	if (!b)
		return;
	framer_free(b->framer);
	layer_index_builder_free(b->entries);
	seek_table_fini(&b->seek_table);
	str_fini(&b->own_index);
	free(b);
}

void layer_blob_sync_early(struct layer_blob *b)
{
	b->syncs_early = true;
}

struct framer *layer_blob_framer(struct layer_blob *b)
{
	return b->framer;
}

struct layer_index_builder *layer_blob_entries(struct layer_blob *b)
{
	return b->entries;
}

/* What follows the frames: the layer index and the seek table, each in a skippable frame. */
static int put_tail(struct layer_blob *b, struct layer_result *out, struct err *e)
{
	SCOPE(str) struct str index = STR_INIT;
	SCOPE(str) struct str tail = STR_INIT;

	if (layer_index_builder_encode(b->entries, FRAME_ZSTD, &out->diff_id, out->tar_size, &index,
				       e) < 0)
		return -1;
	/* The builder keeps to LIMIT_LAYER_INDEX, so that 32 bits hold its size. */
	if (skippable_header_append(&tail, SKIPPABLE_MAGIC_LAYER_INDEX, (uint32_t)index.len, e) <
		    0 ||
	    put(b, tail.data, tail.len, e) < 0)
		return -1;
	out->index = hasher_sha256(index.data, index.len);
	out->index_offset = b->size;
	out->index_size = index.len;
	if (put(b, index.data, index.len, e) < 0)
		return -1;

	str_truncate(&tail, 0);
	if (seek_table_add(&b->seek_table, (uint32_t)(SKIPPABLE_HEADER_SIZE + index.len), 0, e) <
		    0 ||
	    seek_table_append(&b->seek_table, &tail, e) < 0)
		return -1;
	return put(b, tail.data, tail.len, e);
}

/* A gzip blob has no room for its index that other tools would pass over. */
static int encode_index(struct layer_blob *b, struct layer_result *out, struct err *e)
{
	if (layer_index_builder_encode(b->entries, FRAME_GZIP, &out->diff_id, out->tar_size,
				       &b->own_index, e) < 0)
		return -1;
	out->index = hasher_sha256(b->own_index.data, b->own_index.len);
	return 0;
}

static int put_index(struct layer_blob *b, struct layer_result *out, struct err *e)
{
	switch (b->encoding) {
	case FRAME_ZSTD:
		return put_tail(b, out, e);
	case FRAME_GZIP:
		return encode_index(b, out, e);
	case FRAME_RAW: /* layer_blob_new refuses it */
		break;
	}
	return 0;
}

int layer_blob_finish(struct layer_blob *b, struct layer_result *out, struct err *e)
{
	struct layer_result r = {
		.encoding = b->encoding,
		.tar_size = framer_offset(b->framer),
		.entry_count = layer_index_builder_count(b->entries),
	};

	if (framer_finish(b->framer, &r.diff_id, e) < 0 || put_index(b, &r, e) < 0)
		return -1;
	r.blob = hasher_final(&b->hasher);
	r.blob_size = b->size;
	*out = r;
	return 0;
}

const struct str *layer_blob_index(const struct layer_blob *b)
{
	return b->own_index.len > 0 ? &b->own_index : NULL;
}

/* Where the blob has its index. */
static int annotate(const struct layer_result *r, struct strmap *out, struct err *e)
{
	char digest[DIGEST_STR_MAX];
	char offset[32], size[32];

	snprintf(offset, sizeof(offset), "%" PRIu64, r->index_offset);
	snprintf(size, sizeof(size), "%" PRIu64, r->index_size);
	if (strmap_set(out, LAYER_INDEX_DIGEST_KEY, digest_format(&r->index, digest), e) < 0 ||
	    strmap_set(out, LAYER_INDEX_OFFSET_KEY, offset, e) < 0)
		return -1;
	return strmap_set(out, LAYER_INDEX_SIZE_KEY, size, e);
}

int layer_result_descriptor(const struct layer_result *r, struct descriptor *out, struct err *e)
{
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	const char *type = r->encoding == FRAME_GZIP ? MEDIATYPE_LAYER_GZIP : MEDIATYPE_LAYER_ZSTD;

	if (descriptor_set(&d, type, &r->blob, r->blob_size, e) < 0 ||
	    (r->index_offset > 0 && annotate(r, &d.annotations, e) < 0))
		return -1;
	*out = d;
	d = (struct descriptor)DESCRIPTOR_INIT;
	return 0;
}
