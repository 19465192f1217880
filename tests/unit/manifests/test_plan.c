/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include <stdlib.h>

#include "base/limits.h"
#include "manifests/planning.h"

static void set_text(char **to, const char *text)
{
	struct err e = ERR_INIT;

	*to = str_dup(text, &e);
	ck_assert_ptr_nonnull(*to);
}

static void check_list(const struct strlist *got, const char *want)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str joined = STR_INIT;

	for (size_t i = 0; i < got->count; i++)
		ck_assert_int_eq(str_appendf(&joined, &e, "%s%s", i ? "|" : "", got->items[i]), 0);
	ck_assert_str_eq(str_text(&joined), want);
}

static void check_keys(const struct strmap *got, const char *want)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str joined = STR_INIT;

	for (size_t i = 0; i < got->count; i++)
		ck_assert_int_eq(str_appendf(&joined, &e, "%s%s=%s", i ? "|" : "",
					     got->items[i].key, got->items[i].value),
				 0);
	ck_assert_str_eq(str_text(&joined), want);
}

/* The history's text of the last step of "FROM scratch" and what follows. */
static const struct {
	const char *text, *want;
} histories[] = {
	/* clang-format off */
	{"COPY app /usr/bin/app", "COPY app /usr/bin/app # buildkit"},
	{"COPY [\"a b\", \"/c d/\"]", "COPY a b /c d/ # buildkit"},
	{"COPY --chown=app:app --chmod=0755 a b /x/", "COPY --chown=app:app --chmod=0755 a b /x/ # buildkit"},
	{"COPY --link --exclude=*.o a .", "COPY a . # buildkit"},
	{"COPY --chown=1 --parents ./a/./b /x", "COPY --parents --chown=1 ./a/./b /x # buildkit"},
	{"ADD a.tar /x", "ADD a.tar /x # buildkit"},
	{"ADD --unpack=false --link --chmod=0600 --chown=1 a b /x/", "ADD --chown=1 --chmod=0600 a b /x/ # buildkit"},
	{"ADD <<EOF /x\ntext\nEOF", "ADD <<EOF /x # buildkit"},
	{"WORKDIR /w\nCOPY ./a ../b", "COPY ./a ../b # buildkit"},
	{"ARG d=src\nCOPY $d/a /b", "COPY src/a /b # buildkit"},
	{"ENV A=b", "ENV A=b"},
	{"ENV A=b C=\"d e\"", "ENV A=b C=d e"},
	{"ENV A b c", "ENV A=b c"},
	{"LABEL a=b \"c.d\"='e f'", "LABEL a=b c.d=e f"},
	{"USER app", "USER app"},
	{"USER 10:20", "USER 10:20"},
	{"WORKDIR /app", "WORKDIR /app"},
	{"WORKDIR /app/../x//y/", "WORKDIR /x/y"},
	{"WORKDIR /a\nWORKDIR b", "WORKDIR /a/b"},
	{"WORKDIR /", "WORKDIR /"},
	{"EXPOSE 80", "EXPOSE [80/tcp]"},
	{"EXPOSE 443 80/udp 7000-7001", "EXPOSE [443/tcp 7000/tcp 7001/tcp 80/udp]"},
	{"ARG p=\"80 81\"\nEXPOSE $p", "EXPOSE [80/tcp 81/tcp]"},
	{"VOLUME /data", "VOLUME [/data]"},
	{"VOLUME [\"/a\", \"/b c\"]", "VOLUME [/a /b c]"},
	{"STOPSIGNAL SIGQUIT", "STOPSIGNAL SIGQUIT"},
	{"STOPSIGNAL 9", "STOPSIGNAL 9"},
	{"CMD [\"/bin/x\"]", "CMD [\"/bin/x\"]"},
	{"CMD [\"/bin/x\", \"-a b\"]", "CMD [\"/bin/x\" \"-a b\"]"},
	{"CMD []", "CMD []"},
	{"CMD echo \"$HOME\"", "CMD [\"/bin/sh\" \"-c\" \"echo \\\"$HOME\\\"\"]"},
	{"CMD", "CMD [\"/bin/sh\" \"-c\" \"\"]"},
	{"SHELL [\"/bin/bash\", \"-ec\"]\nCMD a", "CMD [\"/bin/bash\" \"-ec\" \"a\"]"},
	{"ENTRYPOINT [\"/a\"]", "ENTRYPOINT [\"/a\"]"},
	{"ENTRYPOINT a b", "ENTRYPOINT [\"/bin/sh\" \"-c\" \"a b\"]"},
	{"SHELL [\"/bin/bash\", \"-c\"]", "SHELL [/bin/bash -c]"},
	{"ARG X", "ARG X"},
	{"ARG X=1", "ARG X=1"},
	{"ARG X=1 Y=$X Z", "ARG X=1 Y=1 Z"},
	{"ARG TARGETARCH", "ARG TARGETARCH=arm64"},
	{"ARG TARGETPLATFORM", "ARG TARGETPLATFORM=linux/arm64/v8"},
	{"ARG BUILDPLATFORM BUILDVARIANT", "ARG BUILDPLATFORM=linux/amd64 BUILDVARIANT="},
	{"HEALTHCHECK NONE", "HEALTHCHECK {Test:[NONE] Interval:0s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}"},
	{"HEALTHCHECK --interval=90s --timeout=1.5s --start-period=1h --start-interval=2ms --retries=3 CMD curl -f x",
	 "HEALTHCHECK {Test:[CMD-SHELL curl -f x] Interval:1m30s Timeout:1.5s StartPeriod:1h0m0s StartInterval:2ms Retries:3}"},
	{"HEALTHCHECK CMD [\"a\", \"b\"]", "HEALTHCHECK {Test:[CMD a b] Interval:0s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}"},
	/* clang-format on */
};

