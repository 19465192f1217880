/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All errors and warnings of a build file, each with its place, so that one run shows them all.
 *
 *	Shalefile:3:6: unknown flag '--chwon' (did you mean '--chown'?)
 *	COPY --chwon=app a b
 *	     ^
 *
 * Calls: FINDINGS_INIT -> (findings_error | findings_warn)* -> findings_raise -> findings_fini.
 * Messages follow the grammar of base/err.h.  At most FINDINGS_MAX errors
 * and as many warnings are kept; the rest is counted.
 */
#ifndef MANIFESTS_FINDINGS_H
#define MANIFESTS_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"
#include "manifests/source.h"

enum { FINDINGS_MAX = 200 };

struct finding {
	enum err_code code; /* ERR_NONE: a warning */
	struct place at;
	char *msg;
	char *hint; /* NULL: none */
};

struct findings {
	const struct source *source; /* borrowed, with its fragments */
	struct finding *items;       /* in the order of discovery */
	size_t count, cap;
	size_t error_count, warning_count; /* of those that were not kept, too */
	bool is_last_kept;
	enum err_code gravest; /* ERR_NONE without an error */
};

#define FINDINGS_INIT(source_)                               \
	{                                                    \
		(source_), NULL, 0, 0, 0, 0, false, ERR_NONE \
	}

/* 0, or -1 with ERR_NOMEM.  `code` is ERR_SYNTAX, ERR_UNSUPPORTED, ERR_LIMIT or ERR_NOT_FOUND. */
int findings_error(struct findings *f, enum err_code code, struct place at, struct err *e,
		   const char *fmt, ...) __attribute__((format(printf, 5, 6)));
int findings_warn(struct findings *f, struct place at, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* "did you mean '<known>'?" for the finding that was just added; NULL adds nothing. */
int findings_suggest(struct findings *f, const char *known, struct err *e);

/* An error that `e` holds becomes a finding, and `e` clean: 0; -1 when it is not about the file. */
int findings_take(struct findings *f, struct place at, struct err *e);

/*
 * For an error that ends the work at once: puts the place in front of its message, and the line
 * with its caret below unless the reason is elsewhere (ERR_SYS, ERR_DIGEST, ERR_NET); the code
 * stays.  Returns -1.
 */
int findings_wrap(const struct findings *f, struct place at, struct err *e);

/* One finding with its source line and caret, as above; no newline at the end. */
int findings_format(const struct findings *f, const struct finding *one, struct str *out,
		    struct err *e);

/*
 * 0 when there is no error; else -1 with all errors, by place, as the message.  The code is the
 * gravest: ERR_LIMIT before ERR_SYNTAX before ERR_UNSUPPORTED before ERR_NOT_FOUND.
 */
int findings_raise(const struct findings *f, struct err *e);

/* All warnings, by place, each as findings_format makes it and with a newline. */
int findings_warnings(const struct findings *f, struct str *out, struct err *e);

/* The one that decides the exit status. */
enum err_code findings_graver(enum err_code a, enum err_code b);

/*
 * Adds what `count` looks at one source, each for something else ("linux/arm64" is the label of
 * one), have found: what all of them found once, the rest with "for LABEL: " in front.
 */
int findings_merge(struct findings *to, const struct findings *const *lists,
		   const char *const *labels, size_t count, struct err *e);

void findings_fini(struct findings *f);
SCOPE_DEFINE_VALUE(findings, struct findings, findings_fini)

#endif
