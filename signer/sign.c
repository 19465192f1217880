/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/sign.h"

#include "base/array.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/quote.h"
#include "base/str.h"
#include "image/config.h"
#include "image/manifest.h"
#include "image/mediatype.h"
#include "image/reference.h"
#include "signer/payload.h"
#include "signer/signatures.h"
#include "store/blobs.h"
#include "store/image.h"
#include "store/lease.h"

/* A signature that is not stored yet. */
struct made {
	struct digest image;
	struct str payload;
	uint8_t bytes[KEY_SIGNATURE_MAX];
	size_t len;
};

/* The signatures of one call, all made before any is stored. */
struct signing {
	const struct store *store;
	struct lease *lease;
	const struct private_key *key;
	char *identity; /* borrowed */
	struct made *made;
	size_t count, cap;
};

static void signing_fini(struct signing *sn)
{
	for (size_t i = 0; i < sn->count; i++)
		str_fini(&sn->made[i].payload);
	free(sn->made);
}
SCOPE_DEFINE_VALUE(signing, struct signing, signing_fini)

void sign_report_fini(struct sign_report *r)
{
	if (!r)
		return;
	free(r->identity);
	*r = (struct sign_report)SIGN_REPORT_INIT;
}

/* Nobody should sign what is not an image, or is one in pieces. */
static int check_manifest(const struct store *s, const struct descriptor *d, struct err *e)
{
	SCOPE(str) struct str doc = STR_INIT;
	SCOPE(str) struct str config_doc = STR_INIT;
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;
	SCOPE(image_config) struct image_config config;

	image_config_init(&config);
	if (blobs_read(s, &d->digest, d->size, LIMIT_DOCUMENT, &doc, e) < 0 ||
	    manifest_parse(&m, str_text(&doc), doc.len, d->media_type, e) < 0 ||
	    manifest_check_image(&m, e) < 0 ||
	    blobs_read(s, &m.config.digest, m.config.size, LIMIT_DOCUMENT, &config_doc, e) < 0 ||
	    image_config_parse(&config, str_text(&config_doc), config_doc.len, e) < 0)
		return -1;
	if (config.diff_id_count != m.layer_count)
		return err_set(e, ERR_DIGEST, "the config names %zu layers, the manifest %zu",
			       config.diff_id_count, m.layer_count);
	return 0;
}

static bool is_signed(const struct signing *sn, const struct digest *d)
{
	for (size_t i = 0; i < sn->count; i++) {
		if (digest_equal(&sn->made[i].image, d))
			return true;
	}
	return false;
}

static int sign_digest(struct signing *sn, const struct digest *d, struct err *e)
{
	const struct payload p = {.identity = sn->identity, .manifest = *d};

	/* An index may name a manifest twice. */
	if (is_signed(sn, d))
		return 0;
	if (array_reserve(&sn->made, &sn->cap, sn->count + 1, sizeof(*sn->made), e) < 0)
		return -1;
	struct made *m = &sn->made[sn->count++];
	*m = (struct made){.image = *d, .payload = STR_INIT};
	if (payload_format(&p, &m->payload, e) < 0)
		return -1;
	return private_key_sign(sn->key, m->payload.data, m->payload.len, m->bytes, &m->len, e);
}

static int store_all(const struct signing *sn, const char *repository, struct sign_report *report,
		     struct err *e)
{
	SCOPE_FREE struct signature *sigs = array_new(sn->count, sizeof(*sigs), e);

	if (!sigs)
		return -1;
	for (size_t i = 0; i < sn->count; i++) {
		const struct made *m = &sn->made[i];
		sigs[i] = (struct signature){m->image,        &sn->key->public_key,
					     m->payload.data, m->payload.len,
					     m->bytes,        m->len};
	}
	if (signatures_add(sn->store, sn->lease, repository, sigs, sn->count, &report->added, e) <
	    0)
		return -1;
	report->kept = (unsigned)sn->count - report->added;
	return 0;
}

