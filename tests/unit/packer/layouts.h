/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCI image layouts and archives below the test's scratch folder, made without shale's writers.
 */
#ifndef TESTS_UNIT_PACKER_LAYOUTS_H
#define TESTS_UNIT_PACKER_LAYOUTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/str.h"
#include "image/platform.h"
#include "store/store.h"

extern struct store *layouts_store;

/* Fixtures: the scratch folder, a store, and an empty layout "layout" with oci-layout. */
void layouts_setup(void);
void layouts_teardown(void);

/* A blob of the layout; its descriptor as JSON text, with `more` members (",\"x\":1" or ""). */
char *layout_blob(const char *media_type, const char *bytes, size_t len, const char *more);
/* The hex of the blob in a descriptor's text; good until the next call. */
const char *layout_hex(const char *descriptor);

/* A tar with one file "file". */
void layout_tar(const char *content, struct str *out);

/* A manifest of an image with one layer; its descriptor. */
char *layout_image(const char *arch, const char *content, const char *more);
/* The same with any config and layers. */
char *layout_manifest(const char *config, const char *layers, const char *more);

void layout_index(const char *manifests); /* index.json with these descriptors */

/* Writes a file below the scratch folder. */
void layout_write(const char *name, const char *bytes, size_t len);

/* Runs a program in the scratch folder; it must succeed. */
void layouts_run(const char *const *argv);

/* How many refs the store has. */
size_t layouts_refs(void);

/* The layout as a tar. */
void layouts_pack(const char *archive);

extern const struct platform layouts_platform;

/* 0 or -1. */
struct import_result;
int layouts_import(const char *what, const char *tag, struct import_result *out, struct err *e);

/* Import `what` ("oci:layout:NAME"; its path is below the scratch folder), for layouts_platform
 * where the source does not say for what it is: the store then has `name`, and the digest is
 * returned; or it fails so, and no name is added. */
struct digest layouts_take(const char *what, const char *tag, const char *name);
void layouts_refuse(const char *what, const char *tag, enum err_code code, const char *word);

#endif
