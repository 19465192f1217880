/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An edit session as it is at one moment, for others to read while it goes on.
 */
#ifndef FS_SESSION_FREEZE_H
#define FS_SESSION_FREEZE_H

#include "fs/session.h"

/* Rows are copied into the folder `dirfd` (which SESSION_READ opens), and the data files that there
 * are stay as they are until session_thaw: who writes one gets a copy.  ERR_BUSY: it is frozen. */
int session_freeze(struct session *s, int dirfd, struct err *e);
void session_thaw(struct session *s);

#endif
