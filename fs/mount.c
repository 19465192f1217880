/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life of a mount in the background:
 *
 *	caller				server (after fork)
 *	reads the status pipe		opens the view, mounts, makes the session
 *	prints the error, or		writes the error, or
 *	asks the mount once		writes "ready", leaves the terminal, serves
 *	returns				unmounts and returns
 *
 * so that the command ends with success only when the mount answers.
 *
 * Threads of the server: libfuse's loop, which start after all else is set up and end before
 * anything is taken down.  What changes while they run, and how:
 *
 *	which frames are in memory		the cache's lock
 *	decoders that nobody uses		decoders_lock (fs/view.c)
 *	the catalog, files of frames		atomics; replaced under repair_lock (fs/view.c)
 *	which blocks of a catalog were checked	atomics (image/catalog.c)
 *
 * Lock order: repair_lock, then the store's (store/store.h).  A repair holds it from end to end,
 * which also leaves the store to one thread at a time; reads of what is not damaged go on.  The
 * other two are held for moments, and no lock is taken under them.  A frame that is loading is no
 * lock, but its readers wait for it: who holds repair_lock asks for no frame.
 */
#include "fs/mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/log.h"
#include "base/quote.h"
#include "fs/device.h"
#include "fs/ops.h"

enum {
	THREADS_MAX = 8, /* that read and decode; more than processors, as some wait for the disk */
	THREADS_IDLE_MAX = 8,
	STATUS_TEXT_MAX = 8192,
	LINKS_MAX = 40, /* as the kernel follows in one path */
};

/* What the server tells its caller through the pipe: this head, then the text of the error. */
struct status_head {
	int code; /* enum err_code; ERR_NONE: ready */
	int sys;
};

/* A server, from its mount to its end. */
struct server {
	struct ops_context context;
	const char *mountpoint;
	struct fuse_session *session;
	char number[DEVICE_NUMBER_MAX];
};

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

/* Signals that ask the server to end. */
static const int END_SIGNALS[] = {SIGTERM, SIGINT, SIGHUP};

/* What they end: a handler is given nothing of ours. */
static struct fuse_session *ending;

/* libfuse 3.14 looks at its flag and then waits for a semaphore: a signal between the two sets the
 * flag and wakes nobody.  So it comes again until the loop has seen it. */
static void on_end_signal(int number)
{
	(void)number;
	fuse_session_exit(ending);
	alarm(1);
}

