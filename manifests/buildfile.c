/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/buildfile.h"

#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/quote.h"
#include "manifests/chars.h"
#include "manifests/directives.h"
#include "manifests/heredocs.h"
#include "manifests/lexer.h"
#include "manifests/lines.h"
#include "manifests/words.h"

struct place instruction_place(const struct instruction *i, size_t offset)
{
	size_t low = 0, high = i->segment_count;

	/* The last segment that starts at or before `offset`; the first one starts at 0. */
	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;
		if (i->segments[middle].offset <= offset)
			low = middle;
		else
			high = middle;
	}
	struct place at = i->segments[low].at;
	at.column += (uint32_t)(offset - i->segments[low].offset);
	return at;
}

const struct flag *instruction_flag(const struct instruction *i, const char *name)
{
	for (size_t k = i->flag_count; k > 0; k--) {
		if (strcmp(i->flags[k - 1].name, name) == 0)
			return &i->flags[k - 1];
	}
	return NULL;
}

int instruction_add_word(struct instruction *i, const char *text, size_t len, size_t offset,
			 bool is_verbatim, struct err *e)
{
	if (array_reserve(&i->words, &i->word_cap, i->word_count + 1, sizeof(*i->words), e) < 0)
		return -1;
	char *copy = str_dup_n(text, len, e);
	if (!copy)
		return -1;
	i->words[i->word_count++] = (struct word){copy, offset, is_verbatim};
	return 0;
}

void instruction_free(struct instruction *i)
{
	if (!i)
		return;
	for (size_t k = 0; k < i->flag_count; k++) {
		free(i->flags[k].name);
		free(i->flags[k].value);
	}
	for (size_t k = 0; k < i->word_count; k++)
		free(i->words[k].text);
	for (size_t k = 0; k < i->heredoc_count; k++)
		free(i->heredocs[k].name);
	free(i->flags);
	free(i->words);
	free(i->heredocs);
	free(i->name);
	free(i->text);
	free(i->segments);
	instruction_free(i->trigger);
	free(i);
}

/* Takes the text and the segments of `line`. */
static struct instruction *instruction_from_line(struct logical_line *line, struct err *e)
{
	SCOPE(instruction) struct instruction *i = array_new(1, sizeof(*i), e);

	if (!i)
		return NULL;
	i->first_line = line->first_line;
	i->last_line = line->last_line;
	i->text = str_steal(&line->text, e);
	if (!i->text)
		return NULL;
	i->segments = steal_ptr(&line->segments);
	i->segment_count = line->segment_count;
	line->segment_count = line->segment_cap = 0;
	return steal_ptr(&i);
}

/* The instruction within ONBUILD; it shares no memory, but all offsets, with the outer one. */
static struct instruction *instruction_inside(const struct instruction *outer, struct err *e)
{
	SCOPE(instruction) struct instruction *i = array_new(1, sizeof(*i), e);

	if (!i)
		return NULL;
	i->first_line = outer->first_line;
	i->last_line = outer->last_line;
	i->text = str_dup(outer->text, e);
	if (!i->text)
		return NULL;
	i->segments = array_new(outer->segment_count, sizeof(*i->segments), e);
	if (!i->segments)
		return NULL;
	memcpy(i->segments, outer->segments, outer->segment_count * sizeof(*i->segments));
	i->segment_count = outer->segment_count;
	return steal_ptr(&i);
}

static int report_unknown(struct instruction *i, struct findings *f, struct err *e)
{
	char quoted[QUOTE_MAX];

	i->is_broken = true;
	if (findings_error(f, ERR_SYNTAX, instruction_place(i, i->name_offset), e,
			   "unknown instruction '%s'", quote_str(quoted, i->name)) < 0)
		return -1;
	return findings_suggest(f, instructions_suggest(i->name), e);
}

/* All but the instruction within ONBUILD. */
static int parse_at(struct instruction *i, size_t from, char escape, struct findings *f,
		    struct err *e)
{
	size_t args_len;

