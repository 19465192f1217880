/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/session_redo.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/le.h"
#include "base/scope.h"

enum {
	REDO_MODE = 0600,
	/* Room that is taken at once, so that a full disk is seldom met by a request that makes
	 * room. */
	ROOM = 1024 * 1024,
	CHECKED_FROM = 4, /* the checksum is of all that comes behind it */
};

int session_redo_open(int dirfd, struct session_redo *out, struct err *e)
{
	struct stat st;

	*out = (struct session_redo)SESSION_REDO_INIT;
	SCOPE_FD int fd = openat(dirfd, SESSION_REDO_NAME,
				 O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, REDO_MODE);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot open the session's file '" SESSION_REDO_NAME "'");
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_FORMAT,
			       "the session's '" SESSION_REDO_NAME "' is no regular file");
	/* Where it fails each record takes its room itself. */
	(void)fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, ROOM);
	out->fd = steal_fd(&fd);
	return 0;
}

void session_redo_fini(struct session_redo *r)
{
	if (r->fd >= 0)
		close(r->fd);
	*r = (struct session_redo)SESSION_REDO_INIT;
}

static uint32_t checksum(const void *record, size_t len)
{
	return libdeflate_crc32(0, (const uint8_t *)record + CHECKED_FROM, len - CHECKED_FROM);
}

int session_redo_append(struct session_redo *r, uint64_t batch, struct str *record, struct err *e)
{
	uint8_t *at = (uint8_t *)record->data + CHECKED_FROM;
	const size_t len = record->len - SESSION_REDO_HEADER;

	if (len > UINT32_MAX)
		return err_set(e, ERR_LIMIT, "a request changes %zu bytes of rows", len);
	le_put32(&at, (uint32_t)len);
	le_put64(&at, batch);
	at = (uint8_t *)record->data;
	le_put32(&at, checksum(record->data, record->len));
	if (io_pwrite_all(r->fd, record->data, record->len, r->size) < 0) {
		err_sys(e, errno, "cannot write the session's redo log");
		/* With what lay there before, a part of it may be all of it. */
		(void)!ftruncate(r->fd, (off_t)r->size);
		return -1;
	}
	r->size += record->len;
	return 0;
}

int session_redo_read(const struct session_redo *r, uint64_t batch, uint64_t at, struct str *out,
		      struct err *e)
{
	uint8_t header[SESSION_REDO_HEADER];
	const uint8_t *h = header;
	struct stat st;

	ssize_t n = io_pread_full(r->fd, header, sizeof(header), at);
	if (n < 0 || fstat(r->fd, &st) < 0)
		return err_sys(e, errno, "cannot read the session's redo log");
	if ((size_t)n < sizeof(header))
		return 0;
	const uint32_t sum = le_get32(&h);
	const size_t len = SESSION_REDO_HEADER + (size_t)le_get32(&h);
	if (le_get64(&h) != batch || len > (uint64_t)st.st_size - at)
		return 0;
	str_truncate(out, 0);
	if (str_reserve(out, len, e) < 0)
		return -1;
	n = io_pread_full(r->fd, out->data, len, at);
	if (n < 0)
		return err_sys(e, errno, "cannot read the session's redo log");
	out->len = (size_t)n;
	return out->len == len && checksum(out->data, len) == sum;
}

int session_redo_remove(int dirfd, struct err *e)
{
	if (unlinkat(dirfd, SESSION_REDO_NAME, 0) < 0 && errno != ENOENT)
		return err_sys(e, errno, "cannot remove the session's redo log");
	return 0;
}

int session_redo_is_used(int dirfd, struct err *e)
{
	struct stat st;

	if (fstatat(dirfd, SESSION_REDO_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return st.st_size > 0;
	if (errno == ENOENT)
		return 0;
	return err_sys(e, errno, "cannot look at the session's redo log");
}
