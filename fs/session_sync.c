/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a session is on the disk, and since when: data first, then the rows that speak of it,
 * then what nobody needs any more goes.
 *
 * Data is synced while others go on, the rest under the lock.
 */
#include "fs/session_sync.h"

#include <errno.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/array.h"
#include "base/log.h"
#include "fs/session_freeze.h"

enum {
	WAL_FRAME_SIZE = 1024 + 24,
	WAL_FRAMES_MAX = 65536, /* 64 MiB: what is synced then goes into the database */
	WAL_FRAMES_FEW = 256,   /* that are not worth it, however full the disk is */
	SYNC_AFTER_S = 5,       /* a change is on the disk after so many seconds at most */
	UNSYNCED_MAX = 65536,   /* inodes that are told apart */
	/* Bytes on the disk below which each request is a transaction of its own: what a large
	 * batch takes is to be there when it is committed. */
	ROOM_LOW = 16 * 1024 * 1024,
};

time_t session_clock(void)
{
	struct timespec ts = {0};

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

int session_doom_file(struct session *s, const struct session_inode *in, bool is_shorter,
		      struct err *e)
{
	if (in->place != SESSION_IN_FILE)
		return 0;
	if (array_reserve(&s->doomed, &s->doomed_cap, s->doomed_count + 1, sizeof(*s->doomed), e) <
	    0)
		return -1;
	s->doomed[s->doomed_count++] = (struct session_doomed){in->ino, in->version, is_shorter};
	s->has_cuts |= is_shorter;
	return 0;
}

/* What the row does not need of its data file, which may have grown again meanwhile. */
static void cut_file(struct session *s, const struct session_doomed *d)
{
	struct err e = ERR_INIT;
	struct session_inode in;
	const int found = session_db_inode(s->db, d->ino, &in, &e);

	if (found > 0 && in.place == SESSION_IN_FILE && in.version == d->version)
		session_files_cut(&s->files, d->ino, d->version, in.size);
	err_clear(&e); /* the next sync that finds something tells */
}

/* After a sync. */
static void bury_files(struct session *s)
{
	if (s->is_frozen)
		return;
	for (size_t i = 0; i < s->doomed_count; i++) {
		const struct session_doomed *d = &s->doomed[i];
		if (d->is_shorter)
			cut_file(s, d);
		else
			session_files_remove(&s->files, d->ino, d->version);
	}
	s->doomed_count = s->doomed_before = 0;
	s->has_cuts = false;
}

void session_note_unsynced(struct session *s, uint64_t ino)
{
	struct err ignored = ERR_INIT;

	if (s->is_all_unsynced ||
	    (s->unsynced.count < UNSYNCED_MAX && u64map_put(&s->unsynced, ino, 1, &ignored) == 0))
		return;
	err_clear(&ignored);
	s->is_all_unsynced = true;
}

static void forget_unsynced(struct session *s)
{
	u64map_fini(&s->unsynced);
	s->is_all_unsynced = false;
}

/* On a disk that is nearly full the log is better folded early: its room is used again then. */
static bool is_log_long(const struct session *s)
{
	const uint64_t frames = (uint64_t)session_db_wal_frames(s->db);
	struct statvfs st;

	if (frames > WAL_FRAMES_MAX)
		return true;
	return frames > WAL_FRAMES_FEW && fstatvfs(s->files.dirfd, &st) == 0 &&
	       frames * WAL_FRAME_SIZE > (uint64_t)st.f_bavail * st.f_frsize;
}

void session_limit_batch(struct session *s)
{
	struct statvfs st;

	session_db_limit_batch(s->db, fstatvfs(s->files.dirfd, &st) == 0 &&
					      (uint64_t)st.f_bavail * st.f_frsize < ROOM_LOW);
}

/* A log that grows beside a disk that fills up must be folded while there is room for that. */
void session_look_at_log(struct session *s)
{
	const int frames = session_db_wal_frames(s->db);
	struct err e = ERR_INIT;

	if (frames != s->frames_limited) {
		s->frames_limited = frames;
		session_limit_batch(s);
	}
	if (frames >= s->frames_seen && frames < s->frames_seen + WAL_FRAMES_FEW)
		return;
	s->frames_seen = frames;
	if (frames <= WAL_FRAMES_MAX && is_log_long(s) && session_fold(s, &e) < 0) {
		log_warning("cannot fold the session's log: %s", e.msg);
		err_clear(&e);
	}
}

static int sync_rows(struct session *s, struct err *e)
{
	int r = session_db_sync(s->db, e);

	/* The mark, too, takes a page: without it nothing that was removed makes room. */
	if (r < 0 && session_is_full(e) && session_reserve_release(s)) {
		err_clear(e);
		r = session_db_sync(s->db, e);
	}
	/* What the disk refused once it may have dropped (fsyncgate). */
	if (r < 0 && e->code == ERR_SYS && !session_is_full(e))
		s->files.is_lost = true;
	return r;
}

int session_sync_locked(struct session *s, struct err *e)
{
	struct session_dirty dirty;

	/* The mark speaks for what others are syncing, too. */
	while (s->syncs > 0)
		pthread_cond_wait(&s->is_synced, &s->lock);
	if (s->files.is_lost)
		return err_sys(e, EIO, "data of the session was lost by an earlier sync");
	session_files_take_dirty(&s->files, &dirty);
	if (session_dirty_sync(&dirty, s->files.dirfd, e) < 0) {
		session_files_failed(&s->files, &dirty);
		return -1;
	}
	if (!s->is_changed)
		return 0;
	if (sync_rows(s, e) < 0)
		return -1;
	s->is_changed = false;
	forget_unsynced(s);
	s->synced = session_clock();
	bury_files(s);
	return is_log_long(s) ? session_db_checkpoint(s->db, e) : 0;
}

int session_fold(struct session *s, struct err *e)
{
	int r = session_remove_forgotten(s, e);

	if (r < 0 && session_is_full(e) && session_reserve_release(s)) {
		err_clear(e);
		r = session_remove_forgotten(s, e);
	}
	if (r < 0 || session_sync_locked(s, e) < 0)
		return -1;
	/* Before the checkpoint, which may take all the room that there is, and fail. */
	session_reserve_fill(s, s->dirfd);
	if (session_db_checkpoint(s->db, e) < 0)
		return -1;
	session_reserve_fill(s, s->dirfd);
	return 0;
}

int session_sync(struct session *s, struct err *e)
{
	struct session_dirty dirty;

	/* Most of it while others go on. */
	session_lock(s);
	session_files_take_dirty(&s->files, &dirty);
	s->syncs++;
	session_unlock(s);
	int r = session_dirty_sync(&dirty, s->files.dirfd, e);
	session_lock(s);
	s->syncs--;
	pthread_cond_broadcast(&s->is_synced);
	if (r < 0)
		session_files_failed(&s->files, &dirty);
	else
		r = session_sync_locked(s, e);
	if (r == 0)
		session_reserve_fill(s, s->dirfd);
	session_unlock(s);
	return r;
}

int session_sync_inode(struct session *s, uint64_t ino, struct err *e)
{
	session_lock(s);
	const bool is_synced =
		!s->is_all_unsynced && !u64map_get(&s->unsynced, ino) && !s->files.is_lost;
	session_unlock(s);
	return is_synced ? 0 : session_sync(s, e);
}

int session_settle(struct session *s, struct err *e)
{
	session_lock(s);
	const bool is_due = s->is_changed && (session_clock() - s->synced >= SYNC_AFTER_S ||
					      session_db_wal_frames(s->db) > WAL_FRAMES_MAX);
	session_unlock(s);
	if (is_due && session_sync(s, e) < 0)
		return -1;
	session_lock(s);
	const int r = session_remove_forgotten(s, e);
	session_unlock(s);
	return r;
}

int session_freeze(struct session *s, int dirfd, struct err *e)
{
	int r = -1;

	session_lock(s);
	if (s->is_frozen)
		err_set(e, ERR_BUSY, "the session is being read by another command");
	else
		r = session_db_copy(s->db, dirfd, e);
	if (r == 0)
		s->is_frozen = true;
	session_unlock(s);
	return r;
}

void session_thaw(struct session *s)
{
	session_lock(s);
	s->is_frozen = false;
	u64map_fini(&s->fresh);
	/* What waits for a sync to go has waited for this, too. */
	s->is_changed |= s->doomed_count > 0;
	session_unlock(s);
}
