/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modes, owners, times and extended attributes of an edit session.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/array.h"
#include "fs/sample_session.h"
#include "fs/session_private.h"
#include "main.h"

enum { MTIME = 1000000000 };

static const struct sample_file files[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0755, .mtime = MTIME},
	{.path = "dir",
	 .kind = ENTRY_DIR,
	 .mode = 02755,
	 .mtime = MTIME,
	 .xattr = "of a directory"},
	{.path = "f",
	 .kind = ENTRY_REG,
	 .mode = 06755,
	 .uid = 5,
	 .gid = 6,
	 .mtime = MTIME,
	 .mtime_nsec = 123456789,
	 .text = "content\n",
	 .xattr = "value"},
	{.path = "locked", .kind = ENTRY_REG, .mode = 02644, .gid = 5, .mtime = MTIME, .text = "x"},
	{.path = "plain", .kind = ENTRY_REG, .mode = 0644, .mtime = MTIME, .text = "y"},
};

static void setup(void)
{
	sample_session_make(files, ARRAY_LEN(files));
}

static void set(const char *path, const struct stat *st, unsigned what)
{
	struct err e = ERR_INIT;

	session_setattr(sample_session, &sample_caller, sample_ino(path), st, what, &e);
	ck_assert_no_err(&e);
}

static unsigned mode_of(const char *path)
{
	return sample_stat(sample_ino(path)).st_mode & 07777;
}

static void check_time(const struct timespec *t, int64_t sec, int64_t nsec)
{
	ck_assert_int_eq(t->tv_sec, sec);
	ck_assert_int_eq(t->tv_nsec, nsec);
}

START_TEST(attributes_are_set_alone)
{
	const struct stat st = {
		.st_mode = S_IFDIR | 01640,
		.st_uid = 11,
		.st_gid = 12,
		.st_atim = {1, 2},
		.st_mtim = {-3, 4},
	};
	const struct stat was = sample_stat(sample_ino("f"));

	check_time(&was.st_mtim, MTIME, 123456789);
	ck_assert_int_eq(was.st_size, 8);
	set("f", &st, SESSION_SET_MODE);
	struct stat now = sample_stat(was.st_ino);
	ck_assert_uint_eq(now.st_mode, S_IFREG | 01640);
	ck_assert_uint_eq(now.st_uid, 5);
	check_time(&now.st_mtim, MTIME, 123456789);
	ck_assert_int_gt(now.st_ctim.tv_sec, MTIME);
	set("f", &st, SESSION_SET_GID);
	set("f", &st, SESSION_SET_ATIME);
	now = sample_stat(was.st_ino);
	ck_assert_uint_eq(now.st_uid, 5);
	ck_assert_uint_eq(now.st_gid, 12);
	check_time(&now.st_atim, 1, 2);
	check_time(&now.st_mtim, MTIME, 123456789);
	set("f", &st, SESSION_SET_UID | SESSION_SET_MTIME);
	sample_session_reopen(0);
	now = sample_stat(was.st_ino);
	ck_assert_uint_eq(now.st_uid, 11);
	check_time(&now.st_mtim, -3, 4);
	sample_check_text("f", "content\n");
	set("f", &st, SESSION_SET_ATIME_NOW | SESSION_SET_MTIME_NOW);
	now = sample_stat(was.st_ino);
	ck_assert_int_gt(now.st_atim.tv_sec, MTIME);
	ck_assert_mem_eq(&now.st_atim, &now.st_mtim, sizeof(now.st_atim));
	/* Of others nothing changed. */
	ck_assert_int_eq(sample_stat(sample_ino("locked")).st_ctim.tv_sec, MTIME);
}
END_TEST

/* Which operations touch which times: mtime of a directory with its names, ctime of an inode. */
START_TEST(operations_touch_times)
{
	struct stat st;

	sample_put("dir/new", "");
	st = sample_stat(sample_ino("dir"));
	ck_assert_int_gt(st.st_mtim.tv_sec, MTIME);
	ck_assert_int_gt(st.st_ctim.tv_sec, MTIME);
	check_time(&st.st_atim, MTIME, 0);
	ck_assert_int_eq(sample_stat(SESSION_ROOT).st_mtim.tv_sec, MTIME);
	sample_rename("plain", "dir/plain", 0);
	ck_assert_int_gt(sample_stat(SESSION_ROOT).st_mtim.tv_sec, MTIME);
	st = sample_stat(sample_ino("dir/plain"));
	check_time(&st.st_mtim, MTIME, 0);
	ck_assert_int_gt(st.st_ctim.tv_sec, MTIME);
	sample_write(sample_ino("f"), 0, "C", 1);
	st = sample_stat(sample_ino("f"));
	ck_assert_int_gt(st.st_mtim.tv_sec, MTIME);
	check_time(&st.st_atim, MTIME, 123456789);
	sample_truncate(sample_ino("locked"), 1); /* as long as it was: POSIX touches it */
	ck_assert_int_gt(sample_stat(sample_ino("locked")).st_mtim.tv_sec, MTIME);
}
END_TEST

