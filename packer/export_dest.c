/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/quote.h"
#include "base/str.h"
#include "image/reference.h"
#include "packer/export.h"
#include "packer/exporter.h"

static const struct prefix {
	const char *text;
	enum export_kind kind;
	bool has_name; /* PATH[:NAME]; else all of it is the path */
} prefixes[] = {
	{"oci:", EXPORT_OCI, true},
	{"oci-archive:", EXPORT_OCI_ARCHIVE, true},
	{"docker-archive:", EXPORT_DOCKER_ARCHIVE, true},
	{"rootfs:", EXPORT_ROOTFS, false},
};

static const char stdout_path[] = "-";

static const struct prefix *find_prefix(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (str_has_prefix(text, prefixes[i].text))
			return &prefixes[i];
	}
	return NULL;
}

static int refuse(const char *text, struct err *e)
{
	SCOPE(str) struct str known = STR_INIT;
	char quoted[QUOTE_MAX];

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (str_appendf(&known, e, "%s%s", i ? ", " : "", prefixes[i].text) < 0)
			return -1;
	}
	return err_set(e, ERR_USAGE, "destination '%s' does not start with one of %s",
		       quote_str(quoted, text), str_text(&known));
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/*
 * The grammar of org.opencontainers.image.ref.name (image-spec, annotations.md), which skopeo and
 * podman hold a name against that they are asked for: words of letters and digits, and between two
 * of them one of "-._:@+/", or "--".
 */
static bool is_ref_name(const char *name)
{
	const char *c = name;

	for (;;) {
		if (!is_alphanumeric(*c))
			return false;
		while (is_alphanumeric(*c))
			c++;
		if (!*c)
			return true;
		if (!strchr("-._:@+/", *c))
			return false;
		c += c[0] == '-' && c[1] == '-' ? 2 : 1;
	}
}

int export_parse_name(struct reference *out, const char *name, const char *place, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (reference_parse(out, name, e) < 0) {
		err_blame_usage(e);
		return err_wrap(e, "the name in %s", place);
	}
	if (!out->has_digest)
		return 0;
	return err_set(e, ERR_USAGE, "'%s' has a digest, and names in %s have a tag alone",
		       quote_str(quoted, name), place);
}

/* What shale could not take back is no name for others either: they cut it as we do. */
static int check_reference(const char *name, struct err *e)
{
	SCOPE(reference) struct reference r = REFERENCE_INIT;

	return export_parse_name(&r, name, "a layout", e) < 0
		       ? -1
		       : reference_check_image_name(&r, name, e);
}

static int check_name(const struct prefix *p, const char *name, struct err *e)
{
	char quoted[QUOTE_MAX];

	/* A docker archive has names of its own kind. */
	if (p->kind == EXPORT_DOCKER_ARCHIVE)
		return 0;
	if (is_ref_name(name))
		return check_reference(name, e);
	return err_set(e, ERR_USAGE,
		       "'%s' cannot be the name of an image in a layout: letters and digits, and "
		       "single '-', '.', '_', ':', '@', '+' and '/' between them",
		       quote_str(quoted, name));
}

static int parse(const struct prefix *p, const char *text, struct export_dest *out, struct err *e)
{
	char quoted[QUOTE_MAX];
	const char *path = text + strlen(p->text);
	/* As containers-transports(5): a path in front of a name holds no colon. */
	const char *colon = p->has_name ? strchr(path, ':') : NULL;
	const size_t len = colon ? (size_t)(colon - path) : strlen(path);

	if (len == 0)
		return err_set(e, ERR_USAGE, "destination '%s' has no path",
			       quote_str(quoted, text));
	out->kind = p->kind;
	const bool is_stdout = len == strlen(stdout_path) && *path == *stdout_path;
	if (is_stdout && p->kind == EXPORT_OCI)
		return err_set(e, ERR_USAGE,
			       "a directory cannot be written to standard output (did you mean "
			       "oci-archive:-?)");
	if (!is_stdout) {
		out->path = str_dup_n(path, len, e);
		if (!out->path)
			return -1;
	}
	if (!colon || !colon[1])
		return 0;
	if (check_name(p, colon + 1, e) < 0)
		return -1;
	out->name = str_dup(colon + 1, e);
	return out->name ? 0 : -1;
}

int export_dest_parse(struct export_dest *out, const char *text, struct err *e)
{
	SCOPE(export_dest) struct export_dest dest = EXPORT_DEST_INIT;

	if (strcmp(text, stdout_path) == 0) {
		*out = (struct export_dest){.kind = EXPORT_OCI_ARCHIVE};
		return 0;
	}
	const struct prefix *p = find_prefix(text);
	if (!p)
		return refuse(text, e);
	if (parse(p, text, &dest, e) < 0)
		return -1;
	*out = dest;
	dest = (struct export_dest)EXPORT_DEST_INIT;
	return 0;
}

void export_dest_fini(struct export_dest *dest)
{
	free(dest->path);
	free(dest->name);
	*dest = (struct export_dest)EXPORT_DEST_INIT;
}
