/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/hasher.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "image/config.h"
#include "image/layer_scan.h"
#include "image/mediatype.h"
#include "store/blobs.h"
#include "store/catalogs.h"
#include "store/catalogs_private.h"
#include "store/derived.h"
#include "store/folder.h"
#include "store/fsck_private.h"
#include "store/image.h"
#include "store/layers_private.h"

/*
 * Imports, repairs and gc remove what is derived and make it anew beside us.  So nothing is damaged
 * unless the same files had the names before and after they were looked at; else they are looked at
 * again.  No lock is needed for that, which readers of a store of root could not take.
 */
enum { LOOKS_MAX = 64 }; /* at files that change each time: an end, even where nothing is stable */

/* Whether all the frames are what the index says; decodes none. */
static int read_frames(struct fsck *f, int fd, const struct layer_index *ix, struct err *why)
{
	SCOPE_FREE uint8_t *buf = NULL;
	size_t cap = 0;

	for (size_t i = 0; i < layer_index_frame_count(ix); i++) {
		const struct frame frame = layer_index_frame(ix, i);
		if (array_reserve(&buf, &cap, frame.blob_length, 1, why) < 0)
			return -1;
		const ssize_t n = io_pread_full(fd, buf, frame.blob_length, frame.blob_offset);
		if (n < 0)
			return err_sys(why, errno, "cannot read frame %zu", i);
		fsck_count(f, (uint64_t)n);
		const struct digest got = hasher_sha256(buf, (size_t)n);
		if (memcmp(got.raw, frame.sha256, sizeof(frame.sha256)) != 0)
			return err_set(why, ERR_DIGEST, "frame %zu has another digest", i);
	}
	return 0;
}

static int check_embedded(struct fsck *f, const struct descriptor *layer,
			  const struct digest *diff_id, struct err *why)
{
	const struct layers_options opt = {.workers = 0};
	SCOPE(layer_index) struct layer_index *ix = NULL;
	struct catalog_layer info;

	if (layers_index(f->store, layer, diff_id, &opt, &ix, &info, why) < 0)
		return -1;
	if (!f->opt->read_data)
		return 0;
	SCOPE_FD int fd = blobs_open(f->store, &layer->digest, layer->size, why);
	if (fd < 0 || read_frames(f, fd, ix, why) < 0)
		return -1;
	return layers_prove_embedded(fd, layer, ix, NULL, why);
}

/* Nothing but the diff_id binds what is derived to the image: whoever forged it could make all its
 * own digests right. */
static int prove_reframed(struct fsck *f, const struct descriptor *layer,
			  const struct layer_index *ix, struct err *why)
{
	SCOPE_FD int fd = derived_open_frames(f->store, &layer->digest, why);

	return fd < 0 || read_frames(f, fd, ix, why) < 0 ? -1 : layer_prove(fd, ix, NULL, why);
}

/* The same when the frames are in the blob. */
static int prove_ranges(struct fsck *f, const struct descriptor *layer,
			const struct layer_index *ix, struct err *why)
{
	struct err ignored = ERR_INIT;
	SCOPE_FD int fd = blobs_open(f->store, &layer->digest, layer->size, why);

	if (fd < 0)
		return -1;
	if (layer_prove(fd, ix, NULL, why) == 0)
		return 0;
	/* The walk over all blobs tells that it is the blob which is damaged. */
	if (fsck_hash_blob(f, &layer->digest, &ignored) == 0)
		return -1;
	err_clear(&ignored);
	err_clear(why);
	return 0;
}

static int look_at_derived(struct fsck *f, const struct descriptor *layer,
			   const struct digest *diff_id, struct err *why)
{
	SCOPE(derived) struct derived d = DERIVED_INIT;

	const int r = derived_load(f->store, &layer->digest, &d, why);
	if (r < 1)
		return r;
	const struct digest own = layer_index_diff_id(d.index);
	if (!digest_equal(&own, diff_id))
		return err_set(why, ERR_DIGEST,
			       "the content has another diff_id than the config says");
	if (!f->opt->read_data)
		return 0;
	return d.is_reframed ? prove_reframed(f, layer, d.index, why)
			     : prove_ranges(f, layer, d.index, why);
}

