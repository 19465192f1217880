/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What gc would remove, told as notes, and the documents among it, which a name would save.  Looked
 * for under gc's own locks, as a dry run of gc does: a name that is there for a moment, a lease
 * that is not locked yet, or a blob that a ref will name is none.  They are held only while
 * looking, and the notes told after: who reads them may be slow.
 *
 * When index.json is lost, nothing is known to be unused; of the blobs only the documents are told
 * of then, because names are all that is missing.
 */
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "base/tmpfile.h"
#include "image/mediatype.h"
#include "store/blobs.h"
#include "store/derived.h"
#include "store/folder.h"
#include "store/fsck_private.h"
#include "store/lease_scan.h"
#include "store/locks.h"
#include "store/refs.h"
#include "store/roots.h"
#include "store/sessions_private.h"
#include "store/sniff.h"

/* What a blob is that nothing uses. */
enum document { DOCUMENT_NONE, DOCUMENT_IMAGE, DOCUMENT_INDEX, DOCUMENT_MANIFEST };

static const char *const document_names[] = {
	[DOCUMENT_NONE] = "blob",
	[DOCUMENT_IMAGE] = "image",
	[DOCUMENT_INDEX] = "index",
	[DOCUMENT_MANIFEST] = "manifest",
};

struct note {
	char *subject;    /* NULL of a blob */
	const char *text; /* NULL: only documents are told of */
	struct digest digest;
	enum document document;
};

struct unused {
	const struct store *store;
	struct marks *live; /* what refs, leases and sessions reach now */
	struct session_list sessions;
	bool is_partial; /* nothing is known to be unused */
	bool names_lost; /* because there is no index.json */
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
	session_list_fini(&u->sessions);
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
	u->notes[u->count++] = (struct note){.subject = subject, .text = text};
	return 0;
}

static int keep_blob(struct unused *u, const struct digest *d, const char *text, struct err *e)
{
	if (array_reserve(&u->notes, &u->cap, u->count + 1, sizeof(*u->notes), e) < 0)
		return -1;
	u->notes[u->count++] = (struct note){.text = text, .digest = *d};
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

	if (lease_scan(u->store, &leases, e) < 0 || sessions_collect(u->store, &u->sessions, e) < 0)
		return -1;
	u->is_partial |= roots_unknown_session(&u->sessions) != NULL;
	if (refs_list(u->store, ix, &why) < 0) {
		/* Told before. */
		err_clear(&why);
		u->is_partial = true;
		return 0;
	}
	if (roots_add_sessions(u->live, &u->sessions, e) < 0)
		return -1;
	return keep_orphans(u, ix, e);
}

static bool is_unused(const struct unused *u, const struct digest *d)
{
	return d && !u->is_partial && !mark_has(u->live, d);
}

static const char unused_file[] = "nothing uses it: gc removes it";
static const char unused_directory[] =
	"a directory that nothing uses: gc removes it when it is empty";

static int look_at_litter(struct unused *u, const char *name, struct err *e)
{
	return tmpfile_is_litter(name)
		       ? keep_note(u, "file", name, "left by a process that died", e)
		       : 0;
}

/* blobs_visit */
static int look_at_blob(void *ctx, const struct digest *d, const char *name, const struct stat *st,
			struct err *e)
{
	struct unused *u = ctx;

	if (is_unused(u, d))
		return keep_blob(u, d, S_ISDIR(st->st_mode) ? unused_directory : unused_file, e);
	if (d && u->names_lost && S_ISREG(st->st_mode) && !mark_has(u->live, d))
		return keep_blob(u, d, NULL, e);
	return look_at_litter(u, name, e);
}

static int look_at_derived(struct unused *u, const char *name, const struct digest *d,
			   const struct stat *st, struct err *e)
{
	struct err why = ERR_INIT;

	if (!is_unused(u, d))
		return look_at_litter(u, name, e);
	if (S_ISDIR(st->st_mode))
		return keep_note(u, "derived file", name, unused_directory, e);
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

	return look_at_derived(ctx, name, derived_parse_name(name, &d) ? &d : NULL, st, e);
}

static int look_at_catalog(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	struct digest d;

	return look_at_derived(ctx, name, folder_parse_hex(name, strlen(name), &d) ? &d : NULL, st,
			       e);
}

static int look_at_other(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	(void)st;
	return look_at_litter(ctx, name, e);
}

/* sessions_visit_dead */
static int keep_part(void *ctx, int all, const char *name, struct err *e)
{
	(void)all;
	return keep_note(ctx, "folder", name, "left by a process that died: gc removes it", e);
}

