/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `shale diff` prints, of two images or of an edit session.
 */
#ifndef CLI_DIFF_REPORT_H
#define CLI_DIFF_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/command.h"
#include "cli/output.h"
#include "fs/diff.h"

/* What is printed, and what was. */
struct diff_report {
	struct progress_line *line;
	bool is_json, has_sizes;
	bool has_patch; /* lines are left to who calls */
	size_t counts[DIFF_DELETED + 1];
	uint64_t old_size, new_size;
	size_t printed;
};

/* As the options say. */
void diff_report_start(struct diff_report *r, const struct invocation *in,
		       struct progress_line *line);
int diff_report_change(struct diff_report *r, const struct diff_change *c, struct err *e);
/* After the last one: the sums, or the end of the document; the exit status. */
int diff_report_finish(const struct diff_report *r, const struct invocation *in, struct err *e);

#endif
