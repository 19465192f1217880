/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole tree of a view as a tar archive: what `shale import rootfs:` takes back without a
 * difference, and what GNU tar and bsdtar extract.
 *
 * Owners are numbers, times have their nanoseconds, xattrs are SCHILY.xattr records, and of the
 * names of one inode the later ones are hardlinks to the first.  Holes are written as zeros, as in
 * a layer.  Members come in the order of a layer, the root first as "./".
 */
#ifndef FS_TAR_OUT_H
#define FS_TAR_OUT_H

#include "base/err.h"
#include "base/progress.h"
#include "fs/view.h"
#include "image/tar_archive.h"

/* All members; the caller finishes the archive.  Content counts in the current phase of `progress`
 * (NULL).  ERR_DIGEST for damage, ERR_FORMAT for what tar cannot hold; the message names the
 * file. */
int tar_out(struct view *v, struct tar_archive *to, struct progress *progress, struct err *e);

#endif
