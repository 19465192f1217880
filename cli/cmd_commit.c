/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"
#include "cli/committing.h"

static const struct option options[] = {
	OPTIONS_COMMITTING,
	OPTION_JSON,
	{'q', "quiet", NULL, "print nothing but the digest"},
	OPTION_END,
};

static int carry_out(const struct invocation *in, struct committing *c, struct progress_line *line,
		     struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(support_session) struct support_session x = SUPPORT_SESSION_INIT;

	if (committing_options(c, in, e) < 0 || support_store(in, STORE_WRITE, &s, e) < 0 ||
	    lease_open(s, in->command->name, &l, e) < 0 ||
	    support_session(in, 0, s, l, &line->progress, &x, e) < 0)
		return -1;
	const int r = committing_run(c, s, l, &x, line, e);
	progress_line_fini(line);
	if (r < 0)
		return -1;
	return invocation_has(in, "json") ? committing_print_json(c, e) : committing_print(c, e);
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(progress_line) struct progress_line line;
	SCOPE(committing) struct committing c;

	committing_init(&c);
	progress_line_init(&line, invocation_has(in, "quiet"));
	return carry_out(in, &c, &line, e);
}

static const struct word words[] = {
	{"TEXT", WORD_OTHER, NULL},    {"INSTRUCTION", WORD_OTHER, NULL},
	{"SECONDS", WORD_OTHER, NULL}, {"SESSION|MOUNTPOINT", WORD_SESSION, NULL},
	{NULL, WORD_FILE, NULL},
};

const struct command command_commit = {
	.name = "commit",
	.synopsis = "[OPTION]... SESSION|MOUNTPOINT",
	.summary = "Make an image of what an edit session changed",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.words = words,
	.run = run,
};
