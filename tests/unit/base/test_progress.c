/* SPDX-License-Identifier: Apache-2.0 */
#include "base/progress.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "main.h"

#define MIB (UINT64_C(1) << 20)

static const struct {
	const char *text;
	struct progress_phase phase;
	uint64_t now_ms;
	unsigned columns;
} lines[] = {
	{"", {.what = NULL}, 0, 80},
	{"writing to disk", {.what = "writing to disk"}, 5000, 80},
	{"packing  a/b", {.what = "packing", .name = "a/b"}, 5000, 80},
	/* A total, a share, a rate over the whole phase. */
	{"packing  50.0 MiB of 200.0 MiB, 25%, 25.0 MiB/s",
	 {.what = "packing", .done = 50 * MIB, .total = 200 * MIB, .began_ms = 1000},
	 3000,
	 80},
	{"packing  200.0 MiB of 200.0 MiB, 100%, 100.0 MiB/s  usr/lib/x",
	 {.what = "packing",
	  .done = 200 * MIB,
	  .total = 200 * MIB,
	  .began_ms = 1000,
	  .name = "usr/lib/x"},
	 3000,
	 80},
	{"checking a layer 2/5  1.0 MiB, 1.0 MiB/s",
	 {.what = "checking a layer", .done = MIB, .part = 2, .parts = 5},
	 1000,
	 80},
	{"checking a layer  1.0 MiB, 1.0 MiB/s",
	 {.what = "checking a layer", .done = MIB, .part = 1, .parts = 1},
	 1000,
	 80},
	/* Not known, or more than was thought. */
	{"packing  3 B, 3 B/s", {.what = "packing", .done = 3}, 1000, 80},
	{"packing  3 B, 3 B/s", {.what = "packing", .done = 3, .total = 2}, 1000, 80},
	/* Too early for a rate, and a clock that stands. */
	{"packing  3 B of 4 B, 75%", {.what = "packing", .done = 3, .total = 4}, 99, 80},
	{"packing  3 B", {.what = "packing", .done = 3, .began_ms = 9}, 9, 80},
	/* 2^64 - 1 bytes in a day. */
	{"packing  16.0 EiB of 16.0 EiB, 100%, 194.2 TiB/s",
	 {.what = "packing", .done = UINT64_MAX, .total = UINT64_MAX},
	 86400000,
	 80},
	/* The name is cut first, at its beginning, then left out; then the figures are cut. */
	{"packing  3 B, 3 B/s  ...jklmnopqrstuvwxyz",
	 {.what = "packing", .done = 3, .name = "abcdefghijklmnopqrstuvwxyz"},
	 1000,
	 42},
	{"packing  3 B, 3 B/s  abcdefghijklmnopqrstuvwxyz",
	 {.what = "packing", .done = 3, .name = "abcdefghijklmnopqrstuvwxyz"},
	 1000,
	 48},
	{"packing  3 B, 3 B/s  ...rstuvwxyz",
	 {.what = "packing", .done = 3, .name = "abcdefghijklmnopqrstuvwxyz"},
	 1000,
	 34},
	{"packing  3 B, 3 B/s",
	 {.what = "packing", .done = 3, .name = "abcdefghijklmnopqrstuvwxyz"},
	 1000,
	 33},
	{"packing  3 B, 3 B/s", {.what = "packing", .done = 3, .name = "x"}, 1000, 21},
	{"packing  3 ", {.what = "packing", .done = 3}, 1000, 12},
	{"", {.what = "packing"}, 0, 1},
	{"", {.what = "packing"}, 0, 0},
	/* What is no text is escaped. */
	{"packing  a\\nb\\x1b[2J\\xff", {.what = "packing", .name = "a\nb\033[2J\xff"}, 0, 80},
	/* Two cells each, one, and none of them cut in the middle. */
	{"packing  ...\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2",
	 {.what = "packing",
	  .name = "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2"
		  "\xe6\xbc\xa2"},
	 0,
	 22},
	{"packing  \xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	 "\xc3\xa9\xc3\xa9",
	 {.what = "packing",
	  .name = "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		  "\xc3\xa9\xc3\xa9"},
	 0,
	 22},
};

START_TEST(formats)
{
	char buf[PROGRESS_LINE_MAX];

	ck_assert_ptr_eq(
		progress_format(buf, &lines[_i].phase, lines[_i].now_ms, lines[_i].columns), buf);
	ck_assert_str_eq(buf, lines[_i].text);
}
END_TEST

/* A name of the longest kind, all of it escaped, on terminals of any width. */
START_TEST(fits_any_width)
{
	struct progress_phase phase = {
		.what = "packing", .done = 3, .total = UINT64_MAX, .part = 1, .parts = 2};
	char buf[PROGRESS_LINE_MAX];

	memset(phase.name, '\001', sizeof(phase.name) - 1);
	for (unsigned columns = 0; columns < 2000; columns++) {
		progress_format(buf, &phase, 1000, columns);
		ck_assert_uint_le(strlen(buf), columns ? columns - 1 : 0);
	}
	progress_format(buf, &phase, 1000, UINT32_MAX);
	ck_assert_uint_lt(strlen(buf), PROGRESS_LINE_MAX);
}
END_TEST

struct watcher {
	struct progress progress;
	unsigned calls, at_once;
};

static void watch(struct progress *p, bool at_once)
{
	struct watcher *w = (struct watcher *)p;

	w->calls++;
	w->at_once += at_once;
}

START_TEST(counts_a_phase_from_its_begin)
{
	struct watcher w = {.progress = {.show = watch}};
	struct progress *p = &w.progress;

	progress_part(p, 2, 3);
	progress_begin(p, "one", 10);
	progress_name(p, "file");
	progress_add(p, 3);
	progress_add(p, 4);
	ck_assert_str_eq(p->phase.what, "one");
	ck_assert_str_eq(p->phase.name, "file");
	ck_assert_uint_eq(p->phase.done, 7);
	ck_assert_uint_eq(p->phase.total, 10);
	ck_assert_uint_eq(w.calls, 4);
	progress_begin(p, "two", 0);
	ck_assert_str_eq(p->phase.what, "two");
	ck_assert_str_eq(p->phase.name, "");
	ck_assert_uint_eq(p->phase.done, 0);
	ck_assert_uint_eq(p->phase.total, 0);
	ck_assert_uint_eq(p->phase.part, 2);
	ck_assert_uint_eq(w.at_once, 0);
}
END_TEST

START_TEST(shows_what_follows_a_long_phase_at_once)
{
	struct watcher w = {.progress = {.show = watch}};
	struct progress *p = &w.progress;

	progress_begin(p, "one", 0);
	ck_assert_uint_eq(w.at_once, 0);
	p->phase.began_ms -= PROGRESS_INTERVAL_MS;
	progress_begin(p, "two", 0);
	ck_assert_uint_eq(w.at_once, 1);
}
END_TEST

START_TEST(keeps_the_end_of_a_long_name)
{
	struct watcher w = {.progress = {.show = watch}};
	struct progress *p = &w.progress;
	char name[2 * PROGRESS_NAME_MAX];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	name[sizeof(name) - 2] = 'e';
	progress_name(p, name);
	ck_assert_uint_eq(strlen(p->phase.name), PROGRESS_NAME_MAX - 1);
	ck_assert_str_eq(p->phase.name, name + sizeof(name) - PROGRESS_NAME_MAX);
	/* The cut would be behind the first byte of a letter of two. */
	name[sizeof(name) - PROGRESS_NAME_MAX - 1] = '\xc3';
	name[sizeof(name) - PROGRESS_NAME_MAX] = '\xa9';
	progress_name(p, name);
	ck_assert_str_eq(p->phase.name, name + sizeof(name) - PROGRESS_NAME_MAX + 1);
}
END_TEST

START_TEST(nobody_needs_to_look)
{
	struct progress p = {.show = NULL};

	progress_begin(NULL, "one", 0);
	progress_name(NULL, "x");
	progress_part(NULL, 1, 2);
	progress_add(NULL, 1);
	progress_begin(&p, "one", 0);
	progress_name(&p, "x");
	progress_add(&p, 1);
	ck_assert_uint_eq(p.phase.done, 0);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("base/progress");
	TCase *line = tcase_create("line");
	TCase *phase = tcase_create("phase");

	tcase_add_loop_test(line, formats, 0, ARRAY_LEN(lines));
	tcase_add_test(line, fits_any_width);
	suite_add_tcase(s, line);
	tcase_add_test(phase, counts_a_phase_from_its_begin);
	tcase_add_test(phase, shows_what_follows_a_long_phase_at_once);
	tcase_add_test(phase, keeps_the_end_of_a_long_name);
	tcase_add_test(phase, nobody_needs_to_look);
	suite_add_tcase(s, phase);
	return s;
}

UNIT_MAIN(suite_new)
