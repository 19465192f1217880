/* SPDX-License-Identifier: Apache-2.0 */
#include "store/refs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hasher.h"
#include "base/io.h"
#include "image/mediatype.h"
#include "store/reserve.h"
#include "tests/unit/store/fixture.h"

enum { WRITERS = 4, WRITES = 10, TIMEOUT_S = 60 };

static struct descriptor descriptor_of(const char *text)
{
	struct err e = ERR_INIT;
	struct descriptor d = DESCRIPTOR_INIT;
	const struct digest digest = hasher_sha256(text, strlen(text));

	ck_assert_int_eq(descriptor_set(&d, MEDIATYPE_MANIFEST, &digest, strlen(text), &e), 0);
	return d;
}

static void set(const char *key, const char *text)
{
	SCOPE(descriptor) struct descriptor d = descriptor_of(text);

	fixture_set_ref(key, &d);
}

static void check_ref(const char *key, const char *text)
{
	struct err e = ERR_INIT;
	const struct digest expected = hasher_sha256(text, strlen(text));
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;

	ck_assert_int_eq(refs_get(fixture_store(), key, &d, &e), 1);
	ck_assert(digest_equal(&d.digest, &expected));
	ck_assert_str_eq(strmap_get(&d.annotations, REFS_NAME_KEY), key);
}

static size_t count_refs(void)
{
	struct err e = ERR_INIT;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;

	ck_assert_int_eq(refs_list(fixture_store(), &ix, &e), 0);
	return ix.count;
}

static int remove_key(const char *key)
{
	struct err e = ERR_INIT;
	const int r = refs_remove(fixture_store(), key, &e);

	ck_assert_no_err(&e);
	return r;
}

static void check_index_text(const char *expected)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str text = STR_INIT;

	ck_assert_int_eq(io_slurp_path(fixture_file("index.json"), 100000, &text, &e), 0);
	ck_assert_str_eq(text.data, expected);
}

START_TEST(refs_are_set_moved_and_removed)
{
	ck_assert(!fixture_has_ref("localhost/a:1"));
	set("localhost/a:1", "one");
	set("localhost/b:1", "two");
	check_ref("localhost/a:1", "one");
	set("localhost/a:1", "three");
	check_ref("localhost/a:1", "three");
	check_ref("localhost/b:1", "two");
	ck_assert_uint_eq(count_refs(), 2);
	ck_assert_int_eq(remove_key("localhost/a:1"), 1);
	ck_assert_int_eq(remove_key("localhost/a:1"), 0);
	ck_assert(!fixture_has_ref("localhost/a:1"));
	check_ref("localhost/b:1", "two");
}
END_TEST

START_TEST(several_refs_are_set_in_one_change)
{
	struct err e = ERR_INIT;
	SCOPE(descriptor) struct descriptor d = descriptor_of("new");
	SCOPE(strlist) struct strlist keys = STRLIST_INIT;

	set("localhost/a:1", "old");
	strlist_add(&keys, "localhost/b:1", &e);
	strlist_add(&keys, "localhost/a:1", &e);
	ck_assert_int_eq(refs_set_all(fixture_store(), &keys, &d, &e), 0);
	check_ref("localhost/a:1", "new");
	check_ref("localhost/b:1", "new");
	ck_assert_uint_eq(count_refs(), 2);
	strlist_clear(&keys);
	ck_assert_int_eq(refs_set_all(fixture_store(), &keys, &d, &e), 0);
	ck_assert_uint_eq(count_refs(), 2);
}
END_TEST

START_TEST(a_ref_keeps_what_the_descriptor_says)
{
	struct err e = ERR_INIT;
	SCOPE(descriptor) struct descriptor d = descriptor_of("x");
	SCOPE(descriptor) struct descriptor got = DESCRIPTOR_INIT;

	ck_assert_int_eq(strmap_set(&d.annotations, "a", "b", &e), 0);
	ck_assert_int_eq(strmap_set(&d.annotations, REFS_NAME_KEY, "another:1", &e), 0);
	ck_assert_int_eq(platform_parse(&d.platform, "linux/arm64", &e), 0);
	d.has_platform = true;
	fixture_set_ref("localhost/a:1", &d);
	ck_assert(!fixture_has_ref("another:1"));
	ck_assert_int_eq(refs_get(fixture_store(), "localhost/a:1", &got, &e), 1);
	ck_assert_str_eq(strmap_get(&got.annotations, "a"), "b");
	ck_assert_str_eq(got.platform.architecture, "arm64");
}
END_TEST

