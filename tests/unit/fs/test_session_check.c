/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each thing that session_check looks at is made wrong by SQL, and it says what and where; what
 * operations leave is right (fs/session_model asks it, too).
 */
#include "fs/session_check.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "fs/sample_session.h"
#include "fs/session_private.h"
#include "main.h"
#include "tests/support/scratch.h"

/* Numbers: root 1, big 2, dir 3, dir/f and hard 4, ..., in the order of the names of each level. */
static const struct sample_file files[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "big", .kind = ENTRY_REG, .mode = 0644, .size = 30000},
	{.path = "dir", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "dir/f", .kind = ENTRY_REG, .mode = 0644, .text = "f\n"},
	{.path = "dir/gone", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "dir/gone/in", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "dir/gone/in/f", .kind = ENTRY_HARDLINK, .link = "dir/f"},
	{.path = "dir/gone/x", .kind = ENTRY_REG, .mode = 0644, .text = "x\n"},
	{.path = "g", .kind = ENTRY_REG, .mode = 0644, .text = "g\n"},
	{.path = "link", .kind = ENTRY_SYMLINK, .mode = 0777, .link = "g"},
	{.path = "moved", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "moved/m", .kind = ENTRY_REG, .mode = 0644, .text = "m\n"},
};

static uint8_t block[5 * SESSION_BLOCK]; /* no row has it */

/* Rows of each kind; "new" is a directory, with a file in a data file and a small one. */
static void setup(void)
{
	struct err e = ERR_INIT;

	sample_session_make(files, ARRAY_LEN(files));
	memset(block, 'b', sizeof(block));
	sample_write(sample_ino("big"), 5000, "!", 1);
	sample_add("new", S_IFDIR | 0755);
	sample_put("new/small", "small\n");
	sample_write(sample_add("new/file", S_IFREG | 0644), 0, block, sizeof(block));
	sample_add("new/link", S_IFLNK | 0777);
	sample_add("new/sub", S_IFDIR | 0755);
	sample_rename("moved", "new/moved", 0);
	sample_unlink("dir/gone/in/f");
	sample_rmdir("dir/gone/in");
	sample_unlink("dir/gone/x");
	sample_rmdir("dir/gone");
	session_setxattr(sample_session, &sample_caller, sample_ino("g"), "user.a", "value", 5, 0,
			 &e);
	session_link(sample_session, &sample_caller, sample_ino("g"), SESSION_ROOT, "g2", &e);
	ck_assert_no_err(&e);
}

static void check_well(void)
{
	struct session_check_stats stats = {0};
	struct err e = ERR_INIT;

	session_check(sample_session, &stats, &e);
	ck_assert_no_err(&e);
}

START_TEST(what_operations_leave_is_well)
{
	struct session_check_stats stats;
	struct err e = ERR_INIT;

	session_check(sample_session, &stats, &e);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(stats.files, 2);
	ck_assert_uint_gt(stats.inodes, 8);
	ck_assert_uint_gt(stats.names, 8);
	sample_session_reopen(0);
	check_well();
	sample_session_reopen(SESSION_TAKE_OVER);
	check_well();
}
END_TEST

/* Open, and without a name. */
START_TEST(orphans_are_well)
{
	struct err e = ERR_INIT;
	const uint64_t moved = sample_ino("new/moved");

	session_remember(sample_session, moved, &e);
	session_remember(sample_session, sample_ino("new/moved/m"), &e);
	sample_unlink("new/moved/m");
	sample_rmdir("new/moved");
	check_well();
	session_forget(sample_session, moved, 1);
	session_settle(sample_session, &e);
	ck_assert_no_err(&e);
	check_well();
	sample_session_reopen(0);
	check_well();
}
END_TEST

START_TEST(an_unchanged_image_is_well)
{
	check_well();
}
END_TEST

static void setup_unchanged(void)
{
	sample_session_make(files, ARRAY_LEN(files));
}

#define OF(name) "(SELECT ino FROM name WHERE CAST(name AS TEXT) = '" name "')"

