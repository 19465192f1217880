/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long work says how far it is.  The worker counts, the front end (cli/) draws; a NULL progress
 * is fine and silent.
 *
 * Work is a row of phases.  What the phase is called stays the same from its begin to the next one,
 * so that there is a rate over all of it; what it is at (a file, a layer) is said apart.
 * Threads: one at a time.  Calling costs no more than a look at the clock: once a piece of 64 KiB
 * is fine, and so is once a file.
 */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PROGRESS_NAME_MAX = 128,     /* bytes, NUL included; of a longer name the end is kept */
	PROGRESS_LINE_MAX = 512,     /* bytes that progress_format writes, NUL included */
	PROGRESS_INTERVAL_MS = 100,  /* between two lines */
	PROGRESS_COLUMNS_MAX = 1000, /* wider terminals get no more */
};

struct progress_phase {
	const char *what;     /* "packing"; NULL: none began yet */
	uint64_t done, total; /* bytes; total 0: not known */
	uint64_t began_ms;    /* progress_now_ms */
	size_t part, parts;   /* layer 2 of 5; parts 0: of one only */
	char name[PROGRESS_NAME_MAX];
};

struct progress {
	/* Called after each change; `at_once`: a phase that took long is over, and what begins now
	 * may not count for long.  NULL: nobody looks. */
	void (*show)(struct progress *p, bool at_once);
	struct progress_phase phase;
};

/* `what` is lower case, without figures and names, and lives as long as `p`. */
void progress_begin(struct progress *p, const char *what, uint64_t total_bytes);
/* What the phase is at; copied. */
void progress_name(struct progress *p, const char *name);
/* Which of several alike the next phases are for; 0, 0 ends that. */
void progress_part(struct progress *p, size_t part, size_t parts);

static inline void progress_add(struct progress *p, uint64_t bytes)
{
	if (!p || !p->show)
		return;
	p->phase.done += bytes;
	p->show(p, false);
}

/* Of the monotonic clock. */
uint64_t progress_now_ms(void);

/*
 * The line of a terminal for a phase: "packing 2/5  812 MiB of 2.5 GiB, 31%, 410 MiB/s  usr/lib/x".
 * Fits into `columns` - 1 cells, takes the name away first, and holds no control characters;
 * returns `buf`.
 */
const char *progress_format(char buf[static PROGRESS_LINE_MAX], const struct progress_phase *phase,
			    uint64_t now_ms, unsigned columns);

#endif
