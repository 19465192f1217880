/* SPDX-License-Identifier: Apache-2.0 */
#include "image/document.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "base/quote.h"
#include "base/str.h"

enum { SCHEMA_VERSION = 2, WHAT_MAX = 64 };

/*
 * One character of a member's name as Go's encoding/json folds it; advances `*s`.  Two that are not
 * ASCII count as letters: U+017F LATIN SMALL LETTER LONG S, U+212A KELVIN SIGN.
 */
static char next_folded(const char **s)
{
	static const char long_s[] = "\xc5\xbf", kelvin[] = "\xe2\x84\xaa";
	const char c = **s;

	if (str_has_prefix(*s, long_s)) {
		*s += strlen(long_s);
		return 's';
	}
	if (str_has_prefix(*s, kelvin)) {
		*s += strlen(kelvin);
		return 'k';
	}
	(*s)++;
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c;
}

static bool folds_to_same(const char *a, const char *b)
{
	while (*a && *b) {
		if (next_folded(&a) != next_folded(&b))
			return false;
	}
	return !*a && !*b;
}

int document_check_spelling(const json_t *obj, const char *const *known, const char *what,
			    struct err *e)
{
	char quoted[QUOTE_MAX];
	const char *key;
	json_t *value;
	/* Jansson's iterators change nothing, but take no const. */
	const union {
		const json_t *from;
		json_t *to;
	} unconst = {obj};

	json_object_foreach(unconst.to, key, value)
	{
		for (const char *const *k = known; *k; k++) {
			if (folds_to_same(key, *k) && strcmp(key, *k) != 0)
				return err_set(e, ERR_FORMAT,
					       "%s: member '%s' must be spelled '%s'", what,
					       quote_str(quoted, key), *k);
		}
	}
	return 0;
}

int document_check_foreign(const json_t *obj, const char *const *foreign, const char *what,
			   struct err *e)
{
	for (const char *const *key = foreign; *key; key++) {
		const json_t *member = json_object_get(obj, *key);
		if (member && !json_is_null(member))
			return err_set(e, ERR_FORMAT,
				       "%s: member '%s' belongs to another kind of document", what,
				       *key);
	}
	return 0;
}

int document_get_type(const json_t *obj, const char *given, enum media_kind kind,
		      const char *fallback, const char *what, char **out, struct err *e)
{
	char quoted[QUOTE_MAX], other[QUOTE_MAX];
	const char *own = NULL;
	uint64_t version;

	if (json_need_u64(obj, "schemaVersion", what, INT64_MAX, &version, e) < 0)
		return -1;
	if (version != SCHEMA_VERSION)
		return err_set(e, ERR_FORMAT, "%s: schemaVersion is not %d", what, SCHEMA_VERSION);
	if (json_get_str(obj, "mediaType", what, &own, e) < 0)
		return -1;
	if (given && own && strcmp(given, own) != 0)
		return err_set(e, ERR_FORMAT, "%s: mediaType is '%s', where '%s' was announced",
			       what, quote_str(quoted, own), quote_str(other, given));

	const char *type = given ? given : (own ? own : fallback);
	if (mediatype_kind(type) != kind)
		return err_set(e, ERR_FORMAT, "%s: media type '%s' is another kind of document",
			       what, quote_str(quoted, type));
	*out = str_dup(type, e);
	return *out ? 0 : -1;
}

int document_get_text(const json_t *obj, const char *key, const char *what, char **out,
		      struct err *e)
{
	const char *text = NULL;

	if (json_get_str(obj, key, what, &text, e) < 0)
		return -1;
	if (!text || !*text)
		return 0;
	*out = str_dup(text, e);
	return *out ? 0 : -1;
}

int document_get_list(const json_t *obj, const char *key, const char *what, struct strlist *out,
		      struct err *e)
{
	json_t *array = NULL, *item;
	size_t i;

	if (json_get_array(obj, key, what, &array, e) < 0)
		return -1;
	json_array_foreach(array, i, item)
	{
		if (!json_is_string(item))
			return err_set(e, ERR_FORMAT, "%s: member '%s' holds more than strings",
				       what, key);
		if (strlist_add(out, json_string_value(item), e) < 0)
			return -1;
	}
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/*
 * The names of `obj`'s members in order: a sorted map that is filled in any other order moves its
 * items about, in a time that is quadratic in what others may send.
 */
static const char **sorted_keys(json_t *obj, struct err *e)
{
	const char **keys = array_new(json_object_size(obj), sizeof(*keys), e);
	size_t count = 0;
	const char *key;
	json_t *value;

	if (!keys)
		return NULL;
	json_object_foreach(obj, key, value)
	{
		keys[count++] = key;
	}
	qsort(keys, count, sizeof(*keys), compare_keys);
	return keys;
}

/* The text that a member of a map stands for, or NULL for a member of the wrong type. */
typedef const char *value_text(const json_t *value);

static const char *text_of_string(const json_t *value)
{
	return json_string_value(value);
}

/* Go's struct{} takes null, too. */
static const char *text_of_set_member(const json_t *value)
{
	return json_is_object(value) || json_is_null(value) ? "" : NULL;
}

static int get_members(const json_t *obj, const char *key, const char *what, value_text *text_of,
		       size_t max, struct strmap *out, struct err *e)
{
	char quoted[QUOTE_MAX];
	json_t *map = NULL;

	const int found = json_get_object(obj, key, what, &map, e);
	if (found < 1)
		return found;
	SCOPE_FREE const char **names = sorted_keys(map, e);
	if (!names)
		return -1;
	for (size_t i = 0; i < json_object_size(map); i++) {
		const char *text = text_of(json_object_get(map, names[i]));
		if (!text)
			return err_set(e, ERR_FORMAT, "%s: member '%s' of '%s' has the wrong type",
				       what, quote_str(quoted, names[i]), key);
		if (strlen(text) > max)
			return err_set(e, ERR_LIMIT,
				       "%s: member '%s' of '%s' is longer than %zu bytes", what,
				       quote_str(quoted, names[i]), key, max);
		if (strmap_set(out, names[i], text, e) < 0)
			return -1;
	}
	return 0;
}

int document_get_map(const json_t *obj, const char *key, const char *what, size_t max,
		     struct strmap *out, struct err *e)
{
	return get_members(obj, key, what, text_of_string, max, out, e);
}

int document_get_set(const json_t *obj, const char *key, const char *what, struct strmap *out,
		     struct err *e)
{
	return get_members(obj, key, what, text_of_set_member, 0, out, e);
}

int document_get_descriptors(const json_t *obj, const char *key, const char *what, size_t max,
			     struct descriptor **out, size_t *count, struct err *e)
{
	char place[WHAT_MAX];
	json_t *array = NULL, *item;
	size_t i;