START_TEST(writes_history_as_buildkit_does)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;
	SCOPE_FREE char *text = str_dupf(&e, "FROM scratch\n%s\n", histories[_i].text);

	build_init(&t, text);
	build_ok(&t, NULL);
	ck_assert_uint_ge(t.p->step_count, 1);
	ck_assert_str_eq(t.p->steps[t.p->step_count - 1].history, histories[_i].want);
}
END_TEST

START_TEST(starts_from_scratch_as_docker_does)
{
	SCOPE(build) struct build t;

	build_init(&t, "FROM scratch\n");
	build_ok(&t, NULL);
	ck_assert(t.p->base.is_scratch);
	ck_assert_ptr_null(t.p->base.reference);
	ck_assert_uint_eq(t.p->step_count, 0);
	ck_assert_str_eq(t.p->config.working_dir, "/");
	check_list(&t.p->config.env,
		   "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	ck_assert(!t.p->config.cmd.is_set && !t.p->config.entrypoint.is_set);
	ck_assert_ptr_null(t.p->config.user);
}
END_TEST

static const struct {
	const char *text, *reference, *platform, *stage;
} bases[] = {
	{"FROM debian:12", "debian:12", NULL, NULL},
	{"FROM debian:12 AS Build", "debian:12", NULL, "build"},
	{"ARG v=12\nFROM debian:$v", "debian:12", NULL, NULL},
	{"ARG r=debian v=12\nARG i=$r:${v}-slim\nFROM ${i}", "debian:12-slim", NULL, NULL},
	{"ARG given\nFROM ${given:-none}", "from-outside", NULL, NULL},
	{"ARG given=default\nFROM ${given}", "from-outside", NULL, NULL},
	{"ARG v\nFROM debian${v:+:$v}", "debian", NULL, NULL},
	{"FROM --platform=$BUILDPLATFORM debian", "debian", "linux/amd64", NULL},
	{"FROM --platform=${TARGETOS}/${TARGETARCH} debian", "debian", "linux/arm64", NULL},
	{"FROM debian-$TARGETARCH$TARGETVARIANT", "debian-arm64v8", NULL, NULL},
	{"FROM x-$TARGETSTAGE", "x-default", NULL, NULL},
	{"FROM \"debian\"", "debian", NULL, NULL},
};

START_TEST(finds_bases)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;

	build_init(&t, bases[_i].text);
	ck_assert_int_eq(strmap_set(&t.args, "given", "from-outside", &e), 0);
	t.p = plan_new(t.b, &t.in, &t.f, &e);
	ck_assert_no_err(&e);
	ck_assert(!t.p->base.is_scratch);
	ck_assert_str_eq(t.p->base.reference, bases[_i].reference);
	ck_assert(str_equal(t.p->base.platform, bases[_i].platform));
	ck_assert(str_equal(t.p->base.stage_name, bases[_i].stage));
}
END_TEST

