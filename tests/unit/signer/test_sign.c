/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/sign.h"

#include <inttypes.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "image/mediatype.h"
#include "main.h"
#include "signer/images.h"
#include "signer/signatures.h"
#include "signer/support.h"
#include "signer/verify.h"
#include "store/refs.h"
#include "tests/support/failalloc.h"
#include "tests/support/scratch.h"

#define NAME "localhost/app:1"

static const struct sign_options plain = {.identity = NULL};

/* How often somebody else changes the artifact between our reading and our writing of its ref. */
static int disturbances;
static struct digest disturbed;

int __real_refs_update(const struct store *s,
		       int (*change)(void *ctx, struct image_index *ix, struct err *e), void *ctx,
		       struct err *e);
int __wrap_refs_update(const struct store *s,
		       int (*change)(void *ctx, struct image_index *ix, struct err *e), void *ctx,
		       struct err *e);

int __wrap_refs_update(const struct store *s,
		       int (*change)(void *ctx, struct image_index *ix, struct err *e), void *ctx,
		       struct err *e)
{
	if (disturbances > 0) {
		char text[32];
		snprintf(text, sizeof(text), "payload %d", disturbances);
		const struct forged f = {NULL, text, "Zm9v", 0};
		disturbances--;
		images_forge("localhost/app", &disturbed, &f, 1);
	}
	return __real_refs_update(s, change, ctx, e);
}

static struct sign_report sign(const char *text, enum key_alg alg, const struct sign_options *opt)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	struct sign_report r = SIGN_REPORT_INIT;
	struct err e = ERR_INIT;

	fixture_private(&k, alg);
	ck_assert_int_eq(sign_image(images_store, text, &k, opt, &r, &e), 0);
	ck_assert_no_err(&e);
	return r;
}

static char *artifact_of(const struct digest *image)
{
	struct err e = ERR_INIT;
	char hex[DIGEST_HEX_MAX];

	return str_dupf(&e, "localhost/app:sha256-%s.sig", digest_hex(image, hex));
}

static size_t count_signatures(const struct digest *image)
{
	SCOPE(signatures) struct signatures sigs = SIGNATURES_INIT;
	struct err e = ERR_INIT;
	const int found = signatures_load(images_store, "localhost/app", image, &sigs, &e);

	ck_assert_no_err(&e);
	return found ? sigs.manifest.layer_count : 0;
}

/* The same image and artifact, put together by tests/data/make_keys.sh with Python and openssl. */
START_TEST(writes_the_known_artifact)
{
	SCOPE(sign_report) struct sign_report r = SIGN_REPORT_INIT;
	SCOPE(str) struct str image = fixture_read("known.image");
	SCOPE(str) struct str want = fixture_read("known.artifact.json");
	SCOPE(str) struct str doc = STR_INIT;
	SCOPE_FREE char *artifact = NULL;
	char digest[DIGEST_STR_MAX];
	const struct made made = images_put(NAME, "hello\n");

	r = sign(NAME, KEY_ED25519, &plain);
	ck_assert(digest_equal(&r.manifest, &made.manifest));
	ck_assert_str_eq(digest_format(&r.manifest, digest), str_text(&image));
	ck_assert_str_eq(r.identity, NAME);
	ck_assert_uint_eq(r.added, 1);
	ck_assert_uint_eq(r.kept, 0);
	artifact = artifact_of(&made.manifest);
	doc = images_document(artifact);
	ck_assert_str_eq(str_text(&doc), str_text(&want));
}
END_TEST

