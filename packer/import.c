/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/import.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/io.h"
#include "base/log.h"
#include "base/quote.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "packer/importer.h"
#include "store/blobs.h"
#include "store/refs.h"

enum { SPOOL_STEP = 256 * 1024 };

void import_image_fini(struct import_image *image)
{
	descriptor_fini(&image->top);
	strlist_fini(&image->names);
	for (size_t i = 0; i < image->signature_count; i++) {
		free(image->signatures[i].tag);
		descriptor_fini(&image->signatures[i].artifact);
	}
	free(image->signatures);
	*image = (struct import_image){.signatures = NULL};
}

void import_result_fini(struct import_result *r)
{
	descriptor_fini(&r->top);
	strlist_fini(&r->names);
	*r = (struct import_result){.layers = 0};
}

static int set_write_error(struct err *e)
{
	return err_sys(e, errno, "no room until it is imported: cannot write to the store");
}

/* An archive is read from its start more than once, and a pipe is not: what comes by it waits in a
 * file without a name. */
static int spool_stdin(const struct importer *im, struct err *e)
{
	SCOPE_FREE uint8_t *buf = array_new(SPOOL_STEP, 1, e);
	SCOPE_FD int fd = buf ? blobs_tmpfile(im->store, e) : -1;
	ssize_t n;

	if (fd < 0)
		return -1;
	progress_begin(im->opt->progress, "reading standard input", 0);
	while ((n = io_read(STDIN_FILENO, buf, SPOOL_STEP)) > 0) {
		if (io_write_all(fd, buf, (size_t)n) < 0)
			return set_write_error(e);
		progress_add(im->opt->progress, (uint64_t)n);
	}
	if (n < 0)
		return err_sys(e, errno, "cannot read");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return set_write_error(e);
	return steal_fd(&fd);
}

static int open_stdin(const struct importer *im, uint64_t *size, struct err *e)
{
	struct stat st;

	if (isatty(STDIN_FILENO))
		return err_set(e, ERR_USAGE, "a terminal, which gives no archive");
	SCOPE_FD int fd = spool_stdin(im, e);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot stat");
	if (size)
		*size = (uint64_t)st.st_size;
	return steal_fd(&fd);
}

static bool is_stdin(const struct import_source *src)
{
	return src->kind != IMPORT_OCI && src->kind != IMPORT_DIR && strcmp(src->path, "-") == 0;
}

int import_open_file(const struct importer *im, const struct import_source *src, uint64_t *size,
		     struct err *e)
{
	struct stat st;

	if (is_stdin(src))
		return open_stdin(im, size, e);
	/* O_NONBLOCK: the open of a FIFO without a writer would wait for ever. */
	SCOPE_FD int fd = open(src->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "no such file");
	if (fd < 0)
		return err_sys(e, errno, "cannot open");
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot stat");
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_USAGE,
			       "a directory, not a file (did you mean oci: or dir:?)");
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_UNSUPPORTED,
			       "not a regular file ('-' in its place is standard input)");
	if (size)
		*size = (uint64_t)st.st_size;
	return steal_fd(&fd);
}

static int take(struct importer *im, const struct import_source *src, struct import_image *out,
		struct err *e)
{
	switch (src->kind) {
	case IMPORT_OCI:
		return import_from_oci(im, src, out, e);
	case IMPORT_OCI_ARCHIVE:
		return import_from_oci_archive(im, src, out, e);
	case IMPORT_DOCKER_ARCHIVE:
		return import_from_docker_archive(im, src, out, e);
	case IMPORT_DIR:
		return import_from_dir(im, src, out, e);
	case IMPORT_ROOTFS:
		break;
	}
	return import_from_rootfs(im, src, out, e);
}

/* The reference that the image gets; `own` is what the source calls it. */
static int get_reference(const struct import_options *opt, const char *own, struct reference *out,
			 struct err *e)
{
	struct err why = ERR_INIT;

