/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of a session's batch that are not in its database yet.  Private, as fs/session_db_private.h;
 * errors: ERR_NOMEM.
 */
#ifndef FS_SESSION_HELD_H
#define FS_SESSION_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/u64map.h"
#include "fs/session_rows.h"

struct session_held_reply {
	unsigned slot;
	struct session_reply reply;
};
struct session_held {
	struct session_inode *inodes; /* ino 0: it was removed */
	size_t inode_count, inode_cap;
	struct u64map places; /* in `inodes`, by number */
	struct session_held_reply *replies;
	size_t reply_count, reply_cap;
};

/* Borrowed until the next that is put or dropped.  NULL: it is not held, and may be in the
 * database. */
const struct session_inode *session_held_inode(const struct session_db *db, uint64_t ino);
int session_held_put_inode(struct session_db *db, const struct session_inode *in, struct err *e);
void session_held_remove_inode(struct session_db *db, uint64_t ino);
const struct session_reply *session_held_reply(const struct session_db *db, uint64_t unique);
bool session_held_has_slot(const struct session_db *db, unsigned slot);
int session_held_put_reply(struct session_db *db, unsigned slot, const struct session_reply *r,
			   struct err *e);
/* They are in the database then, in the transaction of the batch. */
int session_held_write(struct session_db *db, struct err *e);
/* What is held is lost. */
void session_held_drop(struct session_db *db);
void session_held_drop_replies(struct session_db *db);
void session_held_fini(struct session_db *db);

#endif