/* session_caller.has_group: of one group besides the caller's. */
static bool has_group_5(void *ctx, uint32_t gid)
{
	++*(int *)ctx;
	return gid == 5;
}

/* As Linux: setuid always, setgid where the group may execute, or is not the caller's; chown takes
 * them even from files of root, and a directory keeps them. */
START_TEST(privileges_go)
{
	const struct stat st = {.st_size = 3, .st_uid = 9, .st_mode = 06755};
	struct session_caller member = sample_caller;
	struct err e = ERR_INIT;
	int asked = 0;

	sample_write(sample_ino("f"), 0, "x", 1);
	ck_assert_uint_eq(mode_of("f"), 06755);
	session_write(sample_session, &sample_caller, sample_ino("f"), 0, "x", 1, SESSION_KILL_PRIV,
		      &e);
	ck_assert_uint_eq(mode_of("f"), 0755);
	member.has_group = has_group_5;
	member.ctx = &asked;
	session_write(sample_session, &member, sample_ino("locked"), 0, "x", 1, SESSION_KILL_PRIV,
		      &e);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(mode_of("locked"), 02644);
	ck_assert_int_eq(asked, 1);
	session_write(sample_session, &member, sample_ino("plain"), 0, "x", 1, SESSION_KILL_PRIV,
		      &e);
	ck_assert_int_eq(asked, 1);
	member.has_group = NULL;
	member.gid = 5;
	session_write(sample_session, &member, sample_ino("locked"), 0, "x", 1, SESSION_KILL_PRIV,
		      &e);
	ck_assert_uint_eq(mode_of("locked"), 02644);
	session_write(sample_session, &sample_caller, sample_ino("locked"), 0, "x", 1,
		      SESSION_KILL_PRIV, &e);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(mode_of("locked"), 0644);
	set("f", &st, SESSION_SET_MODE);
	set("f", &st, SESSION_SET_SIZE);
	ck_assert_uint_eq(mode_of("f"), 06755);
	set("f", &st, SESSION_SET_SIZE | SESSION_KILL_PRIV);
	ck_assert_uint_eq(mode_of("f"), 0755);
	set("f", &st, SESSION_SET_MODE);
	set("f", &st, SESSION_SET_UID);
	ck_assert_uint_eq(mode_of("f"), 0755);
	set("dir", &st, SESSION_SET_UID);
	ck_assert_uint_eq(mode_of("dir"), 02755);
}
END_TEST

static int setx(const char *path, const char *name, const char *value, int flags)
{
	struct err e = ERR_INIT;

	return sample_errno(session_setxattr(sample_session, &sample_caller, sample_ino(path), name,
					     value, strlen(value), flags, &e),
			    &e);
}

static int removex(const char *path, const char *name)
{
	struct err e = ERR_INIT;

	return sample_errno(
		session_removexattr(sample_session, &sample_caller, sample_ino(path), name, &e),
		&e);
}

/* The value, "(none)"; and that a small buffer gets the length alone. */
static const char *getx(const char *path, const char *name)
{
	static char value[LIMIT_XATTR_VALUE + 1];
	struct err e = ERR_INIT;
	size_t len = 0, again = 0;

	const int found = session_getxattr(sample_session, sample_ino(path), name, value,
					   sizeof(value), &len, &e);
	ck_assert_no_err(&e);
	if (found == 0)
		return "(none)";
	ck_assert_int_eq(
		session_getxattr(sample_session, sample_ino(path), name, NULL, 0, &again, &e), 1);
	ck_assert_uint_eq(again, len);
	value[len] = '\0';
	return value;
}

