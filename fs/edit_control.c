/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	command				worker
 *	connects			when it has time: go on
 *	has the kernel write back;
 *	asks				copies the rows, keeps the data
 *	reads; asks: still?		yes
 *	closes				removes the copy, lets the data go
 *
 * A worker that follows one that died knows of no command: the line is dead then, and the command
 * learns it when it asks at the end.
 */
#include "fs/edit_control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/io.h"
#include "base/log.h"
#include "fs/device.h"
#include "fs/edit.h"
#include "fs/edit_ops.h"
#include "fs/message.h"
#include "fs/session_db.h"
#include "fs/session_freeze.h"

#define SOCKET_NAME   "control"
#define SNAPSHOT_NAME "snapshot"

enum {
	STEP_MS = 5,
	QUIET_MS = 50,            /* between two requests of a write-back */
	WRITE_BACK_MAX_MS = 5000, /* under a load that never ends */
};
enum { TURN_TOLD_MS = 1000 }; /* who waits longer for others is told */
enum { BACKLOG = 16, SNAPSHOT_MODE = 0700, PAUSE_NS = 100 * 1000 * 1000 };

struct edit_control {
	const struct edit_context *context;
	struct session *session;
	int dirfd; /* borrowed */
	int listener;
	int stop; /* an eventfd: readable when the thread is to end */
	pthread_t thread;
	bool has_thread;
};

static void set_address(struct sockaddr_un *address, int dirfd)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	(void)snprintf(address->sun_path, sizeof(address->sun_path),
		       "/proc/self/fd/%d/" SOCKET_NAME, dirfd);
}

/* False: the thread is to end. */
static bool wait_for(const struct edit_control *c, int fd)
{
	struct pollfd fds[] = {{.fd = c->stop, .events = POLLIN}, {.fd = fd, .events = POLLIN}};

	while (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno == EINTR)
		;
	return !fds[0].revents;
}

/* What SQLite made beside the copy, too. */
static void remove_snapshot(int dirfd)
{
	static const char *const names[] = {
		SNAPSHOT_NAME "/" SESSION_DB_NAME,
		SNAPSHOT_NAME "/" SESSION_DB_NAME "-wal",
		SNAPSHOT_NAME "/" SESSION_DB_NAME "-shm",
		SNAPSHOT_NAME "/" SESSION_DB_NAME "-journal",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)unlinkat(dirfd, names[i], 0);
	if (unlinkat(dirfd, SNAPSHOT_NAME, AT_REMOVEDIR) < 0 && errno != ENOENT)
		log_warning("cannot remove the copy of a session: errno %d", errno);
}

/* The command has asked the kernel to write pages of mappings back (syncfs(2)), which returns when
 * the requests are queued, not when they are answered (Linux's wait_sb_inodes passes FUSE over). So
 * until none has come for a while. */
static void wait_for_write_back(const struct edit_control *c)
{
	const struct timespec step = {0, STEP_MS * 1000000L};
	struct timespec now;
	uint64_t idle_ms;
	int waited = 0;

	do {
		nanosleep(&step, NULL);
		waited += STEP_MS;
		clock_gettime(CLOCK_MONOTONIC, &now);
		idle_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 -
			  c->context->written_back;
	} while (waited < QUIET_MS || (idle_ms < QUIET_MS && waited < WRITE_BACK_MAX_MS));
}

/* The fd of its folder. */
static int make_snapshot(const struct edit_control *c, struct err *e)
{
	wait_for_write_back(c);
	remove_snapshot(c->dirfd);
	if (mkdirat(c->dirfd, SNAPSHOT_NAME, SNAPSHOT_MODE) < 0)
		return err_sys(e, errno, "cannot make a folder for the copy of a session");
	SCOPE_FD int fd =
		openat(c->dirfd, SNAPSHOT_NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "cannot open the folder of the copy of a session");
	return session_freeze(c->session, fd, e) < 0 ? -1 : steal_fd(&fd);
}

/* False: the command has closed the line, or the thread is to end. */
static bool is_asked(const struct edit_control *c, int line)
{
	char question;

	return wait_for(c, line) && io_read(line, &question, 1) > 0;
}

/* Until the command closes the line. */
static void hold(const struct edit_control *c, int line)
{
	const struct err fine = ERR_INIT;

	while (is_asked(c, line)) {
		if (message_send(line, &fine) < 0)
			return;
	}
}

static void serve(const struct edit_control *c, int line)
{
	const char nothing = 0;
	struct err e = ERR_INIT;

	if (message_send(line, &e) < 0 || !is_asked(c, line))
		return;
	SCOPE_FD int fd = make_snapshot(c, &e);
	const bool is_frozen = fd >= 0;
	if (message_send(line, &e) == 0 && is_frozen &&
	    message_send_fd(line, fd, &nothing, sizeof(nothing)) == 0)
		hold(c, line);
	err_clear(&e);
	if (is_frozen)
		session_thaw(c->session);
	remove_snapshot(c->dirfd);
}

static void *run(void *ctx)
{
	const struct timespec pause = {0, PAUSE_NS};
	const struct edit_control *c = ctx;

	while (wait_for(c, c->listener)) {
		SCOPE_FD int line = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
		if (line >= 0)
			serve(c, line);
		else
			nanosleep(&pause, NULL); /* no descriptor is free: it is still there then */
	}
	return NULL;
}

