/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/p256.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <sodium.h>

#include "base/scope.h"
#include "signer/der.h"

SCOPE_DEFINE(pkey, EVP_PKEY *, EVP_PKEY_free)
SCOPE_DEFINE(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
SCOPE_DEFINE(group, EC_GROUP *, EC_GROUP_free)
SCOPE_DEFINE(point, EC_POINT *, EC_POINT_clear_free)
SCOPE_DEFINE(bn, BIGNUM *, BN_clear_free)

/* libcrypto's own queue of errors is not ours to keep. */
static int crypto_failed(struct err *e)
{
	ERR_clear_error();
	return err_nomem(e);
}

/* `scalar` NULL: a public key.  NULL when libcrypto refuses the key or has no memory. */
static EVP_PKEY *pkey_new(const uint8_t *scalar, const uint8_t point[static P256_POINT_LEN])
{
	SCOPE(pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	char group[] = SN_X9_62_prime256v1;
	uint8_t public[P256_POINT_LEN], private[P256_SCALAR_LEN];
	OSSL_PARAM params[4];
	EVP_PKEY *key = NULL;
	size_t n = 0;

	memcpy(public, point, sizeof(public));
	params[n++] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[n++] =
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, public, sizeof(public));
	if (scalar) {
		/* An integer parameter is in the machine's byte order, in memory of ours: the
		 * builder of libcrypto would leave a copy behind. */
		SCOPE(bn) BIGNUM *d = BN_bin2bn(scalar, P256_SCALAR_LEN, NULL);
		if (!d || BN_bn2nativepad(d, private, sizeof(private)) < 0)
			return NULL;
		params[n++] =
			OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, private, sizeof(private));
	}
	params[n] = OSSL_PARAM_construct_end();

	if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &key, scalar ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) <=
		    0)
		key = NULL;
	sodium_memzero(private, sizeof(private));
	return key;
}

bool p256_is_point(const uint8_t point[static P256_POINT_LEN])
{
	SCOPE(group) EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	SCOPE(point) EC_POINT *p = group ? EC_POINT_new(group) : NULL;

	/* Checks the curve's equation; the group has no cofactor, so there is nothing more. */
	const bool ok = p && point[0] == POINT_CONVERSION_UNCOMPRESSED &&
			EC_POINT_oct2point(group, p, point, P256_POINT_LEN, NULL) == 1;
	ERR_clear_error();
	return ok;
}

int p256_derive(const uint8_t scalar[static P256_SCALAR_LEN], uint8_t point[static P256_POINT_LEN],
		struct err *e)
{
	SCOPE(group) EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	SCOPE(point) EC_POINT *p = group ? EC_POINT_new(group) : NULL;
	SCOPE(bn) BIGNUM *d = BN_bin2bn(scalar, P256_SCALAR_LEN, NULL);

	if (!p || !d)
		return crypto_failed(e);
	if (BN_is_zero(d) || BN_cmp(d, EC_GROUP_get0_order(group)) >= 0)
		return 0;
	BN_set_flags(d, BN_FLG_CONSTTIME);
	if (EC_POINT_mul(group, p, d, NULL, NULL, NULL) != 1 ||
	    EC_POINT_point2oct(group, p, POINT_CONVERSION_UNCOMPRESSED, point, P256_POINT_LEN,
			       NULL) != P256_POINT_LEN)
		return crypto_failed(e);
	return 1;
}

int p256_sign(const uint8_t scalar[static P256_SCALAR_LEN],
	      const uint8_t point[static P256_POINT_LEN], const struct digest *sha256,
	      uint8_t sig[static P256_SIGNATURE_MAX], size_t *out_len, struct err *e)
{
	SCOPE(pkey) EVP_PKEY *key = pkey_new(scalar, point);
	SCOPE(pkey_ctx)
	EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
	size_t len = P256_SIGNATURE_MAX;

	if (!ctx || EVP_PKEY_sign_init(ctx) <= 0 ||
	    EVP_PKEY_sign(ctx, sig, &len, sha256->raw, DIGEST_SHA256_LEN) <= 0)
		return crypto_failed(e);
	*out_len = len;
	return 0;
}

/* SEQUENCE { r INTEGER, s INTEGER } and nothing else.  libcrypto re-encodes and compares too; that
 * it does is its implementation, that we do is our promise. */
static bool is_strict(const uint8_t *sig, size_t sig_len)
{
	struct der in = {sig, sig_len}, seq, r, s;

	return sig_len <= P256_SIGNATURE_MAX && der_take(&in, DER_SEQUENCE, &seq) && in.len == 0 &&
	       der_take(&seq, DER_INTEGER, &r) && der_take(&seq, DER_INTEGER, &s) && seq.len == 0 &&
	       der_is_positive(&r) && der_is_positive(&s);
}

int p256_verify(const uint8_t point[static P256_POINT_LEN], const struct digest *sha256,
		const uint8_t *sig, size_t sig_len, struct err *e)
{
	if (!is_strict(sig, sig_len))
		return 0;

	SCOPE(pkey) EVP_PKEY *key = pkey_new(NULL, point);
	SCOPE(pkey_ctx)
	EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
	if (!ctx || EVP_PKEY_verify_init(ctx) <= 0)
		return crypto_failed(e);

	const int rc = EVP_PKEY_verify(ctx, sig, sig_len, sha256->raw, DIGEST_SHA256_LEN);
	/* Why it does not verify (a negative result is a value out of range) is of no interest. */
	ERR_clear_error();
	return rc == 1;
}
