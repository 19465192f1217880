/* SPDX-License-Identifier: Apache-2.0 */
#include "store/catalogs.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/blobs.h"
#include "tests/unit/store/fixture.h"

static const struct layers_options options = {.workers = 0};

enum {
	FILES = 2000,
	FAR_AWAY = 100 * 1000, /* in a block of the catalog that opening does not touch */
};

static struct fixture_layer layers[3];
static struct image image;

static void setup(void)
{
	struct err e = ERR_INIT;
	struct descriptor d;

	fixture_make();
	fixture_wide_layer(FILES, &layers[0]);
	fixture_foreign_layer("zstd", "three", LAYER_ZSTD, &layers[1]);
	fixture_foreign_layer("tar", "fifth", LAYER_TAR, &layers[2]);
	fixture_image("localhost/app:1", layers, 3, &d);
	descriptor_fini(&d);
	ck_assert_int_eq(image_load(fixture_store(), "app:1", NULL, &image, &e), 0);
}

static void teardown(void)
{
	for (size_t i = 0; i < ARRAY_LEN(layers); i++)
		fixture_layer_fini(&layers[i]);
	image_fini(&image);
	fixture_remove();
}

static const char *catalog_file(void)
{
	char hex[DIGEST_HEX_MAX], path[200];

	snprintf(path, sizeof(path), "shale/catalogs/%s", digest_hex(&image.chosen.digest, hex));
	return fixture_file(path);
}

static const char *derived_file(size_t at, const char *suffix)
{
	char hex[DIGEST_HEX_MAX], path[200];

	snprintf(path, sizeof(path), "shale/layers/%s%s",
		 digest_hex(&layers[at].descriptor.digest, hex), suffix);
	return fixture_file(path);
}

/* 0 when no catalog is kept. */
static ino_t kept_inode(void)
{
	struct stat st;

	return stat(catalog_file(), &st) == 0 ? st.st_ino : 0;
}

static void check_file(const struct catalog *c, const char *path, uint64_t size)
{
	struct err e = ERR_INIT;
	struct catalog_stat st;
	uint32_t inode;

	ck_assert_int_eq(catalog_resolve(c, path, true, &inode, &e), 1);
	ck_assert_int_eq(catalog_stat(c, inode, &st, &e), 0);
	ck_assert_uint_eq(st.size, size);
}

static void open_and_check(const struct store *s, unsigned flags)
{
	struct err e = ERR_INIT;
	SCOPE(catalog) struct catalog *c = NULL;
	const int r = catalogs_open(s, &image, flags, &options, &c, &e);

	ck_assert_no_err(&e);
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(catalog_layer_count(c), 3);
	check_file(c, "/file-0001", strlen("file-0001"));
	check_file(c, "/zstd", 5);
	check_file(c, "/tar", 5);
	ck_assert_int_eq(catalog_check(c, &e), 0);
	for (size_t i = 0; i < 3; i++) {
		struct catalog_layer info;
		ck_assert_int_eq(catalog_layer(c, i, &info, &e), 0);
		ck_assert(digest_equal(&info.blob, &layers[i].descriptor.digest));
		SCOPE_FD int fd = layers_open_frames(s, &info, &e);
		ck_assert_int_ge(fd, 0);
	}
}

START_TEST(a_catalog_is_built_once)
{
	open_and_check(fixture_store(), 0);
	const ino_t first = kept_inode();
	ck_assert_uint_ne(first, 0);
	open_and_check(fixture_store(), 0);
	ck_assert_uint_eq(kept_inode(), first);
}
END_TEST

START_TEST(a_fresh_one_uses_and_leaves_nothing)
{
	open_and_check(fixture_store(), CATALOGS_FRESH);
	ck_assert_uint_eq(kept_inode(), 0);
	open_and_check(fixture_store(), 0);
	const ino_t first = kept_inode();
	/* Neither the catalog nor what was derived is read: the damage would be seen. */
	fixture_flip(catalog_file(), FAR_AWAY);
	fixture_flip(derived_file(1, ".frames"), 3);
	open_and_check(fixture_store(), CATALOGS_FRESH);
	ck_assert_uint_eq(kept_inode(), first);
	fixture_flip(catalog_file(), FAR_AWAY);
	fixture_check_whole();
	fixture_flip(derived_file(1, ".index"), 3);
	fixture_cut(catalog_file(), 10);
	open_and_check(fixture_store(), CATALOGS_FRESH);
	ck_assert_uint_eq(kept_inode(), first);
}
END_TEST

