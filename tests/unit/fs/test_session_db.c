/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which databases are opened: of this version, with its tables, and over this base.
 */
#include "fs/session_db.h"

#include <sqlite3.h>
#include <unistd.h>

#include "base/array.h"
#include "fs/sample_session.h"
#include "main.h"
#include "tests/support/scratch.h"

enum { BASE = 99 };

static struct session_db *db;

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

static void exec_sql(const char *path, const char *text)
{
	sqlite3 *other;
	char *message = NULL;

	ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
	sqlite3_exec(other, text, NULL, NULL, &message);
	ck_assert_msg(!message, "%s: %s", text, message ? message : "");
	sqlite3_close(other);
}

/* SQL of somebody else, while shale is away. */
static void run_sql(const char *text)
{
	session_db_close(db);
	db = NULL;
	exec_sql(scratch_file(SESSION_DB_NAME), text);
}

START_TEST(refuses_other_databases)
{
	static const struct {
		const char *sql;
		enum err_code code;
		const char *text;
	} cases[] = {
		{"PRAGMA user_version = 2", ERR_UNSUPPORTED, "version 2"},
		{"PRAGMA user_version = 0", ERR_UNSUPPORTED, "version"},
		{"PRAGMA application_id = 1", ERR_FORMAT, "none of shale"},
		{"DROP TABLE mark", ERR_FORMAT, "no 'mark'"},
		{"CREATE TABLE first(x); DROP TABLE mark; CREATE TABLE second(x);"
		 "CREATE TABLE mark(id INTEGER PRIMARY KEY, generation INTEGER NOT NULL);"
		 "DROP TABLE first; DROP TABLE second",
		 ERR_FORMAT, "its mark is page"},
		{"DROP TABLE inode", ERR_FORMAT, "inode"},
		{"DROP TABLE reply", ERR_FORMAT, "reply"},
		{"ALTER TABLE extent RENAME COLUMN start TO begin", ERR_FORMAT, "'extent'"},
		{"ALTER TABLE inode ADD COLUMN more", ERR_FORMAT, "its 'inode'"},
		{"DROP INDEX name_made", ERR_FORMAT, "no 'name_made'"},
		/* Without its condition, and over text. */
		{"DROP INDEX name_made; CREATE INDEX name_made ON name(parent, made)", ERR_FORMAT,
		 "its 'name_made'"},
		{"DROP TABLE inode; CREATE TABLE inode(ino TEXT PRIMARY KEY, mode) WITHOUT ROWID",
		 ERR_FORMAT, "its 'inode'"},
		{"ALTER TABLE reply RENAME TO other; CREATE VIEW reply AS SELECT * FROM other",
		 ERR_FORMAT, "does not have"},
		{"DROP TABLE reply; CREATE VIEW reply AS SELECT 1 slot, 2 request, 3 ino",
		 ERR_FORMAT, "its 'reply'"},
		{"CREATE TRIGGER t AFTER DELETE ON reply BEGIN DELETE FROM inode; END", ERR_FORMAT,
		 "does not have"},
		{"CREATE TABLE more(x)", ERR_FORMAT, "does not have"},
		{"ANALYZE", ERR_FORMAT, "does not have"},
	};
	struct err e = ERR_INIT;

	run_sql(cases[_i].sql);
	session_db_open(scratch_fd(), 0, BASE, &db, &e);
	ck_assert_err(&e, cases[_i].code, cases[_i].text);
}
END_TEST

START_TEST(refuses_what_is_no_database)
{
	struct err e = ERR_INIT;

	session_db_close(db);
	db = NULL;
	/* SQLite takes pages of the log for those of the file. */
	ck_assert_int_eq(unlinkat(scratch_fd(), "meta.db-wal", 0), 0);
	scratch_write(SESSION_DB_NAME,
		      "no database, and longer than the sixteen bytes of a header");
	session_db_open(scratch_fd(), 0, BASE, &db, &e);
	ck_assert_err(&e, ERR_FORMAT, "damaged");
	ck_assert_int_eq(unlinkat(scratch_fd(), SESSION_DB_NAME, 0), 0);
	session_db_open(scratch_fd(), 0, BASE, &db, &e);
	ck_assert_err(&e, ERR_SYS, "cannot be opened");
}
END_TEST

