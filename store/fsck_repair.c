/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "image/mediatype.h"
#include "image/platform.h"
#include "store/blobs.h"
#include "store/fsck_private.h"
#include "store/roots.h"

/* Makes it anew: how bad it was after all; `why` tells it, or what this process is short of. */
static enum fsck_severity repair(const struct fsck_mender *mender, struct err *why)
{
	struct err failed = ERR_INIT;

	if (mender->mend(mender->ctx, &failed) == 0) {
		err_wrap(why, "made anew");
		return FSCK_REPAIRED;
	}
	if (err_is_own_lack(&failed)) {
		err_clear(why);
		err_move(why, &failed);
		return FSCK_DERIVED;
	}
	err_wrap(why, "cannot be made anew (%s)", failed.msg);
	err_clear(&failed);
	return FSCK_DERIVED;
}

int fsck_tell_derived(struct fsck *f, const char *kind, const struct digest *d, struct err *why,
		      const char *user, const struct fsck_mender *mender, struct err *e)
{
	enum fsck_severity severity = FSCK_DERIVED;
	char subject[FSCK_SUBJECT_MAX], text[DIGEST_STR_MAX];

	if (f->opt->repair && !err_is_own_lack(why))
		severity = repair(mender, why);
	snprintf(subject, sizeof(subject), "%s %s", kind, digest_format(d, text));
	return fsck_tell(f, severity, subject, why, user, e);
}

/* mark_visitor: it was told before. */
static int pass_unreadable(void *ctx, const struct mark *m, struct err *why, struct err *e)
{
	(void)ctx;
	(void)m;
	(void)e;
	err_clear(why);
	return 0;
}

/* How many of the blobs below an entry are broken; -1. */
static int64_t count_broken(struct fsck *f, const struct descriptor *entry, const char *name,
			    struct err *e)
{
	const struct mark_visitor visitor = {.unreadable = pass_unreadable};
	int64_t broken = 0;
	SCOPE(mark) struct marks *own = mark_new(f->store, e);

	if (!own || mark_add(own, entry, name, e) < 0 || mark_run(own, &visitor, e) < 0)
		return -1;
	for (size_t i = 0; i < mark_count(own); i++)
		broken += mark_has(f->broken, &mark_at(own, i)->digest);
	return broken;
}

/* `part`: the platform that is lost, or a digest; NULL for the whole image. */
static int tell_lost(struct fsck *f, const char *name, const char *part, int64_t broken,
		     struct err *e)
{
	char quoted[QUOTE_MAX];
	SCOPE_FREE char *subject = str_dupf(e, "image %s%s%s", quote_str(quoted, name),
					    part ? " for " : "", part ? part : "");
	struct err why = ERR_INIT;

	if (!subject)
		return -1;
	err_set(&why, ERR_DIGEST,
		"%" PRId64 " of its blobs %s damaged or missing: import or build it again", broken,
		broken == 1 ? "is" : "are");
	return fsck_tell(f, FSCK_LOST, subject, &why, NULL, e);
}

/* What was changed is not: with its image back, a session goes on. */
static int tell_lost_session(struct fsck *f, const struct session_info *info, struct err *e)
{
	char quoted[QUOTE_MAX];
	struct err why = ERR_INIT;

	const int64_t broken = count_broken(f, &info->manifest, info->label, e);
	if (broken <= 0)
		return broken < 0 ? -1 : 0;
	err_set(&why, ERR_DIGEST,
		"%" PRId64 " blob%s of its image '%s' %s damaged or missing: import or build the "
		"image again",
		broken, broken == 1 ? "" : "s", quote_str(quoted, info->image),
		broken == 1 ? "is" : "are");
	return fsck_tell(f, FSCK_LOST, info->label, &why, NULL, e);
}

static int tell_lost_parts(struct fsck *f, const struct image_index *ix, const char *name,
			   struct err *e)
{
	for (size_t i = 0; i < ix->count; i++) {
		const struct descriptor *d = &ix->manifests[i];
		char platform[PLATFORM_STR_MAX], digest[DIGEST_STR_MAX];
		const int64_t broken = count_broken(f, d, name, e);
		if (broken < 0)
			return -1;
		const char *part = d->has_platform ? platform_format(&d->platform, platform)
						   : digest_format(&d->digest, digest);
		if (broken > 0 && tell_lost(f, name, part, broken, e) < 0)
			return -1;
	}
	return 0;
}

/* 1 an index that can be read, 0 anything else. */
static int read_index(const struct fsck *f, const struct descriptor *entry, struct image_index *out,
		      struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err why = ERR_INIT;

	if (mediatype_kind(entry->media_type) != MEDIA_INDEX)
		return 0;
	if (blobs_read(f->store, &entry->digest, entry->size, LIMIT_DOCUMENT, &text, &why) == 0 &&
	    image_index_parse(out, str_text(&text), text.len, entry->media_type,
			      LIMIT_INDEX_ENTRIES, &why) == 0)
		return 1;
	if (err_is_own_lack(&why))
		return err_move(e, &why);
	err_clear(&why);
	return 0;
}

/* Of an index the platforms that are lost: the others can still be used. */
static int tell_if_lost(struct fsck *f, const struct descriptor *entry, struct err *e)
{
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	const char *name = roots_name(entry);

	const int64_t broken = count_broken(f, entry, name, e);
	if (broken <= 0)
		return broken < 0 ? -1 : 0;
	const int is_index = read_index(f, entry, &ix, e);
	if (is_index < 0)
		return -1;
	return is_index ? tell_lost_parts(f, &ix, name, e) : tell_lost(f, name, NULL, broken, e);
}

int fsck_tell_lost(struct fsck *f, const struct image_index *ix, struct err *e)
{
	if (mark_count(f->broken) == 0)
		return 0;
	for (size_t i = 0; i < ix->count; i++) {
		if (tell_if_lost(f, &ix->manifests[i], e) < 0)
			return -1;
	}
	for (size_t i = 0; i < f->sessions.count; i++) {
		const struct session_info *info = &f->sessions.items[i];
		if (info->name && tell_lost_session(f, info, e) < 0)
			return -1;
	}
	return 0;
}
