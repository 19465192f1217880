/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs: content under the name of its digest, 0444, never changed.
 *
 * Every put and every decision to reuse a blob goes through a lease (store/lease.h).
 * Source: OCI image-spec, image-layout.md.
 */
#ifndef STORE_BLOBS_H
#define STORE_BLOBS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/progress.h"
#include "base/str.h"
#include "store/lease.h"
#include "store/store.h"

struct stat;

#define BLOBS_ANY_SIZE UINT64_MAX

/* An fd (O_RDONLY, O_NOFOLLOW), or -1: ERR_NOT_FOUND; ERR_DIGEST when the file's size is not
 * `size`; ERR_FORMAT when it is no regular file.  Content is not read. */
int blobs_open(const struct store *s, const struct digest *d, uint64_t size, struct err *e);

/* 1 there with that size, 0 not, -1.  Leases it first; `l` NULL: it may go any time. */
int blobs_has(const struct store *s, struct lease *l, const struct digest *d, uint64_t size,
	      struct err *e);

/* A small document, whole and verified; ERR_LIMIT over `limit`, ERR_DIGEST. */
int blobs_read(const struct store *s, const struct digest *d, uint64_t size, uint64_t limit,
	       struct str *out, struct err *e);

/* A nameless file on the store's file system, to be written and then published. */
int blobs_tmpfile(const struct store *s, struct err *e);

/* Names a finished tmpfile; the caller has computed `d` over what it wrote.  A damaged blob of that
 * name is replaced. */
int blobs_publish(const struct store *s, struct lease *l, int fd, const struct digest *d,
		  struct err *e);

int blobs_put_bytes(const struct store *s, struct lease *l, const void *bytes, size_t len,
		    struct digest *out, struct err *e);

/* Where a blob comes from: any count up to `len`, 0 at the end, -1 with the error set. */
struct blob_source {
	ssize_t (*read)(void *ctx, void *buf, size_t len, struct err *e);
	void *ctx;
};

/*
 * Takes a blob in while verifying: ERR_DIGEST when size or digest differ (it stops reading at the
 * first byte too many).  A blob that is there already is compared, and written again only when it
 * is damaged.
 */
int blobs_put(const struct store *s, struct lease *l, const struct digest *d, uint64_t size,
	      const struct blob_source *src, struct progress *progress, struct err *e);

/* Calls `each` for every name below blobs/, as lstat(2) has it; `d` is NULL for one that is no
 * digest. */
int blobs_visit(const struct store *s,
		int (*each)(void *ctx, const struct digest *d, const char *name,
			    const struct stat *st, struct err *e),
		void *ctx, struct err *e);

#endif
