/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoded index is the uncompressed bytes as they are, and two arrays of places: what the
 * records have as lengths, one behind the other, is summed up once, so that any entry and frame is
 * found at once.
 */
#include "image/layer_index.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/array.h"
#include "base/le.h"
#include "base/limits.h"
#include "base/quote.h"
#include "image/entry_check.h"
#include "image/layer_index_format.h"
#include "image/tar_write.h"

/* The kinds' numbers are those of the file. */
_Static_assert(ENTRY_REG == 0 && ENTRY_DIR == 1 && ENTRY_SYMLINK == 2 && ENTRY_HARDLINK == 3 &&
		       ENTRY_CHAR == 4 && ENTRY_BLOCK == 5 && ENTRY_FIFO == 6,
	       "docs/shale-layer-index.5.scd");

/* Where the parts of an entry are, in their sections and in the stream. */
struct place {
	uint64_t data;
	uint32_t text;
	uint32_t xattrs;
	uint32_t extents; /* records */
};

struct layer_index {
	uint8_t *bytes;
	size_t size;
	struct index_header header;
	enum frame_encoding encoding;
	const uint8_t *frames;
	const uint8_t *entries;
	const uint8_t *extents;
	const uint8_t *xattrs;
	const uint8_t *texts;
	uint64_t *frame_starts; /* in the stream; one more than frames */
	struct place *places;   /* one more than entries */
};

static int malformed(const char *what, struct err *e)
{
	return err_set(e, ERR_FORMAT, "layer index: %s", what);
}

/* Opens the stored form: checks all that is said about the content before memory is taken. */
static int decompress(struct layer_index *ix, const uint8_t *stored, size_t len, struct err *e)
{
	uint32_t version, zero;
	uint64_t size;

	if (len < INDEX_STORED_SIZE || memcmp(stored, INDEX_MAGIC, INDEX_MAGIC_SIZE) != 0)
		return malformed("no magic", e);
	index_unpack_stored(stored, &version, &zero, &size);
	if (version != INDEX_VERSION)
		return err_set(e, ERR_UNSUPPORTED, "layer index: version %" PRIu32 " is unknown",
			       version);
	if (zero != 0)
		return malformed("reserved bytes are used", e);
	stored += INDEX_STORED_SIZE;
	len -= INDEX_STORED_SIZE;
	if (size > LIMIT_LAYER_INDEX ||
	    (size > LIMIT_EXPANSION_FREE && size / LIMIT_EXPANSION_RATIO > len))
		return err_set(e, ERR_LIMIT, "layer index: %" PRIu64 " bytes uncompressed", size);
	if (size < INDEX_HEADER_SIZE)
		return malformed("no header", e);

	if (len < sizeof(uint32_t))
		return malformed("no zstd frame", e);
	if (le_load32(stored) != ZSTD_MAGICNUMBER ||
	    ZSTD_findFrameCompressedSize(stored, len) != len ||
	    ZSTD_getDictID_fromFrame(stored, len) != 0)
		return malformed("not one zstd frame", e);
	if (ZSTD_getFrameContentSize(stored, len) != size)
		return malformed("two uncompressed sizes", e);
	ix->bytes = array_new(1, (size_t)size, e);
	if (!ix->bytes)
		return -1;
	ix->size = (size_t)size;
	const size_t n = ZSTD_decompress(ix->bytes, ix->size, stored, len);
	if (n == ix->size)
		return 0;
	return ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation
		       ? err_nomem(e)
		       : malformed("does not decompress", e);
}

/* Takes `count` records of `size` bytes off the front of what is left. */
static const uint8_t *take(const uint8_t **at, uint64_t *left, uint64_t count, size_t size)
{
	const uint8_t *section = *at;
	uint64_t len;

	if (mul_overflows(count, size, &len) || len > *left)
		return NULL;
	*at += len;
	*left -= len;
	return section;
}

