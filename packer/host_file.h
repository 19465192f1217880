/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the host as the content of layers: metadata, and bytes that may not change meanwhile.
 */
#ifndef PACKER_HOST_FILE_H
#define PACKER_HOST_FILE_H

#include <sys/stat.h>

#include "base/err.h"
#include "base/progress.h"
#include "image/entry.h"
#include "image/layer_write.h"

/* Fills everything of `out` but paths and xattrs; ERR_UNSUPPORTED for a socket. */
int host_file_entry(const struct stat *st, struct entry *out, struct err *e);

/*
 * Opens a regular file that was looked at before: no link followed, no FIFO waited for; ERR_SYS
 * when it is another file by now.
 */
int host_file_open(int dirfd, const char *name, const struct stat *seen, struct err *e);

/* Adds an entry whose content is `fd`; a file that shrinks or grows meanwhile is an error. */
int host_file_add(struct layer_writer *w, const struct entry *en, int fd, struct err *e);

#endif
