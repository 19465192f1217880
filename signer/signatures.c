/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adding is compare-and-swap: the new manifest and its blobs are written from what the ref said,
 * and the ref is moved only if it still says that; else everything is done again.  Blobs are not
 * written inside refs_update, because leases take gc.lock, which comes before the store's lock.
 */
#include "signer/signatures.h"

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

struct swap {
	const char *key;
	const struct descriptor *before; /* NULL: there was none */
	const struct descriptor *after;
	bool is_lost; /* the ref has changed meanwhile */
};

static int swap_ref(void *ctx, struct image_index *ix, struct err *e)
{
	struct swap *swap = ctx;
	struct descriptor *now = refs_find(ix, swap->key);

	swap->is_lost = (now != NULL) != (swap->before != NULL) ||
			(now && !digest_equal(&now->digest, &swap->before->digest));
	if (swap->is_lost)
		return 0;
	if (now)
		return descriptor_set(now, swap->after->media_type, &swap->after->digest,
				      swap->after->size, e) < 0
			       ? -1
			       : 1;

	SCOPE(descriptor) struct descriptor entry = DESCRIPTOR_INIT;
	if (descriptor_copy(&entry, swap->after, e) < 0 ||
	    strmap_set(&entry.annotations, REFS_NAME_KEY, swap->key, e) < 0 ||
	    image_index_add(ix, &entry, e) < 0)
		return -1;
	return 1;
}

/* One round: 1 appended, 0 was there, -1; `*is_lost`: neither, another round. */
static int try_add(const struct store *s, struct lease *l, const char *key,
		   const struct signature *sig, const struct digest *payload, bool *is_lost,
		   struct err *e)
{
	SCOPE(signatures) struct signatures sigs = SIGNATURES_INIT;
	SCOPE(descriptor) struct descriptor after = DESCRIPTOR_INIT;
	char quoted[QUOTE_MAX];

	const int found = load_key(s, key, &sigs, e);
	if (found < 0)
		return -1;
	if (found) {
		/* The other signatures' blobs are named again by the new manifest. */
		if (lease_add(l, &sigs.top.digest, e) < 0)
			return -1;
		const int rc = is_there(&sigs.manifest, sig, payload, e);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
	}
	if (sigs.manifest.layer_count >= LIMIT_SIGNATURES)
		return err_set(e, ERR_LIMIT,
			       "'%s' holds %d signatures already: readers would not look at more",
			       quote_str(quoted, key), LIMIT_SIGNATURES);

	if (append_layer(&sigs.manifest, sig, payload, e) < 0 ||
	    put_manifest(s, l, &sigs.manifest, &after, e) < 0)
		return -1;
	struct swap swap = {key, found ? &sigs.top : NULL, &after, false};
	if (refs_update(s, swap_ref, &swap, e) < 0)
		return -1;
	*is_lost = swap.is_lost;
	return 1;
}

int signatures_add(const struct store *s, struct lease *l, const char *repository,
		   const struct digest *image, const struct signature *sig, struct err *e)
{
	SCOPE_FREE char *key = artifact_key(repository, image, e);
	struct digest payload;
	char quoted[QUOTE_MAX];

	if (!key || blobs_put_bytes(s, l, sig->payload, sig->payload_len, &payload, e) < 0)
		return -1;
	for (int i = 0; i < TRIES_MAX; i++) {
		bool is_lost = false;
		const int rc = try_add(s, l, key, sig, &payload, &is_lost, e);
		if (rc < 0 || !is_lost)
			return rc;
	}
	return err_set(e, ERR_BUSY, "'%s' is being changed by others all the time",
		       quote_str(quoted, key));
}
