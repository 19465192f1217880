/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spellings are unified ("x86_64", "8"), but no variant is made up for a document: it is written
 * again as it came.  What a missing variant stands for counts only when platforms are matched.
 */
#include "image/platform.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/quote.h"
#include "base/scope.h"
#include "base/str.h"

/* Source: containerd, platforms, "Normalize". */
static const struct {
	const char *spelling;
	const char *architecture;
	const char *variant; /* implied by the spelling; NULL: none */
} architectures[] = {
	{"i386", "386", NULL},      {"i486", "386", NULL},
	{"i586", "386", NULL},      {"i686", "386", NULL},
	{"x86_64", "amd64", NULL},  {"x86-64", "amd64", NULL},
	{"aarch64", "arm64", NULL}, {"armhf", "arm", "v7"},
	{"armel", "arm", "v6"},     {"armv5l", "arm", "v5"},
	{"armv6l", "arm", "v6"},    {"armv7l", "arm", "v7"},
	{"armv8l", "arm", "v8"},    {"loongarch64", "loong64", NULL},
};

static const struct {
	const char *architecture;
	const char *variant;
} default_variants[] = {{"amd64", "v1"}, {"arm", "v7"}, {"arm64", "v8"}};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static char to_lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c;
}

/* Lower-cases; false when the text cannot be a member of a platform. */
static bool put_field(char field[static PLATFORM_FIELD_MAX], const char *text, size_t len)
{
	if (len >= PLATFORM_FIELD_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		const char c = to_lower(text[i]);
		if (!is_lower(c) && !is_digit(c) && !(i > 0 && c && strchr("._-", c)))
			return false;
		field[i] = c;
	}
	memset(field + len, 0, PLATFORM_FIELD_MAX - len);
	return true;
}

static void set_field(char field[static PLATFORM_FIELD_MAX], const char *text)
{
	put_field(field, text, strlen(text));
}

static void normalise(struct platform *p)
{
	if (strcmp(p->os, "macos") == 0)
		set_field(p->os, "darwin");
	for (size_t i = 0; i < ARRAY_LEN(architectures); i++) {
		if (strcmp(architectures[i].spelling, p->architecture) != 0)
			continue;
		set_field(p->architecture, architectures[i].architecture);
		if (!p->variant[0] && architectures[i].variant)
			set_field(p->variant, architectures[i].variant);
		break;
	}
	const size_t len = strlen(p->variant);
	if (is_digit(p->variant[0]) && len + 1 < PLATFORM_FIELD_MAX) {
		memmove(p->variant + 1, p->variant, len + 1);
		p->variant[0] = 'v';
	}
}

static const char *default_variant(const char *architecture)
{
	for (size_t i = 0; i < ARRAY_LEN(default_variants); i++) {
		if (strcmp(default_variants[i].architecture, architecture) == 0)
			return default_variants[i].variant;
	}
	return "";
}

int platform_parse(struct platform *out, const char *text, struct err *e)
{
	char quoted[QUOTE_MAX];
	struct platform p = {"", "", ""};
	const char *slash = strchr(text, '/');
	const char *arch = slash ? slash + 1 : text + strlen(text);
	const size_t arch_len = strcspn(arch, "/");
	const char *variant = arch[arch_len] ? arch + arch_len + 1 : NULL;

	if (!slash || slash == text || arch_len == 0 || (variant && !*variant) ||
	    !put_field(p.os, text, (size_t)(slash - text)) ||
	    !put_field(p.architecture, arch, arch_len) ||
	    (variant && !put_field(p.variant, variant, strlen(variant))))
		return err_set(e, ERR_SYNTAX, "platform '%s' is not OS/ARCHITECTURE[/VARIANT]",
			       quote_str(quoted, text));
	normalise(&p);
	/* As containerd: who says linux/arm wants neither v5 nor v6. */
	if (!p.variant[0] && strcmp(p.architecture, "arm") == 0)
		set_field(p.variant, default_variant(p.architecture));
	*out = p;
	return 0;
}

static int read_field(char field[static PLATFORM_FIELD_MAX], const char *text, const char *name,
		      struct err *e)
{
	char quoted[QUOTE_MAX];

	/* Longer than any field is wrong already; a huge string need not be measured. */
	if (!put_field(field, text, strnlen(text, PLATFORM_FIELD_MAX)))
		return err_set(e, ERR_FORMAT, "platform: %s '%s' is malformed", name,
			       quote_str(quoted, text));
	return 0;
}

int platform_from_fields(struct platform *out, const char *os, const char *architecture,
			 const char *variant, struct err *e)
{
	struct platform p = {"", "", ""};

	if (!*os || !*architecture)
		return err_set(e, ERR_FORMAT, "platform: %s is empty", *os ? "architecture" : "os");
	if (read_field(p.os, os, "os", e) < 0 ||
	    read_field(p.architecture, architecture, "architecture", e) < 0 ||
	    (variant && read_field(p.variant, variant, "variant", e) < 0))
		return -1;
	normalise(&p);
	*out = p;
	return 0;
}

struct platform platform_host(void)
{
	struct platform p = {"linux", "", ""};
	struct utsname host;

	if (uname(&host) < 0 || !put_field(p.architecture, host.machine, strlen(host.machine)))
		set_field(p.architecture, "unknown");
	normalise(&p);
	return p;
}

const char *platform_format(const struct platform *p, char buf[static PLATFORM_STR_MAX])
{
	snprintf(buf, PLATFORM_STR_MAX, "%s/%s%s%s", p->os, p->architecture,
		 p->variant[0] ? "/" : "", p->variant);
	return buf;
}

bool platform_is_baseline(const struct platform *p)
{
	return !p->variant[0] || strcmp(p->variant, default_variant(p->architecture)) == 0;
}

void platform_unify(struct platform *p)
{
	if (strcmp(p->architecture, "arm") != 0 && platform_is_baseline(p))
		set_field(p->variant, "");
}

bool platform_equal(const struct platform *a, const struct platform *b)
{
	return strcmp(a->os, b->os) == 0 && strcmp(a->architecture, b->architecture) == 0 &&
	       strcmp(a->variant, b->variant) == 0;
}

/* "v7" is 7; -1: variants of this kind have no order. */
static int variant_level(const char *variant)
{
	uint64_t level;

	if (variant[0] != 'v' ||
	    str_to_u64(variant + 1, strlen(variant + 1), 10, INT16_MAX, &level) < 0)
		return -1;
	return (int)level;
}

bool platform_matches(const struct platform *have, const struct platform *want)
{
	if (strcmp(have->os, want->os) != 0 || strcmp(have->architecture, want->architecture) != 0)
		return false;
	if (!want->variant[0])
		return true;

	const char *variant =
		have->variant[0] ? have->variant : default_variant(have->architecture);
	if (strcmp(variant, want->variant) == 0)
		return true;
	/* The levels of these build upon each other: a v7 processor runs v6 code. */
	const int level = variant_level(variant), wanted = variant_level(want->variant);
	return *default_variant(have->architecture) && level >= 0 && level <= wanted;
}
