/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Build files that the tests of the planner plan.
 */
#ifndef TESTS_UNIT_MANIFESTS_PLANNING_H
#define TESTS_UNIT_MANIFESTS_PLANNING_H

#include "main.h"
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

static inline void build_fini(struct build *t)
{
	plan_free(t->p);
	buildfile_free(t->b);
	strmap_fini(&t->args);
	findings_fini(&t->f);
	source_fini(&t->source);
}
SCOPE_DEFINE_VALUE(build, struct build, build_fini)

static inline void build_init(struct build *t, const char *text)
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
static inline int build_run(struct build *t, const struct plan_config *parent, struct err *e)
{
	t->p = plan_new(t->b, &t->in, &t->f, e);
	return !t->p || plan_stage(t->p, parent, e) < 0 ? -1 : findings_raise(&t->f, e);
}

static inline void build_ok(struct build *t, const struct plan_config *parent)
{
	struct err e = ERR_INIT;

	build_run(t, parent, &e);
	ck_assert_no_err(&e);
}

#endif
