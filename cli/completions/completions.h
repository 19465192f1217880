/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands' tables in the languages of the shells.  A program that only the build runs prints
 * them behind what is the same whatever the commands are: engine.bash, engine.zsh, engine.fish.
 *
 * Text from the tables is quoted, so that nothing in it is ever run.
 */
#ifndef CLI_COMPLETIONS_COMPLETIONS_H
#define CLI_COMPLETIONS_COMPLETIONS_H

#include "cli/words.h"

/* Append to `out`; 0, or -1 with ERR_NOMEM. */
int completions_bash(struct str *out, struct err *e);
int completions_zsh(struct str *out, struct err *e);
int completions_fish(struct str *out, struct err *e);

/* The choices with `separator` between. */
int completions_choices(struct str *out, struct meaning m, const char *separator, struct err *e);

/* `len` bytes of text for between single quotes of a shell: a backslash in front of each of
 * `special`, and `quote` for each single quote. */
int completions_quoted(struct str *out, const char *text, size_t len, const char *special,
		       const char *quote, struct err *e);

#endif
