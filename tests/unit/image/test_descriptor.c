/* SPDX-License-Identifier: Apache-2.0 */
#include "image/descriptor.h"

#include "base/json.h"
#include "base/limits.h"
#include "image/mediatype.h"
#include "tests/support/failalloc.h"
#include "tests/unit/image/documents.h"
#include "tests/unit/main.h"

#define TYPE   "'mediaType':'application/x'"
#define DIGEST "'digest':'" EMPTY_SHA "'"
#define SIZE   "'size':0"
#define DESC   TYPE "," DIGEST "," SIZE

static int parse(struct descriptor *d, const char *text, struct err *e)
{
	char buf[DOCUMENT_MAX];
	document(buf, text);
	SCOPE(json) json_t *obj = json_parse_object(buf, strlen(buf), LIMIT_DOCUMENT, "test", e);

	return obj ? descriptor_from_json(d, obj, "layer 2", e) : -1;
}

/* Text, and the canonical form of what it says. */
static const struct {
	const char *text;
	const char *shown;
} accepted[] = {
	{"{" DESC "}", "{" DIGEST ",'mediaType':'application/x','size':0}"},
	{"{" TYPE "," DIGEST ",'size':9223372036854775807}",
	 "{" DIGEST ",'mediaType':'application/x','size':9223372036854775807}"},
	{"{" DESC ",'unknown':[1],'urls':['http://x'],'data':'e30=','annotations':{}}",
	 "{" DIGEST ",'mediaType':'application/x','size':0,'urls':['http://x']}"},
	{"{" DESC ",'urls':[]}", "{" DIGEST ",'mediaType':'application/x','size':0}"},
	{"{" DESC ",'urls':['b','','a']}",
	 "{" DIGEST ",'mediaType':'application/x','size':0,'urls':['b','','a']}"},
	{"{" DESC ",'annotations':null,'platform':null,'artifactType':null,'urls':null}",
	 "{" DIGEST ",'mediaType':'application/x','size':0}"},
	{"{" DESC ",'artifactType':'','annotations':{'b':'2','a':'1','A':''}}",
	 "{'annotations':{'A':'','a':'1','b':'2'}," DIGEST
	 ",'mediaType':'application/x','size':0}"},
	{"{" DESC ",'artifactType':'application/y'}",
	 "{'artifactType':'application/y'," DIGEST ",'mediaType':'application/x','size':0}"},
	{"{" DESC ",'platform':{'os':'linux','architecture':'x86_64','os.version':'1'}}",
	 "{" DIGEST ",'mediaType':'application/x','platform':{'architecture':'amd64','os':'linux'},"
	 "'size':0}"},
	{"{" DESC ",'platform':{'os':'linux','architecture':'arm','variant':'v6'}}",
	 "{" DIGEST ",'mediaType':'application/x','platform':{'architecture':'arm','os':'linux',"
	 "'variant':'v6'},'size':0}"},
	{"{'digest':'sha512:" EMPTY_HEX EMPTY_HEX "'," TYPE "," SIZE "}",
	 "{'digest':'sha512:" EMPTY_HEX EMPTY_HEX "','mediaType':'application/x','size':0}"},
};

#define WITH_DIGEST(text) "{" TYPE "," SIZE ",'digest':" text "}"
#define WITH_SIZE(text)   "{" TYPE "," DIGEST ",'size':" text "}"

