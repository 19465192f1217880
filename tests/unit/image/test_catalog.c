/* SPDX-License-Identifier: Apache-2.0 */
#include "image/catalog.h"

#include <fcntl.h>
#include <pthread.h>

#include "tests/support/failalloc.h"
#include "tests/unit/image/rich_catalog.h"

/* Numbers are promised: breadth first, names in bytewise order. */
START_TEST(numbers_inodes_breadth_first)
{
	static const char *const layers[] = {
		"d b\nf b/x\nd b/c\nf b/c/deep\nd a\nf a/y\nh a/x b/x\nf c\nh z c\n", NULL};
	static const struct {
		const char *path;
		uint32_t inode;
	} expected[] = {
		{"/", 0},    {"/a", 1},   {"/b", 2},   {"/c", 3},   {"/z", 3},
		{"/a/x", 4}, {"/b/x", 4}, {"/a/y", 5}, {"/b/c", 6}, {"/b/c/deep", 7},
	};
	SCOPE(catalog) struct catalog *c = catalog_of(layers);

	ck_assert_uint_eq(catalog_inode_count(c), 8);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++)
		ck_assert_msg(inode_at(c, expected[i].path) == expected[i].inode, "%s",
			      expected[i].path);
}
END_TEST

START_TEST(describes_an_empty_image)
{
	struct err e = ERR_INIT;
	static const char *const layers[] = {NULL};
	SCOPE(catalog) struct catalog *c = catalog_of(layers);
	struct catalog_stat st;
	struct catalog_dirent d;
	uint32_t inode = 7;

	ck_assert_uint_eq(catalog_inode_count(c), 1);
	ck_assert_uint_eq(catalog_layer_count(c), 0);
	ck_assert_uint_eq(catalog_content_size(c), 0);
	ck_assert_int_eq(catalog_stat(c, CATALOG_ROOT, &st, &e), 0);
	ck_assert_uint_eq(st.mode, S_IFDIR | 0755);
	ck_assert_uint_eq(st.nlink, 2);
	ck_assert_int_eq(catalog_readdir(c, CATALOG_ROOT, 0, &d, &e), 0);
	ck_assert_int_eq(catalog_lookup(c, CATALOG_ROOT, "a", 1, &inode, &e), 0);
	ck_assert_int_eq(catalog_parent(c, CATALOG_ROOT, &inode, &e), 0);
	ck_assert_uint_eq(inode, CATALOG_ROOT);
	ck_assert_int_eq(catalog_check(c, &e), 0);
}
END_TEST

START_TEST(keeps_all_metadata)
{
	struct err e = ERR_INIT;
	SCOPE(catalog) struct catalog *c = rich_catalog();
	struct catalog_stat st;

	ck_assert_int_eq(catalog_stat(c, CATALOG_ROOT, &st, &e), 0);
	ck_assert_uint_eq(st.mode, S_IFDIR | 01777);
	ck_assert_int_eq(st.mtime, -1);
	ck_assert_uint_eq(st.nlink, 3);

	ck_assert_int_eq(catalog_stat(c, inode_at(c, "/dense"), &st, &e), 0);
	ck_assert_uint_eq(st.mode, S_IFREG | 04755);
	ck_assert_uint_eq(st.uid, 1000);
	ck_assert_uint_eq(st.gid, UINT32_MAX - 1);
	ck_assert_int_eq(st.mtime, INT64_C(253402300799));
	ck_assert_uint_eq(st.mtime_nsec, 999999999);
	ck_assert_uint_eq(st.size, 512);
	ck_assert_uint_eq(st.data_bytes, 512);
	ck_assert_uint_eq(st.nlink, 1);
	ck_assert_uint_eq(st.rdev_major, 0);

	ck_assert_int_eq(catalog_stat(c, inode_at(c, "/dev"), &st, &e), 0);
	ck_assert_uint_eq(st.mode, S_IFCHR | 0666);
	ck_assert_uint_eq(st.rdev_major, UINT32_MAX);
	ck_assert_uint_eq(st.rdev_minor, 0x12345678);
	ck_assert_uint_eq(st.size, 0);

	ck_assert_int_eq(catalog_stat(c, inode_at(c, "/sparse"), &st, &e), 0);
	ck_assert_uint_eq(st.size, 30000);
	ck_assert_uint_eq(st.data_bytes, 4197);

	ck_assert_int_eq(catalog_stat(c, inode_at(c, "/hole"), &st, &e), 0);
	ck_assert_uint_eq(st.size, INT64_MAX);
	ck_assert_uint_eq(st.data_bytes, 0);

	ck_assert_int_eq(catalog_stat(c, inode_at(c, "/etc/a"), &st, &e), 0);
	ck_assert_uint_eq(st.nlink, 3);
	ck_assert_int_eq(catalog_stat(c, inode_at(c, "/sym"), &st, &e), 0);
	ck_assert_uint_eq(st.mode, S_IFLNK | 0777);
	ck_assert_uint_eq(st.size, 3);
	ck_assert_uint_eq(catalog_content_size(c), UINT64_C(10) + 512 + INT64_MAX + 30000);
	ck_assert_int_eq(catalog_check(c, &e), 0);
	ck_assert_no_err(&e);
}
END_TEST

