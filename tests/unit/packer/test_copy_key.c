/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/copy_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "main.h"
#include "packer/stages.h"

enum { EPOCH = 1000, LEVEL = 3 };

/* A COPY of "dir" of the context to "/d". */
struct recipe {
	char *chown;
	bool has_text;
	char *text;
	bool is_unpacked;
	int64_t epoch;
	int level;
	bool is_gzip;
};

static struct copy_list *list(const struct stage *st, const struct context *c,
			      const struct recipe *r)
{
	char dest[] = "/d/", name[] = "name";
	struct plan_text text = {.name = name, .text = r->text};
	struct plan_copy copy = {
		.dest = dest,
		.is_dest_dir = true,
		.chown = r->chown,
		.texts = &text,
		.text_count = r->text != NULL,
		.is_unpacked = r->is_unpacked,
	};
	struct err e = ERR_INIT;

	strlist_add(&copy.sources, "dir", &e);
	struct copy_list *l = copy_list_new(c, st, NULL, &copy, &e);
	ck_assert_no_err(&e);
	strlist_fini(&copy.sources);
	return l;
}

/* The key of a list that is made now, or no digest for one that does not last. */
static struct digest key_of(const struct stage *st, const struct recipe *r)
{
	SCOPE(context) struct context *c = stages_context();
	SCOPE(copy_list) struct copy_list *l = list(st, c, r);
	const struct compression compression = {r->is_gzip ? FRAME_GZIP : FRAME_ZSTD,
						r->level ? r->level : LEVEL};
	const struct digest key = copy_key(l, r->epoch ? r->epoch : EPOCH, &compression);

	return copy_key_lasts(l, c) ? key : (struct digest){.alg = DIGEST_NONE};
}

static void setup(void)
{
	stages_setup();
	stages_dir("dir");
	stages_write("dir/a", "a");
	stages_write("dir/b", "b");
	stages_symlink("a", "dir/link");
}

/* Whether this file system keeps times that a key can rely on. */
static bool has_keys(const struct stage *st)
{
	static const struct recipe r = {.level = LEVEL};
	const struct digest key = key_of(st, &r);

	return key.alg != DIGEST_NONE;
}

START_TEST(the_same_list_has_the_same_key)
{
	static const struct recipe r = {.level = LEVEL};
	const struct stage *st = stages_new(NULL);

	if (!has_keys(st))
		SKIP_TEST("the file system here has no honest times");
	const struct digest one = key_of(st, &r), two = key_of(st, &r);
	ck_assert(digest_equal(&one, &two));
}
END_TEST

/* Changes of the context; each must change the key. */
static void rewrite(void)
{
	stages_write("dir/a", "x");
}

static void touch(void)
{
	const struct timespec times[2] = {{.tv_sec = 5}, {.tv_sec = 5}};

	ck_assert_int_eq(utimensat(scratch_fd(), "context/dir/a", times, 0), 0);
}

/* The mtime is put back; the ctime tells. */
static void rewrite_and_hide(void)
{
	struct stat st;

	ck_assert_int_eq(fstatat(scratch_fd(), "context/dir/a", &st, 0), 0);
	const struct timespec times[2] = {st.st_atim, st.st_mtim};
	stages_write("dir/a", "x");
	ck_assert_int_eq(utimensat(scratch_fd(), "context/dir/a", times, 0), 0);
}

static void swap(void)
{
	ck_assert_int_eq(renameat2(scratch_fd(), "context/dir/a", scratch_fd(), "context/dir/b",
				   RENAME_EXCHANGE),
			 0);
}

static void make_executable(void)
{
	ck_assert_int_eq(fchmodat(scratch_fd(), "context/dir/a", 0755, 0), 0);
}

static void add(void)
{
	stages_write("dir/c", "");
}

static void relink(void)
{
	ck_assert_int_eq(unlinkat(scratch_fd(), "context/dir/link", 0), 0);
	stages_symlink("b", "dir/link");
}

static void (*const changes[])(void) = {
	rewrite, touch, rewrite_and_hide, swap, make_executable, add, relink,
};

START_TEST(a_changed_context_has_another_key)
{
	static const struct recipe r = {.level = LEVEL};
	const struct stage *st = stages_new(NULL);

	if (!has_keys(st))
		SKIP_TEST("the file system here has no honest times");
	const struct digest before = key_of(st, &r);
	/* More than the kernel's tick. */
	usleep(50000);
	changes[_i]();
	const struct digest after = key_of(st, &r);
	ck_assert(!digest_equal(&before, &after));
}
END_TEST

static char owner[] = "5", one[] = "one", two[] = "two";

static const struct recipe recipes[] = {
	{.level = LEVEL}, {.level = 9},  {.epoch = 7},      {.chown = owner},
	{.text = one},    {.text = two}, {.is_gzip = true},
};

