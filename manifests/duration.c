/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/duration.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/quote.h"
#include "base/scope.h"
#include "manifests/chars.h"

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS (1000 * NS_PER_US)
#define NS_PER_S  (1000 * NS_PER_MS)

struct unit {
	const char *name;
	uint64_t ns;
};

/* Longer names first: "ms" is no "m" with an "s" after it. */
static const struct unit units[] = {
	{"ns", 1},
	{"us", NS_PER_US},
	{"\xc2\xb5s", NS_PER_US}, /* micro sign */
	{"\xce\xbcs", NS_PER_US}, /* Greek mu */
	{"ms", NS_PER_MS},
	{"s", NS_PER_S},
	{"m", 60 * NS_PER_S},
	{"h", 3600 * NS_PER_S},
};

static const struct unit *find_unit(const char *s)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (strncmp(s, units[i].name, strlen(units[i].name)) == 0)
			return &units[i];
	}
	return NULL;
}

/* Digits at `*s`: how many.  The value saturates. */
static size_t read_digits(const char **s, uint64_t *out)
{
	size_t count = 0;
	uint64_t value = 0;

	for (; chars_is_digit((unsigned char)**s); (*s)++, count++) {
		if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
		    __builtin_add_overflow(value, (uint64_t)(**s - '0'), &value))
			value = UINT64_MAX;
	}
	*out = value;
	return count;
}

/* The digits after the point, as a part of `unit`: beyond a nanosecond they are dropped. */
static uint64_t fraction_ns(const char *digits, size_t count, uint64_t unit)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < count && unit >= 10; i++) {
		/* Whole hours have trailing zeros enough for exact tenths. */
		unit /= 10;
		ns += (uint64_t)(digits[i] - '0') * unit;
	}
	return ns;
}

/* "1.5h" at `*s`; false when it is none, or too long. */
static bool parse_part(const char **s, uint64_t *total)
{
	uint64_t whole, ignored, ns;
	const char *fraction = NULL;
	size_t fraction_len = 0;
	const size_t whole_len = read_digits(s, &whole);

	if (**s == '.') {
		fraction = ++*s;
		fraction_len = read_digits(s, &ignored);
	}
	const struct unit *unit = find_unit(*s);
	if (whole_len + fraction_len == 0 || !unit)
		return false;
	*s += strlen(unit->name);
	if (__builtin_mul_overflow(whole, unit->ns, &ns) ||
	    __builtin_add_overflow(ns, *total, &ns) ||
	    __builtin_add_overflow(ns, fraction_ns(fraction, fraction_len, unit->ns), &ns) ||
	    ns > INT64_MAX)
		return false;
	*total = ns;
	return true;
}

int duration_parse(const char *text, int64_t *out, struct err *e)
{
	char quoted[QUOTE_MAX];
	const bool is_negative = text[0] == '-';
	const char *s = text + (text[0] == '-' || text[0] == '+');
	uint64_t total = 0;

	if (strcmp(s, "0") == 0) {
		*out = 0;
		return 0;
	}
	do {
		if (!parse_part(&s, &total))
			return err_set(e, ERR_SYNTAX, "bad duration '%s': not like 1m30s or 500ms",
				       quote_str(quoted, text));
	} while (*s);
	*out = is_negative ? -(int64_t)total : (int64_t)total;
	return 0;
}

/* `value` / `per` without trailing zeros, and the unit. */
static int format_decimal(struct str *out, int64_t value, int64_t per, const char *unit,
			  struct err *e)
{
	int64_t rest = value % per;

	if (str_appendf(out, e, "%" PRId64, value / per) < 0)
		return -1;
	if (rest > 0 && str_append_c(out, '.', e) < 0)
		return -1;
	while (rest > 0) {
		rest *= 10;
		if (str_append_c(out, (char)('0' + rest / per), e) < 0)
			return -1;
		rest %= per;
	}
	return str_append_z(out, unit, e);
}

int duration_format(int64_t ns, struct str *out, struct err *e)
{
	if (ns == 0)
		return str_append_z(out, "0s", e);
	if (ns < NS_PER_US)
		return format_decimal(out, ns, 1, "ns", e);
	if (ns < NS_PER_MS)
		return format_decimal(out, ns, NS_PER_US, "\xc2\xb5s", e);
	if (ns < NS_PER_S)
		return format_decimal(out, ns, NS_PER_MS, "ms", e);

	const int64_t minutes = ns / (60 * NS_PER_S);
	if (minutes >= 60 && str_appendf(out, e, "%" PRId64 "h", minutes / 60) < 0)
		return -1;
	if (minutes > 0 && str_appendf(out, e, "%" PRId64 "m", minutes % 60) < 0)
		return -1;
	return format_decimal(out, ns % (60 * NS_PER_S), NS_PER_S, "s", e);
}
