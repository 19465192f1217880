/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors: the type, digest and size of a blob, and what is said about it.
 *
 * Source: OCI image-spec, descriptor.md.  Unknown members are ignored, as the spec asks; `data` is
 * read for its type and then ignored.  `urls` are passed on, but shale never fetches what an image
 * points to.
 */
#ifndef IMAGE_DESCRIPTOR_H
#define IMAGE_DESCRIPTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/scope.h"
#include "base/strlist.h"
#include "base/strmap.h"
#include "image/platform.h"

struct descriptor {
	char *media_type;
	struct digest digest;
	uint64_t size; /* bytes */
	struct strmap annotations;
	struct strlist urls; /* where else the blob is said to be */
	char *artifact_type; /* NULL: none */
	bool has_platform;   /* in an index only */
	struct platform platform;
};

#define DESCRIPTOR_INIT                                                              \
	{                                                                            \
		.media_type = NULL, .annotations = STRMAP_INIT, .urls = STRLIST_INIT \
	}

/* `what` names the place ("layer 2") in messages.  ERR_FORMAT; `out` is then untouched. */
int descriptor_from_json(struct descriptor *out, const json_t *obj, const char *what,
			 struct err *e);
/*
 * Whether an entry of an index says of itself that it is no image but something about one: by its
 * artifactType, or by the platform unknown/unknown, under which BuildKit files attestations
 * (provenance, SBOM).
 */
bool descriptor_is_artifact(const struct descriptor *d);

/* A new reference; NULL with ERR_NOMEM. */
json_t *descriptor_to_json(const struct descriptor *d, struct err *e);

/* Another blob: `urls` are those of the one before, and go. */
int descriptor_set(struct descriptor *d, const char *media_type, const struct digest *digest,
		   uint64_t size, struct err *e);
int descriptor_copy(struct descriptor *to, const struct descriptor *from, struct err *e);
/* Overwrites `to`; `from` is empty afterwards. */
void descriptor_move(struct descriptor *to, struct descriptor *from);
void descriptor_fini(struct descriptor *d);
SCOPE_DEFINE_VALUE(descriptor, struct descriptor, descriptor_fini)

#endif
