/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/diff.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "fs/sample_image.h"
#include "main.h"

enum { BIG = 5 * 1024 * 1024 + 11, TREES = 60, TREE_MAX = 64 };

static const struct sample_file root = {.path = "", .kind = ENTRY_DIR, .mode = 0755};

static void setup(void)
{
	sample_image_make(&root, 1);
}

/* Appends "C /path mode,content\n", with sizes where there are any. */
static int append_change(void *ctx, const struct diff_change *c, struct err *e)
{
	static const char letters[] = "ACD";
	static const char *const names[] = {"type", "content", "mode", "owner", "xattrs", "mtime"};
	struct str *out = ctx;
	const char *gap = " ";

	if (str_appendf(out, e, "%c %.*s", letters[c->kind], (int)c->path_len, c->path) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!(c->what & 1U << i))
			continue;
		str_appendf(out, e, "%s%s", gap, names[i]);
		gap = ",";
	}
	if (c->old_size || c->new_size)
		str_appendf(out, e, " %d>%d", (int)c->old_size, (int)c->new_size);
	return str_append_c(out, '\n', e);
}

static const struct diff_options with_all = {.has_times = true, .has_sums = true};

/* The changes from one image to another, as text; the views tell what was read. */
static char *changes_of(const struct image *old, const struct image *new, const char *path,
			const struct diff_options *opt, uint64_t *frames_read)
{
	SCOPE(view) struct view *a = sample_view_of(old, VIEW_CACHE_MIN);
	SCOPE(view) struct view *b = sample_view_of(new, VIEW_CACHE_MIN);
	const struct diff_side of_old = {a, "old"}, of_new = {b, "new"};
	SCOPE(str) struct str out = STR_INIT;
	struct err e = ERR_INIT;

	diff_images(&of_old, &of_new, path, opt, append_change, &out, &e);
	ck_assert_no_err(&e);
	if (frames_read)
		*frames_read = view_cache_stats(a).misses + view_cache_stats(a).hits +
			       view_cache_stats(b).misses + view_cache_stats(b).hits;
	return str_steal(&out, &e);
}

/* The same for two lists of files, each one layer. */
static void check_files(const struct sample_file *old, size_t old_count,
			const struct sample_file *new, size_t new_count,
			const struct diff_options *opt, const char *expected)
{
	const struct sample_layer of_old = {old, old_count}, of_new = {new, new_count};
	SCOPE(image) struct image a = IMAGE_INIT;
	SCOPE(image) struct image b = IMAGE_INIT;

	sample_image_put("localhost/old:1", &of_old, 1, &a);
	sample_image_put("localhost/new:1", &of_new, 1, &b);
	SCOPE_FREE char *got = changes_of(&a, &b, "/", opt, NULL);
	ck_assert_str_eq(got, expected);
}
#define CHECK(old, new, opt, expected) \
	check_files(old, ARRAY_LEN(old), new, ARRAY_LEN(new), opt, expected)

#define DIR(name)                                               \
	{                                                       \
		.path = (name), .kind = ENTRY_DIR, .mode = 0755 \
	}
#define TEXT(name, words)                                                        \
	{                                                                        \
		.path = (name), .kind = ENTRY_REG, .mode = 0644, .text = (words) \
	}
#define LINK(name, target)                                                            \
	{                                                                             \
		.path = (name), .kind = ENTRY_SYMLINK, .mode = 0777, .link = (target) \
	}

