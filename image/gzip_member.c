/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header is not left to libdeflate: it writes another one for other levels, and does not look
 * at the CRC of one that it reads.
 */
#include "image/gzip_member.h"

#include <assert.h>
#include <libdeflate.h>
#include <stdbool.h>
#include <string.h>

#include "base/le.h"

/* RFC 1952, 2.3. */
enum {
	HEADER_SIZE = 10, /* without the fields that flags announce */
	TRAILER_SIZE = 8, /* CRC-32 and length of the content */
	FLAGS_AT = 3,
	FLAG_HCRC = 1 << 1,
	FLAG_EXTRA = 1 << 2,
	FLAG_NAME = 1 << 3,
	FLAG_COMMENT = 1 << 4,
	FLAGS_RESERVED = 0xe0,
};

/* Magic and method (deflate). */
static const uint8_t magic[] = {0x1f, 0x8b, 8};

/* No flags, no time, no extra flags, an unknown operating system. */
static const uint8_t header[HEADER_SIZE] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};

size_t gzip_member_bound(size_t len)
{
	return HEADER_SIZE + libdeflate_deflate_compress_bound(NULL, len) + TRAILER_SIZE;
}

size_t gzip_member_write(struct libdeflate_compressor *c, const void *content, size_t len,
			 void *out)
{
	uint8_t *at = out;

	memcpy(at, header, sizeof(header));
	at += sizeof(header);
	const size_t n = libdeflate_deflate_compress(c, content, len, at,
						     libdeflate_deflate_compress_bound(c, len));
	assert(n > 0); /* there is room, and nothing else can fail */
	at += n;
	le_put32(&at, libdeflate_crc32(0, content, len));
	le_put32(&at, (uint32_t)len);
	return (size_t)(at - (uint8_t *)out);
}

/* What is left of a header that is being read. */
struct rest {
	const uint8_t *at, *end;
};

static bool skip(struct rest *r, size_t len)
{
	if (len > (size_t)(r->end - r->at))
		return false;
	r->at += len;
	return true;
}

static bool take16(struct rest *r, uint16_t *out)
{
	const uint8_t *at = r->at;

	if (!skip(r, sizeof(*out)))
		return false;
	*out = le_get16(&at);
	return true;
}

static bool skip_text(struct rest *r)
{
	const uint8_t *nul = memchr(r->at, 0, (size_t)(r->end - r->at));

	return nul && skip(r, (size_t)(nul - r->at) + 1);
}

/* Bytes of the header; 0 when it is none, or not all of it is here. */
static size_t header_size(const uint8_t *bytes, size_t len)
{
	struct rest r = {bytes, bytes + len};
	uint16_t number;

	if (!skip(&r, HEADER_SIZE) || memcmp(bytes, magic, sizeof(magic)) != 0)
		return 0;
	const uint8_t flags = bytes[FLAGS_AT];
	if (flags & FLAGS_RESERVED)
		return 0;
	if (flags & FLAG_EXTRA && (!take16(&r, &number) || !skip(&r, number)))
		return 0;
	if ((flags & FLAG_NAME && !skip_text(&r)) || (flags & FLAG_COMMENT && !skip_text(&r)))
		return 0;
	if (flags & FLAG_HCRC) {
		const uint32_t crc = libdeflate_crc32(0, bytes, (size_t)(r.at - bytes));
		if (!take16(&r, &number) || number != (crc & UINT16_MAX))
			return 0;
	}
	return (size_t)(r.at - bytes);
}

enum gzip_member_status gzip_member_read(struct libdeflate_decompressor *d, const void *bytes,
					 size_t len, void *out, size_t room,
					 struct gzip_member *found)
{
	const uint8_t *in = bytes;
	size_t used, length;

	const size_t head = header_size(in, len);
	if (head == 0)
		return GZIP_MEMBER_WRONG;
	switch (libdeflate_deflate_decompress_ex(d, in + head, len - head, out, room, &used,
						 &length)) {
	case LIBDEFLATE_SUCCESS:
		break;
	case LIBDEFLATE_INSUFFICIENT_SPACE:
		return GZIP_MEMBER_TOO_LONG;
	case LIBDEFLATE_BAD_DATA:
	case LIBDEFLATE_SHORT_OUTPUT:
		return GZIP_MEMBER_WRONG;
	}
	const uint8_t *trailer = in + head + used;
	if (len - head - used < TRAILER_SIZE ||
	    le_get32(&trailer) != libdeflate_crc32(0, out, length) ||
	    le_get32(&trailer) != (uint32_t)length)
		return GZIP_MEMBER_WRONG;
	*found = (struct gzip_member){head + used + TRAILER_SIZE, length};
	return GZIP_MEMBER_WHOLE;
}
