/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of a build share.
 *
 * Private to packer/build*.c.  One build makes an image for each of its platforms: build_image_plan
 * for all of them, so that what is wrong is told before anything is made; then build_image_make.
 * build_run publishes them.
 */
#ifndef PACKER_BUILDER_H
#define PACKER_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "image/config.h"
#include "image/manifest.h"
#include "manifests/buildfile.h"
#include "manifests/findings.h"
#include "manifests/plan.h"
#include "packer/archives.h"
#include "packer/build.h"
#include "packer/context.h"
#include "packer/copy_layer.h"
#include "packer/stage.h"
#include "store/image.h"
#include "store/layers.h"
#include "store/lease.h"
#include "store/store.h"

/* A layer that this build has made, or found. */
struct made_layer {
	struct digest key; /* see copy_key */
	struct descriptor layer;
	struct digest diff_id;
};

/* A build under way; what is the same for all platforms. */
struct builder {
	const struct store *store;
	const struct build_options *opt;
	struct lease *lease;
	struct context *context;
	struct source source;
	struct buildfile *file;
	struct findings parsed; /* what is wrong with the text, whatever the platform */
	struct layers_options layers_opt;
	struct archives *archives; /* NULL: of one platform none is kept */
	struct made_layer *made;
	size_t made_count, made_cap;
	int64_t epoch;
	char *created; /* the epoch as text */
};

/* The image for one platform. */
struct build_image {
	struct builder *builder;
	const struct build_target *target;
	struct findings findings;
	struct platform host;
	struct plan_inputs inputs; /* the plan looks at them until it is carried out */
	struct plan *plan;
	bool has_base;
	struct image base;
	struct stage *stage; /* NULL: not yet, or no longer */
	size_t next_check;   /* the step from which owners are to be checked */
	struct manifest manifest;
	struct image_config config;
};

/* Borrows all but the findings. */
void build_image_init(struct build_image *im, struct builder *b, const struct build_target *target);

/*
 * Finds all that can be wrong before anything is made: text, values, base, sources, owners.  0 with
 * errors among the findings, too; -1 for what is no fault of the manifest.
 */
int build_image_plan(struct build_image *im, struct err *e);

/* Closes what takes memory until the image is made. */
void build_image_rest(struct build_image *im);

/* Makes the layers, the config and the manifest of a plan without errors. */
int build_image_make(struct build_image *im, struct build_result_image *out, struct err *e);
void build_image_fini(struct build_image *im);

/*
 * The layer of a list: the one that this build, or unless it is to be fresh an earlier one, made of
 * the same things; else it is written.  `layer` and `diff_id` are empty on entry.
 */
int build_layer(struct builder *b, struct copy_list *list, struct descriptor *layer,
		struct digest *diff_id, struct err *e);
void build_layers_forget(struct builder *b);

#endif
