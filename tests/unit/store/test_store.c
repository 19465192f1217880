/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "store/lease.h"
#include "store/refs.h"
#include "tests/support/scratch.h"
#include "tests/unit/main.h"

enum { CREATORS = 8, OTHER_USER = 65534 };

static const char empty_index[] =
	"{\"manifests\":[],\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
	"\"schemaVersion\":2}";

/* A path in the scratch folder that lives until the test ends. */
static char *path_of(const char *name)
{
	struct err e = ERR_INIT;

	return str_dup(scratch_file(name), &e);
}

static struct store *open_store(const char *name, unsigned flags)
{
	struct err e = ERR_INIT;
	struct store *s = NULL;

	ck_assert_int_eq(store_open(scratch_file(name), flags, &s, &e), 0);
	ck_assert_no_err(&e);
	return s;
}

static void check_refused(const char *name, unsigned flags, enum err_code code, const char *text)
{
	struct err e = ERR_INIT;
	struct store *s = NULL;

	ck_assert_int_eq(store_open(scratch_file(name), flags, &s, &e), -1);
	ck_assert_err(&e, code, text);
	ck_assert_ptr_null(s);
}

static void check_mode(const char *name, mode_t mode)
{
	struct stat st;

	ck_assert_int_eq(lstat(scratch_file(name), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, mode);
}

static void check_text(const char *name, const char *text)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str got = STR_INIT;

	ck_assert_int_eq(io_slurp_path(scratch_file(name), 10000, &got, &e), 0);
	ck_assert_str_eq(got.data, text);
}

static bool is_there(const char *name)
{
	return access(scratch_file(name), F_OK) == 0;
}

