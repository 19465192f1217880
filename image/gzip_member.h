/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip members, each whole in memory: what a frame of FRAME_GZIP is.
 *
 * Source: RFC 1952.  Written with one header, whatever the level: no name, no time, the operating
 * system "unknown".  Read strictly, with any header that the RFC knows: its CRC when there is one,
 * no reserved flags, and both numbers of the trailer must be right.
 *
 * Threads: the objects of libdeflate belong to one at a time.  Nothing here allocates.
 */
#ifndef IMAGE_GZIP_MEMBER_H
#define IMAGE_GZIP_MEMBER_H

#include <stddef.h>

struct libdeflate_compressor;
struct libdeflate_decompressor;

/* Bytes that a member of `len` bytes of content takes at most. */
size_t gzip_member_bound(size_t len);

/* Writes one into `out`, which has gzip_member_bound(len) bytes: how many they are. */
size_t gzip_member_write(struct libdeflate_compressor *c, const void *content, size_t len,
			 void *out);

enum gzip_member_status {
	GZIP_MEMBER_WHOLE,
	GZIP_MEMBER_WRONG,    /* it is none, damaged, or not all of it is here */
	GZIP_MEMBER_TOO_LONG, /* its content does not fit, or not all of it is here */
};

struct gzip_member {
	size_t size;   /* bytes, header and trailer included */
	size_t length; /* bytes of content */
};

/* Reads the member that `bytes` begin with; others may follow.  Its content goes into `out`, which
 * has room for `room` bytes, and is undefined unless it was whole, as `found` is. */
enum gzip_member_status gzip_member_read(struct libdeflate_decompressor *d, const void *bytes,
					 size_t len, void *out, size_t room,
					 struct gzip_member *found);

#endif
