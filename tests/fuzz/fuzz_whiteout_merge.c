/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random layers against a merge that is too simple to be wrong: a flat list of paths, searched from
 * end to end.  Both must refuse the same layers, and else agree on every name, its kind, the entry
 * that it comes from, and which names are one inode.  The catalog of the tree must say the same.
 *
 * Three bytes make an entry: what it is, its path, its link; paths are one to three of the names
 * a to d.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hasher.h"
#include "base/limits.h"
#include "image/catalog.h"
#include "image/layer_index.h"
#include "image/merge.h"
#include "image/whiteout.h"
#include "tests/fuzz/fuzz.h"

enum {
	LAYERS_MAX = 5,
	ENTRIES_MAX = 200, /* of all layers */
	ITEMS_MAX = 128,   /* paths: 4 + 16 + 64 */
	PATH_MAX_LEN = 48,
	TAR_BLOCK = 512,
};

enum op { OP_FILE, OP_DIR, OP_SYMLINK, OP_HARDLINK, OP_WHITEOUT, OP_OPAQUE, OP_FIFO, OP_LAYER };

struct op_entry {
	enum op op;
	char path[PATH_MAX_LEN]; /* of a whiteout: what it hides, or the directory */
	char link[PATH_MAX_LEN];
	uint32_t tag;
};

/* The simple merge. */
struct item {
	char path[PATH_MAX_LEN];
	enum entry_kind kind;
	uint32_t tag;   /* of the entry that it comes from; 0: made up */
	uint32_t inode; /* equal for the names of one inode */
};

struct model {
	struct item items[ITEMS_MAX];
	size_t count;
	uint32_t next_inode;
};

static struct item *find(struct model *m, const char *path)
{
	for (size_t i = 0; i < m->count; i++)
		if (strcmp(m->items[i].path, path) == 0)
			return &m->items[i];
	return NULL;
}

static bool is_beneath(const char *path, const char *dir)
{
	const size_t len = strlen(dir);

	return len == 0 ? path[0] != '\0' : strncmp(path, dir, len) == 0 && path[len] == '/';
}

static void remove_beneath(struct model *m, const char *dir, bool and_itself)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->count; i++)
		if (!is_beneath(m->items[i].path, dir) &&
		    !(and_itself && strcmp(m->items[i].path, dir) == 0))
			m->items[kept++] = m->items[i];
	m->count = kept;
}

static void parent_of(const char *path, char out[static PATH_MAX_LEN])
{
	const char *slash = strrchr(path, '/');
	const size_t len = slash ? (size_t)(slash - path) : 0;

	memcpy(out, path, len);
	out[len] = '\0';
}

/* Every directory above `path` is there, and is a directory. */
static bool has_parents(struct model *m, const char *path)
{
	char dir[PATH_MAX_LEN];

	for (parent_of(path, dir); dir[0]; parent_of(dir, dir)) {
		const struct item *it = find(m, dir);
		if (!it || it->kind != ENTRY_DIR)
			return false;
	}
	return true;
}

static void put(struct model *m, const char *path, enum entry_kind kind, uint32_t tag,
		uint32_t inode)
{
	FUZZ_CHECK(m->count < ITEMS_MAX);
	struct item *it = &m->items[m->count++];
	memcpy(it->path, path, strlen(path) + 1);
	it->kind = kind;
	it->tag = tag;
	it->inode = inode;
}

static void make_parents(struct model *m, const char *path)
{
	for (size_t i = 0; path[i]; i++) {
		char dir[PATH_MAX_LEN];
		if (path[i] != '/')
			continue;
		memcpy(dir, path, i);
		dir[i] = '\0';
		const struct item *it = find(m, dir);
		if (it && it->kind == ENTRY_DIR)
			continue;
		remove_beneath(m, dir, true);
		put(m, dir, ENTRY_DIR, 0, m->next_inode++);
	}
}

static void model_hide(struct model *m, const struct op_entry *op)
{
	if (op->op == OP_WHITEOUT && has_parents(m, op->path))
		remove_beneath(m, op->path, true);
	if (op->op == OP_OPAQUE) {
		const struct item *dir = find(m, op->path);
		if (!op->path[0] || (dir && dir->kind == ENTRY_DIR && has_parents(m, op->path)))
			remove_beneath(m, op->path, false);
	}
}

static bool model_link(struct model *m, const struct op_entry *op)
{
	const struct item *target = find(m, op->link);

	if (!target || target->kind == ENTRY_DIR || strcmp(op->path, op->link) == 0 ||
	    is_beneath(op->path, op->link) || is_beneath(op->link, op->path))
		return false;
	const struct item copy = *target;
	make_parents(m, op->path);
	remove_beneath(m, op->path, true);
	put(m, op->path, copy.kind, copy.tag, copy.inode);
	return true;
}

