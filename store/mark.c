/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests come from outside, and nobody needs to have their content: so the hash over them is
 * keyed, and no document can name ones that all collide.
 */
#include "store/mark.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/str.h"
#include "image/mediatype.h"
#include "store/blobs.h"
#include "store/sniff.h"

enum { NO_MARK = 0, FIRST_BUCKETS = 1024, MARKS_MAX = 64 * 1024 * 1024 };

struct slot {
	struct mark mark;
	uint32_t next; /* in the bucket: place + 1, or NO_MARK */
};

struct marks {
	const struct store *store;
	struct slot *slots;
	size_t count, cap;
	size_t done; /* slots that were walked */
	uint32_t *buckets;
	size_t bucket_count; /* a power of two */
	uint64_t key[2];
};

static size_t bucket_of(const struct marks *m, const struct digest *d)
{
	uint64_t a, b;

	memcpy(&a, d->raw, sizeof(a));
	memcpy(&b, d->raw + sizeof(a), sizeof(b));
	/* A product of two numbers that nobody outside knows, folded: as wyhash does it. */
	const unsigned __int128 product = (unsigned __int128)(a ^ m->key[0]) * (b ^ m->key[1]);
	return (size_t)((uint64_t)product ^ (uint64_t)(product >> 64)) & (m->bucket_count - 1);
}

struct marks *mark_new(const struct store *s, struct err *e)
{
	SCOPE(mark) struct marks *m = array_new(1, sizeof(*m), e);

	if (!m)
		return NULL;
	m->store = s;
	if (getrandom(m->key, sizeof(m->key), 0) != sizeof(m->key)) {
		err_sys(e, errno, "cannot get random bytes");
		return NULL;
	}
	m->buckets = array_new(FIRST_BUCKETS, sizeof(*m->buckets), e);
	if (!m->buckets)
		return NULL;
	m->bucket_count = FIRST_BUCKETS;
	return steal_ptr(&m);
}

void mark_free(struct marks *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->count; i++)
		free(m->slots[i].mark.media_type);
	free(m->slots);
	free(m->buckets);
	free(m);
}

static void link_slot(struct marks *m, size_t at)
{
	uint32_t *bucket = &m->buckets[bucket_of(m, &m->slots[at].mark.digest)];

	m->slots[at].next = *bucket;
	*bucket = (uint32_t)at + 1;
}

static int grow_buckets(struct marks *m, struct err *e)
{
	uint32_t *more = array_new(m->bucket_count * 2, sizeof(*more), e);

	if (!more)
		return -1;
	free(m->buckets);
	m->buckets = more;
	m->bucket_count *= 2;
	for (size_t i = 0; i < m->count; i++)
		link_slot(m, i);
	return 0;
}

static bool is_same(const struct mark *a, const struct mark *b)
{
	return a->kind == b->kind && a->size == b->size && digest_equal(&a->digest, &b->digest) &&
	       str_equal(a->media_type, b->media_type);
}

/* Takes `new->media_type`. */
static int add(struct marks *m, const struct mark *new, struct err *e)
{
	SCOPE_FREE char *type = new->media_type;

	for (uint32_t at = m->buckets[bucket_of(m, &new->digest)]; at != NO_MARK;
	     at = m->slots[at - 1].next) {
		struct mark *old = &m->slots[at - 1].mark;
		if (!is_same(old, new))
			continue;
		if (new->need < old->need)
			old->need = new->need;
		return 0;
	}
	if (m->count >= MARKS_MAX)
		return err_set(e, ERR_LIMIT, "the store names more than %d blobs", MARKS_MAX);
	if (array_reserve(&m->slots, &m->cap, m->count + 1, sizeof(*m->slots), e) < 0 ||
	    (m->count >= m->bucket_count && grow_buckets(m, e) < 0))
		return -1;
	m->slots[m->count] = (struct slot){*new, NO_MARK};
	(void)steal_ptr(&type);
	link_slot(m, m->count++);
	return 0;
}

static int add_descriptor(struct marks *m, const struct descriptor *d, const char *root,
			  enum mark_need need, struct err *e)
{
	const enum media_kind kind = mediatype_kind(d->media_type);
	struct mark new = {.digest = d->digest,
			   .size = d->size,
			   .kind = MARK_BLOB,
			   .need = need,
			   .root = root};

	if (kind == MEDIA_INDEX || kind == MEDIA_MANIFEST) {
		new.kind = kind == MEDIA_INDEX ? MARK_INDEX : MARK_MANIFEST;
		new.media_type = str_dup(d->media_type, e);
		if (!new.media_type)
			return -1;
	}
	return add(m, &new, e);
}

