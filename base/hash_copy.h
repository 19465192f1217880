/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies content that has a known digest, and hashes on a second thread what is written, so that
 * both take the time of the slower one.
 *
 * What was written before the end is reached is not verified: it must not have a name yet.
 */
#ifndef BASE_HASH_COPY_H
#define BASE_HASH_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/progress.h"

struct hash_copy {
	/* Any count up to `len`, 0 at the end, -1. */
	ssize_t (*read)(void *from, void *buf, size_t len, struct err *e);
	void *from;
	int (*write)(void *to, const void *bytes, size_t len, struct err *e);
	void *to;
	struct progress *progress; /* bytes count in its current phase; may be NULL */
};

/*
 * All that `read` gives, which must be `size` bytes of this digest: ERR_DIGEST, with what is wrong
 * but not of what; it stops at the first byte too many.  The errors of `read` and `write`; ERR_SYS,
 * ERR_NOMEM.
 */
int hash_copy(const struct hash_copy *c, uint64_t size, const struct digest *want, struct err *e);

#endif
