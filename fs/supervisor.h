/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that mounts, holds /dev/fuse and keeps a worker (fs/worker.h) for as long as the
 * mount lives.  It has one thread, opens nothing of what is served, and never asks the mount.
 */
#ifndef FS_SUPERVISOR_H
#define FS_SUPERVISOR_H

#include "fs/mount.h"

/* Signals that ask a mount to end. */
enum { SUPERVISOR_END_SIGNALS = 3 };
extern const int supervisor_end_signals[SUPERVISOR_END_SIGNALS];

/*
 * As mount_run, of which it is the serving side.  `mountpoint` is absolute.  `caller`: a socket
 * (fs/message.h) that is told when the mount answers, or why it does not, and closed; -1 in the
 * foreground.  What the caller was told is not returned as an error once more.  Workers exit in it,
 * and do not return.
 */
int supervisor_run(const struct mount_options *opt, const struct mount_service *service,
		   const char *mountpoint, int caller, struct err *e);

/* Standard streams become /dev/null, messages go to syslog(3), the directory is "/". */
void supervisor_leave_terminal(void);

#endif
