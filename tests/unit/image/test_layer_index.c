/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layer_index.h"

#include <endian.h>
#include <zstd.h>

#include "base/hasher.h"
#include "base/limits.h"
#include "tests/support/failalloc.h"
#include "tests/unit/main.h"

#define PATH(s)  .path = s, .path_len = sizeof(s) - 1
#define LINK(s)  .link = s, .link_len = sizeof(s) - 1
#define XATTR(s) s, sizeof(s) - 1

enum { STORED = 24, HEADER = 88, FRAME = 48, ENTRY = 60, EXTENT = 16, TAR = 8192 };

static const struct xattr attributes[] = {
	{XATTR("security.capability"), XATTR("\1\0\0\2")},
	{XATTR("user.a"), XATTR("")},
};

static const struct entry entries[] = {
	{PATH(""), .kind = ENTRY_DIR, .mode = 01777, .mtime = -1},
	{PATH("a"), .mode = 0644, .size = 10, .data_offset = 1024, .data_size = 10,
	 .extents = (const struct extent[]){{0, 1024, 10}}, .extent_count = 1},
	{PATH("b"), .mode = 0600, .uid = 1000, .gid = UINT32_MAX - 1, .mtime = INT64_C(1) << 62,
	 .mtime_nsec = 999999999, .xattrs = attributes, .xattr_count = 2},
	{PATH("c"), LINK("../x"), .kind = ENTRY_SYMLINK, .mode = 0777},
	{PATH("d/e"), LINK("a"), .kind = ENTRY_HARDLINK},
	{PATH("dev/x"), .kind = ENTRY_CHAR, .rdev_major = UINT32_MAX, .rdev_minor = 1},
	{PATH("dev/y"), .kind = ENTRY_BLOCK, .rdev_major = 7},
	{PATH("fifo"), .kind = ENTRY_FIFO, .mode = 04755},
	/* Holes that its own payload has. */
	{PATH("holes"), .size = 2000, .data_offset = 2048, .data_size = 2000,
	 .extents = (const struct extent[]){{100, 2148, 200}, {1000, 3048, 1000}},
	 .extent_count = 2, .xattrs = attributes + 1, .xattr_count = 1},
	{PATH("zeros"), .size = 512, .data_offset = 4608, .data_size = 512},
	/* GNU sparse. */
	{PATH("packed"), .size = UINT64_C(1) << 50, .data_offset = 5632, .data_size = 30,
	 .extents = (const struct extent[]){{0, 5632, 10}, {INT64_C(1) << 49, 5642, 20}},
	 .extent_count = 2},
	{PATH("hole"), .size = INT64_MAX},
	{PATH("a"), .kind = ENTRY_DIR, .mode = 0755},
};

static const struct frame frames[] = {
	{0, 0, 500, 4096, {1}},
	{4096, 500, 1, 1, {2}},
	{4097, 1000, 9000, 4095, {3}},
};

static struct err e;
static struct str bytes;
static struct layer_index *ix;
static struct entry_scratch scratch;

static void setup(void)
{
	e = (struct err)ERR_INIT;
	bytes = (struct str)STR_INIT;
	scratch = (struct entry_scratch)ENTRY_SCRATCH_INIT;
	ix = NULL;
}

static void teardown(void)
{
	layer_index_free(ix);
	str_fini(&bytes);
	entry_scratch_fini(&scratch);
	err_clear(&e);
}

static struct digest some_id(void)
{
	return hasher_sha256("diff_id", 7);
}

static void encode(const struct entry *list, size_t count, struct str *out)
{
	SCOPE(layer_index_builder) struct layer_index_builder *b = layer_index_builder_new(&e);
	const struct digest id = some_id();

	ck_assert_ptr_nonnull(b);
	/* In any interleaving. */
	for (size_t i = 0; i < count || i < ARRAY_LEN(frames); i++) {
		if (i < ARRAY_LEN(frames))
			ck_assert_int_eq(layer_index_builder_add_frame(b, &frames[i], &e), 0);
		if (i < count)
			ck_assert_msg(layer_index_builder_add(b, &list[i], &e) == 0, "%s",
				      e.msg ? e.msg : "");
	}
	ck_assert_int_eq(layer_index_builder_encode(b, FRAME_ZSTD, &id, TAR, out, &e), 0);
}

