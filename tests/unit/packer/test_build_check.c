/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/build_check.h"

#include "main.h"
#include "packer/stages.h"

/* A manifest, planned. */
struct planned {
	struct source source;
	struct findings f;
	struct buildfile *file;
	struct plan *plan;
};

static void planned_fini(struct planned *t)
{
	plan_free(t->plan);
	buildfile_free(t->file);
	findings_fini(&t->f);
	source_fini(&t->source);
}
SCOPE_DEFINE_VALUE(planned, struct planned, planned_fini)

static void planned_init(struct planned *t, const char *steps)
{
	static const struct strmap args = STRMAP_INIT;
	static const struct plan_inputs in = {
		.build_args = &args,
		.target = {"linux", "amd64", NULL},
		.build = {"linux", "amd64", NULL},
	};
	struct err e = ERR_INIT;
	SCOPE_FREE char *text = str_dupf(&e, "FROM scratch\n%s", steps);

	*t = (struct planned){.source = SOURCE_INIT};
	ck_assert_int_eq(source_init(&t->source, "F", text, strlen(text), &e), 0);
	t->f = (struct findings)FINDINGS_INIT(&t->source);
	t->file = buildfile_parse(&t->source, &t->f, &e);
	ck_assert_no_err(&e);
	t->plan = plan_new(t->file, &in, &t->f, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(plan_stage(t->plan, NULL, &e), 0);
	ck_assert_no_err(&e);
}

/* "2:6 3:14 ", in the order of discovery, of findings that have this word. */
static void check_places(const struct findings *f, const char *word, const char *want)
{
	SCOPE(str) struct str got = STR_INIT;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < f->count; i++) {
		const struct finding *one = &f->items[i];
		if (strstr(one->msg, word))
			str_appendf(&got, &e, "%u:%u ", one->at.line, one->at.column);
	}
	ck_assert_no_err(&e);
	ck_assert_str_eq(str_text(&got), want);
}

static void make_context(void)
{
	stages_setup();
	stages_write("app", "app");
	stages_write("passwd", "root:x:0:0::/:\n");
	stages_dir("etc");
	stages_write("etc/passwd", "x");
	stages_dir("tree");
	stages_write("tree/file", "x");
}

static const struct {
	const char *steps, *places, *empty;
} sources[] = {
	{"COPY app tree /x/\nCOPY . /\nCOPY *.none /y/\n", "", "4:6 "},
	{"COPY none app nil /x/\nWORKDIR /w\nCOPY tree/lost /y\n", "2:6 2:15 4:6 ", ""},
	{"COPY none /x\nENV a\nUSER\nCOPY none /y\n", "2:6 5:6 ", ""},
	{"COPY --parents none tree/./lost /x/\nCOPY --parents *.none /x\n", "2:16 2:21 ", "3:16 "},
	{"COPY --parents --exclude=* tree etc/./passwd . etc/./ /x/\n", "", ""},
};

START_TEST(finds_all_missing_sources)
{
	SCOPE(planned) struct planned t;
	SCOPE(context) struct context *c = stages_context();
	struct err e = ERR_INIT;

	planned_init(&t, sources[_i].steps);
	ck_assert_int_eq(build_check_sources(t.plan, c, &t.f, &e), 0);
	ck_assert_no_err(&e);
	check_places(&t.f, "no '", sources[_i].places);
	check_places(&t.f, "nothing in the context matches '*.none'", sources[_i].empty);
	ck_assert_uint_eq(t.f.warning_count, sources[_i].empty[0] != '\0');
}
END_TEST

static const struct stages_file plain[] = {
	{ENTRY_DIR, "etc", NULL},
	{ENTRY_REG, "etc/passwd", "app:x:7:7::/:\n"},
	{ENTRY_SYMLINK, "way", "etc"},
	{ENTRY_REG, NULL, NULL},
};
static const struct stages_file linked[] = {
	{ENTRY_DIR, "etc", NULL}, {ENTRY_SYMLINK, "etc/passwd", "../usr/passwd"},
	{ENTRY_DIR, "usr", NULL}, {ENTRY_REG, "usr/passwd", "app:x:7:7::/:\n"},
	{ENTRY_REG, NULL, NULL},
};

