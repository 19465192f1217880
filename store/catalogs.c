/* SPDX-License-Identifier: Apache-2.0 */
#include "store/catalogs.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/quote.h"
#include "base/str.h"
#include "base/tmpfile.h"
#include "image/merge.h"
#include "store/catalogs_private.h"
#include "store/derived.h"
#include "store/folder.h"
#include "store/layers_private.h"
#include "store/locks.h"

enum { CATALOG_MODE = 0444, COMPARE_STEP = 64 * 1024 };

static const char merging[] = "building the catalog";

/* What makes a kept catalog one to build anew, and not a failure. */
static bool is_damage(const struct err *e)
{
	return e->code == ERR_DIGEST || e->code == ERR_FORMAT || e->code == ERR_LIMIT ||
	       e->code == ERR_UNSUPPORTED || e->code == ERR_UNTRUSTED;
}

static enum catalogs_fit fit(bool is_same)
{
	return is_same ? CATALOGS_FIT : CATALOGS_OTHER;
}

/* Whether a layer of the catalog is what the manifest says, without reading the layer's index: an
 * enum catalogs_fit, -1. */
static int check_layer(const struct store *s, const struct descriptor *layer,
		       const struct catalog_layer *info, struct err *e)
{
	struct embedded at;
	struct derived kept = DERIVED_INIT;
	struct err why = ERR_INIT;

	if (!digest_equal(&info->blob, &layer->digest))
		return CATALOGS_OTHER;
	int r = layers_find_embedded(layer, &at, e);
	if (r < 0)
		return -1;
	if (r == 1)
		return (int)fit(!info->is_reframed && digest_equal(&info->index, &at.digest));
	r = derived_peek(s, &layer->digest, &kept, &why);
	if (r < 0 && !is_damage(&why))
		return err_move(e, &why);
	err_clear(&why);
	if (r < 1)
		return CATALOGS_UNKNOWN;
	return (int)fit(info->is_reframed == kept.is_reframed &&
			digest_equal(&info->index, &kept.index_digest));
}

int catalogs_check_layers(const struct store *s, const struct manifest *m, const struct catalog *c,
			  struct err *e)
{
	int worst = CATALOGS_FIT;

	if (catalog_layer_count(c) != m->layer_count)
		return CATALOGS_OTHER;
	for (size_t i = 0; i < m->layer_count; i++) {
		struct catalog_layer info;
		if (catalog_layer(c, i, &info, e) < 0)
			return -1;
		const int r = check_layer(s, &m->layers[i], &info, e);
		if (r < 0 || r == CATALOGS_OTHER)
			return r;
		if (r == CATALOGS_UNKNOWN)
			worst = r;
	}
	return worst;
}

/* What is kept under the image's digest: 1 opened, 0 there is none, -1. */
static int open_any(const struct store *s, const struct image *im, struct catalog **out,
		    struct err *e)
{
	char hex[DIGEST_HEX_MAX];
	struct err why = ERR_INIT;
	SCOPE_FD int fd = folder_open_own(store_dirfd(s, STORE_DIR_CATALOGS),
					  digest_hex(&im->chosen.digest, hex), NULL, &why);

	if (fd < 0 && why.code == ERR_NOT_FOUND) {
		err_clear(&why);
		return 0;
	}
	if (fd < 0)
		return err_move(e, &why);
	return catalog_open(fd, out, e) < 0 ? -1 : 1;
}

/* The same, when it is of the image's layers. */
static int open_kept(const struct store *s, const struct image *im, struct catalog **out,
		     struct err *e)
{
	SCOPE(catalog) struct catalog *c = NULL;
	const int found = open_any(s, im, &c, e);

	if (found < 1)
		return found;
	const int r = catalogs_check_layers(s, &im->manifest, c, e);
	if (r < 0)
		return -1;
	if (r != CATALOGS_FIT)
		return 0;
	*out = steal_ptr(&c);
	return 1;
}

static int open_unchecked(const struct store *s, const struct image *im, struct catalog **out,
			  struct err *e)
{
	const int found = open_any(s, im, out, e);

	if (found == 0)
		err_set(e, ERR_NOT_FOUND, "the store has no catalog of it");
	return found == 1 ? 0 : -1;
}

/* The layers of an image on their way into a catalog. */
struct stack {
	struct layer_index **indexes;
	struct catalog_layer *layers;
	size_t count;
};

