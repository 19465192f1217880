/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of tar pulls the stream through this module, and may have read ahead when it says
 * where a member begins.  So bytes wait in `pending` until their place in a member is known, and
 * then go to the framer together with the hint where to cut.
 */
#include "image/tar_frames.h"

#include <string.h>

#include "base/array.h"
#include "image/tar_write.h"
#include "image/tree_record.h"

enum { READ_STEP = 64 * 1024 };

struct stream {
	const struct tar_input *in;
	struct framer *framer;
	uint64_t payload_end; /* of the member before, in the stream */
	uint8_t *pending;     /* TAR_FRAMES_PENDING bytes */
	size_t at;            /* in `pending`: framed up to here, framer_offset in the stream */
	size_t given;         /* the reader of tar has had these */
	size_t end;           /* and will get these */
};

/* Frames the next `len` pending bytes. */
static int pass_on(struct stream *s, uint64_t len, struct err *e)
{
	if (len > s->end - s->at)
		len = s->end - s->at;
	if (framer_put(s->framer, s->pending + s->at, (size_t)len, e) < 0)
		return -1;
	s->at += (size_t)len;
	return 0;
}

/* Makes room for READ_STEP bytes behind those that are pending. */
static int make_room(struct stream *s, struct err *e)
{
	if (TAR_FRAMES_PENDING - s->end >= READ_STEP)
		return 0;
	memmove(s->pending, s->pending + s->at, s->end - s->at);
	s->end -= s->at;
	s->at = 0;
	if (TAR_FRAMES_PENDING - s->end >= READ_STEP)
		return 0;
	if (pass_on(s, s->end, e) < 0)
		return -1;
	s->at = s->end = 0;
	return 0;
}

/* Reads on behind what is pending: the count, 0 at the end, -1. */
static ssize_t read_more(struct stream *s, struct err *e)
{
	if (make_room(s, e) < 0)
		return -1;
	s->given = s->end;
	/* Whole steps: how much is pending when there is no room any more decides about a cut. */
	for (size_t len = 0; len < READ_STEP;) {
		const ssize_t n = s->in->read(s->in->ctx, s->pending + s->end, READ_STEP - len, e);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		s->end += (size_t)n;
		len += (size_t)n;
	}
	return (ssize_t)(s->end - s->given);
}

/* What the reader of tar reads from.  It may ask for little at a time; a decoder must not. */
static ssize_t pull(void *ctx, void *buf, size_t len, struct err *e)
{
	struct stream *s = ctx;

	if (s->given == s->end) {
		const ssize_t n = read_more(s, e);
		if (n <= 0)
			return n;
	}
	const size_t n = len < s->end - s->given ? len : s->end - s->given;
	memcpy(buf, s->pending + s->given, n);
	s->given += n;
	return (ssize_t)n;
}

/* tree_watcher.passed */
static int passed(void *ctx, uint64_t offset, struct err *e)
{
	struct stream *s = ctx;
	const uint64_t here = framer_offset(s->framer);

	return offset > here ? pass_on(s, offset - here, e) : 0;
}

/* tree_watcher.member */
static int member(void *ctx, uint64_t offset, uint64_t payload, struct err *e)
{
	struct stream *s = ctx;

	/* Padding belongs to the member before, as layer_writer has it. */
	if (passed(s, s->payload_end + tar_padding(s->payload_end), e) < 0)
		return -1;
	s->payload_end = offset + payload;

	const uint64_t here = framer_offset(s->framer);
	if (offset < here) /* framed already */
		return 0;
	if (framer_member(s->framer, offset - here, payload, e) < 0 || passed(s, offset, e) < 0)
		return -1;
	return payload > 0 ? framer_payload(s->framer, payload, e) : 0;
}

int tar_frames_cut(const struct tar_input *in, struct framer *framer,
		   struct layer_index_builder *entries, struct err *e)
{
	SCOPE_FREE uint8_t *pending = array_new(1, TAR_FRAMES_PENDING, e);
	struct stream s = {.in = in, .framer = framer, .pending = pending};
	const struct tar_input input = {pull, &s, in->losses};
	const struct tree_watcher watcher = {member, passed, &s};

	if (!pending || tree_record(&input, entries, &watcher, e) < 0)
		return -1;
	/* The end of the archive is cut as if it were a header. */
	return member(&s, framer_offset(framer) + (s.end - s.at), 0, e);
}
