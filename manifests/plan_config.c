/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions that change the configuration.  Each is a step for the history, and WORKDIR also a
 * directory.  Texts of the history are made as BuildKit makes them, Go's formats included.
 */
#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/quote.h"
#include "manifests/chars.h"
#include "manifests/duration.h"
#include "manifests/gotext.h"
#include "manifests/plan_private.h"
#include "manifests/ports.h"
#include "manifests/signals.h"

enum {
	DURATION_MIN_NS = 1000000, /* what docker calls the shortest useful one: 1 ms */
};

static int add_history(struct plan *p, const struct instruction *i, struct str *history,
		       struct err *e)
{
	if (plan_add_step(p, i, PLAN_CONFIG, history, e))
		return 0;
	return e->code == ERR_NONE ? 0 : -1;
}

/* Words of the stage see the variables as they were before the instruction. */
static int expand_one(struct plan *p, const struct instruction *i, const struct word *w,
		      struct str *out, struct err *e)
{
	return plan_expand(p, i, w, &p->private->vars.stage, out, e);
}

static int report(struct plan *p, const struct instruction *i, size_t offset, struct err *e,
		  const char *msg)
{
	return findings_error(p->private->findings, ERR_SYNTAX, instruction_place(i, offset), e,
			      "%s %s", i->info->name, msg);
}

static int set_text(char **to, const char *text, struct err *e)
{
	char *copy = str_dup(text, e);

	if (!copy)
		return -1;
	free(*to);
	*to = copy;
	return 0;
}

/* 1 with the value of an ARG, 0 when it has none (or a finding), -1. */
static int arg_value(struct plan *p, const struct instruction *i, const struct word *w,
		     const char *name, struct str *out, struct err *e)
{
	const struct vars *vars = &p->private->vars;
	const size_t name_len = strlen(name);
	const bool has_default = w->text[name_len] == '=';
	const char *value = vars_build_arg(vars, name);

	if (!value && !has_default)
		value = strmap_get(&vars->globals, name);
	if (value)
		return str_append_z(out, value, e) < 0 ? -1 : 1;
	if (!has_default)
		return 0;
	struct word rest = *w;
	rest.text += name_len + 1;
	rest.offset += name_len + 1;
	return expand_one(p, i, &rest, out, e);
}

int plan_arg(struct plan *p, const struct instruction *i, struct err *e)
{
	SCOPE(str) struct str history = STR_INIT;

	if (str_append_z(&history, "ARG", e) < 0)
		return -1;
	for (size_t k = 0; k < i->word_count; k++) {
		const struct word *w = &i->words[k];
		SCOPE(str) struct str value = STR_INIT;
		SCOPE_FREE char *name = str_dup_n(w->text, strcspn(w->text, "="), e);
		if (!name)
			return -1;
		const int has_value = arg_value(p, i, w, name, &value, e);
		if (has_value < 0)
			return -1;
		const char *text = has_value ? str_text(&value) : NULL;
		if (!plan_count_name(p, i, e))
			return e->code == ERR_NONE ? 0 : -1;
		if (vars_set_arg(&p->private->vars, name, text, e) < 0 ||
		    str_appendf(&history, e, " %s%s%s", name, text ? "=" : "", text ? text : "") <
			    0)
			return -1;
	}
	return add_history(p, i, &history, e);
}

/* Pairs, expanded; an even number of items. */
static int expand_pairs(struct plan *p, const struct instruction *i, struct strlist *out,
			struct str *history, struct err *e)
{
	if (str_append_z(history, i->info->name, e) < 0)
		return -1;
	/* What is too much for the history, add_history refuses. */
	for (size_t k = 0; k + 1 < i->word_count && history->len < LIMIT_DOCUMENT; k += 2) {
		if (!plan_count_name(p, i, e))
			return e->code == ERR_NONE ? 0 : -1;
		SCOPE(str) struct str name = STR_INIT;
		SCOPE(str) struct str value = STR_INIT;
		const int has_name = expand_one(p, i, &i->words[k], &name, e);
		const int has_value = expand_one(p, i, &i->words[k + 1], &value, e);
		if (has_name < 0 || has_value < 0)
			return -1;
		if (has_name && name.len == 0 &&
		    report(p, i, i->words[k].offset, e, "has a value without a name") < 0)
			return -1;
		if (strlist_add(out, str_text(&name), e) < 0 ||
		    strlist_add(out, str_text(&value), e) < 0 ||
		    str_appendf(history, e, " %s=%s", str_text(&name), str_text(&value)) < 0)
			return -1;
	}
	return 0;
}