/* LABEL v=... tells what a variable is at the end of the file. */
static const struct {
	const char *text, *want;
} scopes[] = {
	{"FROM scratch\nLABEL v=$X", ""},
	{"ARG X=1\nFROM scratch\nLABEL v=$X", ""}, /* global: not in the stage */
	{"ARG X=1\nFROM scratch\nARG X\nLABEL v=$X", "1"},
	{"ARG X=1\nFROM scratch\nARG X=2\nLABEL v=$X", "2"},
	{"FROM scratch\nARG X=2\nLABEL v=$X", "2"},
	{"FROM scratch\nLABEL v=$X\nARG X=2", ""}, /* from its line on */
	{"FROM scratch\nARG given=2\nLABEL v=$given", "out"},
	{"FROM scratch\nARG given\nLABEL v=$given", "out"},
	{"FROM scratch\nLABEL v=$given", ""},
	{"ARG given=1\nFROM scratch\nARG given=2\nLABEL v=$given", "out"},
	{"FROM scratch\nENV X=1\nARG X=2\nLABEL v=$X", "1"}, /* ENV wins */
	{"FROM scratch\nARG X=2\nENV X=1\nLABEL v=$X", "1"},
	{"FROM scratch\nARG X=2\nENV X=$X.1\nLABEL v=$X", "2.1"},
	{"FROM scratch\nENV given=1\nARG given\nLABEL v=$given", "1"},
	{"FROM scratch\nENV a=hello\nENV a=bye b=$a\nLABEL v=$b", "hello"}, /* the old value */
	{"FROM scratch\nENV a=hello\nENV a=bye b=$a\nLABEL v=$a", "bye"},
	{"FROM scratch\nARG a=1 b=$a\nLABEL v=$b", "1"}, /* ARG sees its own line */
	{"FROM scratch\nARG X=\nLABEL v=${X-unset}", ""},
	{"FROM scratch\nARG X\nLABEL v=${X-unset}", "unset"},
	{"FROM scratch\nARG TARGETARCH\nLABEL v=$TARGETARCH", "arm64"},
	{"FROM scratch\nLABEL v=$TARGETARCH", ""},
	{"FROM scratch\nARG TARGETARCH=x\nLABEL v=$TARGETARCH", "x"},
	{"FROM scratch\nLABEL v=$PATH",
	 "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
	{"# escape=`\nFROM scratch\nENV a=1\nLABEL v=`$a$a", "$a1"},
	{"FROM scratch\nARG \"X\"=1\nLABEL v=$X", ""},
};

START_TEST(scopes_variables)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;

	build_init(&t, scopes[_i].text);
	ck_assert_int_eq(strmap_set(&t.args, "given", "out", &e), 0);
	build_ok(&t, NULL);
	ck_assert_str_eq(strmap_get(&t.p->config.labels, "v"), scopes[_i].want);
}
END_TEST

