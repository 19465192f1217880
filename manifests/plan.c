/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/plan.h"

#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/path.h"
#include "base/quote.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "manifests/chars.h"
#include "manifests/check.h"
#include "manifests/plan_private.h"

/* What docker gives to a base without PATH. */
static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static struct place word_place(const struct instruction *i, const struct word *w, size_t at)
{
	return instruction_place(i, w->offset + (w->is_verbatim ? at : 0));
}

/* For the last finding.  Of more findings than are kept, each may cost a look at all names. */
static int suggest_name(struct findings *f, const char *wrong, const struct strmap *known,
			struct err *e)
{
	if (!f->is_last_kept)
		return 0;
	SCOPE_FREE const char **names = array_new(known->count, sizeof(*names), e);
	if (!names)
		return -1;
	for (size_t k = 0; k < known->count; k++)
		names[k] = known->items[k].key;
	return findings_suggest(f, suggest_nearest(wrong, names, known->count), e);
}

/* Variables that are not set are no error, but often a mistake. */
int plan_warn_unset(struct plan *p, struct place at, const struct strlist *unset,
		    const struct strmap *vars, struct err *e)
{
	struct findings *f = p->private->findings;
	char quoted[QUOTE_MAX];

	for (size_t k = 0; k < unset->count; k++) {
		if (findings_warn(f, at, e, "variable '$%s' is not set",
				  quote_str(quoted, unset->items[k])) < 0)
			return -1;
		if (suggest_name(f, unset->items[k], vars, e) < 0)
			return -1;
	}
	return 0;
}

/* The documents of an image are JSON, which has no room for other bytes. */
static int check_text(struct plan *p, struct place at, const char *text, size_t len, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (utf8_is_valid(text, len))
		return 1;
	return findings_error(p->private->findings, ERR_SYNTAX, at, e, "'%s' is not UTF-8",
			      quote_bytes(quoted, text, len));
}

static int expand(struct plan *p, const struct instruction *i, const struct word *w,
		  const struct strmap *vars, struct str *out, struct strlist *words, struct err *e)
{
	SCOPE(strlist) struct strlist unset = STRLIST_INIT;
	size_t error_at;
	const struct expander x = {
		.vars = vars,
		.escape = i->escape,
		.unset = &unset,
		.budget = &p->private->budget,
	};
	const int result = words ? expand_words(&x, w->text, words, &error_at, e)
				 : expand_word(&x, w->text, out, &error_at, e);
	if (result < 0)
		return findings_take(p->private->findings, word_place(i, w, error_at), e);
	return plan_warn_unset(p, word_place(i, w, 0), &unset, vars, e) < 0 ? -1 : 1;
}

int plan_expand(struct plan *p, const struct instruction *i, const struct word *w,
		const struct strmap *vars, struct str *out, struct err *e)
{
	const size_t start = out->len;
	const int good = expand(p, i, w, vars, out, NULL, e);

	if (good < 1 || out->len == start)
		return good;
	const int is_text =
		check_text(p, word_place(i, w, 0), out->data + start, out->len - start, e);
	if (is_text == 0)
		str_truncate(out, start);
	return is_text;
}

int plan_expand_many(struct plan *p, const struct instruction *i, const struct word *w,
		     struct strlist *out, struct err *e)
{
	return expand(p, i, w, &p->private->vars.stage, NULL, out, e);
}

bool plan_count_name(struct plan *p, const struct instruction *i, struct err *e)
{
	if (p->private->name_count++ < LIMIT_VARIABLES)
		return true;
	if (p->private->name_count == LIMIT_VARIABLES + 1)
		findings_error(p->private->findings, ERR_LIMIT,
			       instruction_place(i, i->name_offset), e,
			       "more than %d variables, labels and volumes", LIMIT_VARIABLES);
	return false;
}

static void step_fini(struct plan_step *s)
{
	free(s->history);
	free(s->path);
	free(s->owner);
	plan_copy_fini(&s->copy);
}

