/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include "main.h"
#include "tests/support/failalloc.h"

START_TEST(append_keeps_a_nul_at_the_end)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str s = STR_INIT;

	ck_assert_str_eq(str_text(&s), "");
	ck_assert_int_eq(str_append(&s, NULL, 0, &e), 0);
	ck_assert_ptr_nonnull(s.data);
	ck_assert_int_eq(str_append_z(&s, "ab", &e), 0);
	ck_assert_int_eq(str_append_c(&s, 'c', &e), 0);
	ck_assert_int_eq(str_append(&s, "d\0e", 3, &e), 0);
	ck_assert_uint_eq(s.len, 6);
	ck_assert_mem_eq(s.data, "abcd\0e", 7);
	ck_assert_int_eq(str_append_zeros(&s, 3, &e), 0);
	ck_assert_mem_eq(s.data, "abcd\0e\0\0\0", 10);
	str_truncate(&s, 2);
	ck_assert_str_eq(str_text(&s), "ab");
}
END_TEST

START_TEST(appendf_formats_any_length)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str s = STR_INIT;

	ck_assert_int_eq(str_appendf(&s, &e, "%d-%s", 5, "x"), 0);
	ck_assert_int_eq(str_appendf(&s, &e, "%1000d", 7), 0);
	ck_assert_uint_eq(s.len, 1003);
	ck_assert_uint_eq(strlen(s.data), 1003);
	ck_assert_int_eq(s.data[1002], '7');
}
END_TEST

START_TEST(reserve_refuses_overflow)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str s = STR_INIT;

	ck_assert_int_eq(str_append_z(&s, "ab", &e), 0);
	ck_assert_int_eq(str_reserve(&s, SIZE_MAX, &e), -1);
	ck_assert_err(&e, ERR_NOMEM, "memory");
	ck_assert_int_eq(str_reserve(&s, SIZE_MAX - 2, &e), -1);
	ck_assert_err(&e, ERR_NOMEM, "memory");
	ck_assert_int_eq(str_append_zeros(&s, SIZE_MAX / 2, &e), -1);
	ck_assert_err(&e, ERR_NOMEM, "memory");
	ck_assert_str_eq(s.data, "ab");
	ck_assert_uint_eq(s.len, 2);
}
END_TEST

START_TEST(steal_empties)
{
	struct err e = ERR_INIT;
	struct str s = STR_INIT;

	SCOPE_FREE char *empty = str_steal(&s, &e);
	ck_assert_str_eq(empty, "");
	ck_assert_int_eq(str_append_z(&s, "ab", &e), 0);
	SCOPE_FREE char *text = str_steal(&s, &e);
	ck_assert_str_eq(text, "ab");
	ck_assert_ptr_null(s.data);
	ck_assert_uint_eq(s.len, 0);
	ck_assert_uint_eq(s.cap, 0);
}
END_TEST

START_TEST(dup_copies)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *a = str_dup("abc", &e);
	SCOPE_FREE char *b = str_dup_n("a\0c", 3, &e);
	SCOPE_FREE char *c = str_dupf(&e, "%s/%u", "x", 3U);
	SCOPE_FREE char *d = str_dup_n(NULL, 0, &e);

	ck_assert_str_eq(a, "abc");
	ck_assert_mem_eq(b, "a\0c", 4);
	ck_assert_str_eq(c, "x/3");
	ck_assert_str_eq(d, "");
	ck_assert_ptr_null(str_dup_n("", SIZE_MAX, &e));
	ck_assert_err(&e, ERR_NOMEM, "memory");
}
END_TEST

START_TEST(comparisons)
{
	ck_assert(str_equal(NULL, NULL));
	ck_assert(!str_equal(NULL, ""));
	ck_assert(!str_equal("a", NULL));
	ck_assert(str_equal("a", "a"));
	ck_assert(!str_equal("a", "ab"));
	ck_assert(str_has_prefix("abc", "ab"));
	ck_assert(str_has_prefix("abc", ""));
	ck_assert(!str_has_prefix("ab", "abc"));
	ck_assert(str_has_suffix("abc", "bc"));
	ck_assert(str_has_suffix("abc", ""));
	ck_assert(!str_has_suffix("bc", "abc"));
	ck_assert(!str_has_suffix("abc", "ab"));
}
END_TEST

static const struct {
	const char *text;
	unsigned base;
	uint64_t max, value;
} numbers[] = {
	{"0", 10, UINT64_MAX, 0},
	{"007", 10, UINT64_MAX, 7},
	{"18446744073709551615", 10, UINT64_MAX, UINT64_MAX},
	{"1777777777777777777777", 8, UINT64_MAX, UINT64_MAX},
	{"ffffffffffffffff", 16, UINT64_MAX, UINT64_MAX},
	{"FfFf", 16, UINT64_MAX, 65535},
	{"101", 2, UINT64_MAX, 5},
	{"255", 10, 255, 255},
	{"000000000000000000000000000001", 10, 1, 1},
};

START_TEST(numbers_parse)
{
	uint64_t out = 1;

	ck_assert_int_eq(str_to_u64(numbers[_i].text, strlen(numbers[_i].text), numbers[_i].base,
				    numbers[_i].max, &out),
			 0);
	ck_assert_uint_eq(out, numbers[_i].value);
}
END_TEST

