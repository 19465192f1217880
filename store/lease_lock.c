/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks of open files (fcntl(2), F_OFD_SETLK) and not of processes: they are inherited over fork,
 * as those of flock(2) are, and threads have them apart.  Read locks, which exclude nobody.
 */
#include "store/lease_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "base/scope.h"
#include "store/blobs.h"
#include "store/folder.h"
#include "store/layout.h"

int lease_lock_open(const struct store *s, struct err *e)
{
	return folder_open_own(store_dirfd(s, STORE_DIR_SHALE), LAYOUT_VERSION_FILE, NULL, e);
}

static off_t place_of(const struct digest *d)
{
	uint64_t place = 0;

	for (size_t i = 0; i < sizeof(place); i++)
		place = place << CHAR_BIT | d->raw[i];
	/* An offset, and the one after it, are signed numbers. */
	return (off_t)(place >> 2);
}

int lease_lock_add(int fd, const struct digest *d, struct err *e)
{
	struct flock lock = {
		.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = place_of(d), .l_len = 1};
	int rc;

	do {
		rc = fcntl(fd, F_OFD_SETLK, &lock);
	} while (rc < 0 && errno == EINTR);
	return rc < 0 ? err_sys(e, errno, "cannot lock a digest in the store") : 0;
}

/* 1 somebody has a lock there, 0 nobody, -1.  `len` 0: up to the end. */
static int is_locked(int fd, off_t start, off_t len, struct err *e)
{
	/* A write lock would be in the way of any. */
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	/* Where there are no such locks, nobody has one. */
	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return errno == EINVAL || errno == ENOLCK || errno == EOPNOTSUPP
			       ? 0
			       : err_sys(e, errno, "cannot test the locks of the store");
	return lock.l_type != F_UNLCK;
}

struct visit {
	int fd;
	int (*each)(void *ctx, const struct digest *d, struct err *e);
	void *ctx;
};

/* blobs_visit */
static int visit_blob(void *ctx, const struct digest *d, const char *name, const struct stat *st,
		      struct err *e)
{
	const struct visit *v = ctx;

	(void)name;
	(void)st;
	if (!d)
		return 0;
	const int r = is_locked(v->fd, place_of(d), 1, e);
	return r == 1 ? v->each(v->ctx, d, e) : r;
}

int lease_lock_visit(const struct store *s,
		     int (*each)(void *ctx, const struct digest *d, struct err *e), void *ctx,
		     struct err *e)
{
	if (store_dirfd(s, STORE_DIR_SHALE) < 0)
		return 0;
	SCOPE_FD int fd = lease_lock_open(s, e);
	if (fd < 0)
		return -1;
	const int r = is_locked(fd, 0, 0, e);
	if (r < 1)
		return r;
	struct visit v = {fd, each, ctx};
	return blobs_visit(s, visit_blob, &v, e);
}
