/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tar_read.h"

#include "base/limits.h"
#include "tests/unit/image/tar_fixture.h"

static void next(void)
{
	const int rc = tar_reader_next(reader, &en, &e);

	ck_assert_msg(rc == 1, "no member: %s", e.msg);
}

static void ck_assert_text(const char *got, size_t len, const char *want)
{
	ck_assert_uint_eq(len, strlen(want));
	ck_assert_int_eq(memcmp(got, want, len), 0);
}

/* Archives of one real member. */
static const struct {
	struct make members[MAKE_MEMBERS];
	const char *path;
	enum entry_kind kind;
	const char *link;
} names[] = {
	{{{.name = "/etc/passwd"}}, "etc/passwd", ENTRY_REG, ""},
	{{{.name = "./a//b/./c"}}, "a/b/c", ENTRY_REG, ""},
	{{{.name = "a/"}}, "a", ENTRY_REG, ""},
	{{{.name = "a/", .has_old_type = true}}, "a", ENTRY_DIR, ""},
	{{{.name = "a", .has_old_type = true}}, "a", ENTRY_REG, ""},
	{{{.name = "a/", .has_old_type = true, .is_v7 = true}}, "a", ENTRY_DIR, ""},
	{{{.name = "a/", .type = '5', .is_v7 = true}}, "a", ENTRY_DIR, ""},
	{{{.name = "a", .type = '7'}}, "a", ENTRY_REG, ""},
	{{{.name = "./", .type = '5'}}, "", ENTRY_DIR, ""},
	{{{.name = "", .type = '5'}}, "", ENTRY_DIR, ""},
	{{{.name = "a/.wh.b"}}, "a/.wh.b", ENTRY_REG, ""},
	{{{.name = "n", .prefix = "p"}}, "p/n", ENTRY_REG, ""},
	{{{.name = "n", .prefix = "p", .magic = "ustar\0\0"}}, "p/n", ENTRY_REG, ""},
	{{{.name = "\xff\n\x1b\x7f'\""}}, "\xff\n\x1b\x7f'\"", ENTRY_REG, ""},
	{{{.name = HUNDRED("n"), .prefix = HUNDRED("p") TEN("p")}},
	 HUNDRED("p") TEN("p") "/" HUNDRED("n"),
	 ENTRY_REG,
	 ""},
	/* GNU has no prefix: there are times in its place. */
	{{{.name = "n", .magic = "ustar  ", .tail = "12345670123", .tail_len = 11}},
	 "n",
	 ENTRY_REG,
	 ""},
	/* star has a shorter one. */
	{{{.name = "n",
	   .tail = HUNDRED("p") TEN("p") TEN("p") TEN("p") "p12345670123\00012345670123\0\0\0\0\0"
							   "\0\0\0\0tar",
	   .tail_len = 167}},
	 HUNDRED("p") TEN("p") TEN("p") TEN("p") "p/n",
	 ENTRY_REG,
	 ""},
	{{{.type = 'x', .pax = "path=long/name\n"}, {.name = "short"}}, "long/name", ENTRY_REG, ""},
	{{{.type = 'x', .pax = "path=\n"}, {.name = "short"}}, "short", ENTRY_REG, ""},
	{{{.type = 'x', .pax = "path=d/\n"}, {.name = "s", .has_old_type = true}},
	 "d",
	 ENTRY_DIR,
	 ""},
	{{{.type = 'x', .pax = "path=a=b=c\n"}, {.name = "short"}}, "a=b=c", ENTRY_REG, ""},
	{{{.type = 'x', .data = "18 path=two\nlines\n", .data_len = 18}, {.name = "x"}},
	 "two\nlines",
	 ENTRY_REG,
	 ""},
	{{{.type = 'L', .data = "gnu/name\0", .data_len = 9}, {.name = "x"}},
	 "gnu/name",
	 ENTRY_REG,
	 ""},
	{{{.type = 'L', .data = "gnu/name\0\0\0", .data_len = 11}, {.name = "x"}},
	 "gnu/name",
	 ENTRY_REG,
	 ""},
	{{{.type = 'L', .data = "l\0", .data_len = 2},
	  {.type = 'K', .data = "k\0", .data_len = 2},
	  {.name = "x", .type = '2', .link = "y"}},
	 "l",
	 ENTRY_SYMLINK,
	 "k"},
	{{{.type = 'K', .data = "k\0", .data_len = 2}, {.name = "x", .type = '1', .link = "y"}},
	 "x",
	 ENTRY_HARDLINK,
	 "k"},
	{{{.type = 'L', .data = "l\0", .data_len = 2},
	  {.type = 'x', .pax = "mtime=5\n"},
	  {.name = "x"}},
	 "l",
	 ENTRY_REG,
	 ""},
	{{{.type = 'x', .pax = "linkpath=../../t\n"}, {.name = "x", .type = '2', .link = "y"}},
	 "x",
	 ENTRY_SYMLINK,
	 "../../t"},
	{{{.type = 'x', .pax = "linkpath=\n"}, {.name = "x", .type = '2', .link = "/y/"}},
	 "x",
	 ENTRY_SYMLINK,
	 "/y/"},
	{{{.name = "x", .type = '1', .link = "./a//b/"}}, "x", ENTRY_HARDLINK, "a/b"},
	{{{.name = "x", .type = '1', .link = HUNDRED("l")}}, "x", ENTRY_HARDLINK, HUNDRED("l")},
	{{{.type = 'x', .pax = "hdrcharset=BINARY\npath=\xff\n"}, {.name = "x"}},
	 "\xff",
	 ENTRY_REG,
	 ""},
	{{{.type = 'x', .pax = "hdrcharset=ISO-IR 10646 2000 UTF-8\n"}, {.name = "x"}},
	 "x",
	 ENTRY_REG,
	 ""},
	/* What may be ignored. */
	{{{.type = 'g', .pax = "comment=0123456789abcdef\n"}, {.name = "x"}}, "x", ENTRY_REG, ""},
	{{{.type = 'g', .data_len = 0}, {.type = 'x', .data_len = 0}, {.name = "x"}},
	 "x",
	 ENTRY_REG,
	 ""},
	{{{.type = 'x',
	   .pax = "uname=u\ngname=g\natime=1\nctime=2\ncomment=c\ncharset=c\nSCHILY.dev=1\n"
		  "SCHILY.ino=1\nSCHILY.nlink=1\nSCHILY.fflags=f\nSCHILY.acl.access=a\n"
		  "SCHILY.acl.default=a\nSCHILY.acl.ace=a\nLIBARCHIVE.creationtime=1\n"
		  "LIBARCHIVE.symlinktype=dir\nAPK-TOOLS.checksum.SHA1=0\n"},
	  {.name = "x"}},
	 "x",
	 ENTRY_REG,
	 ""},
	/* No data follows these, whatever their size says. */
	{{{.name = "x", .type = '5', .size = "00000010000"}}, "x", ENTRY_DIR, ""},
	{{{.name = "x", .type = '3', .size = "00000010000"}}, "x", ENTRY_CHAR, ""},
	{{{.name = "x", .type = '4', .size = "garbage"}}, "x", ENTRY_BLOCK, ""},
	{{{.name = "x", .type = '6', .size = "00000010000"}}, "x", ENTRY_FIFO, ""},
	{{{.name = "\xff\xff\xff", .is_signed = true}}, "\xff\xff\xff", ENTRY_REG, ""},
};

