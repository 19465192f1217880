/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a worker ends, and who takes the mount away:
 *
 *	WORKER_END_SIGNAL	from the supervisor, which has unmounted already
 *				from the kernel, when the supervisor died: the worker unmounts
 *	SIGTERM, SIGINT, SIGHUP	are passed on to the supervisor, and come back as the first: it is
 *				the same whichever of the two is told
 *	the mount went away	nobody
 */
#include "fs/worker.h"

#define FUSE_USE_VERSION 312
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <sys/prctl.h>

#include "base/io.h"
#include "base/log.h"
#include "fs/message.h"
#include "fs/supervisor.h"

enum {
	THREADS_MAX = 8, /* that read and decode; more than processors, as some wait for the disk */
	THREADS_IDLE_MAX = 8,
};

static const char process_name[] = "shale-worker"; /* as ps(1) shows it, 15 bytes at most */

/* For the handlers, which are given nothing of ours. */
static struct fuse_session *ending;
static pid_t supervisor;

static bool is_orphan(void)
{
	return getppid() != supervisor;
}

/* libfuse 3.14 looks at its flag and then waits for a semaphore: a signal between the two sets the
 * flag and wakes nobody.  So it comes again until the loop has seen it. */
static void on_worker_end(int number)
{
	(void)number;
	fuse_session_exit(ending);
	alarm(1);
}

static void on_mount_end(int number)
{
	const int sys = errno;

	if (!is_orphan())
		kill(supervisor, number);
	errno = sys;
}

/* Signals that the caller has ignored (nohup, a shell's '&') stay ignored. */
static void catch_signals(struct fuse_session *session)
{
	const struct sigaction end = {.sa_handler = on_worker_end}; /* no SA_RESTART: to wake */
	const struct sigaction pass_on = {.sa_handler = on_mount_end, .sa_flags = SA_RESTART};
	struct sigaction old;

	ending = session;
	sigaction(SIGALRM, &end, NULL);
	sigaction(WORKER_END_SIGNAL, &end, NULL);
	for (size_t i = 0; i < SUPERVISOR_END_SIGNALS; i++) {
		const int number = supervisor_end_signals[i];
		if (sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(number, &pass_on, NULL);
	}
}

/* While the session is taken down a second signal must not touch it. */
static void ignore_signals(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	alarm(0);
	sigaction(SIGALRM, &ignore, NULL);
	sigaction(WORKER_END_SIGNAL, &ignore, NULL);
}

static void tell_answered(void *ctx)
{
	const struct worker *w = ctx;
	const struct err done = ERR_INIT;

	/* A supervisor that is gone need not know. */
	(void)message_send(w->socket, &done);
}

/* The device is the session's afterwards, and -1. */
static struct fuse_session *session_open(struct worker *w, void *data, struct err *e)
{
	char name[] = "shale";
	char *argv[] = {name, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);

	/* libfuse says on standard error what it dislikes, and sets errno only where a call did. */
	errno = 0;
	struct fuse_session *session =
		fuse_session_new(&args, w->service->ops, sizeof(*w->service->ops), data);
	const int sys = errno;
	fuse_opt_free_args(&args);
	if (!session) {
		err_sys(e, sys ? sys : EINVAL, "libfuse cannot make a session");
		return NULL;
	}
	const struct channel_options opt = {
		.init = &w->mount.init,
		.is_takeover = w->deaths > 0,
		.is_writable = w->service->is_writable,
		.flags = w->service->init_flags,
		.answered = tell_answered,
		.ctx = w,
	};
	if (channel_open(session, w->device, &opt, e) < 0) {
		fuse_session_destroy(session);
		return NULL;
	}
	w->device = -1;
	return session;
}

/* Serves until the end; 0 when it was asked for. */
static int loop(struct fuse_session *session, struct err *e)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();

	if (!config)
		return err_nomem(e);
	fuse_loop_cfg_set_max_threads(config, THREADS_MAX);
	fuse_loop_cfg_set_idle_threads(config, THREADS_IDLE_MAX);
	const int r = fuse_session_loop_mt(session, config);
	fuse_loop_cfg_destroy(config);
	/* -1 is not EPERM: libfuse has no other word for a thread that it cannot start. */
	if (r == -1)
		return err_sys(e, EAGAIN, "libfuse cannot start a thread");
	return r < 0 ? err_sys(e, -r, "cannot read requests") : 0;
}

/* Whether nobody else is there to take the mount of `device` away. */
static bool is_left(const struct worker *w, int device)
{
	return is_orphan() && device_is_on_top(device, w->mountpoint, w->mount.number);
}

static void end_mount(const struct worker *w)
{
	struct err e = ERR_INIT;

	if (device_unmount(w->mountpoint, true, &e) < 0) {
		log_err(&e);
		err_clear(&e);
	}
}

static int serve(struct worker *w, void *data, struct err *e)
{
	const struct err ready = ERR_INIT;
	struct fuse_session *session = session_open(w, data, e);

	if (!session)
		return -1;
	int r = channel_start(session, e);
	if (r == 0) {
		catch_signals(session);
		sigprocmask(SIG_SETMASK, w->mask, NULL);
		(void)message_send(w->socket, &ready);
		r = loop(session, e);
	}
	const bool must_unmount = is_left(w, fuse_session_fd(session));
	ignore_signals();
	/* Before the mount goes: it might want to write what nobody would take any more. */
	fuse_session_destroy(session);
	if (must_unmount)
		end_mount(w);
	return r;
}

/* A first worker says that it is ready for its mount, and waits for it. */
static int receive_mount(struct worker *w, struct err *e)
{
	const struct err opened = ERR_INIT;

	if (message_send(w->socket, &opened) < 0)
		return err_sys(e, errno, "cannot reach the supervisor");
	w->device = message_receive_fd(w->socket, &w->mount, sizeof(w->mount));
	if (w->device < 0)
		return err_sys(e, errno, "the supervisor gave no device");
	if (!w->is_foreground)
		supervisor_leave_terminal();
	return 0;
}

static int open_and_serve(struct worker *w, struct err *e)
{
	const struct mount_start start = {.is_takeover = w->deaths > 0,
					  .deaths = w->deaths,
					  .device_number = w->mount.number};
	sigset_t blocked;

	/* Until a mount is in its hands a first worker just dies of signals, as any command. */
	sigprocmask(SIG_SETMASK, w->device < 0 ? w->mask : NULL, &blocked);
	void *data = w->service->open(w->service->ctx, &start, e);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	if (!data) {
		if (w->device >= 0 && is_left(w, w->device))
			end_mount(w);
		return -1;
	}
	int r = w->device < 0 ? receive_mount(w, e) : 0;
	if (r == 0)
		r = serve(w, data, e);
	w->service->close(data);
	return r;
}

int worker_run(struct worker *w)
{
	struct err e = ERR_INIT;

	supervisor = w->supervisor;
	prctl(PR_SET_NAME, process_name);
	prctl(PR_SET_PDEATHSIG, WORKER_END_SIGNAL);
	/* It may have died before that; the signal is blocked, and comes when it can be handled. */
	if (is_orphan())
		raise(WORKER_END_SIGNAL);
	if (open_and_serve(w, &e) == 0)
		return EXIT_SUCCESS;
	/* Of a mount that never was its command tells. */
	if (message_send(w->socket, &e) < 0 && *w->mount.number)
		log_err(&e);
	err_clear(&e);
	return EXIT_FAILURE;
}