static void stack_fini(struct stack *st)
{
	for (size_t i = 0; i < st->count; i++)
		layer_index_free(st->indexes[i]);
	free(st->indexes);
	free(st->layers);
}
SCOPE_DEFINE_VALUE(stack, struct stack, stack_fini)

/* Which indexes are taken: see struct layer_request. */
struct source {
	const struct store *store;
	const struct manifest *manifest;
	const struct digest *diff_ids;
	bool is_fresh, is_kept_only;
	const struct layers_options *opt;
};

static int stack_init(struct stack *st, size_t layer_count, struct err *e)
{
	st->indexes = array_new(layer_count, sizeof(struct layer_index *), e);
	if (!st->indexes)
		return -1;
	st->layers = array_new(layer_count, sizeof(*st->layers), e);
	return st->layers ? 0 : -1;
}

static int load_next(const struct source *src, struct stack *st, struct err *e)
{
	const size_t i = st->count;
	const struct layer_request want = {&src->manifest->layers[i], &src->diff_ids[i],
					   src->is_fresh, src->is_kept_only, src->opt};

	progress_part(src->opt->progress, i + 1, src->manifest->layer_count);
	if (layers_load(src->store, &want, &st->indexes[i], &st->layers[i], e) < 0)
		return -1;
	st->count++;
	progress_begin(src->opt->progress, merging, 0);
	return 0;
}

/* Each is merged before the next is loaded, so that the merge's limits hold for their memory. */
static int merge_last(const struct stack *st, struct merge *tree, struct err *e)
{
	char text[DIGEST_STR_MAX];
	const size_t i = st->count - 1;

	if (merge_add_layer(tree, st->indexes[i], e) < 0)
		return err_wrap(e, "layer '%s'", digest_format(&st->layers[i].blob, text));
	return 0;
}

static int merge_layers(const struct source *src, struct stack *st, struct merge *tree,
			struct err *e)
{
	if (stack_init(st, src->manifest->layer_count, e) < 0)
		return -1;
	while (st->count < src->manifest->layer_count) {
		if (load_next(src, st, e) < 0 || merge_last(st, tree, e) < 0)
			return -1;
	}
	return 0;
}

/* The nameless file that the catalog was written to; `place` says where there was room. */
static int write_catalog(const struct store *s, const struct stack *st, struct merge *m,
			 enum folder_place *place, struct err *e)
{
	do {
		SCOPE_FD int fd = folder_spill(s, STORE_DIR_CATALOGS, *place, e);
		if (fd >= 0 && catalog_write(m, st->layers, fd, e) == 0)
			return steal_fd(&fd);
	} while (folder_try_next(place, FOLDER_IN_MEMORY, e));
	return -1;
}

/* A catalog that cannot be kept is built again next time, and good for this one. */
static void keep(const struct store *s, const struct image *im, int fd)
{
	char hex[DIGEST_HEX_MAX];
	struct err why = ERR_INIT;
	/* gc would take the name that is there for a moment for that of a dead process. */
	SCOPE_FD int lock = locks_take(s, LOCKS_GC, LOCKS_SHARED, &why);

	if (lock < 0 ||
	    tmpfile_replace_at(fd, store_dirfd(s, STORE_DIR_CATALOGS),
			       digest_hex(&im->chosen.digest, hex), CATALOG_MODE, &why) < 0)
		log_warning("cannot keep the catalog of '%s': %s", im->name, why.msg);
	err_clear(&why);
}

static int build(const struct store *s, const struct image *im, unsigned flags,
		 const struct layers_options *opt, struct catalog **out, struct err *e)
{
	const bool is_fresh = flags & CATALOGS_FRESH;
	const struct source src = {s, &im->manifest, im->config.diff_ids, is_fresh, false, opt};
	enum folder_place place = folder_first_place(s);
	SCOPE(catalog) struct catalog *c = NULL;
	SCOPE(stack) struct stack st = {NULL, NULL, 0};
	SCOPE(merge) struct merge *m = merge_new(e);

	if (!m || merge_layers(&src, &st, m, e) < 0)
		return -1;
	progress_part(opt->progress, 0, 0);
	progress_begin(opt->progress, merging, 0);
	SCOPE_FD int fd = write_catalog(s, &st, m, &place, e);
	if (fd < 0 || catalog_open(fd, &c, e) < 0)
		return -1;
	if (!is_fresh && place == FOLDER_IN_STORE)
		keep(s, im, fd);
	else if (!is_fresh && store_is_writable(s))
		log_warning("cannot keep the catalog of '%s': no room in the store", im->name);
	*out = steal_ptr(&c);
	return 0;
}

