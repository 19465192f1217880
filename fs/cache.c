/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table of frames and a list of those that nobody uses, the least recently used first.
 *
 *	state	 pins	in the LRU list		who may touch the bytes
 *	loading	 >= 1	no			the thread that loads
 *	ready	 >= 1	no			the threads that pinned it (read only)
 *	ready	 0	yes			nobody
 *	failed	 >= 1	no			nobody; out of the table, freed with its last pin
 *
 * Buffers of evicted frames are used again when they fit: a fresh 512 KiB from the kernel costs as
 * much in page faults as decoding it.  They are mapped, not malloc'ed: frames of all sizes come and
 *go on all threads, and a heap would keep twice the budget.
 */
#include "fs/cache.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "base/array.h"

enum {
	BUFFER_UNIT = 16 * 1024, /* bytes: whole pages, and few sizes, so that buffers fit again */
	TABLE_SIZE_MIN = 64,     /* buckets */
	FRAME_SIZE_TYPICAL = 128 * 1024,  /* bytes; only the number of buckets follows from it */
	SPARE_COUNT = 8,                  /* buffers kept for reuse, outside the budget */
	SPARE_CAPACITY_MAX = 1024 * 1024, /* bytes; frames of other tools may have 16 MiB */
};

enum frame_state { FRAME_LOADING, FRAME_READY, FRAME_FAILED };

struct cache_frame {
	struct cache_frame *next;          /* in its bucket */
	struct cache_frame *newer, *older; /* in the LRU list */
	uint32_t layer, number;
	size_t length; /* as the catalog gave it */
	unsigned pins;
	enum frame_state state;
	uint8_t *bytes;
	size_t capacity; /* of `bytes` */
};

struct spare {
	uint8_t *bytes;
	size_t capacity;
};

struct cache {
	pthread_mutex_t lock;
	pthread_cond_t loaded; /* some frame left FRAME_LOADING */
	uint64_t budget;
	cache_load_fn *load;
	void *ctx;
	struct cache_frame **table;
	size_t mask;
	struct cache_frame *oldest, *newest;
	struct spare spares[SPARE_COUNT];
	struct cache_stats stats;
};

static size_t bucket_of(const struct cache *c, uint32_t layer, uint32_t number)
{
	/* Fibonacci hashing: neighbouring frames go to buckets far apart. */
	const uint64_t key = (uint64_t)layer << 32 | number;
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & c->mask;
}

/* The length is part of the name: a catalog that rots after it was checked, or that was built anew,
 * may give another one, and who asks for it must not get a shorter buffer. */
static struct cache_frame *find(const struct cache *c, uint32_t layer, uint32_t number,
				size_t length)
{
	struct cache_frame *f = c->table[bucket_of(c, layer, number)];

	while (f && (f->layer != layer || f->number != number || f->length != length))
		f = f->next;
	return f;
}

static void unlink_bucket(struct cache *c, const struct cache_frame *f)
{
	struct cache_frame **slot = &c->table[bucket_of(c, f->layer, f->number)];

	while (*slot != f)
		slot = &(*slot)->next;
	*slot = f->next;
}

static void lru_remove(struct cache *c, struct cache_frame *f)
{
	*(f->newer ? &f->newer->older : &c->newest) = f->older;
	*(f->older ? &f->older->newer : &c->oldest) = f->newer;
	f->newer = f->older = NULL;
}

static void lru_append(struct cache *c, struct cache_frame *f)
{
	f->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = f;
	c->newest = f;
}

/* NULL without memory. */
static uint8_t *map_buffer(size_t capacity)
{
	void *bytes =
		mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return bytes == MAP_FAILED ? NULL : bytes;
}

static void unmap_buffer(uint8_t *bytes, size_t capacity)
{
	if (bytes)
		munmap(bytes, capacity);
}

/* Keeps the buffer in place of a smaller spare, or frees it. */
static void give_buffer(struct cache *c, uint8_t *bytes, size_t capacity)
{
	struct spare *smallest = &c->spares[0];

	for (size_t i = 1; i < SPARE_COUNT; i++) {
		if (c->spares[i].capacity < smallest->capacity)
			smallest = &c->spares[i];
	}
	if (smallest->capacity < capacity && capacity <= SPARE_CAPACITY_MAX) {
		unmap_buffer(smallest->bytes, smallest->capacity);
		*smallest = (struct spare){bytes, capacity};
	} else {
		unmap_buffer(bytes, capacity);
	}
}

static uint8_t *take_buffer(struct cache *c, size_t length, size_t *capacity)
{
	for (size_t i = 0; i < SPARE_COUNT; i++) {
		struct spare *s = &c->spares[i];
		if (s->capacity >= length && s->capacity / 2 <= length) {
			uint8_t *bytes = s->bytes;
			*capacity = s->capacity;
			*s = (struct spare){NULL, 0};
			return bytes;
		}
	}
	*capacity = (length + BUFFER_UNIT - 1) / BUFFER_UNIT * BUFFER_UNIT;
	if (*capacity == 0)
		*capacity = BUFFER_UNIT;
	return map_buffer(*capacity);
}

