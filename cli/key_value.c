/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/key_value.h"

#include <stdbool.h>
#include <string.h>

#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "base/utf8.h"
#include "cli/support.h"

/* What shale itself writes about images. */
#define RESERVED_PREFIX "io.shale."

int key_value_check_text(const char *option, const char *text, struct err *e)
{
	char q[QUOTE_MAX];

	if (utf8_is_valid(text, strlen(text)))
		return 0;
	return err_set(e, ERR_USAGE, "option '--%s': '%s' is not UTF-8", option,
		       quote_str(q, text));
}

/* The part before "="; `*value` is what follows it, NULL without one. */
static char *cut_key(const char *option, const char *text, const char *form, const char **value,
		     struct err *e)
{
	const char *equals = strchr(text, '=');
	char q[QUOTE_MAX];

	*value = equals ? equals + 1 : NULL;
	if (equals == text || !*text) {
		err_set(e, ERR_USAGE, "option '--%s': '%s' is not %s", option, quote_str(q, text),
			form);
		return NULL;
	}
	return str_dup_n(text, equals ? (size_t)(equals - text) : strlen(text), e);
}

int key_value_arg(struct strmap *to, const char *text, struct err *e)
{
	const char *value;
	SCOPE_FREE char *name = cut_key("build-arg", text, "NAME=VALUE", &value, e);

	if (!name)
		return -1;
	if (!value)
		value = getenv(name);
	return value ? strmap_set(to, name, value, e) : 0;
}

int key_value_label(struct strmap *to, const char *text, struct err *e)
{
	const char *value;
	SCOPE_FREE char *key = cut_key("label", text, "KEY=VALUE", &value, e);

	if (!key || key_value_check_text("label", text, e) < 0)
		return -1;
	return strmap_set(to, key, value ? value : "", e);
}

enum kind { KIND_MANIFEST, KIND_MANIFEST_DESCRIPTOR, KIND_INDEX, KIND_INDEX_DESCRIPTOR };

static const char *const kind_names[] = {
	[KIND_MANIFEST] = "manifest",
	[KIND_MANIFEST_DESCRIPTOR] = "manifest-descriptor",
	[KIND_INDEX] = "index",
	[KIND_INDEX_DESCRIPTOR] = "index-descriptor",
};

/* An annotation, and the build that it is for. */
struct annotation {
	struct build_options *opt;
	char *key;
	const char *value;
};

static int refuse_kind(const struct annotation *a, enum kind kind, struct err *e)
{
	if (kind == KIND_INDEX_DESCRIPTOR)
		return err_set(e, ERR_UNSUPPORTED,
			       "annotations for 'index-descriptor' are not supported: no document "
			       "of the image holds that descriptor");
	if (kind != KIND_MANIFEST && a->opt->target_count < 2)
		return err_set(e, ERR_UNSUPPORTED,
			       "annotations for '%s' are not supported: one manifest is made, and "
			       "no index (--platform with several makes one)",
			       kind_names[kind]);
	return 0;
}

static int find_kind(const char *name, size_t len, enum kind *out, struct err *e)
{
	char q[QUOTE_MAX];

	for (size_t i = 0; i < ARRAY_LEN(kind_names); i++) {
		if (strlen(kind_names[i]) == len && memcmp(kind_names[i], name, len) == 0) {
			*out = (enum kind)i;
			return 0;
		}
	}
	return err_set(e, ERR_UNSUPPORTED, "annotations for '%s' are not supported",
		       quote_bytes(q, name, len));
}

static int refuse_platform(const struct build_options *opt, const char *text, struct err *e)
{
	char q[QUOTE_MAX], have[PLATFORM_STR_MAX];
	SCOPE(str) struct str all = STR_INIT;

	for (size_t i = 0; i < opt->target_count; i++) {
		if (str_appendf(&all, e, "%s%s", i ? ", " : "",
				platform_format(&opt->targets[i].platform, have)) < 0)
			return -1;
	}
	return err_set(e, ERR_USAGE, "'%s' is %s built, %s", quote_str(q, text),
		       opt->target_count > 1 ? "none of the platforms that are"
					     : "not the platform that is",
		       str_text(&all));
}

/* For the targets that `platform` means, all of them when it is NULL. */
static int annotate_targets(const struct annotation *a, enum kind kind, const char *platform,
			    struct err *e)
{
	struct platform want;
	bool is_found = false;

