/* SPDX-License-Identifier: Apache-2.0 */
#include "store/outside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/quote.h"
#include "base/scope.h"
#include "base/str.h"

enum { OPEN_DIR = O_PATH | O_DIRECTORY | O_CLOEXEC };

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* One of its folders may be mounted elsewhere: there the way up does not lead to the store. */
static bool is_of_store(const struct store *s, const struct stat *st)
{
	for (int i = 0; i < STORE_DIR_COUNT; i++) {
		const int fd = store_dirfd(s, (enum store_dir)i);
		struct stat own;
		if (fd >= 0 && fstat(fd, &own) == 0 && is_same(&own, st))
			return true;
	}
	return false;
}

/* 1 the directory is the store's or below it, 0 not.  Takes `fd` (-1: it is not there). */
static int is_inside(const struct store *s, int fd, struct err *e)
{
	SCOPE_FD int at = fd;
	struct stat st, above;

	if (at < 0)
		return 0;
	if (fstat(at, &st) < 0)
		return err_sys(e, errno, "cannot stat a directory");
	for (;;) {
		if (is_of_store(s, &st))
			return 1;
		const int up = openat(at, "..", OPEN_DIR);
		/* Nothing can be written below a directory that cannot be searched. */
		if (up < 0)
			return errno == EACCES || errno == ENOENT
				       ? 0
				       : err_sys(e, errno, "cannot open the directory above");
		(void)close(at);
		at = up;
		if (fstat(at, &above) < 0)
			return err_sys(e, errno, "cannot stat a directory");
		if (is_same(&st, &above))
			return 0;
		st = above;
	}
}

/* The directory that holds the name; -1 with a clean error when it is not there. */
static int open_parent(const char *path, struct err *e)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	while (len > 0 && path[len - 1] != '/')
		len--;
	SCOPE_FREE char *dir = len ? str_dup_n(path, len, e) : str_dup(".", e);
	return dir ? open(dir, OPEN_DIR) : -1;
}

static int is_parent_inside(const struct store *s, const char *path, struct err *e)
{
	const int fd = open_parent(path, e);

	return e->code ? -1 : is_inside(s, fd, e);
}

int outside_check(const struct store *s, const char *path, struct err *e)
{
	char quoted[QUOTE_MAX], store[QUOTE_MAX];
	/* What a link leads to, which is written then. */
	SCOPE_FREE char *real = realpath(path, NULL);

	int r = is_inside(s, open(path, OPEN_DIR), e);
	if (r == 0)
		r = is_parent_inside(s, path, e);
	if (r == 0 && real)
		r = is_parent_inside(s, real, e);
	quote_str(quoted, path);
	if (r < 0)
		return err_wrap(e, "'%s'", quoted);
	if (r == 0)
		return 0;
	return err_set(e, ERR_USAGE,
		       "'%s' is in the store '%s', whose files only shale itself may write: name a "
		       "place outside of it",
		       quoted, quote_str(store, store_path(s)));
}