/* Signals that the caller has ignored (nohup, a shell's '&') stay ignored. */
static void catch_end_signals(struct fuse_session *session)
{
	const struct sigaction end = {.sa_handler = on_end_signal}; /* no SA_RESTART: to wake */
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction old;

	ending = session;
	sigaction(SIGALRM, &end, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	for (size_t i = 0; i < ARRAY_LEN(END_SIGNALS); i++) {
		if (sigaction(END_SIGNALS[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(END_SIGNALS[i], &end, NULL);
	}
}

/* While the session is taken down a second signal must not touch it, nor leave half of the work. */
static void ignore_end_signals(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	alarm(0);
	sigaction(SIGALRM, &ignore, NULL);
	for (size_t i = 0; i < ARRAY_LEN(END_SIGNALS); i++)
		sigaction(END_SIGNALS[i], &ignore, NULL);
}

/* `device` is the session's afterwards, and -1. */
static int session_open(struct server *s, int *device, struct err *e)
{
	char name[] = "shale";
	char *argv[] = {name, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	char path[32];

	/* libfuse says on standard error what it dislikes, and sets errno only where a call did. */
	errno = 0;
	s->session = fuse_session_new(&args, &ops_readonly, sizeof(ops_readonly), &s->context);
	int sys = errno;
	fuse_opt_free_args(&args);
	if (!s->session)
		return err_sys(e, sys ? sys : EINVAL, "libfuse cannot make a session");
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", *device);
	errno = 0;
	if (fuse_session_mount(s->session, path) != 0) {
		sys = errno;
		return err_sys(e, sys ? sys : EBADF,
			       "libfuse does not take the descriptor of /dev/fuse");
	}
	(void)steal_fd(device);
	catch_end_signals(s->session);
	return 0;
}

static int server_open(struct server *s, const struct mount_options *opt, struct view *view,
		       struct err *e)
{
	SCOPE_FD int device = device_mount(opt, s->mountpoint, e);

	if (device < 0)
		return -1;
	s->context.view = view;
	s->context.device_number = s->number;
	/* Looked up before anybody is served: afterwards a look at the mount would ask
	 * ourselves. */
	if (device_find(s->mountpoint, s->number, e) < 0 || session_open(s, &device, e) < 0) {
		struct err ignored = ERR_INIT;
		if (device_unmount(s->mountpoint, true, &ignored) < 0)
			err_clear(&ignored);
		return -1;
	}
	/* Secrets are not here, but a debugger on the server could serve anything. */
	prctl(PR_SET_DUMPABLE, 0);
	return 0;
}

/* Whether our mount is the one on top of its mountpoint: another may lie there after umount(8) took
 * ours away, and is not ours to end. */
static bool is_still_mounted(const struct server *s)
{
	/* POLLERR: an unmount ended the connection (fuse_dev_poll of the kernel).  The number does
	 * not tell: the kernel gives it to the next mount. */
	struct pollfd device = {.fd = fuse_session_fd(s->session)};
	char number[DEVICE_NUMBER_MAX];
	struct err ignored = ERR_INIT;

	if (poll(&device, 1, 0) < 0 || device.revents & POLLERR)
		return false;
	const int found = device_find(s->mountpoint, number, &ignored);
	err_clear(&ignored);
	return found > 0 && strcmp(number, s->number) == 0;
}

static void server_close(struct server *s)
{
	struct err e = ERR_INIT;

	if (!s->session)
		return;
	/* Before the session is gone: its end would leave a mount that answers ENOTCONN. */
	if (is_still_mounted(s) && device_unmount(s->mountpoint, true, &e) < 0)
		err_clear(&e);
	ignore_end_signals();
	fuse_session_destroy(s->session);
}

/* Serves until the end; 0 when it was asked for. */
static int server_loop(struct server *s, struct err *e)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();

	if (!config)
		return err_nomem(e);
	fuse_loop_cfg_set_max_threads(config, THREADS_MAX);
	fuse_loop_cfg_set_idle_threads(config, THREADS_IDLE_MAX);
	const int r = fuse_session_loop_mt(s->session, config);
	fuse_loop_cfg_destroy(config);
	/* > 0: a signal, which is how a mount in the foreground ends.  -1 is not EPERM: libfuse has
	 * no other word for a thread that it cannot start. */
	if (r == -1)
		return err_sys(e, EAGAIN, "the mount ended: libfuse cannot start a thread");
	return r < 0 ? err_sys(e, -r, "the mount ended") : 0;
}

static int tell(int pipe_fd, const struct err *e)
{
	const struct status_head head = {(int)e->code, e->sys};
	const char *text = e->msg ? e->msg : "";

	if (io_write_all(pipe_fd, &head, sizeof(head)) < 0)
		return -1;
	return io_write_all(pipe_fd, text, strlen(text));
}

static void leave_terminal(void)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	log_to_syslog();
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		close(null);
	}
	/* Not to keep a file system busy; failure is no harm. */
	if (chdir("/") < 0)
		log_warning("cannot change to the directory /");
}

/* `pipe_fd` -1: in the foreground. */
static int serve(const struct mount_options *opt, const char *mountpoint, int pipe_fd,
		 struct view *(*open_view)(void *ctx, struct err *e), void *ctx, struct err *e)
{
	struct server s = {.mountpoint = mountpoint};
	SCOPE(view) struct view *view = open_view(ctx, e);
	SCOPE_FD int pipe_end = pipe_fd;

	if (!view || server_open(&s, opt, view, e) < 0) {
		if (pipe_end >= 0 && tell(pipe_end, e) == 0)
			err_clear(e); /* the caller prints it */
		server_close(&s);
		return e->code ? -1 : 0;
	}
	if (pipe_end >= 0) {
		/* When the caller is gone there is nobody to tell, and the mount is still
		 * wanted. */
		(void)tell(pipe_end, e);
		close(steal_fd(&pipe_end));
		leave_terminal();
	}
	const int r = server_loop(&s, e);
	server_close(&s);
	return r;
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

/* The caller's side of the pipe. */
static int wait_ready(int pipe_fd, const char *mountpoint, struct err *e)
{
	struct status_head head;
	struct stat st;
	char text[STATUS_TEXT_MAX + 1];
	char q[QUOTE_MAX];

	ssize_t n = io_read_full(pipe_fd, &head, sizeof(head));
	if (n < 0)
		return err_sys(e, errno, "cannot hear of the server of '%s'",
			       quote_str(q, mountpoint));
	if ((size_t)n < sizeof(head))
		return err_sys(e, ESRCH, "the server of '%s' died before it mounted",
			       quote_str(q, mountpoint));
	n = io_read_full(pipe_fd, text, STATUS_TEXT_MAX);
	text[n > 0 ? n : 0] = '\0';
	if (head.code != ERR_NONE) {
		err_set(e, (enum err_code)head.code, "%s", text);
		e->sys = head.sys;
		return -1;
	}
	if (stat(mountpoint, &st) < 0)
		return err_sys(e, errno, "the mount at '%s' does not answer",
			       quote_str(q, mountpoint));
	return 0;
}

static int serve_in_background(const struct mount_options *opt, const char *mountpoint,
			       struct view *(*open_view)(void *ctx, struct err *e), void *ctx,
			       struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	SCOPE_FD int ours = ends[0];
	SCOPE_FD int theirs = ends[1];
	const pid_t pid = fork();
	if (pid < 0)
		return err_sys(e, errno, "cannot fork");
	if (pid == 0) {
		close(steal_fd(&ours));
		close_inherited();
		setsid();
		return serve(opt, mountpoint, steal_fd(&theirs), open_view, ctx, e);
	}
	close(steal_fd(&theirs));
	return wait_ready(ours, mountpoint, e);
}

int mount_run(const struct mount_options *opt, struct view *(*open_view)(void *ctx, struct err *e),
	      void *ctx, struct err *e)
{
	SCOPE_FREE char *mountpoint = realpath(opt->mountpoint, NULL);

	if (!mountpoint) {
		char q[QUOTE_MAX];
		return err_sys(e, errno, "cannot mount at '%s'", quote_str(q, opt->mountpoint));
	}
	if (check_mountpoint(opt, mountpoint, e) < 0)
		return -1;
	if (opt->is_foreground)
		return serve(opt, mountpoint, -1, open_view, ctx, e);
	return serve_in_background(opt, mountpoint, open_view, ctx, e);
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
