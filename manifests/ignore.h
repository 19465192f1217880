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
 * never excluded.  Limits: LIMIT_IGNORE_FILE, LIMIT_IGNORE_RULES.
 * Threads: a finished set of rules is immutable.
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
 * The same for walkers, without looking at the directories above again: ignore_state_size bytes
 * belong to each directory on the way down.  `parent` NULL: `path` is directly below the root;
 * `own` (may be NULL, for files) is filled in.
 */
size_t ignore_state_size(const struct ignore *ig);
bool ignore_is_excluded_in(const struct ignore *ig, const unsigned char *parent, const char *path,
			   unsigned char *own);

#endif
