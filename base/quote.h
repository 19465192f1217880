/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Printable forms of bytes that came from outside, for messages and terminals.
 *
 * Printable ASCII and valid UTF-8 stay; control bytes, quotes, backslashes and invalid UTF-8
 * become \n, \t, \', \\ or \xNN, so that no name can move a cursor or forge a message.
 */
#ifndef BASE_QUOTE_H
#define BASE_QUOTE_H

#include <stddef.h>

#include "base/str.h"

enum { QUOTE_MAX = 160 /* bytes, NUL included; longer text ends in "..." */ };

/* Write into `buf`, and return it.  Cannot fail. */
const char *quote_bytes(char buf[static QUOTE_MAX], const void *s, size_t len);
const char *quote_str(char buf[static QUOTE_MAX], const char *s);

/* For reports, which put no quotes around it: without a limit, and a single quote stays.  Appends
 * to `out`. */
int quote_append(struct str *out, const void *s, size_t len, struct err *e);

#endif
