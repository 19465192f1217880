/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/target.h"

#include "base/outfile.h"

enum { FLAGS = OUTFILE_FOLLOW | OUTFILE_TERMINAL };

int target_check(const char *option, const char *path, struct err *e)
{
	return outfile_check(path, FLAGS, e) < 0 ? err_wrap(e, "option '--%s'", option) : 0;
}

int target_write(const char *option, const char *path, const struct str *text, struct err *e)
{
	SCOPE(outfile) struct outfile f = OUTFILE_INIT;

	if (outfile_open(&f, path, FLAGS, e) < 0 ||
	    outfile_write(&f, text->data, text->len, e) < 0 || outfile_commit(&f, e) < 0)
		return err_wrap(e, "option '--%s'", option);
	return 0;
}
