/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/sample_session.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "main.h"
#include "tests/support/scratch.h"

struct session *sample_session;
struct view *sample_base;
struct session_caller sample_caller = {.uid = 1000, .gid = 1000};

/* Sessions borrow them. */
enum { FDS_MAX = 256 };
static int fds[FDS_MAX];
static size_t fd_count;

static void close_fds(void)
{
	while (fd_count > 0)
		close(fds[--fd_count]);
}

void sample_session_folder(const char *folder, int *dirfd, int *datafd)
{
	ck_assert_uint_le(fd_count + 2, FDS_MAX);
	*dirfd = open(scratch_file(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(*dirfd, 0);
	*datafd = openat(*dirfd, "data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(*datafd, 0);
	fds[fd_count++] = *dirfd;
	fds[fd_count++] = *datafd;
}

void sample_session_prepare(const struct sample_file *files, size_t count)
{
	sample_image_make(files, count);
	sample_base = sample_view(VIEW_CACHE_MIN);
	ck_assert_int_eq(mkdirat(scratch_fd(), "session", 0700), 0);
	ck_assert_int_eq(mkdirat(scratch_fd(), "session/data", 0700), 0);
}

void sample_session_make(const struct sample_file *files, size_t count)
{
	sample_session_prepare(files, count);
	sample_session_open(SESSION_CREATE);
}

void sample_session_remove(void)
{
	sample_session_close();
	view_close(sample_base);
	sample_base = NULL;
	sample_image_remove();
}

int sample_session_try(const char *folder, unsigned flags, struct session **out, struct err *e)
{
	int dirfd, datafd;

	sample_session_folder(folder, &dirfd, &datafd);
	return session_open(sample_base, dirfd, datafd, flags, out, e);
}

void sample_session_open(unsigned flags)
{
	struct err e = ERR_INIT;

	sample_session_try("session", flags, &sample_session, &e);
	ck_assert_no_err(&e);
}

void sample_session_close(void)
{
	session_close(sample_session);
	sample_session = NULL;
	close_fds();
}

void sample_session_reopen(unsigned flags)
{
	sample_session_close();
	sample_session_open(flags);
}

const char *sample_session_file(const char *name)
{
	static char path[256];

	ck_assert_int_lt(snprintf(path, sizeof(path), "session/%s", name), (int)sizeof(path));
	return scratch_file(path);
}

void sample_session_copy_of(const char *folder, const char *to)
{
	char from[PATH_MAX], boot[PATH_MAX];
	int status;

	snprintf(from, sizeof(from), "%s", scratch_file(folder));
	snprintf(boot, sizeof(boot), "%s/boot", to);
	const pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		execlp("cp", "cp", "-a", from, scratch_file(to), (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	scratch_write(boot, "another\n");
}

void sample_session_copy(const char *to)
{
	sample_session_copy_of("session", to);
}

int sample_session_data_count(void)
{
	DIR *dir = opendir(sample_session_file("data"));
	int count = 0;

	ck_assert_ptr_nonnull(dir);
	for (const struct dirent *d = readdir(dir); d; d = readdir(dir))
		count += d->d_name[0] != '.';
	closedir(dir);
	return count;
}

/* The directory of the last name of `path`, which is what is returned. */
static const char *split(const char *path, uint64_t *dir)
{
	const char *slash;

	*dir = SESSION_ROOT;
	while ((slash = strchr(path, '/'))) {
		char name[LIMIT_NAME + 1];
		struct err e = ERR_INIT;
		snprintf(name, sizeof(name), "%.*s", (int)(slash - path), path);
		ck_assert_msg(session_lookup(sample_session, *dir, name, dir, &e) == 1, "no '%s'",
			      name);
		path = slash + 1;
	}
	return path;
}

bool sample_is_there(const char *path)
{
	struct err e = ERR_INIT;
	uint64_t dir, ino;

	const char *name = split(path, &dir);
	const int found = session_lookup(sample_session, dir, name, &ino, &e);
	ck_assert_no_err(&e);
	return found;
}

uint64_t sample_ino(const char *path)
{
	struct err e = ERR_INIT;
	uint64_t dir, ino = 0;

	const char *name = split(path, &dir);
	ck_assert_msg(session_lookup(sample_session, dir, name, &ino, &e) == 1, "no '%s'", path);
	ck_assert_uint_ne(ino, 0);
	return ino;
}

uint64_t sample_add(const char *path, uint32_t mode)
{
	struct err e = ERR_INIT;
	uint64_t dir, ino = 0;
	const struct session_new what = {
		.name = split(path, &dir),
		.mode = mode,
		.target = S_ISLNK(mode) ? "target" : NULL,
	};

	session_create(sample_session, &sample_caller, dir, &what, &ino, &e);
	ck_assert_no_err(&e);
	return ino;
}

void sample_write(uint64_t ino, uint64_t offset, const void *bytes, size_t len)
{
	struct err e = ERR_INIT;

	session_write(sample_session, &sample_caller, ino, offset, bytes, len, 0, &e);
	ck_assert_no_err(&e);
}

void sample_put(const char *path, const char *text)
{
	sample_write(sample_add(path, S_IFREG | 0644), 0, text, strlen(text));
}

void sample_truncate(uint64_t ino, uint64_t size)
{
	const struct stat st = {.st_size = (off_t)size};
	struct err e = ERR_INIT;

	session_setattr(sample_session, &sample_caller, ino, &st, SESSION_SET_SIZE, &e);
	ck_assert_no_err(&e);
}

void sample_unlink(const char *path)
{
	struct err e = ERR_INIT;
	uint64_t dir;

	const char *name = split(path, &dir);
	session_unlink(sample_session, &sample_caller, dir, name, &e);
	ck_assert_no_err(&e);
}

void sample_sync(void)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(session_sync(sample_session, &e), 0);
}

void sample_rmdir(const char *path)
{
	struct err e = ERR_INIT;
	uint64_t dir;

	const char *name = split(path, &dir);
	session_rmdir(sample_session, &sample_caller, dir, name, &e);
	ck_assert_no_err(&e);
}

void sample_rename(const char *from, const char *to, unsigned flags)
{
	struct session_move m = {.flags = flags};
	struct err e = ERR_INIT;

	m.from = split(from, &m.from_dir);
	m.to = split(to, &m.to_dir);
	session_rename(sample_session, &sample_caller, &m, &e);
	ck_assert_no_err(&e);
}

struct stat sample_stat(uint64_t ino)
{
	struct err e = ERR_INIT;
	struct stat st = {.st_size = 0};

	session_stat(sample_session, ino, &st, &e);
	ck_assert_no_err(&e);
	return st;
}

void sample_check(uint64_t ino, const void *bytes, size_t len)
{
	struct err e = ERR_INIT;
	SCOPE_FREE uint8_t *buf = malloc(len + 1);
	const uint8_t *want = bytes;

	ck_assert_ptr_nonnull(buf);
	ck_assert_int_eq(sample_stat(ino).st_size, (off_t)len);
	const ssize_t n = session_read(sample_session, ino, 0, buf, len + 1, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(n, (ssize_t)len);
	/* Each assertion of Check is a system call. */
	for (size_t i = 0; i < len; i++)
		if (buf[i] != want[i])
			ck_abort_msg("byte %zu of %zu is %02x, not %02x", i, len, buf[i], want[i]);
}

void sample_check_text(const char *path, const char *text)
{
	sample_check(sample_ino(path), text, strlen(text));
}

int sample_errno(int r, struct err *e)
{
	const int sys = r < 0 ? e->sys : 0;

	ck_assert_int_eq(r < 0, e->code != ERR_NONE);
	if (r < 0)
		ck_assert_int_eq(e->code, ERR_SYS);
	err_clear(e);
	return sys;
}

uint32_t sample_random(uint64_t *state, uint32_t below)
{
	/* xorshift64*, as in https://en.wikipedia.org/wiki/Xorshift */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * UINT64_C(2685821657736338717)) >> 32) % below;
}