START_TEST(build_arguments_beat_automatic_ones)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;

	build_init(&t, "FROM x-$TARGETARCH\nARG TARGETARCH\nLABEL v=$TARGETARCH");
	ck_assert_int_eq(strmap_set(&t.args, "TARGETARCH", "z80", &e), 0);
	build_ok(&t, NULL);
	ck_assert_str_eq(t.p->base.reference, "x-z80");
	ck_assert_str_eq(strmap_get(&t.p->config.labels, "v"), "z80");
}
END_TEST

static void fill_parent(struct plan_config *c)
{
	struct err e = ERR_INIT;

	plan_config_init(c);
	set_text(&c->user, "app");
	set_text(&c->working_dir, "/srv");
	set_text(&c->stop_signal, "SIGINT");
	ck_assert_int_eq(strlist_add(&c->env, "A=1", &e), 0);
	ck_assert_int_eq(strlist_add(&c->env, "PATH=/bin", &e), 0);
	ck_assert_int_eq(strlist_add(&c->env, "BARE", &e), 0);
	ck_assert_int_eq(strlist_add(&c->env, "A=2", &e), 0);
	ck_assert_int_eq(strlist_add(&c->entrypoint, "/entry", &e), 0);
	ck_assert_int_eq(strlist_add(&c->cmd, "serve", &e), 0);
	ck_assert_int_eq(strlist_add(&c->shell, "/bin/ash", &e), 0);
	ck_assert_int_eq(strlist_add(&c->shell, "-c", &e), 0);
	ck_assert_int_eq(strmap_set(&c->labels, "l", "parent", &e), 0);
	ck_assert_int_eq(strmap_set(&c->exposed_ports, "9/tcp", "", &e), 0);
	ck_assert_int_eq(strmap_set(&c->volumes, "/v", "", &e), 0);
	ck_assert_int_eq(strlist_add(&c->healthcheck.test, "NONE", &e), 0);
	c->has_healthcheck = true;
}

START_TEST(inherits_from_the_parent)
{
	SCOPE(build) struct build t;
	SCOPE(plan_config) struct plan_config parent;

	fill_parent(&parent);
	build_init(&t, "FROM base\n");
	build_ok(&t, &parent);
	const struct plan_config *c = &t.p->config;
	ck_assert_str_eq(c->user, "app");
	ck_assert_str_eq(c->working_dir, "/srv");
	ck_assert_str_eq(c->stop_signal, "SIGINT");
	check_list(&c->env, "A=1|PATH=/bin|BARE|A=2");
	check_list(&c->entrypoint, "/entry");
	check_list(&c->cmd, "serve");
	check_list(&c->shell, "/bin/ash|-c");
	check_keys(&c->labels, "l=parent");
	check_keys(&c->exposed_ports, "9/tcp=");
	check_keys(&c->volumes, "/v=");
	ck_assert(c->has_healthcheck && !c->args_escaped);
}
END_TEST

START_TEST(changes_what_is_inherited)
{
	SCOPE(build) struct build t;
	SCOPE(plan_config) struct plan_config parent;

	fill_parent(&parent);
	build_init(&t, "FROM base\nENV A=$A.2 B=new BARE=x\nLABEL l=child m=n\nEXPOSE 80-81 9\n"
		       "VOLUME /w\nUSER 0\nSTOPSIGNAL 15\nWORKDIR sub\nCMD run\n");
	build_ok(&t, &parent);
	const struct plan_config *c = &t.p->config;
	check_list(&c->env, "A=2.2|PATH=/bin|BARE=x|A=2|B=new");
	check_keys(&c->labels, "l=child|m=n");
	check_keys(&c->exposed_ports, "80/tcp=|81/tcp=|9/tcp=");
	check_keys(&c->volumes, "/v=|/w=");
	ck_assert_str_eq(c->user, "0");
	ck_assert_str_eq(c->stop_signal, "15");
	ck_assert_str_eq(c->working_dir, "/srv/sub");
	check_list(&c->cmd, "/bin/ash|-c|run");
	check_list(&c->entrypoint, "/entry");
	ck_assert(c->args_escaped);
}
END_TEST

