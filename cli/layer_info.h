/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands tell of the layers of an image: what they hold, and how they came to be.
 */
#ifndef CLI_LAYER_INFO_H
#define CLI_LAYER_INFO_H

#include "image/config.h"
#include "store/image.h"
#include "store/layers.h"

/* Why files of a layer can be read without unpacking it. */
enum layer_access {
	LAYER_ACCESS_EMBEDDED, /* the blob carries its layer index */
	LAYER_ACCESS_DERIVED,  /* the store keeps an index of the blob */
	LAYER_ACCESS_REFRAMED, /* and its content in frames, because the blob cannot be sought in */
};

struct layer_info {
	const struct descriptor *descriptor; /* borrowed from the image, as are the next two */
	const struct digest *diff_id;
	const struct history *step; /* NULL: the history has none for it */
	uint64_t content;           /* bytes of its regular files, without holes */
	uint64_t tar_size;          /* bytes of its tar stream */
	uint64_t entries;
	enum layer_access access;
	uint64_t shared; /* names of other images of the store that have it: layer_info_count_shares
			  */
};

/* Of all layers, the base first; the caller frees the array, which has im->manifest.layer_count
 * elements.  NULL with the error of layers_index. */
struct layer_info *layer_info_list(const struct store *s, const struct image *im,
				   const struct layers_options *opt, struct err *e);

/* Looks at every name of the store; an image that does not load shares nothing (`status`:
 * support_pass_over), and of an index the image counts that image_load_any takes.  Other names of
 * `im` itself do not. */
int layer_info_count_shares(const struct store *s, const struct image *im, struct layer_info *list,
			    int *status, struct err *e);

/* "embedded", "derived", "re-framed" */
const char *layer_access_name(enum layer_access access);

#endif
