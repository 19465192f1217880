/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/session.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/array.h"
#include "base/log.h"
#include "fs/session_boot.h"
#include "fs/session_freeze.h"
#include "fs/session_private.h"
#include "fs/session_redo.h"
#include "fs/session_sync.h"
#include "fs/session_wal.h"

enum {
	NUMBERS = 4096,      /* that are reserved at once */
	FORGOTTEN_MAX = 256, /* inodes that wait to be removed */
};

struct timespec session_now(void)
{
	struct timespec ts = {0};

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts;
}

void session_lock(struct session *s)
{
	pthread_mutex_lock(&s->lock);
}

void session_unlock(struct session *s)
{
	pthread_mutex_unlock(&s->lock);
}

static int begin_locked(struct session *s, struct err *e)
{
	if (s->flags & SESSION_READ)
		return err_sys(e, EROFS, "the session is only read");
	s->is_reserving = false;
	s->orphan = 0;
	return session_db_begin(s->db, e);
}

static void roll_back(struct session *s)
{
	session_db_rollback(s->db);
	s->doomed_count = s->doomed_before;
	memset(s->recent, 0, sizeof(s->recent));
	if (s->orphan)
		u64map_remove(&s->orphans, s->orphan);
	/* The reservation is undone with it. */
	if (s->is_reserving)
		s->next = s->next_end = 0;
}

static int commit_locked(struct session *s, struct err *e)
{
	if (session_db_commit(s->db, e) < 0) {
		roll_back(s);
		return -1;
	}
	s->is_changed = true;
	s->doomed_before = s->doomed_count;
	return 0;
}

int session_begin(struct session *s, struct err *e)
{
	session_lock(s);
	if (begin_locked(s, e) == 0)
		return 0;
	session_unlock(s);
	return -1;
}

int session_end(struct session *s, const struct session_caller *who, uint64_t ino, int r,
		struct err *e)
{
	const struct session_reply reply = {who->unique, ino};

	if (r >= 0 && who->unique && session_db_put_reply(s->db, who->slot, &reply, e) < 0)
		r = -1;
	if (r < 0)
		roll_back(s);
	else if (commit_locked(s, e) < 0)
		r = -1;
	else
		session_look_at_log(s);
	session_unlock(s);
	return r;
}

int session_number(struct session *s, uint64_t *out, struct err *e)
{
	if (s->next == s->next_end) {
		uint64_t first;
		if (session_db_reserve(s->db, NUMBERS, &first, e) < 0)
			return -1;
		s->next = first;
		s->next_end = first + NUMBERS;
		s->is_reserving = true;
	}
	*out = s->next++;
	return 0;
}

bool session_is_lower(const struct session *s, uint64_t ino)
{
	return ino - 1 < s->base_count;
}

static int load_lower(struct session *s, uint64_t ino, struct session_inode *out, struct err *e)
{
	struct catalog_stat st;
	uint32_t parent = 0;

	if (!session_is_lower(s, ino))
		return err_set(e, ERR_NOT_FOUND, "no inode %llu", (unsigned long long)ino);
	if (VIEW_RETRY(s->base, e,
		       catalog_stat(view_catalog(s->base), session_lower(ino), &st, e)) < 0)
		return -1;
	if (S_ISDIR(st.mode) &&
	    VIEW_RETRY(s->base, e,
		       catalog_parent(view_catalog(s->base), session_lower(ino), &parent, e)) < 0)
		return -1;
	const struct timespec mtime = {st.mtime, st.mtime_nsec};
	*out = (struct session_inode){
		.ino = ino,
		.mode = st.mode,
		.uid = st.uid,
		.gid = st.gid,
		.nlink = st.nlink,
		.rdev_major = st.rdev_major,
		.rdev_minor = st.rdev_minor,
		.size = st.size,
		.atim = mtime,
		.mtim = mtime,
		.ctim = mtime,
		.parent = S_ISDIR(st.mode) ? (uint64_t)parent + 1 : 0,
		.lower_size = S_ISREG(st.mode) ? st.size : 0,
	};
	return 0;
}

