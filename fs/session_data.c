/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content of regular files.  Where a byte at `offset` is:
 *
 *	lower_size 0, in row		the row has it all
 *	lower_size 0, in file		the data file has it all; what it does not reach is zeros
 *	lower_size > 0
 *	  in a block that an extent has	the data file
 *	  in a block up to lower_size	the base, and zeros from lower_size on
 *	  behind			the data file
 *
 * Only whole blocks leave the base for the data file: a write to a part of one copies the rest
 * first.  The data file is written before the request that speaks of it is noted, and cut after the
 * next sync, so it may have bytes that no row speaks of.  Behind the size they are cut off before
 *it grows; in blocks that are the base's they are overwritten when the block is copied up.
 */
#include "fs/session_data.h"

#include <errno.h>
#include <linux/falloc.h>
#include <string.h>

#include "base/min.h"
#include "fs/session_private.h"
#include "fs/session_sync.h"

enum { SEGMENTS_MAX = 16 /* that are read without looking at rows again */ };

/* Bytes that lie together. */
struct segment {
	bool is_file; /* in the data file; else in the base, and zeros behind its end */
	uint64_t length;
};

static uint64_t block_of(uint64_t offset)
{
	return offset / SESSION_BLOCK;
}

/* Blocks that bytes [0, size) touch. */
static uint64_t blocks_of(uint64_t size)
{
	return size / SESSION_BLOCK + (size % SESSION_BLOCK != 0);
}

/* What is at `offset`, which is inside of the file; for content that is in no row. */
static int find_segment(struct session *s, const struct session_inode *in, uint64_t offset,
			struct segment *out, struct err *e)
{
	const uint64_t lower_end = blocks_of(in->lower_size) * SESSION_BLOCK;
	struct session_extent x;

	*out = (struct segment){true, in->size - offset};
	if (offset >= lower_end) {
		out->is_file = in->place == SESSION_IN_FILE;
		return 0;
	}
	const int found = in->place == SESSION_IN_FILE
				  ? session_db_extent(s->db, in->ino, block_of(offset), &x, e)
				  : 0;
	if (found < 0)
		return -1;
	out->is_file = found && x.start <= block_of(offset);
	const uint64_t end = !found         ? lower_end
			     : out->is_file ? x.end * SESSION_BLOCK
					    : min_u64(x.start * SESSION_BLOCK, lower_end);
	out->length = min_u64(out->length, end - offset);
	return 0;
}

/* Of the base, zeros from the row's lower_size on. */
static int read_lower(struct session *s, const struct session_inode *in, uint64_t offset, void *buf,
		      size_t len, struct err *e)
{
	uint8_t *out = buf;
	size_t done = 0;

	if (offset < in->lower_size) {
		const size_t want = (size_t)min_u64(len, in->lower_size - offset);
		const ssize_t n = view_read(s->base, session_lower(in->ino), offset, buf, want, e);
		if (n < 0)
			return -1;
		done = (size_t)n;
	}
	memset(out + done, 0, len - done);
	return 0;
}

/* A read that was looked up: what to do without the lock. */
struct read_plan {
	struct session_inode in;
	struct session_file *file; /* pinned; NULL */
	struct segment segments[SEGMENTS_MAX];
	size_t count;
	uint64_t length; /* of all segments */
};

static int plan_segments(struct session *s, struct read_plan *p, uint64_t offset, size_t len,
			 struct err *e)
{
	while (p->length < len && p->count < SEGMENTS_MAX) {
		struct segment *x = &p->segments[p->count];
		if (find_segment(s, &p->in, offset + p->length, x, e) < 0)
			return -1;
		x->length = min_u64(x->length, len - p->length);
		p->length += x->length;
		p->count++;
		if (x->is_file && !p->file) {
			p->file = session_files_get(&s->files, p->in.ino, p->in.version, e);
			if (!p->file)
				return -1;
		}
	}
	return 0;
}

/* All of the content that a row holds. */
static int load_row(struct session *s, const struct session_inode *in,
		    uint8_t buf[static SESSION_ROW_MAX], struct err *e)
{
	size_t len = 0;
	const int found = session_db_content(s->db, in->ino, buf, SESSION_ROW_MAX, &len, e);

	if (found < 0)
		return -1;
	if (!found || in->size > SESSION_ROW_MAX || len < in->size)
		return err_set(e, ERR_FORMAT,
			       "the session's database is damaged: content of inode %llu",
			       (unsigned long long)in->ino);
	return 0;
}

