/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the configuration of an image and the values that a plan works with.
 */
#ifndef PACKER_BUILD_CONFIG_H
#define PACKER_BUILD_CONFIG_H

#include "base/err.h"
#include "image/config.h"
#include "manifests/plan.h"

/* What a base image gives to the plan. */
int build_config_from_image(struct plan_config *to, const struct image_config *from, struct err *e);

/* What the plan says goes into the image; platform, diff_ids and history are left as they are. */
int build_config_to_image(struct image_config *to, const struct plan_config *from, struct err *e);

#endif