START_TEST(whatever_is_written_is_in_the_key)
{
	const struct stage *st = stages_new(NULL);
	struct digest keys[ARRAY_LEN(recipes)];

	if (!has_keys(st))
		SKIP_TEST("the file system here has no honest times");
	for (size_t i = 0; i < ARRAY_LEN(recipes); i++) {
		keys[i] = key_of(st, &recipes[i]);
		for (size_t k = 0; k < i; k++)
			ck_assert(!digest_equal(&keys[i], &keys[k]));
	}
}
END_TEST

/* The stage decides which directories a layer needs; the list has the outcome. */
START_TEST(the_stage_counts_by_what_it_changes)
{
	static const struct stages_file base[] = {
		{ENTRY_DIR, "d", NULL}, {ENTRY_DIR, "other", NULL}, {ENTRY_REG, NULL, NULL}};
	static const struct stages_file twin[] = {{ENTRY_DIR, "d", NULL}, {ENTRY_REG, NULL, NULL}};
	static const struct recipe r = {.level = LEVEL};
	const struct stage *none = stages_new(NULL);

	if (!has_keys(none))
		SKIP_TEST("the file system here has no honest times");
	const struct digest a = key_of(none, &r), b = key_of(stages_new(base), &r),
			    c = key_of(stages_new(twin), &r);
	ck_assert(!digest_equal(&a, &b));
	ck_assert(digest_equal(&b, &c));
}
END_TEST

static int write_to_memory(struct copy_list *l, const struct context *c)
{
	const struct layer_options opt = {COMPRESSION_DEFAULT, 0};
	struct layer_result result;
	struct err e = ERR_INIT;
	SCOPE_FD int fd =
		openat(scratch_fd(), "layer", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(fd, &opt, &e);

	const int r = copy_list_write(l, c, EPOCH, w, NULL, &e) < 0
			      ? -1
			      : layer_writer_finish(w, &result, &e);
	ck_assert_no_err(&e);
	return r;
}

static const struct {
	int64_t seconds, nanoseconds; /* after the last change of dir/a */
	bool holds;
} moments[] = {
	{-1, 0, false},       {0, 0, false}, {0, 50000000, false},
	{0, 200000000, true}, {3, 0, true},  {100, 0, true},
};

START_TEST(a_key_holds_for_what_is_older_than_the_reading)
{
	static const struct recipe r = {.level = LEVEL};
	SCOPE(context) struct context *c = stages_context();
	struct stat st, other;

	ck_assert_int_eq(fstatat(scratch_fd(), "context/dir/a", &st, 0), 0);
	ck_assert_int_eq(fstatat(scratch_fd(), "context/dir/b", &other, 0), 0);
	if (other.st_ctim.tv_sec > st.st_ctim.tv_sec ||
	    (other.st_ctim.tv_sec == st.st_ctim.tv_sec &&
	     other.st_ctim.tv_nsec > st.st_ctim.tv_nsec))
		st = other;
	int64_t seconds = st.st_ctim.tv_sec + moments[_i].seconds;
	int64_t nanoseconds = st.st_ctim.tv_nsec + moments[_i].nanoseconds;
	const struct timespec since = {.tv_sec = seconds + nanoseconds / 1000000000,
				       .tv_nsec = nanoseconds % 1000000000};
	SCOPE(copy_list) struct copy_list *l = list(stages_new(NULL), c, &r);
	ck_assert_int_eq(write_to_memory(l, c), 0);
	ck_assert(copy_key_holds(l, &since) == moments[_i].holds);
}
END_TEST

/* The list was made of one file, and another of the same size was read. */
START_TEST(a_key_does_not_hold_for_what_changed_meanwhile)
{
	static const struct recipe r = {.level = LEVEL};
	SCOPE(context) struct context *c = stages_context();
	SCOPE(copy_list) struct copy_list *l = list(stages_new(NULL), c, &r);
	struct timespec late = {.tv_sec = 4000000000};

	usleep(50000);
	rewrite_and_hide();
	ck_assert_int_eq(write_to_memory(l, c), 0);
	ck_assert(!copy_key_holds(l, &late));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/copy_key");
	TCase *tc = tcase_create("keys");

	tcase_add_checked_fixture(tc, setup, stages_teardown);
	tcase_add_test(tc, the_same_list_has_the_same_key);
	tcase_add_loop_test(tc, a_changed_context_has_another_key, 0, ARRAY_LEN(changes));
	tcase_add_test(tc, whatever_is_written_is_in_the_key);
	tcase_add_test(tc, the_stage_counts_by_what_it_changes);
	tcase_add_loop_test(tc, a_key_holds_for_what_is_older_than_the_reading, 0,
			    ARRAY_LEN(moments));
	tcase_add_test(tc, a_key_does_not_hold_for_what_changed_meanwhile);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
