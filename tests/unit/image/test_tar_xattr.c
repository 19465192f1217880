/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "tests/unit/image/tar_fixture.h"

enum { ITEMS = 4 };

static int read_first(const struct make *pax)
{
	const struct make members[] = {*pax, {.name = "x"}};

	make_archive(members, ARRAY_LEN(members));
	return tar_reader_next(reader, &en, &e);
}

static const struct {
	struct make pax;
	struct {
		const char *name;
		const char *value;
		size_t len;
	} items[ITEMS];
} accepted[] = {
	{{.type = 'x', .pax = "SCHILY.xattr.user.a=1\n"}, {{"user.a", "1", 1}}},
	{{.type = 'x', .pax = "SCHILY.xattr.user.b=2\nSCHILY.xattr.user.a=1\n"},
	 {{"user.a", "1", 1}, {"user.b", "2", 1}}},
	/* An empty value is a value here. */
	{{.type = 'x', .pax = "SCHILY.xattr.user.a=\n"}, {{"user.a", "", 0}}},
	{{.type = 'x', .data = "25 SCHILY.xattr.user.a=\0\n\n", .data_len = 26 - 1},
	 {{"user.a", "\0", 1}}},
	{{.type = 'x', .pax = "SCHILY.xattr.user.a=b=c\n"}, {{"user.a", "b=c", 3}}},
	/* GNU tar escapes "=" and "%", and nothing else. */
	{{.type = 'x', .pax = "SCHILY.xattr.user.a%3Db%25%41%=1\n"}, {{"user.a=b%%41%", "1", 1}}},
	{{.type = 'x', .pax = "SCHILY.xattr.user.%3d=1\n"}, {{"user.%3d", "1", 1}}},
	{{.type = 'x', .pax = "SCHILY.xattr.trusted.overlay.opaque=y\n"},
	 {{"trusted.overlay.opaque", "y", 1}}},
	/* libarchive's, alone and beside the other one. */
	{{.type = 'x', .pax = "LIBARCHIVE.xattr.user.a%20b=aGVsbG8\n"}, {{"user.a b", "hello", 5}}},
	{{.type = 'x', .pax = "LIBARCHIVE.xattr.user.%zz%2=MQ\n"}, {{"user.%zz%2", "1", 1}}},
	{{.type = 'x', .pax = "LIBARCHIVE.xattr.user.a=aGVsbG8=\n"}, {{"user.a", "hello", 5}}},
	{{.type = 'x', .pax = "LIBARCHIVE.xattr.user.a=AP/+\n"}, {{"user.a", "\0\xff\xfe", 3}}},
	{{.type = 'x', .pax = "LIBARCHIVE.xattr.user.a=\n"}, {{"user.a", "", 0}}},
	{{.type = 'x', .pax = "LIBARCHIVE.xattr.user.a%20b=!\nSCHILY.xattr.user.a%20b=1\n"},
	 {{"user.a b", "1", 1}}},
	{{.type = 'x', .pax = "SCHILY.xattr.user.a=1\nLIBARCHIVE.xattr.user.b=MQ\n"},
	 {{"user.a", "1", 1}, {"user.b", "1", 1}}},
	{{.type = 'x', .pax = "RHT.security.selinux=a:b:c\n"}, {{"security.selinux", "a:b:c", 5}}},
	{{.type = 'x',
	  .pax = "RHT.security.selinux=a\nSCHILY.xattr.security.selinux=b\n"
		 "LIBARCHIVE.xattr.security.selinux=Yw\n"},
	 {{"security.selinux", "b", 1}}},
};

START_TEST(accepts)
{
	size_t count = 0;

	ck_assert_msg(read_first(&accepted[_i].pax) == 1, "%s", e.msg ? e.msg : "");
	while (count < ITEMS && accepted[_i].items[count].name)
		count++;
	ck_assert_uint_eq(en.xattr_count, count);
	for (size_t i = 0; i < count; i++) {
		const struct xattr *x = &en.xattrs[i];
		ck_assert_uint_eq(x->name_len, strlen(accepted[_i].items[i].name));
		ck_assert_mem_eq(x->name, accepted[_i].items[i].name, x->name_len);
		ck_assert_uint_eq(x->value_len, accepted[_i].items[i].len);
		ck_assert_int_eq(memcmp(x->value, accepted[_i].items[i].value, x->value_len), 0);
	}
	ck_assert_int_eq(tar_reader_next(reader, &en, &e), 0);
}
END_TEST

