/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a step puts where: every path of the image with what goes there, sorted, the last of two for
 * one path winning, missing parents added.
 *
 * Private to packer/copy_*.c.  Calls: copy_list_start -> copy_list_add* -> copy_list_finish; then
 * the items are there to be written.
 */
#ifndef PACKER_COPY_LIST_H
#define PACKER_COPY_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/stamp.h"
#include "image/entry.h"
#include "image/merge.h"
#include "packer/accounts.h"
#include "packer/copy_layer.h"
#include "packer/stage.h"

/* Where an item's content comes from. */
enum item_origin {
	ITEM_MADE_UP, /* a directory that is there for what it holds */
	ITEM_CONTEXT,
	ITEM_TEXT, /* that the manifest holds */
	ITEM_ARCHIVE,
};

struct copy_item {
	enum item_origin origin;
	enum entry_kind kind;
	char *path;   /* in the image, canonical */
	char *source; /* ITEM_CONTEXT: in the context; ITEM_TEXT: the content itself */
	char *target; /* of a link; NULL */
	uint32_t mode;
	struct owner owner;
	uint64_t size;     /* of the content */
	struct stamp seen; /* ITEM_CONTEXT: it must still be this very file when it is read */
	size_t archive;    /* ITEM_ARCHIVE: which one of the list, */
	merge_node node;   /* and what of it */
	bool is_dropped;   /* goes with the next drop_marked */
	size_t order;      /* of discovery: the later one wins */
};

struct archive;

struct copy_list {
	struct copy_item *items;
	size_t count, cap;
	struct archive **archives;
	size_t archive_count, archive_cap;
	struct owner owner; /* of what is made up */
	bool is_link;       /* does not look at the stage */
	bool has_changed;   /* a file of the context did, while it was written */
};

/* An empty list; `owner` as accounts_owner has it. */
struct copy_list *copy_list_start(const struct stage *st, const char *owner, bool is_link,
				  struct err *e);

/* `item` is copied, and its texts too.  ERR_LIMIT, ERR_UNSUPPORTED for what would be a whiteout. */
int copy_list_add(struct copy_list *l, const struct copy_item *item, struct err *e);

/* A directory of mode 0755. */
int copy_list_add_dir(struct copy_list *l, const char *path, struct err *e);

/* Sorts and completes.  ERR_EXISTS: a directory and something else would have one path. */
int copy_list_finish(struct copy_list *l, const struct stage *st, struct err *e);

#endif
