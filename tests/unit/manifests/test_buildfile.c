/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include <stdlib.h>

#include "base/limits.h"
#include "manifests/buildfile.h"

/* A file and its tree; the tree's errors are in `f`. */
struct parsed {
	struct source source;
	struct findings f;
	struct buildfile *b;
};

static void parsed_init(struct parsed *p, const char *text)
{
	struct err e = ERR_INIT;

	p->source = (struct source)SOURCE_INIT;
	ck_assert_int_eq(source_init(&p->source, "F", text, strlen(text), &e), 0);
	p->f = (struct findings)FINDINGS_INIT(&p->source);
	p->b = buildfile_parse(&p->source, &p->f, &e);
	ck_assert_no_err(&e);
	ck_assert_ptr_nonnull(p->b);
}

static void parsed_fini(struct parsed *p)
{
	buildfile_free(p->b);
	findings_fini(&p->f);
	source_fini(&p->source);
}
SCOPE_DEFINE_VALUE(parsed, struct parsed, parsed_fini)

static const struct {
	const char *text, *dump;
} trees[] = {
	/* clang-format off */
	{"", ""},
	{"\n \n# comment\n\t# another\n", ""},
	{"FROM scratch", "(from \"scratch\")\n"},
	{"from scratch AS  base\n", "(from \"scratch\" \"AS\" \"base\")\n"},
	{"  FROM\tx\r\n", "(from \"x\")\n"},
	{"FROM \"x y\"", "(from \"\\\"x\" \"y\\\"\")\n"},
	{"FROM --platform=$BUILDPLATFORM x", "(from [\"--platform=$BUILDPLATFORM\"] \"x\")\n"},
	/* continuation */
	{"FROM \\\nx", "(from \"x\")\n"},
	{"FROM \\  \t\nx", "(from \"x\")\n"},
	{"FR\\\nOM x", "(from \"x\")\n"},
	{"\\\nFROM x", "(from \"x\")\n"},
	{"\\\n\\\n", ""},
	{"  \\\n  \\\n # c\n", ""},
	{"FROM x\\", "(from \"x\")\n"},
	{"FROM x \\\n", "(from \"x\")\n"},
	{"USER a\\\\\nFROM x", "(user \"a\\\\\\\\\")\n(from \"x\")\n"},
	{"USER a\\\n  b\\\n\tc", "(user \"a  b\\tc\")\n"},
	{"USER a \\\n# comment\n b", "(user \"a  b\")\n"},
	{"USER a \\\n  # comment \\\n b", "(user \"a  b\")\n"},
	{"USER a \\\n\n\n b", "(user \"a  b\")\n"},
	{"USER a \\\r\n b\r\n", "(user \"a  b\")\n"},
	{"USER a # b", "(user \"a # b\")\n"},
	{"USER a\\ b", "(user \"a\\\\ b\")\n"},
	/* directives */
	{"# escape=`\nUSER a`\nb\\\nFROM x", "(user \"ab\\\\\")\n(from \"x\")\n"},
	{"#escape = ` \nUSER a `\n b", "(user \"a  b\")\n"},
	{"  # EsCaPe=`\nUSER a`\nb", "(user \"ab\")\n"},
	{"# syntax=docker/dockerfile:1\n# escape=`\nUSER a`\nb", "(user \"ab\")\n"},
	{"# check=skip=all\n# escape=`\nUSER a`\nb", "(user \"ab\")\n"},
	{"# comment\n# escape=`\nUSER a\\\nb", "(user \"ab\")\n"},
	{"\n# escape=`\nUSER a\\\nb", "(user \"ab\")\n"},
	{"# unknown=1\n# escape=`\nUSER a\\\nb", "(user \"ab\")\n"},
	{"# shale=1\n# escape=`\nUSER a\\\nb", "(user \"ab\")\n"},
	{"FROM x\n# escape=`\nUSER a\\\nb", "(from \"x\")\n(user \"ab\")\n"},
	{"#!/usr/bin/shale\n# escape=`\nUSER a\\\nb", "(user \"ab\")\n"},
	{"# escape =\nUSER a\\\nb", "(user \"ab\")\n"},
	/* flags */
	{"COPY --link --chown=a:b  x y", "(copy [\"--link\" \"--chown=a:b\"] \"x\" \"y\")\n"},
	{"COPY --chmod=\"0644\" x y", "(copy [\"--chmod=0644\"] \"x\" \"y\")\n"},
	{"COPY \"--link\" x y", "(copy \"\\\"--link\\\"\" \"x\" \"y\")\n"},
	{"COPY --exclude='a b' x y", "(copy [\"--exclude=a b\"] \"x\" \"y\")\n"},
	{"COPY --exclude=a\\ b x y", "(copy [\"--exclude=a b\"] \"x\" \"y\")\n"},
	{"COPY --exclude=a\\\n--link x y", "(copy [\"--exclude=a--link\"] \"x\" \"y\")\n"},
	{"COPY --exclude=a \\\n --link x y", "(copy [\"--exclude=a\" \"--link\"] \"x\" \"y\")\n"},
	{"COPY -- --link y", "(copy \"--link\" \"y\")\n"},
	{"COPY --link -- --x y", "(copy [\"--link\"] \"--x\" \"y\")\n"},
	{"COPY x --link y", "(copy \"x\" \"--link\" \"y\")\n"},
	{"COPY --exclude= x y", "(copy [\"--exclude=\"] \"x\" \"y\")\n"},
	{"COPY --exclude=a=b x y", "(copy [\"--exclude=a=b\"] \"x\" \"y\")\n"},
	{"COPY --link", "(copy [\"--link\"])\n"},
	{"CMD -a --b", "(cmd \"-a --b\")\n"},
	/* words and JSON */
	{"COPY a   b\tc", "(copy \"a\" \"b\" \"c\")\n"},
	{"COPY [\"a b\", \"c\"]", "(copy \"a b\" \"c\")\n"},
	{"COPY [ \"a\" ,\"b\" ] ", "(copy \"a\" \"b\")\n"},
	{"COPY ['a', 'b']", "(copy \"['a',\" \"'b']\")\n"},
	{"COPY [\"a\", \"b\"", "(copy \"[\\\"a\\\",\" \"\\\"b\\\"\")\n"},
	{"CMD [\"a\", \"b\\\"\\n\\u00e9\"]", "(cmd \"a\" \"b\\\"\\n\xc3\xa9\")\n"},
	{"CMD []", "(cmd)\n"},
	{"CMD [ ]", "(cmd)\n"},
	{"CMD", "(cmd)\n"},
	{"CMD a  'b' \"c\"", "(cmd \"a  'b' \\\"c\\\"\")\n"},
	{"CMD [\"a\"] b", "(cmd \"[\\\"a\\\"] b\")\n"},
	{"CMD [ -f x ]", "(cmd \"[ -f x ]\")\n"},
	{"CMD [\"a\",]", "(cmd \"[\\\"a\\\",]\")\n"},
	{"CMD \"[a]\"", "(cmd \"\\\"[a]\\\"\")\n"},
	{"CMD [\"a\\\\\", \\\n \"b\"]", "(cmd \"a\\\\\" \"b\")\n"},
	{"SHELL [\"/bin/bash\", \"-c\"]", "(shell \"/bin/bash\" \"-c\")\n"},
	{"VOLUME /a /b", "(volume \"/a\" \"/b\")\n"},
	{"VOLUME [\"/a b\"]", "(volume \"/a b\")\n"},
	{"EXPOSE 80 443/tcp", "(expose \"80\" \"443/tcp\")\n"},
	{"EXPOSE [\"80\"]", "(expose \"[\\\"80\\\"]\")\n"},
	{"WORKDIR /a b ", "(workdir \"/a b\")\n"},
	/* pairs */
	{"ENV a=b", "(env \"a\" \"b\" \"=\")\n"},
	{"ENV a=b c=\"d e\" f='g h' i=j\\ k",
	 "(env \"a\" \"b\" \"=\" \"c\" \"\\\"d e\\\"\" \"=\" \"f\" \"'g h'\" \"=\" \"i\" \"j\\\\ k\" \"=\")\n"},
	{"ENV a=", "(env \"a\" \"\" \"=\")\n"},
	{"ENV a=b=c", "(env \"a\" \"b=c\" \"=\")\n"},
	{"ENV a=b\\", "(env \"a\" \"b\" \"=\")\n"},
	{"ENV a=\"b\\\"c d\"", "(env \"a\" \"\\\"b\\\\\\\"c d\\\"\" \"=\")\n"},
	{"ENV a='b\\' c=d", "(env \"a\" \"'b\\\\'\" \"=\" \"c\" \"d\" \"=\")\n"},
	{"ENV a=b \\\n  c=d", "(env \"a\" \"b\" \"=\" \"c\" \"d\" \"=\")\n"},
	{"ENV a=\"b", "(env \"a\" \"\\\"b\" \"=\")\n"},
	{"ENV a b", "(env \"a\" \"b\" \"\")\n"},
	{"ENV a  b  c = d", "(env \"a\" \"b  c = d\" \"\")\n"},
	{"ENV a\tb=c", "(env \"a\" \"b=c\" \"\")\n"},
	{"LABEL \"a.b\"=\"c d\" e=f", "(label \"\\\"a.b\\\"\" \"\\\"c d\\\"\" \"=\" \"e\" \"f\" \"=\")\n"},
	{"ARG a b=c d=\"e f\"", "(arg \"a\" \"b=c\" \"d=\\\"e f\\\"\")\n"},
	/* health and triggers */
	{"HEALTHCHECK NONE", "(healthcheck \"NONE\")\n"},
	{"HEALTHCHECK --interval=5s CMD a b", "(healthcheck [\"--interval=5s\"] \"CMD\" \"a b\")\n"},
	{"HEALTHCHECK CMD [\"a\", \"b\"]", "(healthcheck \"CMD\" \"a\" \"b\")\n"},
	{"HEALTHCHECK", "(healthcheck)\n"},
	{"ONBUILD RUN a b", "(onbuild (run \"a b\"))\n"},
	{"ONBUILD  COPY --link a \\\n b", "(onbuild (copy [\"--link\"] \"a\" \"b\"))\n"},
	{"ONBUILD", "(onbuild)\n"},
	{"MAINTAINER a <b@c>", "(maintainer \"a <b@c>\")\n"},
	{"RUN --mount=type=cache,target=/x make", "(run [\"--mount=type=cache,target=/x\"] \"make\")\n"},
	{"USE curl=1.0 jq", "(use \"curl=1.0 jq\")\n"},
	/* heredocs: the bodies are no lines of their own */
	{"RUN <<EOF\necho a\nFROM b\nEOF\nUSER c", "(run \"<<EOF\")\n(user \"c\")\n"},
	{"COPY <<A <<\"B\" /x\nB\nA\nA\nB\nUSER c", "(copy \"<<A\" \"<<\\\"B\\\"\" \"/x\")\n(user \"c\")\n"},
	{"RUN <<-EOF\n\techo\n\t\tEOF\nUSER c", "(run \"<<-EOF\")\n(user \"c\")\n"},
	{"RUN <<EOF\n\tEOF\nEOF\nUSER c", "(run \"<<EOF\")\n(user \"c\")\n"},
	{"RUN <<'E F'\nE\nE F\nUSER c", "(run \"<<'E F'\")\n(user \"c\")\n"},
	{"RUN 3<<EOF\r\na\r\nEOF\r\nUSER c", "(run \"3<<EOF\")\n(user \"c\")\n"},
	{"RUN << EOF\na\nEOF\nUSER c", "(run \"<< EOF\")\n(user \"c\")\n"},
	{"RUN <<$X\n$X\nUSER c", "(run \"<<$X\")\n(user \"c\")\n"},
	{"RUN \"<<EOF\"\nUSER c", "(run \"\\\"<<EOF\\\"\")\n(user \"c\")\n"},
	{"RUN cat <<\nUSER c", "(run \"cat <<\")\n(user \"c\")\n"},
	{"RUN \\<<EOF\nUSER c", "(run \"\\\\<<EOF\")\n(user \"c\")\n"},
	{"RUN a<<EOF\nUSER c", "(run \"a<<EOF\")\n(user \"c\")\n"},
	{"RUN <<<EOF\nUSER c", "(run \"<<<EOF\")\n(user \"c\")\n"},
	{"RUN echo it's <<EOF\nUSER c", "(run \"echo it's <<EOF\")\n(user \"c\")\n"},
	{"RUN [\"<<EOF\"]\nUSER c", "(run \"<<EOF\")\n(user \"c\")\n"},
	{"USER <<EOF\nUSER c", "(user \"<<EOF\")\n(user \"c\")\n"},
	{"ONBUILD RUN <<EOF\nx\nEOF\nUSER c", "(onbuild (run \"<<EOF\"))\n(user \"c\")\n"},
	{"\xef\xbb\xbf" "FROM x", "(from \"x\")\n"},
	{"FROM x\xc2\xa0", "(from \"x\")\n"},
	/* clang-format on */
};

