/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include <stdlib.h>

#include "base/limits.h"
#include "manifests/plan.h"

/* All that one build file needs, from text to plan. */
struct build {
	struct source source;
	struct findings f;
	struct buildfile *b;
	struct strmap args;
	struct plan_inputs in;
	struct plan *p;
};

static void build_fini(struct build *t)
{
	plan_free(t->p);
	buildfile_free(t->b);
	strmap_fini(&t->args);
	findings_fini(&t->f);
	source_fini(&t->source);
}
SCOPE_DEFINE_VALUE(build, struct build, build_fini)

static void build_init(struct build *t, const char *text)
{
	struct err e = ERR_INIT;

	*t = (struct build){.source = SOURCE_INIT, .args = STRMAP_INIT};
	ck_assert_int_eq(source_init(&t->source, "F", text, strlen(text), &e), 0);
	t->f = (struct findings)FINDINGS_INIT(&t->source);
	t->b = buildfile_parse(&t->source, &t->f, &e);
	ck_assert_ptr_nonnull(t->b);
	t->in = (struct plan_inputs){
		.build_args = &t->args,
		.target = {"linux", "arm64", "v8"},
		.build = {"linux", "amd64", NULL},
	};
}

/* Plans by the parent (NULL: scratch): 0, or -1 with the report. */
static int build_run(struct build *t, const struct plan_config *parent, struct err *e)
{
	t->p = plan_new(t->b, &t->in, &t->f, e);
	return t->p ? plan_stage(t->p, parent, e) : -1;
}

static void build_ok(struct build *t, const struct plan_config *parent)
{
	struct err e = ERR_INIT;

	build_run(t, parent, &e);
	ck_assert_no_err(&e);
}

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
	check_list(&c->env, "A=1|PATH=/bin|BARE");
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
	check_list(&c->env, "A=1.2|PATH=/bin|BARE=x|B=new");
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

