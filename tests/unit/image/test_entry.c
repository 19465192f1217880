/* SPDX-License-Identifier: Apache-2.0 */
#include "image/entry.h"

#include <sys/stat.h>

#include "base/limits.h"
#include "tests/unit/main.h"

#define TEXT(s) s, sizeof(s) - 1

static const struct {
	const char *name;
	size_t len;
	const char *path;
} accepted[] = {
	{TEXT(""), ""},
	{TEXT("/"), ""},
	{TEXT("."), ""},
	{TEXT("./"), ""},
	{TEXT("././/./"), ""},
	{TEXT("a"), "a"},
	{TEXT("/a"), "a"},
	{TEXT("./a"), "a"},
	{TEXT("a/"), "a"},
	{TEXT("a//b"), "a/b"},
	{TEXT("a/./b/."), "a/b"},
	{TEXT("///a///b///"), "a/b"},
	{TEXT("a/..b/c.."), "a/..b/c.."},
	{TEXT(".../....x"), ".../....x"},
	{TEXT(".wh.a"), ".wh.a"},
	{TEXT("a/.wh..wh..opq"), "a/.wh..wh..opq"},
	{TEXT("a\nb/\xff\xfe"), "a\nb/\xff\xfe"},
	{TEXT("a\\b"), "a\\b"},
	{TEXT(" a "), " a "},
};

static const struct {
	const char *name;
	size_t len;
	const char *word;
} refused[] = {
	{TEXT(".."), "'..' component"},
	{TEXT("../a"), "'..' component"},
	{TEXT("a/../b"), "'..' component"},
	{TEXT("a/.."), "'..' component"},
	{TEXT("/.."), "'..' component"},
	{TEXT("./../"), "'..' component"},
	{TEXT("a\0b"), "NUL"},
	{TEXT("a/b\0"), "NUL"},
	{TEXT("\0"), "NUL"},
};

START_TEST(canonical_path_accepts)
{
	struct err e = ERR_INIT;
	char out[LIMIT_PATH + 1];
	size_t len = 99;

	ck_assert_int_eq(entry_canonical_path(accepted[_i].name, accepted[_i].len, out, &len, &e),
			 0);
	ck_assert_no_err(&e);
	ck_assert_str_eq(out, accepted[_i].path);
	ck_assert_uint_eq(len, strlen(out));

	/* A canonical path is its own. */
	char again[LIMIT_PATH + 1];
	ck_assert_int_eq(entry_canonical_path(out, len, again, &len, &e), 0);
	ck_assert_str_eq(again, out);
}
END_TEST

START_TEST(canonical_path_refuses)
{
	struct err e = ERR_INIT;
	char out[LIMIT_PATH + 1];
	size_t len = 99;

	ck_assert_int_eq(entry_canonical_path(refused[_i].name, refused[_i].len, out, &len, &e),
			 -1);
	ck_assert_uint_eq(len, 99);
	ck_assert_err(&e, ERR_FORMAT, refused[_i].word);
}
END_TEST

START_TEST(canonical_path_limits_a_component)
{
	struct err e = ERR_INIT;
	char name[LIMIT_NAME + 2], out[LIMIT_PATH + 1];
	size_t len;

	memset(name, 'x', sizeof(name));
	ck_assert_int_eq(entry_canonical_path(name, LIMIT_NAME, out, &len, &e), 0);
	ck_assert_uint_eq(len, LIMIT_NAME);
	ck_assert_int_eq(entry_canonical_path(name, LIMIT_NAME + 1, out, &len, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "component");
}
END_TEST

START_TEST(canonical_path_limits_the_whole)
{
	struct err e = ERR_INIT;
	char name[LIMIT_PATH + 16], out[LIMIT_PATH + 1];
	size_t len;

	/* "a/a/.../a": 4095 bytes, and slashes around it that do not count. */
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 ? 'a' : '/';
	ck_assert_int_eq(entry_canonical_path(name, LIMIT_PATH + 2, out, &len, &e), 0);
	ck_assert_uint_eq(len, LIMIT_PATH);
	ck_assert_int_eq(entry_canonical_path(name, LIMIT_PATH + 3, out, &len, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "too long");
}
END_TEST

static const struct {
	enum entry_kind kind;
	uint32_t mode;
} kinds[] = {
	{ENTRY_REG, S_IFREG | 04755},     {ENTRY_DIR, S_IFDIR | 04755},
	{ENTRY_SYMLINK, S_IFLNK | 04755}, {ENTRY_HARDLINK, 0},
	{ENTRY_CHAR, S_IFCHR | 04755},    {ENTRY_BLOCK, S_IFBLK | 04755},
	{ENTRY_FIFO, S_IFIFO | 04755},
};

START_TEST(st_mode_has_the_kind)
{
	const struct entry en = {.kind = kinds[_i].kind, .mode = 04755};

	enum entry_kind kind = ENTRY_HARDLINK;

	ck_assert_uint_eq(entry_st_mode(&en), kinds[_i].mode);
	/* And back. */
	ck_assert_int_eq(entry_kind_of(kinds[_i].mode, &kind), kinds[_i].mode != 0);
	ck_assert_int_eq(kind, kinds[_i].kind);
	ck_assert(!entry_kind_of(S_IFSOCK | 04755, &kind));
}
END_TEST

/* In order. */
static const char *const paths[] = {
	"", "\x01", "a", "a/b", "a/b/c", "a/b\x01", "a\x01", "a-", "a-/x", "a.b", "aa", "b", "\xc3",
};

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

START_TEST(paths_sort_by_component)
{
	for (int i = 0; i < (int)ARRAY_LEN(paths); i++)
		ck_assert_int_eq(sign(entry_path_compare(paths[_i], strlen(paths[_i]), paths[i],
							 strlen(paths[i]))),
				 sign(_i - i));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/entry");
	TCase *tc = tcase_create("entry");

	tcase_add_loop_test(tc, canonical_path_accepts, 0, ARRAY_LEN(accepted));
	tcase_add_loop_test(tc, canonical_path_refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, canonical_path_limits_a_component);
	tcase_add_test(tc, canonical_path_limits_the_whole);
	tcase_add_loop_test(tc, st_mode_has_the_kind, 0, ARRAY_LEN(kinds));
	tcase_add_loop_test(tc, paths_sort_by_component, 0, ARRAY_LEN(paths));
	suite_add_tcase(s, tc);
	return s;
}
UNIT_MAIN(suite_new)
