/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compressed bytes of any kind: whatever they are, the reader of blobs gives the same content and
 * the same verdict in any step; the reader of frames gives what libzstd and zlib give, or refuses;
 * and what the members of a gzip blob hold as frames is what the reader of blobs finds in it.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/hasher.h"
#include "base/io.h"
#include "base/le.h"
#include "image/frame.h"
#include "image/gzip_frames.h"
#include "image/inflate.h"
#include "tests/fuzz/fuzz.h"

enum { CONTENT_MAX = 1 << 20 /* bytes that are looked at */ };

struct outcome {
	uint64_t content; /* bytes, at most CONTENT_MAX */
	struct digest digest;
	enum err_code code;
};

static struct outcome inflate_all(int fd, size_t size, enum layer_encoding encoding, size_t step)
{
	struct outcome out = {0, {DIGEST_NONE, {0}}, ERR_NONE};
	struct err e = ERR_INIT;
	struct hasher h;
	uint8_t buf[8192];
	SCOPE(inflate) struct inflate *in = inflate_new(fd, size, encoding, NULL, &e);

	FUZZ_CHECK(in && step <= sizeof(buf));
	hasher_init(&h, DIGEST_SHA256);
	while (out.content < CONTENT_MAX) {
		const size_t left = CONTENT_MAX - out.content;
		const ssize_t n = inflate_read(in, buf, step < left ? step : left, &e);
		if (n <= 0) {
			FUZZ_CHECK((n < 0) == (e.code != ERR_NONE));
			break;
		}
		FUZZ_CHECK((size_t)n <= step && e.code == ERR_NONE);
		hasher_update(&h, buf, (size_t)n);
		out.content += (uint64_t)n;
	}
	out.code = e.code;
	out.digest = hasher_final(&h);
	FUZZ_CHECK(out.code == ERR_NONE || out.code == ERR_FORMAT || out.code == ERR_LIMIT);
	err_clear(&e);
	return out;
}

static void check_inflate(int fd, size_t size, enum layer_encoding encoding)
{
	const struct outcome a = inflate_all(fd, size, encoding, 8192);
	const struct outcome b = inflate_all(fd, size, encoding, 333);

	FUZZ_CHECK(a.code == b.code);
	/* A decoder that fails may have given a part of its last step, or nothing. */
	if (a.code == ERR_NONE)
		FUZZ_CHECK(a.content == b.content && digest_equal(&a.digest, &b.digest));
}

static void check_frame(int fd, const uint8_t *data, size_t size)
{
	static uint8_t got[CONTENT_MAX], want[CONTENT_MAX];
	const unsigned long long said = ZSTD_getFrameContentSize(data, size);
	const struct digest d = hasher_sha256(data, size);
	struct err e = ERR_INIT;
	struct frame f = {0, 0, (uint32_t)size, 1, {0}};
	SCOPE(frame_decoder) struct frame_decoder *decoder = frame_decoder_new(&e);

	memcpy(f.sha256, d.raw, sizeof(f.sha256));
	if (said <= CONTENT_MAX)
		f.length = (uint32_t)said;
	FUZZ_CHECK(decoder);
	if (frame_read(decoder, fd, FRAME_ZSTD, &f, got, &e) < 0) {
		FUZZ_CHECK(e.code == ERR_DIGEST || e.code == ERR_FORMAT);
		err_clear(&e);
		return;
	}
	FUZZ_CHECK(ZSTD_decompress(want, sizeof(want), data, size) == f.length);
	FUZZ_CHECK(memcmp(got, want, f.length) == 0);
}

/* What zlib makes of one member and nothing else: bytes, or -1. */
static long inflate_member(const uint8_t *data, size_t size, uint8_t *out, size_t room)
{
	enum { GZIP_WINDOW_BITS = 15 + 16 /* zlib.h: 16 asks for gzip's header */ };
	z_stream z = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size};

	z.next_out = out;
	z.avail_out = (uInt)room;
	FUZZ_CHECK(inflateInit2(&z, GZIP_WINDOW_BITS) == Z_OK);
	const int rc = inflate(&z, Z_FINISH);
	const long n = rc == Z_STREAM_END && z.avail_in == 0 ? (long)z.total_out : -1;
	inflateEnd(&z);
	return n;
}

/* As a gzip frame of the length that its last bytes say. */
static void check_gzip_frame(int fd, const uint8_t *data, size_t size)
{
	static uint8_t got[CONTENT_MAX], want[CONTENT_MAX];
	const uint32_t said = size >= sizeof(said) ? le_load32(data + size - sizeof(said)) : 0;
	const struct digest d = hasher_sha256(data, size);
	struct err e = ERR_INIT;
	struct frame f = {0, 0, (uint32_t)size, said > 0 && said <= CONTENT_MAX ? said : 1, {0}};
	SCOPE(frame_decoder) struct frame_decoder *decoder = frame_decoder_new(&e);

	memcpy(f.sha256, d.raw, sizeof(f.sha256));
	FUZZ_CHECK(decoder);
	if (frame_read(decoder, fd, FRAME_GZIP, &f, got, &e) < 0) {
		FUZZ_CHECK(e.code == ERR_DIGEST || e.code == ERR_FORMAT);
		err_clear(&e);
		return;
	}
	/* Of codes that name no symbol at all, the two libraries take different ones. */
	const long n = inflate_member(data, size, want, sizeof(want));
	FUZZ_CHECK(n < 0 || (n == (long)f.length && memcmp(got, want, f.length) == 0));
}

static void check_gzip_frames(int fd, size_t size)
{
	struct outcome out = {0, {DIGEST_NONE, {0}}, ERR_NONE};
	struct err e = ERR_INIT;
	struct hasher h;
	struct frame f;
	const void *content;
	uint64_t end = 0;
	int r;
	SCOPE(gzip_frames) struct gzip_frames *g = gzip_frames_new(fd, size, NULL, &e);

	FUZZ_CHECK(g);
	hasher_init(&h, DIGEST_SHA256);
	while ((r = gzip_frames_next(g, &f, &content, &e)) == GZIP_FRAMES_ONE) {
		FUZZ_CHECK(f.tar_offset == out.content && f.blob_offset >= end && f.length > 0);
		end = f.blob_offset + f.blob_length;
		FUZZ_CHECK(end <= size);
		out.content += f.length;
		hasher_update(&h, content, f.length);
	}
	out.digest = hasher_final(&h);
	FUZZ_CHECK((r < 0) == (e.code != ERR_NONE));
	FUZZ_CHECK(e.code == ERR_NONE || e.code == ERR_LIMIT);
	err_clear(&e);
	if (r != GZIP_FRAMES_END || out.content >= CONTENT_MAX)
		return;
	const struct outcome stream = inflate_all(fd, size, LAYER_GZIP, 8192);
	if (stream.code == ERR_NONE)
		FUZZ_CHECK(stream.content == out.content &&
			   digest_equal(&stream.digest, &out.digest));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int fd = memfd_create("fuzz", MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0 && io_write_all(fd, data, size) == 0);
	check_inflate(fd, size, LAYER_TAR);
	check_inflate(fd, size, LAYER_GZIP);
	check_inflate(fd, size, LAYER_ZSTD);
	check_frame(fd, data, size);
	check_gzip_frame(fd, data, size);
	check_gzip_frames(fd, size);
	close(fd);
	return 0;
}
