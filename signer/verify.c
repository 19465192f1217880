/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/verify.h"

#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "image/manifest.h"
#include "image/mediatype.h"
#include "image/reference.h"
#include "signer/base64.h"
#include "signer/payload.h"
#include "signer/signatures.h"
#include "store/blobs.h"

/* RSA's of 8192 bits: nothing that any signer makes is longer, and those by another kind of key
 * should be told so, not that they are malformed. */
enum { SIGNATURE_MAX = 1024 };

/* One call of verify_image. */
struct verifying {
	const struct store *store;
	const struct verify_options *opt;
	struct verify_report *report;
	struct reference ref;
	struct descriptor top;
};

/* How the signature that came farthest failed. */
struct best {
	enum verify_step step;
	bool is_prehashed;
	struct err err;
};

const char *verify_step_name(enum verify_step step)
{
	static const char *const names[] = {
		[VERIFY_ARTIFACT] = "signature artifact",
		[VERIFY_FORM] = "form of the signatures",
		[VERIFY_KEY] = "key",
		[VERIFY_PAYLOAD] = "payload",
		[VERIFY_IDENTITY] = "identity",
		[VERIFY_MANIFEST] = "manifest",
		[VERIFY_CONFIG] = "config",
		[VERIFY_LAYERS] = "layers",
		[VERIFY_DONE] = "done",
	};

	return names[step];
}

void verify_report_fini(struct verify_report *r)
{
	if (!r)
		return;
	free(r->name);
	free(r->identity);
	*r = (struct verify_report)VERIFY_REPORT_INIT;
}

/* The image exists, but what is said of it is not to be trusted. */
static int untrusted(struct err *e, struct err *why)
{
	err_set(e, ERR_UNTRUSTED, "%s", why->msg);
	err_clear(why);
	return -1;
}

/* In full; what is no name here may be one that another signer used, and stays as it is. */
static char *demanded_name(const char *identity, struct err *e)
{
	struct err why = ERR_INIT;
	char *full = signatures_identity(identity, NULL, &why);

	if (full)
		return full;
	if (why.code == ERR_NOMEM) {
		err_move(e, &why);
		return NULL;
	}
	err_clear(&why);
	return str_dup(identity, e);
}

static int check_identity(const struct verifying *v, const char *signed_for, struct err *e)
{
	const struct reference *ref = &v->ref;
	const char *demanded = v->opt->identity;
	char a[QUOTE_MAX], b[QUOTE_MAX];

	if (demanded || ref->tag) {
		SCOPE_FREE char *want = demanded ? demanded_name(demanded, e)
						 : str_dupf(e, "%s:%s", ref->name, ref->tag);
		if (!want)
			return -1;
		if (str_equal(want, signed_for) || (demanded && str_equal(demanded, signed_for)))
			return 0;
		return err_set(e, ERR_UNTRUSTED, "signed as '%s', not as '%s'",
			       quote_str(a, signed_for), quote_str(b, want));
	}

	/* Asked for by digest: the digest is what counts, the name must be this one's. */
	SCOPE(reference) struct reference got = REFERENCE_INIT;
	struct err ignored = ERR_INIT;
	const bool is_ours =
		reference_parse(&got, signed_for, &ignored) == 0 && str_equal(got.name, ref->name);
	if (err_is_own_lack(&ignored))
		return err_move(e, &ignored);
	err_clear(&ignored);
	if (is_ours)
		return 0;
	return err_set(e, ERR_UNTRUSTED, "signed as '%s', which is no '%s'",
		       quote_str(a, signed_for), quote_str(b, ref->name));
}

static int check_payload(struct verifying *v, const struct str *bytes, enum verify_step *step,
			 struct err *e)
{
	SCOPE(payload) struct payload p = PAYLOAD_INIT;
	char digest[DIGEST_STR_MAX];

	*step = VERIFY_PAYLOAD;
	if (payload_parse(&p, str_text(bytes), bytes->len, e) < 0)
		return -1;
	if (!digest_equal(&p.manifest, &v->top.digest))
		return err_set(e, ERR_UNTRUSTED, "the signature is for another image: %s",
			       digest_format(&p.manifest, digest));
	*step = VERIFY_IDENTITY;
	if (check_identity(v, p.identity, e) < 0)
		return -1;
	v->report->identity = steal_ptr(&p.identity);
	return 0;
}

static int check_key(struct verifying *v, const struct str *payload, const uint8_t *sig,
		     size_t sig_len, bool *is_prehashed, struct err *e)
{
	const struct public_key *key = v->opt->key;
	const int rc = public_key_verify(key, payload->data, payload->len, sig, sig_len, e);
	char text[DIGEST_STR_MAX];

	if (rc < 0)
		return -1;
	if (rc)
		return 0;
	*is_prehashed = public_key_is_prehashed(key, payload->data, payload->len, sig, sig_len);
	if (*is_prehashed)
		return err_set(e, ERR_UNTRUSTED,
			       "a prehash signature (Ed25519ph, as cosign 2.6 and later make) by "
			       "key %s: only pure Ed25519 is accepted, sign with another tool",
			       digest_format(&v->report->key, text));
	return err_set(e, ERR_UNTRUSTED, "signed by another key than %s, or changed",
		       digest_format(&v->report->key, text));
}

