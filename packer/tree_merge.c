/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks a merge in the order of a layer.
 */
#include "packer/tree_layer.h"

#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "packer/tree_content.h"

struct merge_walk {
	struct layer_writer *w;
	const struct merge *m;
	struct progress *progress;
	struct str path; /* of the current node */
	struct entry_scratch scratch;
	/* By inode: the name that it was written under; MERGE_ROOT: not yet. */
	merge_node *first;
	size_t first_count;
	size_t first_cap;
	struct tree_content *content;
};

/* Appends the path of a node that is not on the way of the walk. */
static int append_path(const struct merge *m, merge_node node, struct str *out, struct err *e)
{
	merge_node way[LIMIT_DEPTH];
	size_t depth = 0;

	for (merge_node at = node; at != MERGE_ROOT && depth < LIMIT_DEPTH;
	     at = merge_parent(m, at))
		way[depth++] = at;
	while (depth-- > 0) {
		size_t len;
		const char *name = merge_name(m, way[depth], &len);
		if (str_append(out, name, len, e) < 0 ||
		    (depth > 0 && str_append_c(out, '/', e) < 0))
			return -1;
	}
	return 0;
}

/* The node that the inode was written under before; MERGE_ROOT: it was not, and this is it. */
static int note_inode(struct merge_walk *k, merge_node node, merge_node *known, struct err *e)
{
	const uint32_t inode = merge_inode(k->m, node);

	if (inode >= k->first_count) {
		const size_t want = (size_t)inode + 1;
		if (array_reserve(&k->first, &k->first_cap, want, sizeof(*k->first), e) < 0)
			return -1;
		memset(k->first + k->first_count, 0, (want - k->first_count) * sizeof(*k->first));
		k->first_count = want;
	}
	/* The root is no file, so that it says "none". */
	*known = k->first[inode];
	if (!*known)
		k->first[inode] = node;
	return 0;
}

static int add_hardlink(struct merge_walk *k, const struct entry *file, merge_node first,
			struct err *e)
{
	SCOPE(str) struct str target = STR_INIT;

	if (append_path(k->m, first, &target, e) < 0)
		return -1;
	const struct entry en = {
		.kind = ENTRY_HARDLINK,
		.path = str_text(&k->path),
		.path_len = k->path.len,
		.link = target.data,
		.link_len = target.len,
		.mode = file->mode,
		.uid = file->uid,
		.gid = file->gid,
		.mtime = file->mtime,
		.mtime_nsec = file->mtime_nsec,
	};
	return layer_writer_add(k->w, &en, NULL, e);
}

/* Adds the node whose path `path` is. */
static int add(struct merge_walk *k, merge_node node, struct err *e)
{
	struct entry en;
	struct tree_content_file content = {.content = k->content, .en = &en};
	const struct layer_source src = {tree_content_read, &content};
	merge_node first = MERGE_ROOT;

	progress_name(k->progress, str_text(&k->path));
	if (merge_entry(k->m, node, &k->scratch, &en, &content.layer, e) < 0)
		return -1;
	en.path = str_text(&k->path);
	en.path_len = k->path.len;
	if (en.kind != ENTRY_DIR && note_inode(k, node, &first, e) < 0)
		return -1;
	if (first != MERGE_ROOT)
		return add_hardlink(k, &en, first, e);
	return layer_writer_add(k->w, &en, en.size ? &src : NULL, e);
}

static int push_name(struct merge_walk *k, merge_node node, struct err *e)
{
	size_t len;
	const char *name = merge_name(k->m, node, &len);

	if (k->path.len && str_append_c(&k->path, '/', e) < 0)
		return -1;
	return str_append(&k->path, name, len, e);
}

static void pop_name(struct merge_walk *k, merge_node node)
{
	size_t len;

	merge_name(k->m, node, &len);
	/* With the "/" in front of it, which a name in the root does not have. */
	str_truncate(&k->path, k->path.len > len ? k->path.len - len - 1 : 0);
}

/* The node after `node`'s subtree; MERGE_ROOT at the end. */
static merge_node skip(struct merge_walk *k, merge_node node)
{
	while (node != MERGE_ROOT) {
		const merge_node next = merge_next_sibling(k->m, node);
		pop_name(k, node);
		if (next != MERGE_ROOT)
			return next;
		node = merge_parent(k->m, node);
	}
	return MERGE_ROOT;
}

static int walk_all(struct merge_walk *k, struct err *e)
{
	merge_node node = MERGE_ROOT;

	if (add(k, node, e) < 0)
		return -1;
	for (;;) {
		const bool is_dir = merge_kind(k->m, node) == ENTRY_DIR;
		const merge_node child = is_dir ? merge_first_child(k->m, node) : MERGE_ROOT;
		node = child != MERGE_ROOT ? child : skip(k, node);
		if (node == MERGE_ROOT)
			return 0;
		if (push_name(k, node, e) < 0 || add(k, node, e) < 0)
			return -1;
	}
}

int tree_layer_from_merge(struct layer_writer *w, const struct merge *m,
			  const struct layer_index *const *indexes, const int *fds,
			  struct progress *progress, struct err *e)
{
	struct merge_walk k = {
		.w = w,
		.m = m,
		.progress = progress,
		.scratch = ENTRY_SCRATCH_INIT,
	};
	int r = -1;

	progress_begin(progress, "packing", 0);
	layer_writer_set_progress(w, progress);
	k.content = tree_content_new(indexes, fds, e);
	if (k.content)
		r = walk_all(&k, e);
	if (r < 0) {
		char q[QUOTE_MAX];
		err_wrap(e, "'%s'", quote_bytes(q, str_text(&k.path), k.path.len));
	}
	tree_content_free(k.content);
	free(k.first);
	entry_scratch_fini(&k.scratch);
	str_fini(&k.path);
	return r;
}
