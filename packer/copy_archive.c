/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/copy_archive.h"

#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "packer/tree_content.h"

/* A directory of the archive on the way of the walk. */
struct level {
	merge_node next; /* of its children; MERGE_ROOT: none is left */
	char *path;      /* in the image */
};

struct unpacking {
	struct copy_list *list;
	const struct stage *stage;
	const struct merge *tree;
	size_t archive; /* its number in the list */
	bool has_owner;
	struct entry_scratch scratch;
	struct level *levels;
	size_t depth;
};

static int push(struct unpacking *u, merge_node dir, const char *path, struct err *e)
{
	/* A tree that was merged is not deeper. */
	struct level *l = &u->levels[u->depth];

	*l = (struct level){merge_first_child(u->tree, dir), str_dup(path, e)};
	if (!l->path)
		return -1;
	u->depth++;
	return 0;
}

/* A directory that only the names below it tell of: tar goes through what is there. */
static int follow(struct unpacking *u, struct str *path, struct err *e)
{
	SCOPE(str) struct str real = STR_INIT;
	enum entry_kind kind;

	if (u->list->is_link || !stage_find(u->stage, path->data, path->len, &kind) ||
	    kind != ENTRY_SYMLINK)
		return 0;
	if (merge_real_path(stage_tree(u->stage), path->data, &real, e) < 0)
		return -1;
	str_truncate(path, 0);
	return str_append(path, str_text(&real), real.len, e);
}

/* Adds one node, whose path in the image may turn out to be another. */
static int add_node(struct unpacking *u, merge_node node, struct str *path, struct err *e)
{
	struct entry en;
	size_t layer;
	const int is_named = merge_entry(u->tree, node, &u->scratch, &en, &layer, e);

	if (is_named < 0)
		return -1;
	if (!is_named)
		return follow(u, path, e);
	const struct copy_item item = {
		.origin = ITEM_ARCHIVE,
		.kind = en.kind,
		.path = path->data,
		.mode = en.mode,
		.owner = u->has_owner ? u->list->owner : (struct owner){en.uid, en.gid},
		.size = en.kind == ENTRY_REG ? en.size : 0,
		.archive = u->archive,
		.node = node,
	};
	return copy_list_add(u->list, &item, e);
}

/* The next node of the walk, or the end of a directory. */
static int step(struct unpacking *u, struct err *e)
{
	struct level *l = &u->levels[u->depth - 1];
	SCOPE(str) struct str path = STR_INIT;
	const merge_node node = l->next;
	size_t len;

	if (node == MERGE_ROOT) {
		free(l->path);
		u->depth--;
		return 0;
	}
	l->next = merge_next_sibling(u->tree, node);
	const char *name = merge_name(u->tree, node, &len);
	if (str_append_z(&path, l->path, e) < 0 || (path.len && str_append_c(&path, '/', e) < 0) ||
	    str_append(&path, name, len, e) < 0 || add_node(u, node, &path, e) < 0)
		return -1;
	return merge_kind(u->tree, node) == ENTRY_DIR ? push(u, node, str_text(&path), e) : 0;
}

static int walk(struct unpacking *u, const char *dest, struct err *e)
{
	int r = push(u, MERGE_ROOT, dest, e);

	while (r == 0 && u->depth)
		r = step(u, e);
	while (u->depth)
		free(u->levels[--u->depth].path);
	return r;
}

int copy_archive_add(struct copy_list *l, const struct stage *st, struct archive *archive,
		     const char *dest, bool has_owner, struct err *e)
{
	SCOPE_FREE struct level *levels = array_new(LIMIT_DEPTH + 1, sizeof(*levels), e);
	struct unpacking u = {
		.list = l,
		.stage = st,
		.tree = archive->merge,
		.archive = l->archive_count,
		.has_owner = has_owner,
		.scratch = ENTRY_SCRATCH_INIT,
		.levels = levels,
	};

	if (!levels || array_reserve(&l->archives, &l->archive_cap, l->archive_count + 1,
				     sizeof(struct archive *), e) < 0)
		return -1;
	const int r = walk(&u, dest, e);
	entry_scratch_fini(&u.scratch);
	if (r == 0)
		l->archives[l->archive_count++] = archive;
	return r;
}

