/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/check_flags.h"

#include <string.h>

#include "base/quote.h"
#include "base/scope.h"
#include "base/str.h"
#include "base/suggest.h"
#include "manifests/chars.h"

enum flag_type { FLAG_TEXT, FLAG_TEXTS /* may be repeated */, FLAG_SWITCH };

struct flag_info {
	enum instruction_kind kind;
	const char *name;
	enum flag_type type;
	bool is_supported;
};

static const struct flag_info table[] = {
	/* clang-format off */
	{INSTRUCTION_FROM,        "platform",       FLAG_TEXT,   true},
	{INSTRUCTION_COPY,        "chown",          FLAG_TEXT,   true},
	{INSTRUCTION_COPY,        "chmod",          FLAG_TEXT,   true},
	{INSTRUCTION_COPY,        "exclude",        FLAG_TEXTS,  true},
	{INSTRUCTION_COPY,        "link",           FLAG_SWITCH, true},
	{INSTRUCTION_COPY,        "from",           FLAG_TEXT,   false},
	{INSTRUCTION_COPY,        "parents",        FLAG_SWITCH, true},
	{INSTRUCTION_ADD,         "chown",          FLAG_TEXT,   true},
	{INSTRUCTION_ADD,         "chmod",          FLAG_TEXT,   true},
	{INSTRUCTION_ADD,         "exclude",        FLAG_TEXTS,  true},
	{INSTRUCTION_ADD,         "link",           FLAG_SWITCH, true},
	{INSTRUCTION_ADD,         "unpack",         FLAG_SWITCH, true},
	{INSTRUCTION_ADD,         "checksum",       FLAG_TEXT,   true},
	{INSTRUCTION_ADD,         "keep-git-dir",   FLAG_SWITCH, true},
	{INSTRUCTION_HEALTHCHECK, "interval",       FLAG_TEXT,   true},
	{INSTRUCTION_HEALTHCHECK, "timeout",        FLAG_TEXT,   true},
	{INSTRUCTION_HEALTHCHECK, "start-period",   FLAG_TEXT,   true},
	{INSTRUCTION_HEALTHCHECK, "start-interval", FLAG_TEXT,   true},
	{INSTRUCTION_HEALTHCHECK, "retries",        FLAG_TEXT,   true},
	/* clang-format on */
};

static const struct flag_info *find(enum instruction_kind kind, const char *name)
{
	for (size_t k = 0; k < ARRAY_LEN(table); k++) {
		if (table[k].kind == kind && strcmp(table[k].name, name) == 0)
			return &table[k];
	}
	return NULL;
}

static int report_unknown(const struct instruction *i, const struct flag *flag, struct findings *f,
			  struct err *e)
{
	const char *known[ARRAY_LEN(table)];
	char quoted[QUOTE_MAX];
	size_t count = 0;

	for (size_t k = 0; k < ARRAY_LEN(table); k++) {
		if (table[k].kind == i->info->kind)
			known[count++] = table[k].name;
	}
	if (findings_error(f, ERR_SYNTAX, instruction_place(i, flag->offset), e,
			   "unknown flag '--%s'", quote_str(quoted, flag->name)) < 0)
		return -1;
	const char *nearest = suggest_nearest(flag->name, known, count);
	if (!nearest)
		return 0;
	SCOPE_FREE char *hint = str_dupf(e, "--%s", nearest);
	return hint ? findings_suggest(f, hint, e) : -1;
}

static bool is_boolean(const char *value)
{
	return chars_equal_fold(value, strlen(value), "true") ||
	       chars_equal_fold(value, strlen(value), "false");
}

static int check_value(const struct instruction *i, const struct flag *flag,
		       const struct flag_info *info, struct findings *f, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (info->type == FLAG_SWITCH && (!flag->value || is_boolean(flag->value)))
		return 0;
	if (info->type != FLAG_SWITCH && flag->value)
		return 0;
	if (!flag->value || flag->value[0] == '\0')
		return findings_error(f, ERR_SYNTAX, instruction_place(i, flag->offset), e,
				      "flag '--%s' needs a value: --%s=...", info->name,
				      info->name);
	return findings_error(f, ERR_SYNTAX, instruction_place(i, flag->value_offset), e,
			      "flag '--%s' is true or false, not '%s'", info->name,
			      quote_str(quoted, flag->value));
}

/* `seen`: by index of the table. */
static int check_one(const struct instruction *i, const struct flag *flag,
		     bool seen[static ARRAY_LEN(table)], struct findings *f, struct err *e)
{
	const struct flag_info *info = find(i->info->kind, flag->name);

	if (!info)
		return report_unknown(i, flag, f, e);
	if (!info->is_supported)
		return findings_error(f, ERR_UNSUPPORTED, instruction_place(i, flag->offset), e,
				      "%s --%s is not supported yet by this version", i->info->name,
				      info->name);
	const bool is_repeated = seen[info - table];
	seen[info - table] = true;
	if (info->type != FLAG_TEXTS && is_repeated)
		return findings_error(f, ERR_SYNTAX, instruction_place(i, flag->offset), e,
				      "flag '--%s' stands twice", info->name);
	return check_value(i, flag, info, f, e);
}

int check_flags(const struct instruction *i, struct findings *f, struct err *e)
{
	bool seen[ARRAY_LEN(table)] = {false};

	for (size_t k = 0; k < i->flag_count; k++) {
		if (check_one(i, &i->flags[k], seen, f, e) < 0)
			return -1;
	}
	return 0;
}
