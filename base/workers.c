/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs sit in a ring, in the order of submission, and three counters that only grow cut it:
 *
 *	taken <= started <= submitted, submitted - taken <= depth
 *
 * A thread starts the job number `started`; take waits until the job number `taken` is done.
 */
#include "base/workers.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"

struct slot {
	void *job;
	bool done;
};

struct workers {
	void (*run)(void *job);
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t work;  /* something to start, or `stop` */
	pthread_cond_t ready; /* the oldest job is done */
	struct slot *ring;
	size_t depth;
	size_t taken, started, submitted;
	bool stop;
	pthread_t *threads;
	unsigned count;
};

static struct slot *slot_of(struct workers *w, size_t number)
{
	return &w->ring[number % w->depth];
}

static void *worker_main(void *arg)
{
	struct workers *w = arg;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->stop && w->started == w->submitted)
			pthread_cond_wait(&w->work, &w->lock);
		if (w->stop)
			break;
		const size_t number = w->started++;
		struct slot *slot = slot_of(w, number);
		pthread_mutex_unlock(&w->lock);
		w->run(slot->job);
		pthread_mutex_lock(&w->lock);
		slot->done = true;
		if (number == w->taken)
			pthread_cond_signal(&w->ready);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/*
 * Signals are for the main thread, so the pool's threads block them; not those that a thread's own
 * instructions raise: blocked, they kill the process past any handler (base/mapping.c has one).
 */
static int start_threads(struct workers *w, unsigned threads)
{
	static const int own[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
	sigset_t blocked, before;
	int rc = 0;

	sigfillset(&blocked);
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		sigdelset(&blocked, own[i]);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	while (w->count < threads && rc == 0) {
		rc = pthread_create(&w->threads[w->count], NULL, worker_main, w);
		if (rc == 0)
			w->count++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

struct workers *workers_new(unsigned threads, size_t depth, void (*run)(void *job), struct err *e)
{
	assert(depth > 0);
	struct workers *w = array_new(1, sizeof(*w), e);

	if (!w)
		return NULL;
	w->run = run;
	w->depth = depth;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->work, NULL);
	pthread_cond_init(&w->ready, NULL);
	w->ring = array_new(depth, sizeof(*w->ring), e);
	if (!w->ring)
		goto fail;
	w->threads = array_new(threads, sizeof(*w->threads), e);
	if (!w->threads)
		goto fail;
	const int rc = start_threads(w, threads);
	if (rc) {
		err_sys(e, rc, "cannot start %u threads", threads);
		goto fail;
	}
	return w;
fail:
	workers_free(w);
	return NULL;
}

void workers_submit(struct workers *w, void *job)
{
	assert(!workers_is_full(w));
	struct slot *slot = slot_of(w, w->submitted);

	slot->job = job;
	slot->done = w->count == 0;
	if (w->count == 0) {
		w->run(job);
		w->started++;
		w->submitted++;
		return;
	}
	pthread_mutex_lock(&w->lock);
	w->submitted++;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
}

int workers_is_full(const struct workers *w)
{
	/* Both are changed by this thread alone. */
	return w->submitted - w->taken == w->depth;
}

void *workers_take(struct workers *w)
{
	if (w->taken == w->submitted)
		return NULL;
	pthread_mutex_lock(&w->lock);
	const struct slot *slot = slot_of(w, w->taken);
	while (!slot->done)
		pthread_cond_wait(&w->ready, &w->lock);
	void *job = slot->job;
	w->taken++;
	pthread_mutex_unlock(&w->lock);
	return job;
}

void workers_free(struct workers *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->work);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->count; i++)
		pthread_join(w->threads[i], NULL);
	pthread_cond_destroy(&w->ready);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	free(w->threads);
	free(w->ring);
	free(w);
}

unsigned workers_default_count(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
		return (unsigned)CPU_COUNT(&set);
	/* More processors than a cpu_set_t has bits. */
	const long online = sysconf(_SC_NPROCESSORS_ONLN);
	return online > 0 ? (unsigned)online : 1;
}
