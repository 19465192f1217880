/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of an edit session: made, moved, removed, listed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/array.h"
#include "fs/sample_session.h"
#include "fs/session_private.h"
#include "main.h"

static const struct sample_file files[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "a", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "a/deep", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "a/deep/er", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "a/deep/er/f", .kind = ENTRY_REG, .mode = 0644, .text = "deep\n"},
	{.path = "a/x", .kind = ENTRY_REG, .mode = 0644, .text = "x\n"},
	{.path = "a/y", .kind = ENTRY_REG, .mode = 0644, .text = "y\n"},
	{.path = "b", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "f", .kind = ENTRY_REG, .mode = 0644, .text = "f\n"},
	{.path = "hard", .kind = ENTRY_HARDLINK, .link = "f"},
	{.path = "link", .kind = ENTRY_SYMLINK, .link = "a/x", .mode = 0777},
	{.path = "setgid", .kind = ENTRY_DIR, .mode = 02775, .gid = 77},
};

static void setup(void)
{
	sample_session_make(files, ARRAY_LEN(files));
}

static unsigned name_rows(uint64_t dir)
{
	struct session_name row = {.len = 0};
	struct err e = ERR_INIT;
	unsigned count = 0;

	while (session_db_name_above(sample_session->db, dir, row.name, row.len, &row, &e) == 1)
		count++;
	ck_assert_no_err(&e);
	return count;
}

/* Names of a directory with a blank after each, in the order of readdir, without "." and "..". */
static const char *list(uint64_t dir)
{
	static char out[8192];
	struct session_dirent de;
	struct err e = ERR_INIT;
	size_t used = 0;
	uint64_t at = 0;

	out[0] = '\0';
	while (session_readdir(sample_session, dir, at, &de, &e) == 1) {
		ck_assert_uint_gt(de.next, at);
		at = de.next;
		if (strcmp(de.name, ".") != 0 && strcmp(de.name, "..") != 0)
			used += (size_t)snprintf(out + used, sizeof(out) - used, "%s ", de.name);
		ck_assert_uint_lt(used, sizeof(out));
		ck_assert_uint_eq(de.type, sample_stat(de.ino).st_mode & S_IFMT);
	}
	ck_assert_no_err(&e);
	return out;
}

static unsigned links(const char *path)
{
	return (unsigned)sample_stat(sample_ino(path)).st_nlink;
}

START_TEST(the_base_is_there)
{
	char target[LIMIT_SYMLINK + 1];
	struct err e = ERR_INIT;

	ck_assert_str_eq(list(SESSION_ROOT), "a b f hard link setgid ");
	ck_assert_uint_eq(sample_ino("hard"), sample_ino("f"));
	ck_assert_uint_eq(links("f"), 2);
	ck_assert_uint_eq(sample_stat(SESSION_ROOT).st_nlink, 5);
	ck_assert_uint_eq(sample_ino("a/.."), SESSION_ROOT);
	ck_assert_uint_eq(sample_ino(".."), SESSION_ROOT);
	ck_assert_uint_eq(sample_ino("a/deep/."), sample_ino("a/deep"));
	sample_check_text("a/deep/er/f", "deep\n");
	ck_assert_int_eq(session_readlink(sample_session, sample_ino("link"), target, &e), 0);
	ck_assert_str_eq(target, "a/x");
	ck_assert(!sample_is_there("a/nothing"));
}
END_TEST

START_TEST(new_inodes_are_what_was_asked)
{
	static const uint32_t kinds[] = {S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFSOCK, S_IFCHR};
	char target[LIMIT_SYMLINK + 1];
	struct err e = ERR_INIT;
	char name[8];

	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
		snprintf(name, sizeof(name), "n%u", i);
		const uint64_t ino = sample_add(name, kinds[i] | 0640);
		const struct stat st = sample_stat(ino);
		ck_assert_uint_eq(st.st_ino, ino);
		ck_assert_uint_gt(ino, ARRAY_LEN(files) - 1);
		ck_assert_uint_eq(st.st_mode, kinds[i] | 0640);
		ck_assert_uint_eq(st.st_uid, 1000);
		ck_assert_uint_eq(st.st_gid, 1000);
		ck_assert_uint_eq(st.st_nlink, S_ISDIR(st.st_mode) ? 2 : 1);
		ck_assert_int_eq(st.st_size, S_ISLNK(st.st_mode) ? 6 : 0);
	}
	ck_assert_int_eq(session_readlink(sample_session, sample_ino("n2"), target, &e), 0);
	ck_assert_str_eq(target, "target");
	session_readlink(sample_session, sample_ino("n0"), target, &e);
	ck_assert_int_eq(sample_errno(-1, &e), EINVAL);
	ck_assert_uint_eq(sample_stat(SESSION_ROOT).st_nlink, 6);
	/* A directory with setgid hands its group down. */
	ck_assert_uint_eq(sample_stat(sample_add("setgid/f", S_IFREG | 0644)).st_gid, 77);
	const struct stat dir = sample_stat(sample_add("setgid/d", S_IFDIR | 0755));
	ck_assert_uint_eq(dir.st_mode, S_IFDIR | 02755);
	ck_assert_uint_eq(dir.st_gid, 77);
	sample_session_reopen(0);
	ck_assert_str_eq(list(SESSION_ROOT), "a b f hard link setgid n0 n1 n2 n3 n4 n5 ");
}
END_TEST

