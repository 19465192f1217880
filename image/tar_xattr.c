/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tar_xattr.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/quote.h"
#include "image/entry_check.h"

enum { ESCAPE_LEN = 3 /* %XX */, BASE64_BITS = 6 };

void tar_xattrs_clear(struct tar_xattrs *x)
{
	x->record_count = 0;
	x->count = 0;
	x->decoded_len = 0;
}

void tar_xattrs_fini(struct tar_xattrs *x)
{
	free(x->records);
	free(x->items);
	free(x->decoded);
	memset(x, 0, sizeof(*x));
}

int tar_xattrs_add(struct tar_xattrs *x, const struct tar_xattr_record *record, struct err *e)
{
	if (array_reserve(&x->records, &x->record_cap, x->record_count + 1, sizeof(*x->records),
			  e) < 0)
		return -1;
	x->records[x->record_count++] = *record;
	return 0;
}

static int refuse(const struct tar_xattr_record *r, const char *why, struct err *e)
{
	char quoted[QUOTE_MAX];

	return err_set(e, ERR_FORMAT, "extended attribute '%s' %s",
		       quote_bytes(quoted, r->key, r->key_len), why);
}

static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	const int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	if (order != 0)
		return order;
	return a_len == b_len ? 0 : (a_len < b_len ? -1 : 1);
}

static int compare_records(const void *a, const void *b)
{
	const struct tar_xattr_record *x = a, *y = b;
	const int order = compare_bytes(x->key, x->key_len, y->key, y->key_len);

	return order != 0 ? order : (int)x->source - (int)y->source;
}

static int compare_items(const void *a, const void *b)
{
	return entry_compare_xattrs(a, b);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/*
 * The byte that the escape at `s` stands for, or -1.  Only libarchive escapes all bytes; for others
 * most escapes are a name's own characters.
 */
static int unescape(const char *s, size_t len, bool all)
{
	if (len < ESCAPE_LEN || s[0] != '%')
		return -1;
	if (!all && memcmp(s, "%3D", ESCAPE_LEN) != 0 && memcmp(s, "%25", ESCAPE_LEN) != 0)
		return -1;
	const int high = hex_digit(s[1]), low = hex_digit(s[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Decoded bytes go to memory that was reserved before, because items point into it: decoding makes
 * nothing longer. */
static void decode_name(struct tar_xattrs *x, const struct tar_xattr_record *r, bool all,
			struct xattr *out)
{
	char *to = x->decoded + x->decoded_len;

	out->name = to;
	for (size_t i = 0; i < r->key_len;) {
		const int byte = unescape(r->key + i, r->key_len - i, all);
		if (byte < 0)
			*to++ = r->key[i];
		else
			*to++ = (char)byte;
		i += byte < 0 ? 1 : ESCAPE_LEN;
	}
	out->name_len = (size_t)(to - out->name);
	x->decoded_len += out->name_len;
}

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* libarchive writes no padding; others would. */
static int decode_value(struct tar_xattrs *x, const struct tar_xattr_record *r, struct xattr *out)
{
	char *to = x->decoded + x->decoded_len;
	size_t len = r->value_len;
	uint32_t bits = 0;
	unsigned count = 0;

	while (len > 0 && r->value_len - len < 2 && r->value[len - 1] == '=')
		len--;
	out->value = to;
	for (size_t i = 0; i < len; i++) {
		const int digit = base64_digit(r->value[i]);
		if (digit < 0)
			return -1;
		bits = bits << BASE64_BITS | (uint32_t)digit;
		count += BASE64_BITS;
		if (count >= 8) {
			count -= 8;
			*to++ = (char)(bits >> count & 0xff);
		}
	}
	/* A lone last digit, or bits that belong to no byte. */
	if (count >= BASE64_BITS || (bits & ((1U << count) - 1)) != 0)
		return -1;
	out->value_len = (size_t)(to - (const char *)out->value);
	x->decoded_len += out->value_len;
	return 0;
}

static int decode_record(struct tar_xattrs *x, const struct tar_xattr_record *r, bool all,
			 struct err *e)
{
	struct xattr item = {r->key, r->key_len, r->value, r->value_len};

	if (memchr(r->key, '%', r->key_len))
		decode_name(x, r, all, &item);
	if (r->source == TAR_XATTR_FROM_LIBARCHIVE && decode_value(x, r, &item) < 0)
		return refuse(r, "has a value that is not base64", e);
	x->items[x->count++] = item;
	return 0;
}

static bool is_same_key(const struct tar_xattr_record *a, const struct tar_xattr_record *b)
{
	return compare_bytes(a->key, a->key_len, b->key, b->key_len) == 0;
}

/* The first spelling of each key.  When libarchive has one, its rule holds for the name in all. */
static int decode_all(struct tar_xattrs *x, struct err *e)
{
	for (size_t i = 0, next; i < x->record_count; i = next) {
		const struct tar_xattr_record *r = &x->records[i];
		bool all = r->source == TAR_XATTR_FROM_LIBARCHIVE;

		for (next = i + 1; next < x->record_count; next++) {
			const struct tar_xattr_record *other = &x->records[next];
			if (!is_same_key(r, other))
				break;
			if (other->source == other[-1].source)
				return refuse(r, "is there twice", e);
			all = all || other->source == TAR_XATTR_FROM_LIBARCHIVE;
		}
		if (decode_record(x, r, all, e) < 0)
			return -1;
	}
	return 0;
}

static size_t decoded_bound(const struct tar_xattrs *x)
{
	size_t bound = 0;

	for (size_t i = 0; i < x->record_count; i++)
		bound += x->records[i].key_len + x->records[i].value_len;
	return bound;
}

int tar_xattrs_finish(struct tar_xattrs *x, struct err *e)
{
	x->count = 0;
	if (x->record_count == 0)
		return 0;
	qsort(x->records, x->record_count, sizeof(*x->records), compare_records);
	if (array_reserve(&x->items, &x->cap, x->record_count, sizeof(*x->items), e) < 0 ||
	    array_reserve(&x->decoded, &x->decoded_cap, decoded_bound(x), 1, e) < 0 ||
	    decode_all(x, e) < 0)
		return -1;
	qsort(x->items, x->count, sizeof(*x->items), compare_items);
	return entry_check_xattrs(x->items, x->count, e);
}

int tar_xattr_key_append(struct str *out, const char *name, size_t len, struct err *e)
{
	for (size_t i = 0; i < len; i++) {
		const char c = name[i];
		if (c == '=' || c == '%') {
			if (str_append_z(out, c == '=' ? "%3D" : "%25", e) < 0)
				return -1;
		} else if (str_append_c(out, c, e) < 0) {
			return -1;
		}
	}
	return 0;
}
