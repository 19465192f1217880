/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folders of sessions that are damaged, forged, or left by processes that died; lists and removal.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "store/locks.h"
#include "store/sessions_private.h"
#include "tests/unit/store/fixture_sessions.h"

#define D64   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TYPE  "application/vnd.oci.image.manifest.v1+json"
#define NAME  "\"name\":\"work\","
#define IMAGE "\"image\":\"localhost/web:1\","
#define TIME  "\"created\":\"2026-01-02T03:04:05Z\","
#define MANIFEST \
	"\"manifest\":{\"mediaType\":\"" TYPE "\",\"digest\":\"sha256:" D64 "\",\"size\":7},"
#define VERSION "\"version\":1"

static void put_file(const char *path, const char *bytes, size_t len)
{
	SCOPE_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
}

static struct session_list list(void)
{
	struct session_list l = SESSION_LIST_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(sessions_list(fixture_store(), &l, &e), 0);
	ck_assert_no_err(&e);
	return l;
}

/* The only session of the store cannot be used, and opening it fails in the same way. */
static void check_unusable(const char *id, enum err_code code, const char *word)
{
	struct session_list l = list();

	ck_assert_uint_eq(l.count, 1);
	ck_assert_str_eq(l.items[0].id, id);
	ck_assert_ptr_null(l.items[0].name);
	ck_assert_ptr_null(l.items[0].image);
	ck_assert_err(&l.items[0].why, code, word);
	session_list_fini(&l);
	fixture_check_no_session(id, SESSIONS_LOCK, code, word);
}

static void check_damaged(const char *id, enum err_code code, const char *word)
{
	check_unusable(id, code, word);
	fixture_check_no_session(id, SESSIONS_READ, code, word);
}

static const struct {
	const char *text;
	enum err_code code;
	const char *word;
} hostile[] = {
	{"", ERR_FORMAT, "session.json"},
	{"[]", ERR_FORMAT, "session.json"},
	{"{}", ERR_FORMAT, "version"},
	{"{" NAME IMAGE TIME MANIFEST VERSION "}x", ERR_FORMAT, "session.json"},
	{"{" NAME NAME IMAGE TIME MANIFEST VERSION "}", ERR_FORMAT, "duplicate"},
	{"{" NAME IMAGE TIME MANIFEST "\"version\":2}", ERR_UNSUPPORTED,
	 "has version 2, which is newer"},
	/* Whatever else it says. */
	{"{\"version\":2}", ERR_UNSUPPORTED, "use a newer shale"},
	{"{\"version\":9223372036854775807}", ERR_UNSUPPORTED, "9223372036854775807"},
	{"{" NAME IMAGE TIME MANIFEST "\"version\":0}", ERR_FORMAT, "version"},
	{"{" NAME IMAGE TIME MANIFEST "\"version\":-1}", ERR_FORMAT, "version"},
	{"{" NAME IMAGE TIME MANIFEST "\"version\":1.0}", ERR_FORMAT, "version"},
	{"{" NAME IMAGE TIME MANIFEST "\"version\":\"1\"}", ERR_FORMAT, "version"},
	{"{" NAME IMAGE TIME MANIFEST "\"version\":null}", ERR_FORMAT, "version"},
	{"{" IMAGE TIME MANIFEST VERSION "}", ERR_FORMAT, "name"},
	{"{\"name\":7," IMAGE TIME MANIFEST VERSION "}", ERR_FORMAT, "name"},
	{"{\"name\":\"\"," IMAGE TIME MANIFEST VERSION "}", ERR_FORMAT, "empty"},
	{"{\"name\":\"../x\"," IMAGE TIME MANIFEST VERSION "}", ERR_FORMAT, "'../x'"},
	{"{\"name\":\"a\\n\"," IMAGE TIME MANIFEST VERSION "}", ERR_FORMAT, "'a\\n'"},
	{"{\"name\":\"a\\u0000b\"," IMAGE TIME MANIFEST VERSION "}", ERR_FORMAT, "session.json"},
	{"{\"name\":\"a" D64 D64 "\"," IMAGE TIME MANIFEST VERSION "}", ERR_FORMAT, "too long"},
	{"{" NAME TIME MANIFEST VERSION "}", ERR_FORMAT, "image"},
	{"{" NAME "\"image\":[]," TIME MANIFEST VERSION "}", ERR_FORMAT, "image"},
	{"{" NAME "\"image\":\"\"," TIME MANIFEST VERSION "}", ERR_FORMAT, "image"},
	{"{" NAME "\"image\":\"\xff\"," TIME MANIFEST VERSION "}", ERR_FORMAT, "session.json"},
	{"{" NAME IMAGE MANIFEST VERSION "}", ERR_FORMAT, "created"},
	{"{" NAME IMAGE "\"created\":1," MANIFEST VERSION "}", ERR_FORMAT, "created"},
	{"{" NAME IMAGE "\"created\":\"yesterday\"," MANIFEST VERSION "}", ERR_FORMAT, "yesterday"},
	{"{" NAME IMAGE TIME VERSION "}", ERR_FORMAT, "manifest"},
	{"{" NAME IMAGE TIME "\"manifest\":\"sha256:" D64 "\"," VERSION "}", ERR_FORMAT,
	 "manifest"},
	{"{" NAME IMAGE TIME "\"manifest\":{\"mediaType\":\"" TYPE "\",\"size\":7}," VERSION "}",
	 ERR_FORMAT, "digest"},
	{"{" NAME IMAGE TIME "\"manifest\":{\"mediaType\":\"" TYPE
	 "\",\"digest\":\"sha256:0\",\"size\":7}," VERSION "}",
	 ERR_FORMAT, "digest"},
	{"{" NAME IMAGE TIME "\"manifest\":{\"mediaType\":\"" TYPE "\",\"digest\":\"sha256:" D64
	 "\",\"size\":-7}," VERSION "}",
	 ERR_FORMAT, "size"},
	{"{" NAME IMAGE TIME "\"manifest\":{\"digest\":\"sha256:" D64 "\",\"size\":7}," VERSION "}",
	 ERR_FORMAT, "mediaType"},
	{"{" NAME IMAGE TIME "\"manifest\":{\"mediaType\":\"application/"
	 "vnd.oci.image.index.v1+json\",\"digest\":\"sha256:" D64 "\",\"size\":7}," VERSION "}",
	 ERR_FORMAT, "no type of a manifest"},
};

