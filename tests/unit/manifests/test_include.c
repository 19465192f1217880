/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include "base/limits.h"
#include "manifests/planning.h"
#include "tests/support/failalloc.h"

/* A context of a few texts. */
struct file {
	const char *path, *text;
};

static int read_file(void *ctx, const char *path, struct str *out, struct err *e)
{
	for (const struct file *f = ctx; f->path; f++) {
		if (strcmp(f->path, path) == 0)
			return str_append_z(out, f->text, e) < 0 ? -1 : 1;
	}
	return strcmp(path, "broken") == 0 ? err_set(e, ERR_SYS, "cannot read") : 0;
}

static struct file tree[] = {
	{"d/env", "ENV A=1 B=$A\nLABEL l=env\n"},
	{"d/empty", ""},
	{"d/comment", "# nothing\n\n"},
	{"d/sub/inner", "INCLUDE deeper\nINCLUDE ../env\n"},
	{"d/sub/deeper", "USER deep\n"},
	{"top", "ARG T=top\n"},
	{"d/heredoc", "COPY <<E /x\nINCLUDE env\nE\n"},
	{"d/tick", "# escape=`\nENV C=`$A `\n\n x=y\nENV D=\\\n"},
	{"d/a name", "USER blank\n"},
	{"d/self", "INCLUDE self\n"},
	{"d/one", "INCLUDE two\n"},
	{"d/two", "USER x\nINCLUDE ./../d/one\n"},
	{"d/back", "INCLUDE Shalefile\n"},
	{"d/from", "USER x\nFROM scratch\nUSER y\n"},
	{"d/bad", "\nENV\nCOPI x\n"},
	{"d/open", "COPY <<E /x\ntext\n"},
	{"d/late", "COPY ${x?no} /y\n"},
	{"d/cmd", "CMD a\n"},
	{NULL, NULL},
};

/* As build_init, of the build file "Shalefile" in the directory "d". */
static void including(struct build *t, const char *text, struct err *e)
{
	const struct includes in = {read_file, tree, "d/Shalefile"};

	build_init(t, "");
	buildfile_free(t->b);
	source_fini(&t->source);
	ck_assert_int_eq(source_init(&t->source, "F", text, strlen(text), e), 0);
	t->b = buildfile_parse_including(&t->source, &in, &t->f, e);
}

static const struct {
	const char *text, *dump;
} good[] = {
	/* clang-format off */
	{"FROM scratch\nINCLUDE env\nUSER a\n",
	 "(from \"scratch\")\n(env \"A\" \"1\" \"=\" \"B\" \"$A\" \"=\")\n(label \"l\" \"env\" \"=\")\n(user \"a\")\n"},
	{"include\tenv \nFROM scratch\n",
	 "(env \"A\" \"1\" \"=\" \"B\" \"$A\" \"=\")\n(label \"l\" \"env\" \"=\")\n(from \"scratch\")\n"},
	{"INCLUDE empty\nINCLUDE ./comment\nFROM scratch\n", "(from \"scratch\")\n"},
	{"INCLUDE sub/../../top\nFROM scratch\n", "(arg \"T=top\")\n(from \"scratch\")\n"},
	{"FROM scratch\nINCLUDE sub/inner\n",
	 "(from \"scratch\")\n(user \"deep\")\n(env \"A\" \"1\" \"=\" \"B\" \"$A\" \"=\")\n(label \"l\" \"env\" \"=\")\n"},
	{"FROM scratch\nINCLUDE heredoc\nUSER a\n", "(from \"scratch\")\n(copy \"<<E\" \"/x\")\n(user \"a\")\n"},
	{"FROM scratch\nINCLUDE a name\n", "(from \"scratch\")\n(user \"blank\")\n"},
	{"FROM scratch\nINCLUDE sub/deeper\nINCLUDE sub/deeper\n",
	 "(from \"scratch\")\n(user \"deep\")\n(user \"deep\")\n"},
	/* clang-format on */
};

