/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/io.h"
#include "main.h"
#include "tests/support/scratch.h"

enum { PAGE = 4096, PAGES = 16, SIZE = PAGES * PAGE, THREADS = 4 };

/* A file of PAGES pages, each full of its number plus one. */
static int make_file(const char *name)
{
	uint8_t page[PAGE];
	const int fd = open(scratch_file(name), O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	for (int i = 0; i < PAGES; i++) {
		memset(page, i + 1, sizeof(page));
		ck_assert_int_eq(io_write_all(fd, page, sizeof(page)), 0);
	}
	return fd;
}

/* Copies one page out, as users of a mapping do. */
static void copy_page(const struct mapping *m, int number, uint8_t page[static PAGE])
{
	memcpy(page, m->data + (size_t)number * PAGE, PAGE);
}

static void check_page(const uint8_t *page, int value)
{
	for (int i = 0; i < PAGE; i++)
		ck_assert_int_eq(page[i], value);
}

START_TEST(reads_what_the_file_holds)
{
	struct err e = ERR_INIT;
	struct mapping m = MAPPING_INIT;
	uint8_t page[PAGE];
	const int fd = make_file("f");

	ck_assert_int_eq(mapping_init(&m, fd, SIZE, &e), 0);
	close(fd);
	ck_assert_uint_eq(m.size, SIZE);
	for (int i = 0; i < PAGES; i++) {
		copy_page(&m, i, page);
		check_page(page, i + 1);
	}
	ck_assert(!mapping_is_damaged(&m));
	uint8_t *was = (uint8_t *)(uintptr_t)m.data;
	mapping_fini(&m);
	/* msync(2): ENOMEM where nothing is mapped. */
	ck_assert_int_eq(msync(was, SIZE, MS_ASYNC), -1);
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_ptr_null(m.data);
	ck_assert_int_eq(m.slot, -1);
	mapping_fini(&m);
}
END_TEST

START_TEST(a_prefetch_is_a_hint)
{
	struct err e = ERR_INIT;
	struct mapping m = MAPPING_INIT;
	uint8_t page[PAGE];
	const int fd = make_file("f");

	mapping_prefetch(&m, 0, PAGE);
	ck_assert_int_eq(mapping_init(&m, fd, SIZE, &e), 0);
	mapping_prefetch(&m, 0, SIZE);
	mapping_prefetch(&m, PAGE + 1, 1);
	mapping_prefetch(&m, SIZE - 1, SIZE);
	mapping_prefetch(&m, SIZE, 1);
	mapping_prefetch(&m, UINT64_MAX, SIZE_MAX);
	ck_assert_int_eq(ftruncate(fd, PAGE), 0);
	mapping_prefetch(&m, 0, SIZE);
	close(fd);
	copy_page(&m, 0, page);
	check_page(page, 1);
	mapping_fini(&m);
}
END_TEST

/* Pages of the mapping that are in the page cache. */
static int count_resident(const struct mapping *m)
{
	unsigned char resident[PAGES];
	int count = 0;

	ck_assert_int_eq(mincore((void *)(uintptr_t)m->data, m->size, resident), 0);
	for (int i = 0; i < PAGES; i++)
		count += resident[i] & 1;
	return count;
}

START_TEST(a_touch_reads_no_neighbours)
{
	struct err e = ERR_INIT;
	struct mapping m = MAPPING_INIT;
	uint8_t page[PAGE];
	SCOPE_FD int fd = make_file("f");

	ck_assert_int_eq(fsync(fd), 0);
	ck_assert_int_eq(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	ck_assert_int_eq(mapping_init(&m, fd, SIZE, &e), 0);
	/* Files of a tmpfs are nowhere but in the page cache. */
	if (count_resident(&m) == 0) {
		copy_page(&m, 5, page);
		check_page(page, 6);
		ck_assert_int_eq(count_resident(&m), 1);
		mapping_prefetch(&m, (uint64_t)8 * PAGE, (size_t)4 * PAGE);
		for (int i = 8; i < 12; i++) {
			copy_page(&m, i, page);
			check_page(page, i + 1);
		}
		ck_assert_int_eq(count_resident(&m), 5);
	}
	mapping_fini(&m);
}
END_TEST

START_TEST(a_cut_file_gives_zeros_and_damage)
{
	struct err e = ERR_INIT;
	struct mapping m = MAPPING_INIT, other = MAPPING_INIT;
	uint8_t page[PAGE];
	SCOPE_FD int fd = make_file("f");
	SCOPE_FD int other_fd = make_file("other");

	ck_assert_int_eq(mapping_init(&other, other_fd, SIZE, &e), 0);
	ck_assert_int_eq(mapping_init(&m, fd, SIZE, &e), 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)5 * PAGE), 0);
	copy_page(&m, 4, page);
	check_page(page, 5);
	copy_page(&m, 9, page);
	check_page(page, 0);
	ck_assert(mapping_is_damaged(&m));
	for (int i = 5; i < PAGES; i++) {
		copy_page(&m, i, page);
		check_page(page, 0);
	}
	copy_page(&m, 0, page);
	check_page(page, 1);
	ck_assert(mapping_is_damaged(&m));
	/* Only the one that was hit. */
	copy_page(&other, 9, page);
	check_page(page, 10);
	ck_assert(!mapping_is_damaged(&other));
	mapping_fini(&other);
	mapping_fini(&m);
}
END_TEST

