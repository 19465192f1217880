/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sessions_private.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "base/rfc3339.h"
#include "tests/unit/store/fixture_sessions.h"

enum { TIMEOUT_S = 120 };

static void check_mode(const char *path, mode_t want)
{
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode, want);
}

START_TEST(a_new_session_is_whole)
{
	struct err e = ERR_INIT;
	char want[1000], digest[DIGEST_STR_MAX], id[SESSIONS_ID_LEN + 1];
	SCOPE(str) struct str text = STR_INIT;
	const struct descriptor *chosen = &fixture_sessions_image()->chosen;
	struct session_folder *f = fixture_session("work");
	struct rfc3339_time created;
	struct stat by_fd, by_name;

	snprintf(id, sizeof(id), "%s", sessions_id(f));
	ck_assert_uint_eq(strspn(id, "0123456789abcdef"), SESSIONS_ID_LEN);
	ck_assert_str_eq(sessions_name(f), "work");
	ck_assert_str_eq(sessions_image(f), "localhost/team/web:1");
	ck_assert_str_eq(sessions_manifest(f)->media_type, chosen->media_type);
	ck_assert(digest_equal(&sessions_manifest(f)->digest, &chosen->digest));
	ck_assert_uint_eq(sessions_manifest(f)->size, chosen->size);
	ck_assert_int_eq(rfc3339_parse(sessions_created(f), &created), 0);
	ck_assert_int_le(time(NULL) - created.seconds, 60);
	ck_assert_int_ge(time(NULL) - created.seconds, 0);

	check_mode(fixture_session_file(id, ""), S_IFDIR | 0700);
	check_mode(fixture_session_file(id, "data"), S_IFDIR | 0700);
	check_mode(fixture_session_file(id, "lock"), S_IFREG | 0600);
	check_mode(fixture_session_file(id, "session.json"), S_IFREG | 0600);
	ck_assert_int_eq(fixture_sessions_count(), 1);
	ck_assert_int_eq(fstat(sessions_data_fd(f), &by_fd), 0);
	ck_assert_int_eq(fstatat(sessions_fd(f), "data", &by_name, 0), 0);
	ck_assert_uint_eq(by_fd.st_ino, by_name.st_ino);

	snprintf(want, sizeof(want),
		 "{\"created\":\"%s\",\"image\":\"localhost/team/web:1\",\"manifest\":{"
		 "\"digest\":\"%s\",\"mediaType\":\"%s\",\"size\":%llu},\"name\":\"work\","
		 "\"version\":1}",
		 sessions_created(f), digest_format(&chosen->digest, digest), chosen->media_type,
		 (unsigned long long)chosen->size);
	ck_assert_int_eq(io_slurp_path(fixture_session_file(id, "session.json"), 10000, &text, &e),
			 0);
	ck_assert_str_eq(str_text(&text), want);
	sessions_close(f);
}
END_TEST

static void check_made_up(const char *image_name, const char *want)
{
	struct err e = ERR_INIT;
	struct session_folder *f = NULL;
	struct image image = *fixture_sessions_image();
	SCOPE_FREE char *name = str_dup(image_name, &e);

	image.name = name; /* all else is borrowed */
	ck_assert_int_eq(sessions_create(fixture_store(), NULL, &image, &f, &e), 0);
	ck_assert_str_eq(sessions_name(f), want);
	ck_assert_str_eq(sessions_image(f), image_name);
	sessions_close(f);
}