static const struct {
	const char *text;
	const char *word;
} refused[] = {
	{"{}", "'mediaType' is missing"},
	{"{" DIGEST "," SIZE "}", "'mediaType' is missing"},
	{"{" TYPE "," SIZE "}", "'digest' is missing"},
	{"{" TYPE "," DIGEST "}", "'size' is missing"},
	{"{'mediaType':''," DIGEST "," SIZE "}", "not a media type"},
	{"{'mediaType':7," DIGEST "," SIZE "}", "'mediaType' is not a string"},
	{"{'mediaType':'a\\u001b[2J'," DIGEST "," SIZE "}", "'a\\x1b[2J' is not a media type"},
	{WITH_DIGEST("''"), "is not a digest"},
	{WITH_DIGEST("7"), "'digest' is not a string"},
	{WITH_DIGEST("'" EMPTY_HEX "'"), "is not a digest"},
	{WITH_DIGEST("'sha256:" EMPTY_HEX "0'"), "lower-case hex"},
	{WITH_DIGEST("'sha256:3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'"),
	 "lower-case hex"},
	{WITH_DIGEST("'sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855'"),
	 "lower-case hex"},
	{WITH_DIGEST("'sha512:" EMPTY_HEX "'"), "lower-case hex"},
	{WITH_DIGEST("'sha512:'"), "is not a digest"},
	{WITH_DIGEST("'md5:d41d8cd98f00b204e9800998ecf8427e'"), "only sha256 and sha512"},
	{WITH_DIGEST("'sha256:../../x'"), "is not a digest"},
	{WITH_DIGEST("'" EMPTY_SHA "/x'"), "is not a digest"},
	{WITH_DIGEST("'" EMPTY_SHA "\\n'"), "is not a digest"},
	{WITH_SIZE("-1"), "'size' is -1"},
	{WITH_SIZE("1.0"), "'size' is not an integer"},
	{WITH_SIZE("1e3"), "'size' is not an integer"},
	{WITH_SIZE("'10'"), "'size' is not an integer"},
	{WITH_SIZE("9223372036854775808"), "out of range"},
	{WITH_SIZE("1e400"), "out of range"},
	{WITH_SIZE("01"), "syntax error"},
	{"{" DESC ",'annotations':[]}", "'annotations' is not an object"},
	{"{" DESC ",'annotations':{'a':1}}", "member 'a' of 'annotations'"},
	{"{" DESC ",'annotations':{'a':null}}", "member 'a' of 'annotations'"},
	{"{" DESC ",'annotations':{'a':'\\u0000'}}", "NUL"},
	{"{" DESC ",'annotations':{'a':'1','a':'2'}}", "duplicate"},
	{"{" DESC ",'artifactType':{}}", "'artifactType' is not a string"},
	{"{" DESC ",'urls':'http://x'}", "'urls' is not an array"},
	{"{" DESC ",'urls':[1]}", "'urls'"},
	{"{" DESC ",'data':{}}", "'data' is not a string"},
	{"{" DESC ",'platform':'linux/amd64'}", "'platform' is not an object"},
	{"{" DESC ",'platform':{}}", "'os' is missing"},
	{"{" DESC ",'platform':{'os':'linux'}}", "'architecture' is missing"},
	{"{" DESC ",'platform':{'architecture':'amd64'}}", "'os' is missing"},
	{"{" DESC ",'platform':{'os':'','architecture':'amd64'}}",
	 "layer 2: platform: os is empty"},
	{"{" DESC ",'platform':{'os':'linux','architecture':'amd64','variant':1}}", "'variant'"},
	{"{" DESC ",'platform':{'os':'linux','architecture':'amd64','OS':'x'}}", "spelled 'os'"},
	/* A reader by Go's encoding/json sees other values in these. */
	{"{" DESC ",'Digest':'x'}", "'Digest' must be spelled 'digest'"},
	{"{" DESC ",'SIZE':1}", "'SIZE' must be spelled 'size'"},
	{"{" DESC ",'\\u017fize':1}", "must be spelled 'size'"},
};

START_TEST(parse_accepts)
{
	struct err e = ERR_INIT;
	char want[DOCUMENT_MAX];
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	SCOPE(str) struct str text = STR_INIT;

	ck_assert_int_eq(parse(&d, accepted[_i].text, &e), 0);
	ck_assert_no_err(&e);
	SCOPE(json) json_t *obj = descriptor_to_json(&d, &e);
	ck_assert_ptr_nonnull(obj);
	ck_assert_int_eq(json_format(obj, &text, &e), 0);
	ck_assert_str_eq(str_text(&text), document(want, accepted[_i].shown));
}
END_TEST

