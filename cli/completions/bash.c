/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bash: a function that sets, for a command, what engine.bash looks up: its options, what each
 * value is and what each argument is, in the words of _shale_complete.
 */
#include "cli/completions/completions.h"

static const char *const kinds[] = {
	[WORD_FILE] = "file",
	[WORD_DIRECTORY] = "directory",
	[WORD_IMAGE] = "image",
	[WORD_IMAGE_PATH] = "image-path",
	[WORD_MOUNT] = "mount",
	[WORD_SESSION] = "session",
	[WORD_SESSION_PATH] = "session-path",
	[WORD_CHOICE] = "choice",
	[WORD_PAIR] = "pair",
	[WORD_LIST] = "list",
	[WORD_PREFIXED] = "prefixed",
	[WORD_COMMAND] = "command",
	[WORD_OTHER] = "other",
};

static int append_kind(struct str *out, const struct command *c, const char *name, size_t len,
		       struct err *e)
{
	const struct meaning m = word_meaning(c, name, len);

	return str_appendf(out, e, "'%s%s", kinds[m.kind], m.choices ? " " : "") < 0 ||
			       completions_choices(out, m, " ", e) < 0 ||
			       str_append_c(out, '\'', e) < 0
		       ? -1
		       : 0;
}

static int append_options(struct str *out, const struct command *c, struct err *e)
{
	const struct option *o;

	if (str_append_z(out, "        options='", e) < 0)
		return -1;
	for (size_t at = 0; (o = option_next(c, &at));) {
		if ((o->letter && str_appendf(out, e, "-%c ", o->letter) < 0) ||
		    str_appendf(out, e, "--%s ", o->name) < 0)
			return -1;
	}
	str_truncate(out, out->len - 1);
	return str_append_z(out, "'\n", e);
}

static int append_values(struct str *out, const struct command *c, struct err *e)
{
	const struct option *o;

	if (str_append_z(out, "        values=(\n", e) < 0)
		return -1;
	for (size_t at = 0; (o = option_next(c, &at));) {
		if (!o->value)
			continue;
		if (o->letter && (str_appendf(out, e, "            [-%c]=", o->letter) < 0 ||
				  append_kind(out, c, o->value, strlen(o->value), e) < 0 ||
				  str_append_c(out, '\n', e) < 0))
			return -1;
		if (str_appendf(out, e, "            [--%s]=", o->name) < 0 ||
		    append_kind(out, c, o->value, strlen(o->value), e) < 0 ||
		    str_append_c(out, '\n', e) < 0)
			return -1;
	}
	return str_append_z(out, "        )\n", e);
}

static int append_arguments(struct str *out, const struct command *c, struct err *e)
{
	const char *at = c->synopsis;
	struct argument a = {.name = NULL};

	if (str_append_z(out, "        arguments=(", e) < 0)
		return -1;
	for (bool is_first = true; argument_next(c, &at, &a); is_first = false) {
		if ((!is_first && str_append_c(out, ' ', e) < 0) ||
		    append_kind(out, c, a.name, a.len, e) < 0)
			return -1;
	}
	return str_appendf(out, e, ")\n        repeats=%s\n", a.is_repeated ? "1" : "");
}

int completions_bash(struct str *out, struct err *e)
{
	if (str_append_z(out, "\n_shale_commands='", e) < 0)
		return -1;
	for (size_t i = 0; commands[i]; i++) {
		if (str_appendf(out, e, "%s ", commands[i]->name) < 0)
			return -1;
	}
	if (str_append_z(out,
			 "help'\n\n"
			 "# What a command takes, into variables of _shale.\n"
			 "_shale_table()\n{\n    case $1 in\n",
			 e) < 0)
		return -1;
	for (size_t i = 0; commands[i]; i++) {
		if (str_appendf(out, e, "    %s)\n", commands[i]->name) < 0 ||
		    append_options(out, commands[i], e) < 0 ||
		    append_values(out, commands[i], e) < 0 ||
		    append_arguments(out, commands[i], e) < 0 ||
		    str_append_z(out, "        ;;\n", e) < 0)
			return -1;
	}
	return str_append_z(out, "    *) return 1 ;;\n    esac\n}\n\ncomplete -F _shale shale\n",
			    e);
}
