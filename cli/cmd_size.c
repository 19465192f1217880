/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "base/array.h"
#include "base/json.h"
#include "base/log.h"
#include "base/quote.h"
#include "cli/commands.h"
#include "cli/layer_info.h"
#include "cli/output.h"
#include "cli/support.h"
#include "image/tree_size.h"
#include "store/catalogs.h"

static const struct option options[] = {
	{0, "top", "N", "how many directories, besides the total (default: 10)"},
	{0, "depth", "N", "directories of at most N components (default: any)"},
	{0, "no-trunc", NULL, "do not cut how a layer was made"},
	OPTION_PLATFORM,
	OPTION_JSON,
	OPTION_QUIET,
	OPTION_END,
};

enum { TOP_DEFAULT = 10, TOP_MAX = 10000 };

/* The image and what was found out about it. */
struct sizes {
	const struct image *image;
	struct layer_info *layers; /* of image->manifest.layer_count */
	struct tree_size tree;
};

static int get_number(const struct invocation *in, const char *name, uint64_t max, size_t *out,
		      struct err *e)
{
	const char *text = invocation_value(in, name);
	uint64_t n;
	char q[QUOTE_MAX];

	if (!text)
		return 0;
	if (str_to_u64(text, strlen(text), 10, max, &n) < 0)
		return err_set(e, ERR_USAGE, "option '--%s': '%s' is not a number up to %" PRIu64,
			       name, quote_str(q, text), max);
	*out = (size_t)n;
	return 0;
}

/* A catalog that turns out to be damaged is built anew, once. */
static int measure(const struct store *s, const struct image *im, const struct layers_options *opt,
		   size_t top, size_t depth, struct tree_size *out, struct err *e)
{
	SCOPE(catalog) struct catalog *c = NULL;
	struct err ignored = ERR_INIT;

	if (catalogs_open(s, im, 0, opt, &c, e) < 0)
		return -1;
	if (tree_size_measure(c, top, depth, out, e) == 0)
		return 0;
	if (e->code != ERR_DIGEST && e->code != ERR_FORMAT)
		return -1;
	err_clear(e);
	log_warning("the catalog of '%s' is damaged: building it anew", im->name);
	if (catalogs_discard(s, im, &ignored) < 0)
		err_clear(&ignored);
	catalog_free(steal_ptr(&c));
	tree_size_fini(out);
	if (catalogs_open(s, im, CATALOGS_FRESH, opt, &c, e) < 0)
		return -1;
	return tree_size_measure(c, top, depth, out, e);
}

/* What of a layer no longer shows: layers above replaced or removed it. */
static uint64_t hidden_bytes(const struct sizes *z, size_t layer)
{
	const uint64_t content = z->layers[layer].content;
	const uint64_t seen = layer < z->tree.layer_count ? z->tree.layers[layer] : 0;

	return seen < content ? content - seen : 0;
}

static const char *made_by(const struct layer_info *l)
{
	return l->step && l->step->created_by ? l->step->created_by : "-";
}

static int print_sums(const struct sizes *z, struct table *t, struct err *e)
{
	uint64_t blobs = 0, content = 0, hidden = 0, entries = 0;
	char text[3][STR_SIZE_MAX];

	for (size_t i = 0; i < z->image->manifest.layer_count; i++) {
		blobs = add_up_to(blobs, z->layers[i].descriptor->size, INT64_MAX);
		content = add_up_to(content, z->layers[i].content, INT64_MAX);
		hidden = add_up_to(hidden, hidden_bytes(z, i), INT64_MAX);
		entries += z->layers[i].entries;
	}
	return table_cell(t, "total", e) < 0 ||
			       table_cell(t, str_human_size(text[0], blobs), e) < 0 ||
			       table_cell(t, str_human_size(text[1], content), e) < 0 ||
			       table_cell(t, str_human_size(text[2], hidden), e) < 0 ||
			       table_cellf(t, e, "%" PRIu64, entries) < 0 ||
			       table_cell(t, "", e) < 0 || table_cell(t, "", e) < 0
		       ? -1
		       : 0;
}

static int print_layers(const struct sizes *z, bool is_cut, struct err *e)
{
	static const char *const heads[] = {"LAYER",   "COMPRESSED", "CONTENT",   "HIDDEN",
					    "ENTRIES", "SHARED",     "CREATED BY"};
	SCOPE(table) struct table *t = table_new(ARRAY_LEN(heads), e);

	if (!t || table_heads(t, heads, e) < 0)
		return -1;
	if (is_cut)
		table_cut(t, ARRAY_LEN(heads) - 1);
	for (size_t i = 0; i < z->image->manifest.layer_count; i++) {
		const struct layer_info *l = &z->layers[i];
		char text[STR_SIZE_MAX], digest[DIGEST_STR_MAX];

		if (table_cell(t, output_short_digest(&l->descriptor->digest, digest), e) < 0 ||
		    table_cell(t, str_human_size(text, l->descriptor->size), e) < 0 ||
		    table_cell(t, str_human_size(text, l->content), e) < 0 ||
		    table_cell(t, str_human_size(text, hidden_bytes(z, i)), e) < 0 ||
		    table_cellf(t, e, "%" PRIu64, l->entries) < 0 ||
		    table_cellf(t, e, "%" PRIu64, l->shared) < 0 ||
		    table_cell(t, made_by(l), e) < 0)
			return -1;
	}
	return print_sums(z, t, e) < 0 ? -1 : table_print(t, e);
}

