/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/filter.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/quote.h"
#include "base/rfc3339.h"
#include "base/str.h"
#include "cli/names.h"
#include "store/image.h"

enum filter_key {
	FILTER_REFERENCE,
	FILTER_LABEL,
	FILTER_BEFORE,
	FILTER_SINCE,
	FILTER_DANGLING,
	FILTER_KEY_COUNT,
};

static const char *const key_names[FILTER_KEY_COUNT] = {
	[FILTER_REFERENCE] = "reference", [FILTER_LABEL] = "label",
	[FILTER_BEFORE] = "before",       [FILTER_SINCE] = "since",
	[FILTER_DANGLING] = "dangling",
};
/* As docs/shale-images.1.scd has them. */
static const char *const value_forms[FILTER_KEY_COUNT] = {
	[FILTER_REFERENCE] = "PATTERN", [FILTER_LABEL] = "KEY[=VALUE]",   [FILTER_BEFORE] = "IMAGE",
	[FILTER_SINCE] = "IMAGE",       [FILTER_DANGLING] = "true|false",
};
static const char known_keys[] = "reference, label, before, since, dangling";

struct filter {
	enum filter_key key;
	const char *value;
	bool is_dangling;         /* FILTER_DANGLING */
	struct rfc3339_time time; /* FILTER_BEFORE, FILTER_SINCE: of the image */
};

static int find_key(const char *text, size_t len, enum filter_key *out)
{
	for (enum filter_key k = 0; k < FILTER_KEY_COUNT; k++) {
		if (strlen(key_names[k]) == len && memcmp(key_names[k], text, len) == 0) {
			*out = k;
			return 0;
		}
	}
	return -1;
}

/* "true" or "false", or docker's other spellings of them. */
static int parse_truth(const char *text, bool *out)
{
	const bool is_true = str_equal(text, "true") || str_equal(text, "1");

	if (!is_true && !str_equal(text, "false") && !str_equal(text, "0"))
		return -1;
	*out = is_true;
	return 0;
}

static int parse_one(const char *text, struct filter *out, struct err *e)
{
	const size_t len = strcspn(text, "=");
	char q[QUOTE_MAX];

	*out = (struct filter){.value = text + len + 1};
	if (find_key(text, len, &out->key) < 0)
		return err_set(e, ERR_USAGE, "option '--filter': unknown key '%s', known are: %s",
			       quote_bytes(q, text, len), known_keys);
	if (text[len] == '\0' || *out->value == '\0')
		return err_set(e, ERR_USAGE, "option '--filter': '%s' has no value: %s=%s",
			       quote_str(q, text), key_names[out->key], value_forms[out->key]);
	if ((out->key == FILTER_BEFORE || out->key == FILTER_SINCE) &&
	    names_check(out->value, e) < 0)
		return err_wrap(e, "option '--filter %s'", key_names[out->key]);
	if (out->key == FILTER_DANGLING && parse_truth(out->value, &out->is_dangling) < 0)
		return err_set(e, ERR_USAGE,
			       "option '--filter': dangling is 'true' or 'false', not '%s'",
			       quote_str(q, out->value));
	return 0;
}

int filters_parse(const struct invocation *in, struct filters *out, struct err *e)
{
	const char *text;
	size_t at = 0;

	while ((text = invocation_next(in, "filter", &at)) != NULL) {
		if (array_reserve(&out->items, &out->cap, out->count + 1, sizeof(*out->items), e) <
			    0 ||
		    parse_one(text, &out->items[out->count], e) < 0)
			return -1;
		out->count++;
	}
	return 0;
}

