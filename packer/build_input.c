/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/build_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "base/quote.h"

#define IGNORE_FILE ".dockerignore"

static const char *const default_names[] = {"Shalefile", "Containerfile", "Dockerfile"};

static int read_default(const struct context *c, struct source *out, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(default_names); i++) {
		SCOPE(str) struct str text = STR_INIT;
		const int found = context_read(c, default_names[i], LIMIT_MANIFEST, &text, e);
		if (found < 0)
			return -1;
		if (found)
			return source_init(out, default_names[i], str_text(&text), text.len, e);
	}
	return err_set(
		e, ERR_NOT_FOUND,
		"no Shalefile, Containerfile or Dockerfile in the context (give one with --file)");
}

int build_input_source(const struct build_options *opt, const struct context *c, struct source *out,
		       struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	if (!opt->file)
		return read_default(c, out, e);
	if (strcmp(opt->file, "-") == 0) {
		if (io_slurp(STDIN_FILENO, LIMIT_MANIFEST, "standard input", &text, e) < 0)
			return -1;
		return source_init(out, "<stdin>", str_text(&text), text.len, e);
	}
	if (io_slurp_path(opt->file, LIMIT_MANIFEST, &text, e) < 0)
		return -1;
	return source_init(out, opt->file, str_text(&text), text.len, e);
}

char *build_input_path(const struct build_options *opt, const struct source *manifest,
		       struct err *e)
{
	if (!opt->file)
		return str_dup(manifest->name, e);
	SCOPE_FREE char *context = realpath(opt->context, NULL);
	SCOPE_FREE char *file = strcmp(opt->file, "-") == 0 ? NULL : realpath(opt->file, NULL);
	if (!context || !file)
		return str_dup("", e);
	/* Of the root of all, the slash is its name. */
	const size_t len = strcmp(context, "/") == 0 ? 0 : strlen(context);
	const bool is_inside = strncmp(file, context, len) == 0 && file[len] == '/';
	return str_dup(is_inside ? file + len + 1 : "", e);
}

int build_input_fragment(void *context, const char *path, struct str *out, struct err *e)
{
	return context_read(context, path, LIMIT_MANIFEST, out, e);
}

/* FILE.dockerignore: 1 read, 0 not there, -1. */
static int read_own(const struct build_options *opt, const struct context *c,
		    const struct source *manifest, char **name, struct str *out, struct err *e)
{
	if (opt->file && strcmp(opt->file, "-") == 0)
		return 0;
	*name = str_dupf(e, "%s" IGNORE_FILE, manifest->name);
	if (!*name)
		return -1;
	if (!opt->file)
		return context_read(c, *name, LIMIT_IGNORE_FILE, out, e);
	/* Only what is not there is passed over: rules that cannot be read would hide nothing. */
	if (faccessat(AT_FDCWD, *name, F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		char q[QUOTE_MAX];
		return errno == ENOENT ? 0
				       : err_sys(e, errno, "cannot open '%s'", quote_str(q, *name));
	}
	return io_slurp_path(*name, LIMIT_IGNORE_FILE, out, e) < 0 ? -1 : 1;
}

int build_input_ignore(const struct build_options *opt, struct context *c,
		       const struct source *manifest, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE_FREE char *name = NULL;

	const int own = read_own(opt, c, manifest, &name, &text, e);
	if (own < 0)
		return -1;
	if (own == 0) {
		const int found = context_read(c, IGNORE_FILE, LIMIT_IGNORE_FILE, &text, e);
		if (found <= 0)
			return found;
	}
	struct ignore *rules = ignore_parse(own ? name : IGNORE_FILE, str_text(&text), text.len, e);
	if (!rules)
		return -1;
	context_set_ignore(c, rules);
	return 0;
}
