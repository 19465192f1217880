/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/archives.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/log.h"
#include "base/quote.h"

struct archives {
	struct archive *items[ARCHIVES_KEPT];
	size_t count;
};

struct archives *archives_new(struct err *e)
{
	return array_new(1, sizeof(struct archives), e);
}

void archives_free(struct archives *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->count; i++)
		archive_close(a->items[i]);
	free(a);
}

void archive_close(struct archive *a)
{
	if (!a || --a->holders > 0)
		return;
	merge_free(a->merge);
	tar_tree_fini(&a->tree);
	free(a);
}

static struct archive *find(const struct archives *kept, const struct stat *st)
{
	const struct stamp file = stamp_of(st);

	for (size_t i = 0; i < kept->count; i++) {
		if (stamp_equal(&kept->items[i]->file, &file))
			return kept->items[i];
	}
	return NULL;
}

static void tell_losses(const char *what, const struct tar_losses *l)
{
	char q[QUOTE_MAX];

	if (l->acls.count)
		log_warning("'%s': ACLs of %" PRIu64 " files are left out, the first of '%s'",
			    quote_str(q, what), l->acls.count, l->acls.first);
}

static struct archive *open_new(const struct stage *st, const struct archive_file *file,
				struct err *e)
{
	const struct layers_options *from = stage_options(st);
	struct tar_losses losses = {.acls = {.count = 0}};
	const struct tar_tree_options opt = {stage_store(st), from->workers, from->progress,
					     &losses};
	SCOPE(archive) struct archive *a = array_new(1, sizeof(*a), e);

	if (!a)
		return NULL;
	*a = (struct archive){TAR_TREE_INIT, NULL, stamp_of(file->st), 1};
	if (tar_tree_open(&a->tree, file->fd, (uint64_t)file->st->st_size, file->name, &opt, e) < 0)
		return NULL;
	a->merge = merge_new(e);
	if (!a->merge || merge_add_layer(a->merge, a->tree.ix, e) < 0)
		return NULL;
	tell_losses(file->name, &losses);
	return steal_ptr(&a);
}

struct archive *archives_open(struct archives *kept, const struct stage *st,
			      const struct archive_file *file, struct err *e)
{
	struct archive *a = kept ? find(kept, file->st) : NULL;

	if (a) {
		a->holders++;
		return a;
	}
	a = open_new(st, file, e);
	if (a && kept && kept->count < ARCHIVES_KEPT) {
		kept->items[kept->count++] = a;
		a->holders++;
	}
	return a;
}
