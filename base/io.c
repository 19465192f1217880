/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/quote.h"

enum {
	SLURP_STEP = 64 * 1024,
	SYNC_STEP = 8 * 1024 * 1024, /* more than a disk takes as one request */
};

ssize_t io_read(int fd, void *buf, size_t len)
{
	ssize_t n;

	do {
		n = read(fd, buf, len);
	} while (n < 0 && errno == EINTR);
	return n;
}

ssize_t io_read_full(int fd, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		const ssize_t n = io_read(fd, (char *)buf + done, len - done);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* pread and pwrite take a signed offset; what does not fit is an error and not a wrap-around. */
static int offset_is_bad(uint64_t offset, size_t len)
{
	if (offset <= INT64_MAX && len <= (uint64_t)INT64_MAX - offset)
		return 0;
	errno = EOVERFLOW;
	return 1;
}

ssize_t io_pread_full(int fd, void *buf, size_t len, uint64_t offset)
{
	size_t done = 0;

	if (offset_is_bad(offset, len))
		return -1;
	while (done < len) {
		const ssize_t n = pread(fd, (char *)buf + done, len - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int io_write_all(int fd, const void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		const ssize_t n = write(fd, (const char *)buf + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

void io_start_sync(int fd, uint64_t size, uint64_t *started)
{
	if (size - *started < SYNC_STEP)
		return;
	(void)sync_file_range(fd, (off_t)*started, (off_t)(size - *started), SYNC_FILE_RANGE_WRITE);
	*started = size;
}

int io_pwrite_all(int fd, const void *buf, size_t len, uint64_t offset)
{
	size_t done = 0;

	if (offset_is_bad(offset, len))
		return -1;
	while (done < len) {
		const ssize_t n =
			pwrite(fd, (const char *)buf + done, len - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

/* The next bytes of `fd` into `out`: the count, or -1. */
static ssize_t slurp_step(int fd, uint64_t left, const char *what, struct str *out, struct err *e)
{
	/* One byte above what is allowed tells "too long" from "at its end". */
	const size_t want = left < SLURP_STEP ? (size_t)left + 1 : SLURP_STEP;

	if (str_reserve(out, want, e) < 0)
		return -1;
	const ssize_t n = io_read(fd, out->data + out->len, want);
	if (n < 0)
		return err_sys(e, errno, "%s: cannot read", what);
	out->len += (size_t)n;
	out->data[out->len] = '\0';
	return n;
}

int io_slurp(int fd, uint64_t limit, const char *what, struct str *out, struct err *e)
{
	const size_t before = out->len;

	for (;;) {
		const uint64_t got = out->len - before;
		if (got > limit) {
			err_set(e, ERR_LIMIT, "%s: more than %" PRIu64 " bytes", what, limit);
			break;
		}
		const ssize_t n = slurp_step(fd, limit - got, what, out, e);
		if (n == 0)
			return 0;
		if (n < 0)
			break;
	}
	str_truncate(out, before);
	return -1;
}

int io_slurp_path(const char *path, uint64_t limit, struct str *out, struct err *e)
{
	char quoted[QUOTE_MAX], what[QUOTE_MAX + 2];
	struct stat st;

	quote_str(quoted, path);
	/* O_NONBLOCK: the open of a FIFO without a writer would wait for ever. */
	SCOPE_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_sys(e, errno, "cannot open '%s'", quoted);
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot stat '%s'", quoted);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_UNSUPPORTED, "'%s' is not a regular file", quoted);
	snprintf(what, sizeof(what), "'%s'", quoted);
	return io_slurp(fd, limit, what, out, e);
}