START_TEST(names_are_made_up_from_the_image)
{
	struct err e = ERR_INIT;
	char long_name[300], want[300];

	check_made_up("localhost/team/web:1", "web-1");
	check_made_up("registry.example:5000/web:2", "web-2");
	fixture_session_closed("web-4");
	check_made_up("web", "web-3");
	check_made_up("localhost/web:1@sha256:00", "web-5");
	ck_assert_int_eq(sessions_remove(fixture_store(), "web-2", &e), 0);
	check_made_up("localhost/web:1", "web-2");
	check_made_up("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		      "session-1");
	check_made_up("localhost/Gr\xc3\xb6\xc3\x9f"
		      "e!:1",
		      "session-2");
	memset(long_name, 'a', 255);
	long_name[255] = '\0';
	snprintf(want, sizeof(want), "%.*s-1", LIMIT_SESSION_NAME - 21, long_name);
	check_made_up(long_name, want);
}
END_TEST

START_TEST(names_that_are_none_are_refused)
{
	static const struct {
		const char *name, *word;
	} refused[] = {
		{"", "empty"},
		{".", "begin"},
		{"-x", "begin"},
		{"_x", "begin"},
		{".making-x", "begin"},
		{"a/b", "may hold"},
		{"a b", "may hold"},
		{"a:1", "may hold"},
		{"a\n", "may hold"},
		{"\xc3\xa4", "begin"},
		{"a\xc3\xa4", "may hold"},
	};
	char name[LIMIT_SESSION_NAME + 2];
	struct err e = ERR_INIT;
	struct session_folder *f = NULL;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		ck_assert_int_eq(sessions_create(fixture_store(), refused[i].name,
						 fixture_sessions_image(), &f, &e),
				 -1);
		ck_assert_err(&e, ERR_USAGE, refused[i].word);
	}
	memset(name, 'a', sizeof(name));
	name[LIMIT_SESSION_NAME + 1] = '\0';
	ck_assert_int_eq(sessions_check_name(name, &e), -1);
	ck_assert_err(&e, ERR_USAGE, "too long");
	name[LIMIT_SESSION_NAME] = '\0';
	fixture_session_closed(name);
	fixture_session_closed("0");
	fixture_session_closed("A_b.c-9");
	ck_assert_int_eq(fixture_sessions_count(), 3);
}
END_TEST

START_TEST(two_sessions_of_one_name_are_refused)
{
	struct err e = ERR_INIT;
	struct session_folder *f = NULL;

	fixture_session_closed("work");
	ck_assert_int_eq(sessions_create(fixture_store(), "work", fixture_sessions_image(), &f, &e),
			 -1);
	ck_assert_ptr_null(f);
	ck_assert_err(&e, ERR_EXISTS, "'work' already");
	ck_assert_int_eq(fixture_sessions_count(), 1);
}
END_TEST

START_TEST(an_image_that_is_gone_gets_no_session)
{
	struct err e = ERR_INIT;
	struct session_folder *f = NULL;

	ck_assert_int_eq(unlink(fixture_blob_file(&fixture_sessions_image()->chosen.digest)), 0);
	ck_assert_int_eq(sessions_create(fixture_store(), "work", fixture_sessions_image(), &f, &e),
			 -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "not in the store");
	ck_assert_int_eq(fixture_sessions_count(), 0);
}
END_TEST

/* Gives a session another id, as nobody can ask for one. */
static void rename_id(const char *from, const char *to)
{
	char path[500];

	snprintf(path, sizeof(path), "%s", fixture_session_file(from, ""));
	ck_assert_int_eq(rename(path, fixture_session_file(to, "")), 0);
}

static void check_found(const char *text, const char *want)
{
	struct err e = ERR_INIT;
	SCOPE(sessions) struct session_folder *f = NULL;

	ck_assert_msg(sessions_open(fixture_store(), text, SESSIONS_LOCK, &f, &e) == 0, "%s",
		      e.msg);
	ck_assert_str_eq(sessions_name(f), want);
	ck_assert_str_eq(sessions_image(f), "localhost/team/web:1");
}

START_TEST(sessions_are_found_by_name_and_id)
{
	rename_id(fixture_session_closed("work"), "ab00000000000000");
	rename_id(fixture_session_closed("play"), "ac00000000000000");
	check_found("work", "work");
	check_found("ac00000000000000", "play");
	check_found("ac", "play");
	fixture_check_no_session("a", SESSIONS_LOCK, ERR_USAGE, "any of 2 sessions");
	fixture_check_no_session("", SESSIONS_LOCK, ERR_NOT_FOUND, "no session ''");
	fixture_check_no_session("wark", SESSIONS_LOCK, ERR_NOT_FOUND, "did you mean 'work'");
	fixture_check_no_session("ad", SESSIONS_LOCK, ERR_NOT_FOUND, "no session 'ad'");
	fixture_check_no_session("../sessions/ac00000000000000", SESSIONS_LOCK, ERR_NOT_FOUND,
				 "no");

	/* A name comes before an id. */
	rename_id(fixture_session_closed("ac"), "ff00000000000000");
	check_found("ac", "ac");
	check_found("ac0", "play");
}
END_TEST

