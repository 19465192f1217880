/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes wrong around an edit session: damage, lost files, no memory, a full disk.  Never a
 * crash, never an endless loop, and an operation that fails changed nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/io.h"
#include "fs/sample_session.h"
#include "fs/session_batch.h"
#include "fs/session_db_private.h"
#include "fs/session_private.h"
#include "main.h"
#include "tests/support/failalloc.h"
#include "tests/support/scratch.h"

enum { BIG = 20 * SESSION_BLOCK + 5, STATE_MAX = 16384, WALK_MAX = 1000 };

static const struct sample_file files[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "big", .kind = ENTRY_REG, .mode = 0644, .size = BIG, .xattr = "v"},
	{.path = "dir", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "dir/f", .kind = ENTRY_REG, .mode = 0644, .text = "f\n"},
	{.path = "empty", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "g", .kind = ENTRY_REG, .mode = 0644, .text = "g\n"},
};

static uint8_t block[8 * SESSION_BLOCK];

static void setup(void)
{
	sample_session_make(files, ARRAY_LEN(files));
	memset(block, 'b', sizeof(block));
}

/* Everything that can be asked of a tree, up to a number of questions: a damaged one may have no
 * end.  Errors end what they end. */
struct walk {
	char *out; /* NULL: nothing is kept */
	size_t used;
	unsigned left;
	unsigned errors;
};

static void say(struct walk *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct walk *w, const char *fmt, ...)
{
	va_list args;

	if (!w->out)
		return;
	va_start(args, fmt);
	w->used += (size_t)vsnprintf(w->out + w->used, STATE_MAX - w->used, fmt, args);
	va_end(args);
	ck_assert_uint_lt(w->used, STATE_MAX);
}

static bool failed(struct walk *w, int64_t r, struct err *e)
{
	if (r >= 0)
		return false;
	ck_assert_int_ne(e->code, ERR_NONE);
	if (w->out)
		fprintf(stderr, "%s\n", e->msg);
	err_clear(e);
	w->errors++;
	return true;
}

static void walk_file(struct walk *w, uint64_t ino, uint64_t size)
{
	static uint8_t buf[BIG * 2];
	struct err e = ERR_INIT;
	uint32_t sum = 0;
	int64_t at = 0;

	const ssize_t n = session_read(sample_session, ino, 0, buf, sizeof(buf), &e);
	if (failed(w, n, &e))
		return;
	for (ssize_t i = 0; i < n; i++)
		sum = sum * 31 + buf[i];
	say(w, " %zd:%08x", n, sum);
	for (int whence = SEEK_DATA; at >= 0 && (uint64_t)at < size && w->left > 0; w->left--) {
		at = session_seek(sample_session, ino, (uint64_t)at, whence, &e);
		/* No more data: that is an answer. */
		if (at < 0 && e.code == ERR_SYS && e.sys == ENXIO)
			err_clear(&e);
		else if (failed(w, at, &e))
			break;
		whence = whence == SEEK_DATA ? SEEK_HOLE : SEEK_DATA;
	}
}

static void walk(struct walk *w, uint64_t ino, unsigned depth)
{
	char names[4096], target[LIMIT_SYMLINK + 1];
	struct session_dirent de;
	struct err e = ERR_INIT;
	struct stat st;
	size_t len = 0;
	uint64_t at = 0;

	if (w->left == 0 || failed(w, session_stat(sample_session, ino, &st, &e), &e))
		return;
	w->left--;
	say(w, " %llu %o %u %lld", (unsigned long long)ino, st.st_mode, (unsigned)st.st_nlink,
	    (long long)st.st_size);
	if (!failed(w, session_listxattr(sample_session, ino, names, sizeof(names), &len, &e), &e))
		say(w, " x%zu", len);
	if (S_ISLNK(st.st_mode) &&
	    !failed(w, session_readlink(sample_session, ino, target, &e), &e))
		say(w, " -> %s", target);
	if (S_ISREG(st.st_mode))
		walk_file(w, ino, (uint64_t)st.st_size);
	while (S_ISDIR(st.st_mode) && depth < 10 && w->left > 0) {
		const int found = session_readdir(sample_session, ino, at, &de, &e);
		if (failed(w, found, &e) || found == 0)
			break;
		w->left--;
		at = de.next;
		if (strcmp(de.name, ".") == 0 || strcmp(de.name, "..") == 0)
			continue;
		say(w, "\n%s", de.name);
		walk(w, de.ino, depth + 1);
	}
}

