/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rfc3339.h"

#include "main.h"

/* Seconds are those of date(1): date -u -d TEXT +%s. */
static const struct {
	const char *text;
	int64_t seconds;
	uint32_t nsec;
} taken[] = {
	{"1970-01-01T00:00:00Z", 0, 0},
	{"1980-01-01T00:00:00Z", 315532800, 0},
	{"2024-02-29T23:59:59.123456789Z", 1709251199, 123456789},
	{"2024-01-02T03:04:05.5+01:00", 1704161045, 500000000},
	{"2024-01-02T03:04:05-23:59", 1704250985, 0},
	{"2000-02-29T00:00:00+00:00", 951782400, 0},
	{"1969-12-31T23:59:59.000000001Z", -1, 1},
	{"0001-01-01T00:00:00Z", INT64_C(-62135596800), 0},
	{"9999-12-31T23:59:59.9999999999Z", INT64_C(253402300799), 999999999},
};

START_TEST(takes_what_documents_have)
{
	struct rfc3339_time t;

	ck_assert_int_eq(rfc3339_parse(taken[_i].text, &t), 0);
	ck_assert_int_eq(t.seconds, taken[_i].seconds);
	ck_assert_uint_eq(t.nsec, taken[_i].nsec);
}
END_TEST

static const char *const refused[] = {
	"",
	"1980",
	"1980-01-01",
	"1980-01-01T00:00:00",
	"1980-01-01 00:00:00Z",
	"1980-01-01t00:00:00z",
	"1980-00-01T00:00:00Z",
	"1980-13-01T00:00:00Z",
	"1980-01-00T00:00:00Z",
	"1980-01-32T00:00:00Z",
	"1980-04-31T00:00:00Z",
	"1981-02-29T00:00:00Z",
	"1900-02-29T00:00:00Z",
	"1980-01-01T24:00:00Z",
	"1980-01-01T00:60:00Z",
	"1980-01-01T00:00:60Z",
	"1980-01-01T00:00:00.Z",
	"1980-01-01T00:00:00,5Z",
	"1980-01-01T00:00:00+1:00",
	"1980-01-01T00:00:00+24:00",
	"1980-01-01T00:00:00+01:60",
	"1980-01-01T00:00:00+0100",
	"1980-01-01T00:00:00Zx",
	"+980-01-01T00:00:00Z",
	"-980-01-01T00:00:00Z",
	"19800-01-01T00:00:00Z",
};

START_TEST(refuses_everything_else)
{
	struct rfc3339_time t = {7, 8};

	ck_assert_int_eq(rfc3339_parse(refused[_i], &t), -1);
	ck_assert_int_eq(t.seconds, 7);
	ck_assert_uint_eq(t.nsec, 8);
}
END_TEST

START_TEST(compares_moments_and_not_texts)
{
	static const char *const rising[] = {
		"2024-01-01T00:00:00+02:00", "2024-01-01T00:00:00+01:00", "2023-12-31T23:30:00Z",
		"2023-12-31T23:30:00.1Z",    "2024-01-01T00:00:00-01:00",
	};

	for (size_t i = 0; i < ARRAY_LEN(rising); i++) {
		for (size_t k = 0; k < ARRAY_LEN(rising); k++) {
			struct rfc3339_time a, b;
			ck_assert_int_eq(rfc3339_parse(rising[i], &a), 0);
			ck_assert_int_eq(rfc3339_parse(rising[k], &b), 0);
			ck_assert_int_eq(rfc3339_compare(&a, &b), (i > k) - (i < k));
		}
	}
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("base/rfc3339");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, takes_what_documents_have, 0, ARRAY_LEN(taken));
	tcase_add_loop_test(tc, refuses_everything_else, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, compares_moments_and_not_texts);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
