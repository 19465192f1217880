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
#include "cli/output.h"
#include "fs/diff.h"

/* What is printed, and what was. */
struct diff_report {
	struct progress_line *line;
	bool is_json, has_sizes;
	size_t counts[DIFF_DELETED + 1];
	uint64_t old_size, new_size;
	size_t printed;
};

/* diff_images: each, with a struct diff_report. */
int diff_report_change(void *ctx, const struct diff_change *c, struct err *e);
/* After the last one: the sums, or the end of the document. */
int diff_report_end(const struct diff_report *r, struct err *e);

bool diff_report_differs(const struct diff_report *r);

#endif
