/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The FUSE requests of an edit mount, answered from an edit session.
 *
 * Of files and directories that are open nobody tells us (ENOSYS to OPEN and OPENDIR): an inode
 * without a name lives until the kernel forgets it.  Every change comes through this mount, so
 * names, attributes and pages are cached for a day, names that are not there, too.
 *
 * A request that is sent again after a worker died is not carried out again when it was: its reply
 * is in the session (session_replay).
 *
 * One place turns a struct err into an errno (edit_errno), after it was logged.
 */
#ifndef FS_EDIT_OPS_H
#define FS_EDIT_OPS_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include "fs/session.h"

struct edit_context {
	struct session *session;
	bool is_writeback;
	_Atomic uint64_t
		written_back;  /* when the kernel wrote a page back last: ms of CLOCK_MONOTONIC */
	unsigned first_slot;   /* of replies: those before belong to workers that died */
	uint64_t first_number; /* what programs see of an inode is its number in the session, and
				  this */
};

/* The userdata of the FUSE session begins with a struct edit_context. */
extern const struct fuse_lowlevel_ops edit_ops;

/* The errno that clients see. */
int edit_errno(const struct err *e);

#endif
