/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which change comes next depends on the seed and on what the session shows, so a session that was
 * resumed goes on.  Few names, so that they meet; writes of all sizes, so that files live in rows,
 * in data files, and in blocks over the base.
 */
#include "tests/support/random_edits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "fs/session_data.h"
#include "fs/session_freeze.h"
#include "fs/session_private.h"
#include "fs/session_sync.h"
#include "tests/support/session_text.h"

#define SNAPSHOT "snapshot" /* as fs/edit_control.c has it */

enum {
	NAMES = 9, /* that new files can have in a directory */
	DEPTH_MAX = 3,
	SIZE_MAX_BYTES = 64 * 1024, /* of a row are 16 KiB */
	WRITE_MAX = 20000,
	FEW = 20,
	LONG_AGO_S = 60, /* more than what a session waits with a sync */
	SNAPSHOT_MODE = 0700,
};

static const struct session_caller root = {.uid = 0};

/* xorshift64*, as in https://en.wikipedia.org/wiki/Xorshift */
static uint32_t dice(struct random_edits *r, uint32_t below)
{
	r->random ^= r->random >> 12;
	r->random ^= r->random << 25;
	r->random ^= r->random >> 27;
	return (uint32_t)((r->random * UINT64_C(2685821657736338717)) >> 32) % below;
}

void random_edits_init(struct random_edits *r, struct session *s, int dirfd, uint64_t seed)
{
	*r = (struct random_edits){
		.session = s,
		.dirfd = dirfd,
		.random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15),
		.snapshot = -1,
	};
}

/* A name that there is. */
struct place {
	uint64_t dir, ino;
	uint32_t type;
	unsigned depth; /* of the directory */
	char name[LIMIT_NAME + 1];
};

/* One of the names of a directory: 1, 0 when it is empty, -1. */
static int pick_in(struct random_edits *r, uint64_t dir, struct place *out, struct err *e)
{
	struct session_dirent de = {.ino = 0};
	uint32_t seen = 0;
	int more;

	while ((more = session_readdir(r->session, dir, de.next, &de, e)) > 0) {
		if (strcmp(de.name, ".") == 0 || strcmp(de.name, "..") == 0)
			continue;
		if (dice(r, ++seen) != 0)
			continue;
		out->dir = dir;
		out->ino = de.ino;
		out->type = de.type;
		memcpy(out->name, de.name, sizeof(out->name));
	}
	return more < 0 ? -1 : seen > 0;
}

/* A walk down that stops anywhere: 1, 0 where there is nothing, -1. */
static int pick(struct random_edits *r, struct place *out, struct err *e)
{
	uint64_t dir = SESSION_ROOT;
	struct place p = {.ino = 0};
	int found = 0;

	for (unsigned depth = 0;; depth++) {
		const int more = pick_in(r, dir, &p, e);
		if (more <= 0)
			return more < 0 ? -1 : found;
		found = 1;
		*out = p;
		out->depth = depth;
		if (!S_ISDIR(p.type) || dice(r, 4) == 0)
			return 1;
		dir = p.ino;
	}
}

/* A directory and a name that may be there. */
static int pick_new(struct random_edits *r, uint64_t *dir, char name[static 8], struct err *e)
{
	struct place p = {.ino = 0};
	const int found = pick(r, &p, e);

	if (found < 0)
		return -1;
	*dir = SESSION_ROOT;
	if (found && dice(r, 3) != 0)
		*dir = S_ISDIR(p.type) && p.depth < DEPTH_MAX ? p.ino : p.dir;
	(void)snprintf(name, 8, "n%u", dice(r, NAMES));
	return 0;
}

/* A regular file, often that of the last time, now and then the one that is held: 1, 0, -1. */
static int pick_file(struct random_edits *r, struct random_edit *out, struct stat *st,
		     struct err *e)
{
	struct place p = {.ino = 0};

	if (r->held && dice(r, 4) == 0) {
		p.ino = r->held;
	} else if (r->last && dice(r, 2)) {
		p.ino = r->last;
	} else {
		for (unsigned tries = 0; tries < FEW && !S_ISREG(p.type); tries++) {
			if (pick(r, &p, e) < 0)
				return -1;
		}
		if (!S_ISREG(p.type))
			return 0;
		r->last = p.ino;
	}
	out->ino = p.ino;
	return session_stat(r->session, p.ino, st, e) < 0 ? -1 : 1;
}

