/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long work says how far it is.  The worker calls, the front end (cli/) draws; a NULL progress
 * is fine and silent.
 */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdint.h>

struct progress {
	/* `what`: "packing usr/share"; total 0: not known. */
	void (*show)(struct progress *p, const char *what, uint64_t done_bytes,
		     uint64_t total_bytes);
};

static inline void progress_show(struct progress *p, const char *what, uint64_t done_bytes,
				 uint64_t total_bytes)
{
	if (p)
		p->show(p, what, done_bytes, total_bytes);
}

#endif