static int find_time(const struct store *s, struct filter *f, struct err *e)
{
	SCOPE(image) struct image im = IMAGE_INIT;
	SCOPE(descriptor) struct descriptor top = DESCRIPTOR_INIT;
	SCOPE_FREE char *name = NULL;
	char q[QUOTE_MAX];

	if (!s)
		return err_set(e, ERR_NOT_FOUND, "no image '%s': there is no store yet",
			       quote_str(q, f->value));
	if (image_find(s, f->value, &name, &top, e) < 0)
		return -1;
	if (image_load_any(s, name, &top, &im, e) < 0)
		return err_wrap(e, "image '%s'", quote_str(q, name));
	if (!im.config.created || rfc3339_parse(im.config.created, &f->time) < 0)
		return err_set(e, ERR_FORMAT, "image '%s' does not say when it was created",
			       quote_str(q, im.name));
	return 0;
}

int filters_resolve(struct filters *f, const struct store *s, struct err *e)
{
	for (size_t i = 0; i < f->count; i++) {
		struct filter *one = &f->items[i];
		if (one->key != FILTER_BEFORE && one->key != FILTER_SINCE)
			continue;
		if (find_time(s, one, e) < 0)
			return err_wrap(e, "option '--filter %s'", key_names[one->key]);
	}
	return 0;
}

/* The name with its tag, or without. */
static bool match_tagged(const char *pattern, const char *name)
{
	char bare[REFERENCE_NAME_MAX + 1];
	const char *colon = strrchr(name, ':');

	if (fnmatch(pattern, name, FNM_PATHNAME) == 0)
		return true;
	if (!colon || strchr(colon, '/') || (size_t)(colon - name) >= sizeof(bare))
		return false;
	memcpy(bare, name, (size_t)(colon - name));
	bare[colon - name] = '\0';
	return fnmatch(pattern, bare, FNM_PATHNAME) == 0;
}

/* In full, or as people type it. */
static bool match_reference(const char *pattern, const char *name)
{
	static const char *const implied[] = {"localhost/", "docker.io/library/", "docker.io/"};

	if (!name)
		return false;
	if (match_tagged(pattern, name))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(implied); i++) {
		if (str_has_prefix(name, implied[i]))
			return match_tagged(pattern, name + strlen(implied[i]));
	}
	return false;
}

/* "KEY" or "KEY=VALUE"; keys have no "=". */
static bool match_label(const char *wanted, const struct strmap *labels)
{
	const size_t len = strcspn(wanted, "=");

	for (size_t i = 0; labels && i < labels->count; i++) {
		const struct strmap_item *l = &labels->items[i];
		if (strlen(l->key) == len && memcmp(l->key, wanted, len) == 0)
			return wanted[len] == '\0' || str_equal(wanted + len + 1, l->value);
	}
	return false;
}

static bool match_time(const struct filter *f, const char *created)
{
	struct rfc3339_time t;

	if (!created || rfc3339_parse(created, &t) < 0)
		return false;
	const int order = rfc3339_compare(&t, &f->time);
	return f->key == FILTER_BEFORE ? order < 0 : order > 0;
}

bool filters_match(const struct filters *f, const struct filter_subject *subject)
{
	bool has_reference = false, has_match = false, has_dangling = false;

	for (size_t i = 0; i < f->count; i++) {
		const struct filter *one = &f->items[i];
		bool holds = true;

		switch (one->key) {
		case FILTER_REFERENCE:
			has_reference = true;
			has_match = has_match || match_reference(one->value, subject->name);
			break;
		case FILTER_LABEL:
			holds = match_label(one->value, subject->labels);
			break;
		case FILTER_BEFORE:
		case FILTER_SINCE:
			holds = match_time(one, subject->created);
			break;
		case FILTER_DANGLING:
			has_dangling = true;
			holds = one->is_dangling == !subject->name;
			break;
		case FILTER_KEY_COUNT:
		default:
			break;
		}
		if (!holds)
			return false;
	}
	if (!has_dangling && !subject->name)
		return false;
	return has_match || !has_reference;
}

void filters_fini(struct filters *f)
{
	free(f->items);
	*f = (struct filters){NULL, 0, 0};
}
