/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the signer's tests share: fixtures of tests/data/keys (made by tests/data/make_keys.sh),
 * bytes from hex, and standard error caught.
 */
#ifndef TESTS_UNIT_SIGNER_SUPPORT_H
#define TESTS_UNIT_SIGNER_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "signer/key.h"
#include "signer/secret.h"

/* RFC 8032, 7.1, test 1; RFC 6979, A.2.5. */
#define SEED_ED25519   "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define PUBLIC_ED25519 "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define SCALAR_P256    "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"
#define PUBLIC_P256                                                          \
	"0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6" \
	"7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
#define PASSPHRASE "open sesame"

/* The count of bytes. */
size_t hex_decode(const char *hex, uint8_t *out, size_t cap);

/* The path of a fixture; good until the next call. */
const char *fixture_path(const char *name);
/* Its content; the caller's. */
struct str fixture_read(const char *name);

/* The key of the fixtures, by its seed. */
void fixture_private(struct private_key *out, enum key_alg alg);

void secret_from_text(struct secret *out, const char *text);

/* Standard error goes to a file until caught_end, which gives what was written; the caller's. */
void caught_begin(void);
struct str caught_end(void);

/* Runs a program to its end, its output thrown away: the exit status; 127 when it is not there. */
int run_program(const char *const argv[]);

#endif
