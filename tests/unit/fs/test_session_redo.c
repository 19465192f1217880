/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch of requests that is not in the database yet: closing without a flush is what a kill
 * leaves.
 */
#include "fs/session_redo.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/io.h"
#include "base/le.h"
#include "fs/sample_session.h"
#include "fs/session_batch.h"
#include "fs/session_db_private.h"
#include "fs/session_wal.h"
#include "main.h"
#include "tests/support/scratch.h"

enum { BASE = 99, INO = 200 };

static struct session_db *db;

static void open_db(void)
{
	struct err e = ERR_INIT;

	session_db_open(scratch_fd(), 0, BASE, &db, &e);
	ck_assert_no_err(&e);
}

static void setup(void)
{
	struct err e = ERR_INIT;

	scratch_make();
	session_db_open(scratch_fd(), SESSION_DB_CREATE, BASE, &db, &e);
	ck_assert_no_err(&e);
}

static void teardown(void)
{
	session_db_close(db);
	db = NULL;
	scratch_remove();
}

static void die(void)
{
	session_db_close(db);
	db = NULL;
}

static struct session_inode inode_of(uint64_t ino, uint64_t size)
{
	return (struct session_inode){
		.ino = ino, .mode = S_IFREG | 0644, .nlink = 1, .size = size, .mtim = {-1, 5}};
}

/* A request that makes a file of each kind of row. */
static void put(uint64_t ino, uint64_t size)
{
	const struct session_inode in = inode_of(ino, size);
	const struct session_reply reply = {ino * 2, ino};
	struct session_name name = {.parent = 1, .ino = ino, .order = ino, .type = S_IFREG};
	struct err e = ERR_INIT;

	name.len = (size_t)snprintf(name.name, sizeof(name.name), "%llu", (unsigned long long)ino);
	session_db_begin(db, &e);
	session_db_put_inode(db, &in, &e);
	session_db_put_name(db, &name, &e);
	session_db_put_content(db, ino, "\0bytes", 6, &e);
	session_db_put_xattr(db, ino, "user.x", "", 0, &e);
	session_db_add_extent(db, ino, &(struct session_extent){3, 9}, &e);
	session_db_put_reply(db, (unsigned)(ino % 4), &reply, &e);
	session_db_commit(db, &e);
	ck_assert_no_err(&e);
}

static void check(uint64_t ino, uint64_t size)
{
	const struct session_inode want = inode_of(ino, size);
	char bytes[16], text[24];
	struct session_extent x;
	struct session_inode in;
	struct session_name name;
	struct err e = ERR_INIT;
	size_t len;

	ck_assert_int_eq(session_db_inode(db, ino, &in, &e), 1);
	ck_assert_uint_eq(in.size, size);
	ck_assert_int_eq(in.mtim.tv_sec, want.mtim.tv_sec);
	ck_assert(in.is_stored);
	const int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)ino);
	ck_assert_int_eq(session_db_name(db, 1, text, (size_t)n, &name, &e), 1);
	ck_assert_uint_eq(name.ino, ino);
	ck_assert_int_eq(session_db_content(db, ino, bytes, sizeof(bytes), &len, &e), 1);
	ck_assert_uint_eq(len, 6);
	ck_assert_mem_eq(bytes, "\0bytes", 6);
	ck_assert_int_eq(session_db_xattr(db, ino, "user.x", bytes, &len, &e), 1);
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(session_db_extent(db, ino, 0, &x, &e), 1);
	ck_assert_uint_eq(x.start, 3);
	ck_assert_uint_eq(x.end, 9);
	ck_assert_no_err(&e);
}

static void check_gone(uint64_t ino)
{
	struct session_inode in;
	struct err e = ERR_INIT;

	ck_assert_int_eq(session_db_inode(db, ino, &in, &e), 0);
	ck_assert_no_err(&e);
}

static uint64_t redo_size(void)
{
	struct stat st;

	ck_assert_int_eq(stat(scratch_file(SESSION_REDO_NAME), &st), 0);
	return (uint64_t)st.st_size;
}

