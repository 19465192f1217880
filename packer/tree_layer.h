/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers made from trees: a directory of the host, or a merge of layers.
 */
#ifndef PACKER_TREE_LAYER_H
#define PACKER_TREE_LAYER_H

#include "base/err.h"
#include "base/progress.h"
#include "image/layer_write.h"
#include "image/merge.h"

/*
 * Everything below `dirfd` but what is mounted there: owners, modes, times, xattrs, links, devices,
 * FIFOs, holes; sockets are left out with a warning.  A file whose size changes while it is read is
 * ERR_SYS (EBUSY... the message says so).  Memory is bounded by the widest directory and the layer
 * index, not by content.
 */
int tree_layer_from_dir(struct layer_writer *w, int dirfd, const char *what,
			struct progress *progress, struct err *e);

/* The tree of `m` in canonical order; `fds[i]` holds the frames of layer i.  Content is read
 * through the indexes. */
int tree_layer_from_merge(struct layer_writer *w, const struct merge *m,
			  const struct layer_index *const *indexes, const int *fds,
			  struct progress *progress, struct err *e);

#endif
