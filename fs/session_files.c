/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/session_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"

enum {
	NAME_MAX_LEN = 32, /* 20 digits, a dot, 10 digits, NUL */
	FILE_MODE = 0600,
	/* More files than these are not synced one by one, but with all of their file system. */
	DIRTY_MAX = 1024,
	COPY_SIZE = 1024 * 1024,
	CREATE_FLAGS = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
};

/* The host's own trouble is not that of a file of the image: its ENOENT is EIO to who reads.  A
 * full disk is the same for both. */
static int host_fail(int r, struct err *e)
{
	if (e->code == ERR_SYS && e->sys != ENOSPC && e->sys != EDQUOT && e->sys != EFBIG &&
	    e->sys != EROFS)
		e->sys = EIO;
	return r;
}

static void format_name(char out[static NAME_MAX_LEN], uint64_t ino, uint32_t version)
{
	(void)snprintf(out, NAME_MAX_LEN, "%" PRIu64 ".%" PRIu32, ino, version);
}

void session_files_init(struct session_files *f, int dirfd)
{
	*f = (struct session_files){.dirfd = dirfd};
}

static void close_file(struct session_file *file)
{
	close(file->fd);
	*file = (struct session_file){.ino = 0};
}

void session_files_fini(struct session_files *f)
{
	for (size_t i = 0; i < SESSION_FILES_OPEN; i++) {
		if (f->open[i].ino)
			close_file(&f->open[i]);
	}
	u64map_fini(&f->dirty);
}

static struct session_file *find(struct session_files *f, uint64_t ino, uint32_t version)
{
	for (size_t i = 0; i < SESSION_FILES_OPEN; i++) {
		struct session_file *file = &f->open[i];
		if (file->ino == ino && file->version == version)
			return file;
	}
	return NULL;
}

/* Closes the file that was not used for longest: its place, or NULL. */
static struct session_file *close_oldest(struct session_files *f)
{
	struct session_file *oldest = NULL;

	for (size_t i = 0; i < SESSION_FILES_OPEN; i++) {
		struct session_file *file = &f->open[i];
		if (file->ino && file->pins == 0 && (!oldest || file->used < oldest->used))
			oldest = file;
	}
	if (oldest)
		close_file(oldest);
	return oldest;
}

static struct session_file *make_room(struct session_files *f, struct err *e)
{
	struct session_file *place = find(f, 0, 0);

	if (!place)
		place = close_oldest(f);
	if (!place)
		err_sys(e, EMFILE, "all data files of the session are in use");
	return place;
}

/* openat(2); a process that has no descriptor left has those that are kept open for the next
 * request. */
static int open_data(struct session_files *f, const char *name, int flags)
{
	int fd;

	do
		fd = openat(f->dirfd, name, flags, FILE_MODE);
	while (fd < 0 && (errno == EMFILE || errno == ENFILE) && close_oldest(f));
	return fd;
}

static struct session_file *keep(struct session_files *f, uint64_t ino, uint32_t version, int fd,
				 struct err *e)
{
	struct session_file *file = make_room(f, e);

	if (!file) {
		close(fd);
		return NULL;
	}
	*file = (struct session_file){ino, version, fd, 1, ++f->clock};
	return file;
}

static int open_file(struct session_files *f, uint64_t ino, uint32_t version, struct err *e)
{
	char name[NAME_MAX_LEN];
	struct stat st;

	format_name(name, ino, version);
	SCOPE_FD int fd = open_data(f, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_FORMAT, "the session's data file %s is lost", name);
	const bool is_other = fd < 0 && (errno == EISDIR || errno == ELOOP || errno == ENXIO);
	if (!is_other && (fd < 0 || fstat(fd, &st) < 0))
		return host_fail(err_sys(e, errno, "cannot open the session's data file %s", name),
				 e);
	/* Another name of it would be written through, too. */
	if (is_other || !S_ISREG(st.st_mode) || st.st_nlink > 1)
		return err_set(e, ERR_FORMAT, "the session's data file %s is no file of its own",
			       name);
	return steal_fd(&fd);
}

int session_file_read(const struct session_file *file, uint64_t offset, void *buf, size_t len,
		      struct err *e)
{
	const ssize_t n = io_pread_full(file->fd, buf, len, offset);

	if (n < 0)
		return host_fail(err_sys(e, errno, "cannot read a data file of the session"), e);
	memset((uint8_t *)buf + n, 0, len - (size_t)n);
	return 0;
}

int session_file_write(const struct session_file *file, uint64_t offset, const void *buf,
		       size_t len, struct err *e)
{
	if (io_pwrite_all(file->fd, buf, len, offset) < 0)
		return host_fail(err_sys(e, errno, "cannot write a data file of the session"), e);
	return 0;
}