static struct layer_index *decode(const struct str *from)
{
	struct layer_index *out = NULL;

	ck_assert_msg(layer_index_decode(from->data, from->len, &out, &e) == 0, "%s",
		      e.msg ? e.msg : "");
	return out;
}

static void ck_assert_entry(const struct entry *got, const struct entry *want)
{
	ck_assert_uint_eq(got->path_len, want->path_len);
	ck_assert_int_eq(memcmp(got->path, want->path, got->path_len), 0);
	ck_assert_uint_eq(got->link_len, want->link_len);
	ck_assert_int_eq(
		memcmp(got->link ? got->link : "", want->link ? want->link : "", got->link_len), 0);
	ck_assert_int_eq(got->kind, want->kind);
	ck_assert_uint_eq(got->mode, want->mode);
	ck_assert_uint_eq(got->uid, want->uid);
	ck_assert_uint_eq(got->gid, want->gid);
	ck_assert_uint_eq(got->rdev_major, want->rdev_major);
	ck_assert_uint_eq(got->rdev_minor, want->rdev_minor);
	ck_assert_int_eq(got->mtime, want->mtime);
	ck_assert_uint_eq(got->mtime_nsec, want->mtime_nsec);
	ck_assert_uint_eq(got->size, want->size);
	ck_assert_uint_eq(got->data_offset, want->data_offset);
	ck_assert_uint_eq(got->data_size, want->data_size);
	ck_assert_uint_eq(got->extent_count, want->extent_count);
	for (size_t i = 0; i < got->extent_count; i++)
		ck_assert_mem_eq(&got->extents[i], &want->extents[i], sizeof(struct extent));
	ck_assert_uint_eq(got->xattr_count, want->xattr_count);
	for (size_t i = 0; i < got->xattr_count; i++) {
		const struct xattr *x = &got->xattrs[i], *y = &want->xattrs[i];
		ck_assert_uint_eq(x->name_len, y->name_len);
		ck_assert_mem_eq(x->name, y->name, x->name_len);
		ck_assert_uint_eq(x->value_len, y->value_len);
		ck_assert_int_eq(memcmp(x->value, y->value, x->value_len), 0);
	}
}

START_TEST(gives_back_what_was_put_in)
{
	struct entry en;
	const char *path;
	size_t len;
	const struct digest id = some_id();

	encode(entries, ARRAY_LEN(entries), &bytes);
	ix = decode(&bytes);
	const struct digest got = layer_index_diff_id(ix);
	ck_assert(digest_equal(&got, &id));
	ck_assert_uint_eq(layer_index_tar_size(ix), TAR);
	ck_assert_int_eq(layer_index_encoding(ix), FRAME_ZSTD);
	ck_assert_uint_eq(layer_index_entry_count(ix), ARRAY_LEN(entries));
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		ck_assert_int_eq(layer_index_entry(ix, i, &scratch, &en, &e), 0);
		ck_assert_entry(&en, &entries[i]);
		ck_assert_int_eq(layer_index_path(ix, i, &path, &len), en.kind);
		ck_assert_ptr_eq(path, en.path);
		ck_assert_uint_eq(len, en.path_len);
	}
	ck_assert_uint_eq(layer_index_frame_count(ix), ARRAY_LEN(frames));
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		const struct frame f = layer_index_frame(ix, i);
		ck_assert_uint_eq(f.tar_offset, frames[i].tar_offset);
		ck_assert_uint_eq(f.blob_offset, frames[i].blob_offset);
		ck_assert_uint_eq(f.blob_length, frames[i].blob_length);
		ck_assert_uint_eq(f.length, frames[i].length);
		ck_assert_mem_eq(f.sha256, frames[i].sha256, sizeof(f.sha256));
	}
}
END_TEST

START_TEST(finds_the_frame_of_an_offset)
{
	static const struct {
		uint64_t offset;
		size_t frame;
	} wanted[] = {{0, 0}, {1, 0}, {4095, 0}, {4096, 1}, {4097, 2}, {5000, 2}, {TAR - 1, 2}};

	encode(entries, ARRAY_LEN(entries), &bytes);
	ix = decode(&bytes);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		ck_assert_uint_eq(layer_index_frame_at(ix, wanted[i].offset), wanted[i].frame);
}
END_TEST

