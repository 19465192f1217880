/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first worker opens its service, then the supervisor mounts and gives it the device: so a
 * mount that hides its own store is opened before it is there, and nothing is mounted that cannot
 * be served.  The kernel's first request, INIT, is read here, where it cannot get lost with a
 * worker.
 *
 *	caller			supervisor			worker
 *	waits for its socket	forks			->	opens the service
 *				mounts, reads INIT	<-	"done"
 *				sends device and INIT	->	makes the session, answers INIT
 *	asks the mount once <-	"ready"			<-	"done"
 *	returns			waits			<-	"done", with its first answer
 *
 * Of a worker that dies, the descriptor of the device stays open here: its clients wait until the
 * next worker has opened the service and asked the kernel to send their requests again.  Without
 * that (before Linux 6.9), or after too many deaths (fs/deaths.h), the device is closed and the
 * mount taken away: its clients get an error.
 *
 * Signals are taken from a signalfd(2), one at a time between two steps, so no step is left half
 * done.
 */
#include "fs/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

#include "base/log.h"
#include "base/progress.h"
#include "base/quote.h"
#include "base/scope.h"
#include "fs/deaths.h"
#include "fs/message.h"
#include "fs/worker.h"

const int supervisor_end_signals[SUPERVISOR_END_SIGNALS] = {SIGTERM, SIGINT, SIGHUP};

struct supervisor {
	const struct mount_options *opt;
	const struct mount_service *service;
	const char *mountpoint;
	int caller;
	sigset_t mask; /* as it was */
	int signals;
	int device; /* -1: not mounted yet */
	struct worker_mount mount;
	pid_t worker;                  /* 0: there is none */
	int socket;                    /* to it; -1 */
	bool is_serving, has_answered; /* the worker */
	struct err failure;            /* what it told before it ended */
	struct deaths deaths;
	bool was_ready; /* the mount answered once, and the caller knows */
	int end_signal; /* 0: nobody has asked for the end */
};

void supervisor_leave_terminal(void)
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

/* Signals that the caller has ignored (nohup, a shell's '&') stay ignored: blocked, they would come
 * all the same. */
