/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a path lies outside of a store: the results of commands must, because a file that takes
 * the place of one of the store's own loses images.
 *
 * A guard against mistakes, and none against who changes directories meanwhile.
 */
#ifndef STORE_OUTSIDE_H
#define STORE_OUTSIDE_H

#include "base/err.h"
#include "store/store.h"

/*
 * `path` need not be there.  ERR_USAGE when it, what it leads to, or a directory above either is
 * one of the store's: told by device and inode, so links, mounts and other spellings count as what
 * they lead to.  A path whose directory is not there passes: whoever writes it says so.
 */
int outside_check(const struct store *s, const char *path, struct err *e);

#endif