START_TEST(an_index_may_be_empty)
{
	const struct digest id = some_id();
	SCOPE(layer_index_builder) struct layer_index_builder *b = layer_index_builder_new(&e);

	ck_assert_int_eq(layer_index_builder_encode(b, FRAME_RAW, &id, 0, &bytes, &e), 0);
	ix = decode(&bytes);
	ck_assert_uint_eq(layer_index_entry_count(ix), 0);
	ck_assert_uint_eq(layer_index_frame_count(ix), 0);
	ck_assert_uint_eq(layer_index_tar_size(ix), 0);
	ck_assert_int_eq(layer_index_encoding(ix), FRAME_RAW);
}
END_TEST

START_TEST(every_encoding_is_kept)
{
	static const enum frame_encoding encodings[] = {FRAME_RAW, FRAME_ZSTD, FRAME_GZIP};
	const struct digest id = some_id();
	SCOPE(layer_index_builder) struct layer_index_builder *b = layer_index_builder_new(&e);

	ck_assert_int_eq(layer_index_builder_encode(b, encodings[_i], &id, 0, &bytes, &e), 0);
	ix = decode(&bytes);
	ck_assert_int_eq(layer_index_encoding(ix), encodings[_i]);
}
END_TEST

START_TEST(same_input_same_bytes)
{
	SCOPE(str) struct str again = STR_INIT;

	encode(entries, ARRAY_LEN(entries), &bytes);
	encode(entries, ARRAY_LEN(entries), &again);
	ck_assert_uint_eq(again.len, bytes.len);
	ck_assert_mem_eq(again.data, bytes.data, bytes.len);
}
END_TEST

/* Where there is no payload it has no place; who is no device has no number. */
START_TEST(what_means_nothing_is_not_kept)
{
	struct entry en = {PATH("x"), .data_offset = 512, .rdev_major = 5};

	encode(&en, 1, &bytes);
	ix = decode(&bytes);
	ck_assert_int_eq(layer_index_entry(ix, 0, &scratch, &en, &e), 0);
	ck_assert_uint_eq(en.data_offset, 0);
	ck_assert_uint_eq(en.rdev_major, 0);
}
END_TEST

/* The uncompressed content of an index. */
static void content_of(const struct str *stored, struct str *out)
{
	uint64_t size;

	memcpy(&size, stored->data + 16, sizeof(size));
	size = le64toh(size);
	str_truncate(out, 0);
	ck_assert_int_eq(str_append_zeros(out, size, &e), 0);
	ck_assert_uint_eq(
		ZSTD_decompress(out->data, size, stored->data + STORED, stored->len - STORED),
		size);
}

static void store(const struct str *content, struct str *out)
{
	const uint64_t size = htole64(content->len);
	char header[STORED] = "SHLINDX\n\1";
	const size_t bound = ZSTD_compressBound(content->len);

	memcpy(header + 16, &size, sizeof(size));
	str_truncate(out, 0);
	ck_assert_int_eq(str_append(out, header, sizeof(header), &e), 0);
	ck_assert_int_eq(str_reserve(out, bound, &e), 0);
	out->len += ZSTD_compress(out->data + STORED, bound, content->data, content->len, 1);
}

static void rebuild(const struct layer_index *from, struct str *out)
{
	SCOPE(layer_index_builder) struct layer_index_builder *b = layer_index_builder_new(&e);
	const struct digest id = layer_index_diff_id(from);
	struct entry en;

	for (size_t i = 0; i < layer_index_entry_count(from); i++) {
		ck_assert_int_eq(layer_index_entry(from, i, &scratch, &en, &e), 0);
		ck_assert_int_eq(layer_index_builder_add(b, &en, &e), 0);
	}
	for (size_t i = 0; i < layer_index_frame_count(from); i++) {
		const struct frame f = layer_index_frame(from, i);
		ck_assert_int_eq(layer_index_builder_add_frame(b, &f, &e), 0);
	}
	str_truncate(out, 0);
	ck_assert_int_eq(layer_index_builder_encode(b, layer_index_encoding(from), &id,
						    layer_index_tar_size(from), out, &e),
			 0);
}

