/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small images and signature artifacts in a store below the test's scratch folder; all fixed bytes,
 * so that digests can be written down.
 */
#ifndef TESTS_UNIT_SIGNER_IMAGES_H
#define TESTS_UNIT_SIGNER_IMAGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/str.h"
#include "image/descriptor.h"
#include "signer/key.h"
#include "store/store.h"

/* Checked fixtures: the scratch folder and the open store. */
void images_setup(void);
void images_teardown(void);
extern struct store *images_store;

/* What an image was made of. */
struct made {
	struct digest manifest, config, layer;
	uint64_t manifest_size, config_size, layer_size;
};

/* A manifest for linux/ARCH with one layer that holds the file `content`. */
struct made images_make(const char *arch, const char *content);
/* The same under a name. */
struct made images_put(const char *name, const char *content);
/* An index of an amd64 and an arm64 image under a name. */
struct digest images_put_index(const char *name, struct made parts[static 2]);

/* A name for any document of the type. */
void images_put_document(const char *name, const char *media_type, const char *text);
/* An image whose config has no diff_id for its layer. */
struct made images_put_short(const char *name);

/* A blob of these bytes. */
struct digest images_blob(const void *bytes, size_t len);
/* Changes one byte of a blob's file, or removes it. */
void images_damage(const struct digest *d);
void images_lose(const struct digest *d);

/* One layer of a signature artifact. */
struct forged {
	const char *media_type; /* NULL: simple signing's */
	const char *payload;
	const char *annotation; /* NULL: none */
	uint64_t size;          /* 0: the payload's */
};

/* Puts an artifact for `image` under `repository`. */
void images_forge(const char *repository, const struct digest *image, const struct forged *layers,
		  size_t count);

/* A payload in cosign's form, and the signature of a key over text, in base64; the caller's. */
char *images_payload(const char *identity, const struct digest *image);
char *images_signature(const struct private_key *k, const char *text);

/* The parsed document that a name in the store stands for; the caller's. */
struct str images_document(const char *name);

#endif
