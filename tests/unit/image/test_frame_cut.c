/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/main.h"

#include "image/frame_cut.h"

enum { HEADER = 512, FRAMES_MAX = 64 };

/* The lengths of the frames that members of these sizes give. */
struct cutter {
	struct frame_cut cut;
	uint64_t frames[FRAMES_MAX];
	size_t count;
};

static void end(struct cutter *c)
{
	ck_assert_uint_gt(c->cut.fill, 0);
	if (c->count < FRAMES_MAX)
		c->frames[c->count] = c->cut.fill;
	c->count++;
	frame_cut_end(&c->cut);
}

static void put(struct cutter *c, uint64_t len)
{
	while (len > 0) {
		uint64_t room = frame_cut_room(&c->cut);
		if (room == 0) {
			end(c);
			continue;
		}
		ck_assert_uint_le(c->cut.fill + room, FRAME_CUT_MAX);
		if (room > len)
			room = len;
		frame_cut_advance(&c->cut, room);
		len -= room;
	}
}

static void member(struct cutter *c, uint64_t header, uint64_t payload)
{
	if (frame_cut_before_member(&c->cut, header, payload))
		end(c);
	put(c, header);
	if (payload > 0 && frame_cut_before_payload(&c->cut, payload))
		end(c);
	put(c, payload);
}

START_TEST(small_members_share_frames_unsplit)
{
	struct cutter c = {.cut = FRAME_CUT_INIT};

	for (int i = 0; i < 100; i++)
		member(&c, HEADER, 50000);
	end(&c);
	for (size_t i = 0; i + 1 < c.count; i++) {
		ck_assert_uint_ge(c.frames[i], FRAME_CUT_TARGET);
		ck_assert_uint_le(c.frames[i], FRAME_CUT_MAX);
		ck_assert_uint_eq(c.frames[i] % (HEADER + 50000), 0);
	}
	ck_assert_uint_eq(c.count, 7);
}
END_TEST

START_TEST(big_payload_starts_a_frame_and_is_cut_evenly)
{
	struct cutter c = {.cut = FRAME_CUT_INIT};

	member(&c, HEADER, 200000);
	member(&c, HEADER, 2 * FRAME_CUT_PIECE + 7);
	member(&c, HEADER, 1000);
	end(&c);
	ck_assert_uint_eq(c.count, 4);
	ck_assert_uint_eq(c.frames[0], HEADER + 200000 + HEADER);
	ck_assert_uint_eq(c.frames[1], FRAME_CUT_PIECE);
	ck_assert_uint_eq(c.frames[2], FRAME_CUT_PIECE);
	ck_assert_uint_eq(c.frames[3], 7 + HEADER + 1000);
}
END_TEST

START_TEST(short_frame_goes_along_with_the_first_piece)
{
	struct cutter c = {.cut = FRAME_CUT_INIT};

	member(&c, HEADER, 1000);
	member(&c, HEADER, 2 * FRAME_CUT_PIECE);
	end(&c);
	ck_assert_uint_eq(c.count, 2);
	ck_assert_uint_eq(c.frames[0], HEADER + 1000 + HEADER + FRAME_CUT_PIECE);
	ck_assert_uint_eq(c.frames[1], FRAME_CUT_PIECE);
}
END_TEST

START_TEST(huge_payload_is_cut_small)
{
	struct cutter c = {.cut = FRAME_CUT_INIT};

	member(&c, HEADER, FRAME_CUT_HUGE);
	member(&c, HEADER, FRAME_CUT_PIECE - 1);
	end(&c);
	ck_assert_uint_eq(c.frames[0], HEADER + FRAME_CUT_HUGE_PIECE);
	ck_assert_uint_eq(c.frames[1], FRAME_CUT_HUGE_PIECE);
	ck_assert_uint_eq(c.count, FRAME_CUT_HUGE / FRAME_CUT_HUGE_PIECE);
}
END_TEST

START_TEST(long_header_is_split)
{
	struct cutter c = {.cut = FRAME_CUT_INIT};

	member(&c, 3 * FRAME_CUT_MAX, 10);
	end(&c);
	ck_assert_uint_eq(c.count, 4);
	ck_assert_uint_eq(c.frames[3], 10);
}
END_TEST

START_TEST(even_cuts_ignore_everything)
{
	struct cutter c = {.cut = FRAME_CUT_EVEN};

	put(&c, 5 * FRAME_CUT_PIECE + 1);
	end(&c);
	ck_assert_uint_eq(c.count, 6);
	for (size_t i = 0; i < 5; i++)
		ck_assert_uint_eq(c.frames[i], FRAME_CUT_PIECE);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/frame_cut");
	TCase *tc = tcase_create("policy");

	tcase_add_test(tc, small_members_share_frames_unsplit);
	tcase_add_test(tc, big_payload_starts_a_frame_and_is_cut_evenly);
	tcase_add_test(tc, short_frame_goes_along_with_the_first_piece);
	tcase_add_test(tc, huge_payload_is_cut_small);
	tcase_add_test(tc, long_header_is_split);
	tcase_add_test(tc, even_cuts_ignore_everything);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