START_TEST(a_kill_loses_nothing)
{
	struct session_reply reply;
	struct err e = ERR_INIT;

	for (uint64_t i = 0; i < 10; i++)
		put(INO + i, i);
	put(INO, 77);
	/* Twice: what was done again is not written again. */
	for (int i = 0; i < 2; i++) {
		die();
		open_db();
		check(INO, 77);
		for (uint64_t k = 1; k < 10; k++)
			check(INO + k, k);
		ck_assert_int_eq(session_db_reply(db, (INO + 9) * 2, &reply, &e), 1);
		ck_assert_uint_eq(reply.ino, INO + 9);
	}
	put(INO + 10, 10);
	die();
	open_db();
	check(INO + 9, 9);
	check(INO + 10, 10);
}
END_TEST

/* The log begins anew with each batch, over what it had. */
START_TEST(many_batches)
{
	struct session_inode in;
	struct err e = ERR_INIT;

	for (uint64_t i = 0; i < 2000; i++)
		put(INO + i, i);
	ck_assert_uint_lt(redo_size(), 2 * 1024 * 1024);
	/* Rows that are held, and others, in their order. */
	for (uint64_t i = 0, ino = INO - 1; i < 2000; i++) {
		ck_assert_int_eq(session_db_inode_next(db, ino, &in, &e), 1);
		ck_assert_uint_eq(in.ino, ino + 1);
		ino = in.ino;
	}
	die();
	open_db();
	for (uint64_t i = 0; i < 2000; i++)
		check(INO + i, i);
}
END_TEST

/* Its records lie where those of the next batch end: all are of one size. */
START_TEST(a_batch_that_was_committed_means_nothing)
{
	struct err e = ERR_INIT;

	put(INO, 1);
	put(INO + 1, 1);
	put(INO + 2, 1);
	session_batch_flush(db, &e);
	ck_assert_no_err(&e);
	const uint64_t size = redo_size();
	put(INO + 1, 3);
	put(INO + 2, 3);
	put(INO + 2, 4);
	ck_assert_uint_eq(redo_size(), size);
	session_batch_flush(db, &e);
	put(INO + 2, 5);
	ck_assert_no_err(&e);
	die();
	open_db();
	check(INO, 1);
	check(INO + 1, 3);
	check(INO + 2, 5);
}
END_TEST

/* Numbers that are no secret would let a client write a record as the content of a file. */
START_TEST(numbers_of_batches_are_not_to_be_guessed)
{
	uint64_t seen[3];
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
		seen[i] = db->batch;
		put(INO, i);
		session_batch_flush(db, &e);
		ck_assert_no_err(&e);
	}
	ck_assert_uint_gt(seen[0] >> 16, 0);
	ck_assert_uint_ne(seen[1] - seen[0], seen[2] - seen[1]);
	const uint64_t last = db->batch;
	die();
	open_db();
	ck_assert_uint_eq(db->batch, last);
}
END_TEST

/* A request that changes nothing leaves no transaction, in which nothing can be checkpointed. */
START_TEST(a_request_without_a_change_leaves_nothing_open)
{
	struct err e = ERR_INIT;

	put(INO, 1);
	session_db_sync(db, &e);
	session_db_begin(db, &e);
	session_db_rollback(db);
	ck_assert_int_eq(session_db_checkpoint(db, &e), 0);
	session_db_begin(db, &e);
	session_db_commit(db, &e);
	ck_assert_int_eq(session_db_empty_log(db, &e), 0);
	ck_assert_no_err(&e);
}
END_TEST

