/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A COPY becomes a list first (copy_list.h), then the list is written.  So neither the order of
 * sources nor that of a directory matters, and what cannot work is said before a byte is written.
 */
#include "packer/copy_layer.h"

#include <string.h>

#include "base/limits.h"
#include "base/path.h"
#include "base/quote.h"
#include "packer/copy_archive.h"
#include "packer/copy_list.h"
#include "packer/copy_parents.h"
#include "packer/host_file.h"
#include "packer/tar_tree.h"

enum {
	MODE_BITS = 07777,
	MODE_EXECUTABLE = 0755, /* and directories */
	MODE_FILE = 0644,
	MODE_SYMLINK = 0777,
};

/* A COPY that is being collected. */
struct collector {
	struct copy_list *list;
	const struct context *context;
	const struct stage *stage;
	struct archives *archives; /* those that are kept; NULL */
	const struct plan_copy *copy;
	struct ignore *exclude;
	struct str dest; /* canonical, of the directory or file that is being filled */
	struct str kept; /* --parents: the last directory of the context that is in the list, with
			    all above it */
};

/* `mode`, then --chmod. */
static uint32_t changed_mode(const struct collector *k, uint32_t mode, bool is_dir)
{
	return k->copy->has_chmod ? chmod_apply(&k->copy->chmod, mode, is_dir) : mode;
}

/* Modes as git sees them, or as they are, then --chmod. */
static uint32_t mode_of(const struct collector *k, const struct stat *st)
{
	const bool is_dir = S_ISDIR(st->st_mode);
	const uint32_t of_git = is_dir || st->st_mode & S_IXUSR ? MODE_EXECUTABLE : MODE_FILE;

	return changed_mode(k, k->copy->keeps_modes ? st->st_mode & MODE_BITS : of_git, is_dir);
}

static int add_file(struct collector *k, const char *source, const struct stat *st,
		    const char *target, struct err *e)
{
	char text[LIMIT_SYMLINK + 1];
	char q[QUOTE_MAX];
	struct copy_item item = {
		.origin = ITEM_CONTEXT,
		.path = k->dest.data,
		.mode = mode_of(k, st),
		.owner = k->list->owner,
		.seen = stamp_of(st),
	};
	SCOPE_FREE char *from = str_dup(source, e);

	if (!from)
		return -1;
	item.source = from;
	if (S_ISREG(st->st_mode)) {
		item.kind = ENTRY_REG;
		item.size = (uint64_t)st->st_size;
	} else if (S_ISDIR(st->st_mode)) {
		item.kind = ENTRY_DIR;
	} else if (S_ISLNK(st->st_mode)) {
		item.kind = ENTRY_SYMLINK;
		item.mode = MODE_SYMLINK;
		(void)snprintf(text, sizeof(text), "%s", target);
		item.target = text;
	} else {
		return err_set(e, ERR_UNSUPPORTED,
			       "'%s' of the context is a FIFO, socket or device (an ignore file "
			       "can exclude it)",
			       quote_str(q, source));
	}
	return copy_list_add(k->list, &item, e);
}

/* context_walk */
static int take_entry(void *ctx, const struct context_entry *entry, struct err *e)
{
	struct collector *k = ctx;
	const size_t len = k->dest.len;
	int r = 0;

	if (len)
		r = str_append_c(&k->dest, '/', e);
	if (r == 0)
		r = str_append_z(&k->dest, entry->below, e);
	if (r == 0)
		r = add_file(k, entry->path, entry->st, entry->target, e);
	str_truncate(&k->dest, len);
	return r;
}

