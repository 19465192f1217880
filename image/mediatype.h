/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Media types that shale reads, and what they mean; docker's are synonyms of OCI's.
 *
 * Source: OCI image-spec, media-types.md; docker's manifest v2 schema 2.
 */
#ifndef IMAGE_MEDIATYPE_H
#define IMAGE_MEDIATYPE_H

#include <stdbool.h>

#define MEDIATYPE_INDEX    "application/vnd.oci.image.index.v1+json"
#define MEDIATYPE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIATYPE_CONFIG   "application/vnd.oci.image.config.v1+json"
#define MEDIATYPE_EMPTY    "application/vnd.oci.empty.v1+json"

#define MEDIATYPE_LAYER      "application/vnd.oci.image.layer.v1.tar"
#define MEDIATYPE_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define MEDIATYPE_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"

#define MEDIATYPE_DOCKER_LIST       "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIATYPE_DOCKER_MANIFEST   "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIATYPE_DOCKER_CONFIG     "application/vnd.docker.container.image.v1+json"
#define MEDIATYPE_DOCKER_LAYER      "application/vnd.docker.image.rootfs.diff.tar"
#define MEDIATYPE_DOCKER_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"
#define MEDIATYPE_DOCKER_LAYER_ZSTD "application/vnd.docker.image.rootfs.diff.tar.zstd"

/* Layers that their makers let nobody pass on: read as any other where they are. */
#define MEDIATYPE_FOREIGN             "application/vnd.oci.image.layer.nondistributable.v1.tar"
#define MEDIATYPE_FOREIGN_GZIP        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
#define MEDIATYPE_FOREIGN_ZSTD        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"
#define MEDIATYPE_DOCKER_FOREIGN      "application/vnd.docker.image.rootfs.foreign.diff.tar"
#define MEDIATYPE_DOCKER_FOREIGN_GZIP "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"

/* One signature of cosign's "simple signing": the payload is the blob. */
#define MEDIATYPE_SIMPLESIGNING "application/vnd.dev.cosign.simplesigning.v1+json"

enum media_kind {
	MEDIA_OTHER,
	MEDIA_INDEX,
	MEDIA_MANIFEST,
	MEDIA_CONFIG,
	MEDIA_LAYER, /* any of the layer types; mediatype_encoding says how it is compressed */
};

enum layer_encoding { LAYER_TAR, LAYER_GZIP, LAYER_ZSTD };

enum media_kind mediatype_kind(const char *media_type);

/* Of a MEDIA_LAYER; any other type is -1. */
int mediatype_encoding(const char *media_type);

/* What OCI calls a type of docker's; any other is given back as it is.  Never NULL; borrowed. */
const char *mediatype_to_oci(const char *media_type);

/* Whether tools are free to keep the blob away from copies of the image. */
bool mediatype_is_nondistributable(const char *media_type);

#endif
