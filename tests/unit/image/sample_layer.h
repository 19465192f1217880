/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small layer with one member of each interesting kind, for the tests of its writer and readers.
 *
 * The tar stream that sample_tar makes knows nothing of frames: it is what the writer's blob must
 * decompress to.
 */
#ifndef TESTS_UNIT_IMAGE_SAMPLE_LAYER_H
#define TESTS_UNIT_IMAGE_SAMPLE_LAYER_H

#include <sys/mman.h>

#include "base/limits.h"
#include "base/scope.h"
#include "image/layer_write.h"
#include "image/tar_write.h"
#include "tests/unit/main.h"

enum sample_fill { FILL_WORDS, FILL_NOISE, FILL_ZEROS };

struct sample {
	const char *path;
	enum entry_kind kind;
	const char *link;
	uint64_t size;
	enum sample_fill fill;
};

/* In the order of a layer. */
static const struct sample samples[] = {
	{"", ENTRY_DIR, NULL, 0, FILL_WORDS},
	{"bin", ENTRY_DIR, NULL, 0, FILL_WORDS},
	{"bin/again", ENTRY_HARDLINK, "bin/tool", 0, FILL_WORDS},
	{"bin/big", ENTRY_REG, NULL, 3 * LIMIT_MIB + 5, FILL_WORDS},
	{"bin/sh", ENTRY_SYMLINK, "tool", 0, FILL_WORDS},
	{"bin/tool", ENTRY_REG, NULL, 70000, FILL_WORDS},
	{"dev", ENTRY_DIR, NULL, 0, FILL_WORDS},
	{"dev/null", ENTRY_CHAR, NULL, 0, FILL_WORDS},
	{"empty", ENTRY_REG, NULL, 0, FILL_WORDS},
	{"noise", ENTRY_REG, NULL, 900000, FILL_NOISE},
	{"small", ENTRY_REG, NULL, 6, FILL_WORDS},
	{"zeros", ENTRY_REG, NULL, 1 * LIMIT_MIB + 1, FILL_ZEROS},
};

static inline uint8_t sample_byte(const struct sample *s, uint64_t at)
{
	const uint32_t mixed = (uint32_t)(at ^ s->size) * UINT32_C(2654435761);

	switch (s->fill) {
	case FILL_NOISE:
		return (uint8_t)((mixed ^ (mixed >> 15)) >> 7);
	case FILL_ZEROS:
		return at + 1 == s->size ? 'x' : 0;
	case FILL_WORDS:
	default:
		return (uint8_t)("the quick brown fox"[(at + at / 977) % 19]);
	}
}

struct sample_source {
	const struct sample *sample;
	uint64_t at;
};

static inline int sample_read(void *ctx, void *buf, size_t len, struct err *e)
{
	struct sample_source *src = ctx;
	uint8_t *to = buf;

	/* No ck_assert here: it allocates, and runs where memory runs out on purpose. */
	if (len == 0 || len > src->sample->size - src->at)
		return err_set(e, ERR_USAGE, "%zu bytes were asked for", len);
	for (size_t i = 0; i < len; i++)
		to[i] = sample_byte(src->sample, src->at++);
	return 0;
}

static inline struct entry sample_entry(const struct sample *s)
{
	const struct entry en = {
		.path = s->path,
		.path_len = strlen(s->path),
		.link = s->link,
		.link_len = s->link ? strlen(s->link) : 0,
		.kind = s->kind,
		.mode = s->kind == ENTRY_SYMLINK ? 0777
			: s->kind == ENTRY_DIR   ? 0755
						 : 0644,
		.rdev_major = s->kind == ENTRY_CHAR ? 1 : 0,
		.rdev_minor = s->kind == ENTRY_CHAR ? 3 : 0,
		.mtime = 315532800,
		.size = s->size,
	};
	return en;
}

/* The first `count` samples as a plain tar. */
static inline void sample_tar(struct str *out, size_t count)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < count; i++) {
		const struct entry en = sample_entry(&samples[i]);
		struct sample_source src = {&samples[i], 0};
		ck_assert_int_eq(tar_header_append(out, &en, &e), 0);
		ck_assert_int_eq(str_reserve(out, en.size, &e), 0);
		if (en.size > 0)
			ck_assert_int_eq(sample_read(&src, out->data + out->len, en.size, &e), 0);
		out->len += en.size;
		ck_assert_int_eq(str_append_zeros(out, tar_padding(en.size), &e), 0);
	}
	ck_assert_int_eq(str_append_zeros(out, TAR_END_SIZE, &e), 0);
}

/* The same through the writer, into `fd`: 0 or -1.  An index that the blob does not carry is
 * appended to `index`. */
static inline int sample_layer_as(int fd, size_t count, const struct layer_options *opt,
				  struct layer_result *out, struct str *index, struct err *e)
{
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(fd, opt, e);

	if (!w)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct entry en = sample_entry(&samples[i]);
		struct sample_source ctx = {&samples[i], 0};
		const struct layer_source src = {sample_read, &ctx};
		if (layer_writer_add(w, &en, en.size > 0 ? &src : NULL, e) < 0)
			return -1;
		if (ctx.at != en.size)
			return err_set(e, ERR_USAGE, "content was left");
	}
	if (layer_writer_finish(w, out, e) < 0)
		return -1;
	const struct str *own = layer_writer_index(w);
	return own ? str_append(index, own->data, own->len, e) : 0;
}

/* As zstd, which carries its index. */
static inline int sample_layer(int fd, size_t count, unsigned workers, struct layer_result *out,
			       struct err *e)
{
	const struct layer_options opt = {COMPRESSION_DEFAULT, workers};

	return sample_layer_as(fd, count, &opt, out, NULL, e);
}

static inline int sample_file(void)
{
	const int fd = memfd_create("layer", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

#endif
