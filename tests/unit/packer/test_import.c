/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/import.h"

#include <sys/stat.h>
#include <unistd.h>

#include "image/mediatype.h"
#include "main.h"
#include "packer/layouts.h"
#include "store/blobs.h"
#include "store/image.h"
#include "store/refs.h"
#include "tests/support/failalloc.h"
#include "tests/support/scratch.h"

#define NAMED(name)        ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name "\"}"
#define PLATFORM(os, arch) ",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\"}"

static void check_hex(const struct digest *d, const char *descriptor)
{
	char hex[DIGEST_HEX_MAX];

	ck_assert_str_eq(digest_hex(d, hex), layout_hex(descriptor));
}

static bool has_blob(const char *descriptor)
{
	struct err e = ERR_INIT;
	struct digest d;
	SCOPE_FREE char *text = str_dupf(&e, "sha256:%s", layout_hex(descriptor));

	ck_assert_int_eq(digest_parse(&d, text, strlen(text), &e), 0);
	SCOPE_FD int fd = blobs_open(layouts_store, &d, BLOBS_ANY_SIZE, &e);
	err_clear(&e);
	return fd >= 0;
}

/* A layout is the same as a directory and as an archive. */
static const char *const layout_sources[] = {"oci:layout", "oci-archive:layout.tar"};

START_TEST(takes_the_only_image)
{
	SCOPE(image) struct image im = IMAGE_INIT;
	struct err e = ERR_INIT;
	SCOPE_FREE char *m = layout_image("amd64", "hello", NAMED("app:1"));

	layout_index(m);
	layouts_pack("layout.tar");
	const struct digest d = layouts_take(layout_sources[_i], NULL, "localhost/app:1");
	check_hex(&d, m);
	layouts_take(layout_sources[_i], "other", "localhost/other:latest");
	ck_assert_int_eq(image_load(layouts_store, "app:1", &layouts_platform, &im, &e), 0);
	ck_assert_uint_eq(im.manifest.layer_count, 1);
}
END_TEST

START_TEST(keeps_an_index_whole)
{
	struct err e = ERR_INIT;
	struct import_result r = {.layers = 0};
	SCOPE_FREE char *a = layout_image("amd64", "a", PLATFORM("linux", "amd64"));
	SCOPE_FREE char *b = layout_image("arm64", "b", PLATFORM("linux", "arm64"));
	SCOPE_FREE char *doc = str_dupf(&e, "{\"schemaVersion\":2,\"manifests\":[%s,%s]}", a, b);
	SCOPE_FREE char *ix = layout_blob(MEDIATYPE_INDEX, doc, strlen(doc), NAMED("app:1"));

	layout_index(ix);
	layouts_pack("layout.tar");
	ck_assert_int_eq(layouts_import(layout_sources[_i], NULL, &r, &e), 0);
	check_hex(&r.top.digest, ix);
	ck_assert_str_eq(r.top.media_type, MEDIATYPE_INDEX);
	ck_assert_uint_eq(r.layers, 2);
	ck_assert_uint_eq(r.reframed, 0);
	ck_assert(has_blob(a) && has_blob(b));
	import_result_fini(&r);
}
END_TEST

START_TEST(names_the_platform_that_is_missing)
{
	struct err e = ERR_INIT;
	char path[256];
	SCOPE_FREE char *a = layout_image("amd64", "a", PLATFORM("linux", "amd64"));
	SCOPE_FREE char *b = layout_image("arm64", "b", PLATFORM("linux", "arm64"));
	SCOPE_FREE char *doc = str_dupf(&e, "{\"schemaVersion\":2,\"manifests\":[%s,%s]}", a, b);
	SCOPE_FREE char *ix = layout_blob(MEDIATYPE_INDEX, doc, strlen(doc), NAMED("app:1"));

	layout_index(ix);
	snprintf(path, sizeof(path), "layout/blobs/sha256/%s", layout_hex(b));
	ck_assert_int_eq(unlinkat(scratch_fd(), path, 0), 0);
	layouts_pack("layout.tar");
	layouts_refuse(layout_sources[_i], NULL, ERR_FORMAT, "manifest for linux/arm64");
	layouts_refuse(layout_sources[_i], NULL, ERR_FORMAT, "--platform");
}
END_TEST

