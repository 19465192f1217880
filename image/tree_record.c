/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tree_record.h"

#include <stdbool.h>

#include "base/array.h"
#include "image/holes.h"
#include "image/tar_write.h"

/* Bytes of a payload that are looked at together: they stay in a core's cache. */
enum { CONTENT_STEP = 64 * 1024 };

struct recorder {
	struct tar_reader *reader;
	struct layer_index_builder *out;
	const struct tree_watcher *watcher;
	struct holes holes;
	uint8_t *buf; /* CONTENT_STEP bytes */
};

static int tell_member(struct recorder *r, uint64_t offset, uint64_t payload, struct err *e)
{
	return r->watcher ? r->watcher->member(r->watcher->ctx, offset, payload, e) : 0;
}

static int tell_passed(struct recorder *r, uint64_t offset, struct err *e)
{
	return r->watcher ? r->watcher->passed(r->watcher->ctx, offset, e) : 0;
}

/* A sparse member's own map stands: its payload may lack what the rule for holes would look at. */
static bool has_own_map(const struct entry *en)
{
	const struct extent *x = en->extents;

	return en->data_size != en->size || en->extent_count != 1 || x->file_offset != 0 ||
	       x->tar_offset != en->data_offset || x->length != en->size;
}

/* Reads the payload to its end, so that the watcher hears of it piece by piece. */
static int record_content(struct recorder *r, struct entry *en, struct err *e)
{
	const bool find_holes = !has_own_map(en);
	uint64_t done = 0;

	holes_init(&r->holes, en->data_offset);
	for (;;) {
		const ssize_t n = tar_reader_read(r->reader, r->buf, CONTENT_STEP, e);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (uint64_t)n;
		if (find_holes && holes_feed(&r->holes, r->buf, (size_t)n, e) < 0)
			return -1;
		if (tell_passed(r, en->data_offset + done, e) < 0)
			return -1;
	}
	if (!find_holes)
		return 0;
	if (holes_finish(&r->holes, e) < 0)
		return -1;
	en->extents = r->holes.extents;
	en->extent_count = r->holes.count;
	return 0;
}

static int record_all(struct recorder *r, struct err *e)
{
	struct entry en;

	for (;;) {
		const int rc = tar_reader_next(r->reader, &en, e);
		if (rc <= 0)
			return rc;
		const bool has_payload = en.kind == ENTRY_REG && en.data_size > 0;
		if (tell_member(r, tar_reader_offset(r->reader), has_payload ? en.data_size : 0,
				e) < 0)
			return -1;
		if (has_payload && record_content(r, &en, e) < 0)
			return -1;
		if (layer_index_builder_add(r->out, &en, e) < 0)
			return -1;
	}
}

int tree_record(const struct tar_input *in, struct layer_index_builder *out,
		const struct tree_watcher *watcher, struct err *e)
{
	struct recorder r = {.out = out, .watcher = watcher};
	int rc = -1;

	SCOPE_FREE uint8_t *buf = array_new(1, CONTENT_STEP, e);
	SCOPE(tar_reader) struct tar_reader *reader = buf ? tar_reader_new(in, e) : NULL;
	if (!reader)
		return -1;
	r.buf = buf;
	r.reader = reader;
	holes_init(&r.holes, 0);
	rc = record_all(&r, e);
	holes_fini(&r.holes);
	return rc;
}