int session_file_zero(const struct session_file *file, uint64_t offset, uint64_t len, struct err *e)
{
	static const uint8_t zeros[4096];

	if (fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		      (off_t)len) == 0)
		return 0;
	if (errno != EOPNOTSUPP)
		return host_fail(err_sys(e, errno, "cannot write a data file of the session"), e);
	for (size_t n; len > 0; offset += n, len -= n) {
		n = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);
		if (session_file_write(file, offset, zeros, n, e) < 0)
			return -1;
	}
	return 0;
}

int session_file_allocate(const struct session_file *file, uint64_t offset, uint64_t len,
			  struct err *e)
{
	if (fallocate(file->fd, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)len) < 0 &&
	    errno != EOPNOTSUPP)
		return host_fail(err_sys(e, errno, "cannot allocate room for a data file"), e);
	return 0;
}

bool session_file_is_hole(const struct session_file *file, uint64_t offset, uint64_t *length)
{
	const off_t data = lseek(file->fd, (off_t)offset, SEEK_DATA);
	const bool is_hole = data != (off_t)offset;
	const off_t end = is_hole ? data : lseek(file->fd, (off_t)offset, SEEK_HOLE);

	/* -1 (ENXIO): no data from here on. */
	if (end > (off_t)offset && (uint64_t)end - offset < *length)
		*length = (uint64_t)end - offset;
	return is_hole;
}

int session_file_trim(const struct session_file *file, uint64_t size, struct err *e)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0 ||
	    ((uint64_t)st.st_size > size && ftruncate(file->fd, (off_t)size) < 0))
		return host_fail(err_sys(e, errno, "cannot cut a data file of the session"), e);
	return 0;
}

struct session_file *session_files_get(struct session_files *f, uint64_t ino, uint32_t version,
				       struct err *e)
{
	struct session_file *file = find(f, ino, version);

	if (file) {
		file->pins++;
		file->used = ++f->clock;
		return file;
	}
	const int fd = open_file(f, ino, version, e);
	return fd < 0 ? NULL : keep(f, ino, version, fd, e);
}

struct session_file *session_files_create(struct session_files *f, uint64_t ino, uint32_t version,
					  struct err *e)
{
	char name[NAME_MAX_LEN];

	format_name(name, ino, version);
	int fd = open_data(f, name, CREATE_FLAGS);
	/* One that is there belongs to a request that was never carried out. */
	if (fd < 0 && errno == EEXIST && unlinkat(f->dirfd, name, 0) == 0)
		fd = open_data(f, name, CREATE_FLAGS);
	if (fd < 0) {
		host_fail(err_sys(e, errno, "cannot make the session's data file %s", name), e);
		return NULL;
	}
	f->has_new = true;
	struct session_file *old = find(f, ino, version);
	if (old)
		close_file(old);
	return keep(f, ino, version, fd, e);
}

void session_files_put(struct session_file *file)
{
	if (file)
		file->pins--;
}

int session_files_mark(struct session_files *f, const struct session_file *file, struct err *e)
{
	if (f->is_all_dirty)
		return 0;
	const uint64_t *other = u64map_get(&f->dirty, file->ino);
	/* Of two versions that are dirty the map would lose one. */
	if (f->dirty.count >= DIRTY_MAX || (other && *other != file->version)) {
		f->is_all_dirty = true;
		u64map_fini(&f->dirty);
		return 0;
	}
	return u64map_put(&f->dirty, file->ino, file->version, e);
}

void session_files_cut(struct session_files *f, uint64_t ino, uint32_t version, uint64_t size)
{
	struct err e = ERR_INIT;
	struct session_file *file = session_files_get(f, ino, version, &e);

	if (!file || session_file_trim(file, size, &e) < 0) {
		log_warning("%s", e.msg);
		err_clear(&e);
	}
	session_files_put(file);
}

void session_files_remove(struct session_files *f, uint64_t ino, uint32_t version)
{
	char name[NAME_MAX_LEN];
	struct session_file *file = find(f, ino, version);
	const uint64_t *dirty = u64map_get(&f->dirty, ino);

	/* One that is pinned is closed by who evicts it; its blocks go with the last descriptor. */
	if (file && file->pins == 0)
		close_file(file);
	if (dirty && *dirty == version)
		u64map_remove(&f->dirty, ino);
	format_name(name, ino, version);
	if (unlinkat(f->dirfd, name, 0) < 0 && errno != ENOENT)
		log_warning("cannot remove the session's data file %s: errno %d", name, errno);
}

