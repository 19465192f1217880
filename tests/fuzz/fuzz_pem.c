/* SPDX-License-Identifier: Apache-2.0 */
/* PEM, and the DER of keys in it: what is read is written back as the same bytes. */
#include <string.h>

#include "base/scope.h"
#include "base/str.h"
#include "signer/key.h"
#include "signer/pem.h"
#include "tests/fuzz/fuzz.h"

static void check_public(const uint8_t *der, size_t len)
{
	struct err e = ERR_INIT;
	struct public_key k;
	uint8_t spki[KEY_SPKI_MAX];

	if (public_key_from_spki(&k, der, len, &e) < 0) {
		FUZZ_CHECK(e.code == ERR_FORMAT || e.code == ERR_UNSUPPORTED);
		err_clear(&e);
		return;
	}
	FUZZ_CHECK(public_key_to_spki(&k, spki) == len && memcmp(spki, der, len) == 0);
}

static void check_private(const uint8_t *der, size_t len)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(private_key) struct private_key again = PRIVATE_KEY_INIT;
	SCOPE(secret) struct secret out = SECRET_INIT;
	struct err e = ERR_INIT;

	if (private_key_from_pkcs8(&k, der, len, &e) < 0) {
		FUZZ_CHECK(e.code == ERR_FORMAT || e.code == ERR_UNSUPPORTED);
		err_clear(&e);
		return;
	}
	FUZZ_CHECK(private_key_to_pkcs8(&k, &out, &e) == 0);
	FUZZ_CHECK(private_key_from_pkcs8(&again, out.data, out.len, &e) == 0);
	FUZZ_CHECK(public_key_equal(&k.public_key, &again.public_key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SCOPE(str) struct str body = STR_INIT;
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(str) struct str again = STR_INIT;
	char type[PEM_TYPE_MAX], type_again[PEM_TYPE_MAX];
	struct err e = ERR_INIT;

	if (pem_parse((const char *)data, size, type, &body, &e) < 0) {
		FUZZ_CHECK(e.code == ERR_FORMAT || e.code == ERR_LIMIT);
		FUZZ_CHECK(body.len == 0);
		err_clear(&e);
		/* So that mutations reach the DER, too. */
		check_public(data, size);
		check_private(data, size);
		return 0;
	}
	FUZZ_CHECK(pem_format(type, body.data, body.len, &text, &e) == 0);
	/* Lines of 64 may be longer in all than what came in. */
	if (pem_parse(text.data, text.len, type_again, &again, &e) == 0) {
		FUZZ_CHECK(strcmp(type, type_again) == 0);
		FUZZ_CHECK(again.len == body.len && memcmp(again.data, body.data, body.len) == 0);
	}
	err_clear(&e);
	check_public((const uint8_t *)body.data, body.len);
	check_private((const uint8_t *)body.data, body.len);
	return 0;
}