START_TEST(attestations_come_along)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *a = layout_image("amd64", "a", PLATFORM("linux", "amd64"));
	SCOPE_FREE char *config = layout_blob(MEDIATYPE_CONFIG, "{}", 2, "");
	SCOPE_FREE char *layer = layout_blob("application/vnd.in-toto+json", "[1]", 3, "");
	SCOPE_FREE char *b = layout_manifest(config, layer, PLATFORM("unknown", "unknown"));
	SCOPE_FREE char *other = layout_blob("application/x-thing", "thing", 5, "");
	SCOPE_FREE char *doc =
		str_dupf(&e, "{\"schemaVersion\":2,\"manifests\":[%s,%s,%s]}", a, b, other);
	SCOPE_FREE char *ix = layout_blob(MEDIATYPE_INDEX, doc, strlen(doc), NAMED("app:1"));

	layout_index(ix);
	layouts_take("oci:layout", NULL, "localhost/app:1");
	ck_assert(has_blob(b) && has_blob(layer) && has_blob(other));
}
END_TEST

START_TEST(chooses_by_name)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *a = layout_image("amd64", "a", NAMED("one"));
	SCOPE_FREE char *b = layout_image("amd64", "b", NAMED("localhost/two:latest"));
	SCOPE_FREE char *both = str_dupf(&e, "%s,%s", a, b);

	layout_index(both);
	layouts_pack("layout.tar");
	layouts_refuse("oci:layout", NULL, ERR_USAGE, "'one', 'localhost/two:latest'");
	layouts_refuse("oci:layout:three", NULL, ERR_NOT_FOUND, "no image 'three'; it has 'one'");
	struct digest d = layouts_take("oci:layout:one", "x", "localhost/x:latest");
	check_hex(&d, a);
	d = layouts_take("oci:layout:two", NULL, "localhost/two:latest");
	check_hex(&d, b);
	d = layouts_take("oci-archive:layout.tar:one", NULL, "localhost/one:latest");
	check_hex(&d, a);
}
END_TEST

START_TEST(a_name_has_one_meaning)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *a = layout_image("amd64", "a", NAMED("one"));
	SCOPE_FREE char *b = layout_image("amd64", "b", NAMED("one"));
	SCOPE_FREE char *both = str_dupf(&e, "%s,%s", a, b);

	layout_index(both);
	layouts_refuse("oci:layout:one", NULL, ERR_FORMAT, "'one' names more than one");
	/* Neither of them was begun. */
	ck_assert(!has_blob(a) && !has_blob(b));
	SCOPE_FREE char *c = layout_image("amd64", "a", NAMED("localhost/two:latest"));
	SCOPE_FREE char *d = layout_image("amd64", "b", NAMED("localhost/two:latest"));
	SCOPE_FREE char *full = str_dupf(&e, "%s,%s", c, d);
	layout_index(full);
	layouts_refuse("oci:layout:two", NULL, ERR_FORMAT, "names more than one");
	ck_assert(!has_blob(c) && !has_blob(d));
}
END_TEST

