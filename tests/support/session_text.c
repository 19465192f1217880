/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/session_text.h"

#include <inttypes.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <zlib.h>

#include "base/limits.h"
#include "fs/session_data.h"

enum { CHUNK = 128 * SESSION_TEXT_SECTOR, XATTR_NAMES_MAX = 4096, XATTR_SHOWN = 256 };

static int add_sectors(struct session *s, uint64_t ino, struct str *out, struct err *e)
{
	uint8_t bytes[CHUNK];
	uint64_t at = 0;
	ssize_t n;

	if (str_append_c(out, '\t', e) < 0)
		return -1;
	while ((n = session_read(s, ino, at, bytes, sizeof(bytes), e)) > 0) {
		for (size_t i = 0; i < (size_t)n; i += SESSION_TEXT_SECTOR) {
			const size_t left = (size_t)n - i;
			const size_t len = left < SESSION_TEXT_SECTOR ? left : SESSION_TEXT_SECTOR;
			if (str_appendf(out, e, " %08lx", crc32(0, bytes + i, (unsigned)len)) < 0)
				return -1;
		}
		at += (uint64_t)n;
	}
	return n < 0 ? -1 : 0;
}

static int add_xattrs(struct session *s, uint64_t ino, struct str *out, struct err *e)
{
	char names[XATTR_NAMES_MAX], value[XATTR_SHOWN];
	size_t len = 0, value_len = 0;

	if (session_listxattr(s, ino, names, sizeof(names), &len, e) < 0)
		return -1;
	for (size_t at = 0; at < len && len <= sizeof(names); at += strlen(names + at) + 1) {
		if (session_getxattr(s, ino, names + at, value, sizeof(value), &value_len, e) < 0 ||
		    str_appendf(out, e, " %s=%.*s", names + at,
				(int)(value_len < sizeof(value) ? value_len : sizeof(value)),
				value) < 0)
			return -1;
	}
	return 0;
}

static int add_time(const struct timespec *ts, struct str *out, struct err *e)
{
	return str_appendf(out, e, " %" PRId64 ".%09ld", (int64_t)ts->tv_sec, ts->tv_nsec);
}

static int add_inode(struct session *s, uint64_t ino, struct str *out, struct err *e)
{
	char target[LIMIT_SYMLINK + 1];
	struct stat st;

	if (session_stat(s, ino, &st, e) < 0 ||
	    str_appendf(out, e, " %" PRIu64 " %o %lu %u %u %u:%u %" PRId64, ino, st.st_mode,
			(unsigned long)st.st_nlink, st.st_uid, st.st_gid, major(st.st_rdev),
			minor(st.st_rdev), (int64_t)st.st_size) < 0 ||
	    add_time(&st.st_atim, out, e) < 0 || add_time(&st.st_mtim, out, e) < 0 ||
	    add_time(&st.st_ctim, out, e) < 0 || add_xattrs(s, ino, out, e) < 0)
		return -1;
	if (S_ISLNK(st.st_mode) &&
	    (session_readlink(s, ino, target, e) < 0 || str_appendf(out, e, " -> %s", target) < 0))
		return -1;
	if (S_ISREG(st.st_mode) && add_sectors(s, ino, out, e) < 0)
		return -1;
	return str_append_c(out, '\n', e);
}

/* The next but "." and "..": 1, 0 at the end, -1. */
static int next_entry(struct session *s, uint64_t dir, uint64_t *at, struct session_dirent *out,
		      struct err *e)
{
	int more;

	do {
		more = session_readdir(s, dir, *at, out, e);
		*at = out->next;
	} while (more > 0 && (strcmp(out->name, ".") == 0 || strcmp(out->name, "..") == 0));
	return more;
}

/* NOLINTNEXTLINE(misc-no-recursion): a session's directories nest no deeper than LIMIT_DEPTH */
static int add_dir(struct session *s, uint64_t dir, struct str *path, struct str *out,
		   struct err *e)
{
	const size_t len = path->len;
	struct session_dirent de = {.ino = 0};
	uint64_t at = 0;
	int more;

	while ((more = next_entry(s, dir, &at, &de, e)) > 0) {
		if (str_appendf(path, e, "/%s", de.name) < 0 ||
		    str_append_z(out, str_text(path), e) < 0 || add_inode(s, de.ino, out, e) < 0 ||
		    (S_ISDIR(de.type) && add_dir(s, de.ino, path, out, e) < 0))
			return -1;
		str_truncate(path, len);
	}
	return more;
}

int session_text(struct session *s, struct str *out, struct err *e)
{
	SCOPE(str) struct str path = STR_INIT;

	if (str_append_c(out, '/', e) < 0 || add_inode(s, SESSION_ROOT, out, e) < 0)
		return -1;
	return add_dir(s, SESSION_ROOT, &path, out, e);
}

int session_text_content(struct session *s, uint64_t ino, struct str *out, struct err *e)
{
	uint8_t bytes[SESSION_TEXT_SECTOR];
	uint64_t at = 0;
	ssize_t n;

	if (str_appendf(out, e, "content %" PRIu64 " ", ino) < 0)
		return -1;
	while ((n = session_read(s, ino, at, bytes, sizeof(bytes), e)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (str_appendf(out, e, "%02x", bytes[i]) < 0)
				return -1;
		}
		at += (uint64_t)n;
	}
	return n < 0 ? -1 : str_append_c(out, '\n', e);
}

/* NOLINTNEXTLINE(misc-no-recursion): as add_dir */
int session_text_files(struct session *s, uint64_t dir,
		       int (*each)(void *ctx, uint64_t ino, struct err *e), void *ctx,
		       struct err *e)
{
	struct session_dirent de = {.ino = 0};
	uint64_t at = 0;
	int more;

	while ((more = next_entry(s, dir, &at, &de, e)) > 0) {
		int r = 0;
		if (S_ISDIR(de.type))
			r = session_text_files(s, de.ino, each, ctx, e);
		else if (S_ISREG(de.type))
			r = each(ctx, de.ino, e);
		if (r < 0)
			return -1;
	}
	return more;
}
