/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/commit_layer.h"

#include "base/array.h"
#include "base/str.h"
#include "fs/edits.h"
#include "main.h"
#include "tests/support/failalloc.h"

enum { BIG = 30000, EPOCH = 1000, ROUNDS = 60, OPERATIONS = 40 };

/* clang-format off */
static const struct sample_file base[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0755, .mtime = 50},
	{.path = "a", .kind = ENTRY_DIR, .mode = 0755, .mtime = 51, .xattr = "of a directory"},
	{.path = "a/a", .kind = ENTRY_REG, .mode = 0644, .text = "one", .mtime = 52},
	{.path = "a/b", .kind = ENTRY_DIR, .mode = 0700, .uid = 5, .mtime = 53},
	{.path = "a/b/a", .kind = ENTRY_REG, .mode = 0644, .text = "one", .mtime_nsec = 7},
	{.path = "a/b/b", .kind = ENTRY_REG, .mode = 04755, .text = "two", .xattr = "kept"},
	{.path = "a/b/c", .kind = ENTRY_HARDLINK, .link = "a/a"},
	{.path = "a-b", .kind = ENTRY_REG, .mode = 0644, .size = BIG, .zeros = 8000,
	 .zeros_end = 20000, .mtime = 54},
	{.path = "b", .kind = ENTRY_DIR, .mode = 01777, .mtime = 55},
	{.path = "b/a", .kind = ENTRY_REG, .mode = 0644, .text = "one"},
	{.path = "b/b", .kind = ENTRY_REG, .mode = 0644, .text = "two"},
	{.path = "b/c", .kind = ENTRY_HARDLINK, .link = "b/b"},
	{.path = "c", .kind = ENTRY_HARDLINK, .link = "b/b"},
	{.path = "d", .kind = ENTRY_SYMLINK, .mode = 0777, .link = "a/b"},
	{.path = "e", .kind = ENTRY_CHAR, .mode = 0666, .rdev_minor = 3},
	{.path = "f", .kind = ENTRY_FIFO, .mode = 0600},
};
/* clang-format on */

static struct edits_session session;

static void setup(void)
{
	sample_image_make(base, ARRAY_LEN(base));
	edits_open(&session, &sample_image, "session");
}

static void teardown(void)
{
	edits_close(&session);
	sample_image_remove();
}

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*state >> 33);
}

static const char *pick(uint64_t *state, const char *const *words, size_t count)
{
	return words[next_random(state) % count];
}
#define PICK(state, words) pick(state, words, ARRAY_LEN(words))

/* A path in which every directory is likely to be there. */
static const char *pick_path(uint64_t *state, char buf[static 64])
{
	static const char *const dirs[] = {"", "", "a/", "a/b/", "b/", "b/a/", "new/", "a/new/"};
	static const char *const names[] = {"a", "b", "c", "a-b", "d", "new", ".zz", ".a"};

	snprintf(buf, 64, "%s%s", PICK(state, dirs), PICK(state, names));
	return buf;
}

/* One edit, which may not be possible. */
static void edit_at_random(struct session *s, uint64_t *state, struct str *log)
{
	/* clang-format off */
	static const char *const forms[][2] = {
		{"write", " one"}, {"write", " two"}, {"write", " three"}, {"patch", " 9000 one"},
		{"patch", " 1 x"}, {"cut", " 8500"}, {"cut", " 0"}, {"mkdir", ""},
		{"mkdir", " 700"}, {"fifo", ""}, {"char", " 3"}, {"symlink", " a/b"},
		{"rm", ""}, {"rm", ""}, {"chmod", " 644"}, {"chmod", " 755"},
		{"chown", " 5"}, {"chown", " 0"}, {"setx", " user.sample kept"},
		{"touch", " 52"}, {"touch", " 99"}, {"delx", " user.sample"}, {"setx", " user.b v"},
	};
	/* clang-format on */
	static const char *const pairs[] = {"mv", "mv", "ln", "swap"};
	char a[64], b[64], edit[256];
	struct err e = ERR_INIT;

	pick_path(state, a);
	pick_path(state, b);
	const char *const *form = forms[next_random(state) % ARRAY_LEN(forms)];
	if (next_random(state) % 5 < 2)
		snprintf(edit, sizeof(edit), "%s %s %s", PICK(state, pairs), a, b);
	else
		snprintf(edit, sizeof(edit), "%s %s%s", form[0], a, form[1]);
	if (edits_try(s, edit) == 0)
		str_appendf(log, &e, "%s\n", edit);
}

/* The base and the layer of the session's changes over it show what the session shows. */
static void check_layer(const struct image *im, const char *log, bool has_times)
{
	const struct commit_layer_options opt = {.has_times = has_times};
	SCOPE(image) struct image committed = IMAGE_INIT;
	struct commit_layer_result result;
	struct layer_result layer;
	struct edits_session after;

	edits_layer(session.session, &opt, &layer, &result);
	edits_image(im, &layer, "localhost/committed:1", &committed);
	edits_open(&after, &committed, has_times ? "timed" : "after");
	SCOPE_FREE char *got = edits_tree(after.session, has_times);
	SCOPE_FREE char *want = edits_tree(session.session, has_times);
	edits_close(&after);
	ck_assert_msg(strcmp(got, want) == 0, "after\n%s\ngot\n%s\nnot\n%s", log, got, want);
}

