/* SPDX-License-Identifier: Apache-2.0 */
#include "store/refs.h"

#include <string.h>

#include "store/index_file.h"
#include "store/locks.h"

struct descriptor *refs_find(struct image_index *ix, const char *key)
{
	for (size_t i = 0; i < ix->count; i++) {
		const char *name = strmap_get(&ix->manifests[i].annotations, REFS_NAME_KEY);
		if (name && strcmp(name, key) == 0)
			return &ix->manifests[i];
	}
	return NULL;
}

int refs_list(const struct store *s, struct image_index *out, struct err *e)
{
	return index_file_list(s, out, e);
}

int refs_get(const struct store *s, const char *key, struct descriptor *out, struct err *e)
{
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;

	if (refs_list(s, &ix, e) < 0)
		return -1;
	const struct descriptor *d = refs_find(&ix, key);
	if (!d)
		return 0;
	return descriptor_copy(out, d, e) < 0 ? -1 : 1;
}

int refs_update(const struct store *s,
		int (*change)(void *ctx, struct image_index *ix, struct err *e), void *ctx,
		struct err *e)
{
	SCOPE(index_file) struct index_file f = INDEX_FILE_INIT;
	/* Both: a change may put blobs, and their lease takes gc.lock, which gc takes first. */
	SCOPE_FD int gc_lock = locks_take(s, LOCKS_GC, LOCKS_SHARED, e);
	if (gc_lock < 0)
		return -1;
	SCOPE_FD int lock = locks_take(s, LOCKS_INDEX, LOCKS_EXCLUSIVE, e);
	if (lock < 0 || index_file_read(s, &f, e) < 0)
		return -1;
	const int r = change(ctx, &f.ix, e);
	return r == 1 ? index_file_write(s, &f, e) : r;
}

/* Removes the entries of `key` that come after the first `keep` ones; returns how many. */
static int remove_entries(struct image_index *ix, const char *key, int keep)
{
	int removed = 0, seen = 0;

	for (size_t i = 0; i < ix->count;) {
		const char *name = strmap_get(&ix->manifests[i].annotations, REFS_NAME_KEY);
		if (name && strcmp(name, key) == 0 && seen++ >= keep) {
			image_index_remove(ix, i);
			removed++;
		} else {
			i++;
		}
	}
	return removed;
}

int refs_put(struct image_index *ix, const char *key, const struct descriptor *d, struct err *e)
{
	struct descriptor *entry = refs_find(ix, key);

	if (!entry) {
		if (image_index_add(ix, d, e) < 0)
			return -1;
		entry = &ix->manifests[ix->count - 1];
	}
	if (descriptor_copy(entry, d, e) < 0 ||
	    strmap_set(&entry->annotations, REFS_NAME_KEY, key, e) < 0)
		return -1;
	/* Other tools leave two entries of one name behind; the first is the one that counts. */
	remove_entries(ix, key, 1);
	return 0;
}

struct setting {
	const char *key;
	const struct descriptor *descriptor;
};

static int set_ref(void *ctx, struct image_index *ix, struct err *e)
{
	const struct setting *new = ctx;

	return refs_put(ix, new->key, new->descriptor, e) < 0 ? -1 : 1;
}

int refs_set(const struct store *s, const char *key, const struct descriptor *d, struct err *e)
{
	struct setting new = {key, d};

	return refs_update(s, set_ref, &new, e) < 0 ? -1 : 0;
}

struct settings {
	const struct strlist *keys;
	const struct descriptor *descriptor;
};

static int set_refs(void *ctx, struct image_index *ix, struct err *e)
{
	const struct settings *all = ctx;

	for (size_t i = 0; i < all->keys->count; i++) {
		if (refs_put(ix, all->keys->items[i], all->descriptor, e) < 0)
			return -1;
	}
	return all->keys->count > 0;
}

int refs_set_all(const struct store *s, const struct strlist *keys, const struct descriptor *d,
		 struct err *e)
{
	struct settings all = {keys, d};

	return refs_update(s, set_refs, &all, e) < 0 ? -1 : 0;
}

struct removal {
	const char *key;
	int removed;
};

static int remove_ref(void *ctx, struct image_index *ix, struct err *e)
{
	struct removal *r = ctx;

	(void)e;
	r->removed = remove_entries(ix, r->key, 0);
	return r->removed > 0;
}

int refs_remove(const struct store *s, const char *key, struct err *e)
{
	struct removal r = {key, 0};

	if (refs_update(s, remove_ref, &r, e) < 0)
		return -1;
	return r.removed > 0;
}
