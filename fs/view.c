/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/view.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/log.h"
#include "image/frame.h"
#include "store/blobs.h"
#include "store/lease.h"

/* After a repair that failed, until the next is tried: what could not be built just now cannot be
 * built for the next of many requests either. */
enum { REPAIR_PAUSE_S = 30 };

/* An idle decoder; as many exist as threads ever decoded at once. */
struct idle_decoder {
	struct frame_decoder *decoder;
	struct idle_decoder *next;
};

struct view_layer {
	_Atomic int fd;       /* holds the frames */
	int damaged_fd;       /* replaced by a repair; other threads may still read from it; -1 */
	time_t repair_failed; /* when, by now(); 0: never */
	enum frame_encoding encoding;
	bool is_reframed;
	struct digest index;
};

struct view {
	const struct store *store;
	const struct image *image;
	bool is_rescue; /* the image may be damaged: VIEW_WITHOUT_LOST, CATALOGS_KEPT */
	struct lease *lease;
	_Atomic(struct catalog *) catalog;
	struct catalog *damaged; /* replaced by a repair; other threads may still look into it */
	time_t repair_failed;    /* that of the catalog */
	pthread_mutex_t repair_lock;
	struct view_layer *layers;
	size_t layer_count;
	struct cache *cache;
	pthread_mutex_t decoders_lock; /* order of locks: fs/mount.c */
	struct idle_decoder *idle;
};

/* Seconds of a clock that nobody sets. */
static time_t now(void)
{
	struct timespec ts = {0};

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + 1; /* never 0 */
}

static bool is_pausing(time_t failed)
{
	return failed && now() - failed < REPAIR_PAUSE_S;
}

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

/* Of an image that may be damaged, what was derived is the last that there is, and goes only for
 * what can be derived anew. */
static int check_source(const struct view *v, uint32_t at, struct err *e)
{
	if (!v->is_rescue)
		return 0;
	if (at >= v->image->manifest.layer_count)
		return err_set(e, ERR_NOT_FOUND, "the image's manifest is not known");
	const struct descriptor *d = &v->image->manifest.layers[at];
	const int found = blobs_has(v->store, NULL, &d->digest, d->size, e);
	return found == 0  ? err_set(e, ERR_NOT_FOUND, "the layer's blob is not in the store")
	       : found < 0 ? -1
			   : 0;
}

/* Opens the frames of a layer that were derived just now, when they are those of the catalog. */
static int derive_frames(struct view *v, uint32_t at, struct err *e)
{
	const struct layers_options opt = {.workers = 0};
	SCOPE(layer_index) struct layer_index *ix = NULL;
	struct catalog_layer info;

	if (check_source(v, at, e) < 0)
		return -1;
	if (layers_discard(v->store, &v->image->manifest.layers[at].digest, e) < 0 ||
	    layers_index(v->store, &v->image->manifest.layers[at], &v->image->config.diff_ids[at],
			 &opt, &ix, &info, e) < 0)
		return -1;
	if (!digest_equal(&info.index, &v->layers[at].index))
		return err_set(e, ERR_DIGEST, "its frames are not those of the catalog");
	return layers_open_frames(v->store, &info, e);
}

/* Under repair_lock.  One repair a layer, as for catalogs: see replace_catalog. */
static bool replace_frames(struct view *v, uint32_t at)
{
	struct view_layer *l = &v->layers[at];
	struct err why = ERR_INIT;

	if (l->damaged_fd >= 0 || is_pausing(l->repair_failed))
		return false;
	log_warning("what was derived from layer %u of '%s' is damaged: deriving it anew", at + 1,
		    v->image->name);
	const int fd = derive_frames(v, at, &why);
	if (fd < 0) {
		log_warning("cannot derive it: %s", why.msg);
		err_clear(&why);
		l->repair_failed = now();
		return false;
	}
	l->damaged_fd = l->fd;
	l->fd = fd;
	return true;
}

/* After a failure to read a frame from `fd`: whether it is worth another try. */
static bool repair_frames(struct view *v, uint32_t at, int fd, const struct err *e)
{
	if (e->code != ERR_DIGEST || !v->layers[at].is_reframed)
		return false;
	pthread_mutex_lock(&v->repair_lock);
	const bool is_repaired = v->layers[at].fd != fd || replace_frames(v, at);
	pthread_mutex_unlock(&v->repair_lock);
	return is_repaired;
}

static int read_frame(struct view *v, struct frame_decoder *d, uint32_t layer,
		      const struct frame *f, void *out, struct err *e)
{
	const struct view_layer *l = &v->layers[layer];
	const int fd = l->fd;

	if (fd < 0)
		return err_set(e, ERR_NOT_FOUND, "layer %u of the image is lost", layer + 1);
	const int r = frame_read(d, fd, l->encoding, f, out, e);
	if (r == 0 || !repair_frames(v, layer, fd, e))
		return r;
	err_clear(e);
	return frame_read(d, l->fd, l->encoding, f, out, e);
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
	const int r = read_frame(v, d->decoder, layer, &f, out, e);
	give_decoder(v, d);
	return r;
}