START_TEST(gives_the_tree_of_the_session)
{
	SCOPE(str) struct str log = STR_INIT;
	uint64_t state = (uint64_t)_i * 7919;
	const int operations = 1 + _i % OPERATIONS;

	for (int i = 0; i < operations; i++)
		edit_at_random(session.session, &state, &log);
	check_layer(&sample_image, str_text(&log), false);
	check_layer(&sample_image, str_text(&log), true);
}
END_TEST

static void digest_of(struct session *s, const struct commit_layer_options *opt, char *out)
{
	struct commit_layer_result result;
	struct layer_result layer;

	edits_layer(s, opt, &layer, &result);
	digest_format(&layer.blob, out);
}

START_TEST(gives_one_digest)
{
	static const struct commit_layer_options opt = {.has_epoch = false};
	static const char *const edits[] = {"mv a z", "write b/new text", "rm c", "chmod z/b 755"};
	char first[DIGEST_STR_MAX], second[DIGEST_STR_MAX];

	edits_do(session.session, edits, ARRAY_LEN(edits));
	digest_of(session.session, &opt, first);
	digest_of(session.session, &opt, second);
	ck_assert_str_eq(first, second);
}
END_TEST

/* Other inode numbers, other inodes in the place of those of the base, other times. */
START_TEST(gives_one_digest_whatever_the_order_with_an_epoch)
{
	static const struct commit_layer_options opt = {.has_epoch = true, .epoch = EPOCH};
	static const char *const one[] = {
		"write n one",     "write o two", "ln n n2",    "mkdir p",
		"write p/q three", "rm b/b",      "rm e",       "write b/b two",
		"chmod a-b 600",   "mv a z",      "touch c 40",
	};
	static const char *const other[] = {
		"mv a y",       "mkdir p",       "write p/q one", "write p/q three",
		"write n2 one", "ln n2 n",       "write o x",     "write o two",
		"mv y z",       "chmod a-b 600", "write gone x",  "rm gone",
		"rm e",         "rm c",          "rm b/c",        "write c two",
		"ln c b/c",     "touch c 40",    "touch z 51",
	};
	char first[DIGEST_STR_MAX], second[DIGEST_STR_MAX];
	struct edits_session again;

	edits_open(&again, &sample_image, "again");
	edits_do(session.session, one, ARRAY_LEN(one));
	edits_do(again.session, other, ARRAY_LEN(other));
	digest_of(session.session, &opt, first);
	digest_of(again.session, &opt, second);
	edits_close(&again);
	ck_assert_str_eq(first, second);
}
END_TEST

START_TEST(clamps_times)
{
	static const struct commit_layer_options opt = {.has_epoch = true, .epoch = EPOCH};
	static const char *const edits[] = {"write b/new x", "write b/old x", "touch b/old 7"};
	SCOPE(image) struct image committed = IMAGE_INIT;
	struct commit_layer_result result;
	struct layer_result layer;
	struct edits_session after;

	edits_do(session.session, edits, ARRAY_LEN(edits));
	edits_layer(session.session, &opt, &layer, &result);
	ck_assert_int_eq(result.newest, EPOCH);
	edits_image(&sample_image, &layer, "localhost/committed:1", &committed);
	edits_open(&after, &committed, "after");
	SCOPE_FREE char *tree = edits_tree(after.session, true);
	edits_close(&after);
	ck_assert_ptr_nonnull(strstr(tree, "/b 41777 0:0 2 at 1000.000000000"));
	ck_assert_ptr_nonnull(strstr(tree, "/b/new 100644 0:0 1 at 1000.000000000"));
	ck_assert_ptr_nonnull(strstr(tree, "/b/old 100644 0:0 1 at 7.000000000"));
}
END_TEST

START_TEST(says_what_it_repeats)
{
	static const struct commit_layer_options opt = {.has_epoch = false};
	static const char *const edits[] = {"chmod a-b 600", "mv b z", "write new text",
					    "sock socket"};
	struct commit_layer_result measured, written;
	struct layer_result layer;
	struct err e = ERR_INIT;

	commit_layer_measure(session.session, &opt, &measured, &e);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(measured.entries, 0);
	edits_do(session.session, edits, ARRAY_LEN(edits));
	commit_layer_measure(session.session, &opt, &measured, &e);
	ck_assert_no_err(&e);
	edits_layer(session.session, &opt, &layer, &written);
	/* z/a, and c with its names z/b and z/c. */
	ck_assert_uint_eq(measured.repeated, BIG + 3 + 3);
	ck_assert_uint_eq(measured.content, measured.repeated + 4);
	ck_assert_uint_eq(measured.sockets, 1);
	ck_assert_mem_eq(&measured, &written, sizeof(measured));
}
END_TEST

static int measure_once(void *arg, struct err *e)
{
	static const struct commit_layer_options opt = {.has_epoch = true, .epoch = EPOCH};
	struct commit_layer_result result;

	(void)arg;
	return commit_layer_measure(session.session, &opt, &result, e);
}

START_TEST(survives_a_lack_of_memory)
{
	static const char *const edits[] = {"mv a z", "setx z/b user.b v", "rm b/b", "rm e"};

	edits_do(session.session, edits, ARRAY_LEN(edits));
	failalloc_each(measure_once, NULL);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/commit_layer");
	TCase *tc = tcase_create("commit_layer");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, gives_the_tree_of_the_session, 0, ROUNDS);
	tcase_add_test(tc, gives_one_digest);
	tcase_add_test(tc, gives_one_digest_whatever_the_order_with_an_epoch);
	tcase_add_test(tc, clamps_times);
	tcase_add_test(tc, says_what_it_repeats);
	tcase_add_test(tc, survives_a_lack_of_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
