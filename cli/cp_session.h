/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form of shale cp that changes something: a file or a tree of the host into an edit session.
 *
 * It is written through a mount, as by any program: that which is there, or one that lasts as long
 * as the copy.  So there is one writer, and what the kernel knows of a file stays right.
 */
#ifndef CLI_CP_SESSION_H
#define CLI_CP_SESSION_H

#include "cli/command.h"

/* Whether `text` is SESSION:/PATH: 1 and the session's name, which the caller frees, and the path,
 * a part of `text`; 0; -1. */
int cp_session_parse(const char *text, char **name, const char **path, struct err *e);

/* Copies `source` to `path` of the session `name`, for `in`, which may have --archive and --quiet.
 * ERR_NOT_FOUND, ERR_BUSY, ERR_USAGE as sessions_open; as copy_in. */
int cp_session(const struct invocation *in, const char *source, const char *name, const char *path,
	       struct err *e);

#endif
