/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/check.h"

#include <stddef.h>
#include <string.h>

#include "base/quote.h"
#include "manifests/chars.h"
#include "manifests/check_flags.h"

/* What has been seen of the file so far. */
struct seen {
	size_t stages;
	bool is_early_told; /* of instructions in front of FROM */
	const struct instruction *cmd, *entrypoint, *healthcheck;
};

static int report(const struct instruction *i, size_t offset, struct findings *f, struct err *e,
		  const char *msg)
{
	return findings_error(f, ERR_SYNTAX, instruction_place(i, offset), e, "%s %s",
			      i->info->name, msg);
}

static int report_unsupported(const struct instruction *i, struct findings *f, struct err *e)
{
	const char *instead =
		i->info->kind == INSTRUCTION_MAINTAINER ? ": LABEL says the same" : "";

	return findings_error(f, ERR_UNSUPPORTED, instruction_place(i, i->name_offset), e,
			      "%s is not supported yet by this version%s", i->info->name, instead);
}

static int check_heredocs(const struct instruction *i, struct findings *f, struct err *e)
{
	char quoted[QUOTE_MAX];

	for (size_t k = 0; k < i->heredoc_count; k++) {
		if (findings_error(f, ERR_UNSUPPORTED, instruction_place(i, i->heredocs[k].offset),
				   e, "heredocs (%s <<%s) are not supported yet by this version",
				   i->info->name, quote_str(quoted, i->heredocs[k].name)) < 0)
			return -1;
	}
	return 0;
}

/* [a-z][a-z0-9-_.]*, letters of both cases being equal. */
static bool is_stage_name(const char *s)
{
	if (!(chars_lower(*s) >= 'a' && chars_lower(*s) <= 'z'))
		return false;
	for (; *s; s++) {
		const char c = chars_lower(*s);
		if (!(c >= 'a' && c <= 'z') && !chars_is_digit((unsigned char)c) &&
		    !strchr("-_.", c))
			return false;
	}
	return true;
}

static int check_from(const struct instruction *i, struct findings *f, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (i->word_count == 1)
		return 0;
	if (i->word_count != 3 ||
	    !chars_equal_fold(i->words[1].text, strlen(i->words[1].text), "AS"))
		return report(i, i->name_offset, f, e, "needs an image, or: image AS name");
	const struct word *name = &i->words[2];
	if (!is_stage_name(name->text))
		return findings_error(f, ERR_SYNTAX, instruction_place(i, name->offset), e,
				      "bad stage name '%s': a letter, then letters, digits or -_.",
				      quote_str(quoted, name->text));
	if (chars_equal_fold(name->text, strlen(name->text), "scratch"))
		return findings_error(f, ERR_SYNTAX, instruction_place(i, name->offset), e,
				      "'scratch' cannot be the name of a stage");
	return 0;
}

static int check_pairs(const struct instruction *i, struct findings *f, struct err *e)
{
	if (i->form == FORM_LEGACY_PAIR &&
	    findings_warn(f, instruction_place(i, i->words[0].offset), e,
			  "'%s name value' is an old form; write name=value", i->info->name) < 0)
		return -1;
	for (size_t k = 0; k < i->word_count; k += 2) {
		if (i->words[k].text[0] == '\0' &&
		    report(i, i->words[k].offset, f, e, "has a value without a name") < 0)
			return -1;
	}
	return 0;
}

static int check_names(const struct instruction *i, struct findings *f, struct err *e)
{
	for (size_t k = 0; k < i->word_count; k++) {
		if (i->words[k].text[0] == '=' &&
		    report(i, i->words[k].offset, f, e, "has a value without a name") < 0)
			return -1;
	}
	return 0;
}

static int check_healthcheck(const struct instruction *i, struct findings *f, struct err *e)
{
	const struct word *type = &i->words[0];
	char quoted[QUOTE_MAX];

	if (chars_equal_fold(type->text, strlen(type->text), "NONE"))
		return i->word_count == 1
			       ? 0
			       : report(i, i->words[1].offset, f, e, "NONE takes no arguments");
	if (!chars_equal_fold(type->text, strlen(type->text), "CMD"))
		return findings_error(f, ERR_SYNTAX, instruction_place(i, type->offset), e,
				      "HEALTHCHECK is NONE or CMD, not '%s'",
				      quote_str(quoted, type->text));
	return i->word_count > 1 ? 0 : report(i, type->offset, f, e, "CMD needs a command");
}

static int check_last_counts(const struct instruction *i, const struct instruction **last,
			     struct findings *f, struct err *e)
{
	const struct instruction *before = *last;

	*last = i;
	if (!before)
		return 0;
	const bool is_elsewhere = i->source != before->source;
	char quoted[QUOTE_MAX];
	return findings_warn(f, instruction_place(before, before->name_offset), e,
			     "%s stands again in line %u%s%s; only the last one counts",
			     i->info->name, i->first_line, is_elsewhere ? " of " : "",
			     is_elsewhere ? quote_str(quoted, i->source->name) : "");
}

