/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes of files of the host.
 */
#ifndef BASE_HOST_XATTRS_H
#define BASE_HOST_XATTRS_H

#include <stddef.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"
#include "base/xattr.h"

/* The xattrs of one file, sorted by name. */
struct host_xattrs {
	struct xattr
		*items; /* names and values are offsets into `bytes` until host_xattrs_read ends */
	size_t count;
	size_t cap;
	struct str names;
	struct str bytes;
};

/* Of `name` in the directory `dirfd` ("" for itself); no link is followed.  Reuse, and fini at the
 * end. */
int host_xattrs_read(struct host_xattrs *x, int dirfd, const char *name, struct err *e);
void host_xattrs_fini(struct host_xattrs *x);
SCOPE_DEFINE_VALUE(host_xattrs, struct host_xattrs, host_xattrs_fini)

#endif
