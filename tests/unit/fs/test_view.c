/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/view.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/io.h"
#include "fs/sample_image.h"
#include "main.h"

enum {
	BIG = 3 * 1024 * 1024 + 17,
	HOLE_START = 1024 * 1024,
	HOLE_END = 2 * 1024 * 1024,
	MANY = 3000
};

static const struct sample_file files[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "big",
	 .kind = ENTRY_REG,
	 .mode = 0644,
	 .size = BIG,
	 .zeros = HOLE_START,
	 .zeros_end = HOLE_END},
	{.path = "dir", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "dir/small", .kind = ENTRY_REG, .mode = 0644, .text = "small text\n"},
	{.path = "empty", .kind = ENTRY_REG, .mode = 0644},
	{.path = "zeros",
	 .kind = ENTRY_REG,
	 .mode = 0644,
	 .size = HOLE_START,
	 .zeros_end = HOLE_START},
};

enum { FILE_BIG = 1 };

static void setup(void)
{
	sample_image_make(files, ARRAY_LEN(files));
}

static uint32_t find(const struct view *v, const char *path)
{
	struct err e = ERR_INIT;
	uint32_t inode = UINT32_MAX;

	ck_assert_int_eq(catalog_resolve(view_catalog(v), path, false, &inode, &e), 1);
	return inode;
}

START_TEST(reads_across_frames_and_holes)
{
	static const size_t sizes[] = {1, 4096, 131072, 1000003};
	static uint8_t buf[1000003];
	SCOPE(view) struct view *v = sample_view(VIEW_CACHE_MIN);
	const uint32_t inode = find(v, "/big");
	const size_t step = sizes[_i];
	struct err e = ERR_INIT;

	/* Every byte would take long with steps of one. */
	for (uint64_t at = 0; at < BIG; at += step == 1 ? 9973 : step) {
		const ssize_t n = view_read(v, inode, at, buf, step, &e);
		ck_assert_no_err(&e);
		ck_assert_int_eq(n, BIG - at < step ? (ssize_t)(BIG - at) : (ssize_t)step);
		/* An assertion for each byte would take minutes. */
		ssize_t i = 0;
		while (i < n && buf[i] == sample_byte(&files[FILE_BIG], at + (uint64_t)i))
			i++;
		ck_assert_int_eq(i, n);
	}
}
END_TEST

START_TEST(reads_end_at_the_end)
{
	SCOPE(view) struct view *v = sample_view(VIEW_CACHE_MIN);
	struct err e = ERR_INIT;
	char buf[64];

	ck_assert_int_eq(view_read(v, find(v, "/dir/small"), 0, buf, sizeof(buf), &e), 11);
	ck_assert_mem_eq(buf, "small text\n", 11);
	ck_assert_int_eq(view_read(v, find(v, "/dir/small"), 6, buf, 3, &e), 3);
	ck_assert_mem_eq(buf, "tex", 3);
	ck_assert_int_eq(view_read(v, find(v, "/dir/small"), 11, buf, sizeof(buf), &e), 0);
	ck_assert_int_eq(view_read(v, find(v, "/dir/small"), UINT64_MAX, buf, 1, &e), 0);
	ck_assert_int_eq(view_read(v, find(v, "/empty"), 0, buf, sizeof(buf), &e), 0);
	ck_assert_int_eq(view_read(v, find(v, "/big"), BIG - 1, buf, sizeof(buf), &e), 1);
	ck_assert_no_err(&e);
}
END_TEST