/* Whatever byte is changed: the index is refused, or it is the one way to say something else. */
START_TEST(every_byte_means_something)
{
	static const uint8_t changes[] = {1, 0x80, 0xff, 0x41};
	SCOPE(str) struct str content = STR_INIT;
	SCOPE(str) struct str stored = STR_INIT;
	SCOPE(str) struct str again = STR_INIT;
	size_t accepted = 0;

	encode(entries, ARRAY_LEN(entries), &bytes);
	content_of(&bytes, &content);
	for (size_t at = 0; at < content.len; at++) {
		for (size_t c = 0; c < ARRAY_LEN(changes); c++) {
			const char was = content.data[at];
			content.data[at] = (char)(was ^ (char)changes[c]);
			store(&content, &stored);
			if (layer_index_decode(stored.data, stored.len, &ix, &e) < 0) {
				ck_assert(e.code == ERR_FORMAT || e.code == ERR_LIMIT);
				err_clear(&e);
			} else {
				rebuild(ix, &stored);
				content_of(&stored, &again);
				ck_assert_uint_eq(again.len, content.len);
				ck_assert_mem_eq(again.data, content.data, again.len);
				layer_index_free(ix);
				ix = NULL;
				accepted++;
			}
			content.data[at] = was;
		}
	}
	ck_assert_uint_gt(accepted, content.len / 2);
}
END_TEST

START_TEST(every_cut_of_the_content_is_found)
{
	SCOPE(str) struct str content = STR_INIT;
	SCOPE(str) struct str stored = STR_INIT;

	encode(entries, ARRAY_LEN(entries), &bytes);
	content_of(&bytes, &content);
	while (content.len > 0) {
		str_truncate(&content, content.len - 1);
		store(&content, &stored);
		ck_assert_int_eq(layer_index_decode(stored.data, stored.len, &ix, &e), -1);
		ck_assert_err(&e, ERR_FORMAT, "layer index");
	}
	for (size_t len = 0; len < bytes.len; len++) {
		ck_assert_int_eq(layer_index_decode(bytes.data, len, &ix, &e), -1);
		ck_assert_err(&e, ERR_FORMAT, "layer index");
	}
}
END_TEST

enum at {
	AT_HEADER = 0,
	AT_FRAME_COUNT = 20,
	AT_ENTRY_COUNT = 24,
	AT_EXTENT_COUNT = 28,
	AT_XATTRS_SIZE = 32,
	AT_TEXTS_SIZE = 40,
	AT_TAR_SIZE = 48,
	AT_FRAMES = HEADER,
	AT_ENTRIES = HEADER + 3 * FRAME,
	AT_EXTENTS = AT_ENTRIES + 13 * ENTRY,
	AT_XATTRS = AT_EXTENTS + 4 * EXTENT,
	AT_TEXTS = AT_XATTRS + 50,
	AT_END = AT_TEXTS + 46,
};

/* Of a record of an entry. */
enum {
	R_SIZE = 0,
	R_GAP = 8,
	R_MTIME = 16,
	R_NSEC = 24,
	R_UID = 28,
	R_GID = 32,
	R_MAJOR = 36,
	R_XATTRS = 44,
	R_EXTENTS = 48,
	R_PATH = 52,
	R_LINK = 54,
	R_MODE = 56,
	R_KIND = 58,
	R_LAYOUT = 59,
};
#define RECORD(n) (AT_ENTRIES + (n)*ENTRY)

