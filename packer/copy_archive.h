/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives that ADD unpacks into a list, and the writing of what came from them.
 *
 * Private to packer/copy_*.c.  What is in an archive is data: its tree is read as that of a layer
 * is (links in it are never followed, the last entry of a path wins), and laid upon the destination
 * as tar would do it: an entry takes the place of what the stage has, but a directory that the
 * archive does not name is the stage's, and where that is a link, it is followed inside the image.
 */
#ifndef PACKER_COPY_ARCHIVE_H
#define PACKER_COPY_ARCHIVE_H

#include "packer/archives.h"
#include "packer/copy_list.h"

/* Adds all that it holds to the list, below `dest` (canonical).  Owners are the archive's unless
 * `has_owner`; then they are the list's.  Takes ownership of `archive` on success. */
int copy_archive_add(struct copy_list *l, const struct stage *st, struct archive *archive,
		     const char *dest, bool has_owner, struct err *e);

/* Writes the ITEM_ARCHIVE of a finished list, in the order of the list. */
struct archive_writer;
struct archive_writer *archive_writer_new(const struct copy_list *l, struct err *e);
/* Times after `epoch` become `epoch`. */
int archive_writer_add(struct archive_writer *a, const struct copy_item *item, int64_t epoch,
		       struct layer_writer *w, struct err *e);
void archive_writer_free(struct archive_writer *a);
SCOPE_DEFINE(archive_writer, struct archive_writer *, archive_writer_free)

#endif
