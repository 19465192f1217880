/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/quote.h"
#include "manifests/check.h"
#include "manifests/glob.h"
#include "manifests/ignore.h"
#include "manifests/plan_private.h"

/* A COPY or ADD that is being put together. */
struct draft {
	struct plan *plan;
	const struct instruction *instruction;
	struct plan_copy copy;
	struct str history;
	bool has_remote; /* a source that is not in the context */
};

void plan_copy_fini(struct plan_copy *c)
{
	for (size_t k = 0; k < c->text_count; k++) {
		free(c->texts[k].name);
		free(c->texts[k].text);
	}
	free(c->texts);
	strlist_fini(&c->sources);
	strlist_fini(&c->patterns);
	strlist_fini(&c->exclude);
	free(c->sources_at);
	free(c->dest);
	free(c->chown);
}

static void draft_fini(struct draft *d)
{
	plan_copy_fini(&d->copy);
	str_fini(&d->history);
}
SCOPE_DEFINE_VALUE(draft, struct draft, draft_fini)

static struct place at_word(const struct draft *d, const struct word *w)
{
	return instruction_place(d->instruction, w->offset);
}

static int report(const struct draft *d, struct place at, struct err *e, const char *msg)
{
	return findings_error(d->plan->private->findings, ERR_SYNTAX, at, e, "%s", msg);
}

/* The expanded value of a flag: 1, 0 without one, or with a finding, or empty; -1. */
static int expand_flag(struct draft *d, const char *name, struct str *out, struct place *at,
		       struct err *e)
{
	const struct flag *flag = instruction_flag(d->instruction, name);

	if (!flag || !flag->value)
		return 0;
	*at = instruction_place(d->instruction, flag->value_offset);
	const struct word w = {flag->value, flag->value_offset, false};
	const int good =
		plan_expand(d->plan, d->instruction, &w, &d->plan->private->vars.stage, out, e);
	if (good < 1 || out->len == 0)
		return good < 0 ? -1 : 0;
	return str_appendf(&d->history, e, " --%s=%s", name, str_text(out)) < 0 ? -1 : 1;
}

static int take_chown(struct draft *d, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	struct place at;

	const int good = expand_flag(d, "chown", &text, &at, e);
	if (good < 1)
		return good;
	const char *user = str_text(&text);
	const char *colon = strchr(user, ':');
	if (colon == user || (colon && (colon[1] == '\0' || strchr(colon + 1, ':'))))
		return report(d, at, e, "--chown takes user or user:group");
	d->copy.chown_at = at;
	d->copy.chown = str_steal(&text, e);
	return d->copy.chown ? 0 : -1;
}

static int take_chmod(struct draft *d, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	struct place at;

	const int good = expand_flag(d, "chmod", &text, &at, e);
	if (good < 1)
		return good;
	if (chmod_parse(&d->copy.chmod, str_text(&text), e) < 0)
		return findings_take(d->plan->private->findings, at, e);
	d->copy.has_chmod = true;
	return 0;
}

/* No variables here, as in docker. */
static int take_excludes(struct draft *d, struct err *e)
{
	const struct instruction *i = d->instruction;

	for (size_t k = 0; k < i->flag_count; k++) {
		const struct flag *flag = &i->flags[k];
		if (strcmp(flag->name, "exclude") != 0 || !flag->value)
			continue;
		if (d->copy.exclude.count == LIMIT_IGNORE_RULES)
			return findings_error(d->plan->private->findings, ERR_LIMIT,
					      instruction_place(i, flag->offset), e,
					      "more than %d patterns", LIMIT_IGNORE_RULES);
		if (strlist_add(&d->copy.exclude, flag->value, e) < 0)
			return -1;
		SCOPE(strlist) struct strlist one = STRLIST_INIT;
		if (strlist_add(&one, flag->value, e) < 0)
			return -1;
		SCOPE(ignore) struct ignore *ig = ignore_new(&one, e);
		if (!ig && findings_take(d->plan->private->findings,
					 instruction_place(i, flag->value_offset), e) < 0)
			return -1;
	}
	return 0;
}

static bool is_remote(const char *source)
{
	return str_has_prefix(source, "http://") || str_has_prefix(source, "https://") ||
	       str_has_prefix(source, "git://") || str_has_prefix(source, "ssh://") ||
	       (str_has_prefix(source, "git@") && strchr(source, ':'));
}

/* What is not in the context. */
static int refuse_remote(struct draft *d, const struct word *w, struct err *e)
{
	d->has_remote = true;
	if (d->instruction->info->kind == INSTRUCTION_COPY)
		return report(d, at_word(d, w), e, "COPY takes no URL, only files of the context");
	return findings_error(d->plan->private->findings, ERR_UNSUPPORTED, at_word(d, w), e,
			      "sources from the network, with --checksum or without, are not "
			      "supported yet by this version: fetch it, and ADD the file");
}

