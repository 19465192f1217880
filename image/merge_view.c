/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a merge; merge.c is how it comes to be. */
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/quote.h"
#include "image/merge.h"
#include "image/merge_tree.h"
#include "image/resolve.h"

enum { MADE_UP_MODE = 0755 };

int merge_lookup(const struct merge *m, merge_node dir, const char *name, size_t len,
		 merge_node *out)
{
	const uint32_t node = merge_tree_find(&m->tree, dir, name, len);

	if (node == MERGE_NONE)
		return 0;
	*out = node;
	return 1;
}

enum entry_kind merge_kind(const struct merge *m, merge_node node)
{
	return (enum entry_kind)m->tree.names[node].kind;
}

int merge_entry(const struct merge *m, merge_node node, struct entry_scratch *scratch,
		struct entry *out, size_t *layer, struct err *e)
{
	const struct merge_inode *i = merge_tree_inode(&m->tree, node);

	if (i->layer == MERGE_MADE_UP) {
		size_t len;
		const char *name = merge_name(m, node, &len);
		*out = (struct entry){
			.path = name, .path_len = len, .kind = ENTRY_DIR, .mode = MADE_UP_MODE};
		*layer = 0;
		return 0;
	}
	*layer = i->layer;
	return layer_index_entry(m->layers[i->layer], i->entry, scratch, out, e) < 0 ? -1 : 1;
}

merge_node merge_first_child(const struct merge *m, merge_node dir)
{
	merge_tree_sort(&m->tree, dir);
	return m->tree.names[dir].first_child;
}

merge_node merge_next_sibling(const struct merge *m, merge_node node)
{
	return m->tree.names[node].next;
}

const char *merge_name(const struct merge *m, merge_node node, size_t *len)
{
	*len = m->tree.names[node].name_len;
	return m->tree.names[node].name;
}

merge_node merge_parent(const struct merge *m, merge_node node)
{
	return m->tree.names[node].parent;
}

uint32_t merge_inode(const struct merge *m, merge_node node)
{
	return m->tree.names[node].inode;
}

static int tree_lookup(const void *tree, uint32_t dir, const char *name, size_t len, uint32_t *out,
		       struct err *e)
{
	(void)e;
	return merge_lookup(tree, dir, name, len, out);
}

static int tree_type(const void *tree, uint32_t node, uint32_t *out, struct err *e)
{
	const enum entry_kind kind = merge_kind(tree, node);

	(void)e;
	/* A walk tells only these apart. */
	*out = kind == ENTRY_DIR ? S_IFDIR : kind == ENTRY_SYMLINK ? S_IFLNK : S_IFREG;
	return 0;
}

static int tree_readlink(const void *tree, uint32_t link, struct str *out, struct err *e)
{
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	struct entry en;
	size_t layer;

	if (merge_entry(tree, link, &scratch, &en, &layer, e) < 0)
		return -1;
	return str_append(out, en.link, en.link_len, e);
}

static int tree_parent(const void *tree, uint32_t node, uint32_t *out, struct err *e)
{
	(void)e;
	*out = merge_parent(tree, node);
	return 0;
}

static struct resolve_tree walk_of(const struct merge *m)
{
	return (struct resolve_tree){m, tree_lookup, tree_type, tree_readlink, tree_parent};
}

int merge_resolve(const struct merge *m, const char *path, bool follow, merge_node *out,
		  struct err *e)
{
	const struct resolve_tree t = walk_of(m);

	return resolve_path(&t, path, follow, out, e);
}

/* Appends the path of a node, without a leading "/". */
static int append_path(const struct merge *m, merge_node node, struct str *out, struct err *e)
{
	merge_node way[LIMIT_DEPTH];
	size_t depth = 0;

	/* No deeper than LIMIT_DEPTH: every path of the merge was walked with that bound. */
	for (merge_node at = node; at != MERGE_ROOT && depth < LIMIT_DEPTH;
	     at = merge_parent(m, at))
		way[depth++] = at;
	for (size_t i = depth; i-- > 0;) {
		size_t len;
		const char *name = merge_name(m, way[i], &len);
		if (str_append(out, name, len, e) < 0 || (i > 0 && str_append_c(out, '/', e) < 0))
			return -1;
	}
	return 0;
}

int merge_real_path(const struct merge *m, const char *path, struct str *out, struct err *e)
{
	const struct resolve_tree t = walk_of(m);
	SCOPE(str) struct str rest = STR_INIT;
	SCOPE(str) struct str real = STR_INIT;
	merge_node node;
	char name[QUOTE_MAX];

	if (resolve_prefix(&t, path, &node, &rest, e) < 0 || append_path(m, node, &real, e) < 0)
		return -1;
	if (real.len > 0 && rest.len > 0 && str_append_c(&real, '/', e) < 0)
		return -1;
	if (str_append_z(&real, str_text(&rest), e) < 0)
		return -1;
	if (real.len > LIMIT_PATH)
		return err_set(e, ERR_LIMIT, "path '%s' leads to one longer than %d bytes",
			       quote_str(name, path), LIMIT_PATH);
	return str_append_z(out, str_text(&real), e);
}
