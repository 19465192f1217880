/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/session_wal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/io.h"
#include "base/scope.h"
#include "fs/session_redo.h"

enum {
	WAL_HEADER = 32,
	FRAME_HEADER = 24,
	PAGE_MIN = 512,
	PAGE_MAX = 65536,
	MARK_PAGE = 2,
};

#define WAL_MAGIC_LE UINT32_C(0x377f0682) /* checksums of little-endian words; 1 more: big */

struct wal {
	int fd;
	bool is_big_endian; /* the words that checksums add up */
	uint32_t page_size;
	uint8_t salt[8];
	uint32_t sum[2]; /* so far */
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t word(const struct wal *w, const uint8_t *p)
{
	if (w->is_big_endian)
		return be32(p);
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void add_sum(struct wal *w, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i + 8 <= len; i += 8) {
		w->sum[0] += word(w, bytes + i) + w->sum[1];
		w->sum[1] += word(w, bytes + i + 4) + w->sum[0];
	}
}

static bool is_sum(const struct wal *w, const uint8_t *p)
{
	return be32(p) == w->sum[0] && be32(p + 4) == w->sum[1];
}

/* Whether the log has a header that counts. */
static bool read_header(struct wal *w, const uint8_t *h)
{
	const uint32_t magic = be32(h);

	if ((magic & ~UINT32_C(1)) != WAL_MAGIC_LE)
		return false;
	w->is_big_endian = magic & 1;
	w->page_size = be32(h + 8);
	if (w->page_size < PAGE_MIN || w->page_size > PAGE_MAX ||
	    (w->page_size & (w->page_size - 1)) != 0)
		return false;
	memcpy(w->salt, h + 16, sizeof(w->salt));
	w->sum[0] = w->sum[1] = 0;
	add_sum(w, h, 24);
	return is_sum(w, h + 24);
}

/* Whether `frame` is the next of the log, and no rest of an older one, or torn. */
static bool is_next(struct wal *w, const uint8_t *frame)
{
	if (memcmp(frame + 8, w->salt, sizeof(w->salt)) != 0)
		return false;
	add_sum(w, frame, 8);
	add_sum(w, frame + FRAME_HEADER, w->page_size);
	return is_sum(w, frame + 16);
}

/* Where the last transaction with the mark ends; 0 when there is none. */
static int find_end(struct wal *w, uint64_t *end, struct err *e)
{
	const size_t size = FRAME_HEADER + w->page_size;
	SCOPE_FREE uint8_t *frame = array_new(1, size, e);
	bool has_mark = false;

	if (!frame)
		return -1;
	for (uint64_t at = WAL_HEADER;; at += size) {
		const ssize_t n = io_pread_full(w->fd, frame, size, at);
		if (n < 0)
			return err_sys(e, errno, "cannot read the session's log");
		if ((size_t)n < size || !is_next(w, frame))
			return 0;
		has_mark |= be32(frame) == MARK_PAGE;
		/* The size of the database after it: set in the last frame of a transaction. */
		if (be32(frame + 4) == 0)
			continue;
		if (has_mark)
			*end = at + size;
		has_mark = false;
	}
}

static int cut(int fd, struct err *e)
{
	struct wal w = {.fd = fd};
	uint8_t header[WAL_HEADER];
	uint64_t end = 0;

	const ssize_t n = io_pread_full(fd, header, sizeof(header), 0);
	if (n < 0)
		return err_sys(e, errno, "cannot read the session's log");
	if ((size_t)n == sizeof(header) && read_header(&w, header) && find_end(&w, &end, e) < 0)
		return -1;
	if (ftruncate(fd, (off_t)end) < 0 || fsync(fd) < 0)
		return err_sys(e, errno, "cannot cut the session's log");
	return 0;
}

int session_wal_rewind(int dirfd, struct err *e)
{
	/* An index into the log, which SQLite makes anew. */
	if (unlinkat(dirfd, SESSION_SHM_NAME, 0) < 0 && errno != ENOENT)
		return err_sys(e, errno, "cannot remove the index of the session's log");
	/* All of it is younger than the mark. */
	if (session_redo_remove(dirfd, e) < 0)
		return -1;
	SCOPE_FD int fd = openat(dirfd, SESSION_WAL_NAME, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_sys(e, errno, "cannot open the session's log");
	return cut(fd, e);
}
