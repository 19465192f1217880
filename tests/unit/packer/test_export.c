/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/export.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "image/mediatype.h"
#include "image/reference.h"
#include "packer/exporter.h"
#include "packer/exports.h"
#include "tests/support/failalloc.h"

static const struct export_options plain = {.workers = 0};

/* An image "localhost/app:1" of two layers, the second of gzip. */
static void make_image(struct descriptor *out)
{
	struct fixture_layer layers[2];

	fixture_layer("a", "content of a", &layers[0]);
	fixture_foreign_layer("b", "content of b", true, &layers[1]);
	fixture_image("localhost/app:1", layers, 2, out);
	fixture_layer_fini(&layers[0]);
	fixture_layer_fini(&layers[1]);
}

static const char *const forms[] = {"oci", "oci-archive", "docker-archive"};

START_TEST(tells_what_it_exported)
{
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;
	SCOPE(export_result) struct export_result r = {.bytes = 0};

	make_image(&image);
	exports_well("app:1", forms[_i], "out", &plain, &r);
	ck_assert(digest_equal(&r.top.digest, &image.digest));
	ck_assert_str_eq(r.top.media_type, MEDIATYPE_MANIFEST);
	ck_assert_uint_eq(r.top.annotations.count, 0);
	ck_assert_str_eq(r.name, "localhost/app:1");
	ck_assert_uint_eq(r.layers, 2);
	ck_assert_uint_eq(r.signatures, 0);
	ck_assert_uint_gt(r.bytes, 0);
}
END_TEST

START_TEST(an_archive_is_always_the_same)
{
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;
	SCOPE(export_result) struct export_result a = {.bytes = 0};
	SCOPE(export_result) struct export_result b = {.bytes = 0};
	SCOPE(str) struct str first = STR_INIT;
	SCOPE(str) struct str second = STR_INIT;

	make_image(&image);
	exports_well("app:1", forms[_i], "one", &plain, &a);
	exports_well("app:1", forms[_i], "two", &plain, &b);
	exports_slurp("one", &first);
	exports_slurp("two", &second);
	ck_assert_uint_eq(first.len, second.len);
	ck_assert_mem_eq(first.data, second.data, first.len);
	ck_assert_uint_eq(a.bytes, first.len);
}
END_TEST

