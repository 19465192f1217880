/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/support_session.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/quote.h"
#include "base/str.h"
#include "base/workers.h"
#include "cli/support.h"
#include "fs/edit.h"

/* The id of the session that is mounted at `text`; NULL without an error: none is. */
static char *find_mounted(const char *text, struct err *e)
{
	SCOPE_FREE char *source = NULL;
	char q[QUOTE_MAX];

	const int found = mount_source(text, &source, e);
	if (found < 0) {
		/* What is no path, or none that there is, may be the name of a session. */
		if (e->code == ERR_SYS && e->sys == ENOENT && !strchr(text, '/'))
			err_clear(e);
		return NULL;
	}
	if (found == 0) {
		if (strchr(text, '/'))
			err_set(e, ERR_NOT_FOUND, "no edit mount at '%s'", quote_str(q, text));
		return NULL;
	}
	const char *id = edit_source_id(source);
	if (!id) {
		err_set(e, ERR_USAGE, "the mount at '%s' is read-only: nothing is changed in it",
			quote_str(q, text));
		return NULL;
	}
	return str_dup(id, e);
}

/* Another uses it: a mount, which freezes it, or a command. */
static int freeze(const struct store *s, const char *name, struct support_session *x,
		  struct err *busy, struct err *e)
{
	struct err why = ERR_INIT;

	if (sessions_open(s, name, SESSIONS_READ, &x->folder, &why) < 0 ||
	    edit_freeze(x->folder, &x->frozen, &why) < 0) {
		const bool has_no_mount = why.code == ERR_NOT_FOUND;
		err_move(e, has_no_mount ? busy : &why);
		err_clear(has_no_mount ? &why : busy);
		return -1;
	}
	err_clear(busy);
	return 0;
}

static int open_folder(const struct store *s, const char *text, struct support_session *x,
		       struct err *e)
{
	struct err why = ERR_INIT;
	SCOPE_FREE char *mounted = find_mounted(text, e);

	if (e->code)
		return -1;
	const char *name = mounted ? mounted : text;
	if (sessions_open(s, name, SESSIONS_LOCK, &x->folder, &why) == 0)
		return 0;
	if (why.code != ERR_BUSY)
		return err_move(e, &why);
	return freeze(s, name, x, &why, e);
}

static int open_base(const struct invocation *in, const struct store *s, unsigned flags,
		     struct progress *progress, struct support_session *x, struct err *e)
{
	const struct layers_options opt = {.workers = workers_default_count(),
					   .progress = progress};

	x->base = view_open(s, &x->image, flags, VIEW_CACHE_DEFAULT, in->command->name, &opt, e);
	return x->base ? 0 : -1;
}

static int open_image(const struct invocation *in, const struct store *s, struct progress *progress,
		      struct support_session *x, struct err *e)
{
	const unsigned flags = x->is_rescue ? VIEW_WITHOUT_LOST : 0;

	return image_load_found(s, sessions_image(x->folder), sessions_manifest(x->folder), NULL,
				&x->image, e) < 0
		       ? -1
		       : open_base(in, s, flags, progress, x, e);
}

/* An image of which only the digest is known. */
static int set_unknown_image(struct support_session *x, struct err *e)
{
	image_fini(&x->image);
	x->image.name = str_dup(sessions_image(x->folder), e);
	return x->image.name ? descriptor_copy(&x->image.chosen, sessions_manifest(x->folder), e)
			     : -1;
}

/* `e` is why the image cannot be opened.  Its catalog, where that is kept, stands for it; else one
 * without layers. */
static int do_without_image(const struct invocation *in, const struct store *s,
			    struct support_session *x, struct err *e)
{
	struct err why = ERR_INIT;

	if (!x->is_rescue || err_is_own_lack(e))
		return -1;
	err_move(&why, e);
	if (set_unknown_image(x, e) == 0 &&
	    open_base(in, s, CATALOGS_KEPT | VIEW_WITHOUT_LOST, NULL, x, e) == 0) {
		log_warning("the image cannot be opened, but for its catalog: %s", why.msg);
		err_clear(&why);
		return 0;
	}
	if (err_is_own_lack(e)) {
		err_clear(&why);
		return -1;
	}
	err_clear(e);
	log_warning("what the image knows alone, as names of its directories, is lost: %s",
		    why.msg);
	err_clear(&why);
	x->has_no_image = true;
	return open_base(in, s, CATALOGS_FRESH, NULL, x, e);
}

