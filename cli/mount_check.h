/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a user who is not root may mount.
 */
#ifndef CLI_MOUNT_CHECK_H
#define CLI_MOUNT_CHECK_H

#include "base/err.h"
#include "fs/mount.h"

/* What fusermount3(1) would refuse to a user, told with its reason. */
int mount_check_user(const struct mount_options *opt, struct err *e);

#endif
