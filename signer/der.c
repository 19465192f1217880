/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/der.h"

#include <string.h>

enum {
	LENGTH_LONG = 0x80,   /* the low bits count the bytes of the length */
	LENGTH_BYTES_MAX = 2, /* 65535: no key here is longer */
	SIGN_BIT = 0x80,
};

bool der_take(struct der *in, uint8_t tag, struct der *out)
{
	const uint8_t *p = in->data;
	size_t left = in->len, len;

	if (left < 2 || p[0] != tag)
		return false;
	len = p[1];
	p += 2;
	left -= 2;

	if (len & LENGTH_LONG) {
		const size_t count = len & ~(size_t)LENGTH_LONG;
		if (count == 0 || count > LENGTH_BYTES_MAX || count > left)
			return false;
		len = 0;
		for (size_t i = 0; i < count; i++)
			len = len << 8 | p[i];
		/* The shortest form only: the short one below 128, no leading zero byte. */
		if (len < LENGTH_LONG || p[0] == 0)
			return false;
		p += count;
		left -= count;
	}
	if (len > left)
		return false;

	*out = (struct der){p, len};
	*in = (struct der){p + len, left - len};
	return true;
}

bool der_equal(const struct der *d, const void *bytes, size_t len)
{
	return d->len == len && (len == 0 || memcmp(d->data, bytes, len) == 0);
}

bool der_is_positive(const struct der *integer)
{
	const uint8_t *p = integer->data;

	if (integer->len == 0 || (p[0] & SIGN_BIT))
		return false;
	if (p[0] != 0)
		return true;
	/* A zero byte in front is there only to keep the sign bit clear; zero itself is not > 0. */
	return integer->len > 1 && (p[1] & SIGN_BIT);
}