/* 0 accepted, -1 not: `*step` says how far it came. */
static int try_signature(struct verifying *v, const struct descriptor *layer,
			 enum verify_step *step, bool *is_prehashed, struct err *e)
{
	const char *text = strmap_get(&layer->annotations, SIGNATURES_KEY);
	SCOPE(str) struct str payload = STR_INIT;
	uint8_t sig[SIGNATURE_MAX];
	size_t sig_len = 0;

	*step = VERIFY_FORM;
	if (!text)
		return err_set(e, ERR_UNTRUSTED, "a signature has no '" SIGNATURES_KEY "'");
	if (base64_decode(text, strlen(text), sig, sizeof(sig), &sig_len) < 0)
		return err_set(e, ERR_UNTRUSTED, "a signature is not base64, strictly spelt");
	/* A size over the limit is refused by what the descriptor says, before anything is read. */
	if (blobs_read(v->store, &layer->digest, layer->size, LIMIT_SIG_PAYLOAD, &payload, e) < 0)
		return err_wrap(e, "signature");
	v->report->bytes_read += payload.len;

	*step = VERIFY_KEY;
	if (check_key(v, &payload, sig, sig_len, is_prehashed, e) < 0)
		return -1;
	return check_payload(v, &payload, step, e);
}

/* What this machine failed to do says nothing about a signature, good or bad. */
static bool is_judgement(const struct err *why)
{
	return why->code != ERR_SYS && why->code != ERR_NOMEM;
}

static bool tells_more(const struct best *best, enum verify_step step, bool is_prehashed,
		       const struct err *why)
{
	if (best->err.code == ERR_NONE)
		return true;
	if (!is_judgement(&best->err) || !is_judgement(why))
		return is_judgement(&best->err);
	return step > best->step || (step == best->step && is_prehashed && !best->is_prehashed);
}

/* Keeps the failure that tells most. */
static void note_failure(struct best *best, enum verify_step step, bool is_prehashed,
			 struct err *why)
{
	if (tells_more(best, step, is_prehashed, why)) {
		err_clear(&best->err);
		err_move(&best->err, why);
		best->step = step;
		best->is_prehashed = is_prehashed;
	}
	err_clear(why);
}

/* None was accepted: says why, by the one that came farthest. */
static int refuse(struct verifying *v, struct best *best, bool has_more, struct err *e)
{
	const unsigned seen = v->report->signatures;
	char text[DIGEST_STR_MAX];

	v->report->step = best->step;
	if (seen == 0) {
		v->report->step = VERIFY_FORM;
		return err_set(e, ERR_UNTRUSTED,
			       "no signature: what is beside it holds none of type "
			       "'" MEDIATYPE_SIMPLESIGNING "'");
	}
	if (!is_judgement(&best->err))
		return err_move(e, &best->err);
	if (has_more) {
		err_clear(&best->err);
		return err_set(e, ERR_UNTRUSTED,
			       "none of the first %u signatures is good, and no more are looked at",
			       seen);
	}
	if (best->step == VERIFY_KEY && !best->is_prehashed && seen > 1 &&
	    best->err.code == ERR_UNTRUSTED) {
		err_clear(&best->err);
		return err_set(e, ERR_UNTRUSTED, "signed by other keys: none of %u is by key %s",
			       seen, digest_format(&v->report->key, text));
	}
	return err_move(e, &best->err);
}

static int try_all(struct verifying *v, const struct manifest *m, struct err *e)
{
	struct best best = {.step = VERIFY_FORM, .err = ERR_INIT};
	bool has_more = false;

	for (size_t i = 0; i < m->layer_count; i++) {
		const struct descriptor *layer = &m->layers[i];
		struct err why = ERR_INIT;
		enum verify_step step = VERIFY_FORM;
		bool is_prehashed = false;

		/* An attestation is no signature, whatever it is signed with. */
		if (!str_equal(layer->media_type, MEDIATYPE_SIMPLESIGNING))
			continue;
		if (v->report->signatures == LIMIT_SIGNATURES) {
			has_more = true;
			break;
		}
		v->report->signatures++;
		if (try_signature(v, layer, &step, &is_prehashed, &why) == 0) {
			err_clear(&best.err);
			return 0;
		}
		if (why.code == ERR_NOMEM) {
			err_clear(&best.err);
			v->report->step = step;
			return err_move(e, &why);
		}
		note_failure(&best, step, is_prehashed, &why);
	}
	return refuse(v, &best, has_more, e);
}

