/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How layers are compressed when they are written: the encoding of their frames, and its level.
 *
 * As text, for a command line: the name of an encoding, or NAME:LEVEL.  Plain values.
 */
#ifndef IMAGE_COMPRESSION_H
#define IMAGE_COMPRESSION_H

#include "base/err.h"
#include "image/frame.h"

struct compression {
	enum frame_encoding encoding;
	int level; /* of the encoding's own scale: compression_check */
};

#define COMPRESSION_DEFAULT   \
	{                     \
		FRAME_ZSTD, 3 \
	}

/* ERR_USAGE names the encodings there are, or the levels of the one that was named; `out` is
 * untouched then. */
int compression_parse(const char *text, struct compression *out, struct err *e);

/* That the encoding compresses, and has that level: ERR_USAGE. */
int compression_check(const struct compression *c, struct err *e);

/* The version of the library that compresses: the bytes depend on it, too. */
const char *compression_version(const struct compression *c);

#endif