/* Under the lock.  1: `buf` has the bytes already. */
static int plan_read(struct session *s, struct read_plan *p, uint64_t offset, void *buf, size_t len,
		     struct err *e)
{
	uint8_t row[SESSION_ROW_MAX];

	if (!S_ISREG(p->in.mode))
		return err_sys(e, S_ISDIR(p->in.mode) ? EISDIR : EINVAL, "read");
	if (offset >= p->in.size)
		return 1;
	len = (size_t)min_u64(len, p->in.size - offset);
	if (p->in.place != SESSION_IN_ROW)
		return plan_segments(s, p, offset, len, e);
	if (load_row(s, &p->in, row, e) < 0)
		return -1;
	memcpy(buf, row + offset, len);
	p->length = len;
	return 1;
}

static int read_segments(struct session *s, const struct read_plan *p, uint64_t offset,
			 uint8_t *buf, struct err *e)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct segment *x = &p->segments[i];
		const size_t len = (size_t)x->length;
		const int r = x->is_file ? session_file_read(p->file, offset, buf, len, e)
					 : read_lower(s, &p->in, offset, buf, len, e);
		if (r < 0)
			return -1;
		offset += len;
		buf += len;
	}
	return 0;
}

/* Some of what was asked; 0 at the end. */
static ssize_t read_some(struct session *s, uint64_t ino, uint64_t offset, void *buf, size_t len,
			 struct err *e)
{
	struct read_plan p = {.file = NULL};

	session_lock(s);
	int r = session_load(s, ino, &p.in, e);
	if (r == 0)
		r = plan_read(s, &p, offset, buf, len, e);
	session_unlock(s);
	if (r == 0)
		r = read_segments(s, &p, offset, buf, e);
	if (p.file) {
		session_lock(s);
		session_files_put(p.file);
		session_unlock(s);
	}
	return r < 0 ? -1 : (ssize_t)p.length;
}

ssize_t session_read(struct session *s, uint64_t ino, uint64_t offset, void *buf, size_t len,
		     struct err *e)
{
	size_t done = 0;

