/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rfc3339.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/str.h"

enum {
	NSEC_DIGITS = 9,
	SECONDS_OF_HOUR = 3600,
	SECONDS_OF_MINUTE = 60,
	TM_YEAR_BASE = 1900,
};

/* A number of exactly `digits`, which moves `*at` behind it. */
static bool take_number(const char **at, size_t digits, unsigned max, int *out)
{
	uint64_t n;

	if (strnlen(*at, digits) < digits || str_to_u64(*at, digits, 10, max, &n) < 0)
		return false;
	*at += digits;
	*out = (int)n;
	return true;
}

static bool take(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static bool take_date(const char **at, struct tm *tm)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day;

	if (!take_number(at, 4, 9999, &year) || !take(at, '-') || !take_number(at, 2, 12, &month) ||
	    month == 0 || !take(at, '-') || !take_number(at, 2, 31, &day) || day == 0)
		return false;
	const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (day > days[month - 1] + (month == 2 && is_leap))
		return false;
	tm->tm_year = year - TM_YEAR_BASE;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	return true;
}

static bool take_clock(const char **at, struct tm *tm)
{
	return take_number(at, 2, 23, &tm->tm_hour) && take(at, ':') &&
	       take_number(at, 2, 59, &tm->tm_min) && take(at, ':') &&
	       take_number(at, 2, 59, &tm->tm_sec);
}

/* ".5", or nothing. */
static bool take_fraction(const char **at, uint32_t *nsec)
{
	*nsec = 0;
	if (!take(at, '.'))
		return true;
	const size_t digits = strspn(*at, "0123456789");
	for (size_t i = 0; i < NSEC_DIGITS; i++)
		*nsec = *nsec * 10 + (i < digits ? (uint32_t)((*at)[i] - '0') : 0);
	*at += digits;
	return digits > 0;
}

/* "Z" or "+01:00": seconds that the clock is ahead of UTC. */
static bool take_offset(const char **at, int64_t *out)
{
	int hours, minutes;

	*out = 0;
	if (take(at, 'Z'))
		return true;
	const bool is_behind = **at == '-';
	if ((!take(at, '-') && !take(at, '+')) || !take_number(at, 2, 23, &hours) ||
	    !take(at, ':') || !take_number(at, 2, 59, &minutes))
		return false;
	*out = (int64_t)hours * SECONDS_OF_HOUR + (int64_t)minutes * SECONDS_OF_MINUTE;
	if (is_behind)
		*out = -*out;
	return true;
}

int rfc3339_parse(const char *text, struct rfc3339_time *out)
{
	struct tm tm = {0};
	uint32_t nsec;
	int64_t offset;

	if (!take_date(&text, &tm) || !take(&text, 'T') || !take_clock(&text, &tm) ||
	    !take_fraction(&text, &nsec) || !take_offset(&text, &offset) || *text)
		return -1;
	*out = (struct rfc3339_time){(int64_t)timegm(&tm) - offset, nsec};
	return 0;
}

int rfc3339_compare(const struct rfc3339_time *a, const struct rfc3339_time *b)
{
	if (a->seconds != b->seconds)
		return a->seconds < b->seconds ? -1 : 1;
	return a->nsec == b->nsec ? 0 : a->nsec < b->nsec ? -1 : 1;
}
