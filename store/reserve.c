/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scope.h"
#include "store/layout.h"

#define RESERVE_FILE "reserve"

enum {
	RESERVE_MODE = 0600,
	RESERVE_STEP = 64 * 1024,  /* so that it is not made anew for every name */
	RESERVE_SLACK = 16 * 1024, /* for what the names of new files take in their folders */
	STAT_BLOCK = 512,          /* stat(2): the unit of st_blocks */
};

/* 0, or -1 with errno. */
static int allocate(int fd, off_t size)
{
	int rc;

	/* Not posix_fallocate(3), which would write where the file system cannot allocate: what is
	 * written may be compressed to nothing. */
	do {
		rc = fallocate(fd, 0, 0, size);
	} while (rc < 0 && errno == EINTR);
	return rc;
}

void reserve_fill(const struct store *s)
{
	const int dir = store_dirfd(s, STORE_DIR_SHALE);
	struct stat index, old;

	if (fstatat(store_dirfd(s, STORE_DIR_ROOT), LAYOUT_INDEX, &index, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	const off_t size =
		(index.st_size + RESERVE_SLACK + RESERVE_STEP - 1) / RESERVE_STEP * RESERVE_STEP;
	if (fstatat(dir, RESERVE_FILE, &old, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISREG(old.st_mode) && (off_t)old.st_blocks * STAT_BLOCK >= size)
			return;
		unlinkat(dir, RESERVE_FILE, 0);
	}
	SCOPE_FD int fd =
		openat(dir, RESERVE_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       RESERVE_MODE);
	if (fd >= 0 && allocate(fd, size) < 0)
		unlinkat(dir, RESERVE_FILE, 0);
}

bool reserve_release(const struct store *s)
{
	return unlinkat(store_dirfd(s, STORE_DIR_SHALE), RESERVE_FILE, 0) == 0;
}