static int create(uint64_t dir, const char *name)
{
	const struct session_new what = {.name = name, .mode = S_IFREG | 0644};
	struct err e = ERR_INIT;
	uint64_t ino;

	return sample_errno(session_create(sample_session, &sample_caller, dir, &what, &ino, &e),
			    &e);
}

START_TEST(names_that_cannot_be_are_refused)
{
	char name[LIMIT_NAME + 2];
	struct err e = ERR_INIT;
	char target[LIMIT_SYMLINK + 2];
	uint64_t ino;

	memset(name, 'n', sizeof(name));
	name[LIMIT_NAME + 1] = '\0';
	ck_assert_int_eq(create(SESSION_ROOT, name), ENAMETOOLONG);
	ck_assert_int_eq(
		sample_errno(session_lookup(sample_session, SESSION_ROOT, name, &ino, &e), &e),
		ENAMETOOLONG);
	name[LIMIT_NAME] = '\0';
	ck_assert_int_eq(create(SESSION_ROOT, name), 0);
	ck_assert(sample_is_there(name));
	ck_assert_int_eq(create(SESSION_ROOT, ".wh.f"), EPERM);
	ck_assert_int_eq(create(SESSION_ROOT, ".wh."), EPERM);
	ck_assert_int_eq(create(SESSION_ROOT, ".wh"), 0);
	ck_assert_int_eq(create(SESSION_ROOT, "f"), EEXIST);
	ck_assert_int_eq(create(sample_ino("f"), "g"), ENOTDIR);
	memset(target, 't', sizeof(target));
	target[LIMIT_SYMLINK + 1] = '\0';
	const struct session_new link = {.name = "long", .mode = S_IFLNK | 0777, .target = target};
	ck_assert_int_eq(sample_errno(session_create(sample_session, &sample_caller, SESSION_ROOT,
						     &link, &ino, &e),
				      &e),
			 ENAMETOOLONG);
	target[LIMIT_SYMLINK] = '\0';
	ck_assert_int_eq(
		session_create(sample_session, &sample_caller, SESSION_ROOT, &link, &ino, &e), 0);
	char seen[LIMIT_SYMLINK + 1];
	ck_assert_int_eq(session_readlink(sample_session, ino, seen, &e), 0);
	ck_assert_str_eq(seen, target);
}
END_TEST

static int unlink_at(const char *dir, const char *name)
{
	struct err e = ERR_INIT;

	return sample_errno(
		session_unlink(sample_session, &sample_caller, sample_ino(dir), name, &e), &e);
}

static int rmdir_at(const char *dir, const char *name)
{
	struct err e = ERR_INIT;

	return sample_errno(
		session_rmdir(sample_session, &sample_caller, sample_ino(dir), name, &e), &e);
}

