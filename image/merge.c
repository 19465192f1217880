/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer is applied in two passes: its whiteouts act on the tree as the lower layers left it,
 * wherever they stand in the tar; then its entries are put in tar order.  So an entry of a layer
 * always survives the whiteouts of that layer.
 *
 * A hardlink is resolved when it is put: to an earlier entry of its layer or to what lower layers
 * have.  It then is a further name of that inode, so chains of links cost nothing.
 */
#include "image/merge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/quote.h"
#include "image/merge_tree.h"
#include "image/whiteout.h"

struct merge *merge_new(struct err *e)
{
	struct merge *m = array_new(1, sizeof(*m), e);

	if (!m)
		return NULL;
	if (merge_tree_init(&m->tree, e) < 0) {
		merge_free(m);
		return NULL;
	}
	return m;
}

void merge_free(struct merge *m)
{
	if (!m)
		return;
	merge_tree_fini(&m->tree);
	free(m->layers);
	free(m);
}

/* Forgets the steps that `path` does not share. */
static void keep_common_steps(struct merge *m, const char *path, size_t len)
{
	size_t common = 0;

	if (m->removals != m->tree.removals) {
		m->removals = m->tree.removals;
		m->depth = 0;
	}
	if (m->depth > 0) {
		const size_t known = m->steps[m->depth - 1].end;
		while (common < known && common < len && m->path[common] == path[common])
			common++;
	}
	while (m->depth > 0) {
		const size_t end = m->steps[m->depth - 1].end;
		if (end <= common && (end == len || path[end] == '/'))
			return;
		m->depth--;
	}
}

/* The child that is a directory, made or remade where it is not one. */
static int make_dir(struct merge *m, uint32_t dir, const char *name, size_t len, uint32_t *out,
		    struct err *e)
{
	struct merge_tree *t = &m->tree;
	const uint32_t node = merge_tree_find(t, dir, name, len);
	uint32_t inode;

	if (node != MERGE_NONE && merge_tree_is_dir(t, node)) {
		*out = node;
		return 0;
	}
	if (merge_tree_new_inode(t, ENTRY_DIR, MERGE_MADE_UP, 0, &inode, e) < 0)
		return -1;
	if (node == MERGE_NONE)
		return merge_tree_add(t, dir, name, len, inode, out, e);
	merge_tree_relink(t, node, inode);
	*out = node;
	return 0;
}

static bool find_dir(const struct merge_tree *t, uint32_t dir, const char *name, size_t len,
		     uint32_t *out)
{
	*out = merge_tree_find(t, dir, name, len);
	return *out != MERGE_NONE && merge_tree_is_dir(t, *out);
}

/* Walks to a directory, never through links; makes what is missing when asked to.  1, 0, -1. */
static int walk_to_dir(struct merge *m, const char *path, size_t len, bool make, uint32_t *out,
		       struct err *e)
{
	uint32_t dir = MERGE_ROOT;
	size_t at = 0;

	keep_common_steps(m, path, len);
	m->path = path;
	if (m->depth > 0) {
		dir = m->steps[m->depth - 1].node;
		at = m->steps[m->depth - 1].end + 1u;
	}
	while (at < len) {
		const char *name = path + at;
		const char *slash = memchr(name, '/', len - at);
		const size_t name_len = slash ? (size_t)(slash - name) : len - at;
		uint32_t next;

		if (m->depth == LIMIT_DEPTH)
			return err_set(e, ERR_LIMIT, "a path has more than %d components",
				       LIMIT_DEPTH);
		if (make && make_dir(m, dir, name, name_len, &next, e) < 0)
			return -1;
		if (!make && !find_dir(&m->tree, dir, name, name_len, &next))
			return 0;
		m->steps[m->depth++] = (struct merge_step){next, (uint16_t)(at + name_len)};
		dir = next;
		at += name_len + 1;
	}
	*out = dir;
	return 1;
}

/* Where the last component of a path starts. */
static size_t last_component(const char *path, size_t len)
{
	const char *slash = memrchr(path, '/', len);

	return slash ? (size_t)(slash - path) + 1 : 0;
}

