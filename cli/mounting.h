/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts, as `shale mount` and `shale edit` make them: the image that is meant, a session over it,
 * and what serves it.
 *
 * mount_run returns in the server as well, once the mount is over: whoever is not `owner` then has
 * nothing to do but to end.
 */
#ifndef CLI_MOUNTING_H
#define CLI_MOUNTING_H

#include <sys/types.h>

#include "cli/support.h"
#include "fs/mount.h"
#include "store/sessions.h"

struct mounting {
	struct mount_options opt;
	/* What a worker needs to open its view after the fork. */
	const struct store *store;
	const struct image *image;
	unsigned flags; /* of view_open */
	uint64_t cache_bytes;
	char *what;          /* who reads, for leases */
	const char *resumed; /* the name of the session, when it was there before; else NULL */
	const char *use;     /* what others are told of who has it; NULL: where it is mounted */
	bool is_quiet;
	pid_t owner; /* the process that was started, and may be another */
};

#define MOUNTING_INIT        \
	{                    \
		.what = NULL \
	}

/* What --key, --identity and --quiet say; `mountpoint` is borrowed.  ERR_USAGE, ERR_NOMEM. */
int mounting_init(struct mounting *m, const struct invocation *in, const char *mountpoint,
		  struct err *e);
void mounting_fini(struct mounting *m);
SCOPE_DEFINE_VALUE(mounting, struct mounting, mounting_fini)

/* For a service: the view of `ctx`, a struct mounting. */
struct view *mounting_open_view(void *ctx, struct err *e);

/* The image of the first argument, by --platform; with --key the one that was verified. */
int mounting_load_image(const struct invocation *in, const struct store *s, struct image *im,
			struct err *e);

/* ERR_SYS (EPERM) for who may not edit. */
int mounting_check_editor(struct err *e);

/* A new session over that image, by --session; `l` keeps the image.  As sessions_create. */
int mounting_new_session(const struct invocation *in, const struct store *s, struct lease *l,
			 struct image *im, struct session_folder **folder, struct err *e);

/* The image that a session began with, be it named still or not; `l` keeps it.  As
 * image_load_leased, with what can be done where that is lost or damaged. */
int mounting_load_base(const struct store *s, struct lease *l, const struct session_folder *folder,
		       struct image *im, struct err *e);

/* Mounts a session, as mount_run. */
int mounting_edit(struct mounting *m, const struct store *s, const struct image *im,
		  struct session_folder *folder, struct err *e);

/* Removes a session whose mount did not come to be: nothing was changed in it.  `folder` is
 * closed. */
void mounting_remove_unused(const struct store *s, struct session_folder *folder);

#endif
