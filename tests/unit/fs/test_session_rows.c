/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of a session's database, and its transactions.
 */
#include "fs/session_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "fs/sample_session.h"
#include "fs/session_batch.h"
#include "fs/session_db_private.h"
#include "main.h"
#include "tests/support/scratch.h"

enum { BASE = 99, FIRST = BASE + 1, BLOCKS = 64 };

static struct session_db *db;

static void open_db(unsigned flags)
{
	struct err e = ERR_INIT;

	session_db_open(scratch_fd(), flags, BASE, &db, &e);
	session_db_begin(db, &e);
	ck_assert_no_err(&e);
}

/* With all that was changed in the database itself. */
static void close_db(void)
{
	struct err e = ERR_INIT;

	session_db_commit(db, &e);
	session_batch_flush(db, &e);
	ck_assert_no_err(&e);
	session_db_close(db);
	db = NULL;
}

static void setup(void)
{
	scratch_make();
	open_db(SESSION_DB_CREATE);
}

static void teardown(void)
{
	session_db_close(db);
	db = NULL;
	scratch_remove();
}

static void reopen(void)
{
	close_db();
	open_db(0);
}

/* SQL of somebody else, while shale is away. */
static void run_sql(const char *text)
{
	sqlite3 *other;
	char *message = NULL;

	close_db();
	ck_assert_int_eq(sqlite3_open(scratch_file(SESSION_DB_NAME), &other), SQLITE_OK);
	sqlite3_exec(other, text, NULL, NULL, &message);
	ck_assert_msg(!message, "%s: %s", text, message ? message : "");
	sqlite3_close(other);
}

static const struct session_inode inode = {
	.ino = 7,
	.mode = S_IFREG | 04755,
	.uid = UINT32_MAX,
	.gid = UINT32_MAX - 1,
	.nlink = 3,
	.rdev_major = 4095,
	.rdev_minor = UINT32_MAX,
	.size = INT64_MAX,
	.atim = {-5, 999999999},
	.mtim = {INT64_MAX, 1},
	.ctim = {INT64_MIN, 0},
	.parent = 9,
	.lower_size = INT64_MAX - 1,
	.place = SESSION_IN_FILE,
	.version = UINT32_MAX,
	.has_xattrs = true,
};

static void check_inode(const struct session_inode *in)
{
	ck_assert(in->is_stored);
	ck_assert_uint_eq(in->ino, inode.ino);
	ck_assert_uint_eq(in->mode, inode.mode);
	ck_assert_uint_eq(in->uid, inode.uid);
	ck_assert_uint_eq(in->gid, inode.gid);
	ck_assert_uint_eq(in->nlink, inode.nlink);
	ck_assert_uint_eq(in->rdev_major, inode.rdev_major);
	ck_assert_uint_eq(in->rdev_minor, inode.rdev_minor);
	ck_assert_uint_eq(in->size, inode.size);
	ck_assert_mem_eq(&in->atim, &inode.atim, sizeof(in->atim));
	ck_assert_mem_eq(&in->mtim, &inode.mtim, sizeof(in->mtim));
	ck_assert_mem_eq(&in->ctim, &inode.ctim, sizeof(in->ctim));
	ck_assert_uint_eq(in->parent, inode.parent);
	ck_assert_uint_eq(in->lower_size, inode.lower_size);
	ck_assert_int_eq(in->place, inode.place);
	ck_assert_uint_eq(in->version, inode.version);
	ck_assert(in->has_xattrs);
}

/* Whether it is the error of a damaged database. */
static unsigned is_refused(int found, struct err *e)
{
	if (found >= 0) {
		ck_assert_no_err(e);
		return 0;
	}
	ck_assert_err(e, ERR_FORMAT, "damaged");
	return 1;
}