	if (opt->tag) {
		if (reference_parse(out, opt->tag, e) < 0)
			return -1;
		if (reference_check_image_name(out, opt->tag, e) < 0)
			return err_wrap(e, "option '--tag'");
		return 0;
	}
	if (!own)
		return err_set(e, ERR_USAGE, "the source has no name: say one with --tag");
	if (reference_parse(out, own, &why) == 0 && reference_check_image_name(out, own, &why) == 0)
		return 0;
	if (err_is_own_lack(&why))
		return err_move(e, &why);
	err_set(e, ERR_USAGE, "the source's name cannot be used: say one with --tag (%s)", why.msg);
	err_clear(&why);
	return -1;
}

/* What can be known before anything is read: a long import should not end with a usage error. */
static int check_tag(const struct import_source *src, const struct import_options *opt,
		     struct err *e)
{
	SCOPE(reference) struct reference r = REFERENCE_INIT;

	if (!opt->tag && src->kind != IMPORT_DIR && src->kind != IMPORT_ROOTFS)
		return 0;
	if (get_reference(opt, NULL, &r, e) < 0)
		return -1;
	SCOPE_FREE char *key = reference_key(&r, e);
	return key ? 0 : -1;
}

static bool same_annotations(const struct strmap *a, const struct strmap *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->items[i].key, b->items[i].key) != 0 ||
		    strcmp(a->items[i].value, b->items[i].value) != 0)
			return false;
	}
	return true;
}

/* A layer of such an artifact is one signature: the payload, and bytes in an annotation. */
static bool has_signature(const struct manifest *m, const struct descriptor *sig)
{
	for (size_t i = 0; i < m->layer_count; i++) {
		if (digest_equal(&m->layers[i].digest, &sig->digest) &&
		    same_annotations(&m->layers[i].annotations, &sig->annotations))
			return true;
	}
	return false;
}

static int load_manifest(const struct store *s, const struct descriptor *d, struct manifest *out,
			 struct err *e)
{
	SCOPE(str) struct str bytes = STR_INIT;

	if (blobs_read(s, &d->digest, d->size, LIMIT_DOCUMENT, &bytes, e) < 0)
		return -1;
	return manifest_parse(out, str_text(&bytes), bytes.len, d->media_type, e);
}

/* 1 when `new` has every signature that `old` has. */
static int is_superset(const struct store *s, const struct descriptor *new,
		       const struct descriptor *old, struct err *e)
{
	SCOPE(manifest) struct manifest ours = MANIFEST_INIT;
	SCOPE(manifest) struct manifest theirs = MANIFEST_INIT;

	if (digest_equal(&old->digest, &new->digest))
		return 1;
	if (load_manifest(s, old, &ours, e) < 0 || load_manifest(s, new, &theirs, e) < 0)
		return -1;
	for (size_t i = 0; i < ours.layer_count; i++) {
		if (!has_signature(&theirs, &ours.layers[i]))
			return 0;
	}
	return 1;
}

/* A signature that is in the store is never lost. */
static int put_signatures(const struct store *s, struct image_index *ix, const char *key,
			  const struct descriptor *artifact, struct err *e)
{
	const struct descriptor *entry = refs_find(ix, key);

	if (entry) {
		const int may = is_superset(s, artifact, entry, e);
		if (may < 0)
			return -1;
		if (may == 0) {
			log_warning("'%s' has other signatures in the store: they stay, and those "
				    "of the source are left out",
				    key);
			return 0;
		}
	}
	return refs_put(ix, key, artifact, e);
}

/* What is to be known once all of it is there. */
struct publication {
	const struct store *store;
	const struct import_image *image;
	const struct strlist *keys; /* each has a tag */
};

/* The signatures of an image are in the repository of its name. */
static int publish_as(const struct publication *p, const char *key, struct image_index *ix,
		      struct err *e)
{
	const int repository = (int)(strrchr(key, ':') - key);

	for (size_t i = 0; i < p->image->signature_count; i++) {
		const struct import_signatures *s = &p->image->signatures[i];
		SCOPE_FREE char *name = str_dupf(e, "%.*s:%s", repository, key, s->tag);
		if (!name || put_signatures(p->store, ix, name, &s->artifact, e) < 0)
			return -1;
	}
	return refs_put(ix, key, &p->image->top, e);
}

