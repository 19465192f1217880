/* SPDX-License-Identifier: Apache-2.0 */
#include "store/locks.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/quote.h"
#include "base/scope.h"
#include "store/folder.h"

enum { LOCK_FILE_MODE = 0600 };

/* A store is refused that belongs to anybody but this user and root. */
static bool is_of_root(const struct store *s)
{
	struct stat st;

	return fstat(store_dirfd(s, STORE_DIR_ROOT), &st) == 0 && st.st_uid != geteuid();
}

int locks_need_writable(const struct store *s, struct err *e)
{
	const int sys = store_write_errno(s);
	char quoted[QUOTE_MAX];

	quote_str(quoted, store_path(s));
	if (sys == 0)
		return 0;
	if (sys == ENOENT)
		return err_set(e, ERR_UNSUPPORTED,
			       "'%s' is an image layout without shale's own folder, which 'shale "
			       "fsck --repair' adds",
			       quoted);
	if (sys != EROFS && is_of_root(s))
		return err_sys(e, sys,
			       "the store '%s' belongs to root (uid 0), and you (uid %u) may only "
			       "read it",
			       quoted, (unsigned)geteuid());
	return err_sys(e, sys, "cannot write to the store '%s'", quoted);
}

int locks_open(const struct store *s, const char *name, struct err *e)
{
	if (locks_need_writable(s, e) < 0)
		return -1;
	/* For writing: NFS gives an exclusive lock to nobody else. */
	SCOPE_FD int fd =
		openat(store_dirfd(s, STORE_DIR_SHALE), name,
		       O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, LOCK_FILE_MODE);
	if (fd < 0)
		return err_sys(e, errno, "cannot open the store's '%s'", name);
	/* Who else can open it can hold it for ever. */
	if (folder_check_owner(fd, name, e) < 0) {
		char quoted[QUOTE_MAX];
		return err_wrap(e, "store '%s'", quote_str(quoted, store_path(s)));
	}
	return steal_fd(&fd);
}

int locks_wait(int fd, enum locks_mode mode, struct err *e)
{
	const int how = mode == LOCKS_EXCLUSIVE ? LOCK_EX : LOCK_SH;
	int rc;

	do {
		rc = flock(fd, how);
	} while (rc < 0 && errno == EINTR);
	return rc < 0 ? err_sys(e, errno, "cannot lock the store") : 0;
}

int locks_take(const struct store *s, const char *name, enum locks_mode mode, struct err *e)
{
	SCOPE_FD int fd = locks_open(s, name, e);

	if (fd < 0 || locks_wait(fd, mode, e) < 0)
		return -1;
	return steal_fd(&fd);
}