struct plan_step *plan_add_step(struct plan *p, const struct instruction *i,
				enum plan_step_kind kind, struct str *history, struct err *e)
{
	const struct place at = instruction_place(i, i->name_offset);

	p->private->history_bytes += history->len + 1;
	if (p->private->history_bytes > LIMIT_DOCUMENT) {
		findings_error(p->private->findings, ERR_LIMIT, at, e,
			       "the image's history grows beyond %" PRIu64 " bytes",
			       (uint64_t)LIMIT_DOCUMENT);
		return NULL;
	}
	/* Words have been looked at; this is for values of ARG, which may come from outside. */
	if (check_text(p, at, str_text(history), history->len, e) < 1)
		return NULL;
	if (array_reserve(&p->steps, &p->step_cap, p->step_count + 1, sizeof(*p->steps), e) < 0)
		return NULL;
	char *text = str_steal(history, e);
	if (!text)
		return NULL;
	struct plan_step *s = &p->steps[p->step_count++];
	*s = (struct plan_step){.kind = kind, .at = at, .history = text};
	return s;
}

int plan_resolve_path(const char *dir, const char *path, struct str *out, struct err *e)
{
	SCOPE(str) struct str joined = STR_INIT;
	SCOPE(str) struct str clean = STR_INIT;

	if (path[0] != '/' &&
	    (str_append_z(&joined, dir, e) < 0 || str_append_c(&joined, '/', e) < 0))
		return -1;
	if (str_append_z(&joined, path, e) < 0 || str_append_c(&clean, '/', e) < 0 ||
	    path_clean(str_text(&joined), &clean, e) < 0)
		return -1;
	return str_append(out, str_text(&clean), clean.len, e);
}

int plan_check_path(struct plan *p, struct place at, const char *what, const struct str *path,
		    struct err *e)
{
	char quoted[QUOTE_MAX];

	if (path->len > LIMIT_PATH)
		return findings_error(p->private->findings, ERR_LIMIT, at, e,
				      "%s is a path of more than %d bytes", what, LIMIT_PATH);
	if (path_has_name_with(path->data, path->len, PLAN_WHITEOUT_PREFIX))
		return findings_error(p->private->findings, ERR_UNSUPPORTED, at, e,
				      "'%s': no image can hold a name that starts with "
				      "'" PLAN_WHITEOUT_PREFIX "'",
				      quote_str(quoted, path->data));
	return 0;
}

/* ARG in front of FROM. */
static int plan_global_arg(struct plan *p, const struct instruction *i, struct err *e)
{
	struct vars *vars = &p->private->vars;

	for (size_t k = 0; k < i->word_count; k++) {
		const char *text = i->words[k].text;
		const size_t name_len = strcspn(text, "=");
		if (!plan_count_name(p, i, e))
			return e->code == ERR_NONE ? 0 : -1;
		SCOPE(str) struct str value = STR_INIT;
		SCOPE_FREE char *name = str_dup_n(text, name_len, e);
		if (!name || strmap_set(&vars->declared, name, "", e) < 0)
			return -1;
		const char *given = vars_build_arg(vars, name);
		if (!given && text[name_len] == '=') {
			/* A word of its own, so that places are right. */
			struct word w = i->words[k];
			w.text += name_len + 1;
			w.offset += name_len + 1;
			const int good = plan_expand(p, i, &w, &vars->globals, &value, e);
			if (good < 0)
				return -1;
			given = str_text(&value);
		}
		if (given && vars_set_global(vars, name, given, e) < 0)
			return -1;
	}
	return 0;
}

