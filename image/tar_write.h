/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tar headers as shale writes them: ustar, with a PAX extended header only where ustar cannot say
 * it (long names, sizes and ids over their fields, nanoseconds, times before 1970, xattrs).
 *
 * The bytes are a promise: the same entry gives the same bytes on any machine, for ever.  Names of
 * users and groups are left out; checksums, padding and the order of PAX records are fixed.
 *
 * Source: POSIX.1-2017 pax, "ustar Interchange Format", "pax Extended Header"; SCHILY.xattr.* as
 * GNU tar, Go and libarchive write xattrs.
 */
#ifndef IMAGE_TAR_WRITE_H
#define IMAGE_TAR_WRITE_H

#include "base/err.h"
#include "base/str.h"
#include "image/entry.h"

enum { TAR_BLOCK = 512, TAR_END_SIZE = 2 * TAR_BLOCK /* zeros at the end of an archive */ };

/* Appends all header blocks of a member.  The payload (`en->size` bytes, holes as zeros) and
 * tar_padding(en->size) zeros follow.  ERR_FORMAT for what tar cannot hold, ERR_NOMEM. */
int tar_header_append(struct str *out, const struct entry *en, struct err *e);

static inline size_t tar_padding(uint64_t size)
{
	return (size_t)(-size & (TAR_BLOCK - 1));
}

#endif
