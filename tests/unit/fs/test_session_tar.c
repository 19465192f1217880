/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/session_tar.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/array.h"
#include "base/str.h"
#include "fs/edits.h"
#include "image/tar_read.h"
#include "main.h"
#include "tests/support/failalloc.h"

enum { BIG = 600000 };

/* clang-format off */
static const struct sample_file base[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0755, .mtime = 50},
	{.path = "a", .kind = ENTRY_DIR, .mode = 0755, .mtime = 51, .xattr = "of a directory"},
	{.path = "a/a", .kind = ENTRY_REG, .mode = 0644, .text = "one", .mtime = 52},
	{.path = "a/b", .kind = ENTRY_REG, .mode = 04755, .text = "two", .xattr = "kept"},
	{.path = "a/c", .kind = ENTRY_HARDLINK, .link = "a/b"},
	{.path = "big", .kind = ENTRY_REG, .mode = 0600, .size = BIG, .mtime = 54},
	{.path = "d", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "d/a", .kind = ENTRY_REG, .mode = 0644, .text = "stays"},
	{.path = "e", .kind = ENTRY_CHAR, .mode = 0666, .rdev_minor = 3},
};
/* clang-format on */

static struct edits_session session;

static void setup(void)
{
	sample_image_make(base, ARRAY_LEN(base));
	edits_open(&session, &sample_image, "session");
}

static void teardown(void)
{
	edits_close(&session);
	sample_image_remove();
}

static int put(void *to, const void *bytes, size_t len, struct err *e)
{
	return str_append(to, bytes, len, e);
}

