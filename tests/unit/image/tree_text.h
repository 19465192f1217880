/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers from text, for the tests of what is made of layers.  A line is an entry:
 *
 *	d usr/bin            directory ("." is the root)
 *	f usr/bin/env        regular file of TREE_FILE_SIZE bytes; a whiteout is empty
 *	l usr/bin/sh dash    symlink
 *	h usr/bin/e env      hardlink
 *	c dev/null  b dev/x  p run/fifo
 *
 * Entries are laid out as in a tar file, in raw frames of LIMIT_FRAME bytes.
 */
#ifndef TESTS_UNIT_IMAGE_TREE_TEXT_H
#define TESTS_UNIT_IMAGE_TREE_TEXT_H

#include "base/hasher.h"
#include "base/limits.h"
#include "image/layer_index.h"
#include "image/whiteout.h"
#include "tests/unit/main.h"

enum { TREE_FILE_SIZE = 10, TREE_TAR_BLOCK = 512 };

struct tree_line {
	char kind;
	char path[4096];
	char link[4096];
};

/* The next line of `*text`: false at the end. */
static inline bool tree_next_line(const char **text, struct tree_line *out)
{
	const size_t len = strcspn(*text, "\n");
	const char *path = *text + 2;

	if (len == 0)
		return false;
	ck_assert_uint_gt(len, 2);
	out->kind = (*text)[0];
	const size_t path_len = strcspn(path, " \n");
	const char *link = path[path_len] == ' ' ? path + path_len + 1 : "";
	const size_t link_len = strcspn(link, "\n");
	ck_assert_uint_lt(path_len, sizeof(out->path));
	ck_assert_uint_lt(link_len, sizeof(out->link));
	memcpy(out->path, path, path_len);
	out->path[path_len == 1 && path[0] == '.' ? 0 : path_len] = '\0';
	memcpy(out->link, link, link_len);
	out->link[link_len] = '\0';
	*text += len + ((*text)[len] == '\n');
	return true;
}

static inline enum entry_kind tree_kind(char c)
{
	static const char kinds[] = "fdlhcbp";
	const char *at = strchr(kinds, c);

	ck_assert_ptr_nonnull(at);
	return (enum entry_kind)(at - kinds);
}

/* The entry of a line whose header is at `*offset` of the stream, which moves behind its data. */
static inline struct entry tree_entry(const struct tree_line *line, uint64_t *offset,
				      struct extent *extent)
{
	struct entry en = {
		.path = line->path,
		.path_len = strlen(line->path),
		.kind = tree_kind(line->kind),
		.mode = line->kind == 'd' ? 0755 : 0644,
		.mtime = 315532800,
	};
	const char *slash = strrchr(line->path, '/');
	const bool is_whiteout = str_has_prefix(slash ? slash + 1 : line->path, WHITEOUT_PREFIX);

	*offset += TREE_TAR_BLOCK;
	if (en.kind == ENTRY_SYMLINK || en.kind == ENTRY_HARDLINK) {
		en.link = line->link;
		en.link_len = strlen(line->link);
	}
	if (en.kind == ENTRY_CHAR || en.kind == ENTRY_BLOCK) {
		en.rdev_major = 1;
		en.rdev_minor = 3;
	}
	if (en.kind == ENTRY_REG && !is_whiteout) {
		*extent = (struct extent){0, *offset, TREE_FILE_SIZE};
		en.size = TREE_FILE_SIZE;
		en.data_size = TREE_FILE_SIZE;
		en.data_offset = *offset;
		en.extents = extent;
		en.extent_count = 1;
		*offset += TREE_TAR_BLOCK;
	}
	return en;
}

/* Encodes and decodes what `b` holds; its stream has `tar_size` bytes. */
static inline struct layer_index *tree_index_of(struct layer_index_builder *b, uint64_t tar_size)
{
	struct err e = ERR_INIT;
	struct layer_index *ix = NULL;
	SCOPE(str) struct str bytes = STR_INIT;
	const struct digest diff_id = hasher_sha256(&tar_size, sizeof(tar_size));

	for (uint64_t at = 0; at < tar_size; at += LIMIT_FRAME) {
		const uint64_t rest = tar_size - at;
		const uint32_t length = (uint32_t)(rest < LIMIT_FRAME ? rest : LIMIT_FRAME);
		const struct frame f = {at, at, length, length, {7}};
		ck_assert_int_eq(layer_index_builder_add_frame(b, &f, &e), 0);
	}
	ck_assert_int_eq(layer_index_builder_encode(b, FRAME_RAW, &diff_id, tar_size, &bytes, &e),
			 0);
	const int decoded = layer_index_decode(bytes.data, bytes.len, &ix, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(decoded, 0);
	return ix;
}

static inline struct layer_index *tree_layer(const char *text)
{
	struct err e = ERR_INIT;
	SCOPE(layer_index_builder) struct layer_index_builder *b = layer_index_builder_new(&e);
	uint64_t offset = 0;
	struct tree_line line;

	ck_assert_ptr_nonnull(b);
	while (tree_next_line(&text, &line)) {
		struct extent extent;
		const struct entry en = tree_entry(&line, &offset, &extent);
		const int added = layer_index_builder_add(b, &en, &e);
		ck_assert_no_err(&e);
		ck_assert_int_eq(added, 0);
	}
	return tree_index_of(b, offset + 2 * TREE_TAR_BLOCK);
}

#endif
