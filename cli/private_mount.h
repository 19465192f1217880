/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An edit session that a command mounts for itself, below a directory that nobody else can enter.
 * While it is mounted the session's lock is the server's alone.
 *
 * Signals that end the command must wait (base/interrupt.h, cli/running.h, or blocked) from
 * private_mount_make to private_mount_end; blocked, and not handled, while private_mount_run has
 * not returned, because the server takes its own by their default.
 *
 * Calls: private_mount_make -> private_mount_run -> [private_mount_detach] -> private_mount_end ->
 * private_mount_fini.  The server returns from private_mount_run too, once the mount is over: there
 * `is_server` is set, and nothing is left to do but to end.
 */
#ifndef CLI_PRIVATE_MOUNT_H
#define CLI_PRIVATE_MOUNT_H

#include <stdbool.h>
#include <sys/types.h>

#include "cli/mounting.h"

struct private_mount {
	char *dir, *root; /* private, and the mountpoint in it; NULL: not made, or gone again */
	pid_t server;     /* the mount's supervisor; 0: no mount */
	bool is_server;   /* we are what serves, and the mount is over */
};

/* The directory, below $TMPDIR; `command` is in its name.  ERR_SYS, ERR_NOMEM. */
int private_mount_make(struct private_mount *p, const char *command, struct err *e);

/* Mounts the session there, as mounting_edit; `m` was initialised with `root`. */
int private_mount_run(struct private_mount *p, struct mounting *m, const struct store *s,
		      const struct image *im, struct session_folder *folder, struct err *e);

/* Takes the mount and its directory out of sight: it lasts as long as the descriptor of its root,
 * which is returned, and ends with this process, whatever kills that.  -1 with ERR_SYS. */
int private_mount_detach(struct private_mount *p, struct err *e);

/*
 * Ends the mount, and removes its directory: when this returns nobody has the session open but
 * this process.  `is_hasty`: without waiting for who still uses it.  True when somebody still did,
 * and has lost it.  Nothing to do when there is none.
 */
bool private_mount_end(struct private_mount *p, bool is_hasty);

void private_mount_fini(struct private_mount *p);

#endif
