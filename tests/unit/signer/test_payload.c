/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/payload.h"

#include "base/limits.h"
#include "main.h"
#include "signer/support.h"
#include "tests/support/failalloc.h"

#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define TYPE   "\"type\":\"cosign container image signature\""
#define ID     "\"identity\":{\"docker-reference\":\"localhost/app:1\"}"
#define IMAGE  "\"image\":{\"docker-manifest-digest\":\"" DIGEST "\"}"
#define HEAD   "{\"critical\":{" ID "," IMAGE "," TYPE "}"

START_TEST(writes_cosigns_bytes)
{
	SCOPE(str) struct str want = fixture_read("payload.json");
	SCOPE(str) struct str out = STR_INIT;
	struct err e = ERR_INIT;
	char name[] = "localhost/app:1";
	struct payload p = {.identity = name};

	ck_assert_int_eq(digest_parse(&p.manifest, DIGEST, strlen(DIGEST), &e), 0);
	ck_assert_int_eq(payload_format(&p, &out, &e), 0);
	ck_assert_str_eq(str_text(&out), str_text(&want));
}
END_TEST

START_TEST(writes_creator_and_time)
{
	SCOPE(payload) struct payload back = PAYLOAD_INIT;
	SCOPE(str) struct str out = STR_INIT;
	struct err e = ERR_INIT;
	char name[] = "a\"b", creator[] = "some t\xc3\xb6\xc3\xb6l";
	struct payload p = {.identity = name, .creator = creator};

	ck_assert_int_eq(digest_parse(&p.manifest, DIGEST, strlen(DIGEST), &e), 0);
	p.has_timestamp = true;
	p.timestamp = -5;
	ck_assert_int_eq(payload_format(&p, &out, &e), 0);
	ck_assert_ptr_nonnull(
		strstr(str_text(&out),
		       "\"optional\":{\"creator\":\"some t\xc3\xb6\xc3\xb6l\",\"timestamp\":-5}}"));
	ck_assert_int_eq(payload_parse(&back, out.data, out.len, &e), 0);
	ck_assert_str_eq(back.identity, name);
	ck_assert_str_eq(back.creator, creator);
	ck_assert_int_eq(back.timestamp, -5);

	p.creator = NULL;
	str_truncate(&out, 0);
	ck_assert_int_eq(payload_format(&p, &out, &e), 0);
	ck_assert_ptr_nonnull(strstr(str_text(&out), "\"optional\":{\"timestamp\":-5}}"));
}
END_TEST

static const char *const unprintable[] = {"a\xff", "a\nb", "a\x1b[2J", "a\\b"};

