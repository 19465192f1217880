/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a session is on the disk.  Private to fs/session*.c; all under the session's lock.
 */
#ifndef FS_SESSION_SYNC_H
#define FS_SESSION_SYNC_H

#include "fs/session_private.h"

/* Seconds, of a clock that nobody sets. */
time_t session_clock(void);
/* Its row is younger than what is on the disk. */
void session_note_unsynced(struct session *s, uint64_t ino);
/* After a request: a log that is too long for the room that there is goes into the database. */
void session_look_at_log(struct session *s);
/* By the room on the disk. */
void session_limit_batch(struct session *s);
/* All is on the disk. */
int session_sync_locked(struct session *s, struct err *e);
/* The same, and in the database. */
int session_fold(struct session *s, struct err *e);

/* The row's data file, when it has one, is not needed any more, or only up to
 * the row's size. */
int session_doom_file(struct session *s, const struct session_inode *in, bool is_shorter,
		      struct err *e);

#endif
