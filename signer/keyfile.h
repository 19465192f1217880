/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private key files, in the form that cosign, skopeo and podman read: PEM around JSON around an
 * encrypted PKCS#8.
 *
 *	{"kdf":{"name":"scrypt","params":{"N":32768,"r":8,"p":1},"salt":"<32 bytes>"},
 *	 "cipher":{"name":"nacl/secretbox","nonce":"<24 bytes>"},"ciphertext":"<..>"}
 *
 * Read: the PEM types "ENCRYPTED COSIGN PRIVATE KEY" and "ENCRYPTED SIGSTORE PRIVATE KEY", scrypt
 * with N of 2^15, 2^16 or 2^17, r 8, p 1.  Other parameters are refused before anything is
 * derived, as they can ask for any amount of memory.  Written: the first type with 2^15, the only
 * one that every reader takes; members in the order above.
 *
 * Source: cosign, pkg/cosign/keys.go; go-securesystemslib, encrypted.go.  Stricter: unknown members
 * and salts of another length are refused.
 * Calls: keyfile_read -> (the caller gets the passphrase) -> keyfile_decrypt.
 * Limits: LIMIT_KEY_FILE, LIMIT_PASSPHRASE.
 */
#ifndef SIGNER_KEYFILE_H
#define SIGNER_KEYFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"
#include "signer/key.h"
#include "signer/secret.h"

enum {
	KEYFILE_SALT_LEN = 32,
	KEYFILE_NONCE_LEN = 24,
	KEYFILE_MODE = 0600,
	KEYFILE_PUB_MODE = 0644
};

/* What a file says, still encrypted. */
struct keyfile {
	uint64_t n; /* scrypt's cost */
	uint8_t salt[KEYFILE_SALT_LEN];
	uint8_t nonce[KEYFILE_NONCE_LEN];
	struct str box; /* tag and ciphertext */
};

#define KEYFILE_INIT                     \
	{                                \
		.n = 0, .box = STR_INIT, \
	}

/* ERR_FORMAT; ERR_UNSUPPORTED: another way to encrypt, or a key that is not encrypted; ERR_LIMIT.
 * `out` must be empty, and stays so on failure. */
int keyfile_parse(struct keyfile *out, const char *text, size_t len, struct err *e);

/* The same from a file.  A FIFO, directory or device is ERR_FORMAT.  Warns (log_warning) about a
 * file that others may read, or that belongs to another user. */
int keyfile_read(struct keyfile *out, const char *path, struct err *e);

/* ERR_UNTRUSTED: wrong passphrase, or a damaged file (nobody can tell which).  ERR_FORMAT,
 * ERR_UNSUPPORTED: what was encrypted is no key that shale uses.  ERR_NOMEM. */
int keyfile_decrypt(const struct keyfile *kf, const struct secret *passphrase,
		    struct private_key *out, struct err *e);

/* Encrypts with a new salt and nonce, and appends the file's text.  `fixed`: with those instead,
 * for vectors; NULL else. */
int keyfile_format(const struct private_key *k, const struct secret *passphrase,
		   const struct keyfile *fixed, struct str *out, struct err *e);

/*
 * Writes PREFIX.key (0600) and PREFIX.pub (0644), complete and synced.  ERR_EXISTS when either name
 * is taken, by whatever (a symlink is not followed): nothing is ever overwritten, and then neither
 * is written.  A name appears with all of its file; on failure only files that are ours go again.
 */
int keyfile_create_pair(const char *prefix, const struct private_key *k,
			const struct secret *passphrase, struct err *e);

void keyfile_fini(struct keyfile *kf);
SCOPE_DEFINE_VALUE(keyfile, struct keyfile, keyfile_fini)

#endif