	if (lexer_read_front(i, from, &args_len, e) < 0)
		return -1;
	i->info = instructions_find(i->name, strlen(i->name));
	if (!i->info)
		return report_unknown(i, f, e);
	if (words_cut(i, args_len, escape, f, e) < 0)
		return -1;
	return i->info->has_heredocs && i->form != FORM_JSON ? heredocs_find(i, f, e) : 0;
}

/* One level only: docker has no ONBUILD ONBUILD. */
static int parse_trigger(struct instruction *i, char escape, struct findings *f, struct err *e)
{
	if (i->text[i->args_offset] == '\0')
		return 0;
	i->trigger = instruction_inside(i, e);
	if (!i->trigger || parse_at(i->trigger, i->args_offset, escape, f, e) < 0)
		return -1;
	i->is_broken = i->trigger->is_broken;
	if (!i->trigger->info || i->trigger->info->kind != INSTRUCTION_ONBUILD)
		return 0;
	i->is_broken = true;
	return findings_error(f, ERR_SYNTAX, instruction_place(i, i->args_offset), e,
			      "ONBUILD within ONBUILD");
}

static int parse_line(struct buildfile *b, struct logical_line *line, struct lines *lines,
		      struct findings *f, struct err *e)
{
	const uint32_t empty_line = line->empty_line;

	if (b->count == LIMIT_INSTRUCTIONS) {
		lines->next = (uint32_t)b->source->line_count + 1;
		return findings_error(f, ERR_LIMIT, (struct place){line->first_line, 1}, e,
				      "more than %d instructions", LIMIT_INSTRUCTIONS);
	}
	if (array_reserve(&b->instructions, &b->cap, b->count + 1, sizeof(struct instruction *),
			  e) < 0)
		return -1;
	struct instruction *i = instruction_from_line(line, e);
	if (!i)
		return -1;
	b->instructions[b->count++] = i;
	if (empty_line > 0 && findings_warn(f, (struct place){empty_line, 1}, e,
					    "empty line inside of a continued instruction") < 0)
		return -1;
	if (parse_at(i, 0, lines->escape, f, e) < 0)
		return -1;
	if (i->info && i->info->rule == RULE_TRIGGER && parse_trigger(i, lines->escape, f, e) < 0)
		return -1;
	if (!i->trigger)
		return heredocs_read(i, b->source, &lines->next, f, e);
	if (heredocs_read(i->trigger, b->source, &lines->next, f, e) < 0)
		return -1;
	i->last_line = i->trigger->last_line;
	i->is_broken = i->is_broken || i->trigger->is_broken;
	return 0;
}

/* Escape characters at the ends of lines, and nothing else. */
static bool is_blank(const struct logical_line *line)
{
	const char *s = str_text(&line->text);
	size_t len = line->text.len;

	chars_trim(&s, &len);
	return len == 0;
}

struct buildfile *buildfile_parse(const struct source *source, struct findings *f, struct err *e)
{
	SCOPE(buildfile) struct buildfile *b = array_new(1, sizeof(*b), e);
	int more;

	if (!b)
		return NULL;
	b->source = source;
	if (directives_parse(b, f, e) < 0)
		return NULL;
	struct lines lines = {source, b->escape, 1};
	do {
		SCOPE(logical_line) struct logical_line line = LOGICAL_LINE_INIT;
		more = lines_next(&lines, &line, e);
		if (more == 1 && !is_blank(&line) && parse_line(b, &line, &lines, f, e) < 0)
			return NULL;
	} while (more == 1);
	return more < 0 ? NULL : steal_ptr(&b);
}

void buildfile_free(struct buildfile *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->directive_count; i++) {
		free(b->directives[i].name);
		free(b->directives[i].value);
	}
	for (size_t i = 0; i < b->count; i++)
		instruction_free(b->instructions[i]);
	free(b->directives);
	free(b->instructions);
	free(b);
}
