/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/copy_view.h"

#include <string.h>
#include <sys/sysmacros.h>

#include "base/array.h"

/* A directory of the image that is being copied. */
struct copy_view_level {
	uint32_t inode;
	uint64_t at; /* the next of its names */
};

static struct copy_view *of(struct copy_source *s)
{
	/* `source` is the first member. */
	return (struct copy_view *)s;
}

static int look_at(struct copy_view *s, uint32_t inode, struct err *e)
{
	struct catalog_stat st;

	if (VIEW_RETRY(s->view, e, catalog_stat(view_catalog(s->view), inode, &st, e)) < 0)
		return -1;
	s->inode = inode;
	s->source.st = (struct stat){
		.st_ino = inode,
		.st_mode = st.mode,
		.st_uid = st.uid,
		.st_gid = st.gid,
		.st_nlink = st.nlink,
		.st_size = (off_t)st.size,
		.st_rdev = makedev(st.rdev_major, st.rdev_minor),
		.st_mtim = {.tv_sec = st.mtime, .tv_nsec = st.mtime_nsec},
	};
	return 0;
}

static int enter(struct copy_source *source, struct err *e)
{
	struct copy_view *s = of(source);

	if (s->depth >= LIMIT_DEPTH)
		return err_set(e, ERR_LIMIT, "directories nest deeper than %d", LIMIT_DEPTH);
	s->levels[s->depth++] = (struct copy_view_level){.inode = s->inode};
	return 0;
}

static int next(struct copy_source *source, struct err *e)
{
	struct copy_view *s = of(source);
	struct copy_view_level *l = &s->levels[s->depth - 1];
	struct catalog_dirent de;

	const int found = VIEW_RETRY(
		s->view, e, catalog_readdir(view_catalog(s->view), l->inode, l->at, &de, e));
	if (found <= 0)
		return found;
	l->at++;
	source->name_len = de.name_len;
	memcpy(source->name, de.name, sizeof(de.name));
	s->inode = de.inode;
	return 1;
}

static int look(struct copy_source *source, struct err *e)
{
	struct copy_view *s = of(source);

	return look_at(s, s->inode, e);
}

static int self(struct copy_source *source, struct err *e)
{
	struct copy_view *s = of(source);

	return look_at(s, s->levels[s->depth - 1].inode, e);
}

static int leave(struct copy_source *source, struct err *e)
{
	(void)e;
	of(source)->depth--;
	return 0;
}

static int open_content(struct copy_source *source, struct err *e)
{
	(void)source;
	(void)e;
	return 0;
}

static void close_content(struct copy_source *source)
{
	struct copy_view *s = of(source);

	view_span_put(s->view, &s->span);
}

static int span(struct copy_source *source, uint64_t at, struct copy_span *out, struct err *e)
{
	struct copy_view *s = of(source);

	close_content(source);
	if (view_span(s->view, s->inode, at, SIZE_MAX, &s->span, e) < 0)
		return -1;
	if (s->span.len == 0 && at < (uint64_t)source->st.st_size)
		return err_set(e, ERR_FORMAT, "is shorter than it should be");
	*out = (struct copy_span){s->span.bytes, s->span.len};
	return 0;
}

static int read_link(struct copy_source *source, char target[static LIMIT_SYMLINK + 1],
		     struct err *e)
{
	struct copy_view *s = of(source);
	size_t len;

	if (VIEW_RETRY(s->view, e,
		       catalog_readlink(view_catalog(s->view), s->inode, target, &len, e)) < 0)
		return -1;
	target[len] = '\0';
	return 0;
}

static int read_xattr_names(struct copy_view *s, struct err *e)
{
	size_t size;

	s->xattr_at = 0;
	s->xattr_names.len = 0;
	if (VIEW_RETRY(s->view, e,
		       catalog_listxattr(view_catalog(s->view), s->inode, NULL, 0, &size, e)) < 0)
		return -1;
	if (size == 0)
		return 0;
	if (str_reserve(&s->xattr_names, size, e) < 0 ||
	    VIEW_RETRY(s->view, e,
		       catalog_listxattr(view_catalog(s->view), s->inode, s->xattr_names.data, size,
					 &size, e)) < 0)
		return -1;
	s->xattr_names.len = size;
	return 0;
}

static int xattr(struct copy_source *source, bool is_first, struct xattr *out, struct err *e)
{
	struct copy_view *s = of(source);
	struct str *value = &s->xattr_value;

	if (is_first && read_xattr_names(s, e) < 0)
		return -1;
	if (s->xattr_at >= s->xattr_names.len)
		return 0;
	out->name = s->xattr_names.data + s->xattr_at;
	out->name_len = strlen(out->name);
	s->xattr_at += out->name_len + 1;
	value->len = 0;
	if (str_reserve(value, LIMIT_XATTR_VALUE, e) < 0)
		return -1;
	const int found =
		VIEW_RETRY(s->view, e,
			   catalog_getxattr(view_catalog(s->view), s->inode, out->name, value->data,
					    LIMIT_XATTR_VALUE, &out->value_len, e));
	if (found == 0 || (found > 0 && out->value_len > LIMIT_XATTR_VALUE))
		return err_set(e, ERR_FORMAT, "an extended attribute that is listed is not there");
	out->value = value->data;
	return found < 0 ? -1 : 1;
}

static const struct copy_source_ops ops = {
	.enter = enter,
	.next = next,
	.look = look,
	.self = self,
	.leave = leave,
	.open = open_content,
	.close = close_content,
	.span = span,
	.read_link = read_link,
	.xattr = xattr,
};

int copy_view_init(struct copy_view *s, struct view *v, uint32_t inode, struct err *e)
{
	*s = (struct copy_view){.source.ops = &ops, .view = v};
	s->levels = array_new(LIMIT_DEPTH, sizeof(*s->levels), e);
	return s->levels ? look_at(s, inode, e) : -1;
}

void copy_view_fini(struct copy_view *s)
{
	free(s->levels);
	str_fini(&s->xattr_names);
	str_fini(&s->xattr_value);
}
