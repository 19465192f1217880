/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>

#include "base/log.h"
#include "base/quote.h"
#include "cli/command.h"
#include "cli/names.h"
#include "cli/output.h"

static int print_text(const struct str *text, struct err *e)
{
	return output_write(text->data, text->len, e);
}

/* Who asks for the status is to see that it is not that of the command which was to run. */
static int end_runner(struct err *e)
{
	log_err(e);
	err_clear(e);
	return COMMAND_OWN_FAILURE;
}

/* `shale ls IMAGE | head` ends as other tools end it. */
static bool is_broken_pipe(const struct err *e)
{
	return e->code == ERR_SYS && e->sys == EPIPE;
}

static int run_command(const struct command *command, int argc, char **argv, struct err *e)
{
	struct invocation in;

	if (invocation_parse(&in, command, argc, argv, e) < 0)
		return command->runs_command ? end_runner(e) : -1;
	int r;
	if (invocation_has(&in, "help")) {
		SCOPE(str) struct str text = STR_INIT;
		r = command_help(command, &text, e);
		if (r == 0)
			r = print_text(&text, e);
	} else {
		r = names_check_all(&in, e) < 0 ? -1 : command->run(&in, e);
	}
	invocation_fini(&in);
	if (r >= 0 && command->runs_command && output_finish(e) < 0)
		r = -1;
	return r < 0 && command->runs_command && !is_broken_pipe(e) ? end_runner(e) : r;
}

static int run_top(int argc, char **argv, struct err *e)
{
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		SCOPE(str) struct str text = STR_INIT;
		if (argc > 2 && command_find(argv[2]))
			return command_help(command_find(argv[2]), &text, e) < 0
				       ? -1
				       : print_text(&text, e);
		if (commands_help(&text, e) < 0 || print_text(&text, e) < 0)
			return -1;
		return argc < 2 ? err_set(e, ERR_USAGE, "no command given") : 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		static const char version[] = "shale " SHALE_VERSION "\n";
		return output_write(version, sizeof(version) - 1, e);
	}
	const struct command *command = command_find(argv[1]);
	if (command)
		return run_command(command, argc - 2, argv + 2, e);

	char q[QUOTE_MAX];
	if (argv[1][0] == '-')
		return err_set(e, ERR_USAGE,
			       "unknown option '%s': options follow the command (see shale --help)",
			       quote_str(q, argv[1]));
	const char *near = command_suggest(argv[1]);
	if (near)
		return err_set(e, ERR_USAGE, "unknown command '%s' (did you mean '%s'?)",
			       quote_str(q, argv[1]), near);
	return err_set(e, ERR_USAGE, "unknown command '%s' (see shale --help)",
		       quote_str(q, argv[1]));
}

/* A closed standard stream would be the number of the next file that is opened, and what is printed
 * would land in it.  The place is kept, by something that fails as a closed one does. */
static void keep_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;

	keep_standard_streams();
	/* A reader that went away, or a file over RLIMIT_FSIZE, is an error of write(2), not a
	 * death without a message. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (sodium_init() < 0) {
		log_error("libsodium cannot be initialised");
		return EXIT_FAILURE;
	}
	const int r = run_top(argc, argv, &e);
	/* Of an own failure it was told. */
	if (r == COMMAND_OWN_FAILURE || (r >= 0 && output_finish(&e) == 0))
		return r;
	if (is_broken_pipe(&e)) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	log_err(&e);
	const int status = err_exit_status(&e);
	err_clear(&e);
	return status;
}