int support_session_advise(const char *name, struct err *e)
{
	struct err why = *e;
	char q[QUOTE_MAX];

	if (e->code != ERR_NOT_FOUND && e->code != ERR_DIGEST && e->code != ERR_FORMAT)
		return -1;
	*e = (struct err)ERR_INIT;
	err_set(e, why.code, "%s; 'shale session export %s FILE' saves what was changed", why.msg,
		quote_str(q, name));
	err_clear(&why);
	return -1;
}

static int open_session(const struct invocation *in, const struct store *s, struct lease *l,
			struct progress *progress, struct support_session *x, struct err *e)
{
	const struct descriptor *manifest = sessions_manifest(x->folder);
	const bool is_frozen = x->frozen.dirfd >= 0;

	if (lease_add(l, &manifest->digest, e) < 0)
		return -1;
	if (open_image(in, s, progress, x, e) < 0 && do_without_image(in, s, x, e) < 0)
		return x->is_rescue ? -1 : support_session_advise(sessions_name(x->folder), e);
	const unsigned flags = (is_frozen ? SESSION_READ : SESSION_CREATE) |
			       (x->has_no_image ? SESSION_NO_BASE : 0U);
	return session_open(x->base, is_frozen ? x->frozen.dirfd : sessions_fd(x->folder),
			    sessions_data_fd(x->folder), flags, &x->session, e);
}

/* With a folder: all the rest; `x` moves to `out`. */
static int complete(const struct invocation *in, const struct store *s, struct lease *l,
		    struct progress *progress, struct support_session *x,
		    struct support_session *out, struct err *e)
{
	char q[QUOTE_MAX];

	if (open_session(in, s, l, progress, x, e) < 0) {
		support_session_explain(x, e);
		return err_wrap(e, "session '%s'", quote_str(q, sessions_name(x->folder)));
	}
	*out = *x;
	*x = (struct support_session)SUPPORT_SESSION_INIT;
	return 0;
}

int support_session(const struct invocation *in, size_t at, const struct store *s, struct lease *l,
		    struct progress *progress, struct support_session *out, struct err *e)
{
	SCOPE(support_session) struct support_session x = SUPPORT_SESSION_INIT;

	if (open_folder(s, in->args[at], &x, e) < 0)
		return -1;
	return complete(in, s, l, progress, &x, out, e);
}

int support_session_rescue(const struct invocation *in, size_t at, const struct store *s,
			   struct lease *l, struct progress *progress, struct support_session *out,
			   struct err *e)
{
	SCOPE(support_session) struct support_session x = SUPPORT_SESSION_INIT;

	x.is_rescue = true;
	if (open_folder(s, in->args[at], &x, e) < 0)
		return -1;
	return complete(in, s, l, progress, &x, out, e);
}

int support_session_take(const struct invocation *in, struct session_folder *folder,
			 const struct store *s, struct lease *l, struct progress *progress,
			 struct support_session *out, struct err *e)
{
	SCOPE(support_session) struct support_session x = SUPPORT_SESSION_INIT;

	x.folder = folder;
	return complete(in, s, l, progress, &x, out, e);
}

int support_session_check(const struct support_session *x, struct err *e)
{
	return x->frozen.socket >= 0 ? edit_frozen_check(&x->frozen, e) : 0;
}

int support_session_explain(const struct support_session *x, struct err *e)
{
	struct err why = ERR_INIT;

	if (support_session_check(x, &why) == 0)
		return -1;
	err_clear(e);
	return err_move(e, &why);
}

/* 1, 0, -1 */
static int find_in_session(struct session *s, const char *path, struct err *e)
{
	SCOPE_FREE char *copy = str_dup(path, e);
	uint64_t ino = SESSION_ROOT;
	char *rest = copy;
	struct stat st;
	int found = 1;

	if (!copy)
		return -1;
	for (char *name; found > 0 && (name = strsep(&rest, "/"));) {
		if (!*name)
			continue;
		if (session_stat(s, ino, &st, e) < 0)
			return -1;
		found = S_ISDIR(st.st_mode) ? session_lookup(s, ino, name, &ino, e) : 0;
	}
	return found;
}

int support_session_find(const struct support_session *x, const char *path, struct err *e)
{
	int found = find_in_session(x->session, path, e);
	uint32_t inode;
	char q[QUOTE_MAX];

	if (found == 0)
		found = VIEW_RETRY(x->base, e,
				   catalog_resolve(view_catalog(x->base), path, false, &inode, e));
	if (found == 0)
		return err_set(e, ERR_NOT_FOUND, "no file '%s' in the session or its image",
			       quote_str(q, path));
	return found < 0 ? -1 : 0;
}

void support_session_fini(struct support_session *x)
{
	session_close(x->session);
	view_close(x->base);
	image_fini(&x->image);
	edit_thaw(&x->frozen);
	sessions_close(x->folder);
}