static int plan_from(struct plan *p, const struct instruction *i, struct err *e)
{
	const struct flag *platform = instruction_flag(i, "platform");
	const struct strmap *globals = &p->private->vars.globals;
	SCOPE(str) struct str reference = STR_INIT;
	SCOPE(str) struct str platform_text = STR_INIT;
	char quoted[QUOTE_MAX];

	p->base.at = instruction_place(i, i->words[0].offset);
	int good = plan_expand(p, i, &i->words[0], globals, &reference, e);
	if (good == 1 && reference.len == 0)
		good = findings_error(p->private->findings, ERR_SYNTAX, p->base.at, e,
				      "the base image '%s' is empty after expansion",
				      quote_str(quoted, i->words[0].text));
	if (good == 1 && platform && platform->value) {
		const struct word w = {platform->value, platform->value_offset, false};
		good = plan_expand(p, i, &w, globals, &platform_text, e);
		if (good == 1 && platform_text.len == 0)
			good = findings_error(p->private->findings, ERR_SYNTAX,
					      instruction_place(i, platform->value_offset), e,
					      "--platform is empty after expansion");
	}
	if (good < 1)
		return good;
	p->base.is_scratch = strcmp(str_text(&reference), "scratch") == 0;
	p->base.reference = p->base.is_scratch ? NULL : str_steal(&reference, e);
	p->base.platform = platform_text.len > 0 ? str_steal(&platform_text, e) : NULL;
	p->base.stage_name = i->word_count == 3 ? str_dup(i->words[2].text, e) : NULL;
	for (char *c = p->base.stage_name; c && *c; c++)
		*c = chars_lower(*c);
	return e->code == ERR_NONE ? 0 : -1;
}

/* All that stands in front of the stage, and its FROM. */
static int plan_front(struct plan *p, struct err *e)
{
	const struct buildfile *b = p->private->buildfile;

	for (size_t k = 0; k < b->count; k++) {
		const struct instruction *i = b->instructions[k];
		if (i->info && i->info->kind == INSTRUCTION_FROM) {
			p->private->from = k;
			return p->private->is_bad[k] ? 0 : plan_from(p, i, e);
		}
		if (i->info && i->info->kind == INSTRUCTION_ARG && !p->private->is_bad[k] &&
		    plan_global_arg(p, i, e) < 0)
			return -1;
	}
	return 0;
}

/* As docker: an argument that no ARG takes is a warning, for it was given in vain. */
static int warn_unused(struct plan *p, struct err *e)
{
	const struct strmap *given = p->private->inputs->build_args;
	const struct strmap *declared = &p->private->vars.declared;
	const struct place whole = {0, 0, 0};
	char quoted[QUOTE_MAX];

	if (!given)
		return 0;
	for (size_t k = 0; k < given->count; k++) {
		const char *name = given->items[k].key;
		if (strmap_get(declared, name) || vars_is_predefined(name))
			continue;
		if (findings_warn(p->private->findings, whole, e,
				  "build argument '%s' was not used: there is no such ARG",
				  quote_str(quoted, name)) < 0)
			return -1;
		if (suggest_name(p->private->findings, name, declared, e) < 0)
			return -1;
	}
	return 0;
}

struct plan *plan_new(const struct buildfile *b, const struct plan_inputs *in, struct findings *f,
		      struct err *e)
{
	SCOPE(plan) struct plan *p = array_new(1, sizeof(*p), e);

	if (!p)
		return NULL;
	plan_config_init(&p->config);
	p->private = array_new(1, sizeof(*p->private), e);
	if (!p->private)
		return NULL;
	p->private->buildfile = b;
	p->private->inputs = in;
	p->private->findings = f;
	p->private->budget = (struct expand_budget)EXPAND_BUDGET_INIT;
	p->private->is_bad = array_new(b->count, sizeof(bool), e);
	if (!p->private->is_bad || vars_init(&p->private->vars, in, e) < 0 ||
	    check_buildfile(b, f, p->private->is_bad, e) < 0 || plan_front(p, e) < 0)
		return NULL;
	/* Over a limit, the rest could only take time and memory. */
	const bool is_over = (!p->base.is_scratch && !p->base.reference) || f->gravest == ERR_LIMIT;
	if (is_over && findings_raise(f, e) < 0)
		return NULL;
	return steal_ptr(&p);
}