START_TEST(tells_each_kind_of_change)
{
	static const struct sample_file old[] = {
		DIR(""),
		TEXT("content", "one"),
		{.path = "device", .kind = ENTRY_CHAR, .mode = 0600, .rdev_minor = 3},
		{.path = "fifo", .kind = ENTRY_FIFO, .mode = 0600},
		TEXT("group", "x"),
		LINK("link", "to"),
		{.path = "link-mode", .kind = ENTRY_SYMLINK, .mode = 0777, .link = "to"},
		TEXT("mode", "x"),
		TEXT("owner", "x"),
		TEXT("same", "x"),
		TEXT("size", "x"),
		TEXT("time", "x"),
		TEXT("xattr", "x"),
		TEXT("xattr-new", "x"),
	};
	static const struct sample_file new[] = {
		DIR(""),
		TEXT("content", "two"),
		{.path = "device", .kind = ENTRY_CHAR, .mode = 0600, .rdev_minor = 4},
		{.path = "fifo", .kind = ENTRY_FIFO, .mode = 0644},
		{.path = "group", .kind = ENTRY_REG, .mode = 0644, .text = "x", .gid = 7},
		LINK("link", "ot"),
		{.path = "link-mode", .kind = ENTRY_SYMLINK, .mode = 0755, .link = "to"},
		{.path = "mode", .kind = ENTRY_REG, .mode = 04644, .text = "x"},
		{.path = "owner", .kind = ENTRY_REG, .mode = 0644, .text = "x", .uid = 7},
		TEXT("same", "x"),
		TEXT("size", "xy"),
		{.path = "time", .kind = ENTRY_REG, .mode = 0644, .text = "x", .mtime_nsec = 1},
		{.path = "xattr", .kind = ENTRY_REG, .mode = 0644, .text = "x", .xattr = "v"},
		{.path = "xattr-new", .kind = ENTRY_REG, .mode = 0644, .text = "x", .xattr = ""},
	};
	static const struct diff_options no_times = {.has_times = false};

	CHECK(old, new, &with_all,
	      "C /content content 3>3\nC /device content\nC /fifo mode\nC /group owner 1>1\n"
	      "C /link content\nC /mode mode 1>1\nC /owner owner 1>1\nC /size content 1>2\n"
	      "C /time mtime 1>1\nC /xattr xattrs 1>1\nC /xattr-new xattrs 1>1\n");
	CHECK(new, old, &no_times,
	      "C /content content 3>3\nC /device content\nC /fifo mode\nC /group owner 1>1\n"
	      "C /link content\nC /mode mode 1>1\nC /owner owner 1>1\nC /size content 2>1\n"
	      "C /xattr xattrs 1>1\nC /xattr-new xattrs 1>1\n");
	CHECK(new, new, &with_all, "");
}
END_TEST

START_TEST(compares_the_values_of_xattrs)
{
	static char long_value[6001], other_end[6001];
	static const struct sample_file old[] = {
		DIR(""),
		{.path = "a", .kind = ENTRY_REG, .mode = 0644, .text = "x", .xattr = "v"},
		{.path = "b", .kind = ENTRY_REG, .mode = 0644, .text = "x", .xattr = long_value},
		{.path = "c", .kind = ENTRY_REG, .mode = 0644, .text = "x", .xattr = long_value},
		{.path = "d", .kind = ENTRY_REG, .mode = 0644, .text = "x", .xattr = "v"},
	};
	static const struct sample_file new[] = {
		DIR(""),
		{.path = "a", .kind = ENTRY_REG, .mode = 0644, .text = "x", .xattr = "w"},
		{.path = "b", .kind = ENTRY_REG, .mode = 0644, .text = "x", .xattr = other_end},
		{.path = "c", .kind = ENTRY_REG, .mode = 0644, .text = "x", .xattr = long_value},
		{.path = "d", .kind = ENTRY_REG, .mode = 0644, .text = "x", .xattr = "vv"},
	};

	memset(long_value, 'x', sizeof(long_value) - 1);
	memset(other_end, 'x', sizeof(other_end) - 2);
	other_end[sizeof(other_end) - 2] = 'y';
	CHECK(old, new, &with_all, "C /a xattrs 1>1\nC /b xattrs 1>1\nC /d xattrs 1>1\n");
}
END_TEST

