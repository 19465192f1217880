/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks an edit session for a change: a request of the kernel.
 */
#ifndef FS_SESSION_CALLER_H
#define FS_SESSION_CALLER_H

#include <stdbool.h>
#include <stdint.h>

struct session_caller {
	uint32_t uid, gid;
	uint64_t unique; /* of the request, kept with its effect; 0: none */
	unsigned slot;   /* of the thread that serves it: one request is kept for each */
	/* Whether the caller is in this group, too; called under the session's lock.  NULL: `gid`
	 * is his only one. */
	bool (*has_group)(void *ctx, uint32_t gid);
	void *ctx; /* for has_group; borrowed until the change has returned */
};

#endif
