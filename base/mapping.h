/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read-only memory maps of files that may be cut short or fail under us.
 *
 * An access that gets SIGBUS (the file was truncated, the disk failed) is answered with zeros: the
 * handler maps a zero page there and marks the mapping damaged.  A cut inside the last page gives
 * zeros without a signal, so the file's size is asked too.  The user of a mapping copies out what
 * it needs and asks mapping_is_damaged *after* the copy: then either all bytes were the file's, or
 * the answer is an error.  Never hand out pointers into a mapping.
 *
 * The SIGBUS handler is process-wide, installed with the first mapping; a SIGBUS outside of all
 * mappings gets the default action.  Limit: MAPPING_COUNT_MAX mappings at a time.
 * Threads: any.
 */
#ifndef BASE_MAPPING_H
#define BASE_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { MAPPING_COUNT_MAX = 64 };

struct mapping {
	const uint8_t *data;
	size_t size;
	int slot; /* in the handler's table; -1: not mapped */
	int fd;   /* of its own; -1: not mapped */
};

#define MAPPING_INIT            \
	{                       \
		NULL, 0, -1, -1 \
	}

/*
 * Maps the first `size` bytes of `fd` (the fd may be closed afterwards).  A touch reads one page,
 * not its neighbours: mapping_prefetch says what is worth more.  ERR_SYS, ERR_LIMIT.
 */
int mapping_init(struct mapping *m, int fd, size_t size, struct err *e);
/* Starts reading these bytes, as far as they exist, and does not wait.  A hint: it cannot fail. */
void mapping_prefetch(const struct mapping *m, uint64_t offset, size_t size);
void mapping_fini(struct mapping *m);
bool mapping_is_damaged(const struct mapping *m);
/* The part of it that takes no system call: it does not see a cut inside the last page. */
bool mapping_has_faulted(const struct mapping *m);

#endif
