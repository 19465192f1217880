/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between libfuse and /dev/fuse, so that one process can go on where another has died.
 *
 * The kernel says INIT once in the life of a mount.  Whoever mounted reads it, and gives a copy to
 * each process that serves: the first one answers it, a successor only learns from it, and then
 * asks the kernel to send again what its predecessor had taken and not answered (RESEND).  Such a
 * request may have taken effect already: its number has bit 63 set, and the answer must have it,
 * too.
 *
 * Source: include/uapi/linux/fuse.h of Linux 6.9, protocol 7.40.
 * Calls: channel_read_init, then in each process channel_open -> channel_start -> libfuse's loop.
 * Threads: all before the loop from one; channel_unique and its siblings tell each thread of the
 * request that it read last, which is the one that libfuse has it answer.  A process serves one
 * channel.
 */
#ifndef FS_CHANNEL_H
#define FS_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct fuse_session;

enum {
	CHANNEL_INIT_MAX = 256, /* bytes of INIT, of which Linux 6.18 sends 104 */
	CHANNEL_REQUEST_MAX = 128,
};

/* Flags of INIT as one number: `flags` below, `flags2` from bit 32 on. */
#define CHANNEL_HANDLE_KILLPRIV_V2 (UINT64_C(1) << 28)
#define CHANNEL_HAS_RESEND         (UINT64_C(1) << 39)

/* The kernel's first request. */
struct channel_init {
	uint32_t len;
	_Alignas(8) uint8_t bytes[CHANNEL_INIT_MAX];
};

/* Reads it from the device of a new mount.  ERR_SYS (ENODEV when it was unmounted meanwhile);
 * ERR_UNSUPPORTED for another protocol. */
int channel_read_init(int device, struct channel_init *out, struct err *e);

/* What the kernel can do: flags as above. */
uint64_t channel_offered(const struct channel_init *init);

struct channel_options {
	const struct channel_init *init;
	bool is_takeover; /* another process has answered INIT */
	bool is_writable; /* requests may carry data */
	uint64_t flags;   /* asked of the kernel where it offers them, besides libfuse's */
	/* Called once, by any thread, after the first answer to a request that is not INIT; may be
	 * NULL. */
	void (*answered)(void *ctx);
	void *ctx;
};

/* Ties `session` to `device`, which the session owns on success.  What `opt` points to is borrowed
 * until the session is gone. */
int channel_open(struct fuse_session *session, int device, const struct channel_options *opt,
		 struct err *e);

/* Has libfuse take INIT; a successor then asks for what was left unanswered. */
int channel_start(struct fuse_session *session, struct err *e);

/* The number of this thread's request, without bit 63: the same when it is sent again. */
uint64_t channel_unique(void);
bool channel_is_resent(void);

/* Its first bytes, at most CHANNEL_REQUEST_MAX, as the kernel wrote them: struct fuse_in_header and
 * the operation's own. */
const void *channel_request(size_t *len);

#endif
