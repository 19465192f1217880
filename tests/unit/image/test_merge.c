/* SPDX-License-Identifier: Apache-2.0 */
#include "image/merge.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/limits.h"
#include "tests/unit/image/tree_merge.h"

enum { DEEP = 2040, MANY = 20000 };

static void append_path(const struct merge *m, merge_node node, struct str *out)
{
	struct err e = ERR_INIT;
	merge_node way[LIMIT_DEPTH];
	size_t depth = 0;

	for (; node != MERGE_ROOT; node = merge_parent(m, node))
		way[depth++] = node;
	while (depth-- > 0) {
		size_t len;
		const char *name = merge_name(m, way[depth], &len);
		ck_assert_int_eq(str_append(out, name, len, &e), 0);
		if (depth > 0)
			ck_assert_int_eq(str_append_c(out, '/', &e), 0);
	}
}

/* The node after `node` when the tree is walked from above; MERGE_ROOT at the end. */
static merge_node next_node(const struct merge *m, merge_node node)
{
	merge_node next = merge_first_child(m, node);

	while (next == MERGE_ROOT && node != MERGE_ROOT) {
		next = merge_next_sibling(m, node);
		node = merge_parent(m, node);
	}
	return next;
}

/* The first node of the walk that has the inode. */
static merge_node first_of_inode(const struct merge *m, uint32_t inode)
{
	merge_node node = MERGE_ROOT;

	while (merge_inode(m, node) != inode)
		node = next_node(m, node);
	return node;
}

/* A line: kind, path, target; "<" and the layer of the inode, or "?" when it is made up; "=" and
 * the first name of a hardlinked inode. */
static void append_node(const struct merge *m, merge_node node, struct str *out)
{
	struct err e = ERR_INIT;
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	struct entry en;
	size_t layer;
	const int real = merge_entry(m, node, &scratch, &en, &layer, &e);
	const merge_node first = first_of_inode(m, merge_inode(m, node));

	ck_assert_int_ge(real, 0);
	ck_assert_int_eq(en.kind, merge_kind(m, node));
	ck_assert_int_ne(en.kind, ENTRY_HARDLINK);
	ck_assert_int_eq(str_appendf(out, &e, "%c ", "fdl?cbp"[en.kind]), 0);
	append_path(m, node, out);
	if (en.kind == ENTRY_SYMLINK)
		ck_assert_int_eq(str_appendf(out, &e, " %.*s", (int)en.link_len, en.link), 0);
	if (real)
		ck_assert_int_eq(str_appendf(out, &e, " <%zu", layer), 0);
	else
		ck_assert_int_eq(str_appendf(out, &e, " ?"), 0);
	if (first != node) {
		ck_assert_int_eq(str_appendf(out, &e, " ="), 0);
		append_path(m, first, out);
	}
	ck_assert_int_eq(str_append_c(out, '\n', &e), 0);
}

static void dump(const struct merge *m, struct str *out)
{
	for (merge_node node = next_node(m, MERGE_ROOT); node != MERGE_ROOT;
	     node = next_node(m, node))
		append_node(m, node, out);
}

