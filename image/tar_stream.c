/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tar_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "image/holes.h"

enum { BUFFER_SIZE = 64 * 1024 };

int tar_stream_init(struct tar_stream *s, const struct tar_input *in, struct err *e)
{
	memset(s, 0, sizeof(*s));
	s->in = *in;
	s->buf = array_new(1, BUFFER_SIZE, e);
	return s->buf ? 0 : -1;
}

void tar_stream_fini(struct tar_stream *s)
{
	free(s->buf);
	s->buf = NULL;
}

static ssize_t pull(struct tar_stream *s, void *buf, size_t len, struct err *e)
{
	const ssize_t n = s->in.read(s->in.ctx, buf, len, e);

	s->has_input_failed = n < 0;
	return n;
}

/* Reads ahead until `want` bytes (at most a block) are there, or the input ends: how many are. */
static ssize_t fill(struct tar_stream *s, size_t want, struct err *e)
{
	if (s->end - s->at < want) {
		memmove(s->buf, s->buf + s->at, s->end - s->at);
		s->end -= s->at;
		s->at = 0;
	}
	while (s->end - s->at < want) {
		const ssize_t n = pull(s, s->buf + s->end, BUFFER_SIZE - s->end, e);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		s->end += (size_t)n;
	}
	return (ssize_t)(s->end - s->at);
}

static void consume(struct tar_stream *s, size_t len)
{
	s->at += len;
	s->offset += len;
}

static int cut_short(struct err *e)
{
	return err_set(e, ERR_FORMAT, "the archive is cut short");
}

int tar_stream_block(struct tar_stream *s, void *block, struct err *e)
{
	const ssize_t have = fill(s, TAR_BLOCK, e);

	if (have <= 0)
		return (int)have;
	if (have < TAR_BLOCK)
		return cut_short(e);
	memcpy(block, s->buf + s->at, TAR_BLOCK);
	consume(s, TAR_BLOCK);
	return 1;
}

ssize_t tar_stream_read(struct tar_stream *s, void *buf, size_t len, struct err *e)
{
	size_t n = s->end - s->at;

	if (n > 0) {
		n = n < len ? n : len;
		memcpy(buf, s->buf + s->at, n);
		consume(s, n);
		return (ssize_t)n;
	}
	const ssize_t got = pull(s, buf, len, e);
	if (got == 0)
		return cut_short(e);
	if (got > 0)
		s->offset += (uint64_t)got;
	return got;
}

int tar_stream_append(struct tar_stream *s, struct str *out, uint64_t len, struct err *e)
{
	while (len > 0) {
		const ssize_t have = fill(s, 1, e);
		if (have <= 0)
			return have < 0 ? -1 : cut_short(e);
		const size_t n = len < (uint64_t)have ? (size_t)len : (size_t)have;
		if (str_append(out, s->buf + s->at, n, e) < 0)
			return -1;
		consume(s, n);
		len -= n;
	}
	return 0;
}

int tar_stream_skip(struct tar_stream *s, uint64_t len, struct err *e)
{
	while (len > 0) {
		const ssize_t have = fill(s, 1, e);
		if (have <= 0)
			return have < 0 ? -1 : cut_short(e);
		const size_t n = len < (uint64_t)have ? (size_t)len : (size_t)have;
		consume(s, n);
		len -= n;
	}
	return 0;
}

int tar_stream_zeros(struct tar_stream *s, uint64_t *count, struct err *e)
{
	for (*count = 0;;) {
		const ssize_t have = fill(s, 1, e);
		if (have <= 0)
			return have < 0 ? -1 : 1;
		if (!holes_is_zero(s->buf + s->at, (size_t)have))
			return 0;
		*count += (uint64_t)have;
		consume(s, (size_t)have);
	}
}
