/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PEM files of one block: the armour of keys.
 *
 * Source: RFC 7468, the strict grammar, with lines of any length.  Stricter than most readers,
 * which take the first block and leave the rest unread: a second block, text around the block and
 * headers inside it ("Proc-Type:") are refused.  CRLF and a missing last line end are fine.
 *
 * Limits: LIMIT_KEY_FILE.
 */
#ifndef SIGNER_PEM_H
#define SIGNER_PEM_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum { PEM_TYPE_MAX = 64 /* bytes, NUL included */ };

/* Reads the block: its type, and its bytes appended to `body`.  ERR_FORMAT, ERR_LIMIT; the outputs
 * are then untouched. */
int pem_parse(const char *text, size_t len, char type[static PEM_TYPE_MAX], struct str *body,
	      struct err *e);

/* Appends a block in lines of 64 characters.  ERR_NOMEM. */
int pem_format(const char *type, const void *body, size_t len, struct str *out, struct err *e);

#endif
