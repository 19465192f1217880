/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases that need no room: a digest is leased by a lock on a byte of shale/version whose place
 * follows from the digest.  They live in the kernel, as long as somebody has the file open.
 *
 * Private to store/.  Two digests may share a byte; then both are kept.
 */
#ifndef STORE_LEASE_LOCK_H
#define STORE_LEASE_LOCK_H

#include "base/digest.h"
#include "base/err.h"
#include "store/store.h"

/* An fd to lease with; closing it ends all that was leased. */
int lease_lock_open(const struct store *s, struct err *e);

int lease_lock_add(int fd, const struct digest *d, struct err *e);

/* Calls `each` for every blob of the store that is leased so. */
int lease_lock_visit(const struct store *s,
		     int (*each)(void *ctx, const struct digest *d, struct err *e), void *ctx,
		     struct err *e);

#endif
