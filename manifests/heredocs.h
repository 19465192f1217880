/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heredocs: <<name, <<-name, <<"name", 3<<name among the words of an instruction, with the body in
 * the lines that follow.
 *
 * Source: BuildKit's parser.  The escape character is the backslash here, whatever the directive
 * says.  A line whose quotes do not pair has no heredocs.
 */
#ifndef MANIFESTS_HEREDOCS_H
#define MANIFESTS_HEREDOCS_H

#include "manifests/buildfile.h"

/* Finds those in the text from i->name_offset on.  0, or -1 with ERR_NOMEM. */
int heredocs_find(struct instruction *i, struct findings *f, struct err *e);

/*
 * Reads their bodies from physical line `*next` of the source on, and moves it behind them.  One
 * without an end takes all the rest of the file, and is an error.
 */
int heredocs_read(struct instruction *i, const struct source *source, uint32_t *next,
		  struct findings *f, struct err *e);

#endif