static void evict(struct cache *c, uint64_t room)
{
	while (c->oldest && c->stats.bytes + room > c->budget) {
		struct cache_frame *f = c->oldest;
		lru_remove(c, f);
		unlink_bucket(c, f);
		c->stats.bytes -= f->capacity;
		c->stats.evictions++;
		give_buffer(c, f->bytes, f->capacity);
		free(f);
	}
}

struct cache *cache_new(uint64_t budget, cache_load_fn *load, void *ctx, struct err *e)
{
	struct cache *c = array_new(1, sizeof(*c), e);

	if (!c)
		return NULL;
	size_t buckets = TABLE_SIZE_MIN;
	while (buckets < budget / FRAME_SIZE_TYPICAL)
		buckets *= 2;
	c->table = array_new(buckets, sizeof(struct cache_frame *), e);
	if (!c->table) {
		free(c);
		return NULL;
	}
	c->mask = buckets - 1;
	c->budget = budget;
	c->load = load;
	c->ctx = ctx;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->loaded, NULL);
	return c;
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i <= c->mask; i++) {
		struct cache_frame *f = c->table[i];
		while (f) {
			struct cache_frame *next = f->next;
			assert(f->pins == 0);
			unmap_buffer(f->bytes, f->capacity);
			free(f);
			f = next;
		}
	}
	for (size_t i = 0; i < SPARE_COUNT; i++)
		unmap_buffer(c->spares[i].bytes, c->spares[i].capacity);
	pthread_cond_destroy(&c->loaded);
	pthread_mutex_destroy(&c->lock);
	free(c->table);
	free(c);
}

/* Under the lock: drops a pin; the last one of a failed frame frees it. */
static void unpin(struct cache *c, struct cache_frame *f)
{
	if (--f->pins > 0)
		return;
	if (f->state == FRAME_READY) {
		lru_append(c, f);
		evict(c, 0);
	} else {
		unmap_buffer(f->bytes, f->capacity);
		free(f);
	}
}

/* Under the lock: a new frame in FRAME_LOADING, pinned once. */
static struct cache_frame *insert(struct cache *c, uint32_t layer, uint32_t number, size_t length,
				  struct err *e)
{
	struct cache_frame *f = array_new(1, sizeof(*f), e);

	if (!f)
		return NULL;
	evict(c, length);
	f->bytes = take_buffer(c, length, &f->capacity);
	if (!f->bytes) {
		free(f);
		err_nomem(e);
		return NULL;
	}
	f->layer = layer;
	f->number = number;
	f->length = length;
	f->pins = 1;
	f->state = FRAME_LOADING;
	const size_t bucket = bucket_of(c, layer, number);
	f->next = c->table[bucket];
	c->table[bucket] = f;
	c->stats.bytes += f->capacity;
	c->stats.misses++;
	return f;
}

static int load(struct cache *c, struct cache_frame *f, size_t length, struct err *e)
{
	const int r = c->load(c->ctx, f->layer, f->number, f->bytes, length, e);

	pthread_mutex_lock(&c->lock);
	if (r < 0) {
		f->state = FRAME_FAILED;
		unlink_bucket(c, f);
		c->stats.bytes -= f->capacity;
		unpin(c, f);
	} else {
		f->state = FRAME_READY;
	}
	pthread_cond_broadcast(&c->loaded);
	pthread_mutex_unlock(&c->lock);
	return r;
}

struct cache_frame *cache_get(struct cache *c, uint32_t layer, uint32_t number, size_t length,
			      struct err *e)
{
	pthread_mutex_lock(&c->lock);
	for (;;) {
		struct cache_frame *f = find(c, layer, number, length);
		if (!f) {
			f = insert(c, layer, number, length, e);
			pthread_mutex_unlock(&c->lock);
			return f && load(c, f, length, e) == 0 ? f : NULL;
		}
		if (f->pins++ == 0)
			lru_remove(c, f);
		while (f->state == FRAME_LOADING)
			pthread_cond_wait(&c->loaded, &c->lock);
		if (f->state == FRAME_READY) {
			c->stats.hits++;
			pthread_mutex_unlock(&c->lock);
			return f;
		}
		/* It failed for the thread that loaded it: try again, to have an error of our
		 * own. */
		unpin(c, f);
	}
}

const uint8_t *cache_frame_bytes(const struct cache_frame *f)
{
	return f->bytes;
}

void cache_put(struct cache *c, struct cache_frame *f)
{
	pthread_mutex_lock(&c->lock);
	unpin(c, f);
	pthread_mutex_unlock(&c->lock);
}

struct cache_stats cache_stats(struct cache *c)
{
	pthread_mutex_lock(&c->lock);
	const struct cache_stats stats = c->stats;
	pthread_mutex_unlock(&c->lock);
	return stats;
}
