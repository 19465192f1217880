/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/str.h"
#include "manifests/glob.h"

/* What Go's filepath.Match says. */
static const struct {
	const char *pattern, *path;
	bool want;
} plain[] = {
	/* clang-format off */
	{"", "", true},
	{"", "a", false},
	{"abc", "abc", true},
	{"abc", "abcd", false},
	{"abc", "ab", false},
	{"*", "", true},
	{"*", "abc", true},
	{"*", "a/b", false},
	{"*c", "abc", true},
	{"a*", "a", true},
	{"a*", "abc", true},
	{"a*", "ab/c", false},
	{"a*/b", "abc/b", true},
	{"a*/b", "a/c/b", false},
	{"*/*", "a/b", true},
	{"*/*", "a/b/c", false},
	{"**", "abc", true},
	{"**", "a/b", false},
	{"a*b*c*d*e", "axbxcxdxe", true},
	{"a*b*c*d*e", "axbxcxdx", false},
	{"a*b?c*x", "abxbbxdbxebxczzx", true},
	{"a*b?c*x", "abxbbxdbxebxczzy", false},
	{"?", "a", true},
	{"?", "", false},
	{"?", "/", false},
	{"a?b", "a/b", false},
	{"a?b", "a\xe2\x98\xba" "b", true},
	{"a???b", "a\xe2\x98\xba" "b", false},
	{"a?b", "a\xff" "b", true},
	{"[abc]", "b", true},
	{"[abc]", "d", false},
	{"[a-c]x", "bx", true},
	{"[^a-c]x", "bx", false},
	{"[^a-c]x", "dx", true},
	{"[a-ce-g]", "f", true},
	{"[a-ce-g]", "d", false},
	{"[a-\xce\xb6]", "\xce\xb1", true},
	{"[\\]a]", "]", true},
	{"[\\-x]", "-", true},
	{"[\\-x]", "a", false},
	{"[x\\-]", "-", true},
	{"[!a]", "!", true},
	{"[!a]", "b", false},
	{"[*?]", "*", true},
	{"a]", "a]", true},
	{"\\*", "*", true},
	{"\\*", "a", false},
	{"\\a", "a", true},
	{"a\\[b", "a[b", true},
	{"*.[ch]", "main.c", true},
	{"*.[ch]", "main.o", false},
	{"[^a]", "/", true},
	{".*", ".git", true},
	{"*", ".git", true},
	/* clang-format on */
};

START_TEST(matches_as_go_does)
{
	struct err e = ERR_INIT;
	SCOPE(glob) struct glob g = GLOB_INIT;
	const char *p = plain[_i].pattern;

	ck_assert_int_eq(glob_init(&g, p, strlen(p), GLOB_PLAIN, &e), 0);
	ck_assert_msg(glob_match(&g, plain[_i].path, strlen(plain[_i].path)) == plain[_i].want,
		      "'%s' '%s'", p, plain[_i].path);
}
END_TEST

static const struct {
	const char *pattern, *text;
} refused[] = {
	{"[", "']'"},      {"a[", "']'"},        {"[]", "range"},  {"[^", "']'"},
	{"[^]", "range"},  {"[]a]", "range"},    {"[-]", "range"}, {"[x-]", "range"},
	{"[-x]", "range"}, {"[a-b-c]", "range"}, {"\\", "'\\'"},   {"a\\", "'\\'"},
	{"[\\", "']'"},    {"[a-\\", "']'"},     {"*[", "']'"},    {"[abc", "']'"},
	{"a/[b/c", "']'"},
};

START_TEST(refuses)
{
	struct err e = ERR_INIT;
	struct glob g;
	const size_t len = strlen(refused[_i].pattern);
	/* Without a NUL, so that a read behind its end is seen. */
	SCOPE_FREE char *p = malloc(len);

	ck_assert_ptr_nonnull(p);
	memcpy(p, refused[_i].pattern, len);
	ck_assert_msg(glob_init(&g, p, len, GLOB_PLAIN, &e) < 0, "accepted '%s'",
		      refused[_i].pattern);
	ck_assert_err(&e, ERR_SYNTAX, refused[_i].text);
	ck_assert_ptr_null(g.tokens);
	ck_assert_int_eq(glob_init(&g, p, len, GLOB_DEEP, &e), -1);
	ck_assert_err(&e, ERR_SYNTAX, "bad pattern");
}
END_TEST

