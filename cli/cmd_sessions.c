/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/log.h"
#include "base/quote.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/support.h"
#include "store/sessions.h"

static const struct option options[] = {
	{'q', "quiet", NULL, "only the names, one a line"},
	OPTION_JSON,
	OPTION_END,
};

static const char not_known[] = "-";

struct listing {
	const struct store *store;
	struct session_list sessions;
	int *status; /* to end with: not 0 when something could not be read */
};

/* What a session is called, on a command line, too. */
static const char *name_of(const struct session_info *info)
{
	return info->name ? info->name : info->id;
}

/* Why something cannot be told, which is taken.  What is damaged is told of; what cannot be read
 * may be whole, and decides the exit status. */
static void warn(const struct session_info *info, struct err *why, int *status)
{
	log_warning("%s: %s", info->label, why->msg);
	if (why->code == ERR_SYS && *status == 0)
		*status = err_exit_status(why);
	err_clear(why);
}

/* 1 and the size, 0 when it cannot be told. */
static int size_of(const struct listing *l, const struct session_info *info, uint64_t *out,
		   struct err *e)
{
	struct err why = ERR_INIT;

	if (sessions_size(l->store, info->id, out, &why) == 0)
		return 1;
	if (err_is_own_lack(&why))
		return err_move(e, &why);
	/* Removed just now, or told of already. */
	if (why.code == ERR_NOT_FOUND || !info->name)
		err_clear(&why);
	else
		warn(info, &why, l->status);
	return 0;
}

static int print_state(struct table *t, const struct session_info *info, struct err *e)
{
	if (!info->name)
		return table_cell(t, "damaged", e);
	if (!info->is_busy)
		return table_cell(t, "idle", e);
	const char *what = info->use ? info->use : "in use";
	return info->pid ? table_cellf(t, e, "%s (process %ld)", what, (long)info->pid)
			 : table_cell(t, what, e);
}

static int print_row(struct table *t, const struct listing *l, const struct session_info *info,
		     struct err *e)
{
	char text[STR_SIZE_MAX];
	uint64_t bytes = 0;

	const int is_known = size_of(l, info, &bytes, e);
	if (is_known < 0)
		return -1;
	if (table_cell(t, name_of(info), e) < 0 ||
	    table_cell(t, info->image ? info->image : not_known, e) < 0 ||
	    table_cell(t, info->created ? info->created : not_known, e) < 0 ||
	    table_cell(t, is_known ? str_human_size(text, bytes) : not_known, e) < 0)
		return -1;
	return print_state(t, info, e);
}

static int print_table(const struct listing *l, struct err *e)
{
	static const char *const heads[] = {"NAME", "IMAGE", "CREATED", "SIZE", "STATE"};
	SCOPE(table) struct table *t = table_new(ARRAY_LEN(heads), e);

	if (!t || table_heads(t, heads, e) < 0)
		return -1;
	for (size_t i = 0; i < l->sessions.count; i++) {
		if (print_row(t, l, &l->sessions.items[i], e) < 0)
			return -1;
	}
	return table_print(t, e);
}

static int put_document(json_t *item, const struct session_info *info, struct err *e)
{
	char digest[DIGEST_STR_MAX];

	if (!info->name)
		return json_put(item, "error",
				json_text_value(info->why.msg, strlen(info->why.msg)), e);
	digest_format(&info->manifest.digest, digest);
	return json_put(item, "image", json_text_value(info->image, strlen(info->image)), e) < 0 ||
			       json_put(item, "manifest", json_string(digest), e) < 0 ||
			       json_put(item, "created", json_string(info->created), e) < 0
		       ? -1
		       : 0;
}

static int put_use(json_t *item, const struct session_info *info, struct err *e)
{
	if (json_put(item, "in_use", json_boolean(info->is_busy), e) < 0 ||
	    (info->pid && json_put(item, "process", json_integer(info->pid), e) < 0))
		return -1;
	return info->use ? json_put(item, "use", json_text_value(info->use, strlen(info->use)), e)
			 : 0;
}

static int push_item(json_t *list, const struct listing *l, const struct session_info *info,
		     struct err *e)
{
	SCOPE_JSON json_t *item = json_object();
	uint64_t bytes = 0;

	const int is_known = size_of(l, info, &bytes, e);
	if (is_known < 0 || json_put(item, "id", json_string(info->id), e) < 0 ||
	    json_put(item, "name", info->name ? json_string(info->name) : json_null(), e) < 0 ||
	    put_document(item, info, e) < 0 || put_use(item, info, e) < 0 ||
	    (is_known && json_put(item, "size", json_integer((json_int_t)bytes), e) < 0))
		return -1;
	return json_push(list, json_incref(item), e);
}

static int print_json(const struct listing *l, struct err *e)
{
	SCOPE_JSON json_t *list = json_array();

	for (size_t i = 0; i < l->sessions.count; i++) {
		if (push_item(list, l, &l->sessions.items[i], e) < 0)
			return -1;
	}
	return output_json(list, e);
}

static int print_names(const struct listing *l, struct err *e)
{
	for (size_t i = 0; i < l->sessions.count; i++) {
		if (outputf(e, "%s\n", name_of(&l->sessions.items[i])) < 0)
			return -1;
	}
	return 0;
}

/* As cmd_images.c: no store is made for a list, and one that is asked for by name must be there. */
static int open_list(const struct invocation *in, struct store **s, struct session_list *l,
		     struct err *e)
{
	if (support_store(in, 0, s, e) == 0)
		return sessions_list(*s, l, e);
	if (e->code != ERR_NOT_FOUND || invocation_has(in, "store"))
		return -1;
	err_clear(e);
	return 0;
}

static void warn_of_damaged(struct listing *l)
{
	for (size_t i = 0; i < l->sessions.count; i++) {
		struct session_info *info = &l->sessions.items[i];
		if (!info->name)
			warn(info, &info->why, l->status);
	}
}

static int print_all(const struct invocation *in, struct listing *l, struct err *e)
{
	if (invocation_has(in, "quiet"))
		return print_names(l, e);
	if (invocation_has(in, "json"))
		return print_json(l, e);
	return print_table(l, e);
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	int status = 0;
	struct listing l = {.sessions = SESSION_LIST_INIT, .status = &status};

	if (invocation_has(in, "quiet") && invocation_has(in, "json"))
		return err_set(e, ERR_USAGE, "options '--quiet' and '--json' exclude each other");
	int r = open_list(in, &s, &l.sessions, e);
	l.store = s;
	if (r == 0)
		r = print_all(in, &l, e);
	if (r == 0)
		warn_of_damaged(&l);
	session_list_fini(&l.sessions);
	return r < 0 ? r : status;
}

const struct command command_sessions = {
	.name = "sessions",
	.synopsis = "[OPTION]...",
	.summary = "List the edit sessions of the store",
	.options = options,
	.min_args = 0,
	.max_args = 0,
	.run = run,
};
