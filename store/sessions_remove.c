/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session that is to go is renamed first, under its lock, and that is made durable: from then on
 * nobody finds it, and whatever is left of it may be removed by anybody.  Who lives and removes it
 * himself holds a lock of the folder meanwhile, and not of a file in it, which would have to go
 * first.
 *
 * To remove twice at the same time does no harm: what is gone is passed over.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/quote.h"
#include "store/folder.h"
#include "store/locks.h"
#include "store/sessions_private.h"

enum {
	DEPTH_MAX = 4,   /* folders in each other: data/, and what it may be split into */
	STAT_BLOCK = 512 /* stat(2): the unit of st_blocks */
};

/* A folder with all that is in it, the contents of a folder before itself. */
struct walk {
	int (*each)(void *ctx, int dirfd, const char *name, const struct stat *st, struct err *e);
	void *ctx;
	int dirfd; /* that is being visited */
	int depth;
};

static int walk_folder(struct walk *w, int dirfd, struct err *e);

/* folder_visit */
static int walk_name(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	struct walk *w = ctx;
	const int dirfd = w->dirfd;
	char quoted[QUOTE_MAX];

	if (S_ISDIR(st->st_mode)) {
		SCOPE_FD int fd =
			openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			return 0;
		if (fd < 0)
			return err_sys(e, errno, "cannot open '%s'", quote_str(quoted, name));
		if (walk_folder(w, fd, e) < 0)
			return -1;
	}
	return w->each(w->ctx, dirfd, name, st, e);
}

static int walk_folder(struct walk *w, int dirfd, struct err *e)
{
	const int above = w->dirfd;

	if (w->depth == DEPTH_MAX)
		return err_set(e, ERR_FORMAT,
			       "it holds folders in folders that shale did not make: remove them");
	w->depth++;
	w->dirfd = dirfd;
	const int r = folder_visit(dirfd, walk_name, w, e);
	w->dirfd = above;
	w->depth--;
	return r;
}

/* walk.each */
static int add_blocks(void *ctx, int dirfd, const char *name, const struct stat *st, struct err *e)
{
	uint64_t *bytes = ctx;

	(void)dirfd;
	(void)name;
	(void)e;
	*bytes += (uint64_t)st->st_blocks * STAT_BLOCK;
	return 0;
}

static int folder_size(int folder, uint64_t *out, struct err *e)
{
	uint64_t bytes = 0;
	struct walk w = {add_blocks, &bytes, -1, 0};
	struct stat st;

	if (fstat(folder, &st) < 0)
		return err_sys(e, errno, "cannot stat the folder of a session");
	if (walk_folder(&w, folder, e) < 0)
		return -1;
	*out = bytes + (uint64_t)st.st_blocks * STAT_BLOCK;
	return 0;
}

int sessions_size(const struct store *s, const char *id, uint64_t *out, struct err *e)
{
	char quoted[QUOTE_MAX];
	SCOPE_FD int all = -1;

	if (sessions_open_all(s, &all, e) < 0)
		return -1;
	SCOPE_FD int folder = sessions_open_folder(s, all, id, e);
	if (folder < 0 || folder_size(folder, out, e) < 0)
		return err_wrap(e, "session '%s'", quote_str(quoted, id));
	return 0;
}