static int check_command(const struct instruction *i, struct findings *f, struct err *e)
{
	if (i->word_count > 0 || i->form == FORM_JSON)
		return 0;
	return findings_warn(f, instruction_place(i, i->name_offset), e,
			     "%s without arguments runs an empty shell command", i->info->name);
}

/* Arguments of those instructions that are supported, and have as many as they need. */
static int check_args(const struct instruction *i, struct seen *seen, struct findings *f,
		      struct err *e)
{
	switch (i->info->kind) {
	case INSTRUCTION_FROM:
		return check_from(i, f, e);
	case INSTRUCTION_ENV:
	case INSTRUCTION_LABEL:
		return check_pairs(i, f, e);
	case INSTRUCTION_ARG:
		return check_names(i, f, e);
	case INSTRUCTION_SHELL:
		return i->form == FORM_JSON
			       ? 0
			       : report(i, i->args_offset, f, e,
					"needs a JSON array, like [\"/bin/sh\", \"-c\"]");
	case INSTRUCTION_HEALTHCHECK:
		if (check_healthcheck(i, f, e) < 0)
			return -1;
		return check_last_counts(i, &seen->healthcheck, f, e);
	case INSTRUCTION_CMD:
		if (check_command(i, f, e) < 0)
			return -1;
		return check_last_counts(i, &seen->cmd, f, e);
	case INSTRUCTION_ENTRYPOINT:
		if (check_command(i, f, e) < 0)
			return -1;
		return check_last_counts(i, &seen->entrypoint, f, e);
	case INSTRUCTION_USER:
	case INSTRUCTION_WORKDIR:
	case INSTRUCTION_EXPOSE:
	case INSTRUCTION_VOLUME:
	case INSTRUCTION_STOPSIGNAL:
	case INSTRUCTION_COPY:
	case INSTRUCTION_RUN:
	case INSTRUCTION_ADD:
	case INSTRUCTION_ONBUILD:
	case INSTRUCTION_MAINTAINER:
	case INSTRUCTION_OWN:
		break;
	/* Of a parser that can read fragments, those are left that it has told of. */
	case INSTRUCTION_INCLUDE:
		return i->flag_count > 0 ? 0
					 : findings_error(f, ERR_UNSUPPORTED,
							  instruction_place(i, i->name_offset), e,
							  "INCLUDE needs a context to read from");
	}
	return 0;
}

static size_t words_needed(enum instruction_kind kind)
{
	if (kind == INSTRUCTION_COPY || kind == INSTRUCTION_ADD)
		return 2;
	return kind == INSTRUCTION_CMD || kind == INSTRUCTION_ENTRYPOINT ? 0 : 1;
}

static int check_order(const struct instruction *i, struct seen *seen, struct findings *f,
		       struct err *e)
{
	if (i->info->kind == INSTRUCTION_FROM) {
		if (++seen->stages == 1)
			return 0;
		return findings_error(f, ERR_UNSUPPORTED, instruction_place(i, i->name_offset), e,
				      "more than one stage (FROM) is not supported yet by this "
				      "version");
	}
	if (seen->stages > 0 || seen->is_early_told || i->info->kind == INSTRUCTION_ARG ||
	    i->info->kind == INSTRUCTION_INCLUDE)
		return 0;
	seen->is_early_told = true;
	return report(i, i->name_offset, f, e, "stands before FROM: only ARG may");
}

static int check_one(const struct instruction *i, struct seen *seen, struct findings *f,
		     struct err *e)
{
	if (!i->info)
		return 0;
	if (!i->info->is_supported) {
		if (report_unsupported(i, f, e) < 0)
			return -1;
		return check_heredocs(i->trigger && i->trigger->info ? i->trigger : i, f, e);
	}
	if (check_order(i, seen, f, e) < 0 || check_flags(i, f, e) < 0)
		return -1;
	if (i->is_broken)
		return 0;
	if (i->word_count >= words_needed(i->info->kind))
		return check_args(i, seen, f, e);
	return report(i, i->name_offset, f, e,
		      words_needed(i->info->kind) > 1 ? "needs a source and a destination"
						      : "needs an argument");
}

int check_buildfile(const struct buildfile *b, struct findings *f, bool *is_bad, struct err *e)
{
	const struct place whole = {0, 0, 0};
	struct seen seen = {0};

	for (size_t k = 0; k < b->count; k++) {
		const size_t errors = f->error_count;
		if (check_one(b->instructions[k], &seen, f, e) < 0)
			return -1;
		is_bad[k] = !b->instructions[k]->info || b->instructions[k]->is_broken ||
			    f->error_count > errors;
	}
	if (b->count == 0)
		return findings_error(f, ERR_SYNTAX, whole, e, "the file has no instructions");
	if (seen.stages > 0 || f->error_count > 0)
		return 0;
	return findings_error(f, ERR_SYNTAX, whole, e, "the file has no FROM");
}

bool check_flag_is_true(const struct instruction *i, const char *name)
{
	const struct flag *flag = instruction_flag(i, name);

	return flag && (!flag->value || chars_equal_fold(flag->value, strlen(flag->value), "true"));
}