#define HEX_A "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
#define HEX_B "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"

START_TEST(entries_of_other_tools_keep_all_that_they_say)
{
	static const char other[] =
		"{\"annotations\":{\"x\":\"y\"},\"digest\":\"sha256:" HEX_A "\","
		"\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
		"\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\","
		"\"os.version\":\"10.0.1\"},\"size\":1,\"urls\":[\"https://example.com/\"]}";
	static const char ours[] = "{\"annotations\":{\"org.opencontainers.image.ref.name\":"
				   "\"localhost/a:1\"},\"digest\":\"sha256:" HEX_B "\","
				   "\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
				   "\"size\":1}";
	char text[2000];

	snprintf(text, sizeof(text),
		 "{\"annotations\":{\"k\":\"v\"},\"manifests\":[%s,%s],\"org.example\":[1],"
		 "\"schemaVersion\":2}",
		 other, other);
	scratch_write("store/index.json", text);
	set("localhost/a:1", "b");
	snprintf(text, sizeof(text),
		 "{\"annotations\":{\"k\":\"v\"},\"manifests\":[%s,%s,%s],\"org.example\":[1],"
		 "\"schemaVersion\":2}",
		 other, other, ours);
	check_index_text(text);
	ck_assert_int_eq(remove_key("localhost/a:1"), 1);
	snprintf(text, sizeof(text),
		 "{\"annotations\":{\"k\":\"v\"},\"manifests\":[%s,%s],\"org.example\":[1],"
		 "\"schemaVersion\":2}",
		 other, other);
	check_index_text(text);
}
END_TEST

START_TEST(two_entries_of_one_name_become_one)
{
	static const char entry[] = "{\"annotations\":{\"org.opencontainers.image.ref.name\":"
				    "\"app:1\"},\"digest\":\"sha256:" HEX_A "\","
				    "\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
				    "\"size\":1}";
	char text[2000];

	snprintf(text, sizeof(text), "{\"manifests\":[%s,%s,%s],\"schemaVersion\":2}", entry, entry,
		 entry);
	scratch_write("store/index.json", text);
	set("app:1", "b");
	check_ref("app:1", "b");
	ck_assert_uint_eq(count_refs(), 1);

	scratch_write("store/index.json", text);
	ck_assert_int_eq(remove_key("app:1"), 1);
	ck_assert_uint_eq(count_refs(), 0);
}
END_TEST

static int change_nothing(void *ctx, struct image_index *ix, struct err *e)
{
	(void)ctx;
	(void)e;
	while (ix->count)
		image_index_remove(ix, 0);
	return 0;
}

static int change_and_fail(void *ctx, struct image_index *ix, struct err *e)
{
	change_nothing(ctx, ix, e);
	return err_set(e, ERR_EXISTS, "no, thank you");
}

START_TEST(update_writes_only_when_it_is_told_to)
{
	struct err e = ERR_INIT;

	set("localhost/a:1", "one");
	ck_assert_int_eq(refs_update(fixture_store(), change_nothing, NULL, &e), 0);
	check_ref("localhost/a:1", "one");
	ck_assert_int_eq(refs_update(fixture_store(), change_and_fail, NULL, &e), -1);
	ck_assert_err(&e, ERR_EXISTS, "thank");
	check_ref("localhost/a:1", "one");
}
END_TEST

static const struct {
	const char *text;
	enum err_code code;
	const char *word;
} bad_indexes[] = {
	{"", ERR_FORMAT, "index.json"},
	{"[]", ERR_FORMAT, "index.json"},
	{"{\"schemaVersion\":2,\"manifests\":[]}{}", ERR_FORMAT, "garbage"},
	{"{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", ERR_FORMAT, "'layers'"},
	{"{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:../../../etc/passwd\","
	 "\"mediaType\":\"x/y\",\"size\":1}]}",
	 ERR_FORMAT, "digest"},
};

START_TEST(a_damaged_index_is_refused_and_left_alone)
{
	struct err e = ERR_INIT;
	struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE(descriptor) struct descriptor d = descriptor_of("x");

	scratch_write("store/index.json", bad_indexes[_i].text);
	ck_assert_int_eq(refs_list(fixture_store(), &ix, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "'index.json'"));
	ck_assert_err(&e, bad_indexes[_i].code, bad_indexes[_i].word);
	ck_assert_int_eq(refs_set(fixture_store(), "localhost/a:1", &d, &e), -1);
	ck_assert_err(&e, bad_indexes[_i].code, bad_indexes[_i].word);
	check_index_text(bad_indexes[_i].text);
}
END_TEST

