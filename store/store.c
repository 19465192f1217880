/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/path.h"
#include "base/quote.h"
#include "base/str.h"
#include "store/folder.h"
#include "store/layout.h"

enum { STORE_MODE = 0700 };

struct store {
	char *path;
	int fds[STORE_DIR_COUNT]; /* -1: not there */
	int write_errno;          /* 0: it is writable */
};

static char *default_path(struct err *e)
{
	const char *data = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");

	/* XDG Base Directory Specification: a path that is not absolute is to be ignored. */
	if (data && data[0] == '/')
		return str_dupf(e, "%s/shale", data);
	if (!home || home[0] != '/') {
		const struct passwd *user = getpwuid(geteuid());
		home = user ? user->pw_dir : NULL;
	}
	if (!home || home[0] != '/') {
		err_set(e, ERR_USAGE, "no place for the store is known: set SHALE_STORE");
		return NULL;
	}
	return str_dupf(e, "%s/.local/share/shale", home);
}

/* Absolute, and without a slash at the end, through which open(2) would follow a link. */
static char *absolute_path(const char *path, struct err *e)
{
	SCOPE_FREE char *cwd = NULL;
	char *out;

	if (!path[0]) {
		err_set(e, ERR_USAGE, "the path of the store is empty");
		return NULL;
	}
	if (path[0] == '/') {
		out = str_dup(path, e);
	} else {
		cwd = getcwd(NULL, 0);
		if (!cwd) {
			err_sys(e, errno, "cannot find the working directory");
			return NULL;
		}
		out = str_dupf(e, "%s/%s", cwd, path);
	}
	for (size_t len = out ? strlen(out) : 0; len > 1 && out[len - 1] == '/'; len--)
		out[len - 1] = '\0';
	return out;
}

char *store_find_path(const char *path, struct err *e)
{
	SCOPE_FREE char *made = NULL;

	if (!path) {
		path = getenv("SHALE_STORE");
		if (!path || !path[0]) {
			made = default_path(e);
			path = made;
		}
	}
	return path ? absolute_path(path, e) : NULL;
}

static int open_root(const char *path, unsigned flags, struct err *e)
{
	struct err why = ERR_INIT;
	char quoted[QUOTE_MAX];

	const int fd = folder_open(AT_FDCWD, path, path, &why);
	if (fd >= 0)
		return fd;
	if (why.code != ERR_NOT_FOUND)
		return err_move(e, &why);
	err_clear(&why);
	if (!(flags & STORE_CREATE))
		return err_set(e, ERR_NOT_FOUND, "there is no store at '%s'",
			       quote_str(quoted, path));
	if (path_make_dirs(path, STORE_MODE, e) < 0)
		return -1;
	return folder_open(AT_FDCWD, path, path, e);
}

/* The folder at `path` in the store, which is in `parent` (may be -1): 0, with -1 in `out` when it
 * is not there. */
static int open_part(const struct store *s, int parent, const char *path, int *out, struct err *e)
{
	struct err why = ERR_INIT;
	const char *slash = strrchr(path, '/');
	SCOPE_FREE char *shown = str_dupf(e, "%s/%s", s->path, path);

	if (!shown)
		return -1;
	*out = parent < 0 ? -1 : folder_open(parent, slash ? slash + 1 : path, shown, &why);
	if (why.code == ERR_NONE)
		return 0;
	if (why.code != ERR_NOT_FOUND)
		return err_move(e, &why);
	err_clear(&why);
	return 0;
}

static void close_parts(struct store *s)
{
	for (int i = 0; i < STORE_DIR_COUNT; i++) {
		if (i != STORE_DIR_ROOT)
			scope_close(&s->fds[i]);
		if (i != STORE_DIR_ROOT)
			s->fds[i] = -1;
	}
}

/* The folder of sessions is made by the first one, and may be hidden in a store of root: neither is
 * in the way of whoever has to do with images. */
static int open_sessions(struct store *s, struct err *e)
{
	struct err why = ERR_INIT;

	if (open_part(s, s->fds[STORE_DIR_SHALE], "shale/sessions", &s->fds[STORE_DIR_SESSIONS],
		      &why) == 0)
		return 0;
	if (why.code != ERR_SYS || why.sys != EACCES)
		return err_move(e, &why);
	err_clear(&why);
	return 0;
}

