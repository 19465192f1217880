/* SPDX-License-Identifier: Apache-2.0 */
#include "store/spool.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "store/folder.h"
#include "tests/unit/store/fixture.h"

/* The linker's names: folder_spill of the spool comes here, and may fail. */
int __real_folder_spill(const struct store *s, enum store_dir dir, enum folder_place place,
			struct err *e);
int __wrap_folder_spill(const struct store *s, enum store_dir dir, enum folder_place place,
			struct err *e);

static int fails_with[FOLDER_IN_MEMORY + 1]; /* errno, for each place; 0: it does not */
static unsigned asked[FOLDER_IN_MEMORY + 1];

int __wrap_folder_spill(const struct store *s, enum store_dir dir, enum folder_place place,
			struct err *e)
{
	asked[place]++;
	return fails_with[place] ? err_sys(e, fails_with[place], "cannot create")
				 : __real_folder_spill(s, dir, place, e);
}

/* Of a file without a name the kernel tells the folder, and a number. */
static void assert_is_in(int fd, const char *folder)
{
	char link[64], path[PATH_MAX] = "";
	struct stat st;

	ck_assert_int_ge(fd, 0);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ck_assert_int_gt(readlink(link, path, sizeof(path) - 1), 0);
	ck_assert_msg(str_has_prefix(path, folder), "%s is not in %s", path, folder);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_nlink, 0);
}

static const char *tmpdir(void)
{
	return getenv("TMPDIR");
}

static void setup(void)
{
	struct err e = ERR_INIT;

	fixture_make();
	SCOPE_FREE char *path = str_dup(scratch_file("elsewhere"), &e);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(setenv("TMPDIR", path, 1), 0);
}

struct piece {
	int fd;
	uint64_t offset;
};

static struct spool *new_spool(const struct store *store)
{
	struct err e = ERR_INIT;
	struct spool *s = spool_new(store, &e);

	ck_assert_no_err(&e);
	return s;
}

static struct piece begin(struct spool *s)
{
	struct err e = ERR_INIT;
	struct piece p;

	ck_assert_int_eq(spool_begin(s, &p.fd, &p.offset, &e), 0);
	ck_assert_no_err(&e);
	return p;
}

static struct piece put(struct spool *s, const char *text)
{
	const struct piece p = begin(s);

	ck_assert_int_eq(io_write_all(p.fd, text, strlen(text)), 0);
	return p;
}

static uint64_t size_of(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return (uint64_t)st.st_size;
}

/* Writing failed so. */
static int try_next(struct spool *s, int sys, const char *word)
{
	struct err e = ERR_INIT;

	err_sys(&e, sys, "cannot write");
	const int r = spool_try_next(s, &e);
	if (r == 0)
		ck_assert_no_err(&e);
	else
		ck_assert_err(&e, ERR_SYS, word);
	return r;
}

START_TEST(pieces_follow_each_other)
{
	SCOPE(spool) struct spool *s = new_spool(fixture_store());

	ck_assert_uint_eq(asked[FOLDER_IN_STORE], 0);
	const struct piece a = put(s, "one");
	const struct piece b = put(s, "and two");
	const struct piece c = begin(s);
	assert_is_in(a.fd, fixture_file("blobs/"));
	ck_assert_int_eq(b.fd, a.fd);
	ck_assert_int_eq(c.fd, a.fd);
	ck_assert_uint_eq(a.offset, 0);
	ck_assert_uint_eq(b.offset, 3);
	ck_assert_uint_eq(c.offset, 10);
	ck_assert_uint_eq(asked[FOLDER_IN_STORE], 1);
}
END_TEST

static const int full[] = {ENOSPC, EDQUOT};

/* What is whole stays where it is, what is not gives its room back; then there is no third place.
 */
START_TEST(a_full_store_is_left_for_tmpdir)
{
	SCOPE(spool) struct spool *s = new_spool(fixture_store());

	const struct piece a = put(s, "one");
	put(s, "half of two");
	ck_assert_int_eq(try_next(s, full[_i], NULL), 0);
	ck_assert_uint_eq(size_of(a.fd), 3);
	const struct piece b = put(s, "two");
	assert_is_in(b.fd, tmpdir());
	ck_assert_uint_eq(b.offset, 0);
	const struct piece c = put(s, "half of three");
	ck_assert_int_eq(c.fd, b.fd);
	ck_assert_uint_eq(c.offset, 3);
	ck_assert_int_eq(try_next(s, full[_i], "in the store or in TMPDIR: cannot write"), -1);
	ck_assert_uint_eq(asked[FOLDER_IN_TMPDIR], 1);
	ck_assert_uint_eq(asked[FOLDER_IN_MEMORY], 0);
}
END_TEST

