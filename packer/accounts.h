/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owners as COPY --chown and USER name them: "user", "user:group", names or numbers.
 *
 * Names are looked up in /etc/passwd and /etc/group of the stage, never of the host.  A name
 * without a group has the user's primary group of /etc/passwd, a number without one the group of
 * the same number, as BuildKit and buildah have it.
 */
#ifndef PACKER_ACCOUNTS_H
#define PACKER_ACCOUNTS_H

#include <stdint.h>

#include "base/err.h"
#include "packer/stage.h"

struct owner {
	uint32_t uid, gid;
};

/* `text` NULL: root.  ERR_NOT_FOUND names what is missing. */
int accounts_owner(const struct stage *st, const char *text, struct owner *out, struct err *e);

#endif
