/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "fs/edit_private.h"

enum { DIR_BUFFER_MAX = 1024 * 1024 };

/* A reply to readdir or readdirplus that is being filled. */
struct dir_reply {
	fuse_req_t req;
	struct session *session;
	char *buf;
	size_t size, used;
	bool is_plus;
};

/* 1 added, 0 no room, -1. */
static int add_dirent(struct dir_reply *r, const struct session_dirent *de, struct err *e)
{
	const bool is_child = strcmp(de->name, ".") != 0 && strcmp(de->name, "..") != 0;
	struct fuse_entry_param entry = {
		.attr = {.st_ino = edit_number(r->req, de->ino), .st_mode = de->type},
	};
	char *at = r->buf + r->used;
	const size_t room = r->size - r->used;
	size_t n;

	if (!r->is_plus) {
		n = fuse_add_direntry(r->req, at, room, de->name, &entry.attr, (off_t)de->next);
	} else {
		/* "." and ".." take no reference in the kernel: it ignores their nodeid. */
		n = fuse_add_direntry_plus(r->req, NULL, 0, de->name, &entry, (off_t)de->next);
		if (n > room)
			return 0;
		if (is_child && edit_entry(r->req, de->ino, &entry, e) < 0)
			return -1;
		fuse_add_direntry_plus(r->req, at, room, de->name, &entry, (off_t)de->next);
	}
	if (n > room)
		return 0;
	r->used += n;
	return 1;
}

/* 1: all are in; 0: no room for more. */
static int fill_dir(struct dir_reply *r, fuse_ino_t dir, uint64_t at, struct err *e)
{
	struct session_dirent de;

	for (;;) {
		const int found = session_readdir(r->session, dir, at, &de, e);
		if (found <= 0)
			return found < 0 ? -1 : 1;
		const int added = add_dirent(r, &de, e);
		/* Gone since it was listed. */
		if (added < 0 && e->code == ERR_NOT_FOUND)
			err_clear(e);
		else if (added <= 0)
			return added;
		at = de.next;
	}
}

void edit_reply_dir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, bool is_plus)
{
	struct err e = ERR_INIT;

	if (size > DIR_BUFFER_MAX)
		size = DIR_BUFFER_MAX;
	SCOPE_FREE char *buf = array_new(1, size ? size : 1, &e);
	struct dir_reply r = {req, edit_session(req), buf, size, 0, is_plus};
	const int filled = buf ? fill_dir(&r, ino, (uint64_t)offset, &e) : -1;
	/* What was told already has its references: an error waits for the next request. */
	if (filled < 0 && r.used == 0)
		edit_reply_err(req, "readdir", ino,
			       &e); /* NOLINT(clang-analyzer-unix.Malloc): freed */
	else if (filled == 0 && r.used == 0)
		fuse_reply_err(req, EINVAL); /* an empty answer would say that the directory ends */
	else
		fuse_reply_buf(req, buf, r.used);
	err_clear(&e);
}
