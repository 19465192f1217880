/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stage: the image that is being built, as far as it is; what COPY and WORKDIR look at.
 */
#ifndef PACKER_STAGE_H
#define PACKER_STAGE_H

#include "base/err.h"
#include "base/scope.h"
#include "image/manifest.h"
#include "image/merge.h"
#include "store/image.h"
#include "store/layers.h"
#include "store/lease.h"
#include "store/store.h"

struct stage;

/* `base` NULL: scratch.  All is borrowed until stage_free. */
struct stage *stage_new(const struct store *s, struct lease *lease, const struct image *base,
			const struct layers_options *opt, struct err *e);
void stage_free(struct stage *st);
SCOPE_DEFINE(stage, struct stage *, stage_free)

/* Where its layers are, and how they are read. */
const struct store *stage_store(const struct stage *st);
const struct layers_options *stage_options(const struct stage *st);

/* The tree of all layers so far; changes with stage_add_layer. */
const struct merge *stage_tree(const struct stage *st);

/* Puts a finished layer (a blob of the store) on top. */
int stage_add_layer(struct stage *st, const struct descriptor *layer, const struct digest *diff_id,
		    struct err *e);

/* The kind of what is at a canonical path of the tree; false: nothing.  Links are not followed. */
bool stage_find(const struct stage *st, const char *path, size_t len, enum entry_kind *kind);

/* A small file of the tree, links followed: 1 and its content, 0 not there (or no file), -1. */
int stage_read_file(const struct stage *st, const char *path, uint64_t limit, struct str *out,
		    struct err *e);

#endif
