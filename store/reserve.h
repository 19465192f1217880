/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room for one more index.json, kept in the file shale/reserve: so that names can be removed from a
 * store whose file system is full, and gc has something to collect.
 *
 * Private to store/.  The caller holds the lock of index.json.
 */
#ifndef STORE_RESERVE_H
#define STORE_RESERVE_H

#include <stdbool.h>

#include "store/store.h"

/* Sets room aside for an index.json like the one that is there; none where there is none. */
void reserve_fill(const struct store *s);

/* Gives the room back to the file system; false when there was none. */
bool reserve_release(const struct store *s);

#endif