START_TEST(tells_of_directories_as_docker_does)
{
	static const struct sample_file old[] = {
		DIR(""),
		DIR("dir-to-file"),
		TEXT("dir-to-file/below", "12345"),
		TEXT("file-to-dir", "123"),
		DIR("gone"),
		DIR("gone/sub"),
		TEXT("gone/sub/a", "12"),
		TEXT("gone/z", "1"),
		DIR("kept"),
		DIR("kept/deep"),
		TEXT("kept/deep/file", "x"),
		TEXT("kept/other", "x"),
		DIR("untouched"),
		TEXT("untouched/file", "x"),
	};
	static const struct sample_file new[] = {
		DIR(""),
		TEXT("dir-to-file", "1"),
		DIR("file-to-dir"),
		TEXT("file-to-dir/in", "1234"),
		DIR("kept"),
		DIR("kept/deep"),
		TEXT("kept/deep/file", "y"),
		TEXT("kept/other", "x"),
		DIR("new"),
		DIR("new/sub"),
		TEXT("new/sub/file", "123456"),
		DIR("untouched"),
		TEXT("untouched/file", "x"),
	};

	CHECK(old, new, &with_all,
	      "C /dir-to-file type,mode 5>1\nC /file-to-dir type,mode 3>0\nA /file-to-dir/in 0>4\n"
	      "D /gone 3>0\nC /kept\nC /kept/deep\nC /kept/deep/file content 1>1\n"
	      "A /new\nA /new/sub\nA /new/sub/file 0>6\n");
}
END_TEST

/* "a" comes before "a-b", and that before "a/x": a directory is told of before it was walked, and
 * only when there is something to tell. */
START_TEST(orders_by_the_bytes_of_paths)
{
	static const struct sample_file old[] = {
		DIR(""),
		DIR("a"),
		TEXT("a/x", "x"),
		DIR("a-b"),
		TEXT("a-b/x", "x"),
		DIR("a-b-c"),
		TEXT("a-b-c/x", "x"),
		DIR("a.b"),
		TEXT("a.b/x", "x"),
		DIR("z"),
	};
	static const struct sample_file new[] = {
		DIR(""),
		DIR("a"),
		TEXT("a/x", "y"),
		DIR("a-b"),
		TEXT("a-b/x", "x"),
		DIR("a-b-c"),
		TEXT("a-b-c/x", "y"),
		DIR("a.b"),
		TEXT("a.b/x", "y"),
		DIR("z"),
	};

	CHECK(old, new, &with_all,
	      "C /a\nC /a-b-c\nC /a-b-c/x content 1>1\nC /a.b\nC /a.b/x content 1>1\n"
	      "C /a/x content 1>1\n");
}
END_TEST

START_TEST(the_root_has_a_line_for_itself_alone)
{
	static const struct sample_file other[] = {
		{.path = "", .kind = ENTRY_DIR, .mode = 0700},
		TEXT("f", "x"),
	};
	static const struct sample_file plain[] = {DIR("")};

	CHECK(plain, other, &with_all, "C / mode\nA /f 0>1\n");
}
END_TEST

START_TEST(a_path_restricts_it)
{
	static const struct sample_file old[] = {
		DIR(""), DIR("a"), TEXT("a/f", "x"), LINK("l", "a"), TEXT("only-old", "x"),
	};
	static const struct sample_file new[] = {
		DIR(""), DIR("a"), TEXT("a/f", "yy"), LINK("l", "a"), TEXT("z", "x"),
	};
	static const struct {
		const char *path, *expected;
	} cases[] = {
		{"/a", "C /a\nC /a/f content 1>2\n"},
		{"a/", "C /a\nC /a/f content 1>2\n"},
		{"/a/f", "C /a/f content 1>2\n"},
		{"/x/../a/./f", "C /a/f content 1>2\n"},
		{"/l", ""},
		{"/l/", "C /l\nC /l/f content 1>2\n"},
		{"/l/f", "C /l/f content 1>2\n"},
		{"/only-old", "D /only-old 1>0\n"},
		{"/z", "A /z 0>1\n"},
		{"/", "C /a\nC /a/f content 1>2\nD /only-old 1>0\nA /z 0>1\n"},
	};
	const struct sample_layer of_old = {old, ARRAY_LEN(old)}, of_new = {new, ARRAY_LEN(new)};
	SCOPE(image) struct image a = IMAGE_INIT;
	SCOPE(image) struct image b = IMAGE_INIT;

	sample_image_put("localhost/old:1", &of_old, 1, &a);
	sample_image_put("localhost/new:1", &of_new, 1, &b);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		SCOPE_FREE char *got = changes_of(&a, &b, cases[i].path, &with_all, NULL);
		ck_assert_str_eq(got, cases[i].expected);
	}

	SCOPE(view) struct view *v = sample_view_of(&a, VIEW_CACHE_MIN);
	const struct diff_side side = {v, "old"};
	SCOPE(str) struct str out = STR_INIT;
	struct err e = ERR_INIT;
	ck_assert_int_eq(diff_images(&side, &side, "/none", &with_all, append_change, &out, &e),
			 -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "'/none'");
}
END_TEST