static const struct {
	const char *text;
	unsigned base;
	uint64_t max;
} no_numbers[] = {
	{"", 10, UINT64_MAX},
	{" 1", 10, UINT64_MAX},
	{"1 ", 10, UINT64_MAX},
	{"+1", 10, UINT64_MAX},
	{"-1", 10, UINT64_MAX},
	{"-0", 10, UINT64_MAX},
	{"1.0", 10, UINT64_MAX},
	{"0x10", 16, UINT64_MAX},
	{"8", 8, UINT64_MAX},
	{"a", 10, UINT64_MAX},
	{"g", 16, UINT64_MAX},
	{"2", 2, UINT64_MAX},
	{"\xb2", 10, UINT64_MAX},
	{"18446744073709551616", 10, UINT64_MAX},
	{"2000000000000000000000", 8, UINT64_MAX},
	{"10000000000000000", 16, UINT64_MAX},
	{"99999999999999999999999999", 10, UINT64_MAX},
	{"256", 10, 255},
	{"1", 10, 0},
};

START_TEST(numbers_refuse)
{
	uint64_t out = 42;

	ck_assert_int_eq(str_to_u64(no_numbers[_i].text, strlen(no_numbers[_i].text),
				    no_numbers[_i].base, no_numbers[_i].max, &out),
			 -1);
	ck_assert_uint_eq(out, 42);
}
END_TEST

START_TEST(numbers_stop_at_len)
{
	uint64_t out;

	ck_assert_int_eq(str_to_u64("12x", 2, 10, UINT64_MAX, &out), 0);
	ck_assert_uint_eq(out, 12);
	ck_assert_int_eq(str_to_u64("1\0", 2, 10, UINT64_MAX, &out), -1);
}
END_TEST

static const struct {
	const char *text;
	uint64_t value;
} sizes[] = {
	{"0", 0},
	{"512", 512},
	{"64k", 65536},
	{"64K", 65536},
	{"1M", 1048576},
	{"2GiB", UINT64_C(2) << 30},
	{"3kiB", 3072},
	{"1T", UINT64_C(1) << 40},
	{"1p", UINT64_C(1) << 50},
	{"15E", UINT64_C(15) << 60},
	{"18446744073709551615", UINT64_MAX},
	{"18014398509481983k", UINT64_MAX - 1023},
};

START_TEST(sizes_parse)
{
	uint64_t out = 1;

	ck_assert_int_eq(str_to_size(sizes[_i].text, &out), 0);
	ck_assert_uint_eq(out, sizes[_i].value);
}
END_TEST

static const char *const no_sizes[] = {
	"",
	"k",
	"-1",
	"1.5G",
	" 1",
	"1 k",
	"1kB",
	"1B",
	"1KB",
	"1x",
	"1kib",
	"1kiBB",
	"1ki",
	"16E",
	"1\x4b\x01",
	"18014398509481984k",
	"18446744073709551616",
	"1\x0b",
	"1@",
};

START_TEST(sizes_refuse)
{
	uint64_t out = 42;

	ck_assert_int_eq(str_to_size(no_sizes[_i], &out), -1);
	ck_assert_uint_eq(out, 42);
}
END_TEST

static const struct {
	uint64_t bytes;
	const char *text;
} human[] = {
	{0, "0 B"},
	{1023, "1023 B"},
	{1024, "1.0 KiB"},
	{1536, "1.5 KiB"},
	{1048575, "1.0 MiB"},
	{1048576, "1.0 MiB"},
	{UINT64_C(1023) * 1024, "1023.0 KiB"},
	{UINT64_C(1610612736), "1.5 GiB"},
	{UINT64_C(1) << 40, "1.0 TiB"},
	{UINT64_MAX, "16.0 EiB"},
	{UINT64_C(3) << 59, "1.5 EiB"},
};

START_TEST(human_sizes)
{
	char buf[STR_SIZE_MAX];

	ck_assert_str_eq(str_human_size(buf, human[_i].bytes), human[_i].text);
}
END_TEST

static int use_all(void *arg, struct err *e)
{
	SCOPE(str) struct str s = STR_INIT;
	SCOPE_FREE char *a = NULL, *b = NULL, *c = NULL;

	(void)arg;
	for (int i = 0; i < 50; i++) {
		const size_t before = s.len;
		if (str_appendf(&s, e, "%d", i) < 0 || str_append_z(&s, "text", e) < 0 ||
		    str_append_zeros(&s, 10, e) < 0) {
			/* What was appended before the failure is whole. */
			if (s.len < before || str_text(&s)[s.len] != '\0')
				abort();
			return -1;
		}
	}
	a = str_dup("a", e);
	b = a ? str_dupf(e, "%d", 1) : NULL;
	c = b ? str_steal(&s, e) : NULL;
	return c ? 0 : -1;
}

static int steal_nothing(void *arg, struct err *e)
{
	struct str s = STR_INIT;
	SCOPE_FREE char *text = str_steal(&s, e);

	(void)arg;
	return text ? 0 : -1;
}

START_TEST(without_memory)
{
	failalloc_each(use_all, NULL);
	failalloc_each(steal_nothing, NULL);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/str");
	TCase *tc = tcase_create("strings");

	tcase_add_test(tc, append_keeps_a_nul_at_the_end);
	tcase_add_test(tc, appendf_formats_any_length);
	tcase_add_test(tc, reserve_refuses_overflow);
	tcase_add_test(tc, steal_empties);
	tcase_add_test(tc, dup_copies);
	tcase_add_test(tc, comparisons);
	tcase_add_test(tc, without_memory);
	suite_add_tcase(suite, tc);
	tc = tcase_create("numbers");
	tcase_add_loop_test(tc, numbers_parse, 0, ARRAY_LEN(numbers));
	tcase_add_loop_test(tc, numbers_refuse, 0, ARRAY_LEN(no_numbers));
	tcase_add_test(tc, numbers_stop_at_len);
	tcase_add_loop_test(tc, sizes_parse, 0, ARRAY_LEN(sizes));
	tcase_add_loop_test(tc, sizes_refuse, 0, ARRAY_LEN(no_sizes));
	tcase_add_loop_test(tc, human_sizes, 0, ARRAY_LEN(human));
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
