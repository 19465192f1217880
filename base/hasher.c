/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcrypto 3 looks an algorithm up by name, under locks, whenever it is given EVP_sha256(): both
 * are fetched once for the process instead.
 */
#include "base/hasher.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>

#include "base/io.h"

enum { FD_STEP = 64 * 1024 };

static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_MD *sha256, *sha512;

static void fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
}

/* NULL when libcrypto could not give it. */
static const EVP_MD *find_md(enum digest_alg alg)
{
	pthread_once(&fetched, fetch);
	return alg == DIGEST_SHA512 ? sha512 : sha256;
}

/* Digests that are wrong must not come out of here, and no caller could go on. */
static _Noreturn void broken_libcrypto(void)
{
	fputs("shale: libcrypto cannot compute SHA-2 digests\n", stderr);
	abort();
}

int hasher_init(struct hasher *h, enum digest_alg alg, struct err *e)
{
	assert(alg == DIGEST_SHA256 || alg == DIGEST_SHA512);
	const EVP_MD *md = find_md(alg);
	EVP_MD_CTX *ctx = md ? EVP_MD_CTX_new() : NULL;

	if (!ctx || !EVP_DigestInit_ex2(ctx, md, NULL)) {
		EVP_MD_CTX_free(ctx);
		return err_nomem(e);
	}
	h->ctx = ctx;
	h->alg = alg;
	return 0;
}

void hasher_update(struct hasher *h, const void *bytes, size_t len)
{
	assert(h->ctx);
	if (!EVP_DigestUpdate(h->ctx, bytes, len))
		broken_libcrypto();
}

struct digest hasher_final(struct hasher *h)
{
	struct digest d = {h->alg, {0}};
	unsigned len = 0;

	assert(h->ctx);
	if (!EVP_DigestFinal_ex(h->ctx, d.raw, &len) || len != digest_raw_len(h->alg))
		broken_libcrypto();
	hasher_fini(h);
	return d;
}

void hasher_fini(struct hasher *h)
{
	EVP_MD_CTX_free(h->ctx);
	*h = (struct hasher)HASHER_INIT;
}

struct digest hasher_sha256(const void *bytes, size_t len)
{
	struct digest d = {DIGEST_SHA256, {0}};
	const EVP_MD *md = find_md(DIGEST_SHA256);
	unsigned out_len = 0;

	if (!md || !EVP_Digest(bytes, len, d.raw, &out_len, md, NULL) ||
	    out_len != DIGEST_SHA256_LEN)
		broken_libcrypto();
	return d;
}

int hasher_fd(int fd, enum digest_alg alg, const char *what, struct digest *out, uint64_t *out_size,
	      struct progress *progress, struct err *e)
{
	uint8_t buf[FD_STEP];
	uint64_t size = 0;
	SCOPE(hasher) struct hasher h = HASHER_INIT;

	if (hasher_init(&h, alg, e) < 0)
		return -1;
	for (;;) {
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
