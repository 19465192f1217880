/* SPDX-License-Identifier: Apache-2.0 */
#include "base/host_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "main.h"
#include "tests/support/failalloc.h"
#include "tests/support/scratch.h"

static struct stat look(int dirfd, const char *name)
{
	struct stat st;

	/* An assertion that holds takes memory, too. */
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
		ck_abort_msg("no %s", name);
	return st;
}

static int enter(struct host_walk *w, const char *name, struct err *e)
{
	const int dirfd = w->depth ? w->fd : scratch_fd();
	const struct stat st = look(dirfd, name);

	return host_walk_enter(w, dirfd, name, &st, e);
}

/* Walks all below the scratch folder: the paths, each with a blank behind it. */
static int walk(struct str *out, struct err *e)
{
	SCOPE(host_walk) struct host_walk w = HOST_WALK_INIT;
	const char *name;

	if (host_walk_init(&w, e) < 0 || enter(&w, "", e) < 0)
		return -1;
	while (w.depth > 0) {
		const int more = host_walk_next(&w, &name, e);
		if (more < 0 || (more == 0 && host_walk_leave(&w, e) < 0))
			return -1;
		if (more == 0)
			continue;
		if (str_append_z(out, str_text(&w.path), e) < 0 || str_append_c(out, ' ', e) < 0)
			return -1;
		if (S_ISDIR(look(w.fd, name).st_mode) && enter(&w, name, e) < 0)
			return -1;
	}
	return 0;
}

static void make_tree(void)
{
	scratch_make();
	ck_assert_int_eq(mkdirat(scratch_fd(), "a", 0755), 0);
	ck_assert_int_eq(mkdirat(scratch_fd(), "a/b", 0755), 0);
	scratch_write("a/b/c", "");
	scratch_write("a/z", "");
	scratch_write("a-b", "");
	scratch_write("Z", "");
	ck_assert_int_eq(symlinkat("a", scratch_fd(), "link"), 0);
}

START_TEST(names_are_sorted_and_content_follows_its_directory)
{
	SCOPE(str) struct str got = STR_INIT;
	struct err e = ERR_INIT;

	walk(&got, &e);
	ck_assert_no_err(&e);
	ck_assert_str_eq(str_text(&got), "Z a a/b a/b/c a/z a-b link ");
}
END_TEST

START_TEST(names_can_be_skipped)
{
	SCOPE(host_walk) struct host_walk w = HOST_WALK_INIT;
	struct err e = ERR_INIT;
	const char *name;

	ck_assert_int_eq(host_walk_init(&w, &e), 0);
	ck_assert_int_eq(enter(&w, "", &e), 0);
	ck_assert_int_eq(host_walk_next(&w, &name, &e), 1);
	ck_assert_int_eq(host_walk_next(&w, &name, &e), 1);
	ck_assert_str_eq(name, "a");
	ck_assert_int_eq(enter(&w, "a", &e), 0);
	host_walk_skip(&w);
	ck_assert_int_eq(host_walk_next(&w, &name, &e), 0);
	ck_assert_int_eq(host_walk_leave(&w, &e), 0);
	ck_assert_int_eq(host_walk_next(&w, &name, &e), 1);
	ck_assert_str_eq(str_text(&w.path), "a-b");
	ck_assert_no_err(&e);
}
END_TEST

START_TEST(another_directory_is_not_entered)
{
	SCOPE(host_walk) struct host_walk w = HOST_WALK_INIT;
	struct err e = ERR_INIT;
	const struct stat st = look(scratch_fd(), "a");

	ck_assert_int_eq(host_walk_init(&w, &e), 0);
	ck_assert_int_eq(host_walk_enter(&w, scratch_fd(), "a/b", &st, &e), -1);
	ck_assert_err(&e, ERR_SYS, "changed");
	ck_assert_int_eq(host_walk_enter(&w, scratch_fd(), "link", &st, &e), -1);
	ck_assert_err(&e, ERR_SYS, "cannot open");
	ck_assert_uint_eq(w.depth, 0);
}
END_TEST

START_TEST(a_directory_that_was_moved_is_not_left)
{
	SCOPE(host_walk) struct host_walk w = HOST_WALK_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(host_walk_init(&w, &e), 0);
	ck_assert_int_eq(enter(&w, "a", &e), 0);
	ck_assert_int_eq(enter(&w, "b", &e), 0);
	ck_assert_int_eq(renameat(scratch_fd(), "a/b", scratch_fd(), "elsewhere"), 0);
	ck_assert_int_eq(host_walk_leave(&w, &e), -1);
	ck_assert_err(&e, ERR_SYS, "moved");
}
END_TEST

START_TEST(only_the_same_regular_file_is_opened)
{
	struct err e = ERR_INIT;
	struct stat now;
	const struct stat st = look(scratch_fd(), "Z");

	scratch_write("Z", "longer");
	SCOPE_FD int fd = host_walk_open_file(scratch_fd(), "Z", &st, &now, &e);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(now.st_size, 6);
	ck_assert_int_eq(host_walk_open_file(scratch_fd(), "a-b", &st, &now, &e), -1);
	ck_assert_err(&e, ERR_SYS, "changed");
	ck_assert_int_eq(host_walk_open_file(scratch_fd(), "link", &st, &now, &e), -1);
	ck_assert_err(&e, ERR_SYS, "cannot open");
	/* Would wait for ever. */
	ck_assert_int_eq(mkfifoat(scratch_fd(), "fifo", 0600), 0);
	ck_assert_int_eq(host_walk_open_file(scratch_fd(), "fifo", &st, &now, &e), -1);
	ck_assert_err(&e, ERR_SYS, "changed");
}
END_TEST

START_TEST(targets_of_links_are_whole)
{
	char target[LIMIT_SYMLINK + 1], longest[LIMIT_SYMLINK + 1];
	struct err e = ERR_INIT;
	size_t len;

	memset(longest, 't', LIMIT_SYMLINK);
	longest[LIMIT_SYMLINK] = '\0';
	ck_assert_int_eq(symlinkat(longest, scratch_fd(), "long"), 0);
	ck_assert_int_eq(host_walk_read_link(scratch_fd(), "long", target, &len, &e), 0);
	ck_assert_uint_eq(len, LIMIT_SYMLINK);
	ck_assert_str_eq(target, longest);
	ck_assert_int_eq(host_walk_read_link(scratch_fd(), "Z", target, &len, &e), -1);
	ck_assert_err(&e, ERR_SYS, "cannot read the link");
}
END_TEST

static int walk_without_memory(void *ctx, struct err *e)
{
	SCOPE(str) struct str got = STR_INIT;

	(void)ctx;
	return walk(&got, e);
}

START_TEST(runs_out_of_memory_cleanly)
{
	failalloc_each(walk_without_memory, NULL);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("base/host_walk");
	TCase *tc = tcase_create("walks");

	tcase_add_checked_fixture(tc, make_tree, scratch_remove);
	tcase_add_test(tc, names_are_sorted_and_content_follows_its_directory);
	tcase_add_test(tc, names_can_be_skipped);
	tcase_add_test(tc, another_directory_is_not_entered);
	tcase_add_test(tc, a_directory_that_was_moved_is_not_left);
	tcase_add_test(tc, only_the_same_regular_file_is_opened);
	tcase_add_test(tc, targets_of_links_are_whole);
	tcase_add_test(tc, runs_out_of_memory_cleanly);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
