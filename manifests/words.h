/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arguments of an instruction, cut into words by the rule of that instruction.
 *
 * Source: BuildKit's line parsers.  A text that starts with "[" is JSON when it parses as an array
 * of strings; an array of anything else is an error; all else is no JSON, but text that happens to
 * start so.
 */
#ifndef MANIFESTS_WORDS_H
#define MANIFESTS_WORDS_H

#include <stddef.h>

#include "base/err.h"
#include "manifests/buildfile.h"
#include "manifests/findings.h"

/* `len` bytes at i->args_offset become i->words.  0, or -1 with ERR_NOMEM. */
int words_cut(struct instruction *i, size_t len, char escape, struct findings *f, struct err *e);

#endif
