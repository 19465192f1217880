/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layer_write.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/hasher.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "image/framer.h"
#include "image/holes.h"
#include "image/layer_index.h"
#include "image/mediatype.h"
#include "image/seek_table.h"
#include "image/tar_write.h"

/* Content is read, hashed and looked through for holes in pieces that stay in a core's cache. */
enum { CONTENT_STEP = 64 * 1024 };

struct layer_writer {
	int fd;
	enum frame_encoding encoding;
	struct framer *framer;
	struct layer_index_builder *index;
	struct seek_table seek_table; /* FRAME_ZSTD */
	struct str own_index;         /* FRAME_GZIP, when it is finished */
	struct hasher blob;
	uint64_t blob_size;
	uint64_t started; /* io_start_sync */
	uint64_t entry_count;
	struct holes holes;
	struct str header; /* of the entry being added */
	struct str path;   /* of the entry before */
	struct progress *progress;
};

/* Bytes of the blob. */
static int put_blob(struct layer_writer *w, const void *bytes, size_t len, struct err *e)
{
	hasher_update(&w->blob, bytes, len);
	if (io_write_all(w->fd, bytes, len) < 0)
		return err_sys(e, errno, "cannot write a layer");
	w->blob_size += len;
	io_start_sync(w->fd, w->blob_size, &w->started);
	return 0;
}

static int put_frame(void *ctx, const struct frame *f, const void *bytes, struct err *e)
{
	struct layer_writer *w = ctx;

	if (put_blob(w, bytes, f->blob_length, e) < 0)
		return -1;
	if (w->encoding == FRAME_ZSTD &&
	    seek_table_add(&w->seek_table, f->blob_length, f->length, e) < 0)
		return -1;
	return layer_index_builder_add_frame(w->index, f, e);
}

struct layer_writer *layer_writer_new(int fd, const struct layer_options *opt, struct err *e)
{
	struct layer_writer *w = NULL;

	if (compression_check(&opt->compression, e) < 0)
		return NULL;
	w = array_new(1, sizeof(*w), e);
	if (!w)
		return NULL;
	w->fd = fd;
	w->encoding = opt->compression.encoding;
	hasher_init(&w->blob, DIGEST_SHA256);
	holes_init(&w->holes, 0);
	const struct framer_options framer = {opt->compression, opt->workers};
	const struct framer_sink sink = {put_frame, w};
	w->framer = framer_new(&framer, &sink, e);
	if (!w->framer)
		goto fail;
	w->index = layer_index_builder_new(e);
	if (!w->index)
		goto fail;
	return w;
fail:
	layer_writer_free(w);
	return NULL;
}

void layer_writer_free(struct layer_writer *w)
{
	if (!w)
		return;
	framer_free(w->framer);
	layer_index_builder_free(w->index);
	seek_table_fini(&w->seek_table);
	str_fini(&w->own_index);
	holes_fini(&w->holes);
	str_fini(&w->header);
	str_fini(&w->path);
	free(w);
}

void layer_writer_set_progress(struct layer_writer *w, struct progress *progress)
{
	w->progress = progress;
}

static int check_order(struct layer_writer *w, const struct entry *en, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (w->entry_count > 0 &&
	    entry_path_compare(str_text(&w->path), w->path.len, en->path, en->path_len) >= 0)
		return err_set(e, ERR_FORMAT, "'%s' is not in the order of a layer",
			       quote_bytes(quoted, en->path, en->path_len));
	str_truncate(&w->path, 0);
	return str_append(&w->path, en->path, en->path_len, e);
}

/* The payload and its padding; finds the holes. */
static int put_content(struct layer_writer *w, uint64_t size, const struct layer_source *src,
		       struct err *e)
{
	for (uint64_t left = size; left > 0;) {
		size_t len;
		void *room = framer_room(w->framer, &len, e);
		if (!room)
			return -1;
		if (len > CONTENT_STEP)
			len = CONTENT_STEP;
		if (len > left)
			len = (size_t)left;
		if (src->read(src->ctx, room, len, e) < 0 ||
		    holes_feed(&w->holes, room, len, e) < 0)
			return -1;
		framer_commit(w->framer, len);
		progress_add(w->progress, len);
		left -= len;
	}
	return framer_put_zeros(w->framer, tar_padding(size), e);
}

