/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include "base/suggest.h"

enum {
	HELP_COLUMN = 28, /* where the text of an option begins */
	HELP_WIDTH = 80,
	COMMANDS_MAX = 64, /* that a typo is compared with */
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

const char *command_suggest(const char *name)
{
	const char *names[COMMANDS_MAX];
	size_t count = 0;

	for (; commands[count] && count < COMMANDS_MAX; count++)
		names[count] = commands[count]->name;
	return suggest_nearest(name, names, count);
}

/* Appends `text` from HELP_COLUMN on, broken at blanks before HELP_WIDTH. */
static int append_wrapped(struct str *out, const char *text, struct err *e)
{
	size_t column = HELP_COLUMN;

	while (*text) {
		const size_t word = strcspn(text, " ");
		if (column > HELP_COLUMN && column + 1 + word > HELP_WIDTH) {
			if (str_appendf(out, e, "\n%*s", HELP_COLUMN, "") < 0)
				return -1;
			column = HELP_COLUMN;
		} else if (column > HELP_COLUMN) {
			if (str_append_c(out, ' ', e) < 0)
				return -1;
			column++;
		}
		if (str_append(out, text, word, e) < 0)
			return -1;
		column += word;
		text += word + strspn(text + word, " ");
	}
	return str_append_c(out, '\n', e);
}

static int append_option(struct str *out, const struct option *o, struct err *e)
{
	SCOPE(str) struct str left = STR_INIT;

	if (o->letter ? str_appendf(&left, e, "  -%c, --%s", o->letter, o->name) < 0
		      : str_appendf(&left, e, "      --%s", o->name) < 0)
		return -1;
	if (o->value && str_appendf(&left, e, " %s", o->value) < 0)
		return -1;
	if (left.len + 2 > HELP_COLUMN) {
		if (str_appendf(out, e, "%s\n%*s", str_text(&left), HELP_COLUMN, "") < 0)
			return -1;
	} else if (str_appendf(out, e, "%-*s", HELP_COLUMN, str_text(&left)) < 0) {
		return -1;
	}
	return append_wrapped(out, o->help, e);
}

static int append_options(struct str *out, const struct option *table, struct err *e)
{
	for (const struct option *o = table; o && o->name; o++) {
		if (append_option(out, o, e) < 0)
			return -1;
	}
	return 0;
}

int command_help(const struct command *command, struct str *out, struct err *e)
{
	if (str_appendf(out, e, "Usage: shale %s %s\n\n%s.\n\nOptions:\n", command->name,
			command->synopsis, command->summary) < 0)
		return -1;
	if (append_options(out, command->options, e) < 0 ||
	    append_options(out, common_options, e) < 0)
		return -1;
	return str_appendf(out, e, "\nSee shale-%s(1).\n", command->name);
}

int commands_help(struct str *out, struct err *e)
{
	if (str_append_z(out,
			 "Usage: shale COMMAND [OPTION]... [ARGUMENT]...\n"
			 "\n"
			 "Builds, signs, verifies and mounts images.\n"
			 "\n"
			 "Commands:\n",
			 e) < 0)
		return -1;
	for (size_t i = 0; commands[i]; i++) {
		if (str_appendf(out, e, "  %-10s %s\n", commands[i]->name, commands[i]->summary) <
		    0)
			return -1;
	}
	return str_append_z(
		out,
		"\n"
		"shale COMMAND --help tells about one of them; shale --version the version.\n"
		"See shale(1).\n",
		e);
}
