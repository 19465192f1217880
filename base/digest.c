/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <string.h>

#include "base/quote.h"
#include "base/scope.h"

static const struct {
	enum digest_alg alg;
	const char *name;
	size_t raw_len;
} algs[] = {
	[DIGEST_NONE] = {DIGEST_NONE, "none", 0},
	[DIGEST_SHA256] = {DIGEST_SHA256, "sha256", DIGEST_SHA256_LEN},
	[DIGEST_SHA512] = {DIGEST_SHA512, "sha512", DIGEST_RAW_MAX},
};

static const char hex_digits[] = "0123456789abcdef";

static bool is_alnum_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* descriptor.md: algorithm ::= component (separator component)*, component ::= [a-z0-9]+ */
static bool is_algorithm(const char *s, size_t len)
{
	bool after_component = false;

	for (size_t i = 0; i < len; i++) {
		if (is_alnum_lower(s[i]))
			after_component = true;
		else if (after_component && s[i] && strchr("+._-", s[i]))
			after_component = false;
		else
			return false;
	}
	return after_component;
}

/* descriptor.md: encoded ::= [a-zA-Z0-9=_-]+ */
static bool is_encoded(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum_lower(s[i]) && !(s[i] >= 'A' && s[i] <= 'Z') &&
		    !(s[i] && strchr("=_-", s[i])))
			return false;
	}
	return len > 0;
}

static enum digest_alg find_alg(const char *name, size_t len)
{
	for (size_t i = DIGEST_SHA256; i < ARRAY_LEN(algs); i++) {
		if (strlen(algs[i].name) == len && memcmp(algs[i].name, name, len) == 0)
			return algs[i].alg;
	}
	return DIGEST_NONE;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly `raw_len` bytes from lower-case hex. */
static bool decode_hex(uint8_t *raw, size_t raw_len, const char *s, size_t len)
{
	if (len != 2 * raw_len)
		return false;
	for (size_t i = 0; i < raw_len; i++) {
		const int high = hex_value(s[2 * i]), low = hex_value(s[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		raw[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

int digest_parse(struct digest *out, const char *s, size_t len, struct err *e)
{
	char quoted[QUOTE_MAX];
	struct digest d = {DIGEST_NONE, {0}};
	const char *colon = len ? memchr(s, ':', len) : NULL;
	const size_t name_len = colon ? (size_t)(colon - s) : 0;
	const size_t encoded_len = colon ? len - name_len - 1 : 0;

	if (!colon || !is_algorithm(s, name_len) || !is_encoded(colon + 1, encoded_len))
		return err_set(e, ERR_SYNTAX, "'%s' is not a digest", quote_bytes(quoted, s, len));
	d.alg = find_alg(s, name_len);
	if (d.alg == DIGEST_NONE)
		return err_set(e, ERR_UNSUPPORTED,
			       "digest '%s': only sha256 and sha512 are supported",
			       quote_bytes(quoted, s, len));
	if (!decode_hex(d.raw, algs[d.alg].raw_len, colon + 1, encoded_len))
		return err_set(e, ERR_SYNTAX, "digest '%s': not %zu lower-case hex digits",
			       quote_bytes(quoted, s, len), 2 * algs[d.alg].raw_len);
	*out = d;
	return 0;
}

struct digest digest_from_sha256(const uint8_t raw[static DIGEST_SHA256_LEN])
{
	struct digest d = {DIGEST_SHA256, {0}};

	memcpy(d.raw, raw, DIGEST_SHA256_LEN);
	return d;
}

size_t digest_raw_len(enum digest_alg alg)
{
	return algs[alg].raw_len;
}

const char *digest_alg_name(enum digest_alg alg)
{
	return algs[alg].name;
}

/* Writes hex and a NUL at `buf`. */
static void encode_hex(const struct digest *d, char *buf)
{
	const size_t raw_len = algs[d->alg].raw_len;

	for (size_t i = 0; i < raw_len; i++) {
		buf[2 * i] = hex_digits[d->raw[i] >> 4];
		buf[2 * i + 1] = hex_digits[d->raw[i] & 0xf];
	}
	buf[2 * raw_len] = '\0';
}

const char *digest_format(const struct digest *d, char buf[static DIGEST_STR_MAX])
{
	const size_t name_len = strlen(algs[d->alg].name);

	memcpy(buf, algs[d->alg].name, name_len);
	buf[name_len] = ':';
	encode_hex(d, buf + name_len + 1);
	return buf;
}

const char *digest_hex(const struct digest *d, char buf[static DIGEST_HEX_MAX])
{
	encode_hex(d, buf);
	return buf;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return digest_compare(a, b) == 0;
}

int digest_compare(const struct digest *a, const struct digest *b)
{
	if (a->alg != b->alg)
		return a->alg < b->alg ? -1 : 1;
	return memcmp(a->raw, b->raw, algs[a->alg].raw_len);
}