/* clang-format off */
static const struct {
	const char *title;
	const char *layers[TREE_LAYERS];
	const char *expected;
} merged[] = {
	{"nothing", {NULL}, ""},
	{"an empty layer", {""}, ""},
	{"names come in bytewise order",
	 {"f b\nf a\nf B\nf aa\nf a.\nf \xff\n"},
	 "f B <0\nf a <0\nf a. <0\nf aa <0\nf b <0\nf \xff <0\n"},
	{"order over layers",
	 {"f b\nf d\n", "f c\nf a\nf e\n"},
	 "f a <1\nf b <0\nf c <1\nf d <0\nf e <1\n"},
	{"a file over a file",
	 {"f a\n", "f a\n"}, "f a <1\n"},
	{"a directory over a directory keeps what is in it",
	 {"d a\nf a/x\n", "d a\nf a/y\n"}, "d a <1\nf a/x <0\nf a/y <1\n"},
	{"a file over a directory",
	 {"d a\nf a/x\nd a/b\nf a/b/c\n", "f a\n"}, "f a <1\n"},
	{"a directory over a file",
	 {"f a\n", "d a\nf a/x\n"}, "d a <1\nf a/x <1\n"},
	{"a directory over a symlink: never followed",
	 {"l d /\nd etc\nf etc/x\n", "f d/etc/x\n"},
	 "d d ?\nd d/etc ?\nf d/etc/x <1\nd etc <0\nf etc/x <0\n"},
	{"the same in one layer",
	 {"l d /\nf d/etc/x\n"}, "d d ?\nd d/etc ?\nf d/etc/x <0\n"},
	{"a symlink over a directory",
	 {"d a\nf a/x\n", "l a /etc\n"}, "l a /etc <1\n"},
	{"missing parents are made",
	 {"f a/b/c\n"}, "d a ?\nd a/b ?\nf a/b/c <0\n"},
	{"a made directory gets its entry later",
	 {"f a/b/c\nd a\n", "d a/b\n"}, "d a <0\nd a/b <1\nf a/b/c <0\n"},
	{"a missing parent does not touch a lower directory",
	 {"d a\n", "f a/x\n"}, "d a <0\nf a/x <1\n"},
	{"a file as a parent is replaced",
	 {"f a\n", "f a/x\n"}, "d a ?\nf a/x <1\n"},
	{"the same path twice: the last one wins",
	 {"f a\nl a x\n"}, "l a x <0\n"},
	{"a directory, then a file, in one layer: children go",
	 {"d a\nf a/x\nf a\n"}, "f a <0\n"},
	{"a directory, a file, a directory",
	 {"d a\nf a/x\nf a\nd a\nf a/y\n"}, "d a <0\nf a/y <0\n"},
	{"all kinds", {"c n\nb b\np p\n"}, "b b <0\nc n <0\np p <0\n"},
	{"a device 0:0 is no whiteout", {"f n\n", "c n\n"}, "c n <1\n"},

	{"a whiteout", {"f a\nf b\n", "f .wh.a\n"}, "f b <0\n"},
	{"a whiteout of a tree",
	 {"d a\nd a/b\nf a/b/c\nf a/x\nf z\n", "f .wh.a\n"}, "f z <0\n"},
	{"a whiteout of nothing", {"f b\n", "f .wh.a\nf d/.wh.a\nf b/.wh.a\n"}, "f b <0\n"},
	{"a whiteout does not follow links",
	 {"l d .\nf victim\n", "f d/.wh.victim\n"}, "l d . <0\nf victim <0\n"},
	{"a whiteout of a link",
	 {"l d etc\nd etc\nf etc/x\n", "f .wh.d\n"}, "d etc <0\nf etc/x <0\n"},
	{"a whiteout keeps its own layer's name, before it",
	 {"f a\n", "f .wh.a\nf a\n"}, "f a <1\n"},
	{"and after it", {"f a\n", "f a\nf .wh.a\n"}, "f a <1\n"},
	{"a whiteout of a directory that comes again",
	 {"d a\nf a/x\nf a/y\n", "d a\nf a/y\nf .wh.a\n"}, "d a <1\nf a/y <1\n"},
	{"whiteout of the parent, then of the child",
	 {"d a\nf a/x\n", "f .wh.a\nf a/.wh.x\n"}, ""},
	{"whiteout of the child, then of the parent",
	 {"d a\nf a/x\n", "f a/.wh.x\nf .wh.a\n"}, ""},
	{"a whiteout acts on lower layers only",
	 {"f a\n", "f .wh.a\n", "f a\n"}, "f a <2\n"},
	{"a whiteout twice", {"f a\n", "f .wh.a\nf .wh.a\n"}, ""},
	{"opaque", {"d a\nf a/x\nd a/b\nf a/b/c\n", "f a/.wh..wh..opq\n"}, "d a <0\n"},
	{"opaque after its siblings",
	 {"d a\nf a/x\n", "d a\nf a/y\nf a/.wh..wh..opq\n"}, "d a <1\nf a/y <1\n"},
	{"opaque, and the same name again",
	 {"d a\nf a/x\n", "f a/x\nf a/.wh..wh..opq\n"}, "d a <0\nf a/x <1\n"},
	{"opaque at the root",
	 {"f a\nd b\nf b/c\n", "f x\nf .wh..wh..opq\nd b\n"}, "d b <1\nf x <1\n"},
	{"opaque at nothing", {"f a\n", "f a/.wh..wh..opq\nf x/.wh..wh..opq\n"}, "f a <0\n"},
	{"opaque does not follow links",
	 {"l d etc\nd etc\nf etc/x\n", "f d/.wh..wh..opq\n"},
	 "l d etc <0\nd etc <0\nf etc/x <0\n"},
	{"what AUFS left behind is dropped",
	 {"f .wh..wh.aufs\nd .wh..wh.plnk\nf .wh..wh.plnk/1.2\nd .wh..wh.orph\nf a\n"},
	 "f a <0\n"},

	{"a hardlink", {"f a\nh b a\n"}, "f a <0\nf b <0 =a\n"},
	{"a hardlink to a name that sorts later", {"f b\nh a b\n"}, "f a <0\nf b <0 =a\n"},
	{"a hardlink to a symlink", {"l a x\nh b a\n"}, "l a x <0\nl b x <0 =a\n"},
	{"a hardlink to a lower layer", {"f a\n", "h b a\n"}, "f a <0\nf b <0 =a\n"},
	{"a hardlink to an earlier entry rather than to a lower layer",
	 {"f a\n", "f a\nh b a\n"}, "f a <1\nf b <1 =a\n"},
	{"a hardlink to a lower layer's file that a later entry replaces",
	 {"f a\n", "h b a\nf a\n"}, "f a <1\nf b <0\n"},
	{"a chain", {"f a\nh b a\nh c b\nh d c\n"}, "f a <0\nf b <0 =a\nf c <0 =a\nf d <0 =a\n"},
	{"a replaced name leaves the others",
	 {"f a\nh b a\nh c a\n", "f a\n"}, "f a <1\nf b <0\nf c <0 =b\n"},
	{"a hidden name leaves the others",
	 {"f a\nh b a\n", "f .wh.a\n"}, "f b <0\n"},
	{"a hardlink over another name of the same inode",
	 {"f a\nh b a\n", "h b a\n"}, "f a <0\nf b <0 =a\n"},
	{"a hardlink over a directory",
	 {"f a\nd d\nf d/x\n", "h d a\n"}, "f a <0\nf d <0 =a\n"},
	{"a hardlink into made directories", {"f a\nh x/y/z a\n"},
	 "f a <0\nd x ?\nd x/y ?\nf x/y/z <0 =a\n"},

	{"the root", {"d .\nf a\n", "d .\n"}, "f a <0\n"},
	{"prefixes of names are no parents",
	 {"d ab\nf ab/c\nf a\nf abc/d\nf ab/d\n"},
	 "f a <0\nd ab <0\nf ab/c <0\nf ab/d <0\nd abc ?\nf abc/d <0\n"},
};

