/* SPDX-License-Identifier: Apache-2.0 */
#include "store/image.h"

#include <stdio.h>

#include "base/hasher.h"
#include "image/mediatype.h"
#include "store/gc.h"
#include "store/refs.h"
#include "tests/unit/store/fixture.h"

static struct descriptor made[4];

static void setup(void)
{
	fixture_make();
	memset(made, 0, sizeof(made));
}

static void teardown(void)
{
	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		descriptor_fini(&made[i]);
	fixture_remove();
}

/* An image of one layer named after `seed`. */
static void make_image(const char *key, const char *platform, const char *seed,
		       struct descriptor *out)
{
	struct fixture_layer l;

	fixture_fake_layer(seed, &l);
	fixture_image_for(key, platform, &l, 1, out);
	fixture_layer_fini(&l);
}

static void check_found(const char *text, const char *name, const struct descriptor *expected)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *found = NULL;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;

	const int r = image_find(fixture_store(), text, &found, &d, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(found, name);
	ck_assert(digest_equal(&d.digest, &expected->digest));
	ck_assert_uint_eq(d.size, expected->size);
	ck_assert_str_eq(d.media_type, expected->media_type);
}

static void check_not_found(const char *text, enum err_code code, const char *word)
{
	struct err e = ERR_INIT;
	char *found = NULL;
	struct descriptor d = DESCRIPTOR_INIT;

	ck_assert_int_eq(image_find(fixture_store(), text, &found, &d, &e), -1);
	ck_assert_err(&e, code, word);
	ck_assert_ptr_null(found);
	ck_assert_ptr_null(d.media_type);
}

static void check_refused(const char *text, const char *platform, enum err_code code,
			  const char *word)
{
	struct err e = ERR_INIT;
	struct image im = IMAGE_INIT;
	struct platform want;

	if (platform)
		ck_assert_int_eq(platform_parse(&want, platform, &e), 0);
	ck_assert_int_eq(image_load(fixture_store(), text, platform ? &want : NULL, &im, &e), -1);
	ck_assert_err(&e, code, word);
	ck_assert_ptr_null(im.name);
}

START_TEST(an_image_is_loaded_whole)
{
	struct err e = ERR_INIT;
	SCOPE(image) struct image im = IMAGE_INIT;

	make_image("localhost/app:1", "linux/amd64", "a", &made[0]);
	ck_assert_int_eq(image_load(fixture_store(), "app:1", NULL, &im, &e), 0);
	ck_assert_str_eq(im.name, "localhost/app:1");
	ck_assert(digest_equal(&im.top.digest, &made[0].digest));
	ck_assert(digest_equal(&im.chosen.digest, &made[0].digest));
	ck_assert_uint_eq(im.manifest.layer_count, 1);
	ck_assert_uint_eq(im.config.diff_id_count, 1);
	ck_assert_str_eq(im.config.platform.architecture, "amd64");
}
END_TEST

START_TEST(names_are_looked_for_in_order)
{
	char digest[DIGEST_STR_MAX];

	make_image("docker.io/library/debian:12", "linux/amd64", "a", &made[0]);
	make_image("docker.io/team/app:latest", "linux/amd64", "b", &made[1]);
	make_image("latest", "linux/amd64", "c", &made[2]);
	check_found("debian:12", "docker.io/library/debian:12", &made[0]);
	check_found("team/app", "docker.io/team/app:latest", &made[1]);
	check_found("docker.io/team/app", "docker.io/team/app:latest", &made[1]);
	/* As skopeo writes oci:DIR:latest. */
	check_found("latest", "latest", &made[2]);
	check_not_found("localhost/debian:12", ERR_NOT_FOUND, "no image 'localhost/debian:12'");

	make_image("localhost/debian:12", "linux/amd64", "d", &made[3]);
	check_found("debian:12", "localhost/debian:12", &made[3]);
	check_found("docker.io/library/debian:12", "docker.io/library/debian:12", &made[0]);

	digest_format(&made[2].digest, digest);
	check_found(digest, digest, &made[2]);
}
END_TEST

