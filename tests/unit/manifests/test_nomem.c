/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that runs out anywhere on the way from text to plan is ERR_NOMEM, and leaks nothing. */
#include "main.h"

#include "manifests/ignore.h"
#include "manifests/plan.h"
#include "tests/support/failalloc.h"

static const char good[] =
	"# syntax=docker/dockerfile:1\n"
	"# escape=\\\n"
	"ARG v=1 \\\n\n  w=${v:-2}\n"
	"FROM --platform=linux/$TARGETARCH base:${v#0} AS Name\n"
	"ARG x=\"${v:+a}$unset\" TARGETARCH\n"
	"ENV a=1 'b'=\"2 $x\" c=${a//1/23}\n"
	"LABEL l=${a%%x*}\n"
	"USER me\n"
	"WORKDIR sub/${a}\n"
	"EXPOSE 80-82/udp $a 1:2\n"
	"VOLUME [\"/v\", \"/w $a\"]\n"
	"STOPSIGNAL 9\n"
	"SHELL [\"/bin/bash\", \"-c\"]\n"
	"ENTRYPOINT run me\n"
	"CMD [\"a\", \"b\"]\n"
	"CMD ['c']\n"
	"HEALTHCHECK --interval=1.5s --retries=2 CMD check\n"
	"COPY --link --chown=$a:b --chmod=u=rwX --exclude=**/*.o --exclude=!k.o a b*.c dir/\n"
	"COPY a <<one <<-'two' dir/\n$a ${b:-c} $none\none\n\t$a\n\ttwo\n";

static const char bad[] = "# syntax=other/language\n"
			  "FROM a AS b/\n"
			  "CPOY a b\n"
			  "ONBUILD RUN <<A\nx\nA\n"
			  "COPY --chwon=x --link=x <<'B' y\nB\n"
			  "ENV a=b c\n"
			  "CMD [1]\n"
			  "RUN x\n"
			  "\tEXPOSE\n";

static int run(const char *text, struct err *e)
{
	static const struct strmap args = STRMAP_INIT;
	const struct plan_inputs in = {.build_args = &args,
				       .target = {"linux", "arm64", "v8"},
				       .build = {"linux", "amd64", NULL}};
	SCOPE(source) struct source source = SOURCE_INIT;
	SCOPE(plan_config) struct plan_config parent;
	SCOPE(str) struct str warnings = STR_INIT;

	plan_config_init(&parent);
	if (source_init(&source, "F", text, strlen(text), e) < 0)
		return -1;
	SCOPE(findings) struct findings f = FINDINGS_INIT(&source);
	SCOPE(buildfile) struct buildfile *b = buildfile_parse(&source, &f, e);
	if (!b || buildfile_dump(b, &warnings, e) < 0)
		return -1;
	if (strlist_add(&parent.env, "A=1", e) < 0 || strmap_set(&parent.labels, "a", "b", e) < 0)
		return -1;
	SCOPE(plan) struct plan *p = plan_new(b, &in, &f, e);
	if (!p || plan_stage(p, &parent, e) < 0 || findings_raise(&f, e) < 0)
		return -1;
	return findings_warnings(&f, &warnings, e);
}

static int run_good(void *arg, struct err *e)
{
	(void)arg;
	return run(good, e);
}

/* The report is what is wanted here; whether its last piece fits into memory, err.h copes with. */
static int run_bad(void *arg, struct err *e)
{
	(void)arg;
	const int result = run(bad, e);
	if (result == 0 || e->code == ERR_NOMEM)
		return result;
	err_clear(e);
	return 0;
}

static int run_ignore(void *arg, struct err *e)
{
	static const char text[] = "# x\na/*/b\n!**/c\nd/**\n!e/[a-z]?\n";

	(void)arg;
	SCOPE(ignore) struct ignore *ig = ignore_parse("i", text, strlen(text), e);
	return ig ? 0 : -1;
}

START_TEST(good_files)
{
	failalloc_each(run_good, NULL);
}
END_TEST

START_TEST(bad_files)
{
	failalloc_each(run_bad, NULL);
}
END_TEST

START_TEST(ignore_files)
{
	failalloc_each(run_ignore, NULL);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("manifests/nomem");
	TCase *tc = tcase_create("nomem");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, good_files);
	tcase_add_test(tc, bad_files);
	tcase_add_test(tc, ignore_files);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
