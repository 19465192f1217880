/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/device.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/quote.h"
#include "fs/message.h"

#define FUSERMOUNT "fusermount3"

enum {
	READAHEAD_KIB =
		1024, /* 3 to 4 GB/s instead of 2.5 for a sequential reader; more gains nothing */
	MOUNTINFO_MAX = 64 * 1024 * 1024,
};

static int mount_as_root(const struct mount_options *opt, bool is_writable, const char *mountpoint,
			 int *saved_errno)
{
	SCOPE_FD int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char data[128];
	unsigned long flags = is_writable ? 0 : MS_RDONLY;

	if (fd < 0) {
		*saved_errno = errno;
		return -1;
	}
	if (!opt->allow_dev)
		flags |= MS_NODEV;
	if (!opt->allow_suid)
		flags |= MS_NOSUID;
	if (opt->is_noexec)
		flags |= MS_NOEXEC;
	(void)snprintf(data, sizeof(data), "fd=%d,rootmode=%o,user_id=%u,group_id=%u%s", fd,
		       S_IFDIR, (unsigned)geteuid(), (unsigned)getegid(),
		       opt->allow_other ? ",allow_other,default_permissions" : "");
	if (mount(opt->source, mountpoint, DEVICE_FSTYPE, flags, data) < 0) {
		*saved_errno = errno;
		return -1;
	}
	return steal_fd(&fd);
}

