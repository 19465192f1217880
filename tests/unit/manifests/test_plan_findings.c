/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include "base/limits.h"
#include "manifests/planning.h"

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
	{"FROM a\nCOPY --parents x/./a[b /c/", "F:2:16:", "bad pattern", ERR_SYNTAX},
	{"FROM a\nCOPY --parents a[b/./x /c/", "F:2:16:", "bad pattern", ERR_SYNTAX},
	{"FROM a\nCOPY --parents=x a /c/", "F:2:16:", "true or false", ERR_SYNTAX},
	/* COPY */
	{"FROM a\nCOPY a", "F:2:1:", "source and a destination", ERR_SYNTAX},
	{"FROM a\nCOPY", "F:2:1:", "source and a destination", ERR_SYNTAX},
	{"FROM a\nCOPY a b c", "F:2:10:", "ends in '/'", ERR_SYNTAX},
	{"FROM a\nCOPY $x /b", "F:2:6:", "empty after expansion", ERR_SYNTAX},
	{"FROM a\nCOPY https://x/y /b", "F:2:6:", "no URL", ERR_SYNTAX},
	{"FROM a\nCOPY git@host:x /b", "F:2:6:", "no URL", ERR_SYNTAX},
	{"FROM a\nADD a", "F:2:1:", "ADD needs a source and a destination", ERR_SYNTAX},
	{"FROM a\nADD --parents x /y", "F:2:5:", "unknown flag '--parents'", ERR_SYNTAX},
	{"FROM a\nADD https://x/y /b", "F:2:5:", "from the network, with --checksum", ERR_UNSUPPORTED},
	{"FROM a\nADD --checksum=sha256:00 a http://x/y /b/", "F:2:28:", "from the network", ERR_UNSUPPORTED},
	{"FROM a\nADD --keep-git-dir git@host:x.git /b", "F:2:20:", "from the network", ERR_UNSUPPORTED},
	{"FROM a\nADD ssh://git@host/x /b\nADD git://host/x /c", "F:2:5:", "F:3:5: sources from the network", ERR_UNSUPPORTED},
	{"FROM a\nADD --checksum=sha256:00 a /b", "F:2:5:", "--checksum is for sources from the network", ERR_SYNTAX},
	{"FROM a\nADD --keep-git-dir=true a /b", "F:2:5:", "--keep-git-dir is for sources", ERR_SYNTAX},
	{"FROM a\nADD --unpack=maybe a /b", "F:2:14:", "true or false", ERR_SYNTAX},
	{"FROM a\nCOPY --unpack a /b", "F:2:6:", "unknown flag '--unpack'", ERR_SYNTAX},
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
	/* bytes that no document of an image can have */
	{"FROM a\nENV a=b\xff", "F:2:7:", "'b\\xff' is not UTF-8", ERR_SYNTAX},
	{"FROM a\nENV \xff=1", "F:2:5:", "'\\xff' is not UTF-8", ERR_SYNTAX},
	{"FROM a\nLABEL a=\xff b=c\nUSER", "F:2:9:", "F:3:1: USER needs", ERR_SYNTAX},
	{"FROM a\nARG b=\xed\xa0\x80\nENV a=x", "F:2:7:", "is not UTF-8", ERR_SYNTAX},
	{"FROM a\nWORKDIR /\xff", "F:2:9:", "'/\\xff' is not UTF-8", ERR_SYNTAX},
	{"FROM a\nCMD a\xff", "F:2:5:", "'a\\xff' is not UTF-8", ERR_SYNTAX},
	{"FROM a\nHEALTHCHECK CMD a\xff", "F:2:17:", "'a\\xff' is not UTF-8", ERR_SYNTAX},
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
		"F:2:1: RUN is",        "F:3:1: RUN is",         "F:4:1: ONBUILD is",
		"F:5:1: MAINTAINER is", "F:6:6: COPY --from is", "F:7:1: more than one stage",
		"F:8:3: RUN is",        "F:9:1: RUN is",         "F:9:5: heredocs (RUN",
		"F:12:1: OS is",
	};

	build_init(&t, "FROM a\nRUN b\nRUN c d\nONBUILD RUN e\nMAINTAINER f\n"
		       "COPY --from=g h i\nFROM j\n  run k\nRUN <<X\nRUN inside\nX\nOS debian\n");
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
	/* What needs the variables of a broken ENV is not judged. */
	ck_assert_uint_eq(later.f.error_count, 4);
	ck_assert_err(&e, ERR_SYNTAX, "F:5:12:");
}
END_TEST

/* Text and values together; `count` errors, the one of a line that is not there would be one
 * more. */