/* Imports "layout" for a platform that it does not have. */
static void refuse_platform(const struct platform *want, const char *word)
{
	const struct import_options opt = {
		.tag = "wrong", .platform = want, .compression = COMPRESSION_DEFAULT};
	const size_t before = layouts_refs();
	struct import_result r = {.layers = 0};
	struct import_source src;
	struct err e = ERR_INIT;
	SCOPE_FREE char *text = str_dupf(&e, "oci:%s", scratch_file("layout"));

	ck_assert_int_eq(import_source_parse(&src, text, &e), 0);
	ck_assert_int_eq(import_run(layouts_store, &src, &opt, &r, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, word);
	ck_assert_uint_eq(layouts_refs(), before);
	import_source_fini(&src);
}

/* Also when the store has all of it, proven, since it was imported for its own. */
START_TEST(another_platform_is_refused)
{
	static const struct platform arm64 = {"linux", "arm64", ""};
	struct err e = ERR_INIT;
	SCOPE_FREE char *m = layout_image("amd64", "a", "");
	SCOPE_FREE char *a = layout_image("amd64", "a", PLATFORM("linux", "amd64"));
	SCOPE_FREE char *doc = str_dupf(&e, "{\"schemaVersion\":2,\"manifests\":[%s]}", a);
	SCOPE_FREE char *ix = layout_blob(MEDIATYPE_INDEX, doc, strlen(doc), "");

	layout_index(m);
	refuse_platform(&arm64, "the image is for 'linux/amd64', not 'linux/arm64'");
	layouts_take("oci:layout", "x", "localhost/x:latest");
	refuse_platform(&arm64, "the image is for 'linux/amd64', not 'linux/arm64'");
	layout_index(ix);
	refuse_platform(&arm64, "the index has nothing for 'linux/arm64', only: linux/amd64");
}
END_TEST

START_TEST(a_source_without_a_name_needs_a_tag)
{
	SCOPE_FREE char *m = layout_image("amd64", "a", "");

	layout_index(m);
	layouts_refuse("oci:layout", NULL, ERR_USAGE, "--tag");
	layouts_take("oci:layout", "app", "localhost/app:latest");
	SCOPE_FREE char *bad = layout_image("amd64", "a", NAMED("Not A Name"));
	layout_index(bad);
	layouts_refuse("oci:layout", NULL, ERR_USAGE, "--tag");
	layouts_refuse("oci:layout", "Bad Tag", ERR_SYNTAX, "lower");
	mkdirat(scratch_fd(), "root", 0755);
	layouts_refuse("dir:root", NULL, ERR_USAGE, "--tag");
}
END_TEST

START_TEST(a_digest_in_the_tag_must_be_right)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *m = layout_image("amd64", "a", "");
	SCOPE_FREE char *good = str_dupf(&e, "app:1@sha256:%s", layout_hex(m));
	SCOPE_FREE char *bad = str_dup(good, &e);
	SCOPE_FREE char *only = str_dupf(&e, "app@sha256:%s", layout_hex(m));

	layout_index(m);
	layouts_take("oci:layout", good, "localhost/app:1");
	bad[strlen(bad) - 1] = bad[strlen(bad) - 1] == '0' ? '1' : '0';
	layouts_refuse("oci:layout", bad, ERR_DIGEST, "what the name says");
	layouts_refuse("oci:layout", only, ERR_USAGE, "tag");
}
END_TEST

START_TEST(containerd_names_are_taken)
{
	SCOPE_FREE char *m =
		layout_image("amd64", "a",
			     ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"1.0\","
			     "\"io.containerd.image.name\":\"registry.example/team/app:1.0\"}");

	layout_index(m);
	layouts_take("oci:layout", NULL, "registry.example/team/app:1.0");
}
END_TEST

/* A signature artifact for the image in `m` with these payloads, each a letter, and the members of
 * the annotations of each. */
static char *signatures_with(const char *m, const char *letters, const char *prefix,
			     const char *annotations)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str layers = STR_INIT;
	SCOPE_FREE char *config = layout_blob(MEDIATYPE_CONFIG, "{}", 2, "");
	SCOPE_FREE char *more = str_dupf(
		&e, ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"%ssha256-%s.sig\"}",
		prefix, layout_hex(m));

	SCOPE_FREE char *each = str_dupf(&e, ",\"annotations\":{%s}", annotations);
	for (const char *p = letters; *p; p++) {
		SCOPE_FREE char *layer = layout_blob(MEDIATYPE_SIMPLESIGNING, p, 1, each);
		str_appendf(&layers, &e, "%s%s", p > letters ? "," : "", layer);
	}
	return layout_manifest(config, str_text(&layers), more);
}

