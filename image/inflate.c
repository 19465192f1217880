/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blob is a row of units (gzip members, zstd frames).  Between two of them the magic number of
 * the next is looked at here and not by the decoder, because only then a message can tell garbage
 * after the layer from damage in it, and because libzstd also decodes formats of before 0.8 that no
 * layer has.
 */
#include "image/inflate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/array.h"
#include "base/io.h"
#include "base/le.h"
#include "base/limits.h"
#include "image/seek_table.h"

enum {
	INPUT_STEP = 128 * 1024,    /* bytes of the blob that are read at a time */
	OUTPUT_MAX = 1 << 30,       /* bytes a call: zlib counts in unsigned int */
	GZIP_WINDOW_BITS = 15 + 16, /* the largest window, and a gzip header (zlib.h) */
	GZIP_METHOD_DEFLATE = 8,
	TAR_MAGIC_OFFSET = 257, /* POSIX ustar header */
	SNIFF_SIZE = 512,       /* bytes that tell what something else is */
};

static const uint8_t gzip_magic[] = {0x1f, 0x8b, GZIP_METHOD_DEFLATE};

struct inflate {
	int fd;
	enum layer_encoding encoding;
	uint64_t size;     /* of the blob */
	uint64_t offset;   /* in the blob, of the next byte to read */
	uint64_t produced; /* bytes of content */
	bool has_unit;     /* one was complete */
	bool in_unit;
	bool has_zlib; /* `zlib` needs inflateEnd */
	z_stream zlib;
	ZSTD_DCtx *zstd;
	uint8_t *input; /* INPUT_STEP bytes */
	size_t at, end; /* what is left in `input` */
	struct progress *progress;
};

struct signature {
	const char *name;
	size_t offset;
	const char *bytes;
	size_t len;
};

/* Tar first: a name may start with any bytes, but other formats have no "ustar" there. */
static const struct signature signatures[] = {
	{"tar", TAR_MAGIC_OFFSET, "ustar", 5},
	{"gzip", 0, "\x1f\x8b", 2},
	{"zstd", 0, "\x28\xb5\x2f\xfd", 4},
	{"xz", 0, "\xfd\x37zXZ", 5},
	{"bzip2", 0, "BZh", 3},
	{"lz4", 0, "\x04\x22\x4d\x18", 4},
	{"zip", 0, "PK\x03\x04", 4},
};

static bool is_skippable(uint32_t magic)
{
	return (magic & ~UINT32_C(0xf)) == SKIPPABLE_MAGIC_FIRST;
}

/* What the bytes look like, or NULL. */
static const char *sniff(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
		const struct signature *s = &signatures[i];
		if (s->offset + s->len <= len && memcmp(bytes + s->offset, s->bytes, s->len) == 0)
			return s->name;
	}
	if (len >= sizeof(uint32_t) && is_skippable(le_load32(bytes)))
		return "zstd";
	return NULL;
}

static int wrong_type(const struct inflate *in, const char *looks_like, struct err *e)
{
	static const char *const names[] = {"tar", "gzip", "zstd"};

	return err_set(e, ERR_FORMAT, "the media type says %s, but the bytes are %s",
		       names[in->encoding], looks_like ? looks_like : "something else");
}

struct inflate *inflate_new(int fd, uint64_t size, enum layer_encoding encoding,
			    struct progress *progress, struct err *e)
{
	struct inflate *in = array_new(1, sizeof(*in), e);

	if (!in)
		return NULL;
	in->fd = fd;
	in->size = size;
	in->encoding = encoding;
	in->progress = progress;
	in->input = array_new(1, INPUT_STEP, e);
	if (!in->input)
		goto fail;
	if (encoding == LAYER_GZIP) {
		in->has_zlib = inflateInit2(&in->zlib, GZIP_WINDOW_BITS) == Z_OK;
		if (!in->has_zlib)
			goto no_memory;
	}
	if (encoding == LAYER_ZSTD) {
		in->zstd = ZSTD_createDCtx();
		if (!in->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(in->zstd, ZSTD_d_windowLogMax,
								     LIMIT_ZSTD_WINDOW_LOG)))
			goto no_memory;
	}
	return in;
no_memory:
	err_nomem(e);
fail:
	inflate_free(in);
	return NULL;
}

