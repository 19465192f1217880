/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /dev/fuse and the mount itself: what root does with mount(2), and others through fusermount3(1).
 *
 * Both give a file descriptor: as long as any process has it open the mount's clients wait for
 * answers, and when the last has closed it they get ENOTCONN.
 */
#ifndef FS_DEVICE_H
#define FS_DEVICE_H

#include "base/err.h"
#include "fs/mount.h"

#define DEVICE_FSTYPE "fuse.shale"

/* `mountpoint` is absolute.  The fd, or -1 with ERR_SYS. */
int device_mount(const struct mount_options *opt, bool is_writable, const char *mountpoint,
		 struct err *e);

/* ERR_BUSY when somebody uses the mount and it is not `is_lazy`. */
int device_unmount(const char *mountpoint, bool is_lazy, struct err *e);

/*
 * Absolute path of a mountpoint without asking the file system that is mounted there, which may be
 * dead: the parent is resolved, the last component is taken as it is.  The caller frees it.
 */
char *device_absolute(const char *mountpoint, struct err *e);

/* Where the link `path`, as device_absolute has it, leads: the same for its target.  NULL without
 * an error when it is no link. */
char *device_follow(const char *path, struct err *e);

/* 1 when a shale mount is there, with its "major:minor"; 0; -1. */
enum { DEVICE_NUMBER_MAX = 24 };
int device_find(const char *mountpoint, char number[static DEVICE_NUMBER_MAX], struct err *e);

/* Opens the root of the shale mount with this source, where the process `pid` (0: this one) sees
 * it: the fd, or -1; ERR_NOT_FOUND when it sees none. */
int device_open_root(const char *source, pid_t pid, struct err *e);

/* As device_find, with its source; the caller frees it. */
int device_source(const char *mountpoint, char **out, struct err *e);

/* Whether the mount of `device` is still there for anybody. */
bool device_is_connected(int device);

/* Whether it is the one on top of its mountpoint: another may lie there after umount(8) took ours
 * away, and is not ours to end. */
bool device_is_on_top(int device, const char *mountpoint, const char *number);

/* Lets the kernel read ahead more than the 128 KiB it offers FUSE; root only, and no loss when it
 * fails. */
void device_set_readahead(const char *number);

#endif
