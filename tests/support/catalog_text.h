/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that a catalog says, as text: asks every question of catalog.h about every inode.
 */
#ifndef TESTS_SUPPORT_CATALOG_TEXT_H
#define TESTS_SUPPORT_CATALOG_TEXT_H

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/quote.h"
#include "image/catalog.h"

static inline int catalog_text_dir(const struct catalog *c, uint32_t dir, struct str *out,
				   struct err *e)
{
	struct catalog_dirent d;
	uint32_t inode = 0;
	int found;

	if (catalog_parent(c, dir, &inode, e) < 0 || str_appendf(out, e, " in %" PRIu32, inode) < 0)
		return -1;
	for (uint64_t at = 0; (found = catalog_readdir(c, dir, at, &d, e)) == 1; at++) {
		if (str_appendf(out, e, "\n\t%" PRIu32 " %o ", d.inode, d.type) < 0 ||
		    quote_append(out, d.name, d.name_len, e) < 0)
			return -1;
		const int again = catalog_lookup(c, dir, d.name, d.name_len, &inode, e);
		if (again < 0 || str_append_z(out, again && inode == d.inode ? "" : "!", e) < 0)
			return -1;
	}
	return found;
}

static inline int catalog_text_file(const struct catalog *c, uint32_t inode, struct str *out,
				    struct err *e)
{
	struct catalog_range r;
	uint64_t offset = 0;

	for (;;) {
		if (catalog_range(c, inode, offset, &r, e) < 0)
			return -1;
		if (r.length == 0)
			return 0;
		if (str_appendf(out, e, "\n\t%" PRIu64 "+%" PRIu64, offset, r.length) < 0)
			return -1;
		if (!r.is_hole) {
			struct frame f;
			uint32_t number = 0;
			if (catalog_frame(c, r.layer, r.tar_offset, &number, &f, e) < 0 ||
			    str_appendf(out, e, " %" PRIu32 ":%" PRIu64 " %" PRIu32 ":%" PRIu64,
					r.layer, r.tar_offset, number, f.blob_offset) < 0)
				return -1;
		}
		offset += r.length;
	}
}

static inline int catalog_text_xattrs(const struct catalog *c, uint32_t inode, struct str *out,
				      struct err *e)
{
	static _Thread_local char names[1 << 20];
	static _Thread_local char value[LIMIT_XATTR_VALUE];
	size_t len = 0;

	if (catalog_listxattr(c, inode, names, sizeof(names), &len, e) < 0)
		return -1;
	for (size_t at = 0; len <= sizeof(names) && at < len; at += strlen(names + at) + 1) {
		size_t value_len = 0;
		const int found =
			catalog_getxattr(c, inode, names + at, value, sizeof(value), &value_len, e);
		if (found < 0 || str_append_z(out, "\n\t@", e) < 0 ||
		    quote_append(out, names + at, strlen(names + at), e) < 0 ||
		    str_append_c(out, '=', e) < 0 || quote_append(out, value, value_len, e) < 0)
			return -1;
	}
	return 0;
}

static inline int catalog_text_names(const struct catalog *c, uint32_t inode, struct str *out,
				     struct err *e)
{
	struct catalog_dirent d;
	uint32_t dir = 0;
	int found;

	if (str_append_c(out, ' ', e) < 0 || catalog_path(c, inode, out, e) < 0)
		return -1;
	for (uint32_t at = 1; (found = catalog_name(c, inode, at, &dir, &d, e)) == 1; at++)
		if (str_appendf(out, e, " =%" PRIu32 "/", dir) < 0 ||
		    quote_append(out, d.name, d.name_len, e) < 0)
			return -1;
	return found;
}

static inline int catalog_text_inode(const struct catalog *c, uint32_t inode, struct str *out,
				     struct err *e)
{
	struct catalog_stat st;
	char target[LIMIT_SYMLINK];
	size_t len = 0;

	if (catalog_stat(c, inode, &st, e) < 0 ||
	    str_appendf(out, e,
			"%" PRIu32 " %o %" PRIu32 ":%" PRIu32 " x%" PRIu32 " %" PRIu64 "/%" PRIu64
			" %" PRIi64 ".%" PRIu32,
			inode, st.mode, st.uid, st.gid, st.nlink, st.data_bytes, st.size, st.mtime,
			st.mtime_nsec) < 0 ||
	    catalog_text_names(c, inode, out, e) < 0)
		return -1;
	if (S_ISDIR(st.mode) && catalog_text_dir(c, inode, out, e) < 0)
		return -1;
	if (S_ISREG(st.mode) && catalog_text_file(c, inode, out, e) < 0)
		return -1;
	if (S_ISLNK(st.mode) &&
	    (catalog_readlink(c, inode, target, &len, e) < 0 || str_append_z(out, " -> ", e) < 0 ||
	     quote_append(out, target, len, e) < 0))
		return -1;
	if ((S_ISCHR(st.mode) || S_ISBLK(st.mode)) &&
	    str_appendf(out, e, " %" PRIu32 ",%" PRIu32, st.rdev_major, st.rdev_minor) < 0)
		return -1;
	if (catalog_text_xattrs(c, inode, out, e) < 0)
		return -1;
	return str_append_c(out, '\n', e);
}

/* 0, or -1 at the first error. */
static inline int catalog_text(const struct catalog *c, struct str *out, struct err *e)
{
	if (str_appendf(out, e, "%" PRIu64 " %d\n", catalog_content_size(c),
			catalog_has_xattrs(c)) < 0)
		return -1;
	for (size_t at = 0; at < catalog_layer_count(c); at++) {
		struct catalog_layer l;
		char name[2][DIGEST_STR_MAX];
		if (catalog_layer(c, at, &l, e) < 0 ||
		    str_appendf(out, e, "%s %s %d %d %" PRIu64 "\n",
				digest_format(&l.index, name[0]), digest_format(&l.blob, name[1]),
				l.is_reframed, (int)l.encoding, l.frame_count) < 0)
			return -1;
	}
	for (uint32_t inode = 0; inode < catalog_inode_count(c); inode++)
		if (catalog_text_inode(c, inode, out, e) < 0)
			return -1;
	return 0;
}

#endif
