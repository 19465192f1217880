/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <stdio.h>

#include "base/limits.h"
#include "main.h"
#include "tests/support/failalloc.h"

static json_t *parse(const char *text, struct err *e)
{
	return json_parse_object(text, strlen(text), LIMIT_DOCUMENT, "doc", e);
}

static const struct {
	const char *text;
	enum err_code code;
	const char *word;
} refused[] = {
	{"", ERR_FORMAT, "unexpected end"},
	{" ", ERR_FORMAT, "unexpected end"},
	{"{", ERR_FORMAT, "unexpected end"},
	{"[]", ERR_FORMAT, "not an object"},
	{"1", ERR_FORMAT, "syntax"},
	{"\"a\"", ERR_FORMAT, "syntax"},
	{"null", ERR_FORMAT, "syntax"},
	{"{} {}", ERR_FORMAT, "garbage"},
	{"{}x", ERR_FORMAT, "garbage"},
	{"{\"a\":1,\"a\":2}", ERR_FORMAT, "duplicate"},
	{"{\"x\":{\"a\":1,\"\\u0061\":2}}", ERR_FORMAT, "duplicate"},
	{"{\"a\":1,}", ERR_FORMAT, "syntax"},
	{"{'a':1}", ERR_FORMAT, "syntax"},
	{"{a:1}", ERR_FORMAT, "syntax"},
	{"{\"a\":01}", ERR_FORMAT, "syntax"},
	{"{\"a\":+1}", ERR_FORMAT, "syntax"},
	{"{\"a\":.5}", ERR_FORMAT, "syntax"},
	{"{\"a\":NaN}", ERR_FORMAT, "syntax"},
	{"{\"a\":Infinity}", ERR_FORMAT, "syntax"},
	{"{\"a\":\"\n\"}", ERR_FORMAT, "syntax"},
	{"{/**/}", ERR_FORMAT, "syntax"},
	{"{\"a\":9223372036854775808}", ERR_FORMAT, "range"},
	{"{\"a\":-9223372036854775809}", ERR_FORMAT, "range"},
	{"{\"a\":1e999}", ERR_FORMAT, "range"},
	{"\xef\xbb\xbf{}", ERR_FORMAT, "byte order"},
	{"{\"a\":\"\xff\"}", ERR_FORMAT, "UTF-8"},
	{"{\"a\":\"\xc0\x80\"}", ERR_FORMAT, "UTF-8"},
	{"{\"a\":\"\xed\xa0\x80\"}", ERR_FORMAT, "UTF-8"},
	{"{\"\xff\":1}", ERR_FORMAT, "UTF-8"},
	{"{\"a\":\"\\ud800\"}", ERR_FORMAT, "JSON"},
	{"{\"a\":\"\\udc00\"}", ERR_FORMAT, "JSON"},
	{"{\"a\":\"\\ud800\\u0041\"}", ERR_FORMAT, "JSON"},
	{"{\"a\":\"\\u0000\"}", ERR_FORMAT, "NUL"},
	{"{\"\\u0000\":1}", ERR_FORMAT, "NUL"},
	{"{\"a\":\"\\x41\"}", ERR_FORMAT, "syntax"},
	{"{]", ERR_FORMAT, "syntax"},
};

START_TEST(parse_refuses)
{
	struct err e = ERR_INIT;

	ck_assert_ptr_null(parse(refused[_i].text, &e));
	ck_assert_str_eq(strstr(e.msg, "doc: JSON"), e.msg);
	/* Nothing of the document gets into the message, whatever its bytes. */
	for (const char *p = e.msg; *p; p++)
		ck_assert(*p >= ' ' && *p <= '~');
	ck_assert_err(&e, refused[_i].code, refused[_i].word);
}
END_TEST

START_TEST(parse_refuses_a_nul_byte)
{
	struct err e = ERR_INIT;
	static const char text[] = "{}\0";

	ck_assert_ptr_null(json_parse_object(text, 3, 100, "doc", &e));
	ck_assert_err(&e, ERR_FORMAT, "garbage");
	ck_assert_ptr_null(json_parse_object(NULL, 0, 100, "doc", &e));
	ck_assert_err(&e, ERR_FORMAT, "unexpected end");
}
END_TEST

