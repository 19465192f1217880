/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an inode of the session is what the base has.  Of a file that is still the base's inode
 * only the blocks that were written are read; any other file is read whole, if it has the size.
 */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/min.h"
#include "fs/changes_private.h"
#include "fs/session_data.h"

enum { PERMISSIONS = 07777, PIECE = 256 * 1024 /* of a file that is compared */ };

int changes_compare_init(struct changes_compare *c, struct session *s,
			 const struct changes_options *opt, struct err *e)
{
	*c = (struct changes_compare){.session = s, .opt = opt};
	c->buffer = array_new(2, PIECE, e);
	return c->buffer ? 0 : -1;
}

void changes_compare_fini(struct changes_compare *c)
{
	free(c->buffer);
	u64map_fini(&c->known);
}

bool changes_is_lower_content(const struct session *s, const struct session_inode *in)
{
	return session_is_lower(s, in->ino) && S_ISREG(in->mode) && in->place == SESSION_NOWHERE &&
	       in->lower_size == in->size;
}

/* Bytes [at, end) of both files: 1 the same, 0 not, -1. */
static int compare_range(struct changes_compare *c, uint64_t ino, uint32_t lower, uint64_t at,
			 uint64_t end, struct err *e)
{
	uint8_t *ours = c->buffer, *theirs = c->buffer + PIECE;

	while (at < end) {
		const size_t want = (size_t)min_u64(end - at, PIECE);
		const ssize_t n = session_read(c->session, ino, at, ours, want, e);
		if (n < 0)
			return -1;
		const ssize_t m = view_read(c->session->base, lower, at, theirs, want, e);
		if (m < 0)
			return -1;
		if (n != (ssize_t)want || m != (ssize_t)want)
			return err_set(e, ERR_FORMAT, "content ends before the file does");
		progress_add(c->opt->progress, want);
		if (memcmp(ours, theirs, want) != 0)
			return 0;
		at += want;
	}
	return 1;
}

/* The base's own inode: blocks of its data file, and what is behind the base's content. */
static int compare_written(struct changes_compare *c, const struct session_inode *in,
			   uint32_t lower, struct err *e)
{
	struct session_extent x = {0, 0};
	int found, r = 1;

	while (in->place == SESSION_IN_FILE && r == 1) {
		found = session_db_extent(c->session->db, in->ino, x.end, &x, e);
		if (found <= 0)
			break;
		const uint64_t start = x.start * SESSION_BLOCK;
		if (start < in->size)
			r = compare_range(c, in->ino, lower, start,
					  min_u64(x.end * SESSION_BLOCK, in->size), e);
	}
	if (e->code)
		return -1;
	return r == 1 ? compare_range(c, in->ino, lower, in->lower_size, in->size, e) : r;
}

/* Of files that are as long. */
static int compare_content(struct changes_compare *c, const struct session_inode *in,
			   uint32_t lower, struct err *e)
{
	int r;

	if (in->ino != (uint64_t)lower + 1)
		r = compare_range(c, in->ino, lower, 0, in->size, e);
	else if (changes_is_lower_content(c->session, in))
		r = 1;
	else
		r = compare_written(c, in, lower, e);
	if (r == 0 || r == 1 || !c->opt->is_lenient || err_is_own_lack(e))
		return r;
	err_clear(e);
	return 0;
}

/* The same; a file with many names is read once, not once for each. */
static int compare_files(struct changes_compare *c, const struct session_inode *in, uint32_t lower,
			 const struct catalog_stat *st, struct err *e)
{
	if (in->size != st->size)
		return 0;
	if (in->nlink < 2 && st->nlink < 2)
		return compare_content(c, in, lower, e);
	const uint64_t *known = u64map_get(&c->known, in->ino);
	if (known && *known >> 1 == lower)
		return (int)(*known & 1);
	const int r = compare_content(c, in, lower, e);
	if (r >= 0 && u64map_put(&c->known, in->ino, (uint64_t)lower << 1 | (unsigned)r, e) < 0)
		return -1;
	return r;
}

static int compare_targets(struct changes_compare *c, const struct session_inode *in,
			   uint32_t lower, struct err *e)
{
	char ours[LIMIT_SYMLINK + 1], theirs[LIMIT_SYMLINK];
	struct view *base = c->session->base;
	size_t len = 0;

	/* Nobody can change the target of a link that is there. */
	if (in->ino == (uint64_t)lower + 1)
		return 1;
	if (session_readlink(c->session, in->ino, ours, e) < 0 ||
	    VIEW_RETRY(base, e, catalog_readlink(view_catalog(base), lower, theirs, &len, e)) < 0)
		return -1;
	return strlen(ours) == len && memcmp(ours, theirs, len) == 0;
}

