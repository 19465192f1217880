/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to people that are not results: "shale: warning: ..." on standard error, or, once the
 * process is a daemon, syslog(3).
 *
 * The level and the sink are the program's only global mutable state; set them before threads
 * start.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
void log_to_syslog(void);
/* Called with `ctx` before a line goes to standard error: there may be something on the terminal
 * that it must not be mixed with.  NULL: nothing. */
void log_set_before(void (*before)(void *ctx), void *ctx);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints a set error ("shale: <msg>") and leaves it set. */
void log_err(const struct err *e);

#endif
