/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include "cli/command.h"

static const struct option options[] = {
	{'t', "tag", "NAME", "a name"},
	{0, "quiet", NULL, "say nothing"},
	{0, NULL, NULL, NULL},
};

static const struct command with_options = {.name = "with", .synopsis = "", .options = options};
static const struct command without_options = {.name = "without", .synopsis = ""};

/* The names of all options, with commas between. */
static void collect(const struct command *c, struct str *out)
{
	struct err e = ERR_INIT;
	const struct option *o;

	for (size_t at = 0; (o = option_next(c, &at));)
		ck_assert_int_eq(str_appendf(out, &e, "%s,", o->name), 0);
}

START_TEST(options_come_own_first)
{
	SCOPE(str) struct str with = STR_INIT;
	SCOPE(str) struct str without = STR_INIT;

	collect(&with_options, &with);
	ck_assert_str_eq(str_text(&with), "tag,quiet,store,help,");
	collect(&without_options, &without);
	ck_assert_str_eq(str_text(&without), "store,help,");
}
END_TEST

START_TEST(options_are_found_by_letter_or_name)
{
	ck_assert_ptr_eq(option_find(&with_options, 't', NULL, 0), &options[0]);
	ck_assert_ptr_eq(option_find(&with_options, 0, "quiet=", 5), &options[1]);
	ck_assert_ptr_eq(option_find(&with_options, 0, "store", 5), &common_options[0]);
	ck_assert_ptr_eq(option_find(&without_options, 'h', NULL, 0), &common_options[1]);
	ck_assert_ptr_null(option_find(&without_options, 't', NULL, 0));
	ck_assert_ptr_null(option_find(&with_options, 0, "quie", 4));
	ck_assert_ptr_null(option_find(&with_options, 0, "quieter", 7));
}
END_TEST

/* What is parsed of words with blanks between: "OPTION=VALUE,... | ARGUMENT ARGUMENT ". */
static void parse(const struct command *c, const char *line, struct str *out)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *text = str_dup(line, &e);
	char *argv[16];
	int argc = 0;
	char *save = NULL;
	struct invocation in;

	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	ck_assert_int_eq(invocation_parse(&in, c, argc, argv, &e), 0);
	for (size_t i = 0; i < in.given_count; i++)
		ck_assert_int_eq(str_appendf(out, &e, "%s=%s,", in.given[i].option->name,
					     in.given[i].value ? in.given[i].value : ""),
				 0);
	ck_assert_int_eq(str_append_z(out, "| ", &e), 0);
	for (size_t i = 0; i < in.arg_count; i++)
		ck_assert_int_eq(str_appendf(out, &e, "%s ", in.args[i]), 0);
	/* As execvp(3) wants it. */
	ck_assert_ptr_null(in.args[in.arg_count]);
	invocation_fini(&in);
}

static const struct {
	const char *line;
	const char *anywhere; /* what it is of a command whose options may follow arguments */
	const char *in_front; /* and of one that runs its arguments */
} lines[] = {
	{"", "| ", "| "},
	{"a b", "| a b ", "| a b "},
	{"-t x a", "tag=x,| a ", "tag=x,| a "},
	{"a -t x --quiet b", "tag=x,quiet=,| a b ", "| a -t x --quiet b "},
	{"--store d a --store e", "store=d,store=e,| a ", "store=d,| a --store e "},
	{"-- -t a", "| -t a ", "| -t a "},
	{"a -- -t b", "| a -t b ", "| a -- -t b "},
	{"- --quiet", "quiet=,| - ", "| - --quiet "},
	{"-- -- a", "| -- a ", "| -- a "},
	{"a --unknown=x", NULL, "| a --unknown=x "},
};

START_TEST(options_end_where_a_command_begins)
{
	struct command c = {.name = "with", .synopsis = "", .options = options, .max_args = 9};
	SCOPE(str) struct str anywhere = STR_INIT;
	SCOPE(str) struct str in_front = STR_INIT;

	if (lines[_i].anywhere) {
		parse(&c, lines[_i].line, &anywhere);
		ck_assert_str_eq(str_text(&anywhere), lines[_i].anywhere);
	}
	c.runs_command = true;
	parse(&c, lines[_i].line, &in_front);
	ck_assert_str_eq(str_text(&in_front), lines[_i].in_front);
}
END_TEST

START_TEST(own_arguments_come_before_the_command)
{
	static const struct {
		const char *line, *seen;
	} behind_one[] = {
		{"a --quiet b --quiet", "quiet=,| a b --quiet "},
		{"--quiet a --quiet b", "quiet=,quiet=,| a b "},
		{"a -- --quiet b", "| a --quiet b "},
		{"a --quiet", "quiet=,| a "},
	};
	struct command c = {.name = "with",
			    .synopsis = "",
			    .options = options,
			    .max_args = 9,
			    .runs_command = true,
			    .own_args = 1};

	for (size_t i = 0; i < ARRAY_LEN(behind_one); i++) {
		SCOPE(str) struct str seen = STR_INIT;
		parse(&c, behind_one[i].line, &seen);
		ck_assert_str_eq(str_text(&seen), behind_one[i].seen);
	}
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("cli/args");
	TCase *tc = tcase_create("options");

	tcase_add_test(tc, options_come_own_first);
	tcase_add_test(tc, options_are_found_by_letter_or_name);
	tcase_add_loop_test(tc, options_end_where_a_command_begins, 0, ARRAY_LEN(lines));
	tcase_add_test(tc, own_arguments_come_before_the_command);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
