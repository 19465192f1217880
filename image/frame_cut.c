/* SPDX-License-Identifier: Apache-2.0 */
#include "image/frame_cut.h"

#include <assert.h>

static bool is_big(uint64_t payload)
{
	return payload >= FRAME_CUT_PIECE;
}

bool frame_cut_before_member(const struct frame_cut *c, uint64_t header, uint64_t payload)
{
	const uint64_t more = is_big(payload) ? header : header + payload;

	if (c->fill == 0)
		return false;
	return c->fill >= FRAME_CUT_TARGET || c->fill + more > FRAME_CUT_MAX;
}

bool frame_cut_before_payload(struct frame_cut *c, uint64_t payload)
{
	if (!is_big(payload))
		return false;
	c->payload_left = payload;
	c->piece = payload >= FRAME_CUT_HUGE ? FRAME_CUT_HUGE_PIECE : FRAME_CUT_PIECE;
	/* A frame of a header alone would compress badly, and one more piece is not too long. */
	if (c->fill > c->piece / 4)
		return true;
	c->end = c->fill + c->piece;
	return false;
}

uint64_t frame_cut_room(const struct frame_cut *c)
{
	return c->end - c->fill;
}

void frame_cut_advance(struct frame_cut *c, uint64_t len)
{
	assert(len <= frame_cut_room(c));
	c->fill += len;
	if (c->payload_left == 0)
		return;
	c->payload_left -= len < c->payload_left ? len : c->payload_left;
	if (c->payload_left == 0)
		c->end = FRAME_CUT_MAX;
}

void frame_cut_end(struct frame_cut *c)
{
	c->fill = 0;
	c->end = c->payload_left > 0 ? c->piece : FRAME_CUT_MAX;
}
