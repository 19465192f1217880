/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/support_session.h"

#include "base/quote.h"
#include "cli/support.h"

/* 0 with the folder. */
static int open_folder(const struct store *s, const char *text, struct support_session *x,
		       struct err *e)
{
	struct err why = ERR_INIT;

	/* A store that cannot be written can still be looked at. */
	if (store_is_writable(s)) {
		if (sessions_open(s, text, SESSIONS_LOCK, &x->folder, &why) == 0)
			return 0;
		if (why.code != ERR_BUSY)
			return err_move(e, &why);
		err_clear(&why);
	}
	x->is_busy = true;
	return sessions_open(s, text, SESSIONS_READ, &x->folder, e);
}

static int open_session(const struct invocation *in, const struct store *s, struct lease *l,
			struct progress *progress, struct support_session *x, struct err *e)
{
	const struct descriptor *manifest = sessions_manifest(x->folder);

	if (lease_add(l, &manifest->digest, e) < 0 ||
	    image_load_found(s, sessions_image(x->folder), manifest, NULL, &x->image, e) < 0)
		return -1;
	x->base = support_view(s, &x->image, in->command->name, progress, e);
	if (!x->base)
		return -1;
	return session_open(x->base, sessions_fd(x->folder), sessions_data_fd(x->folder),
			    x->is_busy ? SESSION_READ : 0, &x->session, e);
}

int support_session(const struct invocation *in, size_t at, const struct store *s, struct lease *l,
		    struct progress *progress, struct support_session *out, struct err *e)
{
	SCOPE(support_session) struct support_session x = SUPPORT_SESSION_INIT;
	char q[QUOTE_MAX];

	if (open_folder(s, in->args[at], &x, e) < 0)
		return -1;
	if (open_session(in, s, l, progress, &x, e) < 0)
		return err_wrap(e, "session '%s'", quote_str(q, sessions_name(x.folder)));
	*out = x;
	x = (struct support_session)SUPPORT_SESSION_INIT;
	return 0;
}

void support_session_fini(struct support_session *x)
{
	session_close(x->session);
	view_close(x->base);
	image_fini(&x->image);
	sessions_close(x->folder);
}
