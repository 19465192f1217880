/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/committing.h"

#include <stdio.h>

#include "base/json.h"
#include "base/log.h"
#include "base/quote.h"
#include "cli/key_value.h"
#include "packer/epoch.h"
#include "store/blobs.h"

/* What is worth a line: less is repeated by almost every layer. */
static const uint64_t repeated_note_from = LIMIT_MIB;

static int take_text(const struct invocation *in, const char *option, const char **out,
		     struct err *e)
{
	*out = invocation_value(in, option);
	return *out ? key_value_check_text(option, *out, e) : 0;
}

/* Options that may be repeated. */
static int take_values(const struct invocation *in, struct commit_options *opt, struct err *e)
{
	struct build_target target = {.annotations = STRMAP_INIT};
	struct build_options as_build = {.targets = &target, .target_count = 1};
	const char *text;
	int r = 0;

	for (size_t at = 0; (text = invocation_next(in, "tag", &at));) {
		if (strlist_add(&opt->tags, text, e) < 0)
			return -1;
	}
	for (size_t at = 0; (text = invocation_next(in, "change", &at));) {
		if (key_value_check_text("change", text, e) < 0 ||
		    strlist_add(&opt->changes, text, e) < 0)
			return -1;
	}
	for (size_t at = 0; (text = invocation_next(in, "label", &at));) {
		if (key_value_label(&opt->labels, text, e) < 0)
			return -1;
	}
	for (size_t at = 0; r == 0 && (text = invocation_next(in, "annotation", &at));)
		r = key_value_annotation(&as_build, text, e);
	opt->annotations = target.annotations;
	return r;
}

static int take_epoch(const struct invocation *in, struct commit_layer_options *out, struct err *e)
{
	const char *text = invocation_value(in, "timestamp");
	char q[QUOTE_MAX];
	uint64_t seconds;

	if (!text) {
		const int found = epoch_find(&out->epoch, e);
		out->has_epoch = found > 0;
		return found < 0 ? -1 : 0;
	}
	if (str_to_u64(text, strlen(text), 10, EPOCH_MAX, &seconds) < 0)
		return err_set(e, ERR_USAGE,
			       "option '--timestamp': '%s' is not a number of seconds",
			       quote_str(q, text));
	out->has_epoch = true;
	out->epoch = (int64_t)seconds;
	return 0;
}

int committing_options(struct committing *w, const struct invocation *in, struct err *e)
{
	w->is_quiet = invocation_has(in, "quiet");
	w->opt.created_by = "shale commit";
	w->changes.has_times = invocation_has(in, "times");
	if (take_text(in, "message", &w->opt.message, e) < 0 ||
	    take_text(in, "author", &w->opt.author, e) < 0 || take_values(in, &w->opt, e) < 0 ||
	    take_epoch(in, &w->changes, e) < 0 ||
	    support_compression(in, &w->layer_opt.compression, e) < 0 ||
	    support_workers(in, &w->layer_opt.workers, e) < 0)
		return -1;
	return output_check(e);
}

static int write_layer(struct committing *w, struct session *session, struct progress *progress,
		       struct err *e)
{
	struct layer_result layer;
	SCOPE_FD int fd = blobs_tmpfile(w->store, e);

	if (fd < 0)
		return -1;
	SCOPE(layer_writer) struct layer_writer *writer = layer_writer_new(fd, &w->layer_opt, e);
	if (!writer)
		return -1;
	progress_begin(progress, "packing", w->result.content);
	layer_writer_set_progress(writer, progress);
	w->changes.progress = NULL;
	if (commit_layer_write(session, &w->changes, writer, &w->result, e) < 0 ||
	    layer_writer_finish(writer, &layer, e) < 0)
		return -1;
	progress_begin(progress, "writing to disk", 0);
	if (layers_publish(w->store, w->lease, fd, writer, &layer, e) < 0 ||
	    layer_result_descriptor(&layer, &w->layer, e) < 0)
		return -1;
	w->has_layer = true;
	w->diff_id = layer.diff_id;
	return 0;
}

/* What it costs, before it is paid. */
static void note_repeated(const struct committing *w, struct progress_line *line)
{
	char size[STR_SIZE_MAX];

	if (w->result.repeated < repeated_note_from || w->is_quiet)
		return;
	progress_line_clear(line);
	(void)fprintf(stderr,
		      "the layer repeats %s of the image: files of which only the name, the mode, "
		      "the owner or extended attributes changed\n",
		      str_human_size(size, w->result.repeated));
}

