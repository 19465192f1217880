/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers in another encoding, on their way out of the store.
 *
 * Private to packer/export*.c.  What is made goes to the spool of the exporter, because the size
 * and the digest of a layer must be known before its first byte is written: a tar has sizes in
 * front, and the manifest comes before the layers.
 *
 * Calls: export_recoder_new -> (export_recoder_layer | export_recoder_document)* ->
 * export_recoder_free; the spool stays until spool_free.
 */
#ifndef PACKER_EXPORT_RECODE_H
#define PACKER_EXPORT_RECODE_H

#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"
#include "image/layer_blob.h"
#include "packer/exporter.h"

struct export_recoder;

/* Borrows `x`, whose options say how layers are compressed.  `layers`: how many will be, for those
 * who wait. */
struct export_recoder *export_recoder_new(const struct exporter *x, size_t layers, struct err *e);
void export_recoder_free(struct export_recoder *r);
SCOPE_DEFINE(export_recoder, struct export_recoder *, export_recoder_free)

/*
 * Re-encodes a layer; one that was asked for before is not made again.  `blob`: where it is in the
 * spool (order and flags are 0).  ERR_DIGEST when the blob has not its digest, or its content not
 * `diff_id`; ERR_NOT_FOUND; ERR_FORMAT and ERR_LIMIT for a tar that layer_recode does not take;
 * ERR_SYS, also (EINTR) for a signal that is held meanwhile.
 */
int export_recoder_layer(struct export_recoder *r, const struct descriptor *layer,
			 const struct digest *diff_id, struct layer_result *result,
			 struct export_blob *blob, struct err *e);

/* Puts a document into the spool. */
int export_recoder_document(struct export_recoder *r, const struct str *text,
			    struct export_blob *blob, struct err *e);

#endif
