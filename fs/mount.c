/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount in the background: the command ends with success only when the mount answers (the picture
 * is in fs/supervisor.c).
 *
 * Threads of a worker: libfuse's loop, which start after all else is set up and end before anything
 * is taken down.  The supervisor has none.  What changes while they run, and how:
 *
 *	which frames are in memory		the cache's lock
 *	decoders that nobody uses		decoders_lock (fs/view.c)
 *	the catalog, files of frames		atomics; replaced under repair_lock (fs/view.c)
 *	which blocks of a catalog were checked	atomics (image/catalog.c)
 *	whether anything was answered yet	an atomic (fs/channel.c)
 *
 * Lock order: an edit session's (fs/session.c), repair_lock, then the store's (store/store.h).  A
 *repair holds it from end to end, which also leaves the store to one thread at a time; reads of
 *what is not damaged go on.  The other two are held for moments, and no lock is taken under them.
 *A frame that is loading is no lock, but its readers wait for it: who holds repair_lock asks for no
 *frame.
 */
#include "fs/mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/quote.h"
#include "base/scope.h"
#include "base/str.h"
#include "fs/device.h"
#include "fs/message.h"
#include "fs/supervisor.h"

enum { LINKS_MAX = 40 /* as the kernel follows in one path */ };

static int check_mountpoint(const struct mount_options *opt, const char *path, struct err *e)
{
	char q[QUOTE_MAX];
	struct dirent *de;
	bool is_empty = true;

	DIR *dir = opendir(path);
	if (!dir)
		return err_sys(e, errno, "cannot mount at '%s'", quote_str(q, path));
	errno = 0; /* readdir(3) tells a failure from the end by it alone */
	while (is_empty && (de = readdir(dir)))
		is_empty = strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0;
	const int sys = is_empty ? errno : 0;
	closedir(dir);
	if (sys != 0)
		return err_sys(e, sys, "cannot read the mountpoint '%s'", quote_str(q, path));
	if (!is_empty && !opt->allow_nonempty)
		return err_set(e, ERR_EXISTS,
			       "the mountpoint '%s' is not empty (-o nonempty hides what it holds)",
			       quote_str(q, path));
	return 0;
}

/* All descriptors of ours are closed on exec; what is not was inherited, and would be held for as
 * long as the mount lives: a pipe that somebody waits on, a lock, a file system to be unmounted. */
static void close_inherited(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *de;

	while (dir && (de = readdir(dir))) {
		uint64_t fd;
		if (str_to_u64(de->d_name, strlen(de->d_name), 10, INT_MAX, &fd) < 0 ||
		    fd <= STDERR_FILENO)
			continue;
		const int flags = fcntl((int)fd, F_GETFD);
		if (flags >= 0 && !(flags & FD_CLOEXEC))
			close((int)fd);
	}
	if (dir)
		closedir(dir);
}

/* The caller's side. */
static int wait_ready(int socket, const char *mountpoint, struct err *e)
{
	struct stat st;
	char q[QUOTE_MAX];

	const int n = message_receive(socket, true, e);
	if (n < 0)
		return err_sys(e, errno, "cannot hear of the server of '%s'",
			       quote_str(q, mountpoint));
	if (n == 0)
		return err_sys(e, ESRCH, "the server of '%s' died before it mounted",
			       quote_str(q, mountpoint));
	if (e->code)
		return -1;
	if (stat(mountpoint, &st) < 0)
		return err_sys(e, errno, "the mount at '%s' does not answer",
			       quote_str(q, mountpoint));
	return 0;
}

static int run_in_background(const struct mount_options *opt, const struct mount_service *service,
			     const char *mountpoint, struct err *e)
{
	int ends[2];

	if (message_pair(ends, e) < 0)
		return -1;
	SCOPE_FD int ours = ends[0];
	SCOPE_FD int theirs = ends[1];
	const pid_t pid = fork();
	if (pid < 0)
		return err_sys(e, errno, "cannot fork");
	if (pid == 0) {
		close(steal_fd(&ours));
		close_inherited();
		setsid();
		return supervisor_run(opt, service, mountpoint, steal_fd(&theirs), e);
	}
	close(steal_fd(&theirs));
	if (opt->supervisor)
		*opt->supervisor = pid;
	return wait_ready(ours, mountpoint, e);
}

int mount_run(const struct mount_options *opt, const struct mount_service *service, struct err *e)
{
	SCOPE_FREE char *mountpoint = realpath(opt->mountpoint, NULL);

	if (!mountpoint) {
		char q[QUOTE_MAX];
		return err_sys(e, errno, "cannot mount at '%s'", quote_str(q, opt->mountpoint));
	}
	if (check_mountpoint(opt, mountpoint, e) < 0)
		return -1;
	if (opt->is_foreground)
		return supervisor_run(opt, service, mountpoint, -1, e);
	return run_in_background(opt, service, mountpoint, e);
}

/* 1 with the place of the mount that `mountpoint` is, or leads to as a link, 0, -1.  A mount is
 * looked for before each link: one whose server is dead or stuck must not be asked. */
static int find_mount(const char *mountpoint, char **out, struct err *e)
{
	char number[DEVICE_NUMBER_MAX];
	SCOPE_FREE char *path = device_absolute(mountpoint, e);

	for (int links = 0; path && links <= LINKS_MAX; links++) {
		const int found = device_find(path, number, e);
		if (found > 0)
			*out = steal_ptr(&path);
		if (found != 0)
			return found;
		char *next = device_follow(path, e);
		free(path);
		path = next;
	}
	return e->code ? -1 : 0;
}

int mount_source(const char *mountpoint, char **out, struct err *e)
{
	SCOPE_FREE char *path = NULL;
	const int found = find_mount(mountpoint, &path, e);

	return found > 0 ? device_source(path, out, e) : found;
}

int mount_end(const char *mountpoint, bool is_lazy, struct err *e)
{
	char q[QUOTE_MAX];
	SCOPE_FREE char *path = NULL;

	const int found = find_mount(mountpoint, &path, e);
	if (found < 0)
		return -1;
	if (found == 0)
		return err_set(e, ERR_NOT_FOUND, "no shale mount at '%s'",
			       quote_str(q, mountpoint));
	return device_unmount(path, is_lazy, e);
}
