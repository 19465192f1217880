/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a layer index, as they are and as the compressed content of one.  What decodes can
 * be read from end to end, keeps what layer_index.h promises, and is the only way to write what it
 * says: made again from its entries and frames it has the same content.
 */
#include <endian.h>
#include <string.h>
#include <zstd.h>

#include "base/limits.h"
#include "image/layer_index.h"
#include "tests/fuzz/fuzz.h"

enum { PREFIX = 24, CONTENT_MAX = 1 << 20 };

static void check_entry(const struct layer_index *ix, const struct entry *en)
{
	uint64_t file_end = 0, tar_end = en->data_offset;

	FUZZ_CHECK(en->path_len <= LIMIT_PATH && en->link_len <= LIMIT_PATH);
	FUZZ_CHECK(en->data_size <= en->size);
	FUZZ_CHECK(en->data_offset <= layer_index_tar_size(ix));
	FUZZ_CHECK(en->data_size <= layer_index_tar_size(ix) - en->data_offset);
	for (size_t i = 0; i < en->extent_count; i++) {
		const struct extent *x = &en->extents[i];
		FUZZ_CHECK(x->length > 0 && x->file_offset >= file_end && x->tar_offset >= tar_end);
		file_end = x->file_offset + x->length;
		tar_end = x->tar_offset + x->length;
		const struct frame f =
			layer_index_frame(ix, layer_index_frame_at(ix, x->tar_offset));
		FUZZ_CHECK(x->tar_offset >= f.tar_offset);
		FUZZ_CHECK(x->tar_offset - f.tar_offset < f.length);
	}
	FUZZ_CHECK(file_end <= en->size && tar_end <= en->data_offset + en->data_size);
}

/* The uncompressed content of what the encoder made. */
static void content_of(const struct str *stored, struct str *out)
{
	struct err e = ERR_INIT;
	uint64_t size;

	FUZZ_CHECK(stored->len > PREFIX);
	memcpy(&size, stored->data + 16, sizeof(size));
	size = le64toh(size);
	FUZZ_CHECK(str_append_zeros(out, size, &e) == 0);
	FUZZ_CHECK(ZSTD_decompress(out->data, size, stored->data + PREFIX, stored->len - PREFIX) ==
		   size);
}

/* Puts all of `ix` together again. */
static void rebuild(const struct layer_index *ix, struct str *out)
{
	struct err e = ERR_INIT;
	const struct digest id = layer_index_diff_id(ix);
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	SCOPE(layer_index_builder) struct layer_index_builder *b = layer_index_builder_new(&e);

	FUZZ_CHECK(b);
	for (size_t i = 0; i < layer_index_entry_count(ix); i++) {
		const char *path;
		size_t len;
		struct entry en;
		FUZZ_CHECK(layer_index_entry(ix, i, &scratch, &en, &e) == 0);
		FUZZ_CHECK(layer_index_path(ix, i, &path, &len) == en.kind);
		FUZZ_CHECK(path == en.path && len == en.path_len);
		check_entry(ix, &en);
		FUZZ_CHECK(layer_index_builder_add(b, &en, &e) == 0);
	}
	for (size_t i = 0; i < layer_index_frame_count(ix); i++) {
		const struct frame f = layer_index_frame(ix, i);
		FUZZ_CHECK(layer_index_builder_add_frame(b, &f, &e) == 0);
	}
	FUZZ_CHECK(layer_index_builder_encode(b, layer_index_encoding(ix), &id,
					      layer_index_tar_size(ix), out, &e) == 0);
}

static void check_index(const struct layer_index *ix, const uint8_t *content, size_t size)
{
	struct err e = ERR_INIT;
	struct layer_index *again = NULL;
	SCOPE(str) struct str stored = STR_INIT;
	SCOPE(str) struct str made = STR_INIT;

	rebuild(ix, &stored);
	FUZZ_CHECK(layer_index_decode(stored.data, stored.len, &again, &e) == 0);
	FUZZ_CHECK(layer_index_same_tree(ix, again, &e) == 0);
	layer_index_free(again);
	if (!content)
		return;
	content_of(&stored, &made);
	FUZZ_CHECK(made.len == size && memcmp(made.data, content, size) == 0);
}

static void decode(const void *stored, size_t len, const uint8_t *content, size_t size)
{
	struct err e = ERR_INIT;
	struct layer_index *ix = NULL;

	if (layer_index_decode(stored, len, &ix, &e) < 0) {
		FUZZ_CHECK(e.code == ERR_FORMAT || e.code == ERR_LIMIT ||
			   e.code == ERR_UNSUPPORTED);
		FUZZ_CHECK(!ix);
		err_clear(&e);
		return;
	}
	check_index(ix, content, size);
	layer_index_free(ix);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t stored[PREFIX + ZSTD_COMPRESSBOUND(CONTENT_MAX)] = "SHLINDX\n\1";
	const uint64_t le = htole64(size);

	/* What decompresses to much takes long, and is no better than the content itself. */
	if (size < PREFIX || memcmp(data, stored, PREFIX - sizeof(le)) != 0 || data[19] == 0)
		decode(data, size, NULL, 0);
	if (size > CONTENT_MAX)
		return 0;
	memcpy(stored + PREFIX - sizeof(le), &le, sizeof(le));
	const size_t n = ZSTD_compress(stored + PREFIX, sizeof(stored) - PREFIX, data, size, 1);
	FUZZ_CHECK(!ZSTD_isError(n));
	decode(stored, PREFIX + n, data, size);
	return 0;
}
