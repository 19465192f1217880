/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zsh: a function that calls _arguments with the specs of a command; the functions that the specs
 * name are in engine.zsh.  In a spec, [ ] : and backslashes of a text have a backslash in front.
 */
#include "cli/completions/completions.h"

/* Text of a spec, for between single quotes. */
static int append_text(struct str *out, const char *text, size_t len, struct err *e)
{
	return completions_quoted(out, text, len, "\\[]:", "'\\''", e);
}

/* What completes a word: the last part of a spec. */
static int append_action(struct str *out, struct meaning m, struct err *e)
{
	static const struct {
		const char *before, *after;
	} actions[] = {
		[WORD_FILE] = {"_files", ""},
		/* _files would offer files where there is no directory. */
		[WORD_DIRECTORY] = {"_path_files -/", ""},
		[WORD_IMAGE] = {"_shale_images", ""},
		[WORD_IMAGE_PATH] = {"_shale_image_paths", ""},
		[WORD_MOUNT] = {"_shale_mounts", ""},
		[WORD_SESSION] = {"_shale_sessions", ""},
		[WORD_SESSION_PATH] = {"_shale_session_paths", ""},
		[WORD_CHOICE] = {"(", ")"},
		[WORD_PAIR] = {" _shale_pair ", ""},
		[WORD_LIST] = {"_values -s , word ", ""},
		/* Behind a blank nothing is added in front of the words. */
		[WORD_PREFIXED] = {" _shale_prefixed ", ""},
		[WORD_COMMAND] = {"_path_commands", ""},
		[WORD_OTHER] = {" ", ""},
	};

	return str_append_z(out, actions[m.kind].before, e) < 0 ||
			       completions_choices(out, m, " ", e) < 0 ||
			       str_append_z(out, actions[m.kind].after, e) < 0
		       ? -1
		       : 0;
}

/* ":NAME:ACTION'" */
static int append_word(struct str *out, const struct command *c, const char *name, size_t len,
		       struct err *e)
{
	return str_append_c(out, ':', e) < 0 || append_text(out, name, len, e) < 0 ||
			       str_append_c(out, ':', e) < 0 ||
			       append_action(out, word_meaning(c, name, len), e) < 0 ||
			       str_append_c(out, '\'', e) < 0
		       ? -1
		       : 0;
}

/* The option's names.  One that takes a value may be given again; one that does not, in either
 * form, once; behind --help nothing matters. */
static int append_names(struct str *out, const struct option *o, struct err *e)
{
	if (str_equal(o->name, "help"))
		return str_append_z(out, "'(- *)'{-h,--help}'", e);
	if (o->value)
		return o->letter ? str_appendf(out, e, "'*'{-%c+,--%s=}'", o->letter, o->name)
				 : str_appendf(out, e, "'*--%s=", o->name);
	return o->letter ? str_appendf(out, e, "'(-%c --%s)'{-%c,--%s}'", o->letter, o->name,
				       o->letter, o->name)
			 : str_appendf(out, e, "'--%s", o->name);
}

static int append_option(struct str *out, const struct command *c, const struct option *o,
			 struct err *e)
{
	if (str_append_z(out, " \\\n            ", e) < 0 || append_names(out, o, e) < 0 ||
	    str_append_c(out, '[', e) < 0 || append_text(out, o->help, strlen(o->help), e) < 0 ||
	    str_append_c(out, ']', e) < 0)
		return -1;
	return o->value ? append_word(out, c, o->value, strlen(o->value), e)
			: str_append_c(out, '\'', e);
}

static int append_command(struct str *out, const struct command *c, struct err *e)
{
	const char *at = c->synopsis;
	const struct option *o;
	struct argument a;

	/* Behind a command all options are its own. */
	if (str_appendf(out, e, "    (%s)\n        _arguments -s -S%s", c->name,
			c->runs_command && c->own_args == 0 ? " -A '-*'" : "") < 0)
		return -1;
	for (size_t i = 0; (o = option_next(c, &i));) {
		if (append_option(out, c, o, e) < 0)
			return -1;
	}
	for (int number = 1; argument_next(c, &at, &a); number++) {
		const bool ends_options = c->own_args > 0 && (size_t)number > c->own_args;
		if (str_append_z(out, ends_options ? " \\\n            '(-)" : " \\\n            '",
				 e) < 0 ||
		    (a.is_repeated ? str_append_c(out, '*', e)
				   : str_appendf(out, e, "%d", number)) < 0 ||
		    append_word(out, c, a.name, a.len, e) < 0)
			return -1;
	}
	return str_append_z(out, "\n        ;;\n", e);
}

int completions_zsh(struct str *out, struct err *e)
{
	if (str_append_z(out,
			 "\n_shale_commands() {\n    local -a commands\n    commands=(\n"
			 "        'help:show the options of a command'\n",
			 e) < 0)
		return -1;
	for (size_t i = 0; commands[i]; i++) {
		const struct command *c = commands[i];
		if (str_appendf(out, e, "        '%s:", c->name) < 0 ||
		    append_text(out, c->summary, strlen(c->summary), e) < 0 ||
		    str_append_z(out, "'\n", e) < 0)
			return -1;
	}
	if (str_append_z(out,
			 "    )\n    _describe -t commands command commands \"$@\"\n}\n\n"
			 "_shale_command() {\n    case $1 in\n"
			 "    (help)\n        _arguments '1:COMMAND:_shale_commands'\n        ;;\n",
			 e) < 0)
		return -1;
	for (size_t i = 0; commands[i]; i++) {
		if (append_command(out, commands[i], e) < 0)
			return -1;
	}
	return str_append_z(out, "    (*) return 1 ;;\n    esac\n}\n\n_shale \"$@\"\n", e);
}
