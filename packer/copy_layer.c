/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A COPY becomes a list first: every path of the image with what goes there, sorted, the last of
 * two for one path winning, parents added; then the list is written.  So neither the order of
 * sources nor that of a directory matters, and what cannot work is said before a byte is written.
 */
#include "packer/copy_layer.h"

#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/quote.h"
#include "image/whiteout.h"
#include "packer/host_file.h"

enum {
	MODE_DIR = 0755,
	MODE_EXECUTABLE = 0755,
	MODE_FILE = 0644,
	MODE_SYMLINK = 0777,
};

struct item {
	char *path;   /* in the image, canonical */
	char *source; /* in the context; NULL: a directory that is made up */
	char *target; /* of a link; NULL */
	enum entry_kind kind;
	uint32_t mode;
	uint64_t size; /* of the source, which must still be this very file when it is read */
	dev_t dev;
	ino_t ino;
	bool is_dropped; /* goes with the next drop_marked */
	size_t order;    /* of discovery: the later one wins */
};

struct copy_list {
	struct item *items;
	size_t count, cap;
	struct owner owner;
	bool is_link;
};

static void drop_item(struct item *item)
{
	free(item->path);
	free(item->source);
	free(item->target);
}

void copy_list_free(struct copy_list *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->count; i++)
		drop_item(&l->items[i]);
	free(l->items);
	free(l);
}

bool copy_list_is_empty(const struct copy_list *l)
{
	return l->count == 0;
}

/* `item` is copied; its texts too. */
static int add(struct copy_list *l, const struct item *item, struct err *e)
{
	struct item own = *item;
	char q[QUOTE_MAX];

	if (strlen(item->path) > LIMIT_PATH)
		return err_set(e, ERR_LIMIT, "'%s': path is longer than %d bytes",
			       quote_str(q, item->path), LIMIT_PATH);
	/* build_check has seen to it; this is the last look before it would hide something. */
	if (path_has_name_with(item->path, strlen(item->path), WHITEOUT_PREFIX))
		return err_set(e, ERR_UNSUPPORTED,
			       "'/%s': no image can hold a name that starts with "
			       "'" WHITEOUT_PREFIX "'",
			       quote_str(q, item->path));
	if (array_reserve(&l->items, &l->cap, l->count + 1, sizeof(*l->items), e) < 0)
		return -1;
	own.order = l->count;
	own.path = str_dup(item->path, e);
	own.source = own.path && item->source ? str_dup(item->source, e) : NULL;
	own.target = item->target && !e->code ? str_dup(item->target, e) : NULL;
	l->items[l->count++] = own;
	return e->code ? -1 : 0;
}

/* A COPY that is being collected. */
struct collector {
	struct copy_list *list;
	const struct context *context;
	const struct stage *stage;
	const struct plan_copy *copy;
	struct ignore *exclude;
	struct str dest; /* canonical, of the directory or file that is being filled */
};

/* Modes as git sees them, then --chmod. */
static uint32_t mode_of(const struct collector *k, const struct stat *st)
{
	const bool is_dir = S_ISDIR(st->st_mode);
	uint32_t mode = is_dir ? MODE_DIR : st->st_mode & S_IXUSR ? MODE_EXECUTABLE : MODE_FILE;

	if (k->copy->has_chmod)
		mode = chmod_apply(&k->copy->chmod, mode, is_dir);
	return mode;
}

