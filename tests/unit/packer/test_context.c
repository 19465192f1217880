/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/context_private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/limits.h"
#include "main.h"
#include "packer/stages.h"

/* context_match's names, each followed by a blank. */
static int match(const struct context *c, const char *pattern, struct str *out, struct err *e)
{
	SCOPE(strlist) struct strlist found = STRLIST_INIT;
	struct err nomem = ERR_INIT;
	const int r = context_match(c, pattern, &found, e);

	str_truncate(out, 0);
	for (size_t i = 0; i < found.count; i++)
		str_appendf(out, &nomem, "%s ", found.items[i]);
	ck_assert_no_err(&nomem);
	return r;
}

static void set_rules(struct context *c, const char *rules)
{
	struct err e = ERR_INIT;
	struct ignore *ig = ignore_parse(".dockerignore", rules, strlen(rules), &e);

	ck_assert_no_err(&e);
	context_set_ignore(c, ig);
}

static void make_files(void)
{
	stages_dir("src");
	stages_dir("src/sub");
	stages_dir("other");
	stages_write("a.c", "a");
	stages_write("b.c", "b");
	stages_write(".c", "hidden");
	stages_write("src/x.c", "x");
	stages_write("src/sub/y.c", "y");
	stages_write("other/x.c", "ox");
	stages_write("[a].c", "brackets");
	stages_symlink("../a.c", "src/up");
	stages_symlink("other", "link");
}

START_TEST(open_needs_a_directory)
{
	struct err e = ERR_INIT;

	ck_assert_ptr_null(context_open(scratch_file("none"), &e));
	ck_assert_int_eq(e.sys, ENOENT);
	ck_assert_err(&e, ERR_SYS, "cannot open the context");
	scratch_write("file", "");
	ck_assert_ptr_null(context_open(scratch_file("file"), &e));
	ck_assert_err(&e, ERR_NOT_FOUND, "file' is no directory");
}
END_TEST

static const char *const remotes[] = {
	"-",
	"https://example.org/app.tar",
	"http://example.org/app.git#main:sub",
	"git://example.org/app",
	"ssh://git@example.org/app",
	"git@example.org:app.git",
	"github.com/user/app",
};

START_TEST(open_tells_what_to_do_about_remotes)
{
	struct err e = ERR_INIT;

	ck_assert_ptr_null(context_open(remotes[_i], &e));
	ck_assert_err(&e, ERR_UNSUPPORTED, "give its directory");
}
END_TEST

static const struct {
	const char *path, *near; /* NULL: nothing */
} mistyped[] = {
	{"a.x", "a.c"},
	{"B.c", "b.c"},
	{"scr/x.c", "src/x.c"},
	{"src/sub/z.c", "src/sub/y.c"},
	{"src/sbu/y.c", "src/sub/y.c"},
	{"othr/none", "other"},
	{"a.c/b", NULL},
	{"src/x.c/y", NULL},
	{"nothing", NULL},
	{"src/nothing", NULL},
	{"lost/nothing", NULL},
};

