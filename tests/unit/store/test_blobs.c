/* SPDX-License-Identifier: Apache-2.0 */
#include "store/blobs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hasher.h"
#include "base/io.h"
#include "base/tmpfile.h"
#include "tests/unit/store/fixture.h"

enum { CHUNK = 1000, BIG = 300 * 1000 };

/* Gives `left` bytes of 'x' in small pieces, and then fails, when it shall. */
struct stream {
	uint64_t left;
	uint64_t given;
	bool fails;
};

static ssize_t read_stream(void *ctx, void *buf, size_t len, struct err *e)
{
	struct stream *st = ctx;
	size_t n = len < CHUNK ? len : CHUNK;

	if (n > st->left)
		n = (size_t)st->left;
	if (n == 0 && st->fails)
		return err_set(e, ERR_NET, "the line was cut");
	memset(buf, 'x', n);
	st->left -= n;
	st->given += n;
	return (ssize_t)n;
}

static struct digest digest_of_xs(size_t count, enum digest_alg alg)
{
	struct hasher h;

	hasher_init(&h, alg);
	for (size_t i = 0; i < count; i++)
		hasher_update(&h, "x", 1);
	return hasher_final(&h);
}

static int put(const struct digest *d, uint64_t size, struct stream *st, struct err *e)
{
	const struct blob_source src = {read_stream, st};

	return blobs_put(fixture_store(), fixture_lease(), d, size, &src, NULL, e);
}

static int count_blob(void *ctx, const struct digest *d, const char *name, const struct stat *st,
		      struct err *e)
{
	(void)name;
	(void)st;
	(void)e;
	*(int *)ctx += d ? 1 : 100;
	return 0;
}

static int count_blobs(void)
{
	struct err e = ERR_INIT;
	int count = 0;

	ck_assert_int_eq(blobs_visit(fixture_store(), count_blob, &count, &e), 0);
	return count;
}

