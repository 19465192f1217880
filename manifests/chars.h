/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Characters of the build language: what is a space, what may stand in a variable's name.
 *
 * Text is bytes, read as UTF-8 where characters count; bytes that are no UTF-8 count as one
 * character each and are never changed.  No function here allocates or fails.
 */
#ifndef MANIFESTS_CHARS_H
#define MANIFESTS_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A byte that is no part of a character is read as this plus its value. */
enum { CHARS_RAW_BYTE = 0x110000 };

/* The character at `s` (at least one byte): its length. */
size_t chars_decode(const char *s, size_t len, uint32_t *out);

/* The length of the white space character at `s` (or just before `s + len`); 0: it is none. */
size_t chars_space(const char *s, size_t len);
size_t chars_space_before(const char *s, size_t len);

/* Takes white space off both ends of `*s`. */
void chars_trim(const char **s, size_t *len);

/* What separates the words of an instruction: tab, VT, FF, CR and space. */
bool chars_is_blank(char c);

bool chars_is_digit(uint32_t point);
/* Letters, digits and "_"; beyond ASCII, all but symbols, punctuation and spaces. */
bool chars_is_name(uint32_t point);

char chars_lower(char c);
/* ASCII letters of both cases are equal. */
bool chars_equal_fold(const char *a, size_t a_len, const char *b);

#endif
