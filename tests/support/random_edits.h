/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random changes of an edit session, the same for the same seed, and what a mount does beside them:
 * syncs, folds of the log, a copy for another command.
 */
#ifndef TESTS_SUPPORT_RANDOM_EDITS_H
#define TESTS_SUPPORT_RANDOM_EDITS_H

#include "fs/session.h"

struct random_edits {
	struct session *session; /* borrowed, as dirfd */
	int dirfd;               /* of its folder */
	uint64_t random;
	uint64_t held;   /* an inode that the kernel knows; 0 */
	uint64_t last;   /* a file that has a name; 0 */
	int snapshot;    /* where the session was copied to; -1 */
	unsigned target; /* that symbolic links get */
};

/* What was done. */
struct random_edit {
	const char *name;
	int refused;    /* errno; 0: it was done */
	uint64_t ino;   /* whose content may be another now; 0 */
	bool is_synced; /* all that was done before is on the disk */
};

void random_edits_init(struct random_edits *r, struct session *s, int dirfd, uint64_t seed);

/* Does one.  Returns -1 when it failed and should not. */
int random_edits_step(struct random_edits *r, struct random_edit *out, struct err *e);

/* Writes into every file, and makes one; all is synced. */
int random_edits_all(struct random_edits *r, struct err *e);

#endif