/* Numbers of the content put in the place of others. */
static const struct {
	size_t at;
	unsigned width;
	uint64_t value;
	enum err_code code;
	const char *word;
} forged[] = {
	{AT_HEADER, 1, 'S', ERR_FORMAT, "magic"},
	{8, 4, 2, ERR_FORMAT, "another version"},
	{12, 4, 96, ERR_FORMAT, "another version"},
	{16, 4, 3, ERR_FORMAT, "encoding"},
	{AT_FRAME_COUNT, 4, 2, ERR_FORMAT, "sections"},
	{AT_FRAME_COUNT, 4, UINT32_MAX, ERR_LIMIT, "frames"},
	{AT_ENTRY_COUNT, 4, 14, ERR_FORMAT, "sections"},
	{AT_ENTRY_COUNT, 4, LIMIT_ENTRIES + 1, ERR_LIMIT, "entries"},
	{AT_EXTENT_COUNT, 4, 5, ERR_FORMAT, "sections"},
	{AT_XATTRS_SIZE, 8, UINT64_MAX, ERR_FORMAT, "sections"},
	{AT_TEXTS_SIZE, 8, UINT64_MAX - 100, ERR_FORMAT, "sections"},
	{AT_TAR_SIZE, 8, TAR + 1, ERR_FORMAT, "whole tar stream"},
	{AT_TAR_SIZE, 8, LIMIT_LAYER_CONTENT + 1, ERR_LIMIT, "bytes of tar"},
	/* Frames. */
	{AT_FRAMES + FRAME, 8, 499, ERR_FORMAT, "overlap"},
	{AT_FRAMES + 2 * FRAME, 8, UINT64_MAX - 100, ERR_FORMAT, "outside of its file"},
	{AT_FRAMES + 8, 4, 0, ERR_FORMAT, "no content"},
	{AT_FRAMES + 8, 4, UINT32_MAX, ERR_LIMIT, "over the limit"},
	{AT_FRAMES + 12, 4, 0, ERR_FORMAT, "no content"},
	{AT_FRAMES + 12, 4, LIMIT_FRAME + 1, ERR_LIMIT, "over the limit"},
	{AT_FRAMES + 12, 4, 4095, ERR_FORMAT, "whole tar stream"},
	{16, 4, 0, ERR_FORMAT, "two lengths"}, /* raw frames */
	/* Entries. */
	{RECORD(0) + R_KIND, 1, 7, ERR_FORMAT, "kind"},
	{RECORD(0) + R_KIND, 1, ENTRY_REG, ERR_FORMAT, "root is not a directory"},
	{RECORD(0) + R_SIZE, 8, 1, ERR_FORMAT, "no regular file"},
	{RECORD(0) + R_GAP, 8, 512, ERR_FORMAT, "no payload"},
	{RECORD(0) + R_LAYOUT, 1, 1, ERR_FORMAT, "can be none"},
	{RECORD(0) + R_MAJOR, 4, 1, ERR_FORMAT, "no device"},
	{RECORD(0) + R_MODE, 2, 0100755, ERR_FORMAT, "mode"},
	{RECORD(0) + R_UID, 4, UINT32_MAX, ERR_FORMAT, "id that chown"},
	{RECORD(0) + R_GID, 4, UINT32_MAX, ERR_FORMAT, "id that chown"},
	{RECORD(0) + R_MTIME, 8, INT64_MAX, ERR_FORMAT, "time"},
	{RECORD(0) + R_NSEC, 4, 1000000000, ERR_FORMAT, "time"},
	{RECORD(0) + R_PATH, 2, 1, ERR_FORMAT, "layer index"},
	{RECORD(1) + R_PATH, 2, 65535, ERR_FORMAT, "texts outside"},
	{RECORD(1) + R_LINK, 2, 1, ERR_FORMAT, "no link"},
	{RECORD(3) + R_LINK, 2, 0, ERR_FORMAT, "without a target"},
	{RECORD(12) + R_PATH, 2, 0, ERR_FORMAT, "no entry"},
	/* Payloads and extents. */
	{RECORD(1) + R_SIZE, 8, 20000, ERR_FORMAT, "outside of the tar"},
	{RECORD(1) + R_SIZE, 8, (uint64_t)INT64_MAX + 1, ERR_LIMIT, "too long"},
	{RECORD(1) + R_GAP, 8, 1025, ERR_FORMAT, "outside of the tar"},
	{RECORD(1) + R_GAP, 8, TAR + 512, ERR_FORMAT, "outside of the tar"},
	{RECORD(8) + R_GAP, 8, UINT64_MAX - 1000, ERR_FORMAT, "outside of the tar"},
	{RECORD(1) + R_LAYOUT, 1, 3, ERR_FORMAT, "can be none"},
	{RECORD(1) + R_LAYOUT, 1, 2, ERR_FORMAT, "no payload"},
	{RECORD(1) + R_EXTENTS, 4, 1, ERR_FORMAT, "can be none"},
	{RECORD(8) + R_LAYOUT, 1, 1, ERR_FORMAT, "can be none"},
	{RECORD(8) + R_EXTENTS, 4, 1, ERR_FORMAT, "layer index"},
	{RECORD(8) + R_EXTENTS, 4, 5, ERR_FORMAT, "extents outside"},
	{RECORD(8) + R_EXTENTS, 4, 70000, ERR_LIMIT, "70000 extents"},
	{RECORD(10) + R_EXTENTS, 4, 1, ERR_FORMAT, "no entry"},
	{RECORD(10) + R_SIZE, 8, 30, ERR_FORMAT, "out of order"},
	{RECORD(11) + R_LAYOUT, 1, 0, ERR_FORMAT, "outside of the tar"},
	{AT_EXTENTS + 8, 8, 0, ERR_FORMAT, "out of order"},
	{AT_EXTENTS + 8, 8, 900, ERR_FORMAT, "out of order"},
	{AT_EXTENTS + 8, 8, UINT64_MAX, ERR_FORMAT, "out of order"},
	{AT_EXTENTS + EXTENT, 8, 300, ERR_FORMAT, "out of order"},
	{AT_EXTENTS + EXTENT, 8, 1001, ERR_FORMAT, "out of order"},
	/* Xattrs. */
	{RECORD(2) + R_XATTRS, 4, 3, ERR_FORMAT, "twice"},
	{RECORD(2) + R_XATTRS, 4, UINT32_MAX, ERR_FORMAT, "xattrs outside"},
	{RECORD(8) + R_XATTRS, 4, 2, ERR_FORMAT, "xattrs outside"},
	{RECORD(8) + R_XATTRS, 4, 0, ERR_FORMAT, "no entry"},
	{AT_XATTRS, 4, UINT32_MAX, ERR_FORMAT, "xattrs outside"},
	{AT_XATTRS, 4, 5, ERR_FORMAT, "layer index"},
	{AT_XATTRS + 4, 1, 0, ERR_FORMAT, "layer index"},
	{AT_XATTRS + 5, 1, 'v', ERR_FORMAT, "not in order"},
	{AT_XATTRS + 5, 1, 0, ERR_FORMAT, "NUL"},
	/* Texts: "a" "b" "c" "../x" "d/e" "a" ... */
	{AT_TEXTS, 1, '/', ERR_FORMAT, "not canonical"},
	{AT_TEXTS, 1, '.', ERR_FORMAT, "not canonical"},
	{AT_TEXTS, 1, 0, ERR_FORMAT, "NUL"},
	{AT_TEXTS + 3, 1, 0, ERR_FORMAT, "NUL"},
	{AT_TEXTS + 7, 2, '/' << 8 | '/', ERR_FORMAT, "not canonical"},
	{AT_TEXTS + 10, 1, '/', ERR_FORMAT, "not canonical"},
};

