/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounting a view with FUSE, read-only.
 *
 * nodeid = catalog inode + 1: no table of inodes, FORGET means nothing, and a successor could serve
 * the same kernel mount.  /dev/fuse is opened here (or received from fusermount3) and given to
 * libfuse as a number, so that a supervisor can hold it one day.  The image never changes: entries
 * and attributes are valid for a day, names that are not there are cached, files and directories
 * are not opened at all (ENOSYS), warm reads cost no request.
 */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include <stdbool.h>

#include "base/err.h"
#include "fs/view.h"

struct mount_options {
	const char *mountpoint;
	const char *source; /* what mount(8) shows: "localhost/app:1" */
	bool is_foreground;
	bool allow_other; /* others may look, by the image's owners and modes (default_permissions)
			   */
	bool allow_dev;   /* root only: device nodes work */
	bool allow_suid;  /* root only: setuid bits work */
	bool is_noexec;   /* nothing of it can be run */
	bool allow_nonempty; /* the mountpoint may hold files; they are hidden */
};

/*
 * Mounts and serves until the mount goes away or SIGTERM, SIGINT, SIGHUP.  In the background (not
 * is_foreground): returns in the calling process only after the mount answers, with 0, or with the
 * reason it failed; the server is a session of its own.  `open_view` is called in the process that
 * serves, after the fork. ERR_SYS: no /dev/fuse, no such mountpoint, not allowed; ERR_EXISTS for a
 * mountpoint that is not an empty directory.
 */
int mount_run(const struct mount_options *opt, struct view *(*open_view)(void *ctx, struct err *e),
	      void *ctx, struct err *e);

/* Ends a shale mount (also one whose server died).  `is_lazy`: detaches now, ends when the last
 * user leaves. ERR_BUSY, ERR_NOT_FOUND for what is no shale mount. */
int mount_end(const char *mountpoint, bool is_lazy, struct err *e);

#endif
