/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COPY --parents: what a source selects, with the paths that it keeps.
 *
 * Source: BuildKit's frontend (a source is a directory and a pattern below it, see plan.h) and
 * fsutil's copy: the pattern means what it would in an ignore file, so "**" stands for any
 * directories, and a directory that matches brings all below it; links are not followed.
 */
#ifndef PACKER_COPY_PARENTS_H
#define PACKER_COPY_PARENTS_H

#include "manifests/plan.h"
#include "packer/context.h"

/* context_walk of source `index` of `copy`, in every directory that it names. */
int copy_parents_walk(const struct context *c, const struct plan_copy *copy, size_t index,
		      int (*each)(void *ctx, const struct context_entry *entry, struct err *e),
		      void *ctx, struct err *e);

/* Whether the source has no magic character, and so must be there. */
bool copy_parents_is_literal(const struct plan_copy *copy, size_t index);

/* For a literal source that selects nothing: ERR_NOT_FOUND, or what else is the reason. */
int copy_parents_refuse(const struct context *c, const struct plan_copy *copy, size_t index,
			struct err *e);

#endif
