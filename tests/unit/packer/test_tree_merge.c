/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "image/merge.h"
#include "main.h"
#include "packer/layer_text.h"
#include "packer/tree_layer.h"

enum {
	LAYERS_MAX = 4,
	BIG = 5 * 1024 * 1024 + 3,
	HOLE_START = 1024 * 1024,
	HOLE_END = 2 * 1024 * 1024
};

struct file {
	const char *path;
	enum entry_kind kind;
	const char *link;
	uint64_t size;
	uint32_t mode;
};

/* A layer made for a test. */
struct made {
	int fd;
	struct layer_index *ix;
	struct layer_result result;
};

static uint8_t byte_at(uint64_t size, uint64_t at)
{
	const uint32_t mixed = (uint32_t)(at ^ size) * UINT32_C(2654435761);

	if (at >= HOLE_START && at < HOLE_END)
		return 0;
	return (uint8_t)(mixed >> 13);
}

struct reading {
	uint64_t size, at;
};

static int read_bytes(void *ctx, void *buf, size_t len, struct err *e)
{
	struct reading *r = ctx;
	uint8_t *out = buf;

	(void)e;
	for (size_t i = 0; i < len; i++)
		out[i] = byte_at(r->size, r->at++);
	return 0;
}

static struct made make(const struct file *files, size_t count)
{
	const struct layer_options opt = {{FRAME_ZSTD, 1}, 0};
	struct err e = ERR_INIT;
	struct made m = {.fd = layer_file()};
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(m.fd, &opt, &e);

	for (size_t i = 0; i < count; i++) {
		const struct file *f = &files[i];
		struct reading reading = {f->size, 0};
		const struct layer_source src = {read_bytes, &reading};
		const struct entry en = {
			.path = f->path,
			.path_len = strlen(f->path),
			.link = f->link,
			.link_len = f->link ? strlen(f->link) : 0,
			.kind = f->kind,
			.mode = f->mode,
			.mtime = 1000,
			.size = f->size,
		};
		layer_writer_add(w, &en, f->size ? &src : NULL, &e);
		ck_assert_no_err(&e);
	}
	layer_writer_finish(w, &m.result, &e);
	ck_assert_no_err(&e);
	m.ix = layer_file_index(m.fd, &m.result);
	return m;
}

static void made_fini(struct made *m)
{
	close(m->fd);
	layer_index_free(m->ix);
}

SCOPE_DEFINE_VALUE(made, struct made, made_fini)

/* The layers as one. */
static struct made flatten(const struct made *const *layers, size_t count)
{
	const struct layer_options opt = {{FRAME_ZSTD, 1}, 0};
	const struct layer_index *indexes[LAYERS_MAX];
	struct err e = ERR_INIT;
	int fds[LAYERS_MAX];
	struct made out = {.fd = layer_file()};
	SCOPE(merge) struct merge *m = merge_new(&e);
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(out.fd, &opt, &e);

	for (size_t i = 0; i < count; i++) {
		indexes[i] = layers[i]->ix;
		fds[i] = layers[i]->fd;
		merge_add_layer(m, indexes[i], &e);
		ck_assert_no_err(&e);
	}
	tree_layer_from_merge(w, m, indexes, fds, NULL, &e);
	ck_assert_no_err(&e);
	layer_writer_finish(w, &out.result, &e);
	ck_assert_no_err(&e);
	out.ix = layer_file_index(out.fd, &out.result);
	return out;
}

static const struct file lower[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "a", .kind = ENTRY_DIR, .mode = 0700},
	{.path = "a/big", .kind = ENTRY_REG, .mode = 0644, .size = BIG},
	{.path = "a/gone", .kind = ENTRY_REG, .mode = 0644, .size = 7},
	{.path = "a/same", .kind = ENTRY_HARDLINK, .link = "a/gone", .mode = 0644},
	{.path = "b", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "b/x", .kind = ENTRY_REG, .mode = 0600, .size = 11},
	{.path = "b.c", .kind = ENTRY_SYMLINK, .link = "/abs/olute", .mode = 0777},
	{.path = "d", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "d/deep", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "d/deep/f", .kind = ENTRY_REG, .mode = 0644, .size = 100000},
	{.path = "z", .kind = ENTRY_FIFO, .mode = 0666},
};

START_TEST(one_layer_comes_out_as_it_was)
{
	SCOPE(made) struct made a = make(lower, ARRAY_LEN(lower));
	const struct made *const layers[] = {&a};
	SCOPE(made) struct made b = flatten(layers, 1);

	ck_assert(digest_equal(&a.result.diff_id, &b.result.diff_id));
	ck_assert(digest_equal(&a.result.blob, &b.result.blob));
}
END_TEST