static const struct {
	const char *text, *where, *word;
	enum err_code code;
} refused[] = {
	/* clang-format off */
	/* order, FROM */
	{"", "F: ", "no instructions", ERR_SYNTAX},
	{"# only\n", "F: ", "no instructions", ERR_SYNTAX},
	{"ARG x\n", "F: ", "no FROM", ERR_SYNTAX},
	{"\nCOPY a b\nFROM scratch", "F:2:1:", "COPY stands before FROM", ERR_SYNTAX},
	{"FROM", "F:1:1:", "FROM needs an argument", ERR_SYNTAX},
	{"FROM a b", "F:1:1:", "image AS name", ERR_SYNTAX},
	{"FROM a b c", "F:1:1:", "image AS name", ERR_SYNTAX},
	{"FROM a AS 1x", "F:1:11:", "bad stage name '1x'", ERR_SYNTAX},
	{"FROM a AS x/y", "F:1:11:", "bad stage name", ERR_SYNTAX},
	{"FROM a AS Scratch", "F:1:11:", "'scratch' cannot", ERR_SYNTAX},
	{"FROM --platfrom=x a", "F:1:6:", "unknown flag '--platfrom' (did you mean '--platform'?)", ERR_SYNTAX},
	{"FROM $none", "F:1:6:", "'$none' is empty", ERR_SYNTAX},
	{"FROM a${x", "F:1:7:", "missing '}'", ERR_SYNTAX},
	{"ARG x=\"${y?need y}\"\nFROM a", "F:1:8:", "y: need y", ERR_SYNTAX},
	{"FROM --platform=${x:=1} a", "F:1:17:", "bad substitution", ERR_SYNTAX},
	{"FROM --platform=$none a", "F:1:17:", "--platform is empty", ERR_SYNTAX},
	{"FROM a\nFROM b\nFROM c", "F:2:1:", "F:3:1: more than one stage", ERR_UNSUPPORTED},
	/* flags */
	{"FROM a\nCOPY --chwon=app a b", "F:2:6:", "unknown flag '--chwon' (did you mean '--chown'?)\nCOPY --chwon=app a b\n     ^", ERR_SYNTAX},
	{"FROM a\nCOPY --zzz a b", "F:2:6:", "unknown flag '--zzz'\n", ERR_SYNTAX},
	{"FROM a\nCOPY --chown a b", "F:2:6:", "'--chown' needs a value", ERR_SYNTAX},
	{"FROM a\nCOPY --link= a b", "F:2:6:", "'--link' needs a value", ERR_SYNTAX},
	{"FROM a\nCOPY --link=maybe a b", "F:2:13:", "true or false, not 'maybe'", ERR_SYNTAX},
	{"FROM a\nCOPY --chown=a \\\n --chown=b x y", "F:3:2:", "'--chown' stands twice", ERR_SYNTAX},
	{"FROM a\nENV --x=y a=b", "F:2:5:", "unknown flag '--x'", ERR_SYNTAX},
	{"FROM a\nCMD --x y", "F:2:5:", "unknown flag", ERR_SYNTAX},
	{"FROM a\nCOPY --from=b x y", "F:2:6:", "COPY --from is not supported yet", ERR_UNSUPPORTED},
	{"FROM a\nCOPY --parents x y", "F:2:6:", "COPY --parents is not supported yet", ERR_UNSUPPORTED},
	/* COPY */
	{"FROM a\nCOPY a", "F:2:1:", "source and a destination", ERR_SYNTAX},
	{"FROM a\nCOPY", "F:2:1:", "source and a destination", ERR_SYNTAX},
	{"FROM a\nCOPY a b c", "F:2:10:", "ends in '/'", ERR_SYNTAX},
	{"FROM a\nCOPY $x /b", "F:2:6:", "empty after expansion", ERR_SYNTAX},
	{"FROM a\nCOPY https://x/y /b", "F:2:6:", "no URL", ERR_SYNTAX},
	{"FROM a\nCOPY git@host:x /b", "F:2:6:", "no URL", ERR_SYNTAX},
	{"FROM a\nCOPY ok \\\n a[b /c/", "F:3:2:", "bad pattern 'a[b'", ERR_SYNTAX},
	{"FROM a\nCOPY ${x /b", "F:2:6:", "missing '}'", ERR_SYNTAX},
	{"FROM a\nCOPY a b${x} c${x:?no} /b/", "F:2:15:", "x: no", ERR_SYNTAX},
	{"FROM a\nCOPY [\"a\", \"${x\"]", "F:2:13:", "missing '}'", ERR_SYNTAX},
	{"FROM a\nCOPY --chmod=9 a b", "F:2:14:", "bad mode '9'", ERR_SYNTAX},
	{"FROM a\nCOPY --chmod=rwx a b", "F:2:14:", "bad mode 'rwx'", ERR_SYNTAX},
	{"FROM a\nCOPY --chown=a:b:c a b", "F:2:14:", "user:group", ERR_SYNTAX},
	{"FROM a\nCOPY --chown=:b a b", "F:2:14:", "user:group", ERR_SYNTAX},
	{"FROM a\nCOPY --chown=${u a b", "F:2:14:", "missing '}'", ERR_SYNTAX},
	{"FROM a\nCOPY --exclude=a --exclude=[ a b", "F:2:28:", "bad pattern '['", ERR_SYNTAX},
	{"FROM a\nCOPY --exclude=! a b", "F:2:16:", "'!'", ERR_SYNTAX},
	{"FROM a\nCOPY <<EOF /x\nhi\nEOF\nUSER a", "F:2:6:", "heredocs (COPY <<EOF) are not supported yet", ERR_UNSUPPORTED},
	/* the rest */
	{"FROM a\nENV", "F:2:1:", "ENV needs an argument", ERR_SYNTAX},
	{"FROM a\nENV =x", "F:2:5:", "without a name", ERR_SYNTAX},
	{"FROM a\nENV $x=y", "F:2:5:", "without a name", ERR_SYNTAX},
	{"FROM a\nENV a=\"b", "F:2:7:", "double quote", ERR_SYNTAX},
	{"FROM a\nENV a=b \\\n  c=x${y^}", "F:3:6:", "modifier '^'", ERR_SYNTAX},
	{"FROM a\nLABEL ='b'", "F:2:7:", "without a name", ERR_SYNTAX},
	{"FROM a\nARG", "F:2:1:", "ARG needs", ERR_SYNTAX},
	{"FROM a\nARG =1", "F:2:5:", "without a name", ERR_SYNTAX},
	{"FROM a\nARG x='", "F:2:7:", "single quote", ERR_SYNTAX},
	{"FROM a\nUSER", "F:2:1:", "USER needs", ERR_SYNTAX},
	{"FROM a\nUSER ${x:?who}", "F:2:6:", "x: who", ERR_SYNTAX},
	{"FROM a\nWORKDIR", "F:2:1:", "WORKDIR needs", ERR_SYNTAX},
	{"FROM a\nEXPOSE", "F:2:1:", "EXPOSE needs", ERR_SYNTAX},
	{"FROM a\nEXPOSE 80 http", "F:2:11:", "bad port 'http'", ERR_SYNTAX},
	{"FROM a\nEXPOSE 99999", "F:2:8:", "bad port", ERR_SYNTAX},
	{"FROM a\nVOLUME", "F:2:1:", "VOLUME needs", ERR_SYNTAX},
	{"FROM a\nVOLUME []", "F:2:1:", "VOLUME needs", ERR_SYNTAX},
	{"FROM a\nVOLUME /a $x", "F:2:11:", "empty path", ERR_SYNTAX},
	{"FROM a\nSTOPSIGNAL", "F:2:1:", "STOPSIGNAL needs", ERR_SYNTAX},
	{"FROM a\nSTOPSIGNAL SIGFOO", "F:2:12:", "unknown signal 'SIGFOO'", ERR_SYNTAX},
	{"FROM a\nSHELL", "F:2:1:", "SHELL needs", ERR_SYNTAX},
	{"FROM a\nSHELL []", "F:2:1:", "SHELL needs", ERR_SYNTAX},
	{"FROM a\nSHELL /bin/sh -c", "F:2:7:", "needs a JSON array", ERR_SYNTAX},
	{"FROM a\nHEALTHCHECK", "F:2:1:", "HEALTHCHECK needs", ERR_SYNTAX},
	{"FROM a\nHEALTHCHECK NONE x", "F:2:18:", "takes no arguments", ERR_SYNTAX},
	{"FROM a\nHEALTHCHECK CMD", "F:2:13:", "needs a command", ERR_SYNTAX},
	{"FROM a\nHEALTHCHECK CMD []", "F:2:13:", "needs a command", ERR_SYNTAX},
	{"FROM a\nHEALTHCHECK RUN x", "F:2:13:", "not 'RUN'", ERR_SYNTAX},
	{"FROM a\nHEALTHCHECK --interval=5 CMD x", "F:2:24:", "bad duration '5'", ERR_SYNTAX},
	{"FROM a\nHEALTHCHECK --timeout=1us CMD x", "F:2:23:", "shorter than 1ms", ERR_SYNTAX},
	{"FROM a\nHEALTHCHECK --timeout=-1s CMD x", "F:2:23:", "shorter than 1ms", ERR_SYNTAX},
	{"FROM a\nHEALTHCHECK --retries=-1 CMD x", "F:2:23:", "number", ERR_SYNTAX},
	{"FROM a\nHEALTHCHECK --retries=2147483648 CMD x", "F:2:23:", "number", ERR_SYNTAX},
	{"FROM a\nRUN make", "F:2:1:", "RUN is not supported yet", ERR_UNSUPPORTED},
	{"FROM a\nRUN <<E\nE", "F:2:1:", "heredocs (RUN <<E)", ERR_UNSUPPORTED},
	{"FROM a\nUSE curl", "F:2:1:", "USE is not supported yet", ERR_UNSUPPORTED},
	/* clang-format on */
};

