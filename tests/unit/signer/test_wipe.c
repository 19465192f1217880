/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No path leaves a secret in memory that was given back: all of ours that is freed or grown is
 * looked at first.  (libsodium's and libcrypto's own is theirs.)
 */
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "main.h"
#include "signer/keyfile.h"
#include "signer/passphrase.h"
#include "signer/support.h"
#include "tests/support/scratch.h"

/* What nothing may hold: bytes of the seed, of it in base64, of the passphrase. */
enum { MARK_LEN = 11 };
static uint8_t seed[KEY_SEED_LEN];
static const char *const texts[] = {
	PASSPHRASE, "sZ3v/VpguoR", /* in plain-ed25519.pem */
};

static bool is_watching;
static unsigned found;

void __real_free(void *p);
void __wrap_free(void *p);
void *__wrap_realloc(void *p, size_t size);

static void look(const void *p)
{
	const size_t size = malloc_usable_size((void *)(uintptr_t)p);

	found += memmem(p, size, seed, MARK_LEN) != NULL;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		found += memmem(p, size, texts[i], MARK_LEN) != NULL;
}

void __wrap_free(void *p)
{
	if (p && is_watching)
		look(p);
	__real_free(p);
}

/* Always moves, as the allocator may. */
void *__wrap_realloc(void *p, size_t size)
{
	void *to = malloc(size);

	if (p && to) {
		const size_t had = malloc_usable_size(p);
		memcpy(to, p, had < size ? had : size);
		free(p);
	}
	return to;
}

static void setup(void)
{
	scratch_make();
	hex_decode(SEED_ED25519, seed, sizeof(seed));
	found = 0;
	is_watching = true;
}

static void teardown(void)
{
	is_watching = false;
	scratch_remove();
}

/* Not with malloc and free here: what is written before a free the compiler leaves out. */
START_TEST(what_is_freed_is_looked_at)
{
	struct str s = STR_INIT;
	struct err e = ERR_INIT;

	str_append_z(&s, "open", &e);
	str_reserve(&s, 1000, &e);
	ck_assert_uint_eq(found, 0);
	str_append_z(&s, &PASSPHRASE[strlen("open")], &e);
	str_reserve(&s, 10000, &e);
	ck_assert_uint_eq(found, 1);
	str_append(&s, seed, sizeof(seed), &e);
	str_fini(&s);
	ck_assert_uint_eq(found, 3);
	ck_assert_no_err(&e);
}
END_TEST

START_TEST(a_key_pair_comes_and_goes)
{
	SCOPE(secret) struct secret passphrase = SECRET_INIT;
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(keyfile) struct keyfile file = KEYFILE_INIT;
	struct err e = ERR_INIT;
	const struct passphrase_source src = {.kind = PASSPHRASE_FILE,
					      .path = scratch_file("pass")};
	uint8_t sig[KEY_SIGNATURE_MAX];
	size_t len = 0;

	scratch_write("pass", PASSPHRASE "\n");
	ck_assert_int_eq(passphrase_read(&src, "key", true, &passphrase, &e), 0);
	ck_assert_int_eq(keyfile_read(&file, fixture_path("cosign-ed25519-32768.key"), &e), 0);
	ck_assert_int_eq(keyfile_decrypt(&file, &passphrase, &k, &e), 0);
	ck_assert_mem_eq(k.seed.data, seed, sizeof(seed));
	ck_assert_int_eq(private_key_sign(&k, "x", 1, sig, &len, &e), 0);
	ck_assert_int_eq(keyfile_create_pair(scratch_file("pair"), &k, &passphrase, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(found, 0);
}
END_TEST

START_TEST(a_wrong_passphrase_is_wiped)
{
	SCOPE(secret) struct secret passphrase = SECRET_INIT;
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(keyfile) struct keyfile file = KEYFILE_INIT;
	struct err e = ERR_INIT;

	secret_from_text(&passphrase, PASSPHRASE "!");
	ck_assert_int_eq(keyfile_read(&file, fixture_path("cosign-p256-32768.key"), &e), 0);
	ck_assert_int_eq(keyfile_decrypt(&file, &passphrase, &k, &e), -1);
	ck_assert_err(&e, ERR_UNTRUSTED, "wrong passphrase");
	secret_fini(&passphrase);
	ck_assert_uint_eq(found, 0);
}
END_TEST

enum broken { NOT_BROKEN, NO_RULE, NO_END, NO_BASE64, TOO_LONG };

/* Somebody gives a key that is not encrypted, where any kind of key is wanted; and one so broken
 * that it is refused at each step of reading. */
START_TEST(a_plain_key_is_wiped)
{
	SCOPE(keyfile) struct keyfile file = KEYFILE_INIT;
	char text[LIMIT_KEY_FILE + 1000] = "";
	struct public_key k;
	struct err e = ERR_INIT;

	is_watching = false;
	SCOPE(str) struct str whole = fixture_read("plain-ed25519.pem");
	memcpy(text, whole.data, whole.len);
	ck_assert_ptr_nonnull(strstr(text, texts[1]));
	switch (_i) {
	case NO_RULE:
		text[whole.len - 2] = '?';
		break;
	case NO_END:
		*strstr(text, "-----END") = '\0';
		break;
	case NO_BASE64:
		*strstr(text, "\n-----END") = '?';
		break;
	case TOO_LONG:
		memset(text + whole.len, '\n', sizeof(text) - whole.len - 1);
		break;
	default:
		break;
	}
	scratch_write("plain.key", text);
	is_watching = true;

	ck_assert_int_eq(keyfile_read(&file, scratch_file("plain.key"), &e), -1);
	err_clear(&e);
	ck_assert_uint_eq(found, 0);
	ck_assert_int_eq(public_key_read(&k, scratch_file("plain.key"), &e), -1);
	err_clear(&e);
	ck_assert_uint_eq(found, 0);
	/* What the test itself read. */
	is_watching = false;
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("signer/wipe");
	TCase *tc = tcase_create("wipe");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_freed_is_looked_at);
	tcase_add_test(tc, a_key_pair_comes_and_goes);
	tcase_add_test(tc, a_wrong_passphrase_is_wiped);
	tcase_add_loop_test(tc, a_plain_key_is_wiped, NOT_BROKEN, TOO_LONG + 1);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
