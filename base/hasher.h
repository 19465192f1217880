/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 and SHA-512 by libcrypto (it uses the CPU's instructions; libsodium 1.0.18 does not).
 *
 * A hasher is a plain value: nothing here takes memory or can fail, but for hasher_fd's reading.
 *
 * Calls: hasher_init -> hasher_update* -> hasher_final; it may be dropped at any time.
 * Threads: a hasher belongs to one thread at a time.
 */
#ifndef BASE_HASHER_H
#define BASE_HASHER_H

#include <openssl/sha.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/progress.h"

struct hasher {
	enum digest_alg alg;
	union {
		SHA256_CTX sha256;
		SHA512_CTX sha512;
	} state;
};

/* `alg` is one of the two: not DIGEST_NONE. */
void hasher_init(struct hasher *h, enum digest_alg alg);
void hasher_update(struct hasher *h, const void *bytes, size_t len);
struct digest hasher_final(struct hasher *h);

struct digest hasher_sha256(const void *bytes, size_t len);

/* All of `fd` from offset 0 (pread; the file offset is untouched).  `out_size` may be NULL; the
 * bytes count in the current phase of `progress`.  ERR_SYS, also (EINTR) for a signal that is held
 * meanwhile (base/interrupt.h). */
int hasher_fd(int fd, enum digest_alg alg, const char *what, struct digest *out, uint64_t *out_size,
	      struct progress *progress, struct err *e);

#endif