START_TEST(signing_twice_adds_nothing)
{
	SCOPE(sign_report) struct sign_report a = SIGN_REPORT_INIT;
	SCOPE(sign_report) struct sign_report b = SIGN_REPORT_INIT;
	SCOPE(str) struct str before = STR_INIT;
	SCOPE(str) struct str after = STR_INIT;
	SCOPE_FREE char *artifact = NULL;
	const enum key_alg alg = _i ? KEY_P256 : KEY_ED25519;
	const struct made made = images_put(NAME, "hello\n");

	a = sign(NAME, alg, &plain);
	artifact = artifact_of(&made.manifest);
	before = images_document(artifact);
	b = sign("app:1", alg, &plain);
	after = images_document(artifact);
	ck_assert_uint_eq(b.added, 0);
	ck_assert_uint_eq(b.kept, 1);
	ck_assert_str_eq(str_text(&before), str_text(&after));
}
END_TEST

START_TEST(other_keys_and_names_are_appended)
{
	SCOPE(sign_report) struct sign_report a = SIGN_REPORT_INIT;
	SCOPE(sign_report) struct sign_report b = SIGN_REPORT_INIT;
	SCOPE(sign_report) struct sign_report c = SIGN_REPORT_INIT;
	SCOPE(signatures) struct signatures sigs = SIGNATURES_INIT;
	struct err e = ERR_INIT;
	const struct sign_options other = {.identity = "registry.example:5000/team/app:2"};
	const struct made made = images_put(NAME, "hello\n");

	a = sign(NAME, KEY_ED25519, &plain);
	b = sign(NAME, KEY_P256, &plain);
	c = sign(NAME, KEY_ED25519, &other);
	ck_assert_str_eq(c.identity, other.identity);
	ck_assert_int_eq(signatures_load(images_store, "localhost/app", &made.manifest, &sigs, &e),
			 1);
	ck_assert_uint_eq(sigs.manifest.layer_count, 3);
	ck_assert(digest_equal(&sigs.manifest.layers[0].digest, &sigs.manifest.layers[1].digest));
	ck_assert(!digest_equal(&sigs.manifest.layers[0].digest, &sigs.manifest.layers[2].digest));
}
END_TEST

static const struct {
	const char *given, *written;
	bool is_warned;
} identities[] = {
	{"app:1", "localhost/app:1", false},
	{"team/app:2", "localhost/team/app:2", false},
	{"localhost/app:2", "localhost/app:2", false},
	{"host.example/app:2", "host.example/app:2", false},
	{"host:5000/app:latest", "host:5000/app:latest", false},
	{"host:5000/app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	 "host:5000/app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	 false},
	{"localhost:2", "localhost/localhost:2", false},
	{"app", "localhost/app", true},
	{"localhost/app", "localhost/app", true},
	{"host:5000/app", "host:5000/app", true},
};

START_TEST(an_identity_is_written_in_full)
{
	SCOPE(sign_report) struct sign_report r = SIGN_REPORT_INIT;
	SCOPE(str) struct str said = STR_INIT;
	const struct sign_options opt = {.identity = identities[_i].given};

	images_put(NAME, "hello\n");
	caught_begin();
	r = sign(NAME, KEY_ED25519, &opt);
	said = caught_end();
	ck_assert_str_eq(r.identity, identities[_i].written);
	if (identities[_i].is_warned)
		ck_assert_ptr_nonnull(strstr(str_text(&said), "has no tag"));
	else
		ck_assert_str_eq(str_text(&said), "");
}
END_TEST

/* What another tool put there stays: other types, and annotations that shale does not know. */
START_TEST(others_layers_are_kept)
{
	SCOPE(sign_report) struct sign_report r = SIGN_REPORT_INIT;
	SCOPE(signatures) struct signatures sigs = SIGNATURES_INIT;
	struct err e = ERR_INIT;
	const struct made made = images_put(NAME, "hello\n");
	const struct forged there[] = {
		{"application/vnd.dsse.envelope.v1+json", "attestation", NULL, 0},
		{NULL, "some payload", "Zm9v", 0},
	};

	images_forge("localhost/app", &made.manifest, there, ARRAY_LEN(there));
	r = sign(NAME, KEY_ED25519, &plain);
	ck_assert_uint_eq(r.added, 1);
	ck_assert_int_eq(signatures_load(images_store, "localhost/app", &made.manifest, &sigs, &e),
			 1);
	ck_assert_uint_eq(sigs.manifest.layer_count, 3);
	ck_assert_str_eq(sigs.manifest.layers[0].media_type, there[0].media_type);
	ck_assert_str_eq(strmap_get(&sigs.manifest.layers[1].annotations, SIGNATURES_KEY), "Zm9v");
}
END_TEST