/* Flags of ADD that say something of such sources. */
static int check_remote_flags(const struct draft *d, struct err *e)
{
	static const char *const names[] = {"checksum", "keep-git-dir"};
	const struct instruction *i = d->instruction;

	for (size_t k = 0; k < ARRAY_LEN(names) && !d->has_remote; k++) {
		const struct flag *flag = instruction_flag(i, names[k]);
		if (flag &&
		    findings_error(d->plan->private->findings, ERR_SYNTAX,
				   instruction_place(i, flag->offset), e,
				   "--%s is for sources from the network, and there is none here",
				   names[k]) < 0)
			return -1;
	}
	return 0;
}

/* A clean pattern, "." for the empty one: 1, 0 with a finding, -1. */
static int clean_pattern(const struct draft *d, const struct word *w, const char *text,
			 enum glob_kind kind, struct str *clean, struct err *e)
{
	SCOPE(glob) struct glob ignored = GLOB_INIT;

	if (path_clean(text, clean, e) < 0 || (clean->len == 0 && str_append_c(clean, '.', e) < 0))
		return -1;
	if (glob_init(&ignored, str_text(clean), clean->len, kind, e) == 0)
		return 1;
	return findings_take(d->plan->private->findings, at_word(d, w), e);
}

/* --parents: the path is kept from the "/./" on. */
static int take_pivoted(struct draft *d, const struct word *w, const char *text, struct err *e)
{
	static const char pivot_mark[] = "/./";
	const char *pivot = strstr(text, pivot_mark);
	const char *below = pivot ? pivot + strlen(pivot_mark) : text;
	SCOPE_FREE char *dir = str_dup_n(text, pivot ? (size_t)(pivot - text) : 0, e);
	SCOPE(str) struct str clean_dir = STR_INIT;
	SCOPE(str) struct str clean_below = STR_INIT;

	if (!dir)
		return -1;
	int good = clean_pattern(d, w, dir, GLOB_PLAIN, &clean_dir, e);
	if (good == 1)
		good = clean_pattern(d, w, below, GLOB_DEEP, &clean_below, e);
	if (good < 1)
		return good;
	d->copy.sources_at[d->copy.sources.count] = at_word(d, w);
	return strlist_add(&d->copy.sources, str_text(&clean_dir), e) < 0
		       ? -1
		       : strlist_add(&d->copy.patterns, str_text(&clean_below), e);
}

static int take_source(struct draft *d, const struct word *w, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(str) struct str clean = STR_INIT;

	const int good =
		plan_expand(d->plan, d->instruction, w, &d->plan->private->vars.stage, &text, e);
	if (good < 1)
		return good;
	/* docker would copy the whole context. */
	if (text.len == 0)
		return report(d, at_word(d, w), e, "the source is empty after expansion");
	if (is_remote(str_text(&text)))
		return refuse_remote(d, w, e);
	if (str_appendf(&d->history, e, " %s", str_text(&text)) < 0)
		return -1;
	if (d->copy.keeps_parents)
		return take_pivoted(d, w, str_text(&text), e);
	const int is_clean = clean_pattern(d, w, str_text(&text), GLOB_PLAIN, &clean, e);
	if (is_clean < 1)
		return is_clean;
	d->copy.sources_at[d->copy.sources.count] = at_word(d, w);
	return strlist_add(&d->copy.sources, str_text(&clean), e);
}

/* The heredoc that a word is, or NULL; of a name with blanks, the word is only a part.  Both are in
 * the order of the text, and there may be thousands. */
