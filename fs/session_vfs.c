/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/session_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define VFS_NAME "shale"

enum {
	FRAME_HEADER = 24, /* bytes; no page is that small */
	COMMIT_AT = 4,     /* where a frame's header says that it commits: not 0 */
	/* A transaction that has more is written piece by piece.  SQLite's own VFS writes no more
	 * than 128 KiB at once (seekAndWriteFd of its os_unix.c). */
	BUFFER_SIZE = 64 * 1024,
};

/* A log.  SQLite allocates it, with the file of the VFS below behind it. */
struct log_file {
	sqlite3_file base;
	sqlite3_file *real;
	uint8_t *buffer;
	sqlite3_int64 start; /* of what the buffer holds, in the file */
	int used;
	bool is_commit; /* the page that comes next ends a transaction */
};

static sqlite3_vfs vfs;

static struct log_file *log_of(sqlite3_file *f)
{
	return (struct log_file *)f;
}

static int flush(struct log_file *l)
{
	const int used = l->used;

	if (used == 0)
		return SQLITE_OK;
	l->used = 0;
	return l->real->pMethods->xWrite(l->real, l->buffer, used, l->start);
}

static int log_close(sqlite3_file *f)
{
	struct log_file *l = log_of(f);
	const int flushed = flush(l);

	free(l->buffer);
	const int closed = l->real->pMethods->xClose(l->real);
	return flushed != SQLITE_OK ? flushed : closed;
}

static int log_read(sqlite3_file *f, void *buf, int len, sqlite3_int64 at)
{
	struct log_file *l = log_of(f);

	if (l->used && at < l->start + l->used && at + len > l->start) {
		const int r = flush(l);
		if (r != SQLITE_OK)
			return r;
	}
	return l->real->pMethods->xRead(l->real, buf, len, at);
}

static bool fits(const struct log_file *l, int len, sqlite3_int64 at)
{
	return l->used == 0 || (at == l->start + l->used && len <= BUFFER_SIZE - l->used);
}

static int log_write(sqlite3_file *f, const void *buf, int len, sqlite3_int64 at)
{
	static const uint8_t zeros[4];
	struct log_file *l = log_of(f);
	const bool ends = l->is_commit && len != FRAME_HEADER;

	l->is_commit = len == FRAME_HEADER &&
		       memcmp((const uint8_t *)buf + COMMIT_AT, zeros, sizeof(zeros)) != 0;
	if (!fits(l, len, at)) {
		const int r = flush(l);
		if (r != SQLITE_OK)
			return r;
	}
	if (len > BUFFER_SIZE)
		return l->real->pMethods->xWrite(l->real, buf, len, at);
	if (l->used == 0)
		l->start = at;
	memcpy(l->buffer + l->used, buf, (size_t)len);
	l->used += len;
	return ends ? flush(l) : SQLITE_OK;
}

static int log_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct log_file *l = log_of(f);
	const int r = flush(l);

	return r != SQLITE_OK ? r : l->real->pMethods->xTruncate(l->real, size);
}

static int log_sync(sqlite3_file *f, int flags)
{
	struct log_file *l = log_of(f);
	const int r = flush(l);

	return r != SQLITE_OK ? r : l->real->pMethods->xSync(l->real, flags);
}

static int log_size(sqlite3_file *f, sqlite3_int64 *out)
{
	struct log_file *l = log_of(f);
	const int r = flush(l);

	return r != SQLITE_OK ? r : l->real->pMethods->xFileSize(l->real, out);
}

static int log_lock(sqlite3_file *f, int how)
{
	struct log_file *l = log_of(f);

	return l->real->pMethods->xLock(l->real, how);
}

static int log_unlock(sqlite3_file *f, int how)
{
	struct log_file *l = log_of(f);

	return l->real->pMethods->xUnlock(l->real, how);
}

static int log_is_reserved(sqlite3_file *f, int *out)
{
	struct log_file *l = log_of(f);

	return l->real->pMethods->xCheckReservedLock(l->real, out);
}

static int log_control(sqlite3_file *f, int op, void *arg)
{
	struct log_file *l = log_of(f);

	return l->real->pMethods->xFileControl(l->real, op, arg);
}

static int log_sector_size(sqlite3_file *f)
{
	struct log_file *l = log_of(f);

	return l->real->pMethods->xSectorSize(l->real);
}

static int log_characteristics(sqlite3_file *f)
{
	struct log_file *l = log_of(f);

	return l->real->pMethods->xDeviceCharacteristics(l->real);
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = log_close,
	.xRead = log_read,
	.xWrite = log_write,
	.xTruncate = log_truncate,
	.xSync = log_sync,
	.xFileSize = log_size,
	.xLock = log_lock,
	.xUnlock = log_unlock,
	.xCheckReservedLock = log_is_reserved,
	.xFileControl = log_control,
	.xSectorSize = log_sector_size,
	.xDeviceCharacteristics = log_characteristics,
};

static sqlite3_vfs *below(sqlite3_vfs *v)
{
	return v->pAppData;
}

static int open_log(sqlite3_vfs *v, const char *name, struct log_file *l, int flags, int *out_flags)
{
	l->real = (sqlite3_file *)(l + 1);
	l->buffer = malloc(BUFFER_SIZE);
	if (!l->buffer)
		return SQLITE_NOMEM;
	const int r = below(v)->xOpen(below(v), name, l->real, flags, out_flags);
	if (r != SQLITE_OK) {
		free(l->buffer);
		return r;
	}
	l->base.pMethods = &methods;
	return SQLITE_OK;
}

static int vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
	if (!(flags & SQLITE_OPEN_WAL))
		return below(v)->xOpen(below(v), name, f, flags, out_flags);
	memset(f, 0, (size_t)v->szOsFile);
	return open_log(v, name, log_of(f), flags, out_flags);
}

/* Nobody asks how much memory SQLite has, for which it locks at each allocation, and a connection
 * is one session's, under its lock.  A third of what a request costs it. */
static void configure(void)
{
	/* No more than slower where something else in the process has begun with SQLite. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	(void)sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
}

static void register_vfs(void)
{
	configure();
	sqlite3_vfs *real = sqlite3_vfs_find(NULL);

	if (!real)
		return;
	vfs = *real; /* of whose functions xOpen alone looks at pAppData */
	vfs.pNext = NULL;
	vfs.zName = VFS_NAME;
	vfs.szOsFile = (int)sizeof(struct log_file) + real->szOsFile;
	vfs.pAppData = real;
	vfs.xOpen = vfs_open;
	(void)sqlite3_vfs_register(&vfs, 0);
}

const char *session_vfs(struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, register_vfs);
	if (sqlite3_vfs_find(VFS_NAME))
		return VFS_NAME;
	err_nomem(e);
	return NULL;
}
