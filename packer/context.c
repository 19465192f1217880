/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/context_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/array.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/quote.h"
#include "base/suggest.h"
#include "manifests/glob.h"

/* What docker would unpack, fetch or clone. */
static bool is_remote(const char *path)
{
	static const char *const prefixes[] = {"http://", "https://", "git://",
					       "ssh://",  "git@",     "github.com/"};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (str_has_prefix(path, prefixes[i]))
			return true;
	}
	return false;
}

static int set_no_context(const char *path, int sys, struct err *e)
{
	char q[QUOTE_MAX];

	if (strcmp(path, "-") == 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "a context on standard input is not supported: unpack it, and give "
			       "its directory (-f - reads a manifest alone)");
	if (is_remote(path))
		return err_set(e, ERR_UNSUPPORTED,
			       "'%s': a remote context is not supported: fetch it, and give its "
			       "directory",
			       quote_str(q, path));
	if (sys == ENOTDIR)
		return err_set(e, ERR_NOT_FOUND,
			       "the context '%s' is no directory (-f takes a manifest)",
			       quote_str(q, path));
	return err_sys(e, sys, "cannot open the context '%s'", quote_str(q, path));
}

struct context *context_open(const char *path, struct err *e)
{
	struct context *c = array_new(1, sizeof(*c), e);

	if (!c)
		return NULL;
	c->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->fd < 0) {
		set_no_context(path, errno, e);
		free(c);
		return NULL;
	}
	return c;
}

void context_close(struct context *c)
{
	if (!c)
		return;
	ignore_free(c->rules);
	context_memory_free(c->memory);
	close(c->fd);
	free(c);
}

int context_remember(struct context *c, struct err *e)
{
	c->memory = array_new(1, sizeof(*c->memory), e);
	return c->memory ? 0 : -1;
}

bool context_where(const struct context *c, dev_t *device, long *type)
{
	struct statfs fs;
	struct stat st;

	if (fstat(c->fd, &st) < 0 || fstatfs(c->fd, &fs) < 0)
		return false;
	*device = st.st_dev;
	*type = (long)fs.f_type;
	return true;
}

void context_set_ignore(struct context *c, struct ignore *rules)
{
	ignore_free(c->rules);
	c->rules = rules;
}

bool context_hides(const struct context *c, const char *path)
{
	return c->rules && strcmp(path, ".") != 0 && ignore_is_excluded(c->rules, path);
}

int context_check_rules(const struct context *c, struct err *e)
{
	return c->rules ? ignore_check_steps(c->rules, e) : 0;
}

int context_set_open_error(const char *path, struct err *e)
{
	char q[QUOTE_MAX];

	/* What openat2(2) says of a path that would leave the directory. */
	if (errno == EXDEV)
		return err_set(e, ERR_UNSUPPORTED, "'%s' leads out of the context",
			       quote_str(q, path));
	if (errno == ELOOP)
		return err_set(e, ERR_UNSUPPORTED,
			       "'%s' of the context leads through links without an end",
			       quote_str(q, path));
	return err_sys(e, errno, "cannot open '%s' of the context", quote_str(q, path));
}

/* An O_PATH descriptor of what `path` names, links followed, and its stat. */
static int open_path(const struct context *c, const char *path, struct stat *st, struct err *e)
{
	SCOPE_FD int fd = path_open_beneath(c->fd, path, O_PATH | O_CLOEXEC, 0);

	if (fd < 0 || fstat(fd, st) < 0)
		return context_set_open_error(path, e);
	return steal_fd(&fd);
}