/* Content of `big`: 0 as it is, else the byte before the end differs. */
static void make_big(struct sample_file out[static 3], bool is_other)
{
	out[0] = root;
	out[1] = (struct sample_file){.path = "big", .kind = ENTRY_REG, .mode = 0644, .size = BIG};
	/* A zero is no byte of the pattern. */
	if (is_other) {
		out[1].zeros = BIG - 1;
		out[1].zeros_end = BIG;
	}
	out[2] =
		(struct sample_file){.path = "small", .kind = ENTRY_REG, .mode = 0644, .text = "s"};
}

START_TEST(reads_no_content_of_layers_that_are_shared)
{
	static const struct sample_file top[] = {
		{.path = "small", .kind = ENTRY_REG, .mode = 0600, .text = "s"}};
	struct sample_file files[3];
	SCOPE(image) struct image a = IMAGE_INIT;
	SCOPE(image) struct image b = IMAGE_INIT;
	uint64_t read = 99;

	make_big(files, false);
	const struct sample_layer layers[] = {{files, 3}, {top, 1}, {files, 2}};
	sample_image_put("localhost/old:1", layers, 1, &a);
	sample_image_put("localhost/new:1", layers, 3, &b);
	SCOPE_FREE char *got = changes_of(&a, &b, "/", &with_all, &read);
	ck_assert_str_eq(got, "C /small mode 1>1\n");
	/* Only "small" in both, and the end of "big", in whose frame there is what follows it. */
	ck_assert_uint_le(read, 4);
}
END_TEST

/* Two files of one layer, of one size: the layer alone does not say that they are the same. */
START_TEST(tells_files_of_one_layer_apart)
{
	static const struct sample_file base[] = {DIR(""), TEXT("a", "one"), TEXT("b", "two")};
	static const struct sample_file top[] = {
		{.path = "a", .kind = ENTRY_HARDLINK, .link = "b"}};
	const struct sample_layer layers[] = {{base, ARRAY_LEN(base)}, {top, ARRAY_LEN(top)}};
	SCOPE(image) struct image a = IMAGE_INIT;
	SCOPE(image) struct image b = IMAGE_INIT;

	sample_image_put("localhost/old:1", layers, 1, &a);
	sample_image_put("localhost/new:1", layers, 2, &b);
	SCOPE_FREE char *got = changes_of(&a, &b, "/", &with_all, NULL);
	ck_assert_str_eq(got, "C /a content 3>3\n");
}
END_TEST

/* Most of these layers are frames of one length, both compressed and not. */
START_TEST(tells_frames_of_one_length_apart)
{
	static const struct sample_file old[] = {DIR(""), TEXT("f", "text a")};
	char text[] = "text ?";

	for (text[5] = 'b'; text[5] <= 'z'; text[5]++) {
		const struct sample_file new[] = {DIR(""), TEXT("f", text)};
		CHECK(old, new, &with_all, "C /f content 6>6\n");
	}
}
END_TEST

START_TEST(finds_one_byte_in_a_big_file)
{
	struct sample_file old[3], new[3];

	make_big(old, false);
	make_big(new, true);
	CHECK(old, new, &with_all, "C /big content 5242891>5242891\n");
	CHECK(new, new, &with_all, "");
}
END_TEST

START_TEST(a_hole_equals_zeros)
{
	static const struct sample_file old[] = {
		DIR(""),
		{.path = "z", .kind = ENTRY_REG, .mode = 0644, .size = 300000, .zeros_end = 300000},
	};
	static const struct sample_file new[] = {
		DIR(""),
		{.path = "z",
		 .kind = ENTRY_REG,
		 .mode = 0644,
		 .size = 300000,
		 .zeros = 1,
		 .zeros_end = 300000},
	};

	CHECK(old, old, &with_all, "");
	CHECK(old, new, &with_all, "C /z content 300000>300000\n");
}
END_TEST

