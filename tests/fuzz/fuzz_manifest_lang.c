/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The build language, from text to plan: every refusal has a report whose places are in the file,
 * every word that is verbatim is in the text where it says, and the same text twice gives the same
 * tree.  Behind a line "#--" the input is the text of every fragment that is included.
 */
#include <string.h>

#include "base/limits.h"
#include "manifests/plan.h"
#include "tests/fuzz/fuzz.h"

static const char fragment_mark[] = "\n#--\n";

/* An input in its two parts. */
struct texts {
	const uint8_t *data;
	size_t size;             /* of the build file */
	const uint8_t *fragment; /* NULL: none */
	size_t fragment_size;
};

static int read_fragment(void *ctx, const char *path, struct str *out, struct err *e)
{
	const struct texts *t = ctx;

	FUZZ_CHECK(path[0] && path[0] != '/' && strlen(path) <= LIMIT_PATH);
	if (!t->fragment)
		return 0;
	return str_append(out, t->fragment, t->fragment_size, e) < 0 ? -1 : 1;
}

static struct buildfile *parse(struct texts *t, struct source *s, struct findings *f, struct err *e)
{
	const struct includes in = {read_fragment, t, "dir/Shalefile"};

	return buildfile_parse_including(s, &in, f, e);
}

static void check_place(const struct source *all, struct place at)
{
	const struct source *s = source_at(all, at);
	size_t len;

	FUZZ_CHECK(s->file == at.file);
	if (at.line == 0)
		return;
	FUZZ_CHECK(at.line <= s->line_count);
	source_line(s, at.line, &len);
	/* Just behind a line there may be something missing, or blanks and an escape were cut. */
	FUZZ_CHECK(at.column >= 1 && at.column <= len + 1);
}

static void check_instruction(const struct source *all, const struct instruction *i)
{
	const struct source *s = i->source;
	const size_t len = strlen(i->text);

	FUZZ_CHECK(i->first_line >= 1 && i->first_line <= i->last_line &&
		   i->last_line <= s->line_count);
	for (size_t k = 0; k < i->word_count; k++) {
		const struct word *w = &i->words[k];
		const size_t n = strlen(w->text);
		FUZZ_CHECK(w->offset <= len);
		FUZZ_CHECK(!w->is_verbatim ||
			   (w->offset + n <= len && memcmp(i->text + w->offset, w->text, n) == 0));
		check_place(all, instruction_place(i, w->offset));
	}
	for (size_t k = 0; k < i->flag_count; k++)
		check_place(all, instruction_place(i, i->flags[k].offset));
	for (size_t k = 0; k < i->heredoc_count; k++)
		FUZZ_CHECK(i->heredocs[k].first_line + i->heredocs[k].line_count <=
			   s->line_count + 1);
	if (i->trigger)
		check_instruction(all, i->trigger);
}

static void check_findings(const struct findings *f)
{
	struct err e = ERR_INIT;

	for (size_t k = 0; k < f->count; k++)
		check_place(f->source, f->items[k].at);
	if (findings_raise(f, &e) == 0) {
		FUZZ_CHECK(f->error_count == 0 && e.code == ERR_NONE);
		return;
	}
	FUZZ_CHECK(e.code == ERR_SYNTAX || e.code == ERR_UNSUPPORTED || e.code == ERR_LIMIT ||
		   e.code == ERR_NOT_FOUND);
	/* No terminal is told anything by a build file. */
	for (const char *c = e.msg; *c; c++)
		FUZZ_CHECK((unsigned char)*c >= ' ' || *c == '\n' || *c == '\t');
	err_clear(&e);
}

static void check_tree_again(struct texts *t, const struct buildfile *b)
{
	struct err e = ERR_INIT;
	SCOPE(source) struct source s = SOURCE_INIT;

	FUZZ_CHECK(source_init(&s, "Shalefile", t->data, t->size, &e) == 0);
	SCOPE(findings) struct findings f = FINDINGS_INIT(&s);
	SCOPE(buildfile) struct buildfile *again = parse(t, &s, &f, &e);
	SCOPE(str) struct str one = STR_INIT;
	SCOPE(str) struct str two = STR_INIT;

	FUZZ_CHECK(again && buildfile_dump(b, &one, &e) == 0 &&
		   buildfile_dump(again, &two, &e) == 0);
	FUZZ_CHECK(one.len == two.len && memcmp(str_text(&one), str_text(&two), one.len) == 0);
}

static void check_plan(const struct plan *p)
{
	for (size_t k = 0; k < p->step_count; k++) {
		const struct plan_step *s = &p->steps[k];
		FUZZ_CHECK(s->history && s->history[0] && s->at.line > 0);
		if (s->kind == PLAN_COPY) {
			FUZZ_CHECK(s->copy.sources.count + s->copy.text_count > 0 &&
				   s->copy.dest[0] == '/');
			FUZZ_CHECK(s->copy.patterns.count ==
				   (s->copy.keeps_parents ? s->copy.sources.count : 0));
			for (size_t n = 0; n < s->copy.text_count; n++)
				FUZZ_CHECK(!strchr(s->copy.texts[n].name, '/') &&
					   s->copy.texts[n].text);
			FUZZ_CHECK(strlen(s->copy.dest) <= LIMIT_PATH + 1);
		}
		FUZZ_CHECK((s->kind == PLAN_WORKDIR) == (s->path != NULL));
	}
}

static void run(struct texts *t, struct findings *f, const struct buildfile *b)
{
	struct err e = ERR_INIT;
	SCOPE(strmap) struct strmap args = STRMAP_INIT;
	const struct plan_inputs in = {.build_args = &args,
				       .target = {"linux", "arm64", "v8"},
				       .build = {"linux", "amd64", NULL}};

	FUZZ_CHECK(strmap_set(&args, "A", "given", &e) == 0);
	SCOPE(plan) struct plan *p = plan_new(b, &in, f, &e);
	if (p && plan_stage(p, NULL, &e) == 0 && findings_raise(f, &e) == 0)
		check_plan(p);
	FUZZ_CHECK((e.code == ERR_NONE) == (f->error_count == 0));
	err_clear(&e);
	check_findings(f);
	check_tree_again(t, b);
}

static struct texts split(const uint8_t *data, size_t size)
{
	const size_t mark = sizeof(fragment_mark) - 1;
	const uint8_t *at = size ? memmem(data, size, fragment_mark, mark) : NULL;

	if (!at)
		return (struct texts){data, size, NULL, 0};
	return (struct texts){data, (size_t)(at - data) + 1, at + mark,
			      size - (size_t)(at - data) - mark};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	SCOPE(source) struct source s = SOURCE_INIT;
	struct texts t = split(data, size);

	if (source_init(&s, "Shalefile", t.data, t.size, &e) < 0) {
		FUZZ_CHECK(e.code == ERR_SYNTAX || e.code == ERR_LIMIT);
		err_clear(&e);
		return 0;
	}
	SCOPE(findings) struct findings f = FINDINGS_INIT(&s);
	SCOPE(buildfile) struct buildfile *b = parse(&t, &s, &f, &e);
	FUZZ_CHECK(b && e.code == ERR_NONE);
	for (size_t k = 0; k < b->count; k++)
		check_instruction(&s, b->instructions[k]);
	run(&t, &f, b);
	return 0;
}
