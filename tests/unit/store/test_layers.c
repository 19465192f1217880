/* SPDX-License-Identifier: Apache-2.0 */
#include "store/layers.h"

#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hasher.h"
#include "base/io.h"
#include "base/limits.h"
#include "image/layer_scan.h"
#include "image/mediatype.h"
#include "store/derived.h"
#include "store/layers_private.h"
#include "tests/unit/store/fixture.h"

static const char content[] = "what the file holds, so that a frame has something to say\n";
static const struct layers_options options = {.workers = 0};

static struct fixture_layer layer;

static void teardown(void)
{
	fixture_layer_fini(&layer);
	fixture_remove();
}

enum kind { OWN, OWN_GZIP, TAR, GZIP, ZSTD, KIND_COUNT };

static void make_layer(enum kind kind)
{
	switch (kind) {
	case OWN:
		fixture_layer("etc/motd", content, &layer);
		break;
	case OWN_GZIP:
		fixture_gzip_layer("etc/motd", content, &layer);
		break;
	case TAR:
		fixture_foreign_layer("etc/motd", content, LAYER_TAR, &layer);
		break;
	case GZIP:
		fixture_foreign_layer("etc/motd", content, LAYER_GZIP, &layer);
		break;
	case ZSTD:
		fixture_foreign_layer("etc/motd", content, LAYER_ZSTD, &layer);
		break;
	case KIND_COUNT:
		break;
	}
}

static const char *derived_file(const char *suffix)
{
	char hex[DIGEST_HEX_MAX], path[200];

	snprintf(path, sizeof(path), "shale/layers/%s%s", digest_hex(&layer.descriptor.digest, hex),
		 suffix);
	return fixture_file(path);
}

static bool is_derived(const char *suffix)
{
	return access(derived_file(suffix), F_OK) == 0;
}

/* The layer has its index and its frames, and they give the file. */
static struct catalog_layer check_layer(const struct digest *diff_id)
{
	struct err e = ERR_INIT;
	struct catalog_layer info;
	struct entry en;
	char got[sizeof(content)];
	SCOPE(layer_index) struct layer_index *ix = NULL;
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;