START_TEST(the_start_of_an_id_is_not_exact)
{
	struct err e = ERR_INIT;
	struct session_folder *f = NULL;

	rename_id(fixture_session_closed("work"), "ab00000000000000");
	ck_assert_int_eq(sessions_open_exact(fixture_store(), "ab", &f, &e), -1);
	ck_assert_ptr_null(f);
	ck_assert_err(&e, ERR_NOT_FOUND, "no session 'ab'");
	ck_assert_int_eq(sessions_open_exact(fixture_store(), "ab0000000000000", &f, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "no session 'ab0000000000000'");
	ck_assert_int_eq(sessions_open_exact(fixture_store(), "", &f, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "no session ''");

	const char *const exact[] = {"work", "ab00000000000000"};
	for (size_t i = 0; i < ARRAY_LEN(exact); i++) {
		SCOPE(sessions) struct session_folder *found = NULL;
		SCOPE(sessions) struct session_folder *second = NULL;
		ck_assert_int_eq(sessions_open_exact(fixture_store(), exact[i], &found, &e), 0);
		ck_assert_str_eq(sessions_name(found), "work");
		ck_assert_int_eq(sessions_open_exact(fixture_store(), exact[i], &second, &e), -1);
		ck_assert_err(&e, ERR_BUSY, "in use");
	}
}
END_TEST

START_TEST(a_session_is_used_by_one_at_a_time)
{
	struct err e = ERR_INIT;
	char pid[50];
	struct session_folder *f = fixture_session("work"), *reader = NULL;

	snprintf(pid, sizeof(pid), "'work' is in use by process %ld", (long)getpid());
	fixture_check_no_session("work", SESSIONS_LOCK, ERR_BUSY, pid);
	ck_assert_int_eq(sessions_set_use(f, "a very long thing to do, and to say", &e), 0);
	fixture_check_no_session("work", SESSIONS_LOCK, ERR_BUSY, "(a very long thing to do, and");
	ck_assert_int_eq(sessions_set_use(f, "mounted at /a\nb", &e), 0);
	fixture_check_no_session("work", SESSIONS_LOCK, ERR_BUSY, "(mounted at /a b)");
	ck_assert_int_eq(sessions_remove(fixture_store(), "work", &e), -1);
	ck_assert_err(&e, ERR_BUSY, "(mounted at /a b)");

	ck_assert_int_eq(sessions_open(fixture_store(), "work", SESSIONS_READ, &reader, &e), 0);
	ck_assert_str_eq(sessions_id(reader), sessions_id(f));
	sessions_close(f);
	check_found("work", "work");
	sessions_close(reader);
}
END_TEST

START_TEST(what_a_holder_says_is_not_believed)
{
	static const struct {
		const char *line, *want;
	} lines[] = {
		{"", "by another process"},
		{"12", "by another process"},
		{"12\n", "by process 12"},
		{"99999999999999\n", "by another process"},
		{"-1 x\n", "by another process"},
		{"12 \x1b[2Jx\n", "by process 12 (\\x1b[2Jx)"},
		{"12 mounted\nmore", "by process 12 (mounted)"},
	};
	struct session_folder *f = fixture_session("work");
	char path[500];

	snprintf(path, sizeof(path), "%s", fixture_session_file(sessions_id(f), "lock"));
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		FILE *file = fopen(path, "w");
		ck_assert_ptr_nonnull(file);
		fputs(lines[i].line, file);
		ck_assert_int_eq(fclose(file), 0);
		fixture_check_no_session("work", SESSIONS_LOCK, ERR_BUSY, lines[i].want);
	}
	sessions_close(f);
}
END_TEST

/* A daemon forks: the child serves, the parent ends. */
START_TEST(the_lock_outlives_the_process_that_forked)
{
	struct err e = ERR_INIT;
	int ready[2], status;
	char byte, says[50];
	struct session_folder *f = fixture_session("work");

	ck_assert_int_eq(pipe(ready), 0);
	const pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		const bool is_good = sessions_set_use(f, "serves", &e) == 0;
		(void)!write(ready[1], "x", is_good);
		for (;;)
			pause();
	}
	sessions_close(f);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	snprintf(says, sizeof(says), "by process %ld (serves)", (long)pid);
	fixture_check_no_session("work", SESSIONS_LOCK, ERR_BUSY, says);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	check_found("work", "work");
	close(ready[0]);
	close(ready[1]);
}
END_TEST

START_TEST(a_session_without_its_lock_file_is_refused)
{
	char id[SESSIONS_ID_LEN + 1], path[200];

	snprintf(id, sizeof(id), "%s", fixture_session_closed("work"));
	ck_assert_int_eq(unlink(fixture_session_file(id, "lock")), 0);
	fixture_check_no_session("work", SESSIONS_LOCK, ERR_FORMAT, "'work': it has no 'lock'");
	snprintf(path, sizeof(path), "store/shale/sessions/%s/lock", id);
	scratch_write(path, "");
	check_found("work", "work");
}
END_TEST

