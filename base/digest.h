/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests: the name of a piece of content, "algorithm:encoded".
 *
 * Source: OCI image-spec, descriptor.md, "Digests".  Only the two registered algorithms are
 * accepted; anything else is ERR_UNSUPPORTED, so that a caller can tell "not ours" from "not a
 * digest" (ERR_SYNTAX).
 *
 * Plain values: no function here allocates, blocks, or keeps state.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum digest_alg { DIGEST_NONE = 0, DIGEST_SHA256, DIGEST_SHA512 };

enum {
	DIGEST_SHA256_LEN = 32, /* bytes */
	DIGEST_RAW_MAX = 64,    /* bytes, sha512 */
	DIGEST_STR_MAX = 7 + 2 * 64 + 1,
	DIGEST_HEX_MAX = 2 * 64 + 1,
};

struct digest {
	enum digest_alg alg;
	uint8_t raw[DIGEST_RAW_MAX]; /* the first digest_raw_len() count, the rest is zero */
};

/*
 * Reads "sha256:<64 lower-case hex>" (or sha512) of exactly `len` bytes.  Upper-case hex is
 * refused: the spec says that encoded MUST match [a-f0-9].
 * Returns 0, or -1 with ERR_SYNTAX or ERR_UNSUPPORTED; `out` is then untouched.
 */
int digest_parse(struct digest *out, const char *s, size_t len, struct err *e);

/* A sha256 from its 32 bytes. */
struct digest digest_from_sha256(const uint8_t raw[static DIGEST_SHA256_LEN]);

size_t digest_raw_len(enum digest_alg alg);
const char *digest_alg_name(enum digest_alg alg); /* "sha256" */

/* Write the text form ("sha256:..", or the hex alone) and a NUL; return `buf`.  Cannot fail. */
const char *digest_format(const struct digest *d, char buf[static DIGEST_STR_MAX]);
const char *digest_hex(const struct digest *d, char buf[static DIGEST_HEX_MAX]);

bool digest_equal(const struct digest *a, const struct digest *b);
int digest_compare(const struct digest *a, const struct digest *b); /* total order, for sorting */

#endif
