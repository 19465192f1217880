/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON documents from outside, by jansson, read strictly; and canonical JSON out.
 *
 * Refused before anything is allocated: more bytes than the caller's limit (ERR_LIMIT), nesting
 * deeper than LIMIT_JSON_DEPTH or with more values than LIMIT_JSON_VALUES (ERR_LIMIT).  Refused by
 * the parser: duplicate members, invalid UTF-8, lone surrogates, \u0000, a BOM, trailing garbage,
 * integers beyond int64 (ERR_FORMAT). `what` names the document in messages.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define SCOPE_JSON __attribute__((cleanup(scope_json)))

static inline void scope_json(json_t **slot)
{
	json_decref(*slot);
}

/* The limits alone, for a document that is written and has to be read again: ERR_LIMIT. */
int json_check_limits(const char *bytes, size_t len, size_t limit, const char *what, struct err *e);

/* A new reference, or NULL. */
json_t *json_parse_object(const char *bytes, size_t len, size_t limit, const char *what,
			  struct err *e);

/* Members.  All return 1 found, 0 absent (or null), -1 with ERR_FORMAT for a wrong type; outputs
 * are borrowed from `obj` and untouched unless 1.  Numbers must be integers in [0, max]. */
int json_get_str(const json_t *obj, const char *key, const char *what, const char **out,
		 struct err *e);
int json_get_u64(const json_t *obj, const char *key, const char *what, uint64_t max, uint64_t *out,
		 struct err *e);
int json_get_bool(const json_t *obj, const char *key, const char *what, bool *out, struct err *e);
int json_get_object(const json_t *obj, const char *key, const char *what, json_t **out,
		    struct err *e);
int json_get_array(const json_t *obj, const char *key, const char *what, json_t **out,
		   struct err *e);

/* Absence is ERR_FORMAT, naming the member. */
int json_need_str(const json_t *obj, const char *key, const char *what, const char **out,
		  struct err *e);
int json_need_u64(const json_t *obj, const char *key, const char *what, uint64_t max, uint64_t *out,
		  struct err *e);

/* Canonical: sorted members, no blanks, UTF-8, no newline at the end. */
int json_format(const json_t *value, struct str *out, struct err *e);
/* The same, indented by two, with a newline at the end: reports for people and scripts. */
int json_format_pretty(const json_t *value, struct str *out, struct err *e);

/* Building: take `value` (also on failure); 0, or -1 with ERR_NOMEM (a NULL `value` is ERR_NOMEM).
 * Text that is not UTF-8 goes in as json_text_value makes it. */
int json_put(json_t *obj, const char *key, json_t *value, struct err *e);
int json_push(json_t *arr, json_t *value, struct err *e);

/* A JSON string of any bytes: invalid UTF-8 and control bytes become \xNN by quote_append. */
json_t *json_text_value(const void *bytes, size_t len);

#endif
