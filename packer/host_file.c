/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/host_file.h"

#include <errno.h>
#include <sys/sysmacros.h>

#include "base/host_walk.h"
#include "base/io.h"
#include "base/scope.h"

enum { PERMISSIONS = 07777 };

int host_file_entry(const struct stat *st, struct entry *out, struct err *e)
{
	enum entry_kind kind;

	if (!entry_kind_of(st->st_mode, &kind))
		return err_set(e, ERR_UNSUPPORTED, "a socket cannot be kept in a layer");
	*out = (struct entry){
		.kind = kind,
		.mode = st->st_mode & PERMISSIONS,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.mtime = st->st_mtim.tv_sec,
		.mtime_nsec = (uint32_t)st->st_mtim.tv_nsec,
		.size = kind == ENTRY_REG ? (uint64_t)st->st_size : 0,
	};
	if (kind == ENTRY_CHAR || kind == ENTRY_BLOCK) {
		out->rdev_major = major(st->st_rdev);
		out->rdev_minor = minor(st->st_rdev);
	}
	/* Symlinks have no mode of their own on Linux. */
	if (kind == ENTRY_SYMLINK)
		out->mode = 0777;
	return 0;
}

int host_file_open(int dirfd, const char *name, const struct stat *seen, struct err *e)
{
	struct stat st;
	SCOPE_FD int fd = host_walk_open_file(dirfd, name, seen, &st, e);

	if (fd >= 0 && st.st_size != seen->st_size)
		return err_sys(e, EBUSY, "changed while it was read");
	return steal_fd(&fd);
}

/* layer_source.read */
static int read_content(void *ctx, void *buf, size_t len, struct err *e)
{
	const int *fd = ctx;
	const ssize_t n = io_read_full(*fd, buf, len);

	if (n < 0)
		return err_sys(e, errno, "cannot read");
	if ((size_t)n < len)
		return err_sys(e, EBUSY, "shrank while it was read");
	return 0;
}

int host_file_add(struct layer_writer *w, const struct entry *en, int fd, struct err *e)
{
	const struct layer_source src = {.read = read_content, .ctx = &fd};
	struct stat st;

	if (layer_writer_add(w, en, &src, e) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot stat");
	if ((uint64_t)st.st_size != en->size)
		return err_sys(e, EBUSY, "grew while it was read");
	return 0;
}
