/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/session_boot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/scope.h"
#include "fs/session_check.h"
#include "fs/session_db.h"

#define BOOT_NAME    "boot"
#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

enum { BOOT_ID_MAX = 64 };

int session_boot_read(int dirfd, struct session_boot *b, struct err *e)
{
	char was[BOOT_ID_MAX];

	if (io_slurp_path(BOOT_ID_PATH, BOOT_ID_MAX, &b->id, e) < 0)
		return -1;
	SCOPE_FD int fd = openat(dirfd, BOOT_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	b->is_new = fd < 0 && errno == ENOENT;
	if (fd < 0 && !b->is_new)
		return err_sys(e, errno, "cannot open the session's file '" BOOT_NAME "'");
	const ssize_t n = fd < 0 ? 0 : io_read_full(fd, was, sizeof(was));
	if (n < 0)
		return err_sys(e, errno, "cannot read the session's file '" BOOT_NAME "'");
	b->is_same = (size_t)n == b->id.len && memcmp(was, b->id.data, b->id.len) == 0;
	return 0;
}

int session_boot_write(int dirfd, const struct session_boot *b, struct err *e)
{
	SCOPE_FD int fd =
		openat(dirfd, BOOT_NAME,
		       O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	/* Cut short by a power loss it is another boot's, as it should be. */
	if (fd < 0 || io_write_all(fd, b->id.data, b->id.len) < 0 || fsync(fd) < 0 ||
	    fsync(dirfd) < 0)
		return err_sys(e, errno, "cannot write the session's file '" BOOT_NAME "'");
	return 0;
}

bool session_was_used(int dirfd)
{
	struct stat st;

	return fstatat(dirfd, BOOT_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	       fstatat(dirfd, SESSION_DB_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0;
}
