/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum { BASE_MIN = 2, BASE_MAX = 36, KIB_SHIFT = 10 };

void str_fini(struct str *s)
{
	free(s->data);
	*s = (struct str)STR_INIT;
}

int str_reserve(struct str *s, size_t more, struct err *e)
{
	size_t want;

	if (__builtin_add_overflow(s->len, more, &want) || __builtin_add_overflow(want, 1, &want))
		return err_nomem(e);
	if (array_reserve(&s->data, &s->cap, want, 1, e) < 0)
		return -1;
	s->data[s->len] = '\0';
	return 0;
}

int str_append(struct str *s, const void *bytes, size_t len, struct err *e)
{
	if (str_reserve(s, len, e) < 0)
		return -1;
	if (len)
		memcpy(s->data + s->len, bytes, len);
	s->len += len;
	s->data[s->len] = '\0';
	return 0;
}

int str_append_z(struct str *s, const char *text, struct err *e)
{
	return str_append(s, text, strlen(text), e);
}

int str_append_c(struct str *s, char c, struct err *e)
{
	return str_append(s, &c, 1, e);
}

int str_append_zeros(struct str *s, size_t count, struct err *e)
{
	if (str_reserve(s, count, e) < 0)
		return -1;
	memset(s->data + s->len, 0, count + 1);
	s->len += count;
	return 0;
}

static int append_formatted(struct str *s, struct err *e, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));
static int append_formatted(struct str *s, struct err *e, const char *fmt, va_list args)
{
	va_list again;
	va_copy(again, args);
	const int len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);

	if (len < 0)
		return err_nomem(e);
	if (str_reserve(s, (size_t)len, e) < 0)
		return -1;
	vsnprintf(s->data + s->len, (size_t)len + 1, fmt, args);
	s->len += (size_t)len;
	return 0;
}

int str_appendf(struct str *s, struct err *e, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	const int rc = append_formatted(s, e, fmt, args);
	va_end(args);
	return rc;
}

const char *str_text(const struct str *s)
{
	return s->data ? s->data : "";
}

char *str_steal(struct str *s, struct err *e)
{
	/* Makes the "" of a string to which nothing was appended. */
	if (str_reserve(s, 0, e) < 0)
		return NULL;
	char *text = s->data;
	*s = (struct str)STR_INIT;
	return text;
}

void str_truncate(struct str *s, size_t len)
{
	assert(len <= s->len);
	s->len = len;
	if (s->data)
		s->data[len] = '\0';
}

char *str_dup(const char *text, struct err *e)
{
	return str_dup_n(text, strlen(text), e);
}

char *str_dup_n(const void *bytes, size_t len, struct err *e)
{
	char *copy = len < PTRDIFF_MAX ? malloc(len + 1) : NULL;

	if (!copy) {
		err_nomem(e);
		return NULL;
	}
	if (len)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

char *str_dupf(struct err *e, const char *fmt, ...)
{
	struct str s = STR_INIT;
	va_list args;

	va_start(args, fmt);
	const int rc = append_formatted(&s, e, fmt, args);
	va_end(args);
	return rc < 0 ? NULL : s.data;
}

bool str_equal(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

bool str_has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_has_suffix(const char *s, const char *suffix)
{
	const size_t len = strlen(s), suffix_len = strlen(suffix);

	return len >= suffix_len && memcmp(s + len - suffix_len, suffix, suffix_len) == 0;
}

/* The value of a digit in any base; BASE_MAX for what is none. */
static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A') + 10;
	return BASE_MAX;
}

int str_to_u64(const char *s, size_t len, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	assert(base >= BASE_MIN && base <= BASE_MAX);
	if (len == 0)
		return -1;
	for (size_t i = 0; i < len; i++) {
		const unsigned digit = digit_value(s[i]);
		if (digit >= base || mul_overflows(value, base, &value) ||
		    add_overflows(value, digit, &value) || value > max)
			return -1;
	}
	*out = value;
	return 0;
}

int str_to_size(const char *s, uint64_t *out)
{
	static const char letters[] = "kmgtpe";
	const size_t digits = strspn(s, "0123456789");
	const char *suffix = s + digits;
	unsigned shift = 0;

	if (*suffix) {
		/* Lower case by setting the bit in which ASCII letters differ. */
		const char *letter = strchr(letters, *suffix | 0x20);
		if (!letter)
			return -1;
		/* "kB" is 1000 to some and 1024 to others: only "k" and "kiB" are taken. */
		if (suffix[1] != '\0' && !str_equal(suffix + 1, "iB"))
			return -1;
		shift = (unsigned)(letter - letters + 1) * KIB_SHIFT;
	}

	uint64_t value;
	if (str_to_u64(s, digits, 10, UINT64_MAX >> shift, &value) < 0)
		return -1;
	*out = value << shift;
	return 0;
}

const char *str_human_size(char buf[static STR_SIZE_MAX], uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	unsigned unit = 0;

	if (bytes < 1024) {
		snprintf(buf, STR_SIZE_MAX, "%" PRIu64 " B", bytes);
		return buf;
	}
	while (bytes >> ((unit + 1) * KIB_SHIFT) >= 1024)
		unit++;

	const unsigned shift = (unit + 1) * KIB_SHIFT;
	const uint64_t one = UINT64_C(1) << shift;
	uint64_t whole = bytes >> shift;
	/* The rest is below 2^60, so that ten times it fits. */
	uint64_t tenths = ((bytes & (one - 1)) * 10 + one / 2) >> shift;
	if (tenths == 10) {
		whole++;
		tenths = 0;
	}
	if (whole == 1024) {
		whole = 1;
		unit++;
	}
	snprintf(buf, STR_SIZE_MAX, "%" PRIu64 ".%" PRIu64 " %ciB", whole, tenths, units[unit]);
	return buf;
}