START_TEST(keeps_every_encoding)
{
	static const enum frame_encoding encodings[] = {FRAME_RAW, FRAME_ZSTD, FRAME_GZIP};
	struct err e = ERR_INIT;
	const struct digest diff_id = some_digest(1);
	const struct catalog_layer layer = {.index = some_digest(2), .blob = some_digest(3)};
	struct layer_index *ix = NULL;
	struct catalog *c = NULL;
	struct catalog_layer got;
	SCOPE(str) struct str bytes = STR_INIT;
	SCOPE(layer_index_builder) struct layer_index_builder *b = layer_index_builder_new(&e);
	SCOPE(merge) struct merge *m = merge_new(&e);
	SCOPE_FD int fd = memfd_create("catalog", MFD_CLOEXEC);

	ck_assert_int_eq(layer_index_builder_encode(b, encodings[_i], &diff_id, 0, &bytes, &e), 0);
	ck_assert_int_eq(layer_index_decode(bytes.data, bytes.len, &ix, &e), 0);
	ck_assert_int_eq(merge_add_layer(m, ix, &e), 0);
	ck_assert_int_eq(catalog_write(m, &layer, fd, &e), 0);
	ck_assert_int_eq(catalog_open(fd, &c, &e), 0);
	ck_assert_int_eq(catalog_layer(c, 0, &got, &e), 0);
	ck_assert_int_eq(got.encoding, encodings[_i]);
	catalog_free(c);
	layer_index_free(ix);
}
END_TEST

