/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/build_report.h"

#include "base/json.h"
#include "cli/output.h"
#include "cli/target.h"

/* One text with commas, as buildx has it. */
static int put_names(json_t *doc, const struct strlist *names, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	for (size_t i = 0; i < names->count; i++) {
		if (str_appendf(&text, e, "%s%s", i ? "," : "", names->items[i]) < 0)
			return -1;
	}
	return json_put(doc, "image.name", json_string(text.data), e);
}

/* The descriptor of each manifest, and the digest of its config. */
static json_t *images_of(const struct build_result *r, struct err *e)
{
	SCOPE_JSON json_t *all = json_array();
	char config[DIGEST_STR_MAX];

	for (size_t i = 0; i < r->image_count; i++) {
		SCOPE_JSON json_t *one = descriptor_to_json(&r->images[i].manifest, e);
		if (!one ||
		    json_put(one, "config",
			     json_string(digest_format(&r->images[i].config, config)), e) < 0 ||
		    json_push(all, steal_ptr(&one), e) < 0)
			return NULL;
	}
	return steal_ptr(&all);
}

/* The members that buildx writes, and "containerimage.manifests". */
static int make_report(const struct build_result *r, struct str *out, struct err *e)
{
	SCOPE_JSON json_t *doc = json_object();
	char text[DIGEST_STR_MAX];

	/* Of several images none is the config. */
	if (r->image_count == 1 &&
	    json_put(doc, "containerimage.config.digest",
		     json_string(digest_format(&r->images[0].config, text)), e) < 0)
		return -1;
	if (json_put(doc, "containerimage.digest", json_string(digest_format(&r->top.digest, text)),
		     e) < 0 ||
	    json_put(doc, "containerimage.descriptor", descriptor_to_json(&r->top, e), e) < 0 ||
	    json_put(doc, "containerimage.manifests", images_of(r, e), e) < 0)
		return -1;
	if (r->names.count && put_names(doc, &r->names, e) < 0)
		return -1;
	return json_format_pretty(doc, out, e);
}

static int write_digest(const char *path, const struct build_result *r, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	char digest[DIGEST_STR_MAX];

	return str_append_z(&text, digest_format(&r->top.digest, digest), e) < 0
		       ? -1
		       : target_write("iidfile", path, &text, e);
}

/* The digest alone is on standard output, for scripts. */
static void print_images(const struct build_result *r)
{
	char platform[PLATFORM_STR_MAX], digest[DIGEST_STR_MAX];

	for (size_t i = 0; i < r->image_count; i++) {
		const struct descriptor *d = &r->images[i].manifest;
		(void)fprintf(stderr, "%s: %s\n", platform_format(&d->platform, platform),
			      digest_format(&d->digest, digest));
	}
}

int build_report(const struct invocation *in, const struct build_result *r, struct err *e)
{
	const char *iidfile = invocation_value(in, "iidfile");
	const char *metadata = invocation_value(in, "metadata-file");
	const bool is_json = invocation_has(in, "json");
	SCOPE(str) struct str json = STR_INIT;
	char digest[DIGEST_STR_MAX];

	if (((is_json || metadata) && make_report(r, &json, e) < 0) ||
	    (iidfile && write_digest(iidfile, r, e) < 0) ||
	    (metadata && target_write("metadata-file", metadata, &json, e) < 0))
		return -1;
	if (r->image_count > 1 && !invocation_has(in, "quiet"))
		print_images(r);
	if (is_json)
		return output_write(json.data, json.len, e);
	return outputf(e, "%s\n", digest_format(&r->top.digest, digest));
}