	/* Go writes a slice that has nothing in it as null. */
	if (!json_object_get(obj, key))
		return err_set(e, ERR_FORMAT, "%s: member '%s' is missing", what, key);
	if (json_get_array(obj, key, what, &array, e) < 0)
		return -1;
	if (json_array_size(array) > max)
		return err_set(e, ERR_LIMIT, "%s: more than %zu in '%s'", what, max, key);
	*out = array_new(json_array_size(array), sizeof(**out), e);
	if (!*out)
		return -1;
	json_array_foreach(array, i, item)
	{
		/* "layers" holds "layer 1". */
		snprintf(place, sizeof(place), "%s: %.*s %zu", what, (int)strlen(key) - 1, key,
			 i + 1);
		if (descriptor_from_json(&(*out)[i], item, place, e) < 0)
			return -1;
		*count = i + 1;
	}
	return 0;
}

int document_copy_text(char **to, const char *from, struct err *e)
{
	*to = NULL;
	if (!from)
		return 0;
	*to = str_dup(from, e);
	return *to ? 0 : -1;
}

int document_parse_digest(const char *text, const char *what, struct digest *out, struct err *e)
{
	struct err why = ERR_INIT;

	if (digest_parse(out, text, strlen(text), &why) == 0)
		return 0;
	err_set(e, ERR_FORMAT, "%s: %s", what, why.msg);
	err_clear(&why);
	return -1;
}

/* NULL with ERR_FORMAT or ERR_NOMEM. */
static json_t *text_value(const char *key, const char *text, struct err *e)
{
	char quoted[QUOTE_MAX];

	/* Jansson tells the two apart by errno alone. */
	errno = 0;
	json_t *value = json_string(text);
	if (!value && errno == ENOMEM)
		err_nomem(e);
	else if (!value)
		err_set(e, ERR_FORMAT, "'%s': '%s' is not UTF-8", key, quote_str(quoted, text));
	return value;
}

int document_put_text(json_t *obj, const char *key, const char *text, struct err *e)
{
	if (!text || !*text)
		return 0;
	json_t *value = text_value(key, text, e);
	return value ? json_put(obj, key, value, e) : -1;
}

int document_push_text(json_t *arr, const char *text, struct err *e)
{
	json_t *value = text_value("list", text, e);

	return value ? json_push(arr, value, e) : -1;
}

int document_put_list(json_t *obj, const char *key, const struct strlist *l, struct err *e)
{
	if (l->count == 0)
		return 0;
	json_t *array = json_array();
	for (size_t i = 0; array && i < l->count; i++) {
		if (document_push_text(array, l->items[i], e) < 0) {
			json_decref(array);
			return -1;
		}
	}
	return json_put(obj, key, array, e);
}

/* Takes `value`.  A key that is not UTF-8 must not become another one. */
static int put_member(json_t *map, const char *key, json_t *value, struct err *e)
{
	json_t *checked = text_value("member name", key, e);

	if (!checked) {
		json_decref(value);
		return -1;
	}
	json_decref(checked);
	return json_put(map, key, value, e);
}

static int put_members(json_t *obj, const char *key, const struct strmap *m, bool is_set,
		       struct err *e)
{
	if (m->count == 0)
		return 0;
	SCOPE(json) json_t *map = json_object();
	if (!map)
		return err_nomem(e);
	for (size_t i = 0; i < m->count; i++) {
		json_t *value = is_set ? json_object() : text_value(key, m->items[i].value, e);
		if (!value && e->code != ERR_NONE)
			return -1;
		if (put_member(map, m->items[i].key, value, e) < 0)
			return -1;
	}
	return json_put(obj, key, steal_ptr(&map), e);
}

int document_put_map(json_t *obj, const char *key, const struct strmap *m, struct err *e)
{
	return put_members(obj, key, m, false, e);
}

int document_put_set(json_t *obj, const char *key, const struct strmap *m, struct err *e)
{
	return put_members(obj, key, m, true, e);
}

int document_put_descriptors(json_t *obj, const char *key, const struct descriptor *list,
			     size_t count, struct err *e)
{
	SCOPE(json) json_t *array = json_array();

	if (!array)
		return err_nomem(e);
	for (size_t i = 0; i < count; i++) {
		json_t *value = descriptor_to_json(&list[i], e);
		if (!value || json_push(array, value, e) < 0)
			return -1;
	}
	return json_put(obj, key, steal_ptr(&array), e);
}
