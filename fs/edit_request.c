/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of an edit mount: who asks, whether it was done before, and errors.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "fs/channel.h"
#include "fs/edit_private.h"

enum {
	GROUPS_KNOWN = 1024, /* of a caller; who has more loses a setgid bit for those behind */
};

/* Most are answers, and what the host's disk says of itself is meant for the client, too (fs/
 * session_files.c leaves nothing else of the host's). */
int edit_errno(const struct err *e)
{
	switch (e->code) {
	case ERR_NOMEM:
		return ENOMEM;
	case ERR_NOT_FOUND:
		return ESTALE;
	case ERR_UNSUPPORTED: /* of a catalog: a name in a file */
		return ENOTDIR;
	case ERR_SYS:
		return e->sys == ENOSYS ? EIO : e->sys;
	case ERR_NONE:
	case ERR_USAGE:
	case ERR_SYNTAX:
	case ERR_FORMAT:
	case ERR_LIMIT:
	case ERR_DIGEST:
	case ERR_UNTRUSTED:
	case ERR_NET:
	case ERR_EXISTS:
	case ERR_BUSY:
		break;
	}
	return EIO;
}

struct session *edit_session(fuse_req_t req)
{
	const struct edit_context *c = fuse_req_userdata(req);

	return c->session;
}

void edit_reply_err(fuse_req_t req, const char *what, fuse_ino_t ino, struct err *e)
{
	static _Atomic time_t last;
	const time_t now = time(NULL);
	const int error = edit_errno(e);

	if ((error == EIO || error == ENOSPC || error == ENOMEM) &&
	    atomic_exchange(&last, now) != now)
		log_error("%s of inode %llu: %s", what, (unsigned long long)ino, e->msg);
	fuse_reply_err(req, error);
	err_clear(e);
}

void edit_reply_done(fuse_req_t req, int r, const char *what, fuse_ino_t ino, struct err *e)
{
	if (r < 0)
		edit_reply_err(req, what, ino, e);
	else
		fuse_reply_err(req, 0);
}

/* A number for each thread: it serves one request at a time. */
static unsigned thread_number(void)
{
	static _Thread_local unsigned number;
	static _Atomic unsigned last;

	if (number == 0)
		number = atomic_fetch_add(&last, 1) + 1;
	return number;
}

/* session_caller.has_group.  The kernel tells one group of a caller; the others /proc knows, unless
 * he is in a PID namespace that is not below ours: then he is taken for no member. */
static bool has_group(void *ctx, uint32_t gid)
{
	gid_t groups[GROUPS_KNOWN];
	const int count = fuse_req_getgroups(ctx, GROUPS_KNOWN, groups);

	for (int i = 0; i < count && i < GROUPS_KNOWN; i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}

struct session_caller edit_caller(fuse_req_t req)
{
	const struct edit_context *c = fuse_req_userdata(req);
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	return (struct session_caller){
		.uid = ctx->uid,
		.gid = ctx->gid,
		.unique = channel_unique(),
		.slot = c->first_slot + thread_number(),
		.has_group = has_group,
		.ctx = req,
	};
}

int edit_find_done(fuse_req_t req, uint64_t *ino, struct err *e)
{
	uint64_t found = 0;

	if (!channel_is_resent())
		return 0;
	const int r = session_replay(edit_session(req), channel_unique(), &found, e);
	if (r > 0 && ino)
		*ino = found;
	return r;
}

uint32_t edit_request_u32(size_t at)
{
	uint32_t value = 0;
	size_t len;
	const uint8_t *request = channel_request(&len);

	if (at + sizeof(value) <= len)
		memcpy(&value, request + at, sizeof(value));
	return value;
}