START_TEST(an_index_is_signed_with_its_parts)
{
	SCOPE(sign_report) struct sign_report r = SIGN_REPORT_INIT;
	SCOPE(sign_report) struct sign_report again = SIGN_REPORT_INIT;
	const struct sign_options each = {.each_platform = true};
	struct made parts[2];
	const struct digest top = images_put_index(NAME, parts);

	r = sign(NAME, KEY_ED25519, &plain);
	ck_assert(digest_equal(&r.manifest, &top));
	ck_assert_uint_eq(r.added, 1);
	ck_assert_uint_eq(count_signatures(&parts[0].manifest), 0);

	/* What the store does not have cannot be checked, and is not signed. */
	images_lose(&parts[1].manifest);
	again = sign(NAME, KEY_ED25519, &each);
	ck_assert_uint_eq(again.added, 1);
	ck_assert_uint_eq(again.kept, 1);
	ck_assert_uint_eq(count_signatures(&parts[0].manifest), 1);
	ck_assert_uint_eq(count_signatures(&parts[1].manifest), 0);
	ck_assert_uint_eq(count_signatures(&top), 1);
}
END_TEST

static void append_entry(struct str *doc, const struct digest *d, uint64_t size, const char *more)
{
	struct err e = ERR_INIT;
	char text[DIGEST_STR_MAX];

	str_appendf(doc, &e,
		    "%s{\"mediaType\":\"" MEDIATYPE_MANIFEST
		    "\",\"digest\":\"%s\",\"size\":%" PRIu64 ",%s}",
		    doc->len ? "," : "", digest_format(d, text), size, more);
	ck_assert_no_err(&e);
}

static void put_entries(const struct str *entries)
{
	SCOPE_FREE char *doc = NULL;
	struct err e = ERR_INIT;

	doc = str_dupf(&e,
		       "{\"schemaVersion\":2,\"mediaType\":\"" MEDIATYPE_INDEX
		       "\",\"manifests\":[%s]}",
		       str_text(entries));
	ck_assert_no_err(&e);
	images_put_document(NAME, MEDIATYPE_INDEX, doc);
}

#define AMD64   "\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}"
#define ARM64   "\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}"
#define UNKNOWN "\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}"

/* As BuildKit makes them; and an image that is there twice, for two variants, is signed once. */
START_TEST(what_is_about_an_image_is_left_out)
{
	static const char attestation[] = "{\"schemaVersion\":2}";
	SCOPE(sign_report) struct sign_report r = SIGN_REPORT_INIT;
	SCOPE(sign_report) struct sign_report again = SIGN_REPORT_INIT;
	SCOPE(str) struct str entries = STR_INIT;
	const struct sign_options each = {.each_platform = true};
	const struct made made = images_make("amd64", "hello\n");
	const struct digest about = images_blob(attestation, sizeof(attestation) - 1);

	append_entry(&entries, &made.manifest, made.manifest_size, AMD64);
	append_entry(&entries, &about, sizeof(attestation) - 1, UNKNOWN);
	append_entry(&entries, &about, sizeof(attestation) - 1,
		     "\"artifactType\":\"application/spdx+json\"");
	append_entry(&entries, &made.manifest, made.manifest_size, ARM64);
	put_entries(&entries);

	r = sign(NAME, KEY_ED25519, &each);
	ck_assert_uint_eq(r.added, 2);
	ck_assert_uint_eq(count_signatures(&r.manifest), 1);
	ck_assert_uint_eq(count_signatures(&made.manifest), 1);
	ck_assert_uint_eq(count_signatures(&about), 0);
	again = sign(NAME, KEY_ED25519, &each);
	ck_assert_uint_eq(again.added, 0);
	ck_assert_uint_eq(again.kept, 2);
}
END_TEST