static const struct {
	const char *layers[TREE_LAYERS];
	const char *word;
} refused[] = {
	{{"h b a\n"}, "hardlink 'b' to 'a': no earlier entry"},
	{{"h b a\nf a\n"}, "no earlier entry"},
	{{"f b\nh b b\n"}, "names itself"},
	{{"h b b\n"}, "names itself"},
	{{"d a\nh b a\n"}, "is a directory"},
	{{"d a\n", "h b a\n"}, "is a directory"},
	{{"f a\n", "f .wh.a\nh b a\n"}, "no earlier entry"},
	{{"l d e\nd e\nf e/x\nh y d/x\n"}, "no earlier entry"},
	{{"f a\nh b a/x\n"}, "no earlier entry"},
	{{"d d\nf d/x\nh d d/x\n"}, "inside the other"},
	{{"f a\nh a/b a\n"}, "inside the other"},
	{{"f .wh..wh.plnk/1\nh b .wh..wh.plnk/1\n"}, "no earlier entry"},
	{{"f .wh.\n"}, "hides no name"},
	{{"f a/.wh...\n"}, "hides '.'"},
	{{"d .wh.a\n"}, "not an empty regular file"},
	{{"f .wh.a/b\n"}, "used as a directory"},
};
/* clang-format on */

START_TEST(merges)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str got = STR_INIT;
	SCOPE(tree) struct tree t;
	const int result = tree_init(&t, merged[_i].layers, &e);

	ck_assert_no_err(&e);
	ck_assert_int_eq(result, 0);
	dump(t.m, &got);
	ck_assert_msg(strcmp(str_text(&got), merged[_i].expected) == 0, "%s:\n%s\ninstead of\n%s",
		      merged[_i].title, str_text(&got), merged[_i].expected);
}
END_TEST

