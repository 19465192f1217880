/* SPDX-License-Identifier: Apache-2.0 */
#include "image/catalog_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "image/catalog_format.h"
#include "image/merge_tree.h"

uint32_t catalog_plan_names(const struct merge *m, merge_node node)
{
	return merge_tree_inode(&m->tree, node)->names;
}

static int compare_links(const void *a, const void *b)
{
	const struct catalog_link *x = a;
	const struct catalog_link *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return x->dirent < y->dirent ? -1 : x->dirent > y->dirent;
}

static int add_name(struct catalog_plan *p, const struct merge *m, merge_node node, struct err *e)
{
	uint32_t *number = &p->numbers[merge_inode(m, node)];
	const uint32_t dirent = p->dirent_count++;

	p->dirents[dirent] = node;
	if (*number == CATALOG_NONE) {
		*number = p->inode_count++;
		p->nodes[*number] = node;
	}
	if (catalog_plan_names(m, node) == 1)
		return 0;
	if (array_reserve(&p->links, &p->link_cap, p->link_count + 1, sizeof(*p->links), e) < 0)
		return -1;
	p->links[p->link_count++] = (struct catalog_link){*number, dirent};
	return 0;
}

static int number_all(struct catalog_plan *p, const struct merge *m, struct err *e)
{
	p->numbers[merge_inode(m, MERGE_ROOT)] = CATALOG_ROOT;
	p->nodes[CATALOG_ROOT] = MERGE_ROOT;
	p->inode_count = 1;
	/* The nodes are the queue: `at` takes what add_name puts at the end. */
	for (uint32_t at = 0; at < p->inode_count; at++) {
		if (merge_kind(m, p->nodes[at]) != ENTRY_DIR)
			continue;
		for (merge_node child = merge_first_child(m, p->nodes[at]); child != MERGE_ROOT;
		     child = merge_next_sibling(m, child))
			if (add_name(p, m, child, e) < 0)
				return -1;
	}
	if (p->link_count > 0)
		qsort(p->links, p->link_count, sizeof(*p->links), compare_links);
	return 0;
}

int catalog_plan_init(struct catalog_plan *p, const struct merge *m, struct err *e)
{
	const size_t inode_count = m->tree.inode_count;

	*p = (struct catalog_plan){0};
	p->nodes = array_new(inode_count, sizeof(*p->nodes), e);
	if (!p->nodes)
		return -1;
	p->dirents = array_new(m->tree.live_count, sizeof(*p->dirents), e);
	if (!p->dirents)
		return -1;
	p->numbers = array_new(inode_count, sizeof(*p->numbers), e);
	if (!p->numbers)
		return -1;
	memset(p->numbers, 0xff, inode_count * sizeof(*p->numbers));
	return number_all(p, m, e);
}

void catalog_plan_fini(struct catalog_plan *p)
{
	free(p->nodes);
	free(p->dirents);
	free(p->numbers);
	free(p->links);
	*p = (struct catalog_plan){0};
}
