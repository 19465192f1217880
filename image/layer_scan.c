/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two ways to the index of a blob that has none.  Where the members of a gzip blob are its frames,
 * nothing is cut: the reader of tar has the content as it is decoded, and the frames are recorded
 * beside it.  All else is decoded as one stream and cut anew (image/tar_frames.h).  Whether members
 * are frames is known when the last one was read: of a blob with one that is none, what was
 * recorded until then is dropped, and the blob read again from its start.
 */
#include "image/layer_scan.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/hasher.h"
#include "base/io.h"
#include "base/limits.h"
#include "image/framer.h"
#include "image/gzip_frames.h"
#include "image/inflate.h"
#include "image/tar_frames.h"
#include "image/tree_record.h"

/* Frames that are cut anew. */
struct derivation {
	struct layer_index_builder *index;
	int reframe_fd; /* -1: the frames are in the blob */
};

/* framer_sink.put */
static int put_frame(void *ctx, const struct frame *f, const void *bytes, struct err *e)
{
	struct derivation *d = ctx;

	if (d->reframe_fd >= 0 && io_write_all(d->reframe_fd, bytes, f->blob_length) < 0)
		return err_sys(e, errno, "cannot write the frames of a layer");
	return layer_index_builder_add_frame(d->index, f, e);
}

/* What all ways of deriving end with. */
static int finish(struct layer_index_builder *index, enum frame_encoding encoding,
		  const struct digest *diff_id, uint64_t tar_size, bool is_reframed,
		  struct derive_result *out, struct err *e)
{
	SCOPE(str) struct str encoded = STR_INIT;

	if (layer_index_builder_encode(index, encoding, diff_id, tar_size, &encoded, e) < 0)
		return -1;
	*out = (struct derive_result){*diff_id, tar_size, is_reframed, encoded};
	encoded = (struct str)STR_INIT;
	return 0;
}

/* Cuts the stream anew. */
static int derive_frames(int blob_fd, uint64_t blob_size, enum layer_encoding encoding,
			 int reframe_fd, const struct derive_options *opt,
			 struct derive_result *out, struct err *e)
{
	static const struct compression raw = {FRAME_RAW, 0}, zstd = COMPRESSION_DEFAULT;
	const struct framer_options framer_opt = {encoding == LAYER_TAR ? raw : zstd, opt->workers};
	struct derivation d = {.reframe_fd = encoding == LAYER_TAR ? -1 : reframe_fd};
	const struct framer_sink sink = {put_frame, &d};
	struct digest diff_id;

	if (encoding != LAYER_TAR && reframe_fd < 0)
		return err_sys(e, ENOSPC, "cannot write the frames of a layer");
	progress_begin(opt->progress,
		       encoding == LAYER_TAR ? "reading a layer" : "re-framing a layer", blob_size);
	SCOPE(inflate)
	struct inflate *in = inflate_new(blob_fd, blob_size, encoding, opt->progress, e);
	if (!in)
		return -1;
	SCOPE(framer) struct framer *framer = framer_new(&framer_opt, &sink, e);
	if (!framer)
		return -1;
	SCOPE(layer_index_builder) struct layer_index_builder *index = layer_index_builder_new(e);
	if (!index)
		return -1;
	d.index = index;
	const struct tar_input input = {inflate_read, in, opt->losses};
	if (tar_frames_cut(&input, framer, index, e) < 0)
		return -1;
	const uint64_t tar_size = framer_offset(framer);
	if (framer_finish(framer, &diff_id, e) < 0)
		return -1;
	return finish(index, framer_opt.compression.encoding, &diff_id, tar_size, d.reframe_fd >= 0,
		      out, e);
}

/* The tar stream of a gzip blob whose members are frames. */
struct members {
	struct gzip_frames *frames;
	struct layer_index_builder *index;
	struct hasher diff_id;
	uint64_t tar_size; /* so far */
	const uint8_t *content;
	size_t at, end; /* what is left of it */
	bool is_unfit;  /* they are no frames: whatever the error says, start over */
};

