/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	shale			first in the process namespace	COMMAND
 *	waits for its child  ->	mounts, changes its root
 *				waits for all		->	runs
 *
 * The first process of a namespace gets no signal that it does not handle, and has the orphans of
 * all others as its children: no place for a command, so shale takes it.  On the host there is
 *none.
 */
#include "cli/running.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/quote.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/command.h"

/* What docker gives to a container whose image says nothing of it. */
static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* SIGINT and SIGQUIT come from the terminal, to the command as well. */
static const int held[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

/* Of the host, for who has a root of his own. */
static const struct {
	const char *path;
	unsigned flags;
} shared[] = {
	{"/dev", AT_RECURSIVE},
	{"/sys", AT_RECURSIVE},
	{"/etc/resolv.conf", 0},
};

static void held_set(sigset_t *out)
{
	struct sigaction old;

	sigemptyset(out);
	sigaddset(out, SIGCHLD);
	for (size_t i = 0; i < ARRAY_LEN(held); i++) {
		if (sigaction(held[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaddset(out, held[i]);
	}
}

void running_hold(struct running *r)
{
	/* Ignored, it would leave no child to wait for. */
	const struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t set;

	held_set(&set);
	sigprocmask(SIG_BLOCK, &set, &r->mask);
	sigaction(SIGCHLD, &usual, &r->on_child);
}

void running_release(struct running *r)
{
	const struct timespec now = {0, 0};
	sigset_t set;

	held_set(&set);
	while (sigtimedwait(&set, NULL, &now) > 0)
		continue;
	sigaction(SIGCHLD, &r->on_child, NULL);
	if (r->end_signal) {
		signal(r->end_signal, SIG_DFL);
		raise(r->end_signal);
	}
	sigprocmask(SIG_SETMASK, &r->mask, NULL);
}

static int status_of(int status)
{
	return WIFSIGNALED(status) ? COMMAND_KILLED + WTERMSIG(status) : WEXITSTATUS(status);
}

/* 1 and how `child` ended; 0.  `of_all`: others that have ended are taken away as well. */
static int reap(pid_t child, bool of_all, int *status)
{
	pid_t pid;
	int how;

	while ((pid = waitpid(of_all ? -1 : child, &how, WNOHANG)) > 0) {
		if (pid == child) {
			*status = status_of(how);
			return 1;
		}
	}
	return 0;
}

/* What is to be done about a signal that has come. */
static void pass_on(pid_t child, const siginfo_t *info, int *end_signal)
{
	const bool asks_for_end = info->si_signo == SIGTERM || info->si_signo == SIGHUP;

	/* What the terminal sends, it sends to the command, too. */
	if (info->si_signo == SIGCHLD || (!asks_for_end && info->si_code == SI_KERNEL))
		return;
	kill(child, info->si_signo);
	if (asks_for_end && !*end_signal)
		*end_signal = info->si_signo;
}

static int wait_for(pid_t child, bool of_all, int *end_signal)
{
	uint64_t asked_ms = 0;
	sigset_t set;
	int status;

	held_set(&set);
	while (!reap(child, of_all, &status)) {
		const struct timespec a_second = {1, 0};
		siginfo_t info;

		if (sigtimedwait(&set, &info, &a_second) > 0)
			pass_on(child, &info, end_signal);
		if (!*end_signal)
			continue;
		if (!asked_ms)
			asked_ms = progress_now_ms();
		else if (progress_now_ms() - asked_ms > RUNNING_GRACE_S * UINT64_C(1000))
			kill(child, SIGKILL);
	}
	return status;
}

/* In the command's own process, which could not become it. */
_Noreturn static void give_up(const struct running *r, struct err *e, int status)
{
	log_err(e);
	/* Else it would seem to have run: no harm. */
	(void)!write(r->report, "", 1);
	_exit(status);
}

/* A child begins with what its parent's caller gave. */
_Noreturn static void execute(const struct running *r)
{
	struct err e = ERR_INIT;
	char q[QUOTE_MAX];

	/* What main() ignores would stay ignored. */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigaction(SIGCHLD, &r->on_child, NULL);
	sigprocmask(SIG_SETMASK, &r->mask, NULL);
	execvp(r->argv[0], r->argv);
	const int sys = errno;
	err_sys(&e, sys, "cannot run '%s'", quote_str(q, r->argv[0]));
	give_up(r, &e, sys == ENOENT ? COMMAND_NOT_FOUND : COMMAND_NOT_RUN);
}

static int set_variable(const char *name, const char *value, struct err *e)
{
	return setenv(name, value, 1) < 0 ? err_sys(e, errno, "cannot set %s", name) : 0;
}

/* As docker has it: the image's, over a home and a path. */
static int set_environment(const struct image_config *c, struct err *e)
{
	const char *outside = getenv("TERM");
	SCOPE_FREE char *term = outside ? str_dup(outside, e) : NULL;

	if (outside && !term)
		return -1;
	clearenv();
	if (set_variable("PATH", default_path, e) < 0 || set_variable("HOME", "/root", e) < 0 ||
	    (term && set_variable("TERM", term, e) < 0))
		return -1;
	for (size_t i = 0; i < c->env.count; i++) {
		const char *text = c->env.items[i];
		const char *value = strchr(text, '=');
		SCOPE_FREE char *name = value ? str_dup_n(text, (size_t)(value - text), e) : NULL;
		/* Nothing that could be a variable is no reason to fail: docker passes it on. */
		if (!value || value == text)
			continue;
		if (!name || set_variable(name, value + 1, e) < 0)
			return -1;
	}
	return 0;
}

/* A tree of ours put over `path`, looked up in the root as it is now; a root that has no such place
 * goes without. */
static int attach(int tree, const char *path, struct err *e)
{
	const unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS;

	if (move_mount(tree, "", AT_FDCWD, path, flags) == 0 || errno == ENOENT ||
	    errno == ENOTDIR || errno == ELOOP)
		return 0;
	return err_sys(e, errno, "cannot mount the host's '%s' in the image", path);
}

static int clone_tree(const char *path, unsigned flags, struct err *e)
{
	const int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);

	/* A host without it has none to lend. */
	if (fd < 0 && errno != ENOENT)
		return err_sys(e, errno, "cannot take the host's '%s' into the image", path);
	return fd;
}

/* Where a new one is refused, as in a container, the host's, which shows its processes. */
static int mount_proc(int host, struct err *e)
{
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0 ||
	    errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
		return 0;
	if (errno != EPERM || host < 0)
		return err_sys(e, errno, "cannot mount /proc in the image");
	return attach(host, "/proc", e);
}

static int enter_root(const char *dir, struct err *e)
{
	char q[QUOTE_MAX];

	if (chroot(dir) < 0 || chdir("/") < 0)
		return err_sys(e, errno, "cannot make '%s' the root", quote_str(q, dir));
	return 0;
}

static int change_root(const struct running *r, struct err *e)
{
	int trees[ARRAY_LEN(shared)];

	/* What is unmounted outside goes inside as well; nothing the other way. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_sys(e, errno, "cannot have mounts of its own for the command");
	/* Of the host, so before it is out of sight. */
	SCOPE_FD int proc = clone_tree("/proc", AT_RECURSIVE, e);
	for (size_t i = 0; i < ARRAY_LEN(shared) && !e->code; i++)
		trees[i] = clone_tree(shared[i].path, shared[i].flags, e);
	if (e->code || enter_root(r->dir, e) < 0 || mount_proc(proc, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(shared); i++) {
		if (trees[i] >= 0 && attach(trees[i], shared[i].path, e) < 0)
			return -1;
	}
	return set_environment(r->config, e);
}

/* First in its namespace. */
_Noreturn static void be_first(const struct running *r)
{
	struct err e = ERR_INIT;
	int ignored = 0;

	if (change_root(r, &e) < 0)
		give_up(r, &e, COMMAND_OWN_FAILURE);
	const pid_t pid = fork();
	if (pid < 0) {
		err_sys(&e, errno, "cannot fork");
		give_up(r, &e, COMMAND_OWN_FAILURE);
	}
	if (pid == 0)
		execute(r);
	_exit(wait_for(pid, true, &ignored));
}

_Noreturn static void be_command(const struct running *r)
{
	struct err e = ERR_INIT;
	char q[QUOTE_MAX];

	if (r->config)
		be_first(r);
	if (chdir(r->dir) < 0) {
		err_sys(&e, errno, "cannot change to '%s'", quote_str(q, r->dir));
		give_up(r, &e, COMMAND_OWN_FAILURE);
	}
	/* For shells, which believe it when it is right. */
	if (set_variable("PWD", r->dir, &e) < 0)
		give_up(r, &e, COMMAND_OWN_FAILURE);
	execute(r);
}

/* A child in a process namespace of its own; this process stays where it is. */
static pid_t fork_apart(struct err *e)
{
	SCOPE_FD int here = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

	if (here < 0 || unshare(CLONE_NEWPID) < 0)
		return err_sys(e, errno, "cannot make a process namespace for the command");
	const pid_t pid = fork();
	if (pid < 0)
		err_sys(e, errno, "cannot fork");
	if (pid != 0 && setns(here, CLONE_NEWPID) < 0 && pid > 0) {
		/* Threads can then not be started any more. */
		err_sys(e, errno, "cannot leave the process namespace of the command");
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return -1;
	}
	return pid;
}

/* -1; 0 in the child. */
static pid_t start(struct running *r, int report, struct err *e)
{
	const pid_t pid = r->config ? fork_apart(e) : fork();

	if (pid < 0 && !e->code)
		err_sys(e, errno, "cannot fork");
	if (pid == 0) {
		r->report = report;
		be_command(r);
	}
	return pid;
}

int running_run(struct running *r, struct err *e)
{
	int ends[2];
	char byte;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	SCOPE_FD int report = ends[0];
	SCOPE_FD int theirs = ends[1];
	const pid_t pid = start(r, theirs, e);
	if (pid < 0)
		return -1;
	close(steal_fd(&theirs));
	const int status = wait_for(pid, false, &r->end_signal);
	r->has_run = read(report, &byte, 1) == 0;
	return status;
}
