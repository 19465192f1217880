/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include <stdlib.h>

#include "base/limits.h"
#include "manifests/expand.h"

static const char *const values[][2] = {
	{"name", "world"},      {"empty", ""},      {"file", "/usr/lib/app.tar.gz"},
	{"word", "banana"},     {"magic", "a*b?c"}, {"two", "one two"},
	{"uni", "h\xc3\xb6he"}, /* a letter of two bytes */
	{"back", "a\\b"},       {"dots", "1.2.3"},  {"pat", "*/"},
	{"\xc3\xbc", "umlaut"}, {"_x9", "under"},
};

static void fill(struct strmap *vars)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		ck_assert_int_eq(strmap_set(vars, values[i][0], values[i][1], &e), 0);
}

static const struct {
	const char *word, *want;
} cases[] = {
	/* clang-format off */
	/* no variables */
	{"", ""},
	{"plain", "plain"},
	{"a b", "a b"},
	{"a\\b", "ab"},
	{"a\\\\b", "a\\b"},
	{"a\\", "a"},
	{"\\$name", "$name"},
	{"\\\"x\\\"", "\"x\""},
	{"'a b'", "a b"},
	{"'a\\b'", "a\\b"},
	{"'$name'", "$name"},
	{"'\"'", "\""},
	{"\"a b\"", "a b"},
	{"\"a\\b\"", "a\\b"},
	{"\"a\\\\b\"", "a\\b"},
	{"\"a\\\"b\"", "a\"b"},
	{"\"\\$name\"", "$name"},
	{"\"it's\"", "it's"},
	{"a'b'\"c\"d", "abcd"},
	{"''", ""},
	{"\xff\xfe", "\xff\xfe"},
	/* $name */
	{"$name", "world"},
	{"$name!", "world!"},
	{"$name$word", "worldbanana"},
	{"$nameless", ""},
	{"$name.less", "world.less"},
	{"$name-less", "world-less"},
	{"x$empty", "x"},
	{"\"$name\"", "world"},
	{"\"$two\"", "one two"},
	{"$two", "one two"},
	{"$\xc3\xbc", "umlaut"},
	{"$name\xe2\x80\x93x", "world\xe2\x80\x93x"}, /* a dash is no letter */
	{"$name\xff", "world\xff"},
	{"$_x9", "under"},
	{"$", "$"},
	{"a$", "a$"},
	{"$ x", "$ x"},
	{"$.", "$."},
	{"\"$\"", "$"},
	{"$1", ""},
	{"$12x", "x"},
	{"$1name", "name"},
	{"$@$*$#$?$-$$$!$0|", "|"},
	{"$'x'", "$x"},
	/* ${name} */
	{"${name}", "world"},
	{"${name}less", "worldless"},
	{"a${name}b${word}c", "aworldbbananac"},
	{"${missing}", ""},
	{"${1}", ""},
	{"${@}", ""},
	{"\"${two}\"", "one two"},
	{"${\xc3\xbc}", "umlaut"},
	/* defaults */
	{"${name-x}", "world"},
	{"${empty-x}", ""},
	{"${missing-x}", "x"},
	{"${name:-x}", "world"},
	{"${empty:-x}", "x"},
	{"${missing:-x}", "x"},
	{"${missing-}", ""},
	{"${missing:-}", ""},
	{"${missing:-a b}", "a b"},
	{"${missing:-'a }b'}", "a }b"},
	{"${missing:-\"a }b\"}", "a }b"},
	{"${missing:-a\\}b}", "a}b"},
	{"${missing:-$name}", "world"},
	{"${missing:-${name}}", "world"},
	{"${missing:-${empty:-${word}}}", "banana"},
	{"${missing:-a${name}b$word}", "aworldbbanana"},
	{"${missing:--}", "-"},
	{"${missing--}", "-"},
	{"${missing:-:x}", ":x"},
	/* alternatives */
	{"${name+x}", "x"},
	{"${empty+x}", "x"},
	{"${missing+x}", ""},
	{"${name:+x}", "x"},
	{"${empty:+x}", ""},
	{"${missing:+x}", ""},
	{"${name:+}", ""},
	{"${name:+-${word}}", "-banana"},
	{"${empty:+${missing:-y}}", ""},
	/* requirements */
	{"${name?no}", "world"},
	{"${empty?no}", ""},
	{"${name:?no}", "world"},
	{"${name:?}", "world"},
	/* starts */
	{"${file#*/}", "usr/lib/app.tar.gz"},
	{"${file##*/}", "app.tar.gz"},
	{"${file#/usr}", "/lib/app.tar.gz"},
	{"${file#usr}", "/usr/lib/app.tar.gz"},
	{"${file#}", "/usr/lib/app.tar.gz"},
	{"${file##}", "/usr/lib/app.tar.gz"},
	{"${file#*}", "/usr/lib/app.tar.gz"},
	{"${file##*}", ""},
	{"${word#ba?}", "ana"},
	{"${word##*a}", ""},
	{"${word#*a}", "nana"},
	{"${word#*n*n}", "a"},
	{"${word##*n}", "a"},
	{"${word#b*z}", "banana"},
	{"${word##b*z}", "banana"},
	{"${word##b*z*a}", "banana"},
	{"${magic#a\\*}", "b?c"},
	{"${magic#a?b\\?}", "c"},
	{"${magic#a\\?}", "a*b?c"},
	{"${back#a\\\\}", "b"},
	{"${uni#h?}", "he"},
	{"${file#$pat}", "usr/lib/app.tar.gz"},
	{"${file##\"*/\"}", "app.tar.gz"},
	{"${missing#x}", ""},
	{"${dots#*.}", "2.3"},
	{"${dots##*.}", "3"},
	{"${dots#.}", "1.2.3"},
	/* ends */
	{"${file%.*}", "/usr/lib/app.tar"},
	{"${file%%.*}", "/usr/lib/app"},
	{"${file%/*}", "/usr/lib"},
	{"${file%%/*}", ""},
	{"${file%.gz}", "/usr/lib/app.tar"},
	{"${file%gz.}", "/usr/lib/app.tar.gz"},
	{"${word%a}", "banan"},
	{"${word%%a*}", "b"},
	{"${word%a*}", "banan"},
	{"${word%n*n*}", "ba"},
	{"${uni%?he}", "h"},
	{"${magic%\\?c}", "a*b"},
	{"${dots%.*}.0", "1.2.0"},
	{"${dots%%.*}", "1"},
	{"${word%}", "banana"},
	/* replacements */
	{"${word/a/o}", "bonana"},
	{"${word//a/o}", "bonono"},
	{"${word/an/}", "bana"},
	{"${word//an/}", "ba"},
	{"${word/x/y}", "banana"},
	{"${word/a*a/-}", "b-"},
	{"${word//n?/<>}", "ba<><>"},
	{"${word/*/x}", "x"},
	{"${word//*/x}", "x"},
	{"${empty/*/x}", "x"},
	{"${word//a*/x}", "bx"},
	{"${word/?/x}", "xanana"},
	{"${word//?/x}", "xxxxxx"},
	{"${uni//?/x}", "xxxx"},
	{"${file//\\//:}", ":usr:lib:app.tar.gz"},
	{"${file/$pat/}", "app.tar.gz"},
	{"${magic/\\*/+}", "a+b?c"},
	{"${magic//[ab]/x}", "a*b?c"},
	{"${word/n/$name}", "baworldana"},
	{"${word/n/${missing:-Y}}", "baYana"},
	{"${missing/a/b}", ""},
	{"${dots//./-}", "1-2-3"},
	{"${word//n/\\/}", "ba\\/a\\/a"}, /* as there: escapes of the replacement stay */
	{"${word///-}", "-b-a-n-a-n-a-"},
	{"${word/b*x/y}", "banana"},
	{"\"${word/n/\"N\"}\"", "baNana"},
	/* clang-format on */
};