START_TEST(a_cut_inside_the_last_page_is_damage)
{
	struct err e = ERR_INIT;
	struct mapping m = MAPPING_INIT;
	SCOPE_FD int fd = make_file("f");

	ck_assert_int_eq(mapping_init(&m, fd, SIZE, &e), 0);
	ck_assert(!mapping_is_damaged(&m));
	ck_assert_int_eq(ftruncate(fd, SIZE - 1), 0);
	ck_assert(mapping_is_damaged(&m));
	mapping_fini(&m);
}
END_TEST

START_TEST(a_range_beyond_the_file_is_damage)
{
	struct err e = ERR_INIT;
	struct mapping m = MAPPING_INIT;
	uint8_t page[PAGE];
	SCOPE_FD int fd = make_file("f");

	ck_assert_int_eq(mapping_init(&m, fd, SIZE + PAGE, &e), 0);
	copy_page(&m, PAGES, page);
	check_page(page, 0);
	ck_assert(mapping_is_damaged(&m));
	mapping_fini(&m);
}
END_TEST

START_TEST(a_slot_is_used_again_without_its_damage)
{
	struct err e = ERR_INIT;
	struct mapping m = MAPPING_INIT;
	uint8_t page[PAGE];
	SCOPE_FD int fd = make_file("f");

	for (int i = 0; i < 2 * MAPPING_COUNT_MAX; i++) {
		ck_assert_int_eq(ftruncate(fd, SIZE), 0);
		ck_assert_int_eq(mapping_init(&m, fd, SIZE, &e), 0);
		ck_assert(!mapping_is_damaged(&m));
		ck_assert_int_eq(ftruncate(fd, SIZE - PAGE), 0);
		copy_page(&m, PAGES - 1, page);
		check_page(page, 0);
		/* The signal's mark stays, whatever the file's size is later. */
		ck_assert_int_eq(ftruncate(fd, SIZE), 0);
		ck_assert(mapping_is_damaged(&m));
		mapping_fini(&m);
	}
}
END_TEST