START_TEST(a_span_is_a_hole_or_bytes)
{
	SCOPE(view) struct view *v = sample_view(VIEW_CACHE_MIN);
	struct view_span span;
	struct err e = ERR_INIT;

	ck_assert_int_eq(view_span(v, find(v, "/zeros"), 5, 100, &span, &e), 0);
	ck_assert_ptr_null(span.bytes);
	ck_assert_uint_eq(span.len, 100);
	view_span_put(v, &span);
	ck_assert_int_eq(view_span(v, find(v, "/dir/small"), 1, 100, &span, &e), 0);
	ck_assert_ptr_nonnull(span.bytes);
	ck_assert_uint_eq(span.len, 10);
	ck_assert_mem_eq(span.bytes, "mall", 4);
	view_span_put(v, &span);
	ck_assert_ptr_null(span.frame);
	/* Holes cost no frame. */
	ck_assert_uint_eq(view_cache_stats(v).misses, 1);
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
	SCOPE(view) struct view *v = sample_view(VIEW_CACHE_MIN);
	struct err e = ERR_INIT;
	char buf[4];

	ck_assert_int_eq(view_read(v, find(v, "/dir"), 0, buf, sizeof(buf), &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "is not a");
	ck_assert_int_eq(view_read(v, 4711, 0, buf, sizeof(buf), &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "4711");
}
END_TEST

/* Changes a byte of the file in place, as a failing disk would. */
static void damage(enum store_dir dir, const char *name, off_t at)
{
	uint8_t byte;

	ck_assert_int_eq(fchmodat(store_dirfd(sample_store, dir), name, 0644, 0), 0);
	SCOPE_FD int fd = openat(store_dirfd(sample_store, dir), name, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
}

START_TEST(damage_of_a_frame_is_an_error_and_never_data)
{
	SCOPE(view) struct view *v = sample_view(VIEW_CACHE_MIN);
	char hex[DIGEST_HEX_MAX];
	struct err e = ERR_INIT;
	struct catalog_range range;
	struct frame f;
	uint32_t number;
	char buf[16];

	const uint32_t small = find(v, "/dir/small");
	ck_assert_int_eq(catalog_range(view_catalog(v), small, 0, &range, &e), 0);
	ck_assert_int_eq(catalog_frame(view_catalog(v), 0, range.tar_offset, &number, &f, &e), 0);
	damage(STORE_DIR_BLOBS_SHA256, digest_hex(&sample_image.manifest.layers[0].digest, hex),
	       (off_t)(f.blob_offset + f.blob_length / 2));
	ck_assert_int_eq(view_read(v, small, 0, buf, sizeof(buf), &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "frame");
	ck_assert_int_eq(view_read(v, find(v, "/zeros"), 0, buf, sizeof(buf), &e), sizeof(buf));
	ck_assert_no_err(&e);
}
END_TEST

/* So many names that a catalog has many blocks, of which opening it touches the first. */
static void setup_many(void)
{
	static char names[MANY][16];
	static struct sample_file many[MANY + 1];

	many[0] = files[0];
	for (size_t i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "name-%05zu", i);
		many[i + 1] = (struct sample_file){
			.path = names[i], .kind = ENTRY_REG, .mode = 0644, .text = names[i]};
	}
	sample_image_make(many, ARRAY_LEN(many));
}

static void check_many(struct view *v)
{
	struct err e = ERR_INIT;
	struct catalog_dirent de;
	char buf[16];

	for (uint64_t i = 0; i < MANY; i++) {
		const int found = VIEW_RETRY(
			v, &e, catalog_readdir(view_catalog(v), CATALOG_ROOT, i, &de, &e));
		ck_assert_no_err(&e);
		ck_assert_int_eq(found, 1);
		ck_assert_int_eq(view_read(v, de.inode, 0, buf, sizeof(buf), &e),
				 (ssize_t)de.name_len);
		ck_assert_mem_eq(buf, de.name, de.name_len);
	}
	ck_assert_no_err(&e);
}

/* As check_many, on a thread: how many of the names failed. */
static void *count_failures(void *arg)
{
	struct view *v = arg;
	uintptr_t failed = 0;

	for (uint64_t i = 0; i < MANY; i++) {
		struct err e = ERR_INIT;
		struct catalog_dirent de = {0};
		char buf[16];
		const int found = VIEW_RETRY(
			v, &e, catalog_readdir(view_catalog(v), CATALOG_ROOT, i, &de, &e));
		failed += found != 1 ||
			  view_read(v, de.inode, 0, buf, sizeof(buf), &e) != (ssize_t)de.name_len;
		err_clear(&e);
	}
	return (void *)failed;
}

START_TEST(threads_that_meet_damage_share_one_repair)
{
	char hex[DIGEST_HEX_MAX];
	struct stat st;
	pthread_t threads[4];

	digest_hex(&sample_image.chosen.digest, hex);
	SCOPE(view) struct view *v = sample_view(VIEW_CACHE_MIN);
	ck_assert_int_eq(fstatat(store_dirfd(sample_store, STORE_DIR_CATALOGS), hex, &st, 0), 0);
	damage(STORE_DIR_CATALOGS, hex, st.st_size / 2);
	const struct catalog *before = view_catalog(v);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, count_failures, v), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *failed;
		ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
		ck_assert_ptr_null(failed);
	}
	ck_assert_ptr_ne(view_catalog(v), before);
	/* Who saw the damage, and comes when all is done, tries again. */
	struct err e = ERR_INIT;
	err_set(&e, ERR_DIGEST, "damaged");
	ck_assert(view_repair(v, before, &e));
	ck_assert_no_err(&e);
}
END_TEST

START_TEST(a_damaged_catalog_is_built_anew)
{
	char hex[DIGEST_HEX_MAX];
	struct stat st;

	digest_hex(&sample_image.chosen.digest, hex);
	SCOPE(view) struct view *v = sample_view(VIEW_CACHE_MIN);
	ck_assert_int_eq(fstatat(store_dirfd(sample_store, STORE_DIR_CATALOGS), hex, &st, 0), 0);
	damage(STORE_DIR_CATALOGS, hex, st.st_size / (2 + _i));
	const struct catalog *before = view_catalog(v);
	check_many(v);
	ck_assert_ptr_ne(view_catalog(v), before);
	/* And once only: a machine on which this happens again cannot be trusted. */
	struct err e = ERR_INIT;
	err_set(&e, ERR_DIGEST, "damaged again");
	ck_assert(!view_repair(v, view_catalog(v), &e));
	ck_assert_err(&e, ERR_DIGEST, "again");
	check_many(v);
}
END_TEST

/* Whoever removes what a mount uses (rm -r in the store) has an error for it, which is not that the
 * inode is none. */
START_TEST(a_repair_that_fails_leaves_the_damage)
{
	SCOPE(view) struct view *v = sample_view(VIEW_CACHE_MIN);
	const struct catalog *before = view_catalog(v);
	char hex[DIGEST_HEX_MAX];
	struct err e = ERR_INIT;

	ck_assert_int_eq(unlinkat(store_dirfd(sample_store, STORE_DIR_BLOBS_SHA256),
				  digest_hex(&sample_image.manifest.layers[0].digest, hex), 0),
			 0);
	for (int i = 0; i < 3; i++) {
		err_set(&e, ERR_DIGEST, "damaged");
		ck_assert(!view_repair(v, before, &e));
		ck_assert_err(&e, ERR_DIGEST, "damaged");
	}
	ck_assert_ptr_eq(view_catalog(v), before);
}
END_TEST

/* A layer is gone, and the catalog is kept. */
START_TEST(opens_without_a_lost_layer)
{
	const struct layers_options opt = {.workers = 0};
	char hex[DIGEST_HEX_MAX], byte;
	struct err e = ERR_INIT;
	struct catalog_stat st;

	view_close(sample_view(VIEW_CACHE_MIN));
	ck_assert_int_eq(unlinkat(store_dirfd(sample_store, STORE_DIR_BLOBS_SHA256),
				  digest_hex(&sample_image.manifest.layers[0].digest, hex), 0),
			 0);
	ck_assert_ptr_null(
		view_open(sample_store, &sample_image, 0, VIEW_CACHE_MIN, "a test", &opt, &e));
	ck_assert_err(&e, ERR_NOT_FOUND, "not in the store");
	SCOPE(view)
	struct view *v = view_open(sample_store, &sample_image, VIEW_WITHOUT_LOST, VIEW_CACHE_MIN,
				   "a test", &opt, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(catalog_stat(view_catalog(v), CATALOG_ROOT, &st, &e), 0);
	ck_assert_int_eq(view_read(v, find(v, "/dir/small"), 0, &byte, 1, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "layer 1 of the image is lost");
}
END_TEST

/* Only the digest of the image is known: nothing can be derived anew. */
START_TEST(opens_by_the_kept_catalog_alone)
{
	const struct layers_options opt = {.workers = 0};
	char name[] = "lost";
	const struct image unknown = {.name = name, .chosen = sample_image.chosen};
	char hex[DIGEST_HEX_MAX], byte;
	struct err e = ERR_INIT;

	ck_assert_ptr_null(view_open(sample_store, &unknown, CATALOGS_KEPT, VIEW_CACHE_MIN,
				     "a test", &opt, &e));
	ck_assert_err(&e, ERR_NOT_FOUND, "no catalog");
	view_close(sample_view(VIEW_CACHE_MIN));
	SCOPE(view)
	struct view *v = view_open(sample_store, &unknown, CATALOGS_KEPT, VIEW_CACHE_MIN, "a test",
				   &opt, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(view_read(v, find(v, "/dir/small"), 0, &byte, 1, &e), 1);
	ck_assert_int_eq(byte, 's');
	err_set(&e, ERR_DIGEST, "damaged");
	ck_assert(!view_repair(v, view_catalog(v), &e));
	ck_assert_err(&e, ERR_DIGEST, "damaged");
	ck_assert_int_eq(unlinkat(store_dirfd(sample_store, STORE_DIR_CATALOGS),
				  digest_hex(&sample_image.chosen.digest, hex), 0),
			 0); /* it is still there */
}
END_TEST

START_TEST(other_failures_are_not_repaired)
{
	SCOPE(view) struct view *v = sample_view(VIEW_CACHE_MIN);
	const struct catalog *before = view_catalog(v);
	struct err e = ERR_INIT;

	err_set(&e, ERR_NOT_FOUND, "no such inode");
	ck_assert(!view_repair(v, view_catalog(v), &e));
	ck_assert_err(&e, ERR_NOT_FOUND, "inode");
	ck_assert_ptr_eq(view_catalog(v), before);
}
END_TEST

static void *read_all(void *arg)
{
	struct view *v = arg;
	struct err e = ERR_INIT;
	uint32_t inode = 0;
	uint8_t buf[10007];
	uintptr_t wrong = 0;

	if (catalog_resolve(view_catalog(v), "/big", false, &inode, &e) != 1)
		return (void *)1;
	for (uint64_t at = 0; at < BIG; at += sizeof(buf)) {
		const ssize_t n = view_read(v, inode, at, buf, sizeof(buf), &e);
		if (n < 0) {
			err_clear(&e);
			return (void *)1;
		}
		for (ssize_t i = 0; i < n; i++)
			wrong |= buf[i] != sample_byte(&files[FILE_BIG], at + (uint64_t)i);
	}
	return (void *)wrong;
}

START_TEST(threads_read_the_same)
{
	SCOPE(view) struct view *v = sample_view(1);
	pthread_t threads[4];

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_all, v), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *wrong;
		ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
		ck_assert_ptr_null(wrong);
	}
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/view");
	TCase *tc = tcase_create("reads");

	tcase_add_checked_fixture(tc, setup, sample_image_remove);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, reads_across_frames_and_holes, 0, 4);
	tcase_add_test(tc, reads_end_at_the_end);
	tcase_add_test(tc, a_span_is_a_hole_or_bytes);
	tcase_add_test(tc, refuses_what_is_no_file);
	tcase_add_test(tc, threads_read_the_same);
	suite_add_tcase(s, tc);
	tc = tcase_create("damage");
	tcase_add_checked_fixture(tc, setup, sample_image_remove);
	tcase_add_test(tc, damage_of_a_frame_is_an_error_and_never_data);
	tcase_add_test(tc, other_failures_are_not_repaired);
	tcase_add_test(tc, a_repair_that_fails_leaves_the_damage);
	tcase_add_test(tc, opens_without_a_lost_layer);
	tcase_add_test(tc, opens_by_the_kept_catalog_alone);
	suite_add_tcase(s, tc);
	tc = tcase_create("repair");
	tcase_add_checked_fixture(tc, setup_many, sample_image_remove);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_damaged_catalog_is_built_anew, 0, 3);
	tcase_add_test(tc, threads_that_meet_damage_share_one_repair);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