START_TEST(parse_says_where)
{
	struct err e = ERR_INIT;

	ck_assert_ptr_null(parse("{\n  \"a\": x\n}", &e));
	ck_assert_err(&e, ERR_FORMAT, "line 2, column 8: syntax error");
}
END_TEST

START_TEST(parse_holds_the_limit_of_bytes)
{
	struct err e = ERR_INIT;
	SCOPE_JSON json_t *root = json_parse_object("{\"a\":1}", 7, 7, "doc", &e);

	ck_assert_ptr_nonnull(root);
	ck_assert_ptr_null(json_parse_object("{\"a\":1}", 7, 6, "doc", &e));
	ck_assert_err(&e, ERR_LIMIT, "more than 6 bytes");
}
END_TEST

/* {"a":[[...]]} with `depth` brackets in all. */
static void nest(struct str *out, int depth)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(str_append_z(out, "{\"a\":", &e), 0);
	for (int i = 1; i < depth; i++)
		ck_assert_int_eq(str_append_c(out, '[', &e), 0);
	for (int i = 1; i < depth; i++)
		ck_assert_int_eq(str_append_c(out, ']', &e), 0);
	ck_assert_int_eq(str_append_c(out, '}', &e), 0);
}

START_TEST(parse_holds_the_limit_of_depth)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str deep = STR_INIT, deeper = STR_INIT, open = STR_INIT;

	nest(&deep, LIMIT_JSON_DEPTH);
	SCOPE_JSON json_t *root = parse(deep.data, &e);
	ck_assert_no_err(&e);
	ck_assert_ptr_nonnull(root);

	nest(&deeper, LIMIT_JSON_DEPTH + 1);
	ck_assert_ptr_null(parse(deeper.data, &e));
	ck_assert_err(&e, ERR_LIMIT, "nested");

	for (int i = 0; i < 100000; i++)
		ck_assert_int_eq(str_append_z(&open, "{\"a\":", &e), 0);
	ck_assert_ptr_null(parse(open.data, &e));
	ck_assert_err(&e, ERR_LIMIT, "nested");
}
END_TEST

START_TEST(parse_holds_the_limit_of_values)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str s = STR_INIT;

	ck_assert_int_eq(str_append_z(&s, "{\"a\":[{}", &e), 0);
	for (int i = 0; i < LIMIT_JSON_VALUES / 2; i++)
		ck_assert_int_eq(str_append_z(&s, ",{}", &e), 0);
	ck_assert_int_eq(str_append_z(&s, "]}", &e), 0);
	ck_assert_ptr_null(parse(s.data, &e));
	ck_assert_err(&e, ERR_LIMIT, "values");
}
END_TEST

START_TEST(brackets_in_strings_are_no_nesting)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str s = STR_INIT;
	const char *value;

	ck_assert_int_eq(str_append_z(&s, "{\"a\":\"\\\\\\\"", &e), 0);
	for (int i = 0; i < 3 * LIMIT_JSON_DEPTH; i++)
		ck_assert_int_eq(str_append_z(&s, "[{\\\"", &e), 0);
	ck_assert_int_eq(str_append_z(&s, "\"}", &e), 0);
	SCOPE_JSON json_t *root = parse(s.data, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(json_need_str(root, "a", "doc", &value, &e), 1);
	ck_assert_int_eq(strncmp(value, "\\\"[{\"[{\"", 8), 0);
}
END_TEST

START_TEST(siblings_are_no_nesting)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str s = STR_INIT;

	ck_assert_int_eq(str_append_z(&s, "{\"a\":[{}", &e), 0);
	for (int i = 0; i < 3 * LIMIT_JSON_DEPTH; i++)
		ck_assert_int_eq(str_append_z(&s, ",{},[]", &e), 0);
	ck_assert_int_eq(str_append_z(&s, "]}", &e), 0);
	SCOPE_JSON json_t *root = parse(s.data, &e);
	ck_assert_no_err(&e);
	ck_assert_ptr_nonnull(root);
}
END_TEST

