/* SPDX-License-Identifier: Apache-2.0 */
#include "image/reference.h"

#include "tests/support/failalloc.h"
#include "tests/unit/main.h"

#define EMPTY    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA256   "sha256:" EMPTY
#define TEN(x)   x x x x x x x x x x
#define A100     TEN(TEN("a"))
#define TAG_128  A100 TEN("b") TEN("c") "dddddddd"
#define NAME_245 A100 A100 TEN("b") TEN("c") TEN("d") TEN("e") "fffff"

static const struct {
	const char *text;
	const char *name;
	const char *tag; /* NULL: none */
	bool has_digest;
	const char *shown;
} accepted[] = {
	{"app", "localhost/app", "latest", false, "localhost/app:latest"},
	{"app:1.2", "localhost/app", "1.2", false, "localhost/app:1.2"},
	{"a", "localhost/a", "latest", false, "localhost/a:latest"},
	{"team/app", "localhost/team/app", "latest", false, "localhost/team/app:latest"},
	{"localhost", "localhost/localhost", "latest", false, "localhost/localhost:latest"},
	{"localhost/app", "localhost/app", "latest", false, "localhost/app:latest"},
	{"localhost:5000", "localhost/localhost", "5000", false, "localhost/localhost:5000"},
	{"localhost:5000/app", "localhost:5000/app", "latest", false, "localhost:5000/app:latest"},
	{"docker.io/library/debian:12", "docker.io/library/debian", "12", false,
	 "docker.io/library/debian:12"},
	{"registry.example:5000/team/app:V1.0-rc_1", "registry.example:5000/team/app", "V1.0-rc_1",
	 false, "registry.example:5000/team/app:V1.0-rc_1"},
	{"Registry.Example/app", "Registry.Example/app", "latest", false,
	 "Registry.Example/app:latest"},
	{"127.0.0.1/app", "127.0.0.1/app", "latest", false, "127.0.0.1/app:latest"},
	{"x-y.example/app", "x-y.example/app", "latest", false, "x-y.example/app:latest"},
	{"[2001:db8::1]:443/a/b", "[2001:db8::1]:443/a/b", "latest", false,
	 "[2001:db8::1]:443/a/b:latest"},
	{"[aA:fF:09]:65535/a", "[aA:fF:09]:65535/a", "latest", false, "[aA:fF:09]:65535/a:latest"},
	{"AZ.az.09/az09:AZaz09", "AZ.az.09/az09", "AZaz09", false, "AZ.az.09/az09:AZaz09"},
	{"[::1]/a", "[::1]/a", "latest", false, "[::1]/a:latest"},
	/* Without a "/" there is no host. */
	{"a.b", "localhost/a.b", "latest", false, "localhost/a.b:latest"},
	{"a_b/c__d/e.f/g-h/i--j/k---l", "localhost/a_b/c__d/e.f/g-h/i--j/k---l", "latest", false,
	 "localhost/a_b/c__d/e.f/g-h/i--j/k---l:latest"},
	{"app:_x", "localhost/app", "_x", false, "localhost/app:_x"},
	{"app:" TAG_128, "localhost/app", TAG_128, false, "localhost/app:" TAG_128},
	{NAME_245, "localhost/" NAME_245, "latest", false, "localhost/" NAME_245 ":latest"},
	{"app@" SHA256, "localhost/app", NULL, true, "localhost/app@" SHA256},
	{"r.example/app:1@" SHA256, "r.example/app", "1", true, "r.example/app:1@" SHA256},
};

