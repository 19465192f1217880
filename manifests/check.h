/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a build file whatever the values of its variables are: flags, numbers of
 * arguments, order, and all that this version does not do yet.
 */
#ifndef MANIFESTS_CHECK_H
#define MANIFESTS_CHECK_H

#include <stdbool.h>

#include "base/err.h"
#include "manifests/buildfile.h"
#include "manifests/findings.h"

/*
 * 0, or -1 with ERR_NOMEM.  `is_bad` (one for each instruction, false): set to true for those that
 * have errors, or are not supported, and mean nothing to a planner.
 */
int check_buildfile(const struct buildfile *b, struct findings *f, bool *is_bad, struct err *e);

/* The value of a flag like --link, --link=true or --link=false; false when it is not there. */
bool check_flag_is_true(const struct instruction *i, const char *name);

#endif