int plan_env(struct plan *p, const struct instruction *i, struct err *e)
{
	SCOPE(strlist) struct strlist pairs = STRLIST_INIT;
	SCOPE(str) struct str history = STR_INIT;

	if (expand_pairs(p, i, &pairs, &history, e) < 0)
		return -1;
	for (size_t k = 0; k < pairs.count; k += 2) {
		if (plan_set_env(p, pairs.items[k], pairs.items[k + 1], e) < 0)
			return -1;
	}
	return add_history(p, i, &history, e);
}

int plan_label(struct plan *p, const struct instruction *i, struct err *e)
{
	SCOPE(strlist) struct strlist pairs = STRLIST_INIT;
	SCOPE(str) struct str history = STR_INIT;

	if (expand_pairs(p, i, &pairs, &history, e) < 0)
		return -1;
	for (size_t k = 0; k < pairs.count; k += 2) {
		if (strmap_set(&p->config.labels, pairs.items[k], pairs.items[k + 1], e) < 0)
			return -1;
	}
	return add_history(p, i, &history, e);
}

static int compare_words(const void *a, const void *b)
{
	const struct word *const *x = a, *const *y = b;
	const int order = strcmp((*x)->text, (*y)->text);

	return order ? order : (*x < *y ? -1 : 1);
}

/* The words of EXPOSE in the order of their bytes, as docker has them in the history. */
static int sorted_words(const struct instruction *i, const struct word ***out, struct err *e)
{
	const struct word **sorted = array_new(i->word_count, sizeof(struct word *), e);

	if (!sorted)
		return -1;
	for (size_t k = 0; k < i->word_count; k++)
		sorted[k] = &i->words[k];
	qsort(sorted, i->word_count, sizeof(struct word *), compare_words);
	*out = sorted;
	return 0;
}

static int expose_one(struct plan *p, struct place at, const char *text, struct str *history,
		      struct err *e)
{
	struct port_range range;

	if (ports_parse(&range, text, e) < 0)
		return findings_take(p->private->findings, at, e);
	if (range.is_mapping &&
	    findings_warn(p->private->findings, at, e,
			  "EXPOSE takes ports of the container only; the rest is ignored") < 0)
		return -1;
	ports_add(&p->private->ports, &range);
	if (history->data[history->len - 1] != '[' && str_append_c(history, ' ', e) < 0)
		return -1;
	return ports_format(&range, history, e);
}

int plan_expose(struct plan *p, const struct instruction *i, struct err *e)
{
	SCOPE(str) struct str history = STR_INIT;
	SCOPE_FREE const struct word **words = NULL;

	if (sorted_words(i, &words, e) < 0 || str_append_z(&history, "EXPOSE [", e) < 0)
		return -1;
	for (size_t k = 0; k < i->word_count; k++) {
		const struct place at = instruction_place(i, words[k]->offset);
		SCOPE(strlist) struct strlist texts = STRLIST_INIT;
		if (plan_expand_many(p, i, words[k], &texts, e) < 0)
			return -1;
		for (size_t n = 0; n < texts.count && history.len < LIMIT_DOCUMENT; n++) {
			if (expose_one(p, at, texts.items[n], &history, e) < 0)
				return -1;
		}
	}
	if (str_append_c(&history, ']', e) < 0)
		return -1;
	return add_history(p, i, &history, e);
}

int plan_volume(struct plan *p, const struct instruction *i, struct err *e)
{
	SCOPE(strlist) struct strlist volumes = STRLIST_INIT;
	SCOPE(str) struct str history = STR_INIT;

	for (size_t k = 0; k < i->word_count; k++) {
		if (!plan_count_name(p, i, e))
			return e->code == ERR_NONE ? 0 : -1;
		SCOPE(str) struct str text = STR_INIT;
		const int good = expand_one(p, i, &i->words[k], &text, e);
		if (good < 0)
			return -1;
		const char *path = str_text(&text);
		size_t len = text.len;
		chars_trim(&path, &len);
		if (good && len == 0 &&
		    report(p, i, i->words[k].offset, e, "has an empty path") < 0)
			return -1;
		SCOPE_FREE char *trimmed = str_dup_n(path, len, e);
		if (!trimmed || strlist_add(&volumes, trimmed, e) < 0 ||
		    strmap_set(&p->config.volumes, trimmed, "", e) < 0)
			return -1;
	}
	if (str_append_z(&history, "VOLUME ", e) < 0 ||
	    gotext_plain_list(&history, &volumes, e) < 0)
		return -1;
	return add_history(p, i, &history, e);
}

