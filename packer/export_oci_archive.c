/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order of the members: oci-layout, index.json, the folders, documents, layers.  So a reader of a
 * stream knows what comes, and the same image gives the same bytes.
 */
#include "image/manifest.h"
#include "image/mediatype.h"
#include "packer/exporter.h"
#include "packer/oci_layout.h"

struct filling {
	const struct exporter *x;
	struct export_set *set;
	const char *name; /* NULL: none */
};

static int put_document(struct tar_archive *to, const char *path, const void *bytes, size_t len,
			struct err *e)
{
	return tar_archive_plain(to, path, len, e) < 0 ? -1 : tar_archive_put(to, bytes, len, e);
}

static int put_index(const struct filling *f, struct tar_archive *to, struct err *e)
{
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE(descriptor) struct descriptor entry = DESCRIPTOR_INIT;
	SCOPE(str) struct str text = STR_INIT;

	ix.media_type = str_dup(MEDIATYPE_INDEX, e);
	if (!ix.media_type || export_set_entry(f->set, f->name, &entry, e) < 0 ||
	    image_index_add(&ix, &entry, e) < 0 || image_index_format(&ix, &text, e) < 0)
		return -1;
	return put_document(to, OCI_LAYOUT_INDEX, text.data, text.len, e);
}

static bool has_algorithm(const struct export_set *set, enum digest_alg alg)
{
	for (size_t i = 0; i < set->blob_count; i++) {
		if (set->blobs[i].digest.alg == alg)
			return true;
	}
	return false;
}

static int put_folders(const struct filling *f, struct tar_archive *to, struct err *e)
{
	static const enum digest_alg algorithms[] = {DIGEST_SHA256, DIGEST_SHA512};

	if (tar_archive_plain(to, OCI_LAYOUT_BLOBS, 0, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		char path[OCI_LAYOUT_BLOB_MAX];
		if (!has_algorithm(f->set, algorithms[i]))
			continue;
		(void)snprintf(path, sizeof(path), OCI_LAYOUT_BLOBS "%s/",
			       digest_alg_name(algorithms[i]));
		if (tar_archive_plain(to, path, 0, e) < 0)
			return -1;
	}
	return 0;
}

static int put_payload(void *to, const void *bytes, size_t len, struct err *e)
{
	return tar_archive_put(to, bytes, len, e);
}

static int fill(void *ctx, struct tar_archive *to, struct err *e)
{
	static const char layout[] = OCI_LAYOUT_TEXT;
	const struct filling *f = ctx;
	char path[OCI_LAYOUT_BLOB_MAX];

	if (export_prepare(f->x, f->set, e) < 0 ||
	    put_document(to, OCI_LAYOUT_FILE, layout, sizeof(layout) - 1, e) < 0 ||
	    put_index(f, to, e) < 0 || put_folders(f, to, e) < 0)
		return -1;
	for (size_t i = 0; i < f->set->blob_count; i++) {
		const struct export_blob *b = &f->set->blobs[i];
		oci_layout_blob_path(&b->digest, path);
		if (tar_archive_plain(to, path, b->size, e) < 0 ||
		    export_copy_blob(f->x, b, put_payload, to, e) < 0)
			return -1;
	}
	return 0;
}

int export_to_oci_archive(const struct exporter *x, struct export_set *set,
			  struct export_result *out, struct err *e)
{
	struct filling f = {x, set, NULL};

	if (export_oci_name(x, &out->name, e) < 0)
		return -1;
	f.name = out->name;
	return export_archive(x->dest, fill, &f, x->opt->progress, &out->bytes, e);
}
