/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lease on all refs, and on what others lease, keeps gc from taking away what is being looked at;
 * gc.lock is held only until it is written.  A store that cannot be written has no leases: what its
 * owner's gc takes away meanwhile is told as missing.
 */
#include "store/fsck.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/hasher.h"
#include "base/quote.h"
#include "base/str.h"
#include "store/blobs.h"
#include "store/fsck_private.h"
#include "store/index_file.h"
#include "store/layout.h"
#include "store/lease.h"
#include "store/lease_scan.h"
#include "store/locks.h"
#include "store/refs.h"
#include "store/roots.h"
#include "store/sessions_private.h"

static void count_finding(struct fsck_report *r, enum fsck_severity severity, enum err_code code)
{
	switch (severity) {
	case FSCK_ERROR:
		r->errors++;
		r->unreadable += code == ERR_SYS;
		break;
	case FSCK_DERIVED:
		r->derived++;
		break;
	case FSCK_NOTE:
		r->notes++;
		break;
	case FSCK_REPAIRED:
		r->repaired++;
		break;
	case FSCK_LOST:
		r->lost++;
		break;
	}
}

int fsck_tell(struct fsck *f, enum fsck_severity severity, const char *subject, struct err *why,
	      const char *user, struct err *e)
{
	char quoted[QUOTE_MAX];
	SCOPE(str) struct str text = STR_INIT;

	if (err_is_own_lack(why))
		return err_move(e, why);
	const enum err_code code = why->code;
	int r = str_append_z(&text, why->msg, e);
	if (r == 0 && user)
		r = str_appendf(&text, e, " (used by '%s')", quote_str(quoted, user));
	err_clear(why);
	if (r < 0)
		return -1;
	count_finding(f->report, severity, code);
	const struct fsck_finding finding = {severity, code, subject, str_text(&text)};
	if (f->opt->found)
		f->opt->found(f->opt->ctx, &finding);
	return 0;
}

/* What a message says after the blob that it begins with, which the subject says already. */
static const char *without_blob(const char *msg, const char *digest)
{
	char start[sizeof("blob ''") + DIGEST_STR_MAX];

	snprintf(start, sizeof(start), "blob '%s'", digest);
	if (!str_has_prefix(msg, start))
		return msg;
	msg += strlen(start);
	return msg + strspn(msg, ": ");
}

int fsck_tell_blob(struct fsck *f, const struct digest *d, struct err *why, const char *user,
		   struct err *e)
{
	char subject[sizeof("blob ") + DIGEST_STR_MAX], text[DIGEST_STR_MAX];

	if (mark_has(f->damaged, d)) {
		err_clear(why);
		return 0;
	}
	if (mark_add_digest(f->damaged, d, e) < 0 || mark_add_digest(f->broken, d, e) < 0)
		return -1;
	snprintf(subject, sizeof(subject), "blob %s", digest_format(d, text));
	struct err told = ERR_INIT;
	if (err_is_own_lack(why))
		return err_move(e, why);
	err_set(&told, why->code, "%s", without_blob(why->msg, text));
	err_clear(why);
	return fsck_tell(f, FSCK_ERROR, subject, &told, user, e);
}

int fsck_tell_broken(struct fsck *f, const char *kind, const struct digest *d, struct err *why,
		     const char *user, struct err *e)
{
	char subject[FSCK_SUBJECT_MAX], text[DIGEST_STR_MAX];

	snprintf(subject, sizeof(subject), "%s %s", kind, digest_format(d, text));
	return mark_add_digest(f->broken, d, e) < 0
		       ? -1
		       : fsck_tell(f, FSCK_ERROR, subject, why, user, e);
}

void fsck_count(struct fsck *f, uint64_t bytes)
{
	f->report->bytes_read += bytes;
	progress_add(f->opt->progress, bytes);
}