/* Whether `path`, which is not there, is a link. */
static bool is_link(const struct context *c, const char *path)
{
	struct stat st;
	SCOPE_FD int fd = path_open_beneath(c->fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

/* `e` says that `path` is not there: that is another thing when a link on the way is. */
static int blame_link(const struct context *c, const char *path, struct err *e)
{
	struct err ignored = ERR_INIT;
	char q[QUOTE_MAX], q_link[QUOTE_MAX];
	struct stat st;

	for (size_t len = strcspn(path, "/");; len += 1 + strcspn(path + len + 1, "/")) {
		SCOPE_FREE char *part = str_dup_n(path, len, &ignored);
		SCOPE_FD int fd = part ? open_path(c, part, &st, &ignored) : -1;
		const bool is_there = fd >= 0;
		err_clear(&ignored);
		if (!part)
			return -1;
		if (!is_there && is_link(c, part)) {
			err_clear(e);
			return err_set(
				e, ERR_NOT_FOUND,
				"'%s' of the context: what the link '%s' leads to is missing",
				quote_str(q, path), quote_str(q_link, part));
		}
		if (!is_there || !path[len])
			return -1;
	}
}

int context_stat(const struct context *c, const char *path, struct stat *st, struct err *e)
{
	SCOPE_FD int fd = open_path(c, path, st, e);

	if (fd < 0 && e->code == ERR_SYS && e->sys == ENOENT)
		return blame_link(c, path, e);
	return fd < 0 ? -1 : 0;
}

int context_open_file(const struct context *c, const char *path, const struct stamp *seen,
		      struct err *e)
{
	struct stat st;
	char q[QUOTE_MAX];
	SCOPE_FD int fd = path_open_beneath(c->fd, path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0 || fstat(fd, &st) < 0)
		return context_set_open_error(path, e);
	/* Whether its times are the same is asked when it was read. */
	if (st.st_dev != seen->dev || st.st_ino != seen->ino || st.st_size != seen->size)
		return err_sys(e, EBUSY, "'%s' changed while it was read", quote_str(q, path));
	return steal_fd(&fd);
}

int context_read(const struct context *c, const char *path, uint64_t limit, struct str *out,
		 struct err *e)
{
	struct stat st;
	char q[QUOTE_MAX];
	/* Non-blocking, as path_open_beneath does it: a FIFO is seen and refused below. */
	SCOPE_FD int fd = path_open_beneath(c->fd, path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return context_set_open_error(path, e);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_UNSUPPORTED, "'%s' of the context is no regular file",
			       quote_str(q, path));
	SCOPE_FREE char *what = str_dupf(e, "'%s'", quote_str(q, path));
	return !what || io_slurp(fd, limit, what, out, e) < 0 ? -1 : 1;
}

/* Nothing is below such a name: a link that dangles, is a circle, or leads out. */
static bool is_dead_end(int sys)
{
	return sys == ENOENT || sys == ENOTDIR || sys == ELOOP || sys == EXDEV;
}

/*
 * Whether a source may name `path`: 1, 0, -1.  A directory that is left out is there all the same
 * when a rule takes back something below it: BuildKit sends what is above of what it sends.
 */
static int is_seen(const struct context *c, const char *path, struct err *e)
{
	const bool is_out = context_hides(c, path);
	const bool may_hold = is_out && ignore_may_reinclude_below(c->rules, path);

	if (context_check_rules(c, e) < 0)
		return -1;
	if (!may_hold)
		return !is_out;
	/* Rules are about paths without links. */
	SCOPE_FD int fd =
		path_open_beneath(c->fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, PATH_NO_SYMLINKS);
	if (fd < 0)
		return is_dead_end(errno) ? 0 : context_set_open_error(path, e);
	return context_shows_below(c, path, e);
}

/* One name of a pattern's search. */
static int match_one(const struct context *c, const struct glob *g, const char *path,
		     struct context_level *levels, size_t *depth, struct strlist *out,
		     struct err *e)
{
	const size_t len = strlen(path);
	struct stat st;

	if (glob_match(g, path, len)) {
		const int seen = is_seen(c, path, e);
		if (seen != 0)
			return seen < 0 ? -1 : strlist_add(out, path, e);
	}
	/* Deeper only where the pattern leads, so that "*.c" opens one directory. */
	SCOPE_FREE char *below = str_dupf(e, "%s/", path);
	if (!below)
		return -1;
	if (!glob_may_match_from(g, below, len + 1))
		return 0;
	SCOPE_FD int fd = path_open_beneath(c->fd, path, O_PATH | O_CLOEXEC, 0);
	if (fd < 0 && is_dead_end(errno))
		return 0;
	/* What may be a directory is not left out without a word. */
	if (fd < 0 || fstat(fd, &st) < 0)
		return context_set_open_error(path, e);
	if (!S_ISDIR(st.st_mode))
		return 0;
	return context_push(c, levels, depth, path, NULL, e);
}

static int match_pattern(const struct context *c, const struct glob *g, struct strlist *out,
			 struct err *e)
{
	SCOPE(str) struct str path = STR_INIT;
	SCOPE_FREE struct context_level *levels = array_new(LIMIT_DEPTH, sizeof(*levels), e);
	size_t depth = 0;
	int r = levels ? context_push(c, levels, &depth, ".", NULL, e) : -1;

	while (r == 0 && depth) {
		struct context_level *l = &levels[depth - 1];
		if (l->at == l->dir.names.count) {
			context_pop(levels, &depth);
			continue;
		}
		r = context_join(&path, l->dir.path, l->dir.names.items[l->at++] + 1, e);
		if (r == 0)
			r = match_one(c, g, path.data, levels, &depth, out, e);
	}
	while (depth)
		context_pop(levels, &depth);
	return r;
}

/* The visible name in `dir` that is nearest to `word`: into `name`, 1; 0 none. */
static int nearest_name(const struct context *c, const char *dir, const char *word,
			struct str *name, struct err *e)
{
	SCOPE(strlist) struct strlist names = STRLIST_INIT;
	SCOPE(str) struct str path = STR_INIT;
	size_t seen = 0;

	if (context_names(c, dir, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		char *entry = names.items[i];
		memmove(entry, entry + 1, strlen(entry));
		if (context_join(&path, dir, entry, e) < 0)
			return -1;
		if (context_hides(c, path.data))
			continue;
		char *visible = names.items[i];
		names.items[i] = names.items[seen];
		names.items[seen++] = visible;
	}
	const char *near = suggest_nearest(word, (const char *const *)names.items, seen);
	if (!near)
		return 0;
	return str_append_z(name, near, e) < 0 ? -1 : 1;
}

/*
 * The path of the context that somebody may have meant by `path`, which is not there: the first
 * name that is missing is replaced by the nearest.  1, 0 when there is none, -1.
 */
static int nearest_path(const struct context *c, const char *path, struct str *out, struct err *e)
{
	SCOPE(str) struct str dir = STR_INIT;
	SCOPE(str) struct str near = STR_INIT;
	struct stat st;

	if (str_append_z(&dir, ".", e) < 0)
		return -1;
	for (;;) {
		const size_t len = strcspn(path, "/");
		SCOPE_FREE char *name = str_dup_n(path, len, e);
		if (!name || context_join(out, dir.data, name, e) < 0)
			return -1;
		if (context_stat(c, out->data, &st, e) < 0) {
			err_clear(e);
			const int found = nearest_name(c, dir.data, name, &near, e);
			if (found < 1 || context_join(out, dir.data, near.data, e) < 0)
				return found < 0 ? -1 : 0;
			/* A suggestion that is not there either is none. */
			const size_t good = out->len;
			if (str_append_z(out, path + len, e) < 0)
				return -1;
			if (context_stat(c, out->data, &st, e) < 0)
				str_truncate(out, good);
			err_clear(e);
			return 1;
		}
		if (!path[len])
			return 0;
		path += len + 1;
		str_truncate(&dir, 0);
		if (str_append(&dir, out->data, out->len, e) < 0)
			return -1;
	}
}

static int set_not_found(const struct context *c, const char *path, struct err *e)
{
	SCOPE(str) struct str near = STR_INIT;
	struct err ignored = ERR_INIT;
	char q[QUOTE_MAX], q_near[QUOTE_MAX];

	const int has_near = nearest_path(c, path, &near, &ignored);
	err_clear(&ignored);
	if (has_near < 1)
		return err_set(e, ERR_NOT_FOUND, "no '%s' in the context", quote_str(q, path));
	return err_set(e, ERR_NOT_FOUND, "no '%s' in the context (did you mean '%s'?)",
		       quote_str(q, path), quote_str(q_near, near.data));
}

/* A path that is there and not hidden. */
static int check_literal(const struct context *c, const char *path, struct err *e)
{
	struct stat st;
	char q[QUOTE_MAX];

	const int seen = is_seen(c, path, e);
	if (seen < 0)
		return -1;
	if (!seen)
		return err_set(e, ERR_NOT_FOUND,
			       "'%s' of the context is excluded by an ignore file",
			       quote_str(q, path));
	if (context_stat(c, path, &st, e) < 0) {
		if (e->code != ERR_SYS || (e->sys != ENOENT && e->sys != ENOTDIR))
			return -1;
		err_clear(e);
		return set_not_found(c, path, e);
	}
	return 0;
}

int context_match(const struct context *c, const char *pattern, struct strlist *out, struct err *e)
{
	SCOPE(glob) struct glob g = GLOB_INIT;

	if (glob_init(&g, pattern, strlen(pattern), GLOB_PLAIN, e) < 0)
		return -1;
	if (!g.is_literal)
		return match_pattern(c, &g, out, e);
	/* The pattern may have escapes: its prefix is the name. */
	const char *path = g.prefix ? g.prefix : pattern;
	return check_literal(c, path, e) < 0 ? -1 : strlist_add(out, path, e);
}

int context_check(const struct context *c, const char *pattern, struct err *e)
{
	SCOPE(strlist) struct strlist found = STRLIST_INIT;

	return context_match(c, pattern, &found, e) < 0 ? -1 : found.count > 0;
}
