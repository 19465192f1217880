/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which boot of the machine an edit session was used under.  Private to fs/session.c.
 */
#ifndef FS_SESSION_BOOT_H
#define FS_SESSION_BOOT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* Under which boot of the machine the session was last used, and is now. */
struct session_boot {
	struct str id;
	bool is_new;  /* it never was */
	bool is_same; /* what was written then is there, be it synced or not */
};

/* `dirfd`: the session's folder.  The caller ends `b->id`, which is empty on entry. */
int session_boot_read(int dirfd, struct session_boot *b, struct err *e);
/* The session is used under this boot from now on. */
int session_boot_write(int dirfd, const struct session_boot *b, struct err *e);

#endif