/* It may have no room even for a file: TMPDIR is then tried once, too. */
START_TEST(a_store_without_room_for_a_file_is_left_once)
{
	SCOPE(spool) struct spool *s = new_spool(fixture_store());
	struct err e = ERR_INIT;
	struct piece p = {-1, 7};

	fails_with[FOLDER_IN_STORE] = full[_i];
	ck_assert_int_eq(spool_begin(s, &p.fd, &p.offset, &e), -1);
	ck_assert_int_eq(spool_try_next(s, &e), 0);
	ck_assert_no_err(&e);
	p = put(s, "half of one");
	assert_is_in(p.fd, tmpdir());
	ck_assert_int_eq(try_next(s, full[_i], "in the store or in TMPDIR"), -1);
	ck_assert_uint_eq(asked[FOLDER_IN_STORE], 1);
	ck_assert_uint_eq(asked[FOLDER_IN_TMPDIR], 1);
}
END_TEST

START_TEST(other_failures_lead_nowhere)
{
	SCOPE(spool) struct spool *s = new_spool(fixture_store());

	const struct piece a = put(s, "one");
	ck_assert_int_eq(try_next(s, EIO, "cannot write"), -1);
	ck_assert_uint_eq(size_of(a.fd), 3);
	ck_assert_int_eq(begin(s).fd, a.fd);
	ck_assert_uint_eq(asked[FOLDER_IN_TMPDIR], 0);
}
END_TEST

/* That TMPDIR is not there is half of the story. */
START_TEST(an_error_of_tmpdir_says_why_it_was_asked)
{
	SCOPE(spool) struct spool *s = new_spool(fixture_store());
	struct err e = ERR_INIT;
	struct piece p;

	put(s, "half of one");
	fails_with[FOLDER_IN_TMPDIR] = ENOENT;
	ck_assert_int_eq(try_next(s, ENOSPC, NULL), 0);
	ck_assert_int_eq(spool_begin(s, &p.fd, &p.offset, &e), -1);
	ck_assert_int_eq(e.sys, ENOENT);
	ck_assert_err(&e, ERR_SYS, "no room in the store: cannot create");
}
END_TEST

/* Nothing is tried there, and nothing is said of its room. */
START_TEST(a_store_that_cannot_be_written_is_not_asked)
{
	SCOPE(store) struct store *store = NULL;
	struct err e = ERR_INIT;

	/* Not all of its folders are there: as if another tool had made it. */
	ck_assert_int_eq(rmdir(fixture_file("shale/leases")), 0);
	ck_assert_int_eq(store_open(scratch_file("store"), 0, &store, &e), 0);
	ck_assert(!store_is_writable(store));
	SCOPE(spool) struct spool *s = new_spool(store);
	fails_with[FOLDER_IN_TMPDIR] = ENOENT;
	struct piece p;
	ck_assert_int_eq(spool_begin(s, &p.fd, &p.offset, &e), -1);
	ck_assert_ptr_null(strstr(e.msg, "room"));
	err_clear(&e);
	fails_with[FOLDER_IN_TMPDIR] = 0;
	assert_is_in(put(s, "one").fd, tmpdir());
	ck_assert_uint_eq(asked[FOLDER_IN_STORE], 0);
	ck_assert_int_eq(try_next(s, ENOSPC, "in the store or in TMPDIR"), -1);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("store/spool");
	TCase *tc = tcase_create("spool");

	tcase_add_checked_fixture(tc, setup, fixture_remove);
	tcase_add_test(tc, pieces_follow_each_other);
	tcase_add_loop_test(tc, a_full_store_is_left_for_tmpdir, 0, ARRAY_LEN(full));
	tcase_add_loop_test(tc, a_store_without_room_for_a_file_is_left_once, 0, ARRAY_LEN(full));
	tcase_add_test(tc, other_failures_lead_nowhere);
	tcase_add_test(tc, an_error_of_tmpdir_says_why_it_was_asked);
	tcase_add_test(tc, a_store_that_cannot_be_written_is_not_asked);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
