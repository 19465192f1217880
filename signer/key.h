/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys: Ed25519 (pure, RFC 8032, by libsodium) and ECDSA P-256 with SHA-256 (by libcrypto).
 *
 * Nothing in a signature names its algorithm: the key does.  A public key that is not the one
 * spelling of a good point is refused when it is read: Ed25519 keys of small order (anybody can
 * sign for them, and OpenSSL and Go accept it), points off the curve, coordinates beyond the
 * field.  A private key is its seed: the public key is always derived from it, never believed.
 *
 * Source: RFC 8410 (Ed25519), RFC 5480 and 5915 (P-256), RFC 5958 (PKCS#8).
 * Threads: keys are values, not changed once they are read.
 */
#ifndef SIGNER_KEY_H
#define SIGNER_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"
#include "signer/secret.h"

enum key_alg { KEY_NONE, KEY_ED25519, KEY_P256 };

enum {
	KEY_SEED_LEN = 32,      /* Ed25519's seed, P-256's scalar */
	KEY_PUBLIC_MAX = 65,    /* P-256's point; Ed25519 has 32 */
	KEY_SPKI_MAX = 91,      /* Ed25519 has 44 */
	KEY_PKCS8_MAX = 138,    /* Ed25519 has 48 */
	KEY_SIGNATURE_MAX = 72, /* P-256's, at most; Ed25519 has 64 */
};

struct public_key {
	enum key_alg alg;
	uint8_t raw[KEY_PUBLIC_MAX]; /* unused bytes are zero */
};

struct private_key {
	struct public_key public_key;
	struct secret seed; /* KEY_SEED_LEN bytes */
};

#define PRIVATE_KEY_INIT                                             \
	{                                                            \
		.public_key = {.alg = KEY_NONE}, .seed = SECRET_INIT \
	}

const char *key_alg_name(enum key_alg alg); /* "Ed25519", "ECDSA P-256" */

/* A SubjectPublicKeyInfo, in DER.  ERR_FORMAT; ERR_UNSUPPORTED for RSA, other curves, ... */
int public_key_from_spki(struct public_key *out, const uint8_t *der, size_t len, struct err *e);
size_t public_key_to_spki(const struct public_key *k, uint8_t out[static KEY_SPKI_MAX]);

/* A file "PUBLIC KEY" in PEM: its text; its path (a regular file); and out. */
int public_key_parse(struct public_key *out, const char *pem, size_t len, struct err *e);
int public_key_read(struct public_key *out, const char *path, struct err *e);
int public_key_format(const struct public_key *k, struct str *out, struct err *e);

/* The SHA-256 of the SubjectPublicKeyInfo: how people tell keys apart. */
struct digest public_key_fingerprint(const struct public_key *k);
bool public_key_equal(const struct public_key *a, const struct public_key *b);

/* 1 the signature is by this key over these bytes, 0 it is not, -1 ERR_NOMEM. */
int public_key_verify(const struct public_key *k, const void *bytes, size_t len, const uint8_t *sig,
		      size_t sig_len, struct err *e);

/* Whether it would verify as Ed25519ph (RFC 8032, 5.1), as which newer cosign signs.  Only to say
 * so: such a signature is not accepted. */
bool public_key_is_prehashed(const struct public_key *k, const void *bytes, size_t len,
			     const uint8_t *sig, size_t sig_len);

/* A new key.  ERR_SYS, ERR_NOMEM. */
int private_key_generate(struct private_key *out, enum key_alg alg, struct err *e);
/* From its seed (P-256: the scalar, ERR_FORMAT when it is out of range). */
int private_key_from_seed(struct private_key *out, enum key_alg alg,
			  const uint8_t seed[static KEY_SEED_LEN], struct err *e);
void private_key_fini(struct private_key *k);
SCOPE_DEFINE_VALUE(private_key, struct private_key, private_key_fini)

/* PKCS#8, in DER.  ERR_FORMAT (also for a public key inside that is not the seed's),
 * ERR_UNSUPPORTED; no message tells anything of the content.  The second makes `out`. */
int private_key_from_pkcs8(struct private_key *out, const uint8_t *der, size_t len, struct err *e);
int private_key_to_pkcs8(const struct private_key *k, struct secret *out, struct err *e);

/* Ed25519: the same key and bytes give the same signature.  ERR_NOMEM. */
int private_key_sign(const struct private_key *k, const void *bytes, size_t len,
		     uint8_t sig[static KEY_SIGNATURE_MAX], size_t *out_len, struct err *e);

#endif
