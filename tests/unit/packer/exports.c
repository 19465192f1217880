/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/exports.h"

#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "tests/support/failalloc.h"

int exports_run(const char *image, const char *form, const char *path,
		const struct export_options *opt, struct export_result *out, struct err *e)
{
	SCOPE(export_dest) struct export_dest dest = EXPORT_DEST_INIT;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE_FREE char *text = str_dupf(e, "%s:%s", form, scratch_file(path));

	if (!text || export_dest_parse(&dest, text, e) < 0 ||
	    lease_open(fixture_store(), "test", &l, e) < 0)
		return -1;
	return export_run(fixture_store(), l, image, &dest, opt, out, e);
}

void exports_well(const char *image, const char *form, const char *path,
		  const struct export_options *opt, struct export_result *out)
{
	struct err e = ERR_INIT;

	exports_run(image, form, path, opt, out, &e);
	ck_assert_no_err(&e);
}

void exports_slurp(const char *name, struct str *out)
{
	struct err e = ERR_INIT;

	io_slurp_path(scratch_file(name), LIMIT_DOCUMENT, out, &e);
	ck_assert_no_err(&e);
}

struct once {
	const struct store *store;
	const char *dest, *path;
	const struct export_options *opt;
	bool left_something;
};

/* Nothing of Check here: it takes memory, too. */
static int export_once(void *arg, struct err *e)
{
	struct once *o = arg;
	SCOPE(export_dest) struct export_dest dest = EXPORT_DEST_INIT;
	SCOPE(export_result) struct export_result r = {.bytes = 0};
	SCOPE(lease) struct lease *l = NULL;
	const bool was_there = access(o->path, F_OK) == 0;

	const int got = export_dest_parse(&dest, o->dest, e) < 0 ||
					lease_open(o->store, "test", &l, e) < 0 ||
					export_run(o->store, l, "app:1", &dest, o->opt, &r, e) < 0
				? -1
				: 0;
	o->left_something |= got < 0 && !was_there && access(o->path, F_OK) == 0;
	return got;
}

void exports_without_memory(const char *form, const struct export_options *opt)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *path = str_dup(scratch_file("out"), &e);
	SCOPE_FREE char *dest = str_dupf(&e, "%s:%s", form, path);
	const int before = scratch_count();
	struct once o = {fixture_store(), dest, path, opt, false};

	failalloc_each(export_once, &o);
	ck_assert(!o.left_something);
	ck_assert_int_eq(scratch_count(), before + 1);
}