START_TEST(a_hostile_document_is_refused)
{
	char id[SESSIONS_ID_LEN + 1];

	snprintf(id, sizeof(id), "%s", fixture_session_closed("work"));
	put_file(fixture_session_file(id, "session.json"), hostile[_i].text,
		 strlen(hostile[_i].text));
	check_damaged(id, hostile[_i].code, hostile[_i].word);
}
END_TEST

START_TEST(a_document_over_a_limit_is_refused)
{
	char id[SESSIONS_ID_LEN + 1];
	SCOPE(str) struct str deep = STR_INIT;
	struct err e = ERR_INIT;

	snprintf(id, sizeof(id), "%s", fixture_session_closed("work"));
	ck_assert_int_eq(truncate(fixture_session_file(id, "session.json"), LIMIT_DOCUMENT + 1), 0);
	check_damaged(id, ERR_LIMIT, "session.json");
	str_append_z(&deep, "{\"x\":", &e);
	for (int i = 0; i < LIMIT_JSON_DEPTH; i++)
		str_append_c(&deep, '[', &e);
	put_file(fixture_session_file(id, "session.json"), deep.data, deep.len);
	check_damaged(id, ERR_LIMIT, "session.json");
}
END_TEST

START_TEST(members_that_are_not_known_are_passed_over)
{
	static const char text[] = "{" NAME IMAGE TIME MANIFEST "\"more\":{\"a\":[1]}," VERSION "}";
	struct err e = ERR_INIT;
	struct session_folder *f = NULL;
	struct digest want;

	put_file(fixture_session_file(fixture_session_closed("other"), "session.json"), text,
		 strlen(text));
	ck_assert_int_eq(sessions_open(fixture_store(), "work", SESSIONS_LOCK, &f, &e), 0);
	ck_assert_str_eq(sessions_image(f), "localhost/web:1");
	ck_assert_str_eq(sessions_created(f), "2026-01-02T03:04:05Z");
	ck_assert_str_eq(sessions_manifest(f)->media_type, TYPE);
	ck_assert_uint_eq(sessions_manifest(f)->size, 7);
	ck_assert_int_eq(digest_parse(&want, "sha256:" D64, 7 + 64, &e), 0);
	ck_assert(digest_equal(&sessions_manifest(f)->digest, &want));
	sessions_close(f);
}
END_TEST