START_TEST(what_is_removed_is_gone)
{
	ck_assert_int_eq(unlink_at(".", "nothing"), ENOENT);
	ck_assert_int_eq(unlink_at(".", "a"), EISDIR);
	ck_assert_int_eq(rmdir_at(".", "f"), ENOTDIR);
	ck_assert_int_eq(rmdir_at(".", "a"), ENOTEMPTY);
	ck_assert_int_eq(rmdir_at("a", "deep"), ENOTEMPTY);
	sample_unlink("f");
	ck_assert(!sample_is_there("f"));
	ck_assert_uint_eq(links("hard"), 1);
	sample_check_text("hard", "f\n");
	sample_unlink("a/deep/er/f");
	sample_rmdir("a/deep/er");
	ck_assert_uint_eq(links("a/deep"), 2);
	/* One of the base that lost all names, and got one again. */
	sample_put("a/deep/new", "new\n");
	ck_assert_int_eq(rmdir_at("a", "deep"), ENOTEMPTY);
	sample_unlink("a/deep/new");
	sample_rmdir("a/deep");
	ck_assert_uint_eq(links("a"), 2);
	ck_assert_str_eq(list(sample_ino("a")), "x y ");
	sample_session_reopen(0);
	ck_assert_str_eq(list(SESSION_ROOT), "a b hard link setgid ");
	/* In its place there may be another, which is empty. */
	sample_add("a/deep", S_IFDIR | 0755);
	ck_assert_str_eq(list(sample_ino("a/deep")), "");
}
END_TEST

static int link_to(uint64_t ino, const char *dir, const char *name)
{
	struct err e = ERR_INIT;

	return sample_errno(
		session_link(sample_session, &sample_caller, ino, sample_ino(dir), name, &e), &e);
}

START_TEST(links_are_counted)
{
	const uint64_t ino = sample_ino("a/x");

	ck_assert_int_eq(link_to(ino, "b", "x2"), 0);
	ck_assert_uint_eq(links("a/x"), 2);
	ck_assert_int_eq(link_to(ino, "b", "x2"), EEXIST);
	ck_assert_int_eq(link_to(sample_ino("a"), "b", "dir"), EPERM);
	ck_assert_int_eq(link_to(ino, "b", ".wh.x"), EPERM);
	sample_unlink("a/x");
	sample_write(sample_ino("b/x2"), 0, "X", 1);
	sample_check_text("b/x2", "X\n");
	ck_assert_uint_eq(links("b/x2"), 1);
	/* One that is open, and has no name any more. */
	struct err e = ERR_INIT;
	session_remember(sample_session, ino, &e);
	sample_unlink("b/x2");
	ck_assert_int_eq(link_to(ino, "b", "x3"), ENOENT);
	ck_assert_uint_eq(sample_stat(ino).st_nlink, 0);
}
END_TEST

/* Nothing is made in a directory that was removed while it is open. */
START_TEST(a_removed_directory_stays_empty)
{
	const uint64_t dir = sample_ino("b");
	struct err e = ERR_INIT;
	struct session_move m = {SESSION_ROOT, "f", dir, "f", 0};

	session_remember(sample_session, dir, &e);
	sample_rmdir("b");
	ck_assert_int_eq(create(dir, "new"), ENOENT);
	ck_assert_int_eq(sample_errno(session_link(sample_session, &sample_caller, sample_ino("f"),
						   dir, "f", &e),
				      &e),
			 ENOENT);
	ck_assert_int_eq(sample_errno(session_rename(sample_session, &sample_caller, &m, &e), &e),
			 ENOENT);
	ck_assert_str_eq(list(dir), "");
}
END_TEST

static int move_as(const char *from_dir, const char *from, const char *to_dir, const char *to,
		   unsigned flags)
{
	const struct session_move m = {sample_ino(from_dir), from, sample_ino(to_dir), to, flags};
	struct err e = ERR_INIT;

	return sample_errno(session_rename(sample_session, &sample_caller, &m, &e), &e);
}

START_TEST(renames_that_cannot_be_are_refused)
{
	static const struct {
		const char *from_dir, *from, *to_dir, *to;
		unsigned flags;
		int error;
	} cases[] = {
		{".", "nothing", ".", "g", 0, ENOENT},
		{".", "f", ".", "a", 0, EISDIR},
		{".", "a", ".", "f", 0, ENOTDIR},
		{".", "b", ".", "a", 0, ENOTEMPTY},
		{".", "a", "a", "in", 0, EINVAL},
		{".", "a", "a/deep/er", "in", 0, EINVAL},
		{"a", "deep", ".", "a", 0, ENOTEMPTY},
		{".", "f", "a", "x", RENAME_NOREPLACE, EEXIST},
		{".", "f", "a", "z", RENAME_EXCHANGE, ENOENT},
		{".", "a", "a/deep", "er", RENAME_EXCHANGE, EINVAL},
		{"a/deep", "er", ".", "a", RENAME_EXCHANGE, EINVAL},
		{".", "f", "a", "x", RENAME_NOREPLACE | RENAME_EXCHANGE, EINVAL},
		{".", "f", "a", "x", RENAME_WHITEOUT, EINVAL},
		{".", "f", "a", ".wh.x", 0, EPERM},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const int error = move_as(cases[i].from_dir, cases[i].from, cases[i].to_dir,
					  cases[i].to, cases[i].flags);
		ck_assert_msg(error == cases[i].error, "case %zu: %d, not %d", i, error,
			      cases[i].error);
	}
	ck_assert_str_eq(list(SESSION_ROOT), "a b f hard link setgid ");
	ck_assert_uint_eq(name_rows(SESSION_ROOT), 0);
	/* Two names of one file stay. */
	sample_rename("f", "hard", 0);
	ck_assert_uint_eq(links("f"), 2);
	ck_assert_str_eq(list(SESSION_ROOT), "a b f hard link setgid ");
}
END_TEST

