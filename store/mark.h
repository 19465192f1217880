/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is reachable: a walk from refs and leases over indexes and manifests to all that they name.
 * The one walk of gc, which keeps what it finds, and of fsck, which looks whether it is there.
 *
 * Private to store/.  No recursion: what is found waits in a list, whatever the depth.
 * Calls: mark_new -> (mark_add | mark_add_digest)* -> mark_run, any number of times -> mark_free.
 */
#ifndef STORE_MARK_H
#define STORE_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/scope.h"
#include "image/descriptor.h"
#include "image/manifest.h"
#include "store/store.h"

enum mark_kind {
	MARK_UNKNOWN, /* a lease's: looked at to see whether it is a document */
	MARK_BLOB,    /* config, layer, content of an artifact: read by nobody here */
	MARK_MANIFEST,
	MARK_INDEX,
};

/* Whether the store must have it. */
enum mark_need {
	MARK_NEEDED,
	MARK_CHILD,    /* of an index, whose other platforms may be all that somebody copied */
	MARK_OPTIONAL, /* the subject of an artifact; what a command is about to put */
};

struct mark {
	struct digest digest;
	uint64_t size; /* BLOBS_ANY_SIZE of a lease's */
	enum mark_kind kind;
	enum mark_need need;
	const char *root; /* the name of the ref that led here first; borrowed from mark_add */
	char *media_type; /* of a document */
};

struct mark_visitor {
	/* A document that is missing or damaged: 0 goes on without it, -1 stops; `why` is set, and
	 * the visitor clears it or moves it to `e`. */
	int (*unreadable)(void *ctx, const struct mark *m, struct err *why, struct err *e);
	/* A manifest that was read; may be NULL. */
	int (*manifest)(void *ctx, const struct mark *m, const struct manifest *doc, struct err *e);
	void *ctx;
};

struct marks;
struct marks *mark_new(const struct store *s, struct err *e);
void mark_free(struct marks *m);
SCOPE_DEFINE(mark, struct marks *, mark_free)

/* `root` lives as long as the marks. */
int mark_add(struct marks *m, const struct descriptor *d, const char *root, struct err *e);
int mark_add_digest(struct marks *m, const struct digest *d, struct err *e);

/* Walks all that was added since the last call. */
int mark_run(struct marks *m, const struct mark_visitor *visitor, struct err *e);

bool mark_has(const struct marks *m, const struct digest *d);

/* All that was found, in order; a digest that was named in two ways is there twice. */
size_t mark_count(const struct marks *m);
const struct mark *mark_at(const struct marks *m, size_t at);

#endif
