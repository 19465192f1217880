/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image has of its base: layers and history.
 */
#ifndef PACKER_IMAGE_BASE_H
#define PACKER_IMAGE_BASE_H

#include "base/err.h"
#include "image/config.h"
#include "image/manifest.h"
#include "store/image.h"

/* Appends them to a manifest and a config of no layers. */
int image_base_start(struct manifest *m, struct image_config *c, const struct image *base,
		     struct err *e);

#endif
