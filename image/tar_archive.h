/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar archive, written member by member to wherever its user wants: headers as tar_write.h has
 * them, padding, and the end.
 *
 * Not for layers, which layer_write.h cuts in frames.
 *
 * Calls: TAR_ARCHIVE_INIT -> (tar_archive_member -> (tar_archive_put | tar_archive_put_zeros)*)* ->
 * tar_archive_finish; tar_archive_fini at any time.
 */
#ifndef IMAGE_TAR_ARCHIVE_H
#define IMAGE_TAR_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"
#include "image/entry.h"

struct tar_archive {
	int (*write)(void *to, const void *bytes, size_t len, struct err *e);
	void *to;
	uint64_t left;     /* of the member's payload */
	size_t padding;    /* that follows it */
	struct str header; /* room that is used again */
};

#define TAR_ARCHIVE_INIT(write_fn, write_to)                     \
	{                                                        \
		.write = (write_fn), .to = (write_to), .left = 0 \
	}

/* The member before must be complete (asserted); en->size bytes of payload follow.  ERR_FORMAT for
 * what tar cannot hold. */
int tar_archive_member(struct tar_archive *a, const struct entry *en, struct err *e);

/* A regular file with fixed metadata: mode 0644, owner 0, mtime 0; or, with a "/" at the end of
 * `path`, a directory with mode 0755. */
int tar_archive_plain(struct tar_archive *a, const char *path, uint64_t size, struct err *e);

/* Payload, never more than was announced (asserted). */
int tar_archive_put(struct tar_archive *a, const void *bytes, size_t len, struct err *e);
int tar_archive_put_zeros(struct tar_archive *a, uint64_t len, struct err *e);

int tar_archive_finish(struct tar_archive *a, struct err *e);

void tar_archive_fini(struct tar_archive *a);
SCOPE_DEFINE_VALUE(tar_archive, struct tar_archive, tar_archive_fini)

#endif