START_TEST(parse_refuses)
{
	struct err e = ERR_INIT;
	struct descriptor before, d;

	memset(&d, 0xa5, sizeof(d));
	before = d;
	ck_assert_int_eq(parse(&d, refused[_i].text, &e), -1);
	ck_assert_mem_eq(&d, &before, sizeof(d));
	ck_assert_err(&e, ERR_FORMAT, refused[_i].word);
}
END_TEST

START_TEST(parse_refuses_what_is_no_object)
{
	struct err e = ERR_INIT;
	struct descriptor d = DESCRIPTOR_INIT;
	SCOPE(json) json_t *array = json_array();

	ck_assert_int_eq(descriptor_from_json(&d, array, "layer 2", &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "layer 2: a descriptor must");
	ck_assert_int_eq(descriptor_from_json(&d, json_null(), "layer 2", &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "must be an object");
}
END_TEST

START_TEST(media_types_are_printable_and_short)
{
	struct err e = ERR_INIT;
	char type[257];
	SCOPE(json)
	json_t *obj =
		json_pack("{s:s, s:s, s:i}", "mediaType", "a/b", "digest", EMPTY_SHA, "size", 2);
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT, longer = DESCRIPTOR_INIT;

	memset(type, '~', sizeof(type) - 1);
	type[0] = ' ';
	type[256] = '\0';
	json_object_set_new(obj, "mediaType", json_string(type));
	ck_assert_int_eq(descriptor_from_json(&longer, obj, "layer 2", &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "not a media type");
	type[255] = '\0';
	json_object_set_new(obj, "mediaType", json_string(type));
	ck_assert_int_eq(descriptor_from_json(&d, obj, "layer 2", &e), 0);
	ck_assert_str_eq(d.media_type, type);
	json_object_set_new(obj, "mediaType", json_string("a/\x7f"));
	ck_assert_int_eq(descriptor_from_json(&longer, obj, "layer 2", &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "not a media type");
}
END_TEST

/* A descriptor with one annotation of `len` bytes. */
static json_t *annotated(size_t len)
{
	struct err e = ERR_INIT;
	char buf[DOCUMENT_MAX];
	SCOPE(str) struct str value = STR_INIT;

	document(buf, "{" DESC ",'annotations':{}}");
	json_t *obj = json_parse_object(buf, strlen(buf), LIMIT_DOCUMENT, "test", &e);
	ck_assert_int_eq(str_append_zeros(&value, len, &e), 0);
	memset(value.data, 'x', len);
	json_object_set_new(json_object_get(obj, "annotations"), "a", json_string(value.data));
	return obj;
}

START_TEST(annotations_have_a_limit)
{
	struct err e = ERR_INIT;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT, too_much = DESCRIPTOR_INIT;
	SCOPE(json) json_t *longest = annotated(LIMIT_ANNOTATION);
	SCOPE(json) json_t *longer = annotated(LIMIT_ANNOTATION + 1);

	ck_assert_int_eq(descriptor_from_json(&d, longest, "layer 2", &e), 0);
	ck_assert_uint_eq(strlen(strmap_get(&d.annotations, "a")), LIMIT_ANNOTATION);
	ck_assert_int_eq(descriptor_from_json(&too_much, longer, "layer 2", &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "longer than 65536");
}
END_TEST

START_TEST(text_that_is_not_utf8_is_not_written)
{
	struct err e = ERR_INIT;
	struct digest digest = {DIGEST_SHA256, {0}};
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;

	ck_assert_int_eq(descriptor_set(&d, "application/x", &digest, 7, &e), 0);
	ck_assert_int_eq(strmap_set(&d.annotations, "a", "\xff", &e), 0);
	ck_assert_ptr_null(descriptor_to_json(&d, &e));
	ck_assert_err(&e, ERR_FORMAT, "UTF-8");

	ck_assert_int_eq(strmap_set(&d.annotations, "a", "", &e), 0);
	ck_assert_int_eq(strmap_set(&d.annotations, "b\xff", "", &e), 0);
	ck_assert_ptr_null(descriptor_to_json(&d, &e));
	ck_assert_err(&e, ERR_FORMAT, "UTF-8");
}
END_TEST

START_TEST(set_and_copy_replace)
{
	struct err e = ERR_INIT;
	struct digest digest = {DIGEST_SHA256, {1}};
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT, copy = DESCRIPTOR_INIT;

	ck_assert_int_eq(parse(&d,
			       "{" DESC ",'annotations':{'a':'1'},'artifactType':'y','urls':['u'],"
			       "'platform':{'os':'linux','architecture':'arm'}}",
			       &e),
			 0);
	ck_assert_int_eq(descriptor_copy(&copy, &d, &e), 0);
	ck_assert_int_eq(descriptor_set(&d, MEDIATYPE_LAYER, &digest, 7, &e), 0);
	ck_assert_str_eq(d.media_type, MEDIATYPE_LAYER);
	ck_assert_uint_eq(d.size, 7);
	ck_assert(digest_equal(&d.digest, &digest));
	ck_assert_str_eq(strmap_get(&d.annotations, "a"), "1");
	ck_assert_uint_eq(d.urls.count, 0);

	ck_assert_str_eq(copy.media_type, "application/x");
	ck_assert_str_eq(copy.artifact_type, "y");
	ck_assert_str_eq(strmap_get(&copy.annotations, "a"), "1");
	ck_assert_uint_eq(copy.urls.count, 1);
	ck_assert_str_eq(copy.urls.items[0], "u");
	ck_assert(copy.has_platform);
	ck_assert_str_eq(copy.platform.architecture, "arm");
	ck_assert_int_eq(descriptor_copy(&copy, &d, &e), 0);
	ck_assert_str_eq(copy.media_type, MEDIATYPE_LAYER);
}
END_TEST

static int parse_copy_and_format(void *arg, struct err *e)
{
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT, copy = DESCRIPTOR_INIT;
	SCOPE(str) struct str text = STR_INIT;

	if (parse(&d, arg, e) < 0 || descriptor_copy(&copy, &d, e) < 0)
		return -1;
	SCOPE(json) json_t *obj = descriptor_to_json(&copy, e);
	return obj ? json_format(obj, &text, e) : -1;
}

static int copy(void *arg, struct err *e)
{
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;

	return descriptor_copy(&d, arg, e);
}

START_TEST(survives_lack_of_memory)
{
	struct err e = ERR_INIT;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	char text[] = "{" DESC ",'annotations':{'b':'1','a':'2'},'artifactType':'y','urls':['u'],"
		      "'platform':{'os':'linux','architecture':'arm','variant':'v6'}}";

	ck_assert_int_eq(parse(&d, text, &e), 0);
	failalloc_each(copy, &d);
	failalloc_each(parse_copy_and_format, text);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/descriptor");
	TCase *tc = tcase_create("descriptor");

	tcase_add_loop_test(tc, parse_accepts, 0, ARRAY_LEN(accepted));
	tcase_add_loop_test(tc, parse_refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, parse_refuses_what_is_no_object);
	tcase_add_test(tc, media_types_are_printable_and_short);
	tcase_add_test(tc, annotations_have_a_limit);
	tcase_add_test(tc, text_that_is_not_utf8_is_not_written);
	tcase_add_test(tc, set_and_copy_replace);
	tcase_add_test(tc, survives_lack_of_memory);
	suite_add_tcase(s, tc);
	return s;
}
UNIT_MAIN(suite_new)
