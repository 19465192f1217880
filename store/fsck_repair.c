/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/quote.h"
#include "base/str.h"
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

static int tell_if_lost(struct fsck *f, const struct descriptor *entry, struct err *e)
{
	const struct mark_visitor visitor = {.unreadable = pass_unreadable};
	char quoted[QUOTE_MAX];
	size_t broken = 0;
	SCOPE(mark) struct marks *own = mark_new(f->store, e);

	if (!own || mark_add(own, entry, roots_name(entry), e) < 0 ||
	    mark_run(own, &visitor, e) < 0)
		return -1;
	for (size_t i = 0; i < mark_count(own); i++)
		broken += mark_has(f->broken, &mark_at(own, i)->digest);
	if (broken == 0)
		return 0;
	SCOPE_FREE char *subject = str_dupf(e, "image %s", quote_str(quoted, roots_name(entry)));
	if (!subject)
		return -1;
	struct err why = ERR_INIT;
	err_set(&why, ERR_DIGEST,
		"%zu of its blobs %s damaged or missing: import or build it again", broken,
		broken == 1 ? "is" : "are");
	return fsck_tell(f, FSCK_LOST, subject, &why, NULL, e);
}

int fsck_tell_lost(struct fsck *f, const struct image_index *ix, struct err *e)
{
	if (mark_count(f->broken) == 0)
		return 0;
	for (size_t i = 0; i < ix->count; i++) {
		if (tell_if_lost(f, &ix->manifests[i], e) < 0)
			return -1;
	}
	return 0;
}
