/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signatures of an image, as a store and a registry keep them: an OCI manifest beside the
 * image, tagged sha256-<hex>.sig after the image's digest, with one layer a signature.  A layer is
 * the signed payload; its annotation holds the signature.
 *
 * Source: cosign, specs/SIGNATURE_SPEC.md, "Storage".  Nothing in it is trusted: see verify.h.
 * Threads: as the store.  Limits: LIMIT_SIGNATURES, LIMIT_SIG_PAYLOAD.
 */
#ifndef SIGNER_SIGNATURES_H
#define SIGNER_SIGNATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/scope.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "signer/key.h"
#include "store/lease.h"
#include "store/store.h"

#define SIGNATURES_KEY "dev.cosignproject.cosign/signature"

struct signatures {
	struct descriptor top;
	struct manifest manifest;
};

#define SIGNATURES_INIT                                           \
	{                                                         \
		.top = DESCRIPTOR_INIT, .manifest = MANIFEST_INIT \
	}

/* One to be added for an image: made by `key` over the payload. */
struct signature {
	struct digest image;
	const struct public_key *key;
	const char *payload;
	size_t payload_len;
	const uint8_t *bytes;
	size_t len;
};

/*
 * The signatures of `image` under `repository` ("localhost/app").  1; 0 when there is no such
 * artifact; -1: ERR_DIGEST, ERR_NOT_FOUND (its blob is gone), ERR_FORMAT (it is something else).
 */
int signatures_load(const struct store *s, const char *repository, const struct digest *image,
		    struct signatures *out, struct err *e);

/*
 * Appends each, unless a signature of its key over these very bytes is there already; all in one
 * change of the store: a failure adds none.  No two are for one image.  Sets `*added` to how many
 * are new, the others were there.  0, or -1: as signatures_load; ERR_LIMIT when an image has
 * LIMIT_SIGNATURES; ERR_BUSY when others kept changing the same artifacts.
 */
int signatures_add(const struct store *s, struct lease *l, const char *repository,
		   const struct signature *sigs, size_t count, unsigned *added, struct err *e);

/*
 * What signatures go by: the repository that image_find found `text` in (`name` is what it said),
 * and the tag in `text`; no tag when a digest without one was asked for, because image_find
 * then tells any tag that has it.  ERR_USAGE when `text` is a bare digest, which no signatures
 * are beside.
 */
int signatures_reference(const char *text, const char *name, struct reference *out, struct err *e);

/*
 * A name to sign for, or that must have been signed, in full: without a host it is localhost/NAME,
 * as everywhere.  A tag is not added: `*is_exact` (unless NULL) tells whether there is a tag or a
 * digest.  ERR_SYNTAX; the caller frees it.
 */
char *signatures_identity(const char *text, bool *is_exact, struct err *e);

void signatures_fini(struct signatures *sigs);
SCOPE_DEFINE_VALUE(signatures, struct signatures, signatures_fini)

#endif
