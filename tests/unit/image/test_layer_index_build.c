/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hasher.h"
#include "base/limits.h"
#include "image/layer_index.h"
#include "tests/support/failalloc.h"
#include "tests/unit/main.h"

#define PATH(s)  .path = s, .path_len = sizeof(s) - 1
#define LINK(s)  .link = s, .link_len = sizeof(s) - 1
#define XATTR(s) s, sizeof(s) - 1

enum { TAR = 8192 };

static struct err e;
static struct layer_index_builder *builder;
static struct str bytes;

static void setup(void)
{
	e = (struct err)ERR_INIT;
	bytes = (struct str)STR_INIT;
	builder = layer_index_builder_new(&e);
	ck_assert_ptr_nonnull(builder);
}

static void teardown(void)
{
	layer_index_builder_free(builder);
	str_fini(&bytes);
	err_clear(&e);
}

static struct digest some_id(void)
{
	return hasher_sha256("diff_id", 7);
}

static struct frame whole(void)
{
	return (struct frame){0, 0, TAR, TAR, {1}};
}

static const struct xattr unsorted[] = {{XATTR("user.b"), XATTR("")}, {XATTR("user.a"), XATTR("")}};

#define EXTENTS(n, ...) .extents = (const struct extent[]){__VA_ARGS__}, .extent_count = (n)

static const struct {
	struct entry en;
	enum err_code code;
	const char *word;
} refused[] = {
	{{PATH("/a")}, ERR_FORMAT, "not canonical"},
	{{PATH("")}, ERR_FORMAT, "root is not a directory"},
	{{PATH("a"), .kind = ENTRY_HARDLINK}, ERR_FORMAT, "without a target"},
	{{PATH("a"), LINK("b")}, ERR_FORMAT, "no link"},
	{{PATH("a"), .uid = UINT32_MAX}, ERR_FORMAT, "id that chown"},
	{{PATH("a"), .xattrs = unsorted, .xattr_count = 2}, ERR_FORMAT, "not in order"},
	{{PATH("a"), .kind = ENTRY_DIR, .size = 1}, ERR_FORMAT, "no regular file"},
	{{PATH("a"), .data_offset = 512, .data_size = 1}, ERR_FORMAT, "longer than the file"},
	/* Payloads where none can be. */
	{{PATH("a"), .size = 1, .data_offset = 513, .data_size = 1, EXTENTS(1, {0, 513, 1})},
	 ERR_FORMAT,
	 "out of place"},
	{{PATH("a"), .size = LIMIT_LAYER_CONTENT, .data_offset = 512,
	  .data_size = LIMIT_LAYER_CONTENT, EXTENTS(1, {0, 512, LIMIT_LAYER_CONTENT})},
	 ERR_FORMAT,
	 "out of place"},
	{{PATH("a"), .size = INT64_MAX, .data_offset = 512, .data_size = INT64_MAX,
	  EXTENTS(1, {0, 512, INT64_MAX})},
	 ERR_FORMAT,
	 "out of place"},
	/* Extents. */
	{{PATH("a"), .size = 9, .data_offset = 512, .data_size = 9, EXTENTS(1, {0, 512, 10})},
	 ERR_FORMAT,
	 "out of order"},
	{{PATH("a"), .size = 9, .data_offset = 512, .data_size = 9, EXTENTS(1, {10, 522, 1})},
	 ERR_FORMAT,
	 "out of order"},
	{{PATH("a"), .size = 9, .data_offset = 512, .data_size = 9, EXTENTS(1, {0, 512, 0})},
	 ERR_FORMAT,
	 "out of order"},
	{{PATH("a"), .size = 9, .data_offset = 512, .data_size = 9,
	  EXTENTS(2, {0, 512, 3}, {3, 515, 3})},
	 ERR_FORMAT,
	 "out of order"},
	{{PATH("a"), .size = 9, .data_offset = 512, .data_size = 9,
	  EXTENTS(2, {5, 517, 3}, {0, 512, 3})},
	 ERR_FORMAT,
	 "out of order"},
	{{PATH("a"), .size = 9, .data_offset = 512, .data_size = 9, EXTENTS(1, {1, 512, 3})},
	 ERR_FORMAT,
	 "outside of its payload"},
	{{PATH("a"), .size = 9, .data_offset = 512, .data_size = 6,
	  EXTENTS(2, {0, 512, 3}, {6, 518, 3})},
	 ERR_FORMAT,
	 "outside of its payload"},
	{{PATH("a"), .size = 9, .data_offset = 512, .data_size = 6, EXTENTS(1, {0, 512, 3})},
	 ERR_FORMAT,
	 "do not fill"},
	{{PATH("a"), .size = 9, .data_offset = 512, .data_size = 9, .extents = NULL,
	  .extent_count = LIMIT_SPARSE_EXTENTS + 1},
	 ERR_FORMAT,
	 "too many extents"},
};

