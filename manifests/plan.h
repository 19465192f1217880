/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build file means: from which base, by which steps, to which configuration.
 *
 * Pure: no file, image or network is opened here; the caller passes in what an image says, and
 * carries the steps out.  Texts of the history are BuildKit's; where a variable stands in ENV and
 * ARG, ENV wins, as the Dockerfile reference has it.
 *
 * Calls: plan_new -> (the caller loads plan->base) -> plan_stage or plan_stage_unknown -> (the
 * caller adds what it finds) -> findings_raise -> steps and config are there.  All findings go to
 * one struct findings, so that one report tells what is wrong with the text, the values, and, by
 * the caller, the files.
 */
#ifndef MANIFESTS_PLAN_H
#define MANIFESTS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/strlist.h"
#include "base/strmap.h"
#include "manifests/buildfile.h"
#include "manifests/chmod.h"
#include "manifests/findings.h"

/* The comment of every history entry. */
#define PLAN_HISTORY_COMMENT "buildkit.dockerfile.v0"

struct plan_platform {
	const char *os, *architecture, *variant; /* variant may be NULL */
};

struct plan_inputs {
	const struct strmap *build_args; /* --build-arg; may be NULL */
	struct plan_platform target, build;
	bool keeps_modes; /* of files of the context, see struct plan_copy */
};

/* Nanoseconds, 0 for unset. */
struct plan_healthcheck {
	struct strlist test; /* {"NONE"}, {"CMD", ...}, {"CMD-SHELL", text} */
	int64_t interval_ns, timeout_ns, start_period_ns, start_interval_ns;
	int64_t retries;
};

/* The values of an image's configuration; texts are NULL where there is none. */
struct plan_config {
	char *user;
	char *working_dir, *stop_signal;
	struct strlist env; /* NAME=value, in order */
	struct strlist entrypoint, cmd, shell, onbuild;
	struct strmap labels;
	struct strmap exposed_ports; /* "80/tcp" -> "" */
	struct strmap volumes;       /* path -> "" */
	bool has_healthcheck;
	struct plan_healthcheck healthcheck;
	bool args_escaped;
};

void plan_config_init(struct plan_config *c);
int plan_config_copy(struct plan_config *to, const struct plan_config *from, struct err *e);
void plan_config_fini(struct plan_config *c);
SCOPE_DEFINE_VALUE(plan_config, struct plan_config, plan_config_fini)

struct plan_base {
	bool is_scratch;
	char *reference;  /* as the user may write one; NULL for scratch */
	char *platform;   /* --platform; NULL: the target's */
	char *stage_name; /* NULL: none */
	struct place at;
};

/* A file whose content stands in the manifest: a heredoc. */
struct plan_text {
	char *name, *text;
	struct place at;
};

struct plan_copy {
	struct strlist sources;   /* GLOB_PLAIN, clean, relative to the context; "." */
	struct place *sources_at; /* of each */
	/* --parents: what is selected below each source (GLOB_DEEP; "." all), which is then a
	   directory whose own path is not kept, "a" of "a/./b/c".  Else empty. */
	struct strlist patterns;
	struct plan_text *texts; /* they come after the sources */
	size_t text_count;
	char *dest; /* absolute and clean; with a "/" at the end when is_dest_dir */
	bool is_dest_dir;
	char *chown; /* user[:group], names or numbers; NULL: none */
	struct place chown_at;
	bool has_chmod;
	struct chmod_spec chmod;
	struct strlist exclude; /* for ignore_new */
	bool is_link, keeps_parents;
	bool keeps_modes; /* files of the context have theirs, not git's */
	bool is_unpacked; /* ADD: a source that is a tar stands for what it holds */
};

enum plan_step_kind {
	PLAN_COPY,    /* and ADD of files */
	PLAN_WORKDIR, /* mkdir -p `path`, mode 0755, for `owner` */
	PLAN_CONFIG,  /* history alone: no layer */
};

struct plan_step {
	enum plan_step_kind kind;
	struct place at;
	char *history; /* created_by */
	struct plan_copy copy;
	char *path;
	char *owner; /* user[:group]; NULL: root */
	struct place owner_at;
};

struct plan_private;

struct plan {
	struct plan_base base;
	struct plan_step *steps; /* in order */
	size_t step_count, step_cap;
	struct plan_config config; /* of the image */
	bool has_skipped;          /* one that should bring files has errors, and is left out: */
	size_t skipped_at;         /* in front of this step */
	struct plan_private *private;
};

/*
 * Checks the whole file, and finds the base.  What it is given is borrowed until plan_stage is
 * through.  Errors beside FROM wait in `f`; NULL with ERR_SYNTAX, ERR_UNSUPPORTED, ERR_LIMIT (a
 * report) when there is no base to go on with, or with ERR_NOMEM.
 */
struct plan *plan_new(const struct buildfile *b, const struct plan_inputs *in, struct findings *f,
		      struct err *e);

/*
 * Fills in steps and config; once.  `parent`: of the base image, NULL for scratch.  0 with errors
 * among the findings, too: instructions that have some may lack their step.  -1 with ERR_NOMEM.
 */
int plan_stage(struct plan *p, const struct plan_config *parent, struct err *e);

/* The same when the base cannot be had, to find what is wrong whatever it says. */
int plan_stage_unknown(struct plan *p, struct err *e);

void plan_free(struct plan *p);
SCOPE_DEFINE(plan, struct plan *, plan_free)

#endif
