/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Platforms, in Go's words: linux/amd64, linux/arm/v7.
 *
 * Source: OCI image-spec, image-index.md "platform"; containerd's normalisation (x86_64 is amd64,
 * aarch64 is arm64, arm64's default variant is v8, arm's is v7).
 */
#ifndef IMAGE_PLATFORM_H
#define IMAGE_PLATFORM_H

#include <stdbool.h>

#include "base/err.h"

enum { PLATFORM_FIELD_MAX = 32, PLATFORM_STR_MAX = 3 * PLATFORM_FIELD_MAX };

struct platform {
	char os[PLATFORM_FIELD_MAX];
	char architecture[PLATFORM_FIELD_MAX];
	char variant[PLATFORM_FIELD_MAX]; /* "" when there is none */
};

/* "os/arch[/variant]"; ERR_SYNTAX. */
int platform_parse(struct platform *out, const char *text, struct err *e);

/* From the three members of a document; normalises.  `variant` may be NULL. ERR_FORMAT. */
int platform_from_fields(struct platform *out, const char *os, const char *architecture,
			 const char *variant, struct err *e);

/* The machine's own, by uname(2). */
struct platform platform_host(void);

const char *platform_format(const struct platform *p, char buf[static PLATFORM_STR_MAX]);

/* Whether it is what its architecture means when no variant is said: it has none, or the one that
 * none stands for ("v1" of amd64, "v8" of arm64, "v7" of arm, though there is older hardware). */
bool platform_is_baseline(const struct platform *p);

/* The one spelling of those: linux/arm64/v8 becomes linux/arm64, linux/amd64/v1 linux/amd64; arm
 * keeps its "v7".  Source: containerd, platforms, "Normalize". */
void platform_unify(struct platform *p);

bool platform_equal(const struct platform *a, const struct platform *b);

/* Whether an image for `have` serves somebody who wants `want` (no variant wanted: any). */
bool platform_matches(const struct platform *have, const struct platform *want);

#endif
