/* SPDX-License-Identifier: Apache-2.0 */
#include "image/frame.h"

#include <errno.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <stdbool.h>
#include <string.h>
#include <zstd.h>

#include "base/array.h"
#include "base/hasher.h"
#include "base/io.h"
#include "base/le.h"
#include "image/gzip_member.h"

_Static_assert(FRAME_BLOB_MAX == ZSTD_COMPRESSBOUND(LIMIT_FRAME), "the bound of zstd");

struct frame_decoder {
	ZSTD_DCtx *dctx;
	struct libdeflate_decompressor *gzip;
	uint8_t *packed; /* a frame as it is in the file */
	size_t packed_cap;
};

struct frame_decoder *frame_decoder_new(struct err *e)
{
	struct frame_decoder *d = array_new(1, sizeof(*d), e);

	if (!d)
		return NULL;
	d->dctx = ZSTD_createDCtx();
	d->gzip = libdeflate_alloc_decompressor();
	if (!d->dctx || !d->gzip) {
		err_nomem(e);
		frame_decoder_free(d);
		return NULL;
	}
	return d;
}

void frame_decoder_free(struct frame_decoder *d)
{
	if (!d)
		return;
	ZSTD_freeDCtx(d->dctx);
	if (d->gzip)
		libdeflate_free_decompressor(d->gzip);
	free(d->packed);
	free(d);
}

int frame_check(const struct frame *f, enum frame_encoding encoding, uint64_t file_size,
		struct err *e)
{
	uint64_t end;

	if (f->length == 0 || f->blob_length == 0)
		return err_set(e, ERR_FORMAT, "a frame has no content");
	if (f->length > LIMIT_FRAME || f->blob_length > FRAME_BLOB_MAX)
		return err_set(e, ERR_LIMIT,
			       "a frame of %" PRIu32 " bytes (%" PRIu32
			       " in the file) is over the limit of %" PRIu64,
			       f->length, f->blob_length, LIMIT_FRAME);
	if (encoding == FRAME_RAW && f->length != f->blob_length)
		return err_set(e, ERR_FORMAT, "a raw frame has two lengths");
	if (add_overflows(f->tar_offset, f->length, &end))
		return err_set(e, ERR_FORMAT, "a frame is outside of any tar stream");
	if (add_overflows(f->blob_offset, f->blob_length, &end) || end > file_size)
		return err_set(e, ERR_FORMAT, "a frame is outside of its file");
	return 0;
}

/* Reads the frame's bytes from the file, and compares them with its digest. */
static int read_verified(int fd, const struct frame *f, void *buf, struct err *e)
{
	const ssize_t n = io_pread_full(fd, buf, f->blob_length, f->blob_offset);

	if (n < 0)
		return err_sys(e, errno, "cannot read a frame");
	if ((size_t)n < f->blob_length)
		return err_set(e, ERR_DIGEST, "the frame at offset %" PRIu64 " is cut short",
			       f->blob_offset);
	const struct digest got = hasher_sha256(buf, f->blob_length);
	if (memcmp(got.raw, f->sha256, sizeof(f->sha256)) != 0)
		return err_set(e, ERR_DIGEST,
			       "the frame at offset %" PRIu64 " does not match its digest",
			       f->blob_offset);
	return 0;
}

static bool decode_zstd(struct frame_decoder *d, const struct frame *f, void *out)
{
	/* One frame of today's format alone: ZSTD_decompressDCtx would also take several, skippable
	 * ones, and those of ten years ago. */
	if (f->blob_length < sizeof(uint32_t) || le_load32(d->packed) != ZSTD_MAGICNUMBER ||
	    ZSTD_findFrameCompressedSize(d->packed, f->blob_length) != f->blob_length)
		return false;
	/* All memory is the caller's here: without streaming there is no window to allocate. */
	return ZSTD_decompressDCtx(d->dctx, out, f->length, d->packed, f->blob_length) == f->length;
}

static bool decode_gzip(struct frame_decoder *d, const struct frame *f, void *out)
{
	struct gzip_member m;

	return gzip_member_read(d->gzip, d->packed, f->blob_length, out, f->length, &m) ==
		       GZIP_MEMBER_WHOLE &&
	       m.size == f->blob_length && m.length == f->length;
}

/* The bytes are what the index promised, but whoever made the index may have lied about them. */
static int decode(struct frame_decoder *d, enum frame_encoding encoding, const struct frame *f,
		  void *out, struct err *e)
{
	bool is_right = false;

	switch (encoding) {
	case FRAME_ZSTD:
		is_right = decode_zstd(d, f, out);
		break;
	case FRAME_GZIP:
		is_right = decode_gzip(d, f, out);
		break;
	case FRAME_RAW: /* needs no decoder */
		break;
	}
	if (!is_right)
		return err_set(e, ERR_DIGEST,
			       "the frame at offset %" PRIu64 " does not decode to its %" PRIu32
			       " bytes",
			       f->blob_offset, f->length);
	return 0;
}

int frame_read(struct frame_decoder *d, int fd, enum frame_encoding encoding, const struct frame *f,
	       void *out, struct err *e)
{
	if (frame_check(f, encoding, UINT64_MAX, e) < 0)
		return -1;
	if (encoding == FRAME_RAW)
		return read_verified(fd, f, out, e);
	if (array_reserve(&d->packed, &d->packed_cap, f->blob_length, 1, e) < 0)
		return -1;
	if (read_verified(fd, f, d->packed, e) < 0)
		return -1;
	return decode(d, encoding, f, out, e);
}
