/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session from its beginning to its end: made, mounted, changed by a command, unmounted,
 * committed, removed.  While it is mounted the session's lock is the server's alone: `shale umount`
 * inside waits until it is free.
 *
 * Signals wait until the mount is gone (cli/running.h).  One that comes during the commit ends
 * shale as ever, and leaves the session: what the command did was wanted.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/quote.h"
#include "cli/commands.h"
#include "cli/committing.h"
#include "cli/mounting.h"
#include "cli/private_mount.h"
#include "cli/running.h"

static const struct option options[] = {
	OPTIONS_COMMITTING,
	{0, "chroot", NULL, "run COMMAND in the image, as root of it"},
	{0, "session", "SESSION", "the session's name, for as long as it lasts"},
	{0, "keep", NULL, "keep the session when COMMAND fails"},
	{0, "key", "FILE", "edit only what this public key has signed"},
	{0, "identity", "NAME", "with --key: the name that was signed (default: IMAGE)"},
	OPTION_PLATFORM,
	{'q', "quiet", NULL, "print nothing but the digest"},
	OPTION_END,
};

static const struct word words[] = {
	{"TEXT", WORD_OTHER, NULL},    {"INSTRUCTION", WORD_OTHER, NULL},
	{"SECONDS", WORD_OTHER, NULL}, {"SESSION", WORD_OTHER, NULL},
	{NULL, WORD_FILE, NULL},
};

/* An edit under way. */
struct edit_work {
	const struct invocation *in;
	struct store *store;
	struct image base;
	struct session_folder *folder;
	char *name, *id; /* of the session */
	struct private_mount mount;
	struct running run;
};

static void edit_work_fini(struct edit_work *w)
{
	sessions_close(w->folder);
	image_fini(&w->base);
	store_close(w->store);
	free(w->name);
	free(w->id);
	private_mount_fini(&w->mount);
}
SCOPE_DEFINE_VALUE(edit_work, struct edit_work, edit_work_fini)

/* With what the command left running there, if it has to be. */
static void end_mount(struct edit_work *w)
{
	if (private_mount_end(&w->mount, w->run.end_signal != 0))
		log_warning("what COMMAND has left running still used the mount, and has lost it");
}

/* With a lease of its own, which must be closed before the server is forked: there it would be
 * closed once more, when the mount is over, and take away what the commit leases.  Until then the
 * session keeps the image. */
static int make_session(struct edit_work *w, const struct committing *c, struct err *e)
{
	SCOPE(lease) struct lease *l = NULL;

	if (lease_open(w->store, w->in->command->name, &l, e) < 0 ||
	    mounting_new_session(w->in, w->store, l, &w->base, &w->folder, e) < 0)
		return -1;
	w->id = str_dup(sessions_id(w->folder), e);
	w->name = w->id ? str_dup(sessions_name(w->folder), e) : NULL;
	return w->name ? committing_check(c, w->store, &w->base, e) : -1;
}

static int begin(struct edit_work *w, const struct committing *c, struct err *e)
{
	SCOPE(mounting) struct mounting m = MOUNTING_INIT;

	if (mounting_check_editor(e) < 0 || support_store(w->in, STORE_WRITE, &w->store, e) < 0 ||
	    private_mount_make(&w->mount, w->in->command->name, e) < 0 ||
	    mounting_init(&m, w->in, w->mount.root, e) < 0 || make_session(w, c, e) < 0)
		return -1;
	const int r = private_mount_run(&w->mount, &m, w->store, &w->base, w->folder, e);
	if (r == 0)
		sessions_close(steal_ptr(&w->folder));
	return r;
}

static int set_variables(const struct edit_work *w, struct err *e)
{
	SCOPE_FREE char *store = store_find_path(invocation_value(w->in, "store"), e);

	if (!store)
		return -1;
	if (setenv("SHALE_STORE", store, 1) < 0 || setenv("SHALE_MOUNT", w->mount.root, 1) < 0 ||
	    setenv("SHALE_SESSION", w->name, 1) < 0)
		return err_sys(e, errno, "cannot set variables for the command");
	return 0;
}