/* Numbers of the base are not given out, whatever the log says. */
START_TEST(refuses_a_next_number_of_the_base)
{
	SCOPE(str) struct str record = STR_INIT;
	struct err e = ERR_INIT;

	str_append_zeros(&record, SESSION_REDO_HEADER, &e);
	str_append(&record, "\1\5\0\0\0\0\0\0\0", 9, &e);
	session_redo_append(&db->redo, db->batch, &record, &e);
	ck_assert_no_err(&e);
	die();
	session_db_open(scratch_fd(), 0, BASE, &db, &e);
	ck_assert_err(&e, ERR_FORMAT, "next inode 5 is one of the image");
}
END_TEST

START_TEST(a_removed_row_is_not_held)
{
	const struct session_inode in = inode_of(INO, 1);
	struct err e = ERR_INIT;

	put(INO, 1);
	session_db_begin(db, &e);
	session_db_remove_inode(db, &in, &e);
	session_db_commit(db, &e);
	check_gone(INO);
	session_batch_flush(db, &e);
	ck_assert_no_err(&e);
	check_gone(INO);
	die();
	open_db();
	check_gone(INO);
}
END_TEST

/* As a kill in the middle of its write leaves it: the request has no answer yet. */
START_TEST(a_torn_record_ends_the_log)
{
	put(INO, 1);
	const uint64_t before = redo_size();
	put(INO + 1, 1);
	const uint64_t after = redo_size();
	die();
	const uint64_t at = before + (after - before) * (uint64_t)_i / 8;
	ck_assert_int_eq(truncate(scratch_file(SESSION_REDO_NAME), (off_t)at), 0);
	open_db();
	check(INO, 1);
	check_gone(INO + 1);
	put(INO + 2, 2);
	die();
	open_db();
	check(INO, 1);
	check_gone(INO + 1);
	check(INO + 2, 2);
}
END_TEST

START_TEST(a_changed_byte_ends_the_log)
{
	uint8_t byte;

	put(INO, 1);
	const uint64_t before = redo_size();
	put(INO + 1, 1);
	const uint64_t after = redo_size();
	die();
	SCOPE_FD int fd = open(scratch_file(SESSION_REDO_NAME), O_RDWR | O_CLOEXEC);
	const off_t at = (off_t)(before + (after - before - 1) * (uint64_t)_i / 15);
	ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
	byte ^= 0x40;
	ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
	open_db();
	check(INO, 1);
	check_gone(INO + 1);
}
END_TEST

/* What no shale writes, with checksums that are right. */
START_TEST(refuses_records_that_cannot_be)
{
	static const struct {
		const char *bytes;
		size_t len;
	} records[] = {
		{"\0", 1},
		{"\x11", 1},
		{"\xff", 1},
		{"\x03", 1},
		{"\x03\1\0\0\0\0\0\0", 8},
		{"\x03\1\0\0\0\0\0\0\0\x03", 10},
		{"\x07\1\0\0\0\0\0\0\0\1\0\0", 12},
		{"\x07\1\0\0\0\0\0\0\0\2\0\0\0x", 14},
		{"\x07\1\0\0\0\0\0\0\0\xff\xff\xff\xffx", 14},
	};
	SCOPE(str) struct str record = STR_INIT;
	struct err e = ERR_INIT;

	put(INO, 1);
	str_append_zeros(&record, SESSION_REDO_HEADER, &e);
	str_append(&record, records[_i].bytes, records[_i].len, &e);
	session_redo_append(&db->redo, db->batch, &record, &e);
	ck_assert_no_err(&e);
	die();
	session_db_open(scratch_fd(), 0, BASE, &db, &e);
	ck_assert_err(&e, ERR_FORMAT, "redo log is damaged");
}
END_TEST

/* A request that fails takes nothing of those before with it. */
START_TEST(a_rollback_keeps_the_batch)
{
	const struct session_inode in = inode_of(INO, 5), other = inode_of(INO + 9, 5);
	struct err e = ERR_INIT;

	put(INO, 1);
	session_db_begin(db, &e);
	session_db_put_inode(db, &in, &e);
	session_db_remove_name(db, 1, "200", 3, &e);
	session_db_put_inode(db, &other, &e);
	ck_assert_no_err(&e);
	session_db_rollback(db);
	check(INO, 1);
	check_gone(INO + 9);
	put(INO + 1, 1);
	die();
	open_db();
	check(INO, 1);
	check(INO + 1, 1);
	check_gone(INO + 9);
}
END_TEST

