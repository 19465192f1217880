/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives that other tars made of one tree (tests/data/make_tars.sh): all must read the same, as
 * far as their format can say it.
 */
#include "base/io.h"
#include "image/tar_read.h"
#include "tests/support/failalloc.h"
#include "tests/unit/image/tar_make.h"

/* What a format can say; each can say what the ones before can. */
enum reach { PLAIN, USTAR, BIG, PAX };

/* What one producer does otherwise. */
enum quirk {
	HAS_NSEC = 1,
	HAS_ROOT = 2,    /* "./" comes first */
	HAS_PARENTS = 4, /* directories that others were told to leave out */
	IS_GO = 8,       /* no names that are not UTF-8, no odd attributes */
	NO_EARLY = 16,   /* times before 1970 become 1970 */
};

#define R10  "rrrrrrrrrr"
#define R50  R10 R10 R10 R10 R10
#define R200 R50 R50 R50 R50
#define S50  "ssssssssssssssssssssssssssssssssssssssssssssssssss"
#define S200 S50 S50 S50 S50
#define P80  "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
#define Q80  "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
#define N31  "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define X40  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct xattr odd_attributes[] = {
	{"security.capability", 19, "\1\0\0\2\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20},
	{"user.empty", 10, "", 0},
	{"user.note", 9, "a value", 7},
	{"user.odd=%41 name", 17, "x", 1},
};

