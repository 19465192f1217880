/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session after a power loss: it is as it was synced last.
 */
#include "fs/session_wal.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/io.h"
#include "fs/sample_session.h"
#include "fs/session_private.h"
#include "fs/session_sync.h"
#include "main.h"
#include "tests/support/scratch.h"

enum { PAGE = 1024, WAL_HEADER = 32, FRAME = 24 + PAGE };

static const struct sample_file files[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "big", .kind = ENTRY_REG, .mode = 0644, .size = 100000},
	{.path = "f", .kind = ENTRY_REG, .mode = 0644, .text = "f\n"},
};

static void setup(void)
{
	sample_session_make(files, ARRAY_LEN(files));
}

static void sync_session(void)
{
	struct err e = ERR_INIT;

	session_sync(sample_session, &e);
	ck_assert_no_err(&e);
}

/* The session of a copy instead of that which is open. */
static void open_copy(const char *folder)
{
	struct err e = ERR_INIT;

	sample_session_close();
	sample_session_try(folder, 0, &sample_session, &e);
	ck_assert_no_err(&e);
}

/* Each way to change a file; all of them are seen in its ctime. */
static void change_write(uint64_t ino)
{
	sample_write(ino, 0, "F", 1);
}

static void change_size(uint64_t ino)
{
	sample_truncate(ino, 1);
}

static void change_mode(uint64_t ino)
{
	const struct stat st = {.st_mode = 0600};
	struct err e = ERR_INIT;

	session_setattr(sample_session, &sample_caller, ino, &st, SESSION_SET_MODE, &e);
	ck_assert_no_err(&e);
}

static void change_name(uint64_t ino)
{
	(void)ino;
	sample_rename("f", "renamed", 0);
}

static void change_links(uint64_t ino)
{
	struct err e = ERR_INIT;

	session_link(sample_session, &sample_caller, ino, SESSION_ROOT, "link", &e);
	ck_assert_no_err(&e);
}

static void change_names(uint64_t ino)
{
	(void)ino;
	sample_unlink("other");
}

static void change_xattr(uint64_t ino)
{
	struct err e = ERR_INIT;

	session_setxattr(sample_session, &sample_caller, ino, "user.new", "v", 1, 0, &e);
	ck_assert_no_err(&e);
}

static void remove_xattr(uint64_t ino)
{
	struct err e = ERR_INIT;

	session_removexattr(sample_session, &sample_caller, ino, "user.old", &e);
	ck_assert_no_err(&e);
}

static void change_blocks(uint64_t ino)
{
	struct err e = ERR_INIT;

	session_fallocate(sample_session, &sample_caller, ino, 0, 0, 50000, &e);
	ck_assert_no_err(&e);
}

static void (*const changes[])(uint64_t ino) = {change_write, change_size,  change_mode,
						change_name,  change_links, change_names,
						change_xattr, remove_xattr, change_blocks};

static void sync_inode(uint64_t ino)
{
	struct err e = ERR_INIT;

	session_sync_inode(sample_session, ino, &e);
	ck_assert_no_err(&e);
}

START_TEST(a_change_of_a_file_is_synced_with_it)
{
	const uint64_t ino = sample_ino("f");
	struct err e = ERR_INIT;

	session_link(sample_session, &sample_caller, ino, SESSION_ROOT, "other", &e);
	session_setxattr(sample_session, &sample_caller, ino, "user.old", "v", 1, 0, &e);
	ck_assert_no_err(&e);
	sync_session();
	changes[_i](ino);
	const struct stat want = sample_stat(ino);
	sync_inode(ino);
	sample_session_copy("copy");
	open_copy("copy");
	const struct stat found = sample_stat(ino);
	ck_assert_int_eq(found.st_ctim.tv_sec, want.st_ctim.tv_sec);
	ck_assert_int_eq(found.st_ctim.tv_nsec, want.st_ctim.tv_nsec);
	ck_assert_int_eq(found.st_size, want.st_size);
	ck_assert_uint_eq(found.st_nlink, want.st_nlink);
}
END_TEST

/* What others did meanwhile costs him nothing; but nobody knows what a process before this one
 * left. */
