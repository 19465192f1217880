/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the kernel's FUSE protocol that test_ops.c speaks.
 *
 * Source: include/uapi/linux/fuse.h of Linux 6.1, version 7.38; not included, because it has
 * members named as functions that are banned here.
 */
#ifndef TESTS_UNIT_FS_FUSE_WIRE_H
#define TESTS_UNIT_FS_FUSE_WIRE_H

#include <stdint.h>

enum { WIRE_MAJOR = 7, WIRE_MINOR = 38, WIRE_ROOT = 1 };

enum wire_opcode {
	WIRE_LOOKUP = 1,
	WIRE_FORGET,
	WIRE_GETATTR,
	WIRE_SETATTR,
	WIRE_READLINK,
	WIRE_SYMLINK,
	WIRE_MKNOD = 8,
	WIRE_MKDIR,
	WIRE_UNLINK,
	WIRE_RMDIR,
	WIRE_RENAME,
	WIRE_LINK,
	WIRE_OPEN,
	WIRE_READ,
	WIRE_WRITE,
	WIRE_STATFS,
	WIRE_RELEASE,
	WIRE_SETXATTR = 21,
	WIRE_GETXATTR,
	WIRE_LISTXATTR,
	WIRE_REMOVEXATTR,
	WIRE_FLUSH,
	WIRE_INIT,
	WIRE_OPENDIR,
	WIRE_READDIR,
	WIRE_ACCESS = 34,
	WIRE_CREATE,
	WIRE_BATCH_FORGET = 42,
	WIRE_FALLOCATE,
	WIRE_READDIRPLUS,
	WIRE_RENAME2,
	WIRE_LSEEK,
	WIRE_COPY_FILE_RANGE,
};

/* Flags of INIT. */
#define WIRE_ASYNC_READ      (1U << 0)
#define WIRE_POSIX_LOCKS     (1U << 1)
#define WIRE_ATOMIC_O_TRUNC  (1U << 3)
#define WIRE_EXPORT_SUPPORT  (1U << 4)
#define WIRE_FLOCK_LOCKS     (1U << 10)
#define WIRE_AUTO_INVAL_DATA (1U << 12)
#define WIRE_DO_READDIRPLUS  (1U << 13)
#define WIRE_ASYNC_DIO       (1U << 15)
#define WIRE_WRITEBACK_CACHE (1U << 16)
#define WIRE_HANDLE_KILLPRIV (1U << 19)
#define WIRE_POSIX_ACL       (1U << 20)
#define WIRE_CACHE_SYMLINKS  (1U << 23)
#define WIRE_INIT_EXT        (1U << 30)

struct wire_in_header {
	uint32_t len;
	uint32_t opcode;
	uint64_t unique;
	uint64_t nodeid;
	uint32_t uid, gid, pid;
	uint32_t padding;
};

struct wire_out_header {
	uint32_t len;
	int32_t error;
	uint64_t unique;
};

struct wire_init_in {
	uint32_t major, minor;
	uint32_t max_readahead;
	uint32_t flags, flags2;
	uint32_t unused[11];
};

struct wire_init_out {
	uint32_t major, minor;
	uint32_t max_readahead;
	uint32_t flags;
	uint16_t max_background;
	uint16_t congestion_threshold;
	uint32_t max_write;
	uint32_t time_gran;
};

struct wire_attr {
	uint64_t ino, size, blocks;
	uint64_t seconds[3]; /* access, modification, change */
	uint32_t nanoseconds[3];
	uint32_t mode, nlink, uid, gid, rdev, blksize, flags;
};

struct wire_entry_out {
	uint64_t nodeid, generation;
	uint64_t entry_valid, attr_valid; /* seconds */
	uint32_t entry_valid_nsec, attr_valid_nsec;
	struct wire_attr attr;
};

struct wire_attr_out {
	uint64_t attr_valid;
	uint32_t attr_valid_nsec;
	uint32_t dummy;
	struct wire_attr attr;
};

struct wire_getattr_in {
	uint32_t flags, dummy;
	uint64_t fh;
};

struct wire_open_in {
	uint32_t flags, open_flags;
};

struct wire_read_in {
	uint64_t fh, offset;
	uint32_t size, read_flags;
	uint64_t lock_owner;
	uint32_t flags, padding;
};

struct wire_lseek_in {
	uint64_t fh, offset;
	uint32_t whence, padding;
};

struct wire_getxattr_in {
	uint32_t size, padding;
};

struct wire_forget_in {
	uint64_t nlookup;
};

struct wire_batch_forget_in {
	uint32_t count, dummy;
};

struct wire_forget_one {
	uint64_t nodeid, nlookup;
};

#endif
