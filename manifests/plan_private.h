/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the planner share; nobody else includes this.
 */
#ifndef MANIFESTS_PLAN_PRIVATE_H
#define MANIFESTS_PLAN_PRIVATE_H

#include "manifests/expand.h"
#include "manifests/plan.h"
#include "manifests/ports.h"
#include "manifests/vars.h"

/* OCI image-spec, layer.md, "Whiteouts": in a layer such a name means another file. */
#define PLAN_WHITEOUT_PREFIX ".wh."

struct plan_private {
	const struct buildfile *buildfile;
	const struct plan_inputs *inputs;
	struct findings *findings;
	struct vars vars;
	struct expand_budget budget;
	bool *is_bad;           /* of each instruction: see check_buildfile */
	size_t from;            /* index of the FROM instruction */
	uint64_t history_bytes; /* of all steps; a configuration has no room for more */
	size_t name_count;      /* see LIMIT_VARIABLES */
	struct port_set ports;
	bool is_cmd_set;          /* in this stage */
	bool is_workdir_set;      /* in this stage */
	bool is_user_set;         /* in this stage */
	struct place user_at;     /* then */
	bool are_vars_incomplete; /* what should set some has errors */
};

/*
 * Expands one word by `vars` and appends it: 1, 0 when that became a finding, -1 with ERR_NOMEM.
 * plan_expand_many splits, too.
 */
int plan_expand(struct plan *p, const struct instruction *i, const struct word *w,
		const struct strmap *vars, struct str *out, struct err *e);
int plan_expand_many(struct plan *p, const struct instruction *i, const struct word *w,
		     struct strlist *out, struct err *e);

/* Warnings for variables that were not set. */
int plan_warn_unset(struct plan *p, struct place at, const struct strlist *unset,
		    const struct strmap *vars, struct err *e);

/*
 * What a heredoc of COPY or ADD puts into its file: the lines of its body as they are, without
 * leading tabs for <<-, and expanded unless its name was quoted.  1 and the text appended to `out`,
 * 0 when that became a finding, -1 with ERR_NOMEM.
 */
int plan_heredoc_text(struct plan *p, const struct instruction *i, const struct heredoc *h,
		      struct str *out, struct err *e);

/* One more name for ARG, ENV, LABEL or VOLUME; false: too many, which is a finding, or
 * ERR_NOMEM. */
bool plan_count_name(struct plan *p, const struct instruction *i, struct err *e);

/* A new step with its history, which it takes; NULL with ERR_NOMEM, or p->findings has it. */
struct plan_step *plan_add_step(struct plan *p, const struct instruction *i,
				enum plan_step_kind kind, struct str *history, struct err *e);

/*
 * `path` from `dir`, absolute and clean: appended to `out` with its leading "/".  `out` is not
 * changed on failure.
 */
int plan_resolve_path(const char *dir, const char *path, struct str *out, struct err *e);

/* A finding when no image can have `path`; 0, or -1 with ERR_NOMEM. */
int plan_check_path(struct plan *p, struct place at, const char *what, const struct str *path,
		    struct err *e);

/* One instruction each, that check_buildfile found well-formed: 0, or -1 with ERR_NOMEM. */
int plan_copy(struct plan *p, const struct instruction *i, struct err *e);
void plan_copy_fini(struct plan_copy *c);
int plan_workdir(struct plan *p, const struct instruction *i, struct err *e);
int plan_arg(struct plan *p, const struct instruction *i, struct err *e);
int plan_env(struct plan *p, const struct instruction *i, struct err *e);
int plan_label(struct plan *p, const struct instruction *i, struct err *e);
int plan_expose(struct plan *p, const struct instruction *i, struct err *e);
int plan_volume(struct plan *p, const struct instruction *i, struct err *e);
int plan_user(struct plan *p, const struct instruction *i, struct err *e);
int plan_stop_signal(struct plan *p, const struct instruction *i, struct err *e);
int plan_command(struct plan *p, const struct instruction *i, struct err *e); /* CMD, ENTRYPOINT */
int plan_shell(struct plan *p, const struct instruction *i, struct err *e);
int plan_healthcheck(struct plan *p, const struct instruction *i, struct err *e);

/* NAME=value into environment and variables: in NAME's place, or at the end. */
int plan_set_env(struct plan *p, const char *name, const char *value, struct err *e);

#endif
