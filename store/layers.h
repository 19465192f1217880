/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers of the store: their blobs, their indexes, and the files that hold their frames.
 *
 * A layer's index comes from its blob when the manifest's annotations name it, verified by the
 * digest there; else from shale/layers/, where it is derived once (a file with its own SHA-256 at
 * its end).  A derived file that is missing or damaged is derived again.
 */
#ifndef STORE_LAYERS_H
#define STORE_LAYERS_H

#include "base/digest.h"
#include "base/err.h"
#include "base/progress.h"
#include "image/catalog.h"
#include "image/descriptor.h"
#include "image/layer_index.h"
#include "image/layer_write.h"
#include "image/tar_read.h"
#include "store/lease.h"
#include "store/store.h"

struct layers_options {
	unsigned workers;
	struct progress *progress; /* may be NULL */
	struct tar_losses *losses; /* of layers whose tar is read; may be NULL */
};

/*
 * The index of a layer; `info` says what a catalog has to know.  ERR_DIGEST: the embedded index or
 * the blob is not what the manifest says.  ERR_FORMAT, ERR_LIMIT as layer_scan.h.  When `diff_id`
 * is not NULL and the index has another one: ERR_DIGEST.
 */
int layers_index(const struct store *s, const struct descriptor *layer,
		 const struct digest *diff_id, const struct layers_options *opt,
		 struct layer_index **out, struct catalog_layer *info, struct err *e);

/*
 * Proves a layer whole: the blob has its digest; its tar has `diff_id`; the index (embedded, or
 * derived: then it is derived anew and compared) tells the same tree; every frame is right.  What
 * import and verify do.
 */
int layers_prove(const struct store *s, const struct descriptor *layer,
		 const struct digest *diff_id, const struct layers_options *opt, struct err *e);

/*
 * Names the blob of a layer that `w` has written to `fd` and finished with `r`, as blobs_publish,
 * and keeps the index of one that does not bring it: nothing has to be derived from it.
 */
int layers_publish(const struct store *s, struct lease *l, int fd, const struct layer_writer *w,
		   const struct layer_result *r, struct err *e);

/* What was derived from a layer is damaged: removes it, so that it is derived again.  Nothing
 * happens to a layer that brings its index. */
int layers_discard(const struct store *s, const struct digest *blob, struct err *e);

/* The file whose frames `info` describes: an fd; ERR_NOT_FOUND, ERR_DIGEST. */
int layers_open_frames(const struct store *s, const struct catalog_layer *info, struct err *e);

#endif