static int listen_at(int dirfd, struct err *e)
{
	struct sockaddr_un address;

	set_address(&address, dirfd);
	SCOPE_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, errno, "cannot make a socket");
	/* That of a worker that died. */
	(void)unlinkat(dirfd, SOCKET_NAME, 0);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return err_sys(e, errno, "cannot listen in the session's folder");
	return steal_fd(&fd);
}

static int start_thread(struct edit_control *c, struct err *e)
{
	sigset_t all, before;

	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int r = pthread_create(&c->thread, NULL, run, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	c->has_thread = r == 0;
	return r == 0 ? 0 : err_sys(e, r, "cannot start a thread");
}

struct edit_control *edit_control_start(struct edit_context *context, int dirfd, struct err *e)
{
	struct edit_control *c = array_new(1, sizeof(*c), e);

	if (!c)
		return NULL;
	*c = (struct edit_control){
		.context = context, .session = context->session, .dirfd = dirfd, .listener = -1};
	c->stop = eventfd(0, EFD_CLOEXEC);
	if (c->stop < 0)
		err_sys(e, errno, "cannot make an eventfd");
	else
		c->listener = listen_at(dirfd, e);
	if (c->listener >= 0 && start_thread(c, e) == 0)
		return c;
	edit_control_stop(c);
	return NULL;
}

void edit_control_stop(struct edit_control *c)
{
	if (!c)
		return;
	if (c->has_thread) {
		(void)eventfd_write(c->stop, 1);
		pthread_join(c->thread, NULL);
	}
	if (c->listener >= 0) {
		close(c->listener);
		(void)unlinkat(c->dirfd, SOCKET_NAME, 0);
	}
	if (c->stop >= 0)
		close(c->stop);
	free(c);
}

static int dial(int dirfd, struct err *e)
{
	struct sockaddr_un address;

	set_address(&address, dirfd);
	SCOPE_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, errno, "cannot make a socket");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return err_set(e, ERR_NOT_FOUND, "no mount answers for the session");
		return err_sys(e, errno, "cannot reach the mount of the session");
	}
	return steal_fd(&fd);
}

static int fail_silent(struct err *e)
{
	return err_set(e, ERR_BUSY, "the mount of the session ended while it was asked; try again");
}

/* Until the worker has answered those who came before. */
static int wait_for_turn(int line, struct err *e)
{
	struct pollfd fds = {.fd = line, .events = POLLIN};
	struct err told = ERR_INIT;

	if (poll(&fds, 1, TURN_TOLD_MS) == 0)
		log_warning("waiting for another command that reads the session");
	if (message_receive(line, true, &told) > 0)
		return 0;
	err_clear(&told);
	return fail_silent(e);
}

/* The worker's mount, also where this process does not see it: the worker does. */
static int open_mount(const struct session_folder *folder, int line, struct err *e)
{
	SCOPE_FREE char *source = edit_source(folder, e);
	struct ucred worker = {.pid = 0};
	socklen_t len = sizeof(worker);

	if (!source)
		return -1;
	const int fd = device_open_root(source, 0, e);
	if (fd >= 0 || e->code != ERR_NOT_FOUND)
		return fd;
	err_clear(e);
	if (getsockopt(line, SOL_SOCKET, SO_PEERCRED, &worker, &len) < 0)
		return err_sys(e, errno, "cannot ask who answers for the session");
	/* 0: in another pid namespace, too. */
	return worker.pid > 0 ? device_open_root(source, worker.pid, e)
			      : err_set(e, ERR_NOT_FOUND, "nothing is known of who mounted it");
}

/* The worker syncs what it has when it is asked to; here it is the kernel's turn. */
static int write_back(const struct session_folder *folder, int line, struct err *e)
{
	struct err why = ERR_INIT;
	SCOPE_FD int fd = open_mount(folder, line, &why);
	const int synced = fd < 0 ? -1 : syncfs(fd);

	if (synced == 0)
		return 0;
	if (fd >= 0)
		err_sys(&why, errno, "syncfs");
	err_set(e, ERR_BUSY,
		"cannot write back what programs have mapped in session '%s': %s; run this command "
		"where it is mounted, or unmount it",
		sessions_name(folder), why.msg);
	err_clear(&why);
	return -1;
}

static int ask(int line, struct err *e)
{
	const char question = '?';
	struct err told = ERR_INIT;

	if (send(line, &question, sizeof(question), MSG_NOSIGNAL) >= 0 &&
	    message_receive(line, true, &told) > 0)
		return told.code ? err_move(e, &told) : 0;
	err_clear(&told);
	return fail_silent(e);
}

int edit_freeze(const struct session_folder *folder, struct edit_frozen *out, struct err *e)
{
	char nothing;

	SCOPE_FD int fd = dial(sessions_fd(folder), e);
	if (fd < 0 || wait_for_turn(fd, e) < 0 || write_back(folder, fd, e) < 0 || ask(fd, e) < 0)
		return -1;
	const int copy = message_receive_fd(fd, &nothing, sizeof(nothing));
	if (copy < 0)
		return fail_silent(e);
	*out = (struct edit_frozen){steal_fd(&fd), copy};
	return 0;
}

int edit_frozen_check(const struct edit_frozen *f, struct err *e)
{
	if (ask(f->socket, e) == 0)
		return 0;
	err_clear(e);
	return err_set(e, ERR_BUSY,
		       "the session went on while it was read, as its mount ended or a "
		       "process of it died; try again");
}

void edit_thaw(struct edit_frozen *f)
{
	if (f->socket >= 0)
		close(f->socket);
	if (f->dirfd >= 0)
		close(f->dirfd);
	*f = (struct edit_frozen)EDIT_FROZEN_INIT;
}