START_TEST(accepts_names)
{
	make_all(names[_i].members);
	next();
	ck_assert_text(en.path, en.path_len, names[_i].path);
	ck_assert_int_eq(en.kind, names[_i].kind);
	ck_assert_uint_eq(en.link_len, strlen(names[_i].link));
	ck_assert_int_eq(memcmp(en.link ? en.link : "", names[_i].link, en.link_len), 0);
	ck_assert_uint_eq(en.size, 0);
	ck_assert_uint_eq(en.extent_count, 0);
	ck_assert_int_eq(tar_reader_next(reader, &en, &e), 0);
}
END_TEST

/* Attributes of one real member. */
static const struct {
	struct make members[MAKE_MEMBERS];
	uint32_t mode, uid, gid, major, minor;
	int64_t mtime;
	uint32_t nsec;
} numbers[] = {
	{{{.name = "x"}}, .mode = 0644},
	{{{.mode = "0104755", .name = "x"}}, .mode = 04755},
	{{{.mode = "   644 ", .name = "x"}}, .mode = 0644},
	{{{.mode = "644", .name = "x"}}, .mode = 0644},
	{{{.mode = "00000644", .name = "x"}}, .mode = 0644},
	{{{.mode = "", .uid = "", .gid = "        ", .mtime = "", .name = "x"}}, .mode = 0},
	{{{.name = "label", .type = 'V', .magic = "ustar  "}, {.name = "x", .uid = "0000005"}},
	 0644,
	 .uid = 5},
	{{{.name = "label", .type = 'V', .is_v7 = true}, {.name = "x"}}, .mode = 0644},
	{{{.type = 'g', .pax = "GNU.volume.label=l\n"}, {.name = "x"}}, .mode = 0644},
	{{{.mode = "0000644", .name = "x", .type = '2', .link = "y"}}, .mode = 0777},
	{{{.mode = "0104755", .name = "x", .type = '2', .link = "y"}}, .mode = 0777},
	{{{.mode = "0000644", .name = "x", .type = '1', .link = "y"}}, .mode = 0644},
	{{{.uid = "7777777", .gid = "0000001", .name = "x"}}, 0644, .uid = 2097151, .gid = 1},
	{{{.type = 'x', .pax = "uid=4294967294\ngid=3000000\n"}, {.name = "x", .uid = "garbage"}},
	 0644,
	 .uid = 4294967294,
	 .gid = 3000000},
	{{{.type = 'x', .pax = "uid=\n"}, {.name = "x", .uid = "0000005"}}, 0644, .uid = 5},
	{{{.type = 'g', .pax = "uid=7\ngid=8\nmtime=9.5\n"}, {.name = "x", .uid = "0000005"}},
	 0644,
	 .uid = 7,
	 .gid = 8,
	 .mtime = 9,
	 .nsec = 500000000},
	{{{.type = 'g', .pax = "uid=7\nmtime=9\n"},
	  {.type = 'x', .pax = "uid=6\nmtime=\n"},
	  {.name = "x", .mtime = "00000000003"}},
	 0644,
	 .uid = 6,
	 .mtime = 3},
	{{{.type = 'g', .pax = "uid=7\ngid=8\n"}, {.type = 'g', .pax = "uid=9\n"}, {.name = "x"}},
	 0644,
	 .uid = 9,
	 .gid = 8},
	{{{.type = 'g', .pax = "uid=7\ngid=8\n"},
	  {.type = 'g', .pax = "uid=\n"},
	  {.name = "x", .uid = "0000005"}},
	 0644,
	 .uid = 5,
	 .gid = 8},
	{{{.name = "x", .type = '3', .major = "0000001", .minor = "0000003"}},
	 0644,
	 .major = 1,
	 .minor = 3},
	{{{.name = "x", .type = '0', .major = "0000001", .minor = "garbage"}}, .mode = 0644},
	{{{.type = 'x', .pax = "SCHILY.devmajor=4294967295\nSCHILY.devminor=70000\n"},
	  {.name = "x", .type = '4'}},
	 0644,
	 .major = 4294967295,
	 .minor = 70000},
	{{{.name = "x", .mtime = "77777777777"}}, 0644, .mtime = 077777777777},
	{{{.name = "x", .mtime = "777777777777"}}, 0644, .mtime = 0777777777777},
	{{{.type = 'x', .pax = "mtime=0\n"}, {.name = "x", .mtime = "garbage"}}, 0644, .mtime = 0},
	{{{.type = 'x', .pax = "mtime=-0.25\n"}, {.name = "x"}},
	 0644,
	 .mtime = -1,
	 .nsec = 750000000},
	{{{.type = 'x', .pax = "mtime=-3\n"}, {.name = "x"}}, 0644, .mtime = -3},
	{{{.type = 'x', .pax = "mtime=-3.\n"}, {.name = "x"}}, 0644, .mtime = -3},
	{{{.type = 'x', .pax = "mtime=1.123456789999\n"}, {.name = "x"}},
	 0644,
	 .mtime = 1,
	 .nsec = 123456789},
	/* Down to the nanosecond below. */
	{{{.type = 'x', .pax = "mtime=-1.123456789001\n"}, {.name = "x"}},
	 0644,
	 .mtime = -2,
	 .nsec = 876543210},
	{{{.type = 'x', .pax = "mtime=-1.0000000000001\n"}, {.name = "x"}},
	 0644,
	 .mtime = -2,
	 .nsec = 999999999},
	{{{.type = 'x', .pax = "mtime=4611686018427387904.5\n"}, {.name = "x"}},
	 0644,
	 .mtime = INT64_C(1) << 62},
	{{{.type = 'x', .pax = "mtime=4611686018427387903\n"}, {.name = "x"}},
	 0644,
	 .mtime = (INT64_C(1) << 62) - 1},
	{{{.type = 'x', .pax = "mtime=99999999999999999999999999999999\n"}, {.name = "x"}},
	 0644,
	 .mtime = INT64_C(1) << 62},
	{{{.type = 'x', .pax = "mtime=-99999999999999999999.9\n"}, {.name = "x"}},
	 0644,
	 .mtime = -(INT64_C(1) << 62)},
};

