/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a blob is of which only the digest is known: a manifest, an index, or content.
 *
 * Private to store/.
 */
#ifndef STORE_SNIFF_H
#define STORE_SNIFF_H

#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"
#include "store/store.h"

/*
 * The media type of a document, or NULL for a blob that is none.  Looks at the members only: the
 * parser of that type has the last word.  ERR_NOMEM sets `e`.
 */
char *sniff_type(const struct str *bytes, struct err *e);

/*
 * 1 a manifest or an index, with its media type (the caller frees it) and its verified bytes, 0
 * anything else; -1 with ERR_NOT_FOUND, ERR_DIGEST, ERR_SYS, ERR_NOMEM.
 */
int sniff_blob(const struct store *s, const struct digest *d, char **media_type, struct str *bytes,
	       struct err *e);

#endif