/* Each of many names of a file is told, and its content is read once. */
START_TEST(names_of_one_inode_are_read_once)
{
	static const char *const names[] = {"h1", "h2", "h3", "h4", "h5"};
	struct sample_file old[7], new[7];
	SCOPE(image) struct image a = IMAGE_INIT;
	SCOPE(image) struct image b = IMAGE_INIT;
	uint64_t once, all;

	make_big(old, false);
	make_big(new, true);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		old[2 + i] = (struct sample_file){
			.path = names[i], .kind = ENTRY_HARDLINK, .link = "big"};
		new[2 + i] = old[2 + i];
	}
	const struct sample_layer layers[] = {{old, 7}, {new, 7}};
	sample_image_put("localhost/old:1", &layers[0], 1, &a);
	sample_image_put("localhost/new:1", &layers[1], 1, &b);
	SCOPE_FREE char *one = changes_of(&a, &b, "/big", &with_all, &once);
	SCOPE_FREE char *got = changes_of(&a, &b, "/", &with_all, &all);
	ck_assert_str_eq(one, "C /big content 5242891>5242891\n");
	ck_assert_str_eq(got, "C /big content 5242891>5242891\nC /h1 content 5242891>5242891\n"
			      "C /h2 content 5242891>5242891\nC /h3 content 5242891>5242891\n"
			      "C /h4 content 5242891>5242891\nC /h5 content 5242891>5242891\n");
	ck_assert_uint_gt(once, 0);
	ck_assert_uint_eq(all, once);
}
END_TEST

START_TEST(damage_names_image_and_path)
{
	struct sample_file old[3], new[3];
	char hex[DIGEST_HEX_MAX];
	SCOPE(image) struct image a = IMAGE_INIT;
	SCOPE(image) struct image b = IMAGE_INIT;
	struct err e = ERR_INIT;
	uint8_t byte;

	make_big(old, false);
	make_big(new, true);
	const struct sample_layer layers[] = {{old, 3}, {new, 3}};
	sample_image_put("localhost/old:1", &layers[0], 1, &a);
	sample_image_put("localhost/new:1", &layers[1], 1, &b);
	SCOPE(view) struct view *v = sample_view_of(&a, VIEW_CACHE_MIN);
	SCOPE(view) struct view *w = sample_view_of(&b, VIEW_CACHE_MIN);
	digest_hex(&b.manifest.layers[0].digest, hex);
	const int dir = store_dirfd(sample_store, STORE_DIR_BLOBS_SHA256);
	ck_assert_int_eq(fchmodat(dir, hex, 0644, 0), 0);
	SCOPE_FD int fd = openat(dir, hex, O_RDWR | O_CLOEXEC);
	for (off_t at = 0; pread(fd, &byte, 1, at) == 1; at += 40) {
		byte ^= 0x10;
		ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
	}
	const struct diff_side of_old = {v, "old"}, of_new = {w, "new:1"};
	SCOPE(str) struct str out = STR_INIT;
	ck_assert_int_eq(diff_images(&of_old, &of_new, "/", &with_all, append_change, &out, &e),
			 -1);
	ck_assert_err(&e, ERR_DIGEST, "'/big': in 'new:1'");
}
END_TEST

static int refuse_change(void *ctx, const struct diff_change *c, struct err *e)
{
	(void)ctx;
	(void)c;
	return err_set(e, ERR_BUSY, "enough");
}

START_TEST(ends_when_the_caller_has_enough)
{
	static const struct sample_file files[] = {DIR(""), TEXT("f", "x")};
	const struct sample_layer layer = {files, ARRAY_LEN(files)};
	SCOPE(image) struct image b = IMAGE_INIT;
	struct err e = ERR_INIT;

	sample_image_put("localhost/new:1", &layer, 1, &b);
	SCOPE(view) struct view *v = sample_view(VIEW_CACHE_MIN);
	SCOPE(view) struct view *w = sample_view_of(&b, VIEW_CACHE_MIN);
	const struct diff_side of_old = {v, "old"}, of_new = {w, "new"};
	ck_assert_int_eq(diff_images(&of_old, &of_new, "/", &with_all, refuse_change, NULL, &e),
			 -1);
	ck_assert_err(&e, ERR_BUSY, "enough");
}
END_TEST

