/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which hardlinked inodes of an image were copied to the host already, and what they are there.
 */
#ifndef FS_COPIED_LINKS_H
#define FS_COPIED_LINKS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct copied_link {
	uint32_t inode;
	dev_t dev; /* of the copy */
	ino_t ino;
	char *path; /* of the copy, owned; NULL: no entry */
};

struct copied_links {
	struct copied_link *slots;
	size_t size; /* a power of two, or 0 */
	size_t count;
};

/* NULL when the inode was not copied. */
const struct copied_link *copied_links_get(const struct copied_links *t, uint32_t inode);

/* An inode that is not there yet; `path` is copied.  ERR_NOMEM. */
int copied_links_add(struct copied_links *t, uint32_t inode, dev_t dev, ino_t ino, const char *path,
		     struct err *e);
void copied_links_fini(struct copied_links *t);

#endif
