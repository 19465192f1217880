/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whiteouts: how a layer says that something of the layers below is gone.
 *
 * Source: OCI image-spec, layer.md, "Whiteouts".  ".wh.<name>" hides <name>, ".wh..wh..opq" hides
 * all that lower layers have in its directory; both act on lower layers only, whatever their place
 * in the tar.  AUFS's own ".wh..wh.plnk", ".wh..wh.aufs" and ".wh..wh.orph" mean nothing and are
 * dropped.
 */
#ifndef IMAGE_WHITEOUT_H
#define IMAGE_WHITEOUT_H

#include <stddef.h>

#include "base/err.h"
#include "image/entry.h"

#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

enum whiteout_kind {
	WHITEOUT_NONE,       /* an ordinary entry */
	WHITEOUT_FILE,       /* hides one name */
	WHITEOUT_OPAQUE_DIR, /* hides what lower layers have in the directory */
	WHITEOUT_AUFS,       /* bookkeeping of AUFS: dropped */
};

/*
 * Looks at the last component of a canonical path.  For WHITEOUT_FILE `*hidden` is the place of the
 * hidden name in `path`.  ERR_FORMAT: ".wh." alone, ".wh..", ".wh...", a whiteout in the middle of
 * a path, or one that is not an empty regular file.
 */
int whiteout_classify(const struct entry *en, enum whiteout_kind *out, size_t *hidden,
		      struct err *e);

#endif
