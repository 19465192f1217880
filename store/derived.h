/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is derived from a layer that brings no layer index: shale/layers/<hex>.index, and
 * <hex>.frames where the blob itself cannot be sought in.
 *
 * Private to store/.  The index file ends in a footer that binds it to its blob; format:
 * shale-store(5).  Frames get their name before the index that speaks of them.
 */
#ifndef STORE_DERIVED_H
#define STORE_DERIVED_H

#include <stdbool.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"
#include "image/descriptor.h"
#include "image/layer_index.h"
#include "store/folder.h"
#include "store/layers.h"
#include "store/store.h"

struct derived {
	struct layer_index *index;
	struct digest index_digest; /* of the encoded index */
	bool is_reframed;
};

#define DERIVED_INIT                            \
	{                                       \
		NULL, {DIGEST_NONE, {0}}, false \
	}

/* The kept one: 1; 0 none is kept; -1 with ERR_DIGEST, ERR_FORMAT or ERR_LIMIT when it, or the
 * size of the file of its frames, is damaged, ERR_UNTRUSTED when others may have written it. */
int derived_load(const struct store *s, const struct digest *blob, struct derived *out,
		 struct err *e);

/* The footer alone, for those who compare: the same, without `out->index`. */
int derived_peek(const struct store *s, const struct digest *blob, struct derived *out,
		 struct err *e);

/*
 * Reads the layer's blob and derives anew; what is kept is replaced.  ERR_DIGEST when the content
 * has not `diff_id` (NULL: any).  In a store that cannot be written, or is full, nothing is kept,
 * and frames of which none, or others, are kept are an error.
 */
int derived_make(const struct store *s, const struct descriptor *layer,
		 const struct digest *diff_id, const struct layers_options *opt,
		 struct derived *out, struct err *e);

/* Keeps `index` (encoded, as layer_derive would make it), whose frames are in the blob itself,
 * unless it is kept already: of a layer that was written just now, so that nobody has to read it.
 */
int derived_keep(const struct store *s, const struct digest *blob, const struct str *index,
		 struct err *e);

/* An fd; ERR_NOT_FOUND also for what is no file; ERR_SYS. */
int derived_open_frames(const struct store *s, const struct digest *blob, struct err *e);

/* Under the locks that derived_make takes. */
int derived_remove(const struct store *s, const struct digest *blob, struct err *e);

/* Which files are kept: two that are equal say that nobody removed them or made them anew between
 * the two. */
struct derived_stamp {
	struct folder_stamp index, frames;
};
struct derived_stamp derived_stamp(const struct store *s, const struct digest *blob);
bool derived_stamp_equal(const struct derived_stamp *a, const struct derived_stamp *b);

/* The blob that a name in shale/layers belongs to; false for other names. */
bool derived_parse_name(const char *name, struct digest *blob);

void derived_fini(struct derived *d);
SCOPE_DEFINE_VALUE(derived, struct derived, derived_fini)

#endif
