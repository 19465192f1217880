/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image of the store, loaded: every document verified by its digest before it is parsed.
 */
#ifndef STORE_IMAGE_H
#define STORE_IMAGE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/scope.h"
#include "image/config.h"
#include "image/manifest.h"
#include "image/platform.h"
#include "image/reference.h"
#include "store/lease.h"
#include "store/store.h"

struct image {
	char *name; /* "localhost/app:1", or the digest when asked by digest alone */
	struct descriptor
		top; /* what the name says: a manifest, or an index of several platforms */
	struct descriptor chosen; /* the manifest that `top` is or that was chosen in it */
	struct manifest manifest;
	struct image_config config;
};

#define IMAGE_INIT           \
	{                    \
		.name = NULL \
	}

/*
 * `text`: a reference (docker's defaults do not apply: no host is localhost/), a reference with a
 * digest, or a digest of a manifest or index in the store.  `want` NULL: the host's platform.  For
 * FROM, a name without a host is looked for as docker.io/library/NAME (docker.io/NAME) too, after
 * localhost/NAME. ERR_NOT_FOUND, with near names; no manifest for the platform is ERR_NOT_FOUND and
 * names those there are. ERR_FORMAT for something that is no image; ERR_DIGEST when config and
 * manifest disagree in the number of layers.
 */
int image_load(const struct store *s, const char *text, const struct platform *want,
	       struct image *out, struct err *e);

/* The same for what image_find found, be it moved meanwhile; it is called `name` in the image, but
 * not in messages. */
int image_load_found(const struct store *s, const char *name, const struct descriptor *top,
		     const struct platform *want, struct image *out, struct err *e);

/*
 * For lists, which tell of every image: of an index that has nothing for the host, its first image
 * whose manifest the store has stands for it.  What is not there in any platform fails as
 * image_load_found does.
 */
int image_load_any(const struct store *s, const char *name, const struct descriptor *top,
		   struct image *out, struct err *e);

/* What a name says, without loading the image: for tag, rm, sign. */
int image_find(const struct store *s, const char *text, char **name, struct descriptor *out,
	       struct err *e);

/* The same with a lease, which is put on what the name says (for an index, with all that it names)
 * while no gc runs: what is found stays.  `l` NULL: without. */
int image_find_leased(const struct store *s, struct lease *l, const char *text, char **name,
		      struct descriptor *out, struct err *e);
int image_load_leased(const struct store *s, struct lease *l, const char *text,
		      const struct platform *want, struct image *out, struct err *e);

void image_fini(struct image *im);
SCOPE_DEFINE_VALUE(image, struct image, image_fini)

#endif
