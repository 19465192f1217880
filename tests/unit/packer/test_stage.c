/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/stage.h"

#include <unistd.h>

#include "main.h"
#include "packer/stages.h"

static const struct stages_file lower[] = {
	{ENTRY_DIR, "dir", NULL},
	{ENTRY_REG, "dir/file", "lower"},
	{ENTRY_SYMLINK, "dir/up", "../../link"},
	{ENTRY_REG, "empty", ""},
	{ENTRY_SYMLINK, "link", "/dir/file"},
	{ENTRY_SYMLINK, "loop", "loop"},
	{ENTRY_REG, NULL, NULL},
};

/* What stage_read_file gives; the content is in `out`. */
static int read_file(const struct stage *st, const char *path, struct str *out)
{
	struct err e = ERR_INIT;
	const int r = stage_read_file(st, path, 100, out, &e);

	ck_assert_no_err(&e);
	return r;
}

static void check_file(const struct stage *st, const char *path, const char *content)
{
	SCOPE(str) struct str text = STR_INIT;

	ck_assert_int_eq(read_file(st, path, &text), 1);
	ck_assert_str_eq(str_text(&text), content);
}

START_TEST(reads_files_through_links)
{
	const struct stage *st = stages_new(lower);

	check_file(st, "/dir/file", "lower");
	check_file(st, "dir/file", "lower");
	check_file(st, "/link", "lower");
	check_file(st, "/dir/up", "lower");
	check_file(st, "/empty", "");
}
END_TEST

START_TEST(what_is_no_file_is_not_there)
{
	static const char *const paths[] = {"/none", "/dir", "/", "/dir/file/x", "/dir/none"};
	const struct stage *st = stages_new(lower);
	SCOPE(str) struct str text = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		ck_assert_int_eq(read_file(st, paths[i], &text), 0);
	ck_assert_int_eq(read_file(stages_new(NULL), "/x", &text), 0);
	ck_assert_uint_eq(text.len, 0);
}
END_TEST

START_TEST(refuses_what_cannot_be_read)
{
	const struct stage *st = stages_new(lower);
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(stage_read_file(st, "/dir/file", 5, &text, &e), 1);
	ck_assert_int_eq(stage_read_file(st, "/dir/file", 4, &text, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "'/dir/file' of the image is longer than 4 bytes");
	ck_assert_int_eq(stage_read_file(st, "/loop", 5, &text, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "symlinks");
}
END_TEST

START_TEST(a_layer_on_top_wins)
{
	static const struct stages_file upper[] = {
		{ENTRY_DIR, "dir", NULL},
		{ENTRY_REG, "dir/file", "upper"},
		{ENTRY_REG, "new", "new"},
		{ENTRY_REG, NULL, NULL},
	};
	struct stage *st = stages_new(lower);
	struct fixture_layer l;
	struct err e = ERR_INIT;
	merge_node node;

	stages_layer(upper, &l);
	ck_assert_int_eq(stage_add_layer(st, &l.descriptor, &l.diff_id, &e), 0);
	check_file(st, "/link", "upper");
	check_file(st, "/new", "new");
	check_file(st, "/empty", "");
	ck_assert_int_eq(merge_resolve(stage_tree(st), "/new", false, &node, &e), 1);
	fixture_layer_fini(&l);
}
END_TEST

START_TEST(reads_layers_of_other_tools)
{
	struct stage *st = stages_new(NULL);
	struct fixture_layer l;
	struct err e = ERR_INIT;

	fixture_foreign_layer("file", "foreign", (enum layer_encoding)_i, &l);
	ck_assert_int_eq(stage_add_layer(st, &l.descriptor, &l.diff_id, &e), 0);
	check_file(st, "/file", "foreign");
	fixture_layer_fini(&l);
}
END_TEST

START_TEST(damage_is_found)
{
	struct stage *st = stages_new(NULL);
	struct fixture_layer good, other;
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	stages_layer(lower, &good);
	fixture_layer("x", "x", &other);
	ck_assert_int_eq(stage_add_layer(st, &good.descriptor, &other.diff_id, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "sha256:");

	/* The bytes of the first frame, after its header. */
	st = stages_new(NULL);
	ck_assert_int_eq(stage_add_layer(st, &good.descriptor, &good.diff_id, &e), 0);
	fixture_flip(fixture_blob_file(&good.descriptor.digest), 30);
	ck_assert_int_eq(stage_read_file(st, "/dir/file", 100, &text, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "'/dir/file' of the image");

	ck_assert_int_eq(unlink(fixture_blob_file(&good.descriptor.digest)), 0);
	st = stages_new(NULL);
	ck_assert_int_eq(stage_add_layer(st, &good.descriptor, &good.diff_id, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "sha256:");
	fixture_layer_fini(&good);
	fixture_layer_fini(&other);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/stage");
	TCase *tc = tcase_create("files");

	tcase_add_checked_fixture(tc, stages_setup, stages_teardown);
	tcase_add_test(tc, reads_files_through_links);
	tcase_add_test(tc, what_is_no_file_is_not_there);
	tcase_add_test(tc, refuses_what_cannot_be_read);
	tcase_add_test(tc, a_layer_on_top_wins);
	tcase_add_loop_test(tc, reads_layers_of_other_tools, 0, LAYER_ZSTD + 1);
	tcase_add_test(tc, damage_is_found);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