	while (done < len) {
		const ssize_t n =
			read_some(s, ino, offset + done, (uint8_t *)buf + done, len - done, e);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* Whether somebody reads the row's data file, who must not see it change. */
static bool is_read(const struct session *s, const struct session_inode *in)
{
	const uint64_t *fresh = s->is_frozen ? u64map_get(&s->fresh, in->ino) : NULL;

	return s->is_frozen && !(fresh && *fresh == in->version);
}

/* The next version of the row's data file is only ours. */
static int note_fresh(struct session *s, const struct session_inode *in, struct err *e)
{
	return s->is_frozen ? u64map_put(&s->fresh, in->ino, in->version, e) : 0;
}

/* Whether the file was made shorter since the last sync: rows that a power loss brings back need
 * what is behind its end. */
static bool is_cut(const struct session *s, const struct session_inode *in)
{
	for (size_t i = 0; s->has_cuts && i < s->doomed_count; i++) {
		const struct session_doomed *d = &s->doomed[i];
		if (d->is_shorter && d->ino == in->ino && d->version == in->version)
			return true;
	}
	return false;
}

/* A copy in the place of the row's data file, which somebody else needs as it is. */
static int renew(struct session *s, struct session_inode *in, struct err *e)
{
	if (session_files_copy(&s->files, in->ino, in->version, in->version + 1, e) < 0 ||
	    session_doom_file(s, in, false, e) < 0)
		return -1;
	in->version++;
	return note_fresh(s, in, e);
}

/* The data file of a row that has one, to be written. */
static struct session_file *open_for_write(struct session *s, struct session_inode *in,
					   struct err *e)
{
	if (is_read(s, in) && renew(s, in, e) < 0)
		return NULL;
	struct session_file *file = session_files_get(&s->files, in->ino, in->version, e);
	if (file && session_files_mark(&s->files, file, e) < 0) {
		session_files_put(file);
		return NULL;
	}
	return file;
}

/* Before the file grows: what is behind its end goes, and is kept for the rows of the last mark
 * when they need it. */
static int trim(struct session *s, struct session_inode *in, struct session_file **file,
		struct err *e)
{
	if (is_cut(s, in)) {
		session_files_put(*file);
		*file = renew(s, in, e) < 0 ? NULL : open_for_write(s, in, e);
		if (!*file)
			return -1;
	}
	return session_file_trim(*file, in->size, e);
}

/* A file of this name was left by a process, or a power loss, that took its rows, and waits to be
 * removed: now the row has one that is no rubbish. */
static void spare(struct session *s, uint64_t ino, uint32_t version)
{
	for (size_t i = 0; i < s->doomed_count;) {
		const struct session_doomed *d = &s->doomed[i];
		if (d->ino != ino || d->version != version) {
			i++;
			continue;
		}
		s->doomed_before -= i < s->doomed_before;
		memmove(&s->doomed[i], &s->doomed[i + 1],
			(--s->doomed_count - i) * sizeof(*s->doomed));
	}
}

/* Gives the row a data file that has what the row had; pinned. */
static struct session_file *make_file(struct session *s, struct session_inode *in, struct err *e)
{
	uint8_t row[SESSION_ROW_MAX];

	if (in->place == SESSION_IN_FILE)
		return open_for_write(s, in, e);
	if (in->place == SESSION_IN_ROW && load_row(s, in, row, e) < 0)
		return NULL;
	struct session_file *file = session_files_create(&s->files, in->ino, in->version + 1, e);
	if (!file)
		return NULL;
	int r = session_files_mark(&s->files, file, e);
	if (r == 0 && in->place == SESSION_IN_ROW) {
		r = session_file_write(file, 0, row, (size_t)in->size, e);
		if (r == 0)
			r = session_db_remove_content(s->db, in->ino, e);
	}
	if (r < 0) {
		session_files_put(file);
		return NULL;
	}
	in->place = SESSION_IN_FILE;
	in->version++;
	spare(s, in->ino, in->version);
	if (note_fresh(s, in, e) == 0)
		return file;
	session_files_put(file);
	return NULL;
}

/* Copies the block of `offset` up, when it is the base's still. */
static int copy_block_up(struct session *s, const struct session_inode *in,
			 const struct session_file *file, uint64_t offset, struct err *e)
{
	const uint64_t start = block_of(offset) * SESSION_BLOCK;
	uint8_t block[SESSION_BLOCK];
	struct session_extent x;

	if (start >= in->lower_size)
		return 0;
	const int found = session_db_extent(s->db, in->ino, block_of(offset), &x, e);
	if (found < 0 || (found && x.start <= block_of(offset)))
		return found < 0 ? -1 : 0;
	if (read_lower(s, in, start, block, sizeof(block), e) < 0)
		return -1;
	return session_file_write(file, start, block, sizeof(block), e);
}

/* [offset, offset + len) of the file is about to be written in the data file: afterwards all its
 * blocks are there. */
static int claim(struct session *s, const struct session_inode *in, const struct session_file *file,
		 uint64_t offset, uint64_t len, struct err *e)
{
	const uint64_t end = offset + len;
	const struct session_extent x = {block_of(offset),
					 min_u64(blocks_of(end), blocks_of(in->lower_size))};

	if (x.start >= x.end)
		return 0;
	if (offset % SESSION_BLOCK != 0 && copy_block_up(s, in, file, offset, e) < 0)
		return -1;
	/* Zeros of the base, behind its end, are its bytes, too. */
	if (end % SESSION_BLOCK != 0 && end < in->size && copy_block_up(s, in, file, end, e) < 0)
		return -1;
	return session_db_add_extent(s->db, in->ino, &x, e);
}

/* Whether the file, as long as `size`, lives in a row, or can. */
static bool fits_row(const struct session_inode *in, uint64_t size)
{
	return in->place != SESSION_IN_FILE && size <= SESSION_ROW_MAX &&
	       in->size <= SESSION_ROW_MAX;
}

/* Content as it is now, for a file that fits a row; zeros behind it. */
static int load_small(struct session *s, const struct session_inode *in,
		      uint8_t buf[static SESSION_ROW_MAX], struct err *e)
{
	memset(buf, 0, SESSION_ROW_MAX);
	if (in->place == SESSION_IN_ROW)
		return load_row(s, in, buf, e);
	return read_lower(s, in, 0, buf, (size_t)in->size, e);
}

static int store_small(struct session *s, struct session_inode *in, const uint8_t *bytes,
		       uint64_t size, struct err *e)
{
	in->place = SESSION_IN_ROW;
	in->lower_size = 0;
	in->size = size;
	return session_db_put_content(s->db, in->ino, bytes, (size_t)size, e);
}

static int write_small(struct session *s, struct session_inode *in, uint64_t offset,
		       const void *buf, size_t len, struct err *e)
{
	const uint64_t size = offset + len > in->size ? offset + len : in->size;
	uint8_t bytes[SESSION_ROW_MAX];

	if (load_small(s, in, bytes, e) < 0)
		return -1;
	memcpy(bytes + offset, buf, len);
	return store_small(s, in, bytes, size, e);
}

static int write_file(struct session *s, struct session_inode *in, uint64_t offset, const void *buf,
		      size_t len, struct err *e)
{
	struct session_file *file = make_file(s, in, e);

	if (!file)
		return -1;
	int r = offset > in->size ? trim(s, in, &file, e) : 0;
	if (r == 0)
		r = claim(s, in, file, offset, len, e);
	if (r == 0)
		r = session_file_write(file, offset, buf, len, e);
	session_files_put(file);
	if (offset + len > in->size)
		in->size = offset + len;
	return r;
}

/* NOLINTNEXTLINE(readability-function-size): as session_write */
static int write_locked(struct session *s, const struct session_caller *who, uint64_t ino,
			uint64_t offset, const void *buf, size_t len, unsigned set, struct err *e)
{
	const struct timespec now = session_now();
	struct session_inode in;

	if (session_load(s, ino, &in, e) < 0)
		return -1;
	if (!S_ISREG(in.mode))
		return err_sys(e, EINVAL, "write");
	if (offset > INT64_MAX || len > INT64_MAX - offset)
		return err_sys(e, EFBIG, "write");
	if ((fits_row(&in, offset + len) ? write_small : write_file)(s, &in, offset, buf, len, e) <
	    0)
		return -1;
	if (!(set & SESSION_KEEP_PRIV) &&
	    session_kill_priv(s, who, &in, !(set & SESSION_KILL_PRIV), e) < 0)
		return -1;
	session_touch(&in, &now);
	return session_store(s, &in, e);
}

/* NOLINTNEXTLINE(readability-function-size): pwrite(2), who asks for it, and of whom */
int session_write(struct session *s, const struct session_caller *who, uint64_t ino,
		  uint64_t offset, const void *buf, size_t len, unsigned set, struct err *e)
{
	if (session_begin(s, e) < 0)
		return -1;
	return session_end(s, who, ino, write_locked(s, who, ino, offset, buf, len, set, e), e);
}

/* The file ends at `size` now, which is below its size. */
static int shrink(struct session *s, struct session_inode *in, uint64_t size, struct err *e)
{
	in->size = size;
	if (in->lower_size > size)
		in->lower_size = size;
	if (in->place != SESSION_IN_FILE)
		return 0;
	if (session_doom_file(s, in, size > 0, e) < 0)
		return -1;
	if (size == 0)
		in->place = SESSION_NOWHERE;
	return session_db_cut_extents(s->db, in->ino, blocks_of(in->lower_size), e);
}

static int grow(struct session *s, struct session_inode *in, uint64_t size, struct err *e)
{
	int r = 0;

	if (in->place != SESSION_NOWHERE) {
		struct session_file *file = make_file(s, in, e);
		r = file ? trim(s, in, &file, e) : -1;
		session_files_put(file);
	}
	in->size = size;
	return r;
}

static int resize_small(struct session *s, struct session_inode *in, uint64_t size, struct err *e)
{
	uint8_t bytes[SESSION_ROW_MAX];

	if (load_small(s, in, bytes, e) < 0)
		return -1;
	return store_small(s, in, bytes, size, e);
}

int session_resize(struct session *s, struct session_inode *in, uint64_t size, struct err *e)
{
	if (size > INT64_MAX)
		return err_sys(e, EFBIG, "truncate");
	if (in->place == SESSION_IN_ROW && fits_row(in, size))
		return resize_small(s, in, size, e);
	return (size < in->size ? shrink : grow)(s, in, size, e);
}

/* [offset, offset + len), which is inside of the file, is zeros. */
static int zero(struct session *s, struct session_inode *in, uint64_t offset, uint64_t len,
		struct err *e)
{
	uint8_t bytes[SESSION_ROW_MAX];

	if (len == 0 || (in->place == SESSION_NOWHERE && offset >= in->lower_size))
		return 0;
	if (fits_row(in, in->size)) {
		if (load_small(s, in, bytes, e) < 0)
			return -1;
		memset(bytes + offset, 0, (size_t)len);
		return store_small(s, in, bytes, in->size, e);
	}
	struct session_file *file = make_file(s, in, e);
	if (!file)
		return -1;
	int r = claim(s, in, file, offset, len, e);
	if (r == 0)
		r = session_file_zero(file, offset, len, e);
	session_files_put(file);
	return r;
}

/* Room on the disk; for a file that lives in a row there is some. */
static int allocate(struct session *s, struct session_inode *in, uint64_t offset, uint64_t len,
		    struct err *e)
{
	if (fits_row(in, offset + len))
		return 0;
	struct session_file *file = make_file(s, in, e);
	if (!file)
		return -1;
	int r = trim(s, in, &file, e);
	if (r == 0)
		r = session_file_allocate(file, offset, len, e);
	session_files_put(file);
	return r;
}

/* NOLINTNEXTLINE(readability-function-size): as session_fallocate */
static int fallocate_locked(struct session *s, const struct session_caller *who, uint64_t ino,
			    int mode, uint64_t offset, uint64_t len, struct err *e)
{
	const struct timespec now = session_now();
	const uint64_t end = offset + len;
	struct session_inode in;
	int r;

	if (session_load(s, ino, &in, e) < 0)
		return -1;
	if (!S_ISREG(in.mode))
		return err_sys(e, S_ISDIR(in.mode) ? EISDIR : ENODEV, "fallocate");
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		r = zero(s, &in, offset, offset < in.size ? min_u64(end, in.size) - offset : 0, e);
	else
		r = allocate(s, &in, offset, len, e);
	if (r == 0 && !(mode & FALLOC_FL_KEEP_SIZE) && end > in.size)
		r = session_resize(s, &in, end, e);
	/* Unlike a write, the request does not say whether the caller may keep setuid bits. */
	if (r < 0 || session_kill_priv(s, who, &in, who->uid == 0, e) < 0)
		return -1;
	session_touch(&in, &now);
	return session_store(s, &in, e);
}

int session_fallocate(struct session *s, const struct session_caller *who, uint64_t ino, int mode,
		      uint64_t offset, uint64_t len, struct err *e)
{
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return err_sys(e, EOPNOTSUPP, "fallocate");
	if (offset > INT64_MAX || len > INT64_MAX - offset)
		return err_sys(e, EFBIG, "fallocate");
	if (len == 0)
		return err_sys(e, EINVAL, "fallocate");
	if (session_begin(s, e) < 0)
		return -1;
	return session_end(s, who, ino, fallocate_locked(s, who, ino, mode, offset, len, e), e);
}

/* Whether there is a hole at `offset`, and for how long, of a segment in the base. */
static int look_lower(struct session *s, const struct session_inode *in, uint64_t offset,
		      bool *is_hole, uint64_t *length, struct err *e)
{
	struct catalog_range range;

	*is_hole = true;
	if (offset >= in->lower_size)
		return 0;
	if (VIEW_RETRY(s->base, e,
		       catalog_range(view_catalog(s->base), session_lower(in->ino), offset, &range,
				     e)) < 0)
		return -1;
	*is_hole = range.is_hole;
	*length = min_u64(*length, min_u64(range.length, in->lower_size - offset));
	return 0;
}

static int look_file(struct session *s, const struct session_inode *in, uint64_t offset,
		     bool *is_hole, uint64_t *length, struct err *e)
{
	struct session_file *file = session_files_get(&s->files, in->ino, in->version, e);

	if (!file)
		return -1;
	*is_hole = session_file_is_hole(file, offset, length);
	session_files_put(file);
	return 0;
}

static int64_t seek_locked(struct session *s, uint64_t ino, uint64_t offset, int whence,
			   struct err *e)
{
	struct session_inode in;
	struct segment x;

	if (session_load(s, ino, &in, e) < 0)
		return -1;
	if (offset >= in.size)
		return err_sys(e, ENXIO, "seek");
	for (uint64_t at = offset; at < in.size; at += x.length) {
		bool is_hole = false;
		int r = 0;
		x = (struct segment){false, in.size - at};
		if (in.place != SESSION_IN_ROW)
			r = find_segment(s, &in, at, &x, e);
		if (r == 0 && in.place != SESSION_IN_ROW)
			r = (x.is_file ? look_file : look_lower)(s, &in, at, &is_hole, &x.length,
								 e);
		if (r < 0)
			return -1;
		if (is_hole == (whence == SEEK_HOLE))
			return (int64_t)at;
	}
	/* The end of a file is a hole. */
	return whence == SEEK_HOLE ? (int64_t)in.size : err_sys(e, ENXIO, "seek");
}

int64_t session_seek(struct session *s, uint64_t ino, uint64_t offset, int whence, struct err *e)
{
	session_lock(s);
	const int64_t r = seek_locked(s, ino, offset, whence, e);
	session_unlock(s);
	return r;
}
