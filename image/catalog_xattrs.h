/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The xattr sets of a catalog to be: inodes with the same xattrs share one set (on an SELinux host
 * all files of a directory do).  Sets are told apart by SHA-256, so only digests are kept.
 *
 * Private to catalog_write.c.
 */
#ifndef IMAGE_CATALOG_XATTRS_H
#define IMAGE_CATALOG_XATTRS_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"
#include "image/entry.h"

struct catalog_xattr_set {
	uint8_t sha256[DIGEST_SHA256_LEN];
	uint32_t unit;  /* place in the section / CATALOG_XATTR_UNIT */
	uint32_t inode; /* the first that has it */
};

struct catalog_xattrs {
	struct catalog_xattr_set *sets; /* in the order of the section */
	size_t count;
	size_t cap;
	uint32_t *slots; /* hash table of set number + 1 */
	size_t slot_count;
	uint64_t size; /* bytes of the section so far */
	struct str encoded;
};

/* The bytes of the entry's set, padded, into `out` (emptied first).  ERR_NOMEM. */
int catalog_xattrs_encode(const struct entry *en, struct str *out, struct err *e);

/* The place of the entry's set, which `inode` is the first to have when it is new; CATALOG_NONE
 * when it has no xattrs.  ERR_NOMEM, ERR_LIMIT. */
int catalog_xattrs_add(struct catalog_xattrs *x, const struct entry *en, uint32_t inode,
		       uint32_t *unit, struct err *e);
void catalog_xattrs_fini(struct catalog_xattrs *x);

#endif
