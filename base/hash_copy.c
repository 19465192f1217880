/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash_copy.h"

#include <inttypes.h>

#include "base/array.h"
#include "base/hasher.h"
#include "base/workers.h"

enum {
	PIECE_SIZE = 256 * 1024, /* stays in a processor's own cache from read to write and hash */
	PIECES = 4,              /* that the two threads may be apart */
};

/* A job of the pool, whose one thread takes them in order. */
struct piece {
	struct hasher *hasher;
	uint8_t *bytes;
	size_t len;
};

static void hash_piece(void *job)
{
	struct piece *p = job;

	hasher_update(p->hasher, p->bytes, p->len);
}

struct copy {
	const struct hash_copy *how;
	struct workers *pool;
	struct hasher hasher;
	struct piece pieces[PIECES];
	uint64_t size, done;
};

/* Fills a piece as far as the source goes: the count, 0 at the end, -1. */
static ssize_t fill(const struct copy *c, struct piece *p, struct err *e)
{
	for (p->len = 0; p->len < PIECE_SIZE;) {
		const ssize_t n =
			c->how->read(c->how->from, p->bytes + p->len, PIECE_SIZE - p->len, e);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		p->len += (size_t)n;
	}
	return (ssize_t)p->len;
}

static int copy_piece(struct copy *c, struct piece *p, struct err *e)
{
	if (p->len > c->size - c->done)
		return err_set(e, ERR_DIGEST, "is longer than %" PRIu64 " bytes", c->size);
	workers_submit(c->pool, p);
	c->done += p->len;
	if (c->how->write(c->how->to, p->bytes, p->len, e) < 0)
		return -1;
	progress_add(c->how->progress, p->len);
	return 0;
}

static int copy_all(struct copy *c, struct err *e)
{
	for (size_t i = 0;; i = (i + 1) % PIECES) {
		struct piece *p = &c->pieces[i];
		/* They come back in order, so the oldest is this one. */
		if (workers_is_full(c->pool))
			workers_take(c->pool);
		const ssize_t n = fill(c, p, e);
		if (n <= 0)
			return (int)n;
		if (copy_piece(c, p, e) < 0)
			return -1;
	}
}

static int check(struct copy *c, const struct digest *want, struct err *e)
{
	if (c->done != c->size)
		return err_set(e, ERR_DIGEST, "has %" PRIu64 " bytes, not %" PRIu64, c->done,
			       c->size);
	const struct digest got = hasher_final(&c->hasher);
	if (!digest_equal(&got, want))
		return err_set(e, ERR_DIGEST, "the content has another digest");
	return 0;
}

int hash_copy(const struct hash_copy *c, uint64_t size, const struct digest *want, struct err *e)
{
	struct copy k = {.how = c, .size = size};
	/* A thread is not worth it for what fits into one piece. */
	const unsigned threads = size > PIECE_SIZE ? 1 : 0;
	SCOPE_FREE uint8_t *bytes = array_new(PIECES, PIECE_SIZE, e);

	if (!bytes)
		return -1;
	k.pool = workers_new(threads, PIECES, hash_piece, e);
	if (!k.pool)
		return -1;
	hasher_init(&k.hasher, want->alg);
	for (size_t i = 0; i < PIECES; i++)
		k.pieces[i] = (struct piece){&k.hasher, bytes + i * PIECE_SIZE, 0};
	const int r = copy_all(&k, e);
	/* Also after a failure: the thread reads what is freed below. */
	while (workers_take(k.pool))
		continue;
	workers_free(k.pool);
	return r < 0 ? -1 : check(&k, want, e);
}
