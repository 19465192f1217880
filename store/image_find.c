/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "image/mediatype.h"
#include "store/blobs.h"
#include "store/image.h"
#include "store/locks.h"
#include "store/near.h"
#include "store/refs.h"
#include "store/sniff.h"

static const char own_host[] = "localhost/";

/*
 * The names that a reference may stand for, in the order in which they are tried: as shale keeps
 * it; Docker Hub's, when no host was given; and the text itself, as other tools put it into a
 * layout ("latest").
 */
struct names {
	char *keys[3]; /* "name:tag", or "name" when only a digest was given */
	size_t count;
	bool is_tagged;
};

static void names_fini(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->keys[i]);
}
SCOPE_DEFINE_VALUE(names, struct names, names_fini)

/* Takes `key`. */
static int add_name(struct names *n, char *key)
{
	if (!key)
		return -1;
	n->keys[n->count++] = key;
	return 0;
}

static int make_names(const struct reference *r, const char *text, struct names *n, struct err *e)
{
	const char *colon = r->tag ? ":" : "", *tag = r->tag ? r->tag : "";
	const char *bare = r->name + strlen(own_host);
	const size_t typed = strcspn(text, "@");

	n->is_tagged = r->tag != NULL;
	if (add_name(n, str_dupf(e, "%s%s%s", r->name, colon, tag)) < 0)
		return -1;
	if (str_has_prefix(text, own_host) || !str_has_prefix(r->name, own_host))
		return 0;
	const char *folder = strchr(bare, '/') ? "" : "library/";
	if (add_name(n, str_dupf(e, "docker.io/%s%s%s%s", folder, bare, colon, tag)) < 0)
		return -1;
	return add_name(n, str_dup_n(text, typed, e));
}

/* Whether an entry is what `n->keys[at]` says: the same key, or, without a tag, the same name. */
static bool is_entry_of(const struct names *n, size_t at, const char *name)
{
	const char *key = n->keys[at];

	if (n->is_tagged)
		return strcmp(key, name) == 0;
	const size_t len = near_name_len(name);
	return strlen(key) == len && memcmp(key, name, len) == 0;
}

/* 1 and the descriptor when an entry is `d`, or an index that holds it; 0 neither. */
static int carries(const struct store *s, const struct descriptor *entry, const struct digest *d,
		   struct descriptor *out, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;

	if (digest_equal(&entry->digest, d))
		return descriptor_copy(out, entry, e) < 0 ? -1 : 1;
	if (mediatype_kind(entry->media_type) != MEDIA_INDEX)
		return 0;
	if (blobs_read(s, &entry->digest, entry->size, LIMIT_DOCUMENT, &text, e) < 0 ||
	    image_index_parse(&ix, str_text(&text), text.len, entry->media_type,
			      LIMIT_INDEX_ENTRIES, e) < 0)
		return -1;
	for (size_t i = 0; i < ix.count; i++) {
		if (digest_equal(&ix.manifests[i].digest, d))
			return descriptor_copy(out, &ix.manifests[i], e) < 0 ? -1 : 1;
	}
	return 0;
}

/* 1 and the entry of the name that comes first, with the descriptor of `d` (NULL: its own). */
static int find_entry(const struct store *s, const struct image_index *ix, const struct names *n,
		      const struct digest *d, const char **name, struct descriptor *out,
		      struct err *e)
{
	for (size_t k = 0; k < n->count; k++) {
		for (size_t i = 0; i < ix->count; i++) {
			const struct descriptor *entry = &ix->manifests[i];
			const char *key = strmap_get(&entry->annotations, REFS_NAME_KEY);
			if (!key || !is_entry_of(n, k, key))
				continue;
			*name = key;
			if (!d)
				return descriptor_copy(out, entry, e) < 0 ? -1 : 1;
			const int r = carries(s, entry, d, out, e);
			if (r != 0)
				return r;
		}
	}
	return 0;
}

