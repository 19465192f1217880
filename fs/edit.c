/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/log.h"
#include "base/quote.h"
#include "base/str.h"
#include "fs/channel.h"
#include "fs/device.h"
#include "fs/edit_control.h"
#include "fs/edit_ops.h"

#define SOURCE_PREFIX "session/"

enum {
	SETTLE_EVERY_MS = 500,
	SLOTS = 1024, /* threads of one worker, far more than libfuse starts */
	FIRST_NUMBER_MAX = INT32_MAX,
};

/* A worker's, from its open to its close. */
struct editor {
	struct edit_context context; /* first: what requests are given */
	struct view *view;
	struct edit_control *control;
	pthread_t settler;
	bool has_settler;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* is_ending */
	bool is_ending;
};

static void add_ms(struct timespec *t, long ms)
{
	t->tv_nsec += ms * 1000000;
	t->tv_sec += t->tv_nsec / 1000000000;
	t->tv_nsec %= 1000000000;
}

/* False: it is to end. */
static bool wait_a_while(struct editor *d)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	add_ms(&until, SETTLE_EVERY_MS);
	pthread_mutex_lock(&d->lock);
	while (!d->is_ending && pthread_cond_timedwait(&d->wake, &d->lock, &until) == 0)
		;
	const bool goes_on = !d->is_ending;
	pthread_mutex_unlock(&d->lock);
	return goes_on;
}

/* Brings to the disk what nobody syncs. */
static void *settle(void *ctx)
{
	struct editor *d = ctx;
	bool has_failed = false;

	while (wait_a_while(d)) {
		struct err e = ERR_INIT;
		const bool is_failing = session_settle(d->context.session, &e) < 0;
		/* Once: a disk stays full, or broken, for long. */
		if (is_failing && !has_failed)
			log_error("cannot bring the session to the disk: %s", e.msg);
		has_failed = is_failing;
		err_clear(&e);
	}
	return NULL;
}

static int start_settler(struct editor *d, struct err *e)
{
	pthread_condattr_t attr;
	sigset_t all, before;

	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->wake, &attr);
	pthread_condattr_destroy(&attr);
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int r = pthread_create(&d->settler, NULL, settle, d);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return err_sys(e, r, "cannot start a thread");
	d->has_settler = true;
	return 0;
}

static void stop_settler(struct editor *d)
{
	if (!d->has_settler)
		return;
	pthread_mutex_lock(&d->lock);
	d->is_ending = true;
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->settler, NULL);
	pthread_cond_destroy(&d->wake);
	pthread_mutex_destroy(&d->lock);
}

static void close_editor(void *data)
{
	struct editor *d = data;

	edit_control_stop(d->control);
	stop_settler(d);
	session_close(d->context.session);
	view_close(d->view);
	free(d);
}

/* Without it the mount serves all the same: only commit and diff cannot look while it does. */
static void start_control(struct editor *d, const struct session_folder *folder)
{
	struct err e = ERR_INIT;

	d->control = edit_control_start(&d->context, sessions_fd(folder), &e);
	if (!d->control)
		log_warning("commit and diff cannot read this mount: %s", e.msg);
	err_clear(&e);
}

/*
 * Programs keep what they know of a file by its inode number, size and times, and the image has it
 * with them: ldconfig, for one, in its aux-cache.  The files of a package often have all one time,
 * some one size, and numbers that follow each other; in the next image, where a name more comes
 * before them, each would pass for its neighbour.  So numbers begin elsewhere in each session.
 * Where they begin is below 2^31: programs of 32 bits cannot stat(2) what has a larger number than
 * 32 bits hold.
 */
static uint64_t first_number(const struct session_folder *folder)
{
	const char *id = sessions_id(folder);
	uint64_t chance = 0;

	(void)str_to_u64(id, strlen(id), 16, UINT64_MAX, &chance);
	return chance & FIRST_NUMBER_MAX;
}

static void *open_editor(void *ctx, const struct mount_start *start, struct err *e)
{
	const struct edit *edit = ctx;
	const unsigned flags = start->is_takeover ? SESSION_TAKE_OVER : SESSION_CREATE;
	struct editor *d = array_new(1, sizeof(*d), e);

	if (!d)
		return NULL;
	/* Each worker has slots of its own: what one before kept may still be asked for. */
	d->context.is_writeback = edit->is_writeback;
	d->context.first_slot = start->deaths * SLOTS;
	d->context.first_number = first_number(edit->folder);
	d->view = edit->open_view(edit->ctx, e);
	if (d->view &&
	    session_open(d->view, sessions_fd(edit->folder), sessions_data_fd(edit->folder), flags,
			 &d->context.session, e) == 0 &&
	    start_settler(d, e) == 0) {
		start_control(d, edit->folder);
		return d;
	}
	close_editor(d);
	return NULL;
}

/* In the supervisor, which has the session for as long as it is mounted: what people are told. */
static void *hold_use(void *ctx, struct err *e)
{
	struct edit *edit = ctx;

	return sessions_set_use(edit->folder, edit->use, e) < 0 ? NULL : edit;
}

static void release_use(void *held)
{
	(void)held; /* the lock goes with the process */
}

char *edit_source(const struct session_folder *folder, struct err *e)
{
	return str_dupf(e, SOURCE_PREFIX "%s@%s", sessions_name(folder), sessions_id(folder));
}

const char *edit_source_id(const char *source)
{
	const char *at = strrchr(source, '@');

	return str_has_prefix(source, SOURCE_PREFIX) && at ? at + 1 : NULL;
}

struct mount_service edit_service(struct edit *edit)
{
	return (struct mount_service){
		.ops = &edit_ops,
		.open = open_editor,
		.close = close_editor,
		.hold = hold_use,
		.release = release_use,
		.ctx = edit,
		.init_flags = CHANNEL_HANDLE_KILLPRIV_V2,
		.is_writable = true,
	};
}
