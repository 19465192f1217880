/* SPDX-License-Identifier: Apache-2.0 */
#include "store/builds.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hasher.h"
#include "base/io.h"
#include "base/limits.h"
#include "image/manifest.h"
#include "image/mediatype.h"
#include "store/blobs.h"
#include "tests/unit/store/fixture.h"

static struct digest digest_of(const char *text)
{
	return hasher_sha256(text, strlen(text));
}

/* A "layer" of this text in the store. */
static void put(const char *key, const char *text)
{
	SCOPE(descriptor) struct descriptor layer = DESCRIPTOR_INIT;
	const struct digest k = digest_of(key), diff_id = digest_of("diff");
	struct digest d;
	struct err e = ERR_INIT;

	blobs_put_bytes(fixture_store(), fixture_lease(), text, strlen(text), &d, &e);
	descriptor_set(&layer, MEDIATYPE_LAYER_ZSTD, &d, strlen(text), &e);
	strmap_set(&layer.annotations, "a", "b", &e);
	ck_assert_int_eq(builds_put(fixture_store(), &k, &layer, &diff_id, &e), 0);
	ck_assert_no_err(&e);
}

/* Whether a key has the layer of this text; NULL: none. */
static void check(const char *key, const char *text)
{
	SCOPE(descriptor) struct descriptor layer = DESCRIPTOR_INIT;
	const struct digest k = digest_of(key);
	struct digest diff_id;
	struct err e = ERR_INIT;

	const int r = builds_get(fixture_store(), fixture_lease(), &k, &layer, &diff_id, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(r, text != NULL);
	if (!text)
		return;
	const struct digest want = digest_of(text), want_id = digest_of("diff");
	ck_assert(digest_equal(&layer.digest, &want));
	ck_assert(digest_equal(&diff_id, &want_id));
	ck_assert_uint_eq(layer.size, strlen(text));
	ck_assert_str_eq(layer.media_type, MEDIATYPE_LAYER_ZSTD);
	ck_assert_uint_eq(layer.annotations.count, 1);
	ck_assert_str_eq(strmap_get(&layer.annotations, "a"), "b");
}

/* The name of the blob of this text. */
static const char *blob_path(const char *text)
{
	static char path[300];
	char hex[DIGEST_HEX_MAX];
	const struct digest d = digest_of(text);

	snprintf(path, sizeof(path), "store/blobs/sha256/%s", digest_hex(&d, hex));
	return path;
}

START_TEST(layers_are_found_by_key)
{
	check("one", NULL);
	put("one", "1");
	put("two", "2");
	check("one", "1");
	check("two", "2");
	check("three", NULL);
	put("one", "new");
	check("one", "new");
	check("two", "2");
}
END_TEST

START_TEST(a_layer_that_is_gone_is_none)
{
	put("one", "1");
	ck_assert_int_eq(unlinkat(scratch_fd(), blob_path("1"), 0), 0);
	check("one", NULL);
	put("one", "1");
	check("one", "1");
}
END_TEST

/* It may be damaged, and whoever makes it again mends it. */
START_TEST(a_layer_that_was_touched_is_none)
{
	put("one", "1");
	usleep(50000);
	ck_assert_int_eq(fchmodat(scratch_fd(), blob_path("1"), 0644, 0), 0);
	check("one", NULL);
	put("one", "1");
	check("one", "1");
}
END_TEST

/* NULL: the file with one byte changed. */
static const struct {
	const char *text;
} damages[] = {
	{""},
	{"sha256:"},
	{"x\n{}"},
	{"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\n{}"},
	{"sha256:0000000000000000000000000000000000000000000000000000000000000000\n{}"},
	{NULL},
};

START_TEST(damage_is_no_record)
{
	put("one", "1");
	if (damages[_i].text) {
		scratch_write("store/shale/builds", damages[_i].text);
	} else {
		SCOPE_FD int fd = openat(scratch_fd(), "store/shale/builds", O_RDWR | O_CLOEXEC);
		char c;
		ck_assert_int_eq(pread(fd, &c, 1, 200), 1);
		c ^= 1;
		ck_assert_int_eq(pwrite(fd, &c, 1, 200), 1);
	}
	check("one", NULL);
	put("two", "2");
	check("one", NULL);
	check("two", "2");
}
END_TEST

/* Who may write it decides what is in images. */
START_TEST(a_file_of_others_is_no_record)
{
	put("one", "1");
	ck_assert_int_eq(fchmodat(scratch_fd(), "store/shale/builds", 0666, 0), 0);
	check("one", NULL);
	put("two", "2");
	check("two", "2");
	struct stat st;
	ck_assert_int_eq(fstatat(scratch_fd(), "store/shale/builds", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0644);
}
END_TEST

/* A file of `count` records, "key 0" the oldest, all of the layer "1". */
static void write_records(int count)
{
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE(descriptor) struct descriptor layer = DESCRIPTOR_INIT;
	SCOPE(str) struct str json = STR_INIT;
	SCOPE(str) struct str file = STR_INIT;
	char key[20], text[DIGEST_STR_MAX], stamp[200];
	struct stat st;
	const struct digest one = digest_of("1"), diff_id = digest_of("diff");
	struct err e = ERR_INIT;

	descriptor_set(&layer, MEDIATYPE_LAYER_ZSTD, &one, 1, &e);
	strmap_set(&layer.annotations, "a", "b", &e);
	strmap_set(&layer.annotations, "io.shale.build.diff-id", digest_format(&diff_id, text), &e);
	ck_assert_int_eq(fstatat(scratch_fd(), blob_path("1"), &st, 0), 0);
	snprintf(stamp, sizeof(stamp), "%lu %ld.%09ld %ld.%09ld", (unsigned long)st.st_ino,
		 (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long)st.st_ctim.tv_sec,
		 st.st_ctim.tv_nsec);
	strmap_set(&layer.annotations, "io.shale.build.blob", stamp, &e);
	for (int i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "key %d", i);
		const struct digest d = digest_of(key);
		strmap_set(&layer.annotations, "io.shale.build.key", digest_format(&d, text), &e);
		ck_assert_int_eq(image_index_add(&ix, &layer, &e), 0);
	}
	ck_assert_int_eq(image_index_format(&ix, &json, &e), 0);
	const struct digest sum = hasher_sha256(json.data, json.len);
	str_appendf(&file, &e, "%s\n%s", digest_format(&sum, text), json.data);
	ck_assert_no_err(&e);
	scratch_write("store/shale/builds", file.data);
}

START_TEST(old_records_make_room)
{
	put("first", "1");
	write_records(LIMIT_BUILDS);
	check("key 0", "1");
	put("new", "1");
	check("key 0", NULL);
	check("key 1", "1");
	check("key 999", "1");
	check("new", "1");
	/* More than this version writes is not believed. */
	write_records(LIMIT_BUILDS + 1);
	check("key 0", NULL);
}
END_TEST

static bool is_two(void *ctx, const struct digest *layer)
{
	const struct digest two = digest_of("2");

	(*(size_t *)ctx)++;
	return digest_equal(layer, &two);
}

static bool is_none(void *ctx, const struct digest *layer)
{
	(void)ctx;
	(void)layer;
	return false;
}

START_TEST(gc_forgets_what_is_not_live)
{
	struct err e = ERR_INIT;
	size_t asked = 0;

	put("one", "1");
	put("two", "2");
	put("again", "2");
	ck_assert_int_eq(builds_sweep(fixture_store(), is_two, &asked, &e), 0);
	ck_assert_uint_eq(asked, 3);
	check("one", NULL);
	check("two", "2");
	check("again", "2");
	ck_assert_int_eq(builds_sweep(fixture_store(), is_none, NULL, &e), 0);
	check("two", NULL);
	ck_assert_int_eq(faccessat(scratch_fd(), "store/shale/builds", F_OK, 0), -1);
	ck_assert_int_eq(builds_sweep(fixture_store(), is_none, NULL, &e), 0);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("store/builds");
	TCase *tc = tcase_create("builds");

	tcase_add_checked_fixture(tc, fixture_make_leased, fixture_remove_leased);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, layers_are_found_by_key);
	tcase_add_test(tc, a_layer_that_is_gone_is_none);
	tcase_add_test(tc, a_layer_that_was_touched_is_none);
	tcase_add_loop_test(tc, damage_is_no_record, 0, ARRAY_LEN(damages));
	tcase_add_test(tc, a_file_of_others_is_no_record);
	tcase_add_test(tc, old_records_make_room);
	tcase_add_test(tc, gc_forgets_what_is_not_live);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