/* All of the tree, which must be in order. */
static char *state(void)
{
	struct walk w = {.out = malloc(STATE_MAX), .left = WALK_MAX};

	ck_assert_ptr_nonnull(w.out);
	walk(&w, SESSION_ROOT, 0);
	ck_assert_uint_eq(w.errors, 0);
	ck_assert_uint_gt(w.left, 0);
	return w.out;
}

/* Rows of each kind. */
static void make_rows(void)
{
	struct err e = ERR_INIT;
	char name[16];

	sample_write(sample_ino("big"), 5000, block, 10000);
	sample_put("small", "small\n");
	sample_write(sample_add("file", S_IFREG | 0644), 0, block, sizeof(block));
	sample_add("link", S_IFLNK | 0777);
	sample_add("dir/sub", S_IFDIR | 0755);
	sample_rename("dir/f", "dir/sub/moved", 0);
	sample_rename("dir", "other", 0);
	for (unsigned i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "many-%u", i);
		sample_put(name, name);
	}
	session_setxattr(sample_session, &sample_caller, sample_ino("g"), "user.a", "value", 5, 0,
			 &e);
	ck_assert_no_err(&e);
}

static void try_to_change(void)
{
	const struct session_new what = {.name = "made", .mode = S_IFDIR | 0755};
	const struct session_move m = {SESSION_ROOT, "other", SESSION_ROOT, "again", 0};
	const struct stat st = {.st_size = 100};
	struct walk w = {.left = 1};
	struct session *s = sample_session;
	struct err e = ERR_INIT;
	uint64_t ino;

	failed(&w, session_create(s, &sample_caller, SESSION_ROOT, &what, &ino, &e), &e);
	failed(&w, session_rename(s, &sample_caller, &m, &e), &e);
	failed(&w, session_write(s, &sample_caller, 2, 9000, "x", 1, 0, &e), &e);
	failed(&w, session_setattr(s, &sample_caller, 2, &st, SESSION_SET_SIZE, &e), &e);
	failed(&w, session_unlink(s, &sample_caller, SESSION_ROOT, "small", &e), &e);
	failed(&w, session_rmdir(s, &sample_caller, SESSION_ROOT, "empty", &e), &e);
}

