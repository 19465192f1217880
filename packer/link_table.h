/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files of the host were met before: (device, inode) to the first path.
 */
#ifndef PACKER_LINK_TABLE_H
#define PACKER_LINK_TABLE_H

#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"

struct link_table;

struct link_table *link_table_new(struct err *e);
void link_table_free(struct link_table *t);

/* By the device and inode of `st`. 0: new, and `path` is kept as its first name; 1: met before,
 * under `*first` (borrowed); -1: ERR_NOMEM. */
int link_table_note(struct link_table *t, const struct stat *st, const char *path, size_t len,
		    const char **first, size_t *first_len, struct err *e);

#endif
