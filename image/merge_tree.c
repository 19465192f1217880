/* SPDX-License-Identifier: Apache-2.0 */
#include "image/merge_tree.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/array.h"

enum { FIRST_BUCKETS = 1024 };

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[static 4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/*
 * SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF"; constants from there) of the
 * name; the directory goes into the key.  It never leaves this process, so byte order and padding
 * are our own affair.
 */
static uint32_t hash_name(const struct merge_tree *t, uint32_t dir, const char *name, size_t len)
{
	const uint64_t k0 = t->key[0] ^ dir;
	uint64_t v[4] = {
		k0 ^ UINT64_C(0x736f6d6570736575),
		t->key[1] ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261),
		t->key[1] ^ UINT64_C(0x7465646279746573),
	};

	for (size_t at = 0; at <= len; at += 8) {
		const size_t rest = len - at;
		uint64_t word = (uint64_t)len << 56;
		if (rest >= 8)
			memcpy(&word, name + at, 8);
		else
			memcpy(&word, name + at, rest);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	const uint64_t h = v[0] ^ v[1] ^ v[2] ^ v[3];
	return (uint32_t)(h ^ h >> 32);
}

static uint32_t *bucket_of(const struct merge_tree *t, uint32_t hash)
{
	return &t->buckets[hash & (t->bucket_count - 1)];
}

int merge_tree_init(struct merge_tree *t, struct err *e)
{
	uint32_t inode;

	*t = (struct merge_tree){0};
	if (getrandom(t->key, sizeof(t->key), 0) != (ssize_t)sizeof(t->key))
		return err_sys(e, errno, "cannot get random bytes");
	t->buckets = array_new(FIRST_BUCKETS, sizeof(*t->buckets), e);
	if (!t->buckets)
		return -1;
	t->bucket_count = FIRST_BUCKETS;
	if (array_reserve(&t->names, &t->name_cap, 1, sizeof(*t->names), e) < 0 ||
	    merge_tree_new_inode(t, ENTRY_DIR, MERGE_MADE_UP, 0, &inode, e) < 0)
		return -1;
	t->names[MERGE_ROOT] = (struct merge_name){.name = "", .inode = inode, .kind = ENTRY_DIR};
	t->inodes[inode].names = 1;
	t->name_count = 1;
	return 0;
}

void merge_tree_fini(struct merge_tree *t)
{
	free(t->names);
	free(t->inodes);
	free(t->buckets);
	*t = (struct merge_tree){0};
}

uint32_t merge_tree_find(const struct merge_tree *t, uint32_t dir, const char *name, size_t len)
{
	const uint32_t hash = hash_name(t, dir, name, len);

	for (uint32_t at = *bucket_of(t, hash); at != MERGE_NONE; at = t->names[at].hash_next) {
		const struct merge_name *n = &t->names[at];
		if (n->hash == hash && n->parent == dir && n->name_len == len &&
		    memcmp(n->name, name, len) == 0)
			return at;
	}
	return MERGE_NONE;
}

int merge_tree_new_inode(struct merge_tree *t, enum entry_kind kind, uint16_t layer, uint32_t entry,
			 uint32_t *out, struct err *e)
{
	uint32_t at = t->free_inode;

	if (at) {
		t->free_inode = t->inodes[at].entry;
	} else {
		if (array_reserve(&t->inodes, &t->inode_cap, t->inode_count + 1, sizeof(*t->inodes),
				  e) < 0)
			return -1;
		at = (uint32_t)t->inode_count++;
	}
	t->inodes[at] = (struct merge_inode){entry, 0, layer, (uint8_t)kind};
	*out = at;
	return 0;
}

static void release_inode(struct merge_tree *t, uint32_t inode)
{
	struct merge_inode *i = &t->inodes[inode];

	assert(i->names > 0);
	if (--i->names > 0)
		return;
	i->entry = t->free_inode;
	t->free_inode = inode;
}

static int compare_names(const struct merge_name *a, const struct merge_name *b)
{
	const size_t len = a->name_len < b->name_len ? a->name_len : b->name_len;
	const int order = memcmp(a->name, b->name, len);

	return order ? order : (int)a->name_len - (int)b->name_len;
}

/* The buckets follow the names: at most one name a bucket, on average. */
static int grow_buckets(struct merge_tree *t, size_t names, struct err *e)
{
	size_t count = t->bucket_count;

	while (count < names)
		count *= 2;
	if (count == t->bucket_count)
		return 0;
	uint32_t *buckets = array_new(count, sizeof(*buckets), e);
	if (!buckets)
		return -1;
	for (size_t i = 0; i < t->bucket_count; i++) {
		uint32_t at = t->buckets[i];
		while (at != MERGE_NONE) {
			struct merge_name *n = &t->names[at];
			const uint32_t next = n->hash_next;
			uint32_t *slot = &buckets[n->hash & (count - 1)];
			n->hash_next = *slot;
			*slot = at;
			at = next;
		}
	}
	free(t->buckets);
	t->buckets = buckets;
	t->bucket_count = count;
	return 0;
}

int merge_tree_reserve(struct merge_tree *t, size_t count, struct err *e)
{
	const size_t names = t->name_count + count;
	const size_t inodes = t->inode_count + count;

	if (array_reserve(&t->names, &t->name_cap, names, sizeof(*t->names), e) < 0 ||
	    array_reserve(&t->inodes, &t->inode_cap, inodes, sizeof(*t->inodes), e) < 0)
		return -1;
	return grow_buckets(t, t->live_count + count, e);
}

/* Room for a name: its number, not yet linked to anything. */
static int new_name(struct merge_tree *t, uint32_t *out, struct err *e)
{
	if (t->live_count >= (size_t)LIMIT_ENTRIES)
		return err_set(e, ERR_LIMIT, "the layers make more than %d names", LIMIT_ENTRIES);
	if (grow_buckets(t, t->live_count + 1, e) < 0)
		return -1;
	if (t->free_name != MERGE_NONE) {
		*out = t->free_name;
		t->free_name = t->names[*out].next;
		return 0;
	}
	if (array_reserve(&t->names, &t->name_cap, t->name_count + 1, sizeof(*t->names), e) < 0)
		return -1;
	*out = (uint32_t)t->name_count++;
	return 0;
}

static void link_sibling(struct merge_tree *t, uint32_t dir, uint32_t node)
{
	struct merge_name *d = &t->names[dir];
	struct merge_name *n = &t->names[node];

	if (d->first_child == MERGE_NONE) {
		d->first_child = node;
		n->previous = node;
		d->is_unsorted = false;
		return;
	}
	struct merge_name *first = &t->names[d->first_child];
	struct merge_name *last = &t->names[first->previous];
	if (compare_names(last, n) > 0)
		d->is_unsorted = true;
	n->previous = first->previous;
	last->next = node;
	first->previous = node;
}

int merge_tree_add(struct merge_tree *t, uint32_t dir, const char *name, size_t len, uint32_t inode,
		   uint32_t *out, struct err *e)
{
	uint32_t node = MERGE_NONE;

	assert(len > 0 && len <= LIMIT_NAME);
	if (new_name(t, &node, e) < 0)
		return -1;
	const uint32_t hash = hash_name(t, dir, name, len);
	uint32_t *bucket = bucket_of(t, hash);
	t->names[node] = (struct merge_name){
		.name = name,
		.hash = hash,
		.parent = dir,
		.inode = inode,
		.hash_next = *bucket,
		.name_len = (uint8_t)len,
		.kind = t->inodes[inode].kind,
	};
	*bucket = node;
	link_sibling(t, dir, node);
	t->inodes[inode].names++;
	t->live_count++;
	*out = node;
	return 0;
}

/* Takes a node without children out of all lists. */
static void drop_leaf(struct merge_tree *t, uint32_t node)
{
	struct merge_name *n = &t->names[node];
	struct merge_name *dir = &t->names[n->parent];
	uint32_t *slot = bucket_of(t, n->hash);

	while (*slot != node)
		slot = &t->names[*slot].hash_next;
	*slot = n->hash_next;

	if (dir->first_child == node)
		dir->first_child = n->next;
	else
		t->names[n->previous].next = n->next;
	/* The first child remembers the last one. */
	if (n->next != MERGE_NONE)
		t->names[n->next].previous = n->previous;
	else if (dir->first_child != MERGE_NONE)
		t->names[dir->first_child].previous = n->previous;

	if (n->kind == ENTRY_DIR)
		t->removals++;
	release_inode(t, n->inode);
	n->next = t->free_name;
	t->free_name = node;
	t->live_count--;
}

void merge_tree_empty(struct merge_tree *t, uint32_t dir)
{
	uint32_t at = dir;

	for (;;) {
		while (t->names[at].first_child != MERGE_NONE)
			at = t->names[at].first_child;
		if (at == dir)
			return;
		const uint32_t parent = t->names[at].parent;
		drop_leaf(t, at);
		at = parent;
	}
}

void merge_tree_remove(struct merge_tree *t, uint32_t node)
{
	merge_tree_empty(t, node);
	drop_leaf(t, node);
}

void merge_tree_relink(struct merge_tree *t, uint32_t node, uint32_t inode)
{
	/* First the new name: it may be the inode's only one. */
	t->inodes[inode].names++;
	merge_tree_empty(t, node);
	if (merge_tree_is_dir(t, node))
		t->removals++;
	release_inode(t, t->names[node].inode);
	t->names[node].inode = inode;
	t->names[node].kind = t->inodes[inode].kind;
}

/* Cuts the ascending run off the list that starts at `at`; returns what comes after it. */
static uint32_t cut_run(struct merge_name *names, uint32_t at)
{
	while (names[at].next != MERGE_NONE &&
	       compare_names(&names[at], &names[names[at].next]) < 0)
		at = names[at].next;
	const uint32_t rest = names[at].next;
	names[at].next = MERGE_NONE;
	return rest;
}

/* Puts the merged list at `*slot`; returns where a further list goes. */
static uint32_t *merge_runs(struct merge_name *names, uint32_t a, uint32_t b, uint32_t *slot)
{
	while (a != MERGE_NONE && b != MERGE_NONE) {
		uint32_t *least = compare_names(&names[a], &names[b]) < 0 ? &a : &b;
		*slot = *least;
		slot = &names[*slot].next;
		*least = *slot;
	}
	*slot = a != MERGE_NONE ? a : b;
	while (*slot != MERGE_NONE)
		slot = &names[*slot].next;
	return slot;
}

/* Natural merge sort: no memory, no recursion, and one pass when little is out of order. */
void merge_tree_sort(const struct merge_tree *t, uint32_t dir)
{
	struct merge_name *names = t->names;
	struct merge_name *d = &names[dir];
	size_t runs = 0;

	if (!d->is_unsorted)
		return;
	do {
		uint32_t at = d->first_child;
		uint32_t *slot = &d->first_child;

		for (runs = 0; at != MERGE_NONE; runs++) {
			const uint32_t second = cut_run(names, at);
			const uint32_t rest = second != MERGE_NONE ? cut_run(names, second)
								   : (uint32_t)MERGE_NONE;
			slot = merge_runs(names, at, second, slot);
			at = rest;
		}
	} while (runs > 1);

	uint32_t last = MERGE_NONE;
	for (uint32_t at = d->first_child; at != MERGE_NONE; at = names[at].next) {
		names[at].previous = last;
		last = at;
	}
	names[d->first_child].previous = last;
	d->is_unsorted = false;
}