START_TEST(create_makes_a_layout_that_others_can_read)
{
	const mode_t umask_before = umask(0);
	struct store *s = open_store("a/b/store", STORE_CREATE);

	umask(umask_before);
	check_text("a/b/store/oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	check_text("a/b/store/index.json", empty_index);
	check_text("a/b/store/shale/version", "1\n");
	check_mode("a/b/store", 0700);
	check_mode("a/b/store/blobs/sha256", 0700);
	check_mode("a/b/store/shale/leases", 0700);
	check_mode("a/b/store/index.json", 0644);
	ck_assert(store_is_writable(s));
	for (int i = 0; i < STORE_DIR_COUNT; i++)
		ck_assert_int_ge(store_dirfd(s, (enum store_dir)i), 0);
	ck_assert_str_eq(store_path(s), scratch_file("a/b/store"));
	store_close(s);

	s = open_store("a/b/store", 0);
	ck_assert(store_is_writable(s));
	store_close(s);
	s = open_store("a/b/store", STORE_CREATE);
	store_close(s);
	check_text("a/b/store/index.json", empty_index);
}
END_TEST

START_TEST(without_create_nothing_is_made)
{
	check_refused("store", 0, ERR_NOT_FOUND, "no store at");
	ck_assert(!is_there("store"));
	ck_assert_int_eq(mkdir(scratch_file("store"), 0700), 0);
	check_refused("store", 0, ERR_NOT_FOUND, "no store at");
	check_refused("store", STORE_WRITE, ERR_NOT_FOUND, "no store at");
	ck_assert_int_eq(rmdir(scratch_file("store")), 0);
}
END_TEST

START_TEST(many_processes_may_create_at_once)
{
	for (int i = 0; i < CREATORS; i++) {
		const pid_t pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			struct err e = ERR_INIT;
			struct store *s = NULL;
			const int r = store_open(scratch_file("s"), STORE_CREATE, &s, &e);
			const bool is_good = r == 0 && store_is_writable(s);
			store_close(s);
			err_clear(&e);
			_exit(is_good ? 0 : 1);
		}
	}
	for (int i = 0; i < CREATORS; i++) {
		int status;
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	check_text("s/index.json", empty_index);
}
END_TEST

START_TEST(what_a_crash_left_is_completed)
{
	static const char *const made[] = {"s", "s/shale", "s/blobs", "s/blobs/sha256",
					   "s/shale/leases"};

	/* Any prefix of the folders that a killed process made. */
	for (int i = 0; i <= _i; i++)
		ck_assert_int_eq(mkdir(scratch_file(made[i]), 0700), 0);
	check_refused("s", 0, ERR_NOT_FOUND, "no store");
	store_close(open_store("s", STORE_CREATE));
	check_text("s/index.json", empty_index);
	store_close(open_store("s", 0));
}
END_TEST

START_TEST(a_lost_index_never_comes_back_empty)
{
	struct err e = ERR_INIT;
	struct image_index ix = IMAGE_INDEX_INIT;

	store_close(open_store("s", STORE_CREATE));
	ck_assert_int_eq(unlink(scratch_file("s/index.json")), 0);
	struct store *s = open_store("s", STORE_CREATE);
	ck_assert(!is_there("s/index.json"));
	ck_assert_int_eq(refs_list(s, &ix, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "'index.json' is missing");
	store_close(s);

	/* Nor with folders that are made again. */
	ck_assert_int_eq(rmdir(scratch_file("s/shale/leases")), 0);
	store_close(open_store("s", STORE_CREATE));
	ck_assert(is_there("s/shale/leases"));
	ck_assert(!is_there("s/index.json"));
}
END_TEST

/* A layout as skopeo and umoci make it. */
static void make_layout(const char *layout)
{
	ck_assert_int_eq(mkdir(scratch_file("s"), 0755), 0);
	ck_assert_int_eq(mkdir(scratch_file("s/blobs"), 0755), 0);
	ck_assert_int_eq(mkdir(scratch_file("s/blobs/sha256"), 0755), 0);
	scratch_write("s/oci-layout", layout);
	scratch_write("s/index.json", "{\"schemaVersion\":2,\"manifests\":[]}");
}

START_TEST(a_layout_of_another_tool_is_read_as_it_is)
{
	struct err e = ERR_INIT;
	struct image_index ix = IMAGE_INDEX_INIT;
	struct lease *l = NULL;

	make_layout("{\"imageLayoutVersion\":\"1.0.0\"}\n");
	struct store *s = open_store("s", 0);
	ck_assert(!store_is_writable(s));
	ck_assert(!is_there("s/shale"));
	ck_assert_int_eq(refs_list(s, &ix, &e), 0);
	ck_assert_uint_eq(ix.count, 0);
	image_index_fini(&ix);
	ck_assert_int_eq(lease_open(s, "test", &l, &e), 0);
	lease_close(l);
	ck_assert_int_eq(refs_remove(s, "localhost/a:1", &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "'shale fsck --repair' adds");
	store_close(s);
}
END_TEST

static const unsigned adding[] = {STORE_CREATE, STORE_WRITE};

START_TEST(who_writes_adds_to_a_layout_of_another_tool)
{
	make_layout("{\"imageLayoutVersion\":\"1.0.0\"}");
	struct store *s = open_store("s", adding[_i]);

	ck_assert(store_is_writable(s));
	ck_assert_int_eq(store_write_errno(s), 0);
	check_text("s/shale/version", "1\n");
	check_text("s/index.json", "{\"schemaVersion\":2,\"manifests\":[]}");
	store_close(s);
}
END_TEST

static const struct {
	const char *layout;
	enum err_code code;
	const char *text;
} bad_layouts[] = {
	{"", ERR_FORMAT, "oci-layout"},
	{"{", ERR_FORMAT, "oci-layout"},
	{"{}", ERR_FORMAT, "imageLayoutVersion"},
	{"{\"imageLayoutVersion\":1}", ERR_FORMAT, "imageLayoutVersion"},
	{"{\"imageLayoutVersion\":\"2.0.0\"}", ERR_UNSUPPORTED, "'2.0.0'"},
	{"{\"imageLayoutVersion\":\"1.0.0\"}x", ERR_FORMAT, "garbage"},
};

START_TEST(open_refuses_a_bad_layout_file)
{
	make_layout(bad_layouts[_i].layout);
	check_refused("s", 0, bad_layouts[_i].code, bad_layouts[_i].text);
	check_refused("s", STORE_CREATE, bad_layouts[_i].code, bad_layouts[_i].text);
	ck_assert(!is_there("s/shale"));
}
END_TEST

START_TEST(open_refuses_a_directory_of_something_else)
{
	ck_assert_int_eq(mkdir(scratch_file("s"), 0755), 0);
	scratch_write("s/notes.txt", "mine");
	check_refused("s", 0, ERR_FORMAT, "something else");
	check_refused("s", STORE_CREATE, ERR_FORMAT, "something else");
	ck_assert(!is_there("s/shale"));

	/* The sources of shale in a folder of their own are no half-made store. */
	ck_assert_int_eq(unlink(scratch_file("s/notes.txt")), 0);
	ck_assert_int_eq(mkdir(scratch_file("s/shale"), 0755), 0);
	scratch_write("s/shale/meson.build", "");
	check_refused("s", STORE_CREATE, ERR_FORMAT, "something else");

	scratch_write("file", "");
	check_refused("file", STORE_CREATE, ERR_FORMAT, "not a directory");
}
END_TEST

static const struct {
	const char *version;
	enum err_code code;
	const char *text;
} bad_versions[] = {
	{"2\n", ERR_UNSUPPORTED, "version '2'"},
	{"", ERR_UNSUPPORTED, "version ''"},
	{"1\n\n", ERR_UNSUPPORTED, "version '1\\n'"},
	{"\x1b[31m", ERR_UNSUPPORTED, "\\x1b"},
	{"0123456789012345678901234567890123456789012345678901234567890123456789", ERR_LIMIT,
	 "version"},
};

START_TEST(open_refuses_another_version)
{
	store_close(open_store("s", STORE_CREATE));
	scratch_write("s/shale/version", bad_versions[_i].version);
	check_refused("s", 0, bad_versions[_i].code, bad_versions[_i].text);
	check_refused("s", STORE_CREATE, bad_versions[_i].code, bad_versions[_i].text);
}
END_TEST

static const char *const folders[] = {
	"s",       "s/blobs",        "s/blobs/sha256", "s/blobs/sha512",
	"s/shale", "s/shale/leases", "s/shale/layers", "s/shale/catalogs",
};

START_TEST(open_refuses_folders_that_others_may_write)
{
	store_close(open_store("s", STORE_CREATE));
	ck_assert_int_eq(chmod(scratch_file(folders[_i]), 0770), 0);
	check_refused("s", 0, ERR_UNTRUSTED, "may be written by other users (mode 0770)");
	/* The whole path is what chmod needs. */
	char named[300];
	snprintf(named, sizeof(named), "'%s'", scratch_file(folders[_i]));
	check_refused("s", 0, ERR_UNTRUSTED, named);
	ck_assert_int_eq(chmod(scratch_file(folders[_i]), 0702), 0);
	check_refused("s", STORE_CREATE, ERR_UNTRUSTED, "may be written by other users");
}
END_TEST

START_TEST(open_refuses_folders_that_are_links)
{
	store_close(open_store("s", STORE_CREATE));
	char *real = path_of("real");
	ck_assert_int_eq(rename(scratch_file(folders[_i]), real), 0);
	ck_assert_int_eq(symlink(real, scratch_file(folders[_i])), 0);
	check_refused("s", 0, ERR_UNTRUSTED, "symbolic link");
	check_refused("s", STORE_CREATE, ERR_UNTRUSTED, "symbolic link");
	/* open(2) would follow this one. */
	if (_i == 0)
		check_refused("s/", 0, ERR_UNTRUSTED, "symbolic link");
	free(real);
}
END_TEST

START_TEST(open_refuses_folders_of_another_user)
{
	if (geteuid() != 0)
		SKIP_TEST("needs root");
	store_close(open_store("s", STORE_CREATE));
	ck_assert_int_eq(chown(scratch_file(folders[_i]), OTHER_USER, OTHER_USER), 0);
	check_refused("s", 0, ERR_UNTRUSTED, "belongs to user 65534");
}
END_TEST

static const char *const files[] = {
	"s/index.json", "s/oci-layout", "s/shale/version", "s/shale/gc.lock", "s/shale/lock",
};

/* Opens the store and then whatever else the files above are. */
static void check_file_refused(const char *text)
{
	struct err e = ERR_INIT;
	struct store *s = NULL;

	if (store_open(scratch_file("s"), 0, &s, &e) == 0)
		(void)refs_remove(s, "localhost/none:1", &e);
	ck_assert_err(&e, ERR_UNTRUSTED, text);
	store_close(s);
}

static void make_store_with_locks(void)
{
	struct err e = ERR_INIT;
	struct store *s = open_store("s", STORE_CREATE);

	ck_assert_int_eq(refs_remove(s, "localhost/none:1", &e), 0);
	ck_assert_no_err(&e);
	store_close(s);
}

START_TEST(files_that_others_may_write_are_refused)
{
	static const mode_t bits[] = {S_IWOTH, S_IWGRP};
	struct stat st;
	char text[100];

	make_store_with_locks();
	ck_assert_int_eq(stat(scratch_file(files[_i]), &st), 0);
	for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
		const mode_t mode = (st.st_mode & 07777) | bits[i];
		snprintf(text, sizeof(text), "%s' may be written by other users (mode %04o)",
			 strrchr(files[_i], '/') + 1, (unsigned)mode);
		ck_assert_int_eq(chmod(scratch_file(files[_i]), mode), 0);
		check_file_refused(text);
	}
	ck_assert_int_eq(chmod(scratch_file(files[_i]), st.st_mode & 07777), 0);
	make_store_with_locks();
}
END_TEST

START_TEST(files_of_another_user_are_refused)
{
	char text[100];

	if (geteuid() != 0)
		SKIP_TEST("needs root");
	make_store_with_locks();
	ck_assert_int_eq(chown(scratch_file(files[_i]), OTHER_USER, OTHER_USER), 0);
	snprintf(text, sizeof(text), "%s' belongs to user 65534, not to user 0: chown",
		 strrchr(files[_i], '/') + 1);
	check_file_refused(text);
}
END_TEST

START_TEST(a_store_of_root_can_be_read_by_others)
{
	struct err e = ERR_INIT;
	struct image_index ix = IMAGE_INDEX_INIT;

	if (geteuid() != 0)
		SKIP_TEST("needs root");
	make_store_with_locks();
	ck_assert_int_eq(chmod(scratch_path(), 0755), 0);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		ck_assert_int_eq(chmod(scratch_file(folders[i]), 0755), 0);
	ck_assert_int_eq(seteuid(OTHER_USER), 0);
	struct store *s = open_store("s", 0);
	ck_assert(!store_is_writable(s));
	ck_assert_int_eq(refs_list(s, &ix, &e), 0);
	image_index_fini(&ix);
	store_close(s);
	ck_assert_int_eq(seteuid(0), 0);

	ck_assert_int_eq(chown(scratch_file("s/index.json"), 1, 1), 0);
	ck_assert_int_eq(seteuid(OTHER_USER), 0);
	s = open_store("s", 0);
	ck_assert_int_eq(refs_list(s, &ix, &e), -1);
	ck_assert_err(&e, ERR_UNTRUSTED, "belongs to user 1, not to user 65534 or root");
	store_close(s);
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

static void set_folder_modes(mode_t mode)
{
	for (size_t i = ARRAY_LEN(folders); i-- > 0;)
		ck_assert_int_eq(chmod(scratch_file(folders[i]), mode), 0);
}

START_TEST(a_store_that_cannot_be_written_can_be_read)
{
	struct err e = ERR_INIT;
	struct image_index ix = IMAGE_INDEX_INIT;
	struct lease *l = NULL;
	const bool is_root = geteuid() == 0;

	/* Permissions hold for those who are not root. */
	if (is_root) {
		ck_assert_int_eq(chmod(scratch_path(), 0777), 0);
		ck_assert_int_eq(seteuid(OTHER_USER), 0);
	}
	store_close(open_store("s", STORE_CREATE));
	set_folder_modes(0500);
	struct store *s = open_store("s", STORE_CREATE);
	ck_assert(!store_is_writable(s));
	ck_assert_int_eq(refs_list(s, &ix, &e), 0);
	image_index_fini(&ix);
	ck_assert_int_eq(lease_open(s, "test", &l, &e), 0);
	lease_close(l);
	ck_assert_int_eq(refs_remove(s, "localhost/a:1", &e), -1);
	ck_assert_err(&e, ERR_SYS, "cannot write to the store");
	store_close(s);
	set_folder_modes(0700);
	if (is_root)
		ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

static void check_default(const char *expected)
{
	struct err e = ERR_INIT;
	struct store *s = NULL;

	ck_assert_int_eq(store_open(NULL, STORE_CREATE, &s, &e), 0);
	ck_assert_str_eq(store_path(s), scratch_file(expected));
	store_close(s);
}

START_TEST(the_default_path_follows_the_environment)
{
	struct err e = ERR_INIT;
	struct store *s = NULL;

	setenv("HOME", scratch_file("home"), 1);
	setenv("XDG_DATA_HOME", "not/absolute", 1);
	unsetenv("SHALE_STORE");
	check_default("home/.local/share/shale");
	setenv("XDG_DATA_HOME", scratch_file("data"), 1);
	check_default("data/shale");
	setenv("SHALE_STORE", scratch_file("own"), 1);
	check_default("own");
	setenv("SHALE_STORE", "", 1);
	check_default("data/shale");
	ck_assert_int_eq(chdir(scratch_path()), 0);
	ck_assert_int_eq(store_open("own/", 0, &s, &e), 0);
	ck_assert_str_eq(store_path(s), scratch_file("own"));
	store_close(s);
	s = NULL;
	ck_assert_int_eq(store_open("", 0, &s, &e), -1);
	ck_assert_err(&e, ERR_USAGE, "empty");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("store/store");
	TCase *tc = tcase_create("open");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, create_makes_a_layout_that_others_can_read);
	tcase_add_test(tc, without_create_nothing_is_made);
	tcase_add_test(tc, many_processes_may_create_at_once);
	tcase_add_loop_test(tc, what_a_crash_left_is_completed, 0, 5);
	tcase_add_test(tc, a_lost_index_never_comes_back_empty);
	tcase_add_test(tc, a_layout_of_another_tool_is_read_as_it_is);
	tcase_add_loop_test(tc, who_writes_adds_to_a_layout_of_another_tool, 0, ARRAY_LEN(adding));
	tcase_add_loop_test(tc, open_refuses_a_bad_layout_file, 0, ARRAY_LEN(bad_layouts));
	tcase_add_test(tc, open_refuses_a_directory_of_something_else);
	tcase_add_loop_test(tc, open_refuses_another_version, 0, ARRAY_LEN(bad_versions));
	tcase_add_loop_test(tc, open_refuses_folders_that_others_may_write, 0, ARRAY_LEN(folders));
	tcase_add_loop_test(tc, open_refuses_folders_that_are_links, 0, ARRAY_LEN(folders));
	tcase_add_loop_test(tc, open_refuses_folders_of_another_user, 0, ARRAY_LEN(folders));
	tcase_add_loop_test(tc, files_that_others_may_write_are_refused, 0, ARRAY_LEN(files));
	tcase_add_loop_test(tc, files_of_another_user_are_refused, 0, ARRAY_LEN(files));
	tcase_add_test(tc, a_store_of_root_can_be_read_by_others);
	tcase_add_test(tc, a_store_that_cannot_be_written_can_be_read);
	tcase_add_test(tc, the_default_path_follows_the_environment);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
