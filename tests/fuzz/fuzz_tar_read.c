/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a tar archive: the verdict and the members do not depend on the size of reads;
 * members keep what their header promises; the layer index takes and gives back each one; and what
 * tar_write can say reads back the same.
 */
#include <string.h>

#include "base/hasher.h"
#include "base/limits.h"
#include "image/layer_index.h"
#include "image/tar_read.h"
#include "image/tar_write.h"
#include "tests/fuzz/fuzz.h"

enum {
	AGAIN_MAX = 64 * 1024, /* bytes of payload that are written again */
	SMALL_STEP = 97,
	BIG_STEP = 65536,
};

struct source {
	const uint8_t *bytes;
	size_t size, at, step;
};

static ssize_t read_source(void *ctx, void *buf, size_t len, struct err *e)
{
	struct source *s = ctx;
	size_t n = s->size - s->at;

	(void)e;
	n = n < len ? n : len;
	n = n < s->step ? n : s->step;
	if (n > 0)
		memcpy(buf, s->bytes + s->at, n);
	s->at += n;
	return (ssize_t)n;
}

static void check_texts(const struct entry *en)
{
	char canonical[LIMIT_PATH + 1];
	struct err e = ERR_INIT;
	size_t len;

	FUZZ_CHECK(entry_canonical_path(en->path, en->path_len, canonical, &len, &e) == 0);
	FUZZ_CHECK(len == en->path_len && memcmp(canonical, en->path, len) == 0);
	FUZZ_CHECK(en->path_len > 0 || en->kind == ENTRY_DIR);
	const bool is_link = en->kind == ENTRY_SYMLINK || en->kind == ENTRY_HARDLINK;
	FUZZ_CHECK(is_link == (en->link_len > 0));
	FUZZ_CHECK(en->link_len <= LIMIT_SYMLINK && en->mode <= 07777);
	FUZZ_CHECK(en->uid != UINT32_MAX && en->gid != UINT32_MAX);
	FUZZ_CHECK(en->mtime_nsec < 1000000000);
}

static void check_data(const struct entry *en, uint64_t stream_offset)
{
	uint64_t file_end = 0, tar_end = en->data_offset;

	FUZZ_CHECK(en->kind == ENTRY_REG || (en->size == 0 && en->extent_count == 0));
	FUZZ_CHECK(en->kind != ENTRY_REG || en->data_offset == stream_offset);
	FUZZ_CHECK(en->data_size <= en->size && en->size <= INT64_MAX);
	FUZZ_CHECK(en->extent_count <= LIMIT_SPARSE_EXTENTS + 1);
	for (size_t i = 0; i < en->extent_count; i++) {
		const struct extent *x = &en->extents[i];
		FUZZ_CHECK(x->length > 0 && x->file_offset >= file_end && x->tar_offset >= tar_end);
		file_end = x->file_offset + x->length;
		tar_end = x->tar_offset + x->length;
	}
	FUZZ_CHECK(file_end <= en->size && tar_end <= en->data_offset + en->data_size);
}

static void check_same(const struct entry *a, const struct entry *b)
{
	FUZZ_CHECK(a->path_len == b->path_len && memcmp(a->path, b->path, a->path_len) == 0);
	FUZZ_CHECK(a->link_len == b->link_len);
	FUZZ_CHECK(a->link_len == 0 || memcmp(a->link, b->link, a->link_len) == 0);
	FUZZ_CHECK(a->kind == b->kind && a->mode == b->mode && a->uid == b->uid &&
		   a->gid == b->gid && a->rdev_major == b->rdev_major &&
		   a->rdev_minor == b->rdev_minor && a->mtime == b->mtime &&
		   a->mtime_nsec == b->mtime_nsec && a->size == b->size);
	FUZZ_CHECK(a->xattr_count == b->xattr_count);
	for (size_t i = 0; i < a->xattr_count; i++) {
		const struct xattr *x = &a->xattrs[i], *y = &b->xattrs[i];
		FUZZ_CHECK(x->name_len == y->name_len && x->value_len == y->value_len);
		FUZZ_CHECK(memcmp(x->name, y->name, x->name_len) == 0);
		FUZZ_CHECK(memcmp(x->value, y->value, x->value_len) == 0);
	}
}

/* Writes the entry, and reads that. */
static void check_again(const struct entry *en)
{
	struct err e = ERR_INIT;
	struct entry again;
	SCOPE(str) struct str tar = STR_INIT;

	if (en->size > AGAIN_MAX)
		return;
	if (tar_header_append(&tar, en, &e) < 0) {
		/* Numbers of devices, and xattrs that all together are longer with %XX. */
		FUZZ_CHECK(e.code == ERR_FORMAT || e.code == ERR_LIMIT);
		FUZZ_CHECK(en->rdev_major > 07777777 || en->rdev_minor > 07777777 ||
			   en->xattr_count > 0);
		err_clear(&e);
		return;
	}
	FUZZ_CHECK(str_append_zeros(&tar, en->size + tar_padding(en->size) + TAR_END_SIZE, &e) ==
		   0);
	struct source s = {(const uint8_t *)tar.data, tar.len, 0, BIG_STEP};
	const struct tar_input in = {read_source, &s, NULL};
	SCOPE(tar_reader) struct tar_reader *r = tar_reader_new(&in, &e);
	FUZZ_CHECK(r && tar_reader_next(r, &again, &e) == 1);
	check_same(en, &again);
	FUZZ_CHECK(tar_reader_next(r, &again, &e) == 0);
}

