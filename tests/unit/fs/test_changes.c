/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/changes.h"

#include <sys/stat.h>

#include "base/array.h"
#include "fs/edits.h"
#include "main.h"
#include "tests/support/failalloc.h"

enum { BIG = 20000, EDITS_MAX = 8 };

/* clang-format off */
static const struct sample_file base[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "a", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "a/in", .kind = ENTRY_REG, .mode = 0644, .text = "in"},
	{.path = "a/sub", .kind = ENTRY_DIR, .mode = 0700},
	{.path = "a/sub/deep", .kind = ENTRY_REG, .mode = 0644, .text = "deep"},
	{.path = "a-b", .kind = ENTRY_REG, .mode = 0644, .text = "between"},
	{.path = "big", .kind = ENTRY_REG, .mode = 0644, .size = BIG},
	{.path = "etc", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "etc/conf", .kind = ENTRY_REG, .mode = 0644, .text = "conf"},
	{.path = "etc/h3", .kind = ENTRY_REG, .mode = 0644, .text = "hard"},
	{.path = "etc/link", .kind = ENTRY_SYMLINK, .mode = 0777, .link = "conf"},
	{.path = "h1", .kind = ENTRY_HARDLINK, .link = "etc/h3"},
	{.path = "h2", .kind = ENTRY_HARDLINK, .link = "etc/h3"},
	{.path = "null", .kind = ENTRY_CHAR, .mode = 0666, .rdev_minor = 3},
	{.path = "tmp", .kind = ENTRY_DIR, .mode = 01777},
	{.path = "x", .kind = ENTRY_REG, .mode = 0600, .text = "x", .xattr = "value"},
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

/* Appends "C /path mode,content 3>4 = other repeats 4\n". */
static int append_change(void *ctx, const struct change *c, struct err *e)
{
	static const char letters[] = "ACD";
	static const char *const names[] = {"type", "content", "mode", "owner", "xattrs", "mtime"};
	const struct diff_change *d = &c->diff;
	struct str *out = ctx;
	const char *gap = " ";

	ck_assert_int_eq(d->kind == DIFF_DELETED, c->ino == 0);
	ck_assert_int_eq(d->kind == DIFF_ADDED, c->lower == CHANGES_NONE);
	ck_assert_uint_eq(c->st.st_mode, d->new_mode);
	str_appendf(out, e, "%c %.*s", letters[d->kind], (int)d->path_len, d->path);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!(d->what & 1U << i))
			continue;
		str_appendf(out, e, "%s%s", gap, names[i]);
		gap = ",";
	}
	if (d->old_size || d->new_size)
		str_appendf(out, e, " %d>%d", (int)d->old_size, (int)d->new_size);
	if (c->link)
		str_appendf(out, e, " = %.*s", (int)c->link_len, c->link);
	if (c->repeated)
		str_appendf(out, e, " repeats %d", (int)c->repeated);
	return str_append_c(out, '\n', e);
}

static char *changes_of(struct session *s, const struct changes_options *opt)
{
	SCOPE(str) struct str out = STR_INIT;
	struct err e = ERR_INIT;

	changes_walk(s, opt, append_change, &out, &e);
	ck_assert_no_err(&e);
	return str_dup(str_text(&out), &e);
}

struct row {
	const char *edits[EDITS_MAX];
	const char *changes; /* as diff tells them */
	const char *layer;   /* the same for a layer; NULL: the same, and "C /" in front */
};