static int open_frames(struct view *v, uint32_t at, const struct catalog_layer *info, struct err *e)
{
	const int fd = layers_open_frames(v->store, info, e);

	if (fd >= 0 || e->code != ERR_NOT_FOUND || !info->is_reframed)
		return fd;
	err_clear(e);
	return derive_frames(v, at, e);
}

/* With VIEW_WITHOUT_LOST. */
static bool go_without(const struct view *v, size_t at, struct err *e)
{
	if (err_is_own_lack(e))
		return false;
	log_warning("layer %zu of '%s' is lost: %s", at + 1, v->image->name, e->msg);
	err_clear(e);
	return true;
}

static int open_layers(struct view *v, unsigned flags, struct err *e)
{
	const size_t count = catalog_layer_count(v->catalog);

	v->layers = array_new(count, sizeof(*v->layers), e);
	if (!v->layers)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct catalog_layer info;
		if (catalog_layer(v->catalog, i, &info, e) < 0)
			return -1;
		struct view_layer *l = &v->layers[i];
		*l = (struct view_layer){.fd = -1,
					 .damaged_fd = -1,
					 .encoding = info.encoding,
					 .is_reframed = info.is_reframed,
					 .index = info.index};
		l->fd = open_frames(v, (uint32_t)i, &info, e);
		if (l->fd < 0 && (!(flags & VIEW_WITHOUT_LOST) || !go_without(v, i, e)))
			return -1;
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
	v->is_rescue = flags & (VIEW_WITHOUT_LOST | CATALOGS_KEPT);
	struct catalog *catalog = NULL;
	if (lease_open(s, what, &v->lease, e) < 0 ||
	    lease_add(v->lease, &im->chosen.digest, e) < 0 ||
	    catalogs_open(s, im, flags, opt, &catalog, e) < 0)
		goto fail;
	v->catalog = catalog;
	if (open_layers(v, flags, e) < 0)
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
	for (size_t i = 0; i < v->layer_count; i++) {
		if (v->layers[i].fd >= 0)
			close(v->layers[i].fd);
		if (v->layers[i].damaged_fd >= 0)
			close(v->layers[i].damaged_fd);
	}
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

/* Frames are read from the files that are open, and inode numbers are known to the kernel: both are
 * as before only when the layers are. */
static int build_catalog(const struct view *v, struct catalog **out, struct err *e)
{
	const struct layers_options opt = {.workers = 0};
	SCOPE(catalog) struct catalog *c = NULL;

	if (v->image->manifest.layer_count != v->layer_count) /* CATALOGS_KEPT */
		return err_set(e, ERR_NOT_FOUND, "the image's manifest is not known");
	if (catalogs_open(v->store, v->image, CATALOGS_FRESH, &opt, &c, e) < 0)
		return -1;
	for (size_t i = 0; i < v->layer_count; i++) {
		struct catalog_layer info;
		if (catalog_layer(c, i, &info, e) < 0)
			return -1;
		if (!digest_equal(&info.index, &v->layers[i].index))
			return err_set(e, ERR_DIGEST, "layer %zu has another index now", i + 1);
	}
	*out = steal_ptr(&c);
	return 0;
}

/*
 * Under repair_lock.  One repair a view: a catalog that was built from verified indexes into a
 * nameless file and is damaged again means a machine that cannot be trusted.
 *
 * Why it cannot be built is for the log.  A layer that gc took (ERR_NOT_FOUND) must not look to the
 * caller like an inode that is none: to him the catalog is damaged, as it was.
 */
static bool replace_catalog(struct view *v)
{
	struct catalog *fresh = NULL;
	struct err why = ERR_INIT;

	if (v->damaged || is_pausing(v->repair_failed))
		return false;
	log_warning("the catalog of '%s' is damaged: building it anew", v->image->name);
	/* It is not read again in this view; where it may be the last, it stays. */
	if (!v->is_rescue && catalogs_discard(v->store, v->image, &why) < 0)
		err_clear(&why);
	if (build_catalog(v, &fresh, &why) < 0) {
		log_error("cannot build the catalog anew: %s", why.msg);
		err_clear(&why);
		v->repair_failed = now();
		return false;
	}
	v->damaged = v->catalog;
	v->catalog = fresh;
	return true;
}

bool view_repair(struct view *v, const struct catalog *seen, struct err *e)
{
	if (e->code != ERR_DIGEST && e->code != ERR_FORMAT)
		return false;
	pthread_mutex_lock(&v->repair_lock);
	const bool is_repaired = v->catalog != seen || replace_catalog(v);
	pthread_mutex_unlock(&v->repair_lock);
	if (is_repaired)
		err_clear(e);
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
