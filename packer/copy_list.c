/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/copy_list.h"

#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/quote.h"
#include "image/whiteout.h"
#include "packer/archives.h"

enum { MODE_DIR = 0755 };

static void drop_item(const struct copy_item *item)
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
	for (size_t i = 0; i < l->archive_count; i++)
		archive_close(l->archives[i]);
	free(l->archives);
	free(l);
}

bool copy_list_is_empty(const struct copy_list *l)
{
	return l->count == 0;
}

struct copy_list *copy_list_start(const struct stage *st, const char *owner, bool is_link,
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

int copy_list_add(struct copy_list *l, const struct copy_item *item, struct err *e)
{
	struct copy_item own = *item;
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

int copy_list_add_dir(struct copy_list *l, const char *path, struct err *e)
{
	SCOPE_FREE char *copy = str_dup(path, e);
	const struct copy_item item = {
		.origin = ITEM_MADE_UP,
		.kind = ENTRY_DIR,
		.path = copy,
		.mode = MODE_DIR,
		.owner = l->owner,
	};

	return copy ? copy_list_add(l, &item, e) : -1;
}

static int compare_items(const void *a, const void *b)
{
	const struct copy_item *x = a, *y = b;
	const int c = entry_path_compare(x->path, strlen(x->path), y->path, strlen(y->path));

	return c ? c : (x->order > y->order) - (x->order < y->order);
}

/* Removes what is marked. */
static void drop_marked(struct copy_list *l)
{
	size_t kept = 0;

	/* Most lists have nothing to be removed at all. */
	while (kept < l->count && !l->items[kept].is_dropped)
		kept++;
	for (size_t i = kept; i < l->count; i++) {
		const struct copy_item item = l->items[i];
		if (item.is_dropped)
			drop_item(&item);
		else
			l->items[kept++] = item;
	}
	l->count = kept;
}

/* How many items at the start are in order. */
static size_t count_sorted(const struct copy_list *l)
{
	size_t sorted = l->count ? 1 : 0;

	while (sorted < l->count && compare_items(&l->items[sorted - 1], &l->items[sorted]) <= 0)
		sorted++;
	return sorted;
}

/* Merges the items from `sorted` on with those before it; both parts are in order. */
static int merge_parts(struct copy_list *l, size_t sorted, struct err *e)
{
	size_t rest = l->count - sorted;
	SCOPE_FREE struct copy_item *added = array_new(rest, sizeof(*added), e);

	if (!added)
		return -1;
	memcpy(added, l->items + sorted, rest * sizeof(*added));
	for (size_t to = l->count; rest; to--) {
		const bool is_old =
			sorted && compare_items(&l->items[sorted - 1], &added[rest - 1]) > 0;
		l->items[to - 1] = is_old ? l->items[--sorted] : added[--rest];
	}
	return 0;
}

/* A walk of a directory brings its items in order, and most lists are one such walk and a few
 * directories. */
static int sort(struct copy_list *l, struct err *e)
{
	const size_t sorted = count_sorted(l);

	if (sorted == l->count)
		return 0;
	qsort(l->items + sorted, l->count - sorted, sizeof(*l->items), compare_items);
	return merge_parts(l, sorted, e);
}

/* Sorts; of several for one path the last stays. */
static int sort_unique(struct copy_list *l, struct err *e)
{
	struct copy_item *last = NULL;
	char q[QUOTE_MAX];

	if (sort(l, e) < 0)
		return -1;
	for (size_t i = 0; i < l->count; i++) {
		struct copy_item *now = &l->items[i];
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
static const struct copy_item *find(const struct copy_list *l, size_t count, const char *path,
				    size_t len)
{
	size_t low = 0, high = count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct copy_item *item = &l->items[middle];
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
		const struct copy_item *listed = find(l, count, path, len);
		enum entry_kind kind;

		if (listed && listed->kind == ENTRY_DIR)
			return 0;
		if (listed)
			return err_set(e, ERR_EXISTS, "'/%s' would be both a directory and a file",
				       quote_bytes(q, path, len));
		const bool there = !l->is_link && stage_find(st, path, len, &kind);
		if (there && kind == ENTRY_DIR)
			return 0;
		if (there)
			return err_set(e, ERR_EXISTS, "'/%s' of the base is no directory",
				       quote_bytes(q, path, len));
		SCOPE_FREE char *parent = str_dup_n(path, len, e);
		if (!parent || copy_list_add_dir(l, parent, e) < 0)
			return -1;
	}
	return 0;
}

/* What the stage has and the list would turn from a directory into something else, or the
 * reverse: only an archive does. */
static int check_stage(const struct copy_list *l, const struct stage *st, struct err *e)
{
	char q[QUOTE_MAX];

	for (size_t i = 0; i < l->count && !l->is_link; i++) {
		const struct copy_item *item = &l->items[i];
		enum entry_kind kind;
		const bool there = stage_find(st, item->path, strlen(item->path), &kind);

		if (!there || item->origin == ITEM_ARCHIVE ||
		    (kind == ENTRY_DIR) == (item->kind == ENTRY_DIR))
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
		struct copy_item *item = &l->items[i];
		enum entry_kind kind;
		item->is_dropped = item->origin == ITEM_MADE_UP &&
				   stage_find(st, item->path, strlen(item->path), &kind);
	}
	drop_marked(l);
}

/* Whether `path` is in the directory that `other` is in. */
static bool is_sibling(const char *path, const char *other)
{
	const char *slash = strrchr(path, '/');
	const size_t len = slash ? (size_t)(slash - path) + 1 : 0;

	return strncmp(path, other, len) == 0 && !strchr(other + len, '/');
}

int copy_list_finish(struct copy_list *l, const struct stage *st, struct err *e)
{
	if (sort_unique(l, e) < 0 || check_stage(l, st, e) < 0)
		return -1;
	const size_t count = l->count;
	for (size_t i = 0; i < count; i++) {
		/* The items may move while the list grows, their paths do not. */
		const char *path = l->items[i].path;
		if (i && is_sibling(path, l->items[i - 1].path))
			continue;
		if (add_parents(l, count, st, path, e) < 0)
			return -1;
	}
	if (l->count > count && sort_unique(l, e) < 0)
		return -1;
	drop_present(l, st);
	return 0;
}
