/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the rows of an edit session fit together, and the data files that they name are there.
 *
 * session_db_check says that the database is one; this, that it is one which shale wrote: the rules
 * of docs/shale-session.5.scd.  Work and memory grow with what was changed, not with the image.
 * Content is not looked at: a session has no digests, and a data file may be shorter than the file,
 * since what it does not reach is zeros.
 */
#ifndef FS_SESSION_CHECK_H
#define FS_SESSION_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "fs/session.h"

struct session_check_stats {
	uint64_t inodes; /* that have a row */
	uint64_t names;  /* rows */
	uint64_t files;  /* of data, that rows name */
};

/* Whether the session in the folder `dirfd` was ever opened: before that there is nothing in it. */
bool session_was_used(int dirfd);

/*
 * `s`: open in any way; its mutex is held meanwhile.  ERR_FORMAT with what is wrong and where; the
 * errors of view.h for the base.  `out` (the counts so far, also on failure) may be NULL.
 */
int session_check(struct session *s, struct session_check_stats *out, struct err *e);

#endif
