/* SPDX-License-Identifier: Apache-2.0 */
#include "image/holes.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

void holes_init(struct holes *h, uint64_t tar_offset)
{
	h->tar_offset = tar_offset;
	h->fed = 0;
	h->zero_start = 0;
	h->data_start = 0;
	h->in_zeros = false;
	h->block_is_zero = true;
	h->count = 0;
}

void holes_fini(struct holes *h)
{
	free(h->extents);
	memset(h, 0, sizeof(*h));
}

bool holes_is_zero(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	/* Each byte equals the next one, and the first is zero. */
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

/* Whether the zeros from zero_start up to `end`, where they stop, are a hole. */
static bool is_hole(const struct holes *h, uint64_t end)
{
	const uint64_t blocks = (end - h->zero_start + HOLES_BLOCK - 1) / HOLES_BLOCK;

	/* The last range that may be kept goes on to the end of the file. */
	return h->in_zeros && blocks >= HOLES_MIN_RUN &&
	       (h->count < HOLES_MAX_EXTENTS - 1 || h->zero_start == h->data_start);
}

static int add_data(struct holes *h, uint64_t end, struct err *e)
{
	const uint64_t start = h->data_start;

	if (end == start)
		return 0;
	if (array_reserve(&h->extents, &h->cap, h->count + 1, sizeof(*h->extents), e) < 0)
		return -1;
	h->extents[h->count++] = (struct extent){start, h->tar_offset + start, end - start};
	return 0;
}

/* The block that starts at `start` has been seen whole. */
static int end_block(struct holes *h, uint64_t start, struct err *e)
{
	const bool is_zero = h->block_is_zero;

	h->block_is_zero = true;
	if (is_zero) {
		if (!h->in_zeros)
			h->zero_start = start;
		h->in_zeros = true;
		return 0;
	}
	if (is_hole(h, start)) {
		if (add_data(h, h->zero_start, e) < 0)
			return -1;
		h->data_start = start;
	}
	h->in_zeros = false;
	return 0;
}

int holes_feed(struct holes *h, const void *bytes, size_t len, struct err *e)
{
	const unsigned char *p = bytes;

	while (len > 0) {
		const size_t in_block = (size_t)(h->fed % HOLES_BLOCK);
		const size_t room = HOLES_BLOCK - in_block;
		const size_t n = len < room ? len : room;

		if (h->block_is_zero && !holes_is_zero(p, n))
			h->block_is_zero = false;
		h->fed += n;
		p += n;
		len -= n;
		if (n == room && end_block(h, h->fed - HOLES_BLOCK, e) < 0)
			return -1;
	}
	return 0;
}

int holes_finish(struct holes *h, struct err *e)
{
	const uint64_t in_block = h->fed % HOLES_BLOCK;

	if (in_block > 0 && end_block(h, h->fed - in_block, e) < 0)
		return -1;
	return add_data(h, is_hole(h, h->fed) ? h->zero_start : h->fed, e);
}