#define SIGNATURE(base64) "\"dev.cosignproject.cosign/signature\":\"" base64 "\""

static char *signatures(const char *m, const char *letters, const char *prefix)
{
	return signatures_with(m, letters, prefix, SIGNATURE("AAAA"));
}

static void check_signatures(const char *m, const char *artifact)
{
	struct err e = ERR_INIT;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	SCOPE_FREE char *key = str_dupf(&e, "localhost/new:sha256-%s.sig", layout_hex(m));

	ck_assert_int_eq(refs_get(layouts_store, key, &d, &e), 1);
	check_hex(&d.digest, artifact);
}

START_TEST(signatures_follow_their_image)
{
	static const char *const prefixes[] = {"", "localhost/app:", "elsewhere.example/x:"};
	struct err e = ERR_INIT;
	SCOPE_FREE char *m = layout_image("amd64", "a", NAMED("localhost/app:1"));
	SCOPE_FREE char *sig = signatures(m, "p", prefixes[_i]);
	SCOPE_FREE char *both = str_dupf(&e, "%s,%s", sig, m);

	layout_index(both);
	layouts_pack("layout.tar");
	layouts_take("oci:layout", "new", "localhost/new:latest");
	check_signatures(m, sig);
	ck_assert_uint_eq(layouts_refs(), 2);
	layouts_take("oci-archive:layout.tar", "new:2", "localhost/new:2");
	ck_assert_uint_eq(layouts_refs(), 3);
}
END_TEST

START_TEST(other_names_are_no_signatures)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *m = layout_image("amd64", "a", NAMED("localhost/app:1"));
	SCOPE_FREE char *sig = signatures(m, "p", "localhost/x-");
	SCOPE_FREE char *both = str_dupf(&e, "%s,%s", sig, m);

	layout_index(both);
	layouts_take("oci:layout:localhost/app:1", "new", "localhost/new:latest");
	ck_assert_uint_eq(layouts_refs(), 1);
}
END_TEST

START_TEST(signatures_of_the_store_are_never_lost)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *m = layout_image("amd64", "a", NAMED("localhost/app:1"));
	SCOPE_FREE char *two = signatures(m, "pq", "");
	SCOPE_FREE char *index_two = str_dupf(&e, "%s,%s", m, two);
	SCOPE_FREE char *other = signatures(m, "pr", "");
	SCOPE_FREE char *index_other = str_dupf(&e, "%s,%s", m, other);
	SCOPE_FREE char *all = signatures(m, "rqp", "");
	SCOPE_FREE char *index_all = str_dupf(&e, "%s,%s", m, all);

	layout_index(index_two);
	layouts_take("oci:layout", "new", "localhost/new:latest");
	layout_index(index_other);
	layouts_take("oci:layout", "new", "localhost/new:latest");
	check_signatures(m, two);
	layout_index(index_all);
	layouts_take("oci:layout", "new", "localhost/new:latest");
	check_signatures(m, all);
}
END_TEST

/* The payload is the same for whoever signs an image under one name. */
START_TEST(a_signature_is_its_annotations_too)
{
	static const char *const others[] = {
		SIGNATURE("BBBB"), SIGNATURE("AAAA") ",\"dev.sigstore.cosign/bundle\":\"{}\"",
		"\"other\":\"AAAA\""};
	struct err e = ERR_INIT;
	SCOPE_FREE char *m = layout_image("amd64", "a", NAMED("localhost/app:1"));
	SCOPE_FREE char *ours = signatures(m, "p", "");
	SCOPE_FREE char *index_ours = str_dupf(&e, "%s,%s", m, ours);
	SCOPE_FREE char *theirs = signatures_with(m, "p", "", others[_i]);
	SCOPE_FREE char *index_theirs = str_dupf(&e, "%s,%s", m, theirs);

	layout_index(index_ours);
	layouts_take("oci:layout", "new", "localhost/new:latest");
	layout_index(index_theirs);
	layouts_take("oci:layout", "new", "localhost/new:latest");
	check_signatures(m, ours);
}
END_TEST

