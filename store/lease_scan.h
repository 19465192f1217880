/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the leases of a store without changing them: lease_visit for those who only look.
 *
 * Private to store/.  The caller holds gc.lock in any mode, or lives with leases that come and go.
 */
#ifndef STORE_LEASE_SCAN_H
#define STORE_LEASE_SCAN_H

#include <sys/stat.h>

#include "base/digest.h"
#include "base/err.h"
#include "store/store.h"

struct lease_scan {
	/* A digest of a lease that is alive. */
	int (*digest)(void *ctx, const struct digest *d, struct err *e);
	/* A lease whose owner died; may be NULL. */
	int (*dead)(void *ctx, const char *name, const struct stat *st, struct err *e);
	void *ctx;
};

int lease_scan(const struct store *s, const struct lease_scan *what, struct err *e);

#endif