uint64_t session_files_allocated(const struct session_files *f, uint64_t ino, uint32_t version)
{
	char name[NAME_MAX_LEN];
	struct stat st;

	format_name(name, ino, version);
	if (fstatat(f->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return (uint64_t)st.st_blocks * 512;
}

/* Data ranges alone: a hole stays one. */
static int copy_ranges(int from, int to, struct err *e)
{
	SCOPE_FREE uint8_t *buf = array_new(1, COPY_SIZE, e);
	off_t at = 0;

	if (!buf)
		return -1;
	for (;;) {
		const off_t data = lseek(from, at, SEEK_DATA);
		if (data < 0)
			return errno == ENXIO
				       ? 0
				       : host_fail(err_sys(e, errno, "cannot copy a data file"), e);
		const off_t hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0)
			return host_fail(err_sys(e, errno, "cannot copy a data file"), e);
		for (at = data; at < hole;) {
			const size_t want =
				hole - at < COPY_SIZE ? (size_t)(hole - at) : (size_t)COPY_SIZE;
			const ssize_t n = io_pread_full(from, buf, want, (uint64_t)at);
			if (n < 0 || io_pwrite_all(to, buf, (size_t)n, (uint64_t)at) < 0)
				return host_fail(err_sys(e, errno, "cannot copy a data file"), e);
			if (n == 0)
				break;
			at += n;
		}
	}
}

int session_files_copy(struct session_files *f, uint64_t ino, uint32_t from, uint32_t to,
		       struct err *e)
{
	struct session_file *old = session_files_get(f, ino, from, e);
	struct session_file *copy = old ? session_files_create(f, ino, to, e) : NULL;
	int r = -1;

	if (copy && ioctl(copy->fd, FICLONE, old->fd) == 0)
		r = 0;
	else if (copy)
		r = copy_ranges(old->fd, copy->fd, e);
	if (r == 0)
		r = session_files_mark(f, copy, e);
	session_files_put(old);
	session_files_put(copy);
	/* A part of one would take room that nobody knows of. */
	if (copy && r < 0)
		session_files_remove(f, ino, to);
	return r;
}

void session_files_take_dirty(struct session_files *f, struct session_dirty *out)
{
	*out = (struct session_dirty){
		.files = f->dirty, .is_all = f->is_all_dirty, .has_new = f->has_new};
	f->dirty = (struct u64map)U64MAP_INIT;
	f->is_all_dirty = f->has_new = false;
}

static int sync_one(struct session_dirty *d, int dirfd, const struct u64map_entry *x, struct err *e)
{
	char name[NAME_MAX_LEN];

	format_name(name, x->key, (uint32_t)x->value);
	SCOPE_FD int fd = openat(dirfd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	/* Removed meanwhile. */
	if (fd < 0 && errno == ENOENT)
		return 0;
	/* Of what is on the disk a lack of descriptors says nothing. */
	d->is_lost = fd >= 0 && fdatasync(fd) < 0;
	if (fd < 0 || d->is_lost)
		return host_fail(err_sys(e, errno, "cannot sync the session's data file %s", name),
				 e);
	return 0;
}

static int sync_all(struct session_dirty *d, int dirfd, struct err *e)
{
	size_t at = 0;
	const struct u64map_entry *x;

	if (d->is_all) {
		d->is_lost = syncfs(dirfd) < 0;
		if (d->is_lost)
			return host_fail(err_sys(e, errno, "cannot sync the session's data"), e);
		return 0;
	}
	while ((x = u64map_next(&d->files, &at))) {
		if (sync_one(d, dirfd, x, e) < 0)
			return -1;
	}
	d->is_lost = d->has_new && fsync(dirfd) < 0;
	if (d->is_lost)
		return host_fail(err_sys(e, errno, "cannot sync the session's folder of data"), e);
	return 0;
}

int session_dirty_sync(struct session_dirty *d, int dirfd, struct err *e)
{
	const int r = sync_all(d, dirfd, e);

	u64map_fini(&d->files);
	return r;
}

void session_files_failed(struct session_files *f, const struct session_dirty *d)
{
	if (d->is_lost)
		f->is_lost = true;
	else
		f->is_all_dirty = true;
}

/* "<ino>.<version>" */
static void parse_name(const char *name, uint64_t *ino, uint32_t *version)
{
	const char *dot = strchr(name, '.');
	uint64_t number;

	*version = 0;
	if (!dot || str_to_u64(name, (size_t)(dot - name), 10, INT64_MAX, ino) < 0 ||
	    str_to_u64(dot + 1, strlen(dot + 1), 10, UINT32_MAX, &number) < 0)
		*ino = 0;
	else
		*version = (uint32_t)number;
}

int session_files_visit(int dirfd,
			int (*each)(void *ctx, const char *name, uint64_t ino, uint32_t version,
				    struct err *e),
			void *ctx, struct err *e)
{
	/* fdopendir takes its descriptor over, and ours is still needed. */
	const int own = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	struct dirent *de;
	int r = 0;

	if (!dir) {
		host_fail(err_sys(e, errno, "cannot list the session's data"), e);
		if (own >= 0)
			close(own);
		return -1;
	}
	while (r == 0 && (errno = 0, de = readdir(dir))) {
		uint64_t ino;
		uint32_t version;
		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		parse_name(de->d_name, &ino, &version);
		r = each(ctx, de->d_name, ino, version, e);
	}
	if (r == 0 && errno)
		r = host_fail(err_sys(e, errno, "cannot list the session's data"), e);
	closedir(dir);
	return r;
}
