/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the archives that images come in, by libarchive: tar alone, plain or compressed with gzip,
 * zstd, xz or bzip2.  Nothing else of libarchive is enabled, and nothing is ever unpacked: names
 * and links of members are data.
 *
 * Not for layers: those are read strictly, by image/tar_read.h.
 *
 * ERR_FORMAT: not such an archive, malformed, cut short, a name with "..", anything but zeros after
 * the end of the tar, anything at all after the compressed data.  ERR_UNSUPPORTED: compressed more
 * than once.  ERR_LIMIT: LIMIT_EXPANSION_*, LIMIT_LAYER_CONTENT, names.  ERR_SYS, ERR_NOMEM.
 *
 * Calls: archive_input_open -> (archive_input_next -> archive_input_read*)* -> archive_input_free.
 * Threads: an input belongs to one thread at a time.
 */
#ifndef PACKER_ARCHIVE_INPUT_H
#define PACKER_ARCHIVE_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/progress.h"
#include "base/scope.h"

struct archive_input;

/* From the current offset of `fd` (borrowed); `what` is the name that the
 * progress shows. */
struct archive_input *archive_input_open(int fd, const char *what, struct progress *progress,
					 struct err *e);
void archive_input_free(struct archive_input *in);
SCOPE_DEFINE(archive_input, struct archive_input *, archive_input_free)

enum archive_kind {
	ARCHIVE_FILE,
	ARCHIVE_SYMLINK,
	ARCHIVE_HARDLINK,
	ARCHIVE_OTHER, /* directories, devices, and names that the locale cannot say */
};

struct archive_member {
	enum archive_kind kind;
	char path[LIMIT_PATH + 1]; /* canonical, as entry_canonical_path makes it */
	char link[LIMIT_PATH +
		  1]; /* of a link: where it leads, canonical, from the archive's root */
	uint64_t size;
};

/* 1 and the next member, 0 at the end, -1. */
int archive_input_next(struct archive_input *in, struct archive_member *out, struct err *e);

/* Content of the member: any count, 0 at its end, -1.  The `read` of a struct blob_source. */
ssize_t archive_input_read(void *input, void *buf, size_t len, struct err *e);

/* The first bytes of `fd` (whose offset stays), decompressed: how many, at most `len`; 0 also for
 * what is malformed, or compressed more than once. */
ssize_t archive_peek(int fd, void *buf, size_t len, struct err *e);

/* Decompresses all of `fd`, whatever it holds, to `out_fd`. */
int archive_inflate(int fd, const char *what, int out_fd, struct progress *progress, struct err *e);

#endif
