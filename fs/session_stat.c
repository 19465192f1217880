/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/sysmacros.h>

#include "fs/session_private.h"

enum { BLOCK_BYTES = 512 /* unit of st_blocks */ };

static uint64_t data_blocks(struct session *s, const struct session_inode *in)
{
	struct catalog_stat lower = {.data_bytes = 0};
	struct err ignored = ERR_INIT;
	uint64_t bytes = in->place == SESSION_IN_ROW ? in->size : 0;

	if (in->place == SESSION_IN_FILE)
		bytes = session_files_allocated(&s->files, in->ino, in->version);
	if (in->lower_size &&
	    catalog_stat(view_catalog(s->base), session_lower(in->ino), &lower, &ignored) < 0)
		err_clear(&ignored);
	bytes += lower.data_bytes < in->lower_size ? lower.data_bytes : in->lower_size;
	/* A file that was made shorter gives its room back with the next sync. */
	const uint64_t most = (in->size + SESSION_BLOCK - 1) / SESSION_BLOCK * SESSION_BLOCK;
	return ((bytes < most ? bytes : most) + BLOCK_BYTES - 1) / BLOCK_BYTES;
}

int session_stat(struct session *s, uint64_t ino, struct stat *st, struct err *e)
{
	struct session_inode in;

	session_lock(s);
	if (session_load(s, ino, &in, e) < 0) {
		session_unlock(s);
		return -1;
	}
	*st = (struct stat){
		.st_ino = in.ino,
		.st_mode = in.mode,
		.st_nlink = in.nlink,
		.st_uid = in.uid,
		.st_gid = in.gid,
		.st_rdev = makedev(in.rdev_major, in.rdev_minor),
		.st_size = (off_t)in.size,
		.st_blksize = SESSION_BLOCK,
		.st_blocks = S_ISREG(in.mode) ? (blkcnt_t)data_blocks(s, &in) : 0,
		.st_atim = in.atim,
		.st_mtim = in.mtim,
		.st_ctim = in.ctim,
	};
	session_unlock(s);
	return 0;
}

int session_statfs(struct session *s, struct statvfs *out, struct err *e)
{
	if (fstatvfs(s->files.dirfd, out) < 0)
		return err_sys(e, errno, "cannot ask the file system of the session");
	return 0;
}