START_TEST(near_names_are_told)
{
	make_image("localhost/app:1", "linux/amd64", "a", &made[0]);
	make_image("docker.io/library/nginx:1.27", "linux/amd64", "b", &made[1]);
	fixture_signature("localhost/app", &made[0].digest, &made[2]);
	check_not_found("ap:1", ERR_NOT_FOUND,
			"no image 'localhost/ap:1' in the store; did you mean 'localhost/app:1'?");
	check_not_found("app", ERR_NOT_FOUND, "did you mean 'localhost/app:1'?");
	check_not_found("docker.io/library/nginx", ERR_NOT_FOUND,
			"did you mean 'docker.io/library/nginx:1.27'?");
	check_not_found("registry.example/other:7", ERR_NOT_FOUND,
			"'registry.example/other:7' in the store");
	check_not_found("App", ERR_SYNTAX, "lower case");

	fixture_set_ref("localhost/app:2", &made[0]);
	fixture_set_ref("localhost/app:3", &made[0]);
	fixture_set_ref("localhost/app:4", &made[0]);
	fixture_set_ref("localhost/apt:9", &made[0]);
	check_not_found("app:9", ERR_NOT_FOUND,
			"did you mean 'localhost/app:1', 'localhost/app:2' or 'localhost/app:3'?");
}
END_TEST

/* "app:1@sha256:.." */
static const char *pinned(const char *name, const struct digest *d)
{
	static char text[500];
	char digest[DIGEST_STR_MAX];

	snprintf(text, sizeof(text), "%s@%s", name, digest_format(d, digest));
	return text;
}

START_TEST(a_digest_pins_a_name)
{
	static const char *const platforms[] = {"linux/amd64", "linux/arm64"};

	make_image(NULL, "linux/amd64", "a", &made[0]);
	make_image(NULL, "linux/arm64", "b", &made[1]);
	fixture_index("localhost/app:1", made, platforms, 2, &made[2]);
	make_image("localhost/other:1", "linux/amd64", "c", &made[3]);

	check_found(pinned("app:1", &made[2].digest), "localhost/app:1", &made[2]);
	check_found(pinned("app:1", &made[1].digest), "localhost/app:1", &made[1]);
	check_found(pinned("app", &made[0].digest), "localhost/app:1", &made[0]);
	check_found(pinned("app:2", &made[0].digest), "localhost/app:1", &made[0]);
	/* In the store, but under another name, or as another image. */
	check_not_found(pinned("app:1", &made[3].digest), ERR_NOT_FOUND, "is not 'sha256:");
	check_not_found(pinned("app", &made[3].digest), ERR_NOT_FOUND, "is not 'sha256:");
	check_not_found(pinned("third", &made[3].digest), ERR_NOT_FOUND, "no image");
}
END_TEST

START_TEST(a_digest_alone_is_a_manifest_or_an_index)
{
	static const char *const platforms[] = {"linux/amd64"};
	char digest[DIGEST_STR_MAX];
	const struct digest blob = fixture_put("{\"schemaVersion\":2}");
	const struct digest nothing = hasher_sha256("nothing", 7);

	make_image(NULL, "linux/amd64", "a", &made[0]);
	fixture_index(NULL, made, platforms, 1, &made[1]);
	digest_format(&made[0].digest, digest);
	check_found(digest, digest, &made[0]);
	digest_format(&made[1].digest, digest);
	check_found(digest, digest, &made[1]);
	check_not_found(digest_format(&blob, digest), ERR_FORMAT, "neither a manifest");
	check_not_found(digest_format(&nothing, digest), ERR_NOT_FOUND, "is not in the store");
	digest_format(&made[0].digest, digest);
	fixture_flip(fixture_blob_file(&made[0].digest), 20);
	check_not_found(digest, ERR_DIGEST, "another digest");
}
END_TEST

static void check_architecture(const char *text, const char *want, const char *expected)
{
	struct err e = ERR_INIT;
	SCOPE(image) struct image im = IMAGE_INIT;
	struct platform platform;

	if (want)
		ck_assert_int_eq(platform_parse(&platform, want, &e), 0);
	ck_assert_int_eq(image_load(fixture_store(), text, want ? &platform : NULL, &im, &e), 0);
	ck_assert_str_eq(im.config.platform.architecture, expected);
	ck_assert(digest_equal(&im.top.digest, &made[3].digest));
}

START_TEST(the_platform_chooses_in_an_index)
{
	/* The last one as BuildKit writes attestations. */
	static const char *const platforms[] = {"linux/s390x", "linux/arm64", "unknown/unknown"};
	const struct platform host = platform_host();
	char text[PLATFORM_STR_MAX];

	make_image(NULL, "linux/s390x", "a", &made[0]);
	make_image(NULL, "linux/arm64", "b", &made[1]);
	make_image(NULL, "linux/amd64", "c", &made[2]);
	fixture_index("localhost/app:1", made, platforms, 3, &made[3]);
	check_architecture("app:1", "linux/s390x", "s390x");
	check_architecture("app:1", "linux/arm64", "arm64");
	check_refused("app:1", "linux/riscv64", ERR_NOT_FOUND,
		      "nothing for the platform 'linux/riscv64', only: linux/s390x, linux/arm64");
	/* Of an image that is there for every platform but this machine's. */
	if (strcmp(host.architecture, "amd64") == 0)
		check_refused("app:1", NULL, ERR_NOT_FOUND, platform_format(&host, text));
}
END_TEST