static const struct {
	const char *text;
	const char *rule;
} refused[] = {
	{"", "byte 1: repository name is empty"},
	{":1", "repository name is empty"},
	{"@" SHA256, "repository name is empty"},
	{"App", "byte 1: repository name must be lower case"},
	{"team/aPp", "byte 7: repository name must be lower case"},
	/* No "." and no ":": not a host. */
	{"TEAM/app", "byte 1: repository name must be lower case"},
	{"r.example/App", "byte 11: repository name must be lower case"},
	{"a/", "byte 3: repository name has an empty component"},
	{"/a", "byte 1: repository name has an empty component"},
	{"a//b", "empty component"},
	{"r.example/", "empty component"},
	{"a..b", "byte 3: repository name needs a letter or a digit on both sides"},
	{"a._b", "on both sides"},
	{"a___b", "on both sides"},
	{"-a", "byte 1: repository name needs"},
	{"a-", "byte 2: repository name needs"},
	{".a/b", "byte 1: host has a label that is empty"},
	{"a/.b", "on both sides"},
	{"../x", "host has a label that is empty"},
	{"a/../x", "on both sides"},
	{"a/b./c", "on both sides"},
	{"a b", "byte 2: repository name may hold"},
	{"a\nb", "'a\\nb': byte 2"},
	{"a\\b", "may hold"},
	{"caf\xc3\xa9", "byte 4: repository name may hold"},
	{"a\xff", "may hold"},
	{NAME_245 "g", "longer than 255 bytes"},
	{"r.example/" NAME_245 "g", "longer than 255 bytes"},
	{"app:", "byte 5: tag is empty"},
	{"app:.1", "byte 5: tag may hold"},
	{"app:-1", "byte 5: tag may hold"},
	{"app:1 ", "byte 6: tag may hold"},
	{"app:1+2", "byte 6: tag may hold"},
	{"app:a:b", "may hold"},
	{"app:" TAG_128 "e", "tag is longer than 128 bytes"},
	{"app:1@", "byte 7: '' is not a digest"},
	{"app@" EMPTY, "is not a digest"},
	{"app@sha256:123", "lower-case hex"},
	{"app@md5:d41d8cd98f00b204e9800998ecf8427e", "only sha256 and sha512"},
	{"app@sha256:../../x", "is not a digest"},
	{"app@" SHA256 "@" SHA256, "is not a digest"},
	{"app@" SHA256 ":tag", "is not a digest"},
	{"http://r.example/app", "byte 6: port must be a number"},
	{"r.example:/app", "byte 11: port"},
	{"r.example:x/app", "port"},
	{"r.example:0/app", "port"},
	{"r.example:65536/app", "from 1 to 65535"},
	{"r.example:1:2/app", "port"},
	{":5000/app", "host has a label"},
	{"r..example/app", "byte 3: host has a label that is empty"},
	{"r.example./app", "host has a label that is empty"},
	{"-r.example/app", "byte 1: host may hold"},
	{"r-.example/app", "byte 3: host has a label that is empty or ends in '-'"},
	{"r_r.example/app", "byte 2: host may hold"},
	{"[::1/app", "IPv6"},
	{"[]/app", "may hold"},
	{"[:G]/app", "byte 3: host must be an IPv6"},
	{"[:g]/app", "byte 3: host must be an IPv6"},
	{"[::1]x/app", "byte 6: host must end after ']'"},
	{"[::1]:/app", "port"},
};