/* Some errors inside SQLite take the whole transaction. */
START_TEST(what_sqlite_lost_is_done_again)
{
	struct session_inode in;
	struct err e = ERR_INIT;

	ck_assert_int_eq(
		sqlite3_exec(db->db,
			     "CREATE TEMP TRIGGER fails BEFORE INSERT ON main.xattr "
			     "WHEN NEW.value = x'79' BEGIN SELECT RAISE(ROLLBACK, 'lost'); END",
			     NULL, NULL, NULL),
		SQLITE_OK);
	put(INO, 1);
	session_db_begin(db, &e);
	ck_assert_int_eq(session_db_put_xattr(db, INO, "user.y", "y", 1, &e), -1);
	err_clear(&e);
	ck_assert(db->is_behind);
	ck_assert_int_eq(session_db_inode(db, INO, &in, &e), -1);
	ck_assert_err(&e, ERR_SYS, "lost the request");
	ck_assert_int_eq(session_db_commit(db, &e), -1);
	err_clear(&e);
	session_db_rollback(db);
	ck_assert(!db->is_behind);
	check(INO, 1);
	put(INO + 1, 1);
	check(INO + 1, 1);
}
END_TEST

/* No room for the record: the request is none, and those before are. */
START_TEST(a_record_that_cannot_be_written_is_none)
{
	const struct session_inode in = inode_of(INO, 5);
	struct err e = ERR_INIT;
	const int writable = db->redo.fd;

	put(INO, 1);
	db->redo.fd = open(scratch_file(SESSION_REDO_NAME), O_RDONLY | O_CLOEXEC);
	session_db_begin(db, &e);
	session_db_put_inode(db, &in, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(session_db_commit(db, &e), -1);
	ck_assert_err(&e, ERR_SYS, "redo log");
	session_db_rollback(db);
	check(INO, 1);
	close(db->redo.fd);
	db->redo.fd = writable;
	put(INO, 2);
	check(INO, 2);
}
END_TEST

/* With what an earlier batch left there, a part of a record may be all of it. */
START_TEST(a_refused_record_is_not_read)
{
	const struct session_inode in = inode_of(INO, 5);
	struct err e = ERR_INIT;
	struct session_inode seen;

	put(INO, 1);
	session_db_begin(db, &e);
	session_db_put_inode(db, &in, &e);
	/* All of it is there, and the call says that it failed. */
	session_redo_append(&db->redo, db->batch, &db->record, &e);
	db->redo.size -= db->record.len;
	ck_assert_no_err(&e);
	session_db_rollback(db);
	check(INO, 1);
	/* A log that lost what it had is told. */
	ck_assert_int_eq(ftruncate(db->redo.fd, 10), 0);
	session_db_begin(db, &e);
	session_db_put_inode(db, &in, &e);
	ck_assert_no_err(&e);
	session_db_rollback(db);
	ck_assert_int_eq(session_db_inode(db, INO, &seen, &e), -1);
	ck_assert_err(&e, ERR_SYS, "has lost a request");
}
END_TEST

/* A commit that failed may be whole in the WAL: what was answered later must not be lost by it. */
START_TEST(after_a_failed_commit_a_request_commits_first)
{
	const uint64_t before = db->batch;
	struct err e = ERR_INIT;

	put(INO, 1);
	ck_assert_int_eq(sqlite3_exec(db->db, "PRAGMA query_only = ON", NULL, NULL, NULL),
			 SQLITE_OK);
	ck_assert_int_eq(session_batch_flush(db, &e), -1);
	err_clear(&e);
	ck_assert_int_eq(session_db_begin(db, &e), -1);
	err_clear(&e);
	ck_assert_int_eq(sqlite3_exec(db->db, "PRAGMA query_only = OFF", NULL, NULL, NULL),
			 SQLITE_OK);
	check(INO, 1);
	ck_assert_uint_eq(db->batch, before);
	put(INO + 1, 1);
	ck_assert_uint_ne(db->batch, before);
	die();
	open_db();
	check(INO, 1);
	check(INO + 1, 1);
}
END_TEST

/* Near the end of the disk: what was answered before is in the database when the next begins. */
START_TEST(a_small_batch_is_one_request)
{
	put(INO, 1);
	put(INO + 1, 1);
	const uint64_t large = db->batch;
	session_db_limit_batch(db, true);
	put(INO + 2, 1);
	const uint64_t small = db->batch;
	ck_assert_uint_ne(small, large);
	put(INO + 3, 1);
	ck_assert_uint_ne(db->batch, small);
	session_db_limit_batch(db, false);
	const uint64_t last = db->batch;
	put(INO + 4, 1);
	ck_assert_uint_eq(db->batch, last);
	die();
	open_db();
	for (uint64_t i = 0; i < 5; i++)
		check(INO + i, 1);
}
END_TEST

/* After a power loss all of it is younger than the mark. */
START_TEST(a_rewind_removes_it)
{
	struct err e = ERR_INIT;

	put(INO, 1);
	session_db_sync(db, &e);
	put(INO + 1, 1);
	die();
	session_wal_rewind(scratch_fd(), &e);
	ck_assert_no_err(&e);
	open_db();
	check(INO, 1);
	check_gone(INO + 1);
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
	struct err e = ERR_INIT;

	die();
	ck_assert_int_eq(session_redo_remove(scratch_fd(), &e), 0);
	ck_assert_int_eq(session_redo_remove(scratch_fd(), &e), 0);
	ck_assert_int_eq(session_redo_is_used(scratch_fd(), &e), 0);
	ck_assert_int_eq(symlinkat("/etc/passwd", scratch_fd(), SESSION_REDO_NAME), 0);
	session_db_open(scratch_fd(), 0, BASE, &db, &e);
	ck_assert_err(&e, ERR_SYS, "'redo'");
	ck_assert_int_eq(session_redo_is_used(scratch_fd(), &e), 1);
	ck_assert_int_eq(unlinkat(scratch_fd(), SESSION_REDO_NAME, 0), 0);
	ck_assert_int_eq(mkfifoat(scratch_fd(), SESSION_REDO_NAME, 0600), 0);
	session_db_open(scratch_fd(), 0, BASE, &db, &e);
	ck_assert_err(&e, ERR_FORMAT, "no regular file");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/session_redo");
	TCase *tc = tcase_create("batch");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_kill_loses_nothing);
	tcase_add_test(tc, many_batches);
	tcase_add_test(tc, a_batch_that_was_committed_means_nothing);
	tcase_add_test(tc, a_removed_row_is_not_held);
	tcase_add_loop_test(tc, a_torn_record_ends_the_log, 0, 8);
	tcase_add_loop_test(tc, a_changed_byte_ends_the_log, 0, 16);
	tcase_add_loop_test(tc, refuses_records_that_cannot_be, 0, 9);
	tcase_add_test(tc, a_rollback_keeps_the_batch);
	tcase_add_test(tc, what_sqlite_lost_is_done_again);
	tcase_add_test(tc, a_record_that_cannot_be_written_is_none);
	tcase_add_test(tc, numbers_of_batches_are_not_to_be_guessed);
	tcase_add_test(tc, a_request_without_a_change_leaves_nothing_open);
	tcase_add_test(tc, refuses_a_next_number_of_the_base);
	tcase_add_test(tc, a_refused_record_is_not_read);
	tcase_add_test(tc, after_a_failed_commit_a_request_commits_first);
	tcase_add_test(tc, a_small_batch_is_one_request);
	tcase_add_test(tc, a_rewind_removes_it);
	tcase_add_test(tc, refuses_what_is_no_file);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
