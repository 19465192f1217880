/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A catalog with one of each thing that there is, for the tests of catalogs.
 */
#ifndef TESTS_UNIT_IMAGE_RICH_CATALOG_H
#define TESTS_UNIT_IMAGE_RICH_CATALOG_H

#include "tests/unit/image/catalog_file.h"

/* A layer with what text cannot say: xattrs, holes, big numbers, several frames. */
static const struct xattr many_xattrs[] = {
	{"security.capability", 19, "\1\0\0\2", 4},
	{"user.empty", 10, "", 0},
	{"user.name", 9, "value", 5},
};

static const struct extent sparse_extents[] = {
	{4096, 2048, 4096},
	{16384, 6144, 100},
	{20000, 6244, 1},
};

static const struct entry rich_entries[] = {
	{.path = "", .path_len = 0, .kind = ENTRY_DIR, .mode = 01777, .mtime = -1},
	{.path = "dev",
	 .path_len = 3,
	 .kind = ENTRY_CHAR,
	 .mode = 0666,
	 .rdev_major = UINT32_MAX,
	 .rdev_minor = 0x12345678},
	{.path = "blk", .path_len = 3, .kind = ENTRY_BLOCK, .rdev_major = 8, .rdev_minor = 1},
	{.path = "dense",
	 .path_len = 5,
	 .kind = ENTRY_REG,
	 .mode = 04755,
	 .uid = 1000,
	 .gid = UINT32_MAX - 1,
	 .mtime = INT64_C(253402300799),
	 .mtime_nsec = 999999999,
	 .size = 512,
	 .data_offset = 1024,
	 .data_size = 512,
	 .extents = (const struct extent[]){{0, 1024, 512}},
	 .extent_count = 1,
	 .xattrs = many_xattrs,
	 .xattr_count = 3},
	{.path = "empty", .path_len = 5, .kind = ENTRY_REG, .mode = 0600, .data_offset = 1536},
	{.path = "fifo", .path_len = 4, .kind = ENTRY_FIFO, .mode = 0644},
	{.path = "hole",
	 .path_len = 4,
	 .kind = ENTRY_REG,
	 .mode = 0644,
	 .size = INT64_MAX,
	 .data_offset = 2048},
	{.path = "same",
	 .path_len = 4,
	 .kind = ENTRY_REG,
	 .data_offset = 2048,
	 .xattrs = many_xattrs,
	 .xattr_count = 3},
	{.path = "sparse",
	 .path_len = 6,
	 .kind = ENTRY_REG,
	 .mode = 0644,
	 .size = 30000,
	 .data_offset = 2048,
	 .data_size = 4197,
	 .extents = sparse_extents,
	 .extent_count = 3,
	 .xattrs = many_xattrs + 2,
	 .xattr_count = 1},
	{.path = "sym",
	 .path_len = 3,
	 .kind = ENTRY_SYMLINK,
	 .mode = 0777,
	 .link = "a/b",
	 .link_len = 3},
};

enum { RICH_FRAME = 1000, RICH_TAR = 8192 };

static inline struct layer_index *rich_layer(void)
{
	struct err e = ERR_INIT;
	struct layer_index *ix = NULL;
	SCOPE(layer_index_builder) struct layer_index_builder *b = layer_index_builder_new(&e);
	SCOPE(str) struct str bytes = STR_INIT;
	const struct digest diff_id = some_digest(1);

	for (size_t i = 0; i < ARRAY_LEN(rich_entries); i++) {
		layer_index_builder_add(b, &rich_entries[i], &e);
		ck_assert_no_err(&e);
	}
	for (uint64_t at = 0; at < RICH_TAR; at += RICH_FRAME) {
		const uint64_t rest = RICH_TAR - at;
		struct frame f = {.tar_offset = at, .blob_offset = at / 2};
		f.length = (uint32_t)(rest < RICH_FRAME ? rest : RICH_FRAME);
		f.blob_length = f.length / 2;
		memset(f.sha256, (int)(at / RICH_FRAME), sizeof(f.sha256));
		layer_index_builder_add_frame(b, &f, &e);
		ck_assert_no_err(&e);
	}
	layer_index_builder_encode(b, FRAME_ZSTD, &diff_id, RICH_TAR, &bytes, &e);
	ck_assert_no_err(&e);
	layer_index_decode(bytes.data, bytes.len, &ix, &e);
	ck_assert_no_err(&e);
	return ix;
}

/* The rich layer over a text one. */
static inline int write_rich(void)
{
	struct err e = ERR_INIT;
	SCOPE(layer_index)
	struct layer_index *lower = tree_layer(
		"d etc\nf etc/a\nh etc/b etc/a\nh z etc/a\nl etc/l ../dense\nf sparse\n");
	SCOPE(layer_index) struct layer_index *rich = rich_layer();
	SCOPE(merge) struct merge *m = merge_new(&e);

	ck_assert_int_eq(merge_add_layer(m, lower, &e), 0);
	ck_assert_int_eq(merge_add_layer(m, rich, &e), 0);
	return write_catalog(m);
}

static inline struct catalog *rich_catalog(void)
{
	SCOPE_FD int fd = write_rich();

	return open_catalog(fd);
}

#endif