/* Every row there is, by each way to come to it: how many questions were refused. */
static unsigned ask_all(void)
{
	enum { QUESTIONS_MAX = 10 };
	struct session_inode in = {.ino = 0};
	struct session_name name = {.order = 0};
	struct session_extent x = {0, 0};
	struct session_reply reply;
	char text[LIMIT_XATTR_VALUE], xattr[LIMIT_XATTR_NAME + 1] = "";
	struct err e = ERR_INIT;
	unsigned questions = 0, refused = 0;
	uint64_t parent = 0;
	size_t len;
	int found;

	while ((found = session_db_parent_next(db, parent, &parent, &e)) > 0)
		ck_assert_uint_lt(questions++, QUESTIONS_MAX);
	refused += is_refused(found, &e);
	while ((found = session_db_name_made(db, 9, name.order, &name, &e)) > 0)
		ck_assert_uint_lt(questions++, QUESTIONS_MAX);
	refused += is_refused(found, &e);
	name.len = 0;
	while ((found = session_db_name_above(db, 9, name.name, name.len, &name, &e)) > 0)
		ck_assert_uint_lt(questions++, QUESTIONS_MAX);
	refused += is_refused(found, &e);
	while ((found = session_db_inode_next(db, in.ino, &in, &e)) > 0)
		ck_assert_uint_lt(questions++, QUESTIONS_MAX);
	refused += is_refused(found, &e);
	while ((found = session_db_xattr_above(db, 7, xattr, xattr, &len, &e)) > 0)
		ck_assert_uint_lt(questions++, QUESTIONS_MAX);
	refused += is_refused(found, &e);
	while ((found = session_db_extent(db, 7, x.end, &x, &e)) > 0)
		ck_assert_uint_lt(questions++, QUESTIONS_MAX);
	refused += is_refused(found, &e);
	refused += is_refused(session_db_xattr(db, 7, "user.a", text, &len, &e), &e);
	refused += is_refused(session_db_content(db, 7, text, sizeof(text), &len, &e), &e);
	refused += is_refused(session_db_reply(db, 7, &reply, &e), &e);
	return refused;
}

START_TEST(an_inode_comes_back_as_it_was_put)
{
	struct err e = ERR_INIT;
	struct session_inode in;

	ck_assert_int_eq(session_db_inode(db, 7, &in, &e), 0);
	ck_assert_int_eq(session_db_put_inode(db, &inode, &e), 0);
	ck_assert_int_eq(session_db_inode(db, 7, &in, &e), 1);
	check_inode(&in);
	reopen();
	ck_assert_int_eq(session_db_inode_next(db, 6, &in, &e), 1);
	check_inode(&in);
	ck_assert_int_eq(session_db_inode_next(db, 7, &in, &e), 0);
	ck_assert_int_eq(session_db_remove_inode(db, &inode, &e), 0);
	ck_assert_int_eq(session_db_inode(db, 7, &in, &e), 0);
	ck_assert_no_err(&e);
}
END_TEST

/* All that belongs to an inode goes with it, and nothing of others. */
START_TEST(an_inode_goes_whole)
{
	struct session_name name = {
		.parent = 7, .ino = 8, .order = 5, .type = S_IFREG, .len = 1, .name = "n"};
	const struct session_extent x = {0, 4};
	struct session_extent seen;
	struct err e = ERR_INIT;
	char buf[8];
	size_t len;

	for (uint64_t ino = 6; ino <= 8; ino++) {
		struct session_inode in = inode;
		in.ino = name.parent = ino;
		session_db_put_inode(db, &in, &e);
		session_db_put_name(db, &name, &e);
		session_db_put_xattr(db, ino, "user.a", "v", 1, &e);
		session_db_put_content(db, ino, "c", 1, &e);
		session_db_add_extent(db, ino, &x, &e);
		ck_assert_no_err(&e);
	}
	/* A file of the base that has extents and content, as no row of one kind has both. */
	for (int place = SESSION_IN_ROW; place <= SESSION_IN_FILE; place++) {
		struct session_inode in = inode;
		in.place = (enum session_place)place;
		in.mode = S_IFREG | 0644;
		in.lower_size = 1;
		session_db_remove_inode(db, &in, &e);
	}
	struct session_inode dir = inode;
	dir.mode = S_IFDIR | 0755;
	session_db_remove_inode(db, &dir, &e);
	for (uint64_t ino = 6; ino <= 8; ino++) {
		const int is_there = ino != 7;
		ck_assert_int_eq(session_db_name(db, ino, "n", 1, &name, &e), is_there);
		ck_assert_int_eq(session_db_xattr(db, ino, "user.a", buf, &len, &e), is_there);
		ck_assert_int_eq(session_db_content(db, ino, buf, 1, &len, &e), is_there);
		ck_assert_int_eq(session_db_extent(db, ino, 0, &seen, &e), is_there);
	}
	ck_assert_no_err(&e);
}
END_TEST

