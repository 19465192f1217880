/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts as Go's package fmt prints them, because BuildKit's history is made with it.
 */
#ifndef MANIFESTS_GOTEXT_H
#define MANIFESTS_GOTEXT_H

#include "base/err.h"
#include "base/str.h"
#include "base/strlist.h"

/* strconv.Quote: "a\"b". */
int gotext_quote(struct str *out, const char *text, struct err *e);
/* %q of a slice: ["a" "b c"], and %v of one: [a b c]. */
int gotext_quoted_list(struct str *out, const struct strlist *l, struct err *e);
int gotext_plain_list(struct str *out, const struct strlist *l, struct err *e);

#endif