int layer_writer_add(struct layer_writer *w, const struct entry *en, const struct layer_source *src,
		     struct err *e)
{
	struct entry indexed = *en;

	if (check_order(w, en, e) < 0)
		return -1;
	str_truncate(&w->header, 0);
	if (tar_header_append(&w->header, en, e) < 0 ||
	    framer_member(w->framer, w->header.len, en->size, e) < 0 ||
	    framer_put(w->framer, w->header.data, w->header.len, e) < 0)
		return -1;

	indexed.data_offset = framer_offset(w->framer);
	indexed.data_size = en->size;
	indexed.extents = NULL;
	indexed.extent_count = 0;
	if (indexed.data_offset > LIMIT_LAYER_CONTENT ||
	    en->size > LIMIT_LAYER_CONTENT - indexed.data_offset)
		return err_set(e, ERR_LIMIT, "a layer has more than %" PRIu64 " bytes of content",
			       LIMIT_LAYER_CONTENT);
	if (en->size > 0) {
		assert(src);
		holes_init(&w->holes, indexed.data_offset);
		if (framer_payload(w->framer, en->size, e) < 0 ||
		    put_content(w, en->size, src, e) < 0 || holes_finish(&w->holes, e) < 0)
			return -1;
		indexed.extents = w->holes.extents;
		indexed.extent_count = w->holes.count;
	}
	w->entry_count++;
	return layer_index_builder_add(w->index, &indexed, e);
}

/* What follows the frames: the layer index and the seek table, each in a skippable frame. */
static int put_tail(struct layer_writer *w, struct layer_result *out, struct err *e)
{
	SCOPE(str) struct str index = STR_INIT;
	SCOPE(str) struct str tail = STR_INIT;

	if (layer_index_builder_encode(w->index, FRAME_ZSTD, &out->diff_id, out->tar_size, &index,
				       e) < 0)
		return -1;
	/* The builder keeps to LIMIT_LAYER_INDEX, so that 32 bits hold its size. */
	if (skippable_header_append(&tail, SKIPPABLE_MAGIC_LAYER_INDEX, (uint32_t)index.len, e) <
		    0 ||
	    put_blob(w, tail.data, tail.len, e) < 0)
		return -1;
	out->index = hasher_sha256(index.data, index.len);
	out->index_offset = w->blob_size;
	out->index_size = index.len;
	if (put_blob(w, index.data, index.len, e) < 0)
		return -1;

	str_truncate(&tail, 0);
	if (seek_table_add(&w->seek_table, (uint32_t)(SKIPPABLE_HEADER_SIZE + index.len), 0, e) <
		    0 ||
	    seek_table_append(&w->seek_table, &tail, e) < 0)
		return -1;
	return put_blob(w, tail.data, tail.len, e);
}

/* A gzip blob has no room for its index that other tools would pass over. */
static int encode_index(struct layer_writer *w, struct layer_result *out, struct err *e)
{
	if (layer_index_builder_encode(w->index, FRAME_GZIP, &out->diff_id, out->tar_size,
				       &w->own_index, e) < 0)
		return -1;
	out->index = hasher_sha256(w->own_index.data, w->own_index.len);
	return 0;
}

static int put_index(struct layer_writer *w, struct layer_result *out, struct err *e)
{
	switch (w->encoding) {
	case FRAME_ZSTD:
		return put_tail(w, out, e);
	case FRAME_GZIP:
		return encode_index(w, out, e);
	case FRAME_RAW: /* layer_writer_new refuses it */
		break;
	}
	return 0;
}

int layer_writer_finish(struct layer_writer *w, struct layer_result *out, struct err *e)
{
	struct layer_result r = {.encoding = w->encoding, .entry_count = w->entry_count};

	if (framer_member(w->framer, TAR_END_SIZE, 0, e) < 0 ||
	    framer_put_zeros(w->framer, TAR_END_SIZE, e) < 0)
		return -1;
	r.tar_size = framer_offset(w->framer);
	if (framer_finish(w->framer, &r.diff_id, e) < 0 || put_index(w, &r, e) < 0)
		return -1;
	r.blob = hasher_final(&w->blob);
	r.blob_size = w->blob_size;
	*out = r;
	return 0;
}

const struct str *layer_writer_index(const struct layer_writer *w)
{
	return w->own_index.len > 0 ? &w->own_index : NULL;
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