/* Names with a blank after each. */
static const char *listx(const char *path)
{
	static char names[4096];
	struct err e = ERR_INIT;
	size_t len, again;

	session_listxattr(sample_session, sample_ino(path), names, sizeof(names), &len, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(session_listxattr(sample_session, sample_ino(path), NULL, 0, &again, &e),
			 0);
	ck_assert_uint_eq(again, len);
	ck_assert_uint_lt(len, sizeof(names));
	for (size_t i = 0; i < len; i++)
		names[i] = names[i] ? names[i] : ' ';
	names[len] = '\0';
	return names;
}

START_TEST(xattrs_of_the_base_are_copied_up)
{
	ck_assert_str_eq(listx("f"), "user.sample ");
	ck_assert_str_eq(getx("f", "user.sample"), "value");
	ck_assert_int_eq(setx("f", "user.other", "another", 0), 0);
	ck_assert_str_eq(listx("f"), "user.other user.sample ");
	ck_assert_str_eq(getx("f", "user.sample"), "value");
	ck_assert_int_eq(setx("f", "user.sample", "changed", 0), 0);
	ck_assert_int_eq(removex("dir", "user.sample"), 0);
	sample_session_reopen(0);
	ck_assert_str_eq(getx("f", "user.sample"), "changed");
	ck_assert_str_eq(getx("f", "user.other"), "another");
	/* The last one that goes does not bring those of the base back. */
	ck_assert_str_eq(listx("dir"), "");
	ck_assert_str_eq(getx("dir", "user.sample"), "(none)");
	ck_assert_int_eq(removex("dir", "user.sample"), ENODATA);
	ck_assert_str_eq(listx("plain"), "");
	ck_assert_str_eq(getx("plain", "user.none"), "(none)");
	sample_put("new", "");
	ck_assert_str_eq(listx("new"), "");
	ck_assert_int_eq(setx("new", "trusted.overlay.opaque", "y", 0), 0);
	ck_assert_int_eq(setx("new", "user.empty", "", 0), 0);
	ck_assert_str_eq(listx("new"), "trusted.overlay.opaque user.empty ");
	ck_assert_str_eq(getx("new", "user.empty"), "");
}
END_TEST

START_TEST(xattrs_have_flags_and_limits)
{
	static char value[LIMIT_XATTR_VALUE + 1];
	char name[LIMIT_XATTR_NAME + 2];
	struct err e = ERR_INIT;

	ck_assert_int_eq(setx("f", "user.sample", "v", XATTR_CREATE), EEXIST);
	ck_assert_int_eq(setx("f", "user.new", "v", XATTR_REPLACE), ENODATA);
	ck_assert_str_eq(getx("f", "user.sample"), "value");
	ck_assert_int_eq(setx("f", "user.new", "v", XATTR_CREATE), 0);
	ck_assert_int_eq(setx("f", "user.new", "w", XATTR_REPLACE), 0);
	ck_assert_str_eq(getx("f", "user.new"), "w");
	ck_assert_int_eq(setx("f", "system.posix_acl_access", "v", 0), EOPNOTSUPP);
	ck_assert_int_eq(setx("dir", "system.posix_acl_default", "v", 0), EOPNOTSUPP);
	ck_assert_int_eq(removex("f", "system.posix_acl_access"), EOPNOTSUPP);
	memset(name, 'n', sizeof(name));
	memcpy(name, "user.", 5);
	name[LIMIT_XATTR_NAME + 1] = '\0';
	ck_assert_int_eq(setx("f", name, "v", 0), ERANGE);
	name[LIMIT_XATTR_NAME] = '\0';
	ck_assert_int_eq(setx("f", name, "v", 0), 0);
	ck_assert_int_eq(setx("f", "", "v", 0), ERANGE);
	memset(value, 'v', sizeof(value));
	const uint64_t ino = sample_ino("plain");
	ck_assert_int_eq(sample_errno(session_setxattr(sample_session, &sample_caller, ino,
						       "user.big", value, sizeof(value), 0, &e),
				      &e),
			 E2BIG);
	/* All of an inode's together, as an image has it. */
	unsigned count = 0;
	for (int error = 0; error == 0; count++) {
		snprintf(name, sizeof(name), "user.%03u", count);
		error = sample_errno(session_setxattr(sample_session, &sample_caller, ino, name,
						      value, LIMIT_XATTR_VALUE, 0, &e),
				     &e);
		if (error)
			ck_assert_int_eq(error, ENOSPC);
	}
	ck_assert_uint_eq(count, LIMIT_XATTRS / LIMIT_XATTR_VALUE);
	/* In the place of one of them there is room. */
	ck_assert_int_eq(
		sample_errno(session_setxattr(sample_session, &sample_caller, ino, "user.001",
					      value, LIMIT_XATTR_VALUE - 1, 0, &e),
			     &e),
		0);
}
END_TEST

/* security.capability goes with every change of content or owner. */
START_TEST(capabilities_go)
{
	static const char capability[] = "security.capability";
	const struct stat st = {.st_uid = 1, .st_size = 1};

	for (unsigned i = 0; i < 4; i++) {
		ck_assert_int_eq(setx("f", capability, i == 3 ? "" : "caps", 0), 0);
		ck_assert_str_eq(getx("f", capability), i == 3 ? "" : "caps");
		if (i % 2)
			sample_write(sample_ino("f"), 0, "x", 1);
		else
			set("f", &st, i == 0 ? SESSION_SET_UID : SESSION_SET_SIZE);
		ck_assert_str_eq(getx("f", capability), "(none)");
		ck_assert_str_eq(getx("f", "user.sample"), "value");
	}
	/* A chmod leaves them. */
	ck_assert_int_eq(setx("f", capability, "caps", 0), 0);
	set("f", &st, SESSION_SET_MODE);
	ck_assert_str_eq(getx("f", capability), "caps");
}
END_TEST

/* Blocks tell du(1) what a file takes. */
START_TEST(blocks_are_counted)
{
	static uint8_t bytes[64 * 1024];
	const uint64_t ino = sample_add("new", S_IFREG | 0644);

	memset(bytes, 'b', sizeof(bytes));
	ck_assert_int_eq(sample_stat(ino).st_blocks, 0);
	sample_write(ino, 0, bytes, 1000);
	ck_assert_int_eq(sample_stat(ino).st_blocks, 2);
	sample_write(ino, 0, bytes, sizeof(bytes));
	ck_assert_int_ge(sample_stat(ino).st_blocks, (blkcnt_t)(sizeof(bytes) / 512));
	sample_truncate(ino, 0);
	sample_truncate(ino, 1 << 30);
	ck_assert_int_eq(sample_stat(ino).st_blocks, 0);
	ck_assert_int_eq(sample_stat(sample_ino("f")).st_blocks, 1);
	ck_assert_int_eq(sample_stat(SESSION_ROOT).st_blocks, 0);
}
END_TEST

enum { MANY = 3000, NAME_SIZE = 8 };

/* Its catalog has many blocks, and the xattrs of the last file are in none of the first. */
static void setup_many(void)
{
	static char names[MANY][NAME_SIZE];
	static struct sample_file many[MANY + 1];

	many[0] = files[0];
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "n%04u", i);
		many[i + 1] = (struct sample_file){.path = names[i],
						   .kind = ENTRY_REG,
						   .mode = 0644,
						   .text = "x",
						   .xattr = names[i]};
	}
	sample_session_make(many, ARRAY_LEN(many));
}

