/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include <errno.h>

#include <stdlib.h>

#include "base/limits.h"
#include "manifests/findings.h"
#include "tests/support/failalloc.h"

static void set_source(struct source *s, const char *text)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(source_init(s, "Shalefile", text, strlen(text), &e), 0);
}

static void check_report(const char *text, struct place at, const char *want)
{
	struct err e = ERR_INIT;
	SCOPE(source) struct source s = SOURCE_INIT;

	set_source(&s, text);
	SCOPE(findings) struct findings f = FINDINGS_INIT(&s);
	ck_assert_int_eq(findings_error(&f, ERR_SYNTAX, at, &e, "bad"), 0);
	ck_assert_int_eq(findings_raise(&f, &e), -1);
	ck_assert_int_eq(e.code, ERR_SYNTAX);
	ck_assert_str_eq(e.msg, want);
	err_clear(&e);
}

START_TEST(shows_place_line_and_caret)
{
	check_report("a\nb\nCOPY --x a b\n", (struct place){3, 6, 0},
		     "Shalefile:3:6: bad\nCOPY --x a b\n     ^");
	check_report("COPY\n", (struct place){1, 1, 0}, "Shalefile:1:1: bad\nCOPY\n^");
	check_report("COPY\r\n", (struct place){1, 5, 0}, "Shalefile:1:5: bad\nCOPY\n    ^");
	check_report("COPY", (struct place){1, 99, 0}, "Shalefile:1:99: bad\nCOPY\n    ^");
	check_report("COPY", (struct place){0, 0, 0}, "Shalefile: bad");
	check_report("", (struct place){1, 1, 0}, "Shalefile:1:1: bad");
}
END_TEST

START_TEST(keeps_tabs_so_that_the_caret_lines_up)
{
	check_report("\tA\tB", (struct place){1, 4, 0}, "Shalefile:1:4: bad\n\tA\tB\n\t \t^");
}
END_TEST

START_TEST(shows_no_control_characters)
{
	check_report("a\x1b[2Jb", (struct place){1, 6, 0},
		     "Shalefile:1:6: bad\na\\x1b[2Jb\n        ^");
	check_report("\xff\xfe x", (struct place){1, 4, 0},
		     "Shalefile:1:4: bad\n\\xff\\xfe x\n         ^");
	check_report("CMD ['a\\b']", (struct place){1, 6, 0},
		     "Shalefile:1:6: bad\nCMD ['a\\b']\n     ^");
	check_report("h\xc3\xb6h x", (struct place){1, 6, 0},
		     "Shalefile:1:6: bad\nh\xc3\xb6h x\n    ^");
}
END_TEST

static void check_cut(size_t len, uint32_t column, const char *want_start, const char *want_end)
{
	struct err e = ERR_INIT;
	SCOPE(source) struct source s = SOURCE_INIT;
	SCOPE_FREE char *text = malloc(len + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, '.', len);
	text[len] = '\0';
	text[column - 1] = 'X';
	set_source(&s, text);
	SCOPE(findings) struct findings f = FINDINGS_INIT(&s);
	ck_assert_int_eq(findings_error(&f, ERR_SYNTAX, (struct place){1, column, 0}, &e, "bad"),
			 0);
	ck_assert_int_eq(findings_raise(&f, &e), -1);

	const char *line = strchr(e.msg, '\n') + 1;
	const char *carets = strchr(line, '\n') + 1;
	ck_assert_uint_le((size_t)(carets - line), 130);
	ck_assert_msg(strncmp(line, want_start, 3) == 0, "%s", line);
	ck_assert_msg(strncmp(carets - 4, want_end, 3) == 0, "%s", line);
	ck_assert_int_eq(line[strlen(carets) - 1], 'X');
	err_clear(&e);
}

START_TEST(cuts_long_lines_around_the_column)
{
	check_cut(60000, 30000, "...", "...");
	check_cut(60000, 1, "X..", "...");
	check_cut(60000, 60000, "...", "..X");
	check_cut(120, 119, "...", ".X.");
}
END_TEST

