/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/quote.h"
#include "cli/commands.h"
#include "cli/layer_info.h"
#include "cli/output.h"
#include "cli/support.h"
#include "image/mediatype.h"
#include "store/blobs.h"

static const struct option options[] = {
	{0, "config", NULL, "print the config alone"},
	{0, "manifest", NULL, "print the manifest alone"},
	{0, "raw", NULL,
	 "print a document byte for byte as it is stored: config, manifest or index"},
	{0, "layers", NULL, "print a table of the layers"},
	OPTION_PLATFORM,
	OPTION_JSON,
	OPTION_END,
};

static int put_digest(json_t *obj, const char *key, const struct digest *d, struct err *e)
{
	char text[DIGEST_STR_MAX];
	return json_put(obj, key, json_string(digest_format(d, text)), e);
}

static int put_layers(const struct image *im, json_t *doc, struct err *e)
{
	SCOPE_JSON json_t *list = json_array();

	for (size_t i = 0; i < im->manifest.layer_count; i++) {
		const struct descriptor *layer = &im->manifest.layers[i];
		SCOPE_JSON json_t *item = json_object();

		if (put_digest(item, "digest", &layer->digest, e) < 0 ||
		    put_digest(item, "diff_id", &im->config.diff_ids[i], e) < 0 ||
		    json_put(item, "media_type", json_string(layer->media_type), e) < 0 ||
		    json_put(item, "size", json_integer((json_int_t)layer->size), e) < 0 ||
		    json_put(item, "is_indexed",
			     json_boolean(strmap_get(&layer->annotations, LAYER_INDEX_DIGEST_KEY) !=
					  NULL),
			     e) < 0 ||
		    json_push(list, json_incref(item), e) < 0)
			return -1;
	}
	return json_put(doc, "layers", json_incref(list), e);
}

/* The config as the image has it, in canonical form. */
static int put_config(const struct image *im, json_t *doc, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	if (image_config_format(&im->config, &text, e) < 0)
		return -1;
	json_t *config = json_parse_object(text.data, text.len, LIMIT_DOCUMENT, "config", e);
	return config ? json_put(doc, "config", config, e) : -1;
}

static int put_platforms(const struct store *s, const struct image *im, json_t *doc, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE_JSON json_t *list = json_array();

	if (mediatype_kind(im->top.media_type) != MEDIA_INDEX)
		return 0;
	if (blobs_read(s, &im->top.digest, im->top.size, LIMIT_DOCUMENT, &text, e) < 0 ||
	    image_index_parse(&ix, text.data, text.len, im->top.media_type, LIMIT_INDEX_ENTRIES,
			      e) < 0)
		return -1;
	for (size_t i = 0; i < ix.count; i++) {
		SCOPE_JSON json_t *item = json_object();
		char platform[PLATFORM_STR_MAX];

		if (put_digest(item, "digest", &ix.manifests[i].digest, e) < 0)
			return -1;
		if (ix.manifests[i].has_platform &&
		    json_put(item, "platform",
			     json_string(platform_format(&ix.manifests[i].platform, platform)),
			     e) < 0)
			return -1;
		if (json_push(list, json_incref(item), e) < 0)
			return -1;
	}
	return json_put(doc, "manifests", json_incref(list), e);
}

static int print_json(const struct store *s, const struct image *im, struct err *e)
{
	SCOPE_JSON json_t *doc = json_object();
	char platform[PLATFORM_STR_MAX];

	if (json_put(doc, "name", json_string(im->name), e) < 0 ||
	    put_digest(doc, "digest", &im->top.digest, e) < 0 ||
	    put_digest(doc, "manifest", &im->chosen.digest, e) < 0 ||
	    json_put(doc, "media_type", json_string(im->top.media_type), e) < 0 ||
	    json_put(doc, "platform", json_string(platform_format(&im->config.platform, platform)),
		     e) < 0 ||
	    put_layers(im, doc, e) < 0 || put_config(im, doc, e) < 0 ||
	    put_platforms(s, im, doc, e) < 0)
		return -1;
	return output_json(doc, e);
}

