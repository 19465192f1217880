/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads: what is read, and can be written, is read again as the same. */
#include "base/scope.h"
#include "base/str.h"
#include "signer/payload.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SCOPE(payload) struct payload p = PAYLOAD_INIT;
	SCOPE(payload) struct payload again = PAYLOAD_INIT;
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	if (payload_parse(&p, (const char *)data, size, &e) < 0) {
		FUZZ_CHECK(e.code == ERR_FORMAT || e.code == ERR_LIMIT);
		FUZZ_CHECK(p.identity == NULL);
		err_clear(&e);
		return 0;
	}
	if (payload_format(&p, &text, &e) < 0) {
		FUZZ_CHECK(e.code == ERR_FORMAT);
		err_clear(&e);
		return 0;
	}
	FUZZ_CHECK(payload_parse(&again, text.data, text.len, &e) == 0);
	FUZZ_CHECK(str_equal(p.identity, again.identity) && str_equal(p.creator, again.creator));
	FUZZ_CHECK(digest_equal(&p.manifest, &again.manifest));
	FUZZ_CHECK(p.has_timestamp == again.has_timestamp && p.timestamp == again.timestamp);
	return 0;
}
