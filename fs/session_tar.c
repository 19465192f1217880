/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/session_tar.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/log.h"
#include "base/quote.h"
#include "fs/session_data.h"
#include "fs/session_tar_private.h"

enum { PIECE = 256 * 1024 /* of a file that is read */ };

/* The next piece of a file of `size` bytes: its length, which is not 0, or -1. */
static ssize_t read_piece(struct session_tar *t, uint64_t ino, uint64_t at, uint64_t size,
			  struct err *e)
{
	const size_t want = size - at < PIECE ? (size_t)(size - at) : PIECE;
	const ssize_t n = session_read(t->session, ino, at, t->buffer, want, e);

	if (n >= 0 && (size_t)n != want)
		return err_set(e, ERR_FORMAT, "content ends before the file does");
	return n;
}

static int check_content(struct session_tar *t, uint64_t ino, uint64_t size, struct err *e)
{
	for (uint64_t at = 0; at < size;) {
		const ssize_t n = read_piece(t, ino, at, size, e);
		if (n < 0)
			return -1;
		at += (uint64_t)n;
	}
	return 0;
}

static int put_content(struct session_tar *t, uint64_t ino, uint64_t size, struct err *e)
{
	for (uint64_t at = 0; at < size;) {
		const ssize_t n = read_piece(t, ino, at, size, e);
		if (n < 0 || tar_archive_put(t->to, t->buffer, (size_t)n, e) < 0)
			return -1;
		progress_add(t->progress, (uint64_t)n);
		at += (uint64_t)n;
	}
	return 0;
}

void session_tar_leave_out(struct session_tar *t, const struct change *c, const char *why)
{
	char q[QUOTE_MAX];

	log_error("'%s' is left out: %s", quote_bytes(q, c->diff.path, c->diff.path_len), why);
	t->out->left_out++;
}

static int try_to_read(struct session_tar *t, const struct change *c, struct err *e)
{
	if (S_ISLNK(c->st.st_mode))
		return session_readlink(t->session, c->ino, t->room.target, e);
	return S_ISREG(c->st.st_mode) ? check_content(t, c->ino, (uint64_t)c->st.st_size, e) : 0;
}

/* Whether a file's content, or a link's target, can be read: 1, 0 when it was left out, -1. */
static int is_readable(struct session_tar *t, const struct change *c, struct err *e)
{
	struct err why = ERR_INIT;

	if (u64map_get(&t->lost, c->ino)) {
		session_tar_leave_out(t, c, "another name of a file that is");
		return 0;
	}
	if (c->link || try_to_read(t, c, &why) == 0)
		return 1;
	if (err_is_own_lack(&why))
		return err_move(e, &why);
	session_tar_leave_out(t, c, why.msg);
	err_clear(&why);
	return u64map_put(&t->lost, c->ino, 1, e);
}

static int put_link(struct session_tar *t, const struct change *c, struct entry *en, struct err *e)
{
	/* A link says of itself what the file does; its xattrs are with the file. */
	if (session_entry_describe(&t->room, &c->st, en, e) < 0)
		return -1;
	en->kind = ENTRY_HARDLINK;
	en->link = c->link;
	en->link_len = c->link_len;
	en->size = 0;
	en->rdev_major = en->rdev_minor = 0;
	return tar_archive_member(t->to, en, e);
}

static int put_member(struct session_tar *t, const struct change *c, struct entry *en,
		      struct err *e)
{
	if (session_entry_describe(&t->room, &c->st, en, e) < 0 ||
	    session_entry_xattrs(&t->room, c->ino, en, e) < 0 ||
	    tar_archive_member(t->to, en, e) < 0)
		return -1;
	return put_content(t, c->ino, en->size, e);
}

int session_tar_put(void *ctx, const struct change *c, struct err *e)
{
	struct session_tar *t = ctx;
	struct entry en = {.path = c->diff.path + 1, .path_len = c->diff.path_len - 1};
	char q[QUOTE_MAX];

	if (c->diff.kind == DIFF_DELETED)
		return 0;
	quote_bytes(q, c->diff.path, c->diff.path_len);
	if (!entry_kind_of(c->st.st_mode, &en.kind)) {
		log_warning("'%s' is a socket, and left out: no tar can hold it", q);
		t->out->sockets++;
		return 0;
	}
	const int readable = is_readable(t, c, e);
	if (readable <= 0)
		return readable;
	t->out->members++;
	return c->link ? put_link(t, c, &en, e) : put_member(t, c, &en, e);
}

int session_tar_init(struct session_tar *t, struct session *s, struct tar_archive *to,
		     struct progress *progress, struct session_tar_result *out, struct err *e)
{
	*out = (struct session_tar_result){.members = 0};
	*t = (struct session_tar){
		.session = s,
		.to = to,
		.progress = progress,
		.out = out,
		.room = SESSION_ENTRY_INIT(s),
	};
	t->buffer = array_new(PIECE, 1, e);
	return t->buffer ? 0 : -1;
}

void session_tar_fini(struct session_tar *t)
{
	free(t->buffer);
	u64map_fini(&t->lost);
	session_entry_fini(&t->room);
}

int session_tar_write(struct session *s, struct tar_archive *to, struct progress *progress,
		      struct session_tar_result *out, struct err *e)
{
	const struct changes_options opt = {
		.has_times = true,
		.is_layer = true,
		.is_lenient = true,
	};
	struct session_tar t;
	int r = session_tar_init(&t, s, to, progress, out, e);

	if (r == 0)
		r = changes_walk(s, &opt, session_tar_put, &t, e);
	session_tar_fini(&t);
	return r;
}