#define MEMBERS                                                                    \
	"{\"s\":\"text\",\"e\":\"\",\"n\":7,\"z\":0,\"neg\":-1,\"r\":7.0,\"max\":" \
	"9223372036854775807,\"t\":true,\"f\":false,\"nil\":null,\"o\":{\"x\":1},\"l\":[1]}"

START_TEST(members_of_the_right_type)
{
	struct err e = ERR_INIT;
	SCOPE_JSON json_t *root = parse(MEMBERS, &e);
	const char *s = NULL;
	uint64_t n = 1;
	bool b = false;
	json_t *sub = NULL;

	ck_assert_int_eq(json_get_str(root, "s", "doc", &s, &e), 1);
	ck_assert_str_eq(s, "text");
	ck_assert_int_eq(json_need_str(root, "e", "doc", &s, &e), 1);
	ck_assert_str_eq(s, "");
	ck_assert_int_eq(json_get_u64(root, "n", "doc", 7, &n, &e), 1);
	ck_assert_uint_eq(n, 7);
	ck_assert_int_eq(json_need_u64(root, "z", "doc", 0, &n, &e), 1);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(json_get_u64(root, "max", "doc", UINT64_MAX, &n, &e), 1);
	ck_assert_uint_eq(n, INT64_MAX);
	ck_assert_int_eq(json_get_bool(root, "t", "doc", &b, &e), 1);
	ck_assert(b);
	ck_assert_int_eq(json_get_bool(root, "f", "doc", &b, &e), 1);
	ck_assert(!b);
	ck_assert_int_eq(json_get_object(root, "o", "doc", &sub, &e), 1);
	ck_assert_int_eq(json_need_u64(sub, "x", "doc", 1, &n, &e), 1);
	ck_assert_int_eq(json_get_array(root, "l", "doc", &sub, &e), 1);
	ck_assert_uint_eq(json_array_size(sub), 1);
	ck_assert_no_err(&e);
}
END_TEST

