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
#include <sys/stat.h>

#include "base/io.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/quote.h"
#include "image/layer_scan.h"
#include "image/layer_write.h"
#include "image/manifest.h"
#include "image/mediatype.h"
#include "image/merge.h"
#include "image/whiteout.h"
#include "packer/archive_input.h"
#include "packer/epoch.h"
#include "packer/importer.h"
#include "packer/tree_layer.h"
#include "store/blobs.h"

enum { MAGIC_MAX = 10 };

/* How a tar is compressed, by its first bytes. */
static const struct magic {
	const char *bytes;
	size_t len;
	enum layer_encoding encoding;
	bool is_foreign; /* nothing that a layer may be: libarchive decompresses it first */
} magics[] = {
	{"\x1f\x8b", 2, LAYER_GZIP, false},
	{"\x28\xb5\x2f\xfd", 4, LAYER_ZSTD, false},
	{"\xfd"
	 "7zXZ\0",
	 6, LAYER_TAR, true},
	/* bzip2 has no version of its own: its first block's magic (the digits of pi) tells it from
	   a tar whose first name starts with "BZh". */
	{"BZh11AY&SY", 10, LAYER_TAR, true},
};

enum { BZIP2_LEVEL_AT = 3 };

static const struct magic *find_magic(int fd, struct err *e)
{
	static const struct magic plain = {"", 0, LAYER_TAR, false};
	char head[MAGIC_MAX] = {0};

	if (io_pread_full(fd, head, sizeof(head), 0) < 0) {
		err_sys(e, errno, "cannot read");
		return NULL;
	}
	/* Any level of bzip2 is the same to us. */
	if (head[0] == 'B' && head[BZIP2_LEVEL_AT] >= '1' && head[BZIP2_LEVEL_AT] <= '9')
		head[BZIP2_LEVEL_AT] = '1';
	for (size_t i = 0; i < ARRAY_LEN(magics); i++) {
		if (memcmp(head, magics[i].bytes, magics[i].len) == 0)
			return &magics[i];
	}
	return &plain;
}

/* Writes a document of ours. */
static int put_document(struct importer *im, const struct str *bytes, const char *media_type,
			struct descriptor *out, struct err *e)
{
	struct digest d;

	if (blobs_put_bytes(im->store, im->lease, str_text(bytes), bytes->len, &d, e) < 0)
		return -1;
	return descriptor_set(out, media_type, &d, bytes->len, e);
}

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
	return put_document(im, &bytes, MEDIATYPE_CONFIG, out, e);
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
	return put_document(im, &bytes, MEDIATYPE_MANIFEST, out, e);
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

/* OCI gives such names a meaning of their own: an image with them would be another tree. */
static int refuse_whiteouts(const struct layer_index *ix, struct err *e)
{
	for (size_t i = 0; i < layer_index_entry_count(ix); i++) {
		const char *path;
		char quoted[QUOTE_MAX];
		size_t len;
		layer_index_path(ix, i, &path, &len);
		if (path_has_name_with(path, len, WHITEOUT_PREFIX))
			return err_set(e, ERR_FORMAT,
				       "'%s': no image can hold a name that starts with "
				       "'" WHITEOUT_PREFIX "'",
				       quote_bytes(quoted, path, len));
	}
	return 0;
}

struct tar_source {
	struct importer *im;
	int fd; /* holds the frames of the index */
	struct layer_index *ix;
};

static int fill_from_tar(void *ctx, struct layer_writer *w, struct err *e)
{
	const struct tar_source *t = ctx;
	const struct layer_index *const indexes[] = {t->ix};
	SCOPE(merge) struct merge *m = merge_new(e);

	if (!m || merge_add_layer(m, t->ix, e) < 0)
		return -1;
	return tree_layer_from_merge(w, m, indexes, &t->fd, t->im->opt->progress, e);
}

/* Makes the tar in `fd` readable at any place: `*frames_fd` is -1 when it is so already. */
static int index_tar(struct importer *im, int fd, uint64_t size, enum layer_encoding encoding,
		     int *frames_fd, struct layer_index **out, struct err *e)
{
	const struct derive_options opt = {im->opt->workers, im->opt->progress, &im->losses};
	struct derive_result derived = {.index = STR_INIT};
	int r;

	SCOPE_FD int frames = encoding == LAYER_TAR ? -1 : blobs_tmpfile(im->store, e);
	if (encoding != LAYER_TAR && frames < 0)
		return -1;
	if (layer_derive(fd, size, encoding, frames, &opt, &derived, e) < 0)
		return -1;
	r = layer_index_decode(derived.index.data, derived.index.len, out, e);
	str_fini(&derived.index);
	if (derived.is_reframed)
		*frames_fd = steal_fd(&frames);
	return r;
}

/* A nameless file with the content of `fd`, whose size it replaces. */
static int spool(struct importer *im, int fd, const char *what, uint64_t *size, struct err *e)
{
	struct stat st;
	SCOPE_FD int copy = blobs_tmpfile(im->store, e);

	if (copy < 0 || archive_inflate(fd, what, copy, im->opt->progress, e) < 0)
		return -1;
	if (fstat(copy, &st) < 0)
		return err_sys(e, errno, "cannot stat");
	*size = (uint64_t)st.st_size;
	return steal_fd(&copy);
}

int import_from_rootfs(struct importer *im, const struct import_source *src,
		       struct import_image *out, struct err *e)
{
	SCOPE(layer_index) struct layer_index *ix = NULL;
	uint64_t size;
	SCOPE_FD int fd = import_open_file(src->path, &size, e);

	if (fd < 0)
		return -1;
	const struct magic *magic = find_magic(fd, e);
	if (!magic)
		return -1;
	SCOPE_FD int tar = magic->is_foreign ? spool(im, fd, src->path, &size, e)
					     : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (tar < 0)
		return magic->is_foreign ? -1 : err_sys(e, errno, "cannot duplicate a descriptor");
	SCOPE_FD int frames = -1;
	if (index_tar(im, tar, size, magic->encoding, &frames, &ix, e) < 0 ||
	    refuse_whiteouts(ix, e) < 0)
		return -1;
	struct tar_source t = {im, frames < 0 ? tar : frames, ix};
	return make_image(im, fill_from_tar, &t, &out->top, e);
}
