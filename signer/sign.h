/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing an image of the store.
 *
 * What is signed is a cosign payload (payload.h) that names the digest of the image's manifest, or
 * of its index, and the image's full name with its tag.  Its documents are read and checked first;
 * its layers are not (verify.h does that).
 */
#ifndef SIGNER_SIGN_H
#define SIGNER_SIGN_H

#include <stdbool.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/scope.h"
#include "signer/key.h"
#include "store/store.h"

struct sign_options {
	/* The name to sign for, in full or without the host localhost; a warning tells of one
	 * without a tag.  NULL: the image's own, "host/name:tag". */
	const char *identity;
	/* An index: also sign each image in it that the store has, for readers that pull one
	 * platform and look for its signature.  What is no image (descriptor_is_artifact:
	 * attestations) is left out.  All of them are signed, or nothing is. */
	bool each_platform;
};

struct sign_report {
	struct digest manifest; /* what was signed: a manifest, or an index */
	char *identity;
	unsigned added; /* signatures */
	unsigned kept;  /* that were there already */
};

#define SIGN_REPORT_INIT         \
	{                        \
		.identity = NULL \
	}

/* What can be said of them before there is a key: ERR_SYNTAX for an identity that is no name. */
int sign_check_options(const struct sign_options *opt, struct err *e);

/*
 * `text`: as image_find reads it; it must name a repository, where the signature is put.
 * ERR_USAGE: a bare digest, or no tag and no identity; ERR_SYNTAX: an identity that is no
 * reference; ERR_FORMAT: no image; ERR_NOT_FOUND; ERR_DIGEST: damaged, or config and layers
 * disagree in number; ERR_LIMIT, ERR_BUSY as signatures_add.
 */
int sign_image(const struct store *s, const char *text, const struct private_key *key,
	       const struct sign_options *opt, struct sign_report *out, struct err *e);

void sign_report_fini(struct sign_report *r);
SCOPE_DEFINE_VALUE(sign_report, struct sign_report, sign_report_fini)

#endif