/* Trees of random names that sort in all ways around "/". */
struct tree {
	struct sample_file files[TREE_MAX];
	char paths[TREE_MAX][32];
	size_t count;
};

static uint32_t draw(uint32_t *state, uint32_t below)
{
	/* Numerical Recipes' constants; the high bits are the good ones. */
	*state = *state * 1664525U + 1013904223U;
	return (*state >> 16) % below;
}

static void grow(struct tree *t, uint32_t *state, const char *prefix, unsigned depth)
{
	static const char *const names[] = {"a", "a-", "a-b", "a.b", "ab", "a b", "b"};

	for (size_t i = 0; i < ARRAY_LEN(names) && t->count < TREE_MAX; i++) {
		const uint32_t kind = draw(state, 4);
		if (kind == 0)
			continue;
		char *path = t->paths[t->count];
		snprintf(path, sizeof(t->paths[0]), "%s%s%s", prefix, *prefix ? "/" : "", names[i]);
		struct sample_file *f = &t->files[t->count++];
		*f = (struct sample_file){
			.path = path,
			.kind = kind < 3 && depth < 3 ? ENTRY_DIR : ENTRY_REG,
			.mode = draw(state, 8) ? 0755 : 0700,
		};
		if (f->kind == ENTRY_REG)
			f->text = draw(state, 6) ? "x" : "y";
		else
			grow(t, state, path, depth + 1);
	}
}

static int compare_files(const void *a, const void *b)
{
	const struct sample_file *x = a, *y = b;

	return entry_path_compare(x->path, strlen(x->path), y->path, strlen(y->path));
}

static void make_tree(struct tree *t, uint32_t *state)
{
	t->files[0] = root;
	t->count = 1;
	grow(t, state, "", 0);
	qsort(t->files, t->count, sizeof(t->files[0]), compare_files);
}

/* The same tree with a few files changed, and a few gone with all below. */
static void vary(const struct tree *from, struct tree *t, uint32_t *state)
{
	const char *gone = NULL;

	t->count = 0;
	for (size_t i = 0; i < from->count; i++) {
		const struct sample_file *f = &from->files[i];
		if (gone && str_has_prefix(f->path, gone) && f->path[strlen(gone)] == '/')
			continue;
		const uint32_t what = i ? draw(state, 12) : 12;
		if (what == 0) {
			gone = f->path;
			continue;
		}
		struct sample_file *to = &t->files[t->count++];
		*to = *f;
		if (what == 1)
			to->mode ^= 0055;
		if (what == 2 && to->kind == ENTRY_REG)
			to->text = "z";
	}
}

static const struct sample_file *find(const struct tree *t, const char *path, size_t len)
{
	for (size_t i = 0; i < t->count; i++) {
		if (strlen(t->files[i].path) == len && memcmp(t->files[i].path, path, len) == 0)
			return &t->files[i];
	}
	return NULL;
}

static bool is_dir_of(const struct tree *t, const char *path)
{
	const char *slash = strrchr(path, '/');
	const struct sample_file *f = find(t, path, slash ? (size_t)(slash - path) : 0);

	return f && f->kind == ENTRY_DIR;
}

/* The letter of a path by itself: without what a change below means for a directory. */
static char letter_of(const struct tree *old, const struct tree *new, const char *path)
{
	const struct sample_file *a = find(old, path, strlen(path));
	const struct sample_file *b = find(new, path, strlen(path));

	if (!a && !b)
		return 0;
	if (!b)
		return is_dir_of(new, path) ? 'D' : 0;
	if (!a)
		return 'A';
	return a->kind != b->kind || a->mode != b->mode || !str_equal(a->text, b->text) ? 'C' : 0;
}

