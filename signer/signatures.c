/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adding is compare-and-swap: the new manifests and their blobs are written from what the refs
 * said, and the refs are moved, all in one change, only if each still says that; else everything
 * is done again.  Blobs are not written inside refs_update, because leases take gc.lock, which
 * comes before the store's lock.
 */
#include "signer/signatures.h"

#include "base/array.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "image/mediatype.h"
#include "signer/base64.h"
#include "store/blobs.h"
#include "store/documents.h"
#include "store/refs.h"

enum { TRIES_MAX = 100 /* a round that is lost is somebody else's success */ };

void signatures_fini(struct signatures *sigs)
{
	if (!sigs)
		return;
	descriptor_fini(&sigs->top);
	manifest_fini(&sigs->manifest);
	*sigs = (struct signatures)SIGNATURES_INIT;
}

int signatures_reference(const char *text, const char *name, struct reference *out, struct err *e)
{
	SCOPE(reference) struct reference asked = REFERENCE_INIT;
	struct err ignored = ERR_INIT;
	char quoted[QUOTE_MAX];
	struct digest d;

	/* A digest would parse as a name and a tag, too. */
	if (digest_parse(&d, text, strlen(text), &ignored) == 0)
		return err_set(e, ERR_USAGE,
			       "'%s' has no name: signatures are kept beside an image's name, "
			       "so give NAME@DIGEST",
			       quote_str(quoted, text));
	err_clear(&ignored);
	if (reference_parse(&asked, text, e) < 0 || reference_parse(out, name, e) < 0)
		return -1;
	free(out->tag);
	out->tag = steal_ptr(&asked.tag);
	return 0;
}

char *signatures_identity(const char *text, bool *is_exact, struct err *e)
{
	SCOPE(reference) struct reference r = REFERENCE_INIT;

	if (reference_parse(&r, text, e) < 0)
		return NULL;
	/* A name without a host has no ":" of its own: what has one is a host. */
	const size_t name_len = str_has_prefix(text, r.name) ? strlen(r.name) : strcspn(text, ":@");
	const char *rest = text + name_len;
	if (is_exact)
		*is_exact = *rest != '\0';
	return str_dupf(e, "%s%s", r.name, rest);
}

/* "localhost/app:sha256-<hex>.sig" */
static char *artifact_key(const char *repository, const struct digest *image, struct err *e)
{
	SCOPE_FREE char *tag = reference_signature_tag(image, e);

	return tag ? str_dupf(e, "%s:%s", repository, tag) : NULL;
}

static int read_artifact(const struct store *s, struct signatures *sigs, struct err *e)
{
	SCOPE(str) struct str doc = STR_INIT;
	const struct descriptor *top = &sigs->top;

	/* containers/image takes no other type either. */
	if (!str_equal(top->media_type, MEDIATYPE_MANIFEST))
		return err_set(e, ERR_FORMAT, "is no OCI manifest");
	if (blobs_read(s, &top->digest, top->size, LIMIT_DOCUMENT, &doc, e) < 0)
		return -1;
	return manifest_parse(&sigs->manifest, str_text(&doc), doc.len, top->media_type, e);
}

static int load_key(const struct store *s, const char *key, struct signatures *out, struct err *e)
{
	SCOPE(signatures) struct signatures sigs = SIGNATURES_INIT;
	char quoted[QUOTE_MAX];
	const int rc = refs_get(s, key, &sigs.top, e);

	if (rc <= 0)
		return rc;
	if (read_artifact(s, &sigs, e) < 0)
		return err_wrap(e, "signatures '%s'", quote_str(quoted, key));
	*out = sigs;
	sigs = (struct signatures)SIGNATURES_INIT;
	return 1;
}

int signatures_load(const struct store *s, const char *repository, const struct digest *image,
		    struct signatures *out, struct err *e)
{
	SCOPE_FREE char *key = artifact_key(repository, image, e);

	return key ? load_key(s, key, out, e) : -1;
}

