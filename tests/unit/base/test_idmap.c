/* SPDX-License-Identifier: Apache-2.0 */
#include "base/idmap.h"

#include "base/limits.h"
#include "main.h"
#include "tests/support/failalloc.h"

/* The map of a user, uid 1000, whose lines these are. */
static int build(struct idmap *out, const char *lines, struct err *e)
{
	SCOPE(subids) struct subids ids = SUBIDS_INIT;

	if (subids_parse(&ids, lines, strlen(lines), "alice", 1000, e) < 0)
		return -1;
	return idmap_build(out, 1000, &ids, e);
}

static const struct {
	const char *lines;
	const char *want;
} maps[] = {
	{"", "0 1000 1\n"},
	{"alice:100000:65536\n", "0 1000 1\n1 100000 65536\n"},
	/* By their size, in whatever order the file has them. */
	{"alice:300000:10\nalice:100000:5\n", "0 1000 1\n1 100000 5\n6 300000 10\n"},
	{"alice:300000:10\nalice:10:5\n", "0 1000 1\n1 10 5\n6 300000 10\n"},
	/* Neighbours need not be one. */
	{"alice:100:10\nalice:110:10\n", "0 1000 1\n1 100 10\n11 110 10\n"},
	/* His own id is there already: at an end, and in the middle. */
	{"alice:1000:10\n", "0 1000 1\n1 1001 9\n"},
	{"alice:991:10\n", "0 1000 1\n1 991 9\n"},
	{"alice:1000:1\n", "0 1000 1\n"},
	{"alice:900:200\n", "0 1000 1\n1 900 100\n101 1001 99\n"},
	/* Ranges over each other: the same, within, around, from both sides, chained. */
	{"alice:100:10\n1000:100:10\n", "0 1000 1\n1 100 10\n"},
	{"alice:100:10\nalice:103:2\n", "0 1000 1\n1 100 10\n"},
	{"alice:100:10\nalice:100:5\n", "0 1000 1\n1 100 5\n6 105 5\n"},
	{"alice:103:2\nalice:100:10\n", "0 1000 1\n1 100 10\n"},
	{"alice:100:10\nalice:95:10\n", "0 1000 1\n1 95 10\n11 105 5\n"},
	{"alice:100:10\nalice:105:10\n", "0 1000 1\n1 100 10\n11 110 5\n"},
	{"alice:100:20\nalice:105:2\nalice:110:15\n", "0 1000 1\n1 100 20\n21 120 5\n"},
	{"alice:995:10\nalice:990:8\nalice:1000:2\nalice:1001:9\n",
	 "0 1000 1\n1 990 8\n9 998 2\n11 1001 4\n15 1005 5\n"},
	/* All that there is but 0. */
	{"alice:1:4294967294\n", "0 1000 1\n1 1 999\n1000 1001 4294966294\n"},
	{"alice:4294967294:1\nalice:1:4294967294\n", "0 1000 1\n1 1 999\n1000 1001 4294966294\n"},
};

START_TEST(ranges_are_mapped_once)
{
	struct err e = ERR_INIT;
	SCOPE(idmap) struct idmap m = IDMAP_INIT;
	SCOPE(str) struct str text = STR_INIT;

	ck_assert_int_eq(build(&m, maps[_i].lines, &e), 0);
	ck_assert_int_eq(idmap_format(&m, &text, &e), 0);
	ck_assert_str_eq(str_text(&text), maps[_i].want);
}
END_TEST

/* `count` ranges of one id each, two apart, from `first` on. */
static void make_lines(struct str *out, unsigned first, unsigned count)
{
	struct err e = ERR_INIT;

	for (unsigned i = 0; i < count; i++)
		ck_assert_int_eq(str_appendf(out, &e, "alice:%u:1\n", first + 2 * i), 0);
}

START_TEST(as_many_as_linux_takes)
{
	struct err e = ERR_INIT;
	SCOPE(idmap) struct idmap m = IDMAP_INIT;
	SCOPE(str) struct str lines = STR_INIT;

	make_lines(&lines, 1001, LIMIT_IDMAP_EXTENTS - 1);
	ck_assert_int_eq(build(&m, str_text(&lines), &e), 0);
	ck_assert_uint_eq(m.count, LIMIT_IDMAP_EXTENTS);
	idmap_fini(&m);
	make_lines(&lines, 9000, 1);
	ck_assert_int_eq(build(&m, str_text(&lines), &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "more than 340");
	ck_assert_ptr_null(m.extents);
	ck_assert_uint_eq(m.count, 0);
}
END_TEST

START_TEST(what_one_write_holds)
{
	struct err e = ERR_INIT;
	SCOPE(idmap) struct idmap m = IDMAP_INIT;
	SCOPE(str) struct str lines = STR_INIT;
	SCOPE(str) struct str text = STR_INIT;

	/* The first line has 9 bytes, the next nine 14 each, those with two digits 15, with three
	 * 16: 9 + 126 + 1350 + 162 * 16 = 4077. */
	make_lines(&lines, 100000001, 261);
	const size_t len = lines.len;
	ck_assert_int_eq(build(&m, str_text(&lines), &e), 0);
	ck_assert_int_eq(idmap_format(&m, &text, &e), 0);
	ck_assert_uint_eq(text.len, 4077);
	idmap_fini(&m);
	/* "262 200000000 100" and its end are the 18 that are left. */
	ck_assert_int_eq(str_append_z(&lines, "alice:200000000:100\n", &e), 0);
	ck_assert_int_eq(build(&m, str_text(&lines), &e), 0);
	idmap_fini(&m);
	str_truncate(&lines, len);
	ck_assert_int_eq(str_append_z(&lines, "alice:200000000:1000\n", &e), 0);
	ck_assert_int_eq(build(&m, str_text(&lines), &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "longer than 4095 bytes");
	ck_assert_ptr_null(m.extents);
}
END_TEST

static int build_and_format(void *arg, struct err *e)
{
	SCOPE(idmap) struct idmap m = IDMAP_INIT;
	SCOPE(str) struct str text = STR_INIT;

	return build(&m, arg, e) < 0 ? -1 : idmap_format(&m, &text, e);
}

START_TEST(without_memory)
{
	SCOPE(str) struct str lines = STR_INIT;

	make_lines(&lines, 2001, 50);
	failalloc_each(build_and_format, lines.data);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/idmap");
	TCase *tc = tcase_create("build");

	tcase_add_loop_test(tc, ranges_are_mapped_once, 0, ARRAY_LEN(maps));
	tcase_add_test(tc, as_many_as_linux_takes);
	tcase_add_test(tc, what_one_write_holds);
	tcase_add_test(tc, without_memory);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
