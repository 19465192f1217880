/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front of an instruction: its name, its flags, and where its arguments are.
 */
#ifndef MANIFESTS_LEXER_H
#define MANIFESTS_LEXER_H

#include <stddef.h>

#include "base/err.h"
#include "manifests/buildfile.h"

/*
 * Reads the instruction whose name starts at or after byte `from` of i->text; fills in name, flags
 * and args_offset.  `args_len`: bytes of the arguments, without white space at either end.
 *
 * Flags are words in front that start with "--"; quotes and backslashes in them are taken off; a
 * bare "--" ends them.  0, or -1 with ERR_NOMEM.
 */
int lexer_read_front(struct instruction *i, size_t from, size_t *args_len, struct err *e);

#endif