/* 1, 0 at the end, -1. */
static int next_member(struct members *m, struct err *e)
{
	struct frame f = {0};
	const void *content;

	const int step = gzip_frames_next(m->frames, &f, &content, e);
	if (step < 0 || step == GZIP_FRAMES_END)
		return step;
	m->is_unfit = step == GZIP_FRAMES_UNFIT;
	if (m->is_unfit)
		return err_set(e, ERR_UNSUPPORTED, "a member is no frame");
	if (layer_index_builder_add_frame(m->index, &f, e) < 0)
		return -1;
	hasher_update(&m->diff_id, content, f.length);
	m->tar_size += f.length;
	m->content = content;
	m->at = 0;
	m->end = f.length;
	return 1;
}

static ssize_t pull_members(void *ctx, void *buf, size_t len, struct err *e)
{
	struct members *m = ctx;

	if (m->at == m->end) {
		const int r = next_member(m, e);
		if (r < 1)
			return r;
	}
	const size_t n = len < m->end - m->at ? len : m->end - m->at;
	memcpy(buf, m->content + m->at, n);
	m->at += n;
	return (ssize_t)n;
}

/* Takes the members of a gzip blob for frames: 1, 0 when they cannot be, -1. */
static int derive_members(int blob_fd, uint64_t blob_size, const struct derive_options *opt,
			  struct derive_result *out, struct err *e)
{
	struct tar_losses losses = {0};
	struct members m = {.is_unfit = false};
	const struct tar_input input = {pull_members, &m, opt->losses ? &losses : NULL};

	/* Who starts over will meet the losses again. */
	if (opt->losses)
		losses = *opt->losses;
	progress_begin(opt->progress, "reading a layer", blob_size);
	SCOPE(gzip_frames)
	struct gzip_frames *frames = gzip_frames_new(blob_fd, blob_size, opt->progress, e);
	if (!frames)
		return -1;
	SCOPE(layer_index_builder) struct layer_index_builder *index = layer_index_builder_new(e);
	if (!index)
		return -1;
	m.frames = frames;
	m.index = index;
	hasher_init(&m.diff_id, DIGEST_SHA256);
	if (tree_record(&input, index, NULL, e) < 0) {
		if (!m.is_unfit)
			return -1;
		err_clear(e);
		return 0;
	}
	const struct digest diff_id = hasher_final(&m.diff_id);
	if (finish(index, FRAME_GZIP, &diff_id, m.tar_size, false, out, e) < 0)
		return -1;
	if (opt->losses)
		*opt->losses = losses;
	return 1;
}

int layer_derive(int blob_fd, uint64_t blob_size, enum layer_encoding encoding, int reframe_fd,
		 const struct derive_options *opt, struct derive_result *out, struct err *e)
{
	if (encoding == LAYER_GZIP) {
		const int r = derive_members(blob_fd, blob_size, opt, out, e);
		if (r != 0)
			return r < 0 ? -1 : 0;
	}
	return derive_frames(blob_fd, blob_size, encoding, reframe_fd, opt, out, e);
}

/* The tar stream of a layer by its frames, in order. */
struct proof {
	int fd;
	const struct layer_index *ix;
	struct frame_decoder *decoder;
	struct layer_index_builder *again; /* an index made from what the frames hold */
	struct hasher diff_id;
	size_t next; /* frame */
	uint8_t *content;
	size_t cap, at, end;
	struct progress *progress;
};

static int next_frame(struct proof *p, struct err *e)
{
	const enum frame_encoding encoding = layer_index_encoding(p->ix);
	const struct frame f = layer_index_frame(p->ix, p->next);

	if (frame_check(&f, encoding, UINT64_MAX, e) < 0 ||
	    array_reserve(&p->content, &p->cap, f.length, 1, e) < 0 ||
	    frame_read(p->decoder, p->fd, encoding, &f, p->content, e) < 0 ||
	    layer_index_builder_add_frame(p->again, &f, e) < 0)
		return -1;
	p->next++;
	p->at = 0;
	p->end = f.length;
	progress_add(p->progress, f.length);
	return 0;
}

