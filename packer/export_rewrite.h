/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests and indexes that name other blobs than before, and are the same in all else: members
 * that shale does not know stay.
 *
 * Private to packer/export*.c.  Plain text in and out.
 *
 * A document that changes is OCI's: docker has no type for zstd, and tools that read OCI layouts
 * expect its types.  What a descriptor says of the bytes of the blob before goes: `urls`, `data`,
 * and the annotations of whatever index that had (shale's, eStargz's, zstd:chunked's).
 *
 * Source: OCI image-spec, descriptor.md, manifest.md, image-index.md.
 */
#ifndef PACKER_EXPORT_REWRITE_H
#define PACKER_EXPORT_REWRITE_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "image/descriptor.h"

/*
 * `old` was parsed as a manifest (an index) before.  `blobs`: what its layers (manifests) are now,
 * one for each, in order: type, digest, size, and annotations to add; DESCRIPTOR_INIT for one that
 * stays.  1: the new document is in `out`, canonical; 0: it says what it said, and stays as it is,
 * byte for byte; -1: ERR_FORMAT, ERR_LIMIT, ERR_NOMEM.
 */
int export_rewrite_manifest(const struct str *old, const struct descriptor *layers, size_t count,
			    struct str *out, struct err *e);
int export_rewrite_index(const struct str *old, const struct descriptor *manifests, size_t count,
			 struct str *out, struct err *e);

#endif
