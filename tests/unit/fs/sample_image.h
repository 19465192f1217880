/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image of one layer in a store below the test's scratch folder, and a view of it.
 */
#ifndef TESTS_UNIT_FS_SAMPLE_IMAGE_H
#define TESTS_UNIT_FS_SAMPLE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "fs/view.h"
#include "image/entry.h"

/* In the order of a layer.  Content: `text`, else `size` bytes of sample_byte, zeros from `zeros`
 * to `zeros_end`. */
struct sample_file {
	const char *path;
	enum entry_kind kind;
	const char *link;
	const char *text;
	uint64_t size;
	uint64_t zeros, zeros_end;
	uint32_t mode;
	uint32_t uid, gid;
	uint32_t rdev_minor;
	int64_t mtime;
	uint32_t mtime_nsec;
	const char *xattr; /* value of user.sample */
};

extern struct store *sample_store;
extern struct image sample_image;

/* Files of one layer. */
struct sample_layer {
	const struct sample_file *files;
	size_t count;
};

/* Scratch folder, store, and the image "localhost/sample:1". */
void sample_image_make(const struct sample_file *files, size_t count);
void sample_image_remove(void);

/* One more image of the store, of these layers, the base first; ck_assert-ed.  `out` is loaded. */
void sample_image_put(const char *name, const struct sample_layer *layers, size_t count,
		      struct image *out);

/* A view with this budget; ck_assert-ed. */
struct view *sample_view(uint64_t cache_bytes);
struct view *sample_view_of(const struct image *im, uint64_t cache_bytes);

uint8_t sample_byte(const struct sample_file *f, uint64_t at);

#endif
