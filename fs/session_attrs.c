/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/array.h"
#include "base/str.h"
#include "fs/session_private.h"

#define CAPABILITY "security.capability"
#define ACL_PREFIX "system.posix_acl_"

enum { MODE_BITS = 07777 };

/* 1 with the length of the value, 0, -1; copied when it fits. */
static int find_xattr(struct session *s, const struct session_inode *in, const char *name,
		      void *buf, size_t size, size_t *len, struct err *e)
{
	char value[LIMIT_XATTR_VALUE];

	if (!in->has_xattrs) {
		if (!session_is_lower(s, in->ino))
			return 0;
		return VIEW_RETRY(s->base, e,
				  catalog_getxattr(view_catalog(s->base), session_lower(in->ino),
						   name, buf, size, len, e));
	}
	const int found = session_db_xattr(s->db, in->ino, name, value, len, e);
	if (found > 0 && *len > 0 && *len <= size)
		memcpy(buf, value, *len);
	return found;
}

int session_getxattr(struct session *s, uint64_t ino, const char *name, void *buf, size_t size,
		     size_t *len, struct err *e)
{
	struct session_inode in;

	session_lock(s);
	const int found =
		session_load(s, ino, &in, e) < 0 ? -1 : find_xattr(s, &in, name, buf, size, len, e);
	session_unlock(s);
	return found;
}

/* NUL-terminated names, one after the other. */
static int list_rows(struct session *s, uint64_t ino, char *buf, size_t size, size_t *len,
		     struct err *e)
{
	char name[LIMIT_XATTR_NAME + 1] = "";
	size_t ignored;
	int found;

	*len = 0;
	while ((found = session_db_xattr_above(s->db, ino, name, name, &ignored, e)) > 0) {
		const size_t n = strlen(name) + 1;
		if (*len + n <= size)
			memcpy(buf + *len, name, n);
		*len += n;
	}
	return found;
}

int session_listxattr(struct session *s, uint64_t ino, char *buf, size_t size, size_t *len,
		      struct err *e)
{
	struct session_inode in;
	int r = -1;

	*len = 0;
	session_lock(s);
	if (session_load(s, ino, &in, e) == 0) {
		if (in.has_xattrs)
			r = list_rows(s, ino, buf, size, len, e);
		else if (!session_is_lower(s, ino))
			r = 0;
		else
			r = VIEW_RETRY(s->base, e,
				       catalog_listxattr(view_catalog(s->base), session_lower(ino),
							 buf, size, len, e));
	}
	session_unlock(s);
	return r;
}

/* One xattr of the base becomes a row. */
static int copy_xattr(struct session *s, const struct session_inode *in, const char *name,
		      struct err *e)
{
	char value[LIMIT_XATTR_VALUE];
	size_t len = 0;
	const int found = find_xattr(s, in, name, value, sizeof(value), &len, e);

	if (found <= 0)
		return found;
	return session_db_put_xattr(s->db, in->ino, name, value, len, e);
}

/* Names of the base's xattrs, to be freed.  Each question asks for the catalog itself: it is
 * another one after a repair. */
static int list_lower(struct session *s, uint64_t ino, char **names, size_t *len, struct err *e)
{
	const uint32_t lower = session_lower(ino);
	size_t size = 0;

	if (VIEW_RETRY(s->base, e,
		       catalog_listxattr(view_catalog(s->base), lower, NULL, 0, &size, e)) < 0)
		return -1;
	SCOPE_FREE char *list = malloc(size ? size : 1);
	if (!list)
		return err_nomem(e);
	if (VIEW_RETRY(s->base, e,
		       catalog_listxattr(view_catalog(s->base), lower, list, size, len, e)) < 0)
		return -1;
	if (*len > size)
		return err_set(e, ERR_FORMAT, "the xattrs of inode %llu changed in the catalog",
			       (unsigned long long)ino);
	*names = steal_ptr(&list);
	return 0;
}

