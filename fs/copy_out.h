/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies files and trees out of a view to the host, with fs/copy.h.
 */
#ifndef FS_COPY_OUT_H
#define FS_COPY_OUT_H

#include "base/err.h"
#include "fs/copy.h"
#include "fs/view.h"

/*
 * As docker cp: `dest` is an existing directory (the source goes into it, by its name; the content
 * of the source when its path ends in "/."), or a name that is not there (a copy under that name),
 * or a file to replace, or something to write into (copy_dest.h).  ERR_NOT_FOUND for the source;
 * ERR_EXISTS for a directory over a file, and what is not replaced.
 */
int copy_out(struct view *v, const char *path, const char *dest, const struct copy_options *opt,
	     struct err *e);

#endif
