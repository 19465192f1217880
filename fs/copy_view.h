/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a view, as fs/copy.h copies them.
 */
#ifndef FS_COPY_VIEW_H
#define FS_COPY_VIEW_H

#include "base/scope.h"
#include "base/str.h"
#include "fs/copy.h"
#include "fs/view.h"

struct copy_view_level;

struct copy_view {
	struct copy_source source; /* first */
	struct view *view;
	uint32_t inode;
	struct copy_view_level *levels;
	size_t depth; /* how many directories are entered */
	struct view_span span;
	struct str xattr_names, xattr_value;
	size_t xattr_at; /* of the next name */
};

/* At the inode, whose `name` is left empty; `v` is borrowed.  As catalog_stat. */
int copy_view_init(struct copy_view *s, struct view *v, uint32_t inode, struct err *e);
void copy_view_fini(struct copy_view *s);
SCOPE_DEFINE_VALUE(copy_view, struct copy_view, copy_view_fini)

#endif