/* Whatever is wrong with the last one: nothing of the others is stored. */
START_TEST(signs_all_platforms_or_nothing)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(sign_report) struct sign_report r = SIGN_REPORT_INIT;
	struct forged there[LIMIT_SIGNATURES];
	const struct sign_options each = {.each_platform = true};
	struct err e = ERR_INIT;
	struct made parts[2];
	const struct digest top = images_put_index(NAME, parts);

	fixture_private(&k, KEY_ED25519);
	if (_i == 0)
		images_damage(&parts[1].config);
	for (size_t i = 0; i < ARRAY_LEN(there); i++)
		there[i] = (struct forged){NULL, "some payload", "Zm9v", 0};
	if (_i == 1)
		images_forge("localhost/app", &parts[1].manifest, there, LIMIT_SIGNATURES);
	ck_assert_int_eq(sign_image(images_store, NAME, &k, &each, &r, &e), -1);
	ck_assert_err(&e, _i ? ERR_LIMIT : ERR_DIGEST, NAME);
	ck_assert_uint_eq(count_signatures(&parts[0].manifest), 0);
	ck_assert_uint_eq(count_signatures(&top), 0);
}
END_TEST

static void expect_refusal(const char *text, const char *identity, enum err_code code,
			   const char *word)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(sign_report) struct sign_report r = SIGN_REPORT_INIT;
	struct err e = ERR_INIT;
	const struct sign_options opt = {.identity = identity};

	fixture_private(&k, KEY_ED25519);
	ck_assert_int_eq(sign_image(images_store, text, &k, &opt, &r, &e), -1);
	ck_assert_err(&e, code, word);
	ck_assert_ptr_null(r.identity);
}

START_TEST(refuses_names)
{
	char digest[DIGEST_STR_MAX], pinned[DIGEST_STR_MAX + 32];
	const struct made made = images_put(NAME, "hello\n");

	expect_refusal("localhost/other:1", NULL, ERR_NOT_FOUND, "other");
	expect_refusal(digest_format(&made.manifest, digest), NULL, ERR_USAGE, "NAME@DIGEST");
	snprintf(pinned, sizeof(pinned), "localhost/app@%s", digest);
	expect_refusal(pinned, NULL, ERR_USAGE, "no tag");
	expect_refusal(NAME, "Upper/Case:1", ERR_SYNTAX, "identity");
	expect_refusal(NAME, "", ERR_SYNTAX, "identity");
	expect_refusal(NAME, "a\nb", ERR_SYNTAX, "identity");
	ck_assert_uint_eq(count_signatures(&made.manifest), 0);
}
END_TEST

START_TEST(refuses_what_is_damaged)
{
	const struct made made = images_put(NAME, "hello\n");

	images_damage(&made.config);
	expect_refusal(NAME, NULL, ERR_DIGEST, NAME);
	images_damage(&made.config);
	images_damage(&made.manifest);
	expect_refusal(NAME, NULL, ERR_DIGEST, NAME);
	images_damage(&made.manifest);
	images_lose(&made.config);
	expect_refusal(NAME, NULL, ERR_NOT_FOUND, "blob");
	ck_assert_uint_eq(count_signatures(&made.manifest), 0);
}
END_TEST

START_TEST(refuses_what_is_no_image)
{
	SCOPE(sign_report) struct sign_report r = SIGN_REPORT_INIT;
	SCOPE_FREE char *artifact = NULL;
	const struct made made = images_put(NAME, "hello\n");

	r = sign(NAME, KEY_ED25519, &plain);
	artifact = artifact_of(&made.manifest);
	expect_refusal(artifact, NULL, ERR_FORMAT, "image");
	images_put_short("localhost/short:1");
	expect_refusal("localhost/short:1", NULL, ERR_DIGEST, "names 0 layers");
	images_put_document("localhost/text:1", MEDIATYPE_MANIFEST, "{}");
	expect_refusal("localhost/text:1", NULL, ERR_FORMAT, "localhost/text:1");
	images_put_document("localhost/text:2", MEDIATYPE_INDEX, "{}");
	expect_refusal("localhost/text:2", NULL, ERR_FORMAT, "localhost/text:2");
}
END_TEST

