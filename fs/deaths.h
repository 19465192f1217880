/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often the worker of a mount may die.
 *
 * Whoever kills it now and then, or a lack of memory, must not end a mount; a request that kills
 * each worker which takes it must, as else its client would wait for ever.
 * Limits: LIMIT_WORKER_DEATHS, LIMIT_WORKER_DEATHS_IDLE.
 */
#ifndef FS_DEATHS_H
#define FS_DEATHS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

enum {
	DEATHS_WINDOW_MS = 60 * 1000, /* that both limits count in */
	DEATHS_PAUSE_MS = 100,        /* more after each death that followed no answer */
};

/* Zeros: nobody has died. */
struct deaths {
	unsigned total;
	unsigned idle; /* in a row, none a window after the one before: of workers that had answered
			  nothing */
	uint64_t at[LIMIT_WORKER_DEATHS]; /* when the last ones died: number n at n modulo size */
};

/* Notes a death at `now_ms` of a monotonic clock.  False when there were too many. */
bool deaths_add(struct deaths *d, uint64_t now_ms, bool has_answered);

/* How long to wait before the next worker: what the last ones lacked may be there in a moment. */
unsigned deaths_pause_ms(const struct deaths *d);

#endif
