/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is made on its way out of the store, and gets no name in it: pieces, one after the other in
 * a file without a name.  It is the store's, where there is room for images; when that has none
 * left, or cannot be written, pieces go to $TMPDIR (/var/tmp).  Never to memory: they may be as
 * large as an image.
 *
 * Calls: spool_new -> (spool_begin -> spool_try_next?)* -> spool_free.   Threads: one.
 */
#ifndef STORE_SPOOL_H
#define STORE_SPOOL_H

#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "store/store.h"

struct spool;

/* Borrows `s`; no file is made yet.  ERR_NOMEM. */
struct spool *spool_new(const struct store *s, struct err *e);

/*
 * Where the next piece begins: it is written to `out_fd` (borrowed, good until spool_free) from its
 * current offset on, which is `out_offset`.  ERR_SYS: what spool_try_next is told.
 */
int spool_begin(struct spool *sp, int *out_fd, uint64_t *out_offset, struct err *e);

/*
 * After a failure, `e`, to begin a piece or to write it: 0 when there was no room and there is
 * another place to begin it in; the error is cleared, and what was written of it taken away.  Else
 * -1; the error stays, and tells where there was no room.
 */
int spool_try_next(struct spool *sp, struct err *e);

void spool_free(struct spool *sp);
SCOPE_DEFINE(spool, struct spool *, spool_free)

#endif