/* Zeros come from truncate and fallocate alone. */
static void fill(struct random_edits *r, uint8_t *bytes, size_t len, uint64_t offset)
{
	const uint32_t mark = dice(r, 255);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(1 + (mark + (offset + i) * 7 + (offset + i) / 64) % 255);
}

static int write_at(struct random_edits *r, uint64_t ino, uint64_t offset, size_t len,
		    struct err *e)
{
	uint8_t bytes[WRITE_MAX];

	fill(r, bytes, len, offset);
	return session_write(r->session, &root, ino, offset, bytes, len, 0, e);
}

static size_t some_length(struct random_edits *r)
{
	switch (dice(r, 4)) {
	case 0:
		return 1 + dice(r, FEW);
	case 1:
		return SESSION_BLOCK;
	default:
		return 1 + dice(r, WRITE_MAX);
	}
}

static int do_write(struct random_edits *r, struct random_edit *out, struct err *e)
{
	struct stat st;
	const int found = pick_file(r, out, &st, e);

	if (found <= 0)
		return found;
	const uint32_t below = (uint32_t)st.st_size + (dice(r, 4) == 0 ? WRITE_MAX : 1);
	uint64_t offset = dice(r, below < SIZE_MAX_BYTES ? below : SIZE_MAX_BYTES);
	if (dice(r, 3) == 0)
		offset -= offset % SESSION_BLOCK;
	return write_at(r, out->ino, offset, some_length(r), e);
}

static int do_append(struct random_edits *r, struct random_edit *out, struct err *e)
{
	struct stat st;
	const int found = pick_file(r, out, &st, e);

	if (found <= 0 || st.st_size > SIZE_MAX_BYTES)
		return found < 0 ? -1 : 0;
	return write_at(r, out->ino, (uint64_t)st.st_size, some_length(r), e);
}

/* What is written to it is a change of its own. */
static int do_create(struct random_edits *r, struct random_edit *out, struct err *e)
{
	char name[8];
	const struct session_new what = {.name = name, .mode = S_IFREG | 0644};
	uint64_t dir;

	if (pick_new(r, &dir, name, e) < 0 ||
	    session_create(r->session, &root, dir, &what, &out->ino, e) < 0)
		return -1;
	r->last = out->ino;
	return 0;
}

static int do_mkdir(struct random_edits *r, struct random_edit *out, struct err *e)
{
	char name[8];
	const struct session_new what = {.name = name, .mode = S_IFDIR | 0755};
	uint64_t dir, ino;

	(void)out;
	if (pick_new(r, &dir, name, e) < 0)
		return -1;
	return session_create(r->session, &root, dir, &what, &ino, e);
}

static int do_symlink(struct random_edits *r, struct random_edit *out, struct err *e)
{
	char name[8], target[16];
	const struct session_new what = {.name = name, .mode = S_IFLNK | 0777, .target = target};
	uint64_t dir, ino;

	(void)out;
	(void)snprintf(target, sizeof(target), "to%u", r->target++);
	if (pick_new(r, &dir, name, e) < 0)
		return -1;
	return session_create(r->session, &root, dir, &what, &ino, e);
}

static int do_link(struct random_edits *r, struct random_edit *out, struct err *e)
{
	struct place p = {.ino = 0};
	char name[8];
	uint64_t dir;
	const int found = pick(r, &p, e);

	(void)out;
	if (found <= 0 || pick_new(r, &dir, name, e) < 0)
		return found <= 0 ? found : -1;
	return session_link(r->session, &root, p.ino, dir, name, e);
}

static int do_remove(struct random_edits *r, struct random_edit *out, struct err *e)
{
	struct place p = {.ino = 0};
	const int found = pick(r, &p, e);

	(void)out;
	if (found <= 0)
		return found;
	r->last = 0;
	return (S_ISDIR(p.type) ? session_rmdir : session_unlink)(r->session, &root, p.dir, p.name,
								  e);
}

