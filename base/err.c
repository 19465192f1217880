/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ERRNO_TEXT_MAX = 128 };

/* The message when there is no memory for a message; err_clear knows it by its address. */
static char nomem_text[] = "out of memory";

/* vasprintf, but by this program's malloc, so that tests can make it fail.  NULL without memory. */
static char *format_text(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));
static char *format_text(const char *fmt, va_list args)
{
	va_list again;
	va_copy(again, args);
	const int len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);

	char *text = len < 0 ? NULL : malloc((size_t)len + 1);
	if (text)
		vsnprintf(text, (size_t)len + 1, fmt, args);
	return text;
}

/* "<a>: <b>", or NULL. */
static char *join_texts(const char *a, const char *b)
{
	const size_t size = strlen(a) + strlen(b) + sizeof(": ");
	char *text = malloc(size);

	if (text)
		snprintf(text, size, "%s: %s", a, b);
	return text;
}

static void free_text(char *text)
{
	if (text != nomem_text)
		free(text);
}

/* Setting an error twice loses the first: a bug, and not worth a leak where asserts are off. */
static void make_clean(struct err *e)
{
	assert(e->code == ERR_NONE);
	err_clear(e);
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list args;

	make_clean(e);
	va_start(args, fmt);
	char *msg = format_text(fmt, args);
	va_end(args);
	e->code = code;
	e->msg = msg ? msg : nomem_text;
	return -1;
}

int err_sys(struct err *e, int sys, const char *fmt, ...)
{
	char buf[ERRNO_TEXT_MAX];
	va_list args;

	if (sys == ENOMEM)
		return err_nomem(e);
	make_clean(e);
	va_start(args, fmt);
	char *subject = format_text(fmt, args);
	va_end(args);
	char *msg = subject ? join_texts(subject, strerror_r(sys, buf, sizeof(buf))) : NULL;
	free(subject);
	e->code = ERR_SYS;
	e->sys = sys;
	e->msg = msg ? msg : nomem_text;
	return -1;
}

int err_nomem(struct err *e)
{
	make_clean(e);
	e->code = ERR_NOMEM;
	e->msg = nomem_text;
	return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	va_list args;

	assert(e->code != ERR_NONE);
	va_start(args, fmt);
	char *subject = format_text(fmt, args);
	va_end(args);
	char *msg = subject && e->msg ? join_texts(subject, e->msg) : NULL;
	free(subject);
	/* Without memory for the longer message the shorter one is still true. */
	if (msg) {
		free_text(e->msg);
		e->msg = msg;
	}
	return -1;
}

int err_move(struct err *to, struct err *from)
{
	assert(from->code != ERR_NONE);
	make_clean(to);
	*to = *from;
	*from = (struct err)ERR_INIT;
	return -1;
}

int err_blame_usage(struct err *e)
{
	if (e->code == ERR_SYNTAX)
		e->code = ERR_USAGE;
	return -1;
}

void err_clear(struct err *e)
{
	free_text(e->msg);
	*e = (struct err)ERR_INIT;
}

bool err_is_own_lack(const struct err *e)
{
	return e->code == ERR_NOMEM ||
	       (e->code == ERR_SYS && (e->sys == EMFILE || e->sys == ENFILE));
}

static int exit_status_of_errno(int sys)
{
	switch (sys) {
	case ENOENT:
	case ENOTDIR:
		return 8;
	case EEXIST:
	case EBUSY:
		return 9;
	case EIO:
	case EBADF: /* a closed standard output */
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case EROFS:
	case EMFILE:
	case ENFILE:
		return 7;
	default:
		return 1;
	}
}

int err_exit_status(const struct err *e)
{
	switch (e->code) {
	case ERR_NONE:
		return 0;
	case ERR_SYS:
		return exit_status_of_errno(e->sys);
	case ERR_NOMEM:
		return 1;
	case ERR_USAGE:
		return 2;
	case ERR_SYNTAX:
	case ERR_FORMAT:
	case ERR_UNSUPPORTED:
		return 3;
	case ERR_LIMIT:
		return 4;
	case ERR_DIGEST:
		return 5;
	case ERR_UNTRUSTED:
		return 6;
	case ERR_NET:
		return 7;
	case ERR_NOT_FOUND:
		return 8;
	case ERR_EXISTS:
	case ERR_BUSY:
		return 9;
	}
	return 1;
}
