/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/view.h"

#include <pthread.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"
#include "image/frame.h"
#include "store/lease.h"

/* An idle decoder; as many exist as threads ever decoded at once. */
struct idle_decoder {
	struct frame_decoder *decoder;
	struct idle_decoder *next;
};

struct view_layer {
	int fd; /* holds the frames */
	enum frame_encoding encoding;
};

struct view {
	const struct store *store;
	const struct image *image;
	struct lease *lease;
	_Atomic(struct catalog *) catalog;
	struct catalog *damaged; /* replaced by a repair; other threads may still look into it */
	pthread_mutex_t repair_lock;
	struct view_layer *layers;
	size_t layer_count;
	struct cache *cache;
	pthread_mutex_t decoders_lock; /* never held while another lock is taken */
	struct idle_decoder *idle;
};

static struct idle_decoder *take_decoder(struct view *v, struct err *e)
{
	pthread_mutex_lock(&v->decoders_lock);
	struct idle_decoder *d = v->idle;
	if (d)
		v->idle = d->next;
	pthread_mutex_unlock(&v->decoders_lock);
	if (d)
		return d;
	d = array_new(1, sizeof(*d), e);
	if (!d)
		return NULL;
	d->decoder = frame_decoder_new(e);
	if (!d->decoder) {
		free(d);
		return NULL;
	}
	return d;
}

static void give_decoder(struct view *v, struct idle_decoder *d)
{
	pthread_mutex_lock(&v->decoders_lock);
	d->next = v->idle;
	v->idle = d;
	pthread_mutex_unlock(&v->decoders_lock);
}

/* cache_load_fn */
static int load_frame(void *ctx, uint32_t layer, uint32_t number, void *out, size_t length,
		      struct err *e)
{
	struct view *v = ctx;
	struct frame f;

	if (VIEW_RETRY(v, e, catalog_frame_number(v->catalog, layer, number, &f, e)) < 0)
		return -1;
	if (f.length != length)
		return err_set(e, ERR_FORMAT, "frame %u of layer %u changed its length", number,
			       layer);
	struct idle_decoder *d = take_decoder(v, e);
	if (!d)
		return -1;
	const int r =
		frame_read(d->decoder, v->layers[layer].fd, v->layers[layer].encoding, &f, out, e);
	give_decoder(v, d);
	return r;
}

static int open_layers(struct view *v, const struct store *s, struct err *e)
{
	const size_t count = catalog_layer_count(v->catalog);

	v->layers = array_new(count, sizeof(*v->layers), e);
	if (!v->layers)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct catalog_layer info;
		if (catalog_layer(v->catalog, i, &info, e) < 0)
			return -1;
		const int fd = layers_open_frames(s, &info, e);
		if (fd < 0)
			return -1;
		v->layers[i] = (struct view_layer){fd, info.encoding};
		v->layer_count++;
	}
	return 0;
}

struct view *view_open(const struct store *s, const struct image *im, unsigned flags,
		       uint64_t cache_bytes, const char *what, const struct layers_options *opt,
		       struct err *e)
{
	struct view *v = array_new(1, sizeof(*v), e);

	if (!v)
		return NULL;
	pthread_mutex_init(&v->decoders_lock, NULL);
	pthread_mutex_init(&v->repair_lock, NULL);
	v->store = s;
	v->image = im;
	struct catalog *catalog = NULL;
	if (lease_open(s, what, &v->lease, e) < 0 ||
	    lease_add(v->lease, &im->chosen.digest, e) < 0 ||
	    catalogs_open(s, im, flags, opt, &catalog, e) < 0)
		goto fail;
	v->catalog = catalog;
	if (open_layers(v, s, e) < 0)
		goto fail;
	v->cache = cache_new(cache_bytes, load_frame, v, e);
	if (!v->cache)
		goto fail;
	return v;
fail:
	view_close(v);
	return NULL;
}

