/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/buildfile.h"

#include <inttypes.h>
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
static struct instruction *instruction_from_line(struct logical_line *line,
						 const struct lines *lines, struct err *e)
{
	SCOPE(instruction) struct instruction *i = array_new(1, sizeof(*i), e);

	if (!i)
		return NULL;
	i->source = lines->source;
	i->escape = lines->escape;
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
	i->source = outer->source;
	i->escape = outer->escape;
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

/* A build file and its fragments on their way to one tree. */
struct parser {
	struct buildfile *b;
	struct source *sources;    /* gets the fragments */
	const struct includes *in; /* NULL: INCLUDE stays an instruction */
	struct findings *f;
	uint64_t bytes; /* of all texts */
	size_t include_count;
};

/* One more instruction; heredocs and triggers are read. */
static int parse_rest(struct instruction *i, struct lines *lines, struct findings *f, struct err *e)
{
	if (parse_at(i, 0, lines->escape, f, e) < 0)
		return -1;
	if (i->info && i->info->rule == RULE_TRIGGER && parse_trigger(i, lines->escape, f, e) < 0)
		return -1;
	if (!i->trigger)
		return heredocs_read(i, lines->source, &lines->next, f, e);
	if (heredocs_read(i->trigger, lines->source, &lines->next, f, e) < 0)
		return -1;
	i->last_line = i->trigger->last_line;
	i->is_broken = i->is_broken || i->trigger->is_broken;
	return 0;
}

static int parse_source(struct parser *p, const struct source *source, char escape,
			const struct include_chain *chain, struct err *e);

static void drop_last(struct buildfile *b)
{
	instruction_free(b->instructions[--b->count]);
}

/* Parses the text of a fragment in the place of `i`, the last instruction, which is no more. */
static int parse_fragment(struct parser *p, const struct instruction *i,
			  const struct include_chain *chain, const struct str *text, struct err *e)
{
	struct buildfile own = {.escape = '\\'}; /* its directives mean nothing to other texts */
	struct source *source = array_new(1, sizeof(*source), e);

	if (!source)
		return -1;
	if (source_init(source, chain->path, str_text(text), text->len, e) < 0) {
		free(source);
		return findings_take(p->f, instruction_place(i, i->args_offset), e);
	}
	source_add_fragment(p->sources, source);
	drop_last(p->b);
	own.source = source;
	int r = directives_parse(&own, p->f, e);
	if (r == 0)
		r = parse_source(p, source, own.escape, chain, e);
	directives_fini(&own);
	return r;
}

/* The text of `path`: 1, 0 with a finding, -1. */
static int read_fragment(struct parser *p, const char *path, struct place at, struct str *text,
			 struct err *e)
{
	char quoted[QUOTE_MAX];

	/* What is over a limit is told once, and nothing more is read. */
	if (p->bytes > LIMIT_MANIFEST || p->include_count > LIMIT_INCLUDES)
		return 0;
	if (p->include_count++ == LIMIT_INCLUDES)
		return findings_error(p->f, ERR_LIMIT, at, e, "more than %d fragments",
				      LIMIT_INCLUDES);
	const int found = p->in->read(p->in->ctx, path, text, e);
	if (found < 0)
		return findings_take(p->f, at, e) < 0 ? findings_wrap(p->f, at, e) : 0;
	if (!found)
		return findings_error(p->f, ERR_NOT_FOUND, at, e, "no '%s' in the context",
				      quote_str(quoted, path));
	p->bytes += text->len;
	if (p->bytes > LIMIT_MANIFEST)
		return findings_error(p->f, ERR_LIMIT, at, e,
				      "the build file and its fragments have more than %" PRIu64
				      " bytes",
				      (uint64_t)LIMIT_MANIFEST);
	return 1;
}

/* INCLUDE, the last instruction: it is replaced, or stays as one that has errors. */
static int include(struct parser *p, const struct include_chain *chain, struct err *e)
{
	struct instruction *i = p->b->instructions[p->b->count - 1];
	const struct place at = instruction_place(i, i->args_offset);
	SCOPE(str) struct str path = STR_INIT;
	SCOPE(str) struct str text = STR_INIT;

	/* What is missing, check_buildfile tells. */
	if (i->is_broken || i->word_count == 0 || i->flag_count > 0)
		return 0;
	i->is_broken = true;
	if (include_resolve(chain, i->words[0].text, &path, e) < 0)
		return findings_take(p->f, at, e);
	const int good = read_fragment(p, path.data, at, &text, e);
	if (good < 1)
		return good;
	const struct include_chain inner = {path.data, chain};
	return parse_fragment(p, i, &inner, &text, e);
}

/* What only a whole build file has. */
static int refuse_from(struct parser *p, const struct instruction *i, struct err *e)
{
	const struct place at = instruction_place(i, i->name_offset);

	drop_last(p->b);
	return findings_error(p->f, ERR_SYNTAX, at, e,
			      "a file that is included cannot have FROM: it is part of a stage");
}

static int parse_line(struct parser *p, struct logical_line *line, struct lines *lines,
		      const struct include_chain *chain, struct err *e)
{
	const uint32_t empty_line = line->empty_line;
	struct buildfile *b = p->b;

	if (b->count == LIMIT_INSTRUCTIONS) {
		lines->next = (uint32_t)lines->source->line_count + 1;
		return findings_error(p->f, ERR_LIMIT,
				      source_place(lines->source, line->first_line, 1), e,
				      "more than %d instructions", LIMIT_INSTRUCTIONS);
	}
	if (array_reserve(&b->instructions, &b->cap, b->count + 1, sizeof(struct instruction *),
			  e) < 0)
		return -1;
	struct instruction *i = instruction_from_line(line, lines, e);
	if (!i)
		return -1;
	b->instructions[b->count++] = i;
	if (empty_line > 0 && findings_warn(p->f, source_place(lines->source, empty_line, 1), e,
					    "empty line inside of a continued instruction") < 0)
		return -1;
	if (parse_rest(i, lines, p->f, e) < 0)
		return -1;
	if (!i->info || !p->in)
		return 0;
	if (i->info->kind == INSTRUCTION_FROM && chain->outer)
		return refuse_from(p, i, e);
	return i->info->kind == INSTRUCTION_INCLUDE ? include(p, chain, e) : 0;
}

/* Escape characters at the ends of lines, and nothing else. */
static bool is_blank(const struct logical_line *line)
{
	const char *s = str_text(&line->text);
	size_t len = line->text.len;

	chars_trim(&s, &len);
	return len == 0;
}

static int parse_source(struct parser *p, const struct source *source, char escape,
			const struct include_chain *chain, struct err *e)
{
	struct lines lines = {source, escape, 1};
	int more;

	do {
		SCOPE(logical_line) struct logical_line line = LOGICAL_LINE_INIT;
		more = lines_next(&lines, &line, e);
		if (more == 1 && !is_blank(&line) && parse_line(p, &line, &lines, chain, e) < 0)
			return -1;
	} while (more == 1);
	return more;
}

/* `sources` is `source`, when it may get fragments. */
static struct buildfile *parse(const struct source *source, struct source *sources,
			       const struct includes *in, struct findings *f, struct err *e)
{
	SCOPE(buildfile) struct buildfile *b = array_new(1, sizeof(*b), e);
	struct parser p = {b, sources, in, f, source->len, 0};
	const struct include_chain chain = {in ? in->path : "", NULL};

	if (!b)
		return NULL;
	b->source = source;
	if (directives_parse(b, f, e) < 0 || parse_source(&p, source, b->escape, &chain, e) < 0)
		return NULL;
	return steal_ptr(&b);
}

struct buildfile *buildfile_parse(const struct source *source, struct findings *f, struct err *e)
{
	return parse(source, NULL, NULL, f, e);
}

struct buildfile *buildfile_parse_including(struct source *source, const struct includes *in,
					    struct findings *f, struct err *e)
{
	return parse(source, source, in, f, e);
}

void buildfile_free(struct buildfile *b)
{
	if (!b)
		return;
	directives_fini(b);
	for (size_t i = 0; i < b->count; i++)
		instruction_free(b->instructions[i]);
	free(b->instructions);
	free(b);
}