START_TEST(keeps_layers_and_their_frames)
{
	struct err e = ERR_INIT;
	SCOPE(catalog) struct catalog *c = rich_catalog();
	struct catalog_layer l;
	struct frame f;
	uint32_t number = 0;

	ck_assert_uint_eq(catalog_layer_count(c), 2);
	ck_assert_int_eq(catalog_layer(c, 1, &l, &e), 0);
	const struct digest index = some_digest(0x11);
	const struct digest blob = some_digest(0x21);
	ck_assert(digest_equal(&l.index, &index) && digest_equal(&l.blob, &blob));
	ck_assert(l.is_reframed);
	ck_assert_int_eq(l.encoding, FRAME_ZSTD);
	ck_assert_uint_eq(l.frame_count, 9);

	static const uint64_t offsets[] = {0, 1, 999, 1000, 4999, 7999, 8000, 8191};
	for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
		struct frame again;
		ck_assert_int_eq(catalog_frame(c, 1, offsets[i], &number, &f, &e), 0);
		ck_assert_uint_eq(number, offsets[i] / RICH_FRAME);
		ck_assert_uint_eq(f.tar_offset, number * (uint64_t)RICH_FRAME);
		ck_assert_uint_eq(f.blob_offset, f.tar_offset / 2);
		ck_assert_uint_eq(f.length, number == 8 ? 192 : RICH_FRAME);
		ck_assert_uint_eq(f.sha256[31], number);
		ck_assert_int_eq(catalog_frame_number(c, 1, number, &again, &e), 0);
		ck_assert_mem_eq(&again, &f, sizeof(f));
	}
	ck_assert_int_eq(catalog_frame(c, 1, RICH_TAR, &number, &f, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "byte 8192");
	ck_assert_int_eq(catalog_frame_number(c, 1, 9, &f, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "frame 9");
	ck_assert_int_eq(catalog_frame(c, 2, 0, &number, &f, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "layer 2");
	ck_assert_int_eq(catalog_layer(c, 2, &l, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "layer 2");
}
END_TEST

static const struct {
	const char *path;
	uint64_t offset;
	struct catalog_range range;
} ranges[] = {
	{"/dense", 0, {false, 1, 1024, 512}},      {"/dense", 511, {false, 1, 1535, 1}},
	{"/dense", 512, {false, 0, 0, 0}},         {"/dense", UINT64_MAX, {false, 0, 0, 0}},
	{"/empty", 0, {false, 0, 0, 0}},           {"/hole", 0, {true, 0, 0, INT64_MAX}},
	{"/hole", INT64_MAX - 1, {true, 0, 0, 1}}, {"/sparse", 0, {true, 0, 0, 4096}},
	{"/sparse", 4095, {true, 0, 0, 1}},        {"/sparse", 4096, {false, 1, 2048, 4096}},
	{"/sparse", 8191, {false, 1, 6143, 1}},    {"/sparse", 8192, {true, 0, 0, 8192}},
	{"/sparse", 16483, {false, 1, 6243, 1}},   {"/sparse", 16484, {true, 0, 0, 3516}},
	{"/sparse", 20000, {false, 1, 6244, 1}},   {"/sparse", 20001, {true, 0, 0, 9999}},
	{"/sparse", 30000, {false, 0, 0, 0}},      {"/etc/a", 3, {false, 0, 1027, 7}},
};

START_TEST(tells_where_content_is)
{
	struct err e = ERR_INIT;
	SCOPE(catalog) struct catalog *c = rich_catalog();
	struct catalog_range r;

	ck_assert_int_eq(catalog_range(c, inode_at(c, ranges[_i].path), ranges[_i].offset, &r, &e),
			 0);
	ck_assert_int_eq(r.is_hole, ranges[_i].range.is_hole);
	ck_assert_uint_eq(r.layer, ranges[_i].range.layer);
	ck_assert_uint_eq(r.tar_offset, ranges[_i].range.tar_offset);
	ck_assert_uint_eq(r.length, ranges[_i].range.length);
}
END_TEST

START_TEST(keeps_xattrs)
{
	struct err e = ERR_INIT;
	SCOPE(catalog) struct catalog *c = rich_catalog();
	static const char names[] = "security.capability\0user.empty\0user.name";
	char buf[64];
	size_t len = 0;
	const uint32_t dense = inode_at(c, "/dense");

	ck_assert(catalog_has_xattrs(c));
	ck_assert_int_eq(catalog_listxattr(c, dense, buf, sizeof(buf), &len, &e), 0);
	ck_assert_uint_eq(len, sizeof(names));
	ck_assert_mem_eq(buf, names, sizeof(names));
	ck_assert_int_eq(catalog_listxattr(c, dense, NULL, 0, &len, &e), 0);
	ck_assert_uint_eq(len, sizeof(names));
	ck_assert_int_eq(catalog_getxattr(c, dense, "security.capability", buf, 4, &len, &e), 1);
	ck_assert_mem_eq(buf, "\1\0\0\2", 4);
	buf[0] = 'x';
	ck_assert_int_eq(catalog_getxattr(c, dense, "user.name", buf, 4, &len, &e), 1);
	ck_assert_uint_eq(len, 5);
	ck_assert_int_eq(buf[0], 'x');
	ck_assert_int_eq(catalog_getxattr(c, dense, "user.empty", NULL, 0, &len, &e), 1);
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(catalog_getxattr(c, dense, "user.names", buf, 4, &len, &e), 0);
	ck_assert_int_eq(catalog_getxattr(c, dense, "", buf, 4, &len, &e), 0);
	ck_assert_int_eq(catalog_getxattr(c, inode_at(c, "/etc"), "user.name", buf, 4, &len, &e),
			 0);
	ck_assert_int_eq(catalog_listxattr(c, inode_at(c, "/etc"), buf, 4, &len, &e), 0);
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(
		catalog_getxattr(c, inode_at(c, "/same"), "user.name", buf, sizeof(buf), &len, &e),
		1);
	ck_assert_mem_eq(buf, "value", 5);

	static const char *const plain[] = {"f a\n", NULL};
	SCOPE(catalog) struct catalog *none = catalog_of(plain);
	ck_assert(!catalog_has_xattrs(none));
}
END_TEST

START_TEST(knows_all_names_of_an_inode)
{
	struct err e = ERR_INIT;
	SCOPE(catalog) struct catalog *c = rich_catalog();
	struct catalog_dirent d;
	uint32_t dir = 0;
	const uint32_t etc = inode_at(c, "/etc");
	const uint32_t file = inode_at(c, "/z");

	ck_assert_int_eq(catalog_name(c, file, 0, &dir, &d, &e), 1);
	ck_assert_str_eq(d.name, "z");
	ck_assert_uint_eq(dir, CATALOG_ROOT);
	ck_assert_int_eq(catalog_name(c, file, 1, &dir, &d, &e), 1);
	ck_assert_str_eq(d.name, "a");
	ck_assert_uint_eq(dir, etc);
	ck_assert_int_eq(catalog_name(c, file, 2, &dir, &d, &e), 1);
	ck_assert_str_eq(d.name, "b");
	ck_assert_uint_eq(d.inode, file);
	ck_assert_uint_eq(d.type, S_IFREG);
	ck_assert_int_eq(catalog_name(c, file, 3, &dir, &d, &e), 0);

	ck_assert_int_eq(catalog_name(c, etc, 0, &dir, &d, &e), 1);
	ck_assert_str_eq(d.name, "etc");
	ck_assert_int_eq(catalog_name(c, etc, 1, &dir, &d, &e), 0);
	ck_assert_int_eq(catalog_name(c, CATALOG_ROOT, 0, &dir, &d, &e), 0);
	ck_assert_int_eq(catalog_parent(c, etc, &dir, &e), 0);
	ck_assert_uint_eq(dir, CATALOG_ROOT);
}
END_TEST

START_TEST(gives_paths)
{
	struct err e = ERR_INIT;
	static const char *const layers[] = {"f usr/bin/env\nh a/env usr/bin/env\n", NULL};
	SCOPE(catalog) struct catalog *c = catalog_of(layers);
	SCOPE(str) struct str path = STR_INIT;

	ck_assert_int_eq(catalog_path(c, CATALOG_ROOT, &path, &e), 0);
	ck_assert_str_eq(path.data, "/");
	ck_assert_int_eq(catalog_path(c, inode_at(c, "/usr/bin"), &path, &e), 0);
	ck_assert_str_eq(path.data, "//usr/bin");
	str_truncate(&path, 0);
	ck_assert_int_eq(catalog_path(c, inode_at(c, "/usr/bin/env"), &path, &e), 0);
	ck_assert_str_eq(path.data, "/a/env");
}
END_TEST

static const struct {
	const char *path;
	bool follow;
	int result;
	const char *found;
} walks[] = {
	{"/", true, 1, "/"},
	{"/usr/bin/env", true, 1, "/usr/bin/env"},
	{"bin/../../usr//bin/.", true, 1, "/usr/bin"},
	{"/bin", false, 1, "/bin"},
	{"/bin", true, 1, "/usr/bin"},
	{"/bin/", false, 1, "/usr/bin"},
	{"/abs/e", true, 1, "/usr/bin/env"},
	{"/abs/e", false, 1, "/usr/bin/e"},
	{"/out/usr", true, 1, "/usr"},
	{"/usr/bin/env/", true, 0, NULL},
	{"/usr/bin/env/..", true, 0, NULL},
	{"/usr/lib", true, 0, NULL},
	{"/dangling", true, 0, NULL},
	{"/loop/x", true, -1, NULL},
};

START_TEST(resolves)
{
	struct err e = ERR_INIT;
	static const char *const layers[] = {
		"f usr/bin/env\nl bin usr/bin\nl abs /usr/bin\nl usr/bin/e env\nl out ../..\n"
		"l dangling x\nl loop pool\nl pool loop\n",
		NULL};
	SCOPE(catalog) struct catalog *c = catalog_of(layers);
	SCOPE(str) struct str path = STR_INIT;
	uint32_t inode = 0;

	ck_assert_int_eq(catalog_resolve(c, walks[_i].path, walks[_i].follow, &inode, &e),
			 walks[_i].result);
	if (walks[_i].result < 0)
		ck_assert_err(&e, ERR_UNSUPPORTED, "symlinks");
	if (!walks[_i].found)
		return;
	ck_assert_int_eq(catalog_path(c, inode, &path, &e), 0);
	ck_assert_str_eq(path.data, walks[_i].found);
}
END_TEST

START_TEST(refuses_what_does_not_fit_the_kind)
{
	struct err e = ERR_INIT;
	SCOPE(catalog) struct catalog *c = rich_catalog();
	const uint32_t etc = inode_at(c, "/etc");
	const uint32_t file = inode_at(c, "/dense");
	const uint32_t none = catalog_inode_count(c);
	struct catalog_dirent d;
	struct catalog_range r;
	struct catalog_stat st;
	char buf[LIMIT_SYMLINK];
	size_t len = 0;
	uint32_t inode = 0;

	ck_assert_int_eq(catalog_lookup(c, file, "a", 1, &inode, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "not a directory");
	ck_assert_int_eq(catalog_readdir(c, file, 0, &d, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "not a directory");
	ck_assert_int_eq(catalog_parent(c, file, &inode, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "not a directory");
	ck_assert_int_eq(catalog_readlink(c, etc, buf, &len, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "not a symlink");
	ck_assert_int_eq(catalog_range(c, etc, 0, &r, &e), -1);
	ck_assert_err(&e, ERR_UNSUPPORTED, "not a regular file");
	ck_assert_int_eq(catalog_stat(c, none, &st, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "no inode");
	ck_assert_int_eq(catalog_name(c, UINT32_MAX, 0, &inode, &d, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "no inode");
	ck_assert_int_eq(catalog_listxattr(c, none, buf, 0, &len, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "no inode");
	ck_assert_int_eq(catalog_getxattr(c, none, "a", buf, 0, &len, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "no inode");
}
END_TEST

START_TEST(finds_every_name_of_a_large_directory)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str text = STR_INIT;
	enum { NAMES = 3000 };

	for (int i = NAMES; i-- > 0;)
		ck_assert_int_eq(str_appendf(&text, &e, "f n%d\n", i * 7), 0);
	const char *const layers[] = {text.data, NULL};
	SCOPE(catalog) struct catalog *c = catalog_of(layers);
	for (int i = 0; i < NAMES * 7; i++) {
		char name[16];
		uint32_t inode = 0;
		const int len = snprintf(name, sizeof(name), "n%d", i);
		ck_assert_int_eq(catalog_lookup(c, CATALOG_ROOT, name, (size_t)len, &inode, &e),
				 i % 7 == 0);
	}
	ck_assert_int_eq(catalog_check(c, &e), 0);
}
END_TEST

/* As large as the limits allow, and more than a block of them. */
START_TEST(keeps_the_longest_names)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str text = STR_INIT;
	char name[LIMIT_NAME + 1] = {0};
	static char target[LIMIT_SYMLINK + 1];
	char got[LIMIT_SYMLINK];
	size_t len = 0;
	struct catalog_dirent d;

	memset(name, 'n', LIMIT_NAME);
	memset(target, 't', LIMIT_SYMLINK);
	for (int i = 0; i < 9; i++) {
		name[0] = (char)('a' + i);
		target[0] = (char)('a' + i);
		ck_assert_int_eq(str_appendf(&text, &e, "l %s %s\n", name, target), 0);
	}
	const char *const layers[] = {text.data, NULL};
	SCOPE(catalog) struct catalog *c = catalog_of(layers);
	ck_assert_int_eq(catalog_readdir(c, CATALOG_ROOT, 8, &d, &e), 1);
	ck_assert_str_eq(d.name, name);
	ck_assert_uint_eq(d.name_len, LIMIT_NAME);
	ck_assert_int_eq(catalog_readlink(c, d.inode, got, &len, &e), 0);
	ck_assert_uint_eq(len, LIMIT_SYMLINK);
	ck_assert_mem_eq(got, target, len);
	ck_assert_int_eq(catalog_check(c, &e), 0);
}
END_TEST

START_TEST(same_tree_same_bytes)
{
	static const char *const layers[] = {"d a\nf a/b\nh a/c a/b\nl x y\n", "f z\n", NULL};
	SCOPE_FD int first = write_tree(layers);
	SCOPE_FD int second = write_tree(layers);
	size_t size = 0;
	size_t again_size = 0;
	SCOPE_FREE uint8_t *bytes = read_file(first, &size);
	SCOPE_FREE uint8_t *again = read_file(second, &again_size);

	ck_assert_uint_eq(size, again_size);
	ck_assert_mem_eq(bytes, again, size);
}
END_TEST

START_TEST(reports_a_file_that_cannot_be_written)
{
	struct err e = ERR_INIT;
	static const char *const layers[] = {"f a\n", NULL};
	SCOPE_FD int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	SCOPE(tree) struct tree t;

	ck_assert_int_eq(tree_init(&t, layers, &e), 0);
	ck_assert_int_eq(catalog_write(t.m, some_layers(), fd, &e), -1);
	ck_assert_err(&e, ERR_SYS, "cannot write the catalog");
}
END_TEST

static void *walk_thread(void *arg)
{
	return text_of(arg);
}

START_TEST(is_shared_between_threads)
{
	enum { THREADS = 4 };
	SCOPE(catalog) struct catalog *c = rich_catalog();
	SCOPE(catalog) struct catalog *alone = rich_catalog();
	SCOPE_FREE char *expected = text_of(alone);
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, walk_thread, c), 0);
	for (int i = 0; i < THREADS; i++) {
		void *text = NULL;
		ck_assert_int_eq(pthread_join(threads[i], &text), 0);
		ck_assert_str_eq(text, expected);
		free(text);
	}
}
END_TEST

static int build_all(void *arg, struct err *e)
{
	const struct tree *t = arg;
	SCOPE_FD int fd = memfd_create("catalog", MFD_CLOEXEC);
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(catalog) struct catalog *c = NULL;
	SCOPE(merge) struct merge *m = merge_new(e);
	uint32_t found = 0;

	if (!m)
		return -1;
	for (size_t i = 0; i < t->count; i++)
		if (merge_add_layer(m, t->layers[i], e) < 0)
			return -1;
	if (merge_resolve(m, "/l/f", true, &found, e) < 0 ||
	    merge_real_path(m, "/l/new", &text, e) < 0 ||
	    catalog_write(m, some_layers(), fd, e) < 0 || catalog_open(fd, &c, e) < 0 ||
	    catalog_check(c, e) < 0 || catalog_resolve(c, "/l/f", true, &found, e) < 0)
		return -1;
	return catalog_text(c, &text, e);
}

START_TEST(copes_without_memory)
{
	struct err e = ERR_INIT;
	static const char *const layers[] = {"d a\nf a/f\nh a/g a/f\nl l a\n",
					     "f a/.wh.f\nf a/x/y\n", NULL};
	SCOPE(tree) struct tree t;

	ck_assert_int_eq(tree_init(&t, layers, &e), 0);
	failalloc_each(build_all, &t);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/catalog");
	TCase *tc = tcase_create("answers");

	tcase_add_test(tc, numbers_inodes_breadth_first);
	tcase_add_test(tc, describes_an_empty_image);
	tcase_add_test(tc, keeps_all_metadata);
	tcase_add_test(tc, keeps_layers_and_their_frames);
	tcase_add_loop_test(tc, keeps_every_encoding, 0, 3);
	tcase_add_loop_test(tc, tells_where_content_is, 0, ARRAY_LEN(ranges));
	tcase_add_test(tc, keeps_xattrs);
	tcase_add_test(tc, knows_all_names_of_an_inode);
	tcase_add_test(tc, gives_paths);
	tcase_add_loop_test(tc, resolves, 0, ARRAY_LEN(walks));
	tcase_add_test(tc, refuses_what_does_not_fit_the_kind);
	tcase_add_test(tc, finds_every_name_of_a_large_directory);
	tcase_add_test(tc, keeps_the_longest_names);
	tcase_add_test(tc, is_shared_between_threads);
	suite_add_tcase(s, tc);

	tc = tcase_create("writing");
	tcase_add_test(tc, same_tree_same_bytes);
	tcase_add_test(tc, reports_a_file_that_cannot_be_written);
	tcase_add_test(tc, copes_without_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
