/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of images on the command line, held against their grammar before a command runs: there it
 * is the usage that is wrong, where in a manifest or an archive it is the input.
 *
 * Plain functions; nothing is kept.
 */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include "cli/command.h"

/* That `text` can be the name of an image, or its digest: ERR_USAGE. */
int names_check(const char *text, struct err *e);

/* The same for every argument and value that cli/words.h calls an image. */
int names_check_all(const struct invocation *in, struct err *e);

#endif
