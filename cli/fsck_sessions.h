/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of fsck that looks into edit sessions, which the store's own check cannot.
 */
#ifndef CLI_FSCK_SESSIONS_H
#define CLI_FSCK_SESSIONS_H

#include "cli/command.h"
#include "store/fsck.h"

/*
 * Checks the database and the data files of every session that nobody uses, and whose image is
 * there: the store's check tells of the others.  A session is opened as its next user would open
 * it.  Findings go to `opt->found` and are counted in `r`.  Nothing to do in a store that cannot be
 * written.
 */
int fsck_sessions_run(const struct invocation *in, const struct store *s,
		      const struct fsck_options *opt, struct fsck_report *r, struct err *e);

#endif
