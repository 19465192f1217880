/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/copy_dest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/path.h"
#include "base/quote.h"
#include "base/str.h"

enum { LINKS_MAX = 40 /* as the kernel follows in one path */ };

void copy_dest_fini(struct copy_dest *d)
{
	if (d->fd >= 0)
		close(d->fd);
	free(d->name);
	*d = (struct copy_dest)COPY_DEST_INIT;
}

/* Opens the directory that is to hold `path`, whose last component becomes the name. */
static int open_holder(struct copy_dest *d, const char *path, struct err *e)
{
	char quoted[QUOTE_MAX];
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	SCOPE_FREE char *parent =
		slash ? str_dup_n(path, slash == path ? 1 : (size_t)(slash - path), e)
		      : str_dup(".", e);
	if (!parent)
		return -1;
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(e, ERR_NOT_FOUND, "'%s' is no directory", quote_str(quoted, path));
	d->kind = COPY_DEST_NAME;
	d->name = str_dup(name, e);
	if (!d->name)
		return -1;
	d->fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "there is no directory '%s'",
			       quote_str(quoted, parent));
	return d->fd < 0 ? err_sys(e, errno, "cannot open '%s'", quote_str(quoted, parent)) : 0;
}

/* A file that somebody has open by another name: to replace it would take it from him. */
static bool is_open_file(const char *path, const struct stat *st)
{
	return S_ISREG(st->st_mode) &&
	       (str_has_prefix(path, "/dev/") || str_has_prefix(path, "/proc/"));
}

static bool is_stream(const char *path, const struct stat *st)
{
	return S_ISCHR(st->st_mode) || S_ISFIFO(st->st_mode) || is_open_file(path, st);
}

static int open_stream(struct copy_dest *d, const char *path, mode_t source, struct err *e)
{
	char quoted[QUOTE_MAX];
	struct stat st;

	if (!S_ISREG(source))
		return err_set(e, ERR_EXISTS, "'%s' can only take what a regular file holds",
			       quote_str(quoted, path));
	d->kind = COPY_DEST_STREAM;
	/* Appended, so that a file which has some output already keeps it. */
	d->fd = open(path, O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);
	if (d->fd < 0 || fstat(d->fd, &st) < 0)
		return err_sys(e, errno, "cannot open '%s'", quote_str(quoted, path));
	if (!is_stream(path, &st))
		return err_sys(e, EBUSY, "'%s' changed while it was opened",
			       quote_str(quoted, path));
	return 0;
}

/* What `path` leads to is there, and is no directory. */
static int open_existing(struct copy_dest *d, const char *path, const struct stat *st,
			 mode_t source, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (S_ISDIR(source))
		return err_set(e, ERR_EXISTS, "'%s' is a file, and the source a directory",
			       quote_str(quoted, path));
	if (is_stream(path, st))
		return open_stream(d, path, source, e);
	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_EXISTS, "'%s' is a block device or a socket",
			       quote_str(quoted, path));
	/* The link stays, and the file that it leads to is replaced. */
	SCOPE_FREE char *real = realpath(path, NULL);
	return real ? open_holder(d, real, e)
		    : err_sys(e, errno, "cannot open '%s'", quote_str(quoted, path));
}

int copy_dest_open(struct copy_dest *out, const char *path, mode_t source, struct err *e)
{
	SCOPE(str) struct str trimmed = STR_INIT;
	char quoted[QUOTE_MAX];
	struct stat st;

	out->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->fd >= 0)
		return 0;
	if (errno != ENOENT && errno != ENOTDIR)
		return err_sys(e, errno, "cannot open '%s'", quote_str(quoted, path));
	if (str_append_z(&trimmed, path, e) < 0)
		return -1;
	/* A directory that is to be made may be written with a "/" at its end. */
	while (S_ISDIR(source) && trimmed.len > 1 && trimmed.data[trimmed.len - 1] == '/')
		str_truncate(&trimmed, trimmed.len - 1);
	const char *name = str_text(&trimmed);
	const bool is_link = lstat(name, &st) == 0 && S_ISLNK(st.st_mode);
	/* A link cannot be written through a link, so it takes its place, as with cp -P. */
	if (is_link && S_ISLNK(source))
		return open_holder(out, name, e);
	if (stat(name, &st) == 0)
		return open_existing(out, name, &st, source, e);
	if (is_link)
		return err_set(e, ERR_EXISTS, "'%s' is a link that leads to nothing",
			       quote_str(quoted, name));
	return open_holder(out, name, e);
}