START_TEST(no_more_than_the_table_holds)
{
	struct err e = ERR_INIT;
	struct mapping m[MAPPING_COUNT_MAX + 1];
	uint8_t page[PAGE];
	SCOPE_FD int fd = make_file("f");

	for (int i = 0; i < MAPPING_COUNT_MAX; i++)
		ck_assert_int_eq(mapping_init(&m[i], fd, SIZE, &e), 0);
	ck_assert_int_eq(mapping_init(&m[MAPPING_COUNT_MAX], fd, SIZE, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "mapped");
	ck_assert_int_eq(m[MAPPING_COUNT_MAX].slot, -1);
	mapping_fini(&m[MAPPING_COUNT_MAX]);
	mapping_fini(&m[7]);
	ck_assert_int_eq(mapping_init(&m[7], fd, SIZE, &e), 0);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	copy_page(&m[MAPPING_COUNT_MAX - 1], 3, page);
	check_page(page, 0);
	ck_assert_int_eq(ftruncate(fd, SIZE), 0);
	ck_assert(mapping_is_damaged(&m[MAPPING_COUNT_MAX - 1]));
	ck_assert(!mapping_is_damaged(&m[7]));
	for (int i = 0; i < MAPPING_COUNT_MAX; i++)
		mapping_fini(&m[i]);
}
END_TEST

START_TEST(nothing_and_errors)
{
	struct err e = ERR_INIT;
	struct mapping m = MAPPING_INIT;
	SCOPE_FD int fd = make_file("f");

	ck_assert_int_eq(mapping_init(&m, fd, 0, &e), 0);
	ck_assert_uint_eq(m.size, 0);
	ck_assert(!mapping_is_damaged(&m));
	mapping_fini(&m);
	/* More often than there are slots: a failure gives its slot back. */
	for (int i = 0; i < 2 * MAPPING_COUNT_MAX; i++) {
		ck_assert_int_eq(mapping_init(&m, scratch_fd(), PAGE, &e), -1);
		ck_assert_int_eq(e.sys, ENODEV);
		ck_assert_err(&e, ERR_SYS, "cannot map");
	}
	ck_assert_int_eq(m.slot, -1);
}
END_TEST

struct reader {
	const struct mapping *m;
	int first;
	bool right;
};

static void *read_pages(void *arg)
{
	struct reader *r = arg;
	uint8_t page[PAGE];

	r->right = true;
	for (int round = 0; round < 2000; round++) {
		const int number = (r->first + round) % PAGES;
		copy_page(r->m, number, page);
		const bool whole = page[0] == number + 1 && page[PAGE - 1] == number + 1;
		if (!whole && !mapping_is_damaged(r->m))
			r->right = false;
	}
	return NULL;
}

/* Makes and drops mappings all the time, so that the table changes under the handler. */
static void *churn(void *arg)
{
	const int fd = *(const int *)arg;

	for (int i = 0; i < 2000; i++) {
		struct err e = ERR_INIT;
		struct mapping m;
		if (mapping_init(&m, fd, SIZE, &e) < 0)
			abort();
		mapping_fini(&m);
	}
	return NULL;
}

START_TEST(threads_never_see_zeros_without_damage)
{
	struct err e = ERR_INIT;
	struct reader readers[THREADS];
	pthread_t threads[THREADS], churner;
	SCOPE_FD int other = make_file("other");

	ck_assert_int_eq(pthread_create(&churner, NULL, churn, &other), 0);
	for (int round = 0; round < 10; round++) {
		struct mapping m = MAPPING_INIT;
		uint8_t page[PAGE];
		SCOPE_FD int fd = make_file("f");

		ck_assert_int_eq(mapping_init(&m, fd, SIZE, &e), 0);
		for (int i = 0; i < THREADS; i++) {
			readers[i] = (struct reader){&m, i * 3, false};
			ck_assert_int_eq(pthread_create(&threads[i], NULL, read_pages, &readers[i]),
					 0);
		}
		ck_assert_int_eq(ftruncate(fd, (off_t)(PAGES - 1 - round) * PAGE), 0);
		for (int i = 0; i < THREADS; i++) {
			pthread_join(threads[i], NULL);
			ck_assert(readers[i].right);
		}
		/* The readers may have been done before the cut. */
		copy_page(&m, PAGES - 1, page);
		check_page(page, 0);
		ck_assert(mapping_is_damaged(&m));
		mapping_fini(&m);
		ck_assert_int_eq(unlink(scratch_file("f")), 0);
	}
	pthread_join(churner, NULL);
}
END_TEST

static void no_core(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
}

START_TEST(an_access_elsewhere_kills)
{
	struct err e = ERR_INIT;
	struct mapping m = MAPPING_INIT;
	SCOPE_FD int fd = make_file("f");

	no_core();
	ck_assert_int_eq(mapping_init(&m, fd, SIZE, &e), 0);
	const volatile uint8_t *foreign = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	scratch_remove();
	ck_assert_int_eq(foreign[PAGE], 0);
}
END_TEST

START_TEST(an_access_where_a_mapping_was_kills)
{
	struct err e = ERR_INIT;
	struct mapping m = MAPPING_INIT;
	SCOPE_FD int fd = make_file("f");

	no_core();
	ck_assert_int_eq(mapping_init(&m, fd, SIZE, &e), 0);
	void *was = (void *)(uintptr_t)m.data;
	mapping_fini(&m);
	const volatile uint8_t *foreign =
		mmap(was, SIZE, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	ck_assert_ptr_eq((const void *)(uintptr_t)foreign, was);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	scratch_remove();
	ck_assert_int_eq(foreign[PAGE], 0);
}
END_TEST

START_TEST(a_sent_signal_kills)
{
	struct err e = ERR_INIT;
	struct mapping m = MAPPING_INIT;
	SCOPE_FD int fd = make_file("f");

	no_core();
	ck_assert_int_eq(mapping_init(&m, fd, SIZE, &e), 0);
	scratch_remove();
	kill(getpid(), SIGBUS);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/mapping");
	TCase *tc = tcase_create("mapping");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, reads_what_the_file_holds);
	tcase_add_test(tc, a_prefetch_is_a_hint);
	tcase_add_test(tc, a_touch_reads_no_neighbours);
	tcase_add_test(tc, a_cut_file_gives_zeros_and_damage);
	tcase_add_test(tc, a_cut_inside_the_last_page_is_damage);
	tcase_add_test(tc, a_range_beyond_the_file_is_damage);
	tcase_add_test(tc, a_slot_is_used_again_without_its_damage);
	tcase_add_test(tc, no_more_than_the_table_holds);
	tcase_add_test(tc, nothing_and_errors);
	tcase_add_test(tc, threads_never_see_zeros_without_damage);
	suite_add_tcase(suite, tc);
	tc = tcase_create("other signals");
	tcase_add_checked_fixture(tc, scratch_make, NULL);
	tcase_add_test_raise_signal(tc, an_access_elsewhere_kills, SIGBUS);
	tcase_add_test_raise_signal(tc, an_access_where_a_mapping_was_kills, SIGBUS);
	tcase_add_test_raise_signal(tc, a_sent_signal_kills, SIGBUS);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
