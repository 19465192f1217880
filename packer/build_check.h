/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with the steps of a plan that only the context and the image can tell: sources that
 * are not there, names that no layer can hold, owners that nobody knows.  Found for all steps
 * together, before layers are made.
 */
#ifndef PACKER_BUILD_CHECK_H
#define PACKER_BUILD_CHECK_H

#include "base/err.h"
#include "manifests/findings.h"
#include "manifests/plan.h"
#include "packer/context.h"
#include "packer/stage.h"

/* An error for each source of a COPY that cannot be had, a warning for a pattern that matches
 * nothing.  -1: what is no fault of the file. */
int build_check_sources(const struct plan *p, const struct context *c, struct findings *f,
			struct err *e);

/*
 * A finding for each unknown owner of step `from` and those after it, as `st` (which has the steps
 * before `from`) knows accounts.  Only what is certain: ends with the first COPY that may bring
 * accounts; `*next` is the step after it, from which to go on once that COPY is done.
 */
int build_check_owners(const struct plan *p, const struct context *c, const struct stage *st,
		       size_t from, size_t *next, struct findings *f, struct err *e);

#endif
