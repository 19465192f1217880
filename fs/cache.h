/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame cache: decoded frames of a mounted image, within a budget of bytes.
 *
 * A frame that several threads want at once is decoded once; the others wait for it.  Frames in use
 * are never evicted; the budget may be passed for that long.  Nothing here grows with the number of
 * files.
 *
 * Threads: any; one mutex, never held while a frame is read or decoded.
 */
#ifndef FS_CACHE_H
#define FS_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"

struct cache;
struct cache_frame; /* a decoded frame, pinned */

/* Fills `out` (`length` bytes) with the frame; called without locks. */
typedef int cache_load_fn(void *ctx, uint32_t layer, uint32_t number, void *out, size_t length,
			  struct err *e);

/* `budget`: bytes of decoded content to keep. */
struct cache *cache_new(uint64_t budget, cache_load_fn *load, void *ctx, struct err *e);
void cache_free(struct cache *c);
SCOPE_DEFINE(cache, struct cache *, cache_free)

/* Pins a frame, loading it when it is not there.  NULL with the error of `load`; failures are not
 * cached. */
struct cache_frame *cache_get(struct cache *c, uint32_t layer, uint32_t number, size_t length,
			      struct err *e);
const uint8_t *cache_frame_bytes(const struct cache_frame *f);
void cache_put(struct cache *c, struct cache_frame *f);

struct cache_stats {
	uint64_t hits, misses, evictions;
	uint64_t bytes; /* held now */
};
struct cache_stats cache_stats(struct cache *c);

#endif
