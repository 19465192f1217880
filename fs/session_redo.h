/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The redo log of an edit session: what requests changed that were carried out and are not in the
 * database yet, so that a process that is killed loses none of them.  A batch of them becomes one
 * transaction.
 *
 * Format: docs/shale-session.5.scd, "REDO".  Nothing is ever synced: after a power loss the log is
 * removed with all that came after the last mark.
 * Errors: ERR_SYS, and those that are named.  Threads: one at a time.
 */
#ifndef FS_SESSION_REDO_H
#define FS_SESSION_REDO_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define SESSION_REDO_NAME "redo"

enum { SESSION_REDO_HEADER = 16 }; /* bytes that a record begins with */

struct session_redo {
	int fd; /* -1: none */
	/* Bytes of the batch's records: where the next begins. */
	uint64_t size;
};

#define SESSION_REDO_INIT \
	{                 \
		.fd = -1  \
	}

/* `dirfd`: the session's folder (borrowed).  Made when it is not there; `size` is 0.  ERR_FORMAT:
 * it is no regular file. */
int session_redo_open(int dirfd, struct session_redo *out, struct err *e);
void session_redo_fini(struct session_redo *r);

/* The next record of the batch, at `size`, which grows.  Its first SESSION_REDO_HEADER bytes, of
 * any content, are filled in.  When it fails nothing was appended.  ERR_LIMIT: of 4 GiB or more. */
int session_redo_append(struct session_redo *r, uint64_t batch, struct str *record, struct err *e);

/* The record of the batch at `at`, header included, instead of what `out` had: 1; 0: the batch ends
 * there, and `out` has anything; -1, ERR_NOMEM. */
int session_redo_read(const struct session_redo *r, uint64_t batch, uint64_t at, struct str *out,
		      struct err *e);

/* Nobody has it open; nothing when there is none. */
int session_redo_remove(int dirfd, struct err *e);

/* Whether there are records, or may be. */
int session_redo_is_used(int dirfd, struct err *e);

#endif
