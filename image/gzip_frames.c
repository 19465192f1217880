/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decoder of whole buffers is twice as fast as one of streams, and it is the one that will read
 * the frames: what passes here cannot fail there.  So members are decoded in a window of the blob
 * that holds at least one of any that may be a frame.
 *
 * Of a member that goes beyond the window's end nothing can be said, not even that it is too long
 * (bits that are not there count as zeros): the window is moved to its start, and it is decoded
 * again.  That happens seldom, because the window is moved as soon as it holds less than the
 * longest member so far.
 */
#include "image/gzip_frames.h"

#include <errno.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <stdbool.h>
#include <string.h>

#include "base/array.h"
#include "base/hasher.h"
#include "base/io.h"
#include "base/limits.h"
#include "image/frame_cut.h"
#include "image/gzip_member.h"
#include "image/inflate.h"
#include "image/tar_write.h"

enum {
	FRAMES_FREE = 1024, /* so many are fine, however little they hold */
	FRAMES_MAX = LIMIT_ENTRIES,
};

struct gzip_frames {
	int fd;
	struct progress *progress;
	struct libdeflate_decompressor *decoder;
	uint64_t size;       /* of the blob */
	uint64_t offset;     /* in the blob, of the next byte to read */
	uint64_t tar_offset; /* bytes of content so far */
	uint64_t count;      /* frames so far */
	size_t longest;      /* bytes of the longest member so far */
	uint8_t *window;
	size_t window_size;
	size_t at, end;   /* what is left in `window` */
	uint8_t *content; /* GZIP_FRAMES_CONTENT_MAX bytes */
};

_Static_assert((uint64_t)GZIP_FRAMES_CONTENT_MAX <= LIMIT_FRAME &&
		       (uint64_t)GZIP_FRAMES_WINDOW <= FRAME_BLOB_MAX,
	       "what passes here is a frame");
_Static_assert((int)FRAME_CUT_MAX <= (int)GZIP_FRAMES_CONTENT_MAX, "and so is what shale writes");

struct gzip_frames *gzip_frames_new(int fd, uint64_t size, struct progress *progress, struct err *e)
{
	struct gzip_frames *g = array_new(1, sizeof(*g), e);

	if (!g)
		return NULL;
	g->fd = fd;
	g->size = size;
	g->progress = progress;
	g->longest = 1;
	g->window_size = (size_t)(size < GZIP_FRAMES_WINDOW ? size : GZIP_FRAMES_WINDOW);
	g->window = array_new(1, g->window_size, e);
	if (!g->window)
		goto fail;
	g->content = array_new(1, GZIP_FRAMES_CONTENT_MAX, e);
	if (!g->content)
		goto fail;
	g->decoder = libdeflate_alloc_decompressor();
	if (!g->decoder) {
		err_nomem(e);
		goto fail;
	}
	return g;
fail:
	gzip_frames_free(g);
	return NULL;
}

void gzip_frames_free(struct gzip_frames *g)
{
	if (!g)
		return;
	if (g->decoder)
		libdeflate_free_decompressor(g->decoder);
	free(g->window);
	free(g->content);
	free(g);
}

/* Whether there is more of the blob than the window holds. */
static bool has_more(const struct gzip_frames *g)
{
	return g->offset < g->size;
}

/* Moves the window on to what is not decoded yet. */
static int move_window(struct gzip_frames *g, struct err *e)
{
	memmove(g->window, g->window + g->at, g->end - g->at);
	g->end -= g->at;
	g->at = 0;

	const size_t room = g->window_size - g->end;
	const uint64_t left = g->size - g->offset;
	const size_t want = room < left ? room : (size_t)left;
	const ssize_t n = io_pread_full(g->fd, g->window + g->end, want, g->offset);
	if (n < 0)
		return err_sys(e, errno, "cannot read the blob");
	if ((size_t)n < want)
		return err_set(e, ERR_FORMAT,
			       "the blob has fewer than the %" PRIu64 " bytes it should have",
			       g->size);
	g->end += want;
	g->offset += want;
	progress_add(g->progress, want);
	return 0;
}

/* Decodes the member at the start of what is left. */
static enum gzip_member_status decode(const struct gzip_frames *g, struct gzip_member *out)
{
	return gzip_member_read(g->decoder, g->window + g->at, g->end - g->at, g->content,
				GZIP_FRAMES_CONTENT_MAX, out);
}

/* The next member; the window is not moved behind it yet. */
static int next_member(struct gzip_frames *g, struct gzip_member *out, struct err *e)
{
	if (g->end - g->at < g->longest && has_more(g) && move_window(g, e) < 0)
		return -1;
	if (g->at == g->end) /* an empty blob has no members */
		return g->size > 0 ? GZIP_FRAMES_END : GZIP_FRAMES_UNFIT;
	enum gzip_member_status status = decode(g, out);
	if (status != GZIP_MEMBER_WHOLE && g->at > 0 && has_more(g)) {
		if (move_window(g, e) < 0)
			return -1;
		status = decode(g, out);
	}
	return status == GZIP_MEMBER_WHOLE ? GZIP_FRAMES_ONE : GZIP_FRAMES_UNFIT;
}

static bool has_too_many(const struct gzip_frames *g)
{
	return g->count > FRAMES_MAX || g->count > FRAMES_FREE + g->tar_offset / TAR_BLOCK;
}

int gzip_frames_next(struct gzip_frames *g, struct frame *out, const void **content, struct err *e)
{
	struct gzip_member m;
	const uint8_t *bytes;

	do {
		const int r = next_member(g, &m, e);
		if (r != GZIP_FRAMES_ONE)
			return r;
		bytes = g->window + g->at;
		g->at += m.size;
		if (m.size > g->longest)
			g->longest = m.size;
	} while (m.length == 0);

	*out = (struct frame){
		.tar_offset = g->tar_offset,
		.blob_offset = g->offset - (g->end - g->at) - m.size,
		.blob_length = (uint32_t)m.size,
		.length = (uint32_t)m.length,
	};
	g->tar_offset += m.length;
	g->count++;
	if (has_too_many(g))
		return GZIP_FRAMES_UNFIT;
	if (inflate_check_expansion(g->tar_offset, out->blob_offset + m.size, e) < 0)
		return -1;
	const struct digest d = hasher_sha256(bytes, m.size);
	memcpy(out->sha256, d.raw, sizeof(out->sha256));
	*content = g->content;
	return GZIP_FRAMES_ONE;
}
