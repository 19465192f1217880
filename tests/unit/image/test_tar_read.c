/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tar_read.h"

#include "base/limits.h"
#include "image/tar_write.h"
#include "tests/support/failalloc.h"
#include "tests/unit/image/tar_make.h"

#define TEN(x)      x x x x x x x x x x
#define HUNDRED(x)  TEN(TEN(x))
#define THOUSAND(x) TEN(HUNDRED(x))

static struct err e;
static struct str bytes;
static struct make_input input;
static struct tar_reader *reader;
static struct entry en;

static void setup(void)
{
	e = (struct err)ERR_INIT;
	bytes = (struct str)STR_INIT;
	reader = NULL;
}

static void teardown(void)
{
	tar_reader_free(reader);
	str_fini(&bytes);
	err_clear(&e);
}

static void begin(void)
{
	input = (struct make_input){.bytes = bytes.data, .len = bytes.len};
	reader = make_reader(&input, &e);
	ck_assert_ptr_nonnull(reader);
}

/* The members up to the first that is none, and the end. */
static void make_all(const struct make members[MAKE_MEMBERS])
{
	for (size_t i = 0; i < MAKE_MEMBERS && (members[i].type || members[i].name); i++)
		make_member(&bytes, &members[i]);
	make_zeros(&bytes, TAR_END_SIZE);
	begin();
}

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
	{{{.name = "x", .type = '0', .major = "0000001", .minor = "garbage"}}, 0644},
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
		ck_assert_err(&e, base256_sizes[_i].code, "");
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
	{{{.name = "x", .type = 'V'}}, ERR_FORMAT, "type 'V'"},
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
	{{{.type = 'x', .data = "10 path=a\n", .data_len = 10}, {.name = "x"}},
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
	if (ends[_i].word)
		ck_assert_err(&e, ERR_FORMAT, ends[_i].word);
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
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	tcase_add_loop_test(tc, knows_the_end, 0, ARRAY_LEN(ends));
	tcase_add_test(tc, an_archive_may_be_empty_but_not_nothing);
	tcase_add_test(tc, messages_say_where);
	tcase_add_test(tc, pax_size_wins_for_data_and_for_skipping);
	tcase_add_test(tc, a_payload_may_be_read_in_part_or_not_at_all);
	tcase_add_test(tc, the_inputs_own_error_comes_through);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
