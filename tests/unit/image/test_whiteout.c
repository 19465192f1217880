/* SPDX-License-Identifier: Apache-2.0 */
#include "image/whiteout.h"
#include "tests/unit/main.h"

static struct entry entry_at(const char *path, enum entry_kind kind)
{
	return (struct entry){.path = path, .path_len = strlen(path), .kind = kind};
}

static const struct {
	const char *path;
	enum whiteout_kind kind;
	const char *hidden; /* for WHITEOUT_FILE */
} accepted[] = {
	{"", WHITEOUT_NONE, NULL},
	{"a", WHITEOUT_NONE, NULL},
	{"a/b.wh.", WHITEOUT_NONE, NULL},
	{"a.wh./b", WHITEOUT_NONE, NULL},
	{".wh", WHITEOUT_NONE, NULL},
	{".whx.y", WHITEOUT_NONE, NULL},
	{".WH.a", WHITEOUT_NONE, NULL},
	{".wh.a", WHITEOUT_FILE, "a"},
	{"d/.wh.a b", WHITEOUT_FILE, "a b"},
	{"d/e/.wh..hidden", WHITEOUT_FILE, ".hidden"},
	{".wh....", WHITEOUT_FILE, "..."},
	{".wh...a", WHITEOUT_FILE, "..a"},
	{".wh..wh.x", WHITEOUT_FILE, ".wh.x"},
	{".wh..wh..opqx", WHITEOUT_FILE, ".wh..opqx"},
	{".wh..wh..opq", WHITEOUT_OPAQUE_DIR, NULL},
	{"d/.wh..wh..opq", WHITEOUT_OPAQUE_DIR, NULL},
	{".wh..wh.plnk", WHITEOUT_AUFS, NULL},
	{"d/.wh..wh.aufs", WHITEOUT_AUFS, NULL},
	{".wh..wh.orph", WHITEOUT_AUFS, NULL},
	{".wh..wh.plnk/403241.1", WHITEOUT_AUFS, NULL},
	{".wh..wh.orph/.wh.", WHITEOUT_AUFS, NULL},
};

START_TEST(tells_kinds_apart)
{
	struct err e = ERR_INIT;
	const struct entry en = entry_at(accepted[_i].path, ENTRY_REG);
	enum whiteout_kind kind = WHITEOUT_NONE;
	size_t hidden = 0;

	ck_assert_int_eq(whiteout_classify(&en, &kind, &hidden, &e), 0);
	ck_assert_int_eq(kind, accepted[_i].kind);
	if (accepted[_i].hidden)
		ck_assert_str_eq(en.path + hidden, accepted[_i].hidden);
}
END_TEST

static const struct {
	const char *path;
	enum entry_kind kind;
	uint64_t size;
	const char *link;
	const char *word;
} refused[] = {
	{".wh.", ENTRY_REG, 0, NULL, "hides no name"},
	{"a/.wh.", ENTRY_REG, 0, NULL, "hides no name"},
	{".wh..", ENTRY_REG, 0, NULL, "'.'"},
	{"a/.wh...", ENTRY_REG, 0, NULL, "'..'"},
	{".wh.../x", ENTRY_REG, 0, NULL, "directory"},
	{"a/.wh.b/c", ENTRY_REG, 0, NULL, "directory"},
	{".wh..wh..opq/c", ENTRY_REG, 0, NULL, "directory"},
	{".wh.a/.wh.b", ENTRY_REG, 0, NULL, "directory"},
	{".wh.a", ENTRY_REG, 1, NULL, "not an empty regular file"},
	{".wh.a", ENTRY_DIR, 0, NULL, "not an empty regular file"},
	{".wh.a", ENTRY_SYMLINK, 0, ".wh.b", "not an empty regular file"},
	{".wh.a", ENTRY_CHAR, 0, NULL, "not an empty regular file"},
	{".wh.a", ENTRY_HARDLINK, 0, "etc/passwd", "not an empty regular file"},
	{".wh.a", ENTRY_HARDLINK, 0, ".wh.d/passwd", "not an empty regular file"},
	{".wh..wh..opq", ENTRY_DIR, 0, NULL, "not an empty regular file"},
	{".wh..wh..opq", ENTRY_REG, 7, NULL, "not an empty regular file"},
	{".wh.\n", ENTRY_FIFO, 0, NULL, "'.wh.\\n'"},
};

START_TEST(refuses)
{
	struct err e = ERR_INIT;
	struct entry en = entry_at(refused[_i].path, refused[_i].kind);
	enum whiteout_kind kind = WHITEOUT_AUFS;
	size_t hidden = 4711;

	en.size = refused[_i].size;
	en.link = refused[_i].link;
	en.link_len = en.link ? strlen(en.link) : 0;
	ck_assert_int_eq(whiteout_classify(&en, &kind, &hidden, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, refused[_i].word);
	ck_assert_int_eq(kind, WHITEOUT_AUFS);
	ck_assert_uint_eq(hidden, 4711);
}
END_TEST

START_TEST(takes_a_hardlink_to_another_whiteout)
{
	struct err e = ERR_INIT;
	struct entry en = entry_at("d/.wh.b", ENTRY_HARDLINK);
	enum whiteout_kind kind = WHITEOUT_NONE;
	size_t hidden = 0;

	en.link = "d/.wh.a";
	en.link_len = strlen(en.link);
	ck_assert_int_eq(whiteout_classify(&en, &kind, &hidden, &e), 0);
	ck_assert_int_eq(kind, WHITEOUT_FILE);
	ck_assert_str_eq(en.path + hidden, "b");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/whiteout");
	TCase *tc = tcase_create("classify");

	tcase_add_loop_test(tc, tells_kinds_apart, 0, ARRAY_LEN(accepted));
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, takes_a_hardlink_to_another_whiteout);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
