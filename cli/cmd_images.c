/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/quote.h"
#include "cli/commands.h"
#include "cli/filter.h"
#include "cli/output.h"
#include "cli/support.h"
#include "image/mediatype.h"
#include "store/refs.h"

static const struct option options[] = {
	{'a', "all", NULL, "signatures and other artifacts too"},
	{0, "digests", NULL, "whole digests"},
	{0, "filter", "KEY=VALUE",
	 "only images for which this holds: reference, label, before, since, dangling"},
	{0, "names", NULL, "only the names, one a line"},
	{'q', "quiet", NULL, "only the digests, whole"},
	OPTION_JSON,
	OPTION_END,
};

static const struct word words[] = {
	{"KEY=VALUE", WORD_PAIR, "reference=|label=|before=|since=|dangling=true|dangling=false"},
	{NULL, WORD_FILE, NULL},
};

static const char no_name[] = "<none>"; /* docker's */

/* What is listed and how. */
struct listing {
	const struct store *store;
	struct filters filters;
	bool has_artifacts, has_whole_digests, has_only_names, is_quiet;
	struct table *table;
	json_t *doc; /* NULL: text */
	int status;  /* to end with: not 0 when an image could not be read */
};

/* One line of the list. */
struct row {
	const char *name; /* NULL: none */
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

/* What can be told about an image that loads; an artifact, or an image that is damaged or cannot be
 * read, has only its name. */
static int row_fill(struct listing *l, struct row *r, struct err *e)
{
	struct err why = ERR_INIT;
	char digest[DIGEST_STR_MAX];
	const char *name = r->name ? r->name : digest_format(&r->top->digest, digest);

	r->image = (struct image)IMAGE_INIT;
	(void)snprintf(r->platform, sizeof(r->platform), "-");
	if (image_load_any(l->store, name, r->top, &r->image, &why) < 0)
		return support_pass_over(name, &why, &l->status, e);
	char text[PLATFORM_STR_MAX];
	const bool is_index = mediatype_kind(r->top->media_type) == MEDIA_INDEX;
	(void)snprintf(r->platform, sizeof(r->platform), "%s%s",
		       platform_format(&r->image.config.platform, text), is_index ? " (+)" : "");
	r->created = r->image.config.created;
	r->layers = r->image.manifest.layer_count;
	for (size_t i = 0; i < r->image.manifest.layer_count; i++)
		r->bytes += r->image.manifest.layers[i].size;
	return 0;
}

static int row_print(const struct row *r, bool whole_digest, struct table *t, struct err *e)
{
	char digest[DIGEST_STR_MAX], size[STR_SIZE_MAX];

	return table_cell(t, r->name ? r->name : no_name, e) < 0 ||
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

	if (json_put(item, "name",
		     r->name ? json_text_value(r->name, strlen(r->name)) : json_null(), e) < 0 ||
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

static int print_digest(const struct row *r, struct err *e)
{
	char digest[DIGEST_STR_MAX];

	return outputf(e, "%s\n", digest_format(&r->top->digest, digest));
}

static int print_name(const struct row *r, struct err *e)
{
	SCOPE(str) struct str line = STR_INIT;

	if (!r->name)
		return 0;
	return quote_append(&line, r->name, strlen(r->name), e) < 0 ||
			       str_append_c(&line, '\n', e) < 0
		       ? -1
		       : output_write(str_text(&line), line.len, e);
}

static int print_row(const struct listing *l, const struct row *r, struct err *e)
{
	const struct filter_subject subject = {
		.name = r->name,
		.created = r->created,
		.labels = r->image.name ? &r->image.config.labels : NULL,
	};

	if (!filters_match(&l->filters, &subject))
		return 0;
	if (l->is_quiet)
		return print_digest(r, e);
	if (l->has_only_names)
		return print_name(r, e);
	return l->doc ? row_json(r, l->doc, e) : row_print(r, l->has_whole_digests, l->table, e);
}

static int list(struct listing *l, struct image_index *ix, struct err *e)
{
	for (size_t i = 0; i < ix->count; i++) {
		struct row r = {.top = &ix->manifests[i]};

		r.name = strmap_get(&r.top->annotations, REFS_NAME_KEY);
		if (r.name && reference_artifact_tag(r.name) && !l->has_artifacts)
			continue;
		/* Completions ask for names, and have to be quick. */
		int failed = 0;
		if (!l->has_only_names || l->filters.count > 0)
			failed = row_fill(l, &r, e);
		if (failed == 0)
			failed = print_row(l, &r, e);
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

static int print_all(struct listing *l, struct image_index *ix, struct err *e)
{
	static const char *const heads[] = {"NAME", "DIGEST", "PLATFORM", "LAYERS", "SIZE"};

	if (l->is_quiet || l->has_only_names)
		return list(l, ix, e);
	if (l->doc)
		return list(l, ix, e) < 0 ? -1 : output_json(l->doc, e);
	SCOPE(table) struct table *t = table_new(ARRAY_LEN(heads), e);
	if (!t || table_heads(t, heads, e) < 0)
		return -1;
	l->table = t;
	return list(l, ix, e) < 0 ? -1 : table_print(t, e);
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE_JSON json_t *doc = invocation_has(in, "json") ? json_array() : NULL;
	struct listing l = {
		.has_artifacts = invocation_has(in, "all"),
		.has_whole_digests = invocation_has(in, "digests"),
		.has_only_names = invocation_has(in, "names"),
		.is_quiet = invocation_has(in, "quiet"),
		.doc = doc,
	};

	if (l.is_quiet && doc)
		return err_set(e, ERR_USAGE, "options '--quiet' and '--json' exclude each other");
	if (l.has_only_names && (l.is_quiet || doc))
		return err_set(e, ERR_USAGE, "options '--names' and '%s' exclude each other",
			       doc ? "--json" : "--quiet");
	int r = filters_parse(in, &l.filters, e);
	if (r == 0)
		r = open_list(in, &s, &ix, e);
	if (r == 0)
		r = filters_resolve(&l.filters, s, e);
	l.store = s;
	if (r == 0)
		r = print_all(&l, &ix, e);
	filters_fini(&l.filters);
	return r < 0 ? r : l.status;
}

const struct command command_images = {
	.name = "images",
	.synopsis = "[OPTION]...",
	.summary = "List the images of the store",
	.options = options,
	.min_args = 0,
	.max_args = 0,
	.words = words,
	.run = run,
};