/* Bytes of the database flipped: an error that says so, or rows that look well. */
START_TEST(a_damaged_database_is_an_error_or_is_read)
{
	enum { LOOPS = 8, STEP = 997 };
	unsigned refused = 0, opened = 0;
	struct stat st;
	uint8_t byte;

	make_rows();
	sample_session_close();
	SCOPE_FREE uint8_t *bytes = NULL;
	SCOPE_FD int fd = open(sample_session_file(SESSION_DB_NAME), O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(fstat(fd, &st), 0);
	bytes = malloc((size_t)st.st_size);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_int_eq(io_pread_full(fd, bytes, (size_t)st.st_size, 0), st.st_size);
	for (off_t at = _i * STEP / LOOPS; at < st.st_size; at += STEP) {
		struct walk w = {.left = WALK_MAX};
		struct err e = ERR_INIT;
		byte = (uint8_t)(bytes[at] ^ (at % 3 ? 0xff : 1 << at % 8));
		ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
		sample_session_try("session", at % 2 ? SESSION_TAKE_OVER : 0, &sample_session, &e);
		if (e.code) {
			if (e.code != ERR_FORMAT && e.code != ERR_UNSUPPORTED && e.code != ERR_SYS)
				ck_abort_msg("byte %lld: code %d: %s", (long long)at, (int)e.code,
					     e.msg);
			err_clear(&e);
			refused++;
		} else {
			walk(&w, SESSION_ROOT, 0);
			try_to_change();
			opened++;
		}
		sample_session_close();
		/* Without what it wrote. */
		unlink(sample_session_file("meta.db-wal"));
		unlink(sample_session_file("meta.db-shm"));
		unlink(sample_session_file(SESSION_REDO_NAME));
		ck_assert_int_eq(ftruncate(fd, 0), 0);
		ck_assert_int_eq(io_pwrite_all(fd, bytes, (size_t)st.st_size, 0), 0);
	}
	ck_assert_uint_gt(refused, 0);
	ck_assert_uint_gt(opened, 5);
}
END_TEST

/* Of a directory that lost more directories than it had, the number would be 4294967295. */
START_TEST(links_do_not_become_less_than_none)
{
	const struct session_move m = {SESSION_ROOT, "empty", sample_ino("dir"), "moved", 0};
	struct err e = ERR_INIT;

	sample_add("sub", S_IFDIR | 0755);
	session_batch_flush(sample_session->db, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(sqlite3_exec(sample_session->db->db,
				      "UPDATE inode SET nlink = 2 WHERE ino = 1", NULL, NULL, NULL),
			 SQLITE_OK);
	sample_session_reopen(0);
	ck_assert_int_eq(session_rmdir(sample_session, &sample_caller, SESSION_ROOT, "empty", &e),
			 -1);
	ck_assert_err(&e, ERR_FORMAT, "fewer links");
	ck_assert_int_eq(session_rename(sample_session, &sample_caller, &m, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "fewer links");
	ck_assert_uint_eq(sample_stat(SESSION_ROOT).st_nlink, 2);
	ck_assert(sample_is_there("empty"));
}
END_TEST

/* A data file that is there in the rows alone, or is something else: an error to who reads it, and
 * others go on. */
START_TEST(a_lost_data_file_is_an_error)
{
	struct err e = ERR_INIT;
	char name[64], path[80];
	uint8_t byte;

	const uint64_t ino = sample_add("file", S_IFREG | 0644);
	sample_write(ino, 0, block, sizeof(block));
	snprintf(name, sizeof(name), "data/%llu.1", (unsigned long long)ino);
	snprintf(path, sizeof(path), "session/%s", name);
	sample_session_reopen(SESSION_TAKE_OVER);
	ck_assert_int_eq(unlink(sample_session_file(name)), 0);
	if (_i == 1)
		ck_assert_int_eq(mkdirat(scratch_fd(), path, 0700), 0);
	if (_i == 2)
		ck_assert_int_eq(symlinkat("/etc/passwd", scratch_fd(), path), 0);
	if (_i == 3)
		ck_assert_int_eq(mkfifoat(scratch_fd(), path, 0600), 0);
	ck_assert_int_eq(session_read(sample_session, ino, 0, &byte, 1, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "data file");
	ck_assert_int_eq(session_write(sample_session, &sample_caller, ino, 0, "x", 1, 0, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "data file");
	ck_assert_int_eq(session_seek(sample_session, ino, 0, SEEK_DATA, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "data file");
	ck_assert_int_eq(sample_stat(ino).st_size, sizeof(block));
	sample_check_text("g", "g\n");
	/* It can be removed. */
	sample_unlink("file");
	ck_assert(!sample_is_there("file"));
}
END_TEST

/* A part of a block of the base is written, and the rest of it cannot be read. */
START_TEST(damage_of_the_base_stops_a_copy_up)
{
	const uint64_t ino = sample_ino("big");
	struct catalog_range range;
	struct session_inode in;
	struct err e = ERR_INIT;
	char hex[DIGEST_HEX_MAX];
	struct frame f;
	uint32_t number;
	uint8_t byte;

	catalog_range(view_catalog(sample_base), session_lower(ino), 0, &range, &e);
	catalog_frame(view_catalog(sample_base), 0, range.tar_offset, &number, &f, &e);
	ck_assert_no_err(&e);
	const int dir = store_dirfd(sample_store, STORE_DIR_BLOBS_SHA256);
	digest_hex(&sample_image.manifest.layers[0].digest, hex);
	ck_assert_int_eq(fchmodat(dir, hex, 0644, 0), 0);
	SCOPE_FD int fd = openat(dir, hex, O_RDWR | O_CLOEXEC);
	const off_t at = (off_t)(f.blob_offset + f.blob_length / 2);
	ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);

	ck_assert_int_eq(session_write(sample_session, &sample_caller, ino, 100, "x", 1, 0, &e),
			 -1);
	ck_assert_err(&e, ERR_DIGEST, "frame");
	ck_assert_int_eq(session_load(sample_session, ino, &in, &e), 0);
	ck_assert(!in.is_stored);
	ck_assert_int_eq(sample_stat(ino).st_size, BIG);
	/* Whole blocks need nothing of it. */
	sample_write(ino, 0, block, sizeof(block));
	uint8_t seen[sizeof(block)];
	ck_assert_int_eq(session_read(sample_session, ino, 0, seen, sizeof(seen), &e),
			 sizeof(seen));
	ck_assert_mem_eq(seen, block, sizeof(seen));
	sample_truncate(ino, 0);
	sample_check(ino, "", 0);
}
END_TEST

/* What is tried without memory, or without room: each changes something. */
static int op(unsigned which, struct err *e)
{
	static const struct session_new file = {.name = "new", .mode = S_IFREG | 0644};
	static const struct session_new dir = {.name = "newdir", .mode = S_IFDIR | 0755};
	static const struct session_new link = {
		.name = "link", .mode = S_IFLNK | 0777, .target = "target"};
	const struct session_move move = {SESSION_ROOT, "dir", SESSION_ROOT, "empty", 0};
	const struct session_move swap = {SESSION_ROOT, "g", SESSION_ROOT, "new", RENAME_EXCHANGE};
	const struct session_caller *who = &sample_caller;
	const struct stat st = {.st_size = 6000, .st_mode = 0600};
	struct session *s = sample_session;
	uint64_t ino;

	switch (which) {
	case 0:
		return session_create(s, who, SESSION_ROOT, &file, &ino, e);
	case 1:
		return session_create(s, who, SESSION_ROOT, &dir, &ino, e);
	case 2:
		return session_create(s, who, SESSION_ROOT, &link, &ino, e);
	case 3:
		return session_link(s, who, 2, SESSION_ROOT, "hard", e);
	case 4: /* blocks that were written before are written in their place */
		return session_fallocate(s, who, 2, FALLOC_FL_ZERO_RANGE, 30000, 20000, e);
	case 5:
		return session_write(s, who, 2, 5000, block, 10000, 0, e);
	case 6:
		return session_write(s, who, 6, 1, block, 100, 0, e);
	case 7:
		return session_setattr(s, who, 2, &st, SESSION_SET_SIZE | SESSION_SET_MODE, e);
	case 8:
		return session_setxattr(s, who, 2, "user.new", "v", 1, 0, e);
	case 9:
		return session_removexattr(s, who, 2, "user.sample", e);
	case 10:
		return session_rename(s, who, &move, e);
	case 11:
		return session_rename(s, who, &swap, e);
	case 12:
		return session_unlink(s, who, SESSION_ROOT, "link", e);
	case 13:
		return session_rmdir(s, who, SESSION_ROOT, "newdir", e);
	default:
		return 1;
	}
}

/* SQLite's allocations, of which one fails. */
static sqlite3_mem_methods memory;
static int memory_left; /* 0: none fails */

static bool memory_fails(void)
{
	return memory_left > 0 && --memory_left == 0;
}

static void *take(int size)
{
	return memory_fails() ? NULL : memory.xMalloc(size);
}

static void *resize(void *old, int size)
{
	return memory_fails() ? NULL : memory.xRealloc(old, size);
}

static void setup_memory(void)
{
	static sqlite3_mem_methods mine;

	ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory), SQLITE_OK);
	mine = memory;
	mine.xMalloc = take;
	mine.xRealloc = resize;
	ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &mine), SQLITE_OK);
	/* Each is a call, not a place in a pool that was taken before. */
	ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0), SQLITE_OK);
	ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0), SQLITE_OK);
	setup();
}