/* Without following links: 1 and the node, 0 not there, -1. */
static int find_path(struct merge *m, const char *path, size_t len, uint32_t *out, struct err *e)
{
	const size_t name_at = last_component(path, len);
	uint32_t dir = MERGE_ROOT;

	if (len == 0) {
		*out = MERGE_ROOT;
		return 1;
	}
	const int found = walk_to_dir(m, path, name_at ? name_at - 1 : 0, false, &dir, e);
	if (found <= 0)
		return found;
	*out = merge_tree_find(&m->tree, dir, path + name_at, len - name_at);
	return *out != MERGE_NONE;
}

static int hide(struct merge *m, const struct entry *en, enum whiteout_kind kind, size_t hidden,
		struct err *e)
{
	const size_t name_at = last_component(en->path, en->path_len);
	uint32_t dir = MERGE_ROOT;

	if (kind == WHITEOUT_AUFS || kind == WHITEOUT_NONE)
		return 0;
	const int found = walk_to_dir(m, en->path, name_at ? name_at - 1 : 0, false, &dir, e);
	if (found <= 0)
		return found;
	if (kind == WHITEOUT_OPAQUE_DIR) {
		merge_tree_empty(&m->tree, dir);
		return 0;
	}
	const uint32_t node =
		merge_tree_find(&m->tree, dir, en->path + hidden, en->path_len - hidden);
	if (node != MERGE_NONE)
		merge_tree_remove(&m->tree, node);
	return 0;
}

/* All entries that whiteout_classify has something to say about; cheap. */
static bool may_be_whiteout(const char *path, size_t len)
{
	return memmem(path, len, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) != NULL;
}

static int apply_whiteouts(struct merge *m, const struct layer_index *ix, bool *any, struct err *e)
{
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	const size_t count = layer_index_entry_count(ix);

	for (size_t at = 0; at < count; at++) {
		const char *path;
		size_t len;
		struct entry en;
		enum whiteout_kind kind;
		size_t hidden = 0;

		layer_index_path(ix, at, &path, &len);
		if (!may_be_whiteout(path, len))
			continue;
		*any = true;
		if (layer_index_entry(ix, at, &scratch, &en, e) < 0 ||
		    whiteout_classify(&en, &kind, &hidden, e) < 0 ||
		    hide(m, &en, kind, hidden, e) < 0)
			return -1;
	}
	return 0;
}

static int refuse_link(const struct entry *en, const char *why, struct err *e)
{
	char name[QUOTE_MAX];
	char target[QUOTE_MAX];

	return err_set(e, ERR_FORMAT, "hardlink '%s' to '%s': %s",
		       quote_bytes(name, en->path, en->path_len),
		       quote_bytes(target, en->link, en->link_len), why);
}

/* True when `path` is `dir`, or beneath it. */
static bool is_beneath(const char *path, size_t len, const char *dir, size_t dir_len)
{
	return len >= dir_len && memcmp(path, dir, dir_len) == 0 &&
	       (len == dir_len || dir_len == 0 || path[dir_len] == '/');
}

/* The inode that a hardlink is a name of. */
static int link_target(struct merge *m, const struct entry *en, uint32_t *inode, struct err *e)
{
	uint32_t node;

	if (en->link_len == en->path_len && memcmp(en->link, en->path, en->path_len) == 0)
		return refuse_link(en, "it names itself", e);
	const int found = find_path(m, en->link, en->link_len, &node, e);
	if (found < 0)
		return -1;
	if (found == 0)
		return refuse_link(en, "no earlier entry or lower layer has the target", e);
	if (merge_tree_is_dir(&m->tree, node))
		return refuse_link(en, "the target is a directory", e);
	/* Putting the name would remove the target first. */
	if (is_beneath(en->path, en->path_len, en->link, en->link_len) ||
	    is_beneath(en->link, en->link_len, en->path, en->path_len))
		return refuse_link(en, "one is inside the other", e);
	*inode = m->tree.names[node].inode;
	return 0;
}

static void set_source(struct merge *m, uint32_t inode, size_t entry)
{
	m->tree.inodes[inode].layer = (uint16_t)m->layer_count;
	m->tree.inodes[inode].entry = (uint32_t)entry;
}

