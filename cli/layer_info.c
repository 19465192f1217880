/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/layer_info.h"

#include "base/array.h"
#include "cli/support.h"
#include "image/layer_index.h"
#include "store/refs.h"

static int count_entries(const struct layer_index *ix, struct layer_info *out, struct err *e)
{
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;

	out->entries = layer_index_entry_count(ix);
	for (size_t i = 0; i < out->entries; i++) {
		struct entry en;
		if (layer_index_entry(ix, i, &scratch, &en, e) < 0)
			return -1;
		for (size_t k = 0; k < en.extent_count; k++)
			out->content = add_up_to(out->content, en.extents[k].length, INT64_MAX);
	}
	return 0;
}

static int read_layer(const struct store *s, const struct layers_options *opt,
		      struct layer_info *out, struct err *e)
{
	SCOPE(layer_index) struct layer_index *ix = NULL;
	struct catalog_layer info;
	char text[DIGEST_STR_MAX];

	if (layers_index(s, out->descriptor, out->diff_id, opt, &ix, &info, e) < 0)
		return err_wrap(e, "layer '%s'", digest_format(&out->descriptor->digest, text));
	out->tar_size = layer_index_tar_size(ix);
	if (info.is_reframed)
		out->access = LAYER_ACCESS_REFRAMED;
	else
		out->access = strmap_get(&out->descriptor->annotations, LAYER_INDEX_DIGEST_KEY)
				      ? LAYER_ACCESS_EMBEDDED
				      : LAYER_ACCESS_DERIVED;
	return count_entries(ix, out, e);
}

struct layer_info *layer_info_list(const struct store *s, const struct image *im,
				   const struct layers_options *opt, struct err *e)
{
	const size_t count = im->manifest.layer_count;
	const struct image_config *c = &im->config;
	SCOPE_FREE struct layer_info *list = array_new(count, sizeof(*list), e);
	size_t step = 0;

	if (!list)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		list[i].descriptor = &im->manifest.layers[i];
		list[i].diff_id = &c->diff_ids[i];
		if (read_layer(s, opt, &list[i], e) < 0)
			return NULL;
		while (step < c->history_count && c->history[step].is_empty_layer)
			step++;
		if (step < c->history_count)
			list[i].step = &c->history[step++];
	}
	return steal_ptr(&list);
}

static void count_common(const struct image *im, const struct image *other, struct layer_info *list)
{
	for (size_t i = 0; i < im->manifest.layer_count; i++) {
		bool has_it = false;
		for (size_t k = 0; !has_it && k < other->manifest.layer_count; k++)
			has_it = digest_equal(&im->manifest.layers[i].digest,
					      &other->manifest.layers[k].digest);
		list[i].shared += has_it;
	}
}

int layer_info_count_shares(const struct store *s, const struct image *im, struct layer_info *list,
			    int *status, struct err *e)
{
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;

	if (refs_list(s, &ix, e) < 0)
		return -1;
	for (size_t i = 0; i < ix.count; i++) {
		const struct descriptor *top = &ix.manifests[i];
		const char *name = strmap_get(&top->annotations, REFS_NAME_KEY);
		SCOPE(image) struct image other = IMAGE_INIT;
		struct err why = ERR_INIT;

		if (!name || reference_artifact_tag(name))
			continue;
		if (image_load_any(s, name, top, &other, &why) < 0) {
			if (support_pass_over(name, &why, status, e) < 0)
				return -1;
			continue;
		}
		if (!digest_equal(&other.chosen.digest, &im->chosen.digest))
			count_common(im, &other, list);
	}
	return 0;
}

const char *layer_access_name(enum layer_access access)
{
	static const char *const names[] = {
		[LAYER_ACCESS_EMBEDDED] = "embedded",
		[LAYER_ACCESS_DERIVED] = "derived",
		[LAYER_ACCESS_REFRAMED] = "re-framed",
	};

	return names[access];
}
