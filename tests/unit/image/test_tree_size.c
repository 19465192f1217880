/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tree_size.h"

#include "tests/support/failalloc.h"
#include "tests/unit/image/rich_catalog.h"

/* Files are of ten bytes. */
static const char *const layers[] = {
	"d usr\nd usr/lib\nf usr/lib/a\nf usr/lib/b\nf usr/lib/c\nd usr/share\nf usr/share/x\n"
	"d etc\nf etc/conf\nl etc/link conf\nc etc/dev\nd empty\nd empty/too\n",
	"h usr/share/again usr/lib/a\nf usr/lib/.wh.b\nf etc/conf\nf etc/new\n",
	NULL,
};

/* "20 2 /usr/lib\n" for each of the directories. */
static void check_dirs(const struct tree_size *t, const char *expected)
{
	SCOPE(str) struct str got = STR_INIT;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < t->dir_count; i++)
		str_appendf(&got, &e, "%d %d %s\n", (int)t->dirs[i].bytes, (int)t->dirs[i].files,
			    t->dirs[i].path);
	ck_assert_str_eq(str_text(&got), expected);
}

START_TEST(counts_with_all_that_is_below)
{
	static const struct {
		size_t top, depth;
		const char *expected;
	} cases[] = {
		{10, LIMIT_DEPTH, "30 3 /usr\n20 4 /etc\n20 2 /usr/lib\n10 1 /usr/share\n"},
		{10, 1, "30 3 /usr\n20 4 /etc\n"},
		{10, 0, ""},
		{3, LIMIT_DEPTH, "30 3 /usr\n20 4 /etc\n20 2 /usr/lib\n"},
		{1, LIMIT_DEPTH, "30 3 /usr\n"},
		{0, LIMIT_DEPTH, ""},
	};
	SCOPE(catalog) struct catalog *c = catalog_of(layers);
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		SCOPE(tree_size) struct tree_size t = TREE_SIZE_INIT;
		tree_size_measure(c, cases[i].top, cases[i].depth, &t, &e);
		ck_assert_no_err(&e);
		ck_assert_uint_eq(t.bytes, 50);
		ck_assert_uint_eq(t.files, 7);
		check_dirs(&t, cases[i].expected);
	}
}
END_TEST

/* Of four files and a configuration, one is whited out and one replaced; a hardlink stays where its
 * content is. */
START_TEST(counts_for_each_layer_what_still_shows)
{
	SCOPE(catalog) struct catalog *c = catalog_of(layers);
	SCOPE(tree_size) struct tree_size t = TREE_SIZE_INIT;
	struct err e = ERR_INIT;

	tree_size_measure(c, 1, 1, &t, &e);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(t.layer_count, 2);
	ck_assert_uint_eq(t.layers[0], 30);
	ck_assert_uint_eq(t.layers[1], 20);
}
END_TEST

START_TEST(holes_take_no_room)
{
	SCOPE(catalog) struct catalog *c = rich_catalog();
	SCOPE(tree_size) struct tree_size t = TREE_SIZE_INIT;
	struct err e = ERR_INIT;

	tree_size_measure(c, 10, 10, &t, &e);
	ck_assert_no_err(&e);
	/* /sparse has 4197 bytes of data, /dense 512, /etc/a ten; /hole, of INT64_MAX bytes, none.
	 */
	ck_assert_uint_eq(t.bytes, 4197 + 512 + 10);
}
END_TEST

static int measure(void *arg, struct err *e)
{
	SCOPE(tree_size) struct tree_size t = TREE_SIZE_INIT;

	return tree_size_measure(arg, 2, LIMIT_DEPTH, &t, e);
}

START_TEST(survives_want_of_memory)
{
	SCOPE(catalog) struct catalog *c = catalog_of(layers);

	failalloc_each(measure, c);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/tree_size");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, counts_with_all_that_is_below);
	tcase_add_test(tc, counts_for_each_layer_what_still_shows);
	tcase_add_test(tc, holes_take_no_room);
	tcase_add_test(tc, survives_want_of_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