START_TEST(an_artifact_is_no_image)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *m = layout_image("amd64", "a", NAMED("app"));
	SCOPE_FREE char *sig = signatures(m, "p", "");
	SCOPE_FREE char *what = str_dupf(&e, "oci:layout:sha256-%s.sig", layout_hex(m));

	layout_index(sig);
	layouts_refuse("oci:layout", "x", ERR_NOT_FOUND, "no image");
	/* Nor is what is no manifest, or has a type of its own, whatever its name. */
	SCOPE_FREE char *text = layout_blob("text/plain", "x", 1, "");
	SCOPE_FREE char *typed =
		layout_image("amd64", "b", ",\"artifactType\":\"application/x-thing\"");
	SCOPE_FREE char *all = str_dupf(&e, "%s,%s,%s,%s", text, typed, sig, m);
	layout_index(all);
	layouts_take("oci:layout", "x", "localhost/x:latest");
	layout_index(sig);
	layouts_refuse(what, "x", ERR_FORMAT, "signature");
}
END_TEST

/* failalloc_each: no assertion in it, because those allocate. */
static int import_again(void *arg, struct err *e)
{
	const struct import_options opt = {
		.tag = "x", .platform = &layouts_platform, .compression = {FRAME_ZSTD, 1}};
	struct import_result r = {.layers = 0};
	const int result = import_run(layouts_store, arg, &opt, &r, e);

	import_result_fini(&r);
	return result;
}

static const struct {
	enum import_kind kind;
	const char *path;
} short_of_memory[] = {
	{IMPORT_OCI, "layout"},
	{IMPORT_DIR, "layout"},
	{IMPORT_ROOTFS, "layout.tar"},
	{IMPORT_OCI_ARCHIVE, "layout.tar"},
};

START_TEST(runs_out_of_memory_cleanly)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *path = str_dup(scratch_file(short_of_memory[_i].path), &e);
	struct import_source src = {.kind = short_of_memory[_i].kind, .path = path};
	SCOPE_FREE char *m = layout_image("amd64", "a", NAMED("app"));
	SCOPE_FREE char *sig = signatures(m, "p", "");
	SCOPE_FREE char *both = str_dupf(&e, "%s,%s", m, sig);

	layout_index(both);
	layouts_pack("layout.tar");
	failalloc_each(import_again, &src);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/import");
	TCase *tc = tcase_create("layouts");

	tcase_add_checked_fixture(tc, layouts_setup, layouts_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, takes_the_only_image, 0, 2);
	tcase_add_loop_test(tc, keeps_an_index_whole, 0, 2);
	tcase_add_loop_test(tc, names_the_platform_that_is_missing, 0, 2);
	tcase_add_test(tc, attestations_come_along);
	tcase_add_test(tc, chooses_by_name);
	tcase_add_test(tc, a_name_has_one_meaning);
	tcase_add_test(tc, another_platform_is_refused);
	tcase_add_test(tc, a_source_without_a_name_needs_a_tag);
	tcase_add_test(tc, a_digest_in_the_tag_must_be_right);
	tcase_add_test(tc, containerd_names_are_taken);
	tcase_add_loop_test(tc, signatures_follow_their_image, 0, 3);
	tcase_add_test(tc, other_names_are_no_signatures);
	tcase_add_test(tc, signatures_of_the_store_are_never_lost);
	tcase_add_loop_test(tc, a_signature_is_its_annotations_too, 0, 3);
	tcase_add_test(tc, an_artifact_is_no_image);
	suite_add_tcase(s, tc);

	tc = tcase_create("memory");
	tcase_add_checked_fixture(tc, layouts_setup, layouts_teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, runs_out_of_memory_cleanly, 0, ARRAY_LEN(short_of_memory));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
