/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/names.h"

#include <string.h>

#include "base/digest.h"
#include "base/str.h"
#include "cli/words.h"
#include "image/reference.h"

int names_check(const char *text, struct err *e)
{
	SCOPE(reference) struct reference r = REFERENCE_INIT;
	struct err why = ERR_INIT;
	struct digest d;

	if (digest_parse(&d, text, strlen(text), &why) == 0)
		return 0;
	err_clear(&why);
	if (reference_parse(&r, text, e) == 0)
		return 0;
	return err_blame_usage(e);
}

/* What the table calls `name`, as it is on the command line. */
static int check_word(const struct invocation *in, const char *name, size_t len, const char *text,
		      struct err *e)
{
	static const char or_session[] = "SESSION|";
	const enum word_kind kind = word_meaning(in->command, name, len).kind;

	/* It may be a mountpoint as well: the command looks. */
	if (len > strlen(or_session) && memcmp(name, or_session, strlen(or_session)) == 0)
		return 0;
	return kind == WORD_IMAGE ? names_check(text, e) : 0;
}

static int check_values(const struct invocation *in, struct err *e)
{
	for (size_t i = 0; i < in->given_count; i++) {
		const struct given *g = &in->given[i];
		if (g->value &&
		    check_word(in, g->option->value, strlen(g->option->value), g->value, e) < 0)
			return err_wrap(e, "option '--%s'", g->option->name);
	}
	return 0;
}

/* Moves to the synopsis's word for the next argument, when the arguments are too few for all. */
static bool next_word(const struct invocation *in, const char **at, size_t *missing,
		      struct argument *a)
{
	while (argument_next(in->command, at, a)) {
		if (!a->is_optional || *missing == 0)
			return true;
		/* In front of others: it is the one that was left out. */
		--*missing;
	}
	return false;
}

int names_check_all(const struct invocation *in, struct err *e)
{
	const char *at = in->command->synopsis;
	struct argument a = {.name = NULL};
	size_t missing = 0;

	if (check_values(in, e) < 0)
		return -1;
	/* Those behind the last word that is needed are left out from the end. */
	for (size_t count = 1; argument_next(in->command, &at, &a); count++)
		missing = a.is_optional ? missing : count;
	missing = missing > in->arg_count ? missing - in->arg_count : 0;
	at = in->command->synopsis;
	a.is_repeated = false;
	/* The last one of the synopsis stands for all that follow. */
	for (size_t i = 0; i < in->arg_count; i++) {
		if (!a.is_repeated && !next_word(in, &at, &missing, &a))
			return 0;
		/* A path in the place of what was left out: no image is called so. */
		if (a.is_optional && in->args[i][0] == '/')
			continue;
		if (check_word(in, a.name, a.len, in->args[i], e) < 0)
			return -1;
	}
	return 0;
}
