/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/image_base.h"

#include "image/mediatype.h"

/* A layer of the base: an OCI manifest names OCI's types. */
static int add_layer(struct manifest *m, const struct descriptor *from, struct err *e)
{
	SCOPE(descriptor) struct descriptor layer = DESCRIPTOR_INIT;

	if (descriptor_set(&layer, mediatype_to_oci(from->media_type), &from->digest, from->size,
			   e) < 0 ||
	    strmap_copy(&layer.annotations, &from->annotations, e) < 0 ||
	    strlist_copy(&layer.urls, &from->urls, e) < 0)
		return -1;
	return manifest_add_layer(m, &layer, e);
}

int image_base_start(struct manifest *m, struct image_config *c, const struct image *base,
		     struct err *e)
{
	for (size_t i = 0; i < base->config.history_count; i++) {
		if (image_config_add_history(c, &base->config.history[i], e) < 0)
			return -1;
	}
	for (size_t i = 0; i < base->manifest.layer_count; i++) {
		if (add_layer(m, &base->manifest.layers[i], e) < 0 ||
		    image_config_add_diff_id(c, &base->config.diff_ids[i], e) < 0)
			return -1;
	}
	return 0;
}
