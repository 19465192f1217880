/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/quote.h"
#include "base/str.h"
#include "packer/import.h"

static const struct prefix {
	const char *text;
	enum import_kind kind;
	bool has_name; /* PATH[:NAME]; else all of it is the path */
} prefixes[] = {
	{"oci:", IMPORT_OCI, true},
	{"oci-archive:", IMPORT_OCI_ARCHIVE, true},
	{"docker-archive:", IMPORT_DOCKER_ARCHIVE, true},
	{"dir:", IMPORT_DIR, false},
	{"rootfs:", IMPORT_ROOTFS, false},
};

static const struct prefix *find_prefix(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (str_has_prefix(text, prefixes[i].text))
			return &prefixes[i];
	}
	return NULL;
}

static bool is_file(const char *dir, const char *name)
{
	struct stat st;
	struct err why = ERR_INIT;
	SCOPE_FREE char *path = str_dupf(&why, "%s/%s", dir, name);

	err_clear(&why);
	return path && stat(path, &st) == 0;
}

/* What somebody meant who gave a path alone; NULL when it leads nowhere. */
static const char *guess_prefix(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return NULL;
	if (S_ISDIR(st.st_mode))
		return is_file(path, "oci-layout") ? "oci:" : "dir:";
	return S_ISREG(st.st_mode) ? "rootfs:" : NULL;
}

static int refuse(const char *text, struct err *e)
{
	SCOPE(str) struct str known = STR_INIT;
	const char *guess = guess_prefix(text);
	char quoted[QUOTE_MAX];

	quote_str(quoted, text);
	if (guess)
		return err_set(e, ERR_USAGE, "'%s' does not say what it is; did you mean '%s%s'?",
			       quoted, guess, quoted);
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (str_appendf(&known, e, "%s%s", i ? ", " : "", prefixes[i].text) < 0)
			return -1;
	}
	return err_set(e, ERR_USAGE, "source '%s' does not start with one of %s", quoted,
		       str_text(&known));
}

/* "@0": no name starts so. */
static int parse_at(struct import_source *out, const char *text, struct err *e)
{
	char quoted[QUOTE_MAX];
	uint64_t at;

	if (str_to_u64(text + 1, strlen(text + 1), 10, SIZE_MAX, &at) < 0)
		return err_set(e, ERR_USAGE, "'%s' is no name and no @NUMBER",
			       quote_str(quoted, text));
	out->has_at = true;
	out->at = (size_t)at;
	return 0;
}

/* What follows the colon. */
static int parse_choice(struct import_source *out, const char *text, struct err *e)
{
	if (out->kind == IMPORT_DOCKER_ARCHIVE && text[0] == '@')
		return parse_at(out, text, e);
	out->name = str_dup(text, e);
	return out->name ? 0 : -1;
}

int import_source_parse(struct import_source *out, const char *text, struct err *e)
{
	/* What "export -" writes. */
	if (strcmp(text, "-") == 0)
		text = "oci-archive:-";
	const struct prefix *p = find_prefix(text);
	char quoted[QUOTE_MAX];

	if (!p)
		return refuse(text, e);
	const char *path = text + strlen(p->text);
	/* As containers-transports(5): a path in front of a name holds no colon. */
	const char *colon = p->has_name ? strchr(path, ':') : NULL;
	const size_t len = colon ? (size_t)(colon - path) : strlen(path);
	if (len == 0)
		return err_set(e, ERR_USAGE, "source '%s' has no path", quote_str(quoted, text));
	struct import_source src = {.kind = p->kind};
	if (colon && colon[1] && parse_choice(&src, colon + 1, e) < 0)
		return -1;
	src.path = str_dup_n(path, len, e);
	if (!src.path) {
		import_source_fini(&src);
		return -1;
	}
	*out = src;
	return 0;
}

void import_source_fini(struct import_source *src)
{
	free(src->path);
	free(src->name);
	*src = (struct import_source){.path = NULL};
}