/* One row, whatever it holds. */
START_TEST(a_directory_of_the_base_moves_whole)
{
	const uint64_t deep = sample_ino("a/deep");

	sample_rename("a/deep", "b/moved", 0);
	ck_assert_uint_eq(sample_ino("b/moved"), deep);
	ck_assert_uint_eq(sample_ino("b/moved/.."), sample_ino("b"));
	sample_check_text("b/moved/er/f", "deep\n");
	ck_assert_uint_eq(links("a"), 2);
	ck_assert_uint_eq(links("b"), 3);
	ck_assert_uint_eq(name_rows(sample_ino("a")), 1);
	ck_assert_uint_eq(name_rows(sample_ino("b")), 1);
	ck_assert_uint_eq(name_rows(deep), 0);
	sample_put("b/moved/new", "new\n");
	ck_assert_str_eq(list(deep), "er new ");
	sample_session_reopen(0);
	sample_check_text("b/moved/er/f", "deep\n");
	sample_check_text("b/moved/new", "new\n");
	/* As the base has it: no row is left. */
	sample_rename("b/moved", "a/deep", 0);
	ck_assert_uint_eq(name_rows(sample_ino("a")), 0);
	ck_assert_uint_eq(name_rows(sample_ino("b")), 0);
	ck_assert_uint_eq(links("a"), 3);
	ck_assert_uint_eq(sample_ino("a/deep/.."), sample_ino("a"));
	/* Over one that is empty. */
	sample_rename("a/deep", "b", 0);
	ck_assert_uint_eq(sample_ino("b"), deep);
	ck_assert_uint_eq(sample_stat(SESSION_ROOT).st_nlink, 5);
	sample_check_text("b/er/f", "deep\n");
}
END_TEST

START_TEST(an_exchange_keeps_both)
{
	const uint64_t a = sample_ino("a"), f = sample_ino("f");

	sample_rename("a/x", "f", RENAME_EXCHANGE);
	sample_check_text("a/x", "f\n");
	sample_check_text("f", "x\n");
	sample_rename("a/x", "f", RENAME_EXCHANGE);
	ck_assert_uint_eq(name_rows(SESSION_ROOT) + name_rows(a), 0);
	/* A directory and a file of different directories. */
	sample_rename("a/deep", "f", RENAME_EXCHANGE);
	ck_assert_uint_eq(sample_ino("a/deep"), f);
	ck_assert_uint_eq(sample_ino("f/.."), SESSION_ROOT);
	ck_assert_uint_eq(links("a"), 2);
	ck_assert_uint_eq(sample_stat(SESSION_ROOT).st_nlink, 6);
	sample_check_text("f/er/f", "deep\n");
	/* Two directories. */
	sample_rename("b", "f/er", RENAME_EXCHANGE);
	ck_assert_uint_eq(sample_ino("b/.."), SESSION_ROOT);
	ck_assert_uint_eq(sample_ino("f/er/.."), sample_ino("f"));
	ck_assert_uint_eq(sample_stat(SESSION_ROOT).st_nlink, 6);
	ck_assert_uint_eq(links("f"), 3);
	sample_check_text("b/f", "deep\n");
}
END_TEST

/* unlink and link, too. */
START_TEST(a_name_as_the_base_has_it_is_no_row)
{
	const uint64_t f = sample_ino("f");

	sample_rename("f", "g", 0);
	ck_assert_uint_eq(name_rows(SESSION_ROOT), 2);
	sample_rename("g", "f", 0);
	ck_assert_uint_eq(name_rows(SESSION_ROOT), 0);
	sample_unlink("hard");
	ck_assert_uint_eq(name_rows(SESSION_ROOT), 1);
	ck_assert_int_eq(link_to(f, ".", "hard"), 0);
	ck_assert_uint_eq(name_rows(SESSION_ROOT), 0);
	sample_put("new", "");
	sample_unlink("new");
	ck_assert_uint_eq(name_rows(SESSION_ROOT), 0);
}
END_TEST

