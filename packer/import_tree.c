/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root file systems become an image of one layer.
 *
 * A tar of one is not kept as it is: its tree is read, and written anew in the order and the
 * encoding of a layer of ours, so that a directory and a tar of it give the same image.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "image/layer_write.h"
#include "image/manifest.h"
#include "image/mediatype.h"
#include "image/merge.h"
#include "packer/epoch.h"
#include "packer/importer.h"
#include "packer/tar_tree.h"
#include "packer/tree_layer.h"
#include "store/blobs.h"
#include "store/documents.h"

static int put_config(struct importer *im, const struct layer_result *layer, int64_t epoch,
		      struct descriptor *out, struct err *e)
{
	SCOPE(image_config) struct image_config config;
	SCOPE(str) struct str bytes = STR_INIT;
	static const char by[] = "shale import";

	image_config_init(&config);
	config.platform = im->opt->platform ? *im->opt->platform : platform_host();
	config.created = config_format_time(epoch, e);
	if (!config.created)
		return -1;
	char created_by[sizeof(by)];
	memcpy(created_by, by, sizeof(by));
	const struct history h = {.created = config.created, .created_by = created_by};
	if (image_config_add_diff_id(&config, &layer->diff_id, e) < 0 ||
	    image_config_add_history(&config, &h, e) < 0 ||
	    image_config_format(&config, &bytes, e) < 0)
		return -1;
	return documents_put(im->store, im->lease, MEDIATYPE_CONFIG, &bytes, out, e);
}

static int put_image(struct importer *im, const struct layer_result *layer, int64_t epoch,
		     struct descriptor *out, struct err *e)
{
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	SCOPE(str) struct str bytes = STR_INIT;

	m.media_type = str_dup(MEDIATYPE_MANIFEST, e);
	if (!m.media_type || put_config(im, layer, epoch, &m.config, e) < 0 ||
	    layer_result_descriptor(layer, &d, e) < 0 || manifest_add_layer(&m, &d, e) < 0 ||
	    manifest_format(&m, &bytes, e) < 0)
		return -1;
	im->layer_count = 1;
	return documents_put(im->store, im->lease, MEDIATYPE_MANIFEST, &bytes, out, e);
}

/* Writes the layer that `fill` makes, and the image around it. */
static int make_image(struct importer *im,
		      int (*fill)(void *ctx, struct layer_writer *w, struct err *e), void *ctx,
		      struct descriptor *out, struct err *e)
{
	const struct layer_options opt = {im->opt->compression, im->opt->workers};
	struct layer_result layer;
	int64_t epoch;

	if (epoch_get(&epoch, e) < 0)
		return -1;
	SCOPE_FD int fd = blobs_tmpfile(im->store, e);
	SCOPE(layer_writer) struct layer_writer *w = fd < 0 ? NULL : layer_writer_new(fd, &opt, e);
	if (!w || fill(ctx, w, e) < 0 || layer_writer_finish(w, &layer, e) < 0)
		return -1;
	progress_begin(im->opt->progress, "writing to disk", 0);
	if (layers_publish(im->store, im->lease, fd, w, &layer, e) < 0)
		return -1;
	return put_image(im, &layer, epoch, out, e);
}

struct dir_source {
	struct importer *im;
	const char *what;
	int fd;
};

static int fill_from_dir(void *ctx, struct layer_writer *w, struct err *e)
{
	const struct dir_source *d = ctx;

	return tree_layer_from_dir(w, d->fd, d->what, d->im->opt->progress, e);
}

int import_from_dir(struct importer *im, const struct import_source *src, struct import_image *out,
		    struct err *e)
{
	SCOPE_FD int fd = open(src->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dir_source d = {im, "tree", fd};

	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "no such directory");
	if (fd < 0 && errno == ENOTDIR)
		return err_set(e, ERR_USAGE, "not a directory (did you mean rootfs:?)");
	if (fd < 0)
		return err_sys(e, errno, "cannot open");
	return make_image(im, fill_from_dir, &d, &out->top, e);
}

struct tar_source {
	struct importer *im;
	struct tar_tree tree;
};

static int fill_from_tar(void *ctx, struct layer_writer *w, struct err *e)
{
	const struct tar_source *t = ctx;
	const struct layer_index *const indexes[] = {t->tree.ix};
	SCOPE(merge) struct merge *m = merge_new(e);

	if (!m || merge_add_layer(m, t->tree.ix, e) < 0)
		return -1;
	return tree_layer_from_merge(w, m, indexes, &t->tree.fd, t->im->opt->progress, e);
}

int import_from_rootfs(struct importer *im, const struct import_source *src,
		       struct import_image *out, struct err *e)
{
	const struct tar_tree_options opt = {im->store, im->opt->workers, im->opt->progress,
					     &im->losses};
	struct tar_source t = {im, TAR_TREE_INIT};
	uint64_t size;
	SCOPE_FD int fd = import_open_file(im, src, &size, e);

	if (fd < 0 || tar_tree_open(&t.tree, fd, size, src->path, &opt, e) < 0)
		return -1;
	const int r = make_image(im, fill_from_tar, &t, &out->top, e);
	tar_tree_fini(&t.tree);
	return r;
}