START_TEST(expands)
{
	SCOPE(strmap) struct strmap vars = STRMAP_INIT;
	SCOPE(str) struct str out = STR_INIT;
	struct expand_budget budget = EXPAND_BUDGET_INIT;
	const struct expander x = {.vars = &vars, .escape = '\\', .budget = &budget};
	struct err e = ERR_INIT;
	size_t at;

	fill(&vars);
	const int result = expand_word(&x, cases[_i].word, &out, &at, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(result, 0);
	ck_assert_msg(strcmp(str_text(&out), cases[_i].want) == 0, "'%s' gives '%s', not '%s'",
		      cases[_i].word, str_text(&out), cases[_i].want);
}
END_TEST

static const struct {
	const char *word;
	size_t at;
	const char *text;
} refused[] = {
	{"${name", 0, "missing '}'"},
	{"${", 0, "missing '}'"},
	{"ab${", 2, "missing '}'"},
	{"${}", 0, "no name"},
	{"${{name}}", 0, "no name"},
	{"${:-x}", 0, "no name"},
	{"${ name}", 0, "no name"},
	{"${name:-x", 0, "missing '}'"},
	{"${name:}", 0, "':'"},
	{"${name:", 0, "':'"},
	{"${name:=x}", 0, "':'"},
	{"${name:#x}", 0, "':'"},
	{"${name:%x}", 0, "':'"},
	{"${name=x}", 0, "modifier '='"},
	{"${name^}", 0, "modifier '^'"},
	{"${name,,}", 0, "modifier ','"},
	{"${name[0]}", 0, "modifier '['"},
	{"${#name}", 0, "modifier 'n'"},
	{"${!name}", 0, "modifier 'n'"},
	{"${name\xe2\x80\x93}", 0, "unknown modifier"},
	{"x${missing?}", 1, "missing: is not allowed to be unset"},
	{"x${missing:?}", 1, "missing: is not allowed to be unset"},
	{"x${empty:?}", 1, "empty: is not allowed to be empty"},
	{"${missing?set $name}", 0, "missing: set world"},
	{"${name:-${missing?inner}}", 8, "missing: inner"},
	{"'abc", 0, "single quote"},
	{"a\"bc", 1, "double quote"},
	{"\"a\\\"", 0, "double quote"},
	{"${name:-'a}", 8, "single quote"},
	{"${word#\\x}", 0, "'\\'"},
	{"${uni#h\\\xc3\xb6}", 0, "'\\'"},
	{"${word#${back%b}}", 0, "'\\'"}, /* at the end of the pattern */
	{"${word#a\\\\\\}", 0, "missing '}'"},
	{"${word/a}", 0, "missing '/'"},
	{"${word/a/b", 0, "missing '}'"},
	{"${word//}", 0, "missing '/'"},
};

START_TEST(refuses)
{
	SCOPE(strmap) struct strmap vars = STRMAP_INIT;
	SCOPE(str) struct str out = STR_INIT;
	struct expand_budget budget = EXPAND_BUDGET_INIT;
	const struct expander x = {.vars = &vars, .escape = '\\', .budget = &budget};
	struct err e = ERR_INIT;
	size_t at = 99;

	fill(&vars);
	ck_assert_msg(expand_word(&x, refused[_i].word, &out, &at, &e) < 0, "accepted: %s",
		      refused[_i].word);
	ck_assert_err(&e, ERR_SYNTAX, refused[_i].text);
	ck_assert_msg(at == refused[_i].at, "%s: at %zu", refused[_i].word, at);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

/* Half a character, or one that cannot be seen, would say nothing. */
START_TEST(names_no_modifier_that_cannot_be_shown)
{
	static const char *const words[] = {"${name\xe2\x80\x93}", "${name }", "${name\x7f}"};
	SCOPE(strmap) struct strmap vars = STRMAP_INIT;
	SCOPE(str) struct str out = STR_INIT;
	struct expand_budget budget = EXPAND_BUDGET_INIT;
	const struct expander x = {.vars = &vars, .escape = '\\', .budget = &budget};
	struct err e = ERR_INIT;
	size_t at = 99;

	fill(&vars);
	ck_assert_int_eq(expand_word(&x, words[_i], &out, &at, &e), -1);
	ck_assert_str_eq(e.msg, "bad substitution: unknown modifier");
	ck_assert_err(&e, ERR_SYNTAX, "modifier");
}
END_TEST

static const struct {
	const char *word, *want; /* words joined by "|" */
} splits[] = {
	{"", ""},
	{"a", "a"},
	{" a  b ", "a|b"},
	{"$two", "one|two"},
	{"x${two}y", "xone|twoy"},
	{"\"$two\"", "one two"},
	{"'a b' c", "a b|c"},
	{"a\\ b", "a b"},
	{"$empty", ""},
	{"$empty a", "a"},
	{"''", ""},
	{"${missing:-1 2 3}", "1|2|3"},
	{"\"${missing:-1 2 3}\"", "1 2 3"},
	{"a\tb\xc2\xa0"
	 "c",
	 "a|b|c"},
	{"${missing:-\"1 2\"}", "1|2"}, /* as BuildKit: the quotes of a default do not hold */
	{"80 $two/udp", "80|one|two/udp"},
};

START_TEST(splits_into_words)
{
	SCOPE(strmap) struct strmap vars = STRMAP_INIT;
	SCOPE(strlist) struct strlist words = STRLIST_INIT;
	SCOPE(str) struct str got = STR_INIT;
	struct expand_budget budget = EXPAND_BUDGET_INIT;
	const struct expander x = {.vars = &vars, .escape = '\\', .budget = &budget};
	struct err e = ERR_INIT;
	size_t at;

	fill(&vars);
	ck_assert_int_eq(expand_words(&x, splits[_i].word, &words, &at, &e), 0);
	for (size_t i = 0; i < words.count; i++)
		ck_assert_int_eq(str_appendf(&got, &e, "%s%s", i ? "|" : "", words.items[i]), 0);
	ck_assert_str_eq(str_text(&got), splits[_i].want);
}
END_TEST

START_TEST(knows_the_other_escape_character)
{
	SCOPE(strmap) struct strmap vars = STRMAP_INIT;
	SCOPE(str) struct str out = STR_INIT;
	struct expand_budget budget = EXPAND_BUDGET_INIT;
	const struct expander x = {.vars = &vars, .escape = '`', .budget = &budget};
	struct err e = ERR_INIT;
	size_t at;

	fill(&vars);
	ck_assert_int_eq(expand_word(&x, "c:\\$name`$name \"`\"\"", &out, &at, &e), 0);
	ck_assert_str_eq(str_text(&out), "c:\\world$name \"");
}
END_TEST

START_TEST(leaves_quotes_of_documents)
{
	SCOPE(strmap) struct strmap vars = STRMAP_INIT;
	SCOPE(str) struct str out = STR_INIT;
	struct expand_budget budget = EXPAND_BUDGET_INIT;
	const struct expander x = {
		.vars = &vars, .escape = '\\', .flags = EXPAND_QUOTES_STAY, .budget = &budget};
	struct err e = ERR_INIT;
	size_t at;

	fill(&vars);
	ck_assert_int_eq(expand_word(&x, "\"$name\" it's \\$name\n", &out, &at, &e), 0);
	ck_assert_str_eq(str_text(&out), "\"world\" it's $name\n");
}
END_TEST

START_TEST(tells_names_that_are_not_set)
{
	SCOPE(strmap) struct strmap vars = STRMAP_INIT;
	SCOPE(strlist) struct strlist unset = STRLIST_INIT;
	SCOPE(str) struct str out = STR_INIT;
	struct expand_budget budget = EXPAND_BUDGET_INIT;
	const struct expander x = {
		.vars = &vars, .escape = '\\', .unset = &unset, .budget = &budget};
	struct err e = ERR_INIT;
	size_t at;

	fill(&vars);
	ck_assert_int_eq(
		expand_word(&x, "$a $name $empty ${b} ${c:-x} ${d+y} $1 $@ ${f#x}", &out, &at, &e),
		0);
	ck_assert_uint_eq(unset.count, 3);
	ck_assert_str_eq(unset.items[0], "a");
	ck_assert_str_eq(unset.items[1], "b");
	ck_assert_str_eq(unset.items[2], "f");
}
END_TEST

static void make_big(struct strmap *vars, const char *name, char c, size_t len)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *text = malloc(len + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, c, len);
	text[len] = '\0';
	ck_assert_int_eq(strmap_set(vars, name, text, &e), 0);
}

/* Words that double what is large already, in each of the ways to make text. */
START_TEST(limits_words)
{
	static const char *const words[] = {"$a$a$a", "${x:-$a$a$a}", "\"$a$a$a\"", "${a//a/bcd}",
					    "${a#$a$a$a}"};
	SCOPE(strmap) struct strmap vars = STRMAP_INIT;
	SCOPE(str) struct str out = STR_INIT;
	struct expand_budget budget = EXPAND_BUDGET_INIT;
	const struct expander x = {.vars = &vars, .escape = '\\', .budget = &budget};
	struct err e = ERR_INIT;
	size_t at;

	make_big(&vars, "a", 'a', LIMIT_EXPANDED_WORD / 2);
	ck_assert_int_eq(expand_word(&x, "$a$a", &out, &at, &e), 0);
	ck_assert_uint_eq(out.len, LIMIT_EXPANDED_WORD);
	ck_assert_int_eq(expand_word(&x, words[_i], &out, &at, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "grows");
}
END_TEST

START_TEST(limits_nesting)
{
	SCOPE(strmap) struct strmap vars = STRMAP_INIT;
	SCOPE(str) struct str word = STR_INIT;
	SCOPE(str) struct str out = STR_INIT;
	struct expand_budget budget = EXPAND_BUDGET_INIT;
	const struct expander x = {.vars = &vars, .escape = '\\', .budget = &budget};
	struct err e = ERR_INIT;
	size_t at;

	for (size_t i = 0; i < LIMIT_EXPANSION_DEPTH; i++)
		ck_assert_int_eq(str_append_z(&word, "${a:-", &e), 0);
	SCOPE_FREE char *deep = str_dupf(&e, "%sx", str_text(&word));
	ck_assert_int_eq(expand_word(&x, deep, &out, &at, &e), -1);
	ck_assert_err(&e, ERR_SYNTAX, "missing '}'");
	for (size_t i = 0; i < 50000 && e.code == ERR_NONE; i++)
		str_append_z(&word, "${a:-", &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(expand_word(&x, str_text(&word), &out, &at, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "nested");
	ck_assert_uint_eq(at, LIMIT_EXPANSION_DEPTH * 5);
}
END_TEST

/* A text of one letter, and a pattern that nearly matches everywhere. */
START_TEST(limits_the_work_of_patterns)
{
	static const char *const words[] = {"${a#*$b}", "${a%$b*}", "${a/$b/x}", "${a//*$b/x}"};
	SCOPE(strmap) struct strmap vars = STRMAP_INIT;
	SCOPE(str) struct str out = STR_INIT;
	struct expand_budget budget = EXPAND_BUDGET_INIT;
	const struct expander x = {.vars = &vars, .escape = '\\', .budget = &budget};
	struct err e = ERR_INIT;
	size_t at;

	make_big(&vars, "a", 'a', LIMIT_EXPANDED_WORD);
	make_big(&vars, "b", 'a', LIMIT_EXPANDED_WORD / 2);
	/* Ends are matched from behind. */
	SCOPE_FREE char *nearly = str_dupf(&e, "%s%s%s", _i == 1 ? "b" : "", strmap_get(&vars, "b"),
					   _i == 1 ? "" : "b");
	ck_assert_int_eq(strmap_set(&vars, "b", nearly, &e), 0);
	ck_assert_int_eq(expand_word(&x, words[_i], &out, &at, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "takes too long");
}
END_TEST

/* A long value costs also where nothing is compared, and nothing is left of it. */
START_TEST(limits_patterns_without_results)
{
	static const char *const words[] = {"${a##*}", "${a%%*}", "${a/*/}", "${a//?/}"};
	SCOPE(strmap) struct strmap vars = STRMAP_INIT;
	SCOPE(str) struct str out = STR_INIT;
	struct expand_budget budget = EXPAND_BUDGET_INIT;
	const struct expander x = {.vars = &vars, .escape = '\\', .budget = &budget};
	struct err e = ERR_INIT;
	size_t at, count = 0;

	make_big(&vars, "a", 'a', LIMIT_EXPANDED_WORD);
	while (expand_word(&x, words[_i], &out, &at, &e) == 0) {
		ck_assert_uint_eq(out.len, 0);
		ck_assert_uint_le(++count, LIMIT_PATTERN_STEPS / LIMIT_EXPANDED_WORD);
	}
	ck_assert_err(&e, ERR_LIMIT, "takes too long");
}
END_TEST

/* The budget of bytes is one for all words of a file. */
START_TEST(limits_all_words_together)
{
	SCOPE(strmap) struct strmap vars = STRMAP_INIT;
	struct expand_budget budget = EXPAND_BUDGET_INIT;
	const struct expander x = {.vars = &vars, .escape = '\\', .budget = &budget};
	struct err e = ERR_INIT;
	size_t at, count = 0;

	make_big(&vars, "a", 'a', LIMIT_EXPANDED_WORD);
	for (;; count++) {
		SCOPE(str) struct str out = STR_INIT;
		ck_assert_uint_le(count, LIMIT_EXPANDED_TOTAL / LIMIT_EXPANDED_WORD);
		if (expand_word(&x, "$a", &out, &at, &e) < 0)
			break;
	}
	ck_assert_err(&e, ERR_LIMIT, "all words together");
}
END_TEST

/* Short words cost more than their text. */
START_TEST(limits_the_number_of_words)
{
	SCOPE(strmap) struct strmap vars = STRMAP_INIT;
	SCOPE(strlist) struct strlist words = STRLIST_INIT;
	SCOPE(str) struct str text = STR_INIT;
	struct expand_budget budget = EXPAND_BUDGET_INIT;
	const struct expander x = {.vars = &vars, .escape = '\\', .budget = &budget};
	struct err e = ERR_INIT;
	size_t at;

	for (size_t i = 0; i < LIMIT_EXPANDED_WORD / 2; i++)
		ck_assert_int_eq(str_append_z(&text, "a ", &e), 0);
	ck_assert_int_eq(strmap_set(&vars, "a", str_text(&text), &e), 0);
	while (expand_words(&x, "$a", &words, &at, &e) == 0)
		;
	ck_assert_err(&e, ERR_LIMIT, "all words together");
	ck_assert_uint_le(words.count, LIMIT_EXPANDED_TOTAL / 64);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("manifests/expand");
	TCase *tc = tcase_create("words");
	tcase_add_loop_test(tc, expands, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	tcase_add_loop_test(tc, names_no_modifier_that_cannot_be_shown, 0, 3);
	tcase_add_loop_test(tc, splits_into_words, 0, ARRAY_LEN(splits));
	tcase_add_test(tc, knows_the_other_escape_character);
	tcase_add_test(tc, leaves_quotes_of_documents);
	tcase_add_test(tc, tells_names_that_are_not_set);
	suite_add_tcase(s, tc);

	TCase *limits = tcase_create("limits");
	tcase_set_timeout(limits, 60);
	tcase_add_loop_test(limits, limits_words, 0, 5);
	tcase_add_test(limits, limits_nesting);
	tcase_add_loop_test(limits, limits_the_work_of_patterns, 0, UNIT_LOOPS(4));
	tcase_add_loop_test(limits, limits_patterns_without_results, 0, UNIT_LOOPS(4));
	tcase_add_test(limits, limits_all_words_together);
	tcase_add_test(limits, limits_the_number_of_words);
	suite_add_tcase(s, limits);
	return s;
}

UNIT_MAIN(suite_new)
