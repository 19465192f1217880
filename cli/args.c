/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <stdint.h>

#include "base/array.h"
#include "base/quote.h"

const struct option common_options[] = {
	{0, "store", "DIR", "use the store DIR (default: $SHALE_STORE)"},
	{'h', "help", NULL, "show this help"},
	{0, NULL, NULL, NULL},
};

static const struct option *find_in(const struct option *table, char letter, const char *name,
				    size_t len)
{
	for (const struct option *o = table; o && o->name; o++) {
		if (name ? strlen(o->name) == len && memcmp(o->name, name, len) == 0
			 : o->letter == letter)
			return o;
	}
	return NULL;
}

const struct option *option_find(const struct command *command, char letter, const char *name,
				 size_t len)
{
	const struct option *own = find_in(command->options, letter, name, len);
	return own ? own : find_in(common_options, letter, name, len);
}

const struct option *option_next(const struct command *command, size_t *at)
{
	size_t i = (*at)++;

	for (const struct option *o = command->options; o && o->name; o++) {
		if (i-- == 0)
			return o;
	}
	return i < ARRAY_LEN(common_options) && common_options[i].name ? &common_options[i] : NULL;
}

/* Where parsing is: argv[at] is the next word. */
struct parser {
	struct invocation *out;
	int argc;
	char **argv;
	int at;
	size_t given_cap;
	bool options_ended;
};

static int add_given(struct parser *p, const struct option *o, const char *value, struct err *e)
{
	struct invocation *in = p->out;

	if (array_reserve(&in->given, &p->given_cap, in->given_count + 1, sizeof(*in->given), e) <
	    0)
		return -1;
	in->given[in->given_count++] = (struct given){o, value};
	return 0;
}

static void add_argument(struct parser *p, char *word)
{
	p->out->args[p->out->arg_count++] = word;
	if (p->out->command->runs_command && p->out->arg_count > p->out->command->own_args)
		p->options_ended = true;
}

static int parse_long(struct parser *p, const char *word, struct err *e)
{
	char q[QUOTE_MAX];
	const char *name = word + 2;
	const size_t len = strcspn(name, "=");
	const struct option *o = option_find(p->out->command, 0, name, len);

	if (!o)
		return err_set(e, ERR_USAGE, "unknown option '%s' (see shale %s --help)",
			       quote_bytes(q, word, len + 2), p->out->command->name);
	if (!o->value) {
		if (name[len] == '=')
			return err_set(e, ERR_USAGE, "option '--%s' takes no value", o->name);
		return add_given(p, o, NULL, e);
	}
	if (name[len] == '=')
		return add_given(p, o, name + len + 1, e);
	if (p->at >= p->argc)
		return err_set(e, ERR_USAGE, "option '--%s' needs a value: %s", o->name, o->value);
	return add_given(p, o, p->argv[p->at++], e);
}

static int parse_short(struct parser *p, const char *word, struct err *e)
{
	for (const char *c = word + 1; *c; c++) {
		char q[QUOTE_MAX];
		const struct option *o = option_find(p->out->command, *c, NULL, 0);

		if (!o)
			return err_set(e, ERR_USAGE, "unknown option '-%s' (see shale %s --help)",
				       quote_bytes(q, c, 1), p->out->command->name);
		if (!o->value) {
			if (add_given(p, o, NULL, e) < 0)
				return -1;
			continue;
		}
		if (c[1])
			return add_given(p, o, c + 1, e);
		if (p->at >= p->argc)
			return err_set(e, ERR_USAGE, "option '-%c' needs a value: %s", *c,
				       o->value);
		return add_given(p, o, p->argv[p->at++], e);
	}
	return 0;
}

static int check_count(const struct invocation *in, struct err *e)
{
	const struct command *c = in->command;

	if (in->arg_count < c->min_args)
		return err_set(e, ERR_USAGE, "too few arguments: shale %s %s", c->name,
			       c->synopsis);
	if (in->arg_count > c->max_args) {
		char q[QUOTE_MAX];
		return err_set(e, ERR_USAGE, "unexpected argument '%s': shale %s %s",
			       quote_str(q, in->args[c->max_args]), c->name, c->synopsis);
	}
	return 0;
}

int invocation_parse(struct invocation *out, const struct command *command, int argc, char **argv,
		     struct err *e)
{
	struct parser p = {.out = out, .argc = argc, .argv = argv};

	*out = (struct invocation){.command = command};
	out->args = array_new((size_t)argc + 1, sizeof(*out->args), e);
	if (!out->args)
		return -1;
	while (p.at < argc) {
		char *word = argv[p.at++];
		int r = 0;

		if (p.options_ended || word[0] != '-' || !word[1])
			add_argument(&p, word);
		else if (strcmp(word, "--") == 0)
			p.options_ended = true;
		else if (word[1] == '-')
			r = parse_long(&p, word, e);
		else
			r = parse_short(&p, word, e);
		if (r < 0)
			goto fail;
	}
	if (!invocation_has(out, "help") && check_count(out, e) < 0)
		goto fail;
	return 0;
fail:
	invocation_fini(out);
	return -1;
}

void invocation_fini(struct invocation *in)
{
	free(in->given);
	free(in->args);
	*in = (struct invocation){.command = in->command};
}

const char *invocation_next(const struct invocation *in, const char *name, size_t *at)
{
	while (*at < in->given_count) {
		const struct given *g = &in->given[(*at)++];
		if (strcmp(g->option->name, name) == 0)
			return g->value ? g->value : "";
	}
	return NULL;
}

bool invocation_has(const struct invocation *in, const char *name)
{
	size_t at = 0;
	return invocation_next(in, name, &at) != NULL;
}

const char *invocation_value(const struct invocation *in, const char *name)
{
	const char *last = NULL;
	const char *value;
	size_t at = 0;

	while ((value = invocation_next(in, name, &at)))
		last = value;
	return last;
}
