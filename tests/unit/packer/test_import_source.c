/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"
#include "packer/import.h"
#include "tests/support/scratch.h"

#include <sys/stat.h>

static const struct {
	const char *text;
	enum import_kind kind;
	const char *path;
	const char *name;
} taken[] = {
	{"oci:dir", IMPORT_OCI, "dir", NULL},
	{"oci:/a/dir:app:1", IMPORT_OCI, "/a/dir", "app:1"},
	{"oci:dir:", IMPORT_OCI, "dir", NULL},
	{"oci:dir:registry.example:5000/a/b:1", IMPORT_OCI, "dir", "registry.example:5000/a/b:1"},
	{"oci-archive:x.tar:name", IMPORT_OCI_ARCHIVE, "x.tar", "name"},
	{"oci-archive:x.tar", IMPORT_OCI_ARCHIVE, "x.tar", NULL},
	{"docker-archive:/x.tar:name:tag", IMPORT_DOCKER_ARCHIVE, "/x.tar", "name:tag"},
	/* A place is of docker's archives alone. */
	{"oci-archive:x.tar:@0", IMPORT_OCI_ARCHIVE, "x.tar", "@0"},
	{"-", IMPORT_OCI_ARCHIVE, "-", NULL},
	{"docker-archive:-:name", IMPORT_DOCKER_ARCHIVE, "-", "name"},
	{"dir:/a:b", IMPORT_DIR, "/a:b", NULL},
	{"rootfs:./x:y.tar.xz", IMPORT_ROOTFS, "./x:y.tar.xz", NULL},
};

static const struct {
	const char *text;
	size_t at;
} places[] = {
	{"docker-archive:x.tar:@0", 0},
	{"docker-archive:x.tar:@12", 12},
};

START_TEST(takes_a_place)
{
	struct import_source src;
	struct err e = ERR_INIT;

	import_source_parse(&src, places[_i].text, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(src.kind, IMPORT_DOCKER_ARCHIVE);
	ck_assert_str_eq(src.path, "x.tar");
	ck_assert_ptr_null(src.name);
	ck_assert(src.has_at);
	ck_assert_uint_eq(src.at, places[_i].at);
	import_source_fini(&src);
}
END_TEST

START_TEST(takes)
{
	struct import_source src;
	struct err e = ERR_INIT;

	import_source_parse(&src, taken[_i].text, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(src.kind, taken[_i].kind);
	ck_assert_str_eq(src.path, taken[_i].path);
	ck_assert_pstr_eq(src.name, taken[_i].name);
	ck_assert(!src.has_at);
	import_source_fini(&src);
}
END_TEST

static const struct {
	const char *text;
	const char *word;
} refused[] = {
	{"", "oci-archive:"},
	{"docker:alpine", "docker-archive:"},
	{"docker://alpine", "rootfs:"},
	{"OCI:dir", "oci:"},
	{"oci", "dir:"},
	{"oci:", "no path"},
	{"oci::name", "no path"},
	{"docker-archive::@0", "no path"},
	{"docker-archive:x.tar:@", "'@' is no name and no @NUMBER"},
	{"docker-archive:x.tar:@a", "no @NUMBER"},
	{"docker-archive:x.tar:@-1", "no @NUMBER"},
	{"docker-archive:x.tar:@0:1", "no @NUMBER"},
	{"docker-archive:x.tar:@99999999999999999999", "no @NUMBER"},
	{"dir:", "no path"},
	{"rootfs:", "no path"},
	{"\x1b[2Jx:y", "\\x1b"},
};

START_TEST(refuses)
{
	struct import_source src, before;
	struct err e = ERR_INIT;

	memset(&src, 0xa5, sizeof(src));
	before = src;
	ck_assert_int_eq(import_source_parse(&src, refused[_i].text, &e), -1);
	ck_assert_err(&e, ERR_USAGE, refused[_i].word);
	ck_assert_mem_eq(&src, &before, sizeof(src));
}
END_TEST

static void check_guess(const char *name, const char *word)
{
	struct import_source src;
	struct err e = ERR_INIT;

	ck_assert_int_eq(import_source_parse(&src, scratch_file(name), &e), -1);
	ck_assert_err(&e, ERR_USAGE, word);
}

START_TEST(guesses_what_a_path_was_meant_to_be)
{
	ck_assert_int_eq(mkdir(scratch_file("tree"), 0755), 0);
	ck_assert_int_eq(mkdir(scratch_file("layout"), 0755), 0);
	scratch_write("layout/oci-layout", "{}");
	scratch_write("file", "");
	check_guess("tree", "mean 'dir:/");
	check_guess("layout", "mean 'oci:/");
	check_guess("file", "mean 'rootfs:/");
	check_guess("none", "does not start with");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/import_source");
	TCase *tc = tcase_create("parse");

	tcase_add_loop_test(tc, takes, 0, ARRAY_LEN(taken));
	tcase_add_loop_test(tc, takes_a_place, 0, ARRAY_LEN(places));
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	suite_add_tcase(s, tc);
	tc = tcase_create("hint");
	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, guesses_what_a_path_was_meant_to_be);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
