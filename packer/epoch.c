/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/epoch.h"

#include "base/quote.h"
#include "base/str.h"

static const char variable[] = "SOURCE_DATE_EPOCH";

int epoch_find(int64_t *out, struct err *e)
{
	const char *text = getenv(variable);
	char quoted[QUOTE_MAX];
	uint64_t seconds;

	if (!text)
		return 0;
	/* Empty counts as a number that is wrong: a script that lost the value should hear of
	 * it. */
	if (str_to_u64(text, strlen(text), 10, EPOCH_MAX, &seconds) < 0)
		return err_set(e, ERR_USAGE, "%s: '%s' is not a number of seconds", variable,
			       quote_str(quoted, text));
	*out = (int64_t)seconds;
	return 1;
}

int epoch_get(int64_t *out, struct err *e)
{
	const int found = epoch_find(out, e);

	if (found == 0)
		*out = EPOCH_DEFAULT;
	return found < 0 ? -1 : 0;
}
