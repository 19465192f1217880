/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new image from another one and one layer more: what `docker commit` makes of a container.
 *
 * Config, history, layers and annotations are those of the base; one entry of the history tells of
 * the layer.  Never the clock: the same values give the same digest.  The refs are set last.
 */
#ifndef PACKER_COMMIT_H
#define PACKER_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strlist.h"
#include "base/strmap.h"
#include "image/descriptor.h"
#include "store/image.h"
#include "store/lease.h"
#include "store/store.h"

struct commit_options {
	struct strlist tags;       /* reference texts: all refs are set, or none */
	const char *created_by;    /* of the entry of the history */
	const char *message;       /* its comment; NULL: none */
	const char *author;        /* of it and of the image; NULL: the base's */
	struct strlist changes;    /* Dockerfile instructions: "ENV A=B" */
	struct strmap labels;      /* over those of the base and of `changes` */
	struct strmap annotations; /* of the manifest, over those of the base */
};

/* What is checked, and made of texts, before the layer is written. */
struct commit {
	const struct store *store;
	const struct commit_options *opt;
	const struct image *base;
	struct image_config config; /* no layers yet */
	struct manifest manifest;
	struct strlist names; /* "localhost/app:1" */
};

/* All borrowed until commit_fini.  ERR_USAGE, ERR_SYNTAX, ... for tags and changes; ERR_LIMIT for a
 * base with as many layers as an image can have. */
int commit_init(struct commit *c, const struct store *s, const struct commit_options *opt,
		const struct image *base, struct err *e);
void commit_fini(struct commit *c);

/*
 * `layer`: published, with its diff_id; NULL: the history tells of a change that brought none
 * (empty_layer).  `created_s`: seconds; before 1970 and after the year 9999 the nearest that
 * RFC 3339 can say; NULL: as the base.  `out` is the manifest.
 */
int commit_finish(struct commit *c, struct lease *l, const struct descriptor *layer,
		  const struct digest *diff_id, const int64_t *created_s, struct descriptor *out,
		  struct err *e);

/* Carries the instructions out on a config.  ERR_USAGE for one that is not about the config. */
int commit_change(struct image_config *c, const struct strlist *changes, struct err *e);

#endif
