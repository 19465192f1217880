/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session from its beginning to its end: made, mounted, changed by a command, unmounted,
 * committed, removed.  The mount is below a directory that nobody else can enter.  While it is
 * mounted the session's lock is the server's alone: `shale umount` inside waits until it is free.
 *
 * Signals wait until the mount is gone (cli/running.h).  One that comes during the commit ends
 * shale as ever, and leaves the session: what the command did was wanted.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/log.h"
#include "base/quote.h"
#include "cli/commands.h"
#include "cli/committing.h"
#include "cli/mounting.h"
#include "cli/running.h"
#include "fs/edit.h"

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

enum {
	UNMOUNT_TRIES = 200,
	UNMOUNT_PAUSE_MS = 10,
	SERVER_TRIES = 500, /* of UNMOUNT_PAUSE_MS: how long a server may take to see its end */
};

/* An edit under way. */
struct edit_work {
	const struct invocation *in;
	struct store *store;
	struct image base;
	struct session_folder *folder;
	char *name, *id;  /* of the session */
	char *dir, *root; /* private, and the mountpoint in it; NULL: not made */
	pid_t server;     /* the mount's supervisor; 0: no mount */
	bool is_server;   /* we are what serves, and the mount is over */
	struct running run;
};

static void edit_work_fini(struct edit_work *w)
{
	sessions_close(w->folder);
	image_fini(&w->base);
	store_close(w->store);
	free(w->name);
	free(w->id);
	free(w->dir);
	free(w->root);
}
SCOPE_DEFINE_VALUE(edit_work, struct edit_work, edit_work_fini)

static void pause_a_little(void)
{
	const struct timespec t = {0, UNMOUNT_PAUSE_MS * 1000000L};

	nanosleep(&t, NULL);
}

static int make_directory(struct edit_work *w, struct err *e)
{
	const char *parent = getenv("TMPDIR");
	char q[QUOTE_MAX];
	SCOPE_FREE char *dir =
		str_dupf(e, "%s/shale-edit-XXXXXX", parent && parent[0] ? parent : "/tmp");

	if (!dir)
		return -1;
	if (!mkdtemp(dir))
		return err_sys(e, errno, "cannot make a directory '%s' to mount at",
			       quote_str(q, dir));
	w->dir = realpath(dir, NULL);
	if (!w->dir) {
		err_sys(e, errno, "cannot find '%s'", quote_str(q, dir));
		rmdir(dir);
		return -1;
	}
	w->root = str_dupf(e, "%s/root", w->dir);
	if (!w->root)
		return -1;
	return mkdir(w->root, 0700) < 0 ? err_sys(e, errno, "cannot make '%s'", w->root) : 0;
}

static void remove_directory(struct edit_work *w)
{
	char q[QUOTE_MAX];

	if (!w->dir)
		return;
	if ((w->root && rmdir(w->root) < 0 && errno != ENOENT) || rmdir(w->dir) < 0)
		log_warning("cannot remove '%s': %s", quote_str(q, w->dir), strerror(errno));
}

static bool has_ended(struct edit_work *w)
{
	const pid_t pid = waitpid(w->server, NULL, WNOHANG);

	return pid == w->server || (pid < 0 && errno == ECHILD);
}

/* The mount ends by itself after it was unmounted, unless something else still holds it: another
 * mount namespace, for one. */
static void end_server(struct edit_work *w, bool is_unmounted)
{
	for (int i = 0; is_unmounted && i < SERVER_TRIES; i++) {
		if (has_ended(w))
			return;
		pause_a_little();
	}
	kill(w->server, SIGTERM);
	for (int i = 0; i < SERVER_TRIES; i++) {
		if (has_ended(w))
			return;
		pause_a_little();
	}
	/* Who ignores SIGTERM has left that to it. */
	kill(w->server, SIGKILL);
	while (waitpid(w->server, NULL, 0) < 0 && errno == EINTR)
		continue;
}

/* With what the command left running there, if it has to be.  When this returns nobody has the
 * session open but this process. */
static void end_mount(struct edit_work *w)
{
	struct err why = ERR_INIT;
	int r = -1;

	if (!w->server)
		return;
	for (int i = 0; r < 0 && i < UNMOUNT_TRIES; i++) {
		if (i > 0)
			pause_a_little();
		err_clear(&why);
		r = mount_end(w->root, false, &why);
		if (r < 0 && why.code != ERR_BUSY)
			break;
		/* Whoever ends us will not wait for that. */
		if (w->run.end_signal)
			break;
	}
	if (r < 0 && why.code == ERR_BUSY && !w->run.end_signal)
		log_warning("what COMMAND has left running still used the mount, and has lost it");
	err_clear(&why);
	end_server(w, r == 0);
	w->server = 0;
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
	    make_directory(w, e) < 0 || mounting_init(&m, w->in, w->root, e) < 0 ||
	    make_session(w, c, e) < 0)
		return -1;
	m.opt.supervisor = &w->server;
	const int r = mounting_edit(&m, w->store, &w->base, w->folder, e);
	w->is_server = getpid() != m.owner;
	if (r == 0)
		sessions_close(steal_ptr(&w->folder));
	return r;
}

static int set_variables(const struct edit_work *w, struct err *e)
{
	SCOPE_FREE char *store = store_find_path(invocation_value(w->in, "store"), e);

	if (!store)
		return -1;
	if (setenv("SHALE_STORE", store, 1) < 0 || setenv("SHALE_MOUNT", w->root, 1) < 0 ||
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
	w->run.dir = w->root;
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
	if (w.is_server)
		return status;
	if (status == 0)
		status = run_command(&w, e);
	end_mount(&w);
	remove_directory(&w);
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
