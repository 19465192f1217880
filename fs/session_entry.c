/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/session_entry.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/array.h"

enum { PERMISSIONS = 07777 };

int session_entry_describe(struct session_entry *r, const struct stat *st, struct entry *en,
			   struct err *e)
{
	en->mode = st->st_mode & PERMISSIONS;
	en->uid = st->st_uid;
	en->gid = st->st_gid;
	en->mtime = st->st_mtim.tv_sec;
	en->mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
	if (S_ISREG(st->st_mode))
		en->size = (uint64_t)st->st_size;
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		en->rdev_major = major(st->st_rdev);
		en->rdev_minor = minor(st->st_rdev);
	}
	if (!S_ISLNK(st->st_mode))
		return 0;
	if (session_readlink(r->session, st->st_ino, r->target, e) < 0)
		return -1;
	en->link = r->target;
	en->link_len = strlen(r->target);
	return 0;
}

static int compare_xattrs(const void *a, const void *b)
{
	const struct xattr *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Where a value is in the text, until that does not grow any more. */
struct xattr_place {
	size_t name, value, len;
};

/* Names come first in the text, each with a NUL, then the values. */
static int read_values(struct session_entry *r, uint64_t ino, struct xattr_place *places,
		       size_t count, struct err *e)
{
	struct str *text = &r->text;
	size_t name = 0;

	for (size_t i = 0; i < count; i++) {
		struct xattr_place *x = &places[i];
		if (str_reserve(text, LIMIT_XATTR_VALUE, e) < 0)
			return -1;
		x->name = name;
		x->value = text->len;
		const int found =
			session_getxattr(r->session, ino, text->data + name, text->data + text->len,
					 LIMIT_XATTR_VALUE, &x->len, e);
		if (found <= 0)
			return found < 0 ? -1
					 : err_set(e, ERR_FORMAT,
						   "the session's database is damaged: xattrs of "
						   "inode %llu",
						   (unsigned long long)ino);
		text->len += x->len;
		name += strlen(text->data + name) + 1;
	}
	return 0;
}

int session_entry_xattrs(struct session_entry *r, uint64_t ino, struct entry *en, struct err *e)
{
	struct str *text = &r->text;
	size_t len = 0, n = 0;

	en->xattr_count = 0;
	str_truncate(text, 0);
	if (session_listxattr(r->session, ino, NULL, 0, &len, e) < 0)
		return -1;
	if (len == 0)
		return 0;
	if (str_append_zeros(text, len, e) < 0 ||
	    session_listxattr(r->session, ino, text->data, len, &len, e) < 0)
		return -1;
	for (size_t i = 0; i < len; i++)
		n += !text->data[i];
	SCOPE_FREE struct xattr_place *places = array_new(n, sizeof(*places), e);
	if (!places || read_values(r, ino, places, n, e) < 0)
		return -1;
	free(r->xattrs);
	r->xattrs = array_new(n, sizeof(*r->xattrs), e);
	if (!r->xattrs)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *name = text->data + places[i].name;
		r->xattrs[i] = (struct xattr){name, strlen(name), text->data + places[i].value,
					      places[i].len};
	}
	qsort(r->xattrs, n, sizeof(*r->xattrs), compare_xattrs);
	en->xattrs = r->xattrs;
	en->xattr_count = n;
	return 0;
}

void session_entry_fini(struct session_entry *r)
{
	str_fini(&r->text);
	free(r->xattrs);
	*r = (struct session_entry)SESSION_ENTRY_INIT(NULL);
}
