/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool of threads for CPU work whose results are taken in the order of submission, so that the
 * output never depends on the number of threads.
 *
 * Calls: workers_new -> (workers_submit | workers_take)* -> workers_free.
 * Threads: one thread submits and takes; `run` is called on the pool's threads, for one job at a
 * time each.  A pool of 0 threads runs each job inside workers_submit.
 */
#ifndef BASE_WORKERS_H
#define BASE_WORKERS_H

#include <stddef.h>

#include "base/err.h"
#include "base/scope.h"

struct workers;

/*
 * `depth`: how many jobs may be in flight (submitted, not taken).  `run` must leave its result and
 * its error in the job.  NULL with ERR_NOMEM or ERR_SYS.
 */
struct workers *workers_new(unsigned threads, size_t depth, void (*run)(void *job), struct err *e);

/* Never more than `depth` in flight: the caller asks workers_is_full and takes first (asserted). */
void workers_submit(struct workers *w, void *job);
int workers_is_full(const struct workers *w);

/* The oldest job in flight, when it is done; NULL when none is in flight. */
void *workers_take(struct workers *w);

/* Waits for jobs that run; jobs in flight are not freed (take them first).  NULL is fine. */
void workers_free(struct workers *w);
SCOPE_DEFINE(workers, struct workers *, workers_free)

/* The number of processors that this process may use, at least 1. */
unsigned workers_default_count(void);

#endif
