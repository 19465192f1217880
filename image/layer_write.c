/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layer_write.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "image/framer.h"
#include "image/holes.h"
#include "image/tar_write.h"

/* Content is read, hashed and looked through for holes in pieces that stay in a core's cache. */
enum { CONTENT_STEP = 64 * 1024 };

struct layer_writer {
	struct layer_blob *blob;
	struct framer *framer;               /* of the blob */
	struct layer_index_builder *entries; /* of the blob */
	struct holes holes;
	struct str header; /* of the entry being added */
	struct str path;   /* of the entry before */
	struct progress *progress;
};

struct layer_writer *layer_writer_new(int fd, const struct layer_options *opt, struct err *e)
{
	SCOPE(layer_blob) struct layer_blob *blob = layer_blob_new(fd, opt, e);
	struct layer_writer *w = blob ? array_new(1, sizeof(*w), e) : NULL;

	if (!w)
		return NULL;
	w->blob = steal_ptr(&blob);
	layer_blob_sync_early(w->blob);
	w->framer = layer_blob_framer(w->blob);
	w->entries = layer_blob_entries(w->blob);
	holes_init(&w->holes, 0);
	return w;
}

void layer_writer_free(struct layer_writer *w)
{
	if (!w)
		return;
	layer_blob_free(w->blob);
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

	if (layer_index_builder_count(w->entries) > 0 &&
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
	return layer_index_builder_add(w->entries, &indexed, e);
}

int layer_writer_finish(struct layer_writer *w, struct layer_result *out, struct err *e)
{
	if (framer_member(w->framer, TAR_END_SIZE, 0, e) < 0 ||
	    framer_put_zeros(w->framer, TAR_END_SIZE, e) < 0)
		return -1;
	return layer_blob_finish(w->blob, out, e);
}

const struct str *layer_writer_index(const struct layer_writer *w)
{
	return layer_blob_index(w->blob);
}