static struct session_inode *recent(struct session *s, uint64_t ino)
{
	return &s->recent[ino % SESSION_RECENT];
}

/* Whether an inode of the base that has no row has no name any more: 1, 0, -1. */
static int is_nameless(struct session *s, uint64_t ino, struct err *e)
{
	uint32_t at = 0;
	uint64_t dir;

	/* The process before this one remembered some. */
	if (!(s->flags & SESSION_TAKE_OVER) || ino == SESSION_ROOT)
		return s->orphans.count > 0 && u64map_get(&s->orphans, ino) != NULL;
	const int found = session_lower_name(s, ino, &at, &dir, e);
	return found < 0 ? -1 : !found;
}

int session_load(struct session *s, uint64_t ino, struct session_inode *out, struct err *e)
{
	struct session_inode *seen = recent(s, ino);

	if (seen->ino == ino && ino != 0) {
		*out = *seen;
		return 0;
	}
	const int found = session_db_inode(s->db, ino, out, e);
	if (found < 0)
		return -1;
	if (found == 0) {
		const int is_gone = load_lower(s, ino, out, e) < 0 ? -1 : is_nameless(s, ino, e);
		if (is_gone < 0)
			return -1;
		if (is_gone)
			out->nlink = 0;
	}
	*seen = *out;
	return 0;
}

int session_load_dir(struct session *s, uint64_t ino, struct session_inode *out, struct err *e)
{
	if (session_load(s, ino, out, e) < 0)
		return -1;
	return S_ISDIR(out->mode) ? 0 : err_sys(e, ENOTDIR, "inode %llu", (unsigned long long)ino);
}

int session_store(struct session *s, const struct session_inode *in, struct err *e)
{
	struct session_inode *seen = recent(s, in->ino);

	session_note_unsynced(s, in->ino);
	if (session_db_put_inode(s->db, in, e) < 0)
		return -1;
	*seen = *in;
	seen->is_stored = true;
	/* One that is written to while it has no name. */
	uint64_t *orphan = s->orphans.count > 0 ? u64map_get(&s->orphans, in->ino) : NULL;
	if (orphan)
		*orphan = ORPHAN_STORED;
	return 0;
}

int session_orphan(struct session *s, const struct session_inode *in, struct err *e)
{
	if (u64map_put(&s->orphans, in->ino, ORPHAN_LOWER, e) < 0)
		return -1;
	s->orphan = in->ino;
	if (in->is_stored || !session_is_lower(s, in->ino))
		return session_store(s, in, e);
	*recent(s, in->ino) = *in;
	return 0;
}

int session_remove(struct session *s, const struct session_inode *in, struct err *e)
{
	struct session_inode *seen = recent(s, in->ino);

	if (seen->ino == in->ino)
		seen->ino = 0;
	return session_db_remove_inode(s->db, in, e);
}

int session_replay(struct session *s, uint64_t unique, uint64_t *ino, struct err *e)
{
	struct session_reply reply;

	session_lock(s);
	const int found = session_db_reply(s->db, unique, &reply, e);
	session_unlock(s);
	if (found > 0)
		*ino = reply.ino;
	return found;
}

int session_remember(struct session *s, uint64_t ino, struct err *e)
{
	int r = 0;

	session_lock(s);
	uint64_t *count = u64map_get(&s->lookups, ino);
	if (count)
		(*count)++;
	else
		r = u64map_put(&s->lookups, ino, 1, e);
	session_unlock(s);
	return r;
}

/* The kernel knows it no more: it goes with the next that are removed together. */
static void bury(struct session *s, uint64_t ino)
{
	struct err ignored = ERR_INIT;

	/* A process before this one told the kernel of it, too, and nobody knows how often. */
	if (s->flags & SESSION_TAKE_OVER)
		return;
	const uint64_t *orphan = u64map_get(&s->orphans, ino);
	const bool is_stored = orphan && *orphan == ORPHAN_STORED;
	if (orphan)
		u64map_remove(&s->orphans, ino);
	if (!is_stored)
		return;
	if (u64map_put(&s->forgotten, ino, 1, &ignored) < 0)
		err_clear(&ignored); /* it goes when the session is resumed */
}

