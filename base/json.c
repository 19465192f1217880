/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/quote.h"
#include "base/scope.h"

/*
 * Jansson leaves a character of a string out when there is no room for it, and goes on; and it
 * clears errno.  So its allocations are watched.
 */
static _Thread_local bool has_run_out;
static pthread_once_t watch_once = PTHREAD_ONCE_INIT;

static void *watched_malloc(size_t size)
{
	void *p = malloc(size);

	if (!p)
		has_run_out = true;
	return p;
}

static void watch_allocations(void)
{
	json_set_alloc_funcs(watched_malloc, free);
}

static const char utf8_bom[] = "\xef\xbb\xbf";

/*
 * Jansson parses by recursion, to a depth of its own choice, and takes memory for every value; this
 * counts brackets and commas outside of strings first.  It need not know whether the document is
 * well-formed.
 */
static int check_shape(const char *bytes, size_t len, const char *what, struct err *e)
{
	bool in_string = false;
	unsigned depth = 0;
	unsigned values = 0;

	for (size_t i = 0; i < len; i++) {
		const char c = bytes[i];
		if (!in_string && (c == ',' || c == '[' || c == '{') &&
		    ++values > LIMIT_JSON_VALUES)
			return err_set(e, ERR_LIMIT, "%s: JSON of more than %d values", what,
				       LIMIT_JSON_VALUES);
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			if (++depth > LIMIT_JSON_DEPTH)
				return err_set(e, ERR_LIMIT, "%s: JSON nested deeper than %d", what,
					       LIMIT_JSON_DEPTH);
		} else if ((c == ']' || c == '}') && depth > 0) {
			depth--;
		}
	}
	return 0;
}

int json_check_limits(const char *bytes, size_t len, size_t limit, const char *what, struct err *e)
{
	if (len > limit)
		return err_set(e, ERR_LIMIT, "%s: JSON of %zu bytes, more than %zu bytes", what,
			       len, limit);
	return check_shape(bytes, len, what, e);
}

/* Jansson's own texts quote the document's bytes as they are. */
static const char *parse_error_text(enum json_error_code code)
{
	switch (code) {
	case json_error_premature_end_of_input:
		return "unexpected end";
	case json_error_end_of_input_expected:
		return "garbage after the document";
	case json_error_invalid_utf8:
		return "invalid UTF-8";
	case json_error_duplicate_key:
		return "duplicate member";
	case json_error_numeric_overflow:
		return "number out of range";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "NUL character in a string";
	case json_error_unknown:
	case json_error_out_of_memory:
	case json_error_stack_overflow:
	case json_error_cannot_open_file:
	case json_error_invalid_argument:
	case json_error_invalid_syntax:
	case json_error_invalid_format:
	case json_error_wrong_type:
	case json_error_null_value:
	case json_error_item_not_found:
	case json_error_index_out_of_range:
		break;
	}
	return "syntax error";
}

static int set_parse_error(const json_error_t *error, const char *what, struct err *e)
{
	const enum json_error_code code = json_error_code(error);

	/* Jansson calls some failed allocations a bad token. */
	if (code == json_error_out_of_memory || has_run_out)
		return err_nomem(e);
	return err_set(e, ERR_FORMAT, "%s: JSON line %d, column %d: %s", what, error->line,
		       error->column, parse_error_text(code));
}

json_t *json_parse_object(const char *bytes, size_t len, size_t limit, const char *what,
			  struct err *e)
{
	json_error_t error;

	if (json_check_limits(bytes, len, limit, what, e) < 0)
		return NULL;
	if (len >= sizeof(utf8_bom) - 1 && memcmp(bytes, utf8_bom, sizeof(utf8_bom) - 1) == 0) {
		err_set(e, ERR_FORMAT, "%s: JSON starts with a byte order mark", what);
		return NULL;
	}
	pthread_once(&watch_once, watch_allocations);
	has_run_out = false;
	json_t *root = json_loadb(len ? bytes : "", len, JSON_REJECT_DUPLICATES, &error);
	if (!root) {
		set_parse_error(&error, what, e);
		return NULL;
	}
	if (has_run_out) {
		json_decref(root);
		err_nomem(e);
		return NULL;
	}
	if (!json_is_object(root)) {
		json_decref(root);
		err_set(e, ERR_FORMAT, "%s: JSON is not an object", what);
		return NULL;
	}
	return root;
}

/* 1 with `out` when `obj` has the member and it is no null, 0 when not; -1: `obj` is no object. */
static int find_member(const json_t *obj, const char *key, const char *what, json_t **out,
		       struct err *e)
{
	char quoted[QUOTE_MAX];

	if (!json_is_object(obj))
		return err_set(e, ERR_FORMAT, "%s: no JSON object where '%s' should be in", what,
			       quote_str(quoted, key));
	json_t *member = json_object_get(obj, key);
	if (!member || json_is_null(member))
		return 0;
	*out = member;
	return 1;
}

static int wrong_type(const char *key, const char *what, const char *wanted, struct err *e)
{
	char quoted[QUOTE_MAX];

	return err_set(e, ERR_FORMAT, "%s: member '%s' is not %s", what, quote_str(quoted, key),
		       wanted);
}

