/* SPDX-License-Identifier: Apache-2.0 */
/* Digests: what is accepted has one spelling, the one that came in. */
#include <string.h>

#include "base/digest.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct digest d = {DIGEST_NONE, {0}};
	char text[DIGEST_STR_MAX], hex[DIGEST_HEX_MAX];

	if (digest_parse(&d, (const char *)data, size, &e) < 0) {
		FUZZ_CHECK(e.code == ERR_SYNTAX || e.code == ERR_UNSUPPORTED);
		FUZZ_CHECK(d.alg == DIGEST_NONE);
		err_clear(&e);
		return 0;
	}
	digest_format(&d, text);
	FUZZ_CHECK(strlen(text) == size && memcmp(text, data, size) == 0);
	FUZZ_CHECK(strlen(digest_hex(&d, hex)) == 2 * digest_raw_len(d.alg));
	FUZZ_CHECK(digest_equal(&d, &d));
	return 0;
}
