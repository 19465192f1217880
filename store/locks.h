/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The locks of a store: flock(2) on files that hold nothing else.
 *
 * Private to store/.  Order: LOCKS_GC, then LOCKS_INDEX.  Each call opens the file anew, so that a
 * lock excludes other threads of this process, too; closing the fd gives the lock back.
 */
#ifndef STORE_LOCKS_H
#define STORE_LOCKS_H

#include "base/err.h"
#include "store/store.h"

#define LOCKS_GC    "gc.lock"
#define LOCKS_INDEX "lock"

enum locks_mode { LOCKS_SHARED, LOCKS_EXCLUSIVE };

/* ERR_SYS (EROFS, EACCES) or ERR_UNSUPPORTED, saying why the store cannot be written. */
int locks_need_writable(const struct store *s, struct err *e);

/* An fd of the lock file without the lock. */
int locks_open(const struct store *s, const char *name, struct err *e);

/* Wait for the lock, as long as it takes. */
int locks_wait(int fd, enum locks_mode mode, struct err *e);
int locks_take(const struct store *s, const char *name, enum locks_mode mode, struct err *e);

#endif