START_TEST(refuses_forged_content)
{
	SCOPE(str) struct str content = STR_INIT;
	SCOPE(str) struct str stored = STR_INIT;
	const uint64_t le = htole64(forged[_i].value);
	struct layer_index *before = (struct layer_index *)&content;

	encode(entries, ARRAY_LEN(entries), &bytes);
	content_of(&bytes, &content);
	ck_assert_uint_eq(content.len, AT_END);
	memcpy(content.data + forged[_i].at, &le, forged[_i].width);
	store(&content, &stored);
	ix = before;
	const int rc = layer_index_decode(stored.data, stored.len, &ix, &e);
	ck_assert_ptr_eq(ix, before);
	ix = NULL;
	ck_assert_int_eq(rc, -1);
	ck_assert_err(&e, forged[_i].code, forged[_i].word);
}
END_TEST

/* Extents that are all of the file have no records. */
START_TEST(refuses_a_second_way_to_say_dense)
{
	const struct entry lists[] = {
		{PATH("a"), .size = 9, .data_offset = 512, .data_size = 9,
		 .extents = (const struct extent[]){{0, 512, 8}}, .extent_count = 1},
		{PATH("a"), .size = 9, .data_offset = 512, .data_size = 8,
		 .extents = (const struct extent[]){{0, 512, 8}}, .extent_count = 1},
	};
	SCOPE(str) struct str content = STR_INIT;
	SCOPE(str) struct str stored = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		str_truncate(&bytes, 0);
		encode(&lists[i], 1, &bytes);
		content_of(&bytes, &content);
		content.data[HEADER + ARRAY_LEN(frames) * FRAME + ENTRY + 8] = 9;
		store(&content, &stored);
		ck_assert_int_eq(layer_index_decode(stored.data, stored.len, &ix, &e), -1);
		ck_assert_err(&e, ERR_FORMAT, "without holes has extents");
	}
}
END_TEST

