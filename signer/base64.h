/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64, read strictly: one value has one spelling.
 *
 * Source: RFC 4648, section 4 (the standard alphabet, padded).  Stricter than most readers: blanks,
 * line ends, the URL alphabet, missing padding and stray bits in the last character are refused,
 * so that a signature cannot be respelt.
 */
#ifndef SIGNER_BASE64_H
#define SIGNER_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Bytes that `len` characters can hold at most. */
#define BASE64_DECODED_MAX(len) ((len) / 4 * 3)

/* 0 and the count in `*out_len`; -1 (no err: the caller knows what the text was for) for text that
 * is no strict base64 or holds more than `cap` bytes. */
int base64_decode(const char *text, size_t len, uint8_t *out, size_t cap, size_t *out_len);

/* Appends the text of `len` bytes, without line ends.  ERR_NOMEM. */
int base64_append(struct str *out, const uint8_t *bytes, size_t len, struct err *e);

#endif
