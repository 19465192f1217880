/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keys.h"

#include <limits.h>

#include "base/quote.h"

int keys_passphrase_source(const struct invocation *in, struct passphrase_source *out,
			   struct err *e)
{
	const char *path = invocation_value(in, "passphrase-file");
	const char *fd = invocation_value(in, "passphrase-fd");
	uint64_t number;
	char q[QUOTE_MAX];

	*out = (struct passphrase_source){.kind = PASSPHRASE_DEFAULT};
	if (path && fd)
		return err_set(
			e, ERR_USAGE,
			"options '--passphrase-file' and '--passphrase-fd' exclude each other");
	if (path)
		*out = (struct passphrase_source){.kind = PASSPHRASE_FILE, .path = path};
	if (!fd)
		return 0;
	if (str_to_u64(fd, strlen(fd), 10, INT_MAX, &number) < 0)
		return err_set(e, ERR_USAGE, "option '--passphrase-fd': '%s' is not a descriptor",
			       quote_str(q, fd));
	*out = (struct passphrase_source){.kind = PASSPHRASE_FD, .fd = (int)number};
	return 0;
}
