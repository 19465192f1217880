/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 and SHA-512 by libcrypto (it uses the CPU's instructions; libsodium 1.0.18 does not).
 *
 * Calls: hasher_init -> hasher_update* -> hasher_final; hasher_fini at any time.
 * Threads: a hasher belongs to one thread at a time.
 */
#ifndef BASE_HASHER_H
#define BASE_HASHER_H

#include <stddef.h>

#include "base/digest.h"
#include "base/progress.h"
#include "base/scope.h"

struct hasher {
	void *ctx;
	enum digest_alg alg;
};

#define HASHER_INIT               \
	{                         \
		NULL, DIGEST_NONE \
	}

/* 0, or -1 with ERR_NOMEM. */
int hasher_init(struct hasher *h, enum digest_alg alg, struct err *e);
void hasher_update(struct hasher *h, const void *bytes, size_t len);
struct digest hasher_final(struct hasher *h); /* and releases */
void hasher_fini(struct hasher *h);
SCOPE_DEFINE_VALUE(hasher, struct hasher, hasher_fini)

/* One call; libcrypto's failure to give SHA-256 is a bug of the installation: aborts. */
struct digest hasher_sha256(const void *bytes, size_t len);

/* All of `fd` from offset 0 (pread; the file offset is untouched).  `out_size` may be NULL; the
 * bytes count in the current phase of `progress`. */
int hasher_fd(int fd, enum digest_alg alg, const char *what, struct digest *out, uint64_t *out_size,
	      struct progress *progress, struct err *e);

#endif
