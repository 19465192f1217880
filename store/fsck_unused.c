/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What gc would remove, told as notes.  Looked for under gc's own locks, as a dry run of gc does: a
 * name that is there for a moment, a lease that is not locked yet, or a blob that a ref will name
 * is none.  They are held only while looking, and the notes told after: who reads them may be slow.
 */
#include <string.h>

#include "base/array.h"
#include "base/quote.h"
#include "base/str.h"
#include "base/tmpfile.h"
#include "store/blobs.h"
#include "store/derived.h"
#include "store/folder.h"
#include "store/fsck_private.h"
#include "store/lease_scan.h"
#include "store/locks.h"
#include "store/refs.h"
#include "store/roots.h"

struct note {
	char *subject;
	const char *text;
};

struct unused {
	const struct store *store;
	struct marks *live; /* what refs and leases reach now */
	bool is_partial;    /* nothing is known to be unused */
	/* The first document that could not be read: told before, unless it could be read then. */
	struct digest unread;
	struct err why;
	struct note *notes;
	size_t count, cap;
};

static void unused_fini(struct unused *u)
{
	for (size_t i = 0; i < u->count; i++)
		free(u->notes[i].subject);
	free(u->notes);
	err_clear(&u->why);
}
SCOPE_DEFINE_VALUE(unused, struct unused, unused_fini)

static int keep_note(struct unused *u, const char *kind, const char *name, const char *text,
		     struct err *e)
{
	char quoted[QUOTE_MAX];

	if (array_reserve(&u->notes, &u->cap, u->count + 1, sizeof(*u->notes), e) < 0)
		return -1;
	char *subject = str_dupf(e, "%s %s", kind, quote_str(quoted, name));
	if (!subject)
		return -1;
	u->notes[u->count++] = (struct note){subject, text};
	return 0;
}

static int mark_lease(void *ctx, const struct digest *d, struct err *e)
{
	const struct unused *u = ctx;

	return mark_add_digest(u->live, d, e);
}

static int keep_dead_lease(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	(void)st;
	return keep_note(ctx, "lease", name, "its process died: gc removes it", e);
}

/* mark_visitor */
static int pass_unreadable(void *ctx, const struct mark *m, struct err *why, struct err *e)
{
	struct unused *u = ctx;

	(void)e;
	u->is_partial |= m->need != MARK_OPTIONAL || why->code != ERR_NOT_FOUND;
	if (why->code == ERR_SYS && !u->why.code) {
		u->unread = m->digest;
		(void)err_move(&u->why, why);
		return 0;
	}
	err_clear(why);
	return 0;
}

static int keep_orphans(struct unused *u, const struct image_index *ix, struct err *e)
{
	const struct mark_visitor visitor = {.unreadable = pass_unreadable, .ctx = u};
	SCOPE_FREE bool *orphans = array_new(ix->count, sizeof(*orphans), e);

	if (!orphans || roots_mark(u->live, ix, &visitor, orphans, e) < 0)
		return -1;
	for (size_t i = 0; i < ix->count && !u->is_partial; i++) {
		if (orphans[i] && keep_note(u, "ref", roots_name(&ix->manifests[i]),
					    "its image is not in the store: gc removes it", e) < 0)
			return -1;
	}
	return 0;
}

static int find_live(struct unused *u, struct image_index *ix, struct err *e)
{
	const struct lease_scan leases = {mark_lease, keep_dead_lease, u};
	struct err why = ERR_INIT;

	if (lease_scan(u->store, &leases, e) < 0)
		return -1;
	if (refs_list(u->store, ix, &why) < 0) {
		/* Told before. */
		err_clear(&why);
		u->is_partial = true;
		return 0;
	}
	return keep_orphans(u, ix, e);
}

static bool is_unused(const struct unused *u, const struct digest *d)
{
	return d && !u->is_partial && !mark_has(u->live, d);
}

static int look_at_litter(struct unused *u, const char *name, struct err *e)
{
	return tmpfile_is_litter(name)
		       ? keep_note(u, "file", name, "left by a process that died", e)
		       : 0;
}

/* blobs_visit */
static int look_at_blob(void *ctx, const struct digest *d, const char *name, uint64_t size,
			struct err *e)
{
	struct unused *u = ctx;

	(void)size;
	return is_unused(u, d) ? keep_note(u, "blob", name, "nothing uses it: gc removes it", e)
			       : look_at_litter(u, name, e);
}

static int look_at_derived(struct unused *u, const char *name, const struct digest *d,
			   struct err *e)
{
	struct err why = ERR_INIT;

	if (!is_unused(u, d))
		return look_at_litter(u, name, e);
	SCOPE_FD int fd = blobs_open(u->store, d, BLOBS_ANY_SIZE, &why);
	err_clear(&why);
	return keep_note(u, "derived file", name,
			 fd >= 0 ? "nothing uses what it was made from: gc removes it"
				 : "what it was made from is gone: gc removes it",
			 e);
}

/* folder_visit */
static int look_at_layer_file(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	struct digest d;

	(void)st;
	return look_at_derived(ctx, name, derived_parse_name(name, &d) ? &d : NULL, e);
}

static int look_at_catalog(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	struct digest d;

	(void)st;
	return look_at_derived(ctx, name, folder_parse_hex(name, strlen(name), &d) ? &d : NULL, e);
}

static int look_at_other(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	(void)st;
	return look_at_litter(ctx, name, e);
}

static int look_at_files(struct unused *u, struct err *e)
{
	const struct store *s = u->store;

	if (blobs_visit(s, look_at_blob, u, e) < 0 ||
	    folder_visit(store_dirfd(s, STORE_DIR_LAYERS), look_at_layer_file, u, e) < 0 ||
	    folder_visit(store_dirfd(s, STORE_DIR_CATALOGS), look_at_catalog, u, e) < 0 ||
	    folder_visit(store_dirfd(s, STORE_DIR_ROOT), look_at_other, u, e) < 0)
		return -1;
	return folder_visit(store_dirfd(s, STORE_DIR_SHALE), look_at_other, u, e);
}

/* Where the store cannot be written, nobody of this user changes it, and there are no locks. */
static int look(struct unused *u, struct err *e)
{
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE(mark) struct marks *live = mark_new(u->store, e);
	SCOPE_FD int gc_lock = -1;
	SCOPE_FD int lock = -1;

	if (!live)
		return -1;
	if (store_is_writable(u->store)) {
		gc_lock = locks_take(u->store, LOCKS_GC, LOCKS_EXCLUSIVE, e);
		if (gc_lock < 0)
			return -1;
		lock = locks_take(u->store, LOCKS_INDEX, LOCKS_SHARED, e);
		if (lock < 0)
			return -1;
	}
	u->live = live;
	const int r = find_live(u, &ix, e) < 0 ? -1 : look_at_files(u, e);
	u->live = NULL;
	return r;
}

int fsck_tell_unused(struct fsck *f, struct err *e)
{
	SCOPE(unused) struct unused u = {.store = f->store, .is_partial = f->is_partial};

	if (look(&u, e) < 0 || (u.why.code && fsck_tell_blob(f, &u.unread, &u.why, NULL, e) < 0))
		return -1;
	for (size_t i = 0; i < u.count; i++) {
		struct err why = ERR_INIT;
		err_set(&why, ERR_EXISTS, "%s", u.notes[i].text);
		if (fsck_tell(f, FSCK_NOTE, u.notes[i].subject, &why, NULL, e) < 0)
			return -1;
	}
	return 0;
}
