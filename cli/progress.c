/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "base/quote.h"
#include "cli/output.h"

enum { DRAW_INTERVAL_MS = 100, MS_PER_S = 1000, NS_PER_MS = 1000000 };

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * MS_PER_S + (uint64_t)t.tv_nsec / NS_PER_MS;
}

static void draw(struct progress *p, const char *what, uint64_t done, uint64_t total)
{
	/* `progress` is the first member. */
	struct progress_line *l = (struct progress_line *)p;
	const uint64_t now = now_ms();
	char quoted[QUOTE_MAX], size[STR_SIZE_MAX], of[STR_SIZE_MAX], rate[STR_SIZE_MAX];

	if (strncmp(l->what, what, sizeof(l->what) - 1) != 0) {
		(void)snprintf(l->what, sizeof(l->what), "%s", what);
		l->started_ms = now;
		l->base_bytes = done;
	}
	if (now - l->drawn_ms < DRAW_INTERVAL_MS)
		return;
	l->drawn_ms = now;
	const uint64_t elapsed = now - l->started_ms;
	const uint64_t bytes = done - l->base_bytes;
	(void)fprintf(stderr, "\r\033[K%.60s  %s", quote_str(quoted, what),
		      str_human_size(size, done));
	if (total)
		(void)fprintf(stderr, " of %s", str_human_size(of, total));
	if (elapsed)
		(void)fprintf(stderr, ", %s/s", str_human_size(rate, bytes * MS_PER_S / elapsed));
	(void)fflush(stderr);
	l->is_shown = true;
}

static void stay_silent(struct progress *p, const char *what, uint64_t done, uint64_t total)
{
	(void)p;
	(void)what;
	(void)done;
	(void)total;
}

void progress_line_init(struct progress_line *l, bool is_quiet)
{
	*l = (struct progress_line){.drawn_ms = now_ms()};
	l->progress.show = !is_quiet && isatty(STDERR_FILENO) ? draw : stay_silent;
}

void progress_line_fini(struct progress_line *l)
{
	if (l->is_shown)
		(void)fputs("\r\033[K", stderr);
	l->is_shown = false;
}