START_TEST(refuses_with_places)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;
	SCOPE(plan_config) struct plan_config parent;

	plan_config_init(&parent);
	build_init(&t, refused[_i].text);
	ck_assert_msg(build_run(&t, &parent, &e) < 0, "accepted: %s", refused[_i].text);
	ck_assert_msg(strncmp(e.msg, refused[_i].where, strlen(refused[_i].where)) == 0, "%s",
		      e.msg);
	ck_assert_err(&e, refused[_i].code, refused[_i].word);
}
END_TEST

START_TEST(lists_all_that_is_unsupported_at_once)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;
	static const char *const want[] = {
		"F:2:1: RUN is",         "F:3:1: ADD is",
		"F:4:1: ONBUILD is",     "F:5:1: MAINTAINER is",
		"F:6:6: COPY --from is", "F:7:1: more than one stage",
		"F:8:3: RUN is",         "F:9:6: heredocs (COPY <<X)",
		"F:12:1: OS is",
	};

	build_init(&t,
		   "FROM a\nRUN b\nADD c d\nONBUILD RUN e\nMAINTAINER f\n"
		   "COPY --from=g h i\nFROM j\n  run k\nCOPY <<X /y\nRUN inside\nX\nOS debian\n");
	ck_assert_int_eq(build_run(&t, NULL, &e), -1);
	ck_assert_uint_eq(t.f.error_count, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		ck_assert_msg(strstr(e.msg, want[i]) != NULL, "no '%s' in %s", want[i], e.msg);
	ck_assert_err(&e, ERR_UNSUPPORTED, "RUN");
}
END_TEST

