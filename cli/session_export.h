/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `shale session export`: the files that a session changed, as a tar.
 */
#ifndef CLI_SESSION_EXPORT_H
#define CLI_SESSION_EXPORT_H

#include "cli/command.h"

/* Of the session args[1] into the file args[2], "-" for standard output.  ERR_DIGEST after all that
 * can be read was written, when something cannot. */
int session_export_run(const struct invocation *in, struct err *e);

#endif