START_TEST(what_did_not_change_is_not_synced_again)
{
	const uint64_t big = sample_ino("big");

	sample_write(big, 0, "!", 1);
	sync_inode(big);
	ck_assert(!sample_session->is_changed);
	sample_put("new", "new\n");
	sync_inode(big);
	ck_assert(sample_session->is_changed);
	sync_inode(sample_ino("new"));
	ck_assert(!sample_session->is_changed);
	sample_put("newer", "newer\n");
	sample_session_reopen(SESSION_TAKE_OVER);
	sync_inode(big);
	ck_assert(!sample_session->is_changed);
	sample_put("newest", "newest\n");
	sync_inode(big);
	ck_assert(sample_session->is_changed);
	sample_session_copy("copy");
	open_copy("copy");
	ck_assert(sample_is_there("newer"));
	ck_assert(!sample_is_there("newest"));
}
END_TEST

/* Of more than are told apart each may be one that changed. */
START_TEST(of_too_many_all_are_synced)
{
	const uint64_t big = sample_ino("big");

	sync_session();
	sample_put("new", "new\n");
	for (uint64_t i = 1; i <= 100000; i++)
		session_note_unsynced(sample_session, 1000000 + i);
	sync_inode(big);
	ck_assert(!sample_session->is_changed);
	sample_put("newer", "newer\n");
	sync_inode(big);
	ck_assert(sample_session->is_changed);
}
END_TEST

START_TEST(without_a_sync_it_is_as_it_was_made)
{
	sample_put("new", "new\n");
	sample_unlink("f");
	sample_session_copy("copy");
	open_copy("copy");
	ck_assert(!sample_is_there("new"));
	sample_check_text("f", "f\n");
	/* And it can be used. */
	sample_put("new", "again\n");
	sample_check_text("new", "again\n");
}
END_TEST

START_TEST(what_came_after_the_sync_is_gone)
{
	sample_put("kept", "kept\n");
	sample_write(sample_ino("big"), 5000, "!", 1);
	sync_session();
	const uint64_t next = sample_session->next;
	sample_put("lost", "lost\n");
	sample_rename("kept", "renamed", 0);
	sample_write(sample_ino("f"), 0, "F", 1);
	sample_session_copy("copy");
	open_copy("copy");
	ck_assert(sample_is_there("kept"));
	ck_assert(!sample_is_there("renamed"));
	ck_assert(!sample_is_there("lost"));
	sample_check_text("f", "f\n");
	uint8_t byte = 0;
	struct err e = ERR_INIT;
	ck_assert_int_eq(session_read(sample_session, sample_ino("big"), 5000, &byte, 1, &e), 1);
	ck_assert_uint_eq(byte, '!');
	/* Numbers that were lost may be given again: nobody knows them. */
	ck_assert_uint_ge(sample_add("later", S_IFREG | 0644), next - 1);
}
END_TEST

/* Several syncs, checkpoints between them, a log that began anew. */
START_TEST(the_last_sync_counts)
{
	struct err e = ERR_INIT;
	char name[16], copy[16];

	for (unsigned i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		sample_put(name, name);
		if (i % 3 == 2)
			sync_session();
		if (i == 5 || i == 8) {
			session_db_checkpoint(sample_session->db, &e);
			ck_assert_no_err(&e);
		}
		snprintf(copy, sizeof(copy), "copy%u", i);
		sample_session_copy(copy);
	}
	for (unsigned i = 0; i < 12; i++) {
		snprintf(copy, sizeof(copy), "copy%u", i);
		open_copy(copy);
		for (unsigned k = 0; k < 12; k++) {
			snprintf(name, sizeof(name), "n%u", k);
			ck_assert_int_eq(sample_is_there(name), k < (i + 1) / 3 * 3);
		}
	}
}
END_TEST

/* The same boot, without a take-over: a killed process loses nothing. */
/* A copy that is found under this boot: of a process that was killed. */
static void copy_killed(const char *to)
{
	char boot[128], path[64];
	SCOPE_FD int from = open(sample_session_file("boot"), O_RDONLY | O_CLOEXEC);
	const ssize_t n = io_read_full(from, boot, sizeof(boot) - 1);

	ck_assert_int_gt(n, 10);
	boot[n] = '\0';
	sample_session_copy(to);
	snprintf(path, sizeof(path), "%s/boot", to);
	scratch_write(path, boot);
}

START_TEST(under_the_same_boot_nothing_is_cut)
{
	sample_put("new", "new\n");
	copy_killed("copy");
	open_copy("copy");
	sample_check_text("new", "new\n");
}
END_TEST

/* What a killed process removed after its last sync is kept by the resume until the next one: the
 * power may go before it. */