START_TEST(refuses)
{
	struct err e = ERR_INIT;
	SCOPE(tree) struct tree t;

	ck_assert_int_eq(tree_init(&t, refused[_i].layers, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, refused[_i].word);
}
END_TEST

START_TEST(describes_a_directory_that_no_layer_names)
{
	struct err e = ERR_INIT;
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	static const char *const layers[] = {"f a/b\n", NULL};
	SCOPE(tree) struct tree t;
	struct entry en;
	size_t layer;
	merge_node node;

	ck_assert_int_eq(tree_init(&t, layers, &e), 0);
	ck_assert_int_eq(merge_lookup(t.m, MERGE_ROOT, "a", 1, &node), 1);
	ck_assert_int_eq(merge_entry(t.m, node, &scratch, &en, &layer, &e), 0);
	ck_assert_int_eq(en.kind, ENTRY_DIR);
	ck_assert_uint_eq(en.mode, 0755);
	ck_assert_uint_eq(en.uid, 0);
	ck_assert_uint_eq(en.gid, 0);
	ck_assert_int_eq(en.mtime, 0);
	ck_assert_int_eq(merge_entry(t.m, MERGE_ROOT, &scratch, &en, &layer, &e), 0);
	ck_assert_int_eq(merge_lookup(t.m, node, "c", 1, &node), 0);
	ck_assert_int_eq(merge_lookup(t.m, node, "", 0, &node), 0);
}
END_TEST

static const char *const linked_tree[] = {
	"d usr\nd usr/bin\nf usr/bin/env\nl bin usr/bin\nl abs /usr/bin\nl up ../../usr\n"
	"l loop loop\nl a b\nl b a\nl dangling nowhere/x\nl usr/bin/e env\nl dot .\nf file\n"
	"l chain abs\nl slash usr/bin/\nl out ../../../../../etc\nl tofile file\n",
	NULL,
};

static const struct {
	const char *path;
	bool follow;
	int result;
	const char *found;
} walks[] = {
	{"/", true, 1, ""},
	{"", true, 1, ""},
	{"//", true, 1, ""},
	{".", true, 1, ""},
	{"/..", true, 1, ""},
	{"/../../usr/../usr/./bin", true, 1, "usr/bin"},
	{"/usr/bin/env", true, 1, "usr/bin/env"},
	{"usr//bin///env", true, 1, "usr/bin/env"},
	{"/bin/env", true, 1, "usr/bin/env"},
	{"/bin/env", false, 1, "usr/bin/env"},
	{"/bin", true, 1, "usr/bin"},
	{"/bin", false, 1, "bin"},
	{"/bin/", false, 1, "usr/bin"},
	{"/bin/.", false, 1, "usr/bin"},
	{"/abs/e", true, 1, "usr/bin/env"},
	{"/abs/e", false, 1, "usr/bin/e"},
	{"/up/bin", true, 1, "usr/bin"},
	{"/chain/env", true, 1, "usr/bin/env"},
	{"/slash", true, 1, "usr/bin"},
	{"/slash", false, 1, "slash"},
	{"/dot/dot/dot/usr", false, 1, "usr"},
	{"/bin/../bin", true, 1, "usr/bin"},
	{"/file", true, 1, "file"},
	{"/file/", true, 0, NULL},
	{"/file/.", true, 0, NULL},
	{"/file/..", true, 0, NULL},
	{"/tofile/", true, 0, NULL},
	{"/file/x", true, 0, NULL},
	{"/nothing", true, 0, NULL},
	{"/nothing/..", true, 0, NULL},
	{"/dangling", true, 0, NULL},
	{"/dangling", false, 1, "dangling"},
	{"/out", true, 0, NULL},
	{"/loop", false, 1, "loop"},
	{"/loop", true, -1, NULL},
	{"/a/x", true, -1, NULL},
};

START_TEST(resolves)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str got = STR_INIT;
	SCOPE(tree) struct tree t;
	merge_node node = MERGE_ROOT;

	ck_assert_int_eq(tree_init(&t, linked_tree, &e), 0);
	ck_assert_int_eq(merge_resolve(t.m, walks[_i].path, walks[_i].follow, &node, &e),
			 walks[_i].result);
	if (walks[_i].result < 0) {
		ck_assert_err(&e, ERR_UNSUPPORTED, "symlinks");
		return;
	}
	ck_assert_no_err(&e);
	if (!walks[_i].found)
		return;
	append_path(t.m, node, &got);
	ck_assert_str_eq(str_text(&got), walks[_i].found);
}
END_TEST

static const struct {
	const char *path;
	const char *real; /* NULL: too many links */
} real_paths[] = {
	{"/", ""},
	{"", ""},
	{"/usr/bin/new", "usr/bin/new"},
	{"/bin/new", "usr/bin/new"},
	{"/bin/new/", "usr/bin/new"},
	{"/abs/x/y/z", "usr/bin/x/y/z"},
	{"/bin/e", "usr/bin/env"},
	{"/dangling", "nowhere/x"},
	{"/dangling/y", "nowhere/x/y"},
	{"/dangling/../..", ""},
	{"/dangling/../../bin/y", "usr/bin/y"},
	{"/out/passwd", "etc/passwd"},
	{"/x/../y/./z", "y/z"},
	{"/../../x", "x"},
	{"/file/x", "file/x"},
	{"/file/../x", "x"},
	{"/loop/x", NULL},
};