static int try_artifact(struct verifying *v, struct err *e)
{
	SCOPE(signatures) struct signatures sigs = SIGNATURES_INIT;

	v->report->step = VERIFY_ARTIFACT;
	const int found = signatures_load(v->store, v->ref.name, &v->top.digest, &sigs, e);
	if (found < 0)
		return -1;
	if (!found)
		return err_set(e, ERR_UNTRUSTED, "no signature");
	/* Its name may go, and the image's stay. */
	if (v->opt->lease && lease_add(v->opt->lease, &sigs.top.digest, e) < 0)
		return -1;
	v->report->bytes_read += sigs.top.size;
	return try_all(v, &sigs.manifest, e);
}

/* Anybody may put anything beside an image: whatever is wrong there, also that it is malformed, too
 * big, damaged or gone, comes to one thing, that the image is not verified. */
static int verify_signatures(struct verifying *v, struct err *e)
{
	struct err why = ERR_INIT;

	if (try_artifact(v, &why) == 0)
		return 0;
	return is_judgement(&why) ? untrusted(e, &why) : err_move(e, &why);
}

/* The documents that the signature covers: `top`, and what is chosen in it. */
static int verify_manifests(struct verifying *v, const struct platform *want, struct err *e)
{
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE(str) struct str doc = STR_INIT;
	const struct descriptor *top = &v->top;
	size_t at = 0;

	v->report->step = VERIFY_MANIFEST;
	if (blobs_read(v->store, &top->digest, top->size, LIMIT_DOCUMENT, &doc, e) < 0)
		return -1;
	v->report->bytes_read += doc.len;
	v->report->chosen = top->digest;
	if (mediatype_kind(top->media_type) != MEDIA_INDEX)
		return 0;

	if (image_index_parse(&ix, str_text(&doc), doc.len, top->media_type, LIMIT_INDEX_ENTRIES,
			      e) < 0)
		return -1;
	/* Which there are instead is image_load's to say. */
	if (!image_index_select(&ix, want, &at))
		return 0;
	const struct descriptor *chosen = &ix.manifests[at];
	str_truncate(&doc, 0);
	if (blobs_read(v->store, &chosen->digest, chosen->size, LIMIT_DOCUMENT, &doc, e) < 0)
		return -1;
	v->report->bytes_read += doc.len;
	v->report->chosen = chosen->digest;
	return 0;
}

static int verify_config(struct verifying *v, const struct platform *want, struct image *im,
			 struct err *e)
{
	v->report->step = VERIFY_CONFIG;
	/* What the name said when the signature was looked for: it may have moved since. */
	if (image_load_found(v->store, v->report->name, &v->top, want, im, e) < 0)
		return -1;
	if (!digest_equal(&im->chosen.digest, &v->report->chosen))
		return err_set(e, ERR_DIGEST, "what was loaded is not what is signed");
	v->report->bytes_read += im->manifest.config.size;
	return 0;
}

static int verify_layers(struct verifying *v, const struct image *im, struct err *e)
{
	const struct manifest *m = &im->manifest;

	v->report->step = VERIFY_LAYERS;
	for (size_t i = 0; i < m->layer_count; i++) {
		progress_part(v->opt->layers.progress, i + 1, m->layer_count);
		if (layers_prove(v->store, &m->layers[i], &im->config.diff_ids[i], &v->opt->layers,
				 e) < 0)
			return -1;
		v->report->bytes_read += m->layers[i].size;
	}
	return 0;
}

static int verify_steps(struct verifying *v, struct image *image, struct err *e)
{
	const struct platform host = platform_host();
	const struct platform *want = v->opt->platform ? v->opt->platform : &host;
	SCOPE(image) struct image im = IMAGE_INIT;

	if (verify_signatures(v, e) < 0 || verify_manifests(v, want, e) < 0 ||
	    verify_config(v, v->opt->platform, &im, e) < 0 ||
	    (v->opt->read_layers && verify_layers(v, &im, e) < 0))
		return -1;
	v->report->step = VERIFY_DONE;
	if (image) {
		*image = im;
		im = (struct image)IMAGE_INIT;
	}
	return 0;
}

int verify_image(const struct store *s, const char *text, const struct verify_options *opt,
		 struct verify_report *out, struct image *image, struct err *e)
{
	SCOPE_FREE char *name = NULL;
	struct verifying v = {.store = s,
			      .opt = opt,
			      .report = out,
			      .ref = REFERENCE_INIT,
			      .top = DESCRIPTOR_INIT};
	char quoted[QUOTE_MAX];

	out->key = public_key_fingerprint(opt->key);
	out->step = VERIFY_ARTIFACT;
	int rc = image_find_leased(s, opt->lease, text, &name, &v.top, e);
	if (rc == 0)
		rc = signatures_reference(text, name, &v.ref, e);
	if (rc == 0) {
		out->name = steal_ptr(&name);
		out->manifest = v.top.digest;
		rc = verify_steps(&v, image, e);
		if (rc < 0)
			err_wrap(e, "image '%s'", quote_str(quoted, out->name));
	}
	reference_fini(&v.ref);
	descriptor_fini(&v.top);
	return rc;
}