/* The header, and where the sections are: they fill the bytes behind it. */
static int split(struct layer_index *ix, struct err *e)
{
	struct index_header *h = &ix->header;
	const uint8_t *at = ix->bytes + INDEX_HEADER_SIZE;
	uint64_t left = ix->size - INDEX_HEADER_SIZE;

	if (memcmp(ix->bytes, INDEX_CONTENT_MAGIC, INDEX_MAGIC_SIZE) != 0)
		return malformed("no magic in the header", e);
	index_unpack_header(ix->bytes, h);
	if (h->version != INDEX_VERSION || h->header_size != INDEX_HEADER_SIZE)
		return malformed("the header is of another version", e);
	if (!index_unpack_encoding(h->encoding, &ix->encoding))
		return malformed("unknown encoding of frames", e);
	if (h->frame_count > LIMIT_FRAMES || h->entry_count > LIMIT_ENTRIES ||
	    h->tar_size > LIMIT_LAYER_CONTENT)
		return err_set(e, ERR_LIMIT,
			       "layer index: %" PRIu32 " frames and %" PRIu32 " entries in %" PRIu64
			       " bytes of tar",
			       h->frame_count, h->entry_count, h->tar_size);
	ix->frames = take(&at, &left, h->frame_count, INDEX_FRAME_SIZE);
	ix->entries = take(&at, &left, h->entry_count, INDEX_ENTRY_SIZE);
	ix->extents = take(&at, &left, h->extent_count, INDEX_EXTENT_SIZE);
	ix->xattrs = take(&at, &left, h->xattrs_size, 1);
	ix->texts = take(&at, &left, h->texts_size, 1);
	if (!ix->frames || !ix->entries || !ix->extents || !ix->xattrs || !ix->texts || left != 0)
		return malformed("sections do not fill it", e);
	return 0;
}

static int check_frames(struct layer_index *ix, struct err *e)
{
	const size_t count = ix->header.frame_count;
	const enum frame_encoding encoding = layer_index_encoding(ix);
	uint64_t tar_end = 0, blob_end = 0;

	ix->frame_starts = array_new(count + 1, sizeof(*ix->frame_starts), e);
	if (!ix->frame_starts)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct frame f = layer_index_frame(ix, i);
		if (frame_check(&f, encoding, UINT64_MAX, e) < 0)
			return err_wrap(e, "layer index");
		if (f.blob_offset < blob_end)
			return malformed("frames overlap", e);
		blob_end = f.blob_offset + f.blob_length;
		tar_end += f.length; /* at most LIMIT_FRAMES x LIMIT_FRAME */
		ix->frame_starts[i + 1] = tar_end;
	}
	if (tar_end != ix->header.tar_size)
		return malformed("the frames are not the whole tar stream", e);
	return 0;
}

/* The record of entry `at`; its strings in `out`, and nothing else. */
static void fill_texts(const struct layer_index *ix, size_t at, const struct index_entry *record,
		       struct entry *out)
{
	out->path = (const char *)ix->texts + ix->places[at].text;
	out->path_len = record->path_len;
	out->link = record->link_len > 0 ? out->path + record->path_len : NULL;
	out->link_len = record->link_len;
}

static void fill_attributes(const struct index_entry *record, struct entry *out)
{
	out->kind = (enum entry_kind)record->kind;
	out->mode = record->mode;
	out->uid = record->uid;
	out->gid = record->gid;
	out->rdev_major = record->rdev_major;
	out->rdev_minor = record->rdev_minor;
	out->mtime = record->mtime;
	out->mtime_nsec = record->mtime_nsec;
	out->size = record->size;
}

/* The xattrs of an entry from `at` on; the place behind them, or NULL when they go beyond `end`. */
static const uint8_t *fill_xattrs(const uint8_t *at, const uint8_t *end, struct xattr *out,
				  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct index_xattr x;
		if ((size_t)(end - at) < INDEX_XATTR_SIZE)
			return NULL;
		index_unpack_xattr(at, &x);
		at += INDEX_XATTR_SIZE;
		if ((size_t)(end - at) < (size_t)x.name_len + x.value_len)
			return NULL;
		out[i] = (struct xattr){(const char *)at, x.name_len, at + x.name_len, x.value_len};
		at += x.name_len + x.value_len;
	}
	return at;
}

/* Reads the xattrs of entry `at`; `*end` is the place behind them. */
static int check_xattrs(const struct layer_index *ix, size_t at, const struct index_entry *record,
			struct entry_scratch *scratch, struct entry *out, uint32_t *end,
			struct err *e)
{
	const uint8_t *first = ix->xattrs + ix->places[at].xattrs;
	const uint8_t *limit = ix->xattrs + ix->header.xattrs_size;

	*end = ix->places[at].xattrs;
	if (record->xattr_count == 0)
		return 0;
	if (record->xattr_count > (size_t)(limit - first) / INDEX_XATTR_SIZE)
		return malformed("xattrs outside of it", e);
	if (array_reserve(&scratch->xattrs, &scratch->xattr_cap, record->xattr_count,
			  sizeof(*scratch->xattrs), e) < 0)
		return -1;
	const uint8_t *behind = fill_xattrs(first, limit, scratch->xattrs, record->xattr_count);
	if (!behind)
		return malformed("xattrs outside of it", e);
	out->xattrs = scratch->xattrs;
	out->xattr_count = record->xattr_count;
	*end = (uint32_t)(behind - ix->xattrs);
	return 0;
}

