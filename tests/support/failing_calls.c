/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls of shale-failing: those that shale itself makes, by the linker's --wrap of each
 * function for which there is a __wrap_ here (meson.build).  The C library's names are those for
 * large files; a fortified build calls others.
 *
 * Not among them: what is written to standard error, what the C library's streams do, and what only
 * mounts and edit sessions need.  tests/cases/fault/wrapped-calls.sh knows the exceptions, and
 * finds what is new.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/support/failing.h"

enum {
	DISK = FAILING_DISK,
	ROOM = FAILING_DISK | FAILING_ROOM,
	DESCRIPTOR = FAILING_DISK | FAILING_DESCRIPTORS,
};

/* A function that fails with FAILURE when one of NEEDS is missing. */
#define WRAP(needs, type, failure, name, parameters, arguments)                         \
	type __real_##name parameters;                                                  \
	type __wrap_##name parameters;                                                  \
	type __wrap_##name parameters                                                   \
	{                                                                               \
		return failing_now(needs, #name) ? (failure) : __real_##name arguments; \
	}

WRAP(DISK, ssize_t, -1, read, (int fd, void *buf, size_t len), (fd, buf, len))
WRAP(DISK, ssize_t, -1, pread64, (int fd, void *buf, size_t len, off_t at), (fd, buf, len, at))
WRAP(ROOM, ssize_t, -1, pwrite64, (int fd, const void *buf, size_t len, off_t at),
     (fd, buf, len, at))
WRAP(ROOM, int, -1, fsync, (int fd), (fd))
WRAP(ROOM, int, -1, fdatasync, (int fd), (fd))
WRAP(ROOM, int, -1, syncfs, (int fd), (fd))
WRAP(ROOM, int, -1, ftruncate64, (int fd, off_t len), (fd, len))
WRAP(ROOM, int, -1, fallocate64, (int fd, int mode, off_t at, off_t len), (fd, mode, at, len))
WRAP(DISK, int, -1, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(DISK, int, -1, fchownat, (int dir, const char *name, uid_t uid, gid_t gid, int flags),
     (dir, name, uid, gid, flags))
WRAP(DISK, int, -1, utimensat,
     (int dir, const char *name, const struct timespec times[2], int flags),
     (dir, name, times, flags))
WRAP(ROOM, int, -1, linkat, (int dir, const char *old, int to, const char *new, int flags),
     (dir, old, to, new, flags))
WRAP(ROOM, int, -1, renameat, (int dir, const char *old, int to, const char *new),
     (dir, old, to, new))
WRAP(ROOM, int, -1, renameat2, (int dir, const char *old, int to, const char *new, unsigned flags),
     (dir, old, to, new, flags))
WRAP(DISK, int, -1, unlinkat, (int dir, const char *name, int flags), (dir, name, flags))
WRAP(DISK, int, -1, rmdir, (const char *name), (name))
WRAP(ROOM, int, -1, mkdir, (const char *name, mode_t mode), (name, mode))
WRAP(ROOM, int, -1, mkdirat, (int dir, const char *name, mode_t mode), (dir, name, mode))
WRAP(ROOM, int, -1, symlinkat, (const char *target, int dir, const char *name), (target, dir, name))
WRAP(DISK, int, -1, fstat64, (int fd, struct stat *st), (fd, st))
WRAP(DISK, int, -1, stat64, (const char *name, struct stat *st), (name, st))
WRAP(DISK, int, -1, lstat64, (const char *name, struct stat *st), (name, st))
WRAP(DISK, int, -1, fstatat64, (int dir, const char *name, struct stat *st, int flags),
     (dir, name, st, flags))
WRAP(DISK, int, -1, fstatfs64, (int fd, struct statfs *st), (fd, st))
WRAP(DESCRIPTOR, DIR *, NULL, opendir, (const char *name), (name))
WRAP(DISK, struct dirent *, NULL, readdir64, (DIR * dir), (dir))
WRAP(DISK, ssize_t, -1, readlinkat, (int dir, const char *name, char *buf, size_t len),
     (dir, name, buf, len))
WRAP(DISK, ssize_t, -1, lgetxattr, (const char *path, const char *name, void *buf, size_t len),
     (path, name, buf, len))
WRAP(DISK, ssize_t, -1, llistxattr, (const char *path, char *buf, size_t len), (path, buf, len))
WRAP(DISK, int, -1, access, (const char *name, int how), (name, how))
WRAP(DISK, int, -1, faccessat, (int dir, const char *name, int how, int flags),
     (dir, name, how, flags))
WRAP(DISK, int, -1, chmod, (const char *name, mode_t mode), (name, mode))
WRAP(DISK, DIR *, NULL, fdopendir, (int fd), (fd))
WRAP(DISK, ssize_t, -1, getdents64, (int fd, void *buf, size_t len), (fd, buf, len))
WRAP(DISK, char *, NULL, getcwd, (char *buf, size_t len), (buf, len))
WRAP(DISK, off_t, -1, lseek64, (int fd, off_t at, int from), (fd, at, from))
WRAP(ROOM, int, -1, mknodat, (int dir, const char *name, mode_t mode, dev_t device),
     (dir, name, mode, device))
WRAP(DISK, ssize_t, -1, readlink, (const char *name, char *buf, size_t len), (name, buf, len))
WRAP(ROOM, int, -1, setxattr,
     (const char *path, const char *name, const void *value, size_t len, int flags),
     (path, name, value, len, flags))
WRAP(ROOM, int, -1, sync_file_range, (int fd, off_t at, off_t len, unsigned how),
     (fd, at, len, how))
WRAP(DISK, int, -1, flock, (int fd, int how), (fd, how))
WRAP(FAILING_DESCRIPTORS, int, -1, pipe2, (int ends[2], int flags), (ends, flags))
WRAP(FAILING_DESCRIPTORS, int, -1, memfd_create, (const char *name, unsigned flags), (name, flags))
/* Not by errno. */
WRAP(FAILING_THREADS, int, EAGAIN, pthread_create,
     (pthread_t * thread, const pthread_attr_t *how, void *(*run)(void *arg), void *arg),
     (thread, how, run, arg))

ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	if (fd != STDERR_FILENO && failing_now(ROOM, "write"))
		return -1;
	return __real_write(fd, buf, len);
}

void *__real_mmap64(void *where, size_t len, int access, int flags, int fd, off_t at);
void *__wrap_mmap64(void *where, size_t len, int access, int flags, int fd, off_t at);
void *__wrap_mmap64(void *where, size_t len, int access, int flags, int fd, off_t at)
{
	/* Without a file it is memory. */
	if (fd >= 0 && failing_now(DISK, "mmap"))
		return MAP_FAILED;
	return __real_mmap64(where, len, access, flags, fd, at);
}

static unsigned needs_of_open(int flags)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? DESCRIPTOR | FAILING_ROOM
								     : DESCRIPTOR;
}