/* In the order of bytes, and in that of their making; whiteouts are not made. */
START_TEST(names_have_two_orders)
{
	static const struct {
		const char *name;
		uint64_t ino, order;
	} rows[] = {{"b", 2, 30}, {"\xff", 3, 10}, {"a", 0, 0}, {"ab", 4, 20}, {"B", 5, 40}};
	static const char *const bytewise[] = {"B", "a", "ab", "b", "\xff"};
	static const char *const made[] = {"\xff", "ab", "b", "B"};
	struct session_name out = {.len = 0};
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct session_name in = {.parent = 9,
					  .ino = rows[i].ino,
					  .order = rows[i].order,
					  .type = S_IFDIR,
					  .len = strlen(rows[i].name)};
		memcpy(in.name, rows[i].name, in.len);
		session_db_put_name(db, &in, &e);
		in.parent = 10;
		session_db_put_name(db, &in, &e);
	}
	for (size_t i = 0; i < ARRAY_LEN(bytewise); i++) {
		ck_assert_int_eq(session_db_name_above(db, 9, out.name, out.len, &out, &e), 1);
		ck_assert_str_eq(out.name, bytewise[i]);
		ck_assert_uint_eq(out.type, S_IFDIR);
	}
	ck_assert_int_eq(session_db_name_above(db, 9, out.name, out.len, &out, &e), 0);
	out.order = 0;
	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		ck_assert_int_eq(session_db_name_made(db, 9, out.order, &out, &e), 1);
		ck_assert_str_eq(out.name, made[i]);
		ck_assert_uint_eq(out.parent, 9);
	}
	ck_assert_int_eq(session_db_name_made(db, 9, out.order, &out, &e), 0);
	uint64_t parent = 0;
	ck_assert_int_eq(session_db_parent_next(db, parent, &parent, &e), 1);
	ck_assert_uint_eq(parent, 9);
	ck_assert_int_eq(session_db_parent_next(db, parent, &parent, &e), 1);
	ck_assert_uint_eq(parent, 10);
	ck_assert_int_eq(session_db_parent_next(db, parent, &parent, &e), 0);
	ck_assert_int_eq(session_db_remove_name(db, 9, "a", 1, &e), 1);
	ck_assert_int_eq(session_db_remove_name(db, 9, "a", 1, &e), 0);
	ck_assert_int_eq(session_db_name(db, 10, "a", 1, &out, &e), 1);
	ck_assert_uint_eq(out.ino, 0);
	ck_assert_no_err(&e);
}
END_TEST

START_TEST(xattrs_and_content_hold_any_bytes)
{
	static const char value[] = "a\0b\xff";
	char name[LIMIT_XATTR_NAME + 1] = "";
	struct err e = ERR_INIT;
	char buf[8];
	size_t len = 99;

	session_db_put_xattr(db, 5, "user.z", value, 4, &e);
	session_db_put_xattr(db, 5, "user.empty", NULL, 0, &e);
	session_db_put_xattr(db, 5, "user.z", value, 3, &e);
	ck_assert_int_eq(session_db_xattr(db, 5, "user.z", buf, &len, &e), 1);
	ck_assert_uint_eq(len, 3);
	ck_assert_mem_eq(buf, value, 3);
	ck_assert_int_eq(session_db_xattr_above(db, 5, name, name, &len, &e), 1);
	ck_assert_str_eq(name, "user.empty");
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(session_db_xattr(db, 5, name, NULL, &len, &e), 1);
	ck_assert_int_eq(session_db_xattr_above(db, 5, name, name, &len, &e), 1);
	ck_assert_str_eq(name, "user.z");
	ck_assert_int_eq(session_db_xattr_above(db, 5, name, name, &len, &e), 0);
	ck_assert_int_eq(session_db_remove_xattr(db, 5, "user.z", &e), 1);
	ck_assert_int_eq(session_db_remove_xattr(db, 5, "user.z", &e), 0);

	session_db_put_content(db, 5, value, 4, &e);
	ck_assert_int_eq(session_db_content(db, 5, buf, 2, &len, &e), 1);
	ck_assert_uint_eq(len, 4);
	ck_assert_mem_eq(buf, value, 2);
	session_db_put_content(db, 5, NULL, 0, &e);
	ck_assert_int_eq(session_db_content(db, 5, buf, sizeof(buf), &len, &e), 1);
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(session_db_remove_content(db, 5, &e), 0);
	ck_assert_int_eq(session_db_content(db, 5, buf, sizeof(buf), &len, &e), 0);
	ck_assert_no_err(&e);
}
END_TEST

