/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/layer_info.h"
#include "cli/output.h"
#include "cli/support.h"

static const struct option options[] = {
	{0, "no-trunc", NULL, "do not cut how a layer was made"},
	{'q', "quiet", NULL, "only the digests of the layers; no progress"},
	OPTION_PLATFORM,
	OPTION_JSON,
	OPTION_END,
};

enum { SECONDS_LEN = 19 /* "1980-01-01T00:00:00" */ };

/* A step of the history, and the layer that it made. */
struct row {
	const struct history *step;     /* NULL: a layer that the history does not know */
	const struct descriptor *layer; /* NULL: none */
	const struct layer_info *info;  /* NULL as `layer`, or not asked for */
};

/* The base first.  Config and manifest need not agree in the number of layers that have a step. */
static struct row *make_rows(const struct image *im, const struct layer_info *infos, size_t *count,
			     struct err *e)
{
	const struct image_config *c = &im->config;
	const size_t layers = im->manifest.layer_count;
	struct row *rows = array_new(c->history_count + layers, sizeof(*rows), e);
	size_t layer = 0, n = 0;

	if (!rows)
		return NULL;
	for (size_t i = 0; i < c->history_count || layer < layers; n++) {
		struct row *r = &rows[n];
		r->step = i < c->history_count ? &c->history[i++] : NULL;
		if ((r->step && r->step->is_empty_layer) || layer == layers)
			continue;
		r->layer = &im->manifest.layers[layer];
		r->info = infos ? &infos[layer] : NULL;
		layer++;
	}
	*count = n;
	return rows;
}

/* Without fractions of a second, which tools write up to nine digits of. */
static int append_time(struct str *out, const char *created, struct err *e)
{
	if (!created)
		return str_append_c(out, '-', e);
	const size_t len = strlen(created);
	if (len < SECONDS_LEN || created[SECONDS_LEN] != '.')
		return str_append(out, created, len, e);
	const char *rest = created + SECONDS_LEN + 1;
	rest += strspn(rest, "0123456789");
	if (str_append(out, created, SECONDS_LEN, e) < 0)
		return -1;
	return str_append_z(out, rest, e);
}

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

static int print_row(struct table *t, const struct row *r, struct err *e)
{
	SCOPE(str) struct str when = STR_INIT;
	char size[STR_SIZE_MAX];
	/* A step that says it made a layer, when there are no more of them. */
	const bool is_lost = r->step && !r->step->is_empty_layer && !r->layer;

	if (append_time(&when, r->step ? r->step->created : NULL, e) < 0)
		return -1;
	return table_cell(t, str_text(&when), e) < 0 ||
			       table_cell(t, or_dash(r->step ? r->step->created_by : NULL), e) <
				       0 ||
			       table_cell(t,
					  is_lost ? "-"
						  : str_human_size(size,
								   r->info ? r->info->content : 0),
					  e) < 0 ||
			       table_cell(t, r->step && r->step->comment ? r->step->comment : "",
					  e) < 0
		       ? -1
		       : 0;
}

static int print_table(const struct row *rows, size_t count, bool is_cut, struct err *e)
{
	static const char *const heads[] = {"CREATED", "CREATED BY", "SIZE", "COMMENT"};
	SCOPE(table) struct table *t = table_new(ARRAY_LEN(heads), e);

	if (!t || table_heads(t, heads, e) < 0)
		return -1;
	if (is_cut)
		table_cut(t, 1);
	while (count-- > 0) {
		if (print_row(t, &rows[count], e) < 0)
			return -1;
	}
	return table_print(t, e);
}

static int print_digests(const struct row *rows, size_t count, struct err *e)
{
	char digest[DIGEST_STR_MAX];

	while (count-- > 0) {
		if (rows[count].layer &&
		    outputf(e, "%s\n", digest_format(&rows[count].layer->digest, digest)) < 0)
			return -1;
	}
	return 0;
}

static int put_text(json_t *item, const char *key, const char *text, struct err *e)
{
	return json_put(item, key, text ? json_text_value(text, strlen(text)) : json_null(), e);
}

static int put_row(json_t *list, const struct row *r, struct err *e)
{
	static const struct history unknown = {.created = NULL};
	const struct history *h = r->step ? r->step : &unknown;
	SCOPE_JSON json_t *item = json_object();
	char digest[DIGEST_STR_MAX];

	if (put_text(item, "created", h->created, e) < 0 ||
	    put_text(item, "created_by", h->created_by, e) < 0 ||
	    put_text(item, "author", h->author, e) < 0 ||
	    put_text(item, "comment", h->comment, e) < 0 ||
	    put_text(item, "layer", r->layer ? digest_format(&r->layer->digest, digest) : NULL, e) <
		    0 ||
	    json_put(item, "size", json_integer(r->info ? (json_int_t)r->info->content : 0), e) <
		    0 ||
	    json_put(item, "compressed", json_integer(r->layer ? (json_int_t)r->layer->size : 0),
		     e) < 0)
		return -1;
	return json_push(list, json_incref(item), e);
}

static int print_json(const struct row *rows, size_t count, struct err *e)
{
	SCOPE_JSON json_t *doc = json_array();

	while (count-- > 0) {
		if (put_row(doc, &rows[count], e) < 0)
			return -1;
	}
	return output_json(doc, e);
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(image) struct image im = IMAGE_INIT;
	SCOPE(progress_line) struct progress_line line;
	struct layers_options opt = {.progress = &line.progress};
	SCOPE_FREE struct layer_info *infos = NULL;
	const bool is_quiet = invocation_has(in, "quiet"), is_json = invocation_has(in, "json");
	size_t count;

	progress_line_init(&line, is_quiet);
	if (is_quiet && is_json)
		return err_set(e, ERR_USAGE, "options '--quiet' and '--json' exclude each other");
	if (support_workers(in, &opt.workers, e) < 0 || support_image(in, &s, &l, &im, e) < 0)
		return -1;
	if (!is_quiet) {
		infos = layer_info_list(s, &im, &opt, e);
		if (!infos)
			return -1;
	}
	progress_line_fini(&line);
	SCOPE_FREE struct row *rows = make_rows(&im, infos, &count, e);
	if (!rows)
		return -1;
	if (is_quiet)
		return print_digests(rows, count, e);
	return is_json ? print_json(rows, count, e)
		       : print_table(rows, count, !invocation_has(in, "no-trunc"), e);
}

const struct command command_history = {
	.name = "history",
	.synopsis = "[OPTION]... IMAGE",
	.summary = "Tell how an image came to be",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
