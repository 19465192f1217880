/* SPDX-License-Identifier: Apache-2.0 */
#include "image/holes.h"

#include "tests/support/failalloc.h"
#include "tests/unit/main.h"

enum { PIECES = 6, TAR_OFFSET = 5120, B = HOLES_BLOCK, HOLE = HOLES_MIN_RUN * HOLES_BLOCK };

/* A file as lengths: data, zeros, data, zeros, ...; and what must come out. */
static const struct {
	uint64_t pieces[PIECES];
	uint64_t data[PIECES]; /* start, length, start, length */
} files[] = {
	{{0}, {0}},
	{{1}, {0, 1}},
	{{100000}, {0, 100000}},
	/* Zeros that are too few stay data, even when they are all. */
	{{0, 1}, {0, 1}},
	{{0, HOLE - B}, {0, HOLE - B}},
	{{0, HOLE - B, 1}, {0, HOLE - B + 1}},
	/* A shorter last block counts. */
	{{0, HOLE - B + 1}, {0}},
	{{0, HOLE}, {0}},
	{{0, 1000 * HOLE + 7}, {0}},
	{{1, HOLE}, {0, B}},
	{{B, HOLE}, {0, B}},
	{{B, HOLE - 1}, {0, B}},
	{{B + 1, HOLE}, {0, 2 * B}},
	{{B, HOLE - B}, {0, HOLE}},
	{{0, HOLE, 1}, {HOLE, 1}},
	{{0, HOLE + 5, 1}, {HOLE, 6}},
	{{0, HOLE - 1, 1}, {0, HOLE}},
	{{B, HOLE, B, HOLE, B}, {0, B, B + HOLE, B, 2 * (B + HOLE), B}},
	{{B, HOLE, B, HOLE - B, B}, {0, B, B + HOLE, HOLE + B}},
	/* Only whole blocks of the file's own grid are looked at. */
	{{B / 2, HOLE, B / 2}, {0, HOLE + B}},
	{{B / 2, HOLE + B, B / 2}, {0, B, HOLE + B, B}},
};

static struct err e;
static struct holes h;

static void setup(void)
{
	e = (struct err)ERR_INIT;
	memset(&h, 0, sizeof(h));
}

static void teardown(void)
{
	holes_fini(&h);
}

/* Gives `len` equal bytes in steps. */
static void feed(unsigned char byte, uint64_t len, size_t step)
{
	static unsigned char buf[1 << 20];

	memset(buf, byte, sizeof(buf));
	while (len > 0) {
		const size_t n = len < step ? (size_t)len : step;
		ck_assert_int_eq(holes_feed(&h, buf, n, &e), 0);
		len -= n;
	}
}

START_TEST(finds_the_holes)
{
	static const size_t steps[] = {1 << 20, 65536, B, B - 1, 7777, 512};

	for (size_t s = 0; s < ARRAY_LEN(steps); s++) {
		holes_init(&h, TAR_OFFSET);
		for (size_t i = 0; i < PIECES; i++)
			feed(i % 2 ? 0 : 'x', files[_i].pieces[i], steps[s]);
		ck_assert_int_eq(holes_finish(&h, &e), 0);
		size_t count = 0;
		while (2 * count < PIECES && files[_i].data[2 * count + 1] > 0)
			count++;
		ck_assert_uint_eq(h.count, count);
		for (size_t i = 0; i < count; i++) {
			ck_assert_uint_eq(h.extents[i].file_offset, files[_i].data[2 * i]);
			ck_assert_uint_eq(h.extents[i].tar_offset,
					  TAR_OFFSET + files[_i].data[2 * i]);
			ck_assert_uint_eq(h.extents[i].length, files[_i].data[2 * i + 1]);
		}
	}
}
END_TEST

START_TEST(last_extent_goes_to_the_end)
{
	const uint64_t period = B + HOLE;
	const uint64_t size = (HOLES_MAX_EXTENTS + 5) * period;

	holes_init(&h, 0);
	for (uint64_t at = 0; at < size; at += period) {
		feed('x', B, B);
		feed(0, HOLE, HOLE);
	}
	ck_assert_int_eq(holes_finish(&h, &e), 0);
	ck_assert_uint_eq(h.count, HOLES_MAX_EXTENTS);
	ck_assert_uint_eq(h.extents[0].length, B);
	ck_assert_uint_eq(h.extents[h.count - 2].length, B);
	ck_assert_uint_eq(h.extents[h.count - 1].length, size - h.extents[h.count - 1].file_offset);
}
END_TEST

START_TEST(zeros_are_zeros)
{
	char buf[100] = {0};

	ck_assert(holes_is_zero(buf, 0));
	ck_assert(holes_is_zero(NULL, 0));
	for (size_t len = 1; len < sizeof(buf); len++) {
		ck_assert(holes_is_zero(buf, len));
		for (size_t at = 0; at < len; at++) {
			buf[at] = (char)0x80;
			ck_assert(!holes_is_zero(buf, len));
			buf[at] = 0;
		}
	}
}
END_TEST

static int find(void *arg, struct err *err)
{
	static const char data[B] = {'x'}, zeros[HOLE];
	struct holes holes = {0};
	int rc = -1;

	(void)arg;
	holes_init(&holes, 0);
	if (holes_feed(&holes, data, sizeof(data), err) == 0 &&
	    holes_feed(&holes, zeros, sizeof(zeros), err) == 0 &&
	    holes_feed(&holes, data, sizeof(data), err) == 0)
		rc = holes_finish(&holes, err);
	holes_fini(&holes);
	return rc;
}

START_TEST(memory_runs_out)
{
	failalloc_each(find, NULL);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/holes");
	TCase *tc = tcase_create("holes");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, finds_the_holes, 0, ARRAY_LEN(files));
	tcase_add_test(tc, last_extent_goes_to_the_end);
	tcase_add_test(tc, zeros_are_zeros);
	tcase_add_test(tc, memory_runs_out);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