static int look_at_files(struct unused *u, struct err *e)
{
	const struct store *s = u->store;
	SCOPE_FD int all = -1;

	if (blobs_visit(s, look_at_blob, u, e) < 0 ||
	    folder_visit(store_dirfd(s, STORE_DIR_LAYERS), look_at_layer_file, u, e) < 0 ||
	    folder_visit(store_dirfd(s, STORE_DIR_CATALOGS), look_at_catalog, u, e) < 0 ||
	    folder_visit(store_dirfd(s, STORE_DIR_ROOT), look_at_other, u, e) < 0)
		return -1;
	if (folder_visit(store_dirfd(s, STORE_DIR_SHALE), look_at_other, u, e) < 0 ||
	    sessions_open_visible(s, &all, e) < 0)
		return -1;
	return sessions_visit_dead(all, keep_part, u, e);
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

/* What a manifest is; what an index holds is named by it. */
static int parse_document(struct note *n, const char *type, const struct str *bytes,
			  struct marks *named, struct err *why, struct err *e)
{
	SCOPE(manifest) struct manifest doc = MANIFEST_INIT;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;

	if (mediatype_kind(type) != MEDIA_INDEX) {
		if (manifest_parse(&doc, str_text(bytes), bytes->len, type, why) < 0)
			return 0;
		n->document =
			manifest_check_image(&doc, why) == 0 ? DOCUMENT_IMAGE : DOCUMENT_MANIFEST;
		return 0;
	}
	if (image_index_parse(&ix, str_text(bytes), bytes->len, type, LIMIT_INDEX_ENTRIES, why) < 0)
		return 0;
	n->document = DOCUMENT_INDEX;
	for (size_t i = 0; i < ix.count; i++) {
		if (mark_add_digest(named, &ix.manifests[i].digest, e) < 0)
			return -1;
	}
	return 0;
}

/* A blob that is gone, or damaged, is no document. */
static int find_document(const struct fsck *f, struct note *n, struct marks *named, struct err *e)
{
	SCOPE(str) struct str bytes = STR_INIT;
	SCOPE_FREE char *type = NULL;
	struct err why = ERR_INIT;

	const int found = sniff_blob(f->store, &n->digest, &type, &bytes, &why);
	const int r = found == 1 ? parse_document(n, type, &bytes, named, &why, e) : 0;
	if (r == 0 && err_is_own_lack(&why))
		return err_move(e, &why);
	err_clear(&why);
	return r;
}

static int tell_note(struct fsck *f, const char *subject, const char *text, struct err *e)
{
	struct err why = ERR_INIT;

	err_set(&why, ERR_EXISTS, "%s", text);
	return fsck_tell(f, FSCK_NOTE, subject, &why, NULL, e);
}

static int tell_blob(struct fsck *f, const struct note *n, const struct marks *named, struct err *e)
{
	char subject[FSCK_SUBJECT_MAX], digest[DIGEST_STR_MAX];
	SCOPE(str) struct str text = STR_INIT;
	/* Who names the index has the images in it, too. */
	const bool is_top = n->document != DOCUMENT_NONE && !mark_has(named, &n->digest);

	if (!n->text && !is_top)
		return 0;
	digest_format(&n->digest, digest);
	snprintf(subject, sizeof(subject), "%s %s", document_names[n->document], digest);
	if (!is_top || (n->text && n->document == DOCUMENT_MANIFEST))
		return tell_note(f, subject, n->text, e);
	if (str_appendf(&text, e, "has no name; 'shale tag %s NAME' gives it one%s", digest,
			n->text ? ", else gc removes it" : "") < 0)
		return -1;
	return tell_note(f, subject, str_text(&text), e);
}

int fsck_tell_unused(struct fsck *f, struct err *e)
{
	SCOPE(unused)
	struct unused u = {.store = f->store,
			   .is_partial = f->is_partial,
			   .names_lost = f->report->names_lost};
	SCOPE(mark) struct marks *named = mark_new(f->store, e);

	if (!named || look(&u, e) < 0 ||
	    (u.why.code && fsck_tell_blob(f, &u.unread, &u.why, NULL, e) < 0))
		return -1;
	for (size_t i = 0; i < u.count; i++) {
		if (!u.notes[i].subject && find_document(f, &u.notes[i], named, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < u.count; i++) {
		const struct note *n = &u.notes[i];
		if ((n->subject ? tell_note(f, n->subject, n->text, e)
				: tell_blob(f, n, named, e)) < 0)
			return -1;
	}
	return 0;
}
