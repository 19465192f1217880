/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the layer of a list depends on, as a key: two lists with one key give the same bytes.
 * Within one build that goes for every list, as the context is read at one time; beyond it only
 * for those whose key lasts.
 *
 * All that is written is in the list, but the content of files: that stands for itself by device,
 * inode, size, mtime and ctime, as in git's index.  Nobody can set a ctime, and every write moves
 * it; so what was read when its ctime was past already has changed when the ctime has.  Where that
 * does not hold no key lasts: on file systems that are not known for it, and for what another
 * one is mounted below; nor does that of an archive, which ADD unpacks.  (As with git, a program
 * that goes on writing through a mapping that it wrote through before the file was read may move no
 * time.)
 */
#ifndef PACKER_COPY_KEY_H
#define PACKER_COPY_KEY_H

#include <stdbool.h>
#include <time.h>

#include "base/digest.h"
#include "image/compression.h"
#include "packer/context.h"
#include "packer/copy_layer.h"

struct digest copy_key(const struct copy_list *l, int64_t epoch,
		       const struct compression *compression);

/* Whether the key of such a list means the same in another build. */
bool copy_key_lasts(const struct copy_list *l, const struct context *c);

/* Whether what was read from `since` on is what the key speaks of: no file changed while it was
 * read, and none so shortly before that the next change could have the same time. */
bool copy_key_holds(const struct copy_list *l, const struct timespec *since);

#endif