static int missing(const char *key, const char *what, struct err *e)
{
	char quoted[QUOTE_MAX];

	return err_set(e, ERR_FORMAT, "%s: member '%s' is missing", what, quote_str(quoted, key));
}

int json_get_str(const json_t *obj, const char *key, const char *what, const char **out,
		 struct err *e)
{
	json_t *member = NULL;
	const int found = find_member(obj, key, what, &member, e);

	if (found < 1)
		return found;
	if (!json_is_string(member))
		return wrong_type(key, what, "a string", e);
	*out = json_string_value(member);
	return 1;
}

int json_get_u64(const json_t *obj, const char *key, const char *what, uint64_t max, uint64_t *out,
		 struct err *e)
{
	char quoted[QUOTE_MAX];
	json_t *member = NULL;
	const int found = find_member(obj, key, what, &member, e);

	if (found < 1)
		return found;
	if (!json_is_integer(member))
		return wrong_type(key, what, "an integer", e);
	const json_int_t value = json_integer_value(member);
	if (value < 0 || (uint64_t)value > max)
		return err_set(e, ERR_FORMAT,
			       "%s: member '%s' is %" JSON_INTEGER_FORMAT
			       ", which is not from 0 to %" PRIu64,
			       what, quote_str(quoted, key), value, max);
	*out = (uint64_t)value;
	return 1;
}

int json_get_bool(const json_t *obj, const char *key, const char *what, bool *out, struct err *e)
{
	json_t *member = NULL;
	const int found = find_member(obj, key, what, &member, e);

	if (found < 1)
		return found;
	if (!json_is_boolean(member))
		return wrong_type(key, what, "true or false", e);
	*out = json_is_true(member);
	return 1;
}

int json_get_object(const json_t *obj, const char *key, const char *what, json_t **out,
		    struct err *e)
{
	json_t *member = NULL;
	const int found = find_member(obj, key, what, &member, e);

	if (found < 1)
		return found;
	if (!json_is_object(member))
		return wrong_type(key, what, "an object", e);
	*out = member;
	return 1;
}

int json_get_array(const json_t *obj, const char *key, const char *what, json_t **out,
		   struct err *e)
{
	json_t *member = NULL;
	const int found = find_member(obj, key, what, &member, e);

	if (found < 1)
		return found;
	if (!json_is_array(member))
		return wrong_type(key, what, "an array", e);
	*out = member;
	return 1;
}

int json_need_str(const json_t *obj, const char *key, const char *what, const char **out,
		  struct err *e)
{
	const int found = json_get_str(obj, key, what, out, e);

	return found == 0 ? missing(key, what, e) : found;
}

int json_need_u64(const json_t *obj, const char *key, const char *what, uint64_t max, uint64_t *out,
		  struct err *e)
{
	const int found = json_get_u64(obj, key, what, max, out, e);

	return found == 0 ? missing(key, what, e) : found;
}

struct sink {
	struct str *out;
	struct err *e;
};

static int append_to_sink(const char *bytes, size_t len, void *data)
{
	const struct sink *sink = data;

	/* Jansson goes on after the name of a member that could not be written. */
	if (sink->e->code != ERR_NONE)
		return -1;
	return str_append(sink->out, bytes, len, sink->e);
}

static int format_with(const json_t *value, size_t flags, struct str *out, struct err *e)
{
	const size_t before = out->len;
	struct sink sink = {out, e};

	if (json_dump_callback(value, append_to_sink, &sink, flags | JSON_ENCODE_ANY) == 0)
		return 0;
	str_truncate(out, before);
	/* Jansson's own list of sorted keys is the other thing that takes memory. */
	return e->code == ERR_NONE ? err_nomem(e) : -1;
}

int json_format(const json_t *value, struct str *out, struct err *e)
{
	return format_with(value, JSON_COMPACT | JSON_SORT_KEYS, out, e);
}

int json_format_pretty(const json_t *value, struct str *out, struct err *e)
{
	const size_t before = out->len;

	if (format_with(value, JSON_INDENT(2) | JSON_SORT_KEYS, out, e) < 0)
		return -1;
	if (str_append_c(out, '\n', e) < 0) {
		str_truncate(out, before);
		return -1;
	}
	return 0;
}

int json_put(json_t *obj, const char *key, json_t *value, struct err *e)
{
	/* Kept for the second try below; jansson takes its reference even when it fails. */
	json_t *kept = json_incref(value);
	int rc = json_object_set_new(obj, key, value);

	if (rc < 0 && kept) {
		json_t *text = json_text_value(key, strlen(key));
		/* Jansson refuses keys that are not UTF-8. */
		if (text && !str_equal(json_string_value(text), key))
			rc = json_object_set(obj, json_string_value(text), kept);
		json_decref(text);
	}
	json_decref(kept);
	return rc < 0 ? err_nomem(e) : 0;
}

int json_push(json_t *arr, json_t *value, struct err *e)
{
	return json_array_append_new(arr, value) < 0 ? err_nomem(e) : 0;
}

json_t *json_text_value(const void *bytes, size_t len)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str quoted = STR_INIT;

	if (quote_append(&quoted, bytes, len, &e) < 0) {
		err_clear(&e);
		return NULL;
	}
	return json_stringn(str_text(&quoted), quoted.len);
}
