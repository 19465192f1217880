/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"
#include "cli/support.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>

#include "base/log.h"
#include "base/quote.h"
#include "base/userns.h"

static const struct option options[] = {
	OPTION_END,
};

/* The store is the same inside, whatever the command takes for its home. */
static int pass_store(const struct invocation *in, struct err *e)
{
	const char *given = invocation_value(in, "store");
	struct err why = ERR_INIT;
	SCOPE_FREE char *path = store_find_path(given, &why);

	if (!path && (given || why.code != ERR_USAGE))
		return err_move(e, &why);
	/* None was chosen, and none is known: who needs one will be told. */
	err_clear(&why);
	if (path && setenv("SHALE_STORE", path, 1) < 0)
		return err_sys(e, errno, "cannot set SHALE_STORE");
	return 0;
}

/* Returns only when it fails: the exit status. */
static int execute(char *const *argv)
{
	struct err e = ERR_INIT;
	char q[QUOTE_MAX];

	/* What main() ignores would stay ignored. */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	execvp(argv[0], argv);
	const int sys = errno;
	err_sys(&e, sys, "cannot run '%s'", quote_str(q, argv[0]));
	log_err(&e);
	err_clear(&e);
	return sys == ENOENT ? COMMAND_NOT_FOUND : COMMAND_NOT_RUN;
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(str) struct str lack = STR_INIT;
	char fallback[] = "/bin/sh";
	char *shell = getenv("SHELL");
	char *const shell_argv[] = {shell && shell[0] ? shell : fallback, NULL};

	if (pass_store(in, e) < 0 || userns_enter(&lack, e) < 0)
		return -1;
	if (lack.len)
		log_warning("%s", str_text(&lack));
	return execute(in->arg_count ? in->args : shell_argv);
}

const struct command command_unshare = {
	.name = "unshare",
	.synopsis = "[OPTION]... [COMMAND] [ARG]...",
	.summary = "Run a command as root of a user namespace",
	.options = options,
	.min_args = 0,
	.max_args = SIZE_MAX,
	.runs_command = true,
	.run = run,
};