static int check_derived(struct fsck *f, const struct descriptor *layer,
			 const struct digest *diff_id, struct err *why)
{
	for (int looks = 1;; looks++) {
		const struct derived_stamp before = derived_stamp(f->store, &layer->digest);
		if (look_at_derived(f, layer, diff_id, why) == 0)
			return 0;
		const struct derived_stamp after = derived_stamp(f->store, &layer->digest);
		if (looks == LOOKS_MAX || derived_stamp_equal(&before, &after))
			return -1;
		err_clear(why);
	}
}

struct layer_at {
	struct fsck *f;
	const struct descriptor *layer;
	const struct digest *diff_id;
};

static int mend_derived(void *ctx, struct err *failed)
{
	const struct layer_at *at = ctx;
	const struct layers_options opt = {.workers = 0};
	SCOPE(derived) struct derived made = DERIVED_INIT;

	if (derived_make(at->f->store, at->layer, at->diff_id, &opt, &made, failed) < 0)
		return -1;
	/* On a full disk it may not have been kept. */
	return check_derived(at->f, at->layer, at->diff_id, failed);
}

/* Whether all of this was looked at before, for another image. */
static int is_new_layer(struct fsck *f, const struct descriptor *layer,
			const struct digest *diff_id, struct err *e)
{
	static const char *const keys[] = {LAYER_INDEX_DIGEST_KEY, LAYER_INDEX_OFFSET_KEY,
					   LAYER_INDEX_SIZE_KEY};
	char text[DIGEST_STR_MAX], other[DIGEST_STR_MAX];
	SCOPE(str) struct str all = STR_INIT;

	if (str_appendf(&all, e, "%s %s %s", layer->media_type, digest_format(&layer->digest, text),
			digest_format(diff_id, other)) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *value = strmap_get(&layer->annotations, keys[i]);
		if (str_appendf(&all, e, " %s", value ? value : "") < 0)
			return -1;
	}
	const struct digest d = hasher_sha256(all.data, all.len);
	if (mark_has(f->layers, &d))
		return 0;
	return mark_add_digest(f->layers, &d, e) < 0 ? -1 : 1;
}

static int check_layer(struct fsck *f, const struct descriptor *layer, const struct digest *diff_id,
		       const char *user, struct err *e)
{
	struct embedded at;
	struct err why = ERR_INIT;

	const int is_new = is_new_layer(f, layer, diff_id, e);
	if (is_new < 1)
		return is_new;
	SCOPE_FD int fd = blobs_open(f->store, &layer->digest, layer->size, &why);
	if (fd < 0 && why.code == ERR_SYS)
		return fsck_tell_blob(f, &layer->digest, &why, user, e);
	/* The walk over all blobs tells what is missing. */
	if (fd < 0) {
		err_clear(&why);
		return 0;
	}
	const int is_embedded = layers_find_embedded(layer, &at, &why);
	if (is_embedded == 0) {
		struct layer_at place = {f, layer, diff_id};
		const struct fsck_mender mender = {mend_derived, &place};
		if (check_derived(f, layer, diff_id, &why) == 0)
			return 0;
		return fsck_tell_derived(f, "derived index of layer", &layer->digest, &why, user,
					 &mender, e);
	}
	if (is_embedded < 0 || check_embedded(f, layer, diff_id, &why) < 0)
		return fsck_tell_broken(f, "layer", &layer->digest, &why, user, e);
	return 0;
}

/* A catalog whose digests are all right may be forged. */
static int compare_catalog(struct fsck *f, const struct manifest *doc,
			   const struct image_config *config, const struct catalog *c, int fd,
			   struct err *why)
{
	const int r = catalogs_compare(f->store, doc, config->diff_ids, c, fd, why);

	if (r != CATALOGS_OTHER)
		return r < 0 ? -1 : 0;
	return err_set(why, ERR_DIGEST, "it is not what its layers give");
}