/* Bytes of the image's catalog, all over but where it begins, as a failing disk would. */
static void damage_catalog(void)
{
	enum { STEP = 512 };
	const int dir = store_dirfd(sample_store, STORE_DIR_CATALOGS);
	char hex[DIGEST_HEX_MAX];
	struct stat st;
	uint8_t byte;

	digest_hex(&sample_image.chosen.digest, hex);
	ck_assert_int_eq(fchmodat(dir, hex, 0644, 0), 0);
	SCOPE_FD int fd = openat(dir, hex, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(fstat(fd, &st), 0);
	for (off_t at = st.st_size / 4; at < st.st_size; at += STEP) {
		ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
		byte ^= 0x10;
		ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
	}
}

/* The first that meets it is the copy of the xattrs: the inode has a row. */
START_TEST(xattrs_are_copied_up_from_a_catalog_that_was_damaged)
{
	const struct stat st = {.st_mode = 0600};
	struct err e = ERR_INIT;
	size_t len;
	char names[64];

	set("n2999", &st, SESSION_SET_MODE);
	const uint64_t ino = sample_ino("n2999");
	sample_session_close();
	view_close(sample_base);
	sample_base = sample_view(VIEW_CACHE_MIN);
	const struct catalog *before = view_catalog(sample_base);
	damage_catalog();
	sample_session_open(0);
	ck_assert_ptr_eq(view_catalog(sample_base), before);
	session_setxattr(sample_session, &sample_caller, ino, "user.other", "another", 7, 0, &e);
	ck_assert_no_err(&e);
	ck_assert_ptr_ne(view_catalog(sample_base), before);
	session_listxattr(sample_session, ino, names, sizeof(names), &len, &e);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(len, sizeof("user.other") + sizeof("user.sample"));
	ck_assert_str_eq(getx("n2999", "user.sample"), "n2999");
	ck_assert_str_eq(getx("n2999", "user.other"), "another");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/session_attrs");
	TCase *tc = tcase_create("attributes");

	tcase_add_checked_fixture(tc, setup, sample_session_remove);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, attributes_are_set_alone);
	tcase_add_test(tc, operations_touch_times);
	tcase_add_test(tc, privileges_go);
	tcase_add_test(tc, xattrs_of_the_base_are_copied_up);
	tcase_add_test(tc, xattrs_have_flags_and_limits);
	tcase_add_test(tc, capabilities_go);
	tcase_add_test(tc, blocks_are_counted);
	suite_add_tcase(s, tc);
	tc = tcase_create("repair");
	tcase_add_checked_fixture(tc, setup_many, sample_session_remove);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, xattrs_are_copied_up_from_a_catalog_that_was_damaged);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
