/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The little of ASN.1 DER that keys and ECDSA signatures need.
 *
 * Source: ITU-T X.690, clause 10.  Definite lengths in their shortest form only; tags of one byte.
 * A reader takes elements off the front of a slice, and asks at the end that nothing is left.
 */
#ifndef SIGNER_DER_H
#define SIGNER_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_SEQUENCE = 0x30,
	DER_CONTEXT = 0x80,             /* implicit, primitive: | number */
	DER_CONTEXT_CONSTRUCTED = 0xa0, /* | number */
};

struct der {
	const uint8_t *data; /* borrowed */
	size_t len;
};

/* Takes the next element off `in` when it has this tag: its content in `*out`.  False: another
 * tag, cut short, or no DER; `in` and `out` are then untouched. */
bool der_take(struct der *in, uint8_t tag, struct der *out);

/* Whether the slice is exactly these bytes. */
bool der_equal(const struct der *d, const void *bytes, size_t len);

/* An INTEGER's content: positive and in its shortest form. */
bool der_is_positive(const struct der *integer);

#endif