START_TEST(a_resume_keeps_what_the_last_sync_needs)
{
	static uint8_t bytes[3 * 4096];
	const char *const names[] = {"removed", "emptied", "cut"};

	memset(bytes, 'b', sizeof(bytes));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		sample_write(sample_add(names[i], S_IFREG | 0644), 0, bytes, sizeof(bytes));
	sync_session();
	sample_unlink("removed");
	sample_truncate(sample_ino("emptied"), 0);
	sample_truncate(sample_ino("cut"), 5000);
	copy_killed("killed");
	open_copy("killed");
	ck_assert(!sample_is_there("removed"));
	sample_session_copy_of("killed", "copy");
	open_copy("copy");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		sample_check(sample_ino(names[i]), bytes, sizeof(bytes));
}
END_TEST

/* Data of which a power loss took the rows: their numbers are given again, and the files that are
 * made anew under the old names are no rubbish. */
START_TEST(a_file_that_is_made_again_is_kept)
{
	static uint8_t bytes[5 * 4096];

	memset(bytes, 'o', sizeof(bytes));
	sample_write(sample_ino("big"), 0, bytes, sizeof(bytes));
	sample_write(sample_add("new", S_IFREG | 0644), 0, bytes, sizeof(bytes));
	ck_assert_int_eq(sample_session_data_count(), 2);
	sample_session_copy("copy");
	open_copy("copy");
	ck_assert(!sample_is_there("new"));
	memset(bytes, 'n', sizeof(bytes));
	sample_write(sample_ino("big"), 0, bytes, sizeof(bytes));
	sample_write(sample_add("new", S_IFREG | 0644), 0, bytes, sizeof(bytes));
	sync_session();
	/* None of it is open any more. */
	sample_session_copy_of("copy", "again");
	open_copy("again");
	sample_check(sample_ino("new"), bytes, sizeof(bytes));
	uint8_t found[sizeof(bytes)];
	struct err e = ERR_INIT;
	session_read(sample_session, sample_ino("big"), 0, found, sizeof(found), &e);
	ck_assert_no_err(&e);
	ck_assert_mem_eq(found, bytes, sizeof(found));
}
END_TEST

static uint64_t size_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(fstatat(scratch_fd(), path, &st, 0), 0);
	return (uint64_t)st.st_size;
}

/* Where the frames of the log end; old ones may follow. */
static uint64_t log_end(void)
{
	return WAL_HEADER + (uint64_t)session_db_wal_frames(sample_session->db) * FRAME;
}

/* Whatever its end is: a log that was cut anywhere, or is wrong from there on, opens as of a sync
 * before. */
START_TEST(a_torn_log_opens)
{
	static uint8_t junk[FRAME];

	sample_put("first", "1\n");
	sync_session();
	const uint64_t one = log_end();
	sample_put("second", "2\n");
	sync_session();
	const uint64_t two = log_end();
	sample_put("third", "3\n");
	memset(junk, 0xa5, sizeof(junk));
	const uint64_t all = log_end();
	struct session *whole = sample_session;
	unsigned round = 0;
	for (uint64_t at = 0; at <= all; at += at % FRAME == WAL_HEADER ? 1000 : FRAME - 1000) {
		if (at == 1000)
			at = WAL_HEADER;
		char copy[32], path[64];
		snprintf(copy, sizeof(copy), "copy%u", round++);
		snprintf(path, sizeof(path), "%s/meta.db-wal", copy);
		sample_session_copy(copy);
		SCOPE_FD int fd = openat(scratch_fd(), path, O_WRONLY | O_CLOEXEC);
		if (_i == 0)
			ck_assert_int_eq(ftruncate(fd, (off_t)at), 0);
		else
			ck_assert_int_gt(pwrite(fd, junk, sizeof(junk), (off_t)at), 0);
		SCOPE_FD int dir = openat(scratch_fd(), copy, O_RDONLY | O_CLOEXEC);
		struct err e = ERR_INIT;
		session_wal_rewind(dir, &e);
		ck_assert_no_err(&e);
		ck_assert_uint_eq(size_of(path), at >= two ? two : at >= one ? one : 0);
		sample_session_try(copy, 0, &sample_session, &e);
		ck_assert_no_err(&e);
		ck_assert_int_eq(sample_is_there("first"), at >= one);
		ck_assert_int_eq(sample_is_there("second"), at >= two);
		ck_assert(!sample_is_there("third"));
		session_close(sample_session);
		sample_session = whole;
	}
	ck_assert_uint_gt(round, 10);
}
END_TEST