START_TEST(accepts_numbers)
{
	make_all(numbers[_i].members);
	next();
	ck_assert_uint_eq(en.mode, numbers[_i].mode);
	ck_assert_uint_eq(en.uid, numbers[_i].uid);
	ck_assert_uint_eq(en.gid, numbers[_i].gid);
	ck_assert_uint_eq(en.rdev_major, numbers[_i].major);
	ck_assert_uint_eq(en.rdev_minor, numbers[_i].minor);
	ck_assert_int_eq(en.mtime, numbers[_i].mtime);
	ck_assert_uint_eq(en.mtime_nsec, numbers[_i].nsec);
	ck_assert_int_eq(tar_reader_next(reader, &en, &e), 0);
}
END_TEST

/* Base-256 numbers hold NULs, which the table of fields cannot say. */
static const struct {
	uint8_t field[12];
	int64_t mtime;
} base256_times[] = {
	{{0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2}, 258},
	{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}, -2},
	{{0x80, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0}, INT64_C(1) << 62},
	{{0x80, 0, 0, 0, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, (INT64_C(1) << 62) - 1},
	{{0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, INT64_C(1) << 62},
	{{0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	 INT64_C(1) << 62},
	{{0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}, -(INT64_C(1) << 62)},
	{{0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, -(INT64_C(1) << 62)},
};

static const struct {
	uint8_t field[12];
	uint64_t size; /* UINT64_MAX: refused */
	enum err_code code;
} base256_sizes[] = {
	{{0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7}, 7, ERR_NONE},
	{{0x80, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}, UINT64_MAX, ERR_LIMIT},
	{{0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, UINT64_MAX, ERR_LIMIT},
	{{0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0}, UINT64_MAX, ERR_FORMAT},
	{{0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, UINT64_MAX, ERR_FORMAT},
	{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	 UINT64_MAX,
	 ERR_FORMAT},
	{{0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, UINT64_MAX, ERR_FORMAT},
};

/* Puts raw bytes into a field of the header at the start of `bytes`. */
static void patch(size_t at, const void *field, size_t len)
{
	struct make plain = {.name = "x"};

	memcpy(bytes.data + at, field, len);
	make_checksum(bytes.data, &plain);
}

START_TEST(reads_base256_times)
{
	const struct make plain = {.name = "x"};

	make_member(&bytes, &plain);
	make_zeros(&bytes, TAR_END_SIZE);
	patch(136, base256_times[_i].field, 12);
	begin();
	next();
	ck_assert_int_eq(en.mtime, base256_times[_i].mtime);
}
END_TEST

START_TEST(reads_base256_sizes)
{
	const struct make plain = {.name = "x", .data = "content", .data_len = 7};

	make_member(&bytes, &plain);
	make_zeros(&bytes, TAR_END_SIZE);
	patch(124, base256_sizes[_i].field, 12);
	begin();
	if (base256_sizes[_i].size == UINT64_MAX) {
		ck_assert_int_eq(tar_reader_next(reader, &en, &e), -1);
		ck_assert_err(&e, base256_sizes[_i].code,
			      base256_sizes[_i].code == ERR_LIMIT ? "a payload of" : "bad size");
		return;
	}
	next();
	ck_assert_uint_eq(en.size, base256_sizes[_i].size);
	ck_assert_int_eq(tar_reader_next(reader, &en, &e), 0);
}
END_TEST

static const struct {
	uint8_t field[8];
	bool is_refused;
	uint32_t uid;
} base256_ids[] = {
	{{0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe}, false, UINT32_MAX - 1},
	{{0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, true, 0},
	{{0x80, 0, 0, 1, 0, 0, 0, 0}, true, 0},
	{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}, true, 0},
};

START_TEST(reads_base256_ids)
{
	const struct make plain = {.name = "x"};

	make_member(&bytes, &plain);
	make_zeros(&bytes, TAR_END_SIZE);
	patch(108, base256_ids[_i].field, 8);
	begin();
	if (base256_ids[_i].is_refused) {
		ck_assert_int_eq(tar_reader_next(reader, &en, &e), -1);
		ck_assert_err(&e, ERR_FORMAT, "bad uid");
		return;
	}
	next();
	ck_assert_uint_eq(en.uid, base256_ids[_i].uid);
}
END_TEST

/* The end of an archive: blocks of zeros after one member, and what follows them. */
static const struct {
	size_t zeros;
	const char *more;
	const char *word; /* NULL: accepted */
} ends[] = {
	{1024, "", NULL},         {1025, "", NULL},          {10240, "", NULL},
	{1 << 20, "", NULL},      {0, "", "no blocks"},      {511, "", "cut short"},
	{512, "", "no second"},   {1023, "", "no second"},   {1024, "x", "data after"},
	{512, "x", "data after"}, {5000, "x", "data after"}, {200000, "x", "data after"},
};

START_TEST(knows_the_end)
{
	const struct make plain = {.name = "x", .data = "12345", .data_len = 5};

	make_member(&bytes, &plain);
	make_zeros(&bytes, ends[_i].zeros);
	make_bytes(&bytes, ends[_i].more, strlen(ends[_i].more));
	begin();
	next();
	const int rc = tar_reader_next(reader, &en, &e);
	ck_assert_int_eq(rc, ends[_i].word ? -1 : 0);
	if (rc < 0)
		ck_assert_err(&e, ERR_FORMAT, ends[_i].word ? ends[_i].word : "?");
	else
		ck_assert_uint_eq(tar_reader_offset(reader), bytes.len);
}
END_TEST

START_TEST(an_archive_may_be_empty_but_not_nothing)
{
	begin();
	ck_assert_int_eq(tar_reader_next(reader, &en, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "no blocks of zeros");
	tar_reader_free(reader);
	make_zeros(&bytes, TAR_END_SIZE);
	begin();
	ck_assert_int_eq(tar_reader_next(reader, &en, &e), 0);
}
END_TEST

START_TEST(messages_say_where)
{
	const struct make members[] = {{.name = "a\x1b"}, {.name = "b", .mode = "z"}};

	make_member(&bytes, &members[0]);
	make_member(&bytes, &members[1]);
	begin();
	next();
	ck_assert_int_eq(tar_reader_next(reader, &en, &e), -1);
	ck_assert_str_eq(e.msg, "tar member 'b': bad mode");
	err_clear(&e);
	tar_reader_free(reader);

	str_truncate(&bytes, 0);
	make_member(&bytes, &members[0]);
	make_bytes(&bytes, HUNDRED("12345") TEN("x") "xx", 512);
	begin();
	next();
	ck_assert_int_eq(tar_reader_next(reader, &en, &e), -1);
	ck_assert_str_eq(e.msg, "tar header at byte 512: bad checksum");
	err_clear(&e);
}
END_TEST

/* PAX and ustar disagree about a size: the PAX one says where the next header is, too. */
START_TEST(pax_size_wins_for_data_and_for_skipping)
{
	const struct make inner = {.name = "smuggled"};
	const struct make after = {.name = "after"};
	const struct make pax = {.type = 'x', .pax = "size=512\n"};
	const struct make outer = {.name = "outer"}; /* size 0 in the header */

	make_member(&bytes, &pax);
	make_member(&bytes, &outer);
	make_member(&bytes, &inner);
	make_member(&bytes, &after);
	make_zeros(&bytes, TAR_END_SIZE);
	begin();
	next();
	ck_assert_uint_eq(en.size, 512);
	next();
	ck_assert_text(en.path, en.path_len, "after");
	ck_assert_int_eq(tar_reader_next(reader, &en, &e), 0);
}
END_TEST

START_TEST(a_payload_may_be_read_in_part_or_not_at_all)
{
	const struct make members[MAKE_MEMBERS] = {
		{.name = "a", .data = HUNDRED("abcdefghij"), .data_len = 1000},
		{.name = "b", .data = "content", .data_len = 7},
		{.name = "c", .data = "c", .data_len = 1},
	};
	char buf[2000];

	make_all(members);
	next();
	ck_assert_uint_eq(tar_reader_offset(reader), 512);
	ck_assert_int_eq(tar_reader_read(reader, buf, 10, &e), 10);
	ck_assert_uint_eq(tar_reader_offset(reader), 522);
	ck_assert_mem_eq(buf, "abcdefghij", 10);
	next();
	ck_assert_text(en.path, en.path_len, "b");
	next();
	ck_assert_text(en.path, en.path_len, "c");
	ck_assert_int_eq(tar_reader_read(reader, buf, 0, &e), 0);
	ck_assert_int_eq(tar_reader_read(reader, buf, sizeof(buf), &e), 1);
	ck_assert_int_eq(buf[0], 'c');
	ck_assert_int_eq(tar_reader_read(reader, buf, sizeof(buf), &e), 0);
	ck_assert_int_eq(tar_reader_next(reader, &en, &e), 0);
	ck_assert_int_eq(tar_reader_read(reader, buf, sizeof(buf), &e), 0);
}
END_TEST

START_TEST(a_payload_may_be_cut_short)
{
	const struct make file = {.name = "a", .data = "abcde", .data_len = 5, .is_unpadded = true};
	char buf[10];

	make_member(&bytes, &file);
	str_truncate(&bytes, bytes.len - 2);
	begin();
	next();
	ck_assert_int_eq(tar_reader_read(reader, buf, sizeof(buf), &e), 3);
	ck_assert_int_eq(tar_reader_read(reader, buf, sizeof(buf), &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "tar member 'a': the archive is cut short");
	ck_assert_int_eq(tar_reader_read(reader, buf, sizeof(buf), &e), 0);
}
END_TEST

/* The same member for ever. */
static ssize_t read_endless(void *ctx, void *buf, size_t len, struct err *err)
{
	const struct str *member = ctx;
	const size_t n = len - len % MAKE_BLOCK;

	(void)err;
	ck_assert_uint_gt(n, 0);
	for (size_t at = 0; at < n; at += MAKE_BLOCK)
		memcpy((char *)buf + at, member->data, MAKE_BLOCK);
	return (ssize_t)n;
}

START_TEST(members_have_a_limit)
{
	const struct make file = {.name = "a"};
	const struct tar_input endless = {read_endless, &bytes, NULL};
	uint64_t count = 0;

	make_member(&bytes, &file);
	reader = tar_reader_new(&endless, &e);
	ck_assert_ptr_nonnull(reader);
	while (tar_reader_next(reader, &en, &e) == 1)
		count++;
	ck_assert_uint_eq(count, LIMIT_ENTRIES);
	ck_assert_err(&e, ERR_LIMIT, "more than 4194304 members");
}
END_TEST

START_TEST(the_inputs_own_error_comes_through)
{
	const struct make big = {.name = "a", .size = "00010000000"};

	make_member(&bytes, &big);
	make_zeros(&bytes, 2 << 20);
	for (size_t at = 1; at < bytes.len; at += 65536) {
		char buf[4096];
		ssize_t n = 0;
		int rc;
		input = (struct make_input){
			.bytes = bytes.data, .len = bytes.len, .step = 700, .fails_at = at};
		reader = make_reader(&input, &e);
		rc = tar_reader_next(reader, &en, &e);
		if (at % 131072 == 1)
			while (rc == 1 && (n = tar_reader_read(reader, buf, sizeof(buf), &e)) > 0)
				;
		if (rc == 1 && n == 0)
			rc = tar_reader_next(reader, &en, &e);
		ck_assert(rc == -1 || n == -1);
		ck_assert_int_eq(e.code, ERR_NET);
		ck_assert_str_eq(e.msg, "the wire broke");
		err_clear(&e);
		tar_reader_free(reader);
	}
	reader = NULL;
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/tar_read");
	TCase *tc = tcase_create("read");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, accepts_names, 0, ARRAY_LEN(names));
	tcase_add_loop_test(tc, accepts_numbers, 0, ARRAY_LEN(numbers));
	tcase_add_loop_test(tc, reads_base256_times, 0, ARRAY_LEN(base256_times));
	tcase_add_loop_test(tc, reads_base256_sizes, 0, ARRAY_LEN(base256_sizes));
	tcase_add_loop_test(tc, reads_base256_ids, 0, ARRAY_LEN(base256_ids));
	tcase_add_loop_test(tc, knows_the_end, 0, ARRAY_LEN(ends));
	tcase_add_test(tc, an_archive_may_be_empty_but_not_nothing);
	tcase_add_test(tc, messages_say_where);
	tcase_add_test(tc, pax_size_wins_for_data_and_for_skipping);
	tcase_add_test(tc, a_payload_may_be_read_in_part_or_not_at_all);
	tcase_add_test(tc, a_payload_may_be_cut_short);
	tcase_add_test(tc, members_have_a_limit);
	tcase_add_test(tc, the_inputs_own_error_comes_through);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
