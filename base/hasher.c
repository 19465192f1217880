/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcrypto's low-level functions, whose state is the caller's.  libcrypto 3 calls them deprecated,
 * for programs that want a provider of their choice; but EVP_Digest() takes memory at each call,
 * and what runs out of it in the middle of a read must not be the check of a frame's digest.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/hasher.h"

#include <assert.h>
#include <errno.h>

#include "base/interrupt.h"
#include "base/io.h"

enum { FD_STEP = 64 * 1024 };

void hasher_init(struct hasher *h, enum digest_alg alg)
{
	assert(alg == DIGEST_SHA256 || alg == DIGEST_SHA512);
	h->alg = alg;
	/* None of these functions has a way to fail; they return 1. */
	if (alg == DIGEST_SHA512)
		SHA512_Init(&h->state.sha512);
	else
		SHA256_Init(&h->state.sha256);
}

void hasher_update(struct hasher *h, const void *bytes, size_t len)
{
	if (h->alg == DIGEST_SHA512)
		SHA512_Update(&h->state.sha512, bytes, len);
	else
		SHA256_Update(&h->state.sha256, bytes, len);
}

struct digest hasher_final(struct hasher *h)
{
	struct digest d = {h->alg, {0}};

	if (h->alg == DIGEST_SHA512)
		SHA512_Final(d.raw, &h->state.sha512);
	else
		SHA256_Final(d.raw, &h->state.sha256);
	return d;
}

struct digest hasher_sha256(const void *bytes, size_t len)
{
	struct hasher h;

	hasher_init(&h, DIGEST_SHA256);
	hasher_update(&h, bytes, len);
	return hasher_final(&h);
}

int hasher_fd(int fd, enum digest_alg alg, const char *what, struct digest *out, uint64_t *out_size,
	      struct progress *progress, struct err *e)
{
	uint8_t buf[FD_STEP];
	uint64_t size = 0;
	struct hasher h;

	hasher_init(&h, alg);
	for (;;) {
		if (interrupt_check(e) < 0)
			return -1;
		const ssize_t n = io_pread_full(fd, buf, sizeof(buf), size);
		if (n < 0)
			return err_sys(e, errno, "%s: cannot read", what);
		if (n == 0)
			break;
		hasher_update(&h, buf, (size_t)n);
		size += (uint64_t)n;
		progress_add(progress, (uint64_t)n);
	}
	*out = hasher_final(&h);
	if (out_size)
		*out_size = size;
	return 0;
}
