/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two halves of session_check share.  Private to fs/session_check*.c.
 */
#ifndef FS_SESSION_CHECK_PRIVATE_H
#define FS_SESSION_CHECK_PRIVATE_H

#include "fs/session_check.h"
#include "fs/session_private.h"

struct session_check {
	struct session *s;
	uint64_t next; /* numbers below were given out */
	struct session_check_stats stats;
	/* Of the names pass.  Numbers of names, by inode; of directories, by the one they are in.
	 */
	struct u64map added, added_dirs;   /* that rows give it */
	struct u64map hidden, hidden_dirs; /* of the base, that are gone */
	struct u64map homes;               /* directory that a row names: where that is */
	struct u64map walked;              /* directory that was met on a way up: on which */
};

/* fs/session_check_names.c: every name, then what `in`, an inode with a row, makes of them, then
 * those without one. */
int session_check_names(struct session_check *c, struct err *e);
int session_check_links(struct session_check *c, const struct session_inode *in, struct err *e);
int session_check_rest(struct session_check *c, struct err *e);

#endif
