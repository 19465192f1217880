/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files with several names: a file, by its identity, to the name that it was first met under.  For
 * walks that make the further names into hardlinks.
 */
#ifndef BASE_LINK_TABLE_H
#define BASE_LINK_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"

/* A device and inode number of the host, or 0 and an inode number of an image. */
struct file_id {
	uint64_t dev;
	uint64_t ino;
};

struct link_name {
	struct file_id id;
	struct file_id copy; /* what the walk made of it; the caller's */
	char *path;          /* with a NUL behind it */
	size_t path_len;
};

struct link_table {
	struct link_name *slots; /* owned, and their paths; without a path: free */
	size_t size;             /* a power of two, or 0 */
	size_t count;
};

#define LINK_TABLE_INIT    \
	{                  \
		NULL, 0, 0 \
	}

/* NULL when the file was not met.  Borrowed until the next change, its path as long as the
 * table. */
const struct link_name *link_table_get(const struct link_table *t, struct file_id id);

/* A file that is not there yet; the path is copied.  ERR_NOMEM: the table has what it had. */
int link_table_add(struct link_table *t, struct file_id id, struct file_id copy, const char *path,
		   size_t path_len, struct err *e);
void link_table_fini(struct link_table *t);
SCOPE_DEFINE_VALUE(link_table, struct link_table, link_table_fini)

#endif
