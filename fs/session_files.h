/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data files of an edit session: content by inode number, never by a path of the image.
 *
 * A file is "<ino>.<version>" in the session's folder data.  A row of the database says which
 * version counts; files that no row names are rubbish of a process that died, and are removed when
 * the session is resumed.  Some are kept open; a pinned one stays open until it is put back.
 *
 * Errors are ERR_SYS with ENOSPC, EDQUOT, EFBIG, EROFS, or EIO for any other trouble of the host.
 * Threads: one at a time, under the session's lock; reads from the fd of a pinned file need none.
 */
#ifndef FS_SESSION_FILES_H
#define FS_SESSION_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/u64map.h"

enum { SESSION_FILES_OPEN = 64 };

struct session_file {
	uint64_t ino; /* 0: free */
	uint32_t version;
	int fd;
	unsigned pins;
	uint64_t used; /* when, on `clock` */
};

struct session_files {
	int dirfd; /* borrowed */
	struct session_file open[SESSION_FILES_OPEN];
	uint64_t clock;
	struct u64map dirty; /* ino to version: written since they were synced */
	bool is_all_dirty;   /* so many that the whole file system is synced */
	bool has_new;        /* names that may not be on the disk */
	bool is_lost;        /* a sync failed: nobody knows what is on the disk (fsyncgate) */
};

void session_files_init(struct session_files *f, int dirfd);
void session_files_fini(struct session_files *f);

/* Pins it.  ERR_FORMAT when it is not there. */
struct session_file *session_files_get(struct session_files *f, uint64_t ino, uint32_t version,
				       struct err *e);
/* The same for one that is made, empty. */
struct session_file *session_files_create(struct session_files *f, uint64_t ino, uint32_t version,
					  struct err *e);
void session_files_put(struct session_file *file);

/* What the file does not reach reads as zeros. */
int session_file_read(const struct session_file *file, uint64_t offset, void *buf, size_t len,
		      struct err *e);
int session_file_write(const struct session_file *file, uint64_t offset, const void *buf,
		       size_t len, struct err *e);
/* Zeros: a hole, where the file system can have one. */
int session_file_zero(const struct session_file *file, uint64_t offset, uint64_t len,
		      struct err *e);
/* Room, where the file system can promise it. */
int session_file_allocate(const struct session_file *file, uint64_t offset, uint64_t len,
			  struct err *e);
/* What is at `offset`; `*length` becomes less when that ends earlier. */
bool session_file_is_hole(const struct session_file *file, uint64_t offset, uint64_t *length);

/* Cuts off what is behind `size`: of a write that was not committed, or of what was there before
 * the file was made shorter.  Before it grows. */
int session_file_trim(const struct session_file *file, uint64_t size, struct err *e);

/* Before it is written. */
int session_files_mark(struct session_files *f, const struct session_file *file, struct err *e);

/* Gives back the room behind `size`; no harm when it cannot. */
void session_files_cut(struct session_files *f, uint64_t ino, uint32_t version, uint64_t size);

/* Closes and removes it; what cannot be removed is logged. */
void session_files_remove(struct session_files *f, uint64_t ino, uint32_t version);

/* Bytes that it takes on the disk; 0 when it is not there. */
uint64_t session_files_allocated(const struct session_files *f, uint64_t ino, uint32_t version);

/* A new version with the same content, which shares its blocks where the file system can. */
int session_files_copy(struct session_files *f, uint64_t ino, uint32_t from, uint32_t to,
		       struct err *e);

/* What is dirty is the caller's to sync now, and the files are clean. */
struct session_dirty {
	struct u64map files;
	bool is_all, has_new;
	bool is_lost; /* after a failure: the disk has refused some of it (fsyncgate) */
};
void session_files_take_dirty(struct session_files *f, struct session_dirty *out);
/* Syncs and ends it; without the session's lock. */
int session_dirty_sync(struct session_dirty *d, int dirfd, struct err *e);
/* After it has failed: all is to be synced again, or is lost. */
void session_files_failed(struct session_files *f, const struct session_dirty *d);

/* Calls `each` for every file of the folder; what is no data file has ino 0. */
int session_files_visit(int dirfd,
			int (*each)(void *ctx, const char *name, uint64_t ino, uint32_t version,
				    struct err *e),
			void *ctx, struct err *e);

#endif
