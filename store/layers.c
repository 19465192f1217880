/* SPDX-License-Identifier: Apache-2.0 */
#include "store/layers.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/hasher.h"
#include "base/io.h"
#include "base/le.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "image/layer_scan.h"
#include "image/mediatype.h"
#include "image/seek_table.h"
#include "store/blobs.h"
#include "store/derived.h"
#include "store/layers_private.h"

static int parse_number(const struct descriptor *layer, const char *key, uint64_t max,
			uint64_t *out, struct err *e)
{
	char quoted[QUOTE_MAX];
	const char *text = strmap_get(&layer->annotations, key);

	if (!text)
		return err_set(e, ERR_FORMAT, "annotation '%s' is missing", key);
	if (str_to_u64(text, strlen(text), 10, max, out) < 0)
		return err_set(e, ERR_FORMAT, "annotation '%s': '%s' is no size that fits", key,
			       quote_str(quoted, text));
	return 0;
}

int layers_find_embedded(const struct descriptor *layer, struct embedded *out, struct err *e)
{
	const char *text = strmap_get(&layer->annotations, LAYER_INDEX_DIGEST_KEY);
	struct err why = ERR_INIT;

	/* A tool that compressed the layer anew may have left the annotations of the old one. */
	if (!text || mediatype_encoding(layer->media_type) != LAYER_ZSTD)
		return 0;
	if (digest_parse(&out->digest, text, strlen(text), &why) < 0) {
		err_set(e, ERR_FORMAT, "annotation '%s': %s", LAYER_INDEX_DIGEST_KEY, why.msg);
		err_clear(&why);
		return -1;
	}
	if (out->digest.alg != DIGEST_SHA256)
		return err_set(e, ERR_UNSUPPORTED, "annotation '%s' is no SHA-256",
			       LAYER_INDEX_DIGEST_KEY);
	if (parse_number(layer, LAYER_INDEX_OFFSET_KEY, layer->size, &out->offset, e) < 0 ||
	    parse_number(layer, LAYER_INDEX_SIZE_KEY, layer->size - out->offset, &out->size, e) < 0)
		return -1;
	if (out->size > LIMIT_LAYER_INDEX)
		return err_set(e, ERR_LIMIT, "the layer index has %" PRIu64 " bytes", out->size);
	return 1;
}

static int read_embedded(int fd, const struct embedded *at, struct layer_index **out, struct err *e)
{
	SCOPE_FREE uint8_t *bytes = array_new((size_t)at->size, 1, e);

	if (!bytes)
		return -1;
	const ssize_t n = io_pread_full(fd, bytes, (size_t)at->size, at->offset);
	if (n < 0)
		return err_sys(e, errno, "cannot read the layer index");
	const struct digest got = hasher_sha256(bytes, (size_t)n);
	if (!digest_equal(&got, &at->digest))
		return err_set(e, ERR_DIGEST, "the layer index is not what the manifest says");
	return layer_index_decode(bytes, (size_t)n, out, e);
}

static int load_embedded(const struct store *s, const struct descriptor *layer,
			 const struct embedded *at, struct layer_index **out, struct err *e)
{
	SCOPE(layer_index) struct layer_index *ix = NULL;
	SCOPE_FD int fd = blobs_open(s, &layer->digest, layer->size, e);

	if (fd < 0 || read_embedded(fd, at, &ix, e) < 0)
		return -1;
	if (layer_index_encoding(ix) != FRAME_ZSTD)
		return err_set(e, ERR_FORMAT, "the layer index speaks of frames that are no zstd");
	for (size_t i = 0; i < layer_index_frame_count(ix); i++) {
		const struct frame f = layer_index_frame(ix, i);
		if (frame_check(&f, FRAME_ZSTD, layer->size, e) < 0)
			return -1;
	}
	*out = steal_ptr(&ix);
	return 0;
}

static int check_diff_id(const struct layer_index *ix, const struct digest *diff_id, struct err *e)
{
	const struct digest own = layer_index_diff_id(ix);

	if (diff_id && !digest_equal(&own, diff_id))
		return err_set(e, ERR_DIGEST,
			       "the content has another diff_id than the config says");
	return 0;
}

