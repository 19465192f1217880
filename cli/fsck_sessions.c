/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fsck_sessions.h"

#include "base/quote.h"
#include "base/str.h"
#include "cli/support_session.h"
#include "fs/session_check.h"
#include "store/lease.h"

/* What is wrong with a session that could be locked; clean when nothing is. */
static void look(const struct invocation *in, const struct store *s, struct lease *l,
		 struct session_folder *folder, struct progress *progress, struct err *why)
{
	SCOPE(support_session) struct support_session x = SUPPORT_SESSION_INIT;

	if (support_session_take(in, folder, s, l, progress, &x, why) == 0)
		(void)session_check(x.session, NULL, why);
}

static int tell(const char *name, const struct err *why, const struct fsck_options *opt,
		struct fsck_report *r, struct err *e)
{
	SCOPE_FREE char *subject = str_dupf(e, "session %s", name);
	const struct fsck_finding f = {
		.severity = FSCK_ERROR, .code = why->code, .subject = subject, .text = why->msg};

	if (!subject)
		return -1;
	r->errors++;
	opt->found(opt->ctx, &f);
	return 0;
}

static int check_one(const struct invocation *in, const struct store *s, struct lease *l,
		     const struct session_info *info, const struct fsck_options *opt,
		     struct fsck_report *r, struct err *e)
{
	struct session_folder *folder = NULL;
	struct err why = ERR_INIT;
	int done = 0;

	/* Used or removed since it was listed. */
	if (sessions_open_exact(s, info->id, &folder, &why) == 0 &&
	    !session_was_used(sessions_fd(folder))) {
		sessions_close(folder);
		return 0;
	}
	if (folder)
		look(in, s, l, folder, opt->progress, &why);
	if (err_is_own_lack(&why))
		return err_move(e, &why);
	/* That its image is lost has been told. */
	if (folder && (why.code == ERR_FORMAT || why.code == ERR_UNSUPPORTED))
		done = tell(info->name, &why, opt, r, e);
	err_clear(&why);
	return done;
}

int fsck_sessions_run(const struct invocation *in, const struct store *s,
		      const struct fsck_options *opt, struct fsck_report *r, struct err *e)
{
	SCOPE(session_list) struct session_list list = SESSION_LIST_INIT;
	SCOPE(lease) struct lease *l = NULL;

	if (!store_is_writable(s))
		return 0;
	if (sessions_collect(s, &list, e) < 0)
		return -1;
	if (list.count == 0)
		return 0;
	if (lease_open(s, "fsck", &l, e) < 0)
		return -1;
	progress_begin(opt->progress, "checking sessions", 0);
	for (size_t i = 0; i < list.count; i++) {
		const struct session_info *info = &list.items[i];
		if (info->name && !info->is_busy && check_one(in, s, l, info, opt, r, e) < 0)
			return -1;
	}
	return 0;
}