static int start_from_scratch(struct plan *p, struct err *e)
{
	p->config.working_dir = str_dup("/", e);
	return p->config.working_dir ? 0 : -1;
}

static int start_from_parent(struct plan *p, const struct plan_config *parent, struct err *e)
{
	if (plan_config_copy(&p->config, parent, e) < 0)
		return -1;
	if (parent->env.count > LIMIT_VARIABLES)
		return findings_error(p->private->findings, ERR_LIMIT, p->base.at, e,
				      "the base image sets more than %d variables",
				      LIMIT_VARIABLES);
	if (parent->onbuild.count == 0)
		return 0;
	return findings_error(p->private->findings, ERR_UNSUPPORTED, p->base.at, e,
			      "the base image has %zu ONBUILD triggers, which are not supported "
			      "yet by this version",
			      parent->onbuild.count);
}

static int set_vars_from_env(struct plan *p, struct err *e)
{
	for (size_t k = 0; k < p->config.env.count; k++) {
		const char *text = p->config.env.items[k];
		const size_t name_len = strcspn(text, "=");
		SCOPE_FREE char *name = str_dup_n(text, name_len, e);
		if (!name)
			return -1;
		const char *value = text[name_len] == '=' ? text + name_len + 1 : "";
		/* Of names that stand twice, ENV changes the first. */
		size_t at = k;
		(void)vars_env_place(&p->private->vars, name, &at);
		if (vars_set_env(&p->private->vars, name, value, at, e) < 0)
			return -1;
	}
	if (strmap_get(&p->private->vars.env, "PATH"))
		return 0;
	return plan_set_env(p, "PATH", default_path, e);
}

/* Words that are taken as they are; false: one is a finding now, or ERR_NOMEM. */
static bool are_words_text(struct plan *p, const struct instruction *i, struct err *e)
{
	for (size_t k = 0; k < i->word_count; k++) {
		const struct word *w = &i->words[k];
		if (check_text(p, word_place(i, w, 0), w->text, strlen(w->text), e) < 1)
			return false;
	}
	return true;
}

static int plan_verbatim(struct plan *p, const struct instruction *i, struct err *e)
{
	if (!are_words_text(p, i, e))
		return e->code == ERR_NONE ? 0 : -1;
	if (i->info->kind == INSTRUCTION_SHELL)
		return plan_shell(p, i, e);
	return i->info->kind == INSTRUCTION_HEALTHCHECK ? plan_healthcheck(p, i, e)
							: plan_command(p, i, e);
}

static int plan_instruction(struct plan *p, const struct instruction *i, struct err *e)
{
	switch (i->info->kind) {
	case INSTRUCTION_ARG:
		return plan_arg(p, i, e);
	case INSTRUCTION_ENV:
		return plan_env(p, i, e);
	case INSTRUCTION_LABEL:
		return plan_label(p, i, e);
	case INSTRUCTION_USER:
		return plan_user(p, i, e);
	case INSTRUCTION_WORKDIR:
		return plan_workdir(p, i, e);
	case INSTRUCTION_EXPOSE:
		return plan_expose(p, i, e);
	case INSTRUCTION_VOLUME:
		return plan_volume(p, i, e);
	case INSTRUCTION_STOPSIGNAL:
		return plan_stop_signal(p, i, e);
	case INSTRUCTION_ENTRYPOINT:
	case INSTRUCTION_CMD:
	case INSTRUCTION_SHELL:
	case INSTRUCTION_HEALTHCHECK:
		return plan_verbatim(p, i, e);
	case INSTRUCTION_COPY:
	case INSTRUCTION_ADD:
		return plan_copy(p, i, e);
	case INSTRUCTION_FROM:
	case INSTRUCTION_RUN:
	case INSTRUCTION_ONBUILD:
	case INSTRUCTION_MAINTAINER:
	case INSTRUCTION_INCLUDE:
	case INSTRUCTION_OWN:
		break;
	}
	return 0;
}

