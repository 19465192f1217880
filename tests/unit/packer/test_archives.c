/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/archives.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "image/tar_make.h"
#include "main.h"
#include "packer/stages.h"
#include "tests/support/failalloc.h"

static struct stage *stage;

static void setup(void)
{
	stages_setup();
	stage = stages_new(NULL);
}

/* The scratch folder's file `name`: a tar with one file of this name. */
static void write_tar(const char *name)
{
	const struct make member = {.name = name};
	SCOPE(str) struct str tar = STR_INIT;

	make_member(&tar, &member);
	make_zeros(&tar, 2 * MAKE_BLOCK);
	SCOPE_FD int fd =
		openat(scratch_fd(), name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, tar.data, tar.len), 0);
}

/* Of what fstat() says, `change` may make something else. */
static struct archive *open_changed(struct archives *kept, const char *name,
				    void (*change)(struct stat *st), struct err *e)
{
	SCOPE_FD int fd = openat(scratch_fd(), name, O_RDONLY | O_CLOEXEC);
	struct stat st;

	/* No ck_assert, which allocates: for failalloc. */
	if (fd < 0 || fstat(fd, &st) < 0)
		abort();
	if (change)
		change(&st);
	const struct archive_file file = {fd, &st, name};
	return archives_open(kept, stage, &file, e);
}

static struct archive *open_tar(struct archives *kept, const char *name)
{
	struct err e = ERR_INIT;
	struct archive *a = open_changed(kept, name, NULL, &e);

	ck_assert_no_err(&e);
	return a;
}

static void check_holds(const struct archive *a, const char *name)
{
	merge_node node;

	ck_assert(merge_lookup(a->merge, MERGE_ROOT, name, strlen(name), &node));
}

START_TEST(a_kept_one_is_opened_once)
{
	struct err e = ERR_INIT;
	SCOPE(archives) struct archives *kept = archives_new(&e);

	write_tar("a");
	write_tar("b");
	SCOPE(archive) struct archive *a = open_tar(kept, "a");
	SCOPE(archive) struct archive *b = open_tar(kept, "b");
	SCOPE(archive) struct archive *again = open_tar(kept, "a");
	ck_assert_ptr_eq(a, again);
	ck_assert_ptr_ne(a, b);
	check_holds(a, "a");
	check_holds(b, "b");
}
END_TEST

/* Also when nobody else looks at it in between, and when it is the keeper that goes first. */
START_TEST(it_stays_until_nobody_holds_it)
{
	struct err e = ERR_INIT;
	struct archives *kept = archives_new(&e);

	write_tar("a");
	const struct archive *first = open_tar(kept, "a");
	archive_close(open_tar(kept, "a"));
	check_holds(first, "a");
	SCOPE(archive) struct archive *last = open_tar(kept, "a");
	ck_assert_ptr_eq(last, first);
	archive_close(last);
	archives_free(kept);
	check_holds(last, "a");
}
END_TEST

START_TEST(without_a_keeper_each_is_new)
{
	write_tar("a");
	SCOPE(archive) struct archive *a = open_tar(NULL, "a");
	SCOPE(archive) struct archive *again = open_tar(NULL, "a");
	ck_assert_ptr_ne(a, again);
	check_holds(again, "a");
}
END_TEST

static void other_device(struct stat *st)
{
	st->st_dev++;
}

static void other_inode(struct stat *st)
{
	st->st_ino++;
}

static void other_mtime(struct stat *st)
{
	st->st_mtim.tv_nsec ^= 1;
}

static void other_mtime_second(struct stat *st)
{
	st->st_mtim.tv_sec++;
}

static void other_ctime(struct stat *st)
{
	st->st_ctim.tv_nsec ^= 1;
}

/* It is one that was cut: the blocks of the end are left out. */
static void other_size(struct stat *st)
{
	st->st_size -= MAKE_BLOCK;
}

static void (*const changes[])(struct stat *st) = {other_device,       other_inode, other_mtime,
						   other_mtime_second, other_ctime, other_size};

START_TEST(a_file_that_changed_is_another)
{
	struct err e = ERR_INIT;
	SCOPE(archives) struct archives *kept = archives_new(&e);

	write_tar("a");
	SCOPE(archive) struct archive *a = open_tar(kept, "a");
	SCOPE(archive) struct archive *changed = open_changed(kept, "a", changes[_i], &e);
	ck_assert_ptr_ne(changed, a);
	/* The first is kept all the same. */
	SCOPE(archive) struct archive *again = open_tar(kept, "a");
	ck_assert_ptr_eq(again, a);
	err_clear(&e);
}
END_TEST

START_TEST(only_so_many_are_kept)
{
	struct err e = ERR_INIT;
	SCOPE(archives) struct archives *kept = archives_new(&e);
	char name[16];

	for (int i = 0; i <= ARCHIVES_KEPT; i++) {
		snprintf(name, sizeof(name), "a%d", i);
		write_tar(name);
		archive_close(open_tar(kept, name));
	}
	SCOPE(archive) struct archive *last = open_tar(kept, name);
	SCOPE(archive) struct archive *again = open_tar(kept, name);
	ck_assert_ptr_ne(last, again);
	check_holds(last, name);
	SCOPE(archive) struct archive *first = open_tar(kept, "a0");
	SCOPE(archive) struct archive *same = open_tar(kept, "a0");
	ck_assert_ptr_eq(first, same);
}
END_TEST

START_TEST(what_fails_is_not_kept)
{
	struct err e = ERR_INIT;
	SCOPE(archives) struct archives *kept = archives_new(&e);

	scratch_write("broken", "no tar");
	for (int i = 0; i < 2; i++) {
		ck_assert_ptr_null(open_changed(kept, "broken", NULL, &e));
		ck_assert_err(&e, ERR_FORMAT, "tar");
	}
}
END_TEST

static int open_twice(void *arg, struct err *e)
{
	SCOPE(archives) struct archives *kept = archives_new(e);

	(void)arg;
	SCOPE(archive) struct archive *a = kept ? open_changed(kept, "a", NULL, e) : NULL;
	SCOPE(archive) struct archive *again = a ? open_changed(kept, "a", NULL, e) : NULL;
	return again ? 0 : -1;
}

START_TEST(survives_lack_of_memory)
{
	write_tar("a");
	failalloc_each(open_twice, NULL);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/archives");
	TCase *tc = tcase_create("archives");

	tcase_add_checked_fixture(tc, setup, stages_teardown);
	tcase_add_test(tc, a_kept_one_is_opened_once);
	tcase_add_test(tc, it_stays_until_nobody_holds_it);
	tcase_add_test(tc, without_a_keeper_each_is_new);
	tcase_add_loop_test(tc, a_file_that_changed_is_another, 0, ARRAY_LEN(changes));
	tcase_add_test(tc, only_so_many_are_kept);
	tcase_add_test(tc, what_fails_is_not_kept);
	tcase_add_test(tc, survives_lack_of_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