	if (platform && platform_parse(&want, platform, e) < 0)
		return err_blame_usage(e);
	if (platform)
		platform_unify(&want);
	for (size_t i = 0; i < a->opt->target_count; i++) {
		struct build_target *t = &a->opt->targets[i];
		if (platform && !platform_equal(&t->platform, &want))
			continue;
		is_found = true;
		if (strmap_set(kind == KIND_MANIFEST ? &t->annotations : &t->descriptor_annotations,
			       a->key, a->value, e) < 0)
			return -1;
	}
	return is_found ? 0 : refuse_platform(a->opt, platform, e);
}

/* One kind of docker's, "manifest" or "manifest[linux/arm64]", `len` bytes. */
static int annotate_kind(const struct annotation *a, const char *text, size_t len, struct err *e)
{
	const char *bracket = memchr(text, '[', len);
	const size_t name_len = bracket ? (size_t)(bracket - text) : len;
	enum kind kind = KIND_MANIFEST;
	char q[QUOTE_MAX];

	if (find_kind(text, name_len, &kind, e) < 0 || refuse_kind(a, kind, e) < 0)
		return -1;
	if (bracket && kind == KIND_INDEX)
		return err_set(e, ERR_USAGE, "'%s': an index is for all platforms",
			       quote_bytes(q, text, len));
	if (kind == KIND_INDEX)
		return strmap_set(&a->opt->index_annotations, a->key, a->value, e);
	if (!bracket)
		return annotate_targets(a, kind, NULL, e);
	/* A "]" ends it: see kinds_len. */
	SCOPE_FREE char *platform = str_dup_n(bracket + 1, len - name_len - 2, e);
	return platform ? annotate_targets(a, kind, platform, e) : -1;
}

/* "manifest[linux/arm64=x", "index,manifest[=x": kinds that no "]:" ends, where a key would be. */
static int refuse_open_bracket(const char *key, struct err *e)
{
	const char *bracket = strchr(key, '[');
	const char *kind = bracket;
	char q[QUOTE_MAX];

	if (!bracket)
		return 0;
	while (kind > key && kind[-1] != ',')
		kind--;
	for (size_t i = 0; i < ARRAY_LEN(kind_names); i++) {
		if (strlen(kind_names[i]) == (size_t)(bracket - kind) &&
		    str_has_prefix(kind, kind_names[i]))
			return err_set(e, ERR_USAGE,
				       "option '--annotation': '%s' is not %s[PLATFORM]:KEY=VALUE",
				       quote_str(q, key), kind_names[i]);
	}
	return 0;
}

/* The length of "kind[platform],kind:" in front of a key, without the ":"; 0: there is none. */
static size_t kinds_len(const char *text)
{
	size_t at = 0;

	for (;;) {
		const size_t name = strspn(text + at, "abcdefghijklmnopqrstuvwxyz-");
		if (name == 0)
			return 0;
		at += name;
		if (text[at] == '[') {
			const size_t inside = strcspn(text + at, "]=");
			if (text[at + inside] != ']')
				return 0;
			at += inside + 1;
		}
		if (text[at] != ',')
			return text[at] == ':' ? at : 0;
		at++;
	}
}

static int annotate(const struct annotation *a, const char *kinds, size_t len, struct err *e)
{
	if (len == 0)
		return annotate_targets(a, KIND_MANIFEST, NULL, e);
	while (len > 0) {
		/* A platform has no comma. */
		const char *comma = memchr(kinds, ',', len);
		const size_t n = comma ? (size_t)(comma - kinds) : len;
		if (annotate_kind(a, kinds, n, e) < 0)
			return err_wrap(e, "option '--annotation'");
		kinds += n + (comma != NULL);
		len -= n + (comma != NULL);
	}
	return 0;
}

int key_value_annotation(struct build_options *opt, const char *text, struct err *e)
{
	const size_t kinds = kinds_len(text);
	const char *value, *pair = text + kinds + (kinds > 0);
	char q[QUOTE_MAX];

	SCOPE_FREE char *key = cut_key("annotation", pair, "KEY=VALUE", &value, e);
	if (!key || key_value_check_text("annotation", pair, e) < 0)
		return -1;
	if (!value)
		return err_set(e, ERR_USAGE, "option '--annotation': '%s' is not KEY=VALUE",
			       quote_str(q, text));
	if (refuse_open_bracket(key, e) < 0)
		return -1;
	if (str_has_prefix(key, RESERVED_PREFIX))
		return err_set(e, ERR_USAGE,
			       "option '--annotation': keys of '" RESERVED_PREFIX
			       "*' are reserved: '%s'",
			       quote_str(q, key));
	if (strlen(value) > LIMIT_ANNOTATION)
		return err_set(e, ERR_LIMIT, "option '--annotation': '%s' has more than %d bytes",
			       quote_str(q, key), (int)LIMIT_ANNOTATION);
	const struct annotation a = {opt, key, value};
	return annotate(&a, text, kinds, e);
}
