/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include "cli/words.h"

static const struct option options[] = {
	{'k', "key", "FILE", "a key"},
	{'q', "quiet", NULL, "say nothing"},
	{0, NULL, NULL, NULL},
};
static const struct word own_words[] = {
	{"IMAGE", WORD_DIRECTORY, NULL},
	{"OPTION,...", WORD_LIST, "one|two"},
	{NULL, WORD_OTHER, NULL},
};

/* The name is of this kind, and has these choices. */
static void check_meaning(const struct command *c, const char *name, enum word_kind kind,
			  const char *choices)
{
	SCOPE(str) struct str got = STR_INIT;
	struct err e = ERR_INIT;
	struct meaning m = word_meaning(c, name, strlen(name));
	const char *text;
	size_t len;

	ck_assert_msg(m.kind == kind, "%s is %d, not %d", name, (int)m.kind, (int)kind);
	while (choice_next(&m, &text, &len)) {
		ck_assert_int_eq(str_append(&got, text, len, &e), 0);
		ck_assert_int_eq(str_append_c(&got, ' ', &e), 0);
	}
	ck_assert_str_eq(str_text(&got), choices);
}

START_TEST(names_mean_what_the_tables_say)
{
	static const struct command plain = {.name = "plain"};
	static const struct command own = {.name = "own", .words = own_words};

	check_meaning(&plain, "IMAGE", WORD_IMAGE, "");
	check_meaning(&own, "IMAGE", WORD_DIRECTORY, "");
	check_meaning(&own, "OPTION,...", WORD_LIST, "one two ");
	check_meaning(&own, "DIR", WORD_DIRECTORY, "");
	check_meaning(&plain, "NAME[:TAG]", WORD_IMAGE, "");
	check_meaning(&plain, "COMMAND", WORD_COMMAND, "");
	/* What nobody lists is a file. */
	check_meaning(&plain, "OPTION,...", WORD_FILE, "");
	check_meaning(&plain, "IMAG", WORD_FILE, "");
	check_meaning(&plain, "IMAGES", WORD_FILE, "");
	check_meaning(&plain, "FILE|-", WORD_FILE, "");
	check_meaning(&plain, "", WORD_FILE, "");
}
END_TEST

START_TEST(choices_say_themselves)
{
	static const struct command plain = {.name = "plain"};

	check_meaning(&plain, "ed25519|p256", WORD_CHOICE, "ed25519 p256 ");
	check_meaning(&plain, "zstd[:LEVEL]", WORD_CHOICE, "zstd ");
	check_meaning(&plain, "zstd[:LEVEL]|gzip[:LEVEL]|none", WORD_CHOICE, "zstd gzip none ");
}
END_TEST

START_TEST(a_name_ends_where_its_length_says)
{
	static const struct command plain = {.name = "plain"};
	static const char synopsis[] = "IMAGE... one|two|three";
	struct meaning m = word_meaning(&plain, synopsis, 5);
	const char *text;
	size_t len;

	ck_assert_int_eq(m.kind, WORD_IMAGE);
	m = word_meaning(&plain, synopsis + 9, 7);
	ck_assert(choice_next(&m, &text, &len) && choice_next(&m, &text, &len));
	ck_assert_uint_eq(len, 3);
	ck_assert(!choice_next(&m, &text, &len));
}
END_TEST

static const struct {
	const char *synopsis, *arguments;
} synopses[] = {
	{"", ""},
	{"[OPTION]...", ""},
	{"[OPTION]... IMAGE", "IMAGE "},
	{"[OPTION]... IMAGE [PATH]...", "IMAGE PATH... "},
	{"[OPTION]... IMAGE [PATH...]", "IMAGE PATH... "},
	{"[OPTION]... IMAGE...", "IMAGE... "},
	{"[OPTION]... IMAGE NEW-NAME[:TAG]", "IMAGE NEW-NAME[:TAG] "},
	{"[OPTION]... [NAME[:TAG]]", "NAME[:TAG] "},
	{"[OPTION]... [IMAGE PATH]", "IMAGE PATH "},
	{"[OPTION]... --key FILE IMAGE", "IMAGE "},
	{"[OPTION]... [--key FILE] IMAGE", "IMAGE "},
	{"-k FILE -q IMAGE", "IMAGE "},
	{"[OPTION]... --unknown IMAGE", "IMAGE "},
	{"  IMAGE   -  ", "IMAGE - "},
};

START_TEST(arguments_are_what_is_no_option)
{
	static const struct command tables = {.name = "any", .options = options};
	SCOPE(str) struct str got = STR_INIT;
	struct err e = ERR_INIT;
	struct command c = tables;
	const char *at = synopses[_i].synopsis;
	struct argument a;

	c.synopsis = at;
	while (argument_next(&c, &at, &a)) {
		ck_assert_int_eq(str_append(&got, a.name, a.len, &e), 0);
		ck_assert_int_eq(str_append_z(&got, a.is_repeated ? "... " : " ", &e), 0);
	}
	ck_assert_str_eq(str_text(&got), synopses[_i].arguments);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("cli/words");
	TCase *tc = tcase_create("words");

	tcase_add_test(tc, names_mean_what_the_tables_say);
	tcase_add_test(tc, choices_say_themselves);
	tcase_add_test(tc, a_name_ends_where_its_length_says);
	tcase_add_loop_test(tc, arguments_are_what_is_no_option, 0, ARRAY_LEN(synopses));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