static const struct row rows[] = {
	{{NULL}, "", ""},
	/* What is as it was. */
	{{"write etc/conf more", "write etc/conf conf"}, "", ""},
	{{"write new x", "rm new"}, "", ""},
	{{"rm etc/conf", "write etc/conf conf"}, "", ""},
	{{"mv etc tmp/e", "mv tmp/e etc"}, "", ""},
	{{"chmod tmp 700", "chmod tmp 1777"}, "", ""},
	{{"patch big 5000 X", "patch big 5000 t", "touch x 5"}, "", ""},
	{{"delx x user.sample", "setx x user.sample value"}, "", ""},
	{{"rm etc/link", "symlink etc/link conf"}, "", ""},
	{{"rm null", "char null 3", "chmod null 666"}, "", ""},
	{{"rm tmp", "mkdir tmp 1777"}, "", ""},
	/* One thing each. */
	{{"write etc/conf other"},
	 "C /etc\nC /etc/conf content 4>5\n",
	 "C /etc\nC /etc/conf content 4>5\n"},
	{{"write new x"}, "A /new 0>1\n", NULL},
	{{"chmod a/sub/deep 600"},
	 "C /a\nC /a/sub\nC /a/sub/deep mode 4>4\n",
	 "C /a\nC /a/sub\nC /a/sub/deep mode 4>4 repeats 4\n"},
	{{"chown etc/conf 5"},
	 "C /etc\nC /etc/conf owner 4>4\n",
	 "C /etc\nC /etc/conf owner 4>4 repeats 4\n"},
	{{"setx etc/conf user.a b"},
	 "C /etc\nC /etc/conf xattrs 4>4\n",
	 "C /etc\nC /etc/conf xattrs 4>4 repeats 4\n"},
	{{"setx x user.sample other"}, "C /x xattrs 1>1\n", "C /x xattrs 1>1 repeats 1\n"},
	{{"delx x user.sample"}, "C /x xattrs 1>1\n", "C /x xattrs 1>1 repeats 1\n"},
	{{"setx a/sub user.a b"}, "C /a\nC /a/sub xattrs\n", "C /a\nC /a/sub xattrs\n"},
	{{"patch big 5000 X"}, "C /big content 20000>20000\n", "C /big content 20000>20000\n"},
	{{"cut big 4096", "cut big 20000"},
	 "C /big content 20000>20000\n",
	 "C /big content 20000>20000\n"},
	{{"chmod tmp 700"}, "C /tmp mode\n", "C /tmp mode\n"},
	{{"chmod . 700"}, "C / mode\n", "C / mode\n"},
	{{"rm null", "char null 4", "chmod null 666"}, "C /null content\n", NULL},
	{{"rm etc/link", "symlink etc/link other"},
	 "C /etc\nC /etc/link content\n",
	 "C /etc\nC /etc/link content\n"},
	/* Names. */
	{{"rm a"}, "D /a 6>0\n", NULL},
	{{"mv a-b moved"},
	 "D /a-b 7>0\nA /moved 0>7\n",
	 "C /\nD /a-b 7>0\nA /moved 0>7 repeats 7\n"},
	{{"mv a zz"},
	 "D /a 6>0\nA /zz\nA /zz/in 0>2\nA /zz/sub\nA /zz/sub/deep 0>4\n",
	 "C /\nD /a 6>0\nA /zz\nA /zz/in 0>2 repeats 2\nA /zz/sub\nA /zz/sub/deep 0>4 repeats "
	 "4\n"},
	{{"mv a zz", "rm zz/in"},
	 "D /a 6>0\nA /zz\nA /zz/sub\nA /zz/sub/deep 0>4\n",
	 "C /\nD /a 6>0\nA /zz\nA /zz/sub\nA /zz/sub/deep 0>4 repeats 4\n"},
	{{"rm a", "write a x"}, "C /a type,mode 6>1\n", NULL},
	{{"rm a-b", "mkdir a-b", "write a-b/y x"}, "C /a-b type,mode 7>0\nA /a-b/y 0>1\n", NULL},
	/* A directory in the place of another: what differs in it. */
	{{"rm a", "mkdir a", "write a/in in", "write a/y x"},
	 "C /a\nD /a/sub 4>0\nA /a/y 0>1\n",
	 NULL},
	{{"mkdir n", "write n/in in", "swap a n"},
	 "C /a\nD /a/sub 4>0\nA /n\nA /n/in 0>2\nA /n/sub\nA /n/sub/deep 0>4\n",
	 "C /\nC /a\nD /a/sub 4>0\nA /n\nA /n/in 0>2 repeats 2\nA /n/sub\nA /n/sub/deep 0>4 "
	 "repeats 4\n"},
	/* Whiteouts have a place of their own among the names. */
	{{"write .a x", "write .zz x", "rm x", "rm a-b"},
	 "A /.a 0>1\nA /.zz 0>1\nD /a-b 7>0\nD /x 1>0\n",
	 "C /\nA /.a 0>1\nD /a-b 7>0\nD /x 1>0\nA /.zz 0>1\n"},
	/* Hardlinks: all names or none. */
	{{"rm h1"}, "D /h1 4>0\n", NULL},
	{{"rm etc/h3"}, "C /etc\nD /etc/h3 4>0\n", "C /etc\nD /etc/h3 4>0\n"},
	{{"chmod h1 600"},
	 "C /etc\nC /etc/h3 mode 4>4\nC /h1 mode 4>4\nC /h2 mode 4>4\n",
	 "C /etc\nC /etc/h3 mode 4>4 repeats 4\nC /h1 mode 4>4 = etc/h3\nC /h2 mode 4>4 = "
	 "etc/h3\n"},
	{{"ln a-b a/other"},
	 "C /a\nA /a/other 0>7\n",
	 "C /a\nA /a/other 0>7 repeats 7\nC /a-b 7>7 = a/other\n"},
	{{"ln h1 tmp/h4"},
	 "C /tmp\nA /tmp/h4 0>4\n",
	 "C /etc\nC /etc/h3 4>4 repeats 4\nC /h1 4>4 = etc/h3\nC /h2 4>4 = etc/h3\nC /tmp\nA "
	 "/tmp/h4 0>4 = etc/h3\n"},
	{{"mv etc zz"},
	 "D /etc 8>0\nA /zz\nA /zz/conf 0>4\nA /zz/h3 0>4\nA /zz/link\n",
	 "C /\nD /etc 8>0\nC /h1 4>4 repeats 4\nC /h2 4>4 = h1\nA /zz\nA /zz/conf 0>4 repeats "
	 "4\nA /zz/h3 0>4 = h1\nA /zz/link\n"},
	/* Made anew, but one name parted from the others: one file has to be told. */
	{{"rm h1", "write h1 hard"}, "", "C /\nC /h1 4>4 repeats 4\n"},
	{{"rm etc/h3", "write etc/h3 hard"}, "", "C /h1 4>4 repeats 4\nC /h2 4>4 = h1\n"},
	{{"rm h1", "rm h2", "rm etc/h3", "write h2 hard", "ln h2 etc/h3", "ln h2 h1"}, "", ""},
	/* No layer holds a socket. */
	{{"sock tmp/s"}, "C /tmp\nA /tmp/s\n", "A /tmp/s\n"},
	{{"rm x", "sock x"}, "C /x type,xattrs 1>0\n", "C /\nD /x 1>0\nC /x type,xattrs 1>0\n"},
};

