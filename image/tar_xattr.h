/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes in PAX records.
 *
 * Three programs, three spellings: GNU tar, star and Go write SCHILY.xattr.<name>=<bytes>, where
 * GNU tar says %3D for "=" and %25 for "%" in a name; libarchive writes that too, with more bytes
 * of the name as %XX, and LIBARCHIVE.xattr.<the same>=<base64>; GNU tar also has
 * RHT.security.selinux.
 *
 * Source: GNU tar, xheader.c; libarchive, archive_write_set_format_pax.c; star(5).
 *
 * Private to image/tar_*.c.
 */
#ifndef IMAGE_TAR_XATTR_H
#define IMAGE_TAR_XATTR_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "image/entry.h"

#define TAR_XATTR_SCHILY     "SCHILY.xattr."
#define TAR_XATTR_LIBARCHIVE "LIBARCHIVE.xattr."
#define TAR_XATTR_SELINUX    "RHT.security.selinux"

/* In order of belief, where the same key is there twice. */
enum tar_xattr_source { TAR_XATTR_FROM_SCHILY, TAR_XATTR_FROM_LIBARCHIVE, TAR_XATTR_FROM_SELINUX };

/* A record as it was read; borrowed. */
struct tar_xattr_record {
	enum tar_xattr_source source;
	const char *key; /* behind the prefix */
	size_t key_len;
	const char *value;
	size_t value_len;
};

/* Of one member. */
struct tar_xattrs {
	struct tar_xattr_record *records;
	size_t record_count;
	size_t record_cap;
	struct xattr *items; /* sorted by name; pointers go to the records and to `decoded` */
	size_t count;
	size_t cap;
	char *decoded;
	size_t decoded_len;
	size_t decoded_cap;
};

void tar_xattrs_clear(struct tar_xattrs *x);
void tar_xattrs_fini(struct tar_xattrs *x);
int tar_xattrs_add(struct tar_xattrs *x, const struct tar_xattr_record *record, struct err *e);

/* Fills `items`.  ERR_FORMAT: a name that is empty or holds a NUL, a name or a value that does not
 * decode, one name twice; ERR_LIMIT. */
int tar_xattrs_finish(struct tar_xattrs *x, struct err *e);

/* Appends a name as the key of a record. */
int tar_xattr_key_append(struct str *out, const char *name, size_t len, struct err *e);

#endif
