/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that make a directory a store: telling what a directory is, and making a new one.
 *
 * Private to store/.  Source: OCI image-spec, image-layout.md.
 */
#ifndef STORE_LAYOUT_H
#define STORE_LAYOUT_H

#include "base/err.h"

#define LAYOUT_INDEX        "index.json"
#define LAYOUT_VERSION_FILE "version" /* in shale's own folder */

enum layout_state {
	LAYOUT_WHOLE,      /* an image layout, of any tool */
	LAYOUT_UNFINISHED, /* empty, or a store whose making was cut short */
};

/* `shown` names the directory.  ERR_FORMAT for a directory of something else and for a damaged
 * 'oci-layout'; ERR_UNSUPPORTED for another version of it. */
int layout_check(int root, const char *shown, enum layout_state *out, struct err *e);

/* 1 shale's own folder is there and of this version, 0 not there or unfinished, -1 with
 * ERR_UNSUPPORTED for another version.  `shale` may be -1. */
int layout_check_version(int shale, const char *shown, struct err *e);

/*
 * Makes what is missing; each step may have been done before, or be done by another process at the
 * same time.  Of a layout that is whole nothing but folders is added: an index.json that was lost
 * must not come back empty.
 */
int layout_make(int root, const char *shown, enum layout_state state, struct err *e);

#endif