static void check(const struct changes_options *opt, const char *expected, const char *in_front)
{
	SCOPE_FREE char *got = changes_of(session.session, opt);
	SCOPE(str) struct str want = STR_INIT;
	struct err e = ERR_INIT;

	str_appendf(&want, &e, "%s%s", in_front, expected);
	ck_assert_str_eq(got, str_text(&want));
}

START_TEST(tells_what_differs)
{
	static const struct changes_options as_diff = {.has_sums = true};
	static const struct changes_options as_layer = {.has_sums = true, .is_layer = true};
	const struct row *row = &rows[_i];
	size_t count = 0;

	while (count < EDITS_MAX && row->edits[count])
		count++;
	edits_do(session.session, row->edits, count);
	check(&as_diff, row->changes, "");
	check(&as_layer, row->layer ? row->layer : row->changes, row->layer ? "" : "C /\n");
}
END_TEST

START_TEST(tells_times_when_asked)
{
	static const struct changes_options with_times = {.has_times = true};
	static const char *const edits[] = {"touch a/in 77"};

	edits_do(session.session, edits, ARRAY_LEN(edits));
	check(&with_times, "C /a\nC /a/in mtime 2>2\n", "");
	check(&(struct changes_options){.has_times = false}, "", "");
}
END_TEST

/* Only what was written is read: nothing of a file that was renamed or got another mode. */
START_TEST(reads_nothing_of_what_was_not_written)
{
	static const char *const edits[] = {"chmod big 600", "mv etc tmp/etc", "chown h2 9",
					    "touch a/in 7"};
	static const struct changes_options opt = {.is_layer = true};

	edits_do(session.session, edits, ARRAY_LEN(edits));
	const struct cache_stats before = view_cache_stats(session.base);
	SCOPE_FREE char *got = changes_of(session.session, &opt);
	const struct cache_stats after = view_cache_stats(session.base);
	ck_assert_str_ne(got, "");
	ck_assert_uint_eq(before.hits + before.misses, after.hits + after.misses);
}
END_TEST

START_TEST(refuses_paths_that_no_layer_holds)
{
	char name[201], edit[600];
	struct err e = ERR_INIT;
	SCOPE(str) struct str out = STR_INIT;
	static const struct changes_options opt = {.is_layer = true};
	static const struct changes_options as_diff = {.is_layer = false};

	/* Directories are made at the top and moved below each other. */
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	snprintf(edit, sizeof(edit), "mkdir %s", name);
	ck_assert_int_eq(edits_try(session.session, edit), 0);
	for (int i = 0; i < 21; i++) {
		snprintf(edit, sizeof(edit), "mkdir up%d", i);
		ck_assert_int_eq(edits_try(session.session, edit), 0);
		snprintf(edit, sizeof(edit), "mv %s up%d/%s", name, i, name);
		ck_assert_int_eq(edits_try(session.session, edit), 0);
		snprintf(edit, sizeof(edit), "mv up%d %s", i, name);
		ck_assert_int_eq(edits_try(session.session, edit), 0);
	}
	ck_assert_int_eq(changes_walk(session.session, &opt, append_change, &out, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "longer than 4095 bytes");
	/* They are there, and can be told of. */
	ck_assert_int_eq(changes_walk(session.session, &as_diff, append_change, &out, &e), 0);
}
END_TEST

/* Allocates nothing, as ck_assert does. */
static int count_change(void *ctx, const struct change *c, struct err *e)
{
	(void)c;
	(void)e;
	++*(unsigned *)ctx;
	return 0;
}

static int walk_once(void *arg, struct err *e)
{
	static const struct changes_options opt = {.is_layer = true, .has_sums = true};
	unsigned count = 0;

	(void)arg;
	return changes_walk(session.session, &opt, count_change, &count, e);
}

START_TEST(survives_a_lack_of_memory)
{
	static const char *const edits[] = {"mv etc zz",        "rm a/in",  "write a/in in",
					    "write tmp/n text", "rm a/sub", "ln big tmp/b"};

	edits_do(session.session, edits, ARRAY_LEN(edits));
	failalloc_each(walk_once, NULL);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/changes");
	TCase *tc = tcase_create("changes");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, tells_what_differs, 0, ARRAY_LEN(rows));
	tcase_add_test(tc, tells_times_when_asked);
	tcase_add_test(tc, reads_nothing_of_what_was_not_written);
	tcase_add_test(tc, refuses_paths_that_no_layer_holds);
	tcase_add_test(tc, survives_a_lack_of_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
