/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that options name for results (--iidfile): looked at before the work, written after it.
 *
 * A regular file appears whole, or stays as it was; a link is followed, and refused when it leads
 * to nothing; a device, a FIFO or /dev/fd/N is written to; a directory is wrong usage.
 */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "base/err.h"
#include "base/str.h"

/* Fails as target_write would, as far as can be told now, and writes nothing. */
int target_check(const char *option, const char *path, struct err *e);

/* That two files to be written are not one: the second would take the place of the first.  What is
 * written into (a terminal, /dev/null, a FIFO) takes both.  Both were checked.  ERR_USAGE. */
int target_check_distinct(const char *option, const char *path, const char *other_option,
			  const char *other_path, struct err *e);

int target_write(const char *option, const char *path, const struct str *text, struct err *e);

#endif