static const struct file upper[] = {
	{.path = ".wh.z", .kind = ENTRY_REG, .mode = 0},
	{.path = "a/.wh.gone", .kind = ENTRY_REG, .mode = 0},
	{.path = "a/again", .kind = ENTRY_HARDLINK, .link = "b/x", .mode = 0600},
	{.path = "b", .kind = ENTRY_DIR, .mode = 0711},
	{.path = "d", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "d/.wh..wh..opq", .kind = ENTRY_REG, .mode = 0},
	{.path = "d/new", .kind = ENTRY_REG, .mode = 0644, .size = 3},
	{.path = "made/up/f", .kind = ENTRY_REG, .mode = 0644, .size = 5},
};

START_TEST(layers_become_one_tree)
{
	SCOPE(made) struct made a = make(lower, ARRAY_LEN(lower));
	SCOPE(made) struct made b = make(upper, ARRAY_LEN(upper));
	const struct made *const layers[] = {&a, &b};
	SCOPE(made) struct made both = flatten(layers, 2);
	SCOPE(str) struct str text = STR_INIT;

	layer_text(both.ix, &text);
	ck_assert_str_eq(str_text(&text), "d / 755 0:0 0\n"
					  "d /a 700 0:0 0\n"
					  "f /a/again 600 0:0 11\n"
					  "f /a/big 644 0:0 5242883\n"
					  "f /a/same 644 0:0 7\n"
					  "d /b 711 0:0 0\n"
					  "h /b/x 600 0:0 0 -> a/again\n"
					  "l /b.c 777 0:0 0 -> /abs/olute\n"
					  "d /d 755 0:0 0\n"
					  "f /d/new 644 0:0 3\n"
					  "d /made 755 0:0 0\n"
					  "d /made/up 755 0:0 0\n"
					  "f /made/up/f 644 0:0 5\n");
}
END_TEST

static void check_content(const struct made *m, const char *path, uint64_t size)
{
	SCOPE(str) struct str content = STR_INIT;

	layer_content(m->fd, m->ix, path, &content);
	ck_assert_uint_eq(content.len, size);
	uint64_t same = 0;
	while (same < size && (uint8_t)content.data[same] == byte_at(size, same))
		same++;
	ck_assert_uint_eq(same, size);
}

START_TEST(content_comes_from_the_right_layer)
{
	SCOPE(made) struct made a = make(lower, ARRAY_LEN(lower));
	SCOPE(made) struct made b = make(upper, ARRAY_LEN(upper));
	const struct made *const layers[] = {&a, &b};
	SCOPE(made) struct made both = flatten(layers, 2);

	check_content(&both, "a/big", BIG);
	check_content(&both, "a/same", 7);
	check_content(&both, "a/again", 11);
	check_content(&both, "d/new", 3);
	check_content(&both, "made/up/f", 5);
}
END_TEST

START_TEST(more_frames_than_are_kept)
{
	enum { COUNT = 120 };
	static char names[COUNT][8];
	static struct file files[COUNT];

	/* Incompressible, and each of a frame's size at least. */
	for (size_t i = 0; i < COUNT; i++) {
		snprintf(names[i], sizeof(names[i]), "f%03u", (unsigned)i);
		files[i] = (struct file){
			.path = names[i], .kind = ENTRY_REG, .mode = 0644, .size = 700000 + i};
	}
	SCOPE(made) struct made a = make(files, COUNT);
	const struct made *const layers[] = {&a};
	SCOPE(made) struct made b = flatten(layers, 1);
	check_content(&b, "f000", 700000);
	check_content(&b, "f119", 700119);
}
END_TEST

START_TEST(damage_is_an_error)
{
	const struct layer_options opt = {{FRAME_ZSTD, 1}, 0};
	SCOPE(made) struct made a = make(lower, ARRAY_LEN(lower));
	const struct layer_index *const indexes[] = {a.ix};
	struct err e = ERR_INIT;
	SCOPE_FD int fd = layer_file();
	SCOPE(merge) struct merge *m = merge_new(&e);
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(fd, &opt, &e);
	const struct frame f = layer_index_frame(a.ix, layer_index_frame_count(a.ix) / 2);
	uint8_t byte;

	ck_assert_int_eq(pread(a.fd, &byte, 1, (off_t)f.blob_offset + 20), 1);
	byte ^= 1;
	ck_assert_int_eq(pwrite(a.fd, &byte, 1, (off_t)f.blob_offset + 20), 1);
	merge_add_layer(m, a.ix, &e);
	ck_assert_int_eq(tree_layer_from_merge(w, m, indexes, &a.fd, NULL, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "'a/big'");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/tree_merge");
	TCase *tc = tcase_create("merges");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, one_layer_comes_out_as_it_was);
	tcase_add_test(tc, layers_become_one_tree);
	tcase_add_test(tc, content_comes_from_the_right_layer);
	tcase_add_test(tc, more_frames_than_are_kept);
	tcase_add_test(tc, damage_is_an_error);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
