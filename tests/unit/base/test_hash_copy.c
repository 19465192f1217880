/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash_copy.h"

#include <errno.h>

#include "base/array.h"
#include "base/hasher.h"
#include "base/str.h"
#include "main.h"
#include "tests/support/failalloc.h"

enum { MIB = 1024 * 1024 };

/* A source of `size` bytes, which gives at most `step` at a time, and fails at `fail_at`. */
struct source {
	uint64_t size, at, step, fail_at;
};

struct sink {
	struct str got;
	uint64_t fail_at;
};

static uint8_t byte_at(uint64_t at)
{
	return (uint8_t)(at * 31 + at / 251);
}

static ssize_t give(void *from, void *buf, size_t len, struct err *e)
{
	struct source *s = from;
	size_t n = len < s->step ? len : (size_t)s->step;

	if (s->at >= s->fail_at)
		return err_sys(e, EIO, "cannot read");
	n = n < s->size - s->at ? n : (size_t)(s->size - s->at);
	for (size_t i = 0; i < n; i++)
		((uint8_t *)buf)[i] = byte_at(s->at + i);
	s->at += n;
	return (ssize_t)n;
}

static int take(void *to, const void *bytes, size_t len, struct err *e)
{
	struct sink *s = to;

	if (s->got.len + len > s->fail_at)
		return err_sys(e, ENOSPC, "cannot write");
	return str_append(&s->got, bytes, len, e);
}

static struct digest digest_of(uint64_t size, enum digest_alg alg)
{
	struct hasher h;

	hasher_init(&h, alg);
	for (uint64_t at = 0; at < size; at++) {
		const uint8_t b = byte_at(at);
		hasher_update(&h, &b, 1);
	}
	return hasher_final(&h);
}

static const struct {
	uint64_t size, step;
	enum digest_alg alg;
} sizes[] = {
	{0, 1000, DIGEST_SHA256},
	{1, 1000, DIGEST_SHA256},
	{256 * 1024, MIB, DIGEST_SHA256},
	{256 * 1024 + 1, MIB, DIGEST_SHA256},
	{3 * MIB + 17, 100000, DIGEST_SHA256},
	{2 * MIB, 7777, DIGEST_SHA512},
};

START_TEST(copies_what_has_the_digest)
{
	struct source from = {sizes[_i].size, 0, sizes[_i].step, UINT64_MAX};
	struct sink to = {STR_INIT, UINT64_MAX};
	const struct hash_copy c = {give, &from, take, &to, NULL};
	const struct digest want = digest_of(from.size, sizes[_i].alg);
	struct err e = ERR_INIT;

	ck_assert_int_eq(hash_copy(&c, from.size, &want, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(to.got.len, from.size);
	size_t wrong = 0;
	for (size_t i = 0; i < to.got.len; i++)
		wrong += (uint8_t)to.got.data[i] != byte_at(i);
	ck_assert_uint_eq(wrong, 0);
	str_fini(&to.got);
}
END_TEST

START_TEST(refuses_other_content)
{
	struct source from = {MIB, 0, MIB, UINT64_MAX};
	struct sink to = {STR_INIT, UINT64_MAX};
	const struct hash_copy c = {give, &from, take, &to, NULL};
	struct digest want = digest_of(MIB, DIGEST_SHA256);
	struct err e = ERR_INIT;

	want.raw[31] ^= 1;
	ck_assert_int_eq(hash_copy(&c, MIB, &want, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "the content has another digest");
	str_fini(&to.got);
}
END_TEST

START_TEST(refuses_another_size)
{
	struct source from = {MIB, 0, MIB, UINT64_MAX};
	struct sink to = {STR_INIT, UINT64_MAX};
	const struct hash_copy c = {give, &from, take, &to, NULL};
	const struct digest want = digest_of(MIB, DIGEST_SHA256);
	struct err e = ERR_INIT;

	ck_assert_int_eq(hash_copy(&c, MIB + 1, &want, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "has 1048576 bytes, not 1048577");
	from.at = 0;
	str_truncate(&to.got, 0);
	ck_assert_int_eq(hash_copy(&c, MIB - 1, &want, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "is longer than 1048575 bytes");
	/* Nothing of what is too much was written. */
	ck_assert_uint_lt(to.got.len, MIB);
	str_fini(&to.got);
}
END_TEST

START_TEST(passes_failures_on)
{
	struct source from = {3 * MIB, 0, 100000, MIB};
	struct sink to = {STR_INIT, UINT64_MAX};
	const struct hash_copy c = {give, &from, take, &to, NULL};
	const struct digest want = digest_of(3 * MIB, DIGEST_SHA256);
	struct err e = ERR_INIT;

	ck_assert_int_eq(hash_copy(&c, 3 * MIB, &want, &e), -1);
	ck_assert_int_eq(e.sys, EIO);
	ck_assert_err(&e, ERR_SYS, "cannot read");
	from = (struct source){3 * MIB, 0, 100000, UINT64_MAX};
	str_truncate(&to.got, 0);
	to.fail_at = 2 * MIB;
	ck_assert_int_eq(hash_copy(&c, 3 * MIB, &want, &e), -1);
	ck_assert_int_eq(e.sys, ENOSPC);
	ck_assert_err(&e, ERR_SYS, "cannot write");
	str_fini(&to.got);
}
END_TEST

static uint64_t shown;

static void count(struct progress *p, bool at_once)
{
	(void)at_once;
	shown = p->phase.done;
}

START_TEST(counts_what_it_wrote)
{
	struct progress progress = {.show = count};
	struct source from = {MIB + 5, 0, MIB, UINT64_MAX};
	struct sink to = {STR_INIT, UINT64_MAX};
	const struct hash_copy c = {give, &from, take, &to, &progress};
	const struct digest want = digest_of(from.size, DIGEST_SHA256);
	struct err e = ERR_INIT;

	progress_begin(&progress, "copying", from.size);
	ck_assert_int_eq(hash_copy(&c, from.size, &want, &e), 0);
	ck_assert_uint_eq(shown, MIB + 5);
	str_fini(&to.got);
}
END_TEST

static int copy_once(void *arg, struct err *e)
{
	struct source from = {600 * 1024, 0, MIB, UINT64_MAX};
	struct sink to = {STR_INIT, UINT64_MAX};
	const struct hash_copy c = {give, &from, take, &to, NULL};
	const int r = hash_copy(&c, from.size, arg, e);

	str_fini(&to.got);
	return r;
}

START_TEST(survives_without_memory)
{
	struct digest want = digest_of(600 * 1024, DIGEST_SHA256);

	failalloc_each(copy_once, &want);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("base/hash_copy");
	TCase *tc = tcase_create("hash_copy");

	tcase_add_loop_test(tc, copies_what_has_the_digest, 0, (int)ARRAY_LEN(sizes));
	tcase_add_test(tc, refuses_other_content);
	tcase_add_test(tc, refuses_another_size);
	tcase_add_test(tc, passes_failures_on);
	tcase_add_test(tc, counts_what_it_wrote);
	tcase_add_test(tc, survives_without_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