int plan_user(struct plan *p, const struct instruction *i, struct err *e)
{
	SCOPE(str) struct str user = STR_INIT;
	SCOPE(str) struct str history = STR_INIT;

	const int good = expand_one(p, i, &i->words[0], &user, e);
	if (good < 1)
		return good;
	p->private->is_user_set = true;
	p->private->user_at = instruction_place(i, i->words[0].offset);
	if (set_text(&p->config.user, str_text(&user), e) < 0 ||
	    str_appendf(&history, e, "USER %s", str_text(&user)) < 0)
		return -1;
	return add_history(p, i, &history, e);
}

int plan_stop_signal(struct plan *p, const struct instruction *i, struct err *e)
{
	SCOPE(str) struct str name = STR_INIT;
	SCOPE(str) struct str history = STR_INIT;
	char quoted[QUOTE_MAX];

	const int good = expand_one(p, i, &i->words[0], &name, e);
	if (good < 1)
		return good;
	if (!signals_is_known(str_text(&name)))
		return findings_error(p->private->findings, ERR_SYNTAX,
				      instruction_place(i, i->words[0].offset), e,
				      "unknown signal '%s'", quote_str(quoted, str_text(&name)));
	if (set_text(&p->config.stop_signal, str_text(&name), e) < 0 ||
	    str_appendf(&history, e, "STOPSIGNAL %s", str_text(&name)) < 0)
		return -1;
	return add_history(p, i, &history, e);
}

/* The arguments of an exec form, or the shell with the text of a shell form. */
static int command_line(struct plan *p, const struct instruction *i, struct strlist *out,
			struct err *e)
{
	if (i->form == FORM_JSON) {
		for (size_t k = 0; k < i->word_count; k++) {
			if (strlist_add(out, i->words[k].text, e) < 0)
				return -1;
		}
		out->is_set = true;
		return 0;
	}
	if (p->config.shell.count > 0) {
		if (strlist_copy(out, &p->config.shell, e) < 0)
			return -1;
	} else if (strlist_add(out, "/bin/sh", e) < 0 || strlist_add(out, "-c", e) < 0) {
		return -1;
	}
	return strlist_add(out, i->word_count > 0 ? i->words[0].text : "", e);
}

int plan_command(struct plan *p, const struct instruction *i, struct err *e)
{
	const bool is_cmd = i->info->kind == INSTRUCTION_CMD;
	SCOPE(strlist) struct strlist args = STRLIST_INIT;
	SCOPE(str) struct str history = STR_INIT;

	if (command_line(p, i, &args, e) < 0 ||
	    str_appendf(&history, e, "%s ", i->info->name) < 0 ||
	    gotext_quoted_list(&history, &args, e) < 0)
		return -1;
	if (strlist_copy(is_cmd ? &p->config.cmd : &p->config.entrypoint, &args, e) < 0)
		return -1;
	if (is_cmd) {
		p->private->is_cmd_set = true;
		p->config.args_escaped = true;
	} else if (!p->private->is_cmd_set) {
		/* The base's arguments are for the base's program. */
		strlist_clear(&p->config.cmd);
	}
	return add_history(p, i, &history, e);
}

int plan_shell(struct plan *p, const struct instruction *i, struct err *e)
{
	SCOPE(strlist) struct strlist args = STRLIST_INIT;
	SCOPE(str) struct str history = STR_INIT;

	if (command_line(p, i, &args, e) < 0 || str_append_z(&history, "SHELL ", e) < 0 ||
	    gotext_plain_list(&history, &args, e) < 0 ||
	    strlist_copy(&p->config.shell, &args, e) < 0)
		return -1;
	return add_history(p, i, &history, e);
}

int plan_workdir(struct plan *p, const struct instruction *i, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(str) struct str path = STR_INIT;
	SCOPE(str) struct str history = STR_INIT;
	const char *dir = p->config.working_dir ? p->config.working_dir : "/";

	const int good = expand_one(p, i, &i->words[0], &text, e);
	if (good < 1)
		return good;
	const char *wanted = str_text(&text);
	if (wanted[0] != '/' && !p->private->is_workdir_set &&
	    findings_warn(p->private->findings, instruction_place(i, i->words[0].offset), e,
			  "a relative WORKDIR depends on the one of the base image") < 0)
		return -1;
	p->private->is_workdir_set = true;
	if (plan_resolve_path(dir, wanted, &path, e) < 0)
		return -1;
	const size_t errors = p->private->findings->error_count;
	if (plan_check_path(p, instruction_place(i, i->words[0].offset), "WORKDIR", &path, e) < 0)
		return -1;
	if (p->private->findings->error_count > errors)
		return 0;
	if (set_text(&p->config.working_dir, str_text(&path), e) < 0 ||
	    str_appendf(&history, e, "WORKDIR %s", str_text(&path)) < 0)
		return -1;
	if (path.len == 1)
		return add_history(p, i, &history, e);

	struct plan_step *s = plan_add_step(p, i, PLAN_WORKDIR, &history, e);
	if (!s)
		return e->code == ERR_NONE ? 0 : -1;
	s->owner_at = p->private->is_user_set ? p->private->user_at : s->at;
	const char *user = p->config.user;
	if (user && user[0] && set_text(&s->owner, user, e) < 0)
		return -1;
	return set_text(&s->path, str_text(&path), e);
}