/* The arguments of another program are none for the new one. */
static const struct {
	const char *text, *entrypoint, *cmd;
	bool is_cmd_set;
} commands[] = {
	{"", "/entry", "serve", true},
	{"ENTRYPOINT [\"/mine\"]", "/mine", "", false},
	{"ENTRYPOINT [\"/mine\"]\nCMD [\"a\"]", "/mine", "a", true},
	{"CMD [\"a\"]\nENTRYPOINT [\"/mine\"]", "/mine", "a", true},
	{"CMD [\"a\"]", "/entry", "a", true},
	{"CMD []", "/entry", "", true},
	{"ENTRYPOINT []", "", "", false},
	{"ENTRYPOINT mine", "/bin/ash|-c|mine", "", false},
	{"SHELL [\"/bin/bash\"]\nENTRYPOINT mine", "/bin/bash|mine", "", false},
	{"CMD a\nCMD [\"b\"]", "/entry", "b", true},
};

START_TEST(joins_entrypoint_and_cmd)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;
	SCOPE(plan_config) struct plan_config parent;
	SCOPE_FREE char *text = str_dupf(&e, "FROM base\n%s\n", commands[_i].text);

	fill_parent(&parent);
	build_init(&t, text);
	build_ok(&t, &parent);
	check_list(&t.p->config.entrypoint, commands[_i].entrypoint);
	check_list(&t.p->config.cmd, commands[_i].cmd);
	ck_assert(t.p->config.cmd.is_set == commands[_i].is_cmd_set);
	ck_assert(t.p->config.entrypoint.is_set);
}
END_TEST

START_TEST(gives_a_path_to_a_parent_without_one)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;
	SCOPE(plan_config) struct plan_config parent;

	plan_config_init(&parent);
	ck_assert_int_eq(strlist_add(&parent.env, "A=1", &e), 0);
	build_init(&t, "FROM base\nWORKDIR x\n");
	build_ok(&t, &parent);
	check_list(&t.p->config.env,
		   "A=1|PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	ck_assert_str_eq(t.p->config.working_dir, "/x");
}
END_TEST

START_TEST(refuses_parents_that_it_cannot_use)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;
	SCOPE(build) struct build many;
	SCOPE(plan_config) struct plan_config parent;

	fill_parent(&parent);
	ck_assert_int_eq(strlist_add(&parent.onbuild, "RUN x", &e), 0);
	build_init(&t, "FROM \\\n  base\n");
	ck_assert_int_eq(build_run(&t, &parent, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "F:2:3: the base image has 1 ONBUILD");

	strlist_clear(&parent.onbuild);
	for (size_t i = 0; i <= LIMIT_VARIABLES && e.code == ERR_NONE; i++)
		strlist_add(&parent.env, "X=1", &e);
	build_init(&many, "FROM base\n");
	ck_assert_int_eq(build_run(&many, &parent, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "F:1:6: the base image sets more");
}
END_TEST

static const struct {
	const char *text, *sources, *dest;
	bool is_dest_dir;
} copies[] = {
	/* clang-format off */
	{"COPY a /b", "a", "/b", false},
	{"COPY a /b/", "a", "/b/", true},
	{"COPY a b", "a", "/w/b", false},
	{"COPY a b/", "a", "/w/b/", true},
	{"COPY a .", "a", "/w/", true},
	{"COPY a ./", "a", "/w/", true},
	{"COPY a ..", "a", "/", true},
	{"COPY a ../x", "a", "/x", false},
	{"COPY a ../../../x", "a", "/x", false},
	{"COPY a /", "a", "/", true},
	{"COPY a /b/.", "a", "/b/", true},
	{"COPY a /b/../c", "a", "/c", false},
	{"COPY a //b//c", "a", "/b/c", false},
	{"COPY a \"\"", "a", "/w/", true},
	{"COPY a b c/", "a|b", "/w/c/", true},
	{"COPY /a ./b ../c ../../d/e/.. x/", "a|b|c|d", "/w/x/", true},
	{"COPY . /x", ".", "/x", false},
	{"COPY / /x", ".", "/x", false},
	{"COPY ./ /x/", ".", "/x/", true},
	{"COPY a/ /x", "a", "/x", false},
	{"COPY *.c [ab]/?.h /x/", "*.c|[ab]/?.h", "/x/", true},
	{"COPY [\"a b\", \"c d\"]", "a b", "/w/c d", false},
	{"COPY [\"a $V\", \"/$V/\"]", "a val", "/val/", true},
	{"COPY ${V}.x /${V%l}/y", "val.x", "/va/y", false},
	/* clang-format on */
};

START_TEST(plans_copies)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;
	SCOPE_FREE char *text =
		str_dupf(&e, "FROM scratch\nARG V=val\nWORKDIR /w\n%s\n", copies[_i].text);

	build_init(&t, text);
	build_ok(&t, NULL);
	const struct plan_step *s = &t.p->steps[t.p->step_count - 1];
	ck_assert_int_eq(s->kind, PLAN_COPY);
	check_list(&s->copy.sources, copies[_i].sources);
	ck_assert_str_eq(s->copy.dest, copies[_i].dest);
	ck_assert(s->copy.is_dest_dir == copies[_i].is_dest_dir);
	ck_assert_uint_eq(s->at.line, 4);
	ck_assert_uint_eq(s->at.column, 1);
}
END_TEST