/* Starts to fail the n-th allocation, shale's or SQLite's; ends it: whether it came so far. */
static void start_failing(bool is_sqlite, unsigned n)
{
	if (is_sqlite)
		memory_left = (int)n;
	else
		failalloc_start(n);
}

static bool stop_failing(bool is_sqlite)
{
	const bool was_reached = is_sqlite ? memory_left == 0 : failalloc_stop();

	memory_left = 0;
	return was_reached;
}

START_TEST(an_operation_without_memory_changes_nothing)
{
	const bool is_sqlite = _i;
	unsigned failures = 0;

	for (unsigned which = 0; which < 14; which++) {
		for (unsigned n = 1;; n++) {
			SCOPE_FREE char *before = state();
			struct err e = ERR_INIT;
			start_failing(is_sqlite, n);
			const int r = op(which, &e);
			stop_failing(is_sqlite);
			SCOPE_FREE char *after = state();
			if (r < 0) {
				ck_assert_msg(e.code == ERR_NOMEM, "op %u: %s", which, e.msg);
				ck_assert_msg(strcmp(before, after) == 0,
					      "op %u changed\n%s\nto\n%s", which, before, after);
				err_clear(&e);
				failures++;
				continue;
			}
			ck_assert_no_err(&e);
			ck_assert_msg(strcmp(before, after) != 0, "op %u did nothing", which);
			break; /* it can do without that allocation, or needs no more */
		}
	}
	ck_assert_uint_gt(failures, is_sqlite ? 10 : 0);
	SCOPE_FREE char *before = state();
	sample_session_reopen(0);
	SCOPE_FREE char *after = state();
	ck_assert_str_eq(before, after);
	/* Numbers that were given out in spite of a failure are not given out again. */
	const uint64_t first = sample_add("number-1", S_IFREG | 0644);
	sample_session_reopen(0);
	const uint64_t second = sample_add("number-2", S_IFREG | 0644);
	ck_assert_uint_ne(first, second);
	ck_assert_uint_eq(sample_ino("number-1"), first);
}
END_TEST

