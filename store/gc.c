/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Under gc.lock and the lock of index.json, both exclusive: leases, sessions, then refs, then the
 * walk, then refs to orphans go, then files.  A crash at any place leaves files that the next run
 * removes.
 *
 * Nothing that frees room needs any: on a full disk refs to orphans stay, with all that they name,
 * until the next run.
 */
#include "store/gc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/quote.h"
#include "base/tmpfile.h"
#include "store/blobs.h"
#include "store/builds.h"
#include "store/derived.h"
#include "store/folder.h"
#include "store/index_file.h"
#include "store/lease_scan.h"
#include "store/locks.h"
#include "store/mark.h"
#include "store/reserve.h"
#include "store/roots.h"
#include "store/sessions_private.h"

enum { STAT_BLOCK = 512 /* stat(2): the unit of st_blocks */ };

struct sweep {
	const struct store *store;
	struct marks *marks;
	struct session_list sessions;
	bool is_dry_run;
	struct progress *progress;
	struct gc_report report;
	int dirfd; /* that is being swept */
	enum digest_alg alg;
};

static void sweep_fini(struct sweep *sw)
{
	session_list_fini(&sw->sessions);
}
SCOPE_DEFINE_VALUE(sweep, struct sweep, sweep_fini)

/* A document that cannot be read might name anything.  What was never copied names nothing here. */
static int refuse_unreadable(void *ctx, const struct mark *m, struct err *why, struct err *e)
{
	char quoted[QUOTE_MAX];

	(void)ctx;
	if (why->code == ERR_NOT_FOUND && m->need != MARK_NEEDED) {
		err_clear(why);
		return 0;
	}
	err_move(e, why);
	return err_wrap(e, "nothing was removed, because what '%s' needs is not known: run fsck",
			quote_str(quoted, m->root));
}

/* Of what stays for want of room, some may be gone already. */
static int ignore_missing(void *ctx, const struct mark *m, struct err *why, struct err *e)
{
	(void)ctx;
	(void)m;
	if (why->code != ERR_NOT_FOUND)
		return err_move(e, why);
	err_clear(why);
	return 0;
}

static int remove_file(struct sweep *sw, const char *name, const struct stat *st, uint64_t *count,
		       struct err *e)
{
	const int r = sw->is_dry_run ? 1 : folder_remove(sw->dirfd, name, e);

	if (r < 0)
		return -1;
	if (r == 1) {
		(*count)++;
		progress_add(sw->progress, (uint64_t)st->st_size);
		/* Other names of the same file keep its blocks. */
		if (st->st_nlink <= 1)
			sw->report.freed_bytes += (uint64_t)st->st_blocks * STAT_BLOCK;
	}
	return 0;
}

/* 1 it was litter and is gone, 0 it is something else. */
static int sweep_litter(struct sweep *sw, const char *name, const struct stat *st, struct err *e)
{
	if (!S_ISREG(st->st_mode) || !tmpfile_is_litter(name))
		return 0;
	return remove_file(sw, name, st, &sw->report.removed_litter, e) < 0 ? -1 : 1;
}

static int sweep_litter_only(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	return sweep_litter(ctx, name, st, e) < 0 ? -1 : 0;
}

/* folder_visit */
static int count_name(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	size_t *count = ctx;

	(void)name;
	(void)st;
	(void)e;
	(*count)++;
	return 0;
}

/* What nothing uses and has a name of ours.  A directory with something in it is not: who put it
 * there did not mean a blob. */
static int sweep_unused(struct sweep *sw, const char *name, const struct stat *st, uint64_t *count,
			struct err *e)
{
	size_t names = 0;

	if (S_ISDIR(st->st_mode)) {
		SCOPE_FD int fd =
			openat(sw->dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || folder_visit(fd, count_name, &names, e) < 0)
			return fd < 0 ? err_sys(e, errno, "cannot open '%s'", name) : -1;
	}
	return names > 0 ? 0 : remove_file(sw, name, st, count, e);
}

static bool parse_blob_name(const char *name, enum digest_alg alg, struct digest *d)
{
	return folder_parse_hex(name, strlen(name), d) && d->alg == alg;
}

