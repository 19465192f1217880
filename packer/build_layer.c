/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <time.h>

#include "base/array.h"
#include "image/layer_write.h"
#include "packer/builder.h"
#include "packer/copy_key.h"
#include "store/blobs.h"
#include "store/builds.h"

/* 1, or 0 when this build has not had it. */
static int get_made(const struct builder *b, const struct digest *key, struct descriptor *layer,
		    struct digest *diff_id, struct err *e)
{
	for (size_t i = 0; i < b->made_count; i++) {
		const struct made_layer *m = &b->made[i];
		if (!digest_equal(&m->key, key))
			continue;
		*diff_id = m->diff_id;
		return descriptor_copy(layer, &m->layer, e) < 0 ? -1 : 1;
	}
	return 0;
}

static int put_made(struct builder *b, const struct digest *key, const struct descriptor *layer,
		    const struct digest *diff_id, struct err *e)
{
	if (array_reserve(&b->made, &b->made_cap, b->made_count + 1, sizeof(*b->made), e) < 0)
		return -1;
	struct made_layer *m = &b->made[b->made_count];
	*m = (struct made_layer){*key, DESCRIPTOR_INIT, *diff_id};
	if (descriptor_copy(&m->layer, layer, e) < 0)
		return -1;
	b->made_count++;
	return 0;
}

void build_layers_forget(struct builder *b)
{
	for (size_t i = 0; i < b->made_count; i++)
		descriptor_fini(&b->made[i].layer);
	free(b->made);
	b->made = NULL;
	b->made_count = b->made_cap = 0;
}

static int write_layer(const struct builder *b, struct copy_list *list, struct layer_result *out,
		       struct err *e)
{
	const struct layer_options opt = {b->opt->compression, b->opt->workers};
	SCOPE_FD int fd = blobs_tmpfile(b->store, e);

	if (fd < 0)
		return -1;
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(fd, &opt, e);
	if (!w || copy_list_write(list, b->context, b->epoch, w, b->opt->progress, e) < 0 ||
	    layer_writer_finish(w, out, e) < 0)
		return -1;
	progress_begin(b->opt->progress, "writing to disk", 0);
	return layers_publish(b->store, b->lease, fd, w, out, e);
}

/* Writes the layer, and remembers it for other builds under `key` (NULL: it is not to be). */
static int make(const struct builder *b, struct copy_list *list, const struct digest *key,
		struct descriptor *layer, struct digest *diff_id, struct err *e)
{
	struct layer_result result;
	struct timespec since;

	/* The clock that files are stamped by. */
	if (clock_gettime(CLOCK_REALTIME_COARSE, &since) < 0)
		key = NULL;
	if (write_layer(b, list, &result, e) < 0 || layer_result_descriptor(&result, layer, e) < 0)
		return -1;
	*diff_id = result.diff_id;
	return key && copy_key_holds(list, &since) ? builds_put(b->store, key, layer, diff_id, e)
						   : 0;
}

int build_layer(struct builder *b, struct copy_list *list, struct descriptor *layer,
		struct digest *diff_id, struct err *e)
{
	const struct digest key = copy_key(list, b->epoch, &b->opt->compression);
	const int is_made = get_made(b, &key, layer, diff_id, e);

	if (is_made != 0)
		return is_made < 0 ? -1 : 0;
	const bool lasts = copy_key_lasts(list, b->context);
	const int is_known = lasts && !b->opt->is_fresh
				     ? builds_get(b->store, b->lease, &key, layer, diff_id, e)
				     : 0;
	if (is_known < 0 ||
	    (!is_known && make(b, list, lasts ? &key : NULL, layer, diff_id, e) < 0))
		return -1;
	return put_made(b, &key, layer, diff_id, e);
}
