/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include "base/limits.h"
#include "manifests/planning.h"

/* "name:text|name:text" of the last step. */
static void check_texts(const struct plan *p, const char *want)
{
	const struct plan_copy *c = &p->steps[p->step_count - 1].copy;
	SCOPE(str) struct str got = STR_INIT;
	struct err e = ERR_INIT;

	for (size_t k = 0; k < c->text_count; k++)
		str_appendf(&got, &e, "%s%s:%s", k ? "|" : "", c->texts[k].name, c->texts[k].text);
	ck_assert_no_err(&e);
	ck_assert_str_eq(str_text(&got), want);
}

static const struct {
	const char *text, *texts, *history;
} good[] = {
	/* clang-format off */
	{"COPY <<EOF /x\nhi\n there\nEOF\n", "EOF:hi\n there\n", "COPY <<EOF /x # buildkit"},
	{"COPY <<EOF /x\nEOF", "EOF:", "COPY <<EOF /x # buildkit"},
	{"COPY <<a.txt <<b.txt /d/\n1\na.txt\n2\nb.txt\n", "a.txt:1\n|b.txt:2\n", "COPY <<a.txt <<b.txt /d/ # buildkit"},
	/* Files of the context come first. */
	{"COPY <<E one two /d/\nx\nE\n", "E:x\n", "COPY one two <<E /d/ # buildkit"},
	{"COPY --chown=1 --chmod=u+x <<E /x\nx\nE\n", "E:x\n", "COPY --chown=1 --chmod=u+x <<E /x # buildkit"},
	{"COPY 3<<E /x\nx\nE\n", "E:x\n", "COPY <<E /x # buildkit"},
	/* Tabs, and only tabs, of all lines. */
	{"COPY <<-E /x\n\t\ta\n \tb\n\t\n\tE\n", "E:a\n \tb\n\n", "COPY <<E /x # buildkit"},
	{"COPY <<E /x\n\ta\n\tE\nE\n", "E:\ta\n\tE\n", "COPY <<E /x # buildkit"},
	/* Ends of lines are as they are. */
	{"COPY <<E /x\r\na\r\nb\nE\r\n", "E:a\r\nb\n", "COPY <<E /x # buildkit"},
	/* Variables, escapes; quotes are characters like others. */
	{"COPY <<E /x\n$V ${V:-x} ${n:-'d'} \"$V\" '$V'\nE\n", "E:val val 'd' \"val\" 'val'\n", "COPY <<E /x # buildkit"},
	{"COPY <<E /x\n\\$V \\\\ \\n it's\nE\n", "E:$V \\ n it's\n", "COPY <<E /x # buildkit"},
	{"COPY <<E /x\na\\\nb\nE\n", "E:a\nb\n", "COPY <<E /x # buildkit"},
	{"COPY <<'E' /x\n$V \\$V ${\nE\n", "E:$V \\$V ${\n", "COPY <<E /x # buildkit"},
	{"COPY <<\"E\" /x\n$V\nE\n", "E:$V\n", "COPY <<E /x # buildkit"},
	{"COPY <<-\"E\" /x\n\t$V\n\tE\n", "E:$V\n", "COPY <<E /x # buildkit"},
	{"COPY <<E'F' /x\n$V\nEF\n", "EF:$V\n", "COPY <<EF /x # buildkit"},
	/* A name is no word: nothing in it is expanded. */
	{"COPY <<$V /d/\nx\n$V\n", "$V:x\n", "COPY <<$V /d/ # buildkit"},
	{"COPY <<E /$V\nx\nE\n", "E:x\n", "COPY <<E /val # buildkit"},
	/* Of two bodies of one name, the later is the file; both are read. */
	{"COPY <<E <<E /d/\n1\nE\n2\nE\n", "E:1\n|E:2\n", "COPY <<E <<E /d/ # buildkit"},
	/* In the form of JSON, and behind quotes that do not pair, there are none. */
	{"COPY [\"<<E\", \"/x\"]\n", "", "COPY <<E /x # buildkit"},
	/* What looks like instructions is text. */
	{"COPY <<E /x\nFROM scratch\n# comment\n\nE\n", "E:FROM scratch\n# comment\n\n", "COPY <<E /x # buildkit"},
	/* clang-format on */
};

START_TEST(plans_heredocs)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;
	SCOPE_FREE char *text = str_dupf(&e, "FROM scratch\nARG V=val\n%s", good[_i].text);

	build_init(&t, text);
	build_ok(&t, NULL);
	check_texts(t.p, good[_i].texts);
	ck_assert_str_eq(t.p->steps[t.p->step_count - 1].history, good[_i].history);
}
END_TEST

START_TEST(the_backslash_escapes_whatever_the_directive_says)
{
	SCOPE(build) struct build t;

	build_init(&t, "# escape=`\nFROM scratch\nARG V=val\nCOPY <<E /x\n\\$V `$V\nE\n");
	build_ok(&t, NULL);
	check_texts(t.p, "E:$V `val\n");
}
END_TEST

