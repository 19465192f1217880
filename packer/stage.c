/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/stage.h"

#include <string.h>

#include "base/array.h"
#include "base/quote.h"
#include "image/layer_scan.h"

struct stage_layer {
	struct layer_index *index;
	struct catalog_layer info; /* where its frames are */
};

struct stage {
	const struct store *store;
	struct lease *lease;
	const struct layers_options *opt;
	struct merge *tree;
	struct stage_layer *layers;
	size_t count, cap;
};

int stage_add_layer(struct stage *st, const struct descriptor *layer, const struct digest *diff_id,
		    struct err *e)
{
	struct stage_layer added;

	if (array_reserve(&st->layers, &st->cap, st->count + 1, sizeof(*st->layers), e) < 0 ||
	    lease_add(st->lease, &layer->digest, e) < 0 ||
	    layers_index(st->store, layer, diff_id, st->opt, &added.index, &added.info, e) < 0)
		return -1;
	/* Kept even when the merge fails: the tree points into it. */
	st->layers[st->count++] = added;
	return merge_add_layer(st->tree, added.index, e);
}

struct stage *stage_new(const struct store *s, struct lease *lease, const struct image *base,
			const struct layers_options *opt, struct err *e)
{
	struct stage *st = array_new(1, sizeof(*st), e);

	if (!st)
		return NULL;
	st->store = s;
	st->lease = lease;
	st->opt = opt;
	st->tree = merge_new(e);
	if (!st->tree)
		goto fail;
	for (size_t i = 0; base && i < base->manifest.layer_count; i++) {
		if (stage_add_layer(st, &base->manifest.layers[i], &base->config.diff_ids[i], e) <
		    0)
			goto fail;
	}
	return st;
fail:
	stage_free(st);
	return NULL;
}

void stage_free(struct stage *st)
{
	if (!st)
		return;
	merge_free(st->tree);
	for (size_t i = 0; i < st->count; i++)
		layer_index_free(st->layers[i].index);
	free(st->layers);
	free(st);
}

const struct store *stage_store(const struct stage *st)
{
	return st->store;
}

const struct layers_options *stage_options(const struct stage *st)
{
	return st->opt;
}

const struct merge *stage_tree(const struct stage *st)
{
	return st->tree;
}

bool stage_find(const struct stage *st, const char *path, size_t len, enum entry_kind *kind)
{
	merge_node node = MERGE_ROOT;

	*kind = ENTRY_DIR;
	while (len) {
		const char *slash = memchr(path, '/', len);
		const size_t name = slash ? (size_t)(slash - path) : len;
		if (*kind != ENTRY_DIR || !merge_lookup(st->tree, node, path, name, &node))
			return false;
		*kind = merge_kind(st->tree, node);
		path += name + (slash != NULL);
		len -= name + (slash != NULL);
	}
	return true;
}

/* The content of an entry, holes as zeros. */
static int read_entry(const struct stage *st, const struct entry *en, size_t layer, char *out,
		      struct err *e)
{
	const struct stage_layer *l = &st->layers[layer];
	SCOPE_FD int fd = layers_open_frames(st->store, &l->info, e);

	if (fd < 0)
		return -1;
	for (size_t i = 0; i < en->extent_count; i++) {
		const struct extent *x = &en->extents[i];
		if (layer_read(fd, l->index, x->tar_offset, out + x->file_offset, (size_t)x->length,
			       e) < 0)
			return -1;
	}
	return 0;
}

int stage_read_file(const struct stage *st, const char *path, uint64_t limit, struct str *out,
		    struct err *e)
{
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	struct entry en;
	merge_node node;
	size_t layer;
	char q[QUOTE_MAX];

	const int found = merge_resolve(st->tree, path, true, &node, e);
	if (found <= 0)
		return found;
	if (merge_kind(st->tree, node) != ENTRY_REG)
		return 0;
	if (merge_entry(st->tree, node, &scratch, &en, &layer, e) < 0)
		return -1;
	if (en.size > limit)
		return err_set(e, ERR_LIMIT, "'%s' of the image is longer than %llu bytes",
			       quote_str(q, path), (unsigned long long)limit);
	const size_t start = out->len;
	if (str_append_zeros(out, (size_t)en.size, e) < 0)
		return -1;
	if (en.size && read_entry(st, &en, layer, out->data + start, e) < 0)
		return err_wrap(e, "'%s' of the image", quote_str(q, path));
	return 1;
}
