/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/copy_dest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/quote.h"
#include "base/str.h"

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