START_TEST(opening_without_memory_is_an_error)
{
	const bool is_sqlite = _i;
	unsigned failures = 0;

	make_rows();
	SCOPE_FREE char *before = state();
	sample_session_close();
	for (unsigned n = 1;; n++) {
		struct session *s = NULL;
		struct err e = ERR_INIT;
		int dirfd, datafd;
		sample_session_folder("session", &dirfd, &datafd);
		start_failing(is_sqlite, n);
		const int r = session_open(sample_base, dirfd, datafd, 0, &s, &e);
		const bool was_reached = stop_failing(is_sqlite);
		session_close(s);
		ck_assert_int_eq(r < 0, e.code != ERR_NONE);
		if (r < 0)
			ck_assert_msg(e.code == ERR_NOMEM, "allocation %u: %s", n, e.msg);
		failures += r < 0;
		err_clear(&e);
		sample_session_close(); /* descriptors */
		if (!was_reached)
			break;
	}
	ck_assert_uint_gt(failures, is_sqlite ? 50 : 0);
	sample_session_open(0);
	SCOPE_FREE char *after = state();
	ck_assert_str_eq(before, after);
}
END_TEST

/* A file system of a few MiB in a mount namespace that ends with this process. */
static bool mount_small(void)
{
	if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	return mount("tmpfs", sample_session_file(""), "tmpfs", 0, "size=3m") == 0;
}

