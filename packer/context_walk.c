/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A build walks a directory twice: by names, to say all that is wrong before anything is made, and
 * to copy it.  The second walk takes the names of the first, which saves half of the reading where
 * nothing else is to be done.
 */
#include "packer/context_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/quote.h"

/* A walk below one directory. */
struct walk {
	const struct context *context;
	const struct ignore *exclude;
	bool is_names_only;
	size_t skip; /* bytes of a path before the part below the directory */
	struct context_level *levels;
	size_t depth;
	size_t entered;               /* directories so far */
	struct context_walked *made;  /* where names are kept; NULL: they are not */
	struct context_walked *known; /* what an earlier walk on the same way kept; NULL: none */
	int (*each)(void *ctx, const struct context_entry *entry, struct err *e);
	void *ctx;
};

static int read_target(int dirfd, const char *name, const char *path,
		       char target[static LIMIT_SYMLINK + 1], struct err *e)
{
	char q[QUOTE_MAX];
	const ssize_t n = readlinkat(dirfd, name, target, LIMIT_SYMLINK + 1);

	if (n < 0)
		return err_sys(e, errno, "cannot read the link '%s'", quote_str(q, path));
	if (n > LIMIT_SYMLINK)
		return err_set(e, ERR_LIMIT, "link target of '%s' is longer than %d bytes",
			       quote_str(q, path), LIMIT_SYMLINK);
	target[n] = '\0';
	return 0;
}

/* What `name` of the innermost directory is. */
static int look(struct walk *w, const char *name, const char *path, bool is_out, struct stat *st,
		char target[static LIMIT_SYMLINK + 1], struct err *e)
{
	const int fd = context_level_fd(w->context, &w->levels[w->depth - 1], e);

	if (fd < 0)
		return -1;
	if (fstatat(fd, name, st, AT_SYMLINK_NOFOLLOW) < 0)
		return context_set_open_error(path, e);
	return S_ISLNK(st->st_mode) && !is_out ? read_target(fd, name, path, target, e) : 0;
}

/* Goes into a directory, with the names that are known of it. */
static int enter(struct walk *w, const char *path, struct err *e)
{
	const size_t order = w->entered++;
	struct context_dir *known = NULL;

	if (w->made) {
		struct context_walked *m = w->made;
		if (array_reserve(&m->dirs, &m->cap, m->count + 1, sizeof(*m->dirs), e) < 0)
			return -1;
		m->dirs[m->count++] = (struct context_dir){0};
	}
	if (w->known && order < w->known->count && strcmp(w->known->dirs[order].path, path) == 0)
		known = &w->known->dirs[order];
	else
		w->known = NULL; /* the ways have parted */
	if (context_push(w->context, w->levels, &w->depth, path, known, e) < 0)
		return -1;
	w->levels[w->depth - 1].order = order;
	return 0;
}

static void leave(struct walk *w)
{
	struct context_level *l = &w->levels[w->depth - 1];

	if (w->made) {
		w->made->dirs[l->order] = l->dir;
		l->dir = (struct context_dir){0};
	}
	context_pop(w->levels, &w->depth);
}

/* `name` of the innermost directory, with its type in front, whose path is `path`.  By that
 * directory and not from the root of the context: there may be many names, and long ways to them.
 */
static int visit(struct walk *w, const char *name, const char *path, struct err *e)
{
	const struct context *c = w->context;
	struct context_entry entry = {.path = path, .below = path + w->skip};
	char target[LIMIT_SYMLINK + 1];
	struct stat st;
	const bool is_out = context_hides(c, path) ||
			    (w->exclude && ignore_is_excluded(w->exclude, entry.below));

	if (context_check_rules(c, e) < 0 || (w->exclude && ignore_check_steps(w->exclude, e) < 0))
		return -1;
	bool is_dir = context_name_type(name) == DT_DIR;
	if (!w->is_names_only || context_name_type(name) == DT_UNKNOWN) {
		if (look(w, name + 1, path, is_out, &st, target, e) < 0)
			return -1;
		is_dir = S_ISDIR(st.st_mode);
		entry.target = S_ISLNK(st.st_mode) ? target : NULL;
		entry.st = &st;
	}
	if (!is_out && w->each(w->ctx, &entry, e) < 0)
		return -1;
	if (!is_dir)
		return 0;
	if (is_out && !(c->rules && ignore_may_reinclude_below(c->rules, path)) &&
	    !(w->exclude && ignore_may_reinclude_below(w->exclude, entry.below)))
		return 0;
	return enter(w, path, e);
}

static int walk_all(struct walk *w, const char *dir, struct err *e)
{
	SCOPE(str) struct str path = STR_INIT;
	SCOPE_FREE struct context_level *levels = array_new(LIMIT_DEPTH, sizeof(*levels), e);

	w->levels = levels;
	int r = levels ? enter(w, dir, e) : -1;
	while (r == 0 && w->depth) {
		struct context_level *l = &levels[w->depth - 1];
		if (l->at == l->dir.names.count) {
			leave(w);
			continue;
		}
		const char *name = l->dir.names.items[l->at++];
		r = context_join(&path, l->dir.path, name + 1, e);
		if (r == 0)
			r = visit(w, name, path.data, e);
	}
	while (w->depth)
		context_pop(levels, &w->depth);
	return r;
}

/* Bytes of a path before the part below `dir`. */
static size_t skip_of(const char *dir)
{
	return strcmp(dir, ".") == 0 ? 0 : strlen(dir) + 1;
}

/* context_shows_below */
static int stop_at_first(void *ctx, const struct context_entry *entry, struct err *e)
{
	bool *is_found = ctx;

	(void)entry;
	(void)e;
	*is_found = true;
	return -1;
}

int context_shows_below(const struct context *c, const char *dir, struct err *e)
{
	bool is_found = false;
	struct walk w = {
		.context = c,
		.is_names_only = true,
		.skip = skip_of(dir),
		.each = stop_at_first,
		.ctx = &is_found,
	};

	return walk_all(&w, dir, e) < 0 && !is_found ? -1 : is_found;
}

int context_walk(const struct context *c, const char *dir, const struct ignore *exclude,
		 int (*each)(void *ctx, const struct context_entry *entry, struct err *e),
		 void *ctx, struct err *e)
{
	struct context_memory *m = c->memory;
	struct context_walked *next = m && m->next < m->count ? &m->walks[m->next] : NULL;
	const bool is_known = next && strcmp(next->dirs[0].path, dir) == 0;
	struct walk w = {
		.context = c,
		.exclude = exclude,
		.skip = skip_of(dir),
		.known = is_known ? next : NULL,
		.each = each,
		.ctx = ctx,
	};

	const int r = walk_all(&w, dir, e);
	if (is_known) {
		context_walked_fini(next);
		m->next++;
	}
	return r;
}

int context_walk_names(const struct context *c, const char *dir, const struct ignore *exclude,
		       int (*each)(void *ctx, const struct context_entry *entry, struct err *e),
		       void *ctx, struct err *e)
{
	struct context_memory *m = c->memory;
	struct context_walked made = {0};
	struct walk w = {
		.context = c,
		.exclude = exclude,
		.is_names_only = true,
		.skip = skip_of(dir),
		.made = m ? &made : NULL,
		.each = each,
		.ctx = ctx,
	};

	if (walk_all(&w, dir, e) < 0)
		goto fail;
	if (!m)
		return 0;
	if (array_reserve(&m->walks, &m->cap, m->count + 1, sizeof(*m->walks), e) < 0)
		goto fail;
	m->walks[m->count++] = made;
	return 0;
fail:
	context_walked_fini(&made);
	return -1;
}
