/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key files, as PEM or as the JSON inside: nothing is derived, and what is accepted keeps within
 * the parameters that may be.
 */
#include "base/scope.h"
#include "base/str.h"
#include "signer/keyfile.h"
#include "signer/pem.h"
#include "tests/fuzz/fuzz.h"

static void check(const char *text, size_t len)
{
	SCOPE(keyfile) struct keyfile kf = KEYFILE_INIT;
	struct err e = ERR_INIT;

	if (keyfile_parse(&kf, text, len, &e) < 0) {
		FUZZ_CHECK(e.code == ERR_FORMAT || e.code == ERR_UNSUPPORTED ||
			   e.code == ERR_LIMIT);
		FUZZ_CHECK(kf.box.data == NULL);
		err_clear(&e);
		return;
	}
	FUZZ_CHECK(kf.n == 32768 || kf.n == 65536 || kf.n == 131072);
	FUZZ_CHECK(kf.box.len > 16 && kf.box.len < len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	check((const char *)data, size);
	FUZZ_CHECK(pem_format("ENCRYPTED COSIGN PRIVATE KEY", data, size, &text, &e) == 0);
	check(text.data, text.len);
	return 0;
}
