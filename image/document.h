/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the readers and writers of OCI documents share: members of the kinds that Go's structures
 * have, and the checks that keep two readers from seeing two documents in the same bytes.
 *
 * Of this room only; others see manifest.h, descriptor.h and config.h.  `what` names the document
 * in messages.  Readers: ERR_FORMAT for a wrong type, and as said; outputs are empty on entry and
 * hold what was read so far on failure: the caller's fini takes it.
 */
#ifndef IMAGE_DOCUMENT_H
#define IMAGE_DOCUMENT_H

#include <jansson.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/strlist.h"
#include "base/strmap.h"
#include "image/descriptor.h"
#include "image/mediatype.h"

/*
 * ERR_FORMAT when a member's name is one of `known` (ends in NULL) but for the case of letters.
 * Go's encoding/json takes "Layers" for "layers", the last one winning: what is signed as one
 * image could run as another.
 */
int document_check_spelling(const json_t *obj, const char *const *known, const char *what,
			    struct err *e);

/* ERR_FORMAT when `obj` has one of `foreign` (ends in NULL), which other documents have. */
int document_check_foreign(const json_t *obj, const char *const *foreign, const char *what,
			   struct err *e);

/*
 * The type of a whole document, copied to `out`: `given` by whoever pointed here, or else its own
 * `mediaType`, or else `fallback`.  ERR_FORMAT when the two differ, or it is not of `kind`; so is a
 * schemaVersion that is not 2.
 */
int document_get_type(const json_t *obj, const char *given, enum media_kind kind,
		      const char *fallback, const char *what, char **out, struct err *e);

/* A copy; NULL when absent or empty, as Go's omitempty has it. */
int document_get_text(const json_t *obj, const char *key, const char *what, char **out,
		      struct err *e);
int document_get_list(const json_t *obj, const char *key, const char *what, struct strlist *out,
		      struct err *e);
/* Strings; ERR_LIMIT for one of more than `max` bytes. */
int document_get_map(const json_t *obj, const char *key, const char *what, size_t max,
		     struct strmap *out, struct err *e);
/* The names in an object of empty objects; values are "". */
int document_get_set(const json_t *obj, const char *key, const char *what, struct strmap *out,
		     struct err *e);
/* Required, though it may be null; at most `max` (ERR_LIMIT).  `key` is a plural in "s". */
int document_get_descriptors(const json_t *obj, const char *key, const char *what, size_t max,
			     struct descriptor **out, size_t *count, struct err *e);

/* A copy; NULL of NULL. */
int document_copy_text(char **to, const char *from, struct err *e);

int document_parse_digest(const char *text, const char *what, struct digest *out, struct err *e);

/* Writers: nothing is put for NULL and for what is empty; ERR_FORMAT for text that is not UTF-8. */
int document_put_text(json_t *obj, const char *key, const char *text, struct err *e);
int document_push_text(json_t *arr, const char *text, struct err *e);
int document_put_list(json_t *obj, const char *key, const struct strlist *l, struct err *e);
int document_put_map(json_t *obj, const char *key, const struct strmap *m, struct err *e);
int document_put_set(json_t *obj, const char *key, const struct strmap *m, struct err *e);
/* Put also when there are none. */
int document_put_descriptors(json_t *obj, const char *key, const struct descriptor *list,
			     size_t count, struct err *e);

#endif
