/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/base64.h"

#include <sodium.h>

int base64_decode(const char *text, size_t len, uint8_t *out, size_t cap, size_t *out_len)
{
	size_t got = 0;

	/* Without a place for the end, libsodium refuses anything behind the value. */
	if (sodium_base642bin(out, cap, text, len, NULL, &got, NULL,
			      sodium_base64_VARIANT_ORIGINAL) != 0)
		return -1;
	*out_len = got;
	return 0;
}

int base64_append(struct str *out, const uint8_t *bytes, size_t len, struct err *e)
{
	const size_t room = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);

	if (str_reserve(out, room, e) < 0)
		return -1;
	sodium_bin2base64(out->data + out->len, room, bytes, len, sodium_base64_VARIANT_ORIGINAL);
	out->len += room - 1;
	return 0;
}
