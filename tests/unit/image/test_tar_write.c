/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tar_write.h"

#include "base/io.h"
#include "base/limits.h"
#include "tests/support/failalloc.h"
#include "tests/unit/image/tar_make.h"

#define TEXT(s) s, sizeof(s) - 1
#define PATH(s) .path = s, .path_len = sizeof(s) - 1
#define LINK(s) .link = s, .link_len = sizeof(s) - 1
#define T10(x)  x x x x x x x x x x
#define T100(x) T10(T10(x))
#define P155    T100("p") T10("ppppp") "ppppp"
#define P80     T10("pppppppp")
#define Q80     T10("qqqqqqqq")

static struct err e;
static struct str out;

static void setup(void)
{
	e = (struct err)ERR_INIT;
	out = (struct str)STR_INIT;
}

static void teardown(void)
{
	str_fini(&out);
	err_clear(&e);
}

static void append(const struct entry *en)
{
	ck_assert_msg(tar_header_append(&out, en, &e) == 0, "%s", e.msg ? e.msg : "");
	ck_assert_uint_eq(out.len % TAR_BLOCK, 0);
}

/* tests/data/tars/exact.tar: as Python's tarfile has it. */
static const struct entry exact[] = {
	{PATH("a"), .mode = 0644, .size = 5, .mtime = 315532800},
	{PATH("dir"), .kind = ENTRY_DIR, .mode = 01777, .uid = 1, .gid = 2},
	{PATH("dir/link"), LINK("../a"), .kind = ENTRY_SYMLINK, .mode = 0777},
	{PATH("dir/hard"), LINK("a"), .kind = ENTRY_HARDLINK, .mode = 0644},
	{PATH("dir/char"), .kind = ENTRY_CHAR, .mode = 0666, .rdev_major = 1, .rdev_minor = 3},
	{PATH("dir/block"), .kind = ENTRY_BLOCK, .mode = 0660, .rdev_major = 07777777,
	 .rdev_minor = 07777777},
	{PATH("dir/fifo"), .kind = ENTRY_FIFO},
	{PATH("ids"), .mode = 07777, .uid = 07777777, .gid = 07777777},
	{PATH("late"), .mode = 0600, .mtime = 077777777777},
	{PATH(T100("n")), .mode = 0644, .size = 512},
	{PATH(P155 "/" T100("n")), .mode = 0644},
	{PATH(P80 "/" Q80), .kind = ENTRY_DIR, .mode = 0755},
	{PATH("one/two/" T10("ttttttttt") "ttttttt"), .mode = 0644, .size = 1},
	{PATH("umlaut-\xfc"), LINK(T100("l")), .kind = ENTRY_SYMLINK, .mode = 0777},
};

