/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of fsck: fsck.c walks and looks at blobs, fsck_image.c at what images are made of,
 * fsck_sessions.c at folders of sessions, fsck_unused.c at what gc would remove; fsck_repair.c
 * makes anew what can be.
 *
 * Private to store/fsck*.c.
 */
#ifndef STORE_FSCK_PRIVATE_H
#define STORE_FSCK_PRIVATE_H

#include "base/digest.h"
#include "image/document.h"
#include "image/manifest.h"
#include "store/fsck.h"
#include "store/mark.h"
#include "store/sessions.h"

enum { FSCK_SUBJECT_MAX = 32 + DIGEST_STR_MAX };

struct fsck {
	const struct store *store;
	const struct fsck_options *opt;
	struct fsck_report *report;
	struct session_list sessions;
	struct marks *live;    /* what refs, leases and sessions reach */
	struct marks *damaged; /* blobs that were reported: once is enough */
	struct marks *broken;  /* these, and what was reported in another way */
	struct marks *layers;  /* that were looked at, by a digest over all that a manifest says */
	uint64_t total;        /* bytes to read, for the progress */
	bool is_partial;       /* a document could not be read: nothing is known to be unused */
};

/* Tells of a finding; takes the text from `why` and clears it.  An own lack (base/err.h) is no
 * finding: moved to `e`, -1.  `user`: who needs it; NULL. */
int fsck_tell(struct fsck *f, enum fsck_severity severity, const char *subject, struct err *why,
	      const char *user, struct err *e);

/* The same for a blob, once. */
int fsck_tell_blob(struct fsck *f, const struct digest *d, struct err *why, const char *user,
		   struct err *e);

/* The same for something in a blob that is wrong, each time. */
int fsck_tell_broken(struct fsck *f, const char *kind, const struct digest *d, struct err *why,
		     const char *user, struct err *e);

/* Makes something derived anew; fails when the result is damaged, too. */
struct fsck_mender {
	int (*mend)(void *ctx, struct err *failed);
	void *ctx;
};

/* The same for what is derived from `d`: with --repair it is made anew. */
int fsck_tell_derived(struct fsck *f, const char *kind, const struct digest *d, struct err *why,
		      const char *user, const struct fsck_mender *mender, struct err *e);

/* Sessions whose folder is damaged: nothing is known to be unused then. */
int fsck_check_sessions(struct fsck *f, struct err *e);

/* For --repair: removes what was left of sessions by processes that died. */
int fsck_clear_sessions(struct fsck *f, struct err *e);

/* Tells which refs, and of an index which platforms, and which sessions need what is broken. */
int fsck_tell_lost(struct fsck *f, const struct image_index *ix, struct err *e);

/* mark_visitor: an image's config, its layers' indexes and frames, its catalog. */
int fsck_check_manifest(void *ctx, const struct mark *m, const struct manifest *doc, struct err *e);

/* A note of all that gc would remove, and of the documents in blobs that nobody names, also when
 * the names are lost.  The caller has no lease. */
int fsck_tell_unused(struct fsck *f, struct err *e);

/* Reads a blob: whether it has its digest. */
int fsck_hash_blob(struct fsck *f, const struct digest *d, struct err *why);

/* Counts bytes that were read, and shows how far it is. */
void fsck_count(struct fsck *f, uint64_t bytes);

#endif