static bool has_variables(const struct instruction *i)
{
	for (size_t k = 0; k < i->word_count; k++) {
		if (strchr(i->words[k].text, '$'))
			return true;
	}
	for (size_t k = 0; k < i->flag_count; k++) {
		if (i->flags[k].value && strchr(i->flags[k].value, '$'))
			return true;
	}
	return false;
}

/* An instruction that may be any: an unknown one may be mistyped, and INCLUDE is only here when its
 * fragment cannot be had. */
static bool may_be_any(const struct instruction *i)
{
	return !i->info || i->info->kind == INSTRUCTION_INCLUDE || i->info->kind == INSTRUCTION_OWN;
}

static bool may_set_variables(const struct instruction *i)
{
	return may_be_any(i) || i->info->kind == INSTRUCTION_ENV ||
	       i->info->kind == INSTRUCTION_ARG;
}

static bool may_bring_files(const struct instruction *i)
{
	return may_be_any(i) || i->info->kind == INSTRUCTION_COPY ||
	       i->info->kind == INSTRUCTION_ADD || i->info->kind == INSTRUCTION_RUN;
}

/* One that is well-formed; one that is not, or has variables of one that is not, is left out: what
 * could be said of its values might only follow from the error that is told already. */
static int plan_if_good(struct plan *p, size_t k, struct err *e)
{
	const struct instruction *i = p->private->buildfile->instructions[k];
	const size_t errors = p->private->findings->error_count;

	if (!p->private->is_bad[k] && !(p->private->are_vars_incomplete && has_variables(i))) {
		if (plan_instruction(p, i, e) < 0)
			return -1;
		if (p->private->findings->error_count == errors)
			return 0;
	}
	p->private->are_vars_incomplete |= may_set_variables(i);
	if (may_bring_files(i) && !p->has_skipped) {
		p->has_skipped = true;
		p->skipped_at = p->step_count;
	}
	return 0;
}

static int plan_instructions(struct plan *p, struct err *e)
{
	const struct buildfile *b = p->private->buildfile;

	for (size_t k = p->private->from + 1; k < b->count; k++) {
		const struct instruction *i = b->instructions[k];
		if (i->info && i->info->kind == INSTRUCTION_FROM)
			break;
		if (plan_if_good(p, k, e) < 0)
			return -1;
		/* Over a limit, the rest could only take time and memory. */
		if (p->private->findings->gravest == ERR_LIMIT)
			break;
	}
	return 0;
}

int plan_stage(struct plan *p, const struct plan_config *parent, struct err *e)
{
	const size_t errors = p->private->findings->error_count;

	if ((parent ? start_from_parent(p, parent, e) : start_from_scratch(p, e)) < 0)
		return -1;
	/* A base that cannot be worked on says so before its values cost anything. */
	if (p->private->findings->error_count > errors)
		return 0;
	if (set_vars_from_env(p, e) < 0 || plan_instructions(p, e) < 0 ||
	    ports_merge(&p->private->ports, &p->config.exposed_ports, e) < 0)
		return -1;
	return warn_unused(p, e);
}

int plan_stage_unknown(struct plan *p, struct err *e)
{
	p->private->are_vars_incomplete = true;
	return start_from_scratch(p, e) < 0 ? -1 : plan_instructions(p, e);
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	for (size_t k = 0; k < p->step_count; k++)
		step_fini(&p->steps[k]);
	free(p->steps);
	free(p->base.reference);
	free(p->base.platform);
	free(p->base.stage_name);
	plan_config_fini(&p->config);
	if (p->private) {
		vars_fini(&p->private->vars);
		free(p->private->is_bad);
	}
	free(p->private);
	free(p);
}