/* From now on rows say which xattrs the inode has. */
static int own_xattrs(struct session *s, struct session_inode *in, struct err *e)
{
	SCOPE_FREE char *names = NULL;
	size_t len = 0;

	if (in->has_xattrs)
		return 0;
	if (session_is_lower(s, in->ino) && list_lower(s, in->ino, &names, &len, e) < 0)
		return -1;
	for (size_t at = 0; names && at < len; at += strlen(names + at) + 1) {
		if (copy_xattr(s, in, names + at, e) < 0)
			return -1;
	}
	in->has_xattrs = true;
	return 0;
}

/* Room as an image has it: image/tar_xattr.h refuses more. */
static int check_room(struct session *s, uint64_t ino, const char *name, size_t len, struct err *e)
{
	char at[LIMIT_XATTR_NAME + 1] = "";
	uint64_t total = strlen(name) + len;
	size_t value_len;
	int found;

	while ((found = session_db_xattr_above(s->db, ino, at, at, &value_len, e)) > 0) {
		if (strcmp(at, name) != 0)
			total += strlen(at) + value_len;
	}
	if (found == 0 && total > LIMIT_XATTRS)
		return err_sys(e, ENOSPC, "the extended attributes of a file");
	return found;
}

static int set_xattr(struct session *s, uint64_t ino, const char *name, const void *value,
		     size_t len, int flags, struct err *e)
{
	struct session_inode in;
	size_t old;

	if (session_load(s, ino, &in, e) < 0)
		return -1;
	const int found = find_xattr(s, &in, name, NULL, 0, &old, e);
	if (found < 0)
		return -1;
	if (found && flags & XATTR_CREATE)
		return err_sys(e, EEXIST, "an extended attribute");
	if (!found && flags & XATTR_REPLACE)
		return err_sys(e, ENODATA, "an extended attribute");
	if (own_xattrs(s, &in, e) < 0)
		return -1;
	in.ctim = session_now();
	if (check_room(s, ino, name, len, e) < 0 ||
	    session_db_put_xattr(s->db, ino, name, value, len, e) < 0)
		return -1;
	return session_store(s, &in, e);
}

static int check_xattr(const char *name, size_t len, struct err *e)
{
	static const char *const spaces[] = {"user.", "trusted.", "security.", "system."};
	size_t space = 0;

	if (!*name)
		return err_sys(e, ERANGE, "the name of an extended attribute");
	while (space < ARRAY_LEN(spaces) && !str_has_prefix(name, spaces[space]))
		space++;
	/* ACLs consistently: no layer of shale's, and no mount of it, knows them. */
	if (space == ARRAY_LEN(spaces) || str_has_prefix(name, ACL_PREFIX))
		return err_sys(e, EOPNOTSUPP, "such an extended attribute");
	if (name[strlen(spaces[space])] == '\0')
		return err_sys(e, EINVAL, "an extended attribute without a name");
	if (strlen(name) > LIMIT_XATTR_NAME)
		return err_sys(e, ERANGE, "the name of an extended attribute");
	if (len > LIMIT_XATTR_VALUE)
		return err_sys(e, E2BIG, "an extended attribute");
	return 0;
}

/* NOLINTNEXTLINE(readability-function-size): setxattr(2), who asks for it, and of whom */
int session_setxattr(struct session *s, const struct session_caller *who, uint64_t ino,
		     const char *name, const void *value, size_t len, int flags, struct err *e)
{
	if (check_xattr(name, len, e) < 0 || session_begin(s, e) < 0)
		return -1;
	return session_end(s, who, ino, set_xattr(s, ino, name, value, len, flags, e), e);
}

static int remove_xattr(struct session *s, uint64_t ino, const char *name, struct err *e)
{
	struct session_inode in;
	size_t len;

	if (session_load(s, ino, &in, e) < 0)
		return -1;
	const int found = find_xattr(s, &in, name, NULL, 0, &len, e);
	if (found <= 0)
		return found < 0 ? -1 : err_sys(e, ENODATA, "an extended attribute");
	if (own_xattrs(s, &in, e) < 0 || session_db_remove_xattr(s->db, ino, name, e) < 0)
		return -1;
	in.ctim = session_now();
	return session_store(s, &in, e);
}