START_TEST(a_folder_of_another_kind_is_refused)
{
	char id[SESSIONS_ID_LEN + 1], from[500], to[500];

	snprintf(id, sizeof(id), "%s", fixture_session_closed("work"));
	snprintf(from, sizeof(from), "%s", fixture_session_file(id, "session.json"));

	ck_assert_int_eq(chmod(from, 0666), 0);
	check_damaged(id, ERR_UNTRUSTED, "written by other users");
	snprintf(to, sizeof(to), "%s", fixture_session_file(id, "away"));
	ck_assert_int_eq(rename(from, to), 0);
	check_damaged(id, ERR_FORMAT, "has no 'session.json'");
	ck_assert_int_eq(symlink("away", from), 0);
	check_damaged(id, ERR_FORMAT, "not a regular file");
	ck_assert_int_eq(unlink(from), 0);
	ck_assert_int_eq(mkfifo(from, 0600), 0);
	check_damaged(id, ERR_FORMAT, "not a regular file");
	ck_assert_int_eq(rename(to, from), 0);
	ck_assert_int_eq(chmod(from, 0600), 0);

	snprintf(from, sizeof(from), "%s", fixture_session_file(id, "lock"));
	ck_assert_int_eq(chmod(from, 0666), 0);
	check_unusable(id, ERR_UNTRUSTED, "'lock' may be written by other users");
	ck_assert_int_eq(chmod(from, 0600), 0);

	snprintf(from, sizeof(from), "%s", fixture_session_file(id, ""));
	ck_assert_int_eq(chmod(from, 0777), 0);
	check_damaged(id, ERR_UNTRUSTED, "written by other users");
	ck_assert_int_eq(chmod(from, 0700), 0);
	from[strlen(from) - 1] = '\0';
	ck_assert_int_eq(rename(from, scratch_file("away")), 0);
	ck_assert_int_eq(symlink(scratch_file("away"), from), 0);
	check_damaged(id, ERR_UNTRUSTED, "symbolic link");
}
END_TEST

START_TEST(a_session_needs_its_data)
{
	char id[SESSIONS_ID_LEN + 1], path[500];

	snprintf(id, sizeof(id), "%s", fixture_session_closed("work"));
	snprintf(path, sizeof(path), "%s", fixture_session_file(id, "data"));
	ck_assert_int_eq(rmdir(path), 0);
	fixture_check_no_session("work", SESSIONS_LOCK, ERR_FORMAT, "'work': it has no 'data'");
	ck_assert_int_eq(symlink("/tmp", path), 0);
	fixture_check_no_session("work", SESSIONS_READ, ERR_UNTRUSTED, "symbolic link");
}
END_TEST

START_TEST(a_list_is_sorted_and_tells_of_all)
{
	struct err e = ERR_INIT;
	char bad[SESSIONS_ID_LEN + 1];

	snprintf(bad, sizeof(bad), "%s", fixture_session_closed("a"));
	ck_assert_int_eq(unlink(fixture_session_file(bad, "session.json")), 0);
	fixture_session_closed("web");
	fixture_session_closed("b.2");
	struct session_folder *f = fixture_session("mid");
	ck_assert_int_eq(sessions_set_use(f, "mounted at /mnt", &e), 0);
	scratch_write("store/shale/sessions/stray", "x");
	ck_assert_int_eq(mkdir(fixture_file("shale/sessions/0123"), 0700), 0);

	struct session_list l = list();
	ck_assert_uint_eq(l.count, 4);
	ck_assert_str_eq(l.items[0].name, "b.2");
	ck_assert_str_eq(l.items[1].name, "mid");
	ck_assert_str_eq(l.items[2].name, "web");
	ck_assert_str_eq(l.items[3].id, bad);
	ck_assert_str_eq(l.items[1].image, "localhost/team/web:1");
	ck_assert_str_eq(l.items[1].created, sessions_created(f));
	ck_assert(digest_equal(&l.items[1].manifest.digest, &sessions_manifest(f)->digest));
	ck_assert(l.items[1].is_busy && !l.items[0].is_busy && !l.items[3].is_busy);
	ck_assert_int_eq(l.items[1].pid, getpid());
	ck_assert_str_eq(l.items[1].use, "mounted at /mnt");
	ck_assert_ptr_null(l.items[0].use);
	session_list_fini(&l);
	sessions_close(f);
}
END_TEST