static void check_any(const char *expected, enum err_code code, const char *word)
{
	struct err e = ERR_INIT;
	SCOPE(image) struct image im = IMAGE_INIT;
	const int r = image_load_any(fixture_store(), "localhost/app:1", &made[3], &im, &e);

	ck_assert_int_eq(r, expected ? 0 : -1);
	if (!expected) {
		ck_assert_err(&e, code, word);
		ck_assert_ptr_null(im.name);
		return;
	}
	ck_assert_str_eq(im.config.platform.architecture, expected);
	ck_assert(digest_equal(&im.top.digest, &made[3].digest));
}

/* Platforms that no machine has which runs these tests; attestations and images that are not there
 * stand for nothing. */
START_TEST(any_platform_stands_for_an_index)
{
	static const char *const platforms[] = {"unknown/unknown", "linux/mips64le", "linux/wasm"};

	make_image(NULL, "linux/arm", "a", &made[0]);
	make_image(NULL, "linux/mips64le", "b", &made[1]);
	make_image(NULL, "linux/wasm", "c", &made[2]);
	fixture_index("localhost/app:1", made, platforms, 3, &made[3]);
	check_any("mips64le", ERR_NONE, NULL);
	ck_assert_int_eq(remove(fixture_blob_file(&made[1].digest)), 0);
	check_any("wasm", ERR_NONE, NULL);
	ck_assert_int_eq(remove(fixture_blob_file(&made[2].digest)), 0);
	check_any(NULL, ERR_NOT_FOUND, "nothing for the platform");
	fixture_flip(fixture_blob_file(&made[3].digest), 5);
	check_any(NULL, ERR_DIGEST, "another digest");
}
END_TEST

START_TEST(the_hosts_platform_comes_before_any)
{
	const struct platform host = platform_host();
	char own[PLATFORM_STR_MAX];
	const char *const platforms[] = {"linux/mips64le", platform_format(&host, own)};

	make_image(NULL, "linux/mips64le", "a", &made[0]);
	make_image(NULL, own, "b", &made[1]);
	fixture_index("localhost/app:1", made, platforms, 2, &made[3]);
	check_any(host.architecture, ERR_NONE, NULL);
}
END_TEST

START_TEST(a_lone_manifest_is_taken_for_any_machine)
{
	make_image("localhost/app:1", "linux/s390x", "a", &made[3]);
	check_architecture("app:1", NULL, "s390x");
	check_architecture("app:1", "linux/s390x", "s390x");
	check_refused("app:1", "linux/amd64", ERR_NOT_FOUND, "only: linux/s390x");
}
END_TEST

START_TEST(signatures_are_no_images)
{
	char digest[DIGEST_STR_MAX], text[300];
	struct err e = ERR_INIT;
	SCOPE_FREE char *name = NULL;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;

	make_image("localhost/app:1", "linux/amd64", "a", &made[0]);
	fixture_signature("localhost/app", &made[0].digest, &made[1]);
	digest_format(&made[0].digest, digest);
	snprintf(text, sizeof(text), "localhost/app:sha256-%s.sig", strchr(digest, ':') + 1);
	check_refused(text, NULL, ERR_FORMAT, "is a signature or attestation");
	/* For rm and tag it is there all the same. */
	ck_assert_int_eq(image_find(fixture_store(), text, &name, &d, &e), 0);
	/* Without its name, the layer tells. */
	check_refused(digest_format(&made[1].digest, digest), NULL, ERR_FORMAT, "signature");
}
END_TEST

START_TEST(layers_and_diff_ids_must_agree_in_number)
{
	struct err e = ERR_INIT;
	struct fixture_layer l;
	SCOPE(image) struct image im = IMAGE_INIT;
	SCOPE(str) struct str text = STR_INIT;

	make_image("localhost/app:1", "linux/amd64", "a", &made[0]);
	ck_assert_int_eq(image_load(fixture_store(), "app:1", NULL, &im, &e), 0);
	fixture_fake_layer("b", &l);
	ck_assert_int_eq(manifest_add_layer(&im.manifest, &l.descriptor, &e), 0);
	ck_assert_int_eq(manifest_format(&im.manifest, &text, &e), 0);
	fixture_put_document(MEDIATYPE_MANIFEST, &text, &made[1]);
	fixture_set_ref("localhost/app:2", &made[1]);
	check_refused("app:2", NULL, ERR_DIGEST, "the config names 1 layers, the manifest 2");
	fixture_layer_fini(&l);
}
END_TEST