static int add_file(struct collector *k, const char *source, const struct stat *st,
		    const char *target, struct err *e)
{
	char text[LIMIT_SYMLINK + 1];
	char q[QUOTE_MAX];
	struct item item = {
		.path = k->dest.data,
		.mode = mode_of(k, st),
		.dev = st->st_dev,
		.ino = st->st_ino,
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
	return add(k->list, &item, e);
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

/* The kind of what the stage has at a canonical path; false: nothing.  Links are not followed. */
static bool stage_kind(const struct stage *st, const char *path, size_t len, enum entry_kind *kind)
{
	const struct merge *tree = stage_tree(st);
	merge_node node = MERGE_ROOT;

	*kind = ENTRY_DIR;
	while (len) {
		const char *slash = memchr(path, '/', len);
		const size_t name = slash ? (size_t)(slash - path) : len;
		if (*kind != ENTRY_DIR || !merge_lookup(tree, node, path, name, &node))
			return false;
		*kind = merge_kind(tree, node);
		path += name + (slash != NULL);
		len -= name + (slash != NULL);
	}
	return true;
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

/* A file goes into a directory that is named as one or is one; else it gets the name. */
static int copy_file(struct collector *k, const char *source, const struct stat *st, bool into_dir,
		     struct err *e)
{
	enum entry_kind kind;

	if (k->exclude && ignore_is_excluded(k->exclude, base_name(source)))
		return 0;
	if (k->exclude && ignore_check_steps(k->exclude, e) < 0)
		return -1;
	if (set_dest(k, k->copy->dest, e) < 0)
		return -1;
	if (!into_dir && !k->copy->is_link)
		into_dir =
			stage_kind(k->stage, k->dest.data, k->dest.len, &kind) && kind == ENTRY_DIR;
	if (into_dir && ((k->dest.len && str_append_c(&k->dest, '/', e) < 0) ||
			 str_append_z(&k->dest, base_name(source), e) < 0))
		return -1;
	return add_file(k, source, st, NULL, e);
}

static int copy_dir(struct collector *k, const char *source, struct err *e)
{
	if (set_dest(k, k->copy->dest, e) < 0)
		return -1;
	return context_walk(k->context, source, k->exclude, take_entry, k, e);
}

/* Whether the destination is there, so that a COPY of an empty directory makes it. */
static int add_dest_dir(struct collector *k, struct err *e)
{
	struct item item = {.kind = ENTRY_DIR, .mode = MODE_DIR};

	if (set_dest(k, k->copy->dest, e) < 0)
		return -1;
	if (k->dest.len == 0)
		return 0;
	item.path = k->dest.data;
	return add(k->list, &item, e);
}

static int collect(struct collector *k, struct err *e)
{
	SCOPE(strlist) struct strlist found = STRLIST_INIT;
	bool any_dir = false;

	for (size_t i = 0; i < k->copy->sources.count; i++) {
		if (context_match(k->context, k->copy->sources.items[i], &found, e) < 0)
			return -1;
	}
	const bool into_dir = k->copy->is_dest_dir || found.count > 1;
	for (size_t i = 0; i < found.count; i++) {
		struct stat st;
		if (context_stat(k->context, found.items[i], &st, e) < 0)
			return -1;
		any_dir |= S_ISDIR(st.st_mode);
		if (S_ISDIR(st.st_mode) ? copy_dir(k, found.items[i], e) < 0
					: copy_file(k, found.items[i], &st, into_dir, e) < 0)
			return -1;
	}
	return any_dir ? add_dest_dir(k, e) : 0;
}

static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	const int c = entry_path_compare(x->path, strlen(x->path), y->path, strlen(y->path));

	return c ? c : (x->order > y->order) - (x->order < y->order);
}

/* Removes what is marked. */
static void drop_marked(struct copy_list *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++) {
		if (l->items[i].is_dropped)
			drop_item(&l->items[i]);
		else
			l->items[kept++] = l->items[i];
	}
	l->count = kept;
}

/* Sorts; of several for one path the last stays. */
static int sort_unique(struct copy_list *l, struct err *e)
{
	struct item *last = NULL;
	char q[QUOTE_MAX];

	if (l->count)
		qsort(l->items, l->count, sizeof(*l->items), compare_items);
	for (size_t i = 0; i < l->count; i++) {
		struct item *now = &l->items[i];
		if (!last || strcmp(last->path, now->path) != 0) {
			last = now;
			continue;
		}
		if ((last->kind == ENTRY_DIR) != (now->kind == ENTRY_DIR))
			return err_set(e, ERR_EXISTS, "'/%s' would be both a directory and a file",
				       quote_str(q, now->path));
		last->is_dropped = true;
		last = now;
	}
	drop_marked(l);
	return 0;
}

/* Among the first `count` items, which are sorted; NULL. */
static const struct item *find(const struct copy_list *l, size_t count, const char *path,
			       size_t len)
{
	size_t low = 0, high = count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct item *item = &l->items[middle];
		const int c = entry_path_compare(path, len, item->path, strlen(item->path));
		if (c == 0)
			return item;
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* Adds the directories above `path` that neither the list nor the stage has; above one of the list,
 * they are its own matter. */
static int add_parents(struct copy_list *l, size_t count, const struct stage *st, const char *path,
		       struct err *e)
{
	char q[QUOTE_MAX];

	for (const char *slash = strrchr(path, '/'); slash;
	     slash = memrchr(path, '/', (size_t)(slash - path))) {
		const size_t len = (size_t)(slash - path);
		const struct item *listed = find(l, count, path, len);
		enum entry_kind kind;

		if (listed && listed->kind == ENTRY_DIR)
			return 0;
		if (listed)
			return err_set(e, ERR_EXISTS, "'/%s' would be both a directory and a file",
				       quote_bytes(q, path, len));
		const bool there = !l->is_link && stage_kind(st, path, len, &kind);
		if (there && kind == ENTRY_DIR)
			return 0;
		if (there)
			return err_set(e, ERR_EXISTS, "'/%s' of the base is no directory",
				       quote_bytes(q, path, len));
		SCOPE_FREE char *parent = str_dup_n(path, len, e);
		const struct item item = {.path = parent, .kind = ENTRY_DIR, .mode = MODE_DIR};
		if (!parent || add(l, &item, e) < 0)
			return -1;
	}
	return 0;
}

/* What the stage has and the list would turn from a directory into something else, or the
 * reverse. */
static int check_stage(const struct copy_list *l, const struct stage *st, struct err *e)
{
	char q[QUOTE_MAX];

	for (size_t i = 0; i < l->count && !l->is_link; i++) {
		const struct item *item = &l->items[i];
		enum entry_kind kind;
		const bool there = stage_kind(st, item->path, strlen(item->path), &kind);

		if (!there || (kind == ENTRY_DIR) == (item->kind == ENTRY_DIR))
			continue;
		return err_set(e, ERR_EXISTS, "'/%s' is %s of the base, and cannot become %s",
			       quote_str(q, item->path),
			       kind == ENTRY_DIR ? "a directory" : "no directory",
			       item->kind == ENTRY_DIR ? "one" : "something else");
	}
	return 0;
}

/* Directories that are made up and that the stage has: nothing is to be done for them. */
static void drop_present(struct copy_list *l, const struct stage *st)
{
	for (size_t i = 0; i < l->count && !l->is_link; i++) {
		struct item *item = &l->items[i];
		enum entry_kind kind;
		item->is_dropped =
			!item->source && stage_kind(st, item->path, strlen(item->path), &kind);
	}
	drop_marked(l);
}

static int finish(struct copy_list *l, const struct stage *st, struct err *e)
{
	if (sort_unique(l, e) < 0 || check_stage(l, st, e) < 0)
		return -1;
	const size_t count = l->count;
	for (size_t i = 0; i < count; i++) {
		/* The list may move while it grows. */
		SCOPE_FREE char *path = str_dup(l->items[i].path, e);
		if (!path || add_parents(l, count, st, path, e) < 0)
			return -1;
	}
	if (sort_unique(l, e) < 0)
		return -1;
	drop_present(l, st);
	return 0;
}

static struct copy_list *list_new(const struct stage *st, const char *owner, bool is_link,
				  struct err *e)
{
	struct copy_list *l = array_new(1, sizeof(*l), e);

	if (!l)
		return NULL;
	l->is_link = is_link;
	if (accounts_owner(st, owner, &l->owner, e) < 0) {
		copy_list_free(l);
		return NULL;
	}
	return l;
}

struct copy_list *copy_list_new(const struct context *c, const struct stage *st,
				const struct plan_copy *copy, struct err *e)
{
	SCOPE(copy_list) struct copy_list *l = list_new(st, copy->chown, copy->is_link, e);
	SCOPE(ignore) struct ignore *exclude = NULL;

	if (!l)
		return NULL;
	if (copy->exclude.count) {
		exclude = ignore_new(&copy->exclude, e);
		if (!exclude)
			return NULL;
	}
	struct collector k = {
		.list = l, .context = c, .stage = st, .copy = copy, .exclude = exclude};
	const int r = collect(&k, e);
	str_fini(&k.dest);
	if (r < 0 || finish(l, st, e) < 0)
		return NULL;
	return steal_ptr(&l);
}

struct copy_list *copy_list_workdir(const struct stage *st, const char *path, const char *owner,
				    struct err *e)
{
	SCOPE(copy_list) struct copy_list *l = list_new(st, owner, false, e);
	SCOPE(str) struct str real = STR_INIT;
	struct item item = {.kind = ENTRY_DIR, .mode = MODE_DIR};

	if (!l || merge_real_path(stage_tree(st), path, &real, e) < 0)
		return NULL;
	if (real.len) {
		item.path = real.data;
		if (add(l, &item, e) < 0 || finish(l, st, e) < 0)
			return NULL;
	}
	return steal_ptr(&l);
}

static int write_item(const struct copy_list *l, const struct item *item, const struct context *c,
		      int64_t epoch, struct layer_writer *w, struct err *e)
{
	const struct entry en = {
		.kind = item->kind,
		.path = item->path,
		.path_len = strlen(item->path),
		.link = item->target,
		.link_len = item->target ? strlen(item->target) : 0,
		.mode = item->mode,
		.uid = l->owner.uid,
		.gid = l->owner.gid,
		.mtime = epoch,
		.size = item->size,
	};
	const struct stat seen = {
		.st_dev = item->dev, .st_ino = item->ino, .st_size = (off_t)item->size};

	if (en.kind != ENTRY_REG)
		return layer_writer_add(w, &en, NULL, e);
	SCOPE_FD int fd = context_open_file(c, item->source, &seen, e);
	if (fd < 0)
		return -1;
	if (host_file_add(w, &en, fd, e) < 0) {
		char q[QUOTE_MAX];
		return err_wrap(e, "'%s'", quote_str(q, item->source));
	}
	return 0;
}

int copy_list_write(const struct copy_list *l, const struct context *c, int64_t epoch,
		    struct layer_writer *w, struct progress *progress, struct err *e)
{
	uint64_t total = 0;

	for (size_t i = 0; i < l->count; i++)
		total += l->items[i].size;
	progress_begin(progress, "packing", total);
	layer_writer_set_progress(w, progress);
	for (size_t i = 0; i < l->count; i++) {
		const struct item *item = &l->items[i];
		progress_name(progress, item->path);
		if (write_item(l, item, c, epoch, w, e) < 0)
			return -1;
	}
	return 0;
}
