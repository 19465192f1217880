/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifying an image of the store with one public key: from the signature down to the bytes, in
 * the order in which each step may be believed.
 *
 *	ARTIFACT   there is a signature artifact beside the image's name
 *	FORM       it holds signatures: type, size, strict base64; LIMIT_SIGNATURES are looked at
 *	KEY        one of them verifies with this key
 *	PAYLOAD    what it signs is a payload for this very manifest digest
 *	IDENTITY   signed for the name that the image is asked for by
 *	MANIFEST   the manifest, and in an index the platform's, have their digests
 *	CONFIG     the config has its digest, and a diff_id for each layer
 *	LAYERS     each layer's blob, content and index (layers_prove)
 *
 * One signature that passes KEY to IDENTITY is enough; of those that do not, the error tells about
 * the one that came farthest, or about one that could not be read.  Nothing in an artifact but the
 *payload is believed: neither certificates nor a transparency log's entries are looked at.
 *
 * What it does not say: that there is no newer image of that name, or that the key is still good.
 */
#ifndef SIGNER_VERIFY_H
#define SIGNER_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/scope.h"
#include "image/platform.h"
#include "signer/key.h"
#include "store/image.h"
#include "store/layers.h"
#include "store/lease.h"
#include "store/store.h"

enum verify_step {
	VERIFY_ARTIFACT,
	VERIFY_FORM,
	VERIFY_KEY,
	VERIFY_PAYLOAD,
	VERIFY_IDENTITY,
	VERIFY_MANIFEST,
	VERIFY_CONFIG,
	VERIFY_LAYERS,
	VERIFY_DONE,
};

/* For people: "signature artifact", "key", ... */
const char *verify_step_name(enum verify_step step);

struct verify_options {
	const struct public_key *key;
	/* Exactly this must be signed, as it is or in full; NULL: the image's full name with its
	 * tag, or, when it is asked for as NAME@DIGEST, that name with any tag. */
	const char *identity;
	const struct platform *platform; /* NULL: the host's */
	/* Prove the layers, too.  Without, a mount checks each frame when it reads it. */
	bool read_layers;
	struct lease *lease; /* for the image and its signatures; NULL: without */
	struct layers_options layers;
};

struct verify_report {
	enum verify_step step;  /* VERIFY_DONE, or the one that failed */
	char *name;             /* in full */
	struct digest manifest; /* what the signature is for, and what may be deployed by digest */
	struct digest chosen;   /* the platform's manifest: the same, unless that is an index */
	struct digest key;      /* the fingerprint of the key asked for */
	char *identity;         /* as signed; NULL before IDENTITY */
	unsigned signatures;    /* looked at */
	uint64_t bytes_read;    /* of blobs whose digest was computed */
};

#define VERIFY_REPORT_INIT   \
	{                    \
		.name = NULL \
	}

/*
 * `out` is filled as far as it came, also on failure.  `image` (may be NULL) gets the verified
 * image: what a mount must use, since a name may have moved meanwhile.
 *
 * ERR_UNTRUSTED: unsigned or wrongly signed, be it that what should be its signatures is
 * malformed, too big, damaged or gone: whatever ARTIFACT to IDENTITY fail with, but for ERR_SYS and
 * ERR_NOMEM.  Signed, and yet: ERR_DIGEST, damaged; ERR_NOT_FOUND, blobs are gone, or it has
 * nothing for the platform; ERR_FORMAT, ERR_LIMIT.  Before all that ERR_NOT_FOUND, ERR_SYNTAX, as
 * image_find, and ERR_USAGE (no name, only a digest).
 */
int verify_image(const struct store *s, const char *text, const struct verify_options *opt,
		 struct verify_report *out, struct image *image, struct err *e);

void verify_report_fini(struct verify_report *r);
SCOPE_DEFINE_VALUE(verify_report, struct verify_report, verify_report_fini)

#endif
