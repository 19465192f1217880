/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a read-only mount serves: a view of an image, opened anew by each worker.
 *
 * nodeid = catalog inode + 1: no table of inodes, FORGET means nothing, and a successor serves what
 * the kernel knows from its predecessor.  The image never changes: entries and attributes are valid
 * for a day, names that are not there are cached, files and directories are not opened at all
 * (ENOSYS), warm reads cost no request.
 */
#ifndef FS_READONLY_H
#define FS_READONLY_H

#include "fs/mount.h"
#include "fs/view.h"

struct readonly {
	const struct store *store;
	const struct image *image;
	const char *what; /* the user of the leases, "mount /mnt" */
	/* Opens the view, in the worker. */
	struct view *(*open_view)(void *ctx, struct err *e);
	void *ctx;
};

/* `r` is borrowed by the service. */
struct mount_service readonly_service(struct readonly *r);

#endif