/* A header that does not count: the log is empty, as SQLite takes it. */
START_TEST(a_header_that_is_wrong_counts_nothing)
{
	static const struct {
		off_t at;
		const char *bytes;
		size_t len;
	} cases[] = {
		{0, "\0\0\0\0", 4},
		{0, "\x37\x7f\x06\x84", 4},
		{8, "\0\0\0\0", 4},
		{8, "\0\0\1\0", 4},   /* 256 */
		{8, "\0\2\0\0", 4},   /* 131072 */
		{8, "\0\0\x10\1", 4}, /* 4097 */
		{8, "\xff\xff\xff\xff", 4},
		{16, "salt", 4},
		{24, "sum!", 4},
	};
	struct err e = ERR_INIT;

	sample_put("new", "");
	sync_session();
	sample_session_copy("copy");
	SCOPE_FD int fd = openat(scratch_fd(), "copy/meta.db-wal", O_WRONLY | O_CLOEXEC);
	SCOPE_FD int dir = openat(scratch_fd(), "copy", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, cases[_i].bytes, cases[_i].len, cases[_i].at),
			 (ssize_t)cases[_i].len);
	session_wal_rewind(dir, &e);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(size_of("copy/meta.db-wal"), 0);
}
END_TEST

/* Other sizes of pages than SQLite's own choice; the mark is what it is looked for by. */
START_TEST(any_page_size_is_read)
{
	static const int sizes[] = {512, 1024, 65536};
	struct err e = ERR_INIT;
	char text[256];
	sqlite3 *db;

	ck_assert_int_eq(mkdirat(scratch_fd(), "other", 0700), 0);
	ck_assert_int_eq(sqlite3_open(scratch_file("other/meta.db"), &db), SQLITE_OK);
	snprintf(text, sizeof(text),
		 "PRAGMA page_size = %d; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
		 "BEGIN; CREATE TABLE mark(id); INSERT INTO mark VALUES(0); COMMIT;"
		 "CREATE TABLE t(x);",
		 sizes[_i]);
	ck_assert_int_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "UPDATE mark SET id = id + 1", NULL, NULL, NULL),
			 SQLITE_OK);
	const uint64_t marked = size_of("other/meta.db-wal");
	ck_assert_int_eq(sqlite3_exec(db, "INSERT INTO t VALUES(1)", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_uint_gt(size_of("other/meta.db-wal"), marked);
	SCOPE_FD int dir = openat(scratch_fd(), "other", O_RDONLY | O_CLOEXEC);
	session_wal_rewind(dir, &e);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(size_of("other/meta.db-wal"), marked);
	ck_assert_int_ne(access(scratch_file("other/meta.db-shm"), F_OK), 0);
	sqlite3_close(db);
}
END_TEST

START_TEST(refuses_a_log_that_is_none)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(mkdirat(scratch_fd(), "other", 0700), 0);
	SCOPE_FD int dir = openat(scratch_fd(), "other", O_RDONLY | O_CLOEXEC);
	session_wal_rewind(dir, &e);
	ck_assert_no_err(&e); /* no log */
	ck_assert_int_eq(symlinkat("/etc/passwd", dir, SESSION_WAL_NAME), 0);
	session_wal_rewind(dir, &e);
	ck_assert_err(&e, ERR_SYS, "log");
	ck_assert_int_eq(unlinkat(dir, SESSION_WAL_NAME, 0), 0);
	ck_assert_int_eq(mkdirat(dir, SESSION_WAL_NAME, 0700), 0);
	session_wal_rewind(dir, &e);
	ck_assert_err(&e, ERR_SYS, "log");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/session_wal");
	TCase *tc = tcase_create("power");

	tcase_add_checked_fixture(tc, setup, sample_session_remove);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, without_a_sync_it_is_as_it_was_made);
	tcase_add_loop_test(tc, a_change_of_a_file_is_synced_with_it, 0, ARRAY_LEN(changes));
	tcase_add_test(tc, what_did_not_change_is_not_synced_again);
	tcase_add_test(tc, of_too_many_all_are_synced);
	tcase_add_test(tc, what_came_after_the_sync_is_gone);
	tcase_add_test(tc, the_last_sync_counts);
	tcase_add_test(tc, under_the_same_boot_nothing_is_cut);
	tcase_add_test(tc, a_resume_keeps_what_the_last_sync_needs);
	tcase_add_test(tc, a_file_that_is_made_again_is_kept);
	tcase_add_loop_test(tc, a_torn_log_opens, 0, 2);
	tcase_add_loop_test(tc, a_header_that_is_wrong_counts_nothing, 0, 9);
	tcase_add_loop_test(tc, any_page_size_is_read, 0, 3);
	tcase_add_test(tc, refuses_a_log_that_is_none);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