static bool model_put(struct model *m, const struct op_entry *op)
{
	static const enum entry_kind kinds[] = {
		[OP_FILE] = ENTRY_REG,
		[OP_DIR] = ENTRY_DIR,
		[OP_SYMLINK] = ENTRY_SYMLINK,
		[OP_FIFO] = ENTRY_FIFO,
	};

	if (op->op == OP_WHITEOUT || op->op == OP_OPAQUE)
		return true;
	if (op->op == OP_HARDLINK)
		return model_link(m, op);
	make_parents(m, op->path);
	struct item *it = find(m, op->path);
	if (op->op == OP_DIR && it && it->kind == ENTRY_DIR) {
		it->tag = op->tag;
		return true;
	}
	remove_beneath(m, op->path, true);
	put(m, op->path, kinds[op->op], op->tag, m->next_inode++);
	return true;
}

static bool model_layer(struct model *m, const struct op_entry *ops, size_t count)
{
	for (size_t i = 0; i < count; i++)
		model_hide(m, &ops[i]);
	for (size_t i = 0; i < count; i++)
		if (!model_put(m, &ops[i]))
			return false;
	return true;
}

/* The real one. */
static struct entry entry_of(const struct op_entry *op, char path[static PATH_MAX_LEN],
			     struct extent *extent, uint64_t *offset)
{
	static const enum entry_kind kinds[] = {ENTRY_REG, ENTRY_DIR, ENTRY_SYMLINK, ENTRY_HARDLINK,
						ENTRY_REG, ENTRY_REG, ENTRY_FIFO};
	const char *slash = strrchr(op->path, '/');
	const size_t dir_len = slash ? (size_t)(slash - op->path) + 1 : 0;
	struct entry en = {.path = path, .kind = kinds[op->op], .mode = 0644, .uid = op->tag};

	*offset += TAR_BLOCK;
	if (op->op == OP_WHITEOUT)
		snprintf(path, PATH_MAX_LEN, "%.*s" WHITEOUT_PREFIX "%s", (int)dir_len, op->path,
			 op->path + dir_len);
	else if (op->op == OP_OPAQUE)
		snprintf(path, PATH_MAX_LEN, "%s%s" WHITEOUT_OPAQUE, op->path,
			 op->path[0] ? "/" : "");
	else
		memcpy(path, op->path, PATH_MAX_LEN);
	en.path_len = strlen(path);
	if (op->op == OP_SYMLINK || op->op == OP_HARDLINK) {
		en.link = op->link;
		en.link_len = strlen(op->link);
	}
	if (op->op == OP_FILE) {
		*extent = (struct extent){0, *offset, TAR_BLOCK};
		en.size = en.data_size = TAR_BLOCK;
		en.data_offset = *offset;
		en.extents = extent;
		en.extent_count = 1;
		*offset += TAR_BLOCK;
	}
	return en;
}

static struct layer_index *index_of(const struct op_entry *ops, size_t count)
{
	struct err e = ERR_INIT;
	struct layer_index *ix = NULL;
	uint64_t offset = 0;
	SCOPE(str) struct str bytes = STR_INIT;
	SCOPE(layer_index_builder) struct layer_index_builder *b = layer_index_builder_new(&e);
	const struct digest diff_id = hasher_sha256("", 0);

	for (size_t i = 0; i < count; i++) {
		char path[PATH_MAX_LEN];
		struct extent extent;
		const struct entry en = entry_of(&ops[i], path, &extent, &offset);
		FUZZ_CHECK(layer_index_builder_add(b, &en, &e) == 0);
	}
	offset += 2 * TAR_BLOCK;
	const struct frame f = {0, 0, (uint32_t)offset, (uint32_t)offset, {0}};
	FUZZ_CHECK(layer_index_builder_add_frame(b, &f, &e) == 0);
	FUZZ_CHECK(layer_index_builder_encode(b, FRAME_RAW, &diff_id, offset, &bytes, &e) == 0);
	FUZZ_CHECK(layer_index_decode(bytes.data, bytes.len, &ix, &e) == 0);
	return ix;
}

static void check_node(const struct merge *m, const struct catalog *c, struct model *model,
		       const char *path, merge_node node, uint32_t inode)
{
	struct err e = ERR_INIT;
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	struct entry en;
	struct catalog_stat st;
	size_t layer;
	uint32_t names = 0;
	const struct item *it = find(model, path);

	FUZZ_CHECK(it && merge_kind(m, node) == it->kind);
	FUZZ_CHECK(merge_entry(m, node, &scratch, &en, &layer, &e) == (it->tag != 0));
	FUZZ_CHECK(en.uid == it->tag && en.kind == it->kind);
	FUZZ_CHECK(catalog_stat(c, inode, &st, &e) == 0);
	FUZZ_CHECK(st.mode == entry_st_mode(&en) && st.uid == it->tag);

	for (size_t i = 0; i < model->count; i++) {
		const struct item *other = &model->items[i];
		merge_node same;
		char full[PATH_MAX_LEN + 1];
		names += other->inode == it->inode;
		snprintf(full, sizeof(full), "/%s", other->path);
		FUZZ_CHECK(merge_resolve(m, full, false, &same, &e) == 1);
		FUZZ_CHECK((merge_inode(m, same) == merge_inode(m, node)) ==
			   (other->inode == it->inode));
	}
	FUZZ_CHECK(it->kind == ENTRY_DIR || st.nlink == names);
}

