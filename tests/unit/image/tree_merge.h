/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers of text (tree_text.h), merged.
 */
#ifndef TESTS_UNIT_IMAGE_TREE_MERGE_H
#define TESTS_UNIT_IMAGE_TREE_MERGE_H

#include "image/merge.h"
#include "tests/unit/image/tree_text.h"

enum { TREE_LAYERS = 6 };

struct tree {
	struct merge *m;
	struct layer_index *layers[TREE_LAYERS];
	size_t count;
};

/* Merges layers of text up to the NULL: 0, or -1 as merge_add_layer.  tree_fini in any case. */
static inline int tree_init(struct tree *t, const char *const *texts, struct err *e)
{
	*t = (struct tree){0};
	t->m = merge_new(e);
	ck_assert_ptr_nonnull(t->m);
	for (; *texts; texts++) {
		ck_assert_uint_lt(t->count, TREE_LAYERS);
		t->layers[t->count++] = tree_layer(*texts);
		if (merge_add_layer(t->m, t->layers[t->count - 1], e) < 0)
			return -1;
	}
	return 0;
}

static inline void tree_fini(struct tree *t)
{
	merge_free(t->m);
	for (size_t i = 0; i < t->count; i++)
		layer_index_free(t->layers[i]);
}
SCOPE_DEFINE_VALUE(tree, struct tree, tree_fini)

#endif
