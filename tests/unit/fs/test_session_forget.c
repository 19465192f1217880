/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inodes without a name, and files that nobody needs: how long they stay.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "fs/sample_session.h"
#include "fs/session_db_private.h"
#include "fs/session_freeze.h"
#include "fs/session_private.h"
#include "main.h"
#include "tests/support/scratch.h"

enum { LONG = 5 * SESSION_BLOCK }; /* no row has it */

static const struct sample_file files[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "big", .kind = ENTRY_REG, .mode = 0644, .size = LONG},
	{.path = "dir", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "f", .kind = ENTRY_REG, .mode = 0644, .text = "f\n"},
	{.path = "h", .kind = ENTRY_REG, .mode = 0644, .text = "h\n"},
	{.path = "tree", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "tree/link", .kind = ENTRY_HARDLINK, .link = "h"},
	{.path = "tree/sub", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "tree/sub/x", .kind = ENTRY_REG, .mode = 0644, .text = "x\n"},
};

static uint8_t content[LONG];

static void setup(void)
{
	sample_session_make(files, ARRAY_LEN(files));
	memset(content, 'c', sizeof(content));
}

static void remember(uint64_t ino)
{
	struct err e = ERR_INIT;

	session_remember(sample_session, ino, &e);
	ck_assert_no_err(&e);
}

/* Whether there is a row of it. */
static int has_row(uint64_t ino)
{
	struct session_inode in;
	struct err e = ERR_INIT;

	const int found = session_db_inode(sample_session->db, ino, &in, &e);
	ck_assert_no_err(&e);
	return found;
}

static void settle(void)
{
	struct err e = ERR_INIT;

	session_settle(sample_session, &e);
	ck_assert_no_err(&e);
}

/* A file that is open, without a name: with content in a data file. */
static uint64_t make_orphan(const char *name, unsigned lookups)
{
	const uint64_t ino = sample_add(name, S_IFREG | 0644);

	for (unsigned i = 0; i < lookups; i++)
		remember(ino);
	sample_write(ino, 0, content, sizeof(content));
	sample_unlink(name);
	return ino;
}

START_TEST(an_orphan_lives_until_it_is_forgotten)
{
	const uint64_t ino = make_orphan("o", 3);

	ck_assert(!sample_is_there("o"));
	ck_assert_uint_eq(sample_stat(ino).st_nlink, 0);
	sample_check(ino, content, sizeof(content));
	sample_write(ino, 0, "w", 1);
	session_forget(sample_session, ino, 2);
	settle();
	ck_assert_int_eq(has_row(ino), 1);
	ck_assert_int_eq(sample_session_data_count(), 1);
	session_forget(sample_session, ino, 1);
	settle();
	ck_assert_int_eq(has_row(ino), 0);
	sample_sync();
	ck_assert_int_eq(sample_session_data_count(), 0);
	struct stat st;
	struct err e = ERR_INIT;
	session_stat(sample_session, ino, &st, &e);
	ck_assert_err(&e, ERR_NOT_FOUND, "inode");
}
END_TEST

START_TEST(what_nobody_knows_goes_at_once)
{
	const uint64_t ino = make_orphan("o", 0);

	ck_assert_int_eq(has_row(ino), 0);
	sample_sync();
	ck_assert_int_eq(sample_session_data_count(), 0);
	/* Replaced by a rename. */
	sample_write(sample_add("old", S_IFREG | 0644), 0, content, sizeof(content));
	const uint64_t old = sample_ino("old");
	sample_put("new", "new\n");
	sample_rename("new", "old", 0);
	ck_assert_int_eq(has_row(old), 0);
	sample_sync();
	ck_assert_int_eq(sample_session_data_count(), 0);
}
END_TEST

/* Those of the base, too, and directories. */
START_TEST(an_orphan_of_the_base_lives_as_long)
{
	const uint64_t f = sample_ino("f"), dir = sample_ino("dir");

	remember(f);
	remember(dir);
	sample_unlink("f");
	sample_rmdir("dir");
	sample_check(f, "f\n", 2);
	ck_assert_uint_eq(sample_stat(dir).st_nlink, 0);
	session_forget(sample_session, f, 1);
	session_forget(sample_session, dir, 1);
	settle();
	ck_assert_int_eq(has_row(f), 0);
	ck_assert_int_eq(has_row(dir), 0);
	ck_assert(!sample_is_there("f"));
	ck_assert(!sample_is_there("dir"));
	sample_session_reopen(0);
	ck_assert(!sample_is_there("f"));
}
END_TEST

