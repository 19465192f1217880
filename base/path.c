/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/quote.h"
#include "base/scope.h"

enum {
	/* openat2(2): EAGAIN when something was renamed while ".." was resolved. */
	OPEN_TRIES = 32,
	CREATE_MODE = 0600,
};

/* Takes the last component of what `out` holds after `start` away. */
static void drop_last(struct str *out, size_t start)
{
	size_t len = out->len;

	while (len > start && out->data[len - 1] != '/')
		len--;
	str_truncate(out, len > start ? len - 1 : start);
}

int path_clean(const char *path, struct str *out, struct err *e)
{
	const size_t start = out->len;

	/* The result is never longer than the path: nothing below can fail. */
	if (str_reserve(out, strlen(path), e) < 0)
		return -1;
	while (*path) {
		const size_t len = strcspn(path, "/");
		const char *name = path;
		path += len + (path[len] == '/');
		if (len == 0 || (len == 1 && name[0] == '.'))
			continue;
		if (len == 2 && memcmp(name, "..", 2) == 0) {
			drop_last(out, start);
			continue;
		}
		if (out->len > start && str_append_c(out, '/', e) < 0)
			return -1;
		if (str_append(out, name, len, e) < 0)
			return -1;
	}
	return 0;
}

bool path_has_name_with(const char *path, size_t len, const char *prefix)
{
	const size_t prefix_len = strlen(prefix);

	for (size_t at = 0; at < len; at++) {
		if ((at == 0 || path[at - 1] == '/') && len - at >= prefix_len &&
		    memcmp(path + at, prefix, prefix_len) == 0)
			return true;
	}
	return false;
}

int path_open_beneath(int dirfd, const char *path, int flags, unsigned how)
{
	struct open_how open_how = {
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int tries = OPEN_TRIES;
	long fd;

	flags |= O_CLOEXEC;
	/* openat2 refuses flags that mean nothing to O_PATH, and a mode that creates nothing. */
	if (!(flags & O_PATH))
		flags |= O_NONBLOCK | O_NOCTTY;
	if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE)
		open_how.mode = CREATE_MODE;
	if (how & PATH_NO_SYMLINKS)
		open_how.resolve |= RESOLVE_NO_SYMLINKS;
	if (how & PATH_IN_ROOT)
		open_how.resolve = (open_how.resolve & ~(uint64_t)RESOLVE_BENEATH) |
				   RESOLVE_IN_ROOT | RESOLVE_NO_XDEV;
	open_how.flags = (unsigned)flags;

	do {
		fd = syscall(SYS_openat2, dirfd, path, &open_how, sizeof(open_how));
	} while (fd < 0 && (errno == EINTR || (errno == EAGAIN && --tries > 0)));
	return (int)fd;
}

/* The name of a new directory made durable in its parent: 0, or -1 with errno. */
static int sync_name(const char *path)
{
	SCOPE_FD int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	SCOPE_FD int parent = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Who may write into a directory may still not be allowed to read it. */
	if (parent < 0)
		return errno == EACCES ? 0 : -1;
	return fsync(parent);
}

/* One directory, new or there already: 0, or -1 with errno. */
static int make_dir(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return sync_name(path);
	const int sys = errno;
	const bool is_there = stat(path, &st) == 0;
	/* A read-only or automounted parent may say other things than EEXIST. */
	if (is_there && S_ISDIR(st.st_mode))
		return 0;
	if (sys != EEXIST)
		errno = sys;
	else if (is_there || errno == ENOENT) /* a file, or a link to nothing */
		errno = ENOTDIR;
	return -1;
}

int path_make_dirs(const char *path, mode_t mode, struct err *e)
{
	char quoted[QUOTE_MAX];
	SCOPE_FREE char *prefix = str_dup(path, e);

	if (!prefix)
		return -1;
	for (char *p = prefix; *p; p++) {
		if (*p != '/' || p == prefix)
			continue;
		*p = '\0';
		if (make_dir(prefix, mode) < 0)
			return err_sys(e, errno, "cannot create directory '%s'",
				       quote_str(quoted, prefix));
		*p = '/';
	}
	if (make_dir(prefix, mode) < 0)
		return err_sys(e, errno, "cannot create directory '%s'", quote_str(quoted, path));
	return 0;
}
