/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <sys/ioctl.h>

#include "base/io.h"
#include "base/log.h"
#include "cli/output.h"

enum { COLUMNS_DEFAULT = 80 };

#define TO_LINE_START "\r"
#define CLEAR_REST    "\033[K" /* ECMA-48, EL */

static unsigned columns(void)
{
	struct winsize w;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col
									 : COLUMNS_DEFAULT;
}

/* A mount in the background is opened by a descendant, which stays when a user gives up waiting. */
static bool has_reader(const struct progress_line *l)
{
	return kill(l->owner, 0) == 0;
}

/* progress.show */
static void show(struct progress *p, bool at_once)
{
	/* `progress` is the first member. */
	struct progress_line *l = (struct progress_line *)p;
	const uint64_t now = progress_now_ms();
	char text[PROGRESS_LINE_MAX];
	char line[PROGRESS_LINE_MAX + sizeof(TO_LINE_START CLEAR_REST)];

	if (!at_once && now - l->drawn_ms < PROGRESS_INTERVAL_MS)
		return;
	l->drawn_ms = now;
	if (!has_reader(l)) {
		p->show = NULL;
		return;
	}
	const int len = snprintf(line, sizeof(line), TO_LINE_START "%s" CLEAR_REST,
				 progress_format(text, &p->phase, now, columns()));
	/* One write(2): what others print does not get into it. */
	(void)io_write_all(STDERR_FILENO, line, (size_t)len);
	l->is_shown = true;
}

/* log_set_before */
static void before_line(void *ctx)
{
	progress_line_clear(ctx);
}

void progress_line_init(struct progress_line *l, bool is_quiet)
{
	*l = (struct progress_line){.drawn_ms = progress_now_ms(), .owner = getpid()};
	if (is_quiet || !isatty(STDERR_FILENO))
		return;
	l->progress.show = show;
	log_set_before(before_line, l);
}

void progress_line_clear(struct progress_line *l)
{
	static const char clear[] = TO_LINE_START CLEAR_REST;

	if (l->is_shown)
		(void)io_write_all(STDERR_FILENO, clear, sizeof(clear) - 1);
	l->is_shown = false;
}

void progress_line_fini(struct progress_line *l)
{
	progress_line_clear(l);
	if (l->progress.show)
		log_set_before(NULL, NULL);
	l->progress.show = NULL;
}