static int sign_platforms(struct signing *sn, const struct image_index *ix, struct err *e)
{
	for (size_t i = 0; i < ix->count; i++) {
		const struct descriptor *d = &ix->manifests[i];
		/* What describes an image, as BuildKit's attestations do, is in the signed index.
		 */
		if (mediatype_kind(d->media_type) != MEDIA_MANIFEST || descriptor_is_artifact(d))
			continue;
		const int has = blobs_has(sn->store, sn->lease, &d->digest, d->size, e);
		if (has < 0)
			return -1;
		if (has &&
		    (check_manifest(sn->store, d, e) < 0 || sign_digest(sn, &d->digest, e) < 0))
			return -1;
	}
	return 0;
}

static int sign_top(struct signing *sn, const struct descriptor *top, bool each_platform,
		    struct err *e)
{
	SCOPE(str) struct str doc = STR_INIT;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;

	if (mediatype_kind(top->media_type) != MEDIA_INDEX) {
		if (check_manifest(sn->store, top, e) < 0)
			return -1;
		return sign_digest(sn, &top->digest, e);
	}
	if (blobs_read(sn->store, &top->digest, top->size, LIMIT_DOCUMENT, &doc, e) < 0 ||
	    image_index_parse(&ix, str_text(&doc), doc.len, top->media_type, LIMIT_INDEX_ENTRIES,
			      e) < 0)
		return -1;
	if (each_platform && sign_platforms(sn, &ix, e) < 0)
		return -1;
	return sign_digest(sn, &top->digest, e);
}

static char *parse_identity(const char *text, bool *is_exact, struct err *e)
{
	char quoted[QUOTE_MAX];
	char *full = signatures_identity(text, is_exact, e);

	if (!full)
		err_wrap(e, "identity '%s'", quote_str(quoted, text));
	return full;
}

int sign_check_options(const struct sign_options *opt, struct err *e)
{
	if (!opt->identity)
		return 0;
	SCOPE_FREE char *full = parse_identity(opt->identity, NULL, e);
	return full ? 0 : -1;
}

/* What goes into the payload as the image's name. */
static char *choose_identity(const char *wanted, const struct reference *r, struct err *e)
{
	char quoted[QUOTE_MAX];
	bool is_exact = true;

	if (!wanted) {
		if (r->tag)
			return str_dupf(e, "%s:%s", r->name, r->tag);
		err_set(e, ERR_USAGE, "'%s' has no tag to sign for: give an identity",
			quote_str(quoted, r->name));
		return NULL;
	}
	SCOPE_FREE char *full = parse_identity(wanted, &is_exact, e);
	if (!full)
		return NULL;
	/* cosign's default, and good for policies with matchRepository. */
	if (!is_exact)
		log_warning("identity '%s' has no tag: who asks for the image by a name with a tag "
			    "will refuse this signature",
			    quote_str(quoted, full));
	return steal_ptr(&full);
}

int sign_image(const struct store *s, const char *text, const struct private_key *key,
	       const struct sign_options *opt, struct sign_report *out, struct err *e)
{
	SCOPE_FREE char *name = NULL;
	SCOPE_FREE char *what = NULL;
	SCOPE(descriptor) struct descriptor top = DESCRIPTOR_INIT;
	SCOPE(reference) struct reference r = REFERENCE_INIT;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(sign_report) struct sign_report report = SIGN_REPORT_INIT;
	char quoted[QUOTE_MAX];

	what = str_dupf(e, "sign %s", text);
	if (!what || lease_open(s, what, &l, e) < 0 ||
	    image_find_leased(s, l, text, &name, &top, e) < 0 ||
	    signatures_reference(text, name, &r, e) < 0)
		return -1;
	report.manifest = top.digest;
	report.identity = choose_identity(opt->identity, &r, e);
	if (!report.identity)
		return -1;
	SCOPE(signing)
	struct signing sn = {.store = s, .lease = l, .key = key, .identity = report.identity};
	if (sign_top(&sn, &top, opt->each_platform, e) < 0 ||
	    store_all(&sn, r.name, &report, e) < 0)
		return err_wrap(e, "image '%s'", quote_str(quoted, name));
	*out = report;
	report = (struct sign_report)SIGN_REPORT_INIT;
	return 0;
}