static int set_not_found(const struct image_index *ix, const struct names *n,
			 const struct reference *r, const char *seen, struct err *e)
{
	char quoted[QUOTE_MAX], digest[DIGEST_STR_MAX];
	SCOPE(str) struct str near = STR_INIT;

	quote_str(quoted, n->keys[0]);
	if (r->has_digest && seen)
		return err_set(e, ERR_NOT_FOUND, "image '%s' is not '%s' in the store", quoted,
			       digest_format(&r->digest, digest));
	if (near_append(ix, n->keys[0], &near, e) < 0)
		return -1;
	return err_set(e, ERR_NOT_FOUND, "no image '%s' in the store%s", quoted, str_text(&near));
}

/* A digest without its tag is still found under another tag of the same name. */
static int find_pinned(const struct store *s, const struct image_index *ix,
		       const struct reference *r, const char *text, const char **name,
		       struct descriptor *out, struct err *e)
{
	const struct reference untagged = {r->name, NULL, true, r->digest};
	SCOPE(names) struct names n = {{NULL}, 0, false};
	const char *seen = NULL;

	if (make_names(&untagged, text, &n, e) < 0)
		return -1;
	const int is_found = find_entry(s, ix, &n, &r->digest, &seen, out, e);
	if (is_found == 1)
		*name = seen;
	return is_found;
}

static int find_reference(const struct store *s, const char *text, char **name,
			  struct descriptor *out, struct err *e)
{
	SCOPE(reference) struct reference r = REFERENCE_INIT;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE(names) struct names n = {{NULL}, 0, false};
	const char *found = NULL;

	if (reference_parse(&r, text, e) < 0 || refs_list(s, &ix, e) < 0 ||
	    make_names(&r, text, &n, e) < 0)
		return -1;
	int is_found = find_entry(s, &ix, &n, r.has_digest ? &r.digest : NULL, &found, out, e);
	if (is_found == 0 && r.has_digest && !found)
		is_found = find_pinned(s, &ix, &r, text, &found, out, e);
	if (is_found < 0)
		return -1;
	if (!is_found)
		return set_not_found(&ix, &n, &r, found, e);
	*name = str_dup(found, e);
	return *name ? 0 : -1;
}

/* The entry of index.json says more than the blob alone. */
static int find_digest(const struct store *s, const struct digest *d, struct descriptor *out,
		       struct err *e)
{
	char text[DIGEST_STR_MAX];
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE(str) struct str bytes = STR_INIT;
	SCOPE_FREE char *type = NULL;

	if (refs_list(s, &ix, e) < 0)
		return -1;
	for (size_t i = 0; i < ix.count; i++) {
		if (digest_equal(&ix.manifests[i].digest, d))
			return descriptor_copy(out, &ix.manifests[i], e);
	}
	const int r = sniff_blob(s, d, &type, &bytes, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_FORMAT, "blob '%s' is neither a manifest nor an image index",
			       digest_format(d, text));
	return descriptor_set(out, type, d, bytes.len, e);
}

int image_find(const struct store *s, const char *text, char **name, struct descriptor *out,
	       struct err *e)
{
	SCOPE(descriptor) struct descriptor found = DESCRIPTOR_INIT;
	SCOPE_FREE char *found_name = NULL;
	struct err why = ERR_INIT;
	struct digest d;

	if (digest_parse(&d, text, strlen(text), &why) == 0) {
		found_name = str_dup(text, e);
		if (!found_name || find_digest(s, &d, &found, e) < 0)
			return -1;
	} else {
		err_clear(&why);
		if (find_reference(s, text, &found_name, &found, e) < 0)
			return -1;
	}
	*name = steal_ptr(&found_name);
	*out = found;
	found = (struct descriptor)DESCRIPTOR_INIT;
	return 0;
}

int image_find_leased(const struct store *s, struct lease *l, const char *text, char **name,
		      struct descriptor *out, struct err *e)
{
	SCOPE(descriptor) struct descriptor found = DESCRIPTOR_INIT;
	SCOPE_FREE char *found_name = NULL;
	SCOPE_FD int lock = -1;

	if (l && store_is_writable(s)) {
		lock = locks_take(s, LOCKS_GC, LOCKS_SHARED, e);
		if (lock < 0)
			return -1;
	}
	if (image_find(s, text, &found_name, &found, e) < 0 ||
	    (l && lease_add(l, &found.digest, e) < 0))
		return -1;
	*name = steal_ptr(&found_name);
	*out = found;
	found = (struct descriptor)DESCRIPTOR_INIT;
	return 0;
}
