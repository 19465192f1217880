/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows that change with nearly every request, and that are asked for by their key alone: inodes,
 * and replies.  They are in the redo log with the request, and in the database when the batch is
 * committed: an inode that was made, written to, and given its owner, mode and times is one row
 * then.
 */
#include <stdlib.h>

#include "base/array.h"
#include "fs/session_db_private.h"

int session_held_put_inode(struct session_db *db, const struct session_inode *in, struct err *e)
{
	struct session_held *h = &db->held;
	const uint64_t *at = u64map_get(&h->places, in->ino);

	if (at) {
		h->inodes[*at] = *in;
		return 0;
	}
	if (array_reserve(&h->inodes, &h->inode_cap, h->inode_count + 1, sizeof(*h->inodes), e) <
		    0 ||
	    u64map_put(&h->places, in->ino, h->inode_count, e) < 0)
		return -1;
	h->inodes[h->inode_count++] = *in;
	return 0;
}

const struct session_inode *session_held_inode(const struct session_db *db, uint64_t ino)
{
	const uint64_t *at =
		ino && db->held.inode_count > 0 ? u64map_get(&db->held.places, ino) : NULL;

	return at ? &db->held.inodes[*at] : NULL;
}

void session_held_remove_inode(struct session_db *db, uint64_t ino)
{
	struct session_held *h = &db->held;
	const uint64_t *at = h->inode_count > 0 ? u64map_get(&h->places, ino) : NULL;

	if (!at)
		return;
	h->inodes[*at].ino = 0;
	u64map_remove(&h->places, ino);
}

/* Its place, or the number of all. */
static size_t find_slot(const struct session_held *h, unsigned slot)
{
	size_t i = 0;

	while (i < h->reply_count && h->replies[i].slot != slot)
		i++;
	return i;
}

bool session_held_has_slot(const struct session_db *db, unsigned slot)
{
	return find_slot(&db->held, slot) < db->held.reply_count;
}

int session_held_put_reply(struct session_db *db, unsigned slot, const struct session_reply *r,
			   struct err *e)
{
	struct session_held *h = &db->held;
	const size_t i = find_slot(h, slot);

	if (i == h->reply_count) {
		if (array_reserve(&h->replies, &h->reply_cap, i + 1, sizeof(*h->replies), e) < 0)
			return -1;
		h->reply_count++;
	}
	h->replies[i] = (struct session_held_reply){slot, *r};
	return 0;
}

const struct session_reply *session_held_reply(const struct session_db *db, uint64_t unique)
{
	for (size_t i = 0; i < db->held.reply_count; i++) {
		if (db->held.replies[i].reply.unique == unique)
			return &db->held.replies[i].reply;
	}
	return NULL;
}

int session_held_write(struct session_db *db, struct err *e)
{
	struct session_held *h = &db->held;

	for (size_t i = 0; i < h->inode_count; i++) {
		struct session_change c = session_change(db, STATEMENT_PUT_INODE, CHANGE_NOW);
		if (h->inodes[i].ino == 0)
			continue;
		session_change_put_inode(&c, &h->inodes[i]);
		if (session_run(db, c.st, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < h->reply_count; i++) {
		struct session_change c = session_change(db, STATEMENT_PUT_REPLY, CHANGE_NOW);
		session_change_put_reply(&c, h->replies[i].slot, &h->replies[i].reply);
		if (session_run(db, c.st, e) < 0)
			return -1;
	}
	session_held_drop(db);
	return 0;
}

void session_held_drop_replies(struct session_db *db)
{
	db->held.reply_count = 0;
}

void session_held_drop(struct session_db *db)
{
	u64map_fini(&db->held.places);
	db->held.inode_count = 0;
	session_held_drop_replies(db);
}

void session_held_fini(struct session_db *db)
{
	session_held_drop(db);
	free(db->held.inodes);
	free(db->held.replies);
}
