/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The FUSE requests of a read-only mount, answered from a view.
 *
 * The only place where a struct err becomes an errno (ops_errno), after it was logged.
 */
#ifndef FS_OPS_H
#define FS_OPS_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include "fs/view.h"

struct ops_context {
	struct view *view;
	const char *device_number; /* of the mount, for the readahead setting; "" when it is not to
				    * be set
				    */
	_Atomic int is_tuned;
};

/* The userdata of the session is a struct ops_context. */
extern const struct fuse_lowlevel_ops ops_readonly;

/* The errno that clients see. */
int ops_errno(const struct err *e);

#endif
