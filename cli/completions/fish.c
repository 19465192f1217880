/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fish: a `complete` for each option and argument; the functions that they call are in engine.fish.
 */
#include "cli/completions/completions.h"

static int append_text(struct str *out, const char *text, struct err *e)
{
	return completions_quoted(out, text, strlen(text), "\\", "\\'", e);
}

/* What completes a value or an argument: files with -F, all else with -a. */
static int append_action(struct str *out, const struct command *c, const char *name, size_t len,
			 struct err *e)
{
	static const struct {
		const char *before, *after;
	} actions[] = {
		[WORD_FILE] = {" -F", ""},
		[WORD_DIRECTORY] = {" -a '(__fish_complete_directories)'", ""},
		[WORD_IMAGE] = {" -a '(__shale_images)'", ""},
		[WORD_IMAGE_PATH] = {" -F -a '(__shale_images :/)'", ""},
		[WORD_MOUNT] = {" -a '(__shale_mounts)'", ""},
		[WORD_SESSION] = {" -a '(__shale_sessions)'", ""},
		[WORD_SESSION_PATH] = {" -F -a '(__shale_sessions :/)'", ""},
		[WORD_CHOICE] = {" -a '", "'"},
		[WORD_PAIR] = {" -a '", "'"},
		[WORD_LIST] = {" -a '(__fish_append , ", ")'"},
		[WORD_PREFIXED] = {" -a '(__shale_prefixed ", ")'"},
		[WORD_COMMAND] = {" -a '(__fish_complete_command)'", ""},
		[WORD_OTHER] = {"", ""},
	};
	const struct meaning m = word_meaning(c, name, len);

	return str_append_z(out, actions[m.kind].before, e) < 0 ||
			       completions_choices(out, m, " ", e) < 0 ||
			       str_append_z(out, actions[m.kind].after, e) < 0
		       ? -1
		       : 0;
}

static int append_option(struct str *out, const struct command *c, const struct option *o,
			 struct err *e)
{
	if ((c->runs_command
		     ? str_appendf(out, e, "complete -c shale -n '__shale_at %s -le %zu option'",
				   c->name, c->own_args + 1)
		     : str_appendf(out, e, "complete -c shale -n '__shale_in %s'", c->name)) < 0 ||
	    (o->letter && str_appendf(out, e, " -s %c", o->letter) < 0) ||
	    str_appendf(out, e, " -l %s -d '", o->name) < 0 || append_text(out, o->help, e) < 0 ||
	    str_append_c(out, '\'', e) < 0)
		return -1;
	if (o->value) {
		const size_t len = strlen(o->value);
		const bool is_file = word_meaning(c, o->value, len).kind == WORD_FILE;
		if (str_append_z(out, is_file ? " -r" : " -x", e) < 0 ||
		    append_action(out, c, o->value, len, e) < 0)
			return -1;
	}
	return str_append_c(out, '\n', e);
}

static int append_argument(struct str *out, const struct command *c, const struct argument *a,
			   int number, struct err *e)
{
	return str_appendf(out, e, "complete -c shale -n '__shale_at %s %s %d", c->name,
			   a->is_repeated ? "-ge" : "-eq", number) < 0 ||
			       (c->runs_command &&
				str_appendf(out, e, " command %zu", c->own_args) < 0) ||
			       str_append_c(out, '\'', e) < 0 ||
			       append_action(out, c, a->name, a->len, e) < 0 ||
			       str_append_c(out, '\n', e) < 0
		       ? -1
		       : 0;
}

static int append_command(struct str *out, const struct command *c, struct err *e)
{
	const char *at = c->synopsis;
	const struct option *o;
	struct argument a;

	for (int i = 0; i < 2; i++) {
		if (str_appendf(out, e, "%scomplete -c shale -n '__shale_at %s' -a %s -d '",
				i ? "" : "\n", i ? "help -eq 1" : "-", c->name) < 0 ||
		    append_text(out, c->summary, e) < 0 || str_append_z(out, "'\n", e) < 0)
			return -1;
	}
	for (size_t i = 0; (o = option_next(c, &i));) {
		if (append_option(out, c, o, e) < 0)
			return -1;
	}
	for (int number = 1; argument_next(c, &at, &a); number++) {
		if (append_argument(out, c, &a, number, e) < 0)
			return -1;
	}
	return 0;
}

/* The options that take the word behind them. */
static int append_valued(struct str *out, const struct command *c, struct err *e)
{
	const struct option *o;

	if (str_appendf(out, e, "        case %s\n            printf '%%s\\n'", c->name) < 0)
		return -1;
	for (size_t i = 0; (o = option_next(c, &i));) {
		if (!o->value)
			continue;
		if ((o->letter && str_appendf(out, e, " -%c", o->letter) < 0) ||
		    str_appendf(out, e, " --%s", o->name) < 0)
			return -1;
	}
	return str_append_c(out, '\n', e);
}

int completions_fish(struct str *out, struct err *e)
{
	if (str_append_z(out, "\nfunction __shale_valued\n    switch $argv[1]\n", e) < 0)
		return -1;
	for (size_t i = 0; commands[i]; i++) {
		if (append_valued(out, commands[i], e) < 0)
			return -1;
	}
	if (str_append_z(out, "    end\nend\n", e) < 0)
		return -1;
	for (size_t i = 0; commands[i]; i++) {
		if (append_command(out, commands[i], e) < 0)
			return -1;
	}
	return 0;
}
