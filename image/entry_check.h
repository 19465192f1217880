/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds for every entry, whoever made it: checked where entries become bytes (tar_write, the
 * layer index) and where a layer index becomes entries.
 *
 * Private to image/.
 */
#ifndef IMAGE_ENTRY_CHECK_H
#define IMAGE_ENTRY_CHECK_H

#include "base/err.h"
#include "image/entry.h"

/* Far beyond all that anybody calls a date; sums of two such times do not overflow. */
#define ENTRY_TIME_MAX (INT64_C(1) << 62)

enum { ENTRY_MODE_MAX = 07777, ENTRY_NSEC_MAX = 999999999 };

/*
 * Canonical paths; a target for links alone and content for regular files alone; mode, ids, times
 * and size that the kernel can show; xattrs.  Says nothing of payload and extents.  ERR_FORMAT,
 * ERR_LIMIT; the message names the entry.
 */
int entry_check(const struct entry *en, struct err *e);

/* Names that are not empty, hold no NUL and are sorted; sizes.  ERR_FORMAT, ERR_LIMIT. */
int entry_check_xattrs(const struct xattr *items, size_t count, struct err *e);

/* The order of xattrs, as strcmp. */
int entry_compare_xattrs(const struct xattr *a, const struct xattr *b);

#endif