static int put_name(struct merge *m, const char *path, size_t len, uint32_t inode, struct err *e)
{
	const size_t name_at = last_component(path, len);
	uint32_t dir = MERGE_ROOT;

	if (walk_to_dir(m, path, name_at ? name_at - 1 : 0, true, &dir, e) < 0)
		return -1;
	uint32_t node = merge_tree_find(&m->tree, dir, path + name_at, len - name_at);
	if (node == MERGE_NONE)
		return merge_tree_add(&m->tree, dir, path + name_at, len - name_at, inode, &node,
				      e);
	merge_tree_relink(&m->tree, node, inode);
	return 0;
}

/* layer.md, "Additions and modifications": a directory over a directory keeps what is in it. */
static int put_dir(struct merge *m, const char *path, size_t len, size_t at, struct err *e)
{
	uint32_t dir = MERGE_ROOT;

	if (walk_to_dir(m, path, len, true, &dir, e) < 0)
		return -1;
	set_source(m, m->tree.names[dir].inode, at);
	return 0;
}

static int put_entry(struct merge *m, const struct layer_index *ix, size_t at,
		     struct entry_scratch *scratch, struct err *e)
{
	const char *path;
	size_t len;
	uint32_t inode = 0;
	const enum entry_kind kind = layer_index_path(ix, at, &path, &len);

	if (kind == ENTRY_DIR)
		return put_dir(m, path, len, at, e);
	if (len == 0)
		return err_set(e, ERR_FORMAT, "the layer's root is not a directory");
	if (kind == ENTRY_HARDLINK) {
		struct entry en;
		if (layer_index_entry(ix, at, scratch, &en, e) < 0 ||
		    link_target(m, &en, &inode, e) < 0)
			return -1;
	} else if (merge_tree_new_inode(&m->tree, kind, (uint16_t)m->layer_count, (uint32_t)at,
					&inode, e) < 0) {
		return -1;
	}
	return put_name(m, path, len, inode, e);
}

/* Only after apply_whiteouts: 1 for an entry that is put, 0 for a whiteout, -1. */
static int is_content(const struct layer_index *ix, size_t at, struct entry_scratch *scratch,
		      struct err *e)
{
	const char *path;
	size_t len;
	struct entry en;
	enum whiteout_kind kind;
	size_t hidden;

	layer_index_path(ix, at, &path, &len);
	if (!may_be_whiteout(path, len))
		return 1;
	if (layer_index_entry(ix, at, scratch, &en, e) < 0 ||
	    whiteout_classify(&en, &kind, &hidden, e) < 0)
		return -1;
	return kind == WHITEOUT_NONE;
}

static int apply_entries(struct merge *m, const struct layer_index *ix, bool has_whiteouts,
			 struct err *e)
{
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	const size_t count = layer_index_entry_count(ix);

	for (size_t at = 0; at < count; at++) {
		const int wanted = has_whiteouts ? is_content(ix, at, &scratch, e) : 1;
		if (wanted < 0 || (wanted > 0 && put_entry(m, ix, at, &scratch, e) < 0))
			return -1;
	}
	return 0;
}

int merge_add_layer(struct merge *m, const struct layer_index *ix, struct err *e)
{
	const size_t count = layer_index_entry_count(ix);
	bool has_whiteouts = false;

	if (m->layer_count >= LIMIT_LAYERS)
		return err_set(e, ERR_LIMIT, "more than %d layers", LIMIT_LAYERS);
	if (count > (uint64_t)LIMIT_ENTRIES - m->entry_count)
		return err_set(e, ERR_LIMIT, "the layers have more than %d entries", LIMIT_ENTRIES);
	if (layer_index_size(ix) > LIMIT_LAYER_INDEXES - m->index_bytes)
		return err_set(e, ERR_LIMIT,
			       "the layer indexes have more than %" PRIu64 " bytes together",
			       LIMIT_LAYER_INDEXES);
	if (array_reserve(&m->layers, &m->layer_cap, m->layer_count + 1, sizeof(const void *), e) <
	    0)
		return -1;
	m->layers[m->layer_count] = ix;
	if (merge_tree_reserve(&m->tree, count, e) < 0)
		return -1;
	if (apply_whiteouts(m, ix, &has_whiteouts, e) < 0 ||
	    apply_entries(m, ix, has_whiteouts, e) < 0)
		return -1;
	m->layer_count++;
	m->entry_count += count;
	m->index_bytes += layer_index_size(ix);
	return 0;
}