int session_remove_forgotten(struct session *s, struct err *e)
{
	struct session_inode in;
	const struct u64map_entry *x;
	size_t at = 0;

	if (s->forgotten.count == 0)
		return 0;
	if (begin_locked(s, e) < 0)
		return -1;
	while ((x = u64map_next(&s->forgotten, &at))) {
		const int found = session_db_inode(s->db, x->key, &in, e);
		/* The request that took its last name may have failed. */
		const bool is_nameless = found > 0 && in.nlink == 0;
		if (found < 0 || (is_nameless && (session_doom_file(s, &in, false, e) < 0 ||
						  session_remove(s, &in, e) < 0))) {
			roll_back(s);
			return -1;
		}
	}
	if (commit_locked(s, e) < 0)
		return -1;
	u64map_fini(&s->forgotten);
	return 0;
}

void session_forget(struct session *s, uint64_t ino, uint64_t count)
{
	struct err e = ERR_INIT;

	session_lock(s);
	uint64_t *known = u64map_get(&s->lookups, ino);
	if (known && *known > count) {
		*known -= count;
	} else {
		u64map_remove(&s->lookups, ino);
		bury(s, ino);
	}
	/* What cannot be removed now can wait until the session is resumed. */
	if (s->forgotten.count % FORGOTTEN_MAX == 0 && session_remove_forgotten(s, &e) < 0) {
		log_warning("cannot remove what has no name any more: %s", e.msg);
		err_clear(&e);
	}
	session_unlock(s);
}

/* Without a name, and so unreachable once nothing of it is open: from before this process. */
static int remove_nameless(struct session *s, struct err *e)
{
	struct session_inode in = {.ino = 0};
	int more;

	while ((more = session_db_inode_next(s->db, in.ino, &in, e)) > 0) {
		if (in.nlink == 0 && u64map_put(&s->forgotten, in.ino, 1, e) < 0)
			return -1;
	}
	return more < 0 ? -1 : session_remove_forgotten(s, e);
}

/*
 * session_files_visit: each.  A version that rows had, or an inode that is removed, may be what
 * rows of the last mark need: after a kill under the same boot nothing behind it was synced.  Newer
 * versions were never committed.
 */
static int remove_rubbish(void *ctx, const char *name, uint64_t ino, uint32_t version,
			  struct err *e)
{
	const struct session_inode old = {.ino = ino, .version = version, .place = SESSION_IN_FILE};
	struct session *s = ctx;
	struct session_inode in;

	const int found = ino ? session_db_inode(s->db, ino, &in, e) : 0;
	if (found < 0)
		return -1;
	if (found > 0 && in.place == SESSION_IN_FILE && in.version == version)
		return 0;
	if (ino && (found == 0 || version <= in.version))
		return session_doom_file(s, &old, false, e);
	if (unlinkat(s->files.dirfd, name, 0) < 0 && errno != ENOENT)
		return err_sys(e, errno, "cannot remove the session's file '%s'", name);
	return 0;
}

/* Numbers of requests begin anew with each mount. */
static int forget_replies(struct session *s, struct err *e)
{
	if (begin_locked(s, e) == 0 && session_db_forget_replies(s->db, e) == 0)
		return commit_locked(s, e);
	roll_back(s);
	return -1;
}