static int print_dir(struct table *t, const char *path, uint64_t bytes, uint64_t files,
		     struct err *e)
{
	char text[STR_SIZE_MAX];

	return table_cell(t, str_human_size(text, bytes), e) < 0 ||
			       table_cellf(t, e, "%" PRIu64, files) < 0 ||
			       table_cell(t, path, e) < 0
		       ? -1
		       : 0;
}

static int print_dirs(const struct tree_size *tree, struct err *e)
{
	static const char *const heads[] = {"CONTENT", "FILES", "DIRECTORY"};
	SCOPE(table) struct table *t = table_new(ARRAY_LEN(heads), e);

	if (!t || outputf(e, "\n") < 0 || table_heads(t, heads, e) < 0)
		return -1;
	for (size_t i = 0; i < tree->dir_count; i++) {
		const struct tree_size_dir *d = &tree->dirs[i];
		if (print_dir(t, d->path, d->bytes, d->files, e) < 0)
			return -1;
	}
	/* As du -c has it; no path is called so. */
	return print_dir(t, "total", tree->bytes, tree->files, e) < 0 ? -1 : table_print(t, e);
}

static int put_number(json_t *obj, const char *key, uint64_t value, struct err *e)
{
	return json_put(obj, key, json_integer((json_int_t)value), e);
}

static int put_layer(json_t *list, const struct sizes *z, size_t at, struct err *e)
{
	const struct layer_info *l = &z->layers[at];
	const char *by = l->step ? l->step->created_by : NULL;
	SCOPE_JSON json_t *item = json_object();
	char digest[DIGEST_STR_MAX];

	if (json_put(item, "digest", json_string(digest_format(&l->descriptor->digest, digest)),
		     e) < 0 ||
	    put_number(item, "compressed", l->descriptor->size, e) < 0 ||
	    put_number(item, "content", l->content, e) < 0 ||
	    put_number(item, "hidden", hidden_bytes(z, at), e) < 0 ||
	    put_number(item, "entries", l->entries, e) < 0 ||
	    put_number(item, "shared", l->shared, e) < 0 ||
	    json_put(item, "created_by", by ? json_text_value(by, strlen(by)) : json_null(), e) < 0)
		return -1;
	return json_push(list, json_incref(item), e);
}

static int put_dir(json_t *list, const struct tree_size_dir *d, struct err *e)
{
	SCOPE_JSON json_t *item = json_object();

	if (json_put(item, "path", json_text_value(d->path, strlen(d->path)), e) < 0 ||
	    put_number(item, "content", d->bytes, e) < 0 ||
	    put_number(item, "files", d->files, e) < 0)
		return -1;
	return json_push(list, json_incref(item), e);
}

static int print_json(const struct sizes *z, struct err *e)
{
	SCOPE_JSON json_t *doc = json_object();
	SCOPE_JSON json_t *layers = json_array();
	SCOPE_JSON json_t *dirs = json_array();
	char digest[DIGEST_STR_MAX];

	for (size_t i = 0; i < z->image->manifest.layer_count; i++) {
		if (put_layer(layers, z, i, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < z->tree.dir_count; i++) {
		if (put_dir(dirs, &z->tree.dirs[i], e) < 0)
			return -1;
	}
	if (json_put(doc, "name", json_string(z->image->name), e) < 0 ||
	    json_put(doc, "manifest", json_string(digest_format(&z->image->chosen.digest, digest)),
		     e) < 0 ||
	    put_number(doc, "content", z->tree.bytes, e) < 0 ||
	    put_number(doc, "files", z->tree.files, e) < 0 ||
	    json_put(doc, "layers", json_incref(layers), e) < 0 ||
	    json_put(doc, "directories", json_incref(dirs), e) < 0)
		return -1;
	return output_json(doc, e);
}

static int print(const struct invocation *in, const struct sizes *z, struct err *e)
{
	if (invocation_has(in, "json"))
		return print_json(z, e);
	if (print_layers(z, !invocation_has(in, "no-trunc"), e) < 0)
		return -1;
	return print_dirs(&z->tree, e);
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(image) struct image im = IMAGE_INIT;
	SCOPE(progress_line) struct progress_line line;
	struct layers_options opt = {.progress = &line.progress};
	struct sizes z = {.image = &im};
	size_t top = TOP_DEFAULT, depth = LIMIT_DEPTH;
	int status = 0;

	progress_line_init(&line, invocation_has(in, "quiet"));
	if (get_number(in, "top", TOP_MAX, &top, e) < 0 ||
	    get_number(in, "depth", LIMIT_DEPTH, &depth, e) < 0 ||
	    support_workers(in, &opt.workers, e) < 0 || support_image(in, &s, &l, &im, e) < 0)
		return -1;
	SCOPE_FREE struct layer_info *layers = layer_info_list(s, &im, &opt, e);
	if (!layers || layer_info_count_shares(s, &im, layers, &status, e) < 0)
		return -1;
	z.layers = layers;
	int r = measure(s, &im, &opt, top, depth, &z.tree, e);
	progress_line_fini(&line);
	if (r == 0)
		r = print(in, &z, e);
	tree_size_fini(&z.tree);
	return r < 0 ? r : status;
}

const struct command command_size = {
	.name = "size",
	.synopsis = "[OPTION]... IMAGE",
	.summary = "Tell what takes room in an image",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