START_TEST(builds_trees)
{
	struct err e = ERR_INIT;
	SCOPE(parsed) struct parsed p;
	SCOPE(str) struct str dump = STR_INIT;

	parsed_init(&p, trees[_i].text);
	ck_assert_int_eq(findings_raise(&p.f, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_int_eq(buildfile_dump(p.b, &dump, &e), 0);
	ck_assert_msg(strcmp(str_text(&dump), trees[_i].dump) == 0, "%s\ngives %s", trees[_i].text,
		      str_text(&dump));
}
END_TEST

static const struct {
	const char *text, *where, *word;
	enum err_code code;
} refused[] = {
	/* clang-format off */
	{"FORM x", "F:1:1:", "did you mean 'FROM'", ERR_SYNTAX},
	{"FROM x\n  CPOY a b", "F:2:3:", "unknown instruction 'CPOY' (did you mean 'COPY'?)", ERR_SYNTAX},
	{"XYZZY a", "F:1:1:", "unknown instruction 'XYZZY'\n", ERR_SYNTAX},
	{"FROM x\n\\\n  \\\n  FOO", "F:4:3:", "unknown", ERR_SYNTAX},
	{"\x1b[2J", "F:1:1:", "\\x1b[2J", ERR_SYNTAX},
	{"# escape=x\nFROM x", "F:1:10:", "escape character", ERR_SYNTAX},
	{"# escape=\\\\\nFROM x", "F:1:10:", "escape character", ERR_SYNTAX},
	{"# escape=`\n# escape=`\nFROM x", "F:2:10:", "only one", ERR_SYNTAX},
	{"# syntax=docker/dockerfile\n#Syntax=b\nFROM x", "F:2:9:", "only one", ERR_SYNTAX},
	{"# syntax=acme/builder:1 x\nFROM x", "F:1:10:", "'acme/builder:1 x'", ERR_UNSUPPORTED},
	{"#!shale\n# syntax=acme/builder\nFROM x", "F:2:10:", "acme", ERR_UNSUPPORTED},
	{"// syntax=acme/builder\n", "F:1:1:", "F:1:11: the syntax 'acme/builder'", ERR_SYNTAX},
	{"{\"syntax\": \"acme/builder\"}", "F:1:1:", "acme", ERR_SYNTAX},
	{"ENV a", "F:1:5:", "ENV needs a name and a value", ERR_SYNTAX},
	{"LABEL \\\n  a", "F:2:3:", "LABEL needs", ERR_SYNTAX},
	{"ENV a=b c d=e", "F:1:9:", "no '=' in 'c'", ERR_SYNTAX},
	{"ENV a=b \\\n  # x\n\tc", "F:3:2:", "no '='", ERR_SYNTAX},
	{"CMD [1]", "F:1:5:", "strings only", ERR_SYNTAX},
	{"CMD [\"a\", [\"b\"]]", "F:1:5:", "strings only", ERR_SYNTAX},
	{"CMD [\"a\", null]", "F:1:5:", "strings only", ERR_SYNTAX},
	{"COPY [{}]", "F:1:6:", "strings only", ERR_SYNTAX},
	{"CMD [\"a\", \"b\\u0000\"]", "F:1:12:", "NUL", ERR_SYNTAX},
	{"ONBUILD ONBUILD RUN x", "F:1:9:", "ONBUILD within ONBUILD", ERR_SYNTAX},
	{"ONBUILD RUM x", "F:1:9:", "did you mean 'RUN'", ERR_SYNTAX},
	{"RUN <<EOF\na\n", "F:1:5:", "'EOF' without an end", ERR_SYNTAX},
	{"RUN a \\\n  <<EOF <<B\nEOF\n", "F:2:9:", "'B' without an end", ERR_SYNTAX},
	{"RUN <<''\n\n", "F:1:5:", "empty name", ERR_SYNTAX},
	/* clang-format on */
};

START_TEST(refuses_with_places)
{
	struct err e = ERR_INIT;
	SCOPE(parsed) struct parsed p;

	parsed_init(&p, refused[_i].text);
	ck_assert_msg(findings_raise(&p.f, &e) < 0, "accepted: %s", refused[_i].text);
	ck_assert_msg(strncmp(e.msg, refused[_i].where, strlen(refused[_i].where)) == 0, "%s",
		      e.msg);
	ck_assert_err(&e, refused[_i].code, refused[_i].word);
}
END_TEST

static const struct {
	const char *text, *where, *word;
} warned[] = {
	{"USER a \\\n\n b", "F:2:1: warning", "empty line"},
	{"CMD ['a', 'b']", "F:1:5: warning", "no JSON"},
	{"COPY [a, b]", "F:1:6: warning", "no JSON"},
};

START_TEST(warns_with_places)
{
	struct err e = ERR_INIT;
	SCOPE(parsed) struct parsed p;
	SCOPE(str) struct str text = STR_INIT;

	parsed_init(&p, warned[_i].text);
	ck_assert_int_eq(findings_raise(&p.f, &e), 0);
	ck_assert_int_eq(findings_warnings(&p.f, &text, &e), 0);
	ck_assert_msg(strncmp(str_text(&text), warned[_i].where, strlen(warned[_i].where)) == 0 &&
			      strstr(str_text(&text), warned[_i].word),
		      "%s", str_text(&text));
}
END_TEST

START_TEST(accepts_dockers_own_syntaxes)
{
	static const char *const names[] = {
		"docker/dockerfile",
		"docker/dockerfile:1",
		"docker/dockerfile:1.7-labs",
		"docker.io/docker/dockerfile:1",
		"docker/dockerfile-upstream:master",
		"localhost:5000/docker/dockerfile",
		"docker/dockerfile:1@sha256:0123",
		"docker/dockerfile:1 with words behind",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct err e = ERR_INIT;
		SCOPE_FREE char *text = str_dupf(&e, "# syntax=%s\nFROM x\n", names[i]);
		SCOPE(parsed) struct parsed p;
		parsed_init(&p, text);
		ck_assert_int_eq(findings_raise(&p.f, &e), 0);
		ck_assert_uint_eq(p.b->directive_count, 1);
		ck_assert_str_eq(p.b->directives[0].name, "syntax");
		ck_assert_str_eq(p.b->directives[0].value, names[i]);
	}
}
END_TEST

START_TEST(a_directive_is_a_comment)
{
	static const char *const texts[] = {"xescape=`\nUSER x", "\nUSER x", "x", ""};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		SCOPE(parsed) struct parsed p;
		parsed_init(&p, texts[i]);
		ck_assert_uint_eq(p.b->directive_count, 0);
		ck_assert_int_eq(p.b->escape, '\\');
	}
}
END_TEST

static void check_place(struct place got, uint32_t line, uint32_t column)
{
	ck_assert_msg(got.line == line && got.column == column, "%u:%u, not %u:%u", got.line,
		      got.column, line, column);
}

START_TEST(keeps_places_across_continuations)
{
	SCOPE(parsed) struct parsed p;

	parsed_init(&p, "FROM x\n\n  COPY --chown=a:b \\\n  # note\n\n\t--chmod='644' \\\n"
			"   src \\\n dst\n");
	const struct instruction *i = p.b->instructions[1];
	check_place(instruction_place(i, i->name_offset), 3, 3);
	check_place(instruction_place(i, i->flags[0].offset), 3, 8);
	check_place(instruction_place(i, i->flags[0].value_offset), 3, 16);
	check_place(instruction_place(i, i->flags[1].offset), 6, 2);
	check_place(instruction_place(i, i->flags[1].value_offset), 6, 10);
	check_place(instruction_place(i, i->words[0].offset), 7, 4);
	check_place(instruction_place(i, i->words[1].offset), 8, 2);
	ck_assert_uint_eq(i->first_line, 3);
	ck_assert_uint_eq(i->last_line, 8);
}
END_TEST

START_TEST(keeps_places_of_json_words)
{
	SCOPE(parsed) struct parsed p;

	parsed_init(&p, "CMD [\"a\\\"\", \\\n  \"b\",\"\\u0041c\"]");
	const struct instruction *i = p.b->instructions[0];
	ck_assert_uint_eq(i->word_count, 3);
	check_place(instruction_place(i, i->words[0].offset), 1, 7);
	check_place(instruction_place(i, i->words[1].offset), 2, 4);
	check_place(instruction_place(i, i->words[2].offset), 2, 8);
	ck_assert_str_eq(i->words[2].text, "Ac");
	ck_assert(!i->words[2].is_verbatim);
}
END_TEST

START_TEST(knows_heredocs)
{
	SCOPE(parsed) struct parsed p;

	parsed_init(&p, "COPY 4<<-\"a b\" <<e\\'f <<'g'h /x\nbody\n\ta b\n1\n2\ne'f\ngh\nUSER z");
	const struct instruction *i = p.b->instructions[0];
	ck_assert_uint_eq(p.f.error_count, 0);
	ck_assert_uint_eq(i->heredoc_count, 3);
	ck_assert_str_eq(i->heredocs[0].name, "a b");
	ck_assert(i->heredocs[0].is_chomped && !i->heredocs[0].is_expanded);
	ck_assert_uint_eq(i->heredocs[0].fd, 4);
	ck_assert_uint_eq(i->heredocs[0].first_line, 2);
	ck_assert_uint_eq(i->heredocs[0].line_count, 1);
	ck_assert_str_eq(i->heredocs[1].name, "e'f");
	ck_assert(!i->heredocs[1].is_chomped && i->heredocs[1].is_expanded);
	ck_assert_uint_eq(i->heredocs[1].first_line, 4);
	ck_assert_uint_eq(i->heredocs[1].line_count, 2);
	ck_assert_str_eq(i->heredocs[2].name, "gh");
	ck_assert(!i->heredocs[2].is_expanded);
	ck_assert_uint_eq(i->heredocs[2].line_count, 0);
	ck_assert_uint_eq(i->last_line, 7);
	ck_assert_uint_eq(p.b->count, 2);
}
END_TEST

START_TEST(goes_on_after_errors)
{
	struct err e = ERR_INIT;
	SCOPE(parsed) struct parsed p;

	parsed_init(&p, "FRO x\nENV a\nCMD [1]\nUSER ok\n");
	ck_assert_uint_eq(p.f.error_count, 3);
	ck_assert_uint_eq(p.b->count, 4);
	ck_assert(p.b->instructions[0]->is_broken && p.b->instructions[1]->is_broken &&
		  p.b->instructions[2]->is_broken && !p.b->instructions[3]->is_broken);
	ck_assert_int_eq(findings_raise(&p.f, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "F:3:5:"));
	ck_assert_err(&e, ERR_SYNTAX, "F:1:1:");
}
END_TEST

START_TEST(limits_instructions)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str text = STR_INIT;

	for (size_t i = 0; i < LIMIT_INSTRUCTIONS && e.code == ERR_NONE; i++)
		str_append_z(&text, "USER a\n", &e);
	ck_assert_no_err(&e);
	SCOPE(parsed) struct parsed p;
	parsed_init(&p, text.data);
	ck_assert_uint_eq(p.f.error_count, 0);
	ck_assert_int_eq(str_append_z(&text, "USER b\nUSER c\n", &e), 0);
	SCOPE(parsed) struct parsed more;
	parsed_init(&more, text.data);
	ck_assert_uint_eq(more.b->count, LIMIT_INSTRUCTIONS);
	ck_assert_int_eq(findings_raise(&more.f, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "F:20001:1: more than");
}
END_TEST

/* One logical line as long as a file may be, of what is worst for each rule. */
START_TEST(is_fast_on_long_lines)
{
	static const char *const starts[] = {
		"ENV ",        "COPY ", "CMD [", "ARG ", "RUN ", "LABEL x ", "HEALTHCHECK CMD [",
		"ONBUILD RUN "};
	static const char *const parts[] = {"a=b ", "--x ", "[", "\"", "<<a ", "\\ ", "'", "a "};
	struct err e = ERR_INIT;
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(parsed) struct parsed p;

	ck_assert_int_eq(str_append_z(&text, starts[_i / 8], &e), 0);
	/* No ck_assert for each: it writes to a file. */
	for (size_t line = 0; e.code == ERR_NONE && text.len + 60100 < LIMIT_MANIFEST;) {
		if (str_append_z(&text, parts[_i % 8], &e) < 0 || text.len - line < 60000)
			continue;
		str_append_z(&text, "x\\\n", &e);
		line = text.len;
	}
	ck_assert_no_err(&e);
	parsed_init(&p, text.data);
	ck_assert_uint_ge(p.b->count, 1);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("manifests/buildfile");
	TCase *tc = tcase_create("trees");
	tcase_add_loop_test(tc, builds_trees, 0, ARRAY_LEN(trees));
	tcase_add_loop_test(tc, refuses_with_places, 0, ARRAY_LEN(refused));
	tcase_add_loop_test(tc, warns_with_places, 0, ARRAY_LEN(warned));
	tcase_add_test(tc, accepts_dockers_own_syntaxes);
	tcase_add_test(tc, a_directive_is_a_comment);
	tcase_add_test(tc, keeps_places_across_continuations);
	tcase_add_test(tc, keeps_places_of_json_words);
	tcase_add_test(tc, knows_heredocs);
	tcase_add_test(tc, goes_on_after_errors);
	suite_add_tcase(s, tc);

	TCase *limits = tcase_create("limits");
	tcase_set_timeout(limits, 60);
	tcase_add_test(limits, limits_instructions);
	tcase_add_loop_test(limits, is_fast_on_long_lines, 0, 64);
	suite_add_tcase(s, limits);
	return s;
}

UNIT_MAIN(suite_new)