/* The mode is an argument only where something is made; then as now it is one register. */
int __real_open64(const char *name, int flags, ...);
int __wrap_open64(const char *name, int flags, ...);
int __wrap_open64(const char *name, int flags, ...)
{
	va_list more;

	va_start(more, flags);
	const mode_t mode = va_arg(more, mode_t);
	va_end(more);
	return failing_now(needs_of_open(flags), "open") ? -1 : __real_open64(name, flags, mode);
}

int __real_openat64(int dir, const char *name, int flags, ...);
int __wrap_openat64(int dir, const char *name, int flags, ...);
int __wrap_openat64(int dir, const char *name, int flags, ...)
{
	va_list more;

	va_start(more, flags);
	const mode_t mode = va_arg(more, mode_t);
	va_end(more);
	return failing_now(needs_of_open(flags), "openat")
		       ? -1
		       : __real_openat64(dir, name, flags, mode);
}

int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...)
{
	va_list more;

	va_start(more, command);
	void *argument = va_arg(more, void *);
	va_end(more);
	if (command == F_DUPFD_CLOEXEC && failing_now(FAILING_DESCRIPTORS, "fcntl"))
		return -1;
	return __real_fcntl64(fd, command, argument);
}

/* openat2(2), which has no function of its own. */
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
	va_list more;

	va_start(more, number);
	const long a = va_arg(more, long), b = va_arg(more, long), c = va_arg(more, long),
		   d = va_arg(more, long);
	va_end(more);
	return failing_now(DESCRIPTOR, "openat2") ? -1 : __real_syscall(number, a, b, c, d);
}