START_TEST(parse_accepts)
{
	struct err e = ERR_INIT;
	SCOPE(reference) struct reference r = REFERENCE_INIT, again = REFERENCE_INIT;

	ck_assert_int_eq(reference_parse(&r, accepted[_i].text, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_str_eq(r.name, accepted[_i].name);
	ck_assert_pstr_eq(r.tag, accepted[_i].tag);
	ck_assert_int_eq(r.has_digest, accepted[_i].has_digest);

	SCOPE_FREE char *shown = reference_format(&r, &e);
	ck_assert_str_eq(shown, accepted[_i].shown);
	ck_assert_int_eq(reference_parse(&again, shown, &e), 0);
	SCOPE_FREE char *shown_again = reference_format(&again, &e);
	ck_assert_str_eq(shown_again, shown);
}
END_TEST

START_TEST(parse_refuses)
{
	struct err e = ERR_INIT;
	struct reference r = REFERENCE_INIT;

	ck_assert_int_eq(reference_parse(&r, refused[_i].text, &e), -1);
	ck_assert_ptr_null(r.name);
	ck_assert_ptr_null(r.tag);
	ck_assert_err(&e, ERR_SYNTAX, refused[_i].rule);
}
END_TEST

START_TEST(key_is_name_and_tag)
{
	struct err e = ERR_INIT;
	SCOPE(reference) struct reference r = REFERENCE_INIT;

	ck_assert_int_eq(reference_parse(&r, "app:1@" SHA256, &e), 0);
	SCOPE_FREE char *key = reference_key(&r, &e);
	ck_assert_str_eq(key, "localhost/app:1");
}
END_TEST

START_TEST(key_needs_a_tag)
{
	struct err e = ERR_INIT;
	SCOPE(reference) struct reference r = REFERENCE_INIT;

	ck_assert_int_eq(reference_parse(&r, "app@" SHA256, &e), 0);
	ck_assert_ptr_null(reference_key(&r, &e));
	ck_assert_err(&e, ERR_USAGE, "no tag");
}
END_TEST

START_TEST(signature_tag_is_cosigns)
{
	struct err e = ERR_INIT;
	struct digest d;

	ck_assert_int_eq(digest_parse(&d, SHA256, strlen(SHA256), &e), 0);
	SCOPE_FREE char *tag = reference_signature_tag(&d, &e);
	ck_assert_str_eq(tag, "sha256-" EMPTY ".sig");
	ck_assert_ptr_eq(reference_artifact_tag(tag), tag);
}
END_TEST

START_TEST(signature_tag_refuses_sha512)
{
	struct err e = ERR_INIT;
	const struct digest d = {DIGEST_SHA512, {0}};

	ck_assert_ptr_null(reference_signature_tag(&d, &e));
	ck_assert_err(&e, ERR_UNSUPPORTED, "sha256");
}
END_TEST

static const struct {
	const char *tag;
	bool is_artifact;
} tags[] = {
	{"sha256-" EMPTY ".sig", true},
	{"sha256-" EMPTY ".att", true},
	{"sha256-" EMPTY ".sbom", true},
	{"sha256-" EMPTY, false},
	{"sha256-" EMPTY ".sign", false},
	{"sha256-" EMPTY "0.sig", false},
	{"sha256-123.sig", false},
	{"x-sha256-" EMPTY ".sig", false},
	{"sha256-" A100 ".sig", false},
	{"latest", false},
	{"sha256-", false},
	{"", false},
};

START_TEST(artifact_tags_are_known)
{
	const char *tag = tags[_i].tag;

	ck_assert_ptr_eq(reference_artifact_tag(tag), tags[_i].is_artifact ? tag : NULL);
}
END_TEST

START_TEST(artifact_tags_are_known_in_names)
{
	static const char *const others[] = {"localhost:5000/sha256-" EMPTY ".sig",
					     "localhost/app:sha256-" EMPTY ".sig/app",
					     "localhost/sha256-" EMPTY ".sig:latest"};
	static const char name[] = "localhost:5000/app:sha256-" EMPTY ".sig";

	ck_assert_str_eq(reference_artifact_tag(name), "sha256-" EMPTY ".sig");
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		ck_assert_ptr_null(reference_artifact_tag(others[i]));
}
END_TEST

static const struct {
	const char *text;
	bool is;
} likely_digests[] = {
	{"sha256:aa", true},           {"sha512:aa", true},
	{"localhost/sha256:aa", true}, {"sha256", true},
	{"sha256x:aa", false},         {"team/sha256:aa", false},
	{"host.io/sha256:1", false},   {"sha256@sha256:" EMPTY, false},
};

START_TEST(names_that_look_like_digests_are_known)
{
	SCOPE(reference) struct reference r = REFERENCE_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(reference_parse(&r, likely_digests[_i].text, &e), 0);
	ck_assert_int_eq(reference_looks_like_digest(&r), likely_digests[_i].is);
}
END_TEST

static const struct {
	const char *text;
	const char *why; /* NULL: it may be the name of an image */
} image_names[] = {
	{"app:1", NULL},
	{"app", NULL},
	{"app@sha256:" EMPTY, NULL},
	{"team/sha256:aa", NULL},
	{"sha256:aa", "digest"},
	{"app:sha256-" EMPTY ".sig", "signatures"},
	{"host.io/team/app:sha256-" EMPTY ".sbom", "signatures"},
};

START_TEST(names_that_an_image_may_not_have_are_refused)
{
	SCOPE(reference) struct reference r = REFERENCE_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(reference_parse(&r, image_names[_i].text, &e), 0);
	const int rc = reference_check_image_name(&r, image_names[_i].text, &e);
	ck_assert_int_eq(rc, image_names[_i].why ? -1 : 0);
	if (image_names[_i].why) {
		ck_assert_int_eq(e.code, ERR_USAGE);
		ck_assert_ptr_nonnull(strstr(e.msg, image_names[_i].why));
	}
	err_clear(&e);
}
END_TEST

static int parse_and_show(void *arg, struct err *e)
{
	SCOPE(reference) struct reference r = REFERENCE_INIT;
	SCOPE_FREE char *shown = NULL;
	SCOPE_FREE char *key = NULL;

	if (reference_parse(&r, arg, e) < 0)
		return -1;
	shown = reference_format(&r, e);
	if (!shown)
		return -1;
	key = reference_key(&r, e);
	return key ? 0 : -1;
}

START_TEST(survives_lack_of_memory)
{
	char with_tag[] = "r.example/app:1@" SHA256, without[] = "app";

	failalloc_each(parse_and_show, with_tag);
	failalloc_each(parse_and_show, without);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/reference");
	TCase *tc = tcase_create("reference");

	tcase_add_loop_test(tc, parse_accepts, 0, ARRAY_LEN(accepted));
	tcase_add_loop_test(tc, parse_refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, key_is_name_and_tag);
	tcase_add_test(tc, key_needs_a_tag);
	tcase_add_test(tc, signature_tag_is_cosigns);
	tcase_add_test(tc, signature_tag_refuses_sha512);
	tcase_add_loop_test(tc, artifact_tags_are_known, 0, ARRAY_LEN(tags));
	tcase_add_test(tc, artifact_tags_are_known_in_names);
	tcase_add_loop_test(tc, names_that_an_image_may_not_have_are_refused, 0,
			    ARRAY_LEN(image_names));
	tcase_add_loop_test(tc, names_that_look_like_digests_are_known, 0,
			    ARRAY_LEN(likely_digests));
	tcase_add_test(tc, survives_lack_of_memory);
	suite_add_tcase(s, tc);
	return s;
}
UNIT_MAIN(suite_new)