static int look_at_catalog(struct fsck *f, const char *name, const struct manifest *doc,
			   const struct image_config *config, struct err *why)
{
	struct stat st;
	SCOPE(catalog) struct catalog *c = NULL;
	SCOPE_FD int fd =
		folder_open_own(store_dirfd(f->store, STORE_DIR_CATALOGS), name, &st, why);

	if (fd < 0 && why->code == ERR_NOT_FOUND) {
		err_clear(why);
		return 0;
	}
	if (fd < 0 || catalog_open(fd, &c, why) < 0)
		return -1;
	const int r = catalogs_check_layers(f->store, doc, c, why);
	if (r < 0)
		return -1;
	if (r == CATALOGS_OTHER)
		return err_set(why, ERR_FORMAT, "it was made from other layers");
	if (!f->opt->read_data)
		return 0;
	fsck_count(f, (uint64_t)st.st_size);
	return catalog_check(c, why) < 0 ? -1 : compare_catalog(f, doc, config, c, fd, why);
}

static int check_catalog(struct fsck *f, const struct digest *d, const struct manifest *doc,
			 const struct image_config *config, struct err *why)
{
	const int dir = store_dirfd(f->store, STORE_DIR_CATALOGS);
	char name[DIGEST_HEX_MAX];

	digest_hex(d, name);
	for (int looks = 1;; looks++) {
		const struct folder_stamp before = folder_stamp(dir, name);
		if (look_at_catalog(f, name, doc, config, why) == 0)
			return 0;
		const struct folder_stamp after = folder_stamp(dir, name);
		if (looks == LOOKS_MAX || folder_stamp_equal(&before, &after))
			return -1;
		err_clear(why);
	}
}

/* 1 the config of an image, 0 it was told why not. */
static int load_config(struct fsck *f, const struct mark *m, const struct manifest *doc,
		       struct image_config *out, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err why = ERR_INIT;

	if (blobs_read(f->store, &doc->config.digest, doc->config.size, LIMIT_DOCUMENT, &text,
		       &why) < 0 ||
	    image_config_parse(out, str_text(&text), text.len, &why) < 0)
		return fsck_tell_blob(f, &doc->config.digest, &why, m->root, e) < 0 ? -1 : 0;
	if (out->diff_id_count == doc->layer_count)
		return 1;
	err_set(&why, ERR_DIGEST, "the config names %zu layers, the manifest %zu",
		out->diff_id_count, doc->layer_count);
	return fsck_tell_broken(f, "manifest", &m->digest, &why, m->root, e) < 0 ? -1 : 0;
}

struct catalog_at {
	struct fsck *f;
	const struct mark *mark;
	const struct manifest *doc;
	const struct image_config *config;
};

static int mend_catalog(void *ctx, struct err *failed)
{
	const struct catalog_at *at = ctx;
	const struct layers_options opt = {.workers = 0};
	char name[DIGEST_STR_MAX];
	digest_format(&at->mark->digest, name);
	/* All of it is borrowed. */
	const struct image im = {
		.name = name,
		.chosen = {.digest = at->mark->digest, .size = at->mark->size},
		.manifest = *at->doc,
		.config = *at->config,
	};
	SCOPE(catalog) struct catalog *c = NULL;

	if (catalogs_discard(at->f->store, &im, failed) < 0 ||
	    catalogs_open(at->f->store, &im, 0, &opt, &c, failed) < 0)
		return -1;
	return check_catalog(at->f, &at->mark->digest, at->doc, at->config, failed);
}

int fsck_check_manifest(void *ctx, const struct mark *m, const struct manifest *doc, struct err *e)
{
	struct fsck *f = ctx;
	struct err why = ERR_INIT;
	SCOPE(image_config) struct image_config config;

	image_config_init(&config);
	/* Signatures and attestations are manifests of their own kind: the walk checks their
	 * blobs. */
	if (manifest_check_image(doc, &why) < 0) {
		err_clear(&why);
		return 0;
	}
	f->report->images++;
	progress_name(f->opt->progress, m->root);
	const int r = load_config(f, m, doc, &config, e);
	if (r < 1)
		return r;
	for (size_t i = 0; i < doc->layer_count; i++) {
		if (check_layer(f, &doc->layers[i], &config.diff_ids[i], m->root, e) < 0)
			return -1;
	}
	if (check_catalog(f, &m->digest, doc, &config, &why) == 0)
		return 0;
	struct catalog_at place = {f, m, doc, &config};
	const struct fsck_mender mender = {mend_catalog, &place};
	return fsck_tell_derived(f, "catalog of manifest", &m->digest, &why, m->root, &mender, e);
}