START_TEST(a_text_need_not_be_utf_8)
{
	SCOPE(build) struct build t;

	build_init(&t, "FROM scratch\nCOPY <<E /x\n\xff\xfe\nE\n");
	build_ok(&t, NULL);
	check_texts(t.p, "E:\xff\xfe\n");
}
END_TEST

START_TEST(variables_that_are_not_set_are_told)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;
	SCOPE(str) struct str warnings = STR_INIT;

	build_init(&t, "FROM scratch\nCOPY a <<E /x/\n$none\nE\nCOPY <<'E' /x\n$other\nE\n");
	build_ok(&t, NULL);
	ck_assert_int_eq(findings_warnings(&t.f, &warnings, &e), 0);
	ck_assert_uint_eq(t.f.warning_count, 1);
	ck_assert_ptr_nonnull(
		strstr(str_text(&warnings), "F:2:8: warning: variable '$none' is not set"));
}
END_TEST

static const struct {
	const char *text, *where, *word;
	enum err_code code;
} refused[] = {
	/* clang-format off */
	{"COPY <<E\nx\nE\n", "F:2:1:", "source and a destination", ERR_SYNTAX},
	{"COPY a <<E\nx\nE\n", "F:2:8:", "destination cannot be a heredoc", ERR_SYNTAX},
	{"COPY <<E <<F /x\nE\nF\n", "F:2:14:", "ends in '/'", ERR_SYNTAX},
	{"COPY a <<F /x\nF\n", "F:2:12:", "ends in '/'", ERR_SYNTAX},
	{"COPY <<E /x\nx\n", "F:2:6:", "without an end", ERR_SYNTAX},
	{"COPY <<'' /x\n\n", "F:2:6:", "empty name", ERR_SYNTAX},
	{"COPY <<'a b' /d/\nx\na b\n", "F:2:6:", "cut at blanks", ERR_SYNTAX},
	{"COPY << E /d/\nx\nE\n", "F:2:6:", "cut at blanks", ERR_SYNTAX},
	{"COPY <<a/b /d/\nx\na/b\n", "F:2:6:", "no name of a file", ERR_SYNTAX},
	{"COPY <<../b /d/\nx\n../b\n", "F:2:6:", "no name of a file", ERR_SYNTAX},
	{"COPY <<.. /d/\nx\n..\n", "F:2:6:", "no name of a file", ERR_SYNTAX},
	{"COPY <<. /d\nx\n.\n", "F:2:6:", "no name of a file", ERR_SYNTAX},
	{"COPY <<.wh.a /d/\nx\n.wh.a\n", "F:2:6:", "'/d/.wh.a': no image can hold", ERR_UNSUPPORTED},
	/* Places inside of the text. */
	{"COPY <<E /x\nab${V\nE\n", "F:3:3:", "bad substitution", ERR_SYNTAX},
	{"COPY <<E /x\na\n\n  ${V:=x}\nE\n", "F:5:3:", "bad substitution", ERR_SYNTAX},
	{"COPY <<-E /x\n\ta\n\t\tb${none?gone}\n\tE\n", "F:4:4:", "none: gone", ERR_SYNTAX},
	{"COPY <<E <<F /d/\na\nE\n${\nF\n", "F:5:1:", "no name after", ERR_SYNTAX},
	/* clang-format on */
};

START_TEST(refuses_with_places)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;
	SCOPE_FREE char *text = str_dupf(&e, "FROM scratch\n%s", refused[_i].text);

	build_init(&t, text);
	ck_assert_msg(build_run(&t, NULL, &e) < 0, "accepted: %s", text);
	ck_assert_msg(strncmp(e.msg, refused[_i].where, strlen(refused[_i].where)) == 0, "%s",
		      e.msg);
	ck_assert_err(&e, refused[_i].code, refused[_i].word);
}
END_TEST

/* A line that doubles with each variable. */
START_TEST(a_text_has_the_limits_of_words)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;
	SCOPE(str) struct str text = STR_INIT;

	str_append_z(&text, "FROM scratch\nARG a=0123456789abcdef\n", &e);
	for (char c = 'b'; c <= 'i'; c++)
		str_appendf(&text, &e, "ARG %c=$%c$%c$%c$%c\n", c, c - 1, c - 1, c - 1, c - 1);
	str_append_z(&text, "COPY <<E /x\n$i$i\nE\n", &e);
	ck_assert_no_err(&e);
	build_init(&t, text.data);
	ck_assert_int_eq(build_run(&t, NULL, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "F:12:1: a word grows beyond");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("manifests/plan_heredoc");
	TCase *tc = tcase_create("heredocs");

	tcase_add_loop_test(tc, plans_heredocs, 0, ARRAY_LEN(good));
	tcase_add_test(tc, the_backslash_escapes_whatever_the_directive_says);
	tcase_add_test(tc, a_text_need_not_be_utf_8);
	tcase_add_test(tc, variables_that_are_not_set_are_told);
	tcase_add_loop_test(tc, refuses_with_places, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, a_text_has_the_limits_of_words);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