/* Between finding and locking: whole, as who removes it renames it, and when all of it is gone. */
START_TEST(a_session_that_goes_before_it_is_locked_is_not_found)
{
	SCOPE(session_list) struct session_list l = SESSION_LIST_INIT;
	char id[SESSIONS_ID_LEN + 1], from[500];
	struct err e = ERR_INIT;
	int all = -1, lock = -1;

	snprintf(id, sizeof(id), "%s", fixture_session_closed("work"));
	ck_assert_int_eq(sessions_list(fixture_store(), &l, &e), 0);
	ck_assert_int_eq(sessions_open_all(fixture_store(), &all, &e), 0);
	const int folder = sessions_open_folder(fixture_store(), all, id, &e);
	ck_assert_int_ge(folder, 0);

	snprintf(from, sizeof(from), "%s", fixture_session_file(id, ""));
	ck_assert_int_eq(
		rename(from, fixture_session_file(SESSIONS_REMOVING "0000000000000000", "")), 0);
	ck_assert_int_eq(sessions_lock_found(all, &l.items[0], folder, &lock, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "'work' was removed just now");
	ck_assert_int_eq(sessions_clear(all, &e), 0);
	ck_assert_int_eq(sessions_lock_found(all, &l.items[0], folder, &lock, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "'work' was removed just now");
	ck_assert_int_eq(lock, -1);
	close(folder);
	close(all);
}
END_TEST

enum { MAKERS = 6, MADE_BY_EACH = 5 };

/* As many as MAKERS processes at once; how many ended with 0. */
static int run_processes(int (*fn)(int number))
{
	int good = 0, status;

	for (int i = 0; i < MAKERS; i++) {
		const pid_t pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0)
			_exit(fn(i));
	}
	for (int i = 0; i < MAKERS; i++) {
		ck_assert_int_gt(waitpid(-1, &status, 0), 0);
		ck_assert_msg(WIFEXITED(status), "a process ended with %x", (unsigned)status);
		ck_assert_msg(WEXITSTATUS(status) < 2, "a process failed");
		good += WEXITSTATUS(status) == 0;
	}
	return good;
}

static int make_some(int number)
{
	(void)number;
	for (int i = 0; i < MADE_BY_EACH; i++) {
		struct err e = ERR_INIT;
		SCOPE(sessions) struct session_folder *f = NULL;
		if (sessions_create(fixture_store(), NULL, fixture_sessions_image(), &f, &e) < 0)
			return 2;
	}
	return 0;
}

START_TEST(many_processes_make_sessions_of_different_names)
{
	SCOPE(session_list) struct session_list l = SESSION_LIST_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(run_processes(make_some), MAKERS);
	ck_assert_int_eq(fixture_sessions_count(), MAKERS * MADE_BY_EACH);
	ck_assert_int_eq(sessions_list(fixture_store(), &l, &e), 0);
	for (size_t i = 1; i <= l.count; i++) {
		char name[30];
		snprintf(name, sizeof(name), "web-%zu", i);
		check_found(name, name);
	}
}
END_TEST

static int make_one(int number)
{
	struct err e = ERR_INIT;
	SCOPE(sessions) struct session_folder *f = NULL;

	(void)number;
	if (sessions_create(fixture_store(), "work", fixture_sessions_image(), &f, &e) == 0)
		return 0;
	return e.code == ERR_EXISTS ? 1 : 2;
}

START_TEST(of_many_processes_one_gets_the_name)
{
	ck_assert_int_eq(run_processes(make_one), 1);
	ck_assert_int_eq(fixture_sessions_count(), 1);
}
END_TEST

/* Half of them want to use it, half to remove it. */
static int use_or_remove(int number)
{
	struct err e = ERR_INIT;
	struct stat st;
	SCOPE(sessions) struct session_folder *f = NULL;

	if (number % 2 == 0) {
		if (sessions_remove(fixture_store(), "work", &e) == 0)
			return 0;
		return e.code == ERR_BUSY || e.code == ERR_NOT_FOUND ? 1 : 2;
	}
	if (sessions_open(fixture_store(), "work", SESSIONS_LOCK, &f, &e) < 0)
		return e.code == ERR_BUSY || e.code == ERR_NOT_FOUND ? 1 : 2;
	/* What is in use stays. */
	usleep(1000);
	return fstatat(sessions_fd(f), "session.json", &st, 0) == 0 &&
			       lstat(fixture_session_file(sessions_id(f), "lock"), &st) == 0
		       ? 1
		       : 2;
}

START_TEST(who_uses_a_session_does_not_meet_who_removes_it)
{
	struct err e = ERR_INIT;

	for (int i = 0; i < UNIT_LOOPS(100); i++) {
		fixture_session_closed("work");
		const int removed = run_processes(use_or_remove);
		ck_assert_int_le(removed, 1);
		if (removed == 0)
			ck_assert_int_eq(sessions_remove(fixture_store(), "work", &e), 0);
		ck_assert_int_eq(fixture_sessions_count(), 0);
	}
}
END_TEST

START_TEST(a_store_without_the_folder_gets_it_with_the_first_session)
{
	SCOPE(session_list) struct session_list l = SESSION_LIST_INIT;
	struct err e = ERR_INIT;
	struct store *s = NULL;

	ck_assert_int_eq(rmdir(fixture_file("shale/sessions")), 0);
	ck_assert_int_eq(store_open(store_path(fixture_store()), 0, &s, &e), 0);
	ck_assert(store_is_writable(s));
	ck_assert_int_eq(store_dirfd(s, STORE_DIR_SESSIONS), -1);
	ck_assert_int_eq(sessions_list(s, &l, &e), 0);
	ck_assert_uint_eq(l.count, 0);
	fixture_check_no_session("work", SESSIONS_LOCK, ERR_NOT_FOUND, "no session 'work'");
	check_made_up("localhost/web:1", "web-1");
	/* Also for those who opened it before. */
	ck_assert_int_eq(sessions_list(s, &l, &e), 0);
	ck_assert_uint_eq(l.count, 1);
	store_close(s);
}
END_TEST

START_TEST(a_layout_without_shales_folder_has_no_sessions)
{
	SCOPE(session_list) struct session_list l = SESSION_LIST_INIT;
	struct err e = ERR_INIT;
	struct store *s = NULL;
	struct session_folder *f = NULL;
	char path[500];

	snprintf(path, sizeof(path), "%s", fixture_file("shale"));
	ck_assert_int_eq(rename(path, scratch_file("away")), 0);
	ck_assert_int_eq(store_open(store_path(fixture_store()), 0, &s, &e), 0);
	ck_assert_int_eq(sessions_list(s, &l, &e), 0);
	ck_assert_uint_eq(l.count, 0);
	ck_assert_int_eq(sessions_open(s, "work", SESSIONS_READ, &f, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "no session 'work'");
	ck_assert_int_eq(sessions_create(s, NULL, fixture_sessions_image(), &f, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "fsck --repair");
	ck_assert_int_eq(sessions_open(s, "work", SESSIONS_LOCK, &f, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "fsck --repair");
	ck_assert_int_eq(sessions_remove(s, "work", &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "fsck --repair");
	store_close(s);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("store/sessions");
	TCase *tc = tcase_create("sessions");

	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_checked_fixture(tc, fixture_sessions_make, fixture_sessions_remove);
	tcase_add_test(tc, a_new_session_is_whole);
	tcase_add_test(tc, names_are_made_up_from_the_image);
	tcase_add_test(tc, names_that_are_none_are_refused);
	tcase_add_test(tc, two_sessions_of_one_name_are_refused);
	tcase_add_test(tc, an_image_that_is_gone_gets_no_session);
	tcase_add_test(tc, sessions_are_found_by_name_and_id);
	tcase_add_test(tc, the_start_of_an_id_is_not_exact);
	tcase_add_test(tc, a_session_is_used_by_one_at_a_time);
	tcase_add_test(tc, what_a_holder_says_is_not_believed);
	tcase_add_test(tc, the_lock_outlives_the_process_that_forked);
	tcase_add_test(tc, a_session_without_its_lock_file_is_refused);
	tcase_add_test(tc, a_session_that_goes_before_it_is_locked_is_not_found);
	tcase_add_test(tc, many_processes_make_sessions_of_different_names);
	tcase_add_test(tc, of_many_processes_one_gets_the_name);
	tcase_add_test(tc, who_uses_a_session_does_not_meet_who_removes_it);
	tcase_add_test(tc, a_store_without_the_folder_gets_it_with_the_first_session);
	tcase_add_test(tc, a_layout_without_shales_folder_has_no_sessions);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
