/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build reads before it makes anything: the manifest and the ignore file.
 */
#ifndef PACKER_BUILD_INPUT_H
#define PACKER_BUILD_INPUT_H

#include "base/err.h"
#include "manifests/source.h"
#include "packer/build.h"
#include "packer/context.h"

/*
 * The manifest: --file (a path of the host, "-" standard input), else the first of Shalefile,
 * Containerfile, Dockerfile in the context.  ERR_NOT_FOUND.
 */
int build_input_source(const struct build_options *opt, const struct context *c, struct source *out,
		       struct err *e);

/* Where the manifest is in the context ("docker/Shalefile"), "" when it is not in it: INCLUDE is
 * then relative to the context's root.  NULL with ERR_NOMEM. */
char *build_input_path(const struct build_options *opt, const struct source *manifest,
		       struct err *e);

/* The read of a struct includes, whose ctx is a context; the rules hide nothing from it. */
int build_input_fragment(void *context, const char *path, struct str *out, struct err *e);

/* Sets the context's rules: FILE.dockerignore beside the manifest, else .dockerignore of the
 * context. */
int build_input_ignore(const struct build_options *opt, struct context *c,
		       const struct source *manifest, struct err *e);

#endif
