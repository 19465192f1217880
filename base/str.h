/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growing byte strings, and numbers from text.  Always NUL-terminated once anything was appended;
 * may hold NUL bytes (use `len`).
 *
 * Calls: STR_INIT -> str_append* -> str_steal or str_fini.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"

struct str {
	char *data; /* NULL while nothing was appended */
	size_t len; /* bytes, without the NUL */
	size_t cap;
};

#define STR_INIT           \
	{                  \
		NULL, 0, 0 \
	}

void str_fini(struct str *s);
SCOPE_DEFINE_VALUE(str, struct str, str_fini)

/* All return 0, or -1 with ERR_NOMEM; `s` is then unchanged. */
int str_reserve(struct str *s, size_t more, struct err *e);
int str_append(struct str *s, const void *bytes, size_t len, struct err *e);
int str_append_z(struct str *s, const char *text, struct err *e);
int str_append_c(struct str *s, char c, struct err *e);
int str_append_zeros(struct str *s, size_t count, struct err *e);
int str_appendf(struct str *s, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The text so far ("" when nothing); borrowed until the next change. */
const char *str_text(const struct str *s);

/* Gives the NUL-terminated text to the caller, who frees it; `s` is empty again.  NULL:
 * ERR_NOMEM. */
char *str_steal(struct str *s, struct err *e);

void str_truncate(struct str *s, size_t len);

/* Copies; NULL with ERR_NOMEM.  str_dupf formats. */
char *str_dup(const char *text, struct err *e);
char *str_dup_n(const void *bytes, size_t len, struct err *e);
char *str_dupf(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool str_equal(const char *a, const char *b); /* NULL equals only NULL */
bool str_has_prefix(const char *s, const char *prefix);
bool str_has_suffix(const char *s, const char *suffix);

/*
 * Whole-string numbers: digits only (no sign, no blanks, no empty string), checked against `max`.
 * Return 0, or -1 (no err: the caller knows what the number was for); `out` is then untouched.
 */
int str_to_u64(const char *s, size_t len, unsigned base, uint64_t max, uint64_t *out);

/* "512", "64k", "1M", "2GiB": bytes; suffixes are powers of 1024.  As str_to_u64 otherwise. */
int str_to_size(const char *s, uint64_t *out);

/* "1.5 GiB", for people; returns buf. */
enum { STR_SIZE_MAX = 24 };
const char *str_human_size(char buf[static STR_SIZE_MAX], uint64_t bytes);

#endif