static ssize_t pull_proof(void *ctx, void *buf, size_t len, struct err *e)
{
	struct proof *p = ctx;

	if (p->at == p->end) {
		if (p->next == layer_index_frame_count(p->ix))
			return 0;
		if (next_frame(p, e) < 0)
			return -1;
	}
	const size_t n = len < p->end - p->at ? len : p->end - p->at;
	memcpy(buf, p->content + p->at, n);
	hasher_update(&p->diff_id, buf, n);
	p->at += n;
	return (ssize_t)n;
}

static int prove(struct proof *p, struct err *e)
{
	SCOPE(str) struct str encoded = STR_INIT;
	SCOPE(layer_index) struct layer_index *again = NULL;
	const struct tar_input input = {pull_proof, p, NULL};
	const struct digest want = layer_index_diff_id(p->ix);

	if (tree_record(&input, p->again, NULL, e) < 0)
		return -1;
	const struct digest got = hasher_final(&p->diff_id);
	if (!digest_equal(&got, &want))
		return err_set(e, ERR_DIGEST,
			       "the content of the layer does not match its diff_id");
	if (layer_index_builder_encode(p->again, layer_index_encoding(p->ix), &got,
				       layer_index_tar_size(p->ix), &encoded, e) < 0 ||
	    layer_index_decode(encoded.data, encoded.len, &again, e) < 0)
		return -1;
	return layer_index_same_tree(p->ix, again, e);
}

int layer_prove(int fd, const struct layer_index *ix, struct progress *progress, struct err *e)
{
	struct proof p = {.fd = fd, .ix = ix, .progress = progress};

	SCOPE(frame_decoder) struct frame_decoder *decoder = frame_decoder_new(e);
	if (!decoder)
		return -1;
	SCOPE(layer_index_builder) struct layer_index_builder *again = layer_index_builder_new(e);
	if (!again)
		return -1;
	progress_begin(progress, "checking a layer", layer_index_tar_size(ix));
	p.decoder = decoder;
	p.again = again;
	hasher_init(&p.diff_id, DIGEST_SHA256);
	const int rc = prove(&p, e);
	free(p.content);
	return rc;
}

int layer_read(int fd, const struct layer_index *ix, uint64_t tar_offset, void *buf, size_t len,
	       struct err *e)
{
	const enum frame_encoding encoding = layer_index_encoding(ix);
	const uint64_t tar_size = layer_index_tar_size(ix);
	uint8_t *to = buf;
	size_t cap = 0;

	SCOPE_FREE uint8_t *content = NULL;
	SCOPE(frame_decoder) struct frame_decoder *decoder = NULL;

	if (tar_offset > tar_size || len > tar_size - tar_offset)
		return err_set(e, ERR_FORMAT,
			       "%zu bytes at offset %" PRIu64 " are outside of the layer", len,
			       tar_offset);
	if (len == 0)
		return 0;
	decoder = frame_decoder_new(e);
	if (!decoder)
		return -1;
	for (size_t at = layer_index_frame_at(ix, tar_offset); len > 0; at++) {
		const struct frame f = layer_index_frame(ix, at);
		if (frame_check(&f, encoding, UINT64_MAX, e) < 0 ||
		    array_reserve(&content, &cap, f.length, 1, e) < 0 ||
		    frame_read(decoder, fd, encoding, &f, content, e) < 0)
			return -1;
		const uint64_t skip = tar_offset - f.tar_offset;
		const size_t n = len < f.length - skip ? len : (size_t)(f.length - skip);
		memcpy(to, content + skip, n);
		to += n;
		tar_offset += n;
		len -= n;
	}
	return 0;
}