START_TEST(finds_where_a_path_lands)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str got = STR_INIT;
	SCOPE(tree) struct tree t;

	ck_assert_int_eq(tree_init(&t, linked_tree, &e), 0);
	const int result = merge_real_path(t.m, real_paths[_i].path, &got, &e);
	if (!real_paths[_i].real) {
		ck_assert_int_eq(result, -1);
		ck_assert_err(&e, ERR_UNSUPPORTED, "symlinks");
		return;
	}
	ck_assert_no_err(&e);
	ck_assert_str_eq(str_text(&got), real_paths[_i].real);
}
END_TEST

START_TEST(refuses_a_path_that_grows_too_long)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str path = STR_INIT;
	SCOPE(str) struct str got = STR_INIT;
	SCOPE(tree) struct tree t;

	ck_assert_int_eq(tree_init(&t, linked_tree, &e), 0);
	for (int i = 0; i < LIMIT_PATH / 2 + 2; i++)
		ck_assert_int_eq(str_append_z(&path, "/x", &e), 0);
	ck_assert_int_eq(merge_real_path(t.m, path.data, &got, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "longer");
	ck_assert_uint_eq(got.len, 0);
}
END_TEST

/* No recursion: the deepest path that there can be, made and removed. */
START_TEST(copes_with_depth)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(tree) struct tree t;
	SCOPE(str) struct str path = STR_INIT;
	merge_node node;

	ck_assert_int_eq(str_append_z(&text, "f ", &e), 0);
	for (int i = 0; i < DEEP; i++)
		ck_assert_int_eq(str_append_z(&text, i ? "/d" : "d", &e), 0);
	ck_assert_int_eq(str_append(&path, text.data + 2, text.len - 2, &e), 0);
	const char *const layers[] = {text.data, "f .wh.d\nf x\n", NULL};
	const char *const one[] = {text.data, NULL};
	ck_assert_int_eq(tree_init(&t, one, &e), 0);
	ck_assert_int_eq(merge_resolve(t.m, path.data, false, &node, &e), 1);
	ck_assert_int_eq(merge_kind(t.m, node), ENTRY_REG);
	tree_fini(&t);
	ck_assert_int_eq(tree_init(&t, layers, &e), 0);
	SCOPE(str) struct str got = STR_INIT;
	dump(t.m, &got);
	ck_assert_str_eq(str_text(&got), "f x <1\n");
}
END_TEST

/* Names that come in any order are sorted, and found. */
START_TEST(copes_with_many_names)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(tree) struct tree t;
	merge_node node;
	char before[16] = "";
	size_t count = 0;

	for (uint32_t i = 0; i < MANY; i++)
		ck_assert_int_eq(
			str_appendf(&text, &e, "f x%08" PRIx32 "\n", i * UINT32_C(2654435761)), 0);
	const char *const layers[] = {text.data, "f .wh.x00000000\n", NULL};
	ck_assert_int_eq(tree_init(&t, layers, &e), 0);
	for (node = merge_first_child(t.m, MERGE_ROOT); node != MERGE_ROOT;
	     node = merge_next_sibling(t.m, node)) {
		char name[16] = "";
		size_t len;
		const char *borrowed = merge_name(t.m, node, &len);
		memcpy(name, borrowed, len);
		ck_assert_str_gt(name, before);
		memcpy(before, name, sizeof(name));
		count++;
	}
	ck_assert_uint_eq(count, MANY - 1);
	ck_assert_int_eq(merge_lookup(t.m, MERGE_ROOT, "x9e3779b1", 9, &node), 1);
	ck_assert_int_eq(merge_lookup(t.m, MERGE_ROOT, "x00000000", 9, &node), 0);
}
END_TEST