static const struct heredoc *find_heredoc(const struct instruction *i, const struct word *w)
{
	size_t low = 0, high = i->heredoc_count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (i->heredocs[middle].offset == w->offset)
			return &i->heredocs[middle];
		if (i->heredocs[middle].offset < w->offset)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static int check_heredoc_name(const struct draft *d, const struct heredoc *h, const struct word *w,
			      struct err *e)
{
	char quoted[QUOTE_MAX];

	quote_str(quoted, h->name);
	if (h->len != strlen(w->text))
		return findings_error(d->plan->private->findings, ERR_SYNTAX, at_word(d, w), e,
				      "the heredoc <<%s is cut at blanks here: its name cannot "
				      "have any",
				      quoted);
	if (strchr(h->name, '/') || strcmp(h->name, ".") == 0 || strcmp(h->name, "..") == 0)
		return findings_error(d->plan->private->findings, ERR_SYNTAX, at_word(d, w), e,
				      "the heredoc <<%s makes a file of its name, and that is no "
				      "name of a file",
				      quoted);
	return 0;
}

static int take_heredoc(struct draft *d, const struct heredoc *h, const struct word *w,
			struct err *e)
{
	const size_t errors = d->plan->private->findings->error_count;
	SCOPE(str) struct str text = STR_INIT;

	if (check_heredoc_name(d, h, w, e) < 0)
		return -1;
	if (d->plan->private->findings->error_count > errors)
		return 0;
	const int good = plan_heredoc_text(d->plan, d->instruction, h, &text, e);
	if (good < 1)
		return good;
	struct plan_text *made = &d->copy.texts[d->copy.text_count++];
	made->at = at_word(d, w);
	made->name = str_dup(h->name, e);
	made->text = made->name ? str_steal(&text, e) : NULL;
	return made->text ? str_appendf(&d->history, e, " <<%s", h->name) : -1;
}

/* Names that the files of heredocs keep in a directory. */
static int check_heredoc_paths(const struct draft *d, struct err *e)
{
	const struct plan_copy *c = &d->copy;

	for (size_t k = 0; k < c->text_count && c->is_dest_dir; k++) {
		SCOPE(str) struct str path = STR_INIT;
		if (str_append_z(&path, c->dest, e) < 0 ||
		    str_append_z(&path, c->texts[k].name, e) < 0 ||
		    plan_check_path(d->plan, c->texts[k].at, "the destination", &path, e) < 0)
			return -1;
	}
	return 0;
}

static int take_dest(struct draft *d, const struct word *w, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(str) struct str path = STR_INIT;
	const char *dir = d->plan->config.working_dir;

	const int good =
		plan_expand(d->plan, d->instruction, w, &d->plan->private->vars.stage, &text, e);
	if (good < 1)
		return good;
	const char *dest = str_text(&text);
	d->copy.is_dest_dir = dest[0] == '\0' || strcmp(dest, ".") == 0 ||
			      strcmp(dest, "..") == 0 || str_has_suffix(dest, "/") ||
			      str_has_suffix(dest, "/.") || str_has_suffix(dest, "/..");
	if (str_appendf(&d->history, e, " %s # buildkit", dest) < 0 ||
	    plan_resolve_path(dir ? dir : "/", dest, &path, e) < 0)
		return -1;
	if (plan_check_path(d->plan, at_word(d, w), "the destination", &path, e) < 0)
		return -1;
	if (d->copy.is_dest_dir && path.len > 1 && str_append_c(&path, '/', e) < 0)
		return -1;
	if (d->instruction->word_count > 2 && !d->copy.is_dest_dir)
		return report(d, at_word(d, w), e,
			      "with several sources the destination is a directory, and ends in "
			      "'/'");
	d->copy.dest = str_steal(&path, e);
	return d->copy.dest ? 0 : -1;
}

static int take_words(struct draft *d, struct err *e)
{
	const struct instruction *i = d->instruction;
	const struct word *dest = &i->words[i->word_count - 1];

	d->copy.sources_at = array_new(i->word_count, sizeof(*d->copy.sources_at), e);
	d->copy.texts =
		d->copy.sources_at ? array_new(i->word_count, sizeof(*d->copy.texts), e) : NULL;
	if (!d->copy.texts)
		return -1;
	for (const struct word *w = i->words; w < dest; w++) {
		if (!find_heredoc(i, w) && take_source(d, w, e) < 0)
			return -1;
	}
	/* Behind the others, as docker has them: in the history, and where two have one name. */
	for (const struct word *w = i->words; w < dest; w++) {
		const struct heredoc *h = find_heredoc(i, w);
		if (h && take_heredoc(d, h, w, e) < 0)
			return -1;
	}
	if (find_heredoc(i, dest))
		return report(d, at_word(d, dest), e, "the destination cannot be a heredoc");
	return take_dest(d, dest, e);
}

int plan_copy(struct plan *p, const struct instruction *i, struct err *e)
{
	const size_t errors = p->private->findings->error_count;
	SCOPE(draft) struct draft d = {.plan = p, .instruction = i, .history = STR_INIT};

	d.copy.keeps_parents = check_flag_is_true(i, "parents");
	if (str_append_z(&d.history, i->info->name, e) < 0 ||
	    (d.copy.keeps_parents && str_append_z(&d.history, " --parents", e) < 0) ||
	    take_chown(&d, e) < 0 || take_chmod(&d, e) < 0 || take_excludes(&d, e) < 0 ||
	    take_words(&d, e) < 0)
		return -1;
	if (check_remote_flags(&d, e) < 0 ||
	    (p->private->findings->error_count == errors && check_heredoc_paths(&d, e) < 0))
		return -1;
	if (p->private->findings->error_count > errors)
		return 0;
	d.copy.keeps_modes = p->private->inputs->keeps_modes;
	d.copy.is_link = check_flag_is_true(i, "link");
	d.copy.is_unpacked = i->info->kind == INSTRUCTION_ADD &&
			     (!instruction_flag(i, "unpack") || check_flag_is_true(i, "unpack"));
	struct plan_step *s = plan_add_step(p, i, PLAN_COPY, &d.history, e);
	if (!s)
		return e->code == ERR_NONE ? 0 : -1;
	s->copy = d.copy;
	d.copy = (struct plan_copy){0};
	return 0;
}
