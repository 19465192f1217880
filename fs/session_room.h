/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room for an edit session on a disk that is full.
 *
 * What was removed keeps its blocks until the next sync, and the log its pages until they are in
 * the database: who meets a full disk has both done at once, and tries again.  Removing something
 * takes room itself, for the row that says so; for that the session keeps a reserve.
 */
#ifndef FS_SESSION_ROOM_H
#define FS_SESSION_ROOM_H

#include "fs/session.h"

/*
 * After a failure: whether there is more room now than before, and `e` is cleared; `tries` counts
 * from 0.  `makes_room`: the operation gives room back, and may use the reserve.
 */
bool session_gain_room(struct session *s, bool makes_room, unsigned tries, struct err *e);

/* False with ERR_SYS (ENOSPC) after the reserve was used, until there is room for one again. */
bool session_has_room(struct session *s, struct err *e);

/* The value of `call` (an int, -1 on failure), tried again as long as room is gained. */
#define SESSION_RETRY(s, e, makes_room, call)                                                      \
	({                                                                                         \
		unsigned session_tries_ = 0;                                                       \
		int session_retry_;                                                                \
		do                                                                                 \
			session_retry_ = (makes_room) || session_has_room((s), (e)) ? (call) : -1; \
		while (session_retry_ < 0 &&                                                       \
		       session_gain_room((s), (makes_room), session_tries_++, (e)));               \
		session_retry_;                                                                    \
	})

#endif