static int take_signals(struct supervisor *s, struct err *e)
{
	const struct sigaction usual = {.sa_handler = SIG_DFL};
	struct sigaction old;
	sigset_t mine;

	sigaction(SIGCHLD, &usual, NULL);
	sigaction(WORKER_END_SIGNAL, &usual, NULL);
	sigemptyset(&mine);
	sigaddset(&mine, SIGCHLD);
	for (size_t i = 0; i < SUPERVISOR_END_SIGNALS; i++) {
		if (sigaction(supervisor_end_signals[i], NULL, &old) == 0 &&
		    old.sa_handler == SIG_DFL)
			sigaddset(&mine, supervisor_end_signals[i]);
	}
	s->signals = signalfd(-1, &mine, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		return err_sys(e, errno, "cannot receive signals");
	/* The worker's, until it can handle it. */
	sigaddset(&mine, WORKER_END_SIGNAL);
	sigprocmask(SIG_BLOCK, &mine, &s->mask);
	return 0;
}

_Noreturn static void be_worker(struct supervisor *s, pid_t supervisor, int socket)
{
	struct worker w = {
		.service = s->service,
		.mountpoint = s->mountpoint,
		.is_foreground = s->opt->is_foreground,
		.supervisor = supervisor,
		.socket = socket,
		.device = s->device,
		.deaths = s->deaths.total,
		.mask = &s->mask,
		.mount = s->mount,
	};

	scope_close(&s->caller);
	close(s->signals);
	exit(worker_run(&w));
}

static int start_worker(struct supervisor *s, struct err *e)
{
	const pid_t self = getpid();
	int ends[2];

	s->is_serving = s->has_answered = false;
	if (message_pair(ends, e) < 0)
		return -1;
	const pid_t pid = fork();
	if (pid < 0) {
		const int sys = errno;
		close(ends[0]);
		close(ends[1]);
		return err_sys(e, sys, "cannot fork");
	}
	if (pid == 0) {
		close(ends[0]);
		be_worker(s, self, ends[1]);
	}
	close(ends[1]);
	s->worker = pid;
	s->socket = ends[0];
	return 0;
}

/* The worker waits for it. */
static int give_mount(struct supervisor *s, struct err *e)
{
	s->device = device_mount(s->opt, s->service->is_writable, s->mountpoint, e);
	/* Looked up before anybody is served: afterwards a look at the mount would ask
	 * ourselves. */
	if (s->device < 0 || device_find(s->mountpoint, s->mount.number, e) < 0 ||
	    channel_read_init(s->device, &s->mount.init, e) < 0)
		return -1;
	if (message_send_fd(s->socket, s->device, &s->mount, sizeof(s->mount)) < 0)
		return err_sys(e, errno, "cannot give the mount to its worker");
	return 0;
}

static void become_ready(struct supervisor *s)
{
	const struct err ready = ERR_INIT;

	s->was_ready = true;
	if (s->caller < 0)
		return;
	/* When the caller is gone there is nobody to tell, and the mount is still wanted. */
	(void)message_send(s->caller, &ready);
	close(steal_fd(&s->caller));
	supervisor_leave_terminal();
}

/* The worker came one step further, or tells why not. */
static int on_message(struct supervisor *s, struct err *what, struct err *e)
{
	if (what->code) {
		err_clear(&s->failure);
		s->failure = *what;
		return 0;
	}
	if (s->device < 0)
		return give_mount(s, e);
	if (s->is_serving) {
		s->has_answered = true;
		return 0;
	}
	s->is_serving = true;
	if (!s->was_ready)
		become_ready(s);
	return 0;
}

static int hear(struct supervisor *s, struct err *e)
{
	while (s->socket >= 0) {
		struct err what = ERR_INIT;
		const int n = message_receive(s->socket, false, &what);
		if (n > 0 && on_message(s, &what, e) < 0)
			return -1;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			close(steal_fd(&s->socket));
	}
	return 0;
}

static void unmount(struct supervisor *s)
{
	struct err e = ERR_INIT;

	if (device_unmount(s->mountpoint, true, &e) < 0) {
		log_err(&e);
		err_clear(&e);
	}
}

static bool is_on_top(const struct supervisor *s)
{
	return s->device >= 0 && device_is_on_top(s->device, s->mountpoint, s->mount.number);
}

/* The mount goes while somebody answers what it still has to write.  A worker that does not serve
 * has nothing to end. */
static void ask_end(struct supervisor *s, int number)
{
	if (s->end_signal)
		return;
	s->end_signal = number;
	if (s->is_serving && is_on_top(s))
		unmount(s);
	if (s->worker)
		kill(s->worker, s->is_serving ? WORKER_END_SIGNAL : SIGKILL);
}

static void take_pending_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;

	/* SIGCHLD says what waitpid(2) will. */
	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			ask_end(s, (int)info.ssi_signo);
	}
}

/* For messages: how it ended. */
static const char *describe(const struct supervisor *s, int status, char *buf, size_t size)
{
	if (s->failure.code)
		return s->failure.msg;
	(void)snprintf(buf, size, WIFSIGNALED(status) ? "killed by signal %d" : "exit status %d",
		       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return buf;
}

static void pause_ms(unsigned ms)
{
	const struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};

	if (ms)
		nanosleep(&pause, NULL);
}

/* After a death, which `how` tells of: 0, or -1 when it was one too many. */
static int check_may_go_on(struct supervisor *s, const char *how, struct err *e)
{
	char q[QUOTE_MAX];
	const bool is_often = !deaths_add(&s->deaths, progress_now_ms(), s->has_answered);

	quote_str(q, s->mountpoint);
	if (!(channel_offered(&s->mount.init) & CHANNEL_HAS_RESEND))
		return err_sys(
			e, ECONNABORTED,
			"the mount at '%s' ended: its worker died (%s), and before Linux 6.9 "
			"no other can take over",
			q, how);
	if (is_often)
		return err_sys(e, ECONNABORTED,
			       "the mount at '%s' ended: its worker died too often (%u times, the "
			       "last: %s)",
			       q, s->deaths.total, how);
	log_warning("the worker of the mount at '%s' died (%s): another takes over", q, how);
	return 0;
}

