/* SPDX-License-Identifier: Apache-2.0 */
/*
 * There is no file that has all names: whoever looks for one reads the session.json of every
 * session.  So nothing can be out of date, and one that is damaged is in the way of no other.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/quote.h"
#include "base/suggest.h"
#include "store/folder.h"
#include "store/sessions_private.h"

static const char hex_digits[] = "0123456789abcdef";

bool sessions_is_id(const char *name)
{
	return strlen(name) == SESSIONS_ID_LEN && strspn(name, hex_digits) == SESSIONS_ID_LEN;
}

enum sessions_part sessions_part_of(const char *name)
{
	if (str_has_prefix(name, SESSIONS_MAKING) && sessions_is_id(name + strlen(SESSIONS_MAKING)))
		return SESSIONS_PART_MADE;
	if (str_has_prefix(name, SESSIONS_REMOVING) &&
	    sessions_is_id(name + strlen(SESSIONS_REMOVING)))
		return SESSIONS_PART_REMOVED;
	return SESSIONS_NO_PART;
}

static void info_fini(struct session_info *info)
{
	free(info->label);
	free(info->name);
	free(info->image);
	free(info->created);
	free(info->use);
	descriptor_fini(&info->manifest);
	err_clear(&info->why);
}

void session_list_fini(struct session_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		info_fini(&l->items[i]);
	free(l->items);
	*l = (struct session_list)SESSION_LIST_INIT;
}

/* Takes what is in the document. */
static void take_document(struct session_info *info, struct session_document *d)
{
	info->name = steal_ptr(&d->name);
	info->image = steal_ptr(&d->image);
	info->created = steal_ptr(&d->created);
	descriptor_move(&info->manifest, &d->manifest);
}

/* Of an open folder; -1 with why nothing can be said of it. */
static int read_info(int folder, struct session_info *info, struct err *why)
{
	SCOPE(session_document) struct session_document d = SESSION_DOCUMENT_INIT;
	SCOPE(session_use) struct session_use use = {.is_busy = false};

	if (sessions_ask_lock(folder, &use, why) < 0)
		return -1;
	info->is_busy = use.is_busy;
	info->pid = use.pid;
	info->use = steal_ptr(&use.what);
	if (session_document_read(folder, &d, why) < 0)
		return -1;
	take_document(info, &d);
	return 0;
}

struct scan {
	const struct store *store;
	int all;
	struct session_list *list;
};

/* 1 it is there, and either read or told why not; 0 it went away. */
static int look_at(const struct scan *scan, struct session_info *info, struct err *e)
{
	struct err why = ERR_INIT, ignored = ERR_INIT;
	SCOPE_FD int folder = sessions_open_folder(scan->store, scan->all, info->id, &why);

	if (folder < 0 && why.code == ERR_NOT_FOUND) {
		err_clear(&why);
		return 0;
	}
	if (folder >= 0 && read_info(folder, info, &why) == 0)
		return 1;
	if (err_is_own_lack(&why))
		return err_move(e, &why);
	/* What is removed just now has lost some of its files, and its name before them. */
	const int is_named =
		folder < 0 ? 1 : sessions_is_named(scan->all, info->id, folder, &ignored);
	err_clear(&ignored);
	if (is_named == 0) {
		err_clear(&why);
		return 0;
	}
	(void)err_move(&info->why, &why);
	return 1;
}

static int look_and_label(const struct scan *scan, struct session_info *info, struct err *e)
{
	const int r = look_at(scan, info, e);

	if (r < 1)
		return r;
	info->label = str_dupf(e, "session %s", info->name ? info->name : info->id);
	return info->label ? 1 : -1;
}

/* folder_visit */
static int scan_name(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	struct scan *scan = ctx;
	struct session_list *l = scan->list;
	struct session_info info = {.manifest = DESCRIPTOR_INIT, .why = ERR_INIT};

	(void)st;
	if (!sessions_is_id(name))
		return 0;
	if (array_reserve(&l->items, &l->cap, l->count + 1, sizeof(*l->items), e) < 0)
		return -1;
	memcpy(info.id, name, sizeof(info.id));
	const int r = look_and_label(scan, &info, e);
	if (r == 1)
		l->items[l->count++] = info;
	else
		info_fini(&info);
	return r < 0 ? -1 : 0;
}

int sessions_scan(const struct store *s, int all, struct session_list *out, struct err *e)
{
	struct scan scan = {s, all, out};

	return folder_visit(all, scan_name, &scan, e);
}