static int sweep_blob(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	struct sweep *sw = ctx;
	struct digest d;

	if (!parse_blob_name(name, sw->alg, &d))
		return sweep_litter_only(ctx, name, st, e);
	if (mark_has(sw->marks, &d)) {
		sw->report.kept_blobs++;
		return 0;
	}
	return sweep_unused(sw, name, st, &sw->report.removed_blobs, e);
}

/* `parse` gives the blob or manifest that a file is derived from. */
static int sweep_derived(void *ctx, const char *name, const struct stat *st,
			 bool (*parse)(const char *name, struct digest *d), struct err *e)
{
	struct sweep *sw = ctx;
	struct digest d;

	if (!parse(name, &d))
		return sweep_litter_only(ctx, name, st, e);
	if (mark_has(sw->marks, &d))
		return 0;
	return sweep_unused(sw, name, st, &sw->report.removed_derived, e);
}

static int sweep_layer_file(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	return sweep_derived(ctx, name, st, derived_parse_name, e);
}

static bool parse_catalog_name(const char *name, struct digest *d)
{
	return folder_parse_hex(name, strlen(name), d);
}

static int sweep_catalog(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	return sweep_derived(ctx, name, st, parse_catalog_name, e);
}

static int sweep_lease(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	struct sweep *sw = ctx;

	return remove_file(sw, name, st, &sw->report.removed_litter, e);
}

static int mark_lease(void *ctx, const struct digest *d, struct err *e)
{
	const struct sweep *sw = ctx;

	return mark_add_digest(sw->marks, d, e);
}

/* Keeps what the entries that stay in index.json after all name; some of it may be gone. */
static int mark_orphans(struct sweep *sw, const struct image_index *ix, const bool *orphans,
			struct err *e)
{
	const struct mark_visitor visitor = {.unreadable = ignore_missing};

	for (size_t i = 0; i < ix->count; i++) {
		const struct descriptor *entry = &ix->manifests[i];
		if (orphans[i] && mark_add(sw->marks, entry, roots_name(entry), e) < 0)
			return -1;
	}
	return mark_run(sw->marks, &visitor, e);
}

/* Takes the orphans out of index.json. */
static int drop_refs(struct sweep *sw, struct index_file *f, const bool *orphans, struct err *e)
{
	SCOPE(index_file) struct index_file kept = INDEX_FILE_INIT;
	uint64_t count = 0;

	for (size_t i = f->ix.count; i-- > 0;) {
		if (!orphans[i])
			continue;
		image_index_remove(&f->ix, i);
		count++;
	}
	if (count > 0 && !sw->is_dry_run && index_file_write(sw->store, f, e) < 0) {
		if (!folder_is_full(e))
			return -1;
		err_clear(e);
		return index_file_read(sw->store, &kept, e) < 0
			       ? -1
			       : mark_orphans(sw, &kept.ix, orphans, e);
	}
	sw->report.removed_refs = count;
	return 0;
}

/* mark_visitor */
static int count_manifest(void *ctx, const struct mark *m, const struct manifest *doc,
			  struct err *e)
{
	const struct sweep *sw = ctx;

	(void)doc;
	(void)e;
	progress_name(sw->progress, m->root);
	return 0;
}

/* A session that cannot be read needs an image all the same, and is all that says which. */
static int mark_sessions(struct sweep *sw, struct err *e)
{
	if (sessions_collect(sw->store, &sw->sessions, e) < 0)
		return -1;
	struct session_info *unknown = roots_unknown_session(&sw->sessions);
	if (!unknown)
		return roots_add_sessions(sw->marks, &sw->sessions, e);
	err_move(e, &unknown->why);
	return err_wrap(e,
			"nothing was removed, because what session '%s' needs is not known: mend "
			"it, or remove it with 'shale session rm %s'",
			unknown->id, unknown->id);
}

static int mark_all(struct sweep *sw, struct err *e)
{
	const struct mark_visitor visitor = {refuse_unreadable, count_manifest, sw};
	const struct lease_scan leases = {mark_lease, sweep_lease, sw};
	SCOPE(index_file) struct index_file f = INDEX_FILE_INIT;

	progress_begin(sw->progress, "looking for what is in use", 0);
	sw->dirfd = store_dirfd(sw->store, STORE_DIR_LEASES);
	if (lease_scan(sw->store, &leases, e) < 0 || mark_sessions(sw, e) < 0 ||
	    index_file_read(sw->store, &f, e) < 0)
		return -1;
	SCOPE_FREE bool *orphans = array_new(f.ix.count, sizeof(*orphans), e);
	if (!orphans || roots_mark(sw->marks, &f.ix, &visitor, orphans, e) < 0)
		return -1;
	return drop_refs(sw, &f, orphans, e);
}

