/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include <stdint.h>

#include "base/suggest.h"

START_TEST(suggests_what_is_near)
{
	static const char *const known[] = {"copy", "cmd", "env", "chown", "chmod"};
	static const struct {
		const char *word, *want;
	} cases[] = {
		{"cpoy", "copy"},    {"COPPY", "copy"},    {"cop", "copy"}, {"chwon", "chown"},
		{"chmodd", "chmod"}, {"chown", "chown"},   {"xyz", NULL},   {"", NULL},
		{"c", NULL},         {"entrypoint", NULL}, {"en", "env"},   {"ab", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *got = suggest_nearest(cases[i].word, known, ARRAY_LEN(known));
		ck_assert_msg(cases[i].want ? got && strcmp(got, cases[i].want) == 0 : !got,
			      "%s: %s", cases[i].word, got ? got : "none");
	}
	ck_assert_ptr_null(suggest_nearest("copy", known, 0));
}
END_TEST

START_TEST(suggests_nothing_for_long_words)
{
	char word[4096];
	const char *const known[] = {"copy"};

	memset(word, 'c', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	ck_assert_ptr_null(suggest_nearest(word, known, 1));
}
END_TEST

START_TEST(counts_letters)
{
	ck_assert_uint_eq(suggest_distance("kitten", 6, "sitting", 7), 3);
	ck_assert_uint_eq(suggest_distance("", 0, "abc", 3), 3);
	ck_assert_uint_eq(suggest_distance("ABC", 3, "abc", 3), 0);
}
END_TEST

START_TEST(gives_up_on_what_is_too_long)
{
	char word[SUGGEST_WORD_MAX + 1];

	memset(word, 'a', sizeof(word));
	ck_assert_uint_eq(suggest_distance(word, SUGGEST_WORD_MAX, word, SUGGEST_WORD_MAX), 0);
	ck_assert_uint_eq(suggest_distance(word, sizeof(word), "a", 1), SIZE_MAX);
	ck_assert_uint_eq(suggest_distance("a", 1, word, sizeof(word)), SIZE_MAX);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("base/suggest");
	TCase *tc = tcase_create("suggest");

	tcase_add_test(tc, suggests_what_is_near);
	tcase_add_test(tc, suggests_nothing_for_long_words);
	tcase_add_test(tc, counts_letters);
	tcase_add_test(tc, gives_up_on_what_is_too_long);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
