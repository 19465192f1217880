/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refs: the names in index.json (annotation org.opencontainers.image.ref.name).
 *
 * A key is "name:tag" in full (reference_key).  Changes are one read-modify-replace of index.json
 * under the store's lock; entries of other tools are kept as they are.
 */
#ifndef STORE_REFS_H
#define STORE_REFS_H

#include "base/err.h"
#include "base/strlist.h"
#include "image/descriptor.h"
#include "image/manifest.h"
#include "store/store.h"

#define REFS_NAME_KEY "org.opencontainers.image.ref.name"

/* 1 found, 0 not there, -1. */
int refs_get(const struct store *s, const char *key, struct descriptor *out, struct err *e);

/* Adds or moves.  The blobs must be there and leased. */
int refs_set(const struct store *s, const char *key, const struct descriptor *d, struct err *e);

/* The same for several names (reference_key) in one change: all of them, or none. */
int refs_set_all(const struct store *s, const struct strlist *keys, const struct descriptor *d,
		 struct err *e);

/* 1 removed, 0 was not there, -1. */
int refs_remove(const struct store *s, const char *key, struct err *e);

/* All entries, as they are in index.json. */
int refs_list(const struct store *s, struct image_index *out, struct err *e);

/*
 * For changes that depend on what is there (a signature appended to others): `change` gets the
 * parsed index under the lock, and returns 1 to have it written, 0 to leave it, -1.  It may put
 * blobs, and must not call other functions of this module that change refs.
 */
int refs_update(const struct store *s,
		int (*change)(void *ctx, struct image_index *ix, struct err *e), void *ctx,
		struct err *e);

/* The entry of `key` in a parsed index; NULL. */
struct descriptor *refs_find(struct image_index *ix, const char *key);

/* Adds or moves it there; on failure the index is not to be written. */
int refs_put(struct image_index *ix, const char *key, const struct descriptor *d, struct err *e);

#endif