/* Sets k->dest to where `path` ("/usr/bin/x") really is in the stage. */
static int set_dest(struct collector *k, const char *path, struct err *e)
{
	str_truncate(&k->dest, 0);
	if (str_reserve(&k->dest, 1, e) < 0)
		return -1;
	k->dest.data[0] = '\0';
	/* --link does not look at the stage. */
	if (k->copy->is_link)
		return path_clean(path, &k->dest, e);
	return merge_real_path(stage_tree(k->stage), path, &k->dest, e);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* Sets k->dest for a file, which goes into a directory that is named as one or is one; else it gets
 * the name. */
static int set_file_dest(struct collector *k, const char *name, bool into_dir, struct err *e)
{
	enum entry_kind kind;

	if (set_dest(k, k->copy->dest, e) < 0)
		return -1;
	if (!into_dir && !k->copy->is_link)
		into_dir =
			stage_find(k->stage, k->dest.data, k->dest.len, &kind) && kind == ENTRY_DIR;
	if (!into_dir)
		return 0;
	if (k->dest.len && str_append_c(&k->dest, '/', e) < 0)
		return -1;
	return str_append_z(&k->dest, name, e);
}

static int copy_file(struct collector *k, const char *source, const struct stat *st, bool into_dir,
		     struct err *e)
{
	if (k->exclude && ignore_is_excluded(k->exclude, base_name(source)))
		return 0;
	if (k->exclude && ignore_check_steps(k->exclude, e) < 0)
		return -1;
	return set_file_dest(k, base_name(source), into_dir, e) < 0
		       ? -1
		       : add_file(k, source, st, NULL, e);
}

/* ADD of a tar: 1 when `source` is one, and all of it was added; 0, -1. */
static int unpack(struct collector *k, const char *source, const struct stat *st, struct err *e)
{
	const struct stamp seen = stamp_of(st);
	SCOPE_FD int fd = context_open_file(k->context, source, &seen, e);
	char q[QUOTE_MAX];

	if (fd < 0)
		return -1;
	const int is_tar = tar_tree_probe(fd, e);
	if (is_tar < 0)
		return err_wrap(e, "'%s'", quote_str(q, source));
	if (!is_tar)
		return 0;
	if (set_dest(k, k->copy->dest, e) < 0)
		return -1;
	const struct archive_file file = {fd, st, source};
	const bool has_owner = k->copy->chown != NULL;
	SCOPE(archive) struct archive *a = archives_open(k->archives, k->stage, &file, e);
	if (!a || copy_archive_add(k->list, k->stage, a, k->dest.data, has_owner, e) < 0)
		return err_wrap(e, "'%s'", quote_str(q, source));
	a = NULL; /* the list's */
	return 1;
}

static int copy_text(struct collector *k, const struct plan_text *text, bool into_dir,
		     struct err *e)
{
	if (set_file_dest(k, text->name, into_dir, e) < 0)
		return -1;
	const struct copy_item item = {
		.origin = ITEM_TEXT,
		.kind = ENTRY_REG,
		.path = k->dest.data,
		.source = text->text,
		.mode = changed_mode(k, MODE_FILE, false),
		.owner = k->list->owner,
		.size = strlen(text->text),
	};
	return copy_list_add(k->list, &item, e);
}

static int copy_dir(struct collector *k, const char *source, struct err *e)
{
	if (set_dest(k, k->copy->dest, e) < 0)
		return -1;
	return context_walk(k->context, source, k->exclude, take_entry, k, e);
}

/* Whether directory `dir` (`len` bytes) is `other` or above it. */
static bool is_at_or_above(const char *dir, size_t len, const char *other)
{
	return strncmp(dir, other, len) == 0 && (other[len] == '/' || other[len] == '\0');
}

static int keep(struct collector *k, const char *dir, size_t len, struct err *e)
{
	str_truncate(&k->kept, 0);
	return str_append(&k->kept, dir, len, e);
}

/* The directories of the context on the way to an entry, as they are there. */
static int take_parents(struct collector *k, const struct context_entry *entry, struct err *e)
{
	const size_t skip = (size_t)(entry->below - entry->path);

	for (const char *slash = strchr(entry->below, '/'); slash; slash = strchr(slash + 1, '/')) {
		const size_t len = (size_t)(slash - entry->path);
		struct stat st;
		if (k->kept.len && is_at_or_above(entry->path, len, k->kept.data))
			continue;
		SCOPE_FREE char *path = str_dup_n(entry->path, len, e);
		if (!path || context_stat(k->context, path, &st, e) < 0)
			return -1;
		const struct context_entry dir = {path, path + skip, &st, NULL};
		if (take_entry(k, &dir, e) < 0 || keep(k, path, len, e) < 0)
			return -1;
	}
	return 0;
}

/* context_walk, of a source with --parents */
static int take_with_parents(void *ctx, const struct context_entry *entry, struct err *e)
{
	struct collector *k = ctx;

	if (k->exclude) {
		const bool is_out = ignore_is_excluded(k->exclude, entry->below);
		if (ignore_check_steps(k->exclude, e) < 0)
			return -1;
		if (is_out)
			return 0;
	}
	if (take_parents(k, entry, e) < 0 || take_entry(k, entry, e) < 0)
		return -1;
	return S_ISDIR(entry->st->st_mode) ? keep(k, entry->path, strlen(entry->path), e) : 0;
}

static int collect_with_parents(struct collector *k, struct err *e)
{
	if (set_dest(k, k->copy->dest, e) < 0)
		return -1;
	for (size_t i = 0; i < k->copy->sources.count; i++) {
		str_truncate(&k->kept, 0);
		if (copy_parents_walk(k->context, k->copy, i, take_with_parents, k, e) < 0)
			return -1;
	}
	return 0;
}

/* Whether the destination is there, so that a COPY of an empty directory makes it. */
static int add_dest_dir(struct collector *k, struct err *e)
{
	if (set_dest(k, k->copy->dest, e) < 0)
		return -1;
	return k->dest.len ? copy_list_add_dir(k->list, k->dest.data, e) : 0;
}

/* 1 when it fills the destination as a directory, 0, -1. */
static int copy_found(struct collector *k, const char *source, bool into_dir, struct err *e)
{
	struct stat st;

	if (context_stat(k->context, source, &st, e) < 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return copy_dir(k, source, e) < 0 ? -1 : 1;
	if (k->copy->is_unpacked && S_ISREG(st.st_mode)) {
		const int is_tar = unpack(k, source, &st, e);
		if (is_tar)
			return is_tar;
	}
	return copy_file(k, source, &st, into_dir, e);
}

static int collect(struct collector *k, struct err *e)
{
	SCOPE(strlist) struct strlist found = STRLIST_INIT;
	bool any_dir = false;

	for (size_t i = 0; i < k->copy->sources.count && !k->copy->keeps_parents; i++) {
		if (context_match(k->context, k->copy->sources.items[i], &found, e) < 0)
			return -1;
	}
	if (k->copy->keeps_parents && collect_with_parents(k, e) < 0)
		return -1;
	const bool into_dir = k->copy->is_dest_dir || found.count + k->copy->text_count > 1;
	for (size_t i = 0; i < found.count; i++) {
		const int is_dir = copy_found(k, found.items[i], into_dir, e);
		if (is_dir < 0)
			return -1;
		any_dir |= is_dir > 0;
	}
	for (size_t i = 0; i < k->copy->text_count; i++) {
		if (copy_text(k, &k->copy->texts[i], into_dir, e) < 0)
			return -1;
	}
	return any_dir ? add_dest_dir(k, e) : 0;
}

struct copy_list *copy_list_new(const struct context *c, const struct stage *st,
				struct archives *kept, const struct plan_copy *copy, struct err *e)
{
	SCOPE(copy_list) struct copy_list *l = copy_list_start(st, copy->chown, copy->is_link, e);
	SCOPE(ignore) struct ignore *exclude = NULL;

	if (!l)
		return NULL;
	if (copy->exclude.count) {
		exclude = ignore_new(&copy->exclude, e);
		if (!exclude)
			return NULL;
	}
	struct collector k = {.list = l,
			      .context = c,
			      .stage = st,
			      .archives = kept,
			      .copy = copy,
			      .exclude = exclude};
	const int r = collect(&k, e);
	str_fini(&k.dest);
	str_fini(&k.kept);
	if (r < 0 || copy_list_finish(l, st, e) < 0)
		return NULL;
	return steal_ptr(&l);
}

struct copy_list *copy_list_workdir(const struct stage *st, const char *path, const char *owner,
				    struct err *e)
{
	SCOPE(copy_list) struct copy_list *l = copy_list_start(st, owner, false, e);
	SCOPE(str) struct str real = STR_INIT;

	if (!l || merge_real_path(stage_tree(st), path, &real, e) < 0)
		return NULL;
	if (real.len && (copy_list_add_dir(l, real.data, e) < 0 || copy_list_finish(l, st, e) < 0))
		return NULL;
	return steal_ptr(&l);
}

/* Whether the file that was read is as the list has seen it, its times included. */
static bool is_as_seen(int fd, const struct copy_item *item)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	const struct stamp now = stamp_of(&st);
	return stamp_equal(&now, &item->seen);
}

static int write_file(const struct copy_item *item, const struct entry *en, const struct context *c,
		      struct layer_writer *w, bool *has_changed, struct err *e)
{
	SCOPE_FD int fd = context_open_file(c, item->source, &item->seen, e);

	if (fd < 0)
		return -1;
	if (host_file_add(w, en, fd, e) < 0) {
		char q[QUOTE_MAX];
		return err_wrap(e, "'%s'", quote_str(q, item->source));
	}
	*has_changed |= !is_as_seen(fd, item);
	return 0;
}

/* layer_source.read of a text, as far as it was not read yet. */
static int read_text(void *ctx, void *buf, size_t len, struct err *e)
{
	const char **rest = ctx;

	(void)e;
	memcpy(buf, *rest, len);
	*rest += len;
	return 0;
}

static int write_text(const struct copy_item *item, const struct entry *en, struct layer_writer *w,
		      struct err *e)
{
	const char *rest = item->source;
	const struct layer_source src = {read_text, &rest};

	return layer_writer_add(w, en, &src, e);
}

/* A list that is being written. */
struct writing {
	const struct context *context;
	int64_t epoch;
	struct layer_writer *w;
	struct archive_writer *archives; /* NULL: the list has none */
	bool *has_changed;
};

static int write_item(const struct writing *to, const struct copy_item *item, struct err *e)
{
	const struct entry en = {
		.kind = item->kind,
		.path = item->path,
		.path_len = strlen(item->path),
		.link = item->target,
		.link_len = item->target ? strlen(item->target) : 0,
		.mode = item->mode,
		.uid = item->owner.uid,
		.gid = item->owner.gid,
		.mtime = to->epoch,
		.size = item->size,
	};

	switch (item->origin) {
	case ITEM_TEXT:
		return write_text(item, &en, to->w, e);
	case ITEM_ARCHIVE:
		return archive_writer_add(to->archives, item, to->epoch, to->w, e);
	case ITEM_CONTEXT:
	case ITEM_MADE_UP:
		break;
	}
	return en.kind == ENTRY_REG ? write_file(item, &en, to->context, to->w, to->has_changed, e)
				    : layer_writer_add(to->w, &en, NULL, e);
}

int copy_list_write(struct copy_list *l, const struct context *c, int64_t epoch,
		    struct layer_writer *w, struct progress *progress, struct err *e)
{
	SCOPE(archive_writer) struct archive_writer *archives = NULL;
	uint64_t total = 0;

	if (l->archive_count) {
		archives = archive_writer_new(l, e);
		if (!archives)
			return -1;
	}
	const struct writing to = {c, epoch, w, archives, &l->has_changed};
	for (size_t i = 0; i < l->count; i++)
		total += l->items[i].size;
	progress_begin(progress, "packing", total);
	layer_writer_set_progress(w, progress);
	for (size_t i = 0; i < l->count; i++) {
		progress_name(progress, l->items[i].path);
		if (write_item(&to, &l->items[i], e) < 0)
			return -1;
	}
	return 0;
}