/* The folder of a session, whatever its name; -1, with a clean error where it is none. */
static int open_any(int all, const char *name, struct err *e)
{
	const int fd = openat(all, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
		return err_sys(e, errno, "cannot open the folder of a session");
	return fd;
}

int sessions_part_size(int all, const char *name, uint64_t *out, struct err *e)
{
	SCOPE_FD int folder = open_any(all, name, e);

	*out = 0;
	if (folder < 0)
		return e->code ? -1 : 0;
	return folder_size(folder, out, e);
}

/* walk.each */
static int remove_name(void *ctx, int dirfd, const char *name, const struct stat *st, struct err *e)
{
	(void)ctx;
	(void)st;
	return folder_remove(dirfd, name, e) < 0 ? -1 : 0;
}

int sessions_remove_tree(int all, const char *name, struct err *e)
{
	SCOPE_FD int folder = open_any(all, name, e);
	struct walk w = {remove_name, NULL, -1, 0};

	if (e->code || (folder >= 0 && walk_folder(&w, folder, e) < 0))
		return err_wrap(e, "'shale/" SESSIONS_FOLDER "/%s'", name);
	return folder_remove(all, name, e) < 0 ? -1 : 0;
}

/* Whether nobody removes it any more, and it is there all the same: 1, 0, -1. */
static int is_left(int all, const char *name, struct err *e)
{
	bool is_held;
	SCOPE_FD int folder = open_any(all, name, e);

	/* What is no folder is nobody's. */
	if (folder < 0)
		return e->code ? -1 : errno != ENOENT;
	if (sessions_is_held(folder, &is_held, e) < 0)
		return -1;
	return is_held ? 0 : sessions_is_named(all, name, folder, e);
}

struct visit {
	int all;
	int (*each)(void *ctx, int all, const char *name, struct err *e);
	void *ctx;
};

/* folder_visit */
static int visit_name(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	const struct visit *v = ctx;
	const enum sessions_part part = sessions_part_of(name);

	(void)st;
	if (part == SESSIONS_NO_PART)
		return 0;
	/* Who makes one has sessions.lock. */
	const int r = part == SESSIONS_PART_REMOVED ? is_left(v->all, name, e) : 1;
	return r == 1 ? v->each(v->ctx, v->all, name, e) : r;
}

int sessions_visit_dead(int all, int (*each)(void *ctx, int all, const char *name, struct err *e),
			void *ctx, struct err *e)
{
	struct visit v = {all, each, ctx};

	return folder_visit(all, visit_name, &v, e);
}

static int remove_dead(void *ctx, int all, const char *name, struct err *e)
{
	(void)ctx;
	return sessions_remove_tree(all, name, e);
}

int sessions_clear(int all, struct err *e)
{
	return sessions_visit_dead(all, remove_dead, NULL, e);
}

static int note_any(void *ctx, int all, const char *name, struct err *e)
{
	bool *found = ctx;

	(void)all;
	(void)name;
	(void)e;
	*found = true;
	return 0;
}

int sessions_has_dead(int all, bool *out, struct err *e)
{
	*out = false;
	return sessions_visit_dead(all, note_any, out, e);
}

static void try_clear(const struct store *s, int all, struct err *e)
{
	bool found;

	if (!store_is_writable(s) || sessions_has_dead(all, &found, e) < 0 || !found)
		return;
	SCOPE_FD int lock = locks_open(s, SESSIONS_LOCK_ALL, e);
	if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
		(void)sessions_clear(all, e);
}

void sessions_try_clear(const struct store *s, int all)
{
	struct err ignored = ERR_INIT;

	try_clear(s, all, &ignored);
	err_clear(&ignored);
}

/* Under its lock, . */
static int rename_and_remove(int all, const char *id, struct err *e)
{
	char part[SESSIONS_PART_MAX];

	(void)snprintf(part, sizeof(part), SESSIONS_REMOVING "%s", id);
	if (renameat(all, id, all, part) < 0)
		return err_sys(e, errno, "cannot rename its folder");
	if (fsync(all) < 0)
		return err_sys(e, errno, "cannot sync a folder of the store");
	return sessions_remove_tree(all, part, e);
}

/* Without a lock file, nobody can be asked; there is no other way to get rid of it. */
static int lock_if_any(int all, const struct session_info *found, int folder, int *out,
		       struct err *e)
{
	struct stat st;

	if (fstatat(folder, SESSIONS_LOCK_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
		return sessions_lock_found(all, found, folder, out, e);
	const int is_named = sessions_is_named(all, found->id, folder, e);
	if (is_named < 0)
		return -1;
	/* Somebody else removes it. */
	return is_named ? 0 : sessions_lock_found(all, found, folder, out, e);
}

static int remove_found(const struct store *s, int all, const struct session_info *found,
			struct err *e)
{
	char quoted[QUOTE_MAX];
	SCOPE_FD int lock = -1;
	SCOPE_FD int folder = sessions_open_folder(s, all, found->id, e);

	if (folder < 0 || lock_if_any(all, found, folder, &lock, e) < 0 ||
	    sessions_hold(folder, e) < 0)
		return -1;
	if (rename_and_remove(all, found->id, e) < 0)
		return err_wrap(e, "session '%s'",
				quote_str(quoted, found->name ? found->name : found->id));
	return 0;
}

int sessions_remove(const struct store *s, const char *text, struct err *e)
{
	SCOPE(session_list) struct session_list list = SESSION_LIST_INIT;
	SCOPE_FD int all = -1;
	const struct session_info *found;

	if (locks_need_writable(s, e) < 0 || sessions_open_all(s, &all, e) < 0 ||
	    sessions_scan(s, all, &list, e) < 0 || sessions_find(&list, text, false, &found, e) < 0)
		return -1;
	return remove_found(s, all, found, e);
}