/* By inode of an archive: the path that it was written at; NULL: not yet. */
struct names {
	const char **paths;
	size_t count, cap;
};

struct archive_writer {
	const struct copy_list *list;
	const struct layer_index **indexes;
	int *fds;
	struct tree_content *content;
	struct names *written; /* of each archive */
	struct entry_scratch scratch;
};

struct archive_writer *archive_writer_new(const struct copy_list *l, struct err *e)
{
	SCOPE(archive_writer) struct archive_writer *a = array_new(1, sizeof(*a), e);

	if (!a)
		return NULL;
	a->list = l;
	a->indexes = array_new(l->archive_count, sizeof(const struct layer_index *), e);
	a->fds = a->indexes ? array_new(l->archive_count, sizeof(*a->fds), e) : NULL;
	a->written = a->fds ? array_new(l->archive_count, sizeof(*a->written), e) : NULL;
	if (!a->written)
		return NULL;
	for (size_t i = 0; i < l->archive_count; i++) {
		a->indexes[i] = l->archives[i]->tree.ix;
		a->fds[i] = l->archives[i]->tree.fd;
	}
	a->content = tree_content_new(a->indexes, a->fds, e);
	return a->content ? steal_ptr(&a) : NULL;
}

void archive_writer_free(struct archive_writer *a)
{
	if (!a)
		return;
	for (size_t i = 0; a->written && i < a->list->archive_count; i++)
		free(a->written[i].paths);
	free(a->written);
	tree_content_free(a->content);
	entry_scratch_fini(&a->scratch);
	free(a->indexes);
	free(a->fds);
	free(a);
}

/* Where the item's inode was written before, or NULL: now it is. */
static int note_inode(struct names *n, uint32_t inode, const char *path, const char **before,
		      struct err *e)
{
	if (inode >= n->count) {
		const size_t want = (size_t)inode + 1;
		if (array_reserve(&n->paths, &n->cap, want, sizeof(*n->paths), e) < 0)
			return -1;
		for (size_t i = n->count; i < want; i++)
			n->paths[i] = NULL;
		n->count = want;
	}
	*before = n->paths[inode];
	if (!*before)
		n->paths[inode] = path;
	return 0;
}

/* Another name of what was written at `target`. */
static void make_hardlink(struct entry *en, const char *target)
{
	en->kind = ENTRY_HARDLINK;
	en->link = target;
	en->link_len = strlen(target);
	en->size = 0;
	en->xattrs = NULL;
	en->xattr_count = 0;
	en->rdev_major = en->rdev_minor = 0;
}

int archive_writer_add(struct archive_writer *a, const struct copy_item *item, int64_t epoch,
		       struct layer_writer *w, struct err *e)
{
	const struct merge *tree = a->list->archives[item->archive]->merge;
	const char *before = NULL;
	struct entry en;
	size_t layer;

	if (merge_entry(tree, item->node, &a->scratch, &en, &layer, e) < 0)
		return -1;
	/* All of an archive is one layer; here each archive is one. */
	struct tree_content_file file = {.content = a->content, .en = &en, .layer = item->archive};
	const struct layer_source src = {tree_content_read, &file};
	if (en.kind != ENTRY_DIR &&
	    note_inode(&a->written[item->archive], merge_inode(tree, item->node), item->path,
		       &before, e) < 0)
		return -1;
	en.path = item->path;
	en.path_len = strlen(item->path);
	en.uid = item->owner.uid;
	en.gid = item->owner.gid;
	if (en.mtime >= epoch) {
		en.mtime = epoch;
		en.mtime_nsec = 0;
	}
	if (before)
		make_hardlink(&en, before);
	return layer_writer_add(w, &en, en.size ? &src : NULL, e);
}
