/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store in the scratch folder, and images in it that tests can damage.
 *
 * As a checked fixture: tcase_add_checked_fixture(tc, fixture_make, fixture_remove).
 */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/str.h"
#include "image/descriptor.h"
#include "image/mediatype.h"
#include "store/lease.h"
#include "store/store.h"
#include "tests/support/scratch.h"
#include "tests/unit/main.h"

#define FIXTURE_PLATFORM "linux/amd64"

void fixture_make(void);
void fixture_remove(void);
/* The same with a lease that is open meanwhile. */
void fixture_make_leased(void);
void fixture_remove_leased(void);
struct lease *fixture_lease(void);

/* The store, as the tests' process has it open. */
const struct store *fixture_store(void);
/* "<scratch>/store/<name>"; good until the next call. */
const char *fixture_file(const char *name);
/* "blobs/sha256/<hex>" of the store, as fixture_file. */
const char *fixture_blob_file(const struct digest *d);

/* Puts a blob, and lets go of its lease. */
struct digest fixture_put(const char *text);
/* The same with a descriptor, which the caller finis. */
void fixture_put_as(const char *media_type, const void *bytes, size_t len, struct descriptor *out);
void fixture_put_document(const char *media_type, const struct str *text, struct descriptor *out);

bool fixture_has(const struct digest *d);

struct fixture_layer {
	struct descriptor descriptor;
	struct digest diff_id;
};

/* A layer of one file: written by shale, with its index. */
void fixture_layer(const char *path, const char *content, struct fixture_layer *out);
/* The same as gzip, whose index the store keeps. */
void fixture_gzip_layer(const char *path, const char *content, struct fixture_layer *out);
/* A layer of many files ("file-0000"), whose catalog has many blocks. */
void fixture_wide_layer(unsigned count, struct fixture_layer *out);
/* A layer of one file as anybody's tool would write it; what is zstd needs frames of its own. */
void fixture_foreign_layer(const char *path, const char *content, enum layer_encoding encoding,
			   struct fixture_layer *out);
/* Bytes that are no layer, for tests that never look into one. */
void fixture_fake_layer(const char *text, struct fixture_layer *out);
void fixture_layer_fini(struct fixture_layer *l);

/* An image of these layers for a platform; `key` NULL sets no ref. */
void fixture_image_for(const char *key, const char *platform, const struct fixture_layer *layers,
		       size_t count, struct descriptor *out);
void fixture_image(const char *key, const struct fixture_layer *layers, size_t count,
		   struct descriptor *out);
/* An image of one fake layer; both named after `key`. */
void fixture_fake_image(const char *key, struct descriptor *manifest, struct digest *layer);

/* An index of these manifests, each with the platform of its name. */
void fixture_index(const char *key, const struct descriptor *manifests,
		   const char *const *platforms, size_t count, struct descriptor *out);

/* A signature, as cosign keeps it, of a manifest that need not be there. */
void fixture_signature(const char *name, const struct digest *of, struct descriptor *out);

void fixture_set_ref(const char *key, const struct descriptor *d);
bool fixture_has_ref(const char *key);

/* Changes the byte at `at` (from the end when negative), or the size, of any file. */
void fixture_flip(const char *path, long at);
void fixture_cut(const char *path, long size);

/* Runs fsck, which must find nothing to be wrong; notes are fine. */
void fixture_check_whole(void);

#endif