static const struct {
	const char *text, *last;
	size_t count;
	bool has_skipped;
} mixed[] = {
	{"FROM scratch\nEXPOSE x\nUSER\nSTOPSIGNAL y\n", "F:4:12:", 3, false},
	{"FROM scratch\nCPOY a b\nEXPOSE x\n", "F:3:8:", 2, true},
	{"FROM scratch\nCOPY a\nCOPY b /c\n", "F:2:1:", 1, true},
	{"FROM scratch\nRUN a\nEXPOSE x\n", "F:3:8:", 2, true},
	{"FROM scratch\nENV a\nEXPOSE $a\nEXPOSE x\n", "F:4:8:", 2, false},
	{"FROM scratch\nEVN a=1\nEXPOSE ${b?}\n", "F:2:1:", 1, true},
	{"FROM scratch\nENV a=${\nHEALTHCHECK --interval=$a CMD x\n", "F:2:7:", 1, false},
	{"FROM scratch\nENV a=1\nUSER\nEXPOSE ${b?}\n", "F:4:8:", 2, false},
	{"FROM scratch\nEXPOSE x\nFROM b\nEXPOSE y\n", "F:3:1:", 2, false},
	{"FROM scratch\nFROM b\nENV =c\n", "F:3:5:", 2, false},
	{"FROM scratch\nARG =\nCOPY $x a b /c\n", "F:2:5:", 1, true},
};

START_TEST(tells_text_and_values_together)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;

	build_init(&t, mixed[_i].text);
	ck_assert_int_eq(build_run(&t, NULL, &e), -1);
	ck_assert_uint_eq(t.f.error_count, mixed[_i].count);
	ck_assert(t.p->has_skipped == mixed[_i].has_skipped);
	ck_assert_uint_eq(t.p->skipped_at, 0);
	const enum err_code code =
		strstr(mixed[_i].text, "RUN") ? ERR_SYNTAX : t.f.gravest; /* RUN is unsupported */
	ck_assert_err(&e, code, mixed[_i].last);
}
END_TEST

START_TEST(goes_on_without_a_base)
{
	struct err e = ERR_INIT;
	SCOPE(build) struct build t;

	build_init(&t, "FROM gone\nEXPOSE x $PORT\nEXPOSE y\nCOPY a /\n");
	t.p = plan_new(t.b, &t.in, &t.f, &e);
	ck_assert_ptr_nonnull(t.p);
	ck_assert_int_eq(plan_stage_unknown(t.p, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(t.f.error_count, 1);
	ck_assert_int_eq(t.p->steps[t.p->step_count - 1].kind, PLAN_COPY);
	ck_assert_int_eq(findings_raise(&t.f, &e), -1);
	ck_assert_err(&e, ERR_SYNTAX, "F:3:8: bad port 'y'");
}
END_TEST

START_TEST(knows_the_places_of_sources_and_owners)
{
	SCOPE(build) struct build t;

	build_init(&t, "FROM scratch\nCOPY --chown=u a \\\n  b c/\nUSER v\nWORKDIR /w\n");
	build_ok(&t, NULL);
	const struct plan_copy *copy = &t.p->steps[0].copy;
	ck_assert_uint_eq(copy->sources_at[0].line, 2);
	ck_assert_uint_eq(copy->sources_at[0].column, 16);
	ck_assert_uint_eq(copy->sources_at[1].line, 3);
	ck_assert_uint_eq(copy->sources_at[1].column, 3);
	ck_assert_uint_eq(copy->chown_at.line, 2);
	ck_assert_uint_eq(copy->chown_at.column, 14);
	ck_assert_uint_eq(t.p->steps[2].owner_at.line, 4);
	ck_assert_uint_eq(t.p->steps[2].owner_at.column, 6);
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

START_TEST(limits_excludes)
{
	for (int too_many = 0; too_many < 2; too_many++) {
		struct err e = ERR_INIT;
		SCOPE(build) struct build t;
		SCOPE(str) struct str text = STR_INIT;

		str_append_z(&text, "FROM scratch\nCOPY ", &e);
		for (int i = 0; i < LIMIT_IGNORE_RULES + too_many && e.code == ERR_NONE; i++)
			str_append_z(&text, "--exclude=x \\\n", &e);
		str_append_z(&text, "a /\n", &e);
		build_init(&t, text.data);
		build_run(&t, NULL, &e);
		if (too_many)
			ck_assert_err(&e, ERR_LIMIT, "more than 10000 patterns");
		ck_assert_no_err(&e);
	}
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("manifests/plan_findings");
	TCase *refusals = tcase_create("findings");
	tcase_add_loop_test(refusals, refuses_with_places, 0, ARRAY_LEN(refused));
	tcase_add_test(refusals, lists_all_that_is_unsupported_at_once);
	tcase_add_test(refusals, lists_errors_of_all_kinds_at_once);
	tcase_add_loop_test(refusals, tells_text_and_values_together, 0, ARRAY_LEN(mixed));
	tcase_add_test(refusals, goes_on_without_a_base);
	tcase_add_test(refusals, knows_the_places_of_sources_and_owners);
	tcase_add_loop_test(refusals, warns_with_places, 0, ARRAY_LEN(warned));
	tcase_add_test(refusals, knows_build_arguments_that_need_no_arg);
	suite_add_tcase(s, refusals);

	TCase *limits = tcase_create("limits");
	tcase_set_timeout(limits, 60);
	tcase_add_loop_test(limits, limits_what_a_file_grows_to, 0, ARRAY_LEN(bombs));
	tcase_add_test(limits, limits_paths);
	tcase_add_test(limits, limits_excludes);
	suite_add_tcase(s, limits);
	return s;
}

UNIT_MAIN(suite_new)
