/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8.
 *
 * Source: RFC 3629, section 4: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the sequence at `s` (at least one byte) and its code point; 0: it is none. */
size_t utf8_decode(const char *s, size_t len, uint32_t *out);

bool utf8_is_valid(const char *s, size_t len);

#endif