static int print_list(const char *label, const struct strlist *list, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	if (!list->count)
		return 0;
	for (size_t i = 0; i < list->count; i++) {
		if (str_append_z(&text, i ? "\",\"" : "[\"", e) < 0 ||
		    quote_append(&text, list->items[i], strlen(list->items[i]), e) < 0)
			return -1;
	}
	return outputf(e, "%-12s%s\"]\n", label, str_text(&text));
}

static int print_value(const char *label, const char *value, struct err *e)
{
	SCOPE(str) struct str quoted = STR_INIT;

	if (!value || !*value)
		return 0;
	if (quote_append(&quoted, value, strlen(value), e) < 0)
		return -1;
	return outputf(e, "%-12s%s\n", label, str_text(&quoted));
}

static int print_text(const struct image *im, struct err *e)
{
	char digest[DIGEST_STR_MAX], platform[PLATFORM_STR_MAX], size[STR_SIZE_MAX];
	const struct image_config *c = &im->config;

	if (print_value("Name:", im->name, e) < 0 ||
	    print_value("Digest:", digest_format(&im->top.digest, digest), e) < 0)
		return -1;
	if (!digest_equal(&im->top.digest, &im->chosen.digest) &&
	    print_value("Manifest:", digest_format(&im->chosen.digest, digest), e) < 0)
		return -1;
	if (print_value("Platform:", platform_format(&c->platform, platform), e) < 0 ||
	    print_value("Created:", c->created, e) < 0 ||
	    print_value("Author:", c->author, e) < 0 ||
	    print_list("Entrypoint:", &c->entrypoint, e) < 0 ||
	    print_list("Cmd:", &c->cmd, e) < 0 || print_value("User:", c->user, e) < 0 ||
	    print_value("WorkingDir:", c->working_dir, e) < 0 || print_list("Env:", &c->env, e) < 0)
		return -1;
	for (size_t i = 0; i < c->labels.count; i++) {
		SCOPE_FREE char *label =
			str_dupf(e, "%s=%s", c->labels.items[i].key, c->labels.items[i].value);
		if (!label || print_value("Label:", label, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < im->manifest.layer_count; i++) {
		const struct descriptor *layer = &im->manifest.layers[i];
		if (outputf(e, "%-12s%s  %s\n", "Layer:", digest_format(&layer->digest, digest),
			    str_human_size(size, layer->size)) < 0)
			return -1;
	}
	return 0;
}

/* What is asked for instead of the report. */
struct wish {
	bool is_config, is_manifest, is_layers;
	bool is_raw, is_json;
};

static int check_wish(const struct wish *w, struct err *e)
{
	static const char once[] =
		"options '--config', '--manifest' and '--layers' exclude each other";

	if (w->is_config + w->is_manifest + w->is_layers > 1)
		return err_set(e, ERR_USAGE, "%s", once);
	if (w->is_raw && w->is_layers)
		return err_set(e, ERR_USAGE,
			       "option '--raw' prints a document, and '--layers' is none");
	if (w->is_json && (w->is_raw || w->is_config || w->is_manifest))
		return err_set(e, ERR_USAGE,
			       "option '--json' is for the report and for '--layers': "
			       "a document is JSON already");
	return 0;
}

/* A document of the store, which is verified: as it is, or indented. */
static int print_document(const struct store *s, const struct descriptor *d, bool is_raw,
			  struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	if (blobs_read(s, &d->digest, d->size, LIMIT_DOCUMENT, &text, e) < 0)
		return -1;
	if (is_raw)
		return output_write(text.data, text.len, e);
	SCOPE_JSON json_t *doc =
		json_parse_object(text.data, text.len, LIMIT_DOCUMENT, "document", e);
	return doc ? output_json(doc, e) : -1;
}

/* What the name says, be it an index without this machine's platform, or no image at all. */
static int print_top(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE_FREE char *name = NULL;
	SCOPE(descriptor) struct descriptor top = DESCRIPTOR_INIT;
	char q[QUOTE_MAX];

	if (support_store(in, 0, &s, e) < 0 || lease_open(s, "inspect", &l, e) < 0 ||
	    image_find_leased(s, l, in->args[0], &name, &top, e) < 0)
		return -1;
	if (print_document(s, &top, true, e) < 0)
		return err_wrap(e, "image '%s'", quote_str(q, name));
	return 0;
}

static int print_layer_row(struct table *t, const struct layer_info *l, struct err *e)
{
	char digest[DIGEST_STR_MAX], size[STR_SIZE_MAX];

	return table_cell(t, output_short_digest(&l->descriptor->digest, digest), e) < 0 ||
			       table_cell(t, output_short_digest(l->diff_id, digest), e) < 0 ||
			       table_cell(t, l->descriptor->media_type, e) < 0 ||
			       table_cell(t, str_human_size(size, l->descriptor->size), e) < 0 ||
			       table_cell(t, str_human_size(size, l->content), e) < 0 ||
			       table_cellf(t, e, "%" PRIu64, l->entries) < 0 ||
			       table_cell(t, layer_access_name(l->access), e) < 0
		       ? -1
		       : 0;
}

static int print_layer_table(const struct layer_info *list, size_t count, struct err *e)
{
	static const char *const heads[] = {"DIGEST",  "DIFF_ID", "MEDIA TYPE", "COMPRESSED",
					    "CONTENT", "ENTRIES", "SEEKABLE"};
	SCOPE(table) struct table *t = table_new(ARRAY_LEN(heads), e);

	if (!t || table_heads(t, heads, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (print_layer_row(t, &list[i], e) < 0)
			return -1;
	}
	return table_print(t, e);
}

static int print_layer_json(const struct layer_info *list, size_t count, struct err *e)
{
	SCOPE_JSON json_t *doc = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct layer_info *l = &list[i];
		SCOPE_JSON json_t *item = json_object();

		if (put_digest(item, "digest", &l->descriptor->digest, e) < 0 ||
		    put_digest(item, "diff_id", l->diff_id, e) < 0 ||
		    json_put(item, "media_type", json_string(l->descriptor->media_type), e) < 0 ||
		    json_put(item, "size", json_integer((json_int_t)l->descriptor->size), e) < 0 ||
		    json_put(item, "content", json_integer((json_int_t)l->content), e) < 0 ||
		    json_put(item, "tar_size", json_integer((json_int_t)l->tar_size), e) < 0 ||
		    json_put(item, "entries", json_integer((json_int_t)l->entries), e) < 0 ||
		    json_put(item, "seekable", json_string(layer_access_name(l->access)), e) < 0 ||
		    json_push(doc, json_incref(item), e) < 0)
			return -1;
	}
	return output_json(doc, e);
}

static int print_layers(const struct invocation *in, const struct store *s, const struct image *im,
			struct err *e)
{
	SCOPE(progress_line) struct progress_line line;
	struct layers_options opt = {.progress = &line.progress};
	const size_t count = im->manifest.layer_count;

	progress_line_init(&line, false);
	if (support_workers(in, &opt.workers, e) < 0)
		return -1;
	SCOPE_FREE struct layer_info *list = layer_info_list(s, im, &opt, e);
	progress_line_fini(&line);
	if (!list)
		return -1;
	return invocation_has(in, "json") ? print_layer_json(list, count, e)
					  : print_layer_table(list, count, e);
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(image) struct image im = IMAGE_INIT;
	const struct wish w = {
		.is_config = invocation_has(in, "config"),
		.is_manifest = invocation_has(in, "manifest"),
		.is_layers = invocation_has(in, "layers"),
		.is_raw = invocation_has(in, "raw"),
		.is_json = invocation_has(in, "json"),
	};

	if (check_wish(&w, e) < 0)
		return -1;
	if (w.is_raw && !w.is_config && !w.is_manifest && !invocation_has(in, "platform"))
		return print_top(in, e);
	if (support_image(in, &s, &l, &im, e) < 0)
		return -1;
	if (w.is_config)
		return print_document(s, &im.manifest.config, w.is_raw, e);
	if (w.is_manifest || w.is_raw)
		return print_document(s, &im.chosen, w.is_raw, e);
	if (w.is_layers)
		return print_layers(in, s, &im, e);
	return w.is_json ? print_json(s, &im, e) : print_text(&im, e);
}

const struct command command_inspect = {
	.name = "inspect",
	.synopsis = "[OPTION]... IMAGE",
	.summary = "Tell what an image is made of and what it runs",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
