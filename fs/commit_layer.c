/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/commit_layer.h"

#include <string.h>
#include <sys/sysmacros.h>

#include "base/array.h"
#include "base/log.h"
#include "base/quote.h"
#include "fs/changes.h"
#include "fs/session_data.h"
#include "image/whiteout.h"

enum { WHITEOUT_MODE = 0644, PERMISSIONS = 07777 };

struct commit_layer {
	struct session *session;
	const struct commit_layer_options *opt;
	struct layer_writer *writer; /* NULL: only measures */
	struct commit_layer_result *out;
	struct str path;   /* of a whiteout */
	struct str xattrs; /* names and values */
	char target[LIMIT_SYMLINK + 1];
};

/* A file that is being written. */
struct reading {
	struct session *session;
	uint64_t ino, at;
};

/* layer_source: read */
static int read_content(void *ctx, void *buf, size_t len, struct err *e)
{
	struct reading *r = ctx;
	const ssize_t n = session_read(r->session, r->ino, r->at, buf, len, e);

	if (n < 0)
		return -1;
	if ((size_t)n != len)
		return err_set(e, ERR_FORMAT, "content ends before the file does");
	r->at += len;
	return 0;
}

static int add_entry(struct commit_layer *c, const struct entry *en, uint64_t ino, struct err *e)
{
	struct reading reading = {c->session, ino, 0};
	const struct layer_source src = {read_content, &reading};
	struct commit_layer_result *out = c->out;

	if (c->writer && layer_writer_add(c->writer, en, en->size ? &src : NULL, e) < 0)
		return -1;
	if (out->entries == 0 || en->mtime > out->newest)
		out->newest = en->mtime;
	out->entries++;
	out->content = add_up_to(out->content, en->size, INT64_MAX);
	return 0;
}