/* 1 when one of the layers is this signature: the same payload, and by the same key.  (ECDSA makes
 * another signature each time; it says nothing new.) */
static int is_there(const struct manifest *m, const struct signature *sig,
		    const struct digest *payload, struct err *e)
{
	for (size_t i = 0; i < m->layer_count; i++) {
		const struct descriptor *layer = &m->layers[i];
		const char *text = strmap_get(&layer->annotations, SIGNATURES_KEY);
		uint8_t bytes[KEY_SIGNATURE_MAX];
		size_t len = 0;

		if (!text || !digest_equal(&layer->digest, payload) ||
		    !str_equal(layer->media_type, MEDIATYPE_SIMPLESIGNING) ||
		    base64_decode(text, strlen(text), bytes, sizeof(bytes), &len) < 0)
			continue;
		const int rc =
			public_key_verify(sig->key, sig->payload, sig->payload_len, bytes, len, e);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int append_layer(struct manifest *m, const struct signature *sig,
			const struct digest *payload, struct err *e)
{
	SCOPE(descriptor) struct descriptor layer = DESCRIPTOR_INIT;
	SCOPE(str) struct str text = STR_INIT;

	if (base64_append(&text, sig->bytes, sig->len, e) < 0 ||
	    descriptor_set(&layer, MEDIATYPE_SIMPLESIGNING, payload, sig->payload_len, e) < 0 ||
	    strmap_set(&layer.annotations, SIGNATURES_KEY, str_text(&text), e) < 0)
		return -1;
	return manifest_add_layer(m, &layer, e);
}

/* The config that containers/image and cosign write: nothing but the layers' digests. */
static int put_config(const struct store *s, struct lease *l, struct manifest *m, struct err *e)
{
	SCOPE(str) struct str doc = STR_INIT;
	char text[DIGEST_STR_MAX];

	if (str_append_z(&doc,
			 "{\"architecture\":\"\",\"os\":\"\",\"config\":{},\"rootfs\":{\"type\":"
			 "\"layers\",\"diff_ids\":[",
			 e) < 0)
		return -1;
	for (size_t i = 0; i < m->layer_count; i++)
		if (str_appendf(&doc, e, "%s\"%s\"", i ? "," : "",
				digest_format(&m->layers[i].digest, text)) < 0)
			return -1;
	if (str_append_z(&doc, "]}}", e) < 0)
		return -1;
	return documents_put(s, l, MEDIATYPE_CONFIG, &doc, &m->config, e);
}

static int put_manifest(const struct store *s, struct lease *l, struct manifest *m,
			struct descriptor *out, struct err *e)
{
	SCOPE(str) struct str doc = STR_INIT;

	if (!m->media_type) {
		m->media_type = str_dup(MEDIATYPE_MANIFEST, e);
		if (!m->media_type)
			return -1;
	}
	if (put_config(s, l, m, e) < 0 || manifest_format(m, &doc, e) < 0)
		return -1;
	return documents_put(s, l, MEDIATYPE_MANIFEST, &doc, out, e);
}

/* One signature on its way into the store. */
struct addition {
	const struct signature *sig;
	char *key; /* of the artifact's ref */
	struct digest payload;
	/* Of one round: */
	bool has_artifact;       /* before */
	struct signatures there; /* what it held */
	bool is_new;             /* not there yet: `after` takes its place */
	struct descriptor after;
};

struct additions {
	struct addition *items;
	size_t count;
	bool is_lost; /* a ref has changed meanwhile */
};

static void addition_forget_round(struct addition *a)
{
	signatures_fini(&a->there);
	descriptor_fini(&a->after);
	a->has_artifact = a->is_new = false;
}

static void additions_fini(struct additions *all)
{
	for (size_t i = 0; i < all->count; i++) {
		addition_forget_round(&all->items[i]);
		free(all->items[i].key);
	}
	free(all->items);
}
SCOPE_DEFINE_VALUE(additions, struct additions, additions_fini)

static bool is_changed(const struct addition *a, struct image_index *ix)
{
	const struct descriptor *now = refs_find(ix, a->key);

	return (now != NULL) != a->has_artifact ||
	       (now && !digest_equal(&now->digest, &a->there.top.digest));
}

static int swap_ref(const struct addition *a, struct image_index *ix, struct err *e)
{
	struct descriptor *now = refs_find(ix, a->key);

	/* An entry that is there keeps what others wrote into it. */
	if (now)
		return descriptor_set(now, a->after.media_type, &a->after.digest, a->after.size, e);
	return refs_put(ix, a->key, &a->after, e);
}

static int swap_refs(void *ctx, struct image_index *ix, struct err *e)
{
	struct additions *all = ctx;

	for (size_t i = 0; i < all->count && !all->is_lost; i++)
		all->is_lost = is_changed(&all->items[i], ix);
	if (all->is_lost)
		return 0;
	for (size_t i = 0; i < all->count; i++) {
		if (all->items[i].is_new && swap_ref(&all->items[i], ix, e) < 0)
			return -1;
	}
	return 1;
}

/* Reads what is there, and writes what shall be, without moving the ref. */
static int prepare(const struct store *s, struct lease *l, struct addition *a, struct err *e)
{
	struct manifest *m = &a->there.manifest;
	char quoted[QUOTE_MAX];

	const int found = load_key(s, a->key, &a->there, e);
	if (found < 0)
		return -1;
	a->has_artifact = found;
	if (found) {
		/* The other signatures' blobs are named again by the new manifest. */
		if (lease_add(l, &a->there.top.digest, e) < 0)
			return -1;
		const int rc = is_there(m, a->sig, &a->payload, e);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
	}
	if (m->layer_count >= LIMIT_SIGNATURES)
		return err_set(e, ERR_LIMIT,
			       "'%s' holds %d signatures already: readers would not look at more",
			       quote_str(quoted, a->key), LIMIT_SIGNATURES);
	a->is_new = true;
	return append_layer(m, a->sig, &a->payload, e) < 0 ? -1
							   : put_manifest(s, l, m, &a->after, e);
}

/* One round: how many are new, or -1; `all->is_lost`: nothing was done, another round. */
static int try_add(const struct store *s, struct lease *l, struct additions *all, struct err *e)
{
	int added = 0;

	all->is_lost = false;
	for (size_t i = 0; i < all->count; i++) {
		addition_forget_round(&all->items[i]);
		if (prepare(s, l, &all->items[i], e) < 0)
			return -1;
		added += all->items[i].is_new;
	}
	if (added > 0 && refs_update(s, swap_refs, all, e) < 0)
		return -1;
	return added;
}

static int additions_init(struct additions *all, const struct store *s, struct lease *l,
			  const char *repository, const struct signature *sigs, size_t count,
			  struct err *e)
{
	all->items = array_new(count, sizeof(*all->items), e);
	if (!all->items)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct addition *a = &all->items[all->count++];
		*a = (struct addition){
			.sig = &sigs[i], .there = SIGNATURES_INIT, .after = DESCRIPTOR_INIT};
		a->key = artifact_key(repository, &sigs[i].image, e);
		if (!a->key ||
		    blobs_put_bytes(s, l, sigs[i].payload, sigs[i].payload_len, &a->payload, e) < 0)
			return -1;
	}
	return 0;
}

int signatures_add(const struct store *s, struct lease *l, const char *repository,
		   const struct signature *sigs, size_t count, unsigned *added, struct err *e)
{
	SCOPE(additions) struct additions all = {NULL, 0, false};
	char quoted[QUOTE_MAX];

	if (additions_init(&all, s, l, repository, sigs, count, e) < 0)
		return -1;
	for (int i = 0; i < TRIES_MAX; i++) {
		const int rc = try_add(s, l, &all, e);
		if (rc < 0)
			return -1;
		if (!all.is_lost) {
			*added = (unsigned)rc;
			return 0;
		}
	}
	return err_set(e, ERR_BUSY, "signatures in '%s' are being changed by others all the time",
		       quote_str(quoted, repository));
}