/* qsort(3) */
static int compare(const void *a, const void *b)
{
	const struct session_info *x = a, *y = b;

	if (!x->name || !y->name)
		return x->name ? -1 : y->name ? 1 : strcmp(x->id, y->id);
	const int order = strcmp(x->name, y->name);
	return order ? order : strcmp(x->id, y->id);
}

static int scan_sorted(const struct store *s, int all, struct session_list *out, struct err *e)
{
	if (sessions_scan(s, all, out, e) < 0)
		return -1;
	if (out->count > 1)
		qsort(out->items, out->count, sizeof(*out->items), compare);
	return 0;
}

int sessions_list(const struct store *s, struct session_list *out, struct err *e)
{
	SCOPE_FD int all = -1;

	if (sessions_open_all(s, &all, e) < 0)
		return -1;
	sessions_try_clear(s, all);
	return scan_sorted(s, all, out, e);
}

/* Whether it is only kept from this user, who may read a store of root. */
static bool is_hidden(const struct store *s, const struct err *why)
{
	return why->code == ERR_SYS && why->sys == EACCES && !store_is_writable(s);
}

/* Takes the sessions that are hidden out of the list. */
static void drop_hidden(const struct store *s, struct session_list *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++) {
		if (is_hidden(s, &l->items[i].why))
			info_fini(&l->items[i]);
		else
			l->items[kept++] = l->items[i];
	}
	l->count = kept;
}

int sessions_open_visible(const struct store *s, int *out, struct err *e)
{
	struct err why = ERR_INIT;

	if (sessions_open_all(s, out, &why) == 0)
		return 0;
	if (!is_hidden(s, &why))
		return err_move(e, &why);
	err_clear(&why);
	return 0;
}

int sessions_collect(const struct store *s, struct session_list *out, struct err *e)
{
	SCOPE_FD int all = -1;

	if (sessions_open_visible(s, &all, e) < 0 || scan_sorted(s, all, out, e) < 0)
		return -1;
	drop_hidden(s, out);
	return 0;
}

/* How many sessions have `text` as their name or, with `by_id`, as the start of their id; the last
 * of them in `out`. */
static size_t count_matches(const struct session_list *l, const char *text, bool by_id,
			    const struct session_info **out)
{
	size_t count = 0;

	for (size_t i = 0; i < l->count; i++) {
		const struct session_info *info = &l->items[i];
		if (by_id ? str_has_prefix(info->id, text) : str_equal(info->name, text)) {
			*out = info;
			count++;
		}
	}
	return count;
}

int sessions_check_read(const struct session_list *l, const char *text, struct err *e)
{
	char quoted[QUOTE_MAX];

	for (size_t i = 0; i < l->count; i++) {
		const struct session_info *info = &l->items[i];
		if (info->why.code == ERR_SYS)
			return err_sys(e, info->why.sys,
				       "whether session '%s' is '%s' is not known: cannot read it",
				       info->id, quote_str(quoted, text));
	}
	return 0;
}

static int set_not_found(const struct session_list *l, const char *text, struct err *e)
{
	char quoted[QUOTE_MAX], near[QUOTE_MAX];
	SCOPE_FREE const char **names = array_new(l->count, sizeof(*names), e);
	size_t count = 0;

	if (!names)
		return -1;
	for (size_t i = 0; i < l->count; i++) {
		if (l->items[i].name)
			names[count++] = l->items[i].name;
	}
	const char *nearest = suggest_nearest(text, names, count);
	quote_str(quoted, text);
	if (!nearest)
		return err_set(e, ERR_NOT_FOUND, "no session '%s' in the store", quoted);
	return err_set(e, ERR_NOT_FOUND, "no session '%s' in the store; did you mean '%s'?", quoted,
		       quote_str(near, nearest));
}

int sessions_find(const struct session_list *l, const char *text, bool is_exact,
		  const struct session_info **out, struct err *e)
{
	char quoted[QUOTE_MAX];
	size_t count = count_matches(l, text, false, out);

	if (count == 0 && (is_exact ? sessions_is_id(text) : text[0] != '\0'))
		count = count_matches(l, text, true, out);
	if (count == 1)
		return 0;
	if (count == 0)
		return sessions_check_read(l, text, e) < 0 ? -1 : set_not_found(l, text, e);
	return err_set(
		e, ERR_USAGE,
		"'%s' may be any of %zu sessions: give more of the id of one, see 'shale sessions "
		"--json'",
		quote_str(quoted, text), count);
}