/* A new session has its database before it has a boot: one that has lost it is no new one. */
static int open_as_owner(struct session *s, int dirfd, struct session_boot *b, struct err *e)
{
	struct stat log;

	/* The last who used it brought all to the disk, and emptied the logs. */
	const int has_redo = session_redo_is_used(dirfd, e);
	if (has_redo < 0)
		return -1;
	if (!has_redo &&
	    (fstatat(dirfd, SESSION_WAL_NAME, &log, AT_SYMLINK_NOFOLLOW) < 0 || log.st_size == 0))
		s->files.is_all_dirty = false;
	if (session_boot_read(dirfd, b, e) < 0)
		return -1;
	if (b->is_new && !(s->flags & SESSION_CREATE))
		return err_set(e, ERR_FORMAT, "the session has no database");
	if (!b->is_new && !b->is_same && session_wal_rewind(dirfd, e) < 0)
		return -1;
	const uint64_t count =
		s->flags & SESSION_NO_BASE && !b->is_new ? SESSION_DB_ANY_BASE : s->base_count;
	if (session_db_open(dirfd, b->is_new ? SESSION_DB_CREATE : 0, count, &s->db, e) < 0)
		return -1;
	if (session_db_check(s->db, e) < 0 || forget_replies(s, e) < 0 ||
	    remove_nameless(s, e) < 0 ||
	    session_files_visit(s->files.dirfd, remove_rubbish, s, e) < 0)
		return -1;
	s->doomed_before = s->doomed_count;
	if (b->is_same)
		return 0;
	/* There is no earlier sync to go back to: a power loss would leave an empty database. */
	if (b->is_new && (session_db_sync(s->db, e) < 0 || session_db_checkpoint(s->db, e) < 0))
		return -1;
	return session_boot_write(dirfd, b, e);
}

/* On a full disk a session must begin, so that something can be removed. */
static int open_with_reserve(struct session *s, int dirfd, struct session_boot *b, struct err *e)
{
	session_reserve_find(s, dirfd);
	const int r = open_as_owner(s, dirfd, b, e);
	if (r == 0 || !session_is_full(e) || !session_reserve_release(s))
		return r;
	err_clear(e);
	session_db_close(s->db);
	s->db = NULL;
	s->doomed_count = s->doomed_before = 0;
	u64map_fini(&s->forgotten);
	str_truncate(&b->id, 0);
	return open_as_owner(s, dirfd, b, e);
}

static int open_rows(struct session *s, int dirfd, struct err *e)
{
	struct session_boot b = {.id = STR_INIT};
	int r;

	if (s->flags & (SESSION_READ | SESSION_TAKE_OVER))
		r = session_db_open(dirfd, s->flags & SESSION_READ ? SESSION_DB_READ : 0,
				    s->flags & SESSION_NO_BASE ? SESSION_DB_ANY_BASE
							       : s->base_count,
				    &s->db, e);
	else
		r = open_with_reserve(s, dirfd, &b, e);
	str_fini(&b.id);
	return r;
}

int session_open(struct view *base, int dirfd, int datafd, unsigned flags, struct session **out,
		 struct err *e)
{
	struct session *s = array_new(1, sizeof(*s), e);

	if (!s)
		return -1;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->is_synced, NULL);
	s->base = base;
	s->base_count = catalog_inode_count(view_catalog(base));
	s->flags = flags;
	s->dirfd = dirfd;
	s->synced = session_clock();
	session_files_init(&s->files, datafd);
	/* What a process before wrote and did not sync is known to nobody: the next mark must not
	 * speak for it. */
	s->files.is_all_dirty = s->is_changed = s->is_all_unsynced = !(flags & SESSION_READ);
	if (open_rows(s, dirfd, e) < 0) {
		s->flags |= SESSION_READ; /* nothing to sync */
		session_close(s);
		return -1;
	}
	if (!(flags & SESSION_READ)) {
		session_reserve_fill(s, dirfd);
		session_limit_batch(s);
	}
	*out = s;
	return 0;
}

void session_close(struct session *s)
{
	struct err e = ERR_INIT;

	if (!s)
		return;
	if (!(s->flags & SESSION_READ)) {
		/* What cannot be removed must not keep the rest from the disk. */
		if (session_fold(s, &e) < 0)
			err_clear(&e);
		if (session_sync_locked(s, &e) < 0 || session_db_empty_log(s->db, &e) < 0 ||
		    session_redo_remove(s->dirfd, &e) < 0)
			log_error("cannot sync the session: %s", e.msg);
		err_clear(&e);
		session_reserve_fill(s, s->dirfd);
	}
	session_db_close(s->db);
	session_files_fini(&s->files);
	free(s->doomed);
	u64map_fini(&s->lookups);
	u64map_fini(&s->orphans);
	u64map_fini(&s->forgotten);
	u64map_fini(&s->fresh);
	u64map_fini(&s->unsynced);
	pthread_cond_destroy(&s->is_synced);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

struct view *session_base(const struct session *s)
{
	return s->base;
}
