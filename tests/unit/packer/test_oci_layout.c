/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/oci_layout.h"

#include <unistd.h>

#include "base/hasher.h"
#include "image/mediatype.h"
#include "main.h"
#include "tests/support/scratch.h"

#define TAG "sha256-0123.sig"
#define KEY "io.shale.signatures." TAG

START_TEST(notes_of_signatures_come_back)
{
	SCOPE(descriptor) struct descriptor entry = DESCRIPTOR_INIT;
	SCOPE(descriptor) struct descriptor got = DESCRIPTOR_INIT;
	const struct digest d = hasher_sha256("x", 1);
	struct err e = ERR_INIT;

	ck_assert_int_eq(oci_layout_attached_signatures(&entry, TAG, &got, &e), 0);
	ck_assert_int_eq(oci_layout_attach_signatures(&entry, TAG, &d, 1234, &e), 0);
	ck_assert_int_eq(oci_layout_attached_signatures(&entry, TAG, &got, &e), 1);
	ck_assert(digest_equal(&got.digest, &d));
	ck_assert_uint_eq(got.size, 1234);
	ck_assert_str_eq(got.media_type, MEDIATYPE_MANIFEST);
	ck_assert_int_eq(oci_layout_attached_signatures(&entry, "sha256-4567.sig", &got, &e), 0);
	ck_assert_no_err(&e);
}
END_TEST

#define HEX64 "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

static const char *const wrong_notes[] = {
	"",
	" ",
	"sha256:" HEX64,
	"sha256:" HEX64 " ",
	"sha256:" HEX64 "  1",
	"sha256:" HEX64 " -1",
	"sha256:" HEX64 " 1 ",
	"sha256:" HEX64 " 9223372036854775808",
	"sha256:" HEX64 "0 1",
	"md5:" HEX64 " 1",
	HEX64 " 1",
};

START_TEST(wrong_notes_are_refused)
{
	SCOPE(descriptor) struct descriptor entry = DESCRIPTOR_INIT;
	SCOPE(descriptor) struct descriptor got = DESCRIPTOR_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(strmap_set(&entry.annotations, KEY, wrong_notes[_i], &e), 0);
	ck_assert_int_eq(oci_layout_attached_signatures(&entry, TAG, &got, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "annotation '" KEY "' is no digest and size");
}
END_TEST

START_TEST(files_are_read_without_following_links)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	scratch_write("file", "text");
	ck_assert_int_eq(symlinkat("file", scratch_fd(), "link"), 0);
	ck_assert_int_eq(oci_layout_read_file(scratch_fd(), "file", 10, &text, &e), 1);
	ck_assert_str_eq(str_text(&text), "text");
	ck_assert_int_eq(oci_layout_read_file(scratch_fd(), "none", 10, &text, &e), 0);
	ck_assert_int_eq(oci_layout_read_file(scratch_fd(), "link", 10, &text, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "symbolic link");
	ck_assert_int_eq(oci_layout_read_file(scratch_fd(), ".", 10, &text, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "not a regular file");
	ck_assert_int_eq(oci_layout_read_file(scratch_fd(), "file", 3, &text, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "file");
}
END_TEST

static const struct {
	const char *text;
	enum err_code code;
} versions[] = {
	{OCI_LAYOUT_TEXT, ERR_NONE},
	{"{\"imageLayoutVersion\": \"1.0.0\", \"more\": 1}\n", ERR_NONE},
	{"{\"imageLayoutVersion\":\"1.1.0\"}", ERR_UNSUPPORTED},
	{"{\"imageLayoutVersion\":1}", ERR_FORMAT},
	{"{}", ERR_FORMAT},
	{"", ERR_FORMAT},
};

START_TEST(versions_are_checked)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(str_append_z(&text, versions[_i].text, &e), 0);
	const int r = oci_layout_check_version(&text, &e);
	ck_assert_int_eq(e.code, versions[_i].code);
	ck_assert_int_eq(r, versions[_i].code == ERR_NONE ? 0 : -1);
	err_clear(&e);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/oci_layout");
	TCase *tc = tcase_create("oci_layout");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, notes_of_signatures_come_back);
	tcase_add_loop_test(tc, wrong_notes_are_refused, 0, (int)ARRAY_LEN(wrong_notes));
	tcase_add_test(tc, files_are_read_without_following_links);
	tcase_add_loop_test(tc, versions_are_checked, 0, (int)ARRAY_LEN(versions));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
