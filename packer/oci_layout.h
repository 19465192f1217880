/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCI image layouts outside of the store, as import reads and export writes them.
 *
 * Source: OCI image-spec, image-layout.md.  Signatures: other tools file the artifact of an image
 * (cosign's "sha256-<hex>.sig") as an entry of index.json beside it, and import takes that.  But a
 * layout with two entries is one in which skopeo, podman and docker want to be told which image is
 * meant, and `podman load` cannot be told.  So export names the artifact in an annotation of the
 * image's own entry instead:
 *
 *	"io.shale.signatures.sha256-<hex>.sig": "sha256:<hex of the artifact's manifest> <size>"
 *
 * Private to packer/.
 */
#ifndef PACKER_OCI_LAYOUT_H
#define PACKER_OCI_LAYOUT_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"
#include "image/descriptor.h"
#include "image/manifest.h"

#define OCI_LAYOUT_FILE    "oci-layout"
#define OCI_LAYOUT_INDEX   "index.json"
#define OCI_LAYOUT_BLOBS   "blobs/"
#define OCI_LAYOUT_VERSION "1.0.0"
#define OCI_LAYOUT_TEXT    "{\"imageLayoutVersion\":\"" OCI_LAYOUT_VERSION "\"}"

/* The full name of an image, where ref.name may be its tag alone: containerd and docker save write
 * it. */
#define OCI_LAYOUT_CONTAINERD_NAME "io.containerd.image.name"

enum {
	OCI_LAYOUT_BLOB_MAX = sizeof(OCI_LAYOUT_BLOBS) + DIGEST_STR_MAX,
	OCI_LAYOUT_ENTRIES_MAX = 1024 * 1024, /* LIMIT_STORE_INDEX bytes hold fewer */
};

/* "blobs/sha256/<hex>"; returns `buf`. */
const char *oci_layout_blob_path(const struct digest *d, char buf[static OCI_LAYOUT_BLOB_MAX]);

/* A regular file of a layout, no link followed: an fd; ERR_NOT_FOUND, ERR_FORMAT, ERR_SYS. */
int oci_layout_open_file(int dirfd, const char *path, struct stat *st, struct err *e);
/* All of it: 1 read, 0 not there, -1 also with ERR_LIMIT. */
int oci_layout_read_file(int dirfd, const char *path, uint64_t limit, struct str *out,
			 struct err *e);

/* The text of the file oci-layout: ERR_FORMAT, ERR_UNSUPPORTED for another version. */
int oci_layout_check_version(const struct str *text, struct err *e);

/* What an entry of index.json calls its image; NULL. */
const char *oci_layout_ref_name(const struct descriptor *entry);

/*
 * The entry with the signatures that `tag` names ("sha256-<hex>.sig"): bare, as skopeo has it, or
 * under a repository, that of `own` (an image's name; may be NULL) before any other.  NULL.
 */
const struct descriptor *oci_layout_find_signatures(const struct image_index *ix, const char *tag,
						    const char *own);

/* Notes the artifact in the entry of its image. */
int oci_layout_attach_signatures(struct descriptor *entry, const char *tag,
				 const struct digest *artifact, uint64_t size, struct err *e);
/* 1 and the artifact's descriptor, 0 none is noted, -1: ERR_FORMAT. */
int oci_layout_attached_signatures(const struct descriptor *entry, const char *tag,
				   struct descriptor *out, struct err *e);

#endif