static int run_command(struct edit_work *w, struct err *e)
{
	const bool is_inside = invocation_has(w->in, "chroot");
	char fallback[] = "/bin/sh";
	char *shell = is_inside ? NULL : getenv("SHELL");
	char *const shell_argv[] = {shell && shell[0] ? shell : fallback, NULL};

	if (set_variables(w, e) < 0)
		return -1;
	w->run.argv = w->in->arg_count > 1 ? w->in->args + 1 : shell_argv;
	w->run.dir = w->mount.root;
	w->run.config = is_inside ? &w->base.config : NULL;
	return running_run(&w->run, e);
}

static void tell_kept(const struct edit_work *w)
{
	log_warning("session '%s' is kept: go on with 'shale mount --edit --session %s MOUNTPOINT' "
		    "or 'shale commit %s', or 'shale session rm %s'",
		    w->name, w->name, w->name, w->name);
}

/* Of a shell that somebody has worked in, the status is that of the last line that he typed, and
 * says nothing of the rest. */
static bool is_to_be_kept(const struct edit_work *w)
{
	return w->run.has_run && (invocation_has(w->in, "keep") || w->in->arg_count < 2);
}

/* One that COMMAND has removed is none to keep. */
static void end_session(struct edit_work *w, bool is_kept)
{
	struct err why = ERR_INIT;

	/* Of a mount that did not come to be, it is open still. */
	sessions_close(steal_ptr(&w->folder));
	if (!w->id)
		return;
	if (is_kept) {
		tell_kept(w);
	} else if (sessions_remove(w->store, w->id, &why) < 0) {
		if (why.code != ERR_NOT_FOUND)
			log_warning("cannot remove the session '%s': %s", w->name, why.msg);
		err_clear(&why);
	}
}

/* By its id: COMMAND may have removed it, and made another of that name. */
static int open_again(struct edit_work *w, struct err *e)
{
	char q[QUOTE_MAX];

	if (sessions_open_exact(w->store, w->id, &w->folder, e) == 0)
		return 0;
	if (e->code != ERR_NOT_FOUND)
		return -1;
	err_clear(e);
	return err_set(e, ERR_NOT_FOUND,
		       "nothing is committed: the session '%s' was removed while COMMAND ran",
		       quote_str(q, w->name));
}

static int commit_session(struct edit_work *w, struct committing *c, struct progress_line *line,
			  struct err *e)
{
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(support_session) struct support_session x = SUPPORT_SESSION_INIT;

	if (lease_open(w->store, w->in->command->name, &l, e) < 0 || open_again(w, e) < 0 ||
	    support_session_take(w->in, steal_ptr(&w->folder), w->store, l, &line->progress, &x,
				 e) < 0)
		return -1;
	return committing_run(c, w->store, l, &x, line, e);
}

static int commit(struct edit_work *w, struct committing *c, struct err *e)
{
	SCOPE(progress_line) struct progress_line line;

	progress_line_init(&line, c->is_quiet);
	const int r = commit_session(w, c, &line, e);
	progress_line_fini(&line);
	if (r == 0)
		end_session(w, false);
	else if (e->code != ERR_NOT_FOUND)
		tell_kept(w);
	return r;
}

static int finish(struct edit_work *w, struct committing *c, int status, struct err *e)
{
	if (status != 0) {
		end_session(w, is_to_be_kept(w));
		return status;
	}
	return commit(w, c, e) < 0 ? -1 : committing_print(c, e);
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(committing) struct committing c;
	SCOPE(edit_work) struct edit_work w = {.in = in, .base = IMAGE_INIT};

	committing_init(&c);
	if (committing_options(&c, in, e) < 0)
		return -1;
	running_hold(&w.run);
	int status = begin(&w, &c, e);
	if (w.mount.is_server)
		return status;
	if (status == 0)
		status = run_command(&w, e);
	end_mount(&w);
	if (w.run.end_signal || status < 0)
		end_session(&w, is_to_be_kept(&w));
	running_release(&w.run);
	return status < 0 ? -1 : finish(&w, &c, status, e);
}

const struct command command_edit = {
	.name = "edit",
	.synopsis = "[OPTION]... IMAGE [COMMAND] [ARG]...",
	.summary = "Change an image by a command, and commit what it did",
	.options = options,
	.words = words,
	.min_args = 1,
	.max_args = SIZE_MAX,
	.runs_command = true,
	.own_args = 1,
	.run = run,
};
