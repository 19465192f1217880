/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parser directives: "# syntax=...", "# escape=`", "# check=..." in the first lines of a file.
 *
 * Source: BuildKit's parser.  Keys are case-insensitive; the first line that is none of these ends
 * them, be it empty, a comment, or a comment with some other key.  syntax is also known in the
 * forms of other languages, "// syntax=..." and {"syntax": "..."}, and behind a "#!" line; files
 * in other languages than docker's are refused by name.
 */
#ifndef MANIFESTS_DIRECTIVES_H
#define MANIFESTS_DIRECTIVES_H

#include "manifests/buildfile.h"

/* Sets escape and directives of `b`.  0, or -1 with ERR_NOMEM. */
int directives_parse(struct buildfile *b, struct findings *f, struct err *e);

/* Frees them; `b` has none then. */
void directives_fini(struct buildfile *b);

#endif