START_TEST(refuses_entries)
{
	ck_assert_int_eq(layer_index_builder_add(builder, &refused[_i].en, &e), -1);
	ck_assert_err(&e, refused[_i].code, refused[_i].word);
}
END_TEST

START_TEST(payloads_follow_each_other)
{
	const struct entry one = {PATH("a"), .size = 600, .data_offset = 1024, .data_size = 600,
				  EXTENTS(1, {0, 1024, 600})};
	const struct entry two = {PATH("b"), .size = 1, .data_offset = 1536, .data_size = 1,
				  EXTENTS(1, {0, 1536, 1})};

	ck_assert_int_eq(layer_index_builder_add(builder, &one, &e), 0);
	ck_assert_int_eq(layer_index_builder_add(builder, &two, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "out of place");
}
END_TEST

static const struct {
	struct frame f;
	enum err_code code;
	const char *word;
} refused_frames[] = {
	{{101, 100, 100, 100, {0}}, ERR_FORMAT, "does not follow"},
	{{99, 100, 100, 100, {0}}, ERR_FORMAT, "does not follow"},
	{{100, 99, 100, 100, {0}}, ERR_FORMAT, "does not follow"},
	{{100, 100, 0, 100, {0}}, ERR_FORMAT, "no content"},
	{{100, 100, 100, 0, {0}}, ERR_FORMAT, "no content"},
	{{100, 100, 100, LIMIT_FRAME + 1, {0}}, ERR_LIMIT, "over the limit"},
	{{100, UINT64_MAX - 50, 100, 100, {0}}, ERR_FORMAT, "outside of its file"},
};

START_TEST(refuses_frames)
{
	const struct frame first = {0, 0, 100, 100, {0}};

	ck_assert_int_eq(layer_index_builder_add_frame(builder, &first, &e), 0);
	ck_assert_int_eq(layer_index_builder_add_frame(builder, &refused_frames[_i].f, &e), -1);
	ck_assert_err(&e, refused_frames[_i].code, refused_frames[_i].word);
}
END_TEST

static int encode(enum frame_encoding encoding, uint64_t tar_size)
{
	const struct digest id = some_id();

	return layer_index_builder_encode(builder, encoding, &id, tar_size, &bytes, &e);
}

START_TEST(refuses_to_encode_what_does_not_fit)
{
	struct digest id = some_id();
	struct frame f = whole();
	const struct entry late = {PATH("a"), .size = 600, .data_offset = TAR - 512,
				   .data_size = 600, EXTENTS(1, {0, TAR - 512, 600})};

	ck_assert_int_eq(str_append_z(&bytes, "before", &e), 0);
	ck_assert_int_eq(encode(FRAME_ZSTD, TAR), -1);
	ck_assert_err(&e, ERR_FORMAT, "not the whole layer");
	f.blob_length--;
	ck_assert_int_eq(layer_index_builder_add_frame(builder, &f, &e), 0);
	ck_assert_int_eq(encode(FRAME_ZSTD, TAR + 1), -1);
	ck_assert_err(&e, ERR_FORMAT, "not the whole layer");
	ck_assert_int_eq(encode(FRAME_ZSTD, LIMIT_LAYER_CONTENT + 1), -1);
	ck_assert_err(&e, ERR_LIMIT, "a layer of");
	ck_assert_int_eq(encode(FRAME_RAW, TAR), -1);
	ck_assert_err(&e, ERR_FORMAT, "two lengths");
	id.alg = DIGEST_SHA512;
	ck_assert_int_eq(layer_index_builder_encode(builder, FRAME_ZSTD, &id, TAR, &bytes, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "sha256");
	ck_assert_int_eq(layer_index_builder_add(builder, &late, &e), 0);
	ck_assert_int_eq(encode(FRAME_ZSTD, TAR), -1);
	ck_assert_err(&e, ERR_FORMAT, "not the whole layer");
	ck_assert_uint_eq(bytes.len, 6);
}
END_TEST

/* Two indexes that differ in one thing. */
static const struct xattr one_xattr[] = {{XATTR("user.a"), XATTR("1")}};
static const struct xattr other_name[] = {{XATTR("user.b"), XATTR("1")}};
static const struct xattr other_value[] = {{XATTR("user.a"), XATTR("2")}};

#define FILE_A PATH("a"), .size = 9, .data_offset = 512, .data_size = 9

static const struct {
	struct entry a, b;
	const char *word; /* NULL: the same */
} pairs[] = {
	{{PATH("a"), .mode = 0644}, {PATH("a"), .mode = 0644}, NULL},
	{{PATH("a"), .mode = 0644}, {PATH("b"), .mode = 0644}, "path for 'a'"},
	{{PATH("a")}, {PATH("a"), .kind = ENTRY_FIFO}, "kind for 'a'"},
	{{PATH("a"), LINK("x"), .kind = ENTRY_SYMLINK},
	 {PATH("a"), LINK("y"), .kind = ENTRY_SYMLINK},
	 "link target"},
	{{PATH("a"), .mode = 0644}, {PATH("a"), .mode = 04644}, "mode"},
	{{PATH("a"), .uid = 1}, {PATH("a"), .uid = 2}, "owner"},
	{{PATH("a"), .gid = 1}, {PATH("a"), .gid = 2}, "owner"},
	{{PATH("a"), .kind = ENTRY_CHAR, .rdev_major = 1},
	 {PATH("a"), .kind = ENTRY_CHAR},
	 "device"},
	{{PATH("a"), .kind = ENTRY_CHAR, .rdev_minor = 1},
	 {PATH("a"), .kind = ENTRY_CHAR},
	 "device"},
	{{PATH("a"), .mtime = 1}, {PATH("a"), .mtime = 2}, "time"},
	{{PATH("a"), .mtime_nsec = 1}, {PATH("a"), .mtime_nsec = 2}, "time"},
	{{PATH("a"), .size = 1}, {PATH("a"), .size = 2}, "size"},
	{{FILE_A, EXTENTS(1, {0, 512, 9})}, {FILE_A, EXTENTS(1, {0, 512, 9})}, NULL},
	{{FILE_A, EXTENTS(1, {0, 512, 9})}, {FILE_A, EXTENTS(1, {0, 512, 8})}, "map of holes"},
	{{FILE_A, EXTENTS(1, {0, 512, 8})}, {FILE_A, EXTENTS(1, {1, 513, 8})}, "map of holes"},
	{{FILE_A, EXTENTS(1, {0, 512, 8})}, {FILE_A}, "map of holes"},
	{{FILE_A, EXTENTS(1, {0, 512, 9})},
	 {PATH("a"), .size = 9, .data_offset = 1024, .data_size = 9, EXTENTS(1, {0, 1024, 9})},
	 "place of the content"},
	{{FILE_A, EXTENTS(1, {0, 512, 8})},
	 {PATH("a"), .size = 9, .data_offset = 512, .data_size = 8, EXTENTS(1, {0, 512, 8})},
	 "place of the content"},
	{{PATH("a"), .xattrs = one_xattr, .xattr_count = 1}, {PATH("a")}, "extended attributes"},
	{{PATH("a"), .xattrs = one_xattr, .xattr_count = 1},
	 {PATH("a"), .xattrs = other_name, .xattr_count = 1},
	 "extended attributes"},
	{{PATH("a"), .xattrs = one_xattr, .xattr_count = 1},
	 {PATH("a"), .xattrs = other_value, .xattr_count = 1},
	 "extended attributes"},
	{{PATH("a"), .xattrs = one_xattr, .xattr_count = 1},
	 {PATH("a"), .xattrs = one_xattr, .xattr_count = 1},
	 NULL},
};

static struct layer_index *index_of(const struct entry *list, size_t count, const struct digest *id)
{
	struct layer_index *ix = NULL;
	const struct frame f = whole();
	SCOPE(str) struct str out = STR_INIT;
	SCOPE(layer_index_builder) struct layer_index_builder *b = layer_index_builder_new(&e);

	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(layer_index_builder_add(b, &list[i], &e), 0);
	ck_assert_int_eq(layer_index_builder_add_frame(b, &f, &e), 0);
	ck_assert_int_eq(layer_index_builder_encode(b, FRAME_ZSTD, id, TAR, &out, &e), 0);
	ck_assert_int_eq(layer_index_decode(out.data, out.len, &ix, &e), 0);
	return ix;
}

START_TEST(tells_trees_apart)
{
	const struct digest id = some_id();
	const struct entry a = pairs[_i].a, b = pairs[_i].b;
	SCOPE(layer_index) struct layer_index *x = index_of(&a, 1, &id);
	SCOPE(layer_index) struct layer_index *y = index_of(&b, 1, &id);

	const int rc = layer_index_same_tree(x, y, &e);
	if (!pairs[_i].word) {
		ck_assert_int_eq(rc, 0);
		return;
	}
	ck_assert_int_eq(rc, -1);
	ck_assert_err(&e, ERR_FORMAT, pairs[_i].word ? pairs[_i].word : "?");
}
END_TEST

START_TEST(tells_streams_and_counts_apart)
{
	const struct digest id = some_id(), other = hasher_sha256("", 0);
	const struct entry list[] = {{PATH("a"), .mode = 0}, {PATH("b"), .mode = 0}};
	SCOPE(layer_index) struct layer_index *one = index_of(list, 1, &id);
	SCOPE(layer_index) struct layer_index *two = index_of(list, 2, &id);
	SCOPE(layer_index) struct layer_index *third = index_of(list, 1, &other);

	ck_assert_int_eq(layer_index_same_tree(one, two, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "has 1 entries");
	ck_assert_int_eq(layer_index_same_tree(two, one, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "has 2 entries");
	ck_assert_int_eq(layer_index_same_tree(one, third, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "another tar stream");
}
END_TEST

/* Frames may be cut and encoded as anyone likes. */
START_TEST(frames_are_no_part_of_the_tree)
{
	const struct digest id = some_id();
	const struct entry en = {PATH("a"), .mode = 0644};
	const struct frame halves[] = {{0, 0, TAR / 2, TAR / 2, {2}},
				       {TAR / 2, TAR / 2, TAR / 2, TAR / 2, {3}}};
	SCOPE(layer_index) struct layer_index *x = index_of(&en, 1, &id);
	SCOPE(layer_index) struct layer_index *y = NULL;

	ck_assert_int_eq(layer_index_builder_add(builder, &en, &e), 0);
	ck_assert_int_eq(layer_index_builder_add_frame(builder, &halves[0], &e), 0);
	ck_assert_int_eq(layer_index_builder_add_frame(builder, &halves[1], &e), 0);
	ck_assert_int_eq(encode(FRAME_RAW, TAR), 0);
	ck_assert_int_eq(layer_index_decode(bytes.data, bytes.len, &y, &e), 0);
	ck_assert_int_eq(layer_index_same_tree(x, y, &e), 0);
}
END_TEST

static int make_and_read(void *arg, struct err *err)
{
	const struct entry list[] = {
		{PATH("a"), .xattrs = one_xattr, .xattr_count = 1},
		{FILE_A, EXTENTS(2, {0, 512, 3}, {5, 517, 4})},
	};
	const struct digest *id = arg;
	const struct frame f = whole();
	struct layer_index *ix = NULL;
	struct entry en;
	SCOPE(str) struct str out = STR_INIT;
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	SCOPE(layer_index_builder) struct layer_index_builder *b = layer_index_builder_new(err);

	if (!b || layer_index_builder_add(b, &list[0], err) < 0 ||
	    layer_index_builder_add(b, &list[1], err) < 0 ||
	    layer_index_builder_add_frame(b, &f, err) < 0 ||
	    layer_index_builder_encode(b, FRAME_ZSTD, id, TAR, &out, err) < 0 ||
	    layer_index_decode(out.data, out.len, &ix, err) < 0)
		return -1;
	int rc = layer_index_entry(ix, 0, &scratch, &en, err);
	if (rc == 0)
		rc = layer_index_entry(ix, 1, &scratch, &en, err);
	if (rc == 0)
		rc = layer_index_same_tree(ix, ix, err);
	layer_index_free(ix);
	return rc;
}

START_TEST(memory_runs_out)
{
	struct digest id = some_id();

	failalloc_each(make_and_read, &id);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/layer_index_build");
	TCase *tc = tcase_create("build");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, refuses_entries, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, payloads_follow_each_other);
	tcase_add_loop_test(tc, refuses_frames, 0, ARRAY_LEN(refused_frames));
	tcase_add_test(tc, refuses_to_encode_what_does_not_fit);
	tcase_add_loop_test(tc, tells_trees_apart, 0, ARRAY_LEN(pairs));
	tcase_add_test(tc, tells_streams_and_counts_apart);
	tcase_add_test(tc, frames_are_no_part_of_the_tree);
	tcase_add_test(tc, memory_runs_out);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
