/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An extended attribute, wherever it was read.  A plain value that borrows.
 */
#ifndef BASE_XATTR_H
#define BASE_XATTR_H

#include <stddef.h>

struct xattr {
	const char *name; /* "security.capability"; name_len bytes, no NUL inside */
	size_t name_len;
	const void *value;
	size_t value_len;
};

#endif
