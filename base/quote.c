/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text is taken one unit at a time: a code point that may be shown stays, anything else gives one
 * escaped byte.  The bytes after the first of a refused code point are no UTF-8 of their own, so
 * they come out escaped, too.
 */
#include "base/quote.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

enum { UNIT_MAX = 4 /* bytes out of one unit: \xNN, or the longest code point */ };

static const char ellipsis[] = "...";

/*
 * Not shown: C0, DEL and C1 controls; the line and paragraph separators; and the code points with
 * the property Bidi_Control (UAX #9), which reorder the text around them.
 */
static int is_shown(uint32_t point)
{
	if (point < 0x20 || (point >= 0x7f && point <= 0x9f))
		return 0;
	if (point == 0x2028 || point == 0x2029)
		return 0;
	return !(point == 0x061c || point == 0x200e || point == 0x200f ||
		 (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069));
}

static size_t escape(uint8_t byte, char out[static UNIT_MAX])
{
	static const char hex[] = "0123456789abcdef";

	out[0] = '\\';
	switch (byte) {
	case '\n':
		out[1] = 'n';
		return 2;
	case '\t':
		out[1] = 't';
		return 2;
	case '\'':
	case '\\':
		out[1] = (char)byte;
		return 2;
	default:
		out[1] = 'x';
		out[2] = hex[byte >> 4];
		out[3] = hex[byte & 0xf];
		return 4;
	}
}

/* One unit from `s` (not empty): returns the bytes put into `out`; `used` are those taken.  `quote`
 * stands around the text; 0: nothing does. */
static size_t quote_unit(const uint8_t *s, size_t len, uint8_t quote, char out[static UNIT_MAX],
			 size_t *used)
{
	uint32_t point;
	const size_t n = utf8_decode((const char *)s, len, &point);

	if (n == 0 || !is_shown(point) || s[0] == quote || s[0] == '\\') {
		*used = 1;
		return escape(s[0], out);
	}
	memcpy(out, s, n);
	*used = n;
	return n;
}

const char *quote_bytes(char buf[static QUOTE_MAX], const void *s, size_t len)
{
	const uint8_t *next = s;
	char unit[UNIT_MAX];
	size_t pos = 0, used;
	/* Where whole units end that leave room for the ellipsis. */
	size_t cut = 0;

	for (; len > 0; next += used, len -= used) {
		const size_t n = quote_unit(next, len, '\'', unit, &used);
		if (pos + n >= QUOTE_MAX) {
			memcpy(buf + cut, ellipsis, sizeof(ellipsis));
			return buf;
		}
		memcpy(buf + pos, unit, n);
		pos += n;
		if (pos + sizeof(ellipsis) <= QUOTE_MAX)
			cut = pos;
	}
	buf[pos] = '\0';
	return buf;
}

const char *quote_str(char buf[static QUOTE_MAX], const char *s)
{
	/* Longer than QUOTE_MAX never gets out; a huge string need not be measured. */
	return quote_bytes(buf, s, strnlen(s, QUOTE_MAX));
}

int quote_append(struct str *out, const void *s, size_t len, struct err *e)
{
	const uint8_t *next = s;
	const size_t before = out->len;
	char unit[UNIT_MAX];
	size_t used;

	for (; len > 0; next += used, len -= used) {
		const size_t n = quote_unit(next, len, 0, unit, &used);
		if (str_append(out, unit, n, e) < 0) {
			str_truncate(out, before);
			return -1;
		}
	}
	return 0;
}
