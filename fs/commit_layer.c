/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/commit_layer.h"

#include <string.h>

#include "base/array.h"
#include "base/log.h"
#include "base/quote.h"
#include "fs/changes.h"
#include "fs/session_data.h"
#include "fs/session_entry.h"
#include "image/whiteout.h"

enum { WHITEOUT_MODE = 0644 };

struct commit_layer {
	struct session *session;
	const struct commit_layer_options *opt;
	struct layer_writer *writer; /* NULL: only measures */
	struct commit_layer_result *out;
	struct str path; /* of a whiteout */
	struct session_entry room;
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

/* What the inode is, whatever its name. */
static int describe(struct commit_layer *c, const struct stat *st, struct entry *en, struct err *e)
{
	if (session_entry_describe(&c->room, st, en, e) < 0)
		return -1;
	if (c->opt->has_epoch && en->mtime >= c->opt->epoch) {
		en->mtime = c->opt->epoch;
		en->mtime_nsec = 0;
	}
	return 0;
}

static int add_inode(struct commit_layer *c, const struct change *ch, struct entry *en,
		     struct err *e)
{
	if (describe(c, &ch->st, en, e) < 0 || session_entry_xattrs(&c->room, ch->ino, en, e) < 0)
		return -1;
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
	struct commit_layer c = {
		.session = s,
		.opt = opt,
		.writer = w,
		.out = out,
		.room = SESSION_ENTRY_INIT(s),
	};

	*out = (struct commit_layer_result){.entries = 0};
	const int r = changes_walk(s, &changes, add_change, &c, e);
	str_fini(&c.path);
	session_entry_fini(&c.room);
	return r;
}

int commit_layer_measure(struct session *s, const struct commit_layer_options *opt,
			 struct commit_layer_result *out, struct err *e)
{
	return commit_layer_write(s, opt, NULL, out, e);
}
