/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/export_recode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hasher.h"
#include "base/interrupt.h"
#include "base/io.h"
#include "image/inflate.h"
#include "image/layer_recode.h"
#include "image/mediatype.h"
#include "store/blobs.h"
#include "store/spool.h"

/* A layer that was re-encoded. */
struct recoded {
	struct digest from, diff_id;
	uint64_t from_size;
	int encoding;
	struct layer_result result;
	struct export_blob blob;
};

struct export_recoder {
	const struct exporter *x;
	struct recoded *layers;
	size_t layers_count, layers_cap;
	size_t parts; /* how many there will be */
};

struct export_recoder *export_recoder_new(const struct exporter *x, size_t layers, struct err *e)
{
	struct export_recoder *r = array_new(1, sizeof(*r), e);

	if (!r)
		return NULL;
	r->x = x;
	r->parts = layers;
	return r;
}

void export_recoder_free(struct export_recoder *r)
{
	if (!r)
		return;
	free(r->layers);
	free(r);
}

/* Where the next blob begins: it is there when `digest` and `size` are. */
static int begin_blob(const struct export_recoder *r, struct export_blob *out, struct err *e)
{
	*out = (struct export_blob){.fd = -1};
	return spool_begin(r->x->spool, &out->fd, &out->offset, e);
}

/* Each layer is checked and re-encoded, and has a phase of its own for both. */
static void begin_phase(const struct exporter *x, const char *what, const struct descriptor *layer)
{
	char digest[DIGEST_STR_MAX];

	progress_begin(x->opt->progress, what, layer->size);
	progress_name(x->opt->progress, digest_format(&layer->digest, digest));
}

/* The blob, hashed: no decoder sees what was not verified. */
static int open_proven(const struct exporter *x, const struct descriptor *layer, struct err *e)
{
	char digest[DIGEST_STR_MAX];
	struct digest got;
	SCOPE_FD int fd = blobs_open(x->store, &layer->digest, layer->size, e);

	if (fd < 0)
		return -1;
	digest_format(&layer->digest, digest);
	begin_phase(x, "checking", layer);
	if (hasher_fd(fd, layer->digest.alg, digest, &got, NULL, x->opt->progress, e) < 0)
		return -1;
	if (!digest_equal(&got, &layer->digest))
		return err_set(e, ERR_DIGEST, "blob '%s': the content has another digest", digest);
	return steal_fd(&fd);
}

/* tar_input.read.  A signal stops it where the destination has something to take away. */
static ssize_t read_tar(void *ctx, void *buf, size_t len, struct err *e)
{
	return interrupt_check(e) < 0 ? -1 : inflate_read(ctx, buf, len, e);
}

static int recode_at(const struct export_recoder *r, int fd, const struct descriptor *layer,
		     struct layer_result *out, struct export_blob *blob, struct err *e)
{
	const struct export_options *opt = r->x->opt;
	const struct layer_options layer_opt = {*opt->compression, opt->workers};
	const enum layer_encoding encoding =
		(enum layer_encoding)mediatype_encoding(layer->media_type);

	if (begin_blob(r, blob, e) < 0)
		return -1;
	begin_phase(r->x, "re-encoding", layer);
	SCOPE(inflate)
	struct inflate *in = inflate_new(fd, layer->size, encoding, opt->progress, e);
	if (!in)
		return -1;
	const struct tar_input input = {read_tar, in, NULL};
	return layer_recode(&input, blob->fd, &layer_opt, out, e);
}

static int recode(const struct export_recoder *r, const struct descriptor *layer,
		  struct recoded *out, struct err *e)
{
	SCOPE_FD int fd = open_proven(r->x, layer, e);

	if (fd < 0)
		return -1;
	while (recode_at(r, fd, layer, &out->result, &out->blob, e) < 0) {
		if (spool_try_next(r->x->spool, e) < 0)
			return -1;
	}
	out->blob.digest = out->result.blob;
	out->blob.size = out->result.blob_size;
	out->blob.is_layer = true;
	if (!digest_equal(&out->result.diff_id, &out->diff_id))
		return err_set(e, ERR_DIGEST,
			       "the content has another diff_id than the config says");
	return 0;
}

static const struct recoded *find(const struct export_recoder *r, const struct recoded *like)
{
	for (size_t i = 0; i < r->layers_count; i++) {
		const struct recoded *l = &r->layers[i];
		if (digest_equal(&l->from, &like->from) && l->from_size == like->from_size &&
		    l->encoding == like->encoding && digest_equal(&l->diff_id, &like->diff_id))
			return l;
	}
	return NULL;
}

static int wrap(const struct descriptor *layer, struct err *e)
{
	char digest[DIGEST_STR_MAX];

	return err_wrap(e, "layer '%s'", digest_format(&layer->digest, digest));
}

int export_recoder_layer(struct export_recoder *r, const struct descriptor *layer,
			 const struct digest *diff_id, struct layer_result *result,
			 struct export_blob *blob, struct err *e)
{
	struct recoded new = {
		.from = layer->digest,
		.from_size = layer->size,
		.encoding = mediatype_encoding(layer->media_type),
		.diff_id = *diff_id,
	};
	const struct recoded *l = find(r, &new);

	if (!l) {
		if (array_reserve(&r->layers, &r->layers_cap, r->layers_count + 1,
				  sizeof(*r->layers), e) < 0)
			return -1;
		progress_part(r->x->opt->progress, r->layers_count + 1, r->parts);
		const int rc = recode(r, layer, &new, e);
		progress_part(r->x->opt->progress, 0, 0);
		if (rc < 0)
			return wrap(layer, e);
		r->layers[r->layers_count] = new;
		l = &r->layers[r->layers_count++];
	}
	*result = l->result;
	*blob = l->blob;
	return 0;
}

static int put_document(const struct export_recoder *r, const struct str *text,
			struct export_blob *blob, struct err *e)
{
	if (begin_blob(r, blob, e) < 0)
		return -1;
	if (io_write_all(blob->fd, text->data, text->len) < 0)
		return err_sys(e, errno, "cannot write a document");
	return 0;
}

int export_recoder_document(struct export_recoder *r, const struct str *text,
			    struct export_blob *blob, struct err *e)
{
	while (put_document(r, text, blob, e) < 0) {
		if (spool_try_next(r->x->spool, e) < 0)
			return -1;
	}
	blob->digest = hasher_sha256(text->data, text->len);
	blob->size = text->len;
	return 0;
}
