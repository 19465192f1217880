/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `shale diff SESSION [PATH]`.
 */
#ifndef CLI_DIFF_SESSION_H
#define CLI_DIFF_SESSION_H

#include "cli/command.h"
#include "cli/output.h"

/* The exit status, or -1. */
int diff_session_run(const struct invocation *in, struct progress_line *line, struct err *e);

#endif