/* All names beneath `node`, here and in the catalog; adds them to `*count`. */
static void check_dir(const struct merge *m, const struct catalog *c, struct model *model,
		      const char *path, merge_node node, uint32_t inode, size_t *count)
{
	struct err e = ERR_INIT;
	struct catalog_dirent d;
	uint64_t at = 0;
	char before[LIMIT_NAME + 1] = "";

	for (merge_node child = merge_first_child(m, node); child != MERGE_ROOT;
	     child = merge_next_sibling(m, child)) {
		char child_path[PATH_MAX_LEN];
		size_t len;
		const char *name = merge_name(m, child, &len);

		FUZZ_CHECK(catalog_readdir(c, inode, at++, &d, &e) == 1);
		FUZZ_CHECK(d.name_len == len && memcmp(d.name, name, len) == 0);
		FUZZ_CHECK(strcmp(before, d.name) < 0 && merge_parent(m, child) == node);
		memcpy(before, d.name, len + 1);
		snprintf(child_path, sizeof(child_path), "%s%s%.*s", path, path[0] ? "/" : "",
			 (int)len, name);
		check_node(m, c, model, child_path, child, d.inode);
		++*count;
		if (merge_kind(m, child) == ENTRY_DIR)
			check_dir(m, c, model, child_path, child, d.inode, count);
	}
	FUZZ_CHECK(catalog_readdir(c, inode, at, &d, &e) == 0);
}

static void compare(const struct merge *m, struct model *model)
{
	struct err e = ERR_INIT;
	struct catalog *c = NULL;
	struct catalog_layer layers[LAYERS_MAX];
	size_t count = 0;
	const int fd = memfd_create("catalog", MFD_CLOEXEC);

	for (size_t i = 0; i < LAYERS_MAX; i++) {
		const struct digest d = hasher_sha256(&i, sizeof(i));
		layers[i] = (struct catalog_layer){.index = d, .blob = d};
	}
	FUZZ_CHECK(fd >= 0 && catalog_write(m, layers, fd, &e) == 0);
	FUZZ_CHECK(catalog_open(fd, &c, &e) == 0 && catalog_check(c, &e) == 0);
	check_dir(m, c, model, "", MERGE_ROOT, CATALOG_ROOT, &count);
	FUZZ_CHECK(count == model->count);
	catalog_free(c);
	close(fd);
}

static void path_of(uint8_t byte, char out[static PATH_MAX_LEN])
{
	const int depth = 1 + (byte & 3) % 3;
	size_t len = 0;

	for (int i = 0; i < depth; i++) {
		if (i > 0)
			out[len++] = '/';
		out[len++] = (char)('a' + (byte >> (2 + 2 * i)) % 4);
	}
	out[len] = '\0';
}

/* An operation from three bytes; the root can only be a directory or be made opaque. */
static struct op_entry op_of(const uint8_t *bytes, uint32_t tag)
{
	struct op_entry op = {.op = (enum op)(bytes[0] % 8), .tag = tag};

	path_of(bytes[1], op.path);
	path_of(bytes[2], op.link);
	if (op.op == OP_OPAQUE && bytes[2] == 0)
		op.path[0] = '\0';
	return op;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct op_entry ops[ENTRIES_MAX];
	struct err e = ERR_INIT;
	struct model model = {.next_inode = 1};
	struct layer_index *layers[LAYERS_MAX] = {NULL};
	size_t layer_count = 0;
	size_t first = 0;
	size_t count = 0;
	bool is_good = true;
	SCOPE(merge) struct merge *m = merge_new(&e);

	FUZZ_CHECK(m);
	while (is_good && layer_count < LAYERS_MAX) {
		const bool is_end = size < 3 || count == ENTRIES_MAX;
		if (!is_end && data[0] % 8 != OP_LAYER) {
			ops[count] = op_of(data, (uint32_t)count + 1);
			count++;
		} else {
			struct layer_index *ix = index_of(ops + first, count - first);
			layers[layer_count++] = ix;
			is_good = model_layer(&model, ops + first, count - first);
			FUZZ_CHECK((merge_add_layer(m, ix, &e) == 0) == is_good);
			FUZZ_CHECK(e.code == (is_good ? ERR_NONE : ERR_FORMAT));
			first = count;
		}
		if (is_end)
			break;
		data += 3;
		size -= 3;
	}
	if (is_good)
		compare(m, &model);
	err_clear(&e);
	for (size_t i = 0; i < layer_count; i++)
		layer_index_free(layers[i]);
	return 0;
}
