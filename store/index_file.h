/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.json, read and written so that entries of other tools keep every member that they have.
 *
 * Private to store/.  Calls: INDEX_FILE_INIT -> index_file_read -> changes of `ix` ->
 * index_file_write -> index_file_fini.  Writers hold LOCKS_INDEX from before the read.
 */
#ifndef STORE_INDEX_FILE_H
#define STORE_INDEX_FILE_H

#include <jansson.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/scope.h"
#include "image/manifest.h"
#include "store/store.h"

/* One without images, as people are told to write it. */
#define INDEX_FILE_EMPTY "{\"schemaVersion\":2,\"manifests\":[]}"

enum { INDEX_FILE_ENTRIES_MAX = 1024 * 1024 /* LIMIT_STORE_INDEX bytes hold fewer */ };

struct index_file {
	struct image_index ix;
	json_t *root;          /* as read */
	struct digest *before; /* of each entry of `ix` as it was read, written by this program */
	size_t before_count;
};

#define INDEX_FILE_INIT                         \
	{                                       \
		IMAGE_INDEX_INIT, NULL, NULL, 0 \
	}

/* For those who change nothing: the entries alone.  ERR_FORMAT also for an index.json that is not
 * there. */
int index_file_list(const struct store *s, struct image_index *out, struct err *e);
int index_file_read(const struct store *s, struct index_file *out, struct err *e);

/* ERR_LIMIT for more than LIMIT_STORE_INDEX bytes.  On a full disk the room that was set aside for
 * this is used (store/reserve.h). */
int index_file_write(const struct store *s, const struct index_file *f, struct err *e);

void index_file_fini(struct index_file *f);
SCOPE_DEFINE_VALUE(index_file, struct index_file, index_file_fini)

#endif
