/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fsck has to know of catalogs.  Private to store/.
 */
#ifndef STORE_CATALOGS_PRIVATE_H
#define STORE_CATALOGS_PRIVATE_H

#include "base/err.h"
#include "image/catalog.h"
#include "image/manifest.h"
#include "store/store.h"

enum catalogs_fit {
	CATALOGS_FIT,
	CATALOGS_OTHER,   /* it is of other layers, or of what was derived before */
	CATALOGS_UNKNOWN, /* what is derived from a layer is gone or damaged: the catalog is not
			     believed, and may yet be right */
};

/* Whether a catalog is of these layers, as far as can be told without reading them: an enum
 * catalogs_fit, or -1. */
int catalogs_check_layers(const struct store *s, const struct manifest *m, const struct catalog *c,
			  struct err *e);

/*
 * Whether a catalog, whose file `fd` is, is byte for byte the one that the verified indexes of
 * these layers give: an enum catalogs_fit, or -1 when that cannot be found out.  CATALOGS_UNKNOWN,
 * too, when a blob is gone or damaged.  Derives nothing.
 */
int catalogs_compare(const struct store *s, const struct manifest *m, const struct digest *diff_ids,
		     const struct catalog *c, int fd, struct err *e);

#endif
