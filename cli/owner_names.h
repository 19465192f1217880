/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of users and groups as an image has them, in its own /etc/passwd and /etc/group: never the
 * host's.
 */
#ifndef CLI_OWNER_NAMES_H
#define CLI_OWNER_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"
#include "fs/view.h"

struct owner_name {
	uint32_t id;
	const char *name; /* in the text */
};

/* Of one of the files. */
struct owner_list {
	struct str text;
	struct owner_name *items; /* by id; of several lines the first one comes first */
	size_t count;
	size_t cap;
};

struct owner_names {
	struct owner_list users, groups;
};

#define OWNER_NAMES_INIT                     \
	{                                    \
		.users = {.text = STR_INIT } \
	}

/* Links are followed inside the image.  A file that is not there, or no regular file, has no names;
 * so have lines that are malformed.  ERR_LIMIT for a file of more than LIMIT_ACCOUNT_FILE bytes. */
int owner_names_read(struct view *v, struct owner_names *out, struct err *e);

/* NULL when the file has none; bytes from the image. */
const char *owner_names_get(const struct owner_list *l, uint32_t id);

void owner_names_fini(struct owner_names *n);
SCOPE_DEFINE_VALUE(owner_names, struct owner_names, owner_names_fini)

#endif
