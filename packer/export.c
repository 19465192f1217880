/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/export.h"

#include <errno.h>
#include <string.h>

#include "base/hash_copy.h"
#include "base/io.h"
#include "base/outfile.h"
#include "base/quote.h"
#include "image/reference.h"
#include "packer/export_recode.h"
#include "packer/exporter.h"
#include "store/blobs.h"
#include "store/image.h"

void export_result_fini(struct export_result *r)
{
	descriptor_fini(&r->top);
	free(r->name);
	*r = (struct export_result){.bytes = 0};
}

struct open_blob {
	int fd;
	uint64_t offset, left;
	char digest[DIGEST_STR_MAX];
};

/* hash_copy.read */
static ssize_t read_blob(void *from, void *buf, size_t len, struct err *e)
{
	struct open_blob *b = from;
	const ssize_t n =
		io_pread_full(b->fd, buf, len < b->left ? len : (size_t)b->left, b->offset);

	if (n < 0)
		return err_sys(e, errno, "blob '%s': cannot read", b->digest);
	b->offset += (uint64_t)n;
	b->left -= (uint64_t)n;
	return n;
}

int export_copy_blob(const struct exporter *x, const struct export_blob *blob,
		     int (*write)(void *to, const void *bytes, size_t len, struct err *e), void *to,
		     struct err *e)
{
	/* In the store a blob has a file of its own, which must end where it ends. */
	struct open_blob from = {.left = UINT64_MAX};
	SCOPE_FD int fd = -1;
	const struct hash_copy how = {read_blob, &from, write, to, x->opt->progress};

	if (blob->fd >= 0) {
		from = (struct open_blob){blob->fd, blob->offset, blob->size, ""};
	} else {
		from.fd = fd = blobs_open(x->store, &blob->digest, blob->size, e);
		if (fd < 0)
			return -1;
	}
	progress_name(x->opt->progress, digest_format(&blob->digest, from.digest));
	if (hash_copy(&how, blob->size, &blob->digest, e) == 0)
		return 0;
	return e->code == ERR_DIGEST ? err_wrap(e, "blob '%s'", from.digest) : -1;
}

int export_oci_name(const struct exporter *x, char **out, struct err *e)
{
	struct err why = ERR_INIT;
	struct digest d;

	*out = NULL;
	/* Who asks for a digest gives no name. */
	const bool is_digest = digest_parse(&d, x->image, strlen(x->image), &why) == 0;
	err_clear(&why);
	if (!x->dest->name && is_digest)
		return 0;
	*out = str_dup(x->dest->name ? x->dest->name : x->image, e);
	return *out ? 0 : -1;
}

static int write_file(void *to, const void *bytes, size_t len, struct err *e)
{
	return outfile_write(to, bytes, len, e);
}

int export_archive(const struct export_dest *dest,
		   int (*fill)(void *ctx, struct tar_archive *to, struct err *e), void *ctx,
		   struct progress *progress, uint64_t *out_bytes, struct err *e)
{
	SCOPE(outfile) struct outfile f = OUTFILE_INIT;
	SCOPE(tar_archive) struct tar_archive to = TAR_ARCHIVE_INIT(write_file, &f);

	if ((dest->path ? outfile_open(&f, dest->path, 0, e) : outfile_open_stdout(&f, e)) < 0)
		return -1;
	if (fill(ctx, &to, e) < 0 || tar_archive_finish(&to, e) < 0)
		return -1;
	progress_begin(progress, "writing to disk", 0);
	if (outfile_commit(&f, e) < 0)
		return -1;
	*out_bytes = f.size;
	return 0;
}

/* Replaces a set by that of the image with other layers. */
static int recode(const struct exporter *x, struct export_set *set, struct err *e)
{
	SCOPE(export_set) struct export_set made = EXPORT_SET_INIT;
	size_t count = 0;

	for (size_t i = 0; i < set->blob_count; i++)
		count += set->blobs[i].is_recodable ? 1 : 0;
	if (export_collect_recoded(x, count, &made, e) < 0)
		return -1;
	export_set_fini(set);
	*set = made;
	made = (struct export_set)EXPORT_SET_INIT;
	return 0;
}

int export_prepare(const struct exporter *x, struct export_set *set, struct err *e)
{
	if (x->opt->compression && recode(x, set, e) < 0)
		return -1;
	progress_begin(x->opt->progress, "exporting", set->bytes);
	return 0;
}

static int export_oci(const struct exporter *x, struct export_result *out, struct err *e)
{
	SCOPE(export_set) struct export_set set = EXPORT_SET_INIT;

	if (export_collect(x, &set, e) < 0)
		return -1;
	const int r = x->dest->kind == EXPORT_OCI ? export_to_oci(x, &set, out, e)
						  : export_to_oci_archive(x, &set, out, e);
	if (r < 0)
		return -1;
	out->layers = set.layer_count;
	out->signatures = set.signature_count;
	out->changes = set.changes;
	return descriptor_copy(&out->top, &set.top, e);
}

static int export_one(const struct exporter *x, struct export_result *out, struct err *e)
{
	switch (x->dest->kind) {
	case EXPORT_OCI:
	case EXPORT_OCI_ARCHIVE:
		return export_oci(x, out, e);
	case EXPORT_DOCKER_ARCHIVE:
		return export_to_docker_archive(x, out, e);
	case EXPORT_ROOTFS:
		break;
	}
	return err_set(e, ERR_UNSUPPORTED, "a root file system is no image");
}

int export_run(const struct store *s, struct lease *l, const char *image,
	       const struct export_dest *dest, const struct export_options *opt,
	       struct export_result *out, struct err *e)
{
	SCOPE(export_result) struct export_result result = {.bytes = 0};
	SCOPE(descriptor) struct descriptor top = DESCRIPTOR_INIT;
	SCOPE_FREE char *name = NULL;
	char quoted[QUOTE_MAX];

	SCOPE(spool) struct spool *spool = spool_new(s, e);
	if (!spool)
		return -1;
	if (image_find_leased(s, l, image, &name, &top, e) < 0)
		return -1;
	quote_str(quoted, name);
	if (reference_artifact_tag(name))
		return err_set(
			e, ERR_FORMAT,
			"image '%s': is a signature or attestation of an image, not an image",
			quoted);
	/* Borrows what it says. */
	const struct exporter x = {s, l, opt, dest, name, top, spool};
	if (export_one(&x, &result, e) < 0)
		return err_wrap(e, "image '%s'", quoted);
	*out = result;
	result = (struct export_result){.bytes = 0};
	return 0;
}
