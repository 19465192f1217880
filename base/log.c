/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/io.h"
#include "base/scope.h"

enum { LINE_MAX_BYTES = 4096 /* PIPE_BUF: lines of several processes do not mix */ };

static const struct {
	const char *prefix;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = {"shale: ", LOG_ERR},
	[LOG_LEVEL_WARNING] = {"shale: warning: ", LOG_WARNING},
	[LOG_LEVEL_INFO] = {"shale: ", LOG_INFO},
	[LOG_LEVEL_DEBUG] = {"shale: debug: ", LOG_DEBUG},
};

static enum log_level max_level = LOG_LEVEL_WARNING;
static bool to_syslog;
static void (*before_line)(void *ctx);
static void *before_ctx;

void log_set_level(enum log_level level)
{
	max_level = level;
}

void log_to_syslog(void)
{
	openlog("shale", LOG_PID, LOG_DAEMON);
	to_syslog = true;
}

void log_set_before(void (*before)(void *ctx), void *ctx)
{
	before_line = before;
	before_ctx = ctx;
}

/* One write(2) for one line: lines of threads do not mix. */
static void log_line(enum log_level level, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));
static void log_line(enum log_level level, const char *fmt, va_list args)
{
	static const char cut[] = "...\n";
	char line[LINE_MAX_BYTES];
	const int sys = errno;

	if (level > max_level)
		return;
	if (to_syslog) {
		vsyslog(levels[level].priority, fmt, args);
		errno = sys;
		return;
	}
	const size_t prefix = strlen(levels[level].prefix);
	memcpy(line, levels[level].prefix, prefix);
	const int len = vsnprintf(line + prefix, sizeof(line) - prefix, fmt, args);
	if (len >= 0) {
		size_t end = prefix + (size_t)len;
		if (end < sizeof(line)) {
			line[end++] = '\n';
		} else {
			end = sizeof(line);
			memcpy(line + end - (sizeof(cut) - 1), cut, sizeof(cut) - 1);
		}
		if (before_line)
			before_line(before_ctx);
		/* There is nobody to tell that standard error is closed. */
		(void)io_write_all(STDERR_FILENO, line, end);
	}
	errno = sys;
}

void log_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_LEVEL_ERROR, fmt, args);
	va_end(args);
}

void log_warning(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_LEVEL_WARNING, fmt, args);
	va_end(args);
}

void log_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_LEVEL_INFO, fmt, args);
	va_end(args);
}

void log_debug(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_LEVEL_DEBUG, fmt, args);
	va_end(args);
}

void log_err(const struct err *e)
{
	log_error("%s", e->msg);
}
