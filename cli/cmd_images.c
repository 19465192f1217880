/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/support.h"
#include "image/mediatype.h"
#include "store/refs.h"

static const struct option options[] = {
	{'a', "all", NULL, "signatures and other artifacts too"},
	{0, "digests", NULL, "whole digests"},
	OPTION_JSON,
	OPTION_END,
};

/* One line of the list. */
struct row {
	const char *name;
	struct descriptor *top;
	char platform[PLATFORM_STR_MAX + 16];
	const char *created; /* borrowed from `image` */
	uint64_t layers;
	uint64_t bytes; /* of the layers' blobs */
	struct image image;
};

static void row_fini(struct row *r)
{
	image_fini(&r->image);
}

/* What can be told about an image that loads; an artifact or a damaged image has only its name. */
static void row_fill(const struct store *s, struct row *r)
{
	struct err ignored = ERR_INIT;

	r->image = (struct image)IMAGE_INIT;
	(void)snprintf(r->platform, sizeof(r->platform), "-");
	if (image_load_found(s, r->name, r->top, r->top->has_platform ? &r->top->platform : NULL,
			     &r->image, &ignored) < 0) {
		err_clear(&ignored);
		return;
	}
	char text[PLATFORM_STR_MAX];
	const bool is_index = mediatype_kind(r->top->media_type) == MEDIA_INDEX;
	(void)snprintf(r->platform, sizeof(r->platform), "%s%s",
		       platform_format(&r->image.config.platform, text), is_index ? " (+)" : "");
	r->created = r->image.config.created;
	r->layers = r->image.manifest.layer_count;
	for (size_t i = 0; i < r->image.manifest.layer_count; i++)
		r->bytes += r->image.manifest.layers[i].size;
}

static int row_print(const struct row *r, bool whole_digest, struct table *t, struct err *e)
{
	char digest[DIGEST_STR_MAX], size[STR_SIZE_MAX];

	return table_cell(t, r->name, e) < 0 ||
			       table_cell(t,
					  whole_digest
						  ? digest_format(&r->top->digest, digest)
						  : output_short_digest(&r->top->digest, digest),
					  e) < 0 ||
			       table_cell(t, r->platform, e) < 0 ||
			       table_cellf(t, e, "%llu", (unsigned long long)r->layers) < 0 ||
			       table_cell(t, str_human_size(size, r->bytes), e) < 0
		       ? -1
		       : 0;
}

static int row_json(const struct row *r, json_t *list, struct err *e)
{
	SCOPE_JSON json_t *item = json_object();
	char digest[DIGEST_STR_MAX];

	if (json_put(item, "name", json_text_value(r->name, strlen(r->name)), e) < 0 ||
	    json_put(item, "digest", json_string(digest_format(&r->top->digest, digest)), e) < 0 ||
	    json_put(item, "media_type", json_string(r->top->media_type), e) < 0)
		return -1;
	if (r->image.name) {
		char text[PLATFORM_STR_MAX];
		platform_format(&r->image.config.platform, text);
		if (json_put(item, "platform", json_string(text), e) < 0 ||
		    json_put(item, "layers", json_integer((json_int_t)r->layers), e) < 0 ||
		    json_put(item, "size", json_integer((json_int_t)r->bytes), e) < 0)
			return -1;
	}
	if (r->created && json_put(item, "created", json_string(r->created), e) < 0)
		return -1;
	return json_push(list, json_incref(item), e);
}

static int list(const struct invocation *in, const struct store *s, struct image_index *ix,
		struct table *t, json_t *doc, struct err *e)
{
	for (size_t i = 0; i < ix->count; i++) {
		struct row r = {.top = &ix->manifests[i]};

		r.name = strmap_get(&r.top->annotations, REFS_NAME_KEY);
		if (!r.name || (reference_artifact_tag(r.name) && !invocation_has(in, "all")))
			continue;
		row_fill(s, &r);
		const int failed = doc ? row_json(&r, doc, e)
				       : row_print(&r, invocation_has(in, "digests"), t, e);
		row_fini(&r);
		if (failed < 0)
			return -1;
	}
	return 0;
}

/* Before the first build there is nothing to list, and no store to be made for it; one that is
 * asked for by name must be there. */
static int open_list(const struct invocation *in, struct store **s, struct image_index *ix,
		     struct err *e)
{
	if (support_store(in, 0, s, e) == 0)
		return refs_list(*s, ix, e);
	if (e->code != ERR_NOT_FOUND || invocation_has(in, "store"))
		return -1;
	err_clear(e);
	return 0;
}

static int run(const struct invocation *in, struct err *e)
{
	static const char *const heads[] = {"NAME", "DIGEST", "PLATFORM", "LAYERS", "SIZE"};
	SCOPE(store) struct store *s = NULL;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;

	if (open_list(in, &s, &ix, e) < 0)
		return -1;
	if (invocation_has(in, "json")) {
		SCOPE_JSON json_t *doc = json_array();
		return list(in, s, &ix, NULL, doc, e) < 0 ? -1 : output_json(doc, e);
	}
	SCOPE(table) struct table *t = table_new(ARRAY_LEN(heads), e);
	if (!t || table_heads(t, heads, e) < 0)
		return -1;
	return list(in, s, &ix, t, NULL, e) < 0 ? -1 : table_print(t, e);
}

const struct command command_images = {
	.name = "images",
	.synopsis = "[OPTION]...",
	.summary = "List the images of the store",
	.options = options,
	.min_args = 0,
	.max_args = 0,
	.run = run,
};