	const int r =
		layers_index(fixture_store(), &layer.descriptor, diff_id, &options, &ix, &info, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(r, 0);
	ck_assert(digest_equal(&info.blob, &layer.descriptor.digest));
	ck_assert_uint_eq(info.frame_count, layer_index_frame_count(ix));
	ck_assert_int_eq(info.encoding, layer_index_encoding(ix));
	ck_assert_uint_eq(layer_index_entry_count(ix), 1);
	ck_assert_int_eq(layer_index_entry(ix, 0, &scratch, &en, &e), 0);
	ck_assert_uint_eq(en.size, strlen(content));
	SCOPE_FD int fd = layers_open_frames(fixture_store(), &info, &e);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(layer_read(fd, ix, en.data_offset, got, strlen(content), &e), 0);
	ck_assert_mem_eq(got, content, strlen(content));
	return info;
}

/* Which layer, once: by its blob when that is the trouble. */
static void ck_assert_names_layer(const char *msg)
{
	char digest[DIGEST_STR_MAX];
	const char *at = strstr(msg, digest_format(&layer.descriptor.digest, digest));

	ck_assert_msg(strncmp(msg, "layer", strlen("layer")) == 0, "no layer: %s", msg);
	ck_assert_msg(at && !strstr(at + 1, digest), "not named once: %s", msg);
}

static void check_refused(const struct digest *diff_id, enum err_code code, const char *word)
{
	struct err e = ERR_INIT;
	struct catalog_layer info;
	struct layer_index *ix = NULL;

	ck_assert_int_eq(
		layers_index(fixture_store(), &layer.descriptor, diff_id, &options, &ix, &info, &e),
		-1);
	ck_assert_names_layer(e.msg);
	ck_assert_err(&e, code, word);
	ck_assert_ptr_null(ix);
}

static void prove(enum err_code code, const char *word)
{
	struct err e = ERR_INIT;
	const int r =
		layers_prove(fixture_store(), &layer.descriptor, &layer.diff_id, &options, &e);

	if (code == ERR_NONE) {
		ck_assert_no_err(&e);
		ck_assert_int_eq(r, 0);
	} else {
		ck_assert_int_eq(r, -1);
		ck_assert_names_layer(e.msg);
		ck_assert_err(&e, code, word);
	}
}

START_TEST(every_layer_has_an_index)
{
	struct stat before, after;

	make_layer((enum kind)_i);
	/* What wrote it knew it. */
	ck_assert_int_eq(is_derived(".index"), _i == OWN_GZIP);
	const struct catalog_layer info = check_layer(&layer.diff_id);
	ck_assert_int_eq(info.is_reframed, _i == ZSTD);
	ck_assert_int_eq(is_derived(".index"), _i != OWN);
	ck_assert_int_eq(is_derived(".frames"), _i == ZSTD);
	if (_i != OWN)
		ck_assert_int_eq(stat(derived_file(".index"), &before), 0);
	/* What is kept is used, and the same. */
	const struct catalog_layer again = check_layer(NULL);
	ck_assert(digest_equal(&info.index, &again.index));
	if (_i != OWN) {
		ck_assert_int_eq(stat(derived_file(".index"), &after), 0);
		ck_assert_uint_eq(before.st_ino, after.st_ino);
	}
	prove(ERR_NONE, NULL);
	(void)check_layer(&layer.diff_id);
}
END_TEST

START_TEST(another_diff_id_is_refused)
{
	const struct digest other = hasher_sha256("other", 5);

	make_layer((enum kind)_i);
	check_refused(&other, ERR_DIGEST, "another diff_id");
	/* Of content that is not what it should be, nothing is kept. */
	ck_assert(_i == OWN_GZIP || !is_derived(".index"));
	ck_assert(!is_derived(".frames"));
	(void)check_layer(&layer.diff_id);
	check_refused(&other, ERR_DIGEST, "another diff_id");
	layer.diff_id = other;
	prove(ERR_DIGEST, "another diff_id");
}
END_TEST

START_TEST(what_was_derived_and_is_damaged_is_derived_again)
{
	static const struct {
		const char *suffix;
		long at;
		long size;
	} damages[] = {
		{".index", 3, -1},   {".index", -1, -1}, {".index", -40, -1},
		{".index", -72, -1}, {".index", 0, 0},   {".index", 0, 71},
		{".index", 0, 100},  {".frames", 0, 10}, {".frames", 0, -2},
	};
	struct err e = ERR_INIT;
	SCOPE(str) struct str before = STR_INIT;
	SCOPE(str) struct str after = STR_INIT;

	make_layer(ZSTD);
	(void)check_layer(&layer.diff_id);
	ck_assert_int_eq(io_slurp_path(derived_file(".index"), 1000000, &before, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		const char *path = derived_file(damages[i].suffix);
		if (damages[i].size == -2)
			ck_assert_int_eq(unlink(path), 0);
		else if (damages[i].size >= 0)
			fixture_cut(path, damages[i].size);
		else
			fixture_flip(path, damages[i].at);
		(void)check_layer(i % 2 ? &layer.diff_id : NULL);
	}
	ck_assert_int_eq(io_slurp_path(derived_file(".index"), 1000000, &after, &e), 0);
	ck_assert_uint_eq(before.len, after.len);
	ck_assert_mem_eq(before.data, after.data, after.len);
}
END_TEST

/* Lost or damaged, and then derived from the blob: the same as its writer kept. */
START_TEST(index_of_a_gzip_layer_is_made_again)
{
	static const struct {
		long at;
		long size;
	} damages[] = {{0, -2}, {3, -1}, {-1, -1}, {-40, -1}, {-72, -1}, {0, 0}, {0, 71}, {0, 100}};
	struct err e = ERR_INIT;
	SCOPE(str) struct str kept = STR_INIT;

	make_layer(OWN_GZIP);
	ck_assert_int_eq(io_slurp_path(derived_file(".index"), 1000000, &kept, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		SCOPE(str) struct str again = STR_INIT;
		const char *path = derived_file(".index");
		if (damages[i].size == -2)
			ck_assert_int_eq(unlink(path), 0);
		else if (damages[i].size >= 0)
			fixture_cut(path, damages[i].size);
		else
			fixture_flip(path, damages[i].at);
		(void)check_layer(i % 2 ? &layer.diff_id : NULL);
		ck_assert_int_eq(io_slurp_path(derived_file(".index"), 1000000, &again, &e), 0);
		ck_assert_uint_eq(again.len, kept.len);
		ck_assert_mem_eq(again.data, kept.data, kept.len);
		ck_assert(!is_derived(".frames"));
	}
}
END_TEST

/* A mount may have looked at what is kept, and be about to open it. */
START_TEST(index_of_a_layer_that_is_written_again_stays)
{
	struct stat before, after;

	make_layer(OWN_GZIP);
	ck_assert_int_eq(stat(derived_file(".index"), &before), 0);
	fixture_layer_fini(&layer);
	make_layer(OWN_GZIP);
	ck_assert_int_eq(stat(derived_file(".index"), &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	/* But not when it is damaged. */
	fixture_flip(derived_file(".index"), 3);
	fixture_layer_fini(&layer);
	make_layer(OWN_GZIP);
	ck_assert_int_eq(stat(derived_file(".index"), &after), 0);
	ck_assert_uint_ne(before.st_ino, after.st_ino);
	(void)check_layer(&layer.diff_id);
}
END_TEST

START_TEST(an_index_under_another_name_is_damaged)
{
	char other[500];

	make_layer(TAR);
	(void)check_layer(&layer.diff_id);
	snprintf(other, sizeof(other), "%s", derived_file(".index"));
	fixture_layer_fini(&layer);
	fixture_foreign_layer("etc/motd", "other content", LAYER_TAR, &layer);
	ck_assert_int_eq(rename(other, derived_file(".index")), 0);
	struct err e = ERR_INIT;
	struct catalog_layer info;
	SCOPE(layer_index) struct layer_index *ix = NULL;
	ck_assert_int_eq(layers_index(fixture_store(), &layer.descriptor, &layer.diff_id, &options,
				      &ix, &info, &e),
			 0);
	const struct digest own = layer_index_diff_id(ix);
	ck_assert(digest_equal(&own, &layer.diff_id));
}
END_TEST

START_TEST(discard_removes_what_was_derived)
{
	struct err e = ERR_INIT;

	make_layer(ZSTD);
	const struct catalog_layer info = check_layer(NULL);
	fixture_flip(derived_file(".frames"), 5);
	ck_assert_int_eq(layers_discard(fixture_store(), &layer.descriptor.digest, &e), 0);
	ck_assert(!is_derived(".index") && !is_derived(".frames"));
	ck_assert_int_eq(layers_open_frames(fixture_store(), &info, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "frames of layer");
	(void)check_layer(NULL);
}
END_TEST

START_TEST(proving_repairs_what_was_derived)
{
	make_layer(ZSTD);
	(void)check_layer(NULL);
	/* Same size: only who reads the frames sees it. */
	fixture_flip(derived_file(".frames"), 5);
	prove(ERR_NONE, NULL);
	(void)check_layer(NULL);
}
END_TEST

START_TEST(a_damaged_blob_is_never_proven)
{
	make_layer((enum kind)_i);
	fixture_flip(fixture_blob_file(&layer.descriptor.digest), 20);
	prove(ERR_DIGEST, "another digest");
	fixture_cut(fixture_blob_file(&layer.descriptor.digest), 20);
	prove(ERR_DIGEST, "has 20 bytes");
	check_refused(&layer.diff_id, _i == OWN ? ERR_DIGEST : ERR_DIGEST, "20 bytes");
	ck_assert_int_eq(unlink(fixture_blob_file(&layer.descriptor.digest)), 0);
	prove(ERR_NOT_FOUND, "is not in the store");
}
END_TEST

START_TEST(without_a_diff_id_the_blob_is_hashed_first)
{
	make_layer(TAR);
	/* In the content: still a tar, but another one. */
	fixture_flip(fixture_blob_file(&layer.descriptor.digest), 520);
	check_refused(NULL, ERR_DIGEST, "another digest");
	check_refused(&layer.diff_id, ERR_DIGEST, "another diff_id");
	ck_assert(!is_derived(".index"));
}
END_TEST

#define SHA512_OF_NOTHING                                                         \
	"sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce" \
	"47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"

static const struct {
	const char *key;
	const char *value; /* NULL: removed */
	enum err_code code;
	const char *word;
} bad_annotations[] = {
	{LAYER_INDEX_DIGEST_KEY, "sha256:00", ERR_FORMAT, LAYER_INDEX_DIGEST_KEY},
	{LAYER_INDEX_DIGEST_KEY,
	 "sha256:0000000000000000000000000000000000000000000000000000000000000000", ERR_DIGEST,
	 "not what the manifest says"},
	{LAYER_INDEX_DIGEST_KEY, SHA512_OF_NOTHING, ERR_UNSUPPORTED, "no SHA-256"},
	{LAYER_INDEX_OFFSET_KEY, NULL, ERR_FORMAT, "is missing"},
	{LAYER_INDEX_SIZE_KEY, NULL, ERR_FORMAT, "is missing"},
	{LAYER_INDEX_OFFSET_KEY, "-1", ERR_FORMAT, LAYER_INDEX_OFFSET_KEY},
	{LAYER_INDEX_OFFSET_KEY, "99999999", ERR_FORMAT, "no size that fits"},
	{LAYER_INDEX_OFFSET_KEY, "18446744073709551615", ERR_FORMAT, "no size that fits"},
	{LAYER_INDEX_SIZE_KEY, "18446744073709551615", ERR_FORMAT, "no size that fits"},
	{LAYER_INDEX_SIZE_KEY, "99999999", ERR_FORMAT, "no size that fits"},
	{LAYER_INDEX_SIZE_KEY, "7", ERR_DIGEST, "not what the manifest says"},
	{LAYER_INDEX_OFFSET_KEY, "7", ERR_DIGEST, "not what the manifest says"},
};

START_TEST(annotations_are_checked)
{
	struct err e = ERR_INIT;
	struct strmap *map = &layer.descriptor.annotations;

	make_layer(OWN);
	if (bad_annotations[_i].value)
		ck_assert_int_eq(
			strmap_set(map, bad_annotations[_i].key, bad_annotations[_i].value, &e), 0);
	else
		ck_assert_int_eq(strmap_remove(map, bad_annotations[_i].key), 1);
	check_refused(&layer.diff_id, bad_annotations[_i].code, bad_annotations[_i].word);
	prove(bad_annotations[_i].code, bad_annotations[_i].word);
}
END_TEST

START_TEST(an_index_that_is_too_large_is_not_read)
{
	struct err e = ERR_INIT;
	struct strmap *map = &layer.descriptor.annotations;
	struct embedded at;

	make_layer(OWN);
	layer.descriptor.size = 2 * LIMIT_LAYER_INDEX;
	SCOPE_FREE char *size = str_dupf(&e, "%llu", (unsigned long long)LIMIT_LAYER_INDEX + 1);
	ck_assert_int_eq(strmap_set(map, LAYER_INDEX_OFFSET_KEY, "0", &e), 0);
	ck_assert_int_eq(strmap_set(map, LAYER_INDEX_SIZE_KEY, size, &e), 0);
	ck_assert_int_eq(layers_find_embedded(&layer.descriptor, &at, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "the layer index has");
	free(steal_ptr(&size));
	size = str_dupf(&e, "%llu", (unsigned long long)LIMIT_LAYER_INDEX);
	ck_assert_int_eq(strmap_set(map, LAYER_INDEX_SIZE_KEY, size, &e), 0);
	ck_assert_int_eq(layers_find_embedded(&layer.descriptor, &at, &e), 1);
}
END_TEST

/* A tool that makes gzip of a layer may keep the annotations of its former self. */
START_TEST(annotations_of_another_encoding_mean_nothing)
{
	struct err e = ERR_INIT;

	make_layer(GZIP);
	ck_assert_int_eq(strmap_set(&layer.descriptor.annotations, LAYER_INDEX_DIGEST_KEY, "x", &e),
			 0);
	(void)check_layer(&layer.diff_id);
}
END_TEST

/* Puts `blob` in the place of the layer's own, with the annotations moved by `shift` bytes. */
static void replace_blob(const struct str *blob, uint64_t shift)
{
	struct err e = ERR_INIT;
	struct strmap *map = &layer.descriptor.annotations;
	const struct descriptor old = layer.descriptor;
	struct descriptor new;
	uint64_t offset;
	const char *text = strmap_get(map, LAYER_INDEX_OFFSET_KEY);

	ck_assert_int_eq(str_to_u64(text, strlen(text), 10, UINT32_MAX, &offset), 0);
	fixture_put_document(old.media_type, blob, &new);
	ck_assert_int_eq(
		descriptor_set(&layer.descriptor, MEDIATYPE_LAYER_ZSTD, &new.digest, new.size, &e),
		0);
	SCOPE_FREE char *moved = str_dupf(&e, "%llu", (unsigned long long)(offset + shift));
	ck_assert_int_eq(strmap_set(map, LAYER_INDEX_OFFSET_KEY, moved, &e), 0);
	descriptor_fini(&new);
}

START_TEST(content_outside_of_the_frames_is_refused)
{
	/* RFC 8878: a frame with one raw block of one byte. */
	static const char hidden[] = "\x28\xb5\x2f\xfd\x20\x01\x09\x00\x00x";
	struct err e = ERR_INIT;
	SCOPE(str) struct str blob = STR_INIT;

	make_layer(OWN);
	ck_assert_int_eq(
		io_slurp_path(fixture_blob_file(&layer.descriptor.digest), 1000000, &blob, &e), 0);
	ck_assert_int_eq(str_append(&blob, hidden, sizeof(hidden) - 1, &e), 0);
	replace_blob(&blob, 0);
	/* Who reads through the index does not see it; who unpacks the blob would. */
	(void)check_layer(&layer.diff_id);
	prove(ERR_FORMAT, "no skippable frame");
}
END_TEST

/* The index of the layer again: of a blob with so many bytes before its frames, or of raw frames.
 */
static void index_again(size_t front_len, enum frame_encoding encoding, struct str *out,
			uint64_t *frames_end)
{
	struct err e = ERR_INIT;
	struct catalog_layer info;
	SCOPE(layer_index) struct layer_index *ix = NULL;
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	SCOPE(layer_index_builder) struct layer_index_builder *b = layer_index_builder_new(&e);
	struct entry en;

	layers_index(fixture_store(), &layer.descriptor, &layer.diff_id, &options, &ix, &info, &e);
	ck_assert_no_err(&e);
	for (size_t i = 0; i < layer_index_entry_count(ix); i++) {
		ck_assert_int_eq(layer_index_entry(ix, i, &scratch, &en, &e), 0);
		ck_assert_int_eq(layer_index_builder_add(b, &en, &e), 0);
	}
	for (size_t i = 0; i < layer_index_frame_count(ix); i++) {
		struct frame f = layer_index_frame(ix, i);
		*frames_end = f.blob_offset + f.blob_length;
		f.blob_offset += front_len;
		if (encoding == FRAME_RAW) {
			f.blob_offset = f.tar_offset;
			f.blob_length = f.length;
		}
		ck_assert_int_eq(layer_index_builder_add_frame(b, &f, &e), 0);
	}
	layer_index_builder_encode(b, encoding, &layer.diff_id, layer_index_tar_size(ix), out, &e);
	ck_assert_no_err(&e);
}

/* Puts in the place of the layer's blob: `front`, its frames, and an index that says that they are
 * `shift` bytes further than they were. */
static void replace_index_shifted(const char *front, size_t front_len, size_t shift,
				  enum frame_encoding encoding)
{
	uint8_t head[] = {0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0};
	struct err e = ERR_INIT;
	char text[DIGEST_STR_MAX];
	uint64_t end = 0;
	SCOPE(str) struct str old = STR_INIT;
	SCOPE(str) struct str index = STR_INIT;
	SCOPE(str) struct str blob = STR_INIT;
	struct strmap *map = &layer.descriptor.annotations;

	index_again(shift, encoding, &index, &end);
	ck_assert_int_eq(
		io_slurp_path(fixture_blob_file(&layer.descriptor.digest), 1000000, &old, &e), 0);
	const uint32_t size = htole32((uint32_t)index.len);
	memcpy(head + 4, &size, sizeof(size));
	ck_assert_int_eq(str_append(&blob, front, front_len, &e), 0);
	ck_assert_int_eq(str_append(&blob, old.data, end, &e), 0);
	ck_assert_int_eq(str_append(&blob, head, sizeof(head), &e), 0);
	SCOPE_FREE char *offset = str_dupf(&e, "%zu", blob.len);
	SCOPE_FREE char *len = str_dupf(&e, "%zu", index.len);
	ck_assert_int_eq(str_append(&blob, index.data, index.len, &e), 0);
	const struct digest d = hasher_sha256(index.data, index.len);
	replace_blob(&blob, 0);
	ck_assert_int_eq(strmap_set(map, LAYER_INDEX_DIGEST_KEY, digest_format(&d, text), &e), 0);
	ck_assert_int_eq(strmap_set(map, LAYER_INDEX_OFFSET_KEY, offset, &e), 0);
	ck_assert_int_eq(strmap_set(map, LAYER_INDEX_SIZE_KEY, len, &e), 0);
}

static void replace_index(const char *front, size_t front_len, enum frame_encoding encoding)
{
	replace_index_shifted(front, front_len, front_len, encoding);
}

START_TEST(frames_behind_the_end_of_the_blob_are_refused)
{
	make_layer(OWN);
	replace_index_shifted("", 0, 1 << 20, FRAME_ZSTD);
	check_refused(&layer.diff_id, ERR_FORMAT, "a frame is outside of its file");
	prove(ERR_FORMAT, "a frame is outside of its file");
}
END_TEST

START_TEST(content_before_the_frames_is_refused)
{
	static const char skippable[8] = "\x50\x2a\x4d\x18";

	make_layer(OWN);
	replace_index("", 0, FRAME_ZSTD);
	(void)check_layer(&layer.diff_id);
	prove(ERR_NONE, NULL);
	replace_index(skippable, sizeof(skippable), FRAME_ZSTD);
	(void)check_layer(&layer.diff_id);
	prove(ERR_FORMAT, "bytes 0 of the blob are in no frame");
}
END_TEST

START_TEST(an_embedded_index_is_of_zstd_frames)
{
	make_layer(OWN);
	replace_index("", 0, FRAME_RAW);
	check_refused(&layer.diff_id, ERR_FORMAT, "frames that are no zstd");
	prove(ERR_FORMAT, "frames that are no zstd");
}
END_TEST

/* The end of the file: flags, the digest of the index, and the one of both and of the blob's name.
 */
enum { FLAGS = 8, FOOTER = FLAGS + 2 * DIGEST_SHA256_LEN };

static int peek(const struct str *file, struct err *e)
{
	const char *path = derived_file(".index");
	struct derived d = DERIVED_INIT;

	ck_assert_int_eq(chmod(path, 0644), 0);
	SCOPE_FD int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ck_assert_int_eq(io_write_all(fd, file->data, file->len), 0);
	return derived_peek(fixture_store(), &layer.descriptor.digest, &d, e);
}

START_TEST(flags_that_nobody_knows_are_refused)
{
	struct err e = ERR_INIT;
	char text[FLAGS + DIGEST_SHA256_LEN + DIGEST_STR_MAX];
	struct derived d = DERIVED_INIT;
	SCOPE(str) struct str file = STR_INIT;

	make_layer(OWN_GZIP);
	ck_assert_int_eq(io_slurp_path(derived_file(".index"), 1000000, &file, &e), 0);
	char *footer = file.data + file.len - FOOTER;
	for (int i = 0; i < 3; i++) {
		footer[0] = i == 1 ? 2 : 0;
		footer[FLAGS - 1] = i == 2;
		memcpy(text, footer, FLAGS + DIGEST_SHA256_LEN);
		digest_format(&layer.descriptor.digest, text + FLAGS + DIGEST_SHA256_LEN);
		const struct digest sum = hasher_sha256(
			text, FLAGS + DIGEST_SHA256_LEN + strlen(text + FLAGS + DIGEST_SHA256_LEN));
		memcpy(footer + FLAGS + DIGEST_SHA256_LEN, sum.raw, DIGEST_SHA256_LEN);
		ck_assert_int_eq(peek(&file, &e), i == 0 ? 1 : -1);
		if (i > 0)
			ck_assert_err(&e, ERR_FORMAT, "unknown flags");
	}
	str_truncate(&file, FOOTER - 1);
	ck_assert_int_eq(peek(&file, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "cut short");
	ck_assert_int_eq(derived_load(fixture_store(), &layer.descriptor.digest, &d, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "cut short");
}
END_TEST

/* By its type alone: the same blob is a layer elsewhere, and what was derived from it is kept. */
START_TEST(a_layer_by_another_type_is_none)
{
	struct err e = ERR_INIT;

	make_layer(TAR);
	(void)check_layer(NULL);
	ck_assert(is_derived(".index"));
	free(layer.descriptor.media_type);
	layer.descriptor.media_type = str_dup("application/vnd.example", &e);
	check_refused(&layer.diff_id, ERR_FORMAT, "no type of a layer");
}
END_TEST

START_TEST(what_is_no_layer_is_refused)
{
	fixture_put_as("application/vnd.example+json", "{}", 2, &layer.descriptor);
	check_refused(NULL, ERR_FORMAT, "no type of a layer");
	prove(ERR_FORMAT, "no type of a layer");
	descriptor_fini(&layer.descriptor);
	fixture_put_as(MEDIATYPE_LAYER_GZIP, "no gzip", 7, &layer.descriptor);
	check_refused(NULL, ERR_FORMAT, "gzip");
	ck_assert(!is_derived(".index") && !is_derived(".frames"));
}
END_TEST

START_TEST(a_store_that_cannot_be_written_uses_what_is_kept)
{
	struct err e = ERR_INIT;
	struct store *s = NULL;
	struct catalog_layer info;
	SCOPE(layer_index) struct layer_index *ix = NULL;

	make_layer((enum kind)_i);
	/* A layout of another tool. */
	char away[500];
	snprintf(away, sizeof(away), "%s", scratch_file("away"));
	ck_assert_int_eq(rename(fixture_file("shale"), away), 0);
	ck_assert_int_eq(store_open(scratch_file("store"), 0, &s, &e), 0);
	ck_assert(!store_is_writable(s));
	const int r = layers_index(s, &layer.descriptor, &layer.diff_id, &options, &ix, &info, &e);
	if (_i == ZSTD) {
		ck_assert_int_eq(r, -1);
		ck_assert_err(&e, ERR_UNSUPPORTED, "cannot keep the frames of the layer: '");
	} else {
		ck_assert_no_err(&e);
		ck_assert_int_eq(r, 0);
	}
	store_close(s);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("store/layers");
	TCase *tc = tcase_create("layers");

	tcase_add_checked_fixture(tc, fixture_make, teardown);
	tcase_add_loop_test(tc, every_layer_has_an_index, 0, KIND_COUNT);
	tcase_add_loop_test(tc, another_diff_id_is_refused, 0, KIND_COUNT);
	tcase_add_test(tc, what_was_derived_and_is_damaged_is_derived_again);
	tcase_add_test(tc, index_of_a_gzip_layer_is_made_again);
	tcase_add_test(tc, index_of_a_layer_that_is_written_again_stays);
	tcase_add_test(tc, an_index_under_another_name_is_damaged);
	tcase_add_test(tc, discard_removes_what_was_derived);
	tcase_add_test(tc, proving_repairs_what_was_derived);
	tcase_add_loop_test(tc, a_damaged_blob_is_never_proven, 0, KIND_COUNT);
	tcase_add_test(tc, without_a_diff_id_the_blob_is_hashed_first);
	tcase_add_loop_test(tc, annotations_are_checked, 0, ARRAY_LEN(bad_annotations));
	tcase_add_test(tc, annotations_of_another_encoding_mean_nothing);
	tcase_add_test(tc, content_outside_of_the_frames_is_refused);
	tcase_add_test(tc, an_index_that_is_too_large_is_not_read);
	tcase_add_test(tc, frames_behind_the_end_of_the_blob_are_refused);
	tcase_add_test(tc, content_before_the_frames_is_refused);
	tcase_add_test(tc, an_embedded_index_is_of_zstd_frames);
	tcase_add_test(tc, flags_that_nobody_knows_are_refused);
	tcase_add_test(tc, a_layer_by_another_type_is_none);
	tcase_add_test(tc, what_is_no_layer_is_refused);
	tcase_add_loop_test(tc, a_store_that_cannot_be_written_uses_what_is_kept, 0, KIND_COUNT);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