static int check_blob(const struct store *s, const struct descriptor *layer,
		      struct progress *progress, struct err *e)
{
	struct digest got;
	uint64_t size;
	SCOPE_FD int fd = blobs_open(s, &layer->digest, layer->size, e);

	progress_begin(progress, "hashing a layer", layer->size);
	if (fd < 0 || hasher_fd(fd, layer->digest.alg, "blob", &got, &size, progress, e) < 0)
		return -1;
	if (size != layer->size || !digest_equal(&got, &layer->digest))
		return err_set(e, ERR_DIGEST, "the blob has another digest");
	return 0;
}

/* The kept one, or a new one when there is none, when it is damaged, or when it must be new. */
static int get_derived(const struct store *s, const struct layer_request *want, struct derived *out,
		       struct err *e)
{
	struct err why = ERR_INIT;

	const int r = want->is_fresh ? 0 : derived_load(s, &want->layer->digest, out, &why);
	if (r == 1)
		return 0;
	if (want->is_kept_only)
		return r < 0 ? err_move(e, &why)
			     : err_set(e, ERR_NOT_FOUND, "no index of the layer is kept");
	if (r < 0 && why.code != ERR_DIGEST && why.code != ERR_FORMAT && why.code != ERR_LIMIT &&
	    why.code != ERR_UNTRUSTED)
		return err_move(e, &why);
	err_clear(&why);
	/* The diff_id proves what was read; without one, the blob's digest has to. */
	if (!want->diff_id && check_blob(s, want->layer, want->opt->progress, e) < 0)
		return -1;
	return derived_make(s, want->layer, want->diff_id, want->opt, out, e);
}

static int wrap(const struct descriptor *layer, struct err *e)
{
	char text[DIGEST_STR_MAX];

	digest_format(&layer->digest, text);
	/* Where its blob was the trouble, its digest is told already. */
	return strstr(e->msg, text) ? err_wrap(e, "layer") : err_wrap(e, "layer '%s'", text);
}

static int check_type(const struct descriptor *layer, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (mediatype_encoding(layer->media_type) >= 0)
		return 0;
	return err_set(e, ERR_FORMAT, "'%s' is no type of a layer",
		       quote_str(quoted, layer->media_type));
}

static int get_index(const struct store *s, const struct layer_request *want, struct derived *out,
		     struct err *e)
{
	struct embedded at;

	if (check_type(want->layer, e) < 0)
		return -1;
	const int is_embedded = layers_find_embedded(want->layer, &at, e);
	if (is_embedded < 0)
		return -1;
	if (!is_embedded)
		return get_derived(s, want, out, e);
	out->index_digest = at.digest;
	return load_embedded(s, want->layer, &at, &out->index, e);
}

int layers_load(const struct store *s, const struct layer_request *want, struct layer_index **out,
		struct catalog_layer *info, struct err *e)
{
	SCOPE(derived) struct derived d = DERIVED_INIT;

	if (get_index(s, want, &d, e) < 0 || check_diff_id(d.index, want->diff_id, e) < 0)
		return wrap(want->layer, e);
	*info = (struct catalog_layer){
		.index = d.index_digest,
		.blob = want->layer->digest,
		.is_reframed = d.is_reframed,
		.encoding = layer_index_encoding(d.index),
		.frame_count = layer_index_frame_count(d.index),
	};
	*out = steal_ptr(&d.index);
	return 0;
}

int layers_index(const struct store *s, const struct descriptor *layer,
		 const struct digest *diff_id, const struct layers_options *opt,
		 struct layer_index **out, struct catalog_layer *info, struct err *e)
{
	const struct layer_request want = {.layer = layer, .diff_id = diff_id, .opt = opt};

	return layers_load(s, &want, out, info, e);
}

/*
 * That all which a decoder of the whole blob would give is in the frames: from the blob's start to
 * the layer index without a gap, and nothing but skippable frames after them.  Else other tools
 * would see another tar than the one that was proven.
 */
static int check_cover(int fd, const struct descriptor *layer, const struct layer_index *ix,
		       struct err *e)
{
	uint64_t at = 0;