/* 1 when all folders are there that a store must have, 0 when some are not. */
static int open_parts(struct store *s, struct err *e)
{
	SCOPE_FD int blobs = -1;
	int *fds = s->fds;

	if (open_part(s, fds[STORE_DIR_ROOT], "blobs", &blobs, e) < 0 ||
	    open_part(s, blobs, "blobs/sha256", &fds[STORE_DIR_BLOBS_SHA256], e) < 0 ||
	    open_part(s, blobs, "blobs/sha512", &fds[STORE_DIR_BLOBS_SHA512], e) < 0 ||
	    open_part(s, fds[STORE_DIR_ROOT], "shale", &fds[STORE_DIR_SHALE], e) < 0)
		return -1;
	const int version = layout_check_version(fds[STORE_DIR_SHALE], s->path, e);
	if (version < 0)
		return -1;
	if (version == 0) {
		scope_close(&fds[STORE_DIR_SHALE]);
		fds[STORE_DIR_SHALE] = -1;
	}
	const int shale = fds[STORE_DIR_SHALE];
	if (open_part(s, shale, "shale/leases", &fds[STORE_DIR_LEASES], e) < 0 ||
	    open_part(s, shale, "shale/layers", &fds[STORE_DIR_LAYERS], e) < 0 ||
	    open_part(s, shale, "shale/catalogs", &fds[STORE_DIR_CATALOGS], e) < 0 ||
	    open_sessions(s, e) < 0)
		return -1;
	for (int i = 0; i < STORE_DIR_COUNT; i++) {
		if (fds[i] < 0 && i != STORE_DIR_SESSIONS)
			return 0;
	}
	return 1;
}

/* 0, or why some folder cannot be written. */
static int try_write(const struct store *s)
{
	for (int i = 0; i < STORE_DIR_COUNT; i++) {
		if (i != STORE_DIR_SESSIONS &&
		    faccessat(s->fds[i], ".", W_OK | X_OK, AT_EACCESS) < 0)
			return errno;
	}
	return 0;
}

/* 1 made, 0 cannot be, and write_errno says why: a layout that only others can write may still be
 * read. */
static int make_parts(struct store *s, enum layout_state state, struct err *e)
{
	struct err why = ERR_INIT;

	if (layout_make(s->fds[STORE_DIR_ROOT], s->path, state, &why) == 0)
		return 1;
	const bool is_read_only =
		why.code == ERR_SYS && (why.sys == EROFS || why.sys == EACCES || why.sys == EPERM);
	if (state != LAYOUT_WHOLE || !is_read_only)
		return err_move(e, &why);
	s->write_errno = why.sys;
	err_clear(&why);
	return 0;
}

static int open_store(struct store *s, unsigned flags, struct err *e)
{
	char quoted[QUOTE_MAX];
	enum layout_state state;

	s->fds[STORE_DIR_ROOT] = open_root(s->path, flags, e);
	if (s->fds[STORE_DIR_ROOT] < 0 ||
	    layout_check(s->fds[STORE_DIR_ROOT], s->path, &state, e) < 0)
		return -1;
	if (state == LAYOUT_UNFINISHED && !(flags & STORE_CREATE))
		return err_set(e, ERR_NOT_FOUND, "there is no store at '%s' yet",
			       quote_str(quoted, s->path));
	int is_whole = open_parts(s, e);
	if (is_whole < 0)
		return -1;
	s->write_errno = ENOENT;
	if (flags & (STORE_CREATE | STORE_WRITE) && (!is_whole || state == LAYOUT_UNFINISHED)) {
		const int made = make_parts(s, state, e);
		if (made < 0)
			return -1;
		close_parts(s);
		is_whole = open_parts(s, e);
		if (is_whole < 0)
			return -1;
	}
	if (is_whole)
		s->write_errno = try_write(s);
	return 0;
}

int store_open(const char *path, unsigned flags, struct store **out, struct err *e)
{
	SCOPE(store) struct store *s = array_new(1, sizeof(*s), e);

	if (!s)
		return -1;
	for (int i = 0; i < STORE_DIR_COUNT; i++)
		s->fds[i] = -1;
	s->path = store_find_path(path, e);
	if (!s->path || open_store(s, flags, e) < 0)
		return -1;
	*out = steal_ptr(&s);
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	for (int i = 0; i < STORE_DIR_COUNT; i++)
		scope_close(&s->fds[i]);
	free(s->path);
	free(s);
}

const char *store_path(const struct store *s)
{
	return s->path;
}

bool store_is_writable(const struct store *s)
{
	return s->write_errno == 0;
}

int store_write_errno(const struct store *s)
{
	return s->write_errno;
}

int store_dirfd(const struct store *s, enum store_dir dir)
{
	return s->fds[dir];
}