void inflate_free(struct inflate *in)
{
	if (!in)
		return;
	if (in->has_zlib)
		inflateEnd(&in->zlib);
	ZSTD_freeDCtx(in->zstd);
	free(in->input);
	free(in);
}

/* The next `len` bytes of the blob, or as many as there are. */
static ssize_t read_blob(struct inflate *in, void *buf, size_t len, struct err *e)
{
	const uint64_t left = in->size - in->offset;
	const size_t want = len < left ? len : (size_t)left;
	const ssize_t n = io_pread_full(in->fd, buf, want, in->offset);

	if (n < 0)
		return err_sys(e, errno, "cannot read the blob");
	if ((size_t)n < want)
		return err_set(e, ERR_FORMAT,
			       "the blob has fewer than the %" PRIu64 " bytes it should have",
			       in->size);
	in->offset += want;
	progress_add(in->progress, want);
	return n;
}

/* Tries to have `want` bytes (at most INPUT_STEP) in `input`; less is there at the end alone. */
static int fill_input(struct inflate *in, size_t want, struct err *e)
{
	if (in->end - in->at >= want)
		return 0;
	memmove(in->input, in->input + in->at, in->end - in->at);
	in->end -= in->at;
	in->at = 0;
	const ssize_t n = read_blob(in, in->input + in->end, INPUT_STEP - in->end, e);
	if (n < 0)
		return -1;
	in->end += (size_t)n;
	return 0;
}

static int cut_short(const struct inflate *in, struct err *e)
{
	return err_set(e, ERR_FORMAT, "the blob is cut short: it ends in the middle of a %s",
		       in->encoding == LAYER_GZIP ? "gzip member" : "zstd frame");
}

/* Steps over a skippable frame without reading it. */
static int skip_frame(struct inflate *in, struct err *e)
{
	if (in->end - in->at < SKIPPABLE_HEADER_SIZE)
		return cut_short(in, e);
	const uint64_t size = le_load32(in->input + in->at + 4);
	in->at += SKIPPABLE_HEADER_SIZE;
	const uint64_t buffered = in->end - in->at;
	if (size <= buffered) {
		in->at += size;
		return 0;
	}
	if (size - buffered > in->size - in->offset)
		return cut_short(in, e);
	in->offset += size - buffered;
	in->at = in->end;
	return 0;
}

/* Between units: 1 when one starts, 0 at the end of the blob, -1. */
static int start_unit(struct inflate *in, struct err *e)
{
	for (;;) {
		/* Enough to tell a tar from the rest, for the message. */
		if (fill_input(in, in->has_unit ? SKIPPABLE_HEADER_SIZE : SNIFF_SIZE, e) < 0)
			return -1;
		const uint8_t *bytes = in->input + in->at;
		const size_t have = in->end - in->at;
		bool fits;
		if (have == 0)
			return 0;
		if (in->encoding == LAYER_GZIP) {
			fits = have >= sizeof(gzip_magic) &&
			       memcmp(bytes, gzip_magic, sizeof(gzip_magic)) == 0;
			if (fits)
				inflateReset(&in->zlib);
		} else {
			const uint32_t magic = have >= sizeof(magic) ? le_load32(bytes) : 0;
			if (is_skippable(magic)) {
				if (skip_frame(in, e) < 0)
					return -1;
				in->has_unit = true;
				continue;
			}
			fits = magic == ZSTD_MAGICNUMBER;
		}
		if (fits) {
			in->in_unit = true;
			return 1;
		}
		if (in->has_unit)
			return err_set(e, ERR_FORMAT, "trailing garbage after the compressed data");
		return wrong_type(in, sniff(bytes, have), e);
	}
}

static int step_gzip(struct inflate *in, void *buf, size_t len, size_t *produced, struct err *e)
{
	z_stream *z = &in->zlib;

	z->next_in = in->input + in->at;
	z->avail_in = (uInt)(in->end - in->at);
	z->next_out = buf;
	z->avail_out = (uInt)len;
	const int rc = inflate(z, Z_NO_FLUSH);
	in->at = in->end - z->avail_in;
	*produced = len - z->avail_out;
	switch (rc) {
	case Z_OK:
	case Z_BUF_ERROR: /* no input left: the caller gets more, or says that there is none */
		return 0;
	case Z_STREAM_END:
		in->in_unit = false;
		in->has_unit = true;
		return 0;
	case Z_MEM_ERROR:
		return err_nomem(e);
	default:
		return err_set(e, ERR_FORMAT, "malformed gzip data: %s",
			       z->msg ? z->msg : "unknown error");
	}
}