void view_close(struct view *v)
{
	if (!v)
		return;
	cache_free(v->cache);
	while (v->idle) {
		struct idle_decoder *d = v->idle;
		v->idle = d->next;
		frame_decoder_free(d->decoder);
		free(d);
	}
	for (size_t i = 0; i < v->layer_count; i++)
		close(v->layers[i].fd);
	free(v->layers);
	catalog_free(v->catalog);
	catalog_free(v->damaged);
	lease_close(v->lease);
	pthread_mutex_destroy(&v->repair_lock);
	pthread_mutex_destroy(&v->decoders_lock);
	free(v);
}

const struct catalog *view_catalog(const struct view *v)
{
	return v->catalog;
}

/* Under repair_lock.  One repair a view: a catalog that was built from verified indexes into a
 * nameless file and is damaged again means a machine that cannot be trusted. */
static bool replace_catalog(struct view *v, struct err *e)
{
	const struct layers_options opt = {.workers = 0};
	struct catalog *fresh = NULL;
	struct err ignored = ERR_INIT;

	if (v->damaged)
		return false;
	err_clear(e);
	log_warning("the catalog of '%s' is damaged: building it anew", v->image->name);
	if (catalogs_discard(v->store, v->image, &ignored) < 0)
		err_clear(&ignored);
	if (catalogs_open(v->store, v->image, CATALOGS_FRESH, &opt, &fresh, e) < 0)
		return false;
	v->damaged = v->catalog;
	v->catalog = fresh;
	return true;
}

bool view_repair(struct view *v, struct err *e)
{
	const struct catalog *seen = v->catalog;
	bool is_repaired;

	if (e->code != ERR_DIGEST && e->code != ERR_FORMAT)
		return false;
	pthread_mutex_lock(&v->repair_lock);
	if (v->catalog != seen) {
		err_clear(e);
		is_repaired = true;
	} else {
		is_repaired = replace_catalog(v, e);
	}
	pthread_mutex_unlock(&v->repair_lock);
	return is_repaired;
}

static size_t smaller(uint64_t a, size_t b)
{
	return a < b ? (size_t)a : b;
}

int view_span(struct view *v, uint32_t inode, uint64_t offset, size_t len, struct view_span *out,
	      struct err *e)
{
	struct catalog_range range;
	struct frame f;
	uint32_t number;

	*out = (struct view_span){NULL, 0, NULL};
	if (VIEW_RETRY(v, e, catalog_range(v->catalog, inode, offset, &range, e)) < 0)
		return -1;
	len = smaller(range.length, len);
	if (range.is_hole || len == 0) {
		out->len = len;
		return 0;
	}
	if (VIEW_RETRY(v, e,
		       catalog_frame(v->catalog, range.layer, range.tar_offset, &number, &f, e)) <
	    0)
		return -1;
	out->frame = cache_get(v->cache, range.layer, number, f.length, e);
	if (!out->frame)
		return -1;
	const size_t at = (size_t)(range.tar_offset - f.tar_offset);
	out->bytes = cache_frame_bytes(out->frame) + at;
	out->len = smaller(f.length - at, len);
	return 0;
}

void view_span_put(struct view *v, struct view_span *span)
{
	if (span->frame)
		cache_put(v->cache, span->frame);
	*span = (struct view_span){NULL, 0, NULL};
}

ssize_t view_read(struct view *v, uint32_t inode, uint64_t offset, void *buf, size_t len,
		  struct err *e)
{
	uint8_t *out = buf;
	size_t done = 0;

	while (done < len) {
		struct view_span span;
		if (view_span(v, inode, offset + done, len - done, &span, e) < 0)
			return -1;
		if (span.len == 0)
			break;
		if (span.bytes)
			memcpy(out + done, span.bytes, span.len);
		else
			memset(out + done, 0, span.len);
		done += span.len;
		view_span_put(v, &span);
	}
	return (ssize_t)done;
}

struct cache_stats view_cache_stats(const struct view *v)
{
	return cache_stats(v->cache);
}
