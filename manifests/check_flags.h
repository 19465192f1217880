/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which flags an instruction takes.
 */
#ifndef MANIFESTS_CHECK_FLAGS_H
#define MANIFESTS_CHECK_FLAGS_H

#include "base/err.h"
#include "manifests/buildfile.h"
#include "manifests/findings.h"

/* Unknown, doubled, valueless and not yet supported flags become findings.  0, or -1. */
int check_flags(const struct instruction *i, struct findings *f, struct err *e);

#endif