/* As long as there is somebody to be in the way of. */
static void list_for_ever(pid_t parent)
{
	while (getppid() == parent) {
		struct session_list l = list();
		session_list_fini(&l);
	}
	_exit(0);
}

START_TEST(a_list_is_in_nobodys_way)
{
	struct err e = ERR_INIT;
	struct session_folder *f = NULL;

	fixture_session_closed("work");
	const pid_t parent = getpid(), pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		list_for_ever(parent);
	for (int i = 0; i < UNIT_LOOPS(2000); i++) {
		ck_assert_msg(sessions_open(fixture_store(), "work", SESSIONS_LOCK, &f, &e) == 0,
			      "%s", e.msg);
		sessions_close(f);
	}
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

static uint64_t size_of(const char *id)
{
	struct err e = ERR_INIT;
	uint64_t size;

	ck_assert_int_eq(sessions_size(fixture_store(), id, &size, &e), 0);
	ck_assert_no_err(&e);
	return size;
}

START_TEST(the_size_is_what_is_allocated)
{
	static char bytes[1 << 20];
	char id[SESSIONS_ID_LEN + 1], path[500];
	struct err e = ERR_INIT;
	struct stat st;
	uint64_t size;

	snprintf(id, sizeof(id), "%s", fixture_session_closed("work"));
	const uint64_t before = size_of(id);
	memset(bytes, 'x', sizeof(bytes));
	snprintf(path, sizeof(path), "%s", fixture_session_file(id, "data/1"));
	put_file(path, bytes, sizeof(bytes));
	/* A hole takes nothing. */
	ck_assert_int_eq(truncate(path, 1 << 30), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(size_of(id), before + (uint64_t)st.st_blocks * 512);
	ck_assert_uint_ge(size_of(id), before + sizeof(bytes));
	ck_assert_uint_lt(size_of(id), before + 2 * sizeof(bytes));
	ck_assert_int_eq(sessions_size(fixture_store(), "0000000000000000", &size, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "0000000000000000");
}
END_TEST

START_TEST(a_removed_session_is_gone_with_all_its_files)
{
	struct err e = ERR_INIT;
	char id[SESSIONS_ID_LEN + 1];

	snprintf(id, sizeof(id), "%s", fixture_session_closed("work"));
	fixture_session_closed("other");
	ck_assert_int_eq(mkdir(fixture_session_file(id, "data/00"), 0700), 0);
	put_file(fixture_session_file(id, "data/00/17"), "x", 1);
	put_file(fixture_session_file(id, "data/18"), "x", 1);
	put_file(fixture_session_file(id, "meta.db"), "x", 1);
	ck_assert_int_eq(sessions_remove(fixture_store(), "work", &e), 0);
	ck_assert_int_eq(fixture_sessions_count(), 1);
	ck_assert_int_eq(sessions_remove(fixture_store(), "work", &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "no session 'work'");
	fixture_session_closed("work");
}
END_TEST

START_TEST(removal_follows_no_link)
{
	struct err e = ERR_INIT;
	char id[SESSIONS_ID_LEN + 1];

	snprintf(id, sizeof(id), "%s", fixture_session_closed("work"));
	scratch_write("precious", "x");
	ck_assert_int_eq(symlink("../../../..", fixture_session_file(id, "data/up")), 0);
	ck_assert_int_eq(sessions_remove(fixture_store(), id, &e), 0);
	ck_assert_int_eq(access(scratch_file("precious"), F_OK), 0);
	ck_assert_int_eq(fixture_sessions_count(), 0);
}
END_TEST

START_TEST(a_damaged_session_can_be_removed)
{
	struct err e = ERR_INIT;
	char id[SESSIONS_ID_LEN + 1];

	snprintf(id, sizeof(id), "%s", fixture_session_closed("work"));
	put_file(fixture_session_file(id, "session.json"), "{", 1);
	ck_assert_int_eq(unlink(fixture_session_file(id, "lock")), 0);
	ck_assert_int_eq(sessions_remove(fixture_store(), "work", &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "no session 'work'");
	ck_assert_int_eq(sessions_remove(fixture_store(), id, &e), 0);
	ck_assert_int_eq(fixture_sessions_count(), 0);
}
END_TEST

START_TEST(folders_that_shale_did_not_make_are_not_removed)
{
	struct err e = ERR_INIT;
	char id[SESSIONS_ID_LEN + 1];
	static const char *const folders[] = {"data/1", "data/1/2", "data/1/2/3", "data/1/2/3/4"};

	snprintf(id, sizeof(id), "%s", fixture_session_closed("work"));
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		ck_assert_int_eq(mkdir(fixture_session_file(id, folders[i]), 0700), 0);
	ck_assert_int_eq(sessions_remove(fixture_store(), "work", &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "'work': 'shale/sessions/" SESSIONS_REMOVING));
	ck_assert_err(&e, ERR_FORMAT, "folders in folders");
}
END_TEST

/* As a process leaves it that dies. */
static void leave(const char *prefix, bool is_whole)
{
	char from[500], name[200];
	char id[SESSIONS_ID_LEN + 1];

	snprintf(id, sizeof(id), "%s", fixture_session_closed(NULL));
	snprintf(from, sizeof(from), "%s", fixture_session_file(id, ""));
	if (!is_whole) {
		ck_assert_int_eq(unlink(fixture_session_file(id, "session.json")), 0);
		ck_assert_int_eq(unlink(fixture_session_file(id, "lock")), 0);
	}
	snprintf(name, sizeof(name), "shale/sessions/%s%s", prefix, id);
	ck_assert_int_eq(rename(from, fixture_file(name)), 0);
}

START_TEST(what_dead_processes_left_is_cleared)
{
	/* The next one that is made clears, too. */
	leave(SESSIONS_MAKING, true);
	leave(SESSIONS_REMOVING, true);
	struct session_list l = list();
	ck_assert_uint_eq(l.count, 0);
	ck_assert_int_eq(fixture_sessions_count(), 0);

	leave(SESSIONS_MAKING, false);
	leave(SESSIONS_REMOVING, false);
	fixture_session_closed("work");
	ck_assert_int_eq(fixture_sessions_count(), 1);
}
END_TEST

START_TEST(what_a_living_process_makes_or_removes_is_left_alone)
{
	struct err e = ERR_INIT;
	char id[SESSIONS_ID_LEN + 1], from[500], name[200];
	struct session_folder *f = fixture_session("work");

	snprintf(id, sizeof(id), "%s", sessions_id(f));
	snprintf(from, sizeof(from), "%s", fixture_session_file(id, ""));
	snprintf(name, sizeof(name), "shale/sessions/" SESSIONS_REMOVING "%s", id);
	ck_assert_int_eq(sessions_hold(sessions_fd(f), &e), 0);
	ck_assert_int_eq(rename(from, fixture_file(name)), 0);
	struct session_list l = list();
	ck_assert_uint_eq(l.count, 0);
	fixture_session_closed("other");
	ck_assert_int_eq(access(fixture_file(name), F_OK), 0);
	sessions_close(f);

	/* Who makes one has sessions.lock. */
	const int lock = locks_take(fixture_store(), SESSIONS_LOCK_ALL, LOCKS_EXCLUSIVE, &e);
	l = list();
	ck_assert_uint_eq(l.count, 1);
	session_list_fini(&l);
	ck_assert_int_eq(access(fixture_file(name), F_OK), 0);
	close(lock);
	l = list();
	session_list_fini(&l);
	ck_assert_int_eq(access(fixture_file(name), F_OK), -1);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("store/sessions_folder");
	TCase *tc = tcase_create("sessions_folder");

	tcase_add_checked_fixture(tc, fixture_sessions_make, fixture_sessions_remove);
	tcase_add_loop_test(tc, a_hostile_document_is_refused, 0, ARRAY_LEN(hostile));
	tcase_add_test(tc, a_document_over_a_limit_is_refused);
	tcase_add_test(tc, members_that_are_not_known_are_passed_over);
	tcase_add_test(tc, a_folder_of_another_kind_is_refused);
	tcase_add_test(tc, a_session_needs_its_data);
	tcase_add_test(tc, a_list_is_sorted_and_tells_of_all);
	tcase_add_test(tc, a_list_is_in_nobodys_way);
	tcase_add_test(tc, the_size_is_what_is_allocated);
	tcase_add_test(tc, a_removed_session_is_gone_with_all_its_files);
	tcase_add_test(tc, removal_follows_no_link);
	tcase_add_test(tc, a_damaged_session_can_be_removed);
	tcase_add_test(tc, folders_that_shale_did_not_make_are_not_removed);
	tcase_add_test(tc, what_dead_processes_left_is_cleared);
	tcase_add_test(tc, what_a_living_process_makes_or_removes_is_left_alone);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