START_TEST(tells_prefix_and_literals)
{
	struct err e = ERR_INIT;
	static const struct {
		const char *pattern, *prefix;
		bool is_literal;
	} cases[] = {
		{"a/b", "a/b", true},   {"a/*.c", "a/", false},   {"*", "", false},
		{"a\\*b", "a*b", true}, {"a\\*b?", "a*b", false}, {"a[b]c", "a", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		SCOPE(glob) struct glob g = GLOB_INIT;
		ck_assert_int_eq(
			glob_init(&g, cases[i].pattern, strlen(cases[i].pattern), GLOB_PLAIN, &e),
			0);
		ck_assert_str_eq(g.prefix, cases[i].prefix);
		ck_assert(g.is_literal == cases[i].is_literal);
	}
}
END_TEST

static const struct {
	const char *pattern, *path;
	bool want;
} starts[] = {
	{"a/b/c", "a/", true},      {"a/b/c", "a/b/", true},  {"a/b/c", "a/c/", false},
	{"a/b/c", "a/b/c", false},  {"*/c", "x/", true},      {"*/c", "x/y/", false},
	{"*.c", "x/", false},       {"**/c", "x/y/z/", true}, {"a/**/c", "b/", false},
	{"a/**/c", "a/x/y/", true}, {"a/**", "a/x/", true},   {"[ab]/c", "b/", true},
	{"[ab]/c", "c/", false},
};

START_TEST(tells_what_may_still_match)
{
	struct err e = ERR_INIT;
	SCOPE(glob) struct glob g = GLOB_INIT;
	const char *p = starts[_i].pattern;

	ck_assert_int_eq(glob_init(&g, p, strlen(p), GLOB_DEEP, &e), 0);
	ck_assert_msg(glob_may_match_from(&g, starts[_i].path, strlen(starts[_i].path)) ==
			      starts[_i].want,
		      "'%s' '%s'", p, starts[_i].path);
}
END_TEST

/* Exponential, or at least cubic, for matchers that go back. */
START_TEST(is_fast_for_hostile_patterns)
{
	static const char *const parts[] = {"*a", "**/", "**a", "[a]*", "?*"};
	struct err e = ERR_INIT;
	SCOPE(str) struct str pattern = STR_INIT;
	SCOPE(str) struct str path = STR_INIT;
	SCOPE(glob) struct glob g = GLOB_INIT;

	while (pattern.len + 8 < LIMIT_PATH && e.code == ERR_NONE)
		str_append_z(&pattern, parts[_i], &e);
	ck_assert_int_eq(str_append_c(&pattern, 'b', &e), 0);
	while (path.len < LIMIT_PATH && e.code == ERR_NONE)
		str_append_c(&path, 'a', &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(glob_init(&g, pattern.data, pattern.len, GLOB_DEEP, &e), 0);
	ck_assert(!glob_match(&g, path.data, path.len));
}
END_TEST

START_TEST(limits_patterns_and_paths)
{
	struct err e = ERR_INIT;
	struct glob g;
	SCOPE_FREE char *longer = malloc(LIMIT_PATH + 1);

	ck_assert_ptr_nonnull(longer);
	memset(longer, 'a', LIMIT_PATH + 1);
	ck_assert_int_eq(glob_init(&g, longer, LIMIT_PATH + 1, GLOB_PLAIN, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "bytes");
	ck_assert_int_eq(glob_init(&g, longer, LIMIT_PATH, GLOB_PLAIN, &e), 0);
	ck_assert(glob_match(&g, longer, LIMIT_PATH));
	glob_fini(&g);
	ck_assert_int_eq(glob_init(&g, "*", 1, GLOB_PLAIN, &e), 0);
	ck_assert(!glob_match(&g, longer, LIMIT_PATH + 1));
	glob_fini(&g);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("manifests/glob");
	TCase *tc = tcase_create("patterns");
	tcase_add_loop_test(tc, matches_as_go_does, 0, ARRAY_LEN(plain));
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, tells_prefix_and_literals);
	tcase_add_loop_test(tc, tells_what_may_still_match, 0, ARRAY_LEN(starts));
	tcase_add_loop_test(tc, is_fast_for_hostile_patterns, 0, 5);
	tcase_add_test(tc, limits_patterns_and_paths);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