/* As NFS and open_by_handle_at(2) ask. */
static int ask_by_number(uint64_t ino)
{
	struct err e = ERR_INIT;
	uint64_t found = 0;

	const int r = session_lookup(sample_session, ino, ".", &found, &e);
	ck_assert_no_err(&e);
	if (r > 0)
		ck_assert_uint_eq(found, ino);
	return r;
}

/* By its number alone nothing comes back that was removed, although no row says that it was. */
START_TEST(what_is_gone_has_no_number)
{
	const uint64_t dir = sample_ino("dir"), f = sample_ino("f"), h = sample_ino("h");
	const uint64_t tree = sample_ino("tree"), sub = sample_ino("tree/sub");
	const uint64_t x = sample_ino("tree/sub/x"), made = sample_add("made", S_IFREG | 0644);

	ck_assert_int_eq(ask_by_number(SESSION_ROOT), 1);
	ck_assert_int_eq(ask_by_number(x), 1);
	ck_assert_int_eq(ask_by_number(made), 1);
	sample_rename("tree/sub", "moved", 0);
	ck_assert_int_eq(ask_by_number(sub), 1);
	ck_assert_int_eq(ask_by_number(x), 1);
	sample_unlink("moved/x");
	sample_rmdir("moved");
	sample_unlink("tree/link");
	ck_assert_int_eq(ask_by_number(h), 1);
	sample_rmdir("tree");
	sample_rmdir("dir");
	sample_unlink("f");
	sample_sync();
	sample_session_reopen(0);
	ck_assert_int_eq(has_row(dir) + has_row(f) + has_row(tree) + has_row(sub) + has_row(x), 0);
	ck_assert_int_eq(ask_by_number(dir), 0);
	ck_assert_int_eq(ask_by_number(f), 0);
	ck_assert_int_eq(ask_by_number(tree), 0);
	ck_assert_int_eq(ask_by_number(sub), 0);
	ck_assert_int_eq(ask_by_number(x), 0);
	ck_assert_int_eq(ask_by_number(h), 1);
	ck_assert_int_eq(ask_by_number(made), 1);
	sample_unlink("h");
	sample_session_reopen(0);
	ck_assert_int_eq(ask_by_number(h), 0);
}
END_TEST

/* More than are removed at once. */
START_TEST(many_orphans_go)
{
	enum { COUNT = 300 };
	uint64_t inos[COUNT];
	char name[16];

	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "o%u", i);
		inos[i] = make_orphan(name, 1);
	}
	ck_assert_int_eq(sample_session_data_count(), COUNT);
	for (unsigned i = 0; i < COUNT; i++)
		session_forget(sample_session, inos[i], 1);
	ck_assert_int_eq(has_row(inos[0]), 0); /* without settle */
	settle();
	sample_sync();
	ck_assert_int_eq(sample_session_data_count(), 0);
}
END_TEST

START_TEST(orphans_are_kept_by_who_takes_over)
{
	const uint64_t ino = make_orphan("o", 1);

	sample_session_reopen(SESSION_TAKE_OVER);
	sample_check(ino, content, sizeof(content));
	/* How often the kernel was told of it, nobody knows. */
	session_forget(sample_session, ino, 1);
	settle();
	sample_check(ino, content, sizeof(content));
	const uint64_t other = make_orphan("p", 0);
	sample_check(other, content, sizeof(content));
	sample_session_reopen(0);
	ck_assert_int_eq(has_row(ino), 0);
	ck_assert_int_eq(has_row(other), 0);
	sample_sync();
	ck_assert_int_eq(sample_session_data_count(), 0);
}
END_TEST