static void check_content(const struct digest *d, size_t size)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str text = STR_INIT;

	ck_assert_int_eq(blobs_read(fixture_store(), d, size, size, &text, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(text.len, size);
	for (size_t i = 0; i < size; i++)
		ck_assert_int_eq(text.data[i], 'x');
}

START_TEST(what_is_put_can_be_read)
{
	const enum digest_alg alg = _i ? DIGEST_SHA512 : DIGEST_SHA256;
	const struct digest d = digest_of_xs(BIG, alg);
	struct stream st = {BIG, 0, false};
	struct err e = ERR_INIT;
	struct stat sb;

	ck_assert_int_eq(blobs_has(fixture_store(), fixture_lease(), &d, BIG, &e), 0);
	ck_assert_int_eq(put(&d, BIG, &st, &e), 0);
	ck_assert_int_eq(blobs_has(fixture_store(), fixture_lease(), &d, BIG, &e), 1);
	ck_assert_int_eq(blobs_has(fixture_store(), fixture_lease(), &d, BLOBS_ANY_SIZE, &e), 1);
	ck_assert_int_eq(blobs_has(fixture_store(), fixture_lease(), &d, BIG + 1, &e), 0);
	check_content(&d, BIG);
	ck_assert_int_eq(lstat(fixture_blob_file(&d), &sb), 0);
	ck_assert_uint_eq(sb.st_mode, S_IFREG | 0444);
	ck_assert_int_eq(count_blobs(), 1);
}
END_TEST

START_TEST(put_of_unknown_size_is_verified)
{
	const struct digest d = digest_of_xs(BIG, DIGEST_SHA256);
	struct stream st = {BIG, 0, false}, other = {BIG - 1, 0, false};
	struct err e = ERR_INIT;

	ck_assert_int_eq(put(&d, BLOBS_ANY_SIZE, &other, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "another digest");
	ck_assert_int_eq(put(&d, BLOBS_ANY_SIZE, &st, &e), 0);
	check_content(&d, BIG);
}
END_TEST

static const struct {
	uint64_t sent, announced;
	bool fails;
	enum err_code code;
	const char *text;
} refused[] = {
	{BIG + 1, BIG, false, ERR_DIGEST, "longer than 300000"},
	{UINT64_MAX, BIG, false, ERR_DIGEST, "longer than 300000"},
	{BIG - 1, BIG, false, ERR_DIGEST, "has 299999 bytes, not 300000"},
	{0, BIG, false, ERR_DIGEST, "has 0 bytes"},
	{BIG - 1, BIG - 1, false, ERR_DIGEST, "another digest"},
	{BIG / 2, BIG, true, ERR_NET, "the line was cut"},
};

START_TEST(put_refuses_and_leaves_nothing)
{
	const struct digest d = digest_of_xs(BIG, DIGEST_SHA256);
	struct stream st = {refused[_i].sent, 0, refused[_i].fails};
	struct err e = ERR_INIT;

	ck_assert_int_eq(put(&d, refused[_i].announced, &st, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "blob 'sha256:"));
	ck_assert_err(&e, refused[_i].code, refused[_i].text);
	ck_assert_int_eq(count_blobs(), 0);
	/* Whoever sends for ever is not read for ever. */
	ck_assert_uint_le(st.given, refused[_i].announced + CHUNK);
}
END_TEST

START_TEST(put_verifies_what_it_has_already)
{
	const struct digest d = digest_of_xs(BIG, DIGEST_SHA256);
	struct stream st = {BIG, 0, false}, again = {BIG, 0, false}, less = {BIG - 1, 0, false};
	struct stat before, after;
	struct err e = ERR_INIT;

	ck_assert_int_eq(put(&d, BIG, &st, &e), 0);
	ck_assert_int_eq(stat(fixture_blob_file(&d), &before), 0);
	ck_assert_int_eq(put(&d, BIG, &again, &e), 0);
	ck_assert_uint_eq(again.given, BIG);
	ck_assert_int_eq(stat(fixture_blob_file(&d), &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_int_eq(put(&d, BIG, &less, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "299999");
	check_content(&d, BIG);
}
END_TEST

START_TEST(a_blob_of_another_size_is_replaced)
{
	const struct digest d = digest_of_xs(BIG, DIGEST_SHA256);
	struct stream st = {BIG, 0, false}, again = {BIG, 0, false};
	struct err e = ERR_INIT;
	SCOPE(str) struct str text = STR_INIT;

	ck_assert_int_eq(put(&d, BIG, &st, &e), 0);
	fixture_cut(fixture_blob_file(&d), BIG - 1);
	ck_assert_int_eq(blobs_open(fixture_store(), &d, BIG, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "has 299999 bytes, not 300000");
	ck_assert_int_eq(blobs_read(fixture_store(), &d, BLOBS_ANY_SIZE, BIG, &text, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "another digest");
	ck_assert_uint_eq(text.len, 0);
	ck_assert_int_eq(put(&d, BIG, &again, &e), 0);
	check_content(&d, BIG);
	ck_assert_int_eq(count_blobs(), 1);
}
END_TEST

static const long places[] = {0, CHUNK - 1, CHUNK, BIG / 2, -1};

START_TEST(a_damaged_blob_is_replaced)
{
	const struct digest d = digest_of_xs(BIG, DIGEST_SHA256);
	struct stream st = {BIG, 0, false}, again = {BIG, 0, false}, wrong = {BIG, 0, true};
	struct err e = ERR_INIT;

	ck_assert_int_eq(put(&d, BIG, &st, &e), 0);
	fixture_flip(fixture_blob_file(&d), places[_i]);
	/* Not by what fails itself. */
	ck_assert_int_eq(put(&d, BIG, &wrong, &e), -1);
	ck_assert_err(&e, ERR_NET, "the line was cut");
	ck_assert_int_eq(put(&d, BIG, &again, &e), 0);
	check_content(&d, BIG);
	ck_assert_int_eq(count_blobs(), 1);
}
END_TEST

START_TEST(a_blob_with_more_behind_it_is_replaced)
{
	const struct digest d = digest_of_xs(BIG, DIGEST_SHA256);
	struct stream st = {BIG, 0, false}, again = {BIG, 0, false};
	struct err e = ERR_INIT;

	ck_assert_int_eq(put(&d, BIG, &st, &e), 0);
	fixture_cut(fixture_blob_file(&d), BIG + 1);
	ck_assert_int_eq(put(&d, BLOBS_ANY_SIZE, &again, &e), 0);
	check_content(&d, BIG);
}
END_TEST

START_TEST(publish_replaces_a_damaged_blob)
{
	struct err e = ERR_INIT;
	const struct digest d = fixture_put("content");
	struct stat before, after;

	fixture_flip(fixture_blob_file(&d), -1);
	for (int i = 0; i < 2; i++) {
		SCOPE(str) struct str text = STR_INIT;
		SCOPE_FD int fd = blobs_tmpfile(fixture_store(), &e);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(io_write_all(fd, "content", 7), 0);
		ck_assert_int_eq(stat(fixture_blob_file(&d), &before), 0);
		ck_assert_int_eq(blobs_publish(fixture_store(), fixture_lease(), fd, &d, &e), 0);
		ck_assert_int_eq(stat(fixture_blob_file(&d), &after), 0);
		ck_assert_int_eq(before.st_ino == after.st_ino, i);
		ck_assert_int_eq(blobs_read(fixture_store(), &d, 7, 7, &text, &e), 0);
		ck_assert_uint_eq(after.st_mode, S_IFREG | 0444);
	}
	ck_assert_int_eq(count_blobs(), 1);
}
END_TEST

START_TEST(a_link_in_the_place_of_a_blob_is_never_followed)
{
	const struct digest d = digest_of_xs(BIG, DIGEST_SHA256);
	struct stream st = {BIG, 0, false};
	struct err e = ERR_INIT;
	struct stat sb;

	scratch_write("elsewhere", "mine");
	char target[500];
	snprintf(target, sizeof(target), "%s", scratch_file("elsewhere"));
	ck_assert_int_eq(symlink(target, fixture_blob_file(&d)), 0);
	ck_assert_int_eq(blobs_open(fixture_store(), &d, BLOBS_ANY_SIZE, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "not a regular file");
	ck_assert_int_eq(blobs_has(fixture_store(), fixture_lease(), &d, BLOBS_ANY_SIZE, &e), 0);
	ck_assert_int_eq(put(&d, BIG, &st, &e), 0);
	check_content(&d, BIG);
	ck_assert_int_eq(stat(target, &sb), 0);
	ck_assert_int_eq(sb.st_size, 4);
}
END_TEST

START_TEST(open_does_not_hang_on_a_fifo)
{
	const struct digest d = digest_of_xs(1, DIGEST_SHA256);
	struct err e = ERR_INIT;

	ck_assert_int_eq(mkfifo(fixture_blob_file(&d), 0600), 0);
	ck_assert_int_eq(blobs_open(fixture_store(), &d, BLOBS_ANY_SIZE, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "not a regular file");
	ck_assert_int_eq(unlink(fixture_blob_file(&d)), 0);
	ck_assert_int_eq(blobs_open(fixture_store(), &d, BLOBS_ANY_SIZE, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "is not in the store");
}
END_TEST

START_TEST(read_keeps_to_its_limit)
{
	const struct digest d = fixture_put("0123456789");
	struct err e = ERR_INIT;
	SCOPE(str) struct str text = STR_INIT;

	ck_assert_int_eq(str_append_z(&text, "before ", &e), 0);
	ck_assert_int_eq(blobs_read(fixture_store(), &d, 10, 9, &text, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "more than 9");
	ck_assert_int_eq(blobs_read(fixture_store(), &d, BLOBS_ANY_SIZE, 9, &text, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "more than 9");
	ck_assert_int_eq(blobs_read(fixture_store(), &d, 10, 10, &text, &e), 0);
	ck_assert_str_eq(text.data, "before 0123456789");
	fixture_flip(fixture_blob_file(&d), 3);
	ck_assert_int_eq(blobs_read(fixture_store(), &d, 10, 10, &text, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "another digest");
	ck_assert_str_eq(text.data, "before 0123456789");
}
END_TEST

START_TEST(put_bytes_repairs)
{
	const struct digest d = fixture_put("0123456789");
	struct err e = ERR_INIT;
	SCOPE(str) struct str text = STR_INIT;

	fixture_flip(fixture_blob_file(&d), 3);
	const struct digest again = fixture_put("0123456789");
	ck_assert(digest_equal(&d, &again));
	ck_assert_int_eq(blobs_read(fixture_store(), &d, 10, 10, &text, &e), 0);
	ck_assert_int_eq(count_blobs(), 1);
}
END_TEST

START_TEST(empty_content_is_a_blob)
{
	const struct digest d = fixture_put("");
	struct err e = ERR_INIT;
	SCOPE(str) struct str text = STR_INIT;
	struct stream st = {0, 0, false};

	ck_assert_int_eq(blobs_read(fixture_store(), &d, 0, 0, &text, &e), 0);
	ck_assert_uint_eq(text.len, 0);
	ck_assert_int_eq(put(&d, 0, &st, &e), 0);
}
END_TEST

START_TEST(publish_leases_and_takes_what_is_there)
{
	struct err e = ERR_INIT;
	const struct digest d = hasher_sha256("content", 7);

	for (int i = 0; i < 2; i++) {
		SCOPE_FD int fd = blobs_tmpfile(fixture_store(), &e);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(io_write_all(fd, "content", 7), 0);
		ck_assert_int_eq(blobs_publish(fixture_store(), fixture_lease(), fd, &d, &e), 0);
		ck_assert(fixture_has(&d));
	}
	ck_assert_int_eq(count_blobs(), 1);
}
END_TEST

START_TEST(a_full_disk_leaves_the_store_as_it_was)
{
	const struct digest d = digest_of_xs(BIG, DIGEST_SHA256);
	struct stream st = {BIG, 0, false}, again = {BIG, 0, false};
	struct err e = ERR_INIT;
	struct rlimit before;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	const struct rlimit small = {BIG / 2, before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	const int r = put(&d, BIG, &st, &e);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(r, -1);
	ck_assert_err(&e, ERR_SYS, "cannot write");
	ck_assert_int_eq(count_blobs(), 0);
	ck_assert_int_eq(put(&d, BIG, &again, &e), 0);
	check_content(&d, BIG);
}
END_TEST

START_TEST(visit_tells_names_that_are_no_digest)
{
	(void)fixture_put("a");
	(void)fixture_put("b");
	scratch_write("store/blobs/sha256/readme", "");
	/* A name of sha512 is none among sha256. */
	const struct digest d = {DIGEST_SHA512, {0}};
	char hex[DIGEST_HEX_MAX], path[300];
	snprintf(path, sizeof(path), "store/blobs/sha256/%s", digest_hex(&d, hex));
	scratch_write(path, "");
	ck_assert_int_eq(count_blobs(), 202);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("store/blobs");
	TCase *tc = tcase_create("blobs");

	tcase_add_checked_fixture(tc, fixture_make_leased, fixture_remove_leased);
	tcase_add_loop_test(tc, what_is_put_can_be_read, 0, 2);
	tcase_add_test(tc, put_of_unknown_size_is_verified);
	tcase_add_loop_test(tc, put_refuses_and_leaves_nothing, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, put_verifies_what_it_has_already);
	tcase_add_test(tc, a_blob_of_another_size_is_replaced);
	tcase_add_loop_test(tc, a_damaged_blob_is_replaced, 0, ARRAY_LEN(places));
	tcase_add_test(tc, a_blob_with_more_behind_it_is_replaced);
	tcase_add_test(tc, publish_replaces_a_damaged_blob);
	tcase_add_test(tc, a_link_in_the_place_of_a_blob_is_never_followed);
	tcase_add_test(tc, open_does_not_hang_on_a_fifo);
	tcase_add_test(tc, read_keeps_to_its_limit);
	tcase_add_test(tc, put_bytes_repairs);
	tcase_add_test(tc, empty_content_is_a_blob);
	tcase_add_test(tc, publish_leases_and_takes_what_is_there);
	tcase_add_test(tc, a_full_disk_leaves_the_store_as_it_was);
	tcase_add_test(tc, visit_tells_names_that_are_no_digest);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