START_TEST(puts_no_more_than_are_looked_at)
{
	SCOPE(sign_report) struct sign_report r = SIGN_REPORT_INIT;
	struct forged there[LIMIT_SIGNATURES];
	const struct made made = images_put(NAME, "hello\n");

	for (size_t i = 0; i < ARRAY_LEN(there); i++)
		there[i] = (struct forged){NULL, "some payload", "Zm9v", 0};
	images_forge("localhost/app", &made.manifest, there, LIMIT_SIGNATURES);
	expect_refusal(NAME, NULL, ERR_LIMIT, "64");
	images_forge("localhost/app", &made.manifest, there, LIMIT_SIGNATURES - 1);
	r = sign(NAME, KEY_ED25519, &plain);
	ck_assert_uint_eq(r.added, 1);
}
END_TEST

START_TEST(what_others_put_meanwhile_is_kept)
{
	SCOPE(sign_report) struct sign_report r = SIGN_REPORT_INIT;
	const struct made made = images_put(NAME, "hello\n");

	disturbed = made.manifest;
	disturbances = 1 + _i;
	r = sign(NAME, KEY_ED25519, &plain);
	ck_assert_int_eq(disturbances, 0);
	ck_assert_uint_eq(r.added, 1);
	ck_assert_uint_eq(count_signatures(&made.manifest), 2);
}
END_TEST

/* A lost round is done again for all of them. */
START_TEST(what_others_put_beside_a_platform_is_kept)
{
	SCOPE(sign_report) struct sign_report r = SIGN_REPORT_INIT;
	const struct sign_options each = {.each_platform = true};
	struct made parts[2];
	const struct digest top = images_put_index(NAME, parts);

	disturbed = parts[1].manifest;
	disturbances = 2;
	r = sign(NAME, KEY_ED25519, &each);
	ck_assert_int_eq(disturbances, 0);
	ck_assert_uint_eq(r.added, 3);
	ck_assert_uint_eq(count_signatures(&top), 1);
	ck_assert_uint_eq(count_signatures(&parts[0].manifest), 1);
	ck_assert_uint_eq(count_signatures(&parts[1].manifest), 2);
}
END_TEST

START_TEST(gives_up_when_others_never_rest)
{
	const struct made made = images_put(NAME, "hello\n");

	disturbed = made.manifest;
	disturbances = 1000;
	expect_refusal(NAME, NULL, ERR_BUSY, "others");
	ck_assert_int_gt(disturbances, 0);
}
END_TEST