/* refs_update: all names with their signatures, or none. */
static int publish(void *ctx, struct image_index *ix, struct err *e)
{
	const struct publication *p = ctx;

	for (size_t i = 0; i < p->keys->count; i++) {
		if (publish_as(p, p->keys->items[i], ix, e) < 0)
			return -1;
	}
	return 1;
}

/* Adds to `keys` what `own`, a name of the source, or the name in the options is in the store. */
static int add_key(const struct importer *im, const char *own, const struct digest *image,
		   struct strlist *keys, struct err *e)
{
	SCOPE(reference) struct reference r = REFERENCE_INIT;
	char digest[DIGEST_STR_MAX];

	if (get_reference(im->opt, own, &r, e) < 0)
		return -1;
	SCOPE_FREE char *key = reference_key(&r, e);
	if (!key)
		return -1;
	if (r.has_digest && !digest_equal(&r.digest, image))
		return err_set(e, ERR_DIGEST, "the image is '%s', not what the name says",
			       digest_format(image, digest));
	for (size_t i = 0; i < keys->count; i++) {
		if (strcmp(keys->items[i], key) == 0)
			return 0;
	}
	return strlist_add(keys, key, e);
}

/* All names are looked at before one is set. */
static int find_keys(const struct importer *im, const struct import_image *image,
		     struct strlist *keys, struct err *e)
{
	const struct digest *digest = &image->top.digest;

	if (im->opt->tag || image->names.count == 0)
		return add_key(im, NULL, digest, keys, e);
	for (size_t i = 0; i < image->names.count; i++) {
		if (add_key(im, image->names.items[i], digest, keys, e) < 0)
			return -1;
	}
	return 0;
}

static int finish(struct importer *im, struct import_image *image, struct import_result *out,
		  struct err *e)
{
	SCOPE(strlist) struct strlist keys = STRLIST_INIT;

	if (find_keys(im, image, &keys, e) < 0)
		return -1;
	struct publication all = {im->store, image, &keys};
	if (refs_update(im->store, publish, &all, e) < 0)
		return -1;
	*out = (struct import_result){
		.top = image->top,
		.names = keys,
		.layers = im->layer_count,
		.reframed = im->reframed_count,
	};
	keys = (struct strlist)STRLIST_INIT;
	image->top = (struct descriptor)DESCRIPTOR_INIT;
	return 0;
}

static int run(struct importer *im, const struct import_source *src, struct import_result *out,
	       struct err *e)
{
	SCOPE(import_image) struct import_image image = {.signatures = NULL};

	if (take(im, src, &image, e) < 0 || finish(im, &image, out, e) < 0) {
		char quoted[QUOTE_MAX];
		return is_stdin(src) ? err_wrap(e, "standard input")
				     : err_wrap(e, "'%s'", quote_str(quoted, src->path));
	}
	return 0;
}

/* Once for all files: an image may have many of them. */
static void tell_losses(const struct tar_losses *l)
{
	if (l->acls.count)
		log_warning("ACLs of %" PRIu64 " files are left out, the first of '%s'",
			    l->acls.count, l->acls.first);
	if (l->times.count)
		log_warning("mtimes of %" PRIu64 " files are out of range and clamped, the first "
			    "of '%s'",
			    l->times.count, l->times.first);
}

int import_run(const struct store *s, const struct import_source *src,
	       const struct import_options *opt, struct import_result *out, struct err *e)
{
	struct importer im = {
		.store = s,
		.opt = opt,
		.layers = {.workers = opt->workers, .progress = opt->progress},
		.done = STRMAP_INIT,
	};
	int r = -1;

	if (check_tag(src, opt, e) < 0)
		return -1;
	im.layers.losses = &im.losses;
	SCOPE_FREE char *what = str_dupf(e, "import %s", opt->tag ? opt->tag : src->path);
	if (what && lease_open(s, what, &im.lease, e) == 0)
		r = run(&im, src, out, e);
	if (r == 0)
		tell_losses(&im.losses);
	lease_close(im.lease);
	strmap_fini(&im.done);
	return r;
}
