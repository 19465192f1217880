/* SPDX-License-Identifier: Apache-2.0 */
#include "store/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "base/quote.h"
#include "base/scope.h"
#include "base/tmpfile.h"

enum { ALL_MODE_BITS = 07777 };

static const char fallback_tmpdir[] = "/tmp";

static void close_dir(DIR *dir)
{
	if (dir)
		closedir(dir);
}
SCOPE_DEFINE(dir, DIR *, close_dir)

/* Why open(2) did not take `name` for a folder: the kernel says ENOTDIR for links, too. */
static int refuse_kind(int dirfd, const char *name, const char *quoted, struct err *e)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
		return err_set(e, ERR_UNTRUSTED,
			       "'%s' is a symbolic link, which shale does not follow", quoted);
	return err_set(e, ERR_FORMAT, "'%s' is not a directory", quoted);
}

int folder_check_owner(int fd, const char *shown, struct err *e)
{
	char quoted[QUOTE_MAX];
	struct stat st;
	const uid_t me = geteuid();

	quote_str(quoted, shown);
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot stat '%s'", quoted);
	/* Who must trust root anyway can use what root keeps. */
	if (st.st_uid != me && st.st_uid != 0)
		return err_set(e, ERR_UNTRUSTED,
			       "'%s' belongs to user %u, not to user %u%s: chown makes it safe, "
			       "when its content is known to be",
			       quoted, (unsigned)st.st_uid, (unsigned)me, me ? " or root" : "");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, ERR_UNTRUSTED,
			       "'%s' may be written by other users (mode %04o): chmod go-w makes "
			       "it safe",
			       quoted, (unsigned)st.st_mode & ALL_MODE_BITS);
	return 0;
}

int folder_open(int dirfd, const char *name, const char *shown, struct err *e)
{
	char quoted[QUOTE_MAX];
	SCOPE_FD int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	quote_str(quoted, shown);
	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "'%s' is not there", quoted);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return refuse_kind(dirfd, name, quoted, e);
	if (fd < 0)
		return err_sys(e, errno, "cannot open '%s'", quoted);
	if (folder_check_owner(fd, shown, e) < 0)
		return -1;
	return steal_fd(&fd);
}

int folder_open_file(int dirfd, const char *name, struct stat *st, struct err *e)
{
	char quoted[QUOTE_MAX];
	struct stat own;

	quote_str(quoted, name);
	if (dirfd < 0)
		return err_set(e, ERR_NOT_FOUND, "'%s' is not there", quoted);
	/* O_NONBLOCK: the open of a FIFO without a writer would wait for ever. */
	SCOPE_FD int fd =
		openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "'%s' is not there", quoted);
	if (fd < 0 && (errno == ELOOP || errno == ENXIO))
		return err_set(e, ERR_FORMAT, "'%s' is not a regular file", quoted);
	if (fd < 0)
		return err_sys(e, errno, "cannot open '%s'", quoted);
	if (!st)
		st = &own;
	if (fstat(fd, st) < 0)
		return err_sys(e, errno, "cannot stat '%s'", quoted);
	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_FORMAT, "'%s' is not a regular file", quoted);
	return steal_fd(&fd);
}

int folder_open_own(int dirfd, const char *name, struct stat *st, struct err *e)
{
	SCOPE_FD int fd = folder_open_file(dirfd, name, st, e);

	if (fd < 0 || folder_check_owner(fd, name, e) < 0)
		return -1;
	return steal_fd(&fd);
}

int folder_read_own(int dirfd, const char *name, uint64_t limit, struct str *out, struct err *e)
{
	char quoted[QUOTE_MAX], what[QUOTE_MAX + sizeof("''")];
	SCOPE_FD int fd = folder_open_own(dirfd, name, NULL, e);

	if (fd < 0)
		return -1;
	snprintf(what, sizeof(what), "'%s'", quote_str(quoted, name));
	return io_slurp(fd, limit, what, out, e);
}

