/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/deaths.h"

/* Whether the death `ago` deaths before the next one was within the window. */
static bool is_recent(const struct deaths *d, unsigned ago, uint64_t now_ms)
{
	return d->total >= ago &&
	       now_ms - d->at[(d->total - ago) % LIMIT_WORKER_DEATHS] < DEATHS_WINDOW_MS;
}

bool deaths_add(struct deaths *d, uint64_t now_ms, bool has_answered)
{
	const bool is_often = is_recent(d, LIMIT_WORKER_DEATHS, now_ms);

	if (has_answered)
		d->idle = 0;
	else
		d->idle = is_recent(d, 1, now_ms) ? d->idle + 1 : 1;
	d->at[d->total++ % LIMIT_WORKER_DEATHS] = now_ms;
	return !is_often && d->idle <= LIMIT_WORKER_DEATHS_IDLE;
}

unsigned deaths_pause_ms(const struct deaths *d)
{
	return d->idle * DEATHS_PAUSE_MS;
}