static void put_bytes(struct hasher *h, const void *bytes, size_t len)
{
	hasher_update(h, &len, sizeof(len));
	if (len > 0)
		hasher_update(h, bytes, len);
}

/* Everything about the entry goes into the hash. */
static void hash_entry(struct hasher *h, const struct entry *en)
{
	const uint64_t numbers[] = {en->kind,
				    en->mode,
				    en->uid,
				    en->gid,
				    en->rdev_major,
				    en->rdev_minor,
				    (uint64_t)en->mtime,
				    en->mtime_nsec,
				    en->size,
				    en->data_offset,
				    en->data_size};

	hasher_update(h, numbers, sizeof(numbers));
	put_bytes(h, en->path, en->path_len);
	put_bytes(h, en->link, en->link_len);
	put_bytes(h, en->extents, en->extent_count * sizeof(*en->extents));
	for (size_t i = 0; i < en->xattr_count; i++) {
		put_bytes(h, en->xattrs[i].name, en->xattrs[i].name_len);
		put_bytes(h, en->xattrs[i].value, en->xattrs[i].value_len);
	}
}

static void check_index(struct layer_index_builder *b, size_t count, uint64_t tar_size)
{
	const struct digest id = hasher_sha256("", 0);
	struct err e = ERR_INIT;
	struct layer_index *ix = NULL;
	struct frame f = {0, 0, (uint32_t)tar_size, (uint32_t)tar_size, {0}};
	SCOPE(str) struct str bytes = STR_INIT;

	FUZZ_CHECK(layer_index_builder_add_frame(b, &f, &e) == 0);
	FUZZ_CHECK(layer_index_builder_encode(b, FRAME_RAW, &id, tar_size, &bytes, &e) == 0);
	FUZZ_CHECK(layer_index_decode(bytes.data, bytes.len, &ix, &e) == 0);
	FUZZ_CHECK(layer_index_entry_count(ix) == count);
	layer_index_free(ix);
}

static enum err_code read_archive(const uint8_t *data, size_t size, size_t step, bool do_checks,
				  struct digest *out)
{
	struct err e = ERR_INIT;
	struct source s = {data, size, 0, step};
	const struct tar_input in = {read_source, &s, NULL};
	struct hasher h;
	struct entry en;
	size_t count = 0;
	int rc;
	SCOPE(tar_reader) struct tar_reader *r = tar_reader_new(&in, &e);
	SCOPE(layer_index_builder) struct layer_index_builder *b = layer_index_builder_new(&e);

	FUZZ_CHECK(r && b);
	hasher_init(&h, DIGEST_SHA256);
	while ((rc = tar_reader_next(r, &en, &e)) == 1) {
		uint8_t buf[4096];
		hash_entry(&h, &en);
		if (do_checks) {
			check_texts(&en);
			check_data(&en, tar_reader_offset(r));
			check_again(&en);
			FUZZ_CHECK(layer_index_builder_add(b, &en, &e) == 0);
		}
		/* Some are read in part. */
		const ssize_t n = tar_reader_read(r, buf, 1 + count % sizeof(buf), &e);
		if (n < 0) {
			rc = -1;
			break;
		}
		FUZZ_CHECK((uint64_t)n <= en.data_size && (n > 0) == (en.data_size > 0));
		count++;
	}
	FUZZ_CHECK((rc < 0) == (e.code != ERR_NONE));
	FUZZ_CHECK(rc < 0 || tar_reader_offset(r) == size);
	if (rc == 0 && do_checks)
		check_index(b, count, size);
	const enum err_code code = e.code;
	err_clear(&e);
	*out = hasher_final(&h);
	return code;
}

/* Makes the checksums right, or hardly a mutation would get behind them. */
static void fix_checksums(uint8_t *data, size_t size)
{
	enum { AT_CHECKSUM = 148, CHECKSUM_SIZE = 8, AT_MAGIC = 257 };

	for (uint8_t *block = data; (size_t)(data + size - block) >= TAR_BLOCK;
	     block += TAR_BLOCK) {
		unsigned sum = 0;
		if (memcmp(block + AT_MAGIC, "ustar", strlen("ustar")) != 0)
			continue;
		memset(block + AT_CHECKSUM, ' ', CHECKSUM_SIZE);
		for (size_t i = 0; i < TAR_BLOCK; i++)
			sum += block[i];
		snprintf((char *)block + AT_CHECKSUM, CHECKSUM_SIZE, "%06o", sum);
	}
}

static void check_archive(const uint8_t *data, size_t size)
{
	struct digest big, small;
	const enum err_code code = read_archive(data, size, BIG_STEP, true, &big);

	FUZZ_CHECK(code == ERR_NONE || code == ERR_FORMAT || code == ERR_LIMIT);
	FUZZ_CHECK(read_archive(data, size, SMALL_STEP, false, &small) == code);
	FUZZ_CHECK(digest_equal(&big, &small));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *fixed = malloc(size + 1);

	FUZZ_CHECK(fixed);
	check_archive(data, size);
	if (size > 0)
		memcpy(fixed, data, size);
	fix_checksums(fixed, size);
	check_archive(fixed, size);
	free(fixed);
	return 0;
}