static int replace(struct supervisor *s, int status, struct err *e)
{
	char buf[64];
	const char *how = describe(s, status, buf, sizeof(buf));

	for (;;) {
		if (check_may_go_on(s, how, e) < 0)
			return -1;
		pause_ms(deaths_pause_ms(&s->deaths));
		err_clear(&s->failure);
		if (start_worker(s, &s->failure) == 0)
			return 0;
		/* No process or no memory for it: a death as others. */
		how = s->failure.msg;
	}
}

/* The worker has ended: 1 the mount is over, 0 it goes on with another, -1. */
static int on_end(struct supervisor *s, int status, struct err *e)
{
	char q[QUOTE_MAX];

	if (s->end_signal)
		return 1;
	if (!s->was_ready && s->failure.code)
		return err_move(e, &s->failure);
	if (!s->was_ready)
		return err_sys(e, ESRCH, "the server of '%s' died before it mounted",
			       quote_str(q, s->mountpoint));
	if ((WIFEXITED(status) && WEXITSTATUS(status) == 0) || !device_is_connected(s->device))
		return 1;
	return replace(s, status, e);
}

static int reap(struct supervisor *s, struct err *e)
{
	int status;

	if (!s->worker || waitpid(s->worker, &status, WNOHANG) != s->worker)
		return 0;
	s->worker = 0;
	/* What it said last. */
	if (hear(s, e) < 0)
		return -1;
	if (s->socket >= 0)
		close(steal_fd(&s->socket));
	return on_end(s, status, e);
}

/* Until the mount is over (0) or failed. */
static int supervise(struct supervisor *s, struct err *e)
{
	int r = start_worker(s, e);

	while (r == 0) {
		struct pollfd fds[] = {{.fd = s->signals, .events = POLLIN},
				       {.fd = s->socket, .events = POLLIN}};
		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return err_sys(e, errno, "cannot wait for the worker of a mount");
		/* First what the worker said: it may serve, and its clients know that. */
		r = hear(s, e);
		if (r < 0)
			break;
		take_pending_signals(s);
		r = reap(s, e);
	}
	return r < 0 ? -1 : 0;
}

/* Of clients that still wait the requests fail. */
static void finish(struct supervisor *s)
{
	const bool is_left = s->device >= 0 && (!*s->mount.number || is_on_top(s));

	if (s->worker) {
		kill(s->worker, SIGKILL);
		while (waitpid(s->worker, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	scope_close(&s->socket);
	/* Before the mount goes: it might want to write what nobody takes any more. */
	scope_close(&s->device);
	if (is_left)
		unmount(s);
	scope_close(&s->signals);
	err_clear(&s->failure);
}

/* With the descriptors and processes of `s` gone again at its end. */
static int hold_and_supervise(struct supervisor *s, struct err *e)
{
	void *held = NULL;

	if (s->service->hold) {
		held = s->service->hold(s->service->ctx, e);
		if (!held)
			return -1;
	}
	int r = take_signals(s, e);
	if (r == 0) {
		r = supervise(s, e);
		finish(s);
		sigprocmask(SIG_SETMASK, &s->mask, NULL);
	}
	if (held)
		s->service->release(held);
	return r;
}

int supervisor_run(const struct mount_options *opt, const struct mount_service *service,
		   const char *mountpoint, int caller, struct err *e)
{
	struct supervisor s = {
		.opt = opt,
		.service = service,
		.mountpoint = mountpoint,
		.caller = caller,
		.signals = -1,
		.device = -1,
		.socket = -1,
	};

	/* Secrets are not here, but a debugger on either process could serve anything. */
	prctl(PR_SET_DUMPABLE, 0);
	int r = hold_and_supervise(&s, e);
	/* Nothing had been mounted that could end well. */
	if (s.end_signal && !s.was_ready)
		raise(s.end_signal);
	if (r < 0 && s.caller >= 0 && message_send(s.caller, e) == 0) {
		err_clear(e); /* the caller prints it */
		r = 0;
	}
	scope_close(&s.caller);
	return r;
}
