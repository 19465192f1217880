/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions that change a config, as a build file has them: they are put behind a FROM, and the
 * plan of that file says what the config is.  WORKDIR makes no directory here, as with docker.
 */
#include <string.h>

#include "base/array.h"
#include "base/quote.h"
#include "base/str.h"
#include "manifests/buildfile.h"
#include "manifests/plan.h"
#include "packer/build_config.h"
#include "packer/commit.h"

static const char option_name[] = "option '--change'";

/* All that build files can say of the config, and this version knows. */
static const char *const allowed[] = {
	"CMD",   "ENTRYPOINT", "ENV",  "EXPOSE", "HEALTHCHECK", "LABEL",
	"SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
};

static bool is_allowed(const struct instruction *i)
{
	for (size_t at = 0; i->info && at < ARRAY_LEN(allowed); at++) {
		if (strcmp(i->info->name, allowed[at]) == 0)
			return true;
	}
	return false;
}

/* Each is one instruction, and an allowed one. */
static int check_one(const char *text, struct err *e)
{
	SCOPE(source) struct source source = SOURCE_INIT;
	SCOPE(findings) struct findings f = FINDINGS_INIT(&source);
	SCOPE(str) struct str file = STR_INIT;
	char q[QUOTE_MAX];

	if (str_appendf(&file, e, "%s\n", text) < 0)
		return -1;
	const bool is_one_line = !strchr(text, '\n') && !str_has_suffix(text, "\\");
	if (source_init(&source, "--change", file.data, file.len, e) < 0)
		return -1;
	SCOPE(buildfile) struct buildfile *b = buildfile_parse(&source, &f, e);
	if (!b)
		return -1;
	if (is_one_line && b->count == 1 && is_allowed(b->instructions[0]))
		return 0;
	return err_set(e, ERR_USAGE,
		       "%s: '%s' is not one instruction that changes the configuration, as 'ENV "
		       "NAME=value' (see shale-commit(1))",
		       option_name, quote_str(q, text));
}

static int make_file(const struct strlist *changes, struct source *out, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	if (str_append_z(&text, "FROM scratch\n", e) < 0)
		return -1;
	for (size_t i = 0; i < changes->count; i++) {
		if (check_one(changes->items[i], e) < 0 ||
		    str_appendf(&text, e, "%s\n", changes->items[i]) < 0)
			return -1;
	}
	return source_init(out, "--change", text.data, text.len, e);
}

static int carry_out(struct image_config *c, const struct buildfile *b, struct findings *f,
		     struct err *e)
{
	SCOPE(plan_config) struct plan_config parent;
	SCOPE(strmap) struct strmap no_args = STRMAP_INIT;
	SCOPE(strlist) struct strlist triggers = STRLIST_INIT;
	const struct plan_platform p = {c->platform.os, c->platform.architecture,
					c->platform.variant};
	const struct plan_inputs in = {.build_args = &no_args, .target = p, .build = p};

	plan_config_init(&parent);
	SCOPE(plan) struct plan *plan = plan_new(b, &in, f, e);
	if (!plan || strlist_copy(&triggers, &c->onbuild, e) < 0 ||
	    build_config_from_image(&parent, c, e) < 0)
		return -1;
	/* Triggers are for builds on the image, and stay. */
	strlist_clear(&parent.onbuild);
	if (plan_stage(plan, &parent, e) < 0 || findings_raise(f, e) < 0 ||
	    build_config_to_image(c, &plan->config, e) < 0 ||
	    strlist_copy(&c->onbuild, &triggers, e) < 0)
		return -1;
	return 0;
}

int commit_change(struct image_config *c, const struct strlist *changes, struct err *e)
{
	SCOPE(source) struct source source = SOURCE_INIT;
	SCOPE(findings) struct findings f = FINDINGS_INIT(&source);

	if (changes->count == 0)
		return 0;
	if (make_file(changes, &source, e) < 0)
		return -1;
	SCOPE(buildfile) struct buildfile *b = buildfile_parse(&source, &f, e);
	if (!b)
		return -1;
	return carry_out(c, b, &f, e) < 0 ? err_wrap(e, "%s", option_name) : 0;
}
