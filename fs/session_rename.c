/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "fs/session_private.h"

/* A rename, loaded.  Both ends may be one directory: `to_dir` is `from_dir` then. */
struct rename {
	const struct session_move *m;
	struct session_inode dirs[2];
	struct session_inode *from_dir, *to_dir;
	struct session_inode from, to;
	bool has_to;
	struct timespec now;
};

/* Whether `dir` is `inside` or lies in it. */
static int is_below(struct session *s, uint64_t dir, uint64_t inside, struct err *e)
{
	struct session_inode in;

	for (int depth = 0; depth <= LIMIT_DEPTH; depth++) {
		if (dir == inside)
			return 1;
		if (dir == SESSION_ROOT)
			return 0;
		if (session_load_dir(s, dir, &in, e) < 0)
			return -1;
		dir = in.parent;
	}
	return err_sys(e, ELOOP, "directories nest deeper than %d", LIMIT_DEPTH);
}

static int load_ends(struct session *s, struct rename *r, struct err *e)
{
	const struct session_move *m = r->m;
	uint64_t ino = 0;

	r->from_dir = r->to_dir = &r->dirs[0];
	if (session_load_dir(s, m->from_dir, r->from_dir, e) < 0)
		return -1;
	if (m->to_dir != m->from_dir) {
		r->to_dir = &r->dirs[1];
		if (session_load_dir(s, m->to_dir, r->to_dir, e) < 0)
			return -1;
	}
	if (session_check_name(m->to, e) < 0)
		return -1;
	if (r->to_dir->nlink == 0)
		return err_sys(e, ENOENT, "the directory is removed");
	int found = session_find(s, m->from_dir, m->from, strlen(m->from), &ino, e);
	if (found == 0)
		err_sys(e, ENOENT, "a name");
	if (found <= 0 || session_load(s, ino, &r->from, e) < 0)
		return -1;
	found = session_find(s, m->to_dir, m->to, strlen(m->to), &ino, e);
	r->has_to = found > 0;
	if (found < 0 || (r->has_to && session_load(s, ino, &r->to, e) < 0))
		return -1;
	return 0;
}

/* A directory does not move into itself. */
static int check_place(struct session *s, const struct session_inode *in, uint64_t dir,
		       struct err *e)
{
	const int is_inside = S_ISDIR(in->mode) ? is_below(s, dir, in->ino, e) : 0;

	if (is_inside > 0)
		return err_sys(e, EINVAL, "a directory cannot move into itself");
	return is_inside;
}

static int check_target(struct session *s, const struct rename *r, struct err *e)
{
	if (!r->has_to)
		return 0;
	if (S_ISDIR(r->from.mode) != S_ISDIR(r->to.mode))
		return err_sys(e, S_ISDIR(r->to.mode) ? EISDIR : ENOTDIR, "a name");
	if (!S_ISDIR(r->to.mode))
		return 0;
	const int is_empty = session_is_empty(s, r->to.ino, e);
	if (is_empty == 0)
		return err_sys(e, ENOTEMPTY, "a directory");
	return is_empty < 0 ? -1 : 0;
}

static int check(struct session *s, const struct rename *r, struct err *e)
{
	const unsigned flags = r->m->flags;

	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return err_sys(e, EINVAL, "flags of a rename");
	if (flags & RENAME_NOREPLACE && r->has_to)
		return err_sys(e, EEXIST, "a name");
	if (check_place(s, &r->from, r->m->to_dir, e) < 0)
		return -1;
	if (!(flags & RENAME_EXCHANGE))
		return check_target(s, r, e);
	if (!r->has_to)
		return err_sys(e, ENOENT, "a name");
	return check_place(s, &r->to, r->m->from_dir, e);
}

/* A directory that comes to another parent. */
static int reparent(struct session_inode *in, struct session_inode *from, struct session_inode *to,
		    struct err *e)
{
	if (!S_ISDIR(in->mode) || from == to)
		return 0;
	in->parent = to->ino;
	to->nlink++;
	return session_lose_dir(from, e);
}

static int exchange(struct session *s, struct rename *r, struct err *e)
{
	const struct session_move *m = r->m;

	r->from.ctim = r->to.ctim = r->now;
	if (reparent(&r->from, r->from_dir, r->to_dir, e) < 0 ||
	    reparent(&r->to, r->to_dir, r->from_dir, e) < 0 ||
	    session_set_name(s, m->to_dir, m->to, r->from.ino, r->from.mode & S_IFMT, e) < 0 ||
	    session_set_name(s, m->from_dir, m->from, r->to.ino, r->to.mode & S_IFMT, e) < 0)
		return -1;
	return session_store(s, &r->to, e);
}

static int replace(struct session *s, struct rename *r, struct err *e)
{
	const struct session_move *m = r->m;

	if (r->has_to && ((S_ISDIR(r->to.mode) && session_lose_dir(r->to_dir, e) < 0) ||
			  session_drop(s, &r->to, &r->now, e) < 0))
		return -1;
	if (reparent(&r->from, r->from_dir, r->to_dir, e) < 0)
		return -1;
	r->from.ctim = r->now;
	if (session_set_name(s, m->from_dir, m->from, 0, 0, e) < 0)
		return -1;
	return session_set_name(s, m->to_dir, m->to, r->from.ino, r->from.mode & S_IFMT, e);
}

static int rename_locked(struct session *s, const struct session_move *m, struct err *e)
{
	struct rename r = {.m = m, .now = session_now()};

	if (load_ends(s, &r, e) < 0 || check(s, &r, e) < 0)
		return -1;
	/* POSIX: two names of one file stay as they are. */
	if (r.has_to && r.from.ino == r.to.ino)
		return 0;
	if ((m->flags & RENAME_EXCHANGE ? exchange : replace)(s, &r, e) < 0)
		return -1;
	session_touch(r.from_dir, &r.now);
	session_touch(r.to_dir, &r.now);
	if (session_store(s, &r.from, e) < 0 || session_store(s, r.from_dir, e) < 0)
		return -1;
	return r.to_dir == r.from_dir ? 0 : session_store(s, r.to_dir, e);
}

int session_rename(struct session *s, const struct session_caller *who,
		   const struct session_move *m, struct err *e)
{
	if (session_begin(s, e) < 0)
		return -1;
	return session_end(s, who, 0, rename_locked(s, m, e), e);
}
