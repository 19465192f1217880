/* SPDX-License-Identifier: Apache-2.0 */
#include "base/subids.h"

#include "base/limits.h"
#include "base/str.h"
#include "main.h"
#include "tests/support/failalloc.h"

/* The ranges that alice, uid 1000, gets of a text: "100000+65536 5+1 ", and behind it "bad:N" for a
 * line that was passed over. */
static void parse(const char *text, size_t len, const char *name, struct str *out)
{
	struct err e = ERR_INIT;
	SCOPE(subids) struct subids s = SUBIDS_INIT;

	ck_assert_int_eq(subids_parse(&s, text, len, name, 1000, &e), 0);
	ck_assert_no_err(&e);
	for (size_t i = 0; i < s.count; i++)
		ck_assert_int_eq(str_appendf(out, &e, "%u+%u ", (unsigned)s.ranges[i].start,
					     (unsigned)s.ranges[i].count),
				 0);
	if (s.bad_line)
		ck_assert_int_eq(str_appendf(out, &e, "bad:%zu", s.bad_line), 0);
}

static const struct {
	const char *text;
	const char *want;
} files[] = {
	{"", ""},
	{"\n\n", ""},
	{"alice:100000:65536\n", "100000+65536 "},
	{"alice:100000:65536", "100000+65536 "},
	{"1000:100000:65536\n", "100000+65536 "},
	{"bob:1:2\nalice:3:4\n1001:5:6\n1000:7:8\nalice:9:10\n", "3+4 7+8 9+10 "},
	/* By their start, and then by their count, whatever the order. */
	{"1000:9:3\nalice:9:2\nalice:4294967294:1\nalice:1:1\n", "1+1 9+2 9+3 4294967294+1 "},
	/* Whose name only begins, or ends, as his. */
	{"alic:1:2\nalicea:1:2\nmalice:1:2\n100:1:2\n10000:1:2\nAlice:1:2\n alice:1:2\n", ""},
	{"# alice:1:2\n#alice:1:2\n", ""},
	/* The ends of what there is. */
	{"alice:1:1\n", "1+1 "},
	{"alice:1:4294967294\n", "1+4294967294 "},
	{"alice:4294967294:1\n", "4294967294+1 "},
	{"alice:1:4294967295\n", "bad:1"},
	{"alice:2:4294967294\n", "bad:1"},
	{"alice:4294967294:2\n", "bad:1"},
	{"alice:4294967295:1\n", "bad:1"},
	{"alice:4294967296:1\n", "bad:1"},
	{"alice:18446744073709551617:1\n", "bad:1"},
	{"alice:1:18446744073709551617\n", "bad:1"},
	{"alice:18446744073709551615:18446744073709551615\n", "bad:1"},
	/* Root's id. */
	{"alice:0:65536\n", "bad:1"},
	{"alice:1:0\n", "bad:1"},
	/* No numbers. */
	{"alice:-1:1\nalice:5:1\n", "5+1 bad:1"},
	{"alice:+1:1\n", "bad:1"},
	{"alice: 1:1\n", "bad:1"},
	{"alice:1:1 \n", "bad:1"},
	{"alice:1:1\r\n", "bad:1"},
	{"alice:0x10:1\n", "bad:1"},
	{"alice:0100000:1\n", "bad:1"},
	{"alice:1:010\n", "bad:1"},
	{"alice:1e5:1\n", "bad:1"},
	/* No line. */
	{"bob:x\n\nalice\n", "bad:3"},
	{"alice:\n", "bad:1"},
	{"alice::\n", "bad:1"},
	{"alice:1\n", "bad:1"},
	{"alice:1:\n", "bad:1"},
	{"alice::1\n", "bad:1"},
	{"alice:1:1:1\n", "bad:1"},
	{"alice:1:1:\n", "bad:1"},
	{"alice:1\n:1\n", "bad:1"},
	{"alice:x\nalice:y\nalice:1:1\n", "1+1 bad:1"},
	{":1:1\n", ""},
};

START_TEST(lines_are_ranges)
{
	SCOPE(str) struct str got = STR_INIT;

	parse(files[_i].text, strlen(files[_i].text), "alice", &got);
	ck_assert_str_eq(str_text(&got), files[_i].want);
}
END_TEST