/* mark_visitor */
static int tell_unreadable(void *ctx, const struct mark *m, struct err *why, struct err *e)
{
	struct fsck *f = ctx;

	/* A subject may be kept elsewhere; what a command is about to put is not there yet. */
	if (m->need == MARK_OPTIONAL && why->code == ERR_NOT_FOUND) {
		err_clear(why);
		return 0;
	}
	f->is_partial = true;
	return fsck_tell_blob(f, &m->digest, why, m->root, e);
}

static int mark_lease(void *ctx, const struct digest *d, struct err *e)
{
	const struct fsck *f = ctx;

	return mark_add_digest(f->live, d, e);
}

/* What a command leases may lose its lease, and then gc takes it. */
static int lease_marked(const struct fsck *f, struct lease *lease, struct err *e)
{
	for (size_t i = 0; i < mark_count(f->live); i++) {
		if (lease_add(lease, &mark_at(f->live, i)->digest, e) < 0)
			return -1;
	}
	return 0;
}

/* Whether it is its content that is wrong: what the system or others keep from us may be whole. */
static bool is_damage(const struct err *why)
{
	return why->code == ERR_FORMAT || why->code == ERR_SYNTAX || why->code == ERR_LIMIT ||
	       why->code == ERR_UNSUPPORTED;
}

/* An index.json that cannot be read.  Nothing else in the store has the names, and an empty one put
 * there by itself would let gc take all away. */
static int tell_index(struct fsck *f, struct err *why, struct err *e)
{
	struct err told = ERR_INIT;

	f->is_partial = true;
	f->report->names_lost = is_damage(why);
	if (!f->report->names_lost)
		return fsck_tell(f, FSCK_ERROR, LAYOUT_INDEX, why, NULL, e);
	err_set(&told, why->code,
		"%s; the names of all images are lost: put a copy of the file back, or "
		"'" INDEX_FILE_EMPTY "' in its place and give names with 'shale tag', before "
		"anything else",
		why->msg);
	err_clear(why);
	return fsck_tell(f, FSCK_ERROR, LAYOUT_INDEX, &told, NULL, e);
}

/* The refs and sessions, and a lease on them; an index.json that cannot be read is a finding. */
static int load_roots(struct fsck *f, struct image_index *ix, struct lease **lease, struct err *e)
{
	const struct lease_scan leases = {mark_lease, NULL, f};
	struct err why = ERR_INIT;
	SCOPE_FD int lock = -1;

	if (store_is_writable(f->store)) {
		lock = locks_take(f->store, LOCKS_GC, LOCKS_SHARED, e);
		if (lock < 0)
			return -1;
	}
	/* Before there is one of this process. */
	if (lease_scan(f->store, &leases, e) < 0 || lease_open(f->store, "fsck", lease, e) < 0 ||
	    lease_marked(f, *lease, e) < 0 || sessions_collect(f->store, &f->sessions, e) < 0)
		return -1;
	for (size_t i = 0; i < f->sessions.count; i++) {
		const struct session_info *info = &f->sessions.items[i];
		if (info->name && lease_add(*lease, &info->manifest.digest, e) < 0)
			return -1;
	}
	if (refs_list(f->store, ix, &why) < 0)
		return tell_index(f, &why, e);
	for (size_t i = 0; i < ix->count; i++) {
		if (lease_add(*lease, &ix->manifests[i].digest, e) < 0)
			return -1;
	}
	return 0;
}

/* The manifests, indexes, and images. */
static int check_documents(struct fsck *f, const struct image_index *ix, struct err *e)
{
	const struct mark_visitor visitor = {tell_unreadable, fsck_check_manifest, f};
	SCOPE_FREE bool *orphans = array_new(ix->count, sizeof(*orphans), e);

	if (!orphans || roots_add_sessions(f->live, &f->sessions, e) < 0)
		return -1;
	return roots_mark(f->live, ix, &visitor, orphans, e);
}

