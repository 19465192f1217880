/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store keeps: its refs, leases and sessions, with one exception.  A signature (or
 * attestation) lies beside its image under a tag that names the image's digest; it lives as long as
 * something else keeps that image.
 *
 * Private to store/: for gc and fsck.
 */
#ifndef STORE_ROOTS_H
#define STORE_ROOTS_H

#include <stdbool.h>

#include "base/err.h"
#include "image/manifest.h"
#include "store/mark.h"
#include "store/sessions.h"

/* What an entry without a name is called. */
#define ROOTS_NAMELESS "an image without a name"

/* The name of an entry; borrowed. */
const char *roots_name(const struct descriptor *entry);

/* Adds the images of sessions (borrowed as long as `m`).  Of those that cannot be read nobody knows
 * what they keep: that is the caller's to tell. */
int roots_add_sessions(struct marks *m, const struct session_list *l, struct err *e);

/* The first session that cannot be read, or NULL. */
struct session_info *roots_unknown_session(const struct session_list *l);

/*
 * Marks all that is reachable from `ix` (borrowed as long as `m`), and from what was added to `m`
 * before.  `orphans[i]` says that entry i is an artifact of an image that nothing keeps; it is not
 * marked.
 */
int roots_mark(struct marks *m, const struct image_index *ix, const struct mark_visitor *visitor,
	       bool *orphans, struct err *e);

#endif