/* ".wh." and the name, in its directory. */
static int add_whiteout(struct commit_layer *c, const struct diff_change *d, struct err *e)
{
	const char *path = d->path + 1;
	const char *slash = memrchr(path, '/', d->path_len - 1);
	const size_t dir = slash ? (size_t)(slash - path) + 1 : 0;

	str_truncate(&c->path, 0);
	if (str_append(&c->path, path, dir, e) < 0 ||
	    str_append_z(&c->path, WHITEOUT_PREFIX, e) < 0 ||
	    str_append(&c->path, path + dir, d->path_len - 1 - dir, e) < 0)
		return -1;
	const struct entry en = {
		.path = c->path.data,
		.path_len = c->path.len,
		.kind = ENTRY_REG,
		.mode = WHITEOUT_MODE,
	};
	return add_entry(c, &en, 0, e);
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
static int read_values(struct commit_layer *c, uint64_t ino, struct xattr_place *places,
		       size_t count, struct err *e)
{
	struct str *text = &c->xattrs;
	size_t name = 0;

	for (size_t i = 0; i < count; i++) {
		struct xattr_place *x = &places[i];
		if (str_reserve(text, LIMIT_XATTR_VALUE, e) < 0)
			return -1;
		x->name = name;
		x->value = text->len;
		const int found =
			session_getxattr(c->session, ino, text->data + name, text->data + text->len,
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

/* `*out`: freed by the caller; its text is c->xattrs. */
static int read_xattrs(struct commit_layer *c, uint64_t ino, struct xattr **out, size_t *count,
		       struct err *e)
{
	struct str *text = &c->xattrs;
	size_t len = 0;

	*count = 0;
	str_truncate(text, 0);
	if (session_listxattr(c->session, ino, NULL, 0, &len, e) < 0)
		return -1;
	if (len == 0)
		return 0;
	if (str_append_zeros(text, len, e) < 0 ||
	    session_listxattr(c->session, ino, text->data, len, &len, e) < 0)
		return -1;
	size_t n = 0;
	for (size_t i = 0; i < len; i++)
		n += !text->data[i];
	SCOPE_FREE struct xattr_place *places = array_new(n, sizeof(*places), e);
	*out = places ? array_new(n, sizeof(**out), e) : NULL;
	if (!*out || read_values(c, ino, places, n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *name = text->data + places[i].name;
		(*out)[i] = (struct xattr){name, strlen(name), text->data + places[i].value,
					   places[i].len};
	}
	qsort(*out, n, sizeof(**out), compare_xattrs);
	*count = n;
	return 0;
}

static void set_mtime(const struct commit_layer *c, struct entry *en, const struct timespec *t)
{
	en->mtime = t->tv_sec;
	en->mtime_nsec = (uint32_t)t->tv_nsec;
	if (c->opt->has_epoch && en->mtime >= c->opt->epoch) {
		en->mtime = c->opt->epoch;
		en->mtime_nsec = 0;
	}
}

/* What the inode is, whatever its name. */
static int describe(struct commit_layer *c, const struct stat *st, struct entry *en, struct err *e)
{
	en->mode = st->st_mode & PERMISSIONS;
	en->uid = st->st_uid;
	en->gid = st->st_gid;
	set_mtime(c, en, &st->st_mtim);
	if (S_ISREG(st->st_mode))
		en->size = (uint64_t)st->st_size;
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		en->rdev_major = major(st->st_rdev);
		en->rdev_minor = minor(st->st_rdev);
	}
	if (!S_ISLNK(st->st_mode))
		return 0;
	if (session_readlink(c->session, st->st_ino, c->target, e) < 0)
		return -1;
	en->link = c->target;
	en->link_len = strlen(c->target);
	return 0;
}

static int add_inode(struct commit_layer *c, const struct change *ch, struct entry *en,
		     struct err *e)
{
	SCOPE_FREE struct xattr *xattrs = NULL;

	if (describe(c, &ch->st, en, e) < 0 ||
	    read_xattrs(c, ch->ino, &xattrs, &en->xattr_count, e) < 0)
		return -1;
	en->xattrs = xattrs;
	c->out->repeated = add_up_to(c->out->repeated, ch->repeated, INT64_MAX);
	return add_entry(c, en, ch->ino, e);
}

/* changes_walk: each */
static int add_change(void *ctx, const struct change *ch, struct err *e)
{
	struct commit_layer *c = ctx;
	struct entry en = {.path = ch->diff.path + 1, .path_len = ch->diff.path_len - 1};
	char q[QUOTE_MAX];

	if (ch->diff.kind == DIFF_DELETED)
		return add_whiteout(c, &ch->diff, e);
	if (!entry_kind_of(ch->st.st_mode, &en.kind)) {
		if (c->writer)
			log_warning("'%s' is a socket, and left out: no layer can hold it",
				    quote_bytes(q, ch->diff.path, ch->diff.path_len));
		c->out->sockets++;
		return 0;
	}
	if (!ch->link)
		return add_inode(c, ch, &en, e);
	/* A link says of itself what the file does; its xattrs are with the file. */
	if (describe(c, &ch->st, &en, e) < 0)
		return -1;
	en.kind = ENTRY_HARDLINK;
	en.link = ch->link;
	en.link_len = ch->link_len;
	en.size = 0;
	return add_entry(c, &en, 0, e);
}

int commit_layer_write(struct session *s, const struct commit_layer_options *opt,
		       struct layer_writer *w, struct commit_layer_result *out, struct err *e)
{
	const struct changes_options changes = {
		.has_times = opt->has_times,
		.is_layer = true,
		.progress = opt->progress,
	};
	struct commit_layer c = {.session = s, .opt = opt, .writer = w, .out = out};

	*out = (struct commit_layer_result){.entries = 0};
	const int r = changes_walk(s, &changes, add_change, &c, e);
	str_fini(&c.path);
	str_fini(&c.xattrs);
	return r;
}

int commit_layer_measure(struct session *s, const struct commit_layer_options *opt,
			 struct commit_layer_result *out, struct err *e)
{
	return commit_layer_write(s, opt, NULL, out, e);
}