/* Checks the extents of entry `at`, and finds how long its payload is. */
static int check_extents(const struct layer_index *ix, size_t at, const struct index_entry *record,
			 uint64_t *data_size, struct err *e)
{
	const uint8_t *bytes = ix->extents + (size_t)ix->places[at].extents * INDEX_EXTENT_SIZE;
	uint64_t end = 0, stored = 0;

	for (uint32_t i = 0; i < record->extent_count; i++) {
		struct index_extent x;
		index_unpack_extent(bytes + (size_t)i * INDEX_EXTENT_SIZE, &x);
		/* Ranges that touch are one. */
		if (x.length == 0 || (i > 0 && x.file_offset <= end) ||
		    x.file_offset > record->size || x.length > record->size - x.file_offset)
			return malformed("extents out of order", e);
		end = x.file_offset + x.length;
		stored += x.length;
	}
	*data_size = record->layout == INDEX_PACKED ? stored : record->size;
	/* One extent over all of the file is dense. */
	if (record->extent_count > 0 && stored == record->size)
		return malformed("a file without holes has extents", e);
	return 0;
}

static int check_data(const struct layer_index *ix, size_t at, const struct index_entry *record,
		      uint64_t stream_at, uint64_t *data, uint64_t *data_size, struct err *e)
{
	const bool is_empty = record->kind != ENTRY_REG || record->size == 0;

	if (record->layout > INDEX_PACKED || (is_empty && record->layout != INDEX_PLAIN) ||
	    ((is_empty || record->layout == INDEX_DENSE) && record->extent_count > 0))
		return malformed("extents where there can be none", e);
	if (record->extent_count > LIMIT_SPARSE_EXTENTS)
		return err_set(e, ERR_LIMIT, "layer index: a file of %" PRIu32 " extents",
			       record->extent_count);
	if (record->extent_count > ix->header.extent_count - ix->places[at].extents)
		return malformed("extents outside of it", e);
	if (check_extents(ix, at, record, data_size, e) < 0)
		return -1;
	*data = 0;
	if (*data_size == 0)
		return record->gap == 0 ? 0 : malformed("a place for no payload", e);
	if (add_overflows(stream_at, record->gap, data) || *data > ix->header.tar_size ||
	    *data_size > ix->header.tar_size - *data || tar_padding(*data) != 0)
		return malformed("a payload outside of the tar stream", e);
	return 0;
}

/* Checks entry `at`, whose own place is known, and finds the place of the next one. */
static int check_entry(struct layer_index *ix, size_t at, uint64_t *stream_at,
		       struct entry_scratch *scratch, struct err *e)
{
	struct place *place = &ix->places[at], *next = place + 1;
	struct index_entry record;
	struct entry en = {.path = NULL};
	uint64_t data_size = 0;

	index_unpack_entry(ix->entries + at * INDEX_ENTRY_SIZE, &record);
	if (record.kind > ENTRY_FIFO)
		return malformed("unknown kind of entry", e);
	if ((uint64_t)record.path_len + record.link_len > ix->header.texts_size - place->text)
		return malformed("texts outside of it", e);
	if ((record.rdev_major || record.rdev_minor) && record.kind != ENTRY_CHAR &&
	    record.kind != ENTRY_BLOCK)
		return malformed("a device number for no device", e);
	fill_texts(ix, at, &record, &en);
	fill_attributes(&record, &en);
	if (check_xattrs(ix, at, &record, scratch, &en, &next->xattrs, e) < 0)
		return -1;
	if (entry_check(&en, e) < 0)
		return err_wrap(e, "layer index");
	if (check_data(ix, at, &record, *stream_at, &place->data, &data_size, e) < 0)
		return -1;
	if (data_size > 0)
		*stream_at = place->data + data_size;
	next->text = place->text + record.path_len + record.link_len;
	next->extents = place->extents + record.extent_count;
	return 0;
}

static int check_entries(struct layer_index *ix, struct err *e)
{
	const size_t count = ix->header.entry_count;
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	uint64_t stream_at = 0;

	ix->places = array_new(count + 1, sizeof(*ix->places), e);
	if (!ix->places)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (check_entry(ix, i, &stream_at, &scratch, e) < 0)
			return -1;
	}
	const struct place *end = &ix->places[count];
	if (end->text != ix->header.texts_size || end->xattrs != ix->header.xattrs_size ||
	    end->extents != ix->header.extent_count)
		return malformed("bytes that belong to no entry", e);
	return 0;
}

