/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: a directory that is an OCI image layout which any tool can read, plus what shale keeps
 * beside it.
 *
 *	oci-layout, index.json, blobs/<alg>/<hex>	the layout; index.json names images in full
 *	shale/version					"1"; another number is refused
 *	shale/lock, gc.lock, sessions.lock		flock(2) only, empty
 *	shale/leases/					what running commands and mounts use
 *	shale/layers/<hex>.index, <hex>.frames		derived from layers that have no index
 *	shale/catalogs/<hex>				derived, by manifest digest
 *	shale/builds					which layers builds made of what
 *	shale/sessions/<id>/				what was changed over images:
 *store/sessions.h
 *
 * Rule of writing: verified, synced bytes get a name; refs change last.  All that is under
 * shale/layers and shale/catalogs, and shale/builds, can be made again and is replaced when it is
 * found damaged.  Sessions cannot.
 *
 * Lock order: gc.lock (shared by writers for moments, exclusive by gc), then lock (index.json),
 * then sessions.lock.
 * Threads: a store is used by one thread at a time, except where a header says otherwise.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/scope.h"

struct store;

enum {
	STORE_CREATE = 1, /* make it when it is not there; and as STORE_WRITE */
	STORE_WRITE = 2,  /* add shale's folders to a layout of another tool */
};

/*
 * `path` NULL: $SHALE_STORE, else $XDG_DATA_HOME/shale, else ~/.local/share/shale.  ERR_NOT_FOUND
 * without STORE_CREATE; ERR_UNTRUSTED when the directory, one of its folders, or a file that says
 * what it is, belongs to another user (but root) or may be written by others, and when a folder is
 * a symlink; ERR_UNSUPPORTED for another version; ERR_FORMAT for a directory that is something
 * else.
 */
int store_open(const char *path, unsigned flags, struct store **out, struct err *e);
/* Where it would look: an absolute path, the caller's.  NULL with ERR_USAGE when no place is known.
 */
char *store_find_path(const char *path, struct err *e);
void store_close(struct store *s);
SCOPE_DEFINE(store, struct store *, store_close)

/* Absolute path, for messages. */
const char *store_path(const struct store *s);

/* False for a read-only file system, for a store of root that this user may only read, and for a
 * layout of another tool that was opened with neither flag: it can be read, without leases;
 * whatever writes fails. */
bool store_is_writable(const struct store *s);

/* Why it is not writable: EROFS, EACCES, ...; ENOENT when only folders of shale are missing, that
 * were not asked for.  0 when it is. */
int store_write_errno(const struct store *s);

/* Folders of the store, opened once; borrowed.  STORE_DIR_ROOT holds index.json. */
enum store_dir {
	STORE_DIR_ROOT,
	STORE_DIR_BLOBS_SHA256,
	STORE_DIR_BLOBS_SHA512,
	STORE_DIR_SHALE,
	STORE_DIR_LEASES,
	STORE_DIR_LAYERS,
	STORE_DIR_CATALOGS,
	STORE_DIR_SESSIONS, /* -1 also where there was no session yet, or it is hidden */
	STORE_DIR_COUNT,
};
int store_dirfd(const struct store *s, enum store_dir dir);

#endif
