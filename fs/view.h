/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A view: an image opened for reading.  Its catalog, the files that hold its layers' frames, and a
 * frame cache; what the mount, cat and cp read through.
 *
 * A view holds a lease on its image and all files open, so gc and rm cannot take anything from
 * under it. Every byte that view_read gives was hashed against the frame's digest; a mismatch is
 * ERR_DIGEST.
 *
 * Threads: everything but open and close may be called from any thread.
 */
#ifndef FS_VIEW_H
#define FS_VIEW_H

#include <sys/types.h>

#include "base/err.h"
#include "base/scope.h"
#include "fs/cache.h"
#include "image/catalog.h"
#include "store/catalogs.h"
#include "store/image.h"
#include "store/store.h"

#define VIEW_CACHE_DEFAULT (32 * LIMIT_MIB)
#define VIEW_CACHE_MIN     (4 * LIMIT_MIB)

struct view;

/* Of view_open.  A layer whose frames are not there, or damaged as a whole, is warned of, and fails
 * when it is read (ERR_NOT_FOUND); where the catalog is still kept, all else is as it was.  With
 * this and with CATALOGS_KEPT nothing that was derived is removed, unless it can be derived anew.
 */
enum { VIEW_WITHOUT_LOST = 1 << 8 };

/* `flags`: CATALOGS_*, VIEW_WITHOUT_LOST.  `what` names the user of the lease.  `s` and `im` are
 * borrowed until view_close. */
struct view *view_open(const struct store *s, const struct image *im, unsigned flags,
		       uint64_t cache_bytes, const char *what, const struct layers_options *opt,
		       struct err *e);
void view_close(struct view *v);
SCOPE_DEFINE(view, struct view *, view_close)

const struct catalog *view_catalog(const struct view *v);

/*
 * After a failure of a catalog_* call: when `e` says that the catalog is damaged, builds it anew
 * from the layers, which gives the same inode numbers, and returns true with `e` cleared: call
 * again.  `seen` is view_catalog() of before the call: when another thread has repaired it since,
 * there is nothing more to do.  When it cannot be built, that is logged, `e` still says that the
 * catalog is damaged, and nobody tries again for a while.
 */
bool view_repair(struct view *v, const struct catalog *seen, struct err *e);

/* The value of `call` (an int, -1 on failure), tried again once after a repair. */
#define VIEW_RETRY(v, e, call)                                        \
	({                                                            \
		const struct catalog *view_seen_ = view_catalog(v);   \
		int view_retry_ = (call);                             \
		if (view_retry_ < 0 && view_repair(v, view_seen_, e)) \
			view_retry_ = (call);                         \
		view_retry_;                                          \
	})

/* Content of a regular file: bytes (0 at its end), or -1.  Holes read as zeros. */
ssize_t view_read(struct view *v, uint32_t inode, uint64_t offset, void *buf, size_t len,
		  struct err *e);

/*
 * The same without a copy: bytes from `offset` that lie together, pinned until view_span_put. `len`
 * is at most what was asked; 0 at the end of the file.  For the mount, which answers most reads
 * from one frame.
 */
struct view_span {
	const uint8_t *bytes; /* NULL: a hole */
	size_t len;
	struct cache_frame *frame; /* NULL: nothing is pinned */
};
int view_span(struct view *v, uint32_t inode, uint64_t offset, size_t len, struct view_span *out,
	      struct err *e);
void view_span_put(struct view *v, struct view_span *span);

struct cache_stats view_cache_stats(const struct view *v);

#endif