int catalogs_open(const struct store *s, const struct image *im, unsigned flags,
		  const struct layers_options *opt, struct catalog **out, struct err *e)
{
	char quoted[QUOTE_MAX];
	struct err why = ERR_INIT;

	if (flags & CATALOGS_KEPT)
		return open_unchecked(s, im, out, e);
	const int r = flags & CATALOGS_FRESH ? 0 : open_kept(s, im, out, &why);
	if (r == 1)
		return 0;
	if (r < 0 && !is_damage(&why))
		return err_move(e, &why);
	err_clear(&why);
	if (build(s, im, flags, opt, out, e) < 0)
		return err_wrap(e, "image '%s'", quote_str(quoted, im->name));
	return 0;
}

int catalogs_discard(const struct store *s, const struct image *im, struct err *e)
{
	char hex[DIGEST_HEX_MAX];

	if (locks_need_writable(s, e) < 0)
		return -1;
	return folder_remove(store_dirfd(s, STORE_DIR_CATALOGS),
			     digest_hex(&im->chosen.digest, hex), e) < 0
		       ? -1
		       : 0;
}

/* Whether what was loaded last is what the catalog says it was made from. */
static int is_made_from(const struct catalog *c, const struct stack *st, struct err *e)
{
	const size_t i = st->count - 1;
	struct catalog_layer info;

	if (catalog_layer(c, i, &info, e) < 0)
		return -1;
	return digest_equal(&info.index, &st->layers[i].index);
}

/* 1, 0, -1. */
static int is_same_file(int a, int b, struct err *e)
{
	uint8_t x[COMPARE_STEP], y[COMPARE_STEP];

	for (uint64_t at = 0;; at += COMPARE_STEP) {
		const ssize_t n = io_pread_full(a, x, sizeof(x), at);
		const ssize_t m = io_pread_full(b, y, sizeof(y), at);
		if (n < 0 || m < 0)
			return err_sys(e, errno, "cannot read a catalog");
		if (n != m || memcmp(x, y, (size_t)n) != 0)
			return 0;
		if ((size_t)n < sizeof(x))
			return 1;
	}
}

/* Damage of a layer is told where layers are looked at; here it is `damaged`. */
static int settle(struct err *why, enum catalogs_fit damaged, struct err *e)
{
	if (why->code != ERR_NOT_FOUND && !is_damage(why))
		return err_move(e, why);
	err_clear(why);
	return (int)damaged;
}

/* Merges the layers, as long as they are what the catalog was made from: an enum catalogs_fit,
 * -1. */
static int merge_same(const struct source *src, const struct catalog *c, struct stack *st,
		      struct merge *tree, struct err *e)
{
	struct err why = ERR_INIT;

	if (stack_init(st, src->manifest->layer_count, e) < 0)
		return -1;
	while (st->count < src->manifest->layer_count) {
		if (load_next(src, st, &why) < 0)
			return settle(&why, CATALOGS_UNKNOWN, e);
		const int is_current = is_made_from(c, st, e);
		if (is_current < 1)
			return is_current < 0 ? -1 : CATALOGS_UNKNOWN;
		/* Of layers that cannot be merged there is no catalog. */
		if (merge_last(st, tree, &why) < 0)
			return settle(&why, CATALOGS_OTHER, e);
	}
	return CATALOGS_FIT;
}

int catalogs_compare(const struct store *s, const struct manifest *m, const struct digest *diff_ids,
		     const struct catalog *c, int fd, struct err *e)
{
	const struct layers_options opt = {.workers = 0};
	const struct source src = {s, m, diff_ids, false, true, &opt};
	/* As big as the tree, which is in memory already. */
	enum folder_place place = FOLDER_IN_MEMORY;
	SCOPE(stack) struct stack st = {NULL, NULL, 0};
	SCOPE(merge) struct merge *tree = merge_new(e);

	const int r = tree ? merge_same(&src, c, &st, tree, e) : -1;
	if (r != CATALOGS_FIT)
		return r;
	SCOPE_FD int fresh = write_catalog(s, &st, tree, &place, e);
	const int is_same = fresh < 0 ? -1 : is_same_file(fresh, fd, e);
	return is_same < 0 ? -1 : (int)fit(is_same);
}