#define N64 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static const struct {
	struct make pax;
	enum err_code code;
	const char *word;
} refused[] = {
	{{.type = 'x', .pax = "SCHILY.xattr.=1\n"}, ERR_FORMAT, "no name"},
	{{.type = 'x', .pax = "LIBARCHIVE.xattr.=MQ\n"}, ERR_FORMAT, "no name"},
	{{.type = 'x', .data = "25 SCHILY.xattr.user.\0a=1\n", .data_len = 26},
	 ERR_FORMAT,
	 "malformed"},
	{{.type = 'x', .data = "26 SCHILY.xattr.user.\0a=1\n", .data_len = 26}, ERR_FORMAT, "NUL"},
	{{.type = 'x', .pax = "LIBARCHIVE.xattr.user.%00a=MQ\n"}, ERR_FORMAT, "NUL"},
	{{.type = 'x', .pax = "SCHILY.xattr." N64 N64 N64 N64 "=1\n"},
	 ERR_LIMIT,
	 "too long a name"},
	{{.type = 'x', .pax = "LIBARCHIVE.xattr.user.a=M\n"}, ERR_FORMAT, "base64"},
	{{.type = 'x', .pax = "LIBARCHIVE.xattr.user.a=MR\n"}, ERR_FORMAT, "base64"},
	{{.type = 'x', .pax = "LIBARCHIVE.xattr.user.a=M Q\n"}, ERR_FORMAT, "base64"},
	{{.type = 'x', .pax = "LIBARCHIVE.xattr.user.a=MQ===\n"}, ERR_FORMAT, "base64"},
	{{.type = 'x', .pax = "LIBARCHIVE.xattr.user.a=M=Q\n"}, ERR_FORMAT, "base64"},
	{{.type = 'x', .pax = "SCHILY.xattr.user.a=1\nSCHILY.xattr.user.a=1\n"},
	 ERR_FORMAT,
	 "twice"},
	{{.type = 'x',
	  .pax = "SCHILY.xattr.user.a=1\nLIBARCHIVE.xattr.user.a=MQ\nLIBARCHIVE.xattr.user.a=MQ\n"},
	 ERR_FORMAT,
	 "twice"},
	{{.type = 'x', .pax = "SCHILY.xattr.user. =1\nLIBARCHIVE.xattr.user.%20=MQ\n"},
	 ERR_FORMAT,
	 "twice"},
	{{.type = 'x', .pax = "RHT.security.selinux=a\nRHT.security.selinux=a\n"},
	 ERR_FORMAT,
	 "twice"},
};

START_TEST(refuses)
{
	ck_assert_int_eq(read_first(&refused[_i].pax), -1);
	ck_assert_err(&e, refused[_i].code, refused[_i].word);
}
END_TEST

/* `count` attributes of `size` bytes. */
static int read_big(size_t count, size_t size)
{
	SCOPE(str) struct str text = STR_INIT;

	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(str_appendf(&text, &e, "SCHILY.xattr.user.%03zu=", i), 0);
		ck_assert_int_eq(str_append_zeros(&text, size, &e), 0);
		memset(text.data + text.len - size, 'v', size);
		ck_assert_int_eq(str_append_c(&text, '\n', &e), 0);
	}
	const struct make pax = {.type = 'x', .pax = text.data};
	return read_first(&pax);
}

START_TEST(values_have_limits)
{
	ck_assert_int_eq(read_big(1, LIMIT_XATTR_VALUE), 1);
	ck_assert_uint_eq(en.xattrs[0].value_len, LIMIT_XATTR_VALUE);
	tar_reader_free(reader);
	str_truncate(&bytes, 0);
	ck_assert_int_eq(read_big(1, LIMIT_XATTR_VALUE + 1), -1);
	ck_assert_err(&e, ERR_LIMIT, "too long a value");
	tar_reader_free(reader);
	str_truncate(&bytes, 0);
	ck_assert_int_eq(read_big(15, LIMIT_XATTR_VALUE), 1);
	ck_assert_uint_eq(en.xattr_count, 15);
	tar_reader_free(reader);
	str_truncate(&bytes, 0);
	ck_assert_int_eq(read_big(17, LIMIT_XATTR_VALUE), -1);
	ck_assert_err(&e, ERR_LIMIT, "extended header of");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/tar_xattr");
	TCase *tc = tcase_create("xattr");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, accepts, 0, ARRAY_LEN(accepted));
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, values_have_limits);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
