/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "base/quote.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session_export.h"
#include "cli/support.h"
#include "store/sessions.h"

static const struct option options[] = {
	{'f', "force", NULL, "rm: a session that is not there is no error"},
	{'q', "quiet", NULL, "export: no progress"},
	OPTION_END,
};

static const struct word words[] = {
	{"SESSION|FILE", WORD_SESSION, NULL},
	{NULL, WORD_FILE, NULL},
};

static int remove_one(const struct store *s, const char *text, bool is_forced, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (sessions_remove(s, text, e) == 0)
		return outputf(e, "removed %s\n", quote_str(quoted, text));
	if (!is_forced || e->code != ERR_NOT_FOUND)
		return -1;
	err_clear(e);
	return 0;
}

static int remove_all(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;

	if (support_store(in, STORE_WRITE, &s, e) < 0)
		return -1;
	for (size_t i = 1; i < in->arg_count; i++) {
		if (remove_one(s, in->args[i], invocation_has(in, "force"), e) < 0)
			return -1;
	}
	return 0;
}

static int export_one(const struct invocation *in, struct err *e)
{
	if (invocation_has(in, "force"))
		return err_set(e, ERR_USAGE, "option '--force' goes with 'rm'");
	if (in->arg_count != 3)
		return err_set(e, ERR_USAGE,
			       "export: one session and one file are needed: shale session export "
			       "SESSION FILE ('-' for standard output)");
	return session_export_run(in, e);
}

static int run(const struct invocation *in, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (str_equal(in->args[0], "rm"))
		return remove_all(in, e);
	if (str_equal(in->args[0], "export"))
		return export_one(in, e);
	return err_set(e, ERR_USAGE, "'%s' is nothing that can be done to a session: rm, export",
		       quote_str(quoted, in->args[0]));
}

const struct command command_session = {
	.name = "session",
	.synopsis = "[OPTION]... rm|export SESSION [SESSION|FILE]...",
	.summary = "Remove edit sessions, or get the files out of one",
	.options = options,
	.min_args = 2,
	.max_args = SIZE_MAX,
	.words = words,
	.run = run,
};