/* Rows say what the array says, and no two of them touch. */
static void check_extents(uint64_t ino, const bool has[static BLOCKS])
{
	struct session_extent x, before = {0, 0};
	struct err e = ERR_INIT;
	bool seen[BLOCKS] = {false};
	uint64_t at = 0;
	bool is_first = true;

	while (session_db_extent(db, ino, at, &x, &e) == 1) {
		ck_assert_uint_lt(x.start, x.end);
		ck_assert(is_first || x.start > before.end);
		ck_assert_uint_le(x.end, BLOCKS);
		for (uint64_t i = x.start; i < x.end; i++)
			seen[i] = true;
		at = x.end;
		before = x;
		is_first = false;
	}
	ck_assert_no_err(&e);
	ck_assert_mem_eq(seen, has, sizeof(seen));
	for (uint64_t block = 0; block < BLOCKS; block++) {
		const int found = session_db_extent(db, ino, block, &x, &e);
		if ((found && x.start <= block) != has[block])
			ck_abort_msg("block %llu", (unsigned long long)block);
	}
}

START_TEST(extents_are_joined_and_cut)
{
	uint64_t random = 4711 + (uint64_t)_i;
	bool has[2][BLOCKS] = {{false}};
	struct err e = ERR_INIT;

	for (int i = 0; i < 1500; i++) {
		const uint32_t ino = sample_random(&random, 2);
		const uint32_t start = sample_random(&random, BLOCKS);
		if (sample_random(&random, 5) == 0) {
			session_db_cut_extents(db, ino + 1, start, &e);
			for (uint32_t k = start; k < BLOCKS; k++)
				has[ino][k] = false;
		} else {
			const uint32_t most = BLOCKS - start < 9 ? BLOCKS - start : 9;
			const struct session_extent x = {start,
							 start + 1 + sample_random(&random, most)};
			session_db_add_extent(db, ino + 1, &x, &e);
			for (uint64_t k = x.start; k < x.end; k++)
				has[ino][k] = true;
		}
		ck_assert_no_err(&e);
		if (i % 7 == 0) {
			check_extents(1, has[0]);
			check_extents(2, has[1]);
		}
	}
	check_extents(1, has[0]);
	check_extents(2, has[1]);
}
END_TEST

START_TEST(a_reply_is_kept_for_each_thread)
{
	const struct session_reply replies[] = {{11, 5}, {12, 0}, {13, 9}};
	struct session_reply out;
	struct err e = ERR_INIT;

	session_db_put_reply(db, 0, &replies[0], &e);
	session_db_put_reply(db, 1, &replies[1], &e);
	session_db_put_reply(db, 0, &replies[2], &e);
	ck_assert_int_eq(session_db_reply(db, 11, &out, &e), 0);
	ck_assert_int_eq(session_db_reply(db, 12, &out, &e), 1);
	ck_assert_uint_eq(out.ino, 0);
	ck_assert_int_eq(session_db_reply(db, 13, &out, &e), 1);
	ck_assert_uint_eq(out.ino, 9);
	ck_assert_no_err(&e);
}
END_TEST

START_TEST(a_transaction_is_whole_or_nothing)
{
	struct session_inode in;
	struct err e = ERR_INIT;
	uint64_t first = 0;

	session_db_put_inode(db, &inode, &e);
	session_db_reserve(db, 10, &first, &e);
	ck_assert_uint_eq(first, FIRST);
	session_db_rollback(db);
	session_db_rollback(db); /* no harm */
	ck_assert_int_eq(session_db_inode(db, 7, &in, &e), 0);
	session_db_begin(db, &e);
	session_db_put_inode(db, &inode, &e);
	session_db_reserve(db, 10, &first, &e);
	ck_assert_uint_eq(first, FIRST);
	session_db_commit(db, &e);
	session_db_begin(db, &e);
	session_db_reserve(db, 1, &first, &e);
	ck_assert_uint_eq(first, FIRST + 10);
	reopen();
	session_db_reserve(db, 1, &first, &e);
	ck_assert_uint_eq(first, FIRST + 11);
	ck_assert_int_eq(session_db_inode(db, 7, &in, &e), 1);
	ck_assert_no_err(&e);
}
END_TEST

