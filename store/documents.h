/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of images that shale makes: indexes, manifests and configs.
 *
 * Blobs as others, but with the limits of those who read them: a document beyond them would be
 * refused by every later command, and what names it could not be listed, checked or collected.
 */
#ifndef STORE_DOCUMENTS_H
#define STORE_DOCUMENTS_H

#include "base/err.h"
#include "base/str.h"
#include "image/descriptor.h"
#include "store/lease.h"
#include "store/store.h"

/* ERR_LIMIT for what could not be read again: LIMIT_DOCUMENT, LIMIT_JSON_VALUES, LIMIT_JSON_DEPTH.
 * `media_type` is that of an index, a manifest or a config. */
int documents_check(const char *media_type, const struct str *bytes, struct err *e);

/* Checks the document, puts it, and sets `out`, but for its annotations. */
int documents_put(const struct store *s, struct lease *l, const char *media_type,
		  const struct str *bytes, struct descriptor *out, struct err *e);

#endif
