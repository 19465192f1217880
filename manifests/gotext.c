/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/gotext.h"

#include <stdint.h>
#include <string.h>

#include "manifests/chars.h"

static int quote_ascii(struct str *out, char c, struct err *e)
{
	static const char plain[] = "\a\b\f\n\r\t\v\"\\";
	static const char letters[] = "abfnrtv\"\\";
	const char *at = c ? strchr(plain, c) : NULL;

	if (at)
		return str_appendf(out, e, "\\%c", letters[at - plain]);
	if ((unsigned char)c < ' ' || c == '\x7f')
		return str_appendf(out, e, "\\x%02x", (unsigned)c);
	return str_append_c(out, c, e);
}

int gotext_quote(struct str *out, const char *text, struct err *e)
{
	const size_t len = strlen(text);
	uint32_t point;

	if (str_append_c(out, '"', e) < 0)
		return -1;
	for (size_t at = 0, n; at < len; at += n) {
		int result;
		n = chars_decode(text + at, len - at, &point);
		if (point < 0x80)
			result = quote_ascii(out, text[at], e);
		else if (point >= CHARS_RAW_BYTE)
			result = str_appendf(out, e, "\\x%02x", point - CHARS_RAW_BYTE);
		else if (chars_space(text + at, n) || point < 0xa0)
			result = str_appendf(out, e, "\\u%04x", point);
		else
			result = str_append(out, text + at, n, e);
		if (result < 0)
			return -1;
	}
	return str_append_c(out, '"', e);
}

static int append_list(struct str *out, const struct strlist *l,
		       int (*append)(struct str *out, const char *text, struct err *e),
		       struct err *e)
{
	if (str_append_c(out, '[', e) < 0)
		return -1;
	for (size_t i = 0; i < l->count; i++) {
		if (i > 0 && str_append_c(out, ' ', e) < 0)
			return -1;
		if (append(out, l->items[i], e) < 0)
			return -1;
	}
	return str_append_c(out, ']', e);
}

int gotext_quoted_list(struct str *out, const struct strlist *l, struct err *e)
{
	return append_list(out, l, gotext_quote, e);
}

int gotext_plain_list(struct str *out, const struct strlist *l, struct err *e)
{
	return append_list(out, l, str_append_z, e);
}
