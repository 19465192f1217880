/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a command reads an edit session that is mounted: it asks the mount's worker, which freezes
 * what there is (fs/session_freeze.h) for as long as the command holds the line.
 *
 * The line is a socket in the session's folder, which only the session's owner can reach.  One
 * command reads at a time; others wait for it.
 */
#ifndef FS_EDIT_CONTROL_H
#define FS_EDIT_CONTROL_H

#include "base/err.h"
#include "base/scope.h"
#include "fs/session.h"
#include "store/sessions.h"

struct edit_control;

/* In the worker: a thread that answers, until edit_control_stop.  `dirfd`, the session's folder,
 * and `c` are borrowed. */
struct edit_context;
struct edit_control *edit_control_start(struct edit_context *c, int dirfd, struct err *e);
void edit_control_stop(struct edit_control *c);

/* A session that is frozen for us. */
struct edit_frozen {
	int socket;
	int dirfd; /* of the copy: for session_open with SESSION_READ */
};
#define EDIT_FROZEN_INIT \
	{                \
		-1, -1   \
	}

/*
 * Pages that programs have written through a mapping, and that the kernel still has, reach the
 * session first.  Says so when it has to wait for another command.  ERR_NOT_FOUND: no worker
 * answers for the session; ERR_BUSY: it died meanwhile, or its mount cannot be reached from here.
 */
int edit_freeze(const struct session_folder *folder, struct edit_frozen *out, struct err *e);
/* After all was read: whether it was frozen all the time.  ERR_BUSY: the worker died meanwhile, and
 * what was read may be of two moments. */
int edit_frozen_check(const struct edit_frozen *f, struct err *e);
void edit_thaw(struct edit_frozen *f);
SCOPE_DEFINE_VALUE(edit_frozen, struct edit_frozen, edit_thaw)

#endif
