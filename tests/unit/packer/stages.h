/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of a build share: a store, a context folder, and stages made of a few files.
 */
#ifndef TESTS_UNIT_PACKER_STAGES_H
#define TESTS_UNIT_PACKER_STAGES_H

#include "image/entry.h"
#include "image/platform.h"
#include "packer/context.h"
#include "packer/stage.h"
#include "tests/unit/store/fixture.h"

/* A file of a layer; a list ends with a NULL path and is sorted. */
struct stages_file {
	enum entry_kind kind;
	const char *path;
	const char *text; /* content, or a link's target */
};

/* Fixtures: a store as fixture_make has it, and the empty folder "context". */
void stages_setup(void);
void stages_teardown(void);

/* "context/<name>" of the scratch folder, with this content; stages_dir makes a directory. */
void stages_write(const char *name, const char *text);
void stages_dir(const char *name);
void stages_symlink(const char *target, const char *name);

/* The context, opened anew; the caller closes it. */
struct context *stages_context(void);

/* A layer of these files, in the store. */
void stages_layer(const struct stages_file *files, struct fixture_layer *out);

/* The image `key` of one such layer. */
void stages_image(const char *key, const struct stages_file *files);

/* A stage over such an image; `files` NULL: over nothing.  The teardown frees it. */
struct stage *stages_new(const struct stages_file *files);

/* build_options.step and .warn, whose `ctx` is a struct str: "[amd64 1/2] COPY a /\n", and a
 * warning as it is. */
void stages_note_step(void *ctx, const struct platform *platform, unsigned at, unsigned count,
		      const char *text);
void stages_note_warning(void *ctx, const char *text);

#endif