/* builds_sweep */
static bool is_marked(void *ctx, const struct digest *layer)
{
	const struct sweep *sw = ctx;

	return mark_has(sw->marks, layer);
}

static int sweep_folder(struct sweep *sw, enum store_dir dir,
			int (*each)(void *, const char *, const struct stat *, struct err *),
			struct err *e)
{
	sw->dirfd = store_dirfd(sw->store, dir);
	return folder_visit(sw->dirfd, each, sw, e);
}

/* sessions_visit_dead */
static int sweep_session(void *ctx, int all, const char *name, struct err *e)
{
	struct sweep *sw = ctx;
	uint64_t bytes = 0;

	if (sessions_part_size(all, name, &bytes, e) < 0 ||
	    (!sw->is_dry_run && sessions_remove_tree(all, name, e) < 0))
		return -1;
	sw->report.removed_litter++;
	sw->report.freed_bytes += bytes;
	return 0;
}

/* What is left of sessions that were being made or removed.  Nobody makes one under gc.lock, but
 * lists clear, too.  No lock when there is nothing: its file may need room. */
static int sweep_sessions(struct sweep *sw, struct err *e)
{
	SCOPE_FD int all = -1;
	SCOPE_FD int lock = -1;
	bool found;

	if (sessions_open_visible(sw->store, &all, e) < 0 || sessions_has_dead(all, &found, e) < 0)
		return -1;
	if (!found)
		return 0;
	if (!sw->is_dry_run) {
		lock = locks_take(sw->store, SESSIONS_LOCK_ALL, LOCKS_EXCLUSIVE, e);
		if (lock < 0)
			return -1;
	}
	return sessions_visit_dead(all, sweep_session, sw, e);
}

static int sweep_all(struct sweep *sw, struct err *e)
{
	progress_begin(
		sw->progress,
		sw->is_dry_run ? "looking for what nothing uses" : "removing what nothing uses", 0);
	sw->alg = DIGEST_SHA256;
	if (sweep_folder(sw, STORE_DIR_BLOBS_SHA256, sweep_blob, e) < 0)
		return -1;
	sw->alg = DIGEST_SHA512;
	if (sweep_folder(sw, STORE_DIR_BLOBS_SHA512, sweep_blob, e) < 0 ||
	    sweep_folder(sw, STORE_DIR_LAYERS, sweep_layer_file, e) < 0 ||
	    sweep_folder(sw, STORE_DIR_CATALOGS, sweep_catalog, e) < 0 ||
	    sweep_folder(sw, STORE_DIR_ROOT, sweep_litter_only, e) < 0 ||
	    (!sw->is_dry_run && builds_sweep(sw->store, is_marked, sw, e) < 0))
		return -1;
	return sweep_folder(sw, STORE_DIR_SHALE, sweep_litter_only, e) < 0 ? -1
									   : sweep_sessions(sw, e);
}

int gc_run(const struct store *s, bool is_dry_run, struct progress *progress, struct gc_report *out,
	   struct err *e)
{
	SCOPE(sweep)
	struct sweep sw = {.store = s, .is_dry_run = is_dry_run, .progress = progress, .dirfd = -1};
	/* Where the store cannot be written, nobody of this user changes it, and there are no
	 * locks. */
	const bool has_locks = !is_dry_run || store_is_writable(s);
	SCOPE(mark) struct marks *marks = mark_new(s, e);
	SCOPE_FD int gc_lock = -1;
	SCOPE_FD int lock = -1;

	if (!marks)
		return -1;
	sw.marks = marks;
	if (has_locks) {
		gc_lock = locks_take(s, LOCKS_GC, LOCKS_EXCLUSIVE, e);
		if (gc_lock < 0)
			return -1;
		lock = locks_take(s, LOCKS_INDEX, LOCKS_EXCLUSIVE, e);
		if (lock < 0)
			return -1;
	}
	if (mark_all(&sw, e) < 0 || sweep_all(&sw, e) < 0)
		return -1;
	if (!is_dry_run)
		reserve_fill(s);
	*out = sw.report;
	return 0;
}