int layer_index_decode(const void *bytes, size_t len, struct layer_index **out, struct err *e)
{
	struct layer_index *ix = array_new(1, sizeof(*ix), e);

	if (!ix)
		return -1;
	if (decompress(ix, bytes, len, e) < 0 || split(ix, e) < 0 || check_frames(ix, e) < 0 ||
	    check_entries(ix, e) < 0) {
		layer_index_free(ix);
		return -1;
	}
	*out = ix;
	return 0;
}

void layer_index_free(struct layer_index *ix)
{
	if (!ix)
		return;
	free(ix->bytes);
	free(ix->frame_starts);
	free(ix->places);
	free(ix);
}

void entry_scratch_fini(struct entry_scratch *s)
{
	free(s->xattrs);
	free(s->extents);
	*s = (struct entry_scratch)ENTRY_SCRATCH_INIT;
}

size_t layer_index_size(const struct layer_index *ix)
{
	return ix->size;
}

struct digest layer_index_diff_id(const struct layer_index *ix)
{
	return digest_from_sha256(ix->header.diff_id);
}

uint64_t layer_index_tar_size(const struct layer_index *ix)
{
	return ix->header.tar_size;
}

enum frame_encoding layer_index_encoding(const struct layer_index *ix)
{
	return ix->encoding;
}

size_t layer_index_frame_count(const struct layer_index *ix)
{
	return ix->header.frame_count;
}

struct frame layer_index_frame(const struct layer_index *ix, size_t at)
{
	struct frame f;

	index_unpack_frame(ix->frames + at * INDEX_FRAME_SIZE, &f);
	f.tar_offset = ix->frame_starts[at];
	return f;
}

size_t layer_index_frame_at(const struct layer_index *ix, uint64_t tar_offset)
{
	size_t low = 0, high = ix->header.frame_count;

	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;
		if (ix->frame_starts[middle] <= tar_offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

size_t layer_index_entry_count(const struct layer_index *ix)
{
	return ix->header.entry_count;
}

/* Extents of entry `at` into the scratch. */
static int fill_extents(const struct layer_index *ix, size_t at, const struct index_entry *record,
			struct entry_scratch *scratch, struct entry *out, struct err *e)
{
	const bool is_dense = record->layout == INDEX_DENSE;
	const uint8_t *bytes = ix->extents + (size_t)ix->places[at].extents * INDEX_EXTENT_SIZE;
	const size_t count = is_dense ? 1 : record->extent_count;
	uint64_t stored = 0;

	out->data_offset = ix->places[at].data;
	out->data_size = record->size;
	if (count > 0 && array_reserve(&scratch->extents, &scratch->extent_cap, count,
				       sizeof(*scratch->extents), e) < 0)
		return -1;
	out->extents = scratch->extents;
	out->extent_count = count;
	if (is_dense) {
		scratch->extents[0] = (struct extent){0, out->data_offset, record->size};
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		struct index_extent x;
		index_unpack_extent(bytes + i * INDEX_EXTENT_SIZE, &x);
		const uint64_t in_data = record->layout == INDEX_PACKED ? stored : x.file_offset;
		scratch->extents[i] =
			(struct extent){x.file_offset, out->data_offset + in_data, x.length};
		stored += x.length;
	}
	if (record->layout == INDEX_PACKED)
		out->data_size = stored;
	return 0;
}

int layer_index_entry(const struct layer_index *ix, size_t at, struct entry_scratch *scratch,
		      struct entry *out, struct err *e)
{
	struct index_entry record;
	struct entry en = {.path = NULL};

	index_unpack_entry(ix->entries + at * INDEX_ENTRY_SIZE, &record);
	fill_texts(ix, at, &record, &en);
	fill_attributes(&record, &en);
	if (record.xattr_count > 0) {
		if (array_reserve(&scratch->xattrs, &scratch->xattr_cap, record.xattr_count,
				  sizeof(*scratch->xattrs), e) < 0)
			return -1;
		fill_xattrs(ix->xattrs + ix->places[at].xattrs, ix->xattrs + ix->header.xattrs_size,
			    scratch->xattrs, record.xattr_count);
		en.xattrs = scratch->xattrs;
		en.xattr_count = record.xattr_count;
	}
	if (en.kind == ENTRY_REG && fill_extents(ix, at, &record, scratch, &en, e) < 0)
		return -1;
	*out = en;
	return 0;
}

enum entry_kind layer_index_path(const struct layer_index *ix, size_t at, const char **path,
				 size_t *path_len)
{
	struct index_entry record;

	index_unpack_entry(ix->entries + at * INDEX_ENTRY_SIZE, &record);
	*path = (const char *)ix->texts + ix->places[at].text;
	*path_len = record.path_len;
	return (enum entry_kind)record.kind;
}
