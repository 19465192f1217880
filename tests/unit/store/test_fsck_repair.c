/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hasher.h"
#include "base/io.h"
#include "base/str.h"
#include "image/layer_index.h"
#include "image/mediatype.h"
#include "store/catalogs.h"
#include "store/fsck.h"
#include "store/image.h"
#include "store/layers.h"
#include "tests/unit/store/fixture.h"

enum { FINDINGS_MAX = 16, TEXT_MAX = 400, FILES = 20 };

static struct {
	enum fsck_severity severity;
	char text[TEXT_MAX]; /* "subject: text" */
} findings[FINDINGS_MAX];
static int finding_count;

static struct fixture_layer own, foreign;
static struct descriptor manifest, other;

static void note(void *ctx, const struct fsck_finding *f)
{
	(void)ctx;
	ck_assert_int_lt(finding_count, FINDINGS_MAX);
	findings[finding_count].severity = f->severity;
	snprintf(findings[finding_count++].text, TEXT_MAX, "%s: %s", f->subject, f->text);
}

static struct fsck_report run(bool repair)
{
	const struct fsck_options opt = {.read_data = true, .repair = repair, .found = note};
	struct fsck_report r;
	struct err e = ERR_INIT;

	finding_count = 0;
	const int rc = fsck_run(fixture_store(), &opt, &r, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(rc, 0);
	return r;
}

/* The only one of this severity says `text`. */
static void check_finding(enum fsck_severity severity, const char *text)
{
	int found = 0;

	for (int i = 0; i < finding_count; i++) {
		if (findings[i].severity != severity)
			continue;
		found++;
		ck_assert_msg(strstr(findings[i].text, text) != NULL, "no '%s' in: %s", text,
			      findings[i].text);
	}
	ck_assert_int_eq(found, 1);
}

/* Damage was told and undone: a second look finds nothing. */
static void check_made_anew(const char *text)
{
	const struct fsck_report r = run(true);

	ck_assert_uint_eq(r.repaired, 1);
	ck_assert_int_eq(finding_count, 1);
	check_finding(FSCK_REPAIRED, text);
	check_finding(FSCK_REPAIRED, "made anew: ");
	(void)run(false);
	ck_assert_int_eq(finding_count, 0);
}

static void setup(void)
{
	const struct layers_options opt = {.workers = 0};
	struct err e = ERR_INIT;
	SCOPE(image) struct image im = IMAGE_INIT;
	SCOPE(catalog) struct catalog *c = NULL;

	fixture_make();
	fixture_wide_layer(FILES, &own);
	fixture_foreign_layer("zstd", "three", LAYER_ZSTD, &foreign);
	const struct fixture_layer both[] = {own, foreign};
	fixture_image("localhost/app:1", both, 2, &manifest);
	fixture_image("localhost/other:1", &own, 1, &other);
	ck_assert_int_eq(image_load(fixture_store(), "app:1", NULL, &im, &e), 0);
	ck_assert_int_eq(catalogs_open(fixture_store(), &im, 0, &opt, &c, &e), 0);
}

static void teardown(void)
{
	fixture_layer_fini(&own);
	fixture_layer_fini(&foreign);
	descriptor_fini(&manifest);
	descriptor_fini(&other);
	fixture_remove();
}

static const char *own_file(const char *folder, const struct digest *d, const char *suffix)
{
	char hex[DIGEST_HEX_MAX], path[200];

	snprintf(path, sizeof(path), "shale/%s/%s%s", folder, digest_hex(d, hex), suffix);
	return fixture_file(path);
}

START_TEST(derived_files_are_made_anew)
{
	const struct digest d = foreign.descriptor.digest;

	fixture_flip(own_file("layers", &d, ".frames"), 9);
	check_made_anew("frame 0 has another digest");
	fixture_cut(own_file("layers", &d, ".frames"), 9);
	check_made_anew("derived index of layer sha256:");
	ck_assert_int_eq(unlink(own_file("layers", &d, ".frames")), 0);
	check_made_anew("missing");
	fixture_flip(own_file("layers", &d, ".index"), 9);
	check_made_anew("own digest");
}
END_TEST

START_TEST(a_catalog_is_made_anew)
{
	fixture_cut(own_file("catalogs", &manifest.digest, ""), 100);
	check_made_anew("catalog of manifest sha256:");
	fixture_flip(own_file("catalogs", &manifest.digest, ""), 70);
	check_made_anew("catalog of manifest sha256:");
}
END_TEST

START_TEST(a_catalog_of_other_layers_is_made_anew)
{
	const char *path = own_file("catalogs", &manifest.digest, "");
	struct err e = ERR_INIT;
	SCOPE(str) struct str bytes = STR_INIT;

	ck_assert_int_eq(io_slurp_path(path, UINT32_MAX, &bytes, &e), 0);
	path = own_file("catalogs", &other.digest, "");
	SCOPE_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_eq(io_write_all(fd, bytes.data, bytes.len), 0);
	check_made_anew("made from other layers");
}
END_TEST

/* The manifest says of its layer's index what cannot be, and the catalog is that of the same blobs.
 */
START_TEST(a_catalog_beside_wrong_annotations_is_not_made_anew)
{
	struct fixture_layer both[] = {own, foreign};
	struct err e = ERR_INIT;
	struct descriptor bad;
	SCOPE(str) struct str bytes = STR_INIT;
	const char *path = own_file("catalogs", &manifest.digest, "");

	ck_assert_int_eq(io_slurp_path(path, UINT32_MAX, &bytes, &e), 0);
	ck_assert_int_eq(strmap_set(&own.descriptor.annotations, LAYER_INDEX_OFFSET_KEY, "-1", &e),
			 0);
	both[0] = own;
	fixture_image("localhost/bad:1", both, 2, &bad);
	SCOPE_FD int fd =
		open(own_file("catalogs", &bad.digest, ""), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_eq(io_write_all(fd, bytes.data, bytes.len), 0);
	const struct fsck_report r = run(true);
	ck_assert_uint_eq(r.repaired, 0);
	check_finding(FSCK_ERROR, "no size that fits");
	check_finding(FSCK_DERIVED, "no size that fits");
	check_finding(FSCK_DERIVED, "catalog of manifest sha256:");
	descriptor_fini(&bad);
}
END_TEST

/* Where it names them. */
START_TEST(a_catalog_whose_layers_cannot_be_read_is_made_anew)
{
	const char *path = own_file("catalogs", &manifest.digest, "");
	struct err e = ERR_INIT;
	SCOPE(str) struct str bytes = STR_INIT;

	ck_assert_int_eq(io_slurp_path(path, UINT32_MAX, &bytes, &e), 0);
	const char *at =
		memmem(bytes.data, bytes.len, foreign.descriptor.digest.raw, DIGEST_SHA256_LEN);
	ck_assert_ptr_nonnull(at);
	fixture_flip(path, at - bytes.data);
	check_made_anew("catalog of manifest sha256:");
}
END_TEST

/* The layer is what it was, and another image says something else of it. */
START_TEST(what_the_config_denies_cannot_be_made_anew)
{
	struct fixture_layer lie = foreign;
	struct descriptor d;

	lie.diff_id = own.diff_id;
	fixture_image("localhost/lie:1", &lie, 1, &d);
	const struct fsck_report r = run(true);
	ck_assert_uint_eq(r.repaired, 0);
	check_finding(FSCK_DERIVED, "another diff_id than the config says");
	check_finding(FSCK_DERIVED, "derived index of layer sha256:");
	descriptor_fini(&d);
}
END_TEST

/* A blob's name, and no file that can be read; nothing uses it. */
START_TEST(what_is_no_blob_is_told)
{
	const struct digest d = hasher_sha256("nothing", 7);

	ck_assert_int_eq(symlink("/etc/passwd", fixture_blob_file(&d)), 0);
	ck_assert_uint_eq(run(false).errors, 0);
	check_finding(FSCK_NOTE, "nothing uses it: gc removes it");
}
END_TEST

START_TEST(nothing_is_touched_without_being_asked)
{
	const struct digest d = foreign.descriptor.digest;

	fixture_flip(own_file("layers", &d, ".frames"), 9);
	for (int i = 0; i < 2; i++) {
		const struct fsck_report r = run(false);
		ck_assert_uint_eq(r.derived, 1);
		ck_assert_uint_eq(r.repaired, 0);
	}
}
END_TEST

START_TEST(without_its_blob_nothing_can_be_made_anew)
{
	const struct digest d = foreign.descriptor.digest;

	fixture_flip(fixture_blob_file(&d), 12);
	fixture_flip(own_file("layers", &d, ".frames"), 9);
	const struct fsck_report r = run(true);
	ck_assert_uint_eq(r.repaired, 0);
	ck_assert_uint_eq(r.errors, 1);
	check_finding(FSCK_DERIVED, "cannot be made anew (");
	check_finding(FSCK_DERIVED, "frame 0 has another digest");
	/* Whoever needs it is lost, and nobody else. */
	ck_assert_uint_eq(r.lost, 1);
	check_finding(FSCK_LOST, "image localhost/app:1: 1 of its blobs is damaged or missing: "
				 "import or build it again");
}
END_TEST

START_TEST(a_catalog_cannot_be_made_anew_of_layers_that_are_lost)
{
	fixture_cut(own_file("catalogs", &manifest.digest, ""), 100);
	ck_assert_int_eq(unlink(fixture_blob_file(&own.descriptor.digest)), 0);
	const struct fsck_report r = run(true);
	ck_assert_uint_eq(r.repaired, 0);
	check_finding(FSCK_DERIVED, "catalog of manifest sha256:");
	check_finding(FSCK_DERIVED, "cannot be made anew (image 'sha256:");
}
END_TEST

START_TEST(a_catalog_cannot_be_made_anew_of_layers_that_are_damaged)
{
	const char *text = strmap_get(&own.descriptor.annotations, LAYER_INDEX_OFFSET_KEY);
	uint64_t offset;

	fixture_cut(own_file("catalogs", &manifest.digest, ""), 100);
	ck_assert_int_eq(str_to_u64(text, strlen(text), 10, UINT32_MAX, &offset), 0);
	fixture_flip(fixture_blob_file(&own.descriptor.digest), (long)offset + 20);
	const struct fsck_report r = run(true);
	ck_assert_uint_eq(r.repaired, 0);
	check_finding(FSCK_DERIVED, "catalog of manifest sha256:");
	check_finding(FSCK_DERIVED, "cannot be made anew (");
}
END_TEST

START_TEST(all_images_that_need_a_blob_are_lost)
{
	ck_assert_int_eq(unlink(fixture_blob_file(&own.descriptor.digest)), 0);
	ck_assert_uint_eq(run(true).lost, 2);
	ck_assert_uint_eq(run(false).lost, 0);
}
END_TEST

START_TEST(a_manifest_that_is_gone_is_a_lost_image)
{
	fixture_flip(fixture_blob_file(&other.digest), 7);
	ck_assert_uint_eq(run(true).lost, 1);
	check_finding(FSCK_LOST, "image localhost/other:1: 1 of its blobs is ");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("store/fsck_repair");
	TCase *tc = tcase_create("repair");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, derived_files_are_made_anew);
	tcase_add_test(tc, a_catalog_is_made_anew);
	tcase_add_test(tc, a_catalog_of_other_layers_is_made_anew);
	tcase_add_test(tc, a_catalog_beside_wrong_annotations_is_not_made_anew);
	tcase_add_test(tc, a_catalog_whose_layers_cannot_be_read_is_made_anew);
	tcase_add_test(tc, what_the_config_denies_cannot_be_made_anew);
	tcase_add_test(tc, what_is_no_blob_is_told);
	tcase_add_test(tc, nothing_is_touched_without_being_asked);
	tcase_add_test(tc, without_its_blob_nothing_can_be_made_anew);
	tcase_add_test(tc, a_catalog_cannot_be_made_anew_of_layers_that_are_lost);
	tcase_add_test(tc, a_catalog_cannot_be_made_anew_of_layers_that_are_damaged);
	tcase_add_test(tc, all_images_that_need_a_blob_are_lost);
	tcase_add_test(tc, a_manifest_that_is_gone_is_a_lost_image);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
