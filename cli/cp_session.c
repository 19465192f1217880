/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount of our own is detached as soon as it is there: nobody else gets at it, and when this
 * process ends, however that comes about, the mount ends with it and leaves nothing.
 *
 * Signals are blocked while the server is forked, which wants them as they are by default, and from
 * then on noted (base/interrupt.h): the copy stops between two pieces, and what was mounted ends.
 */
#include "cli/cp_session.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "base/interrupt.h"
#include "base/quote.h"
#include "cli/mounting.h"
#include "cli/output.h"
#include "cli/private_mount.h"
#include "cli/support.h"
#include "fs/copy_in.h"
#include "fs/device.h"
#include "fs/edit.h"

/* A copy under way. */
struct work {
	const struct invocation *in;
	struct store *store;
	struct image base;
	struct session_folder *folder;
	struct private_mount mount; /* unless the session was mounted */
	int root;                   /* of the mounted session; -1 */
};

static void work_fini(struct work *w)
{
	scope_close(&w->root);
	sessions_close(w->folder);
	image_fini(&w->base);
	store_close(w->store);
	private_mount_fini(&w->mount);
}
SCOPE_DEFINE_VALUE(work, struct work, work_fini)

int cp_session_parse(const char *text, char **name, const char **path, struct err *e)
{
	const char *at = strstr(text, ":/");
	struct err why = ERR_INIT;

	if (!at)
		return 0;
	SCOPE_FREE char *copy = str_dup_n(text, (size_t)(at - text), e);
	if (!copy)
		return -1;
	if (sessions_check_name(copy, &why) < 0) {
		err_clear(&why);
		return 0;
	}
	*name = steal_ptr(&copy);
	*path = at + 1;
	return 1;
}

/* The lease must be closed before the server is forked, where it would be closed once more; until
 * then, and from then on, the session keeps the image. */
static int load_base(struct work *w, struct err *e)
{
	SCOPE(lease) struct lease *l = NULL;

	return lease_open(w->store, w->in->command->name, &l, e) < 0
		       ? -1
		       : mounting_load_base(w->store, l, w->folder, &w->base, e);
}

static int mount_privately(struct work *w, struct err *e)
{
	SCOPE(mounting) struct mounting m = MOUNTING_INIT;

	if (private_mount_make(&w->mount, w->in->command->name, e) < 0 ||
	    mounting_init(&m, w->in, w->mount.root, e) < 0 || load_base(w, e) < 0)
		return -1;
	m.resumed = sessions_name(w->folder);
	m.use = "copying files into it";
	const int r = private_mount_run(&w->mount, &m, w->store, &w->base, w->folder, e);
	if (r < 0 || w->mount.is_server)
		return r;
	sessions_close(steal_ptr(&w->folder));
	w->root = private_mount_detach(&w->mount, e);
	return w->root < 0 ? -1 : 0;
}

/* Somebody has the session, because of which `busy`: a mount that can be seen from here, or nothing
 * that can be copied into. */
static int find_mount(struct work *w, const char *name, const struct err *busy, struct err *e)
{
	struct err why = ERR_INIT;

	if (sessions_open(w->store, name, SESSIONS_READ, &w->folder, e) < 0)
		return -1;
	SCOPE_FREE char *source = edit_source(w->folder, e);
	if (!source)
		return -1;
	w->root = device_open_root(source, 0, &why);
	if (w->root >= 0)
		return 0;
	if (why.code != ERR_NOT_FOUND)
		return err_move(e, &why);
	err_set(e, ERR_BUSY, "%s; %s: copy where it is mounted, or unmount it first", busy->msg,
		why.msg);
	err_clear(&why);
	return -1;
}

static int begin(struct work *w, const char *name, struct err *e)
{
	struct err why = ERR_INIT;

	if (mounting_check_editor(e) < 0 || support_store(w->in, STORE_WRITE, &w->store, e) < 0)
		return -1;
	if (sessions_open(w->store, name, SESSIONS_LOCK, &w->folder, &why) == 0)
		return mount_privately(w, e);
	if (why.code != ERR_BUSY)
		return err_move(e, &why);
	const int r = find_mount(w, name, &why, e);
	err_clear(&why);
	return r;
}

/* A directory that is copied into itself would have no end.  What is mounted below one that is
 * copied is left out anyway. */
static int check_apart(const struct work *w, const char *source, struct err *e)
{
	struct stat from, root;
	char q[QUOTE_MAX];

	if (fstat(w->root, &root) < 0)
		return err_sys(e, errno, "cannot stat the root of the session");
	/* What cannot be looked at is told of when it is copied. */
	if (lstat(source, &from) < 0 || !S_ISDIR(from.st_mode) || from.st_dev != root.st_dev)
		return 0;
	return err_set(e, ERR_USAGE,
		       "'%s' is a directory of the session itself (cp -a copies it where the "
		       "session is mounted)",
		       quote_str(q, source));
}

static int copy(const struct work *w, const char *source, const char *path, struct err *e)
{
	SCOPE(progress_line) struct progress_line line;
	const struct copy_options opt = {
		.is_archive = invocation_has(w->in, "archive"),
		.progress = &line.progress,
	};

	progress_line_init(&line, invocation_has(w->in, "quiet"));
	if (check_apart(w, source, e) < 0 || copy_in(source, w->root, path, &opt, e) < 0)
		return -1;
	/* Of a mount that goes with us nobody else would ask whether all could be kept. */
	if (w->mount.server && fsync(w->root) < 0)
		return err_sys(e, errno, "cannot bring the session to the disk");
	return 0;
}

static void block_signals(sigset_t *before)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, before);
}

int cp_session(const struct invocation *in, const char *source, const char *name, const char *path,
	       struct err *e)
{
	SCOPE(work) struct work w = {.in = in, .base = IMAGE_INIT, .root = -1};
	char q[QUOTE_MAX];
	sigset_t before;

	if (invocation_has(in, "platform"))
		return err_set(e, ERR_USAGE,
			       "option '--platform' is for images: the session '%s' has one",
			       quote_str(q, name));
	block_signals(&before);
	int r = begin(&w, name, e);
	if (w.mount.is_server)
		return r;
	interrupt_hold();
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (r == 0)
		r = copy(&w, source, path, e);
	scope_close(&w.root);
	w.root = -1;
	private_mount_end(&w.mount, false);
	interrupt_release();
	return r;
}