static int do_rename(struct random_edits *r, struct random_edit *out, struct err *e)
{
	static const unsigned all_flags[] = {0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE};
	struct place from = {.ino = 0}, to = {.ino = 0};
	char name[8];
	struct session_move m = {.from = from.name, .to = name};
	const int found = pick(r, &from, e);

	(void)out;
	if (found <= 0 || pick_new(r, &m.to_dir, name, e) < 0)
		return found <= 0 ? found : -1;
	if (dice(r, 2) && pick(r, &to, e) > 0) {
		m.to_dir = to.dir;
		m.to = to.name;
	}
	r->last = 0;
	m.from_dir = from.dir;
	m.flags = all_flags[dice(r, ARRAY_LEN(all_flags))];
	return session_rename(r->session, &root, &m, e);
}

static int set_attributes(struct random_edits *r, const struct stat *st, unsigned set,
			  struct err *e)
{
	struct place p = {.ino = 0};
	const int found = pick(r, &p, e);

	return found <= 0 ? found : session_setattr(r->session, &root, p.ino, st, set, e);
}

static int do_chmod(struct random_edits *r, struct random_edit *out, struct err *e)
{
	const struct stat st = {.st_mode = dice(r, 01000)};

	(void)out;
	return set_attributes(r, &st, SESSION_SET_MODE, e);
}

static int do_chown(struct random_edits *r, struct random_edit *out, struct err *e)
{
	const struct stat st = {.st_uid = dice(r, FEW), .st_gid = dice(r, FEW)};

	(void)out;
	return set_attributes(r, &st, SESSION_SET_UID | SESSION_SET_GID, e);
}

static int do_utimes(struct random_edits *r, struct random_edit *out, struct err *e)
{
	const struct stat st = {.st_mtim = {dice(r, WRITE_MAX), dice(r, WRITE_MAX)}};

	(void)out;
	return set_attributes(r, &st, SESSION_SET_MTIME | SESSION_SET_ATIME_NOW, e);
}

static int do_truncate(struct random_edits *r, struct random_edit *out, struct err *e)
{
	struct stat st;
	const int found = pick_file(r, out, &st, e);

	if (found <= 0)
		return found;
	const uint32_t size = dice(r, 4) ? (uint32_t)st.st_size + 1 : SIZE_MAX_BYTES;
	st.st_size = dice(r, 5) ? dice(r, size < SIZE_MAX_BYTES ? size : SIZE_MAX_BYTES) : 0;
	return session_setattr(r->session, &root, out->ino, &st, SESSION_SET_SIZE, e);
}

static int do_fallocate(struct random_edits *r, struct random_edit *out, struct err *e)
{
	static const int modes[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE,
				    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE};
	struct stat st;
	const int found = pick_file(r, out, &st, e);

	if (found <= 0)
		return found;
	return session_fallocate(r->session, &root, out->ino, modes[dice(r, ARRAY_LEN(modes))],
				 dice(r, SIZE_MAX_BYTES), some_length(r), e);
}

static int do_setxattr(struct random_edits *r, struct random_edit *out, struct err *e)
{
	const char value = (char)('a' + dice(r, FEW));
	struct place p = {.ino = 0};
	const int found = pick(r, &p, e);

	(void)out;
	if (found <= 0)
		return found;
	if (dice(r, 3) == 0)
		return session_removexattr(r->session, &root, p.ino, "user.one", e);
	return session_setxattr(r->session, &root, p.ino, dice(r, 2) ? "user.one" : "user.two",
				&value, 1, 0, e);
}

/* The kernel is told of a file, and of it again when it forgets it. */
static int do_hold(struct random_edits *r, struct random_edit *out, struct err *e)
{
	struct random_edit held = {.ino = 0};
	struct stat st;

	(void)out;
	if (r->held) {
		session_forget(r->session, r->held, 1);
		r->held = 0;
		return 0;
	}
	const int found = pick_file(r, &held, &st, e);
	if (found <= 0)
		return found;
	r->held = held.ino;
	return session_remember(r->session, held.ino, e);
}

static int do_sync(struct random_edits *r, struct random_edit *out, struct err *e)
{
	out->is_synced = true;
	return session_sync(r->session, e);
}

/* What a mount does now and then; it is due. */
static int do_settle(struct random_edits *r, struct random_edit *out, struct err *e)
{
	out->is_synced = true;
	r->session->synced -= LONG_AGO_S;
	return session_settle(r->session, e);
}

