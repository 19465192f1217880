/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an edit session changed, as a tar archive of whole files: what its user still wants when the
 * image below can no longer be committed to, or mounted.
 *
 * Everything that is new or differs, times included, the directories around it, and all that moved
 * with a directory; members are as those of fs/tar_out.h.  Removed names are not in it, and sockets
 * are not, which no tar can hold.  Not a layer (fs/commit_layer.h), which says what is gone.
 *
 * A file whose content cannot be read is left out under all its names, and logged.  A stream cannot
 * take back what was begun, so content is read once before its member begins, and again for it.
 *
 * Threads: as fs/changes.h.
 */
#ifndef FS_SESSION_TAR_H
#define FS_SESSION_TAR_H

#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "fs/session.h"
#include "image/tar_archive.h"

struct session_tar_result {
	uint64_t members;
	uint64_t left_out; /* names, without those of sockets */
	uint64_t sockets;
};

/* All members; the caller finishes the archive.  As changes_walk, tar_archive_member, and
 * session_read when content that could be read just now cannot be read again. */
int session_tar_write(struct session *s, struct tar_archive *to, struct progress *progress,
		      struct session_tar_result *out, struct err *e);

/*
 * The same of a session whose image is lost with all names in it: `s` was opened over an image of
 * no layers.  What needs the image is left out.  A file or directory whose name only the image
 * knows is "inode-N", the root "inode-1"; what is new in such a directory has its name below that.
 * Extended attributes that only the image has are not there.
 */
int session_tar_salvage(struct session *s, struct tar_archive *to, struct progress *progress,
			struct session_tar_result *out, struct err *e);

#endif