static const struct {
	const char *sql, *text;
} cases[] = {
	/* names */
	{"DELETE FROM inode WHERE ino = " OF("small"),
	 "name 'small' in inode 12 leads to an inode"},
	{"UPDATE name SET ino = 9999 WHERE CAST(name AS TEXT) = 'small'", "leads to an inode"},
	{"UPDATE name SET type = 16384 WHERE CAST(name AS TEXT) = 'small'", "another type"},
	{"UPDATE name SET parent = 9999 WHERE CAST(name AS TEXT) = 'small'", "inode 9999"},
	{"UPDATE name SET parent = " OF("file") " WHERE CAST(name AS TEXT) = 'small'",
	 "is no directory"},
	{"INSERT INTO name VALUES(1, CAST('nothing' AS BLOB), 0, 0, 0)",
	 "hides what the image does not have"},
	{"INSERT INTO name SELECT 1, CAST('big' AS BLOB), 2, 0, 32768", "as the image has it"},
	{"UPDATE name SET made = 0 WHERE CAST(name AS TEXT) = 'small'", "no place"},
	{"UPDATE name SET made = 77777 WHERE CAST(name AS TEXT) = 'small'", "no place"},
	{"UPDATE name SET made = 1 WHERE ino = 0", "no place"},
	{"UPDATE name SET made = (SELECT made FROM name WHERE CAST(name AS TEXT) = 'file')"
	 " WHERE CAST(name AS TEXT) = 'small'",
	 "two names in one place"},
	{"INSERT INTO name SELECT parent, CAST('again' AS BLOB), ino, made + 100, type FROM name "
	 "WHERE CAST(name AS TEXT) = 'sub'",
	 "second of a directory"},
	{"UPDATE name SET ino = 1, type = 16384 WHERE CAST(name AS TEXT) = 'sub'",
	 "leads to the root"},
	/* Above all numbers, and no number: a listing would give it for ever. */
	{"UPDATE name SET made = 'zzz' WHERE ino = 0", "damaged"},
	{"UPDATE name SET parent = 'x' WHERE CAST(name AS TEXT) = 'small'", "damaged"},
	/* counts */
	{"INSERT INTO name SELECT parent, CAST('again' AS BLOB), ino, made + 100, type FROM name "
	 "WHERE CAST(name AS TEXT) = 'small'",
	 "wrong number of links"},
	{"UPDATE inode SET nlink = 2 WHERE ino = " OF("small"), "wrong number of links"},
	{"UPDATE inode SET nlink = 0 WHERE ino = " OF("small"), "wrong number of links"},
	{"UPDATE inode SET nlink = nlink + 1 WHERE ino = " OF("sub"), "wrong number of links"},
	{"UPDATE inode SET nlink = nlink + 1 WHERE ino = 1", "inode 1 is a directory with a wrong"},
	{"DELETE FROM name WHERE CAST(name AS TEXT) = 'small'", "wrong number of links"},
	{"UPDATE inode SET nlink = nlink - 1 WHERE ino = " OF(
		 "new") "; DELETE FROM name WHERE CAST(name AS TEXT) = 'sub'",
	 "directory without a name"},
	{"DELETE FROM inode WHERE nlink = 1 AND ino < 13 AND ino NOT IN (2)", "no row"},
	/* the tree */
	{"UPDATE inode SET parent = 1 WHERE ino = " OF("sub"), "in another than it says"},
	{"UPDATE inode SET parent = " OF("sub") " WHERE ino = 3", "in another than it says"},
	{"UPDATE inode SET parent = 1 WHERE ino = " OF("small"), "says where it is"},
	{"UPDATE inode SET parent = " OF("sub") " WHERE ino = " OF(
		 "new") "; UPDATE inode SET parent = " OF("new") " WHERE ino = " OF("sub"),
	 "inside of itself"},
	{"UPDATE inode SET nlink = 0 WHERE ino = " OF("new"), "that was removed"},
	{"DELETE FROM inode WHERE ino IN (SELECT ino FROM name WHERE CAST(name AS TEXT) = 'moved')",
	 "inode 6 is"},
	{"DELETE FROM inode WHERE ino = 3", "inode 3 has names of its own, and no row"},
	/* inodes */
	{"UPDATE inode SET ino = 99999 WHERE ino = " OF(
		 "small") "; UPDATE name SET ino = 99999 WHERE CAST(name AS TEXT) = 'small'",
	 "never given out"},
	{"UPDATE inode SET mode = mode - 32768 + 16384 WHERE ino = 2", "another type in the image"},
	{"UPDATE inode SET mode = mode | 65536 WHERE ino = 2", "mode that cannot be"},
	{"UPDATE inode SET mode = 420 WHERE ino = " OF(
		 "small") "; UPDATE name SET type = 0 WHERE CAST(name AS TEXT) = 'small'",
	 "type that is none"},
	/* content */
	{"DELETE FROM content WHERE ino = " OF("small"), "lost its content"},
	{"UPDATE content SET bytes = x'61' WHERE ino = " OF("small"), "another length"},
	{"UPDATE content SET bytes = x'006161616161' WHERE ino = " OF("link") " AND ino > 12",
	 "target that cannot be"},
	{"DELETE FROM content WHERE ino = (SELECT max(ino) FROM inode WHERE mode = 41471)",
	 "lost its content"},
	{"INSERT INTO content VALUES(2, x'61')", "nobody reads"},
	{"INSERT INTO content VALUES(9999, x'61')", "inode 9999 has content"},
	{"INSERT INTO xattr VALUES(9999, x'61', x'61')", "inode 9999 has extended"},
	{"UPDATE inode SET has_xattrs = 0", "extended attributes"},
	{"INSERT INTO extent VALUES(9999, 1, 0)", "inode 9999 has extents"},
	{"UPDATE extent SET end = 9 WHERE ino = 2", "behind what it has"},
	{"INSERT INTO extent VALUES(2, 3, 2)", "extents that touch"},
	{"INSERT INTO extent SELECT ino, 1, 0 FROM inode WHERE ino = " OF("small"), "no data file"},
	{"UPDATE inode SET size = 40000, lower_size = 40000 WHERE ino = 2", "than the image has"},
	{"UPDATE inode SET lower_size = 1 WHERE ino = " OF("small"), "than the image has"},
	{"UPDATE inode SET size = 5 WHERE ino = " OF("sub"), "has a length"},
	{"UPDATE inode SET place = 1 WHERE ino = " OF("sub"), "has content"},
	{"UPDATE inode SET version = version + 1 WHERE ino = 2", "lost"},
	{"UPDATE inode SET version = 0 WHERE ino = 2", "without a version"},
	{"INSERT INTO xattr VALUES((SELECT ino FROM inode WHERE has_xattrs), x'757a', "
	 "zeroblob(65537))",
	 "over the limit"},
};

