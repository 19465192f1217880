/* SPDX-License-Identifier: Apache-2.0 */
#include "base/quote.h"

#include "main.h"
#include "tests/support/failalloc.h"

#define TEXT(t) t, sizeof(t) - 1

static const struct {
	const char *in;
	size_t len;
	const char *out;
} table[] = {
	{TEXT(""), ""},
	{TEXT("plain text 123 ~"), "plain text 123 ~"},
	{TEXT("say \"hi\""), "say \"hi\""},
	{TEXT("it's"), "it\\'s"},
	{TEXT("a\\b"), "a\\\\b"},
	{TEXT("a\nb\tc"), "a\\nb\\tc"},
	{TEXT("\r\a\b\033[2J"), "\\x0d\\x07\\x08\\x1b[2J"},
	{TEXT("nul\0nul"), "nul\\x00nul"},
	{TEXT("\x7f"), "\\x7f"},
	/* Valid UTF-8 of each length, at both ends of its range. */
	{TEXT("caf\xc3\xa9"), "caf\xc3\xa9"},
	{TEXT("\xc2\xa0\xdf\xbf"), "\xc2\xa0\xdf\xbf"},
	{TEXT("\xe0\xa0\x80\xef\xbf\xbd"), "\xe0\xa0\x80\xef\xbf\xbd"},
	{TEXT("\xed\x9f\xbf\xee\x80\x80"), "\xed\x9f\xbf\xee\x80\x80"},
	{TEXT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
	/* Overlong forms, surrogates, above U+10FFFF, lone and missing continuations. */
	{TEXT("\xc0\x80"), "\\xc0\\x80"},
	{TEXT("\xc1\xbf"), "\\xc1\\xbf"},
	{TEXT("\xe0\x9f\xbf"), "\\xe0\\x9f\\xbf"},
	{TEXT("\xf0\x8f\xbf\xbf"), "\\xf0\\x8f\\xbf\\xbf"},
	{TEXT("\xed\xa0\x80"), "\\xed\\xa0\\x80"},
	{TEXT("\xed\xbf\xbf"), "\\xed\\xbf\\xbf"},
	{TEXT("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"},
	{TEXT("\xf8\x88\x80\x80\x80"), "\\xf8\\x88\\x80\\x80\\x80"},
	{TEXT("\x80"), "\\x80"},
	{TEXT("\xff\xfe"), "\\xff\\xfe"},
	{TEXT("\xc3"), "\\xc3"},
	{TEXT("\xe2\x82"), "\\xe2\\x82"},
	{TEXT("\xe2\x82x"), "\\xe2\\x82x"},
	{TEXT("\xc3\xc3\xa9"), "\\xc3\xc3\xa9"},
	/* C1 controls, separators, and what turns the direction of text. */
	{TEXT("\xc2\x80"), "\\xc2\\x80"},
	{TEXT("\xc2\x9b"
	      "31m"),
	 "\\xc2\\x9b31m"},
	{TEXT("\xc2\x9f"), "\\xc2\\x9f"},
	{TEXT("\xe2\x80\xa8"), "\\xe2\\x80\\xa8"},
	{TEXT("\xe2\x80\xa9"), "\\xe2\\x80\\xa9"},
	{TEXT("\xe2\x80\xaa"), "\\xe2\\x80\\xaa"},
	{TEXT("\xe2\x80\xae"
	      "gpj"),
	 "\\xe2\\x80\\xaegpj"},
	{TEXT("\xe2\x80\xaf"), "\xe2\x80\xaf"},
	{TEXT("\xe2\x81\xa5"), "\xe2\x81\xa5"},
	{TEXT("\xe2\x81\xa6"), "\\xe2\\x81\\xa6"},
	{TEXT("\xe2\x81\xa9"), "\\xe2\\x81\\xa9"},
	{TEXT("\xe2\x81\xaa"), "\xe2\x81\xaa"},
	{TEXT("\xe2\x80\x8d"), "\xe2\x80\x8d"},
	{TEXT("\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c"), "\\xe2\\x80\\x8e\\xe2\\x80\\x8f\\xd8\\x9c"},
};

START_TEST(quotes_as_the_table_says)
{
	struct err e = ERR_INIT;
	char buf[QUOTE_MAX];
	SCOPE(str) struct str s = STR_INIT;

	ck_assert_str_eq(quote_bytes(buf, table[_i].in, table[_i].len), table[_i].out);
	ck_assert_int_eq(str_append_z(&s, "<", &e), 0);
	ck_assert_int_eq(quote_append(&s, table[_i].in, table[_i].len, &e), 0);
	ck_assert_int_eq(s.data[0], '<');
	if (!memchr(table[_i].in, '\'', table[_i].len))
		ck_assert_str_eq(s.data + 1, table[_i].out);
}
END_TEST

START_TEST(a_quote_stays_where_none_is_around_it)
{
	SCOPE(str) struct str s = STR_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(quote_append(&s, TEXT("'it's'\n\\'"), &e), 0);
	ck_assert_str_eq(s.data, "'it's'\\n\\\\'");
}
END_TEST

START_TEST(every_byte_comes_out_printable)
{
	char buf[QUOTE_MAX];

	for (unsigned i = 0; i < 256; i++) {
		const char byte = (char)i;
		quote_bytes(buf, &byte, 1);
		for (const char *p = buf; *p; p++)
			ck_assert(*p >= ' ' && *p <= '~');
	}
}
END_TEST

START_TEST(long_text_ends_in_dots)
{
	char text[400], buf[QUOTE_MAX], want[QUOTE_MAX];

	memset(text, 'a', sizeof(text));
	quote_bytes(buf, text, QUOTE_MAX - 1);
	ck_assert_uint_eq(strlen(buf), QUOTE_MAX - 1);
	ck_assert_ptr_null(strchr(buf, '.'));

	memset(want, 'a', QUOTE_MAX - 4);
	memcpy(want + QUOTE_MAX - 4, "...", 4);
	ck_assert_str_eq(quote_bytes(buf, text, QUOTE_MAX), want);
	ck_assert_str_eq(quote_bytes(buf, text, sizeof(text)), want);
	text[sizeof(text) - 1] = '\0';
	ck_assert_str_eq(quote_str(buf, text), want);
	text[QUOTE_MAX] = '\0';
	ck_assert_str_eq(quote_str(buf, text), want);
}
END_TEST

START_TEST(long_text_is_cut_between_units)
{
	char text[QUOTE_MAX + 8], buf[QUOTE_MAX];

	/* All offsets of a four-byte unit around the cut. */
	for (size_t lead = QUOTE_MAX - 12; lead < QUOTE_MAX; lead++) {
		memset(text, 'a', sizeof(text));
		memcpy(text + lead, "\xf0\x90\x80\x80", 4);
		quote_bytes(buf, text, sizeof(text));
		ck_assert_uint_lt(strlen(buf), QUOTE_MAX);
		ck_assert_str_eq(buf + strlen(buf) - 3, "...");
		ck_assert_ptr_null(strchr(buf, '\\'));
		const char *point = strchr(buf, '\xf0');
		if (point)
			ck_assert_mem_eq(point, "\xf0\x90\x80\x80", 4);

		text[lead] = '\x01';
		quote_bytes(buf, text, lead + 1);
		ck_assert_uint_lt(strlen(buf), QUOTE_MAX);
		const char *escape = strchr(buf, '\\');
		if (escape)
			ck_assert_str_eq(escape, "\\x01");
		else
			ck_assert_str_eq(buf + strlen(buf) - 3, "...");
	}
}
END_TEST

static int append_twice(void *arg, struct err *e)
{
	SCOPE(str) struct str s = STR_INIT;

	(void)arg;
	for (int i = 0; i < 20; i++) {
		const size_t before = s.len;
		if (quote_append(&s, TEXT("\x01some\xff text"), e) < 0) {
			if (s.len != before)
				abort();
			return -1;
		}
	}
	return 0;
}

START_TEST(without_memory_nothing_is_appended)
{
	failalloc_each(append_twice, NULL);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/quote");
	TCase *tc = tcase_create("quotes");

	tcase_add_loop_test(tc, quotes_as_the_table_says, 0, ARRAY_LEN(table));
	tcase_add_test(tc, a_quote_stays_where_none_is_around_it);
	tcase_add_test(tc, every_byte_comes_out_printable);
	tcase_add_test(tc, long_text_ends_in_dots);
	tcase_add_test(tc, long_text_is_cut_between_units);
	tcase_add_test(tc, without_memory_nothing_is_appended);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
