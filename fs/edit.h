/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an edit mount serves: an edit session over an image, opened anew by each worker.
 *
 * The session's folder, and with it its lock, is opened before the mount and inherited by all
 * processes of it: whoever comes after a worker that died finds all that it committed.
 */
#ifndef FS_EDIT_H
#define FS_EDIT_H

#include "fs/mount.h"
#include "fs/view.h"
#include "store/sessions.h"

/* What mount(8) shows of an edit mount: "session/NAME@ID", with the session's name and, as another
 * store may have one of that name, its id. */
char *edit_source(const struct session_folder *folder, struct err *e);
/* The id in that; NULL when it is none, and the mount is read-only. */
const char *edit_source_id(const char *source);

struct edit {
	struct session_folder *folder; /* locked */
	const char *use;               /* what sessions_set_use is to say of the supervisor */
	bool is_writeback; /* the kernel may keep what is written (FUSE_WRITEBACK_CACHE) */
	/* Opens the base, in the worker. */
	struct view *(*open_view)(void *ctx, struct err *e);
	void *ctx;
};

/* `edit` is borrowed by the service. */
struct mount_service edit_service(struct edit *edit);

#endif
