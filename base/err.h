/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: a code to branch on, an errno, and a message that is complete enough to print as is.
 *
 * Contract: `struct err *e` is the last parameter and never NULL; it is untouched on success and
 * must be clean on entry of whatever sets it (asserted), so that no error is lost unseen.  A caller
 * that recovers calls err_clear.  Messages: lower case, no full stop, subjects in single quotes
 * and, when they came from outside, through quote_bytes (base/quote.h).
 *
 * Threads: an err belongs to one thread at a time.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

enum err_code {
	ERR_NONE = 0,
	ERR_SYS,         /* a system call failed; `sys` says how */
	ERR_NOMEM,       /* memory */
	ERR_USAGE,       /* the command line */
	ERR_SYNTAX,      /* text that does not parse: manifest, reference, option value */
	ERR_FORMAT,      /* malformed bytes: archive, image document, key, index */
	ERR_UNSUPPORTED, /* well-formed, but not something that shale reads or does */
	ERR_LIMIT,       /* over a limit of base/limits.h */
	ERR_DIGEST,      /* content does not match its digest */
	ERR_UNTRUSTED,   /* refused: no signature, or a wrong one */
	ERR_NET,         /* network */
	ERR_NOT_FOUND,   /* no such image, file in an image, blob, ... */
	ERR_EXISTS,      /* already there */
	ERR_BUSY,        /* in use by somebody else */
};

struct err {
	enum err_code code;
	int sys;   /* errno for ERR_SYS, else 0 */
	char *msg; /* owned; may be static text when memory ran out: only err_clear frees it */
};

#define ERR_INIT                       \
	{                              \
		ERR_NONE, 0, (char *)0 \
	}

/* Each returns -1, so that `return err_set(...)` reads well. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ERR_SYS (ERR_NOMEM for ENOMEM); appends ": " and the text of `sys`. */
int err_sys(struct err *e, int sys, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

int err_nomem(struct err *e);

/* Puts "<fmt>: " in front of the message of an error that is set already. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Moves `from` (set) to `to` (clean); `from` is clean afterwards.  Returns -1. */
int err_move(struct err *to, struct err *from);

/* A text was wrong (ERR_SYNTAX) that stands on the command line, and in no manifest: ERR_USAGE.
 * Other errors stay.  Returns -1. */
int err_blame_usage(struct err *e);

void err_clear(struct err *e);

/* Memory or descriptors ran out: an error of this process, which says nothing of what it was
 * looking at.  Who goes on after other errors, or reports them of what it looks at, stops at this.
 */
bool err_is_own_lack(const struct err *e);

/* The exit status of shale(1), "EXIT STATUS", for this error; 0 for ERR_NONE. */
int err_exit_status(const struct err *e);

#endif