/* More bytes than the entries need. */
START_TEST(refuses_unused_bytes)
{
	static const size_t sizes[] = {AT_XATTRS_SIZE, AT_TEXTS_SIZE};
	SCOPE(str) struct str content = STR_INIT;
	SCOPE(str) struct str stored = STR_INIT;

	encode(entries, ARRAY_LEN(entries), &bytes);
	content_of(&bytes, &content);
	ck_assert_int_eq(str_append_c(&content, 0, &e), 0);
	store(&content, &stored);
	ck_assert_int_eq(layer_index_decode(stored.data, stored.len, &ix, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "sections");
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		content.data[sizes[i]]++;
		store(&content, &stored);
		ck_assert_int_eq(layer_index_decode(stored.data, stored.len, &ix, &e), -1);
		ck_assert_err(&e, ERR_FORMAT, "layer index");
		content.data[sizes[i]]--;
	}
}
END_TEST

enum lie {
	LIE_MAGIC,
	LIE_VERSION,
	LIE_RESERVED,
	LIE_SIZE_SMALLER,
	LIE_SIZE_BIGGER,
	LIE_SIZE_HUGE,
	LIE_SIZE_TINY,
	LIE_BOMB,
	LIE_MORE,
	LIE_TWO_FRAMES,
	LIE_SKIPPABLE,
	LIE_NO_SIZE,
	LIE_DICTIONARY,
	LIE_BROKEN,
	LIE_NO_FRAME,
	LIE_COUNT,
};

static const struct {
	enum err_code code;
	const char *word;
} lies[LIE_COUNT] = {
	[LIE_MAGIC] = {ERR_FORMAT, "no magic"},
	[LIE_VERSION] = {ERR_UNSUPPORTED, "version 2"},
	[LIE_RESERVED] = {ERR_FORMAT, "reserved"},
	[LIE_SIZE_SMALLER] = {ERR_FORMAT, "two uncompressed sizes"},
	[LIE_SIZE_BIGGER] = {ERR_FORMAT, "two uncompressed sizes"},
	[LIE_SIZE_HUGE] = {ERR_LIMIT, "bytes uncompressed"},
	[LIE_SIZE_TINY] = {ERR_FORMAT, "no header"},
	[LIE_BOMB] = {ERR_LIMIT, "bytes uncompressed"},
	[LIE_MORE] = {ERR_FORMAT, "one zstd frame"},
	[LIE_TWO_FRAMES] = {ERR_FORMAT, "one zstd frame"},
	[LIE_SKIPPABLE] = {ERR_FORMAT, "one zstd frame"},
	[LIE_NO_SIZE] = {ERR_FORMAT, "two uncompressed sizes"},
	[LIE_DICTIONARY] = {ERR_FORMAT, "one zstd frame"},
	[LIE_BROKEN] = {ERR_FORMAT, "decompress"},
	[LIE_NO_FRAME] = {ERR_FORMAT, "no zstd frame"},
};

static void put_size(uint64_t size)
{
	const uint64_t le = htole64(size);

	memcpy(bytes.data + 16, &le, sizeof(le));
}

/* The same content in a zstd frame of another kind. */
static void compress_again(ZSTD_cParameter parameter, int value, bool has_dictionary)
{
	static const char dictionary[8] = {'\x37', '\xa4', '\x30', '\xec', 9};
	SCOPE(str) struct str content = STR_INIT;
	ZSTD_CCtx *cctx = ZSTD_createCCtx();

	content_of(&bytes, &content);
	ck_assert_ptr_nonnull(cctx);
	ZSTD_CCtx_setParameter(cctx, parameter, value);
	if (has_dictionary)
		ZSTD_CCtx_loadDictionary(cctx, dictionary, sizeof(dictionary));
	str_truncate(&bytes, STORED);
	ck_assert_int_eq(str_reserve(&bytes, 10000, &e), 0);
	const size_t n =
		ZSTD_compress2(cctx, bytes.data + STORED, 10000, content.data, content.len);
	ck_assert(!ZSTD_isError(n));
	bytes.len += n;
	ZSTD_freeCCtx(cctx);
}

