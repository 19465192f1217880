/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the store that are like one that is not there.  Private to store/.
 */
#ifndef STORE_NEAR_H
#define STORE_NEAR_H

#include "base/err.h"
#include "base/str.h"
#include "image/manifest.h"

/* Appends "; did you mean 'a' or 'b'?" when there are any: other tags of the name, then names that
 * differ in few letters. */
int near_append(const struct image_index *ix, const char *key, struct str *out, struct err *e);

/* Bytes of "name" in "name:tag". */
size_t near_name_len(const char *key);

#endif