static const struct xattr attributes[] = {
	{"security.capability", 19, "\1\0\0\2\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20},
	{"user.note", 9, "a value", 7},
};

static const struct member {
	const char *path;
	enum reach reach;
	enum entry_kind kind;
	uint32_t mode;
	uint32_t uid, gid;
	uint32_t major, minor;
	const char *link;
	const char *content;
	int64_t mtime; /* 0: 1000000000 */
	uint32_t nsec;
	enum quirk only; /* of producers with this quirk; 0: of all */
} members[] = {
	{"", PLAIN, ENTRY_DIR, 0755, .only = HAS_ROOT},
	{"t", PLAIN, ENTRY_DIR, 0755, .uid = 1000, .gid = 2000},
	{"t/block", USTAR, ENTRY_BLOCK, 0660, .major = 7, .minor = 1},
	{"t/char", USTAR, ENTRY_CHAR, 0666, .major = 1, .minor = 3},
	{"t/early", BIG, ENTRY_REG, 0644, .content = "early\n", .mtime = -86400},
	{"t/fifo", USTAR, ENTRY_FIFO, .mode = 0600},
	{"t/file", PLAIN, ENTRY_REG, 0644, .content = "hello\n", .mtime = 1234567890,
	 .nsec = 250000000},
	{"t/full-" N31 N31 N31, USTAR, ENTRY_REG, .mode = 0644},
	{"t/hard", PLAIN, ENTRY_HARDLINK, 0644, .link = "t/file", .mtime = 1234567890,
	 .nsec = 250000000},
	{"t/ids", BIG, ENTRY_REG, 0644, .uid = 3000000, .gid = 4294967294},
	{"t/link", PLAIN, ENTRY_SYMLINK, 0777, 1000, 2000, .link = "file"},
	{"t/longlink", BIG, ENTRY_SYMLINK, 0777, .link = X40 X40 X40},
	{"t/" P80, USTAR, ENTRY_DIR, 0755, .only = HAS_PARENTS},
	{"t/" P80 "/" Q80, USTAR, ENTRY_REG, 0644, .content = "prefix\n"},
	{"t/" R200, BIG, ENTRY_DIR, 0755, .only = HAS_PARENTS},
	{"t/" R200 "/" S200, BIG, ENTRY_REG, 0644, .content = "long\n"},
	{"t/setuid", PLAIN, ENTRY_REG, 06755, .content = "set\n"},
	{"t/umlaut-\374", PLAIN, ENTRY_REG, .mode = 0644},
	{"t/xattrs", PAX, ENTRY_REG, 0644, .content = "xattrs\n"},
};

static const struct {
	const char *file;
	enum reach reach;
	unsigned quirks;
} archives[] = {
	{"bsd-gnu.tar", BIG, NO_EARLY}, {"bsd-pax.tar", PAX, HAS_NSEC},
	{"bsd-ustar.tar", USTAR, 0},    {"bsd-v7.tar", PLAIN, 0},
	{"busybox.tar", USTAR, 0},      {"gnu-gnu.tar", BIG, 0},
	{"gnu-pax.tar", PAX, HAS_NSEC}, {"gnu-ustar.tar", USTAR, 0},
	{"gnu-v7.tar", PLAIN, 0},       {"go.tar", PAX, HAS_ROOT | HAS_PARENTS | IS_GO},
	{"python-gnu.tar", BIG, 0},     {"python-pax.tar", BIG, HAS_NSEC},
	{"python-ustar.tar", USTAR, 0},
};

static const size_t steps[] = {0, 1, 511, 513, 4096};

static struct err e;
static struct str bytes;
static struct make_input input;

static void setup(void)
{
	e = (struct err)ERR_INIT;
	bytes = (struct str)STR_INIT;
}

static void teardown(void)
{
	str_fini(&bytes);
	err_clear(&e);
}

static struct tar_reader *open_archive(const char *name, size_t step)
{
	char path[512];

	snprintf(path, sizeof(path), TEST_DATA "/tars/%s", name);
	str_truncate(&bytes, 0);
	ck_assert_msg(io_slurp_path(path, 1 << 20, &bytes, &e) == 0, "%s", e.msg);
	input = (struct make_input){.bytes = bytes.data, .len = bytes.len, .step = step};
	struct tar_reader *r = make_reader(&input, &e);
	ck_assert_ptr_nonnull(r);
	return r;
}

static void check_xattrs(const struct entry *en, const struct xattr *want, size_t count)
{
	ck_assert_uint_eq(en->xattr_count, count);
	for (size_t i = 0; i < count; i++) {
		const struct xattr *x = &en->xattrs[i];
		ck_assert_uint_eq(x->name_len, want[i].name_len);
		ck_assert_mem_eq(x->name, want[i].name, x->name_len);
		ck_assert_uint_eq(x->value_len, want[i].value_len);
		ck_assert_int_eq(memcmp(x->value, want[i].value, x->value_len), 0);
	}
}

static void check_content(struct tar_reader *r, const struct entry *en, const char *content)
{
	char buf[64];
	size_t got = 0;
	ssize_t n;

	ck_assert_uint_eq(en->size, strlen(content));
	ck_assert_uint_eq(en->data_size, en->size);
	ck_assert_uint_eq(en->extent_count, en->size > 0);
	ck_assert_uint_eq(en->data_offset, tar_reader_offset(r));
	if (en->size > 0) {
		ck_assert_uint_eq(en->extents[0].file_offset, 0);
		ck_assert_uint_eq(en->extents[0].tar_offset, en->data_offset);
		ck_assert_uint_eq(en->extents[0].length, en->size);
		ck_assert_mem_eq(bytes.data + en->data_offset, content, en->size);
	}
	while ((n = tar_reader_read(r, buf + got, sizeof(buf) - got, &e)) > 0)
		got += (size_t)n;
	ck_assert_uint_eq(got, en->size);
	ck_assert_int_eq(memcmp(buf, content, got), 0);
}

static void check_member(struct tar_reader *r, const struct entry *en, const struct member *m,
			 unsigned quirks)
{
	int64_t mtime = m->mtime ? m->mtime : 1000000000;

	if (mtime < 0 && (quirks & NO_EARLY))
		mtime = 0;
	ck_assert_uint_eq(en->path_len, strlen(m->path));
	ck_assert_int_eq(memcmp(en->path, m->path, en->path_len), 0);
	ck_assert_int_eq(en->kind, m->kind);
	ck_assert_uint_eq(en->mode, m->mode);
	ck_assert_uint_eq(en->uid, m->uid);
	ck_assert_uint_eq(en->gid, m->gid);
	ck_assert_uint_eq(en->rdev_major, m->major);
	ck_assert_uint_eq(en->rdev_minor, m->minor);
	ck_assert_int_eq(en->mtime, mtime);
	ck_assert_uint_eq(en->mtime_nsec, quirks & HAS_NSEC ? m->nsec : 0);
	ck_assert_uint_eq(en->link_len, m->link ? strlen(m->link) : 0);
	if (m->link)
		ck_assert_mem_eq(en->link, m->link, en->link_len);
	if (m->reach != PAX)
		check_xattrs(en, NULL, 0);
	else if (quirks & IS_GO)
		check_xattrs(en, attributes, ARRAY_LEN(attributes));
	else
		check_xattrs(en, odd_attributes, ARRAY_LEN(odd_attributes));
	if (m->kind == ENTRY_REG)
		check_content(r, en, m->content ? m->content : "");
}

static bool is_there(const struct member *m, enum reach reach, unsigned quirks)
{
	if (m->reach > reach || (m->only && !(quirks & m->only)))
		return false;
	return !(quirks & IS_GO) || !strchr(m->path, '\374');
}

START_TEST(reads_what_others_wrote)
{
	for (size_t s = 0; s < ARRAY_LEN(steps); s++) {
		struct entry en;
		SCOPE(tar_reader)
		struct tar_reader *r = open_archive(archives[_i].file, steps[s]);
		for (size_t i = 0; i < ARRAY_LEN(members); i++) {
			if (!is_there(&members[i], archives[_i].reach, archives[_i].quirks))
				continue;
			const int rc = tar_reader_next(r, &en, &e);
			ck_assert_msg(rc == 1, "%s: no '%s': %s", archives[_i].file,
				      members[i].path, e.msg);
			check_member(r, &en, &members[i], archives[_i].quirks);
		}
		ck_assert_int_eq(tar_reader_next(r, &en, &e), 0);
		ck_assert_uint_eq(tar_reader_offset(r), bytes.len);
		ck_assert_int_eq(tar_reader_next(r, &en, &e), 0);
	}
}
END_TEST

static const char *const sparse_archives[] = {"gnu-sparse-old.tar", "gnu-sparse-0.0.tar",
					      "gnu-sparse-0.1.tar", "gnu-sparse-1.0.tar",
					      "bsd-sparse.tar"};

START_TEST(reads_every_kind_of_sparse_member)
{
	enum { RANGES = 6, RANGE = 4096, PERIOD = 131072, FIRST = 8192 };
	struct entry en;

	for (size_t s = 0; s < ARRAY_LEN(steps); s++) {
		char buf[RANGES * RANGE];
		size_t got = 0;
		ssize_t n;
		SCOPE(tar_reader)
		struct tar_reader *r = open_archive(sparse_archives[_i], steps[s]);
		ck_assert_int_eq(tar_reader_next(r, &en, &e), 1);
		ck_assert_uint_eq(en.path_len, strlen("sparse"));
		ck_assert_mem_eq(en.path, "sparse", en.path_len);
		ck_assert_uint_eq(en.size, 1048577);
		ck_assert_uint_eq(en.data_size, sizeof(buf));
		ck_assert_uint_eq(en.data_offset, tar_reader_offset(r));
		ck_assert_uint_eq(en.extent_count, RANGES);
		for (size_t i = 0; i < RANGES; i++) {
			ck_assert_uint_eq(en.extents[i].file_offset, i * PERIOD + FIRST);
			ck_assert_uint_eq(en.extents[i].tar_offset, en.data_offset + i * RANGE);
			ck_assert_uint_eq(en.extents[i].length, RANGE);
		}
		while ((n = tar_reader_read(r, buf + got, sizeof(buf) - got, &e)) > 0)
			got += (size_t)n;
		ck_assert_uint_eq(got, sizeof(buf));
		for (size_t i = 0; i < sizeof(buf); i++)
			ck_assert_int_eq(buf[i], (int)('a' + i / RANGE));

		ck_assert_int_eq(tar_reader_next(r, &en, &e), 1);
		ck_assert_mem_eq(en.path, "hole", en.path_len);
		ck_assert_uint_eq(en.size, UINT64_C(1) << 40);
		ck_assert_uint_eq(en.data_size, 0);
		ck_assert_uint_eq(en.extent_count, 0);
		ck_assert_int_eq(tar_reader_next(r, &en, &e), 0);
	}
}
END_TEST

START_TEST(reads_a_global_header)
{
	struct entry en;
	SCOPE(tar_reader) struct tar_reader *r = open_archive("git.tar", 0);

	ck_assert_int_eq(tar_reader_next(r, &en, &e), 1);
	ck_assert_mem_eq(en.path, "file", en.path_len);
	check_content(r, &en, "hello\n");
	ck_assert_int_eq(tar_reader_next(r, &en, &e), 0);
}
END_TEST

/* A known fault of umoci before 0.4.8: its last file is not padded, and nothing follows it. */
START_TEST(refuses_an_archive_without_an_end)
{
	struct entry en;
	SCOPE(tar_reader) struct tar_reader *r = open_archive("umoci-insert.tar", 0);

	ck_assert_int_eq(tar_reader_next(r, &en, &e), 1);
	ck_assert_int_eq(tar_reader_next(r, &en, &e), 1);
	ck_assert_int_eq(tar_reader_next(r, &en, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "cut short");
}
END_TEST

/* Wherever an archive is cut, it is not whole. */
START_TEST(every_cut_is_found)
{
	struct tar_reader *r = open_archive(archives[_i].file, 0);
	const size_t len = bytes.len;

	tar_reader_free(r);
	/* Beyond the two blocks of zeros some have more of them. */
	size_t end = len;
	while (end > 0 && bytes.data[end - 1] == 0)
		end--;
	for (size_t cut = 0; cut < end; cut += cut < 4096 ? 1 : 61) {
		struct entry en;
		int rc;
		input = (struct make_input){.bytes = bytes.data, .len = cut};
		r = make_reader(&input, &e);
		while ((rc = tar_reader_next(r, &en, &e)) == 1)
			;
		ck_assert_int_eq(rc, -1);
		ck_assert_int_eq(e.code, ERR_FORMAT);
		err_clear(&e);
		ck_assert_int_eq(tar_reader_next(r, &en, &e), -1);
		ck_assert_err(&e, ERR_FORMAT, "damaged");
		tar_reader_free(r);
	}
}
END_TEST

static int read_all(void *arg, struct err *err)
{
	const char *name = arg;
	struct make_input in = {.bytes = bytes.data, .len = bytes.len};
	struct entry en;
	int rc;

	(void)name;
	SCOPE(tar_reader) struct tar_reader *r = make_reader(&in, err);
	if (!r)
		return -1;
	while ((rc = tar_reader_next(r, &en, err)) == 1)
		;
	return rc;
}

START_TEST(memory_runs_out)
{
	static const char *const names[] = {"gnu-pax.tar",        "bsd-pax.tar",
					    "gnu-gnu.tar",        "gnu-sparse-1.0.tar",
					    "gnu-sparse-0.0.tar", "gnu-sparse-old.tar"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		tar_reader_free(open_archive(names[i], 0));
		failalloc_each(read_all, NULL);
	}
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/tar_peers");
	TCase *tc = tcase_create("peers");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, reads_what_others_wrote, 0, ARRAY_LEN(archives));
	tcase_add_loop_test(tc, reads_every_kind_of_sparse_member, 0, ARRAY_LEN(sparse_archives));
	tcase_add_test(tc, reads_a_global_header);
	tcase_add_test(tc, refuses_an_archive_without_an_end);
	tcase_add_loop_test(tc, every_cut_is_found, 0, ARRAY_LEN(archives));
	tcase_add_test(tc, memory_runs_out);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