START_TEST(stands_in_its_place)
{
	SCOPE(build) struct build t;
	SCOPE(str) struct str dump = STR_INIT;
	struct err e = ERR_INIT;

	including(&t, good[_i].text, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(buildfile_dump(t.b, &dump, &e), 0);
	ck_assert_str_eq(str_text(&dump), good[_i].dump);
}
END_TEST

START_TEST(is_planned_like_one_file)
{
	SCOPE(build) struct build t;
	struct err e = ERR_INIT;

	including(&t,
		  "INCLUDE ../top\nFROM scratch\nARG T\nENV A=0\nINCLUDE env\nINCLUDE heredoc\n"
		  "LABEL a=$A b=$B t=$T\n",
		  &e);
	build_ok(&t, NULL);
	ck_assert_str_eq(strmap_get(&t.p->config.labels, "a"), "1");
	ck_assert_str_eq(strmap_get(&t.p->config.labels, "b"), "0");
	ck_assert_str_eq(strmap_get(&t.p->config.labels, "l"), "env");
	ck_assert_str_eq(strmap_get(&t.p->config.labels, "t"), "top");
	ck_assert_uint_eq(t.p->step_count, 6);
	ck_assert_str_eq(t.p->steps[4].copy.texts[0].text, "INCLUDE env\n");
	ck_assert_uint_eq(t.p->steps[2].at.line, 1);
	ck_assert_uint_eq(t.p->steps[2].at.file, 2);
}
END_TEST

START_TEST(an_escape_character_is_the_files_own)
{
	SCOPE(build) struct build t;
	struct err e = ERR_INIT;

	including(&t, "FROM scratch\nENV A=1\nINCLUDE tick\nLABEL a=\\$A b=`$A d=$D\n", &e);
	build_ok(&t, NULL);
	const struct strlist *env = &t.p->config.env;
	ck_assert_str_eq(env->items[env->count - 3], "C=$A");
	ck_assert_str_eq(env->items[env->count - 2], "x=y");
	ck_assert_str_eq(env->items[env->count - 1], "D=\\");
	ck_assert_str_eq(strmap_get(&t.p->config.labels, "a"), "$A");
	ck_assert_str_eq(strmap_get(&t.p->config.labels, "b"), "`1");
}
END_TEST

static const struct {
	const char *text;
	enum err_code code;
	const char *report; /* a part of it */
} refused[] = {
	/* clang-format off */
	{"FROM scratch\nINCLUDE\n", ERR_SYNTAX, "F:2:1: INCLUDE needs an argument"},
	{"FROM scratch\nINCLUDE --x env\n", ERR_SYNTAX, "F:2:9: unknown flag '--x'"},
	{"FROM scratch\nINCLUDE none\n", ERR_NOT_FOUND, "F:2:9: no 'd/none' in the context\nINCLUDE none\n        ^"},
	{"FROM scratch\nINCLUDE /top\n", ERR_SYNTAX, "F:2:9: '/top': INCLUDE takes a path that is relative"},
	{"FROM scratch\nINCLUDE ../../top\n", ERR_SYNTAX, "F:2:9: '../../top' leads out of the context"},
	{"FROM scratch\nINCLUDE sub/../../../d/env\n", ERR_SYNTAX, "leads out of the context"},
	{"FROM scratch\nINCLUDE ..\n", ERR_SYNTAX, "F:2:9: '..' is no file"},
	{"FROM scratch\nINCLUDE https://example.org/x\n", ERR_UNSUPPORTED, "F:2:9: INCLUDE takes files of the context"},
	{"FROM scratch\nINCLUDE self\n", ERR_SYNTAX, "d/self:1:9: 'd/self' includes itself\nINCLUDE self\n        ^"},
	{"FROM scratch\nINCLUDE one\n", ERR_SYNTAX, "d/two:2:9: 'd/one' includes itself"},
	{"FROM scratch\nINCLUDE back\n", ERR_SYNTAX, "d/back:1:9: 'd/Shalefile' includes itself"},
	{"FROM scratch\nINCLUDE Shalefile\n", ERR_SYNTAX, "F:2:9: 'd/Shalefile' includes itself"},
	{"FROM scratch\nINCLUDE from\n", ERR_SYNTAX, "d/from:2:1: a file that is included cannot have FROM"},
	/* The fragment's own places, after those of the build file. */
	{"FROM scratch\nINCLUDE bad\nUSER\n", ERR_SYNTAX,
	 "F:3:1: USER needs an argument\nUSER\n^\nd/bad:2:1: ENV needs an argument\nENV\n^\n"
	 "d/bad:3:1: unknown instruction 'COPI' (did you mean 'COPY'?)\nCOPI x\n^"},
	{"FROM scratch\nINCLUDE open\n", ERR_SYNTAX, "d/open:1:6: heredoc 'E' without an end"},
	{"FROM scratch\nINCLUDE late\n", ERR_SYNTAX, "d/late:1:6: x: no"},
	{"INCLUDE sub/deeper\nFROM scratch\n", ERR_SYNTAX, "d/sub/deeper:1:1: USER stands before FROM"},
	{"FROM scratch\nONBUILD INCLUDE env\n", ERR_UNSUPPORTED, "ONBUILD is not supported"},
	/* clang-format on */
};

START_TEST(refuses_with_places)
{
	SCOPE(build) struct build t;
	struct err e = ERR_INIT;

	including(&t, refused[_i].text, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(build_run(&t, NULL, &e), -1);
	ck_assert_err(&e, refused[_i].code, refused[_i].report);
}
END_TEST

START_TEST(what_cannot_be_read_ends_the_work)
{
	SCOPE(build) struct build t;
	struct err e = ERR_INIT;

	including(&t, "FROM scratch\nINCLUDE ../broken\n", &e);
	ck_assert_ptr_null(t.b);
	ck_assert_err(&e, ERR_SYS, "F:2:9: cannot read");
}
END_TEST

START_TEST(a_tree_without_a_context_has_no_fragments)
{
	SCOPE(build) struct build t;
	struct err e = ERR_INIT;

	build_init(&t, "FROM scratch\nINCLUDE env\n");
	ck_assert_int_eq(build_run(&t, NULL, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "F:2:1: INCLUDE needs a context");
}
END_TEST

START_TEST(the_last_of_two_may_be_elsewhere)
{
	SCOPE(build) struct build t;
	SCOPE(str) struct str warnings = STR_INIT;
	struct err e = ERR_INIT;

	including(&t, "FROM scratch\nCMD b\nINCLUDE cmd\n", &e);
	build_ok(&t, NULL);
	ck_assert_int_eq(findings_warnings(&t.f, &warnings, &e), 0);
	ck_assert_ptr_nonnull(
		strstr(warnings.data, "F:2:1: warning: CMD stands again in line 1 of d/cmd;"));
}
END_TEST

/* Fragment n includes n + 1, as often as `width`; the one at `height` includes none. */
struct tower {
	size_t width, height;
	const char *fill;
	size_t reads;
};

static int read_floor(void *ctx, const char *path, struct str *out, struct err *e)
{
	struct tower *t = ctx;
	uint64_t floor;

	t->reads++;
	ck_assert_int_eq(str_to_size(path, &floor), 0);
	for (size_t i = 0; i < t->width && floor < t->height; i++)
		str_appendf(out, e, "INCLUDE %u\n", (unsigned)floor + 1);
	return str_append_z(out, t->fill, e) < 0 ? -1 : 1;
}

static void check_tower(size_t width, size_t height, const char *fill, const char *word,
			size_t max_reads)
{
	struct tower tower = {width, height, fill, 0};
	const struct includes in = {read_floor, &tower, "0"};
	SCOPE(source) struct source s = SOURCE_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(source_init(&s, "F", "INCLUDE 1\n", 10, &e), 0);
	SCOPE(findings) struct findings f = FINDINGS_INIT(&s);
	SCOPE(buildfile) struct buildfile *b = buildfile_parse_including(&s, &in, &f, &e);
	ck_assert_ptr_nonnull(b);
	findings_raise(&f, &e);
	ck_assert_err(&e, ERR_LIMIT, word);
	ck_assert_uint_le(tower.reads, max_reads);
}

START_TEST(fragments_have_limits)
{
	SCOPE(str) struct str fill = STR_INIT;
	struct err e = ERR_INIT;

	check_tower(1, 100, "", "fragments nest deeper than 16", LIMIT_INCLUDE_DEPTH);
	check_tower(40, 3, "", "more than 1000 fragments", LIMIT_INCLUDES);
	while (fill.len < LIMIT_MANIFEST / 4)
		ck_assert_int_eq(str_append_z(&fill, "# a line\n", &e), 0);
	check_tower(1, 100, fill.data, "have more than 1048576 bytes", 4);
}
END_TEST

START_TEST(paths_have_a_limit)
{
	SCOPE(build) struct build t;
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(str_append_z(&text, "FROM scratch\nINCLUDE ", &e), 0);
	for (size_t i = 0; i < LIMIT_PATH; i++) /* and "d/" before them */
		ck_assert_int_eq(str_append_c(&text, 'x', &e), 0);
	including(&t, str_text(&text), &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(build_run(&t, NULL, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "path is longer than 4095 bytes");
}
END_TEST

static int parse_once(void *arg, struct err *e)
{
	const struct includes in = {read_file, tree, "d/Shalefile"};
	SCOPE(source) struct source s = SOURCE_INIT;

	if (source_init(&s, "F", arg, strlen(arg), e) < 0)
		return -1;
	SCOPE(findings) struct findings f = FINDINGS_INIT(&s);
	SCOPE(buildfile) struct buildfile *b = buildfile_parse_including(&s, &in, &f, e);
	return b ? 0 : -1;
}

START_TEST(copes_without_memory)
{
	char text[] = "FROM scratch\nINCLUDE sub/inner\nINCLUDE tick\nINCLUDE bad\nINCLUDE from\n"
		      "INCLUDE none\nINCLUDE self\n";

	failalloc_each(parse_once, text);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("manifests/include");
	TCase *tc = tcase_create("fragments");

	tcase_add_loop_test(tc, stands_in_its_place, 0, ARRAY_LEN(good));
	tcase_add_test(tc, is_planned_like_one_file);
	tcase_add_test(tc, an_escape_character_is_the_files_own);
	tcase_add_loop_test(tc, refuses_with_places, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, what_cannot_be_read_ends_the_work);
	tcase_add_test(tc, a_tree_without_a_context_has_no_fragments);
	tcase_add_test(tc, the_last_of_two_may_be_elsewhere);
	tcase_add_test(tc, fragments_have_limits);
	tcase_add_test(tc, paths_have_a_limit);
	tcase_add_test(tc, copes_without_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