struct folder_stamp folder_stamp(int dirfd, const char *name)
{
	struct stat st;

	if (dirfd < 0 || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return (struct folder_stamp){.is_there = false};
	return (struct folder_stamp){true, stamp_of(&st)};
}

bool folder_stamp_equal(const struct folder_stamp *a, const struct folder_stamp *b)
{
	return a->is_there == b->is_there && stamp_equal(&a->file, &b->file);
}

int folder_visit(int dirfd,
		 int (*each)(void *ctx, const char *name, const struct stat *st, struct err *e),
		 void *ctx, struct err *e)
{
	if (dirfd < 0)
		return 0;
	/* An open file of its own: the place in a directory is shared by duplicates. */
	SCOPE_FD int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "cannot open a folder of the store");
	SCOPE(dir) DIR *dir = fdopendir(fd);
	if (!dir)
		return err_sys(e, errno, "cannot read a folder of the store");
	steal_fd(&fd);

	for (;;) {
		struct stat st;

		errno = 0;
		const struct dirent *d = readdir(dir);
		if (!d && errno)
			return err_sys(e, errno, "cannot read a folder of the store");
		if (!d)
			return 0;
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno == ENOENT)
				continue;
			return err_sys(e, errno, "cannot stat a file of the store");
		}
		if (each(ctx, d->d_name, &st, e) < 0)
			return -1;
	}
}

int folder_remove(int dirfd, const char *name, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (unlinkat(dirfd, name, 0) == 0)
		return 1;
	if (errno == EISDIR && unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 1;
	if (errno == ENOENT)
		return 0;
	return err_sys(e, errno, "cannot remove '%s'", quote_str(quoted, name));
}

bool folder_parse_hex(const char *name, size_t len, struct digest *out)
{
	char text[DIGEST_STR_MAX];
	struct err why = ERR_INIT;
	const enum digest_alg alg =
		len == (size_t)2 * DIGEST_SHA256_LEN ? DIGEST_SHA256 : DIGEST_SHA512;

	if (len >= DIGEST_HEX_MAX)
		return false;
	const int text_len =
		snprintf(text, sizeof(text), "%s:%.*s", digest_alg_name(alg), (int)len, name);
	const bool is_digest = digest_parse(out, text, (size_t)text_len, &why) == 0;
	err_clear(&why);
	return is_digest;
}

bool folder_is_full(const struct err *e)
{
	return e->code == ERR_SYS && (e->sys == ENOSPC || e->sys == EDQUOT);
}

enum folder_place folder_first_place(const struct store *s)
{
	return store_is_writable(s) ? FOLDER_IN_STORE : FOLDER_IN_TMPDIR;
}

static int spill_to_tmpdir(struct err *e)
{
	const char *path = getenv("TMPDIR");
	char quoted[QUOTE_MAX];

	if (!path || path[0] != '/')
		path = fallback_tmpdir;
	SCOPE_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "cannot open '%s'", quote_str(quoted, path));
	return tmpfile_open_at(fd, e);
}

static int spill_to_memory(struct err *e)
{
	const int fd = memfd_create("shale", MFD_CLOEXEC);

	return fd < 0 ? err_sys(e, errno, "cannot create a file in memory") : fd;
}

int folder_spill(const struct store *s, enum store_dir dir, enum folder_place place, struct err *e)
{
	switch (place) {
	case FOLDER_IN_STORE:
		return tmpfile_open_at(store_dirfd(s, dir), e);
	case FOLDER_IN_TMPDIR:
		return spill_to_tmpdir(e);
	case FOLDER_IN_MEMORY:
		break;
	}
	return spill_to_memory(e);
}

bool folder_try_next(enum folder_place *place, enum folder_place last, struct err *e)
{
	if (*place >= last || !folder_is_full(e))
		return false;
	err_clear(e);
	*place = (enum folder_place)(*place + 1);
	return true;
}
