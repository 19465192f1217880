/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What catalogs and fsck have to know of layers.  Private to store/.
 */
#ifndef STORE_LAYERS_PRIVATE_H
#define STORE_LAYERS_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/layers.h"

/* Where the manifest says that the layer index is. */
struct embedded {
	struct digest digest;
	uint64_t offset; /* in the blob */
	uint64_t size;   /* bytes there, inside the blob */
};

/* 1 the layer brings its index, 0 it is derived, -1 with ERR_FORMAT, ERR_LIMIT, ERR_UNSUPPORTED. */
int layers_find_embedded(const struct descriptor *layer, struct embedded *out, struct err *e);

struct layer_request {
	const struct descriptor *layer;
	const struct digest *diff_id; /* NULL: any */
	bool is_fresh;                /* what was derived before is not read, but derived again */
	bool is_kept_only; /* what is not kept whole is ERR_NOT_FOUND, or what it is damaged with */
	const struct layers_options *opt;
};

/* As layers_index. */
int layers_load(const struct store *s, const struct layer_request *want, struct layer_index **out,
		struct catalog_layer *info, struct err *e);

/* That an embedded index is the truth about the blob `fd`: as layers_prove, of which it is a
 * part. */
int layers_prove_embedded(int fd, const struct descriptor *layer, const struct layer_index *ix,
			  struct progress *progress, struct err *e);

#endif
