/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include <stdlib.h>
#include <time.h>

#include "base/limits.h"
#include "base/str.h"
#include "manifests/ignore.h"

static const struct {
	const char *file, *path;
	bool want;
} cases[] = {
	/* clang-format off */
	{"", "a", false},
	{"a", "a", true},
	{"a", "b", false},
	{"a", "ab", false},
	{"a", "b/a", false},           /* patterns are anchored */
	{"a", "a/b", true},            /* a parent counts */
	{"a", "a/b/c", true},
	{"a/b", "a/b", true},
	{"a/b", "a", false},
	{"a/b", "a/b/c", true},
	{"a/b", "x/a/b", false},
	{"/a", "a", true},
	{"/a/b", "a/b", true},
	{"./a", "a", true},
	{"a/", "a", true},
	{"a/", "a/b", true},
	{"a//b", "a/b", true},
	{"a/./b", "a/b", true},
	{"a/../b", "b", true},
	{"a/../b", "a", false},
	{"../a", "a", false},
	{"/../a", "a", true},
	{"/", "a", false},
	{".", "a", false},
	{"*", "a", true},
	{"*", "a/b", true},            /* by the parent */
	{"*", ".git", true},
	{"*.o", "a.o", true},
	{"*.o", "src/a.o", false},
	{"*/*.o", "src/a.o", true},
	{"*/*.o", "a/b/c.o", false},
	{"src/*.o", "src/a.o", true},
	{"src/*.o", "src/x/a.o", false},
	{"src/*", "src/x/a.o", true},  /* by src/x */
	{"?.c", "a.c", true},
	{"?.c", "ab.c", false},
	{"[ab].c", "b.c", true},
	{"[^ab].c", "b.c", false},
	{"\\*.c", "*.c", true},
	{"\\*.c", "a.c", false},
	{"\\!a", "!a", true},
	{"\\#a", "#a", true},
	/* any directories */
	{"**", "a", true},
	{"**", "a/b/c", true},
	{"**/", "a/b", true},
	{"**/**", "a/b", true},
	{"**/a", "a", true},
	{"**/a", "b/c/a", true},
	{"**/a", "b/ca", false},
	{"**/a", "b/a/c", true},
	{"**a", "ba", true},           /* the end of the path, as moby compares it */
	{"**a", "x/y/ba", true},
	{"**/*.o", "a.o", true},
	{"**/*.o", "x/y/a.o", true},
	{"**/*.o", "x/y/a.c", false},
	{"**/.git", "sub/.git/config", true},
	{"**/.foo", "bar.foo", false},
	{"a/**", "a/b", true},
	{"a/**", "a/b/c", true},
	{"a/**", "a", false},
	{"a**", "ab/c", true},
	{"a**", "a", true},
	{"a/**/b", "a/b", true},
	{"a/**/b", "a/x/y/b", true},
	{"a/**/b", "a/xb", false},
	{"a**/b", "a/b", true},
	{"a**/b", "ax/y/b", true},
	{"a/*.txt**", "a/b.txt.gz", true},
	{"**/x/**/y", "x/y", true},
	{"**/x/**/y", "a/x/b/c/y", true},
	{"**/x/**/y", "a/b/y", false},
	{"**/node_modules/*/t", "p/node_modules/q/t/u", true},
	{"***", "a", true},
	/* characters that mean something to regular expressions */
	{"a.b", "axb", false},
	{"a+b", "a+b", true},
	{"a(b)c", "a(b)c", true},
	{"a{2}", "aa", false},
	{"a|b", "a", false},
	{"$a^", "$a^", true},
	/* taking back */
	{"*\n!a", "a", false},
	{"*\n!a", "b", true},
	{"*\n!a", "a/b", false},
	{"!a\n*", "a", true},
	{"*\n!a/b", "a/b", false},
	{"*\n!a/b", "a/c", true},
	{"*\n!a/b", "a", true},
	{"a\n!a/b", "a/b/c", false},
	{"a\n!a/b\na/b/c", "a/b/c", true},
	{"a\n!a/b\na/b/c", "a/b/d", false},
	{"**\n!**/*.c", "x/y.c", false},
	{"**\n!**/*.c", "x/y.h", true},
	{"*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true},
	{"*.md\n!README*.md\nREADME-secret.md", "README-x.md", false},
	{"*.md\nREADME-secret.md\n!README*.md", "README-secret.md", false},
	{"docs\n! /docs/a", "docs/a", false},
	{"docs\n!./docs/a/", "docs/a", false},
	{"!a", "a", false},
	/* lines */
	{"# a\na", "a", true},
	{"#a", "#a", false},
	{" #a", "#a", true},           /* only in the first column it is a comment */
	{"  a  ", "a", true},
	{"a\r\nb\r\n", "b", true},
	{"\n\n\t\n", "a", false},
	{"\xef\xbb\xbf#x\na", "#x", false},
	{"\xef\xbb\xbf" "a", "a", true},
	{"a", "", false},
	{"*", ".", false},             /* the root is never left out */
	{"**", "", false},
	/* clang-format on */
};

static struct ignore *parse(const char *file, struct err *e)
{
	return ignore_parse(".dockerignore", file, strlen(file), e);
}

START_TEST(excludes)
{
	struct err e = ERR_INIT;

	SCOPE(ignore) struct ignore *ig = parse(cases[_i].file, &e);
	ck_assert_no_err(&e);
	ck_assert_msg(ignore_is_excluded(ig, cases[_i].path) == cases[_i].want, "'%s' '%s'",
		      cases[_i].file, cases[_i].path);
}
END_TEST

/* Going down directory by directory gives the same answers. */
START_TEST(prunes_nothing_that_is_taken_back)
{
	struct err e = ERR_INIT;
	const char *path = cases[_i].path;

	if (path[0] == '\0' || strcmp(path, ".") == 0)
		return;
	SCOPE(ignore) struct ignore *ig = parse(cases[_i].file, &e);
	ck_assert_no_err(&e);
	for (size_t i = 1; i < strlen(path); i++) {
		if (path[i] != '/')
			continue;
		SCOPE_FREE char *dir = str_dup_n(path, i, &e);
		if (ignore_is_excluded(ig, dir) && !ignore_may_reinclude_below(ig, dir))
			ck_assert_msg(cases[_i].want, "'%s' pruned '%s' above '%s'", cases[_i].file,
				      dir, path);
	}
	ck_assert_int_eq(ignore_check_steps(ig, &e), 0);
}
END_TEST

/* "**" and "a" in turn, over a path of "a" alone. */
START_TEST(limits_the_work_of_deep_patterns)
{
	SCOPE(str) struct str file = STR_INIT;
	SCOPE(str) struct str path = STR_INIT;
	struct err e = ERR_INIT;

	for (int i = 0; i < 200; i++) {
		ck_assert_int_eq(str_append_z(&file, _i ? "!" : "", &e), 0);
		for (int k = 0; k < 800; k++)
			ck_assert_int_eq(str_append_z(&file, "**/a/", &e), 0);
		ck_assert_int_eq(str_append_z(&file, "b\n", &e), 0);
	}
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(str_append_z(&path, i ? "/a" : "a", &e), 0);
	SCOPE(ignore) struct ignore *ig = parse(file.data, &e);
	ck_assert_no_err(&e);
	const clock_t start = clock();
	if (_i)
		ignore_may_reinclude_below(ig, path.data);
	else
		ck_assert(!ignore_is_excluded(ig, path.data));
	ck_assert_int_eq(ignore_check_steps(ig, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "takes too long");
	/* Once over the limit, always so. */
	ck_assert(!ignore_is_excluded(ig, "x"));
	ck_assert_int_eq(ignore_check_steps(ig, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "takes too long");
	ck_assert(clock() - start < 30 * CLOCKS_PER_SEC);
}
END_TEST

static const struct {
	const char *file, *dir;
	bool want;
} prunes[] = {
	{"a", "a", false},
	{"*\n!b", "a", false},
	{"*\n!a/x", "a", true},
	{"*\n!a/x", "b", false},
	{"*\n!a/x/y", "a/x", true},
	{"*\n!a/x", "a/y", false},
	{"!a/x\n*", "a", false}, /* a later rule has the last word */
	{"*\n!**/x", "a/b", true},
	{"*\n!**x", "a", true},
	{"*\n!a/**", "a", true},
	{"*\n!a/**", "b", false},
	{"*\n!a/**/x", "a/b/c", true},
	{"*\n!a/**/x", "b", false},
	{"*\n!?/x", "a", true},
	{"*\n!?/x", "ab", false},
	{"*\n!ab/x", "a", false},
	{"*\n!a/b**", "a", true},
	{"*\n!ab**", "a", false},
	{"**\n!a/b/c\na/b", "a", true},
	{"**\n!a/b/c\na/b", "a/b", false},
};

START_TEST(tells_where_to_look_below)
{
	struct err e = ERR_INIT;
	SCOPE(ignore) struct ignore *ig = parse(prunes[_i].file, &e);

	ck_assert_no_err(&e);
	ck_assert_msg(ignore_may_reinclude_below(ig, prunes[_i].dir) == prunes[_i].want,
		      "'%s' '%s'", prunes[_i].file, prunes[_i].dir);
}
END_TEST

static const struct {
	const char *file, *text;
} refused[] = {
	{"!", ".dockerignore:1: '!'"},
	{"a\n\n ! \nb", ".dockerignore:3: '!'"},
	{"a\n[", ".dockerignore:2: bad pattern '['"},
	{"a[b", "bad pattern"},
	{"a\\", "bad pattern"},
	{"a\\ ", "bad pattern"}, /* trimmed first: nothing is left to escape */
	{"![x-]", "range"},
	{"**/[", "']'"},
	{"[]a]", "range"},
};

START_TEST(refuses)
{
	struct err e = ERR_INIT;

	ck_assert_ptr_null(parse(refused[_i].file, &e));
	ck_assert_err(&e, ERR_SYNTAX, refused[_i].text);
}
END_TEST

START_TEST(refuses_nul_bytes)
{
	struct err e = ERR_INIT;

	ck_assert_ptr_null(ignore_parse("x", "a\nb\0c", 5, &e));
	ck_assert_err(&e, ERR_SYNTAX, "x:2: NUL");
}
END_TEST

START_TEST(limits_files_rules_and_patterns)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str file = STR_INIT;

	for (size_t i = 0; i < LIMIT_IGNORE_RULES && e.code == ERR_NONE; i++)
		str_append_z(&file, "a\n", &e);
	SCOPE(ignore) struct ignore *ig = parse(file.data, &e);
	ck_assert_no_err(&e);
	ck_assert(ignore_is_excluded(ig, "a/b"));
	ck_assert(!ignore_is_excluded(ig, "b"));
	ck_assert_int_eq(str_append_z(&file, "a\n", &e), 0);
	ck_assert_ptr_null(parse(file.data, &e));
	ck_assert_err(&e, ERR_LIMIT, ".dockerignore:10001: more than");

	str_truncate(&file, 0);
	ck_assert_int_eq(str_append_zeros(&file, LIMIT_IGNORE_FILE + 1, &e), 0);
	ck_assert_ptr_null(ignore_parse(".dockerignore", file.data, file.len, &e));
	ck_assert_err(&e, ERR_LIMIT, ".dockerignore: more than");

	memset(file.data, 'a', LIMIT_PATH + 1);
	file.data[LIMIT_PATH + 1] = '\0';
	ck_assert_ptr_null(parse(file.data, &e));
	ck_assert_err(&e, ERR_LIMIT, "bytes");
}
END_TEST

/* --exclude: no lines, no comments, and "!" as ever. */
START_TEST(takes_lists)
{
	struct err e = ERR_INIT;
	SCOPE(strlist) struct strlist list = STRLIST_INIT;

	ck_assert_int_eq(strlist_add(&list, "#*", &e), 0);
	ck_assert_int_eq(strlist_add(&list, "**/*.o", &e), 0);
	ck_assert_int_eq(strlist_add(&list, "!keep.o", &e), 0);
	SCOPE(ignore) struct ignore *ig = ignore_new(&list, &e);
	ck_assert_no_err(&e);
	ck_assert(ignore_is_excluded(ig, "#x"));
	ck_assert(ignore_is_excluded(ig, "a/b.o"));
	ck_assert(!ignore_is_excluded(ig, "keep.o"));
	ck_assert_int_eq(strlist_add(&list, "[", &e), 0);
	ck_assert_ptr_null(ignore_new(&list, &e));
	ck_assert_err(&e, ERR_SYNTAX, "bad pattern");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("manifests/ignore");
	TCase *tc = tcase_create("rules");

	/* For the limit of work, on a busy machine. */
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, excludes, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(tc, prunes_nothing_that_is_taken_back, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(tc, limits_the_work_of_deep_patterns, 0, UNIT_LOOPS(2));
	tcase_add_loop_test(tc, tells_where_to_look_below, 0, ARRAY_LEN(prunes));
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, refuses_nul_bytes);
	tcase_add_test(tc, limits_files_rules_and_patterns);
	tcase_add_test(tc, takes_lists);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