/* Runs fusermount3 with `environment` added; its exit status, or -1 with the error set. */
static int run_fusermount(char *const argv[], char *variable, struct err *e)
{
	const struct sigaction wait_for_it = {.sa_handler = SIG_DFL};
	char *environment[] = {variable, NULL};
	struct sigaction before;
	pid_t pid;
	int status;

	/* A caller that ignores SIGCHLD hands that down, and then there is no status to wait
	 * for. */
	if (sigaction(SIGCHLD, NULL, &before) == 0 && before.sa_handler == SIG_IGN)
		sigaction(SIGCHLD, &wait_for_it, NULL);
	/* Signals that a supervisor has blocked are not blocked in others. */
	posix_spawnattr_t attr;
	sigset_t none;
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	/* It is setuid and looks at nothing else of the environment. */
	const int r = posix_spawnp(&pid, FUSERMOUNT, NULL, &attr, argv, environment);
	posix_spawnattr_destroy(&attr);
	if (r != 0)
		return err_sys(e, r, "cannot run %s (is the package fuse3 installed?)", FUSERMOUNT);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return err_sys(e, errno, "cannot wait for %s", FUSERMOUNT);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int mount_as_user(const struct mount_options *opt, bool is_writable, const char *mountpoint,
			 struct err *e)
{
	int sockets[2];
	char variable[32];
	char byte;
	char q[QUOTE_MAX];

	if (opt->allow_dev || opt->allow_suid)
		return err_set(e, ERR_USAGE, "mount options dev and suid are for root");
	SCOPE_FREE char *options =
		str_dupf(e, "%s,subtype=shale,fsname=%s%s%s", is_writable ? "rw" : "ro",
			 opt->source, opt->is_noexec ? ",noexec" : "",
			 opt->allow_other ? ",allow_other,default_permissions" : "");
	if (!options)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
		return err_sys(e, errno, "cannot make a socket pair");
	SCOPE_FD int ours = sockets[0];
	SCOPE_FD int theirs = sockets[1];
	fcntl(theirs, F_SETFD, 0);
	(void)snprintf(variable, sizeof(variable), "_FUSE_COMMFD=%d", theirs);
	char name[] = FUSERMOUNT, dash_o[] = "-o", dashes[] = "--";
	SCOPE_FREE char *where = str_dup(mountpoint, e);
	if (!where)
		return -1;
	char *const argv[] = {name, dash_o, options, dashes, where, NULL};
	const int status = run_fusermount(argv, variable, e);
	if (status < 0)
		return -1;
	/* It has said why itself; most of what it refuses is a matter of permission. */
	if (status != 0)
		return err_sys(e, EPERM, "cannot mount at '%s': %s failed",
			       quote_str(q, mountpoint), FUSERMOUNT);
	close(steal_fd(&theirs));
	const int fd = message_receive_fd(ours, &byte, sizeof(byte));
	if (fd < 0)
		return err_sys(e, errno, "cannot mount at '%s': %s gave no descriptor",
			       quote_str(q, mountpoint), FUSERMOUNT);
	return fd;
}

int device_mount(const struct mount_options *opt, bool is_writable, const char *mountpoint,
		 struct err *e)
{
	char q[QUOTE_MAX];
	int saved = EPERM;

	if (geteuid() == 0) {
		const int fd = mount_as_root(opt, is_writable, mountpoint, &saved);
		if (fd >= 0)
			return fd;
		/* A uid 0 without the capability (a container) may still have fusermount3. */
		if (saved != EPERM)
			return err_sys(e, saved, "cannot mount at '%s'", quote_str(q, mountpoint));
	}
	return mount_as_user(opt, is_writable, mountpoint, e);
}

static int unmount_as_user(const char *mountpoint, bool is_lazy, struct err *e)
{
	char name[] = FUSERMOUNT, dash_u[] = "-u", dash_q[] = "-q", dash_z[] = "-z",
	     dashes[] = "--", empty[] = "SHALE=";
	char q[QUOTE_MAX];
	SCOPE_FREE char *where = str_dup(mountpoint, e);

	if (!where)
		return -1;
	char *const argv[] = {name,
			      dash_u,
			      dash_q,
			      is_lazy ? dash_z : dashes,
			      is_lazy ? dashes : where,
			      is_lazy ? where : NULL,
			      NULL};
	const int status = run_fusermount(argv, empty, e);
	if (status < 0)
		return -1;
	if (status != 0)
		return err_set(e, ERR_BUSY, "cannot unmount '%s': in use (or not yours)",
			       quote_str(q, mountpoint));
	return 0;
}

int device_unmount(const char *mountpoint, bool is_lazy, struct err *e)
{
	char q[QUOTE_MAX];

	if (umount2(mountpoint, UMOUNT_NOFOLLOW | (is_lazy ? MNT_DETACH : 0)) == 0)
		return 0;
	if (errno == EPERM)
		return unmount_as_user(mountpoint, is_lazy, e);
	if (errno == EBUSY)
		return err_set(e, ERR_BUSY, "cannot unmount '%s': in use",
			       quote_str(q, mountpoint));
	return err_sys(e, errno, "cannot unmount '%s'", quote_str(q, mountpoint));
}

char *device_absolute(const char *mountpoint, struct err *e)
{
	char q[QUOTE_MAX];
	SCOPE_FREE char *path = str_dup(mountpoint, e);

	if (!path)
		return NULL;
	for (size_t len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
		path[len - 1] = '\0';
	char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	if (strcmp(base, ".") == 0 || strcmp(base, "..") == 0 || *base == '\0') {
		SCOPE_FREE char *whole = realpath(path, NULL);
		if (!whole)
			err_sys(e, errno, "cannot find '%s'", quote_str(q, mountpoint));
		return steal_ptr(&whole);
	}
	SCOPE_FREE char *last = str_dup(base, e);
	if (!last)
		return NULL;
	if (slash)
		slash[slash == path] = '\0';
	SCOPE_FREE char *parent = realpath(slash ? path : ".", NULL);
	if (!parent) {
		err_sys(e, errno, "cannot find '%s'", quote_str(q, mountpoint));
		return NULL;
	}
	return str_dupf(e, "%s/%s", strcmp(parent, "/") == 0 ? "" : parent, last);
}

char *device_follow(const char *path, struct err *e)
{
	char target[PATH_MAX];
	/* Unlike stat(2) it asks no server, should this be a mountpoint after all. */
	const ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n <= 0)
		return NULL;
	target[n] = '\0';
	if (target[0] == '/')
		return device_absolute(target, e);
	const int parent = (int)(strrchr(path, '/') - path);
	SCOPE_FREE char *whole = str_dupf(e, "%.*s/%s", parent, path, target);
	return whole ? device_absolute(whole, e) : NULL;
}

/* Undoes the octal escapes of mountinfo, in place. */
static void unescape(char *field)
{
	char *out = field;

	for (const char *in = field; *in; out++) {
		uint64_t byte;
		if (*in == '\\' && strlen(in) >= 4 &&
		    str_to_u64(in + 1, 3, 8, UINT8_MAX, &byte) == 0) {
			*out = (char)byte;
			in += 4;
		} else {
			*out = *in++;
		}
	}
	*out = '\0';
}

/* A mount of shale's, as a line of /proc/self/mountinfo tells of it. */
struct mount_line {
	const char *mountpoint, *number, *source;
};

/* "36 35 98:0 /root /mountpoint options... - fstype source ...", which is taken apart in place. */
static bool parse_line(char *line, struct mount_line *out)
{
	enum { NUMBER = 2, MOUNTPOINT = 4, FIELDS = 5 };
	char *save = NULL;
	char *fields[FIELDS] = {NULL};
	char *word = strtok_r(line, " ", &save);

	for (size_t i = 0; word && i < FIELDS; i++) {
		fields[i] = word;
		word = strtok_r(NULL, " ", &save);
	}
	while (word && strcmp(word, "-") != 0)
		word = strtok_r(NULL, " ", &save);
	const char *type = word ? strtok_r(NULL, " ", &save) : NULL;
	char *source = type ? strtok_r(NULL, " ", &save) : NULL;
	if (!source || strcmp(type, DEVICE_FSTYPE) != 0 || !fields[MOUNTPOINT])
		return false;
	unescape(fields[MOUNTPOINT]);
	unescape(source);
	*out = (struct mount_line){fields[MOUNTPOINT], fields[NUMBER], source};
	return true;
}

static bool is_at(const struct mount_line *line, const char *mountpoint)
{
	return strcmp(line->mountpoint, mountpoint) == 0;
}

static bool is_from(const struct mount_line *line, const char *source)
{
	return strcmp(line->source, source) == 0;
}

/* A file of /proc about the process `pid`; 0: this one. */
static char *proc_path(pid_t pid, const char *name, struct err *e)
{
	return pid ? str_dupf(e, "/proc/%ld/%s", (long)pid, name)
		   : str_dupf(e, "/proc/self/%s", name);
}

/* The last shale mount that `pid` sees and that is the one meant, whose strings are in `text`: 1,
 * 0, -1. */
static int find_line_of(pid_t pid,
			bool (*is_meant)(const struct mount_line *line, const char *what),
			const char *what, struct str *text, struct mount_line *out, struct err *e)
{
	SCOPE_FREE char *path = proc_path(pid, "mountinfo", e);
	SCOPE_FD int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	struct mount_line seen;
	int found = 0;

	if (fd < 0)
		return path ? err_sys(e, errno, "cannot open %s", path) : -1;
	if (io_slurp(fd, MOUNTINFO_MAX, path, text, e) < 0)
		return -1;
	for (char *line = text->data; line && *line;) {
		char *end = strchr(line, '\n');
		if (end)
			*end = '\0';
		/* The last one at a mountpoint is on top. */
		if (parse_line(line, &seen) && is_meant(&seen, what)) {
			*out = seen;
			found = 1;
		}
		line = end ? end + 1 : NULL;
	}
	return found;
}

static int find_line(bool (*is_meant)(const struct mount_line *line, const char *what),
		     const char *what, struct str *text, struct mount_line *out, struct err *e)
{
	return find_line_of(0, is_meant, what, text, out, e);
}

int device_find(const char *mountpoint, char number[static DEVICE_NUMBER_MAX], struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	struct mount_line line = {NULL, NULL, NULL};
	const int found = find_line(is_at, mountpoint, &text, &line, e);

	if (found > 0)
		(void)snprintf(number, DEVICE_NUMBER_MAX, "%s", line.number);
	return found;
}

int device_open_root(const char *source, pid_t pid, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	struct mount_line line = {NULL, NULL, NULL};
	char number[DEVICE_NUMBER_MAX], q[QUOTE_MAX];
	struct stat st;
	const int found = find_line_of(pid, is_from, source, &text, &line, e);

	if (found <= 0)
		return found < 0 ? -1
				 : err_set(e, ERR_NOT_FOUND, "no mount of '%s' is to be seen",
					   quote_str(q, source));
	SCOPE_FREE char *root = pid ? proc_path(pid, "root", e) : str_dup("", e);
	SCOPE_FREE char *path = root ? str_dupf(e, "%s%s", root, line.mountpoint) : NULL;
	if (!path)
		return -1;
	SCOPE_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot open '%s'", quote_str(q, path));
	(void)snprintf(number, sizeof(number), "%u:%u", major(st.st_dev), minor(st.st_dev));
	if (strcmp(number, line.number) != 0)
		return err_set(e, ERR_NOT_FOUND, "something else is mounted over '%s'",
			       quote_str(q, line.mountpoint));
	return steal_fd(&fd);
}

int device_source(const char *mountpoint, char **out, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	struct mount_line line = {NULL, NULL, NULL};
	const int found = find_line(is_at, mountpoint, &text, &line, e);

	if (found <= 0)
		return found;
	*out = str_dup(line.source, e);
	return *out ? 1 : -1;
}

bool device_is_connected(int device)
{
	/* POLLERR: an unmount ended the connection (fuse_dev_poll of the kernel). */
	struct pollfd fds = {.fd = device};

	return poll(&fds, 1, 0) == 0;
}

bool device_is_on_top(int device, const char *mountpoint, const char *number)
{
	char top[DEVICE_NUMBER_MAX];
	struct err ignored = ERR_INIT;

	/* The number alone does not tell: the kernel gives it to the next mount. */
	if (!device_is_connected(device))
		return false;
	const int found = device_find(mountpoint, top, &ignored);
	err_clear(&ignored);
	return found > 0 && strcmp(top, number) == 0;
}

void device_set_readahead(const char *number)
{
	char path[64];
	char value[16];

	(void)snprintf(path, sizeof(path), "/sys/class/bdi/%s/read_ahead_kb", number);
	SCOPE_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)snprintf(value, sizeof(value), "%d", READAHEAD_KIB);
	/* A slower mount is the only harm. */
	(void)io_write_all(fd, value, strlen(value));
}