/* A name that is replaced stays all the time, and so it is listed once, whether the reader is
 * before it or behind. */
START_TEST(a_replaced_name_is_listed_once)
{
	struct session_dirent de;
	struct err e = ERR_INIT;
	unsigned seen = 0, stop = (unsigned)_i;
	uint64_t at = 0;

	sample_put("tmp", "new\n");
	sample_put("own", "own\n");
	sample_put("tmp2", "newer\n");
	for (unsigned i = 0; session_readdir(sample_session, SESSION_ROOT, at, &de, &e) == 1; i++) {
		at = de.next;
		seen += strcmp(de.name, "f") == 0;
		seen += strcmp(de.name, "own") == 0 ? 100 : 0;
		if (i == stop) {
			sample_rename("tmp", "f", 0);
			sample_rename("tmp2", "own", 0);
		}
	}
	ck_assert_no_err(&e);
	ck_assert_uint_eq(seen, 101);
	sample_check_text("f", "new\n");
	sample_check_text("own", "newer\n");
}
END_TEST

/* Many names that come and go while a reader goes on, and some that stay. */
START_TEST(names_that_stay_are_listed_once)
{
	enum { STAY = 40 };
	uint64_t random = 99 + (uint64_t)_i;
	unsigned seen[STAY] = {0}, of_base = 0;
	struct session_dirent de;
	struct err e = ERR_INIT;
	char name[32];
	uint64_t at = 0;
	unsigned made = 0;

	for (unsigned i = 0; i < STAY; i++) {
		snprintf(name, sizeof(name), "stay-%u", i);
		sample_put(name, "");
	}
	while (session_readdir(sample_session, SESSION_ROOT, at, &de, &e) == 1) {
		at = de.next;
		if (strncmp(de.name, "stay-", 5) == 0)
			seen[strtoul(de.name + 5, NULL, 10) % STAY]++;
		of_base += strcmp(de.name, "a") == 0 || strcmp(de.name, "setgid") == 0;
		/* Ends at last: new names come behind. */
		for (unsigned k = 0; k < 3 && made < 200; k++) {
			snprintf(name, sizeof(name), "go-%u", made++);
			sample_put(name, "");
			if (sample_random(&random, 2))
				sample_unlink(name);
		}
		if (made == 60)
			sample_unlink("hard");
	}
	ck_assert_no_err(&e);
	for (unsigned i = 0; i < STAY; i++)
		ck_assert_uint_eq(seen[i], 1);
	ck_assert_uint_eq(of_base, 2);
}
END_TEST

/* Deep enough to meet the limit. */
START_TEST(depth_has_a_limit)
{
	struct session_new what = {.name = "d", .mode = S_IFDIR | 0755};
	struct err e = ERR_INIT;
	uint64_t dir = sample_ino("b");

	for (unsigned i = 0; i < 3000; i++) {
		session_create(sample_session, &sample_caller, dir, &what, &dir, &e);
		ck_assert_no_err(&e);
	}
	const struct session_move m = {SESSION_ROOT, "a", dir, "a", 0};
	ck_assert_int_eq(sample_errno(session_rename(sample_session, &sample_caller, &m, &e), &e),
			 ELOOP);
	ck_assert(sample_is_there("a"));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/session_names");
	TCase *tc = tcase_create("names");

	tcase_add_checked_fixture(tc, setup, sample_session_remove);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_base_is_there);
	tcase_add_test(tc, new_inodes_are_what_was_asked);
	tcase_add_test(tc, names_that_cannot_be_are_refused);
	tcase_add_test(tc, what_is_removed_is_gone);
	tcase_add_test(tc, links_are_counted);
	tcase_add_test(tc, a_removed_directory_stays_empty);
	tcase_add_test(tc, renames_that_cannot_be_are_refused);
	tcase_add_test(tc, a_directory_of_the_base_moves_whole);
	tcase_add_test(tc, an_exchange_keeps_both);
	tcase_add_test(tc, a_name_as_the_base_has_it_is_no_row);
	tcase_add_loop_test(tc, a_replaced_name_is_listed_once, 0, 11);
	tcase_add_loop_test(tc, names_that_stay_are_listed_once, 0, 3);
	tcase_add_test(tc, depth_has_a_limit);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
