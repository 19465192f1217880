/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/copy_in.h"

#include <sys/stat.h>

#include "fs/copy_dest.h"
#include "fs/copy_host.h"

int copy_in(const char *source, int root, const char *path, const struct copy_options *opt,
	    struct err *e)
{
	SCOPE(copy_host) struct copy_host from = COPY_HOST_INIT;
	SCOPE(copy_dest) struct copy_dest to = COPY_DEST_INIT;
	const struct copy_options in_image = {
		.is_archive = opt->is_archive,
		.is_for_image = true,
		.progress = opt->progress,
	};
	const struct stat *st = &from.source.st;

	if (copy_host_open(&from, source, e) < 0 ||
	    copy_dest_open_in(&to, root, path, st->st_mode & S_IFMT, e) < 0)
		return -1;
	progress_begin(opt->progress, "copying", S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0);
	const char *name = from.is_content ? NULL : from.own_name;
	return copy_tree(&from.source, to.fd, to.kind == COPY_DEST_NAME ? to.name : name, &in_image,
			 e);
}