/* Sources and patterns of --parents. */
static const struct {
	const char *words, *sources, *patterns;
} kept[] = {
	/* clang-format off */
	{"a/b /x", ".", "a/b"},
	{"./a/b/ /x", ".", "a/b"},
	{"/a ../b /x/", ".|.", "a|b"},
	{"a/./b/c /x", "a", "b/c"},
	{"./a/./b/./c /x", "a", "b/c"},
	{"/./a /x", ".", "a"},
	{"a/./ /x", "a", "."},
	{". /x", ".", "."},
	{"a*/./**/*.[ch] /x", "a*", "**/*.[ch]"},
	{"$V/./${V}s /x", "val", "vals"},
	/* clang-format on */
};

START_TEST(splits_sources_at_the_pivot)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;
	SCOPE_FREE char *text =
		str_dupf(&e, "FROM scratch\nARG V=val\nCOPY --parents %s\n", kept[_i].words);

	build_init(&t, text);
	build_ok(&t, NULL);
	const struct plan_copy *c = &t.p->steps[1].copy;
	ck_assert(c->keeps_parents);
	check_list(&c->sources, kept[_i].sources);
	check_list(&c->patterns, kept[_i].patterns);
}
END_TEST

START_TEST(plans_flags_of_copies)
{
	SCOPE(build) struct build t;

	build_init(&t, "FROM scratch\nARG U=app M=u=rwX\nCOPY --link --chown=$U:10 --chmod=$M "
		       "--exclude=*.o --exclude=$U a /b\nCOPY --link=false --chown=$none a /b\n");
	build_ok(&t, NULL);
	const struct plan_copy *c = &t.p->steps[1].copy;
	ck_assert(c->is_link && c->has_chmod && !c->chmod.is_octal);
	ck_assert_str_eq(c->chown, "app:10");
	check_list(&c->exclude, "*.o|$U"); /* no variables there */
	ck_assert_uint_eq(chmod_apply(&c->chmod, 0600, true), 0700);
	const struct plan_copy *plain = &t.p->steps[2].copy;
	ck_assert(!plain->is_link && !plain->has_chmod);
	ck_assert_ptr_null(plain->chown);
	ck_assert_str_eq(t.p->steps[2].history, "COPY a /b # buildkit");
}
END_TEST

