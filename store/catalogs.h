/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Catalogs of the store: built once per image, kept in shale/catalogs/, made again when damaged.
 */
#ifndef STORE_CATALOGS_H
#define STORE_CATALOGS_H

#include "base/err.h"
#include "image/catalog.h"
#include "store/image.h"
#include "store/layers.h"
#include "store/store.h"

enum {
	/* Builds from the layers' verified indexes into a nameless file, and reads nothing that is
	 * kept: for mounts whose trust starts at a signature. */
	CATALOGS_FRESH = 1,
	/* Takes what is kept as it is, not held against the manifest, which need not be known, and
	 * builds nothing (ERR_NOT_FOUND): for who saves what an image has left. */
	CATALOGS_KEPT = 2,
};

/* The catalog of an image.  A store that cannot be written, or that is full, gets a nameless one,
 * in $TMPDIR or, when that is full too, in memory. */
int catalogs_open(const struct store *s, const struct image *im, unsigned flags,
		  const struct layers_options *opt, struct catalog **out, struct err *e);

/* The kept one is damaged: removes it, so that the next catalogs_open builds it. */
int catalogs_discard(const struct store *s, const struct image *im, struct err *e);

#endif
