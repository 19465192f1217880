/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/chars.h"

#include <string.h>

#include "base/scope.h"
#include "base/utf8.h"

struct range {
	uint32_t first, last;
};

/* Unicode's White_Space property, beyond ASCII; what Go's unicode.IsSpace says. */
static const struct range spaces[] = {
	{0x85, 0x85},     {0xa0, 0xa0},     {0x1680, 0x1680}, {0x2000, 0x200a},
	{0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000},
};

/*
 * Blocks beyond ASCII without letters that somebody would name a variable with: Latin-1 signs,
 * general punctuation to arrows and symbols, CJK punctuation, private use, pictographs.
 */
static const struct range no_letters[] = {
	{0x80, 0xa9},     {0xab, 0xb4},     {0xb6, 0xb9},       {0xbb, 0xbf},
	{0xd7, 0xd7},     {0xf7, 0xf7},     {0x1680, 0x1680},   {0x2000, 0x2070},
	{0x2072, 0x207e}, {0x2080, 0x208f}, {0x20a0, 0x2101},   {0x2190, 0x2bff},
	{0x3000, 0x3004}, {0x3007, 0x3030}, {0xe000, 0xf8ff},   {0xfe00, 0xfe6f},
	{0xff00, 0xff0f}, {0xff1a, 0xff20}, {0x1f000, 0x1faff}, {0xe0000, 0x10ffff},
};

static bool is_in(const struct range *ranges, size_t count, uint32_t point)
{
	for (size_t i = 0; i < count; i++) {
		if (point >= ranges[i].first && point <= ranges[i].last)
			return true;
	}
	return false;
}

static bool is_space(uint32_t point)
{
	if (point < 0x80)
		return point == ' ' || (point >= '\t' && point <= '\r');
	return is_in(spaces, ARRAY_LEN(spaces), point);
}

size_t chars_decode(const char *s, size_t len, uint32_t *out)
{
	const size_t n = utf8_decode(s, len, out);

	if (n > 0)
		return n;
	*out = CHARS_RAW_BYTE + (uint32_t)(unsigned char)s[0];
	return 1;
}

size_t chars_space(const char *s, size_t len)
{
	uint32_t point;

	if (len == 0)
		return 0;
	const size_t n = chars_decode(s, len, &point);
	return is_space(point) ? n : 0;
}

size_t chars_space_before(const char *s, size_t len)
{
	enum { SPACE_MAX = 3 /* bytes of the longest space character */ };

	for (size_t n = 1; n <= SPACE_MAX && n <= len; n++) {
		if (chars_space(s + len - n, n) == n)
			return n;
	}
	return 0;
}

void chars_trim(const char **s, size_t *len)
{
	size_t n;

	while ((n = chars_space(*s, *len)) > 0) {
		*s += n;
		*len -= n;
	}
	while ((n = chars_space_before(*s, *len)) > 0)
		*len -= n;
}

bool chars_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

bool chars_is_digit(uint32_t point)
{
	return point >= '0' && point <= '9';
}

bool chars_is_name(uint32_t point)
{
	if (point < 0x80)
		return chars_is_digit(point) || point == '_' || (point >= 'a' && point <= 'z') ||
		       (point >= 'A' && point <= 'Z');
	return point < CHARS_RAW_BYTE && !is_in(no_letters, ARRAY_LEN(no_letters), point);
}

char chars_lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c;
}

bool chars_equal_fold(const char *a, size_t a_len, const char *b)
{
	for (size_t i = 0; i < a_len; i++) {
		if (b[i] == '\0' || chars_lower(a[i]) != chars_lower(b[i]))
			return false;
	}
	return b[a_len] == '\0';
}
