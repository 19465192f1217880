/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a layer's tar stream member by member, strictly, and says where each payload lies.
 *
 * Own code and not libarchive's, because a layer is indexed by byte offset and a name is kept byte
 * for byte (libarchive 3.6 turns PAX names into NFC), and because what is odd must be refused here,
 * not repaired.  Reads ustar, PAX (x, g), GNU long names (L, K), base-256 numbers, GNU sparse
 * members (old, 0.0, 0.1, 1.0) and pre-POSIX v7 headers; skips GNU volume labels (V); refuses any
 * other type flag.
 *
 * ERR_FORMAT: bad checksum or number, "..", NUL in a name, size of a link or directory that hides
 * data, malformed or repeated PAX records, unknown PAX keys that could change what a member is, ids
 * of 2^32 - 1 and more, device numbers over 32 bits, truncation, no end-of-archive blocks, bytes
 * other than zero after them.  ERR_LIMIT: base/limits.h.
 *
 * Calls: tar_reader_new -> (tar_reader_next -> tar_reader_read*)* until 0 -> tar_reader_free.
 * Whatever was not read of a payload is skipped; the whole input is read to its end.
 */
#ifndef IMAGE_TAR_READ_H
#define IMAGE_TAR_READ_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/quote.h"
#include "base/scope.h"
#include "image/entry.h"

/* Members of which something is lost that the tar says, added up over any number of tars. */
struct tar_loss {
	uint64_t count;
	char first[QUOTE_MAX]; /* the name of the first, quoted */
};

struct tar_losses {
	struct tar_loss acls;  /* left out */
	struct tar_loss times; /* clamped to ENTRY_TIME_MAX */
};

/* Where the bytes come from: any count up to `len`, 0 at the end, -1 with the error set. */
struct tar_input {
	ssize_t (*read)(void *ctx, void *buf, size_t len, struct err *e);
	void *ctx;
	struct tar_losses *losses; /* may be NULL */
};

struct tar_reader;

/* Copies `in`; `in->ctx` must outlive the reader. */
struct tar_reader *tar_reader_new(const struct tar_input *in, struct err *e);

/*
 * 1 and the next member, whose pointers live until the next call; 0 after the end-of-archive
 * blocks, when the input is used up.  GNU sparse members have their extents; others have one
 * extent over the whole payload (none when empty).
 */
int tar_reader_next(struct tar_reader *r, struct entry *out, struct err *e);

/* Payload of the current member as it is in the stream (without a sparse member's holes): bytes, 0
 * at its end, -1. */
ssize_t tar_reader_read(struct tar_reader *r, void *buf, size_t len, struct err *e);

/* Bytes of the stream that were read so far. */
uint64_t tar_reader_offset(const struct tar_reader *r);

void tar_reader_free(struct tar_reader *r);

/* Whether a tar could begin with this block: a header whose checksum is right. */
enum { TAR_READ_BLOCK = 512 };
bool tar_read_is_header(const uint8_t block[static TAR_READ_BLOCK]);

SCOPE_DEFINE(tar_reader, struct tar_reader *, tar_reader_free)

#endif