/* `size`, or until nothing goes in any more. */
static void fill_disk(const char *name, size_t size)
{
	SCOPE_FD int fd = open(sample_session_file(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ssize_t n = 1;

	ck_assert_int_ge(fd, 0);
	for (size_t done = 0; n > 0 && done < size; done += 512)
		n = write(fd, block, 512);
	if (n < 0)
		ck_assert_int_eq(errno, ENOSPC);
}

START_TEST(a_full_disk_is_told_and_loses_nothing)
{
	const uint64_t big = 2;
	struct err e = ERR_INIT;
	uint64_t at = 0;

	sample_session_prepare(files, ARRAY_LEN(files));
	memset(block, 'b', sizeof(block));
	if (!mount_small())
		SKIP_TEST("no file system can be mounted here");
	ck_assert_int_eq(mkdir(sample_session_file("data"), 0700), 0);
	sample_session_open(SESSION_CREATE);
	fill_disk("reserve", 512 * 1024);
	sample_put("kept", "kept\n");
	sample_write(big, 5000, "!", 1);
	const uint64_t ino = sample_add("log", S_IFREG | 0644);
	while (session_write(sample_session, &sample_caller, ino, at, block, sizeof(block), 0,
			     &e) == 0)
		at += sizeof(block);
	ck_assert_int_eq(sample_errno(-1, &e), ENOSPC);
	ck_assert_uint_gt(at, 500000);
	ck_assert_int_eq(sample_stat(ino).st_size, (off_t)at);
	fill_disk("fill", SIZE_MAX);
	/* Until the log has no room for another transaction; by then it says so. */
	int error = 0;
	char name[16];
	for (unsigned i = 0; i < 5000 && !error; i++) {
		SCOPE_FREE char *was = state();
		const struct session_new what = {.name = name, .mode = S_IFREG | 0644};
		uint64_t made;
		snprintf(name, sizeof(name), "n%u", i);
		error = sample_errno(session_create(sample_session, &sample_caller, SESSION_ROOT,
						    &what, &made, &e),
				     &e);
		SCOPE_FREE char *is = state();
		ck_assert_int_eq(strcmp(was, is) == 0, error != 0);
	}
	ck_assert_int_eq(error, ENOSPC);
	ck_assert_int_eq(sample_errno(session_write(sample_session, &sample_caller, big, 30000,
						    block, 10000, 0, &e),
				      &e),
			 ENOSPC);
	/* With room again all goes on, and what was told is there. */
	ck_assert_int_eq(unlink(sample_session_file("reserve")), 0);
	sample_write(big, 30000, block, 10);
	for (uint64_t k = 0; k < at; k += sizeof(block)) {
		static uint8_t seen[sizeof(block)];
		ck_assert_int_eq(session_read(sample_session, ino, k, seen, sizeof(seen), &e),
				 sizeof(seen));
		ck_assert_mem_eq(seen, block, sizeof(seen));
	}
	sample_unlink("log");
	sample_session_reopen(0);
	sample_check_text("kept", "kept\n");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/session_errors");
	TCase *tc = tcase_create("damage");

	tcase_add_checked_fixture(tc, setup, sample_session_remove);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, a_damaged_database_is_an_error_or_is_read, 0, UNIT_LOOPS(8));
	tcase_add_loop_test(tc, a_lost_data_file_is_an_error, 0, 4);
	tcase_add_test(tc, links_do_not_become_less_than_none);
	tcase_add_test(tc, damage_of_the_base_stops_a_copy_up);
	suite_add_tcase(s, tc);
	tc = tcase_create("memory");
	tcase_add_checked_fixture(tc, setup_memory, sample_session_remove);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, an_operation_without_memory_changes_nothing, 0, 2);
	tcase_add_loop_test(tc, opening_without_memory_is_an_error, 0, 2);
	suite_add_tcase(s, tc);
	tc = tcase_create("room");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, NULL, sample_session_remove);
	tcase_add_test(tc, a_full_disk_is_told_and_loses_nothing);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
