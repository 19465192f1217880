/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/pem.h"

#include "base/limits.h"
#include "main.h"
#include "tests/support/failalloc.h"

#define BLOCK "-----BEGIN SOME TYPE-----\nZm9vYmFy\n-----END SOME TYPE-----\n"

static const char *const accepted[] = {
	BLOCK,
	"-----BEGIN SOME TYPE-----\r\nZm9vYmFy\r\n-----END SOME TYPE-----\r\n",
	"-----BEGIN SOME TYPE-----\nZm9vYmFy\n-----END SOME TYPE-----",
	"\n\r\n" BLOCK "\n\n",
	"-----BEGIN SOME TYPE-----\nZm9v\nYmFy\n-----END SOME TYPE-----\n",
	"-----BEGIN SOME TYPE-----\nZ\nm9vYm\nFy\n-----END SOME TYPE-----\n",
};

START_TEST(reads_a_block)
{
	SCOPE(str) struct str body = STR_INIT;
	struct err e = ERR_INIT;
	char type[PEM_TYPE_MAX];

	ck_assert_int_eq(pem_parse(accepted[_i], strlen(accepted[_i]), type, &body, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_str_eq(type, "SOME TYPE");
	ck_assert_str_eq(str_text(&body), "foobar");
}
END_TEST

static const struct {
	const char *text, *word;
} refused[] = {
	{"", "empty"},
	{"\n\n", "empty"},
	{"hello", "begin"},
	{"text\n" BLOCK, "begin"},
	{BLOCK BLOCK, "more than one"},
	{BLOCK "text\n", "after"},
	{"-----BEGIN SOME TYPE-----\nZm9v", "no end"},
	{"-----BEGIN SOME TYPE-----\nZm9v\n", "no end"},
	{"-----BEGIN SOME TYPE-----\nZm9v\n-----END OTHER-----\n", "does not end"},
	{"-----BEGIN SOME TYPE-----\nZm9v\n-----END SOME TYPO-----\n", "does not end"},
	{"-----BEGIN SOME TYPE-----\nZm9v\n-----END SOME TYPES-----\n", "does not end"},
	{"-----BEGIN SOME TYPE-----\nZm9v\n-----END SOME TYPE----\n", "does not end"},
	{"-----BEGIN SOME TYPE-----\nZm9v\n-----BEGIN SOME TYPE-----\n", "does not end"},
	{"-----BEGIN SOME TYPE-----\nProc-Type: 4,ENCRYPTED\n\nZm9v\n-----END SOME TYPE-----\n",
	 "headers"},
	{"-----BEGIN SOME TYPE-----\n-----END SOME TYPE-----\n", "is empty"},
	{"-----BEGIN SOME TYPE-----\nZm9\n-----END SOME TYPE-----\n", "base64"},
	{"-----BEGIN SOME TYPE-----\nZm 9v\n-----END SOME TYPE-----\n", "base64"},
	{"-----BEGIN SOME TYPE-----\nZg==\nZg==\n-----END SOME TYPE-----\n", "base64"},
	{"-----BEGIN -----\nZm9v\n-----END -----\n", "begin"},
	{"-----BEGIN some type-----\nZm9v\n-----END some type-----\n", "begin"},
	{"-----BEGIN A\x1b[2J-----\nZm9v\n-----END A\x1b[2J-----\n", "begin"},
	{"-----BEGIN AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-----\n"
	 "Zm9v\n",
	 "begin"},
};

START_TEST(refuses)
{
	SCOPE(str) struct str body = STR_INIT;
	struct err e = ERR_INIT;
	char type[PEM_TYPE_MAX] = "untouched";

	ck_assert_int_eq(pem_parse(refused[_i].text, strlen(refused[_i].text), type, &body, &e),
			 -1);
	ck_assert_err(&e, ERR_FORMAT, refused[_i].word);
	ck_assert_str_eq(type, "untouched");
	ck_assert_uint_eq(body.len, 0);
}
END_TEST

START_TEST(refuses_what_is_too_long)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(str) struct str body = STR_INIT;
	struct err e = ERR_INIT;
	char type[PEM_TYPE_MAX];

	ck_assert_int_eq(str_append_z(&text, BLOCK, &e), 0);
	while (text.len <= LIMIT_KEY_FILE)
		ck_assert_int_eq(str_append_c(&text, '\n', &e), 0);
	ck_assert_int_eq(pem_parse(text.data, text.len, type, &body, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "longer");
	ck_assert_int_eq(pem_parse(text.data, LIMIT_KEY_FILE, type, &body, &e), 0);
}
END_TEST

START_TEST(writes_what_it_reads)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(str) struct str body = STR_INIT;
	struct err e = ERR_INIT;
	char type[PEM_TYPE_MAX];
	uint8_t bytes[200];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	ck_assert_int_eq(pem_format("SOME TYPE", bytes, (size_t)_i, &text, &e), 0);
	for (const char *at = text.data, *nl = NULL; (nl = strchr(at, '\n')) != NULL; at = nl + 1)
		ck_assert_int_le(nl - at, 64);
	ck_assert_int_eq(pem_parse(text.data, text.len, type, &body, &e), 0);
	ck_assert_uint_eq(body.len, (size_t)_i);
	ck_assert_mem_eq(body.data, bytes, body.len);
}
END_TEST

static int both_ways(void *arg, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(str) struct str body = STR_INIT;
	char type[PEM_TYPE_MAX];

	(void)arg;
	if (pem_format("SOME TYPE", "foobar", 6, &text, e) < 0)
		return -1;
	return pem_parse(text.data, text.len, type, &body, e);
}

START_TEST(survives_without_memory)
{
	failalloc_each(both_ways, NULL);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("signer/pem");
	TCase *tc = tcase_create("pem");

	tcase_add_loop_test(tc, reads_a_block, 0, ARRAY_LEN(accepted));
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, refuses_what_is_too_long);
	tcase_add_loop_test(tc, writes_what_it_reads, 1, 200);
	tcase_add_test(tc, survives_without_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