/* Every path of either tree, in the order of strcmp. */
static size_t all_paths(const struct tree *old, const struct tree *new, const char **out)
{
	size_t count = 0;

	for (size_t i = 0; i < old->count; i++)
		out[count++] = old->files[i].path;
	for (size_t i = 0; i < new->count; i++) {
		if (!find(old, new->files[i].path, strlen(new->files[i].path)))
			out[count++] = new->files[i].path;
	}
	for (size_t i = 1; i < count; i++) {
		for (size_t k = i; k > 0 && strcmp(out[k - 1], out[k]) > 0; k--) {
			const char *swap = out[k];
			out[k] = out[k - 1];
			out[k - 1] = swap;
		}
	}
	return count;
}

/* docker's rules, written down as they are said. */
static char *naive_changes(const struct tree *old, const struct tree *new)
{
	const char *paths[2 * TREE_MAX];
	const size_t count = all_paths(old, new, paths);
	SCOPE(str) struct str out = STR_INIT;
	struct err e = ERR_INIT;

	for (size_t i = 1; i < count; i++) {
		char letter = letter_of(old, new, paths[i]);
		const size_t len = strlen(paths[i]);
		const struct sample_file *b = find(new, paths[i], len);
		for (size_t k = 0; !letter && b && b->kind == ENTRY_DIR && k < count; k++) {
			if (strncmp(paths[k], paths[i], len) == 0 && paths[k][len] == '/' &&
			    letter_of(old, new, paths[k]))
				letter = 'C';
		}
		if (letter)
			str_appendf(&out, &e, "%c /%s\n", letter, paths[i]);
	}
	return str_steal(&out, &e);
}

static int append_line(void *ctx, const struct diff_change *c, struct err *e)
{
	return str_appendf(ctx, e, "%c %.*s\n", "ACD"[c->kind], (int)c -> path_len, c -> path);
}

START_TEST(random_trees_differ_as_the_rules_say)
{
	static struct tree old, new;
	static const struct diff_options opt = {.has_times = false};
	uint32_t state = (uint32_t)_i + 1;

	make_tree(&old, &state);
	if (_i % 3 == 0)
		make_tree(&new, &state);
	else
		vary(&old, &new, &state);
	const struct sample_layer layers[] = {{old.files, old.count}, {new.files, new.count}};
	SCOPE(image) struct image a = IMAGE_INIT;
	SCOPE(image) struct image b = IMAGE_INIT;
	sample_image_put("localhost/old:1", &layers[0], 1, &a);
	sample_image_put("localhost/new:1", &layers[1], 1, &b);
	SCOPE(view) struct view *v = sample_view_of(&a, VIEW_CACHE_MIN);
	SCOPE(view) struct view *w = sample_view_of(&b, VIEW_CACHE_MIN);
	const struct diff_side of_old = {v, "old"}, of_new = {w, "new"};
	SCOPE(str) struct str got = STR_INIT;
	struct err e = ERR_INIT;

	diff_images(&of_old, &of_new, "/", &opt, append_line, &got, &e);
	ck_assert_no_err(&e);
	SCOPE_FREE char *expected = naive_changes(&old, &new);
	ck_assert_str_eq(str_text(&got), expected);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/diff");
	TCase *tc = tcase_create("trees");

	tcase_add_checked_fixture(tc, setup, sample_image_remove);
	tcase_add_test(tc, tells_each_kind_of_change);
	tcase_add_test(tc, compares_the_values_of_xattrs);
	tcase_add_test(tc, tells_of_directories_as_docker_does);
	tcase_add_test(tc, orders_by_the_bytes_of_paths);
	tcase_add_test(tc, the_root_has_a_line_for_itself_alone);
	tcase_add_test(tc, a_path_restricts_it);
	tcase_add_test(tc, ends_when_the_caller_has_enough);
	tcase_add_loop_test(tc, random_trees_differ_as_the_rules_say, 0, TREES);
	suite_add_tcase(s, tc);

	tc = tcase_create("content");
	tcase_add_checked_fixture(tc, setup, sample_image_remove);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, reads_no_content_of_layers_that_are_shared);
	tcase_add_test(tc, tells_files_of_one_layer_apart);
	tcase_add_test(tc, tells_frames_of_one_length_apart);
	tcase_add_test(tc, finds_one_byte_in_a_big_file);
	tcase_add_test(tc, a_hole_equals_zeros);
	tcase_add_test(tc, names_of_one_inode_are_read_once);
	tcase_add_test(tc, damage_names_image_and_path);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