START_TEST(lists_errors_of_all_kinds_at_once)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;

	build_init(&t, "FROM scratch\nCPOY a b\nRUN c\nCOPY --lnk a b\nENV d\n");
	ck_assert_int_eq(build_run(&t, NULL, &e), -1);
	ck_assert_uint_eq(t.f.error_count, 4);
	ck_assert_err(&e, ERR_SYNTAX, "F:3:1: RUN");

	/* One for all that is too early. */
	SCOPE(build) struct build early;
	build_init(&early, "COPY a b\nENV c=d\nUSER e\nFROM f\n");
	ck_assert_int_eq(build_run(&early, NULL, &e), -1);
	ck_assert_uint_eq(early.f.error_count, 1);
	ck_assert_err(&e, ERR_SYNTAX, "F:1:1: COPY stands before FROM");

	SCOPE(build) struct build later;
	build_init(&later, "FROM scratch\nENV a=${b?}\nCOPY ${c:?} /d\nEXPOSE x y\nSTOPSIGNAL z\n");
	ck_assert_int_eq(build_run(&later, NULL, &e), -1);
	ck_assert_uint_eq(later.f.error_count, 5);
	ck_assert_err(&e, ERR_SYNTAX, "F:5:12:");
}
END_TEST

static const struct {
	const char *text, *word;
} warned[] = {
	{"FROM a\nENV x=$y", "F:2:7: warning: variable '$y' is not set\n"},
	{"FROM a\nENV name=1\nENV x=$nmae", "(did you mean 'name'?)"},
	{"FROM a\nENV a b", "F:2:5: warning: 'ENV name value' is an old form"},
	{"FROM a\nEXPOSE 8080:80", "F:2:8: warning: EXPOSE takes"},
	{"FROM a\nWORKDIR x", "F:2:9: warning: a relative WORKDIR"},
	{"FROM a\nCMD a\nUSER b\nCMD c", "F:2:1: warning: CMD stands again in line 4"},
	{"FROM a\nENTRYPOINT", "F:2:1: warning: ENTRYPOINT without"},
	{"FROM a\nARG othr", "F: warning: build argument 'other' was not used: there is no such "
			     "ARG (did you mean 'othr'?)"},
	{"FROM a", "F: warning: build argument 'other' was not used"},
	{"FROM a\nUSER b \\\n\n", "F:3:1: warning: empty line"},
};

START_TEST(warns_with_places)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;
	SCOPE(plan_config) struct plan_config parent;
	SCOPE(str) struct str text = STR_INIT;

	plan_config_init(&parent);
	build_init(&t, warned[_i].text);
	ck_assert_int_eq(strmap_set(&t.args, "other", "1", &e), 0);
	build_ok(&t, &parent);
	ck_assert_int_eq(findings_warnings(&t.f, &text, &e), 0);
	ck_assert_msg(strstr(str_text(&text), warned[_i].word) != NULL, "%s", str_text(&text));
}
END_TEST

