/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Garbage collection: removes blobs that no ref, no lease and no session reaches, and derived files
 * of what is gone.
 *
 * Safe beside builds and mounts (store/lease.h).  A document that cannot be read keeps everything:
 * gc refuses (the error says to run fsck), because what it would have named is not known.  So does
 * a session that cannot be read: the changes in it are worth nothing without their image.
 */
#ifndef STORE_GC_H
#define STORE_GC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "store/store.h"

struct gc_report {
	uint64_t removed_blobs;
	uint64_t removed_derived; /* catalogs, layer indexes, frames */
	uint64_t removed_litter;  /* of processes that died; a folder of a session is one */
	uint64_t removed_refs;    /* to signatures of images that are gone */
	uint64_t freed_bytes;     /* of the file system: blocks, not sizes */
	uint64_t kept_blobs;
};

/* `is_dry_run`: reports what it would remove.  `progress` may be NULL. */
int gc_run(const struct store *s, bool is_dry_run, struct progress *progress, struct gc_report *out,
	   struct err *e);

#endif
