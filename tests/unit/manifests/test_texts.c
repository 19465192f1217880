/* SPDX-License-Identifier: Apache-2.0 */
/* Small things: signals, Go's quotes, characters. */
#include "main.h"

#include "manifests/chars.h"
#include "manifests/gotext.h"
#include "manifests/signals.h"

START_TEST(knows_signals)
{
	static const char *const good[] = {"SIGTERM",  "sigterm",     "TERM",    "Quit",
					   "9",        "1",           "64",      "SIGRTMIN",
					   "RTMIN+3",  "SIGRTMAX-15", "rtmax",   "SIGUSR1",
					   "SIGWINCH", "sigstkflt",   "RTMIN+15"};
	static const char *const bad[] = {"",           "0",       "65",       "-9",      "SIG",
					  "SIGFOO",     "TERM ",   "RTMIN+16", "RTMAX+1", "9x",
					  "SIGSIGTERM", "RTMIN-1", "RTMIN+",   "RTMI"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(signals_is_known(good[i]), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!signals_is_known(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(quotes_as_go_does)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"", "\"\""},
		{"a b", "\"a b\""},
		{"a\"b\\c", "\"a\\\"b\\\\c\""},
		{"\n\t\r\a\b\f\v", "\"\\n\\t\\r\\a\\b\\f\\v\""},
		{"\x01\x1b\x7f", "\"\\x01\\x1b\\x7f\""},
		{"\xc3\xa9", "\"\xc3\xa9\""},
		{"\xff", "\"\\xff\""},
		{"\xc2\x85\xc2\xa0", "\"\\u0085\\u00a0\""},
		{"it's", "\"it's\""},
	};
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		SCOPE(str) struct str out = STR_INIT;
		ck_assert_int_eq(gotext_quote(&out, cases[i].text, &e), 0);
		ck_assert_str_eq(str_text(&out), cases[i].want);
	}
}
END_TEST

START_TEST(prints_lists_as_go_does)
{
	struct err e = ERR_INIT;
	SCOPE(strlist) struct strlist l = STRLIST_INIT;
	SCOPE(str) struct str out = STR_INIT;

	ck_assert_int_eq(gotext_quoted_list(&out, &l, &e), 0);
	ck_assert_int_eq(strlist_add(&l, "/bin/sh", &e), 0);
	ck_assert_int_eq(strlist_add(&l, "a b", &e), 0);
	ck_assert_int_eq(gotext_quoted_list(&out, &l, &e), 0);
	ck_assert_int_eq(gotext_plain_list(&out, &l, &e), 0);
	ck_assert_str_eq(str_text(&out), "[][\"/bin/sh\" \"a b\"][/bin/sh a b]");
}
END_TEST

START_TEST(trims_white_space_of_any_script)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"", ""},
		{"  ", ""},
		{" a b\t\r\n", "a b"},
		{"\xc2\xa0\xe3\x80\x80x\xe2\x80\x89", "x"},
		{"\xa0x", "\xa0x"}, /* a lone byte is no space */
		{"x\x85", "x\x85"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *s = cases[i].text;
		size_t len = strlen(s);
		chars_trim(&s, &len);
		ck_assert_uint_eq(len, strlen(cases[i].want));
		ck_assert_mem_eq(s, cases[i].want, len);
	}
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("manifests/texts");
	TCase *tc = tcase_create("texts");
	tcase_add_test(tc, knows_signals);
	tcase_add_test(tc, quotes_as_go_does);
	tcase_add_test(tc, prints_lists_as_go_does);
	tcase_add_test(tc, trims_white_space_of_any_script);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
