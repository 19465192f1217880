/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases: what a running command or mount needs, so that gc leaves it alone.
 *
 * A lease is a file in shale/leases/ that its owner keeps locked (flock) and to which it appends
 * the digests that it is about to use, *before* it looks whether the store has them; appending
 * takes gc.lock shared.  gc holds gc.lock exclusively while it reads the leases and deletes: so
 * either gc sees the line, or its owner sees that the blob is gone.  A lease whose lock is free is
 * from a process that died: gc removes it.
 *
 * On a full disk digests are leased by locks alone, which need no room and which gc sees, too.
 */
#ifndef STORE_LEASE_H
#define STORE_LEASE_H

#include "base/digest.h"
#include "base/err.h"
#include "base/scope.h"
#include "store/store.h"

struct lease;

/* `what`: a line for people ("build app:1", "mount /mnt"). */
int lease_open(const struct store *s, const char *what, struct lease **out, struct err *e);

/* A blob, alone or, when it is a manifest or an index, with all that it names. */
int lease_add(struct lease *l, const struct digest *d, struct err *e);

/* Removes the file.  The lock is inherited over fork: only the process that serves may close. */
void lease_close(struct lease *l);
SCOPE_DEFINE(lease, struct lease *, lease_close)

/* Calls `each` for every digest of every lease that is alive; removes dead ones.  For gc, which
 * holds gc.lock. */
int lease_visit(const struct store *s,
		int (*each)(void *ctx, const struct digest *d, struct err *e), void *ctx,
		struct err *e);

#endif