START_TEST(a_resume_removes_orphans_and_rubbish)
{
	static const char *const rubbish[] = {"data/9.9",     "data/x",    "data/4.1.tmp",
					      "data/99999.1", "data/-1.1", "data/.hidden"};
	const uint64_t ino = make_orphan("o", 1);
	const uint64_t kept = sample_add("kept", S_IFREG | 0644);

	sample_write(kept, 0, content, sizeof(content));
	for (size_t i = 0; i < ARRAY_LEN(rubbish); i++) {
		char path[64];
		snprintf(path, sizeof(path), "session/%s", rubbish[i]);
		scratch_write(path, "rubbish");
	}
	/* An old version of a file that is there. */
	char old[64];
	snprintf(old, sizeof(old), "session/data/%llu.7", (unsigned long long)kept);
	scratch_write(old, "rubbish");
	sample_session_reopen(0);
	ck_assert_int_eq(has_row(ino), 0);
	sample_sync();
	ck_assert_int_eq(sample_session_data_count(), 1);
	ck_assert_int_ne(access(sample_session_file("data/.hidden"), F_OK), 0);
	sample_check_text("f", "f\n");
	sample_check(kept, content, sizeof(content));
}
END_TEST

/* A request that fails takes nothing: not even when the kernel forgets the inode later. */
START_TEST(a_failed_removal_is_none)
{
	const uint64_t ino = sample_add("new", S_IFREG | 0644);
	struct err e = ERR_INIT;
	int *redo = &sample_session->db->redo.fd;
	const int writable = *redo;

	sample_write(ino, 0, content, sizeof(content));
	remember(ino);
	/* The last step fails: what it changed cannot be noted. */
	*redo = open(sample_session_file(SESSION_REDO_NAME), O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(*redo, 0);
	ck_assert_int_eq(session_unlink(sample_session, &sample_caller, SESSION_ROOT, "new", &e),
			 -1);
	ck_assert_err(&e, ERR_SYS, "redo log");
	close(*redo);
	*redo = writable;
	sample_check(ino, content, sizeof(content));
	session_forget(sample_session, ino, 1);
	settle();
	ck_assert_uint_eq(sample_ino("new"), ino);
	sample_check(ino, content, sizeof(content));
	sample_session_reopen(0);
	sample_check(ino, content, sizeof(content));
}
END_TEST

/* A process that was killed had data which no mark speaks of: the next mark must not either,
 * before it is on the disk.  One that ended well has left an empty log. */
START_TEST(a_resume_syncs_what_was_left)
{
	struct err e = ERR_INIT;

	sample_session_reopen(0);
	ck_assert(!sample_session->files.is_all_dirty);
	sample_session_reopen(SESSION_TAKE_OVER);
	ck_assert(sample_session->files.is_all_dirty);
	sample_put("left", "left\n");
	/* Of a process that is killed now this is what there is. */
	sample_session_copy("killed");
	sample_session_close();
	sample_session_try("killed", 0, &sample_session, &e);
	ck_assert_no_err(&e);
	ck_assert(sample_session->files.is_all_dirty);
	ck_assert(sample_session->is_changed);
	session_sync(sample_session, &e);
	ck_assert_no_err(&e);
	ck_assert(!sample_session->files.is_all_dirty && !sample_session->is_changed);
}
END_TEST

/* What was answered is found again, as long as its thread did nothing else. */
START_TEST(a_reply_is_replayed)
{
	const struct session_new what = {.name = "made", .mode = S_IFREG | 0644};
	struct session_caller who = {.uid = 1, .gid = 1, .unique = 1000, .slot = 3};
	struct err e = ERR_INIT;
	uint64_t made, again;

	session_create(sample_session, &who, SESSION_ROOT, &what, &made, &e);
	who.unique = 1002;
	who.slot = 4;
	session_unlink(sample_session, &who, SESSION_ROOT, "f", &e);
	ck_assert_no_err(&e);
	/* One that failed has no effect, and so nothing that is kept. */
	who.unique = 1004;
	ck_assert_int_eq(session_unlink(sample_session, &who, SESSION_ROOT, "f", &e), -1);
	ck_assert_int_eq(sample_errno(-1, &e), ENOENT);
	sample_session_reopen(SESSION_TAKE_OVER);
	ck_assert_int_eq(session_replay(sample_session, 1000, &again, &e), 1);
	ck_assert_uint_eq(again, made);
	ck_assert_int_eq(session_replay(sample_session, 1002, &again, &e), 1);
	ck_assert_uint_eq(again, 0);
	ck_assert_int_eq(session_replay(sample_session, 1004, &again, &e), 0);
	who = (struct session_caller){.unique = 1006, .slot = 3};
	session_write(sample_session, &who, made, 0, "x", 1, 0, &e);
	ck_assert_int_eq(session_replay(sample_session, 1000, &again, &e), 0);
	ck_assert_int_eq(session_replay(sample_session, 1006, &again, &e), 1);
	ck_assert_no_err(&e);
}
END_TEST

/* What a reader of a frozen session sees is of one moment: rows, small files, data files. */
START_TEST(a_reader_sees_one_moment)
{
	SCOPE(session) struct session *reader = NULL;
	struct err e = ERR_INIT;
	struct stat st;
	uint64_t ino;

	sample_put("small", "old\n");
	const uint64_t big = sample_add("large", S_IFREG | 0644);
	sample_write(big, 0, content, sizeof(content));
	ck_assert_int_eq(mkdirat(scratch_fd(), "copy", 0700), 0);
	SCOPE_FD int copy = openat(scratch_fd(), "copy", O_RDONLY | O_DIRECTORY);
	SCOPE_FD int data = openat(scratch_fd(), "session/data", O_RDONLY | O_DIRECTORY);
	session_freeze(sample_session, copy, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(session_freeze(sample_session, copy, &e), -1);
	ck_assert_err(&e, ERR_BUSY, "read by another");

	sample_write(sample_ino("small"), 0, "new\n", 4);
	sample_write(big, 1, "NEW", 3);
	sample_write(big, 5, "NEW", 3);
	sample_truncate(big, 10);
	sample_unlink("f");
	sample_write(sample_add("later", S_IFREG | 0644), 0, content, sizeof(content));
	sample_sync();
	session_open(sample_base, copy, data, SESSION_READ, &reader, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(session_lookup(reader, SESSION_ROOT, "f", &ino, &e), 1);
	ck_assert_int_eq(session_lookup(reader, SESSION_ROOT, "later", &ino, &e), 0);
	ck_assert_int_eq(session_stat(reader, big, &st, &e), 0);
	ck_assert_int_eq(st.st_size, sizeof(content));
	char *buf = malloc(sizeof(content));
	ck_assert_int_eq(session_read(reader, big, 0, buf, sizeof(content), &e), sizeof(content));
	ck_assert_mem_eq(buf, content, sizeof(content));
	ck_assert_int_eq(session_lookup(reader, SESSION_ROOT, "small", &ino, &e), 1);
	ck_assert_int_eq(session_read(reader, ino, 0, buf, 4, &e), 4);
	ck_assert_mem_eq(buf, "old\n", 4);
	free(buf);
	ck_assert_int_eq(session_write(reader, &sample_caller, big, 0, "x", 1, 0, &e), -1);
	ck_assert_int_eq(sample_errno(-1, &e), EROFS);

	/* The old version goes when nobody reads it. */
	ck_assert_int_eq(sample_session_data_count(), 3);
	session_thaw(sample_session);
	sample_sync();
	ck_assert_int_eq(sample_session_data_count(), 2);
	ck_assert_int_eq(session_stat(sample_session, big, &st, &e), 0);
	ck_assert_int_eq(st.st_size, 10);
	ck_assert_no_err(&e);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/session_forget");
	TCase *tc = tcase_create("lives");

	tcase_add_checked_fixture(tc, setup, sample_session_remove);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, an_orphan_lives_until_it_is_forgotten);
	tcase_add_test(tc, what_nobody_knows_goes_at_once);
	tcase_add_test(tc, an_orphan_of_the_base_lives_as_long);
	tcase_add_test(tc, what_is_gone_has_no_number);
	tcase_add_test(tc, many_orphans_go);
	tcase_add_test(tc, orphans_are_kept_by_who_takes_over);
	tcase_add_test(tc, a_resume_removes_orphans_and_rubbish);
	tcase_add_test(tc, a_failed_removal_is_none);
	tcase_add_test(tc, a_resume_syncs_what_was_left);
	tcase_add_test(tc, a_reply_is_replayed);
	tcase_add_test(tc, a_reader_sees_one_moment);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
