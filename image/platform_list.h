/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of platforms, as a command line gives them for images of several:
 * "linux/amd64,linux/arm64".
 *
 * Source: docker buildx, `build --platform`: platforms are unified (platform_unify) before they are
 * compared, and one that is there already is not added again; the order is kept.  "local" stands
 * for the machine's own.  Limit: LIMIT_PLATFORMS.
 */
#ifndef IMAGE_PLATFORM_LIST_H
#define IMAGE_PLATFORM_LIST_H

#include <stddef.h>

#include "base/err.h"
#include "base/scope.h"
#include "image/platform.h"

struct platform_list {
	struct platform *items; /* all different */
	size_t count, cap;
};

#define PLATFORM_LIST_INIT \
	{                  \
		NULL, 0, 0 \
	}

/* Adds those of `text`, with commas between.  ERR_SYNTAX, ERR_LIMIT, ERR_NOMEM; some of them may
 * have been added then. */
int platform_list_parse(struct platform_list *l, const char *text, struct err *e);

void platform_list_fini(struct platform_list *l);
SCOPE_DEFINE_VALUE(platform_list, struct platform_list, platform_list_fini)

#endif