static int compare_by_kind(struct changes_compare *c, const struct session_inode *in,
			   uint32_t lower, const struct catalog_stat *st, struct err *e)
{
	switch (st->mode & S_IFMT) {
	case S_IFREG:
		return compare_files(c, in, lower, st, e);
	case S_IFLNK:
		return compare_targets(c, in, lower, e);
	case S_IFCHR:
	case S_IFBLK:
		return in->rdev_major == st->rdev_major && in->rdev_minor == st->rdev_minor;
	default:
		return 1;
	}
}

/* The base has an xattr `name` with the value that `ours` has. */
static int same_value(struct changes_compare *c, uint64_t ino, uint32_t lower, const char *name,
		      struct err *e)
{
	char ours[LIMIT_XATTR_VALUE], theirs[LIMIT_XATTR_VALUE];
	struct view *base = c->session->base;
	size_t len = 0, lower_len = 0;

	if (session_db_xattr(c->session->db, ino, name, ours, &len, e) < 0)
		return -1;
	const int found = VIEW_RETRY(base, e,
				     catalog_getxattr(view_catalog(base), lower, name, theirs,
						      sizeof(theirs), &lower_len, e));
	if (found <= 0)
		return found;
	return len == lower_len && memcmp(ours, theirs, len) == 0;
}

/* The inode has rows of its own: as many as the base, and each as there. */
static int same_rows(struct changes_compare *c, uint64_t ino, uint32_t lower, struct err *e)
{
	char name[LIMIT_XATTR_NAME + 1] = "";
	struct view *base = c->session->base;
	size_t ours = 0, theirs = 0, ignored;
	int found, r = 1;

	while (r == 1 &&
	       (found = session_db_xattr_above(c->session->db, ino, name, name, &ignored, e)) > 0) {
		ours += strlen(name) + 1;
		r = same_value(c, ino, lower, name, e);
	}
	if (r <= 0 || found < 0)
		return r == 0 ? 0 : -1;
	if (VIEW_RETRY(base, e, catalog_listxattr(view_catalog(base), lower, NULL, 0, &theirs, e)) <
	    0)
		return -1;
	return ours == theirs;
}

static int same_xattrs(struct changes_compare *c, const struct session_inode *in, uint32_t lower,
		       struct err *e)
{
	struct view *base = c->session->base;
	size_t len = 0;

	if (in->has_xattrs)
		return same_rows(c, in->ino, lower, e);
	if (in->ino == (uint64_t)lower + 1 || !catalog_has_xattrs(view_catalog(base)))
		return 1;
	if (session_is_lower(c->session, in->ino))
		return VIEW_RETRY(base, e,
				  catalog_same_xattrs(view_catalog(base), session_lower(in->ino),
						      view_catalog(base), lower, e));
	if (VIEW_RETRY(base, e, catalog_listxattr(view_catalog(base), lower, NULL, 0, &len, e)) < 0)
		return -1;
	return len == 0;
}

int changes_compare(struct changes_compare *c, const struct session_inode *in, uint32_t lower,
		    const struct catalog_stat *st, unsigned *what, struct err *e)
{
	const uint32_t mode = in->mode ^ st->mode;
	int is_same = 1;

	*what = mode & S_IFMT ? DIFF_TYPE : 0;
	if (!*what)
		is_same = compare_by_kind(c, in, lower, st, e);
	if (is_same < 0)
		return -1;
	if (!is_same)
		*what |= DIFF_CONTENT;
	if ((mode & PERMISSIONS) && !S_ISLNK(in->mode) && !S_ISLNK(st->mode))
		*what |= DIFF_MODE;
	if (in->uid != st->uid || in->gid != st->gid)
		*what |= DIFF_OWNER;
	if (c->opt->has_times &&
	    (in->mtim.tv_sec != st->mtime || in->mtim.tv_nsec != (long)st->mtime_nsec))
		*what |= DIFF_MTIME;
	is_same = same_xattrs(c, in, lower, e);
	if (is_same < 0)
		return -1;
	if (!is_same)
		*what |= DIFF_XATTRS;
	return 0;
}
