/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/support.h"
#include "fs/tar_out.h"
#include "image/mediatype.h"
#include "packer/export.h"
#include "store/outside.h"

static const struct option options[] = {
	OPTION_PLATFORM,
	{0, "compression", "FORMAT[:LEVEL]", "re-encode layers as zstd or gzip (default: keep)"},
	OPTION_WORKERS,
	OPTION_JSON,
	OPTION_QUIET,
	OPTION_END,
};

static const struct word words[] = {
	{"DEST", WORD_PREFIXED, "oci|oci-archive|docker-archive|rootfs"},
	{NULL, WORD_FILE, NULL},
};

struct tree {
	struct view *view;
	struct progress *progress;
};

/* export_archive.fill */
static int put_tree(void *ctx, struct tar_archive *to, struct err *e)
{
	const struct tree *t = ctx;

	progress_begin(t->progress, "exporting", catalog_content_size(view_catalog(t->view)));
	return tar_out(t->view, to, t->progress, e);
}

/* Standard output has no path. */
static int check_place(const struct store *s, const struct export_dest *dest, struct err *e)
{
	return dest->path ? outside_check(s, dest->path, e) : 0;
}

static int export_tree(const struct invocation *in, const struct export_dest *dest,
		       struct progress *progress, struct export_result *out, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(image) struct image im = IMAGE_INIT;

	if (support_image(in, &s, &l, &im, e) < 0 || check_place(s, dest, e) < 0)
		return -1;
	SCOPE(view) struct view *v = support_view(s, &im, in->command->name, progress, e);
	if (!v)
		return -1;
	struct tree t = {v, progress};
	if (export_archive(dest, put_tree, &t, progress, &out->bytes, e) < 0)
		return -1;
	out->layers = im.manifest.layer_count;
	return descriptor_copy(&out->top, &im.chosen, e);
}

static int export_image(const struct invocation *in, const struct export_dest *dest,
			struct progress *progress, struct export_result *out, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *l = NULL;
	struct platform room;
	struct compression compression;
	struct export_options opt = {.progress = progress};

	if (invocation_has(in, "compression"))
		opt.compression = &compression;
	if (support_platform(in, &room, &opt.platform, e) < 0 ||
	    support_compression(in, &compression, e) < 0 ||
	    support_workers(in, &opt.workers, e) < 0 || support_store(in, 0, &s, e) < 0 ||
	    check_place(s, dest, e) < 0 || lease_open(s, in->command->name, &l, e) < 0)
		return -1;
	return export_run(s, l, in->args[0], dest, &opt, out, e);
}

/* What is not in the digest: where people would look in vain for what was there before. */
static void tell_changes(const struct export_changes *c)
{
	if (c->signatures > 0)
		log_warning("signatures left out: %" PRIu64 ", of the digest that the image had; "
			    "'shale sign' signs what 'shale import' makes of this",
			    c->signatures);
	if (c->kept_manifests > 0)
		log_warning("manifests that are no images: %" PRIu64 ", kept as they are; the "
			    "digests in attestations are those that the images had",
			    c->kept_manifests);
	if (c->kept_images > 0)
		log_warning("images with layers of an unknown type: %" PRIu64 ", kept as they are",
			    c->kept_images);
	if (c->kept_layers > 0)
		log_warning("layers that nobody may pass on: %" PRIu64 ", kept as they are",
			    c->kept_layers);
}

/* Podman's libraries and umoci look for OCI's types alone in a layout, and do not see others. */
static void tell_types(const struct export_dest *dest, const struct export_result *r)
{
	const char *type = r->top.media_type;

	if (dest->kind != EXPORT_OCI && dest->kind != EXPORT_OCI_ARCHIVE)
		return;
	if (str_equal(mediatype_to_oci(type), type))
		return;
	log_warning("the image is of docker's type '%s', which skopeo, podman and umoci do not "
		    "read in an OCI layout: --compression zstd or gzip makes OCI documents of it",
		    type);
}

static int put_changes(json_t *doc, const struct export_changes *c, struct err *e)
{
	if (json_put(doc, "recoded", json_integer((json_int_t)c->recoded), e) < 0 ||
	    json_put(doc, "kept_layers", json_integer((json_int_t)c->kept_layers), e) < 0 ||
	    json_put(doc, "kept_images", json_integer((json_int_t)c->kept_images), e) < 0 ||
	    json_put(doc, "kept_manifests", json_integer((json_int_t)c->kept_manifests), e) < 0)
		return -1;
	return json_put(doc, "signatures_left", json_integer((json_int_t)c->signatures), e);
}

static int print_json(const struct export_result *r, const char *dest, struct err *e)
{
	char digest[DIGEST_STR_MAX];
	SCOPE_JSON json_t *doc = json_object();

	digest_format(&r->top.digest, digest);
	if (json_put(doc, "digest", json_string(digest), e) < 0 ||
	    json_put(doc, "media_type", json_string(r->top.media_type), e) < 0 ||
	    json_put(doc, "destination", json_text_value(dest, strlen(dest)), e) < 0 ||
	    json_put(doc, "name", r->name ? json_string(r->name) : json_null(), e) < 0 ||
	    json_put(doc, "bytes", json_integer((json_int_t)r->bytes), e) < 0 ||
	    json_put(doc, "layers", json_integer((json_int_t)r->layers), e) < 0 ||
	    json_put(doc, "signatures", json_integer((json_int_t)r->signatures), e) < 0 ||
	    put_changes(doc, &r->changes, e) < 0)
		return -1;
	return output_json(doc, e);
}

/* Standard output holds the archive, or the digest of what went elsewhere. */
static int print_result(const struct invocation *in, const struct export_dest *dest,
			const struct export_result *r, struct err *e)
{
	char digest[DIGEST_STR_MAX];

	if (!dest->path)
		return 0;
	if (invocation_has(in, "json"))
		return print_json(r, in->args[1], e);
	return outputf(e, "%s\n", digest_format(&r->top.digest, digest));
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(export_dest) struct export_dest dest = EXPORT_DEST_INIT;
	SCOPE(export_result) struct export_result result = {.bytes = 0};
	SCOPE(progress_line) struct progress_line line;

	progress_line_init(&line, invocation_has(in, "quiet"));
	if (export_dest_parse(&dest, in->args[1], e) < 0)
		return -1;
	if (!dest.path && invocation_has(in, "json"))
		return err_set(e, ERR_USAGE,
			       "option '--json': standard output is taken by the archive");
	if (dest.kind == EXPORT_ROOTFS && invocation_has(in, "compression"))
		return err_set(e, ERR_USAGE,
			       "option '--compression': a tar of the files has no layers");
	if (output_check(e) < 0)
		return -1;
	const int r = dest.kind == EXPORT_ROOTFS
			      ? export_tree(in, &dest, &line.progress, &result, e)
			      : export_image(in, &dest, &line.progress, &result, e);
	progress_line_fini(&line);
	if (r < 0)
		return -1;
	tell_changes(&result.changes);
	tell_types(&dest, &result);
	return print_result(in, &dest, &result, e);
}

const struct command command_export = {
	.name = "export",
	.synopsis = "[OPTION]... IMAGE DEST",
	.summary = "Write an image or its files for other tools",
	.options = options,
	.min_args = 2,
	.max_args = 2,
	.words = words,
	.run = run,
};
