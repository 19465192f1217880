/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers as text, for the tests of what makes them.
 */
#ifndef TESTS_UNIT_PACKER_LAYER_TEXT_H
#define TESTS_UNIT_PACKER_LAYER_TEXT_H

#include <stdint.h>

#include "base/str.h"
#include "image/layer_index.h"
#include "image/layer_write.h"

/* A file without a name; ck_assert-ed. */
int layer_file(void);

/* The index that a finished layer carries; ck_assert-ed. */
struct layer_index *layer_file_index(int fd, const struct layer_result *r);

/*
 * One line an entry, in the order of the layer: "kind path mode uid:gid size [major,minor] [->
 * link] [xattr=value ...]"; no times.
 */
void layer_text(const struct layer_index *ix, struct str *out);

/* The content of one file of a layer, through its index. */
void layer_content(int fd, const struct layer_index *ix, const char *path, struct str *out);

#endif