START_TEST(each_damage_is_told)
{
	struct err e = ERR_INIT;
	char *message = NULL;
	sqlite3 *db;

	sample_session_close();
	ck_assert_int_eq(sqlite3_open(sample_session_file(SESSION_DB_NAME), &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, cases[_i].sql, NULL, NULL, &message), SQLITE_OK);
	ck_assert_msg(sqlite3_total_changes(db) > 0, "nothing is changed by: %s", cases[_i].sql);
	sqlite3_close(db);
	/* As it is found: a resume would remove some of it. */
	sample_session_open(SESSION_TAKE_OVER);
	ck_assert_int_eq(session_check(sample_session, NULL, &e), -1);
	ck_assert_msg(strstr(e.msg, cases[_i].text), "no '%s' for %s in: %s", cases[_i].text,
		      cases[_i].sql, e.msg);
	ck_assert_err(&e, ERR_FORMAT, "the session is damaged: ");
}
END_TEST

START_TEST(a_lost_file_is_told)
{
	struct err e = ERR_INIT;
	char name[64];

	sample_session_reopen(0);
	snprintf(name, sizeof(name), "data/%llu.1", (unsigned long long)sample_ino("new/file"));
	ck_assert_int_eq(unlink(sample_session_file(name)), 0);
	ck_assert_int_eq(session_check(sample_session, NULL, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "lost");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/session_check");
	TCase *tc = tcase_create("check");

	tcase_add_checked_fixture(tc, setup, sample_session_remove);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_operations_leave_is_well);
	tcase_add_test(tc, orphans_are_well);
	tcase_add_loop_test(tc, each_damage_is_told, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, a_lost_file_is_told);
	suite_add_tcase(s, tc);
	tc = tcase_create("unchanged");
	tcase_add_checked_fixture(tc, setup_unchanged, sample_session_remove);
	tcase_add_test(tc, an_unchanged_image_is_well);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