START_TEST(add_unpacks_unless_told_not_to)
{
	static const bool want[] = {false, true, true, true, false};
	SCOPE(build) struct build t;

	build_init(&t, "FROM scratch\nCOPY a /x\nADD a /x\nADD --unpack a /x\n"
		       "ADD --unpack=true a /x\nADD --unpack=false a /x\n");
	build_ok(&t, NULL);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		ck_assert_int_eq(t.p->steps[i].kind, PLAN_COPY);
		ck_assert(t.p->steps[i].copy.is_unpacked == want[i]);
	}
}
END_TEST

START_TEST(plans_working_directories)
{
	SCOPE(build) struct build t;

	build_init(&t, "FROM scratch\nWORKDIR /a\nUSER me:us\nWORKDIR b/../c\nWORKDIR /\n");
	build_ok(&t, NULL);
	ck_assert_uint_eq(t.p->step_count, 4);
	ck_assert_int_eq(t.p->steps[0].kind, PLAN_WORKDIR);
	ck_assert_str_eq(t.p->steps[0].path, "/a");
	ck_assert_ptr_null(t.p->steps[0].owner);
	ck_assert_int_eq(t.p->steps[1].kind, PLAN_CONFIG);
	ck_assert_int_eq(t.p->steps[2].kind, PLAN_WORKDIR);
	ck_assert_str_eq(t.p->steps[2].path, "/a/c");
	ck_assert_str_eq(t.p->steps[2].owner, "me:us");
	ck_assert_int_eq(t.p->steps[3].kind, PLAN_CONFIG); /* the root is there already */
	ck_assert_str_eq(t.p->config.working_dir, "/");
}
END_TEST

START_TEST(plans_healthchecks)
{
	SCOPE(build) struct build t;

	build_init(&t, "FROM scratch\nHEALTHCHECK --interval=5m --timeout=3s --start-period=0s "
		       "--start-interval=1ms --retries=2 CMD curl x\n");
	build_ok(&t, NULL);
	const struct plan_healthcheck *h = &t.p->config.healthcheck;
	ck_assert(t.p->config.has_healthcheck);
	check_list(&h->test, "CMD-SHELL|curl x");
	ck_assert_int_eq(h->interval_ns, INT64_C(300000000000));
	ck_assert_int_eq(h->timeout_ns, INT64_C(3000000000));
	ck_assert_int_eq(h->start_period_ns, 0);
	ck_assert_int_eq(h->start_interval_ns, 1000000);
	ck_assert_int_eq(h->retries, 2);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("manifests/plan");
	TCase *tc = tcase_create("plans");
	tcase_add_loop_test(tc, writes_history_as_buildkit_does, 0, ARRAY_LEN(histories));
	tcase_add_test(tc, starts_from_scratch_as_docker_does);
	tcase_add_loop_test(tc, finds_bases, 0, ARRAY_LEN(bases));
	tcase_add_loop_test(tc, scopes_variables, 0, ARRAY_LEN(scopes));
	tcase_add_test(tc, build_arguments_beat_automatic_ones);
	tcase_add_test(tc, inherits_from_the_parent);
	tcase_add_test(tc, changes_what_is_inherited);
	tcase_add_loop_test(tc, joins_entrypoint_and_cmd, 0, ARRAY_LEN(commands));
	tcase_add_test(tc, gives_a_path_to_a_parent_without_one);
	tcase_add_test(tc, refuses_parents_that_it_cannot_use);
	tcase_add_loop_test(tc, plans_copies, 0, ARRAY_LEN(copies));
	tcase_add_loop_test(tc, splits_sources_at_the_pivot, 0, ARRAY_LEN(kept));
	tcase_add_test(tc, plans_flags_of_copies);
	tcase_add_test(tc, add_unpacks_unless_told_not_to);
	tcase_add_test(tc, plans_working_directories);
	tcase_add_test(tc, plans_healthchecks);
	suite_add_tcase(s, tc);

	return s;
}

UNIT_MAIN(suite_new)
