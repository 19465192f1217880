/* SPDX-License-Identifier: Apache-2.0 */
#include "base/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/quote.h"
#include "base/str.h"

enum {
	MS_PER_S = 1000,
	NS_PER_MS = 1000000,
	FIGURES_MAX = PROGRESS_LINE_MAX / 2,
	NAME_CELLS_MIN = 12, /* less of a name says nothing */
	WIDE_FROM = 0x1100,  /* the first code point that may take two cells (UAX #11) */
	PERCENT = 100,
};

static const char gap[] = "  ";
static const char ellipsis[] = "...";

uint64_t progress_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * MS_PER_S + (uint64_t)t.tv_nsec / NS_PER_MS;
}

void progress_begin(struct progress *p, const char *what, uint64_t total_bytes)
{
	if (!p || !p->show)
		return;
	struct progress_phase *phase = &p->phase;
	const uint64_t now = progress_now_ms();
	const bool was_long = phase->what && now - phase->began_ms >= PROGRESS_INTERVAL_MS;

	phase->what = what;
	phase->done = 0;
	phase->total = total_bytes;
	phase->began_ms = now;
	phase->name[0] = '\0';
	p->show(p, was_long);
}

static bool is_continuation(char c)
{
	return ((uint8_t)c & 0xc0) == 0x80;
}

void progress_name(struct progress *p, const char *name)
{
	if (!p || !p->show)
		return;
	const size_t len = strlen(name);
	const char *from = name;

	if (len >= PROGRESS_NAME_MAX) {
		from += len - PROGRESS_NAME_MAX + 1;
		while (is_continuation(*from))
			from++;
	}
	memcpy(p->phase.name, from, (size_t)(name + len - from) + 1);
	p->show(p, false);
}

void progress_part(struct progress *p, size_t part, size_t parts)
{
	if (!p)
		return;
	p->phase.part = part;
	p->phase.parts = parts;
}

/* Cells of the code point at `s`, which is valid UTF-8, and its length; rather too many than too
 * few. */
static unsigned cells_of(const char *s, size_t *len)
{
	const uint8_t first = (uint8_t)*s;
	uint32_t point = first < 0x80 ? first : first < 0xe0 ? first & 0x1f : first & 0x0f;

	*len = 1;
	while (is_continuation(s[*len])) {
		point = point << 6 | ((uint8_t)s[*len] & 0x3f);
		(*len)++;
	}
	return point < WIDE_FROM ? 1 : 2;
}

static unsigned cells(const char *s)
{
	unsigned n = 0;
	size_t len;

	for (; *s; s += len)
		n += cells_of(s, &len);
	return n;
}

/* The end of a name tells more than its beginning. */
static void append_name(char *buf, size_t at, const char *name, unsigned room)
{
	char quoted[QUOTE_MAX];
	const char *from = quote_str(quoted, name);
	unsigned n = cells(from);
	size_t len;

	if (!*from || room < NAME_CELLS_MIN)
		return;
	const bool is_cut = n > room;
	while (is_cut && n > room - strlen(ellipsis)) {
		n -= cells_of(from, &len);
		from += len;
	}
	(void)snprintf(buf + at, PROGRESS_LINE_MAX - at, "%s%s%s", gap, is_cut ? ellipsis : "",
		       from);
}

/* A text that grows at the end of a buffer; what does not fit is cut. */
static void append(char *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void append(char *buf, const char *fmt, ...)
{
	const size_t at = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(buf + at, FIGURES_MAX - at, fmt, ap);
	va_end(ap);
}

static void append_figures(char *buf, const struct progress_phase *ph, uint64_t now_ms)
{
	const uint64_t elapsed = now_ms > ph->began_ms ? now_ms - ph->began_ms : 0;
	char text[STR_SIZE_MAX];

	if (ph->parts > 1)
		append(buf, " %zu/%zu", ph->part, ph->parts);
	if (ph->done == 0)
		return;
	append(buf, "%s%s", gap, str_human_size(text, ph->done));
	/* What grew meanwhile has no end that is known. */
	if (ph->total && ph->done <= ph->total) {
		const double share = (double)ph->done / (double)ph->total;
		append(buf, " of %s, %d%%", str_human_size(text, ph->total),
		       (int)(share * PERCENT));
	}
	/* Of less time the figure would jump. */
	if (elapsed >= PROGRESS_INTERVAL_MS) {
		const double rate = (double)ph->done * MS_PER_S / (double)elapsed;
		append(buf, ", %s/s", str_human_size(text, (uint64_t)rate));
	}
}

const char *progress_format(char buf[static PROGRESS_LINE_MAX], const struct progress_phase *phase,
			    uint64_t now_ms, unsigned columns)
{
	if (columns > PROGRESS_COLUMNS_MAX)
		columns = PROGRESS_COLUMNS_MAX;
	/* A cursor behind the last cell is on the next line, on some terminals. */
	const unsigned room = columns > 0 ? columns - 1 : 0;

	buf[0] = '\0';
	append(buf, "%s", phase->what ? phase->what : "");
	append_figures(buf, phase, now_ms);
	const size_t used = strlen(buf);
	if (used >= room)
		buf[room] = '\0';
	else if (room - used > strlen(gap))
		append_name(buf, used, phase->name, room - (unsigned)(used + strlen(gap)));
	return buf;
}
