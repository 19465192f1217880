/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `shale diff --patch`: how files and links differ, in the form of `git diff`, as diff(1) finds it.
 *
 * Threads: one.  Limits: LIMIT_PATCH_FILE; a larger file is told as a binary one.
 */
#ifndef CLI_DIFF_PATCH_H
#define CLI_DIFF_PATCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/limits.h"
#include "fs/diff.h"

/* What one side is read from; `file` is what the caller knows a file by. */
struct diff_patch_source {
	ssize_t (*read)(void *ctx, uint64_t file, uint64_t offset, void *buf, size_t len,
			struct err *e);
	/* The target of a link and its length. */
	int (*readlink)(void *ctx, uint64_t file, char out[static LIMIT_SYMLINK + 1], size_t *len,
			struct err *e);
	void *ctx;
};

struct diff_patch_side {
	const struct diff_patch_source *source;
	uint64_t file;
	uint32_t mode; /* 0: not there */
	uint64_t size;
};

/* Prints what there is to say of a change.  ERR_SYS when diff(1) cannot be run. */
int diff_patch_print(const struct diff_change *c, const struct diff_patch_side *old,
		     const struct diff_patch_side *new, struct err *e);

#endif