int mark_add(struct marks *m, const struct descriptor *d, const char *root, struct err *e)
{
	return add_descriptor(m, d, root, MARK_NEEDED, e);
}

int mark_add_digest(struct marks *m, const struct digest *d, struct err *e)
{
	const struct mark new = {.digest = *d,
				 .size = BLOBS_ANY_SIZE,
				 .kind = MARK_UNKNOWN,
				 .need = MARK_OPTIONAL,
				 .root = "a running command"};

	return add(m, &new, e);
}

/* A config or layer may be called anything by who wrote the manifest: it is content all the
 * same. */
static int add_content(struct marks *m, const struct descriptor *d, const char *root, struct err *e)
{
	const struct mark new = {
		.digest = d->digest, .size = d->size, .kind = MARK_BLOB, .root = root};

	return add(m, &new, e);
}

static int walk_manifest(struct marks *m, const struct mark *from, const struct str *bytes,
			 const struct mark_visitor *v, struct err *why, struct err *e)
{
	SCOPE(manifest) struct manifest doc = MANIFEST_INIT;

	if (manifest_parse(&doc, str_text(bytes), bytes->len, from->media_type, why) < 0)
		return 0;
	if (add_content(m, &doc.config, from->root, e) < 0)
		return -1;
	for (size_t i = 0; i < doc.layer_count; i++) {
		if (add_content(m, &doc.layers[i], from->root, e) < 0)
			return -1;
	}
	if (doc.has_subject && add_descriptor(m, &doc.subject, from->root, MARK_OPTIONAL, e) < 0)
		return -1;
	return v->manifest ? v->manifest(v->ctx, from, &doc, e) : 0;
}

static int walk_index(struct marks *m, const struct mark *from, const struct str *bytes,
		      struct err *why, struct err *e)
{
	SCOPE(image_index) struct image_index doc = IMAGE_INDEX_INIT;

	if (image_index_parse(&doc, str_text(bytes), bytes->len, from->media_type,
			      LIMIT_INDEX_ENTRIES, why) < 0)
		return 0;
	for (size_t i = 0; i < doc.count; i++) {
		if (add_descriptor(m, &doc.manifests[i], from->root, MARK_CHILD, e) < 0)
			return -1;
	}
	return 0;
}

/* Reads a document, and says in `kind` what it is; MARK_BLOB for none.  -1 with `why` set. */
static int read_document(const struct marks *m, struct mark *from, char **type, struct str *bytes,
			 struct err *why)
{
	if (from->kind != MARK_UNKNOWN)
		return blobs_read(m->store, &from->digest, from->size, LIMIT_DOCUMENT, bytes, why);
	const int r = sniff_blob(m->store, &from->digest, type, bytes, why);
	if (r < 0)
		return -1;
	from->kind = MARK_BLOB;
	from->media_type = *type;
	if (r == 1)
		from->kind = mediatype_kind(*type) == MEDIA_INDEX ? MARK_INDEX : MARK_MANIFEST;
	return 0;
}

static int walk_one(struct marks *m, size_t at, const struct mark_visitor *v, struct err *e)
{
	/* A copy: the slots move when more are added. */
	struct mark from = m->slots[at].mark;
	SCOPE(str) struct str bytes = STR_INIT;
	SCOPE_FREE char *type = NULL;
	struct err why = ERR_INIT;
	int r = 0;

	if (from.kind == MARK_BLOB)
		return 0;
	if (read_document(m, &from, &type, &bytes, &why) == 0) {
		if (from.kind == MARK_MANIFEST)
			r = walk_manifest(m, &from, &bytes, v, &why, e);
		else if (from.kind == MARK_INDEX)
			r = walk_index(m, &from, &bytes, &why, e);
	}
	if (r < 0 || why.code == ERR_NONE)
		return r;
	if (why.code == ERR_NOMEM)
		return err_move(e, &why);
	return v->unreadable(v->ctx, &m->slots[at].mark, &why, e);
}

int mark_run(struct marks *m, const struct mark_visitor *visitor, struct err *e)
{
	for (; m->done < m->count; m->done++) {
		if (walk_one(m, m->done, visitor, e) < 0)
			return -1;
	}
	return 0;
}

bool mark_has(const struct marks *m, const struct digest *d)
{
	for (uint32_t at = m->buckets[bucket_of(m, d)]; at != NO_MARK; at = m->slots[at - 1].next) {
		if (digest_equal(&m->slots[at - 1].mark.digest, d))
			return true;
	}
	return false;
}

size_t mark_count(const struct marks *m)
{
	return m->count;
}

const struct mark *mark_at(const struct marks *m, size_t at)
{
	return &m->slots[at].mark;
}