/* All that is read of the session: its changes, and the layer of them. */
static int pack(struct committing *w, const struct support_session *x, struct progress_line *line,
		struct err *e)
{
	struct progress *progress = &line->progress;

	progress_begin(progress, "comparing", 0);
	w->changes.progress = progress;
	if (commit_layer_measure(x->session, &w->changes, &w->result, e) < 0)
		return -1;
	note_repeated(w, line);
	if (w->result.entries && write_layer(w, x->session, progress, e) < 0)
		return -1;
	/* Each was named when the layer was written. */
	if (!w->result.entries && w->result.sockets)
		log_warning(
			"sockets are all that is new, and are left out: no layer can hold them");
	return 0;
}

int committing_run(struct committing *w, struct store *s, struct lease *l,
		   const struct support_session *x, struct progress_line *line, struct err *e)
{
	const int64_t *created = NULL;

	w->store = s;
	w->lease = l;
	if (commit_init(&w->commit, s, &w->opt, &x->image, e) < 0)
		return -1;
	if (pack(w, x, line, e) < 0)
		return support_session_explain(x, e);
	if (support_session_check(x, e) < 0)
		return -1;
	if (w->changes.has_epoch)
		created = &w->changes.epoch;
	else if (w->has_layer)
		created = &w->result.newest;
	return commit_finish(&w->commit, l, w->has_layer ? &w->layer : NULL, &w->diff_id, created,
			     &w->manifest, e);
}

int committing_check(const struct committing *w, const struct store *s, const struct image *base,
		     struct err *e)
{
	struct commit c = {.manifest = MANIFEST_INIT};

	image_config_init(&c.config);
	const int r = commit_init(&c, s, &w->opt, base, e);
	commit_fini(&c);
	return r;
}

static int put_digest(json_t *doc, const char *key, const struct digest *d, struct err *e)
{
	char text[DIGEST_STR_MAX];

	return json_put(doc, key, d ? json_string(digest_format(d, text)) : json_null(), e);
}

int committing_print_json(const struct committing *w, struct err *e)
{
	const struct commit *c = &w->commit;
	const struct commit_layer_result *r = &w->result;
	SCOPE_JSON json_t *doc = json_object();
	SCOPE_JSON json_t *names = json_array();

	for (size_t i = 0; i < c->names.count; i++) {
		if (json_push(names, json_string(c->names.items[i]), e) < 0)
			return -1;
	}
	if (put_digest(doc, "digest", &w->manifest.digest, e) < 0 ||
	    put_digest(doc, "config", &c->manifest.config.digest, e) < 0 ||
	    put_digest(doc, "layer", w->has_layer ? &w->layer.digest : NULL, e) < 0 ||
	    put_digest(doc, "diff_id", w->has_layer ? &w->diff_id : NULL, e) < 0 ||
	    json_put(doc, "names", json_incref(names), e) < 0 ||
	    json_put(doc, "entries", json_integer((json_int_t)r->entries), e) < 0 ||
	    json_put(doc, "content_size", json_integer((json_int_t)r->content), e) < 0 ||
	    json_put(doc, "repeated_size", json_integer((json_int_t)r->repeated), e) < 0 ||
	    json_put(doc, "sockets", json_integer((json_int_t)r->sockets), e) < 0)
		return -1;
	return output_json(doc, e);
}

int committing_print(const struct committing *w, struct err *e)
{
	char text[DIGEST_STR_MAX];

	return outputf(e, "%s\n", digest_format(&w->manifest.digest, text));
}

void committing_init(struct committing *w)
{
	*w = (struct committing){.layer = DESCRIPTOR_INIT,
				 .manifest = DESCRIPTOR_INIT,
				 .commit = {.manifest = MANIFEST_INIT}};
	image_config_init(&w->commit.config);
}

void committing_fini(struct committing *w)
{
	commit_fini(&w->commit);
	descriptor_fini(&w->layer);
	descriptor_fini(&w->manifest);
	strlist_fini(&w->opt.tags);
	strlist_fini(&w->opt.changes);
	strmap_fini(&w->opt.labels);
	strmap_fini(&w->opt.annotations);
}