static int write_tar(struct str *out, struct session_tar_result *result, struct err *e)
{
	SCOPE(tar_archive) struct tar_archive to = TAR_ARCHIVE_INIT(put, out);

	str_truncate(out, 0);
	return session_tar_write(session.session, &to, NULL, result, e) < 0
		       ? -1
		       : tar_archive_finish(&to, e);
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

/* A line for each member: path, kind, mode, size, target, and how many xattrs. */
static char *list(const struct str *archive)
{
	struct reading r = {archive, 0};
	const struct tar_input in = {pull, &r, NULL};
	struct str out = STR_INIT;
	struct err e = ERR_INIT;
	SCOPE(tar_reader) struct tar_reader *reader = tar_reader_new(&in, &e);
	struct entry en;

	ck_assert_no_err(&e);
	while (tar_reader_next(reader, &en, &e) > 0)
		str_appendf(&out, &e, "%.*s %d %o %d %.*s %zu\n", (int)en.path_len, en.path,
			    (int)en.kind, en.mode, (int)en.size, (int)en.link_len,
			    en.link ? en.link : "", en.xattr_count);
	ck_assert_no_err(&e);
	return out.data;
}

static const char *const edits[] = {
	"write a/new text",      "patch a/b 0 x", "rm d/a",      "mkdir n 700",
	"symlink n/link target", "char n/null 3", "sock n/sock", "mv big n/big",
};

START_TEST(holds_what_differs)
{
	SCOPE(str) struct str tar = STR_INIT;
	struct session_tar_result result;
	struct err e = ERR_INIT;

	edits_do(session.session, edits, ARRAY_LEN(edits));
	ck_assert_int_eq(write_tar(&tar, &result, &e), 0);
	SCOPE_FREE char *got = list(&tar);
	ck_assert_str_eq(got, " 1 755 0  0\n"
			      "a 1 755 0  1\n"
			      "a/b 0 4755 3  1\n"
			      "a/c 3 4755 0 a/b 0\n"
			      "a/new 0 644 4  0\n"
			      "d 1 755 0  0\n"
			      "n 1 700 0  0\n"
			      "n/big 0 600 600000  0\n"
			      "n/link 2 777 0 target 0\n"
			      "n/null 4 600 0  0\n");
	ck_assert_uint_eq(result.members, 10);
	ck_assert_uint_eq(result.left_out, 0);
	ck_assert_uint_eq(result.sockets, 1);
}
END_TEST

START_TEST(is_empty_without_changes)
{
	SCOPE(str) struct str tar = STR_INIT;
	struct session_tar_result result;
	struct err e = ERR_INIT;

	ck_assert_int_eq(write_tar(&tar, &result, &e), 0);
	ck_assert_uint_eq(result.members, 0);
}
END_TEST

/* The session is closed meanwhile: it keeps its files open. */
static void lose_data(void)
{
	struct err e = ERR_INIT;
	int removed = 0;

	session_close(session.session);
	DIR *dir = fdopendir(openat(session.dirfd, "data", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	ck_assert_ptr_nonnull(dir);
	for (const struct dirent *de; (de = readdir(dir));)
		removed += unlinkat(session.datafd, de->d_name, 0) == 0;
	closedir(dir);
	ck_assert_int_eq(removed, 1);
	session_open(session.base, session.dirfd, session.datafd, 0, &session.session, &e);
	ck_assert_no_err(&e);
}

START_TEST(leaves_out_what_cannot_be_read)
{
	static const char *const more[] = {"patch big 8192 text", "ln big big2", "write z text"};
	SCOPE(str) struct str tar = STR_INIT;
	struct session_tar_result result;
	struct err e = ERR_INIT;

	edits_do(session.session, more, ARRAY_LEN(more));
	lose_data();
	ck_assert_int_eq(write_tar(&tar, &result, &e), 0);
	SCOPE_FREE char *got = list(&tar);
	ck_assert_str_eq(got, " 1 755 0  0\nz 0 644 4  0\n");
	ck_assert_uint_eq(result.members, 2);
	ck_assert_uint_eq(result.left_out, 2);
}
END_TEST

/* The session over an image of which nothing is known. */
static void lose_image(void)
{
	static struct image none;
	const struct layers_options opt = {.workers = 0};
	struct err e = ERR_INIT;

	session_close(session.session);
	view_close(session.base);
	none = sample_image;
	none.manifest.layer_count = none.config.diff_id_count = 0;
	session.base =
		view_open(sample_store, &none, CATALOGS_FRESH, VIEW_CACHE_MIN, "a test", &opt, &e);
	ck_assert_no_err(&e);
	session_open(session.base, session.dirfd, session.datafd, SESSION_NO_BASE, &session.session,
		     &e);
	ck_assert_no_err(&e);
}

static int salvage(struct str *out, struct session_tar_result *result, struct err *e)
{
	SCOPE(tar_archive) struct tar_archive to = TAR_ARCHIVE_INIT(put, out);

	str_truncate(out, 0);
	return session_tar_salvage(session.session, &to, NULL, result, e) < 0
		       ? -1
		       : tar_archive_finish(&to, e);
}

/* Inodes of the image, by their places in the catalog: "/" is 1, "a" 2. */
START_TEST(salvages_what_needs_no_image)
{
	static const char *const more[] = {
		"write a/a new", /* has no name but the image's */
		"ln n/link n/second",
		"write top text",
	};
	SCOPE(str) struct str tar = STR_INIT;
	struct session_tar_result result;
	struct err e = ERR_INIT;
	char want[512];
	struct stat a, one;
	uint64_t ino = 0;

	edits_do(session.session, edits, ARRAY_LEN(edits));
	edits_do(session.session, more, ARRAY_LEN(more));
	ck_assert_int_eq(session_lookup(session.session, SESSION_ROOT, "a", &ino, &e), 1);
	ck_assert_int_eq(session_stat(session.session, ino, &a, &e), 0);
	ck_assert_int_eq(session_lookup(session.session, ino, "a", &ino, &e), 1);
	ck_assert_int_eq(session_stat(session.session, ino, &one, &e), 0);
	lose_image();
	ck_assert_int_eq(salvage(&tar, &result, &e), 0);
	SCOPE_FREE char *got = list(&tar);
	snprintf(want, sizeof(want), "inode-%u/new 0 644 4  0\n", (unsigned)a.st_ino);
	ck_assert_ptr_nonnull(strstr(got, want));
	snprintf(want, sizeof(want), "\ninode-%u 0 644 3  0\n", (unsigned)one.st_ino);
	ck_assert_ptr_nonnull(strstr(got, want));
	ck_assert_ptr_nonnull(strstr(got, "inode-1/n 1 700 0  0\n"
					  "inode-1/n/link 2 777 0 target 0\n"
					  "inode-1/n/null 4 600 0  0\n"
					  "inode-1/n/second 3 777 0 inode-1/n/link 0\n"
					  "inode-1/top 0 644 4  0\n"));
	ck_assert_ptr_null(strstr(got, "big"));
	ck_assert_uint_eq(result.left_out, 1); /* n/big */
	ck_assert_uint_eq(result.sockets, 1);
}
END_TEST

static int salvage_once(void *arg, struct err *e)
{
	SCOPE(str) struct str tar = STR_INIT;
	struct session_tar_result result;

	(void)arg;
	return salvage(&tar, &result, e);
}

START_TEST(salvage_survives_a_lack_of_memory)
{
	static const char *const more[] = {"ln n/link n/second", "write top text"};

	edits_do(session.session, edits, ARRAY_LEN(edits));
	edits_do(session.session, more, ARRAY_LEN(more));
	lose_image();
	failalloc_each(salvage_once, NULL);
}
END_TEST

static int write_once(void *arg, struct err *e)
{
	SCOPE(str) struct str tar = STR_INIT;
	struct session_tar_result result;

	(void)arg;
	return write_tar(&tar, &result, e);
}

/* A lack of memory is no file that cannot be read. */
START_TEST(survives_a_lack_of_memory)
{
	edits_do(session.session, edits, ARRAY_LEN(edits));
	failalloc_each(write_once, NULL);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/session_tar");
	TCase *tc = tcase_create("session_tar");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, holds_what_differs);
	tcase_add_test(tc, is_empty_without_changes);
	tcase_add_test(tc, leaves_out_what_cannot_be_read);
	tcase_add_test(tc, survives_a_lack_of_memory);
	tcase_add_test(tc, salvages_what_needs_no_image);
	tcase_add_test(tc, salvage_survives_a_lack_of_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