/* As when the disk is nearly full, or the log long. */
static int do_fold(struct random_edits *r, struct random_edit *out, struct err *e)
{
	out->is_synced = true;
	session_lock(r->session);
	const int folded = session_fold(r->session, e);
	session_unlock(r->session);
	return folded;
}

static int freeze(struct random_edits *r, struct err *e)
{
	if (mkdirat(r->dirfd, SNAPSHOT, SNAPSHOT_MODE) < 0)
		return err_sys(e, errno, "cannot make '" SNAPSHOT "'");
	r->snapshot = openat(r->dirfd, SNAPSHOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->snapshot < 0)
		return err_sys(e, errno, "cannot open '" SNAPSHOT "'");
	return session_freeze(r->session, r->snapshot, e);
}

static int remove_snapshot(struct random_edits *r, struct err *e)
{
	if ((unlinkat(r->dirfd, SNAPSHOT "/" SESSION_DB_NAME, 0) < 0 && errno != ENOENT) ||
	    (unlinkat(r->dirfd, SNAPSHOT, AT_REMOVEDIR) < 0 && errno != ENOENT))
		return err_sys(e, errno, "cannot remove '" SNAPSHOT "'");
	return 0;
}

/* Another command begins to read the session, or ends. */
static int do_freeze(struct random_edits *r, struct random_edit *out, struct err *e)
{
	(void)out;
	if (r->snapshot < 0)
		return remove_snapshot(r, e) < 0 ? -1 : freeze(r, e);
	close(r->snapshot);
	r->snapshot = -1;
	session_thaw(r->session);
	return remove_snapshot(r, e);
}

static const struct {
	const char *name;
	unsigned weight;
	int (*run)(struct random_edits *r, struct random_edit *out, struct err *e);
} edits[] = {
	{"create", 4, do_create}, {"mkdir", 1, do_mkdir},         {"symlink", 1, do_symlink},
	{"link", 1, do_link},     {"remove", 3, do_remove},       {"rename", 3, do_rename},
	{"write", 9, do_write},   {"append", 3, do_append},       {"truncate", 4, do_truncate},
	{"chmod", 1, do_chmod},   {"fallocate", 2, do_fallocate}, {"setxattr", 2, do_setxattr},
	{"chown", 1, do_chown},   {"utimes", 1, do_utimes},       {"hold", 2, do_hold},
	{"sync", 4, do_sync},     {"settle", 1, do_settle},       {"fold", 1, do_fold},
	{"freeze", 1, do_freeze},
};

/* What random names run into. */
static bool is_refusal(const struct err *e)
{
	static const int all[] = {EEXIST, ENOENT, ENOTEMPTY, EISDIR, ENOTDIR,
				  EINVAL, EPERM,  ENODATA,   ELOOP};

	for (size_t i = 0; e->code == ERR_SYS && i < ARRAY_LEN(all); i++) {
		if (e->sys == all[i])
			return true;
	}
	return false;
}

int random_edits_step(struct random_edits *r, struct random_edit *out, struct err *e)
{
	unsigned total = 0;
	size_t which = 0;

	for (size_t i = 0; i < ARRAY_LEN(edits); i++)
		total += edits[i].weight;
	for (unsigned at = dice(r, total); at >= edits[which].weight; which++)
		at -= edits[which].weight;
	*out = (struct random_edit){.name = edits[which].name};
	if (edits[which].run(r, out, e) == 0)
		return 0;
	if (!is_refusal(e))
		return -1;
	out->refused = e->sys;
	err_clear(e);
	return 0;
}

static int overwrite(void *ctx, uint64_t ino, struct err *e)
{
	struct random_edits *r = ctx;
	struct stat st;

	if (session_stat(r->session, ino, &st, e) < 0)
		return -1;
	return write_at(r, ino, (uint64_t)st.st_size / 2, SESSION_BLOCK + FEW, e);
}

int random_edits_all(struct random_edits *r, struct err *e)
{
	const struct session_new what = {.name = "after", .mode = S_IFREG | 0644};
	uint64_t ino;

	if (session_text_files(r->session, SESSION_ROOT, overwrite, r, e) < 0 ||
	    session_create(r->session, &root, SESSION_ROOT, &what, &ino, e) < 0 ||
	    write_at(r, ino, 0, WRITE_MAX, e) < 0)
		return -1;
	return session_sync(r->session, e);
}
