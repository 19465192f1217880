/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that --tag gives an image.
 */
#ifndef PACKER_TAGS_H
#define PACKER_TAGS_H

#include "base/err.h"
#include "base/strlist.h"

/* References as keys (reference_key), each once, appended to `names`: before the work, so that a
 * name that cannot be set is said before an hour of it.  ERR_USAGE, ERR_SYNTAX. */
int tags_parse(const struct strlist *tags, struct strlist *names, struct err *e);

#endif