START_TEST(damage_is_told)
{
	struct err e = ERR_INIT;
	SCOPE(image) struct image im = IMAGE_INIT;

	make_image("localhost/app:1", "linux/amd64", "a", &made[0]);
	ck_assert_int_eq(image_load(fixture_store(), "app:1", NULL, &im, &e), 0);
	fixture_flip(fixture_blob_file(&im.manifest.config.digest), 5);
	check_refused("app:1", NULL, ERR_DIGEST, "image 'localhost/app:1': blob 'sha256:");
	fixture_cut(fixture_blob_file(&im.manifest.config.digest), 5);
	check_refused("app:1", NULL, ERR_DIGEST, "has 5 bytes");
	ck_assert_int_eq(remove(fixture_blob_file(&im.manifest.config.digest)), 0);
	check_refused("app:1", NULL, ERR_NOT_FOUND, "is not in the store");
	fixture_flip(fixture_blob_file(&made[0].digest), 5);
	check_refused("app:1", NULL, ERR_DIGEST, "another digest");
}
END_TEST

START_TEST(an_index_that_is_none_is_told)
{
	static const char text[] = "{\"schemaVersion\":2,\"manifests\":7}";

	fixture_put_as(MEDIATYPE_INDEX, text, strlen(text), &made[0]);
	fixture_set_ref("localhost/app:1", &made[0]);
	check_refused("app:1", "linux/amd64", ERR_FORMAT, "manifests");
	/* Nor is anything found in it, or in what the store's own index was. */
	check_not_found("app@sha256:"
			"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			ERR_FORMAT, "manifests");
	scratch_write("store/index.json", text);
	check_not_found("app:1", ERR_FORMAT, "'index.json'");
	check_not_found("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			ERR_FORMAT, "'index.json'");
}
END_TEST

START_TEST(other_blobs_are_no_images)
{
	struct err e = ERR_INIT;
	struct fixture_layer l;

	fixture_fake_layer("a", &l);
	fixture_set_ref("localhost/layer:1", &l.descriptor);
	check_refused("layer:1", NULL, ERR_FORMAT, "a blob of the type");
	/* A descriptor that says more than LIMIT_DOCUMENT bytes is not even opened. */
	const struct digest digest = l.descriptor.digest;
	ck_assert_int_eq(
		descriptor_set(&l.descriptor, MEDIATYPE_MANIFEST, &digest, UINT64_C(1) << 40, &e),
		0);
	fixture_set_ref("localhost/big:1", &l.descriptor);
	check_refused("big:1", NULL, ERR_LIMIT, "more than");
	fixture_layer_fini(&l);
}
END_TEST

START_TEST(what_is_loaded_under_a_lease_stays)
{
	struct err e = ERR_INIT;
	struct gc_report r;
	struct descriptor d;
	struct digest layer;
	struct lease *l = NULL;
	SCOPE(image) struct image im = IMAGE_INIT;

	fixture_fake_image("localhost/leased:1", &d, &layer);
	ck_assert_int_eq(lease_open(fixture_store(), "test", &l, &e), 0);
	ck_assert_int_eq(image_load_leased(fixture_store(), l, "leased:1", NULL, &im, &e), 0);
	ck_assert_int_eq(refs_remove(fixture_store(), "localhost/leased:1", &e), 1);
	ck_assert_int_eq(gc_run(fixture_store(), false, NULL, &r, &e), 0);
	ck_assert(fixture_has(&layer) && fixture_has(&im.manifest.config.digest));
	lease_close(l);
	ck_assert_int_eq(gc_run(fixture_store(), false, NULL, &r, &e), 0);
	ck_assert(!fixture_has(&layer));
	ck_assert_no_err(&e);
	descriptor_fini(&d);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("store/image");
	TCase *tc = tcase_create("image");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_image_is_loaded_whole);
	tcase_add_test(tc, names_are_looked_for_in_order);
	tcase_add_test(tc, near_names_are_told);
	tcase_add_test(tc, a_digest_pins_a_name);
	tcase_add_test(tc, a_digest_alone_is_a_manifest_or_an_index);
	tcase_add_test(tc, the_platform_chooses_in_an_index);
	tcase_add_test(tc, any_platform_stands_for_an_index);
	tcase_add_test(tc, the_hosts_platform_comes_before_any);
	tcase_add_test(tc, a_lone_manifest_is_taken_for_any_machine);
	tcase_add_test(tc, signatures_are_no_images);
	tcase_add_test(tc, layers_and_diff_ids_must_agree_in_number);
	tcase_add_test(tc, damage_is_told);
	tcase_add_test(tc, an_index_that_is_none_is_told);
	tcase_add_test(tc, other_blobs_are_no_images);
	tcase_add_test(tc, what_is_loaded_under_a_lease_stays);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
