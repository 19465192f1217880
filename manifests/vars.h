/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The variables of a build: which names have which value, and where.
 *
 * Global scope: the automatic platform arguments, and ARG in front of FROM; FROM lines see them.
 * Stage scope: ENV, that of the base included, and ARG; ARG NAME alone takes the global value.
 * --build-arg beats the default of an ARG, and ENV beats ARG.  Build arguments for proxies, and
 * those that address the builder itself, need no ARG.
 */
#ifndef MANIFESTS_VARS_H
#define MANIFESTS_VARS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/strmap.h"

struct plan_inputs;

struct vars {
	const struct strmap *build_args; /* NULL: none */
	struct strmap globals;
	struct strmap stage;    /* what words of the stage see */
	struct strmap env;      /* of these, what ENV has set: a place, see vars_env_place */
	struct strmap declared; /* names of all ARG */
};

int vars_init(struct vars *v, const struct plan_inputs *in, struct err *e);
void vars_fini(struct vars *v);

/* NULL: not given. */
const char *vars_build_arg(const struct vars *v, const char *name);

/* `at`: its index in the environment of the configuration, which keeps the order of setting. */
int vars_set_env(struct vars *v, const char *name, const char *value, size_t at, struct err *e);
/* False: ENV has not set it.  No search in that environment, where names may be long and alike. */
bool vars_env_place(const struct vars *v, const char *name, size_t *at);
/* `value` NULL: declared without a value. */
int vars_set_arg(struct vars *v, const char *name, const char *value, struct err *e);
int vars_set_global(struct vars *v, const char *name, const char *value, struct err *e);

/* Whether nobody misses an ARG for it. */
bool vars_is_predefined(const char *name);

#endif
