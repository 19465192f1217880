/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How SQLite writes the log of an edit session: a transaction at a time.
 *
 * SQLite writes each page of the log with two system calls, of which a batch has hundreds.
 * This VFS keeps them until the frame that commits, and writes them with one.  Everything else it
 * hands on.  A process that is killed before has committed nothing, as without it.
 */
#ifndef FS_SESSION_VFS_H
#define FS_SESSION_VFS_H

#include "base/err.h"

/* Makes it known to SQLite, once a process: its name, or NULL with ERR_NOMEM. */
const char *session_vfs(struct err *e);

#endif