/* Processes that sign at the same time lose no signature. */
START_TEST(signs_beside_others)
{
	enum { PROCESSES = 4, EACH = 6 };
	const struct made made = images_put(NAME, "hello\n");
	pid_t pids[PROCESSES];

	for (int p = 0; p < PROCESSES; p++) {
		pids[p] = fork();
		ck_assert_int_ge(pids[p], 0);
		if (pids[p] != 0)
			continue;
		SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
		struct err e = ERR_INIT;
		struct store *s = NULL;
		int failed = store_open(scratch_file("store"), 0, &s, &e) < 0;
		fixture_private(&k, KEY_ED25519);
		for (int i = 0; i < EACH && !failed; i++) {
			SCOPE(sign_report) struct sign_report r = SIGN_REPORT_INIT;
			char identity[64];
			snprintf(identity, sizeof(identity), "localhost/app:%d-%d", p, i);
			const struct sign_options opt = {.identity = identity};
			failed = sign_image(s, NAME, &k, &opt, &r, &e) < 0;
		}
		_exit(failed);
	}
	for (int p = 0; p < PROCESSES; p++) {
		int status = 0;
		ck_assert_int_eq(waitpid(pids[p], &status, 0), pids[p]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_uint_eq(count_signatures(&made.manifest), PROCESSES * EACH);
}
END_TEST

static int sign_once(void *arg, struct err *e)
{
	SCOPE(sign_report) struct sign_report r = SIGN_REPORT_INIT;

	return sign_image(images_store, NAME, arg, &plain, &r, e);
}

START_TEST(signs_or_lacks_memory)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	const struct made made = images_put(NAME, "hello\n");

	fixture_private(&k, KEY_ED25519);
	failalloc_each(sign_once, &k);
	ck_assert_uint_eq(count_signatures(&made.manifest), 1);
}
END_TEST

/* Whoever has the key may sign anything: that it can be read is for who verifies it. */
START_TEST(a_signed_index_that_is_none_is_not_verified)
{
	static const char text[] = "{\"schemaVersion\":2,\"manifests\":7}";
	const struct digest d = images_blob(text, strlen(text));
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(verify_report) struct verify_report r = VERIFY_REPORT_INIT;
	SCOPE_FREE char *payload = images_payload(NAME, &d);
	struct err e = ERR_INIT;

	fixture_private(&k, KEY_ED25519);
	SCOPE_FREE char *sig = images_signature(&k, payload);
	const struct forged f = {NULL, payload, sig, 0};
	const struct verify_options opt = {.key = &k.public_key};
	images_put_document(NAME, MEDIATYPE_INDEX, text);
	images_forge("localhost/app", &d, &f, 1);
	ck_assert_int_eq(verify_image(images_store, NAME, &opt, &r, NULL, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "manifests");
	ck_assert_int_eq(r.step, VERIFY_MANIFEST);
}
END_TEST

static int sign_each(void *arg, struct err *e)
{
	SCOPE(sign_report) struct sign_report r = SIGN_REPORT_INIT;
	const struct sign_options each = {.each_platform = true};

	return sign_image(images_store, NAME, arg, &each, &r, e);
}

START_TEST(signs_an_index_or_lacks_memory)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	struct made parts[2];
	const struct digest top = images_put_index(NAME, parts);

	fixture_private(&k, KEY_ED25519);
	failalloc_each(sign_each, &k);
	ck_assert_uint_eq(count_signatures(&top), 1);
	ck_assert_uint_eq(count_signatures(&parts[0].manifest), 1);
	ck_assert_uint_eq(count_signatures(&parts[1].manifest), 1);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("signer/sign");
	TCase *tc = tcase_create("sign");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, images_setup, images_teardown);
	tcase_add_test(tc, writes_the_known_artifact);
	tcase_add_loop_test(tc, signing_twice_adds_nothing, 0, 2);
	tcase_add_test(tc, other_keys_and_names_are_appended);
	tcase_add_loop_test(tc, an_identity_is_written_in_full, 0, ARRAY_LEN(identities));
	tcase_add_test(tc, others_layers_are_kept);
	tcase_add_test(tc, an_index_is_signed_with_its_parts);
	tcase_add_test(tc, what_is_about_an_image_is_left_out);
	tcase_add_loop_test(tc, signs_all_platforms_or_nothing, 0, 2);
	tcase_add_test(tc, refuses_names);
	tcase_add_test(tc, refuses_what_is_damaged);
	tcase_add_test(tc, refuses_what_is_no_image);
	tcase_add_test(tc, a_signed_index_that_is_none_is_not_verified);
	tcase_add_test(tc, puts_no_more_than_are_looked_at);
	tcase_add_loop_test(tc, what_others_put_meanwhile_is_kept, 0, 3);
	tcase_add_test(tc, what_others_put_beside_a_platform_is_kept);
	tcase_add_test(tc, gives_up_when_others_never_rest);
	tcase_add_test(tc, signs_beside_others);
	tcase_add_test(tc, signs_or_lacks_memory);
	tcase_add_test(tc, signs_an_index_or_lacks_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