static int take_duration(struct plan *p, const struct instruction *i, const char *name,
			 int64_t *out, struct err *e)
{
	const struct flag *flag = instruction_flag(i, name);

	if (!flag || !flag->value || flag->value[0] == '\0')
		return 0;
	const struct place at = instruction_place(i, flag->value_offset);
	if (duration_parse(flag->value, out, e) < 0)
		return findings_take(p->private->findings, at, e);
	if (*out == 0 || *out >= DURATION_MIN_NS)
		return 0;
	return findings_error(p->private->findings, ERR_SYNTAX, at, e, "--%s is shorter than 1ms",
			      name);
}

static int take_retries(struct plan *p, const struct instruction *i, int64_t *out, struct err *e)
{
	const struct flag *flag = instruction_flag(i, "retries");
	uint64_t count;

	if (!flag || !flag->value || flag->value[0] == '\0')
		return 0;
	if (str_to_u64(flag->value, strlen(flag->value), 10, INT32_MAX, &count) < 0)
		return findings_error(p->private->findings, ERR_SYNTAX,
				      instruction_place(i, flag->value_offset), e,
				      "--retries is a number up to %d", INT32_MAX);
	*out = (int64_t)count;
	return 0;
}

/* {"NONE"}, {"CMD", args...} or {"CMD-SHELL", text} */
static int health_test(const struct instruction *i, struct strlist *out, struct err *e)
{
	const char *type = i->words[0].text;

	if (chars_equal_fold(type, strlen(type), "NONE"))
		return strlist_add(out, "NONE", e);
	if (strlist_add(out, i->form == FORM_JSON ? "CMD" : "CMD-SHELL", e) < 0)
		return -1;
	for (size_t k = 1; k < i->word_count; k++) {
		if (strlist_add(out, i->words[k].text, e) < 0)
			return -1;
	}
	return 0;
}

/* %+v of Go's HealthcheckConfig. */
static int health_history(const struct plan_healthcheck *h, struct str *out, struct err *e)
{
	const struct {
		const char *name;
		int64_t ns;
	} times[] = {
		{" Interval:", h->interval_ns},
		{" Timeout:", h->timeout_ns},
		{" StartPeriod:", h->start_period_ns},
		{" StartInterval:", h->start_interval_ns},
	};

	if (str_append_z(out, "HEALTHCHECK {Test:", e) < 0 ||
	    gotext_plain_list(out, &h->test, e) < 0)
		return -1;
	for (size_t k = 0; k < ARRAY_LEN(times); k++) {
		if (str_append_z(out, times[k].name, e) < 0 ||
		    duration_format(times[k].ns, out, e) < 0)
			return -1;
	}
	return str_appendf(out, e, " Retries:%lld}", (long long)h->retries);
}

static int take_health(struct plan *p, const struct instruction *i, struct plan_healthcheck *h,
		       struct err *e)
{
	if (health_test(i, &h->test, e) < 0)
		return -1;
	if (strcmp(h->test.items[0], "NONE") == 0)
		return 0;
	if (take_duration(p, i, "interval", &h->interval_ns, e) < 0 ||
	    take_duration(p, i, "timeout", &h->timeout_ns, e) < 0 ||
	    take_duration(p, i, "start-period", &h->start_period_ns, e) < 0 ||
	    take_duration(p, i, "start-interval", &h->start_interval_ns, e) < 0)
		return -1;
	return take_retries(p, i, &h->retries, e);
}

int plan_healthcheck(struct plan *p, const struct instruction *i, struct err *e)
{
	struct plan_healthcheck made = {.test = STRLIST_INIT};
	SCOPE(str) struct str history = STR_INIT;

	if (take_health(p, i, &made, e) < 0 || health_history(&made, &history, e) < 0) {
		strlist_fini(&made.test);
		return -1;
	}
	strlist_fini(&p->config.healthcheck.test);
	p->config.healthcheck = made;
	p->config.has_healthcheck = true;
	return add_history(p, i, &history, e);
}