static int step_zstd(struct inflate *in, void *buf, size_t len, size_t *produced, struct err *e)
{
	ZSTD_inBuffer from = {in->input + in->at, in->end - in->at, 0};
	ZSTD_outBuffer to = {buf, len, 0};
	const size_t rc = ZSTD_decompressStream(in->zstd, &to, &from);

	in->at += from.pos;
	*produced = to.pos;
	if (rc == 0) {
		in->in_unit = false;
		in->has_unit = true;
	}
	if (!ZSTD_isError(rc))
		return 0;
	/* -Wswitch-enum would ask for the forty others. */
	const ZSTD_ErrorCode code = ZSTD_getErrorCode(rc);
	if (code == ZSTD_error_frameParameter_windowTooLarge)
		return err_set(e, ERR_LIMIT, "a zstd frame needs a window of more than 2^%d bytes",
			       LIMIT_ZSTD_WINDOW_LOG);
	if (code == ZSTD_error_dictionary_wrong)
		return err_set(e, ERR_FORMAT, "a zstd frame needs a dictionary");
	if (code == ZSTD_error_memory_allocation)
		return err_nomem(e);
	return err_set(e, ERR_FORMAT, "malformed zstd data: %s", ZSTD_getErrorName(rc));
}

int inflate_check_expansion(uint64_t content, uint64_t blob, struct err *e)
{
	if (content > LIMIT_LAYER_CONTENT)
		return err_set(e, ERR_LIMIT, "the layer has more than %" PRIu64 " bytes of content",
			       LIMIT_LAYER_CONTENT);
	if (content > LIMIT_EXPANSION_FREE && content / LIMIT_EXPANSION_RATIO > blob)
		return err_set(e, ERR_LIMIT, "the layer expands to more than %d times its size",
			       LIMIT_EXPANSION_RATIO);
	return 0;
}

static ssize_t read_compressed(struct inflate *in, void *buf, size_t len, struct err *e)
{
	size_t n = 0;

	while (n == 0) {
		if (!in->in_unit) {
			const int rc = start_unit(in, e);
			if (rc <= 0)
				return rc;
		}
		if (fill_input(in, 1, e) < 0)
			return -1;
		/* A decoder may hold content back that needs no more input. */
		const bool at_end = in->at == in->end;
		if (in->encoding == LAYER_GZIP ? step_gzip(in, buf, len, &n, e) < 0
					       : step_zstd(in, buf, len, &n, e) < 0)
			return -1;
		if (n == 0 && at_end && in->in_unit)
			return cut_short(in, e);
	}
	in->produced += n;
	const uint64_t consumed = in->offset - (in->end - in->at);
	return inflate_check_expansion(in->produced, consumed, e) < 0 ? -1 : (ssize_t)n;
}

static ssize_t read_stored(struct inflate *in, void *buf, size_t len, struct err *e)
{
	const ssize_t n = read_blob(in, buf, len, e);

	if (n > 0 && in->produced == 0) {
		const char *looks_like = sniff(buf, (size_t)n);
		if (looks_like && strcmp(looks_like, "tar") != 0)
			return wrong_type(in, looks_like, e);
	}
	if (n > 0)
		in->produced += (uint64_t)n;
	return n;
}

ssize_t inflate_read(void *ctx, void *buf, size_t len, struct err *e)
{
	struct inflate *in = ctx;

	if (len > OUTPUT_MAX)
		len = OUTPUT_MAX;
	if (in->size == 0)
		return err_set(e, ERR_FORMAT, "the blob is empty");
	if (in->encoding == LAYER_TAR && in->size > LIMIT_LAYER_CONTENT)
		return err_set(e, ERR_LIMIT, "the layer has more than %" PRIu64 " bytes of content",
			       LIMIT_LAYER_CONTENT);
	return in->encoding == LAYER_TAR ? read_stored(in, buf, len, e)
					 : read_compressed(in, buf, len, e);
}
