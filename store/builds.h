/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers that builds made before, by what went into them: shale/builds.
 *
 * Derived data: whoever finds no record, or a damaged file, makes the layer again.  A key says all
 * that the bytes of a layer depend on; who makes keys answers for that.  The file keeps the last
 * LIMIT_BUILDS records; gc drops those whose layer nothing uses any more.
 *
 * Format: shale-store(5).  Its own SHA-256 is its first line, and it must belong to the user as
 * index.json does: what others may have written is not believed.
 */
#ifndef STORE_BUILDS_H
#define STORE_BUILDS_H

#include <stdbool.h>

#include "base/digest.h"
#include "base/err.h"
#include "image/descriptor.h"
#include "store/lease.h"
#include "store/store.h"

/* 1 and the layer, which is in the store, as it was written, and leased; 0 there is none, -1. */
int builds_get(const struct store *s, struct lease *l, const struct digest *key,
	       struct descriptor *layer, struct digest *diff_id, struct err *e);

/* Remembers a layer of the store, in the place of what `key` had; on a full disk it does not. */
int builds_put(const struct store *s, const struct digest *key, const struct descriptor *layer,
	       const struct digest *diff_id, struct err *e);

/* For gc, which has the locks: forgets layers that are not live. */
int builds_sweep(const struct store *s, bool (*is_live)(void *ctx, const struct digest *layer),
		 void *ctx, struct err *e);

#endif
