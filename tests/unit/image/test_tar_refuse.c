/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tar_read.h"

#include "base/limits.h"
#include "tests/unit/image/tar_fixture.h"

static const struct {
	struct make members[MAKE_MEMBERS];
	enum err_code code;
	const char *word;
} refused[] = {
	/* Names. */
	{{{.name = "../../etc/passwd"}}, ERR_FORMAT, "'..' component"},
	{{{.name = "a/../../x"}}, ERR_FORMAT, "'..' component"},
	{{{.name = "n", .prefix = ".."}}, ERR_FORMAT, "'..' component"},
	{{{.type = 'x', .pax = "path=a/..\n"}, {.name = "x"}}, ERR_FORMAT, "'..' component"},
	{{{.type = 'x', .data = "12 path=a\0b\n", .data_len = 12}, {.name = "x"}},
	 ERR_FORMAT,
	 "NUL"},
	{{{.type = 'x', .pax = "path=" HUNDRED("n") HUNDRED("n") TEN("nnnnnn") "\n"},
	  {.name = "x"}},
	 ERR_LIMIT,
	 "component that is too long"},
	{{{.type = 'x', .pax = "path=" THOUSAND("n/n/") HUNDRED("n") "\n"}, {.name = "x"}},
	 ERR_LIMIT,
	 "path"},
	{{{.type = 'x', .pax = "path=" THOUSAND("n/n/n/n/n") "\n"}, {.name = "x"}},
	 ERR_LIMIT,
	 "too long"},
	{{{.name = ".", .type = '2', .link = "/"}}, ERR_FORMAT, "root is not a directory"},
	{{{.name = "./"}}, ERR_FORMAT, "root is not a directory"},
	{{{.name = ""}}, ERR_FORMAT, "root is not a directory"},
	{{{.name = "/", .type = '1', .link = "a"}}, ERR_FORMAT, "root is not a directory"},
	/* Links. */
	{{{.name = "x", .type = '1', .link = "../y"}}, ERR_FORMAT, "hardlink: path '../y'"},
	{{{.name = "x", .type = '1', .link = "/"}}, ERR_FORMAT, "hardlink to the root"},
	{{{.name = "x", .type = '1'}}, ERR_FORMAT, "without a target"},
	{{{.name = "x", .type = '2'}}, ERR_FORMAT, "without a target"},
	{{{.name = "x", .type = '1', .link = "y", .data = "data", .data_len = 4}},
	 ERR_FORMAT,
	 "link with a size"},
	{{{.name = "x", .type = '2', .link = "y", .data = "data", .data_len = 4}},
	 ERR_FORMAT,
	 "link with a size"},
	{{{.type = 'x', .pax = "size=4\n"}, {.name = "x", .type = '1', .link = "y"}},
	 ERR_FORMAT,
	 "link with a size"},
	{{{.type = 'x', .data = "16 linkpath=a\0b\n", .data_len = 16},
	  {.name = "x", .type = '2', .link = "y"}},
	 ERR_FORMAT,
	 "NUL"},
	{{{.type = 'x', .data = "16 linkpath=a\0b\n", .data_len = 16},
	  {.name = "x", .type = '1', .link = "y"}},
	 ERR_FORMAT,
	 "NUL"},
	{{{.type = 'x', .pax = "linkpath=" THOUSAND("n/n/n") "\n"},
	  {.name = "x", .type = '2', .link = "y"}},
	 ERR_LIMIT,
	 "5000 bytes"},
	/* Types and dialects. */
	{{{.name = "x", .type = 'D'}}, ERR_FORMAT, "type 'D'"},
	{{{.name = "x", .type = 'M'}}, ERR_FORMAT, "type 'M'"},
	{{{.name = "x", .type = 'V'}}, ERR_FORMAT, "volume label in another dialect"},
	{{{.name = "x", .type = 'V', .magic = "ustar  ", .size = "00000001000"}},
	 ERR_FORMAT,
	 "volume label with a size"},
	{{{.type = 'x', .pax = "path=y\n"}, {.name = "x", .type = 'V', .magic = "ustar  "}},
	 ERR_FORMAT,
	 "extended header of a volume label"},
	{{{.type = 'g', .pax = "GNU.volume.size=1\n"}, {.name = "x"}}, ERR_FORMAT, "is unknown"},
	{{{.name = "x", .type = 'N'}}, ERR_FORMAT, "type 'N'"},
	{{{.name = "x", .type = 'A'}}, ERR_FORMAT, "type 'A'"},
	{{{.name = "x", .type = 'X'}}, ERR_FORMAT, "type 'X'"},
	{{{.name = "x", .type = 'S'}}, ERR_FORMAT, "type 'S'"},
	{{{.name = "x", .type = '8'}}, ERR_FORMAT, "type '8'"},
	{{{.name = "x", .type = '\xff'}}, ERR_FORMAT, "type '\\xff'"},
	{{{.name = "x", .type = '3', .is_v7 = true}}, ERR_FORMAT, "old header"},
	{{{.name = "x", .magic = "ustar\00001"}}, ERR_FORMAT, "dialect"},
	{{{.name = "x", .magic = "ustar \0\0"}}, ERR_FORMAT, "dialect"},
	{{{.name = "x", .magic = "Ustar\00000"}}, ERR_FORMAT, "dialect"},
	{{{.name = "n", .magic = "ustar  ", .tail = "prefix", .tail_len = 6}},
	 ERR_FORMAT,
	 "times in a GNU header"},
	{{{.name = "x", .checksum = "0000000"}}, ERR_FORMAT, "checksum"},
	{{{.name = "x", .checksum = "       "}}, ERR_FORMAT, "checksum"},
	{{{.name = "x", .checksum = "garbage"}}, ERR_FORMAT, "checksum"},
	/* Numbers. */
	{{{.name = "x", .mode = "0000648"}}, ERR_FORMAT, "bad mode"},
	{{{.name = "x", .mode = "0644 1"}}, ERR_FORMAT, "bad mode"},
	{{{.name = "x", .uid = "-1"}}, ERR_FORMAT, "bad uid"},
	{{{.name = "x", .gid = "0x10"}}, ERR_FORMAT, "bad gid"},
	{{{.name = "x", .size = "12abc"}}, ERR_FORMAT, "bad size"},
	{{{.name = "x", .mtime = "yesterday"}}, ERR_FORMAT, "bad mtime"},
	{{{.name = "x", .type = '3', .major = "z"}}, ERR_FORMAT, "device number"},
	{{{.name = "x", .type = '4', .minor = "z"}}, ERR_FORMAT, "device number"},
	{{{.type = 'x', .pax = "uid=4294967295\n"}, {.name = "x"}}, ERR_FORMAT, "'uid'"},
	{{{.type = 'x', .pax = "gid=4294967296\n"}, {.name = "x"}}, ERR_FORMAT, "'gid'"},
	{{{.type = 'x', .pax = "uid=-1\n"}, {.name = "x"}}, ERR_FORMAT, "'uid'"},
	{{{.type = 'x', .pax = "uid=0x1\n"}, {.name = "x"}}, ERR_FORMAT, "'uid'"},
	{{{.type = 'x', .pax = "size=9223372036854775808\n"}, {.name = "x"}}, ERR_FORMAT, "'size'"},
	{{{.type = 'x', .pax = "size=9223372036854775807\n"}, {.name = "x"}}, ERR_LIMIT, "payload"},
	{{{.type = 'x', .pax = "size= 1\n"}, {.name = "x"}}, ERR_FORMAT, "'size'"},
	{{{.type = 'x', .pax = "SCHILY.devmajor=4294967296\n"}, {.name = "x", .type = '3'}},
	 ERR_FORMAT,
	 "'SCHILY.devmajor'"},
	{{{.type = 'x', .pax = "mtime=1e9\n"}, {.name = "x"}}, ERR_FORMAT, "bad time"},
	{{{.type = 'x', .pax = "mtime=-\n"}, {.name = "x"}}, ERR_FORMAT, "bad time"},
	{{{.type = 'x', .pax = "mtime=+1\n"}, {.name = "x"}}, ERR_FORMAT, "bad time"},
	{{{.type = 'x', .pax = "mtime=.5\n"}, {.name = "x"}}, ERR_FORMAT, "bad time"},
	{{{.type = 'x', .pax = "mtime=1.5x\n"}, {.name = "x"}}, ERR_FORMAT, "bad time"},
	{{{.type = 'x', .pax = "mtime=1.1234567890x\n"}, {.name = "x"}}, ERR_FORMAT, "bad time"},
	/* PAX records. */
	{{{.type = 'x', .data = "9 path=a\n", .data_len = 9}, {.name = "x"}}, ERR_NONE, ""},
	{{{.type = 'x', .data = "11 path=a\n", .data_len = 10}, {.name = "x"}},
	 ERR_FORMAT,
	 "malformed"},
	{{{.type = 'x', .data = "8 path=a\n", .data_len = 9}, {.name = "x"}},
	 ERR_FORMAT,
	 "malformed"},
	{{{.type = 'x', .data = "9 path=ab", .data_len = 9}, {.name = "x"}},
	 ERR_FORMAT,
	 "malformed"},
	{{{.type = 'x', .data = "9path=ab\n", .data_len = 9}, {.name = "x"}},
	 ERR_FORMAT,
	 "malformed"},
	{{{.type = 'x', .data = "8 path_a\n", .data_len = 9}, {.name = "x"}},
	 ERR_FORMAT,
	 "malformed"},
	{{{.type = 'x', .data = "9 path_a\n", .data_len = 9}, {.name = "x"}},
	 ERR_FORMAT,
	 "malformed"},
	{{{.type = 'x', .data = "5 =a\n", .data_len = 5}, {.name = "x"}}, ERR_FORMAT, "malformed"},
	{{{.type = 'x', .data = "0 path=a\n", .data_len = 9}, {.name = "x"}},
	 ERR_FORMAT,
	 "malformed"},
	{{{.type = 'x', .data = "1 path=a\n", .data_len = 9}, {.name = "x"}},
	 ERR_FORMAT,
	 "malformed"},
	{{{.type = 'x', .data = "2 path=a\n", .data_len = 9}, {.name = "x"}},
	 ERR_FORMAT,
	 "malformed"},
	{{{.type = 'x', .data = " path=a\n", .data_len = 8}, {.name = "x"}},
	 ERR_FORMAT,
	 "malformed"},
	{{{.type = 'x', .data = "-9 path=a\n", .data_len = 10}, {.name = "x"}},
	 ERR_FORMAT,
	 "malformed"},
	{{{.type = 'x', .data = "99999999999999999999999 path=a\n", .data_len = 31}, {.name = "x"}},
	 ERR_FORMAT,
	 "malformed"},
	{{{.type = 'x', .data = "9 path=a\n\0\0\0", .data_len = 12}, {.name = "x"}},
	 ERR_FORMAT,
	 "malformed"},
	{{{.type = 'x', .pax = "VENDOR.thing=1\n"}, {.name = "x"}}, ERR_FORMAT, "'VENDOR.thing'"},
	{{{.type = 'x', .pax = "SCHILY.realsize=1\n"}, {.name = "x"}}, ERR_FORMAT, "unknown"},
	{{{.type = 'x', .pax = "MSWINDOWS.fileattr=32\n"}, {.name = "x"}}, ERR_FORMAT, "Windows"},
	{{{.type = 'x', .pax = "Path=a\n"}, {.name = "x"}}, ERR_FORMAT, "unknown"},
	{{{.type = 'x', .pax = "path=a\npath=a\n"}, {.name = "x"}}, ERR_FORMAT, "twice"},
	{{{.type = 'x', .pax = "uid=\nuid=1\n"}, {.name = "x"}}, ERR_FORMAT, "twice"},
	{{{.type = 'x', .pax = "hdrcharset=KOI8-R\n"}, {.name = "x"}}, ERR_FORMAT, "charset"},
	{{{.type = 'g', .pax = "path=a\n"}, {.name = "x"}}, ERR_FORMAT, "global"},
	{{{.type = 'g', .pax = "size=1\n"}, {.name = "x"}}, ERR_FORMAT, "global"},
	{{{.type = 'g', .pax = "linkpath=a\n"}, {.name = "x"}}, ERR_FORMAT, "global"},
	{{{.type = 'g', .pax = "GNU.sparse.major=1\n"}, {.name = "x"}}, ERR_FORMAT, "global"},
	{{{.type = 'g', .pax = "SCHILY.xattr.user.a=1\n"}, {.name = "x"}}, ERR_FORMAT, "global"},
	{{{.type = 'g', .pax = "VENDOR.thing=1\n"}, {.name = "x"}}, ERR_FORMAT, "unknown"},
	{{{.type = 'g', .pax = "uid=1\nuid=1\n"}, {.name = "x"}}, ERR_FORMAT, "twice"},
	/* Headers without their member, or too many for it. */
	{{{.type = 'x', .pax = "path=a\n"}, {.type = 'x', .pax = "path=b\n"}, {.name = "x"}},
	 ERR_FORMAT,
	 "two PAX headers"},
	{{{.type = 'x', .pax = "path=a\n"}, {.type = 'g', .pax = "uid=1\n"}, {.name = "x"}},
	 ERR_FORMAT,
	 "global header between"},
	{{{.type = 'L', .data = "l\0", .data_len = 2},
	  {.type = 'g', .pax = "uid=1\n"},
	  {.name = "x"}},
	 ERR_FORMAT,
	 "global header between"},
	{{{.type = 'x', .pax = "path=a\n"}}, ERR_FORMAT, "without a member"},
	{{{.type = 'L', .data = "l\0", .data_len = 2}}, ERR_FORMAT, "without a member"},
	{{{.type = 'K', .data = "l\0", .data_len = 2}}, ERR_FORMAT, "without a member"},
	{{{.type = 'L', .data = "l\0", .data_len = 2},
	  {.type = 'L', .data = "l\0", .data_len = 2},
	  {.name = "x"}},
	 ERR_FORMAT,
	 "two GNU long names"},
	{{{.type = 'L', .data = "l\0", .data_len = 2},
	  {.type = 'x', .pax = "path=a\n"},
	  {.name = "x"}},
	 ERR_FORMAT,
	 "both"},
	{{{.type = 'x', .pax = "linkpath=a\n"},
	  {.type = 'K', .data = "l\0", .data_len = 2},
	  {.name = "x", .type = '2', .link = "y"}},
	 ERR_FORMAT,
	 "both"},
	{{{.type = 'L', .data_len = 0}, {.name = "x"}}, ERR_FORMAT, "empty GNU long name"},
	{{{.type = 'L', .data = "\0", .data_len = 1}, {.name = "x"}},
	 ERR_FORMAT,
	 "empty GNU long name"},
	{{{.type = 'L', .data = "l", .data_len = 1}, {.name = "x"}},
	 ERR_FORMAT,
	 "does not end with a NUL"},
	{{{.type = 'L', .data = "l\0l\0", .data_len = 4}, {.name = "x"}},
	 ERR_FORMAT,
	 "does not end with a NUL"},
	{{{.type = 'L', .size = "00004000001"}, {.name = "x"}}, ERR_LIMIT, "1048577 bytes"},
	{{{.type = 'x', .size = "77777777777"}, {.name = "x"}}, ERR_LIMIT, "8589934591 bytes"},
	{{{.type = 'g', .size = "00004000001"}, {.name = "x"}}, ERR_LIMIT, "1048577 bytes"},
	{{{.type = 'x', .size = "z"}, {.name = "x"}}, ERR_FORMAT, "bad size"},
	{{{.type = 'x', .size = "00004000000"}, {.name = "x"}}, ERR_FORMAT, "cut short"},
};

START_TEST(refuses)
{
	int rc;

	make_all(refused[_i].members);
	while ((rc = tar_reader_next(reader, &en, &e)) == 1)
		;
	if (refused[_i].code == ERR_NONE) {
		ck_assert_int_eq(rc, 0);
		return;
	}
	ck_assert_int_eq(rc, -1);
	ck_assert_err(&e, refused[_i].code, refused[_i].word);
	/* And nothing more comes of it. */
	ck_assert_int_eq(tar_reader_next(reader, &en, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "damaged");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/tar_refuse");
	TCase *tc = tcase_create("refuse");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