START_TEST(limits_layers)
{
	struct err e = ERR_INIT;
	SCOPE(merge) struct merge *m = merge_new(&e);
	SCOPE(layer_index) struct layer_index *ix = tree_layer("f a\n");

	for (int i = 0; i < LIMIT_LAYERS; i++)
		ck_assert_int_eq(merge_add_layer(m, ix, &e), 0);
	ck_assert_int_eq(merge_add_layer(m, ix, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "layers");
}
END_TEST

START_TEST(limits_entries)
{
	struct err e = ERR_INIT;
	SCOPE(merge) struct merge *m = merge_new(&e);
	SCOPE(str) struct str text = STR_INIT;
	enum { ENTRIES = LIMIT_ENTRIES / 100 };

	/* Each assertion writes a message: not in a loop of this length. */
	for (int i = 0; i < ENTRIES; i++)
		str_append_z(&text, "d a\n", &e);
	ck_assert_no_err(&e);
	SCOPE(layer_index) struct layer_index *ix = tree_layer(text.data);
	for (int i = 0; i < LIMIT_ENTRIES / ENTRIES; i++)
		ck_assert_int_eq(merge_add_layer(m, ix, &e), 0);
	ck_assert_int_eq(merge_add_layer(m, ix, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "entries");
}
END_TEST

/* Of a few MiB: values of xattrs stand in a layer index as they are. */
static struct layer_index *large_layer(void)
{
	enum { DIRS = 4, XATTRS = LIMIT_XATTRS / LIMIT_XATTR_VALUE - 1 };
	static const char value[LIMIT_XATTR_VALUE];
	struct err e = ERR_INIT;
	SCOPE(layer_index_builder) struct layer_index_builder *b = layer_index_builder_new(&e);
	struct xattr xattrs[XATTRS];
	char names[XATTRS][16];

	for (int i = 0; i < XATTRS; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "user.%02d", i);
		xattrs[i] = (struct xattr){names[i], strlen(names[i]), value, sizeof(value)};
	}
	for (int i = 0; i < DIRS; i++) {
		const char path[] = {(char)('a' + i), '\0'};
		const struct entry en = {.path = path,
					 .path_len = 1,
					 .kind = ENTRY_DIR,
					 .mode = 0755,
					 .xattrs = xattrs,
					 .xattr_count = XATTRS};
		ck_assert_int_eq(layer_index_builder_add(b, &en, &e), 0);
	}
	return tree_index_of(b, (DIRS + 2) * TREE_TAR_BLOCK);
}

START_TEST(limits_the_memory_of_layer_indexes)
{
	struct err e = ERR_INIT;
	SCOPE(merge) struct merge *m = merge_new(&e);
	SCOPE(layer_index) struct layer_index *ix = large_layer();
	const uint64_t size = layer_index_size(ix);

	ck_assert_uint_gt(size, LIMIT_LAYER_INDEXES / LIMIT_LAYERS);
	for (uint64_t i = 0; i < LIMIT_LAYER_INDEXES / size; i++)
		ck_assert_int_eq(merge_add_layer(m, ix, &e), 0);
	ck_assert_int_eq(merge_add_layer(m, ix, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "layer indexes");
}
END_TEST

/* A few entries make millions of directories. */
START_TEST(limits_names)
{
	struct err e = ERR_INIT;
	SCOPE(merge) struct merge *m = merge_new(&e);
	SCOPE(str) struct str text = STR_INIT;
	enum { ENTRIES = LIMIT_ENTRIES / DEEP + 1 };

	for (int i = 0; i < ENTRIES; i++) {
		str_appendf(&text, &e, "f %d", i);
		for (int k = 0; k < DEEP; k++)
			str_append_z(&text, "/d", &e);
		str_append_c(&text, '\n', &e);
	}
	ck_assert_no_err(&e);
	SCOPE(layer_index) struct layer_index *ix = tree_layer(text.data);
	ck_assert_int_eq(merge_add_layer(m, ix, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "names");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/merge");
	TCase *tc = tcase_create("layers");

	tcase_add_loop_test(tc, merges, 0, ARRAY_LEN(merged));
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, describes_a_directory_that_no_layer_names);
	tcase_add_test(tc, copes_with_depth);
	tcase_add_test(tc, copes_with_many_names);
	tcase_add_test(tc, limits_layers);
	tcase_add_test(tc, limits_entries);
	tcase_add_test(tc, limits_the_memory_of_layer_indexes);
	tcase_add_test(tc, limits_names);
	tcase_set_timeout(tc, 100);
	suite_add_tcase(s, tc);

	tc = tcase_create("paths");
	tcase_add_loop_test(tc, resolves, 0, ARRAY_LEN(walks));
	tcase_add_loop_test(tc, finds_where_a_path_lands, 0, ARRAY_LEN(real_paths));
	tcase_add_test(tc, refuses_a_path_that_grows_too_long);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
