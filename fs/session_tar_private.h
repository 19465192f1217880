/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What session_tar.c and session_salvage.c share.  Private to them.
 */
#ifndef FS_SESSION_TAR_PRIVATE_H
#define FS_SESSION_TAR_PRIVATE_H

#include "base/u64map.h"
#include "fs/changes.h"
#include "fs/session_entry.h"
#include "fs/session_tar.h"

struct session_tar {
	struct session *session;
	struct tar_archive *to;
	struct progress *progress;
	struct session_tar_result *out;
	struct session_entry room;
	struct u64map lost; /* files that were left out; of no meaning: the values */
	uint8_t *buffer;
};

int session_tar_init(struct session_tar *t, struct session *s, struct tar_archive *to,
		     struct progress *progress, struct session_tar_result *out, struct err *e);
void session_tar_fini(struct session_tar *t);

/* changes_walk: each; the member of a name, or why there is none in the log. */
int session_tar_put(void *ctx, const struct change *c, struct err *e);
void session_tar_leave_out(struct session_tar *t, const struct change *c, const char *why);

#endif
