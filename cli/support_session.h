/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An edit session that a command looks at: which one is meant, its image, and what was changed.
 */
#ifndef CLI_SUPPORT_SESSION_H
#define CLI_SUPPORT_SESSION_H

#include <stdbool.h>

#include "base/progress.h"
#include "cli/command.h"
#include "fs/edit_control.h"
#include "fs/session.h"
#include "fs/view.h"
#include "store/sessions.h"

struct support_session {
	struct session_folder *folder;
	struct image image; /* that is edited */
	struct view *base;
	struct session *session;
	bool is_rescue;            /* the image, or layers of it, may be lost */
	bool has_no_image;         /* it is lost: `image` and `base` are empty */
	struct edit_frozen frozen; /* it is mounted, and stays for us as it was at one moment */
};

#define SUPPORT_SESSION_INIT                \
	{                                   \
		.frozen = EDIT_FROZEN_INIT, \
	}

/*
 * The session that argument `at` names, or that is mounted there.  It is locked while nobody else
 * uses it; one that is mounted is written back, and frozen.  `s` and `l` are the command's.
 * ERR_NOT_FOUND when there is none of that name; ERR_BUSY when another command uses it; as
 * sessions_open, image_load_found, view_open, session_open.
 */
int support_session(const struct invocation *in, size_t at, const struct store *s, struct lease *l,
		    struct progress *progress, struct support_session *out, struct err *e);
/* The same, and layers of the image may be lost, as VIEW_WITHOUT_LOST has it, or all of it
 * (has_no_image), of which a warning tells. */
int support_session_rescue(const struct invocation *in, size_t at, const struct store *s,
			   struct lease *l, struct progress *progress, struct support_session *out,
			   struct err *e);
/* The same as support_session for a session that is locked already; `folder` is taken, also on
 * failure. */
int support_session_take(const struct invocation *in, struct session_folder *folder,
			 const struct store *s, struct lease *l, struct progress *progress,
			 struct support_session *out, struct err *e);
/* The image of the session `name` cannot be loaded or opened, because of `e`: adds what can be
 * done, where that is lost or damaged.  Returns -1. */
int support_session_advise(const char *name, struct err *e);
/* After all was read, before anything is made of it: that it was one moment.  ERR_BUSY. */
int support_session_check(const struct support_session *x, struct err *e);
/* Of a failure to read: when it was not one moment, this is what was wrong, ERR_BUSY, and not what
 * then seemed to be damaged or gone.  Returns -1. */
int support_session_explain(const struct support_session *x, struct err *e);
/* That the session or its image has the path ("/" in front), whose links are not followed:
 * ERR_NOT_FOUND. */
int support_session_find(const struct support_session *x, const char *path, struct err *e);
void support_session_fini(struct support_session *x);
SCOPE_DEFINE_VALUE(support_session, struct support_session, support_session_fini)

#endif
