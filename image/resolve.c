/* SPDX-License-Identifier: Apache-2.0 */
#include "image/resolve.h"

#include <string.h>
#include <sys/stat.h>

#include "base/quote.h"

struct walk {
	const struct resolve_tree *t;
	const char *path;   /* as asked, for messages */
	struct str pending; /* what is left to walk, from `at` on */
	size_t at;
	unsigned links;
	uint32_t node;
	uint32_t type;    /* of `node`, S_IFMT bits */
	struct str *rest; /* NULL: a name that is not there ends the walk */
};

static int enter(struct walk *w, uint32_t node, struct err *e)
{
	w->node = node;
	return w->t->type(w->t->tree, node, &w->type, e);
}

static int start(struct walk *w, const struct resolve_tree *t, const char *path, struct err *e)
{
	w->t = t;
	w->path = path;
	if (str_append_z(&w->pending, path, e) < 0)
		return -1;
	return enter(w, RESOLVE_ROOT, e);
}

/* Replaces what is pending by the link's target and what comes after the link. */
static int follow_link(struct walk *w, uint32_t link, struct err *e)
{
	SCOPE(str) struct str next = STR_INIT;
	char name[QUOTE_MAX];

	if (++w->links > RESOLVE_LINKS_MAX)
		return err_set(e, ERR_UNSUPPORTED, "path '%s' leads through more than %d symlinks",
			       quote_str(name, w->path), RESOLVE_LINKS_MAX);
	if (w->t->readlink(w->t->tree, link, &next, e) < 0 ||
	    str_append(&next, w->pending.data + w->at, w->pending.len - w->at, e) < 0)
		return -1;

	const struct str was = w->pending;
	w->pending = next;
	next = was;
	w->at = 0;
	if (w->pending.len > 0 && w->pending.data[0] == '/')
		return enter(w, RESOLVE_ROOT, e);
	return 0;
}

/* The next component: false at the end. */
static bool next_component(struct walk *w, const char **name, size_t *len)
{
	while (w->at < w->pending.len && w->pending.data[w->at] == '/')
		w->at++;
	if (w->at == w->pending.len)
		return false;
	*name = w->pending.data + w->at;
	const char *slash = memchr(*name, '/', w->pending.len - w->at);
	*len = slash ? (size_t)(slash - *name) : w->pending.len - w->at;
	w->at += *len;
	return true;
}

static int append_rest(struct walk *w, const char *name, size_t len, struct err *e)
{
	if (w->rest->len > 0 && str_append_c(w->rest, '/', e) < 0)
		return -1;
	return str_append(w->rest, name, len, e) < 0 ? -1 : 1;
}

static int go_up(struct walk *w, struct err *e)
{
	uint32_t parent;

	if (w->rest && w->rest->len > 0) {
		const char *slash = memrchr(w->rest->data, '/', w->rest->len);
		str_truncate(w->rest, slash ? (size_t)(slash - w->rest->data) : 0);
		return 1;
	}
	if (w->t->parent(w->t->tree, w->node, &parent, e) < 0)
		return -1;
	return enter(w, parent, e) < 0 ? -1 : 1;
}

/* One name from where the walk is: 1 go on, 0 not there, -1. */
static int go_down(struct walk *w, const char *name, size_t len, bool follow, struct err *e)
{
	uint32_t child;
	uint32_t type;

	if (w->rest && w->rest->len > 0)
		return append_rest(w, name, len, e);
	const int found =
		S_ISDIR(w->type) ? w->t->lookup(w->t->tree, w->node, name, len, &child, e) : 0;
	if (found <= 0)
		return found == 0 && w->rest ? append_rest(w, name, len, e) : found;
	if (w->t->type(w->t->tree, child, &type, e) < 0)
		return -1;
	/* Anything behind the name, be it a "/", means the link's target. */
	if (S_ISLNK(type) && (follow || w->at < w->pending.len))
		return follow_link(w, child, e) < 0 ? -1 : 1;
	w->node = child;
	w->type = type;
	return 1;
}

static int walk(struct walk *w, bool follow, struct err *e)
{
	const char *name;
	size_t len;

	while (next_component(w, &name, &len)) {
		int went = 1;
		if (!w->rest && !S_ISDIR(w->type))
			return 0;
		if (len == 2 && memcmp(name, "..", 2) == 0)
			went = go_up(w, e);
		else if (len != 1 || name[0] != '.')
			went = go_down(w, name, len, follow, e);
		if (went <= 0)
			return went;
	}
	const bool wants_dir = w->pending.len > 0 && w->pending.data[w->pending.len - 1] == '/';
	return w->rest || !wants_dir || S_ISDIR(w->type);
}

int resolve_path(const struct resolve_tree *t, const char *path, bool follow, uint32_t *out,
		 struct err *e)
{
	struct walk w = {.pending = STR_INIT};
	int found = start(&w, t, path, e);

	if (found == 0)
		found = walk(&w, follow, e);
	str_fini(&w.pending);
	if (found == 1)
		*out = w.node;
	return found;
}

int resolve_prefix(const struct resolve_tree *t, const char *path, uint32_t *out, struct str *rest,
		   struct err *e)
{
	struct walk w = {.pending = STR_INIT, .rest = rest};
	int found = start(&w, t, path, e);

	if (found == 0)
		found = walk(&w, true, e);
	str_fini(&w.pending);
	if (found < 0)
		return -1;
	*out = w.node;
	return 0;
}