START_TEST(knows_build_arguments_that_need_no_arg)
{
	static const char *const names[] = {"HTTP_PROXY",        "https_proxy",
					    "No_Proxy",          "ALL_PROXY",
					    "SOURCE_DATE_EPOCH", "BUILDKIT_INLINE_CACHE"};
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;

	build_init(&t, "ARG global\nFROM a\nARG inside\n");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		ck_assert_int_eq(strmap_set(&t.args, names[i], "x", &e), 0);
	ck_assert_int_eq(strmap_set(&t.args, "global", "x", &e), 0);
	ck_assert_int_eq(strmap_set(&t.args, "inside", "x", &e), 0);
	build_ok(&t, NULL);
	ck_assert_uint_eq(t.f.warning_count, 0);
}
END_TEST

/* Files that would be small, if nothing in them were to be repeated. */
static const struct {
	const char *start, *part, *word;
	size_t times;
} bombs[] = {
	{"FROM a\nENV a=aaaaaaaaaaaaaaaa\n", "ENV a=$a$a\n", "a word grows", 40},
	{"ARG a=aaaaaaaaaaaaaaaa\n", "ARG a=$a$a\n", "a word grows", 40},
	{"FROM a\nEXPOSE 0-65535\n", "EXPOSE 0-65535/udp\n", "history grows", 40},
	{"FROM a\n", "EXPOSE 0-65535 0-65535 0-65535 0-65535 0-65535\n", "history grows", 40},
	{"FROM a\n", "LABEL a=b c=d e=f g=h i=j\n", "more than 10000", 2001},
	{"FROM a\n", "ARG a b c d e f g h i j\n", "more than 10000", 1001},
	{"FROM a\n", "VOLUME a b c d e f g h i j\n", "more than 10000", 1001},
	{"", "ARG a b c d e f g h i j\n", "more than 10000", 1001},
};

START_TEST(limits_what_a_file_grows_to)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;
	SCOPE(str) struct str text = STR_INIT;

	str_append_z(&text, bombs[_i].start, &e);
	for (size_t i = 0; i < bombs[_i].times && e.code == ERR_NONE; i++)
		str_append_z(&text, bombs[_i].part, &e);
	str_append_z(&text, bombs[_i].start[0] == 'F' ? "" : "FROM a\n", &e);
	build_init(&t, text.data);
	ck_assert_int_eq(build_run(&t, NULL, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, bombs[_i].word);
}
END_TEST

START_TEST(limits_paths)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;
	SCOPE(str) struct str text = STR_INIT;

	str_append_z(&text, "FROM a\nARG x=", &e);
	for (size_t i = 0; i < LIMIT_PATH && e.code == ERR_NONE; i++)
		str_append_c(&text, 'x', &e);
	str_append_z(&text, "\nCOPY a /$x\nWORKDIR /$x\n", &e);
	ck_assert_no_err(&e);
	build_init(&t, text.data);
	ck_assert_int_eq(build_run(&t, NULL, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "F:3:8: the destination is a path of more");
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
	tcase_add_loop_test(tc, plans_copies, 0, ARRAY_LEN(copies));
	tcase_add_test(tc, plans_flags_of_copies);
	tcase_add_test(tc, plans_working_directories);
	tcase_add_test(tc, plans_healthchecks);
	suite_add_tcase(s, tc);

	TCase *refusals = tcase_create("findings");
	tcase_add_loop_test(refusals, refuses_with_places, 0, ARRAY_LEN(refused));
	tcase_add_test(refusals, refuses_parents_that_it_cannot_use);
	tcase_add_test(refusals, lists_all_that_is_unsupported_at_once);
	tcase_add_test(refusals, lists_errors_of_all_kinds_at_once);
	tcase_add_loop_test(refusals, warns_with_places, 0, ARRAY_LEN(warned));
	tcase_add_test(refusals, knows_build_arguments_that_need_no_arg);
	suite_add_tcase(s, refusals);

	TCase *limits = tcase_create("limits");
	tcase_set_timeout(limits, 60);
	tcase_add_loop_test(limits, limits_what_a_file_grows_to, 0, ARRAY_LEN(bombs));
	tcase_add_test(limits, limits_paths);
	suite_add_tcase(s, limits);
	return s;
}

UNIT_MAIN(suite_new)