/* Steps begin in line 2; `next` counts from 0. */
static const struct {
	const char *steps, *places;
	size_t next;
	const struct stages_file *base;
} owners[] = {
	{"COPY --chown=app app /x\nCOPY --chown=1:2 app /y\nUSER app\nWORKDIR /w\n", "", 4, plain},
	{"COPY --chown=a app /x\nCOPY --chown=b:c app /y\nCOPY --chown=app:d app /z\n",
	 "2:14 3:14 4:14 ", 3, plain},
	{"USER a\nWORKDIR /w\nWORKDIR v\nUSER b\nWORKDIR u\n", "2:6 5:6 ", 5, plain},
	{"COPY --chown=a app /x\n", "2:14 ", 1, NULL},
	/* What may bring accounts ends it: the step itself is still checked. */
	{"COPY --chown=a . /\nCOPY --chown=b app /x\n", "2:14 ", 1, plain},
	{"COPY etc /etc\nCOPY --chown=b app /x\n", "", 1, plain},
	{"COPY passwd /etc/\nCOPY --chown=b app /x\n", "", 1, plain},
	{"COPY passwd /etc\nCOPY --chown=b app /x\n", "", 1, plain},
	{"COPY app /etc/group\nCOPY --chown=b app /x\n", "", 1, plain},
	{"COPY passwd /way/\nCOPY --chown=b app /x\n", "", 1, plain},
	{"COPY pass* /etc/\nCOPY --chown=b app /x\n", "", 1, plain},
	{"COPY app /usr/lib/x\nCOPY --chown=b app /x\n", "", 1, linked},
	{"COPY <<E /etc/passwd\nE\nCOPY --chown=b app /x\n", "", 1, plain},
	{"COPY <<passwd /etc/\npasswd\nCOPY --chown=b app /x\n", "", 1, plain},
	{"ADD app /etc/\nCOPY --chown=b app /x\n", "", 1, plain},
	{"COPY --parents etc/passwd /\nCOPY --chown=b app /x\n", "", 1, plain},
	/* What cannot does not. */
	{"ADD app /srv/\nCOPY --chown=b app /x\n", "3:14 ", 2, plain},
	{"ADD --unpack=false app /etc/\nCOPY --chown=b app /x\n", "3:14 ", 2, plain},
	{"COPY <<E /etc/\nE\nCOPY --chown=b app /x\n", "4:14 ", 2, plain},
	{"COPY app /etc/\nCOPY --chown=b app /x\n", "3:14 ", 2, plain},
	{"COPY tree /etc/x/\nCOPY --chown=b app /x\n", "3:14 ", 2, plain},
	{"COPY --link passwd /way/\nCOPY --chown=b app /x\n", "3:14 ", 2, plain},
	{"COPY app /srv/\nCOPY app /srv/sub/\nCOPY --chown=b app /x\n", "4:14 ", 3, plain},
	{"COPY none /etc/\nCOPY --chown=b app /x\n", "3:14 ", 2, plain},
	/* A tree may have brought a link. */
	{"COPY tree /srv/\nCOPY tree /srv/\nCOPY --chown=b app /x\n", "4:14 ", 3, plain},
	{"COPY tree /srv/\nCOPY tree /srv/sub/\nCOPY --chown=b app /x\n", "", 2, plain},
	/* Left out, and may have brought accounts. */
	{"COPY --chown=a app /x\nCOPY app\nCOPY --chown=b app /x\n", "2:14 ", 2, plain},
	{"COPY --chown=a app /x\nUSER\nCOPY --chown=b app /x\n", "2:14 4:14 ", 2, plain},
};

START_TEST(finds_unknown_owners_that_are_certain)
{
	SCOPE(planned) struct planned t;
	SCOPE(context) struct context *c = stages_context();
	struct err e = ERR_INIT;
	size_t next = 99;

	planned_init(&t, owners[_i].steps);
	const struct stage *st = stages_new(owners[_i].base);
	ck_assert_int_eq(build_check_owners(t.plan, c, st, 0, &next, &t.f, &e), 0);
	ck_assert_no_err(&e);
	check_places(&t.f, "of the image", owners[_i].places);
	ck_assert_uint_eq(next, owners[_i].next);
}
END_TEST

START_TEST(goes_on_from_a_step)
{
	SCOPE(planned) struct planned t;
	SCOPE(context) struct context *c = stages_context();
	struct err e = ERR_INIT;
	size_t next = 0;

	planned_init(&t, "COPY --chown=a app /x\nCOPY etc /etc\nCOPY --chown=b app /y\n");
	const struct stage *st = stages_new(plain);
	ck_assert_int_eq(build_check_owners(t.plan, c, st, 2, &next, &t.f, &e), 0);
	ck_assert_no_err(&e);
	check_places(&t.f, "of the image", "4:14 ");
	ck_assert_uint_eq(next, 3);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/build_check");
	TCase *tc = tcase_create("checks");

	tcase_add_checked_fixture(tc, make_context, stages_teardown);
	tcase_add_loop_test(tc, finds_all_missing_sources, 0, ARRAY_LEN(sources));
	tcase_add_loop_test(tc, finds_unknown_owners_that_are_certain, 0, ARRAY_LEN(owners));
	tcase_add_test(tc, goes_on_from_a_step);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