/* A copy is of one moment, and can only be read. */
START_TEST(a_copy_has_what_was_there)
{
	SCOPE(session_db) struct session_db *reader = NULL;
	struct session_inode in;
	struct err e = ERR_INIT;

	ck_assert_int_eq(mkdirat(scratch_fd(), "copy", 0700), 0);
	SCOPE_FD int folder = openat(scratch_fd(), "copy", O_RDONLY | O_DIRECTORY);
	session_db_put_inode(db, &inode, &e);
	session_db_commit(db, &e);
	session_db_copy(db, folder, &e);
	session_db_begin(db, &e);
	session_db_remove_inode(db, &inode, &e);
	session_db_open(folder, SESSION_DB_READ, BASE, &reader, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(session_db_inode(reader, 7, &in, &e), 1);
	session_db_begin(reader, &e);
	ck_assert_no_err(&e);
	session_db_remove_inode(reader, &inode, &e);
	ck_assert_int_ne(e.code, ERR_NONE);
	err_clear(&e);
}
END_TEST

/* Numbers that no row of shale has. */
START_TEST(refuses_rows_that_cannot_be)
{
	static const char *const updates[] = {
		"UPDATE inode SET size = -1",
		"UPDATE inode SET lower_size = size + 1",
		"UPDATE inode SET lower_size = -1",
		"UPDATE inode SET place = 3",
		"UPDATE inode SET place = -1",
		"UPDATE inode SET mtime_nsec = 1000000000",
		"UPDATE inode SET atime_nsec = -1",
		"UPDATE inode SET ctime_nsec = 5000000000",
		"UPDATE inode SET mode = 4294967296 + mode",
		"UPDATE inode SET nlink = -1",
		"UPDATE inode SET version = 4294967296",
		"UPDATE inode SET parent = -1",
	};
	struct session_inode in = inode;
	struct err e = ERR_INIT;

	in.size = 5000;
	in.lower_size = 4000;
	session_db_put_inode(db, &in, &e);
	ck_assert_int_eq(session_db_inode(db, 7, &in, &e), 1);
	run_sql(updates[_i]);
	open_db(0);
	ck_assert_int_eq(session_db_inode(db, 7, &in, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "inode 7");
}
END_TEST

START_TEST(refuses_names_that_cannot_be)
{
	static const char *const updates[] = {
		"UPDATE name SET name = x''",       "UPDATE name SET name = zeroblob(256)",
		"UPDATE name SET name = x'612f62'", "UPDATE name SET name = x'6100'",
		"UPDATE name SET name = x'2e2e'",   "UPDATE name SET ino = -1",
		"UPDATE name SET made = -1",
	};
	struct session_name name = {
		.parent = 9, .ino = 7, .order = 3, .type = S_IFREG, .len = 1, .name = "n"};
	struct err e = ERR_INIT;
	uint64_t parent;

	session_db_put_name(db, &name, &e);
	ck_assert_int_eq(session_db_name_made(db, 9, 0, &name, &e), 1);
	run_sql(updates[_i]);
	open_db(0);
	name.len = 0;
	if (session_db_name_above(db, 9, "", 0, &name, &e) == 0)
		ck_assert_int_eq(session_db_name(db, 9, "", 0, &name, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "damaged");
	ck_assert_int_eq(session_db_parent_next(db, 0, &parent, &e), 1);
}
END_TEST

/* A value of a type that shale does not write, which SQLite finds to be well: text is above all
 * numbers, and reads as 0.  Each question that meets the row is answered once, by an error. */
START_TEST(refuses_values_of_other_types)
{
	static const char *const updates[] = {
		"UPDATE name SET parent = 'x'",      "UPDATE name SET parent = x'00'",
		"UPDATE name SET parent = 9.5",      "UPDATE name SET made = 'zzz'",
		"UPDATE name SET made = x''",        "UPDATE name SET ino = 'x'",
		"UPDATE name SET type = 'x'",        "UPDATE name SET name = 'text'",
		"UPDATE xattr SET value = 'text'",   "UPDATE content SET bytes = 'text'",
		"UPDATE content SET bytes = 5",      "UPDATE extent SET end = 'x'",
		"UPDATE extent SET start = 'x'",     "UPDATE extent SET start = 0.5",
		"UPDATE inode SET mode = 'x'",       "UPDATE inode SET size = 'x'",
		"UPDATE inode SET mtime = 'x'",      "UPDATE inode SET parent = x'01'",
		"UPDATE inode SET lower_size = 0.5", "UPDATE inode SET has_xattrs = 'x'",
		"UPDATE reply SET ino = 'x'",
	};
	const struct session_name name = {
		.parent = 9, .ino = 7, .order = 3, .type = S_IFREG, .len = 1, .name = "n"};
	const struct session_extent x = {0, 3};
	const struct session_reply r = {7, 8};
	struct err e = ERR_INIT;

	session_db_put_inode(db, &inode, &e);
	session_db_put_name(db, &name, &e);
	session_db_put_xattr(db, 7, "user.a", "v", 1, &e);
	session_db_put_content(db, 7, "c", 1, &e);
	session_db_add_extent(db, 7, &x, &e);
	session_db_put_reply(db, 0, &r, &e);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(ask_all(), 0);
	run_sql(updates[_i]);
	open_db(0);
	ck_assert_int_eq(session_db_check(db, &e), 0);
	ck_assert_uint_gt(ask_all(), 0);
}
END_TEST

/* As rows out of their order would be answered: no question is its own answer. */
START_TEST(an_answer_that_does_not_go_on_is_an_error)
{
	struct session_name name = {
		.parent = 9, .ino = 7, .order = 3, .type = S_IFREG, .len = 1, .name = "n"};
	struct session_inode in;
	struct err e = ERR_INIT;
	uint64_t parent;

	session_db_put_inode(db, &inode, &e);
	session_db_put_name(db, &name, &e);
	ck_assert_no_err(&e);
	/* To SQLite it is -1. */
	ck_assert_int_eq(session_db_parent_next(db, UINT64_MAX, &parent, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "directory 9 comes after");
	ck_assert_int_eq(session_db_name_made(db, 9, UINT64_MAX, &name, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "made at 3 comes after");
	ck_assert_int_eq(session_db_inode_next(db, UINT64_MAX, &in, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "inode 7 comes after");
}
END_TEST

START_TEST(refuses_extents_that_cannot_be)
{
	static const char *const updates[] = {
		"UPDATE extent SET start = end",
		"UPDATE extent SET start = -1",
		/* In bytes it would be 4096. */
		"UPDATE extent SET end = 4503599627370497",
	};
	const struct session_extent x = {0, 3};
	struct session_extent out;
	struct err e = ERR_INIT;

	session_db_add_extent(db, 7, &x, &e);
	run_sql(updates[_i]);
	open_db(0);
	ck_assert_int_eq(session_db_extent(db, 7, 1, &out, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "inode 7");
}
END_TEST

START_TEST(a_check_finds_a_damaged_page)
{
	struct err e = ERR_INIT;
	struct stat st;

	for (uint64_t ino = 1; ino < 500; ino++) {
		struct session_inode in = inode;
		in.ino = ino;
		session_db_put_inode(db, &in, &e);
	}
	ck_assert_int_eq(session_db_check(db, &e), 0);
	session_db_commit(db, &e);
	session_db_sync(db, &e);
	session_db_checkpoint(db, &e);
	ck_assert_no_err(&e);
	session_db_close(db);
	db = NULL;
	ck_assert_int_eq(unlinkat(scratch_fd(), "meta.db-wal", 0), 0);
	SCOPE_FD int fd = openat(scratch_fd(), SESSION_DB_NAME, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_gt(st.st_size, 10 * 4096);
	ck_assert_int_eq(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, st.st_size - 4096), 8);
	open_db(0);
	ck_assert_int_eq(session_db_check(db, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "damaged");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/session_rows");
	TCase *tc = tcase_create("rows");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, an_inode_comes_back_as_it_was_put);
	tcase_add_test(tc, an_inode_goes_whole);
	tcase_add_test(tc, names_have_two_orders);
	tcase_add_test(tc, xattrs_and_content_hold_any_bytes);
	tcase_add_loop_test(tc, extents_are_joined_and_cut, 0, UNIT_LOOPS(5));
	tcase_add_test(tc, a_reply_is_kept_for_each_thread);
	tcase_add_test(tc, a_transaction_is_whole_or_nothing);
	tcase_add_test(tc, a_copy_has_what_was_there);
	suite_add_tcase(s, tc);
	tc = tcase_create("damage");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, refuses_rows_that_cannot_be, 0, 12);
	tcase_add_loop_test(tc, refuses_names_that_cannot_be, 0, 7);
	tcase_add_loop_test(tc, refuses_values_of_other_types, 0, 21);
	tcase_add_test(tc, an_answer_that_does_not_go_on_is_an_error);
	tcase_add_loop_test(tc, refuses_extents_that_cannot_be, 0, 3);
	tcase_add_test(tc, a_check_finds_a_damaged_page);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