START_TEST(refuses_to_write_what_is_not_printable)
{
	SCOPE(str) struct str out = STR_INIT;
	struct err e = ERR_INIT;
	SCOPE_FREE char *name = str_dup(unprintable[_i], &e);
	struct payload p = {.identity = name};

	ck_assert_int_eq(digest_parse(&p.manifest, DIGEST, strlen(DIGEST), &e), 0);
	ck_assert_int_eq(payload_format(&p, &out, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "UTF-8");
}
END_TEST

static const struct {
	const char *text;
	int64_t timestamp; /* -1: none */
} accepted[] = {
	{HEAD ",\"optional\":null}", -1},
	{HEAD ",\"optional\":{}}", -1},
	{HEAD ",\"optional\":{\"any\":[1,{\"a\":null}],\"x\":1.5}}", -1},
	{HEAD ",\"optional\":{\"creator\":\"containers/image 5.22.1\",\"timestamp\":1795457823}}",
	 1795457823},
	{HEAD ",\"optional\":{\"timestamp\":1.795457823e9}}", 1795457823},
	{HEAD ",\"optional\":{\"timestamp\":0.0}}", 0},
	{"{ \"optional\" : null , \"critical\" : {" TYPE "," IMAGE "," ID "} }\n", -1},
};

START_TEST(reads)
{
	SCOPE(payload) struct payload p = PAYLOAD_INIT;
	struct err e = ERR_INIT;
	char digest[DIGEST_STR_MAX];

	ck_assert_int_eq(payload_parse(&p, accepted[_i].text, strlen(accepted[_i].text), &e), 0);
	ck_assert_no_err(&e);
	ck_assert_str_eq(p.identity, "localhost/app:1");
	ck_assert_str_eq(digest_format(&p.manifest, digest), DIGEST);
	ck_assert_int_eq(p.has_timestamp, accepted[_i].timestamp >= 0);
	if (p.has_timestamp)
		ck_assert_int_eq(p.timestamp, accepted[_i].timestamp);
}
END_TEST

static const struct {
	const char *text, *word;
} refused[] = {
	{"", "payload"},
	{"null", "payload"},
	{"[]", "payload"},
	{HEAD "}", "optional"},
	{HEAD ",\"optional\":null,\"other\":1}", "exactly"},
	{HEAD ",\"optional\":null,\"optional\":null}", "payload"},
	{HEAD ",\"optional\":null} x", "payload"},
	{HEAD ",\"optional\":1}", "optional"},
	{HEAD ",\"optional\":[]}", "optional"},
	{HEAD ",\"optional\":{\"creator\":1}}", "creator"},
	{HEAD ",\"optional\":{\"creator\":null}}", "creator"},
	{HEAD ",\"optional\":{\"timestamp\":1.5}}", "timestamp"},
	{HEAD ",\"optional\":{\"timestamp\":\"1\"}}", "timestamp"},
	{HEAD ",\"optional\":{\"timestamp\":null}}", "timestamp"},
	{HEAD ",\"optional\":{\"timestamp\":1e300}}", "timestamp"},
	{HEAD ",\"optional\":{\"timestamp\":1,\"timestamp\":1}}", "payload"},
	{"{\"optional\":null,\"other\":{}}", "no member 'critical'"},
	{"{\"optional\":null,\"critical\":null}", "critical"},
	{"{\"optional\":null,\"critical\":[]}", "critical"},
	{"{\"optional\":null,\"critical\":{" ID "," IMAGE "}}", "critical"},
	{"{\"optional\":null,\"critical\":{" ID "," IMAGE "," TYPE ",\"x\":1}}", "critical"},
	{"{\"optional\":null,\"critical\":{" ID "," IMAGE ",\"kind\":\"x\"}}", "type"},
	{"{\"optional\":null,\"critical\":{" ID "," IMAGE
	 ",\"type\":\"atomic container signature\"}}",
	 "type"},
	{"{\"optional\":null,\"critical\":{" ID "," IMAGE ",\"type\":7}}", "type"},
	{"{\"optional\":null,\"critical\":{\"identity\":{}," IMAGE "," TYPE "}}", "identity"},
	{"{\"optional\":null,\"critical\":{\"identity\":{\"docker-reference\":\"a\",\"b\":1}," IMAGE
	 "," TYPE "}}",
	 "identity"},
	{"{\"optional\":null,\"critical\":{\"identity\":{\"docker-reference\":null}," IMAGE "," TYPE
	 "}}",
	 "docker-reference"},
	{"{\"optional\":null,\"critical\":{" ID
	 ",\"image\":{\"docker-manifest-digest\":\"sha256:00\"}," TYPE "}}",
	 "digest"},
	{"{\"optional\":null,\"critical\":{" ID
	 ",\"image\":{\"docker-manifest-digest\":\"md5:00\"}," TYPE "}}",
	 "digest"},
	{"{\"optional\":null,\"critical\":{" ID ",\"image\":{\"docker-manifest-digest\":\"" DIGEST
	 "\",\"x\":1}," TYPE "}}",
	 "image"},
};

START_TEST(refuses)
{
	SCOPE(payload) struct payload p = PAYLOAD_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(payload_parse(&p, refused[_i].text, strlen(refused[_i].text), &e), -1);
	ck_assert_err(&e, ERR_FORMAT, refused[_i].word);
	ck_assert_ptr_null(p.identity);
}
END_TEST

START_TEST(refuses_what_is_too_long)
{
	SCOPE(payload) struct payload p = PAYLOAD_INIT;
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(str_append_z(&text, HEAD ",\"optional\":null}", &e), 0);
	const size_t len = text.len;
	ck_assert_int_eq(str_append_zeros(&text, LIMIT_SIG_PAYLOAD + 1 - len, &e), 0);
	memset(text.data + len, ' ', text.len - len);
	ck_assert_int_eq(payload_parse(&p, text.data, text.len, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "payload");
	ck_assert_int_eq(payload_parse(&p, text.data, text.len - 1, &e), 0);
}
END_TEST

static int both_ways(void *arg, struct err *e)
{
	SCOPE(payload) struct payload p = PAYLOAD_INIT;
	SCOPE(str) struct str out = STR_INIT;
	const char *text = arg;

	if (payload_parse(&p, text, strlen(text), e) < 0)
		return -1;
	return payload_format(&p, &out, e);
}

START_TEST(survives_without_memory)
{
	char text[] = HEAD ",\"optional\":{\"creator\":\"x\",\"timestamp\":1}}";

	failalloc_each(both_ways, text);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("signer/payload");
	TCase *tc = tcase_create("payload");

	tcase_add_test(tc, writes_cosigns_bytes);
	tcase_add_test(tc, writes_creator_and_time);
	tcase_add_loop_test(tc, refuses_to_write_what_is_not_printable, 0, ARRAY_LEN(unprintable));
	tcase_add_loop_test(tc, reads, 0, ARRAY_LEN(accepted));
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, refuses_what_is_too_long);
	tcase_add_test(tc, survives_without_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
