/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ECDSA on P-256 with SHA-256, by libcrypto.
 *
 * Points are uncompressed (04, x, y), scalars big-endian, signatures ASN.1 DER.
 * Source: SEC 1; RFC 5480; FIPS 186-5.
 */
#ifndef SIGNER_P256_H
#define SIGNER_P256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

enum {
	P256_SCALAR_LEN = 32,
	P256_POINT_LEN = 65,
	P256_SIGNATURE_MAX = 72, /* two INTEGERs of 33 bytes, and their heads */
};

/* Whether the 65 bytes are a point of the curve. */
bool p256_is_point(const uint8_t point[static P256_POINT_LEN]);

/* The public point of a scalar.  1; 0 when the scalar is not in [1, n-1]; -1 ERR_NOMEM. */
int p256_derive(const uint8_t scalar[static P256_SCALAR_LEN], uint8_t point[static P256_POINT_LEN],
		struct err *e);

/* Over a SHA-256.  Each signature is another one.  ERR_NOMEM. */
int p256_sign(const uint8_t scalar[static P256_SCALAR_LEN],
	      const uint8_t point[static P256_POINT_LEN], const struct digest *sha256,
	      uint8_t sig[static P256_SIGNATURE_MAX], size_t *out_len, struct err *e);

/* 1 it verifies; 0 it does not, or is not strict DER; -1 ERR_NOMEM. */
int p256_verify(const uint8_t point[static P256_POINT_LEN], const struct digest *sha256,
		const uint8_t *sig, size_t sig_len, struct err *e);

#endif