START_TEST(names_what_may_be_meant)
{
	SCOPE(context) struct context *c = stages_context();
	struct err e = ERR_INIT;
	SCOPE_FREE char *hint = mistyped[_i].near
					? str_dupf(&e, "'%s' in the context (did you mean '%s'?)",
						   mistyped[_i].path, mistyped[_i].near)
					: str_dupf(&e, "'%s' in the context", mistyped[_i].path);

	make_files();
	ck_assert_int_eq(context_check(c, mistyped[_i].path, &e), -1);
	ck_assert_int_eq(strstr(e.msg, "did you mean") != NULL, mistyped[_i].near != NULL);
	ck_assert_err(&e, ERR_NOT_FOUND, hint);
	set_rules(c, "*\n");
	ck_assert_int_eq(context_check(c, "none.c", &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "is excluded");
	set_rules(c, "*\n!a.x\n");
	ck_assert_int_eq(context_check(c, "a.x", &e), -1);
	ck_assert_ptr_null(strstr(e.msg, "did you mean"));
	ck_assert_err(&e, ERR_NOT_FOUND, "no 'a.x'");
}
END_TEST

START_TEST(checks_single_sources)
{
	static const char *const good[] = {"a.c", "src", ".", "link/x.c", "*.c", "\\[a].c"};
	SCOPE(context) struct context *c = stages_context();
	struct err e = ERR_INIT;

	make_files();
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_int_eq(context_check(c, good[i], &e), 1);
	ck_assert_int_eq(context_check(c, "*.none", &e), 0);
	ck_assert_no_err(&e);
	stages_symlink("../outside", "out");
	ck_assert_int_eq(context_check(c, "out", &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "leads out");
	ck_assert_int_eq(context_check(c, "[", &e), -1);
	ck_assert_err(&e, ERR_SYNTAX, "pattern");
}
END_TEST

START_TEST(reads_small_files)
{
	SCOPE(context) struct context *c = stages_context();
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	make_files();
	ck_assert_int_eq(context_read(c, "a.c", 1, &text, &e), 1);
	ck_assert_int_eq(context_read(c, "src/up", 1, &text, &e), 1);
	ck_assert_str_eq(text.data, "aa");
	ck_assert_int_eq(context_read(c, "none", 1, &text, &e), 0);
	ck_assert_int_eq(context_read(c, "none/none", 1, &text, &e), 0);
	/* The manifest may be hidden from COPY, and is read all the same. */
	set_rules(c, "*");
	ck_assert_int_eq(context_read(c, "a.c", 1, &text, &e), 1);
	ck_assert_no_err(&e);
}
END_TEST

START_TEST(reads_nothing_else)
{
	SCOPE(context) struct context *c = stages_context();
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	make_files();
	stages_write("long", "12345");
	stages_symlink("../outside", "out");
	scratch_write("outside", "secret");
	ck_assert_int_eq(context_read(c, "long", 4, &text, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "'long'");
	ck_assert_int_eq(context_read(c, "src", 4, &text, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "'src' of the context is no regular file");
	ck_assert_int_eq(mkfifoat(scratch_fd(), "context/fifo", 0600), 0);
	ck_assert_int_eq(context_read(c, "fifo", 4, &text, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "'fifo'");
	ck_assert_int_eq(context_read(c, "out", 100, &text, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "'out' leads out of the context");
	ck_assert_uint_eq(text.len, 0);
}
END_TEST

static const struct {
	const char *pattern;
	const char *found;
} matched[] = {
	{"a.c", "a.c "},
	{"src", "src "},
	{".", ". "},
	{"link/x.c", "link/x.c "},
	{"*.c", ".c [a].c a.c b.c "},
	{"?.c", "a.c b.c "},
	{"[ab].c", "a.c b.c "},
	{"\\[a\\].c", "[a].c "},
	{"[^a].c", "b.c "},
	{"*/x.c", "link/x.c other/x.c src/x.c "},
	{"src/*/*", "src/sub/y.c "},
	{"s*", "src "},
	{"*.none", ""},
	{"none/*", ""},
	{"a.c/*", ""},
};

START_TEST(finds_what_sources_name)
{
	SCOPE(context) struct context *c = stages_context();
	SCOPE(str) struct str names = STR_INIT;
	struct err e = ERR_INIT;

	make_files();
	ck_assert_int_eq(match(c, matched[_i].pattern, &names, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_str_eq(str_text(&names), matched[_i].found);
}
END_TEST

static const struct {
	const char *pattern;
	enum err_code code;
	const char *word;
} unmatched[] = {
	{"none", ERR_NOT_FOUND, "no 'none' in the context"},
	{"a.c/x", ERR_NOT_FOUND, "no 'a.c/x' in the context"},
	{"b.c", ERR_NOT_FOUND, "'b.c' of the context is excluded by an ignore file"},
	{"other/x.c", ERR_NOT_FOUND, "excluded"},
	{"out", ERR_UNSUPPORTED, "'out' leads out of the context"},
	{"absolute", ERR_UNSUPPORTED, "'absolute' leads out of the context"},
	{"out/x", ERR_UNSUPPORTED, "leads out"},
	{"loop", ERR_UNSUPPORTED, "'loop' of the context leads through links without an end"},
	{"loop/x", ERR_UNSUPPORTED, "'loop/x' of the context leads through links"},
	{"broken", ERR_NOT_FOUND, "'broken' of the context: what the link 'broken' leads to is"},
	{"src/on/x", ERR_NOT_FOUND, "'src/on/x' of the context: what the link 'src/on' leads to"},
	{"[a", ERR_SYNTAX, "pattern"},
};

START_TEST(refuses_sources)
{
	SCOPE(context) struct context *c = stages_context();
	SCOPE(str) struct str names = STR_INIT;
	struct err e = ERR_INIT;

	make_files();
	stages_symlink("..", "out");
	stages_symlink("/etc", "absolute");
	stages_symlink("loop", "loop");
	stages_symlink("none", "broken");
	stages_symlink("../broken", "src/on");
	set_rules(c, "b.c\nother\n");
	ck_assert_int_eq(match(c, unmatched[_i].pattern, &names, &e), -1);
	ck_assert_err(&e, unmatched[_i].code, unmatched[_i].word);
	ck_assert_str_eq(str_text(&names), "");
}
END_TEST

static const struct {
	const char *rules, *pattern;
	const char *found; /* NULL: excluded */
} hidden[] = {
	{"src\n!src/x.c\n", "src", "src "},
	{"src\n!src/x.c\n", "s*", "src "},
	{"src\n!src/sub/*.c\n", "src", "src "},
	{"src\n!src/sub/*.c\n", "src/sub", "src/sub "},
	{"*\n!src/sub/y.c\n", "*", "src "},
	/* Nothing comes back. */
	{"src\n!src/none\n", "src", NULL},
	{"src\n!src/none\n", "s*", ""},
	{"src\n!src/sub/*.c\nsrc/sub\n", "src", NULL},
	{"!src/x.c\nsrc\n", "src", NULL},
	/* Below a file or a link is nothing. */
	{"a.c\n!a.c/x\n", "a.c", NULL},
	{"link\n!link/x.c\n", "link", NULL},
};

START_TEST(a_hidden_directory_is_there_for_what_comes_back)
{
	SCOPE(context) struct context *c = stages_context();
	SCOPE(str) struct str names = STR_INIT;
	struct err e = ERR_INIT;

	make_files();
	set_rules(c, hidden[_i].rules);
	const int r = match(c, hidden[_i].pattern, &names, &e);
	if (hidden[_i].found) {
		ck_assert_no_err(&e);
		ck_assert_int_eq(r, 0);
		ck_assert_str_eq(str_text(&names), hidden[_i].found);
	} else {
		ck_assert_int_eq(r, -1);
		ck_assert_err(&e, ERR_NOT_FOUND, "is excluded by an ignore file");
	}
}
END_TEST

START_TEST(patterns_do_not_see_what_is_hidden)
{
	SCOPE(context) struct context *c = stages_context();
	SCOPE(str) struct str names = STR_INIT;
	struct err e = ERR_INIT;

	make_files();
	set_rules(c, "*\n!a.c\n!src/sub\n");
	ck_assert_int_eq(match(c, "*", &names, &e), 0);
	/* With what comes back of it alone. */
	ck_assert_str_eq(str_text(&names), "a.c src ");
	ck_assert_int_eq(match(c, "*/*", &names, &e), 0);
	ck_assert_str_eq(str_text(&names), "src/sub ");
	ck_assert_int_eq(match(c, ".", &names, &e), 0);
	ck_assert_str_eq(str_text(&names), ". ");
}
END_TEST

/* What a walk shows: "below(kind) ". */
static int note(void *ctx, const struct context_entry *entry, struct err *e)
{
	const char kind = S_ISDIR(entry->st->st_mode)   ? 'd'
			  : S_ISLNK(entry->st->st_mode) ? 'l'
			  : S_ISREG(entry->st->st_mode) ? 'f'
							: '?';

	ck_assert(str_has_suffix(entry->path, entry->below));
	ck_assert_int_eq(S_ISLNK(entry->st->st_mode), entry->target != NULL);
	return str_appendf(ctx, e, "%s(%c%s) ", entry->below, kind,
			   entry->target ? entry->target : "");
}

static const struct {
	const char *dir, *rules, *exclude, *seen;
} walks[] = {
	{"src", NULL, NULL, "sub(d) sub/y.c(f) up(l../a.c) x.c(f) "},
	{"src/sub", NULL, NULL, "y.c(f) "},
	{".", "*.c\nother", NULL,
	 "link(lother) src(d) src/sub(d) src/sub/y.c(f) "
	 "src/up(l../a.c) src/x.c(f) "},
	{"src", "src/sub", NULL, "up(l../a.c) x.c(f) "},
	{"src", "src/sub\n!src/sub/y.c", NULL, "sub/y.c(f) up(l../a.c) x.c(f) "},
	{"src", "src", NULL, ""},
	{"src", NULL, "**/*.c", "sub(d) up(l../a.c) "},
	{"src", NULL, "sub", "up(l../a.c) x.c(f) "},
	{"src", NULL, "sub\n!sub/y.c", "sub/y.c(f) up(l../a.c) x.c(f) "},
	{"src", "src/sub", "!sub/y.c", "up(l../a.c) x.c(f) "},
	{"src", NULL, "src", "sub(d) sub/y.c(f) up(l../a.c) x.c(f) "},
	{"link", NULL, NULL, "x.c(f) "},
};

START_TEST(walks_in_order)
{
	SCOPE(context) struct context *c = stages_context();
	SCOPE(str) struct str seen = STR_INIT;
	SCOPE(ignore) struct ignore *exclude = NULL;
	struct err e = ERR_INIT;

	make_files();
	if (walks[_i].rules)
		set_rules(c, walks[_i].rules);
	if (walks[_i].exclude)
		exclude = ignore_parse("x", walks[_i].exclude, strlen(walks[_i].exclude), &e);
	ck_assert_int_eq(context_walk(c, walks[_i].dir, exclude, note, &seen, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_str_eq(str_text(&seen), walks[_i].seen);
}
END_TEST

static int skip(void *ctx, const struct context_entry *entry, struct err *e)
{
	(void)ctx;
	(void)entry;
	(void)e;
	return 0;
}

/* Walks `dir` by names, and takes the last name of its root out of the memory. */
static void forget_last(struct context *c, const char *dir)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(context_walk_names(c, dir, NULL, skip, NULL, &e), 0);
	struct strlist *names = &c->memory->walks[c->memory->count - 1].dirs[0].names;
	free(names->items[--names->count]);
}

static void check_walk(struct context *c, const char *dir, const char *expected)
{
	SCOPE(str) struct str seen = STR_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(context_walk(c, dir, NULL, note, &seen, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_str_eq(str_text(&seen), expected);
}

START_TEST(names_are_forgotten_where_nobody_asked)
{
	SCOPE(context) struct context *c = stages_context();
	struct err e = ERR_INIT;

	make_files();
	ck_assert_int_eq(context_walk_names(c, "src", NULL, skip, NULL, &e), 0);
	ck_assert_ptr_null(c->memory);
	check_walk(c, "src", "sub(d) sub/y.c(f) up(l../a.c) x.c(f) ");
}
END_TEST

START_TEST(names_are_read_once)
{
	SCOPE(context) struct context *c = stages_context();
	struct err e = ERR_INIT;

	make_files();
	ck_assert_int_eq(context_remember(c, &e), 0);
	forget_last(c, "src");
	check_walk(c, "src", "sub(d) sub/y.c(f) up(l../a.c) ");
	/* The memory is used up. */
	check_walk(c, "src", "sub(d) sub/y.c(f) up(l../a.c) x.c(f) ");
	/* Walks come in their order; another one in between does no harm. */
	forget_last(c, "src");
	forget_last(c, "src/sub");
	check_walk(c, "other", "x.c(f) ");
	check_walk(c, "src", "sub(d) sub/y.c(f) up(l../a.c) ");
	check_walk(c, "src/sub", "");
	ck_assert_uint_eq(c->memory->next, c->memory->count);
	/* What nobody walks again is freed with the context. */
	forget_last(c, "src");
}
END_TEST

static void set_old(const char *path)
{
	const struct timespec times[2] = {{1, 0}, {1, 0}};

	ck_assert_int_eq(utimensat(scratch_fd(), path, times, 0), 0);
}

START_TEST(names_of_a_changed_directory_are_read_again)
{
	SCOPE(context) struct context *c = stages_context();
	struct err e = ERR_INIT;

	make_files();
	ck_assert_int_eq(context_remember(c, &e), 0);
	forget_last(c, "src");
	stages_write("src/sub/new", "");
	set_old("context/src/sub");
	check_walk(c, "src", "sub(d) sub/new(f) sub/y.c(f) up(l../a.c) ");
	/* Other directories than before: from there on nothing is known. */
	forget_last(c, "src");
	ck_assert_int_eq(renameat(scratch_fd(), "context/src/sub", scratch_fd(), "context/src/z"),
			 0);
	set_old("context/src");
	check_walk(c, "src", "up(l../a.c) x.c(f) z(d) z/new(f) z/y.c(f) ");
}
END_TEST

static int stop(void *ctx, const struct context_entry *entry, struct err *e)
{
	int *left = ctx;

	return --*left ? 0 : err_set(e, ERR_LIMIT, "enough at '%s'", entry->path);
}

START_TEST(a_walk_ends_with_the_callers_error)
{
	SCOPE(context) struct context *c = stages_context();
	struct err e = ERR_INIT;
	int left = 2;

	make_files();
	ck_assert_int_eq(context_walk(c, "src", NULL, stop, &left, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "enough at 'src/sub/y.c'");
	ck_assert_int_eq(context_walk(c, "none", NULL, stop, &left, &e), -1);
	ck_assert_err(&e, ERR_SYS, "'none'");
}
END_TEST

START_TEST(paths_have_a_limit)
{
	SCOPE(context) struct context *c = stages_context();
	SCOPE(str) struct str seen = STR_INIT;
	struct err e = ERR_INIT;
	char name[201];
	int dir = openat(scratch_fd(), "context", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	/* 21 x 201 bytes are more than a path may have. */
	for (int i = 0; i < 21; i++) {
		ck_assert_int_eq(mkdirat(dir, name, 0755), 0);
		const int next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		close(dir);
		dir = next;
	}
	close(dir);
	ck_assert_int_eq(context_walk(c, ".", NULL, note, &seen, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "longer than 4095 bytes");
}
END_TEST

START_TEST(opens_only_the_file_that_was_seen)
{
	SCOPE(context) struct context *c = stages_context();
	struct err e = ERR_INIT;
	struct stat st, other;

	make_files();
	ck_assert_int_eq(context_stat(c, "a.c", &st, &e), 0);
	ck_assert_int_eq(context_stat(c, "src/up", &other, &e), 0);
	ck_assert(st.st_ino == other.st_ino);
	const struct stamp seen = stamp_of(&st);
	SCOPE_FD int fd = context_open_file(c, "a.c", &seen, &e);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);

	ck_assert_int_eq(context_open_file(c, "b.c", &seen, &e), -1);
	ck_assert_int_eq(e.sys, EBUSY);
	ck_assert_err(&e, ERR_SYS, "'b.c' changed while it was read");
	stages_write("a.c", "longer");
	ck_assert_int_eq(context_open_file(c, "a.c", &seen, &e), -1);
	ck_assert_err(&e, ERR_SYS, "'a.c' changed while it was read");
	ck_assert_int_eq(unlinkat(scratch_fd(), "context/a.c", 0), 0);
	stages_symlink("/etc/passwd", "a.c");
	ck_assert_int_eq(context_open_file(c, "a.c", &seen, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "leads out");
	ck_assert_int_eq(unlinkat(scratch_fd(), "context/a.c", 0), 0);
	/* Would wait for ever. */
	ck_assert_int_eq(mkfifoat(scratch_fd(), "context/a.c", 0600), 0);
	ck_assert_int_eq(context_open_file(c, "a.c", &seen, &e), -1);
	ck_assert_err(&e, ERR_SYS, "changed");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/context");
	TCase *tc = tcase_create("files");

	tcase_add_checked_fixture(tc, stages_setup, stages_teardown);
	tcase_add_test(tc, open_needs_a_directory);
	tcase_add_loop_test(tc, open_tells_what_to_do_about_remotes, 0, ARRAY_LEN(remotes));
	tcase_add_loop_test(tc, names_what_may_be_meant, 0, ARRAY_LEN(mistyped));
	tcase_add_test(tc, checks_single_sources);
	tcase_add_test(tc, reads_small_files);
	tcase_add_test(tc, reads_nothing_else);
	tcase_add_test(tc, opens_only_the_file_that_was_seen);
	suite_add_tcase(s, tc);
	tc = tcase_create("sources");
	tcase_add_checked_fixture(tc, stages_setup, stages_teardown);
	tcase_add_loop_test(tc, finds_what_sources_name, 0, ARRAY_LEN(matched));
	tcase_add_loop_test(tc, refuses_sources, 0, ARRAY_LEN(unmatched));
	tcase_add_test(tc, patterns_do_not_see_what_is_hidden);
	tcase_add_loop_test(tc, a_hidden_directory_is_there_for_what_comes_back, 0,
			    ARRAY_LEN(hidden));
	suite_add_tcase(s, tc);
	tc = tcase_create("walks");
	tcase_add_checked_fixture(tc, stages_setup, stages_teardown);
	tcase_add_loop_test(tc, walks_in_order, 0, ARRAY_LEN(walks));
	tcase_add_test(tc, names_are_forgotten_where_nobody_asked);
	tcase_add_test(tc, names_are_read_once);
	tcase_add_test(tc, names_of_a_changed_directory_are_read_again);
	tcase_add_test(tc, a_walk_ends_with_the_callers_error);
	tcase_add_test(tc, paths_have_a_limit);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
