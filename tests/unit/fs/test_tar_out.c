/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/tar_out.h"

#include <errno.h>

#include "base/str.h"
#include "fs/sample_image.h"
#include "image/tar_read.h"
#include "main.h"

enum { SPARSE_SIZE = 1 << 20, HOLE_START = 64 * 1024, HOLE_END = (1 << 20) - 100 };

static const struct sample_file files[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0751, .mtime = 77, .uid = 3},
	{.path = "a", .kind = ENTRY_DIR, .mode = 01777, .uid = 7, .gid = 8, .mtime = 1000000000},
	{.path = "a/dev", .kind = ENTRY_CHAR, .mode = 0640, .rdev_minor = 3, .uid = 5},
	{.path = "a/fifo", .kind = ENTRY_FIFO, .mode = 0622},
	{.path = "a/file",
	 .kind = ENTRY_REG,
	 .mode = 04755,
	 .uid = 4000000000,
	 .gid = 4321,
	 .mtime = -2,
	 .mtime_nsec = 987654321,
	 .text = "content of a/file",
	 .xattr = "value"},
	{.path = "a/link", .kind = ENTRY_SYMLINK, .mode = 0777, .link = "/etc/passwd", .uid = 9},
	{.path = "a/same", .kind = ENTRY_HARDLINK, .link = "a/file"},
	{.path = "a-b", .kind = ENTRY_REG, .mode = 0600},
	{.path = "sparse",
	 .kind = ENTRY_REG,
	 .mode = 0600,
	 .size = SPARSE_SIZE,
	 .zeros = HOLE_START,
	 .zeros_end = HOLE_END},
};

static struct view *v;

static void setup(void)
{
	sample_image_make(files, ARRAY_LEN(files));
	v = sample_view(VIEW_CACHE_MIN);
}

static void teardown(void)
{
	view_close(v);
	sample_image_remove();
}

static int put(void *to, const void *bytes, size_t len, struct err *e)
{
	return str_append(to, bytes, len, e);
}

struct reading {
	const struct str *archive;
	size_t at;
};

static ssize_t pull(void *ctx, void *buf, size_t len, struct err *e)
{
	struct reading *r = ctx;
	const size_t left = r->archive->len - r->at;
	const size_t n = len < left ? len : left;

	(void)e;
	memcpy(buf, r->archive->data + r->at, n);
	r->at += n;
	return (ssize_t)n;
}

static void check_member(const struct sample_file *want, const struct entry *got)
{
	const struct sample_file *meta = want;

	ck_assert_uint_eq(got->path_len, strlen(want->path));
	ck_assert_mem_eq(got->path, want->path, got->path_len);
	ck_assert_int_eq(got->kind, want->kind);
	if (want->kind == ENTRY_HARDLINK)
		meta = &files[4];
	ck_assert_uint_eq(got->mode, meta->mode);
	ck_assert_uint_eq(got->uid, meta->uid);
	ck_assert_uint_eq(got->gid, meta->gid);
	ck_assert_int_eq(got->mtime, meta->mtime);
	ck_assert_uint_eq(got->mtime_nsec, meta->mtime_nsec);
	ck_assert_uint_eq(got->rdev_minor, want->rdev_minor);
	ck_assert_uint_eq(got->size, want->text ? strlen(want->text) : want->size);
	ck_assert_uint_eq(got->link_len, want->link ? strlen(want->link) : 0);
	if (want->link)
		ck_assert_mem_eq(got->link, want->link, got->link_len);
	ck_assert_uint_eq(got->xattr_count, want->xattr ? 1 : 0);
	if (want->xattr) {
		ck_assert_uint_eq(got->xattrs[0].value_len, strlen(want->xattr));
		ck_assert_mem_eq(got->xattrs[0].value, want->xattr, strlen(want->xattr));
	}
}

START_TEST(all_members_in_order)
{
	SCOPE(str) struct str archive = STR_INIT;
	SCOPE(tar_archive) struct tar_archive to = TAR_ARCHIVE_INIT(put, &archive);
	struct err e = ERR_INIT;
	struct reading r = {&archive, 0};
	struct entry en;
	size_t count = 0;

	tar_out(v, &to, NULL, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(tar_archive_finish(&to, &e), 0);
	const struct tar_input in = {pull, &r, NULL};
	struct tar_reader *reader = tar_reader_new(&in, &e);
	ck_assert_no_err(&e);
	while (tar_reader_next(reader, &en, &e) > 0) {
		ck_assert_uint_lt(count, ARRAY_LEN(files));
		check_member(&files[count], &en);
		size_t wrong = 0;
		for (uint64_t i = 0; i < en.size; i++) {
			const uint8_t want = files[count].text ? (uint8_t)files[count].text[i]
							       : sample_byte(&files[count], i);
			wrong += (uint8_t)archive.data[en.data_offset + i] != want;
		}
		ck_assert_uint_eq(wrong, 0);
		count++;
	}
	ck_assert_no_err(&e);
	ck_assert_uint_eq(count, ARRAY_LEN(files));
	tar_reader_free(reader);
}
END_TEST

static int fail_late(void *to, const void *bytes, size_t len, struct err *e)
{
	uint64_t *room = to;

	(void)bytes;
	if (len > *room)
		return err_sys(e, ENOSPC, "cannot write");
	*room -= len;
	return 0;
}

START_TEST(failures_name_the_file)
{
	uint64_t room = 600 * 1024;
	SCOPE(tar_archive) struct tar_archive to = TAR_ARCHIVE_INIT(fail_late, &room);
	struct err e = ERR_INIT;

	ck_assert_int_eq(tar_out(v, &to, NULL, &e), -1);
	ck_assert_int_eq(e.sys, ENOSPC);
	ck_assert_err(&e, ERR_SYS, "'/sparse': cannot write");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/tar_out");
	TCase *tc = tcase_create("tar_out");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, all_members_in_order);
	tcase_add_test(tc, failures_name_the_file);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
