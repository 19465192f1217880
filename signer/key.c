/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both kinds of key have one DER form each, so writing is a fixed head and the key's bytes.
 * Reading goes element by element, because other writers add optional ones.
 */
#include "signer/key.h"

#include <sodium.h>

#include "base/hasher.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/quote.h"
#include "signer/der.h"
#include "signer/p256.h"
#include "signer/pem.h"

enum { ED25519_PUBLIC_LEN = crypto_sign_ed25519_PUBLICKEYBYTES };

/* Contents of AlgorithmIdentifiers: an OID, and for EC the curve's. */
static const uint8_t alg_ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
static const uint8_t alg_p256[] = {
	0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,       /* id-ecPublicKey */
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, /* prime256v1 */
};
enum { P256_CURVE_AT = 9 /* where the curve's OID begins in alg_p256 */ };
static const uint8_t alg_rsa[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
static const uint8_t alg_ec[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};

/* What stands before the key's bytes in a SubjectPublicKeyInfo. */
static const uint8_t spki_head_ed25519[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
					    0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
static const uint8_t spki_head_p256[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
					 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
					 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

/* The same in PKCS#8; P-256's goes on with pkcs8_mid_p256 and the point. */
static const uint8_t pkcs8_head_ed25519[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
					     0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
static const uint8_t pkcs8_head_p256[] = {0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06,
					  0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
					  0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
					  0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20};
static const uint8_t pkcs8_mid_p256[] = {0xa1, 0x44, 0x03, 0x42, 0x00};

const char *key_alg_name(enum key_alg alg)
{
	switch (alg) {
	case KEY_ED25519:
		return "Ed25519";
	case KEY_P256:
		return "ECDSA P-256";
	case KEY_NONE:
		break;
	}
	return "none";
}

static size_t public_len(enum key_alg alg)
{
	return alg == KEY_ED25519 ? (size_t)ED25519_PUBLIC_LEN : (size_t)P256_POINT_LEN;
}

/* Which algorithm an AlgorithmIdentifier's content names. */
static int find_alg(const struct der *id, enum key_alg *out, struct err *e)
{
	if (der_equal(id, alg_ed25519, sizeof(alg_ed25519))) {
		*out = KEY_ED25519;
		return 0;
	}
	if (der_equal(id, alg_p256, sizeof(alg_p256))) {
		*out = KEY_P256;
		return 0;
	}
	const char *what = "its algorithm";
	if (id->len >= sizeof(alg_rsa) && memcmp(id->data, alg_rsa, sizeof(alg_rsa)) == 0)
		what = "RSA";
	else if (id->len >= sizeof(alg_ec) && memcmp(id->data, alg_ec, sizeof(alg_ec)) == 0)
		what = "its elliptic curve";
	return err_set(e, ERR_UNSUPPORTED, "%s is not supported: keys are Ed25519 or ECDSA P-256",
		       what);
}

/* y < 2^255 - 19 (RFC 8032, 5.1.3); the top bit is x's sign. */
static bool ed25519_is_canonical(const uint8_t raw[static ED25519_PUBLIC_LEN])
{
	const size_t last = ED25519_PUBLIC_LEN - 1;

	if ((raw[last] & 0x7f) != 0x7f || raw[0] < 0xed)
		return true;
	for (size_t i = 1; i < last; i++)
		if (raw[i] != 0xff)
			return true;
	return false;
}

static int check_public(const struct public_key *k, struct err *e)
{
	uint8_t ignored[crypto_scalarmult_curve25519_BYTES];

	if (k->alg == KEY_P256) {
		if (!p256_is_point(k->raw))
			return err_set(e, ERR_FORMAT, "the public key is no point of P-256");
		return 0;
	}
	if (!ed25519_is_canonical(k->raw))
		return err_set(e, ERR_FORMAT, "the public key is not in canonical form");
	/* The conversion refuses what is no point, and what is not of the large order.  libsodium
	 * without the fix of CVE-2025-69277 may let a good key plus the point of order 2 pass, for
	 * which nobody can sign but the good key's owner. */
	if (crypto_sign_ed25519_pk_to_curve25519(ignored, k->raw) != 0)
		return err_set(e, ERR_FORMAT,
			       "the public key is no point of Ed25519, or one of small order, for "
			       "which anybody can sign");
	return 0;
}

/* A BIT STRING's content: no unused bits, then the key. */
static int take_public(struct public_key *out, enum key_alg alg, const struct der *bits,
		       struct err *e)
{
	struct public_key k = {.alg = alg};
	const size_t len = public_len(alg);

	if (bits->len != len + 1 || bits->data[0] != 0)
		return err_set(e, ERR_FORMAT, "the public key has %s",
			       bits->len == 0 ? "no bytes" : "another length or form");
	memcpy(k.raw, bits->data + 1, len);
	if (check_public(&k, e) < 0)
		return -1;
	*out = k;
	return 0;
}

int public_key_from_spki(struct public_key *out, const uint8_t *der, size_t len, struct err *e)
{
	struct der in = {der, len}, outer, id, bits;
	enum key_alg alg = KEY_NONE;

	if (!der_take(&in, DER_SEQUENCE, &outer) || in.len != 0 ||
	    !der_take(&outer, DER_SEQUENCE, &id) || !der_take(&outer, DER_BIT_STRING, &bits) ||
	    outer.len != 0)
		return err_set(e, ERR_FORMAT, "the public key is not in DER");
	if (find_alg(&id, &alg, e) < 0)
		return -1;
	return take_public(out, alg, &bits, e);
}

size_t public_key_to_spki(const struct public_key *k, uint8_t out[static KEY_SPKI_MAX])
{
	const bool is_ed = k->alg == KEY_ED25519;
	const uint8_t *head = is_ed ? spki_head_ed25519 : spki_head_p256;
	const size_t head_len = is_ed ? sizeof(spki_head_ed25519) : sizeof(spki_head_p256);

	memcpy(out, head, head_len);
	memcpy(out + head_len, k->raw, public_len(k->alg));
	return head_len + public_len(k->alg);
}

int public_key_parse(struct public_key *out, const char *pem, size_t len, struct err *e)
{
	SCOPE(secret_text) struct str body = STR_INIT;
	char type[PEM_TYPE_MAX];

	if (pem_parse(pem, len, type, &body, e) < 0)
		return -1;
	if (str_equal(type, "PUBLIC KEY"))
		return public_key_from_spki(out, (const uint8_t *)body.data, body.len, e);

	if (str_equal(type, "RSA PUBLIC KEY"))
		return err_set(e, ERR_UNSUPPORTED,
			       "RSA is not supported: keys are Ed25519 or ECDSA P-256");
	if (str_has_suffix(type, "PRIVATE KEY"))
		return err_set(e, ERR_FORMAT, "is a private key ('%s'), not a public one", type);
	return err_set(e, ERR_FORMAT, "holds '%s', not 'PUBLIC KEY'", type);
}

int public_key_read(struct public_key *out, const char *path, struct err *e)
{
	SCOPE(secret_text) struct str text = STR_INIT;
	char quoted[QUOTE_MAX];

	if (secret_text_init(&text, LIMIT_KEY_FILE + 1, e) < 0 ||
	    io_slurp_path(path, LIMIT_KEY_FILE, &text, e) < 0)
		return -1;
	if (public_key_parse(out, str_text(&text), text.len, e) < 0)
		return err_wrap(e, "public key '%s'", quote_str(quoted, path));
	return 0;
}

int public_key_format(const struct public_key *k, struct str *out, struct err *e)
{
	uint8_t spki[KEY_SPKI_MAX];

	return pem_format("PUBLIC KEY", spki, public_key_to_spki(k, spki), out, e);
}

struct digest public_key_fingerprint(const struct public_key *k)
{
	uint8_t spki[KEY_SPKI_MAX];

	return hasher_sha256(spki, public_key_to_spki(k, spki));
}

bool public_key_equal(const struct public_key *a, const struct public_key *b)
{
	return a->alg == b->alg && memcmp(a->raw, b->raw, sizeof(a->raw)) == 0;
}

int public_key_verify(const struct public_key *k, const void *bytes, size_t len, const uint8_t *sig,
		      size_t sig_len, struct err *e)
{
	if (k->alg == KEY_P256) {
		const struct digest d = hasher_sha256(bytes, len);
		return p256_verify(k->raw, &d, sig, sig_len, e);
	}
	return sig_len == crypto_sign_ed25519_BYTES &&
	       crypto_sign_verify_detached(sig, bytes, len, k->raw) == 0;
}

bool public_key_is_prehashed(const struct public_key *k, const void *bytes, size_t len,
			     const uint8_t *sig, size_t sig_len)
{
	crypto_sign_ed25519ph_state state;
	uint8_t copy[crypto_sign_ed25519_BYTES];

	if (k->alg != KEY_ED25519 || sig_len != sizeof(copy))
		return false;
	memcpy(copy, sig, sizeof(copy));
	crypto_sign_ed25519ph_init(&state);
	crypto_sign_ed25519ph_update(&state, bytes, len);
	return crypto_sign_ed25519ph_final_verify(&state, copy, k->raw) == 0;
}

int private_key_from_seed(struct private_key *out, enum key_alg alg,
			  const uint8_t seed[static KEY_SEED_LEN], struct err *e)
{
	SCOPE(secret) struct secret expanded = SECRET_INIT;
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;

	k.public_key.alg = alg;
	if (secret_init(&k.seed, KEY_SEED_LEN, e) < 0)
		return -1;
	memcpy(k.seed.data, seed, KEY_SEED_LEN);

	if (alg == KEY_P256) {
		const int rc = p256_derive(seed, k.public_key.raw, e);
		if (rc == 0)
			return err_set(e, ERR_FORMAT, "the private key is out of P-256's range");
		if (rc < 0)
			return -1;
	} else {
		if (secret_init(&expanded, crypto_sign_ed25519_SECRETKEYBYTES, e) < 0)
			return -1;
		crypto_sign_ed25519_seed_keypair(k.public_key.raw, expanded.data, seed);
	}
	out->public_key = k.public_key;
	out->seed = secret_take(&k.seed);
	return 0;
}

int private_key_generate(struct private_key *out, enum key_alg alg, struct err *e)
{
	SCOPE(secret) struct secret seed = SECRET_INIT;

	if (secret_init(&seed, KEY_SEED_LEN, e) < 0)
		return -1;
	/* P-256: FIPS 186-5, A.2.2, try again when out of range (once in 2^32). */
	for (;;) {
		randombytes_buf(seed.data, seed.len);
		if (private_key_from_seed(out, alg, seed.data, e) == 0)
			return 0;
		if (e->code != ERR_FORMAT)
			return -1;
		err_clear(e);
	}
}

void private_key_fini(struct private_key *k)
{
	if (k)
		secret_fini(&k->seed);
}

/* The seed in the OCTET STRING of a PKCS#8, and the public key that may stand beside it. */
static bool take_seed(enum key_alg alg, struct der in, struct der *seed, struct der *bits)
{
	struct der seq, version, field;
	const uint8_t one = 1;

	if (alg == KEY_ED25519)
		return der_take(&in, DER_OCTET_STRING, seed) && in.len == 0;

	/* RFC 5915: ECPrivateKey { 1, key, [0] curve OPTIONAL, [1] public OPTIONAL } */
	if (!der_take(&in, DER_SEQUENCE, &seq) || in.len != 0 ||
	    !der_take(&seq, DER_INTEGER, &version) || !der_equal(&version, &one, 1) ||
	    !der_take(&seq, DER_OCTET_STRING, seed))
		return false;
	if (der_take(&seq, DER_CONTEXT_CONSTRUCTED | 0, &field) &&
	    !der_equal(&field, alg_p256 + P256_CURVE_AT, sizeof(alg_p256) - P256_CURVE_AT))
		return false;
	if (der_take(&seq, DER_CONTEXT_CONSTRUCTED | 1, &field) &&
	    (!der_take(&field, DER_BIT_STRING, bits) || field.len != 0))
		return false;
	return seq.len == 0;
}

int private_key_from_pkcs8(struct private_key *out, const uint8_t *der, size_t len, struct err *e)
{
	struct der in = {der, len}, outer, version, id, inner, ignored;
	struct der seed = {NULL, 0}, bits = {NULL, 0};
	enum key_alg alg = KEY_NONE;

	if (!der_take(&in, DER_SEQUENCE, &outer) || in.len != 0 ||
	    !der_take(&outer, DER_INTEGER, &version) || version.len != 1 || version.data[0] > 1 ||
	    !der_take(&outer, DER_SEQUENCE, &id) || !der_take(&outer, DER_OCTET_STRING, &inner))
		return err_set(e, ERR_FORMAT, "the private key is not PKCS#8 in DER");
	if (find_alg(&id, &alg, e) < 0)
		return -1;
	if (!take_seed(alg, inner, &seed, &bits) || seed.len != KEY_SEED_LEN)
		return err_set(e, ERR_FORMAT, "the private key has another length or form");

	/* RFC 5958: attributes [0], and in version 1 the public key [1]. */
	(void)der_take(&outer, DER_CONTEXT_CONSTRUCTED | 0, &ignored);
	if (version.data[0] == 1 && bits.len == 0)
		(void)der_take(&outer, DER_CONTEXT | 1, &bits);
	if (outer.len != 0)
		return err_set(e, ERR_FORMAT, "the private key has bytes after its end");

	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	if (private_key_from_seed(&k, alg, seed.data, e) < 0)
		return -1;
	/* Signing with one key's seed and another's public half gives the seed away. */
	if (bits.len != 0 && (bits.len != public_len(alg) + 1 || bits.data[0] != 0 ||
			      memcmp(bits.data + 1, k.public_key.raw, public_len(alg)) != 0))
		return err_set(e, ERR_FORMAT,
			       "the public key beside the private key belongs to another");
	out->public_key = k.public_key;
	out->seed = secret_take(&k.seed);
	return 0;
}

int private_key_to_pkcs8(const struct private_key *k, struct secret *out, struct err *e)
{
	const bool is_ed = k->public_key.alg == KEY_ED25519;
	const uint8_t *head = is_ed ? pkcs8_head_ed25519 : pkcs8_head_p256;
	const size_t head_len = is_ed ? sizeof(pkcs8_head_ed25519) : sizeof(pkcs8_head_p256);
	const size_t seed_end = head_len + KEY_SEED_LEN;
	const size_t mid_len = sizeof(pkcs8_mid_p256);

	if (secret_init(out, is_ed ? seed_end : seed_end + mid_len + P256_POINT_LEN, e) < 0)
		return -1;
	memcpy(out->data, head, head_len);
	memcpy(out->data + head_len, k->seed.data, KEY_SEED_LEN);
	if (!is_ed) {
		memcpy(out->data + seed_end, pkcs8_mid_p256, mid_len);
		memcpy(out->data + seed_end + mid_len, k->public_key.raw, P256_POINT_LEN);
	}
	return 0;
}

int private_key_sign(const struct private_key *k, const void *bytes, size_t len,
		     uint8_t sig[static KEY_SIGNATURE_MAX], size_t *out_len, struct err *e)
{
	if (k->public_key.alg == KEY_P256) {
		const struct digest d = hasher_sha256(bytes, len);
		return p256_sign(k->seed.data, k->public_key.raw, &d, sig, out_len, e);
	}

	SCOPE(secret) struct secret expanded = SECRET_INIT;
	uint8_t pub[ED25519_PUBLIC_LEN];
	if (secret_init(&expanded, crypto_sign_ed25519_SECRETKEYBYTES, e) < 0)
		return -1;
	/* Derived again: a struct that somebody put together wrongly must not sign. */
	crypto_sign_ed25519_seed_keypair(pub, expanded.data, k->seed.data);
	crypto_sign_ed25519_detached(sig, NULL, bytes, len, expanded.data);
	*out_len = crypto_sign_ed25519_BYTES;
	return 0;
}
