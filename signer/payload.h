/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The payload of a "simple signing" signature: what a signer says, and signs byte for byte.
 *
 *	{"critical":{"identity":{"docker-reference":"HOST/REPO:TAG"},
 *	 "image":{"docker-manifest-digest":"sha256:.."},
 *	 "type":"cosign container image signature"},"optional":null}
 *
 * Source: cosign, specs/SIGNATURE_SPEC.md; containers/image, containers-signature(5).  Read as
 * strictly as containers/image does: exactly these members, none twice; `optional` is null or an
 * object in which only `creator` (text) and `timestamp` (a whole number) mean anything.
 *
 * Limits: LIMIT_SIG_PAYLOAD.
 */
#ifndef SIGNER_PAYLOAD_H
#define SIGNER_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"

struct payload {
	char *identity; /* as signed; any text */
	struct digest manifest;
	char *creator; /* NULL: none */
	bool has_timestamp;
	int64_t timestamp; /* seconds */
};

#define PAYLOAD_INIT             \
	{                        \
		.identity = NULL \
	}

/* ERR_FORMAT, ERR_LIMIT; `out` must be empty, and stays so on failure. */
int payload_parse(struct payload *out, const char *bytes, size_t len, struct err *e);

/* Appends cosign's own form; `optional` is null when there is neither creator nor timestamp.
 * ERR_FORMAT for text that is not UTF-8, or has control bytes or backslashes: no name has them. */
int payload_format(const struct payload *p, struct str *out, struct err *e);

void payload_fini(struct payload *p);
SCOPE_DEFINE_VALUE(payload, struct payload, payload_fini)

#endif
