/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Catalogs in memory files, for the tests of what reads them.
 */
#ifndef TESTS_UNIT_IMAGE_CATALOG_FILE_H
#define TESTS_UNIT_IMAGE_CATALOG_FILE_H

#include <sys/mman.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/limits.h"
#include "image/catalog.h"
#include "tests/support/catalog_text.h"
#include "tests/unit/image/tree_merge.h"

static inline int memory_file(void)
{
	const int fd = memfd_create("catalog", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static inline struct digest some_digest(uint8_t fill)
{
	uint8_t raw[DIGEST_SHA256_LEN];

	memset(raw, fill, sizeof(raw));
	return digest_from_sha256(raw);
}

static inline const struct catalog_layer *some_layers(void)
{
	static struct catalog_layer layers[TREE_LAYERS];

	for (uint8_t i = 0; i < TREE_LAYERS; i++) {
		layers[i].index = some_digest((uint8_t)(0x10 + i));
		layers[i].blob = some_digest((uint8_t)(0x20 + i));
		layers[i].is_reframed = i == 1;
	}
	return layers;
}

static inline int write_catalog(const struct merge *m)
{
	struct err e = ERR_INIT;
	const int fd = memory_file();
	const int written = catalog_write(m, some_layers(), fd, &e);

	ck_assert_no_err(&e);
	ck_assert_int_eq(written, 0);
	return fd;
}

static inline struct catalog *open_catalog(int fd)
{
	struct err e = ERR_INIT;
	struct catalog *c = NULL;

	const int opened = catalog_open(fd, &c, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(opened, 0);
	return c;
}

static inline int write_tree(const char *const *texts)
{
	struct err e = ERR_INIT;
	SCOPE(tree) struct tree t;

	ck_assert_int_eq(tree_init(&t, texts, &e), 0);
	return write_catalog(t.m);
}

static inline struct catalog *catalog_of(const char *const *texts)
{
	SCOPE_FD int fd = write_tree(texts);

	return open_catalog(fd);
}

static inline char *text_of(const struct catalog *c)
{
	struct err e = ERR_INIT;
	struct str out = STR_INIT;

	const int result = catalog_text(c, &out, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(result, 0);
	return out.data;
}

static inline uint64_t file_size(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return (uint64_t)st.st_size;
}

/* All bytes of a file, and room to change them; the caller frees. */
static inline uint8_t *read_file(int fd, size_t *size)
{
	*size = file_size(fd);
	uint8_t *bytes = malloc(*size);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_int_eq(io_pread_full(fd, bytes, *size, 0), (ssize_t)*size);
	return bytes;
}

static inline int file_with(const uint8_t *bytes, size_t size)
{
	const int fd = memory_file();

	ck_assert_int_eq(io_pwrite_all(fd, bytes, size, 0), 0);
	return fd;
}

static inline uint32_t inode_at(const struct catalog *c, const char *path)
{
	struct err e = ERR_INIT;
	uint32_t inode = UINT32_MAX;

	ck_assert_int_eq(catalog_resolve(c, path, false, &inode, &e), 1);
	return inode;
}

#endif