START_TEST(sorts_by_place_and_raises_the_gravest)
{
	struct err e = ERR_INIT;
	SCOPE(source) struct source s = SOURCE_INIT;

	set_source(&s, "a\nb\nc\n");
	SCOPE(findings) struct findings f = FINDINGS_INIT(&s);
	ck_assert_int_eq(findings_raise(&f, &e), 0);
	ck_assert_int_eq(findings_error(&f, ERR_UNSUPPORTED, (struct place){3, 1, 0}, &e, "three"),
			 0);
	ck_assert_int_eq(findings_warn(&f, (struct place){2, 1, 0}, &e, "hm"), 0);
	ck_assert_int_eq(findings_suggest(&f, "ok", &e), 0);
	ck_assert_int_eq(findings_raise(&f, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "three");
	ck_assert_int_eq(findings_error(&f, ERR_SYNTAX, (struct place){1, 1, 0}, &e, "one"), 0);
	ck_assert_int_eq(findings_raise(&f, &e), -1);
	ck_assert_str_eq(e.msg, "Shalefile:1:1: one\na\n^\nShalefile:3:1: three\nc\n^");
	ck_assert_err(&e, ERR_SYNTAX, "one");
	ck_assert_int_eq(findings_error(&f, ERR_LIMIT, (struct place){1, 1, 0}, &e, "four"), 0);
	ck_assert_int_eq(findings_raise(&f, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "one\na\n^\nShalefile:1:1: four");

	SCOPE(str) struct str warnings = STR_INIT;
	ck_assert_int_eq(findings_warnings(&f, &warnings, &e), 0);
	ck_assert_str_eq(str_text(&warnings),
			 "Shalefile:2:1: warning: hm (did you mean 'ok'?)\nb\n^\n");
}
END_TEST

START_TEST(takes_errors_about_the_file_only)
{
	struct err e = ERR_INIT;
	SCOPE(source) struct source s = SOURCE_INIT;

	set_source(&s, "a\n");
	SCOPE(findings) struct findings f = FINDINGS_INIT(&s);
	err_set(&e, ERR_NOT_FOUND, "nothing");
	ck_assert_int_eq(findings_take(&f, (struct place){1, 1, 0}, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_int_eq(findings_raise(&f, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "Shalefile:1:1: nothing");
	err_set(&e, ERR_UNSUPPORTED, "graver");
	ck_assert_int_eq(findings_take(&f, (struct place){1, 1, 0}, &e), 0);
	ck_assert_int_eq(findings_raise(&f, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "graver");
	err_set(&e, ERR_LIMIT, "too much");
	ck_assert_int_eq(findings_take(&f, (struct place){1, 1, 0}, &e), 0);
	ck_assert_no_err(&e);
	err_set(&e, ERR_SYS, "disk");
	ck_assert_int_eq(findings_take(&f, (struct place){1, 1, 0}, &e), -1);
	ck_assert_err(&e, ERR_SYS, "disk");
	ck_assert_int_eq(findings_raise(&f, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "too much");
}
END_TEST

START_TEST(puts_a_place_around_other_errors)
{
	struct err e = ERR_INIT;
	SCOPE(source) struct source s = SOURCE_INIT;

	set_source(&s, "one\ntwo\n");
	SCOPE(findings) struct findings f = FINDINGS_INIT(&s);
	err_sys(&e, ENOTDIR, "cannot open 'x'");
	ck_assert_int_eq(findings_wrap(&f, (struct place){2, 3, 0}, &e), -1);
	ck_assert_int_eq(e.sys, ENOTDIR);
	ck_assert_uint_eq(f.error_count, 0);
	ck_assert_str_eq(e.msg, "Shalefile:2:3: cannot open 'x': Not a directory");
	ck_assert_err(&e, ERR_SYS, "Not a directory");
	err_set(&e, ERR_EXISTS, "'x' is there");
	ck_assert_int_eq(findings_wrap(&f, (struct place){2, 3, 0}, &e), -1);
	ck_assert_str_eq(e.msg, "Shalefile:2:3: 'x' is there\ntwo\n  ^");
	ck_assert_err(&e, ERR_EXISTS, "there");
	err_nomem(&e);
	ck_assert_int_eq(findings_wrap(&f, (struct place){2, 3, 0}, &e), -1);
	ck_assert_str_eq(e.msg, "out of memory");
	ck_assert_err(&e, ERR_NOMEM, "out of memory");
}
END_TEST

START_TEST(keeps_a_number_of_them)
{
	struct err e = ERR_INIT;
	SCOPE(source) struct source s = SOURCE_INIT;

	set_source(&s, "a\n");
	SCOPE(findings) struct findings f = FINDINGS_INIT(&s);
	for (size_t i = 0; i < 100000 && e.code == ERR_NONE; i++)
		findings_warn(&f, (struct place){1, 1, 0}, &e, "w");
	for (size_t i = 0; i < FINDINGS_MAX + 7; i++)
		ck_assert_int_eq(findings_error(&f, ERR_SYNTAX, (struct place){1, 1, 0}, &e, "x"),
				 0);
	ck_assert_int_eq(findings_suggest(&f, "lost", &e), 0);
	ck_assert_uint_eq(f.count, 2 * FINDINGS_MAX);
	ck_assert_int_eq(findings_raise(&f, &e), -1);
	ck_assert_ptr_null(strstr(e.msg, "lost"));
	ck_assert_err(&e, ERR_SYNTAX, "... and 7 more");
}
END_TEST

/* Three lists of one source: what all have, what two have, what one has. */
struct three {
	struct source source;
	struct findings lists[3];
};

static void three_init(struct three *t)
{
	struct err e = ERR_INIT;

	t->source = (struct source)SOURCE_INIT;
	set_source(&t->source, "a\nb\nc\n");
	for (size_t i = 0; i < ARRAY_LEN(t->lists); i++) {
		t->lists[i] = (struct findings)FINDINGS_INIT(&t->source);
		struct findings *f = &t->lists[i];
		findings_error(f, ERR_NOT_FOUND, (struct place){1, 1, 0}, &e, "in all");
		findings_suggest(f, "ok", &e);
		findings_warn(f, (struct place){2, 1, 0}, &e, "hm");
		/* Of another code it is another. */
		if (i != 1)
			findings_error(f, ERR_SYNTAX, (struct place){2, 1, 0}, &e, "hm");
		if (i == 2)
			findings_error(f, ERR_UNSUPPORTED, (struct place){3, 1, 0}, &e, "last");
		if (i == 1)
			findings_warn(f, (struct place){3, 1, 0}, &e, "own");
	}
	ck_assert_no_err(&e);
}

static void three_fini(struct three *t)
{
	for (size_t i = 0; i < ARRAY_LEN(t->lists); i++)
		findings_fini(&t->lists[i]);
	source_fini(&t->source);
}

/* Three lists of one source, and what becomes of them. */
struct merged {
	struct three three;
	struct findings all;
};

static int merge_three(void *arg, struct err *e)
{
	static const char *const labels[] = {"x/1", "x/2", "x/3"};
	struct merged *m = arg;
	const struct findings *lists[] = {&m->three.lists[0], &m->three.lists[1],
					  &m->three.lists[2]};

	findings_fini(&m->all);
	m->all = (struct findings)FINDINGS_INIT(&m->three.source);
	return findings_merge(&m->all, lists, labels, ARRAY_LEN(lists), e);
}

START_TEST(merges_what_is_found_for_several)
{
	struct merged m = {.all = FINDINGS_INIT(&m.three.source)};
	SCOPE(str) struct str warnings = STR_INIT;
	struct err e = ERR_INIT;

	three_init(&m.three);
	failalloc_each(merge_three, &m);
	ck_assert_int_eq(merge_three(&m, &e), 0);
	ck_assert_int_eq(findings_warnings(&m.all, &warnings, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_str_eq(str_text(&warnings), "Shalefile:2:1: warning: hm\nb\n^\n"
					      "Shalefile:3:1: warning: for x/2: own\nc\n^\n");
	ck_assert_int_eq(findings_raise(&m.all, &e), -1);
	ck_assert_str_eq(e.msg, "Shalefile:1:1: in all (did you mean 'ok'?)\na\n^\n"
				"Shalefile:2:1: for x/1, x/3: hm\nb\n^\n"
				"Shalefile:3:1: for x/3: last\nc\n^");
	ck_assert_err(&e, ERR_SYNTAX, "for x/3: last");
	findings_fini(&m.all);
	three_fini(&m.three);
}
END_TEST

/* Twice the same, more than are kept, and one of the lost is the gravest. */
START_TEST(a_list_alone_is_merged_as_it_is)
{
	SCOPE(source) struct source s = SOURCE_INIT;
	const char *const label = "x";
	struct err want = ERR_INIT, got = ERR_INIT;

	set_source(&s, "a\n");
	SCOPE(findings) struct findings f = FINDINGS_INIT(&s);
	SCOPE(findings) struct findings copy = FINDINGS_INIT(&s);
	const struct findings *const list = &f;
	for (size_t i = 0; i < FINDINGS_MAX + 3; i++)
		findings_error(&f, ERR_SYNTAX, (struct place){1, 1, 0}, &want, "x %zu", i / 2);
	findings_error(&f, ERR_LIMIT, (struct place){1, 1, 0}, &want, "lost");
	ck_assert_int_eq(findings_merge(&copy, &list, &label, 1, &want), 0);
	ck_assert_no_err(&want);
	ck_assert_int_eq(findings_raise(&f, &want), -1);
	ck_assert_int_eq(findings_raise(&copy, &got), -1);
	ck_assert_str_eq(got.msg, want.msg);
	ck_assert_err(&got, ERR_LIMIT, "... and 4 more");
	ck_assert_err(&want, ERR_LIMIT, "... and 4 more");
}
END_TEST

START_TEST(sources_refuse_what_is_no_text)
{
	struct err e = ERR_INIT;
	SCOPE(source) struct source s = SOURCE_INIT;
	SCOPE(str) struct str big = STR_INIT;

	ck_assert_int_eq(source_init(&s, "F", "FROM x\nab\0c\n", 12, &e), -1);
	ck_assert_err(&e, ERR_SYNTAX, "F:2:3: NUL byte");

	ck_assert_int_eq(str_append_z(&big, "A\n", &e), 0);
	while (big.len < LIMIT_MANIFEST_LINE + 2 && e.code == ERR_NONE)
		str_append_c(&big, 'x', &e);
	ck_assert_int_eq(str_append_c(&big, '\n', &e), 0);
	ck_assert_int_eq(source_init(&s, "F", big.data, big.len, &e), 0);
	source_fini(&s);
	big.data[big.len - 1] = 'x';
	ck_assert_int_eq(source_init(&s, "F", big.data, big.len, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "F:2:1: line of more");

	str_truncate(&big, 0);
	while (big.len < LIMIT_MANIFEST && e.code == ERR_NONE)
		str_append_z(&big, "0123456789abcde\n", &e);
	ck_assert_int_eq(source_init(&s, "F", big.data, big.len, &e), 0);
	source_fini(&s);
	ck_assert_int_eq(str_append_c(&big, '\n', &e), 0);
	ck_assert_int_eq(source_init(&s, "F", big.data, big.len, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "F: more than");
	ck_assert_ptr_null(s.text);
}
END_TEST

START_TEST(sources_know_their_lines)
{
	struct err e = ERR_INIT;
	SCOPE(source) struct source s = SOURCE_INIT;
	static const char *const want[] = {"one", "", "three\rx", "four"};
	static const char text[] = "\xef\xbb\xbf"
				   "one\r\n\nthree\rx\r\r\nfour";

	ck_assert_int_eq(source_init(&s, "F", text, strlen(text), &e), 0);
	ck_assert_uint_eq(s.line_count, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		size_t len;
		const char *line = source_line(&s, i + 1, &len);
		ck_assert_uint_eq(len, strlen(want[i]));
		ck_assert_mem_eq(line, want[i], len);
	}
	source_fini(&s);
	ck_assert_int_eq(source_init(&s, "F", "", 0, &e), 0);
	ck_assert_uint_eq(s.line_count, 0);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("manifests/findings");
	TCase *tc = tcase_create("findings");
	tcase_add_test(tc, shows_place_line_and_caret);
	tcase_add_test(tc, keeps_tabs_so_that_the_caret_lines_up);
	tcase_add_test(tc, shows_no_control_characters);
	tcase_add_test(tc, cuts_long_lines_around_the_column);
	tcase_add_test(tc, sorts_by_place_and_raises_the_gravest);
	tcase_add_test(tc, takes_errors_about_the_file_only);
	tcase_add_test(tc, puts_a_place_around_other_errors);
	tcase_add_test(tc, merges_what_is_found_for_several);
	tcase_add_test(tc, a_list_alone_is_merged_as_it_is);
	tcase_add_test(tc, keeps_a_number_of_them);
	suite_add_tcase(s, tc);

	TCase *source = tcase_create("source");
	tcase_add_test(source, sources_refuse_what_is_no_text);
	tcase_add_test(source, sources_know_their_lines);
	suite_add_tcase(s, source);
	return s;
}

UNIT_MAIN(suite_new)
