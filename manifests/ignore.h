/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules that leave files out: .dockerignore, and the --exclude flags of one COPY.
 *
 * Source: moby's patternmatcher and its ignorefile reader.  A line is a comment only when "#" is
 * its first byte; else it is trimmed, cleaned as a path, and loses a leading "/"; "!" in front
 * takes back.  The last rule that matches the path, or a directory above it, decides.  Patterns
 * are anchored at the root of the context; "**" stands for any directories (glob.h).
 *
 * Paths are relative to the root of the context, clean, without a leading "/"; the root itself is
 * never excluded.  Limits: LIMIT_IGNORE_FILE, LIMIT_IGNORE_RULES, LIMIT_IGNORE_STEPS.
 * Threads: one at a time, because the work is counted.
 */
#ifndef MANIFESTS_IGNORE_H
#define MANIFESTS_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/strlist.h"

struct ignore;

/* ERR_SYNTAX ("<name>:<line>: ..."), ERR_LIMIT, ERR_NOMEM. */
struct ignore *ignore_parse(const char *name, const void *bytes, size_t len, struct err *e);
/* The same from a list of patterns; a "#" is then nothing special. */
struct ignore *ignore_new(const struct strlist *patterns, struct err *e);
void ignore_free(struct ignore *ig);
SCOPE_DEFINE(ignore, struct ignore *, ignore_free)

/* Whether `path` is left out, by a rule for itself or for a directory above it. */
bool ignore_is_excluded(const struct ignore *ig, const char *path);

/*
 * Whether a path below directory `dir`, which is excluded, could be taken back by a "!" rule; when
 * not, a walker need not open `dir`.  True may be said too often, false never.
 */
bool ignore_may_reinclude_below(const struct ignore *ig, const char *dir);

/*
 * To be called after one or more of the questions above: ERR_LIMIT when they took more than
 * LIMIT_IGNORE_STEPS, and LIMIT_IGNORE_PATH for each path; their answers are then worth nothing.
 */
int ignore_check_steps(const struct ignore *ig, struct err *e);

#endif
