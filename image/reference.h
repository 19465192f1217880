/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References: what people call an image.  [HOST/]NAME[:TAG][@DIGEST]
 *
 * A reference is kept and shown in full.  A first component is a host when it holds "." or ":", or
 * is "localhost", as docker decides it; a name without a host is localhost/NAME.  No tag and no
 * digest: the tag is "latest".
 *
 * Source: distribution/reference grammar: lower-case components [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*,
 * tag [A-Za-z0-9_][A-Za-z0-9._-]{0,127}; name with host at most 255 bytes.
 */
#ifndef IMAGE_REFERENCE_H
#define IMAGE_REFERENCE_H

#include <stdbool.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/scope.h"

enum { REFERENCE_TAG_MAX = 128, REFERENCE_NAME_MAX = 255 };

struct reference {
	char *name; /* "localhost/app", "registry.example:5000/team/app" */
	char *tag;  /* NULL when only a digest was given */
	bool has_digest;
	struct digest digest;
};

#define REFERENCE_INIT               \
	{                            \
		NULL, NULL, false,   \
		{                    \
			DIGEST_NONE, \
			{            \
				0    \
			}            \
		}                    \
	}

/* ERR_SYNTAX with the place and the rule that was broken ("must be lower case"). */
int reference_parse(struct reference *out, const char *text, struct err *e);

/* "name:tag", "name@digest" or "name:tag@digest"; the caller frees it. */
char *reference_format(const struct reference *r, struct err *e);

/* "name:tag": the key in a store's index; ERR_USAGE when there is no tag. */
char *reference_key(const struct reference *r, struct err *e);

/* "sha256-<hex>.sig": the tag under which cosign keeps the signatures of a manifest. */
char *reference_signature_tag(const struct digest *manifest, struct err *e);

/*
 * The tag of such an artifact (".sig", ".att", ".sbom"), which is no image, in `name`: a tag, or a
 * name with one.  NULL: another one, or none.
 */
const char *reference_artifact_tag(const char *name);

/* True for "sha256:..." without a host: a tag of an image called sha256, but surely meant as a
 * digest. */
bool reference_looks_like_digest(const struct reference *r);

/* That an image may be given this name, which the user wrote as `text`: ERR_USAGE for one that
 * looks like a digest, and for that of an artifact, which would replace what is kept there. */
int reference_check_image_name(const struct reference *r, const char *text, struct err *e);

void reference_fini(struct reference *r);
SCOPE_DEFINE_VALUE(reference, struct reference, reference_fini)

#endif
