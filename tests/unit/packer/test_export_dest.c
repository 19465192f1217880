/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"
#include "packer/export.h"
#include "tests/support/failalloc.h"

static const struct {
	const char *text;
	enum export_kind kind;
	const char *path;
	const char *name;
} taken[] = {
	{"-", EXPORT_OCI_ARCHIVE, NULL, NULL},
	{"oci:dir", EXPORT_OCI, "dir", NULL},
	{"oci:./-", EXPORT_OCI, "./-", NULL},
	{"oci:/a/dir:app:1", EXPORT_OCI, "/a/dir", "app:1"},
	{"oci:dir:", EXPORT_OCI, "dir", NULL},
	{"oci:dir:registry.example:5000/a/b:1", EXPORT_OCI, "dir", "registry.example:5000/a/b:1"},
	{"oci:dir:1.2_x--y:V1.2", EXPORT_OCI, "dir", "1.2_x--y:V1.2"},
	{"oci-archive:-", EXPORT_OCI_ARCHIVE, NULL, NULL},
	{"oci-archive:-:app:1", EXPORT_OCI_ARCHIVE, NULL, "app:1"},
	{"oci-archive:x.tar:name", EXPORT_OCI_ARCHIVE, "x.tar", "name"},
	{"docker-archive:-", EXPORT_DOCKER_ARCHIVE, NULL, NULL},
	{"docker-archive:/x.tar:name:tag", EXPORT_DOCKER_ARCHIVE, "/x.tar", "name:tag"},
	{"rootfs:-", EXPORT_ROOTFS, NULL, NULL},
	{"rootfs:--", EXPORT_ROOTFS, "--", NULL},
	{"rootfs:./x:y.tar", EXPORT_ROOTFS, "./x:y.tar", NULL},
};

START_TEST(takes)
{
	struct export_dest dest = EXPORT_DEST_INIT;
	struct err e = ERR_INIT;

	export_dest_parse(&dest, taken[_i].text, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(dest.kind, taken[_i].kind);
	ck_assert_pstr_eq(dest.path, taken[_i].path);
	ck_assert_pstr_eq(dest.name, taken[_i].name);
	export_dest_fini(&dest);
}
END_TEST

static const struct {
	const char *text;
	const char *word;
} refused[] = {
	{"", "oci-archive:"},
	{"app.tar", "destination 'app.tar' does not start with one of oci:, oci-archive:"},
	{"docker://alpine", "rootfs:"},
	{"dir:x", "docker-archive:"},
	{"OCI:dir", "oci:"},
	{"oci", "oci:"},
	{"oci:", "no path"},
	{"oci::name", "no path"},
	{"rootfs:", "no path"},
	{"oci:-", "did you mean oci-archive:-?"},
	{"oci:-:name", "did you mean oci-archive:-?"},
	{"oci:dir:a b", "'a b' cannot be the name"},
	/* What the grammar of a layout has, and import would not take back. */
	{"oci:dir:V1.2", "lower case"},
	{"oci:dir:a+b", "the name in a layout"},
	{"oci:dir:a@b", "the name in a layout"},
	{"oci-archive:x.tar:a:b:c", "the name in a layout"},
	{"oci:dir:a@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	 "has a digest"},
	{"oci:dir:-a", "cannot be the name"},
	{"oci:dir:a-", "cannot be the name"},
	{"oci:dir:a..b", "cannot be the name"},
	{"oci:dir:a---b", "cannot be the name"},
	{"oci:dir:a//b", "cannot be the name"},
	{"oci:dir::a", "cannot be the name"},
	{"oci-archive:x:\xc3\xa9", "cannot be the name"},
	{"oci-archive:x:a\nb", "a\\nb"},
	{"\x1b[2Jx:y", "\\x1b"},
};

START_TEST(refuses)
{
	struct export_dest dest, before;
	struct err e = ERR_INIT;

	memset(&dest, 0xa5, sizeof(dest));
	memcpy(&before, &dest, sizeof(dest));
	ck_assert_int_eq(export_dest_parse(&dest, refused[_i].text, &e), -1);
	ck_assert_err(&e, ERR_USAGE, refused[_i].word);
	ck_assert_mem_eq(&dest, &before, sizeof(dest));
}
END_TEST

static int parse_once(void *arg, struct err *e)
{
	SCOPE(export_dest) struct export_dest dest = EXPORT_DEST_INIT;

	return export_dest_parse(&dest, arg, e);
}

START_TEST(survives_without_memory)
{
	static char text[] = "oci:dir:name";

	failalloc_each(parse_once, text);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/export_dest");
	TCase *tc = tcase_create("export_dest");

	tcase_add_loop_test(tc, takes, 0, (int)ARRAY_LEN(taken));
	tcase_add_loop_test(tc, refuses, 0, (int)ARRAY_LEN(refused));
	tcase_add_test(tc, survives_without_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