/* As open(2) in the image: -1 with errno. */
static int open_in(int root, const char *path, int flags)
{
	return path_open_beneath(root, path, flags | O_DIRECTORY, PATH_IN_ROOT);
}

static int set_open_error(const char *path, int sys, struct err *e)
{
	char quoted[QUOTE_MAX];

	quote_str(quoted, path);
	if (sys == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "there is no directory '%s' in the image", quoted);
	if (sys == EXDEV)
		return err_set(e, ERR_EXISTS,
			       "'%s' is on something else that is mounted there, which is no part "
			       "of the image",
			       quoted);
	return err_sys(e, sys, "cannot open '%s' in the image", quoted);
}

/* The directory that holds the last name of `path`, and that name: `d` has both. */
static int hold_in(struct copy_dest *d, int root, const char *path, struct err *e)
{
	char quoted[QUOTE_MAX];
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	SCOPE_FREE char *parent = slash && slash > path ? str_dup_n(path, (size_t)(slash - path), e)
							: str_dup("/", e);
	if (!parent)
		return -1;
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(e, ERR_NOT_FOUND, "'%s' is no directory in the image",
			       quote_str(quoted, path));
	copy_dest_fini(d);
	d->kind = COPY_DEST_NAME;
	d->name = str_dup(name, e);
	if (!d->name)
		return -1;
	d->fd = open_in(root, parent, O_RDONLY);
	return d->fd < 0 ? set_open_error(parent, errno, e) : 0;
}

/* The path that the link `name` of a directory leads to, from the same root: "/dir/target". */
static char *follow_in(const struct copy_dest *d, const char *path, struct err *e)
{
	char target[LIMIT_SYMLINK + 1];
	const ssize_t n = readlinkat(d->fd, d->name, target, sizeof(target) - 1);

	if (n < 0) {
		char quoted[QUOTE_MAX];
		err_sys(e, errno, "cannot read the link '%s' in the image",
			quote_str(quoted, path));
		return NULL;
	}
	target[n] = '\0';
	const char *slash = strrchr(path, '/');
	if (target[0] == '/' || !slash)
		return str_dup(target, e);
	return str_dupf(e, "%.*s/%s", (int)(slash - path), path, target);
}

/* 1 when `d` is what can be made or replaced, 0 when it is a link to be followed, -1. */
static int check_in(const struct copy_dest *d, const char *path, bool is_followed, mode_t source,
		    struct err *e)
{
	char quoted[QUOTE_MAX];
	struct stat st;

	if (fstatat(d->fd, d->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return err_sys(e, errno, "cannot stat '%s' in the image",
				       quote_str(quoted, path));
		return is_followed
			       ? err_set(e, ERR_EXISTS,
					 "a link in the image leads to '%s', which is not there",
					 quote_str(quoted, path))
			       : 1;
	}
	if (S_ISLNK(st.st_mode) && !S_ISLNK(source))
		return 0;
	if (S_ISDIR(source) && !S_ISLNK(st.st_mode))
		return err_set(e, ERR_EXISTS, "'%s' is a file, and the source a directory",
			       quote_str(quoted, path));
	return 1;
}

/* A path that leads to no directory: to its last name, wherever that is. */
static int find_in(struct copy_dest *d, int root, const char *path, mode_t source, struct err *e)
{
	char quoted[QUOTE_MAX];
	SCOPE_FREE char *at = str_dup(path, e);

	for (int links = 0; at && links <= LINKS_MAX; links++) {
		if (hold_in(d, root, at, e) < 0)
			return -1;
		const int r = check_in(d, at, links > 0, source, e);
		if (r != 0)
			return r < 0 ? -1 : 0;
		char *next = follow_in(d, at, e);
		free(at);
		at = next;
	}
	return e->code ? -1
		       : err_sys(e, ELOOP, "cannot open '%s' in the image",
				 quote_str(quoted, path));
}

int copy_dest_open_in(struct copy_dest *out, int root, const char *path, mode_t source,
		      struct err *e)
{
	SCOPE(str) struct str trimmed = STR_INIT;

	out->fd = open_in(root, path, O_RDONLY);
	if (out->fd >= 0)
		return 0;
	if (errno != ENOENT && errno != ENOTDIR)
		return set_open_error(path, errno, e);
	if (str_append_z(&trimmed, path, e) < 0)
		return -1;
	/* A directory that is to be made may be written with a "/" at its end. */
	while (S_ISDIR(source) && trimmed.len > 1 && trimmed.data[trimmed.len - 1] == '/')
		str_truncate(&trimmed, trimmed.len - 1);
	return find_in(out, root, str_text(&trimmed), source, e);
}
