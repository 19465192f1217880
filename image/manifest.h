/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image manifests and image indexes, OCI's and docker's.
 *
 * Source: OCI image-spec, manifest.md, image-index.md; docker manifest v2 schema 2 (a synonym
 * here). Stricter than the spec: a document with both `layers`/`config` and `manifests` is refused
 * (CVE-2021-41190), and so is a `mediaType` member that contradicts the descriptor's.
 */
#ifndef IMAGE_MANIFEST_H
#define IMAGE_MANIFEST_H

#include <stddef.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"
#include "base/strmap.h"
#include "image/descriptor.h"

struct manifest {
	char *media_type; /* MEDIATYPE_MANIFEST or docker's */
	char *artifact_type;
	struct descriptor config;
	struct descriptor *layers; /* the base comes first */
	size_t layer_count;
	struct strmap annotations;
	bool has_subject;
	struct descriptor subject;
};

#define MANIFEST_INIT                                                                     \
	{                                                                                 \
		.media_type = NULL, .config = DESCRIPTOR_INIT, .subject = DESCRIPTOR_INIT \
	}

/*
 * `media_type`: what the descriptor (or the HTTP header) said; NULL when nobody did, then the
 * document's own member decides.  ERR_FORMAT, ERR_LIMIT.  Says nothing about whether it is an
 * image: a signature artifact is a manifest too (manifest_check_image).
 */
int manifest_parse(struct manifest *out, const char *bytes, size_t len, const char *media_type,
		   struct err *e);
/* Canonical JSON. */
int manifest_format(const struct manifest *m, struct str *out, struct err *e);

enum manifest_kind {
	MANIFEST_IMAGE,
	MANIFEST_UNKNOWN_LAYERS, /* an image, by its config; shale cannot read a layer's type */
	MANIFEST_ARTIFACT,       /* a signature, an attestation, or anything else */
};

/* What config and layers say by their media types.  Whatever has an image's config is one, unless a
 * layer is known to be something else (BuildKit gives its attestations a config so). */
enum manifest_kind manifest_kind(const struct manifest *m);

/* ERR_FORMAT unless it is a MANIFEST_IMAGE. */
int manifest_check_image(const struct manifest *m, struct err *e);

/* Appends a layer (copied). */
int manifest_add_layer(struct manifest *m, const struct descriptor *layer, struct err *e);
void manifest_fini(struct manifest *m);
SCOPE_DEFINE_VALUE(manifest, struct manifest, manifest_fini)

struct image_index {
	char *media_type;
	char *artifact_type;
	struct descriptor *manifests;
	size_t count;
	size_t cap;
	struct strmap annotations;
};

#define IMAGE_INDEX_INIT           \
	{                          \
		.media_type = NULL \
	}

/* `max_entries`: LIMIT_INDEX_ENTRIES for an image's; a store's own has more. */
int image_index_parse(struct image_index *out, const char *bytes, size_t len,
		      const char *media_type, size_t max_entries, struct err *e);
int image_index_format(const struct image_index *ix, struct str *out, struct err *e);
int image_index_add(struct image_index *ix, const struct descriptor *d, struct err *e);
void image_index_remove(struct image_index *ix, size_t at);

/*
 * The manifest for `want`: 1 and its place; 0 when none fits.  The first that fits, as the spec
 * says, unless a later one has the very variant, or, when none is wanted, is what none stands for.
 * Entries without a platform fit only when there is a single entry.
 */
int image_index_select(const struct image_index *ix, const struct platform *want, size_t *out);
void image_index_fini(struct image_index *ix);
SCOPE_DEFINE_VALUE(image_index, struct image_index, image_index_fini)

#endif