int session_removexattr(struct session *s, const struct session_caller *who, uint64_t ino,
			const char *name, struct err *e)
{
	if (check_xattr(name, 0, e) < 0 || session_begin(s, e) < 0)
		return -1;
	return session_end(s, who, ino, remove_xattr(s, ino, name, e), e);
}

/* Where the group may not execute, setgid goes only from the file of a group that is not the
 * caller's: in_group_or_capable of Linux. */
static bool keeps_setgid(const struct session_caller *who, const struct session_inode *in)
{
	return who->uid == 0 || who->gid == in->gid ||
	       (who->has_group && who->has_group(who->ctx, in->gid));
}

int session_kill_priv(struct session *s, const struct session_caller *who, struct session_inode *in,
		      bool has_right, struct err *e)
{
	size_t len;

	if (S_ISDIR(in->mode))
		return 0;
	if (!has_right) {
		in->mode &= ~(uint32_t)S_ISUID;
		if (in->mode & S_ISGID && (in->mode & S_IXGRP || !keeps_setgid(who, in)))
			in->mode &= ~(uint32_t)S_ISGID;
	}
	if (!in->has_xattrs && !catalog_has_xattrs(view_catalog(s->base)))
		return 0;
	const int found = find_xattr(s, in, CAPABILITY, NULL, 0, &len, e);
	if (found <= 0)
		return found;
	if (own_xattrs(s, in, e) < 0)
		return -1;
	return session_db_remove_xattr(s->db, in->ino, CAPABILITY, e) < 0 ? -1 : 0;
}

static void set_times(struct session_inode *in, const struct stat *st, unsigned set,
		      const struct timespec *now)
{
	if (set & (SESSION_SET_ATIME | SESSION_SET_ATIME_NOW))
		in->atim = set & SESSION_SET_ATIME_NOW ? *now : st->st_atim;
	if (set & (SESSION_SET_MTIME | SESSION_SET_MTIME_NOW))
		in->mtim = set & SESSION_SET_MTIME_NOW ? *now : st->st_mtim;
	in->ctim = *now;
}

static int set_attrs(struct session *s, const struct session_caller *who, uint64_t ino,
		     const struct stat *st, unsigned set, struct err *e)
{
	const struct timespec now = session_now();
	const bool is_chown = set & (SESSION_SET_UID | SESSION_SET_GID);
	struct session_inode in;

	if (session_load(s, ino, &in, e) < 0)
		return -1;
	if (set & SESSION_SET_SIZE) {
		if (!S_ISREG(in.mode))
			return err_sys(e, S_ISDIR(in.mode) ? EISDIR : EINVAL, "truncate");
		if (session_resize(s, &in, (uint64_t)st->st_size, e) < 0)
			return -1;
		in.mtim = now;
	}
	/* A chown takes them from everybody's files, root's too. */
	if ((is_chown || set & SESSION_SET_SIZE) &&
	    session_kill_priv(s, who, &in, !is_chown && !(set & SESSION_KILL_PRIV), e) < 0)
		return -1;
	if (set & SESSION_SET_UID)
		in.uid = st->st_uid;
	if (set & SESSION_SET_GID)
		in.gid = st->st_gid;
	if (set & SESSION_SET_MODE)
		in.mode = (in.mode & S_IFMT) | (st->st_mode & MODE_BITS);
	set_times(&in, st, set, &now);
	return session_store(s, &in, e);
}

int session_setattr(struct session *s, const struct session_caller *who, uint64_t ino,
		    const struct stat *st, unsigned set, struct err *e)
{
	if (session_begin(s, e) < 0)
		return -1;
	return session_end(s, who, ino, set_attrs(s, who, ino, st, set, e), e);
}