START_TEST(writes_ustar_to_the_byte)
{
	SCOPE(str) struct str want = STR_INIT;

	ck_assert_int_eq(io_slurp_path(TEST_DATA "/tars/exact.tar", 1 << 20, &want, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(exact); i++) {
		const size_t at = out.len;
		append(&exact[i]);
		ck_assert_uint_eq(out.len - at, TAR_BLOCK);
		ck_assert_uint_le(out.len, want.len);
		ck_assert_mem_eq(out.data + at, want.data + at, TAR_BLOCK);
		make_zeros(&out, exact[i].size);
		memset(out.data + out.len - exact[i].size, 'x', exact[i].size);
		make_zeros(&out, tar_padding(exact[i].size));
	}
	make_zeros(&out, TAR_END_SIZE);
	ck_assert_uint_eq(out.len, want.len);
	ck_assert_mem_eq(out.data, want.data, out.len);
}
END_TEST

static const struct xattr attributes[] = {
	{TEXT("user.a&"), TEXT("1")},
	{TEXT("user.a="), TEXT("2")},
	{TEXT("user.b"), TEXT("x\0\n=")},
	{TEXT("user.c%"), TEXT("")},
};

/* What ustar cannot say, and the records that say it. */
static const struct {
	struct entry en;
	const char *records;
	size_t len;
	const char *name; /* of the extended header */
} extended[] = {
	{{PATH("a"), .uid = 2097152}, TEXT("15 uid=2097152\n"), "PaxHeaders/a"},
	{{PATH("d/a"), .uid = UINT32_MAX - 1, .gid = 2097152},
	 TEXT("15 gid=2097152\n18 uid=4294967294\n"),
	 "PaxHeaders/a"},
	{{PATH(""), .kind = ENTRY_DIR, .mtime = -1}, TEXT("12 mtime=-1\n"), "PaxHeaders/."},
	{{PATH("a"), .mtime = 8589934592}, TEXT("20 mtime=8589934592\n"), "PaxHeaders/a"},
	{{PATH("a"), .mtime = 1, .mtime_nsec = 1}, TEXT("21 mtime=1.000000001\n"), "PaxHeaders/a"},
	{{PATH("a"), .mtime = 0, .mtime_nsec = 500000000}, TEXT("13 mtime=0.5\n"), "PaxHeaders/a"},
	{{PATH("a"), .mtime = -1, .mtime_nsec = 750000000},
	 TEXT("15 mtime=-0.25\n"),
	 "PaxHeaders/a"},
	{{PATH("a"), .mtime = -2, .mtime_nsec = 999999999},
	 TEXT("22 mtime=-1.000000001\n"),
	 "PaxHeaders/a"},
	{{PATH("a"), .mtime = -(INT64_C(1) << 62)},
	 TEXT("30 mtime=-4611686018427387904\n"),
	 "PaxHeaders/a"},
	{{PATH("a"), .size = 8589934592}, TEXT("19 size=8589934592\n"), "PaxHeaders/a"},
	{{PATH("a"), .size = INT64_MAX}, TEXT("28 size=9223372036854775807\n"), "PaxHeaders/a"},
	{{PATH(T100("n") "n")},
	 TEXT("111 path=" T100("n") "n\n"),
	 "PaxHeaders/" T10("nnnnnnnn") "nnnnnnnnn"},
	{{PATH(P155 "p/n")}, TEXT("168 path=" P155 "p/n\n"), "PaxHeaders/n"},
	{{PATH(P155 "/" T100("n") "n")},
	 TEXT("267 path=" P155 "/" T100("n") "n\n"),
	 "PaxHeaders/" T10("nnnnnnnn") "nnnnnnnnn"},
	/* A directory's "/" counts. */
	{{PATH(T100("n")), .kind = ENTRY_DIR},
	 TEXT("111 path=" T100("n") "/\n"),
	 "PaxHeaders/" T10("nnnnnnnn") "nnnnnnnnn"},
	{{PATH(P155 "/" T100("n")), .kind = ENTRY_DIR},
	 TEXT("267 path=" P155 "/" T100("n") "/\n"),
	 "PaxHeaders/" T10("nnnnnnnn") "nnnnnnnnn"},
	{{PATH("a"), LINK(T100("l") "l"), .kind = ENTRY_SYMLINK},
	 TEXT("115 linkpath=" T100("l") "l\n"),
	 "PaxHeaders/a"},
	{{PATH("a"), LINK(T100("l") "l"), .kind = ENTRY_HARDLINK},
	 TEXT("115 linkpath=" T100("l") "l\n"),
	 "PaxHeaders/a"},
	{{PATH("a"), LINK(T100("l") "\xff"), .kind = ENTRY_SYMLINK},
	 TEXT("21 hdrcharset=BINARY\n115 linkpath=" T100("l") "\xff\n"),
	 "PaxHeaders/a"},
	{{PATH("\xed\xa0\x80" T100("n"))},
	 TEXT("21 hdrcharset=BINARY\n113 path=\xed\xa0\x80" T100("n") "\n"),
	 "PaxHeaders/\xed\xa0\x80" T10("nnnnnnnn") "nnnnnn"},
	{{PATH("\xf0\x9f\x98\x80" T100("n"))},
	 TEXT("114 path=\xf0\x9f\x98\x80" T100("n") "\n"),
	 "PaxHeaders/\xf0\x9f\x98\x80" T10("nnnnnnnn") "nnnnn"},
	/* Sorted as keys are written; records whose own length makes them longer. */
	{{PATH("a"), .xattrs = attributes, .xattr_count = ARRAY_LEN(attributes)},
	 TEXT("28 SCHILY.xattr.user.a%3D=2\n26 SCHILY.xattr.user.a&=1\n"
	      "28 SCHILY.xattr.user.b=x\0\n=\n27 SCHILY.xattr.user.c%25=\n"),
	 "PaxHeaders/a"},
	{{PATH("a"), .xattrs = attributes + 2, .xattr_count = 1, .mtime = -1, .uid = 3000000},
	 TEXT("28 SCHILY.xattr.user.b=x\0\n=\n12 mtime=-1\n15 uid=3000000\n"),
	 "PaxHeaders/a"},
};

START_TEST(writes_pax_records_for_the_rest)
{
	const char *header;

	append(&extended[_i].en);
	header = out.data;
	ck_assert_int_eq(strncmp(header, extended[_i].name, 100), 0);
	ck_assert_str_eq(header + 100, "0000644");
	ck_assert_str_eq(header + 136, "00000000000");
	ck_assert_int_eq(header[156], 'x');
	ck_assert_uint_eq(strtoul(header + 124, NULL, 8), extended[_i].len);
	ck_assert_mem_eq(header + TAR_BLOCK, extended[_i].records, extended[_i].len);
	const size_t records = extended[_i].len + tar_padding(extended[_i].len);
	for (size_t i = extended[_i].len; i < records; i++)
		ck_assert_int_eq(header[TAR_BLOCK + i], 0);
	ck_assert_uint_eq(out.len, 2 * TAR_BLOCK + records);
}
END_TEST

/* Both headers, to the last byte, against what a test of another kind would not see. */
START_TEST(fields_of_what_is_in_records)
{
	const struct entry big = {PATH("a"),      .mode = 0600,        .uid = 2097152,
				  .gid = 2097152, .mtime = 8589934592, .size = 8589934592};
	const struct entry fine = {PATH("a"), .mode = 0600, .mtime = 8, .mtime_nsec = 1};
	const struct make zero = {
		.name = "a", .mode = "0000600", .major = "0000000", .minor = "0000000"};
	const struct make eight = {.name = "a",
				   .mode = "0000600",
				   .mtime = "00000000010",
				   .major = "0000000",
				   .minor = "0000000"};
	SCOPE(str) struct str want = STR_INIT;

	append(&big);
	append(&fine);
	make_member(&want, &zero);
	make_member(&want, &eight);
	ck_assert_uint_eq(out.len, 6 * TAR_BLOCK);
	ck_assert_mem_eq(out.data + 2 * TAR_BLOCK, want.data, TAR_BLOCK);
	ck_assert_mem_eq(out.data + 5 * TAR_BLOCK, want.data + TAR_BLOCK, TAR_BLOCK);
}
END_TEST

static const struct xattr unsorted[] = {{TEXT("user.b"), TEXT("")}, {TEXT("user.a"), TEXT("")}};
static const struct xattr twice[] = {{TEXT("user.a"), TEXT("")}, {TEXT("user.a"), TEXT("")}};
static const struct xattr nameless[] = {{"", 0, "", 0}};
static const struct xattr cut[] = {{TEXT("user.\0a"), TEXT("")}};
static char many_bytes[LIMIT_XATTR_VALUE + 1];
static const struct xattr too_big[] = {{TEXT("user.a"), many_bytes, sizeof(many_bytes)}};

static const struct {
	struct entry en;
	enum err_code code;
	const char *word;
} refused[] = {
	{{PATH("/a")}, ERR_FORMAT, "not canonical"},
	{{PATH("a/")}, ERR_FORMAT, "not canonical"},
	{{PATH("./a")}, ERR_FORMAT, "not canonical"},
	{{PATH("a/./b")}, ERR_FORMAT, "not canonical"},
	{{PATH("a//b")}, ERR_FORMAT, "not canonical"},
	{{PATH(".")}, ERR_FORMAT, "not canonical"},
	{{PATH("a/../b")}, ERR_FORMAT, "'..' component"},
	{{PATH("..")}, ERR_FORMAT, "'..' component"},
	{{PATH("a\0b")}, ERR_FORMAT, "NUL"},
	{{PATH(T100("nnn"))}, ERR_LIMIT, "component that is too long"},
	{{PATH("")}, ERR_FORMAT, "root is not a directory"},
	{{PATH("a"), .kind = ENTRY_SYMLINK}, ERR_FORMAT, "without a target"},
	{{PATH("a"), .kind = ENTRY_HARDLINK}, ERR_FORMAT, "without a target"},
	{{PATH("a"), LINK("b"), .kind = ENTRY_REG}, ERR_FORMAT, "no link"},
	{{PATH("a"), LINK("b\0"), .kind = ENTRY_SYMLINK}, ERR_FORMAT, "NUL"},
	{{PATH("a"), LINK("/b"), .kind = ENTRY_HARDLINK}, ERR_FORMAT, "not canonical"},
	{{PATH("a"), LINK("../b"), .kind = ENTRY_HARDLINK}, ERR_FORMAT, "'..' component"},
	{{PATH("a"), .kind = ENTRY_DIR, .size = 1}, ERR_FORMAT, "no regular file"},
	{{PATH("a"), LINK("b"), .kind = ENTRY_HARDLINK, .size = 1}, ERR_FORMAT, "no regular file"},
	{{PATH("a"), .size = (uint64_t)INT64_MAX + 1}, ERR_LIMIT, "too long"},
	{{PATH("a"), .mode = 0100644}, ERR_FORMAT, "mode"},
	{{PATH("a"), .uid = UINT32_MAX}, ERR_FORMAT, "id that chown"},
	{{PATH("a"), .gid = UINT32_MAX}, ERR_FORMAT, "id that chown"},
	{{PATH("a"), .mtime_nsec = 1000000000}, ERR_FORMAT, "time"},
	{{PATH("a"), .mtime = INT64_MAX}, ERR_FORMAT, "time"},
	{{PATH("a"), .mtime = INT64_MIN}, ERR_FORMAT, "time"},
	{{PATH("a"), .kind = ENTRY_CHAR, .rdev_major = 2097152}, ERR_FORMAT, "device"},
	{{PATH("a"), .kind = ENTRY_BLOCK, .rdev_minor = 2097152}, ERR_FORMAT, "device"},
	{{PATH("a"), .xattrs = unsorted, .xattr_count = 2}, ERR_FORMAT, "not in order"},
	{{PATH("a"), .xattrs = twice, .xattr_count = 2}, ERR_FORMAT, "twice"},
	{{PATH("a"), .xattrs = nameless, .xattr_count = 1}, ERR_FORMAT, "no name"},
	{{PATH("a"), .xattrs = cut, .xattr_count = 1}, ERR_FORMAT, "NUL"},
	{{PATH("a"), .xattrs = too_big, .xattr_count = 1}, ERR_LIMIT, "too long a value"},
};

START_TEST(refuses)
{
	make_bytes(&out, "before", 6);
	ck_assert_int_eq(tar_header_append(&out, &refused[_i].en, &e), -1);
	ck_assert_err(&e, refused[_i].code, refused[_i].word);
	ck_assert_uint_eq(out.len, 6);
	ck_assert_str_eq(out.data, "before");
}
END_TEST

/* What Linux lets an inode have may still be more than a reader takes. */
START_TEST(records_have_a_limit)
{
	enum { COUNT = 16 };
	static char value[LIMIT_XATTR_VALUE];
	static char names[COUNT][8];
	struct xattr items[COUNT];
	struct entry en = {PATH("a"), .xattrs = items, .xattr_count = COUNT};

	for (size_t i = 0; i < COUNT; i++) {
		snprintf(names[i], sizeof(names[i]), "u.%02zu", i);
		items[i] = (struct xattr){names[i], 4, value, sizeof(value) - 5};
	}
	make_bytes(&out, "before", 6);
	ck_assert_int_eq(tar_header_append(&out, &en, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "PAX records");
	ck_assert_uint_eq(out.len, 6);
	en.xattr_count = COUNT - 1;
	ck_assert_int_eq(tar_header_append(&out, &en, &e), 0);
}
END_TEST

START_TEST(texts_and_attributes_have_limits)
{
	enum { COUNT = 17 };
	static char link[LIMIT_SYMLINK + 1], value[LIMIT_XATTR_VALUE], long_name[256];
	static char names[COUNT][8];
	struct xattr items[COUNT];
	struct entry en = {PATH("a"), .kind = ENTRY_SYMLINK, .link = link};

	memset(link, 'l', sizeof(link));
	memset(long_name, 'n', sizeof(long_name));
	en.link_len = LIMIT_SYMLINK + 1;
	ck_assert_int_eq(tar_header_append(&out, &en, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "too long a target");
	en.link_len = LIMIT_SYMLINK;
	ck_assert_int_eq(tar_header_append(&out, &en, &e), 0);

	for (size_t i = 0; i < COUNT; i++) {
		snprintf(names[i], sizeof(names[i]), "u.%02zu", i);
		items[i] = (struct xattr){names[i], 4, value, sizeof(value)};
	}
	en = (struct entry){PATH("a"), .xattrs = items, .xattr_count = COUNT};
	ck_assert_int_eq(tar_header_append(&out, &en, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "one too many");
	items[0] = (struct xattr){long_name, sizeof(long_name), "", 0};
	en.xattr_count = 1;
	ck_assert_int_eq(tar_header_append(&out, &en, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "too long a name");
}
END_TEST

static int append_rich(void *arg, struct err *err)
{
	const struct entry en = {PATH(P155 "p/n"), .mtime = -5, .xattrs = attributes,
				 .xattr_count = ARRAY_LEN(attributes)};
	struct str text = STR_INIT;

	bool *is_partial = arg;
	const int rc = tar_header_append(&text, &en, err);
	*is_partial = *is_partial || (rc < 0 && text.len > 0);
	str_fini(&text);
	return rc;
}

START_TEST(memory_runs_out)
{
	bool is_partial = false;

	failalloc_each(append_rich, &is_partial);
	ck_assert(!is_partial);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/tar_write");
	TCase *tc = tcase_create("write");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, writes_ustar_to_the_byte);
	tcase_add_loop_test(tc, writes_pax_records_for_the_rest, 0, ARRAY_LEN(extended));
	tcase_add_test(tc, fields_of_what_is_in_records);
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, records_have_a_limit);
	tcase_add_test(tc, texts_and_attributes_have_limits);
	tcase_add_test(tc, memory_runs_out);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
