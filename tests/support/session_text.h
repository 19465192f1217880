/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that an edit session shows, as text: two sessions that show the same have the same text.
 */
#ifndef TESTS_SUPPORT_SESSION_TEXT_H
#define TESTS_SUPPORT_SESSION_TEXT_H

#include "base/str.h"
#include "fs/session.h"

enum { SESSION_TEXT_SECTOR = 512 /* bytes: what a disk writes whole */ };

/*
 * Appends a line for each name, in the order in which directories list them:
 *
 *	/PATH INO MODE NLINK UID GID MAJOR:MINOR SIZE ATIME MTIME CTIME [NAME=VALUE]... [-> TARGET]
 *
 * and for a file, after a tab, the CRC-32 of each sector of its content.  Errors: as fs/session.h.
 */
int session_text(struct session *s, struct str *out, struct err *e);

/* Appends "content INO HEX" and a newline, of a regular file. */
int session_text_content(struct session *s, uint64_t ino, struct str *out, struct err *e);

/* Calls `each` with the inode of every name of a regular file. */
int session_text_files(struct session *s, uint64_t dir,
		       int (*each)(void *ctx, uint64_t ino, struct err *e), void *ctx,
		       struct err *e);

#endif
