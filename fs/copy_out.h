/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies files and trees out of a view to the host.
 *
 * Names from the image are single components, created in directories that this module made or that
 * the user named; below these links are never followed, and existing files are replaced, not
 * written through.  A file appears under its name only when it is whole.  The destination itself is
 * a matter of its own: see copy_dest.h.
 */
#ifndef FS_COPY_OUT_H
#define FS_COPY_OUT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/progress.h"
#include "fs/view.h"

struct copy_out_options {
	/* Owners, devices, times, xattrs, setuid bits, hardlinks as in the image; needs root. Else:
	 * permission bits, times, links; the user's own ids; devices and FIFOs are skipped with a
	 * warning. */
	bool is_archive;
	struct progress *progress;
};

/*
 * As docker cp: `dest` is an existing directory (the source goes into it, by its name; the content
 * of the source when its path ends in "/."), or a name that is not there (a copy under that name),
 * or a file to replace, or something to write into (copy_dest.h).  ERR_NOT_FOUND for the source;
 * ERR_EXISTS for a directory over a file, and what is not replaced.
 */
int copy_out(struct view *v, const char *path, const char *dest, const struct copy_out_options *opt,
	     struct err *e);

#endif