static void tell(enum lie lie)
{
	static const char skippable[] = {'\x50', '\x2a', '\x4d', '\x18', 0, 0, 0, 0};
	SCOPE(str) struct str twice = STR_INIT;

	switch (lie) {
	case LIE_MAGIC:
		bytes.data[7] = '\r';
		break;
	case LIE_VERSION:
		bytes.data[8] = 2;
		break;
	case LIE_RESERVED:
		bytes.data[12] = 1;
		break;
	case LIE_SIZE_SMALLER:
		put_size(AT_END - 1);
		break;
	case LIE_SIZE_BIGGER:
		put_size(AT_END + 1);
		break;
	case LIE_SIZE_HUGE:
		put_size(LIMIT_LAYER_INDEX + 1);
		break;
	case LIE_SIZE_TINY:
		put_size(HEADER - 1);
		break;
	case LIE_BOMB:
		put_size(LIMIT_LAYER_INDEX);
		break;
	case LIE_MORE:
		ck_assert_int_eq(str_append_c(&bytes, 0, &e), 0);
		break;
	case LIE_TWO_FRAMES:
		ck_assert_int_eq(str_append(&twice, bytes.data + STORED, bytes.len - STORED, &e),
				 0);
		ck_assert_int_eq(str_append(&bytes, twice.data, twice.len, &e), 0);
		break;
	case LIE_SKIPPABLE:
		str_truncate(&bytes, STORED);
		ck_assert_int_eq(str_append(&bytes, skippable, sizeof(skippable), &e), 0);
		break;
	case LIE_NO_SIZE:
		compress_again(ZSTD_c_contentSizeFlag, 0, false);
		break;
	case LIE_DICTIONARY:
		/* Any frame header with an id will do. */
		bytes.data[STORED + 4] |= 1;
		break;
	case LIE_BROKEN:
		compress_again(ZSTD_c_checksumFlag, 1, false);
		bytes.data[bytes.len - 1] ^= 1;
		break;
	case LIE_NO_FRAME:
		str_truncate(&bytes, STORED + 3);
		break;
	case LIE_COUNT:
		break;
	}
}

START_TEST(refuses_a_stored_form_that_lies)
{
	encode(entries, ARRAY_LEN(entries), &bytes);
	tell((enum lie)_i);
	ck_assert_int_eq(layer_index_decode(bytes.data, bytes.len, &ix, &e), -1);
	ck_assert_err(&e, lies[_i].code, lies[_i].word);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/layer_index");
	TCase *reads = tcase_create("read");
	TCase *refusals = tcase_create("refuse");

	tcase_add_checked_fixture(reads, setup, teardown);
	tcase_set_timeout(reads, 60);
	tcase_add_test(reads, gives_back_what_was_put_in);
	tcase_add_test(reads, finds_the_frame_of_an_offset);
	tcase_add_test(reads, an_index_may_be_empty);
	tcase_add_loop_test(reads, every_encoding_is_kept, 0, 3);
	tcase_add_test(reads, same_input_same_bytes);
	tcase_add_test(reads, what_means_nothing_is_not_kept);
	suite_add_tcase(s, reads);
	tcase_add_checked_fixture(refusals, setup, teardown);
	tcase_set_timeout(refusals, 60);
	tcase_add_test(refusals, every_byte_means_something);
	tcase_add_test(refusals, every_cut_of_the_content_is_found);
	tcase_add_loop_test(refusals, refuses_forged_content, 0, ARRAY_LEN(forged));
	tcase_add_test(refusals, refuses_a_second_way_to_say_dense);
	tcase_add_test(refusals, refuses_unused_bytes);
	tcase_add_loop_test(refusals, refuses_a_stored_form_that_lies, 0, LIE_COUNT);
	suite_add_tcase(s, refusals);
	return s;
}

UNIT_MAIN(suite_new)