static void write_many(int writer)
{
	char key[64], text[64];
	struct err e = ERR_INIT;
	struct store *s = NULL;

	if (store_open(store_path(fixture_store()), 0, &s, &e) < 0)
		_exit(1);
	for (int i = 0; i < WRITES; i++) {
		snprintf(text, sizeof(text), "%d/%d", writer, i);
		struct descriptor d = descriptor_of(text);
		snprintf(key, sizeof(key), "localhost/w%d:%d", writer, i);
		if (refs_set(s, key, &d, &e) < 0 || refs_set(s, "localhost/shared:1", &d, &e) < 0)
			_exit(1);
		descriptor_fini(&d);
	}
	store_close(s);
	_exit(0);
}

START_TEST(writers_that_race_lose_nothing)
{
	char key[64], text[64];

	for (int i = 0; i < WRITERS; i++) {
		const pid_t pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0)
			write_many(i);
	}
	for (int i = 0; i < WRITERS; i++) {
		int status;
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_uint_eq(count_refs(), WRITERS * WRITES + 1);
	for (int i = 0; i < WRITERS * WRITES; i++) {
		snprintf(key, sizeof(key), "localhost/w%d:%d", i / WRITES, i % WRITES);
		snprintf(text, sizeof(text), "%d/%d", i / WRITES, i % WRITES);
		check_ref(key, text);
	}
	ck_assert(fixture_has_ref("localhost/shared:1"));
}
END_TEST

START_TEST(a_full_disk_leaves_the_index_as_it_was)
{
	struct err e = ERR_INIT;
	struct rlimit before;
	SCOPE(descriptor) struct descriptor d = descriptor_of("x");

	set("localhost/a:1", "one");
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	const struct rlimit small = {100, before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	const int r = refs_set(fixture_store(), "localhost/b:1", &d, &e);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(r, -1);
	ck_assert_err(&e, ERR_SYS, "index.json");
	check_ref("localhost/a:1", "one");
	ck_assert_uint_eq(count_refs(), 1);
}
END_TEST

START_TEST(room_is_set_aside_for_the_next_index)
{
	struct stat index, reserve;
	const struct digest d = fixture_put("x");
	SCOPE(descriptor) struct descriptor entry = DESCRIPTOR_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(descriptor_set(&entry, "text/plain", &d, 1, &e), 0);
	fixture_set_ref("localhost/app:1", &entry);
	ck_assert_int_eq(stat(fixture_file("index.json"), &index), 0);
	SCOPE_FD int fd = open(scratch_file("allocated"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	if (fallocate(fd, 0, 0, 1) < 0 && errno == EOPNOTSUPP)
		SKIP_TEST("of this file system nothing can be set aside");
	ck_assert_int_eq(stat(fixture_file("shale/reserve"), &reserve), 0);
	ck_assert_int_gt(reserve.st_blocks * 512, index.st_size);
	/* Who needs it takes it, and it comes back with the next change. */
	ck_assert(reserve_release(fixture_store()));
	ck_assert(!reserve_release(fixture_store()));
	fixture_set_ref("localhost/app:2", &entry);
	ck_assert(reserve_release(fixture_store()));
	ck_assert_int_eq(symlink("/nowhere", fixture_file("shale/reserve")), 0);
	fixture_set_ref("localhost/app:3", &entry);
	ck_assert_int_eq(lstat(fixture_file("shale/reserve"), &reserve), 0);
	ck_assert(S_ISREG(reserve.st_mode));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("store/refs");
	TCase *tc = tcase_create("refs");

	tcase_add_checked_fixture(tc, fixture_make, fixture_remove);
	tcase_add_test(tc, refs_are_set_moved_and_removed);
	tcase_add_test(tc, several_refs_are_set_in_one_change);
	tcase_add_test(tc, a_ref_keeps_what_the_descriptor_says);
	tcase_add_test(tc, entries_of_other_tools_keep_all_that_they_say);
	tcase_add_test(tc, two_entries_of_one_name_become_one);
	tcase_add_test(tc, update_writes_only_when_it_is_told_to);
	tcase_add_loop_test(tc, a_damaged_index_is_refused_and_left_alone, 0,
			    ARRAY_LEN(bad_indexes));
	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_test(tc, writers_that_race_lose_nothing);
	tcase_add_test(tc, a_full_disk_leaves_the_index_as_it_was);
	tcase_add_test(tc, room_is_set_aside_for_the_next_index);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