START_TEST(a_zero_byte_is_no_end)
{
	static const char text[] = "alice\0:1:1\nalice:2\0:1\nalice:3:1\0\nalice:4:1\n";
	SCOPE(str) struct str got = STR_INIT;

	parse(text, sizeof(text) - 1, "alice", &got);
	ck_assert_str_eq(str_text(&got), "4+1 bad:2");
}
END_TEST

START_TEST(reads_no_further_than_its_length)
{
	SCOPE(str) struct str got = STR_INIT;

	parse("alice:1:12\n", sizeof("alice:1:1") - 1, "alice", &got);
	ck_assert_str_eq(str_text(&got), "1+1 ");
}
END_TEST

START_TEST(without_a_name_the_uid_counts)
{
	static const char text[] = ":1:1\n(null):2:1\n1000:3:1\n";
	SCOPE(str) struct str got = STR_INIT;

	parse(text, sizeof(text) - 1, NULL, &got);
	ck_assert_str_eq(str_text(&got), "3+1 ");
}
END_TEST

static const struct {
	const char *text;
	uint32_t unused;
} suggested[] = {
	{"", 100000},
	{"bob:1:10\n", 100000},
	{"bob:99999:2\n", 100001},
	{"bob:300000:65536\ncarol:100000:65536\nalice:x\n", 365536},
	/* What is no range takes nothing. */
	{"bob:200000:x\nbob:0:4294967294\n", 100000},
	{"bob:100000:4294801759\n", 4294901759},
	{"bob:100000:4294801760\n", 0},
	{"bob:1:4294967294\n", 0},
};

START_TEST(tells_what_nobody_has)
{
	struct err e = ERR_INIT;
	SCOPE(subids) struct subids s = SUBIDS_INIT;

	ck_assert_int_eq(
		subids_parse(&s, suggested[_i].text, strlen(suggested[_i].text), "alice", 1000, &e),
		0);
	ck_assert_uint_eq(s.unused, suggested[_i].unused);
}
END_TEST

/* `count` lines of alice, among those of others. */
static void make_lines(struct str *out, unsigned count)
{
	struct err e = ERR_INIT;

	for (unsigned i = 1; i <= count; i++)
		ck_assert_int_eq(str_appendf(out, &e, "bob:%u:1\nalice:%u:1\n", i, i), 0);
}

START_TEST(more_ranges_than_a_map_has_are_refused)
{
	struct err e = ERR_INIT;
	SCOPE(subids) struct subids s = SUBIDS_INIT;
	SCOPE(str) struct str text = STR_INIT;

	make_lines(&text, LIMIT_IDMAP_EXTENTS);
	ck_assert_int_eq(subids_parse(&s, text.data, text.len, "alice", 1000, &e), 0);
	ck_assert_uint_eq(s.count, LIMIT_IDMAP_EXTENTS);
	subids_fini(&s);
	ck_assert_int_eq(str_append_z(&text, "1000:7:7\n", &e), 0);
	ck_assert_int_eq(subids_parse(&s, text.data, text.len, "alice", 1000, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "more than 340 ranges");
	ck_assert_ptr_null(s.ranges);
	ck_assert_uint_eq(s.count, 0);
}
END_TEST

static int parse_lines(void *arg, struct err *e)
{
	const struct str *text = arg;
	SCOPE(subids) struct subids s = SUBIDS_INIT;

	return subids_parse(&s, text->data, text->len, "alice", 1000, e);
}

START_TEST(without_memory)
{
	SCOPE(str) struct str text = STR_INIT;

	make_lines(&text, 50);
	failalloc_each(parse_lines, &text);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/subids");
	TCase *tc = tcase_create("parse");

	tcase_add_loop_test(tc, lines_are_ranges, 0, ARRAY_LEN(files));
	tcase_add_test(tc, a_zero_byte_is_no_end);
	tcase_add_test(tc, reads_no_further_than_its_length);
	tcase_add_test(tc, without_a_name_the_uid_counts);
	tcase_add_loop_test(tc, tells_what_nobody_has, 0, ARRAY_LEN(suggested));
	tcase_add_test(tc, more_ranges_than_a_map_has_are_refused);
	tcase_add_test(tc, without_memory);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