START_TEST(a_missing_layer_leaves_nothing)
{
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;
	SCOPE(export_result) struct export_result r = {.bytes = 0};
	struct err e = ERR_INIT;
	struct digest layer;

	fixture_fake_image("localhost/app:1", &image, &layer);
	ck_assert_int_eq(unlink(fixture_blob_file(&layer)), 0);
	const int before = scratch_count();
	ck_assert_int_eq(exports_run("app:1", forms[_i], "out", &plain, &r, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "is not in the store");
	ck_assert_int_eq(scratch_count(), before);
}
END_TEST

START_TEST(a_flipped_layer_leaves_nothing)
{
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;
	SCOPE(export_result) struct export_result r = {.bytes = 0};
	struct err e = ERR_INIT;
	struct digest layer;

	fixture_fake_image("localhost/app:1", &image, &layer);
	fixture_flip(fixture_blob_file(&layer), 0);
	const int before = scratch_count();
	ck_assert_int_eq(exports_run("app:1", forms[_i], "out", &plain, &r, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "the content has another digest");
	ck_assert_int_eq(scratch_count(), before);
}
END_TEST

START_TEST(signatures_go_along)
{
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;
	SCOPE(descriptor) struct descriptor signature = DESCRIPTOR_INIT;
	SCOPE(export_result) struct export_result r = {.bytes = 0};
	SCOPE(str) struct str index = STR_INIT;
	char digest[DIGEST_STR_MAX];
	struct err e = ERR_INIT;

	make_image(&image);
	SCOPE_FREE char *tag = reference_signature_tag(&image.digest, &e);
	SCOPE_FREE char *key = str_dupf(&e, "localhost/app:%s", tag);
	fixture_signature(key, &image.digest, &signature);
	fixture_set_ref(key, &signature);
	exports_well("app:1", "oci", "out", &plain, &r);
	ck_assert_uint_eq(r.signatures, 1);
	exports_slurp("out/index.json", &index);
	ck_assert_ptr_nonnull(strstr(index.data, tag));
	ck_assert_ptr_nonnull(strstr(index.data, digest_format(&signature.digest, digest)));
}
END_TEST

static struct exporter exporter_of(const struct descriptor *top, const struct export_dest *dest)
{
	return (struct exporter){fixture_store(),   NULL, &plain, dest,
				 "localhost/app:1", *top, NULL};
}

START_TEST(a_blob_is_collected_once)
{
	static const char *const platforms[] = {"linux/amd64", "linux/arm64"};
	SCOPE(descriptor) struct descriptor index = DESCRIPTOR_INIT;
	SCOPE(export_set) struct export_set set = EXPORT_SET_INIT;
	const struct export_dest dest = EXPORT_DEST_INIT;
	struct descriptor images[2] = {DESCRIPTOR_INIT, DESCRIPTOR_INIT};
	struct fixture_layer shared[2];
	struct err e = ERR_INIT;
	bool seen_layer = false;

	/* The same layer twice in each image, and in both. */
	fixture_layer("a", "content", &shared[0]);
	fixture_layer("a", "content", &shared[1]);
	for (int i = 0; i < 2; i++)
		fixture_image_for(NULL, platforms[i], shared, 2, &images[i]);
	fixture_index("localhost/app:1", images, platforms, 2, &index);
	const struct exporter x = exporter_of(&index, &dest);
	ck_assert_int_eq(export_collect(&x, &set, &e), 0);
	/* The index, two manifests, two configs, one layer. */
	ck_assert_uint_eq(set.blob_count, 6);
	ck_assert_uint_eq(set.layer_count, 4);
	ck_assert(digest_equal(&set.blobs[0].digest, &index.digest));
	uint64_t bytes = 0;
	for (size_t i = 0; i < set.blob_count; i++) {
		ck_assert(set.blobs[i].is_layer || !seen_layer);
		seen_layer = set.blobs[i].is_layer;
		bytes += set.blobs[i].size;
	}
	ck_assert(seen_layer);
	ck_assert_uint_eq(set.bytes, bytes);
	for (int i = 0; i < 2; i++) {
		descriptor_fini(&images[i]);
		fixture_layer_fini(&shared[i]);
	}
}
END_TEST

static const struct {
	const char *name;
	const char *containerd;
} names[] = {
	{"localhost/app:1", "localhost/app:1"},
	{"registry.example:5000/a/b:1", "registry.example:5000/a/b:1"},
	{"app:1", NULL},
	{"1", NULL},
	{"latest", NULL},
	{"localhost/app", NULL},
	{"V1", NULL},
	{NULL, NULL},
};

START_TEST(full_names_are_said_to_containerd)
{
	SCOPE(export_set) struct export_set set = EXPORT_SET_INIT;
	SCOPE(descriptor) struct descriptor entry = DESCRIPTOR_INIT;
	const struct digest d = fixture_put("x");
	struct err e = ERR_INIT;

	ck_assert_int_eq(descriptor_set(&set.top, MEDIATYPE_MANIFEST, &d, 1, &e), 0);
	ck_assert_int_eq(export_set_entry(&set, names[_i].name, &entry, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_pstr_eq(strmap_get(&entry.annotations, "org.opencontainers.image.ref.name"),
			  names[_i].name);
	ck_assert_pstr_eq(strmap_get(&entry.annotations, "io.containerd.image.name"),
			  names[_i].containerd);
}
END_TEST

START_TEST(survives_without_memory)
{
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;

	make_image(&image);
	exports_without_memory(forms[_i], &plain);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/export");
	TCase *tc = tcase_create("export");
	const int count = (int)ARRAY_LEN(forms);

	tcase_add_checked_fixture(tc, fixture_make, fixture_remove);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, tells_what_it_exported, 0, count);
	tcase_add_loop_test(tc, an_archive_is_always_the_same, 1, count);
	tcase_add_loop_test(tc, a_missing_layer_leaves_nothing, 0, count);
	tcase_add_loop_test(tc, a_flipped_layer_leaves_nothing, 0, 2);
	tcase_add_test(tc, signatures_go_along);
	tcase_add_test(tc, a_blob_is_collected_once);
	tcase_add_loop_test(tc, full_names_are_said_to_containerd, 0, (int)ARRAY_LEN(names));
	tcase_add_loop_test(tc, survives_without_memory, 0, count);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
