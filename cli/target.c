/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/outfile.h"
#include "base/quote.h"

enum { FLAGS = OUTFILE_FOLLOW | OUTFILE_TERMINAL };

int target_check(const char *option, const char *path, struct err *e)
{
	return outfile_check(path, FLAGS, e) < 0 ? err_wrap(e, "option '--%s'", option) : 0;
}

/* Where a path leads, links followed; its last component need not be there. */
static char *settle(const char *path, struct err *e)
{
	char *whole = realpath(path, NULL);
	char q[QUOTE_MAX];

	if (whole)
		return whole;
	const char *slash = strrchr(path, '/');
	SCOPE_FREE char *dir =
		slash ? str_dup_n(path, (size_t)(slash - path) + 1, e) : str_dup(".", e);
	if (!dir)
		return NULL;
	SCOPE_FREE char *real = realpath(dir, NULL);
	if (!real) {
		err_sys(e, errno, "cannot find '%s'", quote_str(q, dir));
		return NULL;
	}
	return str_dupf(e, "%s/%s", real, slash ? slash + 1 : path);
}

int target_check_distinct(const char *option, const char *path, const char *other_option,
			  const char *other_path, struct err *e)
{
	SCOPE_FREE char *one = settle(path, e);
	if (!one)
		return err_wrap(e, "option '--%s'", option);
	SCOPE_FREE char *other = settle(other_path, e);
	if (!other)
		return err_wrap(e, "option '--%s'", other_option);
	struct stat st;
	char q[QUOTE_MAX];

	if (strcmp(one, other) != 0 || (stat(one, &st) == 0 && !S_ISREG(st.st_mode)))
		return 0;
	return err_set(e, ERR_USAGE, "options '--%s' and '--%s' both write '%s': give two files",
		       option, other_option, quote_str(q, other_path));
}

int target_write(const char *option, const char *path, const struct str *text, struct err *e)
{
	SCOPE(outfile) struct outfile f = OUTFILE_INIT;

	if (outfile_open(&f, path, FLAGS, e) < 0 ||
	    outfile_write(&f, text->data, text->len, e) < 0 || outfile_commit(&f, e) < 0)
		return err_wrap(e, "option '--%s'", option);
	return 0;
}