START_TEST(a_damaged_one_is_built_again)
{
	static const struct {
		long flip, cut;
	} damages[] = {{0, -1}, {20, -1}, {100, -1}, {0, 0}, {0, 100}, {0, 5000}};

	open_and_check(fixture_store(), 0);
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		if (damages[i].cut >= 0)
			fixture_cut(catalog_file(), damages[i].cut);
		else
			fixture_flip(catalog_file(), damages[i].flip);
		open_and_check(fixture_store(), 0);
	}
	open_and_check(fixture_store(), 0);
}
END_TEST

START_TEST(one_of_another_image_is_built_again)
{
	struct err e = ERR_INIT;
	struct descriptor d;
	char other[500];

	open_and_check(fixture_store(), 0);
	snprintf(other, sizeof(other), "%s", catalog_file());
	image_fini(&image);
	/* The same layers in another order. */
	const struct fixture_layer turned[] = {layers[1], layers[0], layers[2]};
	fixture_image("localhost/app:2", turned, 3, &d);
	descriptor_fini(&d);
	ck_assert_int_eq(image_load(fixture_store(), "app:2", NULL, &image, &e), 0);
	ck_assert_int_eq(rename(other, catalog_file()), 0);
	const struct fixture_layer first = layers[0];
	layers[0] = layers[1];
	layers[1] = first;
	open_and_check(fixture_store(), 0);
}
END_TEST

START_TEST(one_of_what_was_derived_before_is_built_again)
{
	struct err e = ERR_INIT;

	open_and_check(fixture_store(), 0);
	const ino_t first = kept_inode();
	/* Its frames are needed: they come back, though the catalog is fine. */
	ck_assert_int_eq(layers_discard(fixture_store(), &layers[1].descriptor.digest, &e), 0);
	open_and_check(fixture_store(), 0);
	ck_assert_uint_ne(kept_inode(), first);
	ck_assert_int_eq(access(derived_file(1, ".frames"), F_OK), 0);
}
END_TEST

START_TEST(discard_removes_the_kept_one)
{
	struct err e = ERR_INIT;

	open_and_check(fixture_store(), 0);
	ck_assert_int_eq(catalogs_discard(fixture_store(), &image, &e), 0);
	ck_assert_uint_eq(kept_inode(), 0);
	ck_assert_int_eq(catalogs_discard(fixture_store(), &image, &e), 0);
	open_and_check(fixture_store(), 0);
}
END_TEST

START_TEST(a_store_that_cannot_be_written_gets_a_nameless_one)
{
	struct err e = ERR_INIT;
	struct store *s = NULL;

	open_and_check(fixture_store(), 0);
	ck_assert_int_eq(unlink(catalog_file()), 0);
	/* Not all of its folders are there: as if another tool had made it. */
	ck_assert_int_eq(rmdir(fixture_file("shale/leases")), 0);
	ck_assert_int_eq(store_open(scratch_file("store"), 0, &s, &e), 0);
	ck_assert(!store_is_writable(s));
	open_and_check(s, 0);
	open_and_check(s, CATALOGS_FRESH);
	ck_assert_uint_eq(kept_inode(), 0);
	ck_assert_int_eq(catalogs_discard(s, &image, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "'shale fsck --repair' adds");
	store_close(s);
}
END_TEST

START_TEST(damage_of_a_layer_is_told)
{
	struct err e = ERR_INIT;
	struct catalog *c = NULL;

	fixture_cut(fixture_blob_file(&layers[0].descriptor.digest), 30);
	ck_assert_int_eq(catalogs_open(fixture_store(), &image, 0, &options, &c, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "layer: blob 'sha256:"));
	ck_assert_err(&e, ERR_DIGEST, "image 'localhost/app:1'");
	ck_assert_uint_eq(kept_inode(), 0);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("store/catalogs");
	TCase *tc = tcase_create("catalogs");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_catalog_is_built_once);
	tcase_add_test(tc, a_fresh_one_uses_and_leaves_nothing);
	tcase_add_test(tc, a_damaged_one_is_built_again);
	tcase_add_test(tc, one_of_another_image_is_built_again);
	tcase_add_test(tc, one_of_what_was_derived_before_is_built_again);
	tcase_add_test(tc, discard_removes_the_kept_one);
	tcase_add_test(tc, a_store_that_cannot_be_written_gets_a_nameless_one);
	tcase_add_test(tc, damage_of_a_layer_is_told);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