	for (size_t i = 0; i < layer_index_frame_count(ix); i++) {
		const struct frame f = layer_index_frame(ix, i);
		if (f.blob_offset != at)
			return err_set(e, ERR_FORMAT,
				       "bytes %" PRIu64 " of the blob are in no frame", at);
		at += f.blob_length;
	}
	while (at < layer->size) {
		uint8_t head[SKIPPABLE_HEADER_SIZE];
		const ssize_t n = io_pread_full(fd, head, sizeof(head), at);
		if (n < 0)
			return err_sys(e, errno, "cannot read the blob");
		const uint32_t magic = le_load32(head);
		const uint32_t size = le_load32(head + 4);
		/* RFC 8878, 3.1.2: sixteen magic numbers. */
		if ((size_t)n < sizeof(head) || (magic & ~UINT32_C(15)) != SKIPPABLE_MAGIC_FIRST ||
		    size > layer->size - at - sizeof(head))
			return err_set(e, ERR_FORMAT,
				       "what follows the frames at byte %" PRIu64
				       " is no skippable frame",
				       at);
		at += sizeof(head) + size;
	}
	return 0;
}

int layers_prove_embedded(int fd, const struct descriptor *layer, const struct layer_index *ix,
			  struct progress *progress, struct err *e)
{
	return check_cover(fd, layer, ix, e) < 0 ? -1 : layer_prove(fd, ix, progress, e);
}

static int prove_embedded(const struct store *s, const struct descriptor *layer,
			  const struct embedded *at, const struct digest *diff_id,
			  const struct layers_options *opt, struct err *e)
{
	SCOPE(layer_index) struct layer_index *ix = NULL;
	SCOPE_FD int fd = -1;

	if (load_embedded(s, layer, at, &ix, e) < 0 || check_diff_id(ix, diff_id, e) < 0)
		return -1;
	fd = blobs_open(s, &layer->digest, layer->size, e);
	return fd < 0 ? -1 : layers_prove_embedded(fd, layer, ix, opt->progress, e);
}

static int prove(const struct store *s, const struct descriptor *layer,
		 const struct digest *diff_id, const struct layers_options *opt, struct err *e)
{
	SCOPE(derived) struct derived d = DERIVED_INIT;
	struct embedded at;

	if (check_type(layer, e) < 0 || check_blob(s, layer, opt->progress, e) < 0)
		return -1;
	const int is_embedded = layers_find_embedded(layer, &at, e);
	if (is_embedded < 0)
		return -1;
	if (is_embedded)
		return prove_embedded(s, layer, &at, diff_id, opt, e);
	/* What is kept is replaced by what was read from the proven blob just now. */
	return derived_make(s, layer, diff_id, opt, &d, e);
}

int layers_prove(const struct store *s, const struct descriptor *layer,
		 const struct digest *diff_id, const struct layers_options *opt, struct err *e)
{
	return prove(s, layer, diff_id, opt, e) < 0 ? wrap(layer, e) : 0;
}

int layers_publish(const struct store *s, struct lease *l, int fd, const struct layer_writer *w,
		   const struct layer_result *r, struct err *e)
{
	const struct str *index = layer_writer_index(w);
	char text[DIGEST_STR_MAX];

	if (blobs_publish(s, l, fd, &r->blob, e) < 0)
		return -1;
	if (index && derived_keep(s, &r->blob, index, e) < 0)
		return err_wrap(e, "layer '%s'", digest_format(&r->blob, text));
	return 0;
}

int layers_open_frames(const struct store *s, const struct catalog_layer *info, struct err *e)
{
	char text[DIGEST_STR_MAX];

	if (!info->is_reframed)
		return blobs_open(s, &info->blob, BLOBS_ANY_SIZE, e);
	const int fd = derived_open_frames(s, &info->blob, e);
	if (fd < 0)
		err_wrap(e, "frames of layer '%s'", digest_format(&info->blob, text));
	return fd;
}

int layers_discard(const struct store *s, const struct digest *blob, struct err *e)
{
	return derived_remove(s, blob, e);
}
