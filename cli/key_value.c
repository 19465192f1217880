/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/key_value.h"

#include <stdbool.h>
#include <string.h>

#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "base/utf8.h"

/* What shale itself writes about images. */
#define RESERVED_PREFIX "io.shale."

/* The documents of an image are JSON, which has no room for other bytes. */
static int check_text(const char *option, const char *text, struct err *e)
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

	if (!key || check_text("label", text, e) < 0)
		return -1;
	return strmap_set(to, key, value ? value : "", e);
}

/* One kind of docker's, "manifest" or "manifest[linux/arm64]", `len` bytes. */
static int check_kind(const char *kind, size_t len, const struct platform *platform, struct err *e)
{
	static const char manifest[] = "manifest";
	const char *bracket = memchr(kind, '[', len);
	const size_t name_len = bracket ? (size_t)(bracket - kind) : len;
	char q[QUOTE_MAX], ours[PLATFORM_STR_MAX];
	struct platform want;

	if (name_len != strlen(manifest) || memcmp(kind, manifest, name_len) != 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "annotations for '%s' are not supported: one manifest is made, and "
			       "no index",
			       quote_bytes(q, kind, len));
	if (!bracket)
		return 0;
	/* A "]" ends it: see kinds_len. */
	SCOPE_FREE char *text = str_dup_n(bracket + 1, len - name_len - 2, e);
	if (!text || platform_parse(&want, text, e) < 0)
		return -1;
	if (platform_matches(platform, &want))
		return 0;
	return err_set(e, ERR_USAGE, "'%s' is not the platform that is built, %s",
		       quote_str(q, text), platform_format(platform, ours));
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

static int check_kinds(const char *text, size_t len, const struct platform *platform, struct err *e)
{
	while (len > 0) {
		/* A platform has no comma. */
		const char *comma = memchr(text, ',', len);
		const size_t n = comma ? (size_t)(comma - text) : len;
		if (check_kind(text, n, platform, e) < 0)
			return err_wrap(e, "option '--annotation'");
		text += n + (comma != NULL);
		len -= n + (comma != NULL);
	}
	return 0;
}

int key_value_annotation(struct strmap *to, const char *text, const struct platform *platform,
			 struct err *e)
{
	const size_t kinds = kinds_len(text);
	const char *value, *pair = text + kinds + (kinds > 0);
	char q[QUOTE_MAX];

	if (check_kinds(text, kinds, platform, e) < 0)
		return -1;
	SCOPE_FREE char *key = cut_key("annotation", pair, "KEY=VALUE", &value, e);
	if (!key || check_text("annotation", pair, e) < 0)
		return -1;
	if (!value)
		return err_set(e, ERR_USAGE, "option '--annotation': '%s' is not KEY=VALUE",
			       quote_str(q, text));
	if (str_has_prefix(key, RESERVED_PREFIX))
		return err_set(e, ERR_USAGE,
			       "option '--annotation': keys of '" RESERVED_PREFIX
			       "*' are reserved: '%s'",
			       quote_str(q, key));
	if (strlen(value) > LIMIT_ANNOTATION)
		return err_set(e, ERR_LIMIT, "option '--annotation': '%s' has more than %d bytes",
			       quote_str(q, key), (int)LIMIT_ANNOTATION);
	return strmap_set(to, key, value, e);
}