START_TEST(members_that_are_absent)
{
	static const char *const keys[] = {"missing", "nil"};
	struct err e = ERR_INIT;
	SCOPE_JSON json_t *root = parse(MEMBERS, &e);
	const char *s = "kept";
	uint64_t n = 42;
	bool b = true;
	json_t *sub = root;
	const char *key = keys[_i];

	ck_assert_int_eq(json_get_str(root, key, "doc", &s, &e), 0);
	ck_assert_int_eq(json_get_u64(root, key, "doc", 1, &n, &e), 0);
	ck_assert_int_eq(json_get_bool(root, key, "doc", &b, &e), 0);
	ck_assert_int_eq(json_get_object(root, key, "doc", &sub, &e), 0);
	ck_assert_int_eq(json_get_array(root, key, "doc", &sub, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_int_eq(json_need_str(root, key, "doc", &s, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "is missing");
	ck_assert_int_eq(json_need_u64(root, key, "doc", 1, &n, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, key);
	ck_assert_str_eq(s, "kept");
	ck_assert_uint_eq(n, 42);
	ck_assert(b);
	ck_assert_ptr_eq(sub, root);
}
END_TEST

/* Each member, and which getter takes it. */
static const struct {
	const char *key;
	char type;
} types[] = {
	{"s", 's'},   {"e", 's'}, {"n", 'n'}, {"z", 'n'}, {"neg", '-'}, {"r", '-'},
	{"max", '-'}, {"t", 'b'}, {"f", 'b'}, {"o", 'o'}, {"l", 'l'},
};

START_TEST(members_of_a_wrong_type)
{
	struct err e = ERR_INIT;
	SCOPE_JSON json_t *root = parse(MEMBERS, &e);
	const char *s, *key = types[_i].key;
	uint64_t n = 42;
	bool b;
	json_t *sub;

	if (types[_i].type != 's') {
		ck_assert_int_eq(json_get_str(root, key, "doc", &s, &e), -1);
		ck_assert_err(&e, ERR_FORMAT, "not a string");
	}
	if (types[_i].type != 'n') {
		ck_assert_int_eq(json_get_u64(root, key, "doc", 1000, &n, &e), -1);
		ck_assert_err(&e, ERR_FORMAT, "not");
		ck_assert_uint_eq(n, 42);
	}
	if (types[_i].type != 'b') {
		ck_assert_int_eq(json_get_bool(root, key, "doc", &b, &e), -1);
		ck_assert_err(&e, ERR_FORMAT, "true or false");
	}
	if (types[_i].type != 'o') {
		ck_assert_int_eq(json_get_object(root, key, "doc", &sub, &e), -1);
		ck_assert_err(&e, ERR_FORMAT, "not an object");
	}
	if (types[_i].type != 'l') {
		ck_assert_int_eq(json_get_array(root, key, "doc", &sub, &e), -1);
		ck_assert_err(&e, ERR_FORMAT, "not an array");
	}
}
END_TEST

START_TEST(members_of_what_is_no_object)
{
	struct err e = ERR_INIT;
	SCOPE_JSON json_t *root = parse(MEMBERS, &e);
	const char *s;

	ck_assert_int_eq(json_get_str(json_object_get(root, "l"), "s", "doc", &s, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "no JSON object");
	ck_assert_int_eq(json_get_str(NULL, "s", "doc", &s, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "no JSON object");
}
END_TEST

START_TEST(format_is_canonical)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str out = STR_INIT;
	SCOPE_JSON json_t *root =
		parse("{ \"b\" : [ 1, true, null, -0 ],\n\"B\":\"\\u00e9/\\n\\u0001\", "
		      "\"a\\u0062\":{}, \"a\": {\"y\":1,\"x\":\"\"} }",
		      &e);

	ck_assert_ptr_nonnull(root);
	ck_assert_int_eq(json_format(root, &out, &e), 0);
	/* As python3 -c 'json.dumps(sort_keys=True, separators=(",", ":"), ensure_ascii=False)'. */
	ck_assert_str_eq(out.data, "{\"B\":\"\xc3\xa9/\\n\\u0001\",\"a\":{\"x\":\"\",\"y\":1},"
				   "\"ab\":{},\"b\":[1,true,null,0]}");
	SCOPE_JSON json_t *again = parse(out.data, &e);
	ck_assert(json_equal(root, again));
	str_truncate(&out, 0);
	ck_assert_int_eq(json_format(json_object_get(root, "B"), &out, &e), 0);
	ck_assert_str_eq(out.data, "\"\xc3\xa9/\\n\\u0001\"");
}
END_TEST

START_TEST(format_pretty_ends_in_a_newline)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str out = STR_INIT;
	SCOPE_JSON json_t *root = parse("{\"b\":[1],\"a\":{}}", &e);

	ck_assert_int_eq(json_format_pretty(root, &out, &e), 0);
	ck_assert_str_eq(out.data, "{\n  \"a\": {},\n  \"b\": [\n    1\n  ]\n}\n");
}
END_TEST

START_TEST(put_takes_the_value)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str out = STR_INIT;
	SCOPE_JSON json_t *obj = json_object(), *arr = json_array();

	ck_assert_int_eq(json_put(obj, "k", json_integer(1), &e), 0);
	ck_assert_int_eq(json_put(obj, "bad\xff", json_true(), &e), 0);
	ck_assert_int_eq(json_push(arr, json_string("x"), &e), 0);
	ck_assert_int_eq(json_put(obj, "l", json_incref(arr), &e), 0);
	ck_assert_int_eq(json_format(obj, &out, &e), 0);
	ck_assert_str_eq(out.data, "{\"bad\\\\xff\":true,\"k\":1,\"l\":[\"x\"]}");

	ck_assert_int_eq(json_put(obj, "null", NULL, &e), -1);
	ck_assert_err(&e, ERR_NOMEM, "memory");
	ck_assert_int_eq(json_push(arr, NULL, &e), -1);
	ck_assert_err(&e, ERR_NOMEM, "memory");
	/* Not an object: the value is released all the same. */
	ck_assert_int_eq(json_put(arr, "k", json_string("lost"), &e), -1);
	ck_assert_err(&e, ERR_NOMEM, "memory");
}
END_TEST

static const struct {
	const char *in;
	size_t len;
	const char *out;
} texts[] = {
	{"", 0, ""},
	{"plain", 5, "plain"},
	{"it's \"here\"", 11, "it's \"here\""},
	{"caf\xc3\xa9", 5, "caf\xc3\xa9"},
	{"a\\b", 3, "a\\\\b"},
	{"a\\'b", 4, "a\\\\'b"},
	{"a\nb", 3, "a\\nb"},
	{"a\0b", 3, "a\\x00b"},
	{"\xff'", 2, "\\xff'"},
};

START_TEST(text_of_any_bytes)
{
	SCOPE_JSON json_t *text = json_text_value(texts[_i].in, texts[_i].len);

	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(json_string_value(text), texts[_i].out);
}
END_TEST

START_TEST(text_of_null_without_length)
{
	SCOPE_JSON json_t *text = json_text_value(NULL, 0);

	ck_assert_str_eq(json_string_value(text), "");
}
END_TEST

struct document {
	const char *text;
	json_t *root;
};

static int parse_and_format(void *arg, struct err *e)
{
	const struct document *want = arg;
	SCOPE(str) struct str out = STR_INIT;
	SCOPE_JSON json_t *root = parse(want->text, e);

	if (!root)
		return -1;
	/* Jansson by itself drops the characters for which it has no room. */
	if (!json_equal(root, want->root))
		abort();
	if (json_format(root, &out, e) < 0)
		return -1;
	str_truncate(&out, 0);
	return json_format_pretty(root, &out, e);
}

static int build(void *arg, struct err *e)
{
	SCOPE_JSON json_t *obj = json_object(), *arr = json_array();

	(void)arg;
	if (!obj || !arr)
		return err_nomem(e);
	for (int i = 0; i < 40; i++) {
		char key[16];
		snprintf(key, sizeof(key), "key%d\xff", i);
		if (json_push(arr, json_text_value("a\xff'", 3), e) < 0 ||
		    json_put(obj, key, json_text_value("it's", 4), e) < 0)
			return -1;
	}
	return json_put(obj, "l", json_incref(arr), e);
}

START_TEST(without_memory)
{
	static char text[] = "{\"a\":[1,2,3,{\"k\":\"a longer string, for its buffer to grow\"}],"
			     "\"b\":12345678901234,\"c\":1.5,\"\\u00e9\":null,\"d\":{},\"e\":[],"
			     "\"f\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20],"
			     "\"g\":1,\"h\":2,\"i\":3,\"j\":4,\"k\":5,\"l\":6,\"m\":7}";

	struct err e = ERR_INIT;
	SCOPE_JSON json_t *root = parse(text, &e);

	failalloc_each(parse_and_format, &(struct document){text, root});
	failalloc_each(build, NULL);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/json");
	TCase *tc = tcase_create("parse");

	tcase_add_loop_test(tc, parse_refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, parse_refuses_a_nul_byte);
	tcase_add_test(tc, parse_says_where);
	tcase_add_test(tc, parse_holds_the_limit_of_bytes);
	tcase_add_test(tc, parse_holds_the_limit_of_depth);
	tcase_add_test(tc, parse_holds_the_limit_of_values);
	tcase_add_test(tc, brackets_in_strings_are_no_nesting);
	tcase_add_test(tc, siblings_are_no_nesting);
	tcase_add_test(tc, without_memory);
	suite_add_tcase(suite, tc);
	tc = tcase_create("members");
	tcase_add_test(tc, members_of_the_right_type);
	tcase_add_loop_test(tc, members_that_are_absent, 0, 2);
	tcase_add_loop_test(tc, members_of_a_wrong_type, 0, ARRAY_LEN(types));
	tcase_add_test(tc, members_of_what_is_no_object);
	suite_add_tcase(suite, tc);
	tc = tcase_create("format");
	tcase_add_test(tc, format_is_canonical);
	tcase_add_test(tc, format_pretty_ends_in_a_newline);
	tcase_add_test(tc, put_takes_the_value);
	tcase_add_loop_test(tc, text_of_any_bytes, 0, ARRAY_LEN(texts));
	tcase_add_test(tc, text_of_null_without_length);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