#define SET(key, value) "UPDATE meta SET value = " value " WHERE key = '" key "'"

/* Whose rows would be about other files. */
START_TEST(refuses_another_base)
{
	static const struct {
		const char *sql;
		enum err_code code;
		const char *text;
	} cases[] = {
		{SET("numbering", "2"), ERR_UNSUPPORTED, "by rule 2, and this shale knows 1"},
		{SET("numbering", "'x'"), ERR_FORMAT, "'numbering'"},
		{"DELETE FROM meta WHERE key = 'numbering'", ERR_FORMAT, "no 'numbering'"},
		{SET("base_count", "98"), ERR_FORMAT, "of 98 inodes, and its image has 99"},
		{SET("base_count", "100"), ERR_FORMAT, "of 100 inodes, and its image has 99"},
		{SET("base_count", "99.5"), ERR_FORMAT, "'base_count'"},
		{"DELETE FROM meta WHERE key = 'base_count'", ERR_FORMAT, "no 'base_count'"},
		/* The next file would be the root, or another of the base. */
		{SET("next", "1"), ERR_FORMAT, "next inode 1 is one of the image"},
		{SET("next", "99"), ERR_FORMAT, "next inode 99 is one of the image"},
		{SET("next", "-1"), ERR_FORMAT, "'next'"},
		{SET("next", "'x'"), ERR_FORMAT, "'next'"},
		{SET("next", "x'01'"), ERR_FORMAT, "'next'"},
		{"DELETE FROM meta WHERE key = 'next'", ERR_FORMAT, "no 'next'"},
	};
	static const unsigned flags[] = {0, SESSION_DB_CREATE, SESSION_DB_READ};
	struct err e = ERR_INIT;

	run_sql(cases[_i].sql);
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		ck_assert_int_eq(session_db_open(scratch_fd(), flags[i], BASE, &db, &e), -1);
		ck_assert_err(&e, cases[_i].code, cases[_i].text);
		ck_assert_ptr_null(db);
	}
}
END_TEST

START_TEST(says_what_the_base_is)
{
	struct err e = ERR_INIT;
	uint64_t first = 0;

	session_db_close(db);
	db = NULL;
	session_db_open(scratch_fd(), 0, BASE, &db, &e);
	session_db_begin(db, &e);
	session_db_reserve(db, 1, &first, &e);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(first, BASE + 1);
	session_db_close(db);
	db = NULL;
	session_db_open(scratch_fd(), SESSION_DB_CREATE, BASE + 1, &db, &e);
	ck_assert_err(&e, ERR_FORMAT, "of 99 inodes, and its image has 100");
}
END_TEST

static const struct sample_file files[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "f", .kind = ENTRY_REG, .mode = 0644, .text = "f\n"},
};

static void setup_session(void)
{
	sample_session_make(files, ARRAY_LEN(files));
}

/* Whoever opens the session: its owner, who takes it over, and who reads a copy. */
START_TEST(a_session_belongs_to_its_base)
{
	static const unsigned flags[] = {0, SESSION_CREATE, SESSION_TAKE_OVER, SESSION_READ};
	struct err e = ERR_INIT;

	sample_put("new", "new\n");
	sample_session_close();
	exec_sql(sample_session_file(SESSION_DB_NAME), SET("base_count", "3"));
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		ck_assert_int_eq(sample_session_try("session", flags[i], &sample_session, &e), -1);
		ck_assert_err(&e, ERR_FORMAT, "of 3 inodes, and its image has 2");
		sample_session_close();
	}
	exec_sql(sample_session_file(SESSION_DB_NAME), SET("base_count", "2"));
	sample_session_open(0);
	sample_check_text("new", "new\n");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/session_db");
	TCase *tc = tcase_create("open");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, refuses_other_databases, 0, 17);
	tcase_add_test(tc, refuses_what_is_no_database);
	tcase_add_loop_test(tc, refuses_another_base, 0, 13);
	tcase_add_test(tc, says_what_the_base_is);
	suite_add_tcase(s, tc);
	tc = tcase_create("session");
	tcase_add_checked_fixture(tc, setup_session, sample_session_remove);
	tcase_add_test(tc, a_session_belongs_to_its_base);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
