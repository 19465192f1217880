/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tmpfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/quote.h"
#include "base/scope.h"

#define LITTER_PREFIX ".shale-"
#define LITTER_SUFFIX ".tmp"

enum {
	LITTER_HEX = 16,
	LITTER_LEN = sizeof(LITTER_PREFIX) - 1 + LITTER_HEX + sizeof(LITTER_SUFFIX) - 1,
	LITTER_TRIES = 16, /* 64 random bits do not collide by chance */
	PROC_PATH_MAX = sizeof("/proc/self/fd/") + 11,
	MODE_MEANWHILE = 0600,
};

_Static_assert((int)LITTER_LEN < (int)TMPFILE_LITTER_MAX, "a name of litter fits");

static int open_unnamed(int dirfd)
{
	return openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, MODE_MEANWHILE);
}

/* open(2): kernels that do not know O_TMPFILE see a directory opened for writing. */
static bool has_no_unnamed(int sys)
{
	return sys == EOPNOTSUPP || sys == EISDIR;
}

int tmpfile_open_at(int dirfd, struct err *e)
{
	const int fd = open_unnamed(dirfd);

	if (fd >= 0)
		return fd;
	if (has_no_unnamed(errno))
		return err_set(e, ERR_UNSUPPORTED,
			       "cannot create a temporary file: "
			       "the file system has no unnamed files (O_TMPFILE)");
	return err_sys(e, errno, "cannot create a temporary file");
}

static int sync_fd(int fd)
{
	int rc;

	do {
		rc = fsync(fd);
	} while (rc < 0 && errno == EINTR);
	return rc;
}

/* Gives the open file a name: 0, or -1 with errno. */
static int link_fd(int fd, int dirfd, const char *name)
{
	char path[PROC_PATH_MAX];

	/* AT_EMPTY_PATH on the fd itself would need CAP_DAC_READ_SEARCH. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, dirfd, name, AT_SYMLINK_FOLLOW);
}

/* The mode goes first, so that it is durable with the content. */
static int settle(int fd, mode_t mode, const char *quoted, struct err *e)
{
	if (fchmod(fd, mode) < 0)
		return err_sys(e, errno, "cannot set the mode of '%s'", quoted);
	if (sync_fd(fd) < 0)
		return err_sys(e, errno, "cannot sync '%s'", quoted);
	return 0;
}

static int settle_dir(int dirfd, const char *quoted, struct err *e)
{
	if (sync_fd(dirfd) < 0)
		return err_sys(e, errno, "cannot sync the directory of '%s'", quoted);
	return 0;
}

int tmpfile_publish_at(int fd, int dirfd, const char *name, mode_t mode, struct err *e)
{
	char quoted[QUOTE_MAX];
	int is_new = 1;

	quote_str(quoted, name);
	if (settle(fd, mode, quoted, e) < 0)
		return -1;
	if (link_fd(fd, dirfd, name) < 0) {
		if (errno != EEXIST)
			return err_sys(e, errno, "cannot create '%s'", quoted);
		is_new = 0;
	}
	/* Also for an old name: whoever made it may not have synced the directory yet. */
	if (settle_dir(dirfd, quoted, e) < 0)
		return -1;
	return is_new;
}

/* 0, or -1 with errno. */
static int random_litter(char litter[static LITTER_LEN + 1])
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -1;
	snprintf(litter, LITTER_LEN + 1, LITTER_PREFIX "%016" PRIx64 LITTER_SUFFIX, random);
	return 0;
}

/* Links the file under a random name, which goes to `litter`: 0, or -1 with errno. */
static int link_litter(int fd, int dirfd, char litter[static LITTER_LEN + 1])
{
	for (int tries = 0; tries < LITTER_TRIES; tries++) {
		if (random_litter(litter) < 0)
			return -1;
		if (link_fd(fd, dirfd, litter) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

int tmpfile_replace_at(int fd, int dirfd, const char *name, mode_t mode, struct err *e)
{
	char quoted[QUOTE_MAX], litter[LITTER_LEN + 1];

	quote_str(quoted, name);
	if (settle(fd, mode, quoted, e) < 0)
		return -1;
	if (link_litter(fd, dirfd, litter) < 0)
		return err_sys(e, errno, "cannot create '%s'", quoted);
	if (renameat(dirfd, litter, dirfd, name) < 0) {
		err_sys(e, errno, "cannot replace '%s'", quoted);
		unlinkat(dirfd, litter, 0);
		return -1;
	}
	return settle_dir(dirfd, quoted, e);
}

int tmpfile_write_at(int dirfd, const char *name, mode_t mode, const void *bytes, size_t len,
		     struct err *e)
{
	char quoted[QUOTE_MAX];

	quote_str(quoted, name);
	SCOPE_FD int fd = tmpfile_open_at(dirfd, e);
	if (fd < 0)
		return err_wrap(e, "'%s'", quoted);
	if (io_write_all(fd, bytes, len) < 0)
		return err_sys(e, errno, "cannot write '%s'", quoted);
	return tmpfile_replace_at(fd, dirfd, name, mode, e);
}

/* A file under a random name: an fd, or -1 with errno. */
static int open_named(int dirfd, char litter[static LITTER_LEN + 1])
{
	for (int tries = 0; tries < LITTER_TRIES; tries++) {
		if (random_litter(litter) < 0)
			return -1;
		const int fd =
			openat(dirfd, litter, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			       MODE_MEANWHILE);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

int tmpfile_create_at(int dirfd, char litter[static TMPFILE_LITTER_MAX], struct err *e)
{
	int fd = open_unnamed(dirfd);

	litter[0] = '\0';
	if (fd >= 0)
		return fd;
	if (has_no_unnamed(errno))
		fd = open_named(dirfd, litter);
	if (fd >= 0)
		return fd;
	litter[0] = '\0';
	return err_sys(e, errno, "cannot create a temporary file");
}

/* The file has a name already, because it could not be without. */
static int place_named(int fd, int dirfd, const char *litter, const char *name, mode_t mode,
		       struct err *e)
{
	char quoted[QUOTE_MAX];

	quote_str(quoted, name);
	/* FAT has no modes, and says so in this way. */
	if (fchmod(fd, mode) < 0 && errno != EPERM)
		return err_sys(e, errno, "cannot set the mode of '%s'", quoted);
	if (sync_fd(fd) < 0)
		return err_sys(e, errno, "cannot sync '%s'", quoted);
	if (renameat(dirfd, litter, dirfd, name) < 0)
		return err_sys(e, errno, "cannot replace '%s'", quoted);
	return settle_dir(dirfd, quoted, e);
}

int tmpfile_place_at(int fd, int dirfd, const char *litter, const char *name, mode_t mode,
		     struct err *e)
{
	if (*litter)
		return place_named(fd, dirfd, litter, name, mode, e);
	const int is_new = tmpfile_publish_at(fd, dirfd, name, mode, e);
	if (is_new != 0)
		return is_new < 0 ? -1 : 0;
	return tmpfile_replace_at(fd, dirfd, name, mode, e);
}

bool tmpfile_is_litter(const char *name)
{
	const size_t prefix = sizeof(LITTER_PREFIX) - 1;

	return strlen(name) == LITTER_LEN && str_has_prefix(name, LITTER_PREFIX) &&
	       str_has_suffix(name, LITTER_SUFFIX) &&
	       strspn(name + prefix, "0123456789abcdef") == LITTER_HEX;
}