/* Presence and size of all that is named. */
static int check_named(struct fsck *f, struct err *e)
{
	for (size_t i = 0; i < mark_count(f->live); i++) {
		const struct mark *m = mark_at(f->live, i);
		struct err why = ERR_INIT;
		if (m->kind != MARK_BLOB)
			continue;
		SCOPE_FD int fd = blobs_open(f->store, &m->digest, m->size, &why);
		if (fd >= 0)
			continue;
		if (m->need == MARK_OPTIONAL && why.code == ERR_NOT_FOUND)
			err_clear(&why);
		else if (fsck_tell_blob(f, &m->digest, &why, m->root, e) < 0)
			return -1;
	}
	return 0;
}

int fsck_hash_blob(struct fsck *f, const struct digest *d, struct err *why)
{
	struct digest got;
	uint64_t size;
	SCOPE_FD int fd = blobs_open(f->store, d, BLOBS_ANY_SIZE, why);

	if (fd < 0 || hasher_fd(fd, d->alg, "content", &got, &size, f->opt->progress, why) < 0)
		return -1;
	f->report->bytes_read += size;
	if (!digest_equal(&got, d))
		return err_set(why, ERR_DIGEST, "the content has another digest");
	return 0;
}

/* blobs_visit */
static int check_blob(void *ctx, const struct digest *d, const char *name, const struct stat *st,
		      struct err *e)
{
	struct fsck *f = ctx;
	struct err why = ERR_INIT;

	(void)name;
	if (!d)
		return 0;
	f->report->blobs += S_ISREG(st->st_mode);
	if (!f->opt->read_data || mark_has(f->damaged, d) || fsck_hash_blob(f, d, &why) == 0)
		return 0;
	/* gc may take away what nothing uses; a directory or a link of such a name is no blob. */
	if (!mark_has(f->live, d) && (why.code == ERR_NOT_FOUND || why.code == ERR_FORMAT)) {
		err_clear(&why);
		return 0;
	}
	return fsck_tell_blob(f, d, &why, NULL, e);
}

/* blobs_visit */
static int add_size(void *ctx, const struct digest *d, const char *name, const struct stat *st,
		    struct err *e)
{
	struct fsck *f = ctx;

	(void)name;
	(void)e;
	f->total += d && S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
	return 0;
}

static void fsck_fini(struct fsck *f)
{
	session_list_fini(&f->sessions);
}
SCOPE_DEFINE_VALUE(fsck, struct fsck, fsck_fini)

int fsck_run(const struct store *s, const struct fsck_options *opt, struct fsck_report *out,
	     struct err *e)
{
	struct fsck_report report = {0};
	SCOPE(fsck) struct fsck f = {.store = s, .opt = opt, .report = &report};
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE(lease) struct lease *lease = NULL;
	SCOPE(mark) struct marks *live = mark_new(s, e);
	SCOPE(mark) struct marks *damaged = live ? mark_new(s, e) : NULL;
	SCOPE(mark) struct marks *broken = damaged ? mark_new(s, e) : NULL;
	SCOPE(mark) struct marks *layers = broken ? mark_new(s, e) : NULL;

	if (!layers)
		return -1;
	if (opt->repair && locks_need_writable(s, e) < 0)
		return -1;
	f.live = live;
	f.damaged = damaged;
	f.broken = broken;
	f.layers = layers;
	if (opt->read_data && blobs_visit(s, add_size, &f, e) < 0)
		return -1;
	progress_begin(opt->progress, "checking the store", f.total);
	if (load_roots(&f, &ix, &lease, e) < 0 || fsck_check_sessions(&f, e) < 0 ||
	    check_documents(&f, &ix, e) < 0 || check_named(&f, e) < 0 ||
	    blobs_visit(s, check_blob, &f, e) < 0 ||
	    (opt->repair && fsck_tell_lost(&f, &ix, e) < 0))
		return -1;
	/* What it leases is not used for that. */
	lease_close(steal_ptr(&lease));
	if ((opt->repair && fsck_clear_sessions(&f, e) < 0) || fsck_tell_unused(&f, e) < 0)
		return -1;
	*out = report;
	return 0;
}
