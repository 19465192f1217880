/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies files and trees of the host into a mounted image, with fs/copy.h.
 */
#ifndef FS_COPY_IN_H
#define FS_COPY_IN_H

#include "base/err.h"
#include "fs/copy.h"

/*
 * As docker cp: `path` in the image whose root `root` is, where links lead as they do in it, is an
 * existing directory (what `source` names goes into it; its content when `source` ends in "/."), or
 * a name that is not there, or a file to replace.  The source is no directory of that mount: there
 * is no end to one that is copied into itself.  ERR_NOT_FOUND for the source, or for no directory
 * to hold the copy; as copy_tree and copy_dest_open_in.
 */
int copy_in(const char *source, int root, const char *path, const struct copy_options *opt,
	    struct err *e);

#endif
