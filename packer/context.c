/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/context.h"

#include <dirent.h>
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

struct context {
	int fd;
	struct ignore *rules; /* NULL: nothing is hidden */
};

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
	close(c->fd);
	free(c);
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

static int set_open_error(const char *path, struct err *e)
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
		return set_open_error(path, e);
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

int context_open_file(const struct context *c, const char *path, const struct stat *seen,
		      struct err *e)
{
	struct stat st;
	char q[QUOTE_MAX];
	SCOPE_FD int fd = path_open_beneath(c->fd, path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0 || fstat(fd, &st) < 0)
		return set_open_error(path, e);
	if (st.st_dev != seen->st_dev || st.st_ino != seen->st_ino || st.st_size != seen->st_size)
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
		return set_open_error(path, e);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_UNSUPPORTED, "'%s' of the context is no regular file",
			       quote_str(q, path));
	SCOPE_FREE char *what = str_dupf(e, "'%s'", quote_str(q, path));
	return !what || io_slurp(fd, limit, what, out, e) < 0 ? -1 : 1;
}

/* What readdir(3) says of a name stands in front of it: DT_DIR, DT_UNKNOWN ... */
static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a + 1, *(char *const *)b + 1);
}

static int add_name(struct strlist *names, const struct dirent *de, struct err *e)
{
	char name[1 + sizeof(de->d_name)];

	/* Zero is DT_UNKNOWN, and no character of a text. */
	name[0] = (char)(1 + de->d_type);
	memcpy(name + 1, de->d_name, strlen(de->d_name) + 1);
	return strlist_add(names, name, e);
}

static unsigned char name_type(const char *name)
{
	return (unsigned char)(name[0] - 1);
}

static int open_dir(const struct context *c, const char *dir, struct err *e)
{
	const int fd = path_open_beneath(c->fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	return fd < 0 ? set_open_error(dir, e) : fd;
}

/* The names in a directory of the context, which `fd` is, sorted. */
static int read_names(int fd, const char *dir, struct strlist *names, struct err *e)
{
	struct dirent *de;
	int r = 0;
	const int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *stream = own < 0 ? NULL : fdopendir(own);

	if (!stream) {
		set_open_error(dir, e);
		if (own >= 0)
			close(own);
		return -1;
	}
	while (r == 0 && (errno = 0, de = readdir(stream))) {
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			r = add_name(names, de, e);
	}
	if (r == 0 && errno)
		r = set_open_error(dir, e);
	closedir(stream);
	if (r == 0 && names->count)
		qsort(names->items, names->count, sizeof(*names->items), compare_names);
	return r;
}

/* "dir/name", or "name" at the root. */
static int join(struct str *out, const char *dir, const char *name, struct err *e)
{
	char q[QUOTE_MAX];

	str_truncate(out, 0);
	if (strcmp(dir, ".") != 0 &&
	    (str_append_z(out, dir, e) < 0 || str_append_c(out, '/', e) < 0))
		return -1;
	if (str_append_z(out, name, e) < 0)
		return -1;
	if (out->len > LIMIT_PATH)
		return err_set(e, ERR_LIMIT, "'%s' of the context: path is longer than %d bytes",
			       quote_str(q, out->data), LIMIT_PATH);
	return 0;
}

/* A directory that a pattern or a walk is in. */
struct level {
	char *dir;
	struct strlist names;
	size_t at;
	int fd; /* of the innermost one; others are opened again when it is their turn: -1 */
};

static void level_close(struct level *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

static int level_fd(const struct context *c, struct level *l, struct err *e)
{
	if (l->fd < 0)
		l->fd = open_dir(c, l->dir, e);
	return l->fd;
}

static int push(const struct context *c, struct level *levels, size_t *depth, const char *dir,
		struct err *e)
{
	if (*depth == LIMIT_DEPTH)
		return err_set(e, ERR_LIMIT, "directories of the context nest deeper than %d",
			       LIMIT_DEPTH);
	/* However deep it is, one directory is open. */
	if (*depth)
		level_close(&levels[*depth - 1]);
	struct level *l = &levels[(*depth)++];
	*l = (struct level){.dir = str_dup(dir, e), .fd = -1};
	if (!l->dir || level_fd(c, l, e) < 0)
		return -1;
	return read_names(l->fd, dir, &l->names, e);
}

static void pop(struct level *levels, size_t *depth)
{
	struct level *l = &levels[--*depth];
	level_close(l);
	free(l->dir);
	strlist_fini(&l->names);
}

static bool is_hidden(const struct context *c, const char *path)
{
	return c->rules && strcmp(path, ".") != 0 && ignore_is_excluded(c->rules, path);
}

/* Nothing is below such a name: a link that dangles, is a circle, or leads out. */
static bool is_dead_end(int sys)
{
	return sys == ENOENT || sys == ENOTDIR || sys == ELOOP || sys == EXDEV;
}

/* Whether what is_hidden said is to be relied on. */
static int check_rules(const struct context *c, struct err *e)
{
	return c->rules ? ignore_check_steps(c->rules, e) : 0;
}

/* One name of a pattern's search. */
static int match_one(const struct context *c, const struct glob *g, const char *path,
		     struct level *levels, size_t *depth, struct strlist *out, struct err *e)
{
	const size_t len = strlen(path);
	struct stat st;

	if (glob_match(g, path, len)) {
		const bool is_out = is_hidden(c, path);
		if (check_rules(c, e) < 0)
			return -1;
		if (!is_out)
			return strlist_add(out, path, e);
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
		return set_open_error(path, e);
	if (!S_ISDIR(st.st_mode))
		return 0;
	return push(c, levels, depth, path, e);
}

static int match_pattern(const struct context *c, const struct glob *g, struct strlist *out,
			 struct err *e)
{
	SCOPE(str) struct str path = STR_INIT;
	SCOPE_FREE struct level *levels = array_new(LIMIT_DEPTH, sizeof(*levels), e);
	size_t depth = 0;
	int r = levels ? push(c, levels, &depth, ".", e) : -1;

	while (r == 0 && depth) {
		struct level *l = &levels[depth - 1];
		if (l->at == l->names.count) {
			pop(levels, &depth);
			continue;
		}
		r = join(&path, l->dir, l->names.items[l->at++] + 1, e);
		if (r == 0)
			r = match_one(c, g, path.data, levels, &depth, out, e);
	}
	while (depth)
		pop(levels, &depth);
	return r;
}

/* The visible name in `dir` that is nearest to `word`: into `name`, 1; 0 none. */
static int nearest_name(const struct context *c, const char *dir, const char *word,
			struct str *name, struct err *e)
{
	SCOPE(strlist) struct strlist names = STRLIST_INIT;
	SCOPE(str) struct str path = STR_INIT;
	size_t seen = 0;

	SCOPE_FD int fd = open_dir(c, dir, e);
	if (fd < 0 || read_names(fd, dir, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		char *entry = names.items[i];
		memmove(entry, entry + 1, strlen(entry));
		if (join(&path, dir, entry, e) < 0)
			return -1;
		if (is_hidden(c, path.data))
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
		if (!name || join(out, dir.data, name, e) < 0)
			return -1;
		if (context_stat(c, out->data, &st, e) < 0) {
			err_clear(e);
			const int found = nearest_name(c, dir.data, name, &near, e);
			if (found < 1 || join(out, dir.data, near.data, e) < 0)
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

	const bool is_out = is_hidden(c, path);
	if (check_rules(c, e) < 0)
		return -1;
	if (is_out)
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

/* A walk below one directory. */
struct walk {
	const struct context *context;
	const struct ignore *exclude;
	bool is_names_only;
	size_t skip; /* bytes of a path before the part below the directory */
	struct level *levels;
	size_t depth;
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
	const int fd = level_fd(w->context, &w->levels[w->depth - 1], e);

	if (fd < 0)
		return -1;
	if (fstatat(fd, name, st, AT_SYMLINK_NOFOLLOW) < 0)
		return set_open_error(path, e);
	return S_ISLNK(st->st_mode) && !is_out ? read_target(fd, name, path, target, e) : 0;
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
	const bool is_out =
		is_hidden(c, path) || (w->exclude && ignore_is_excluded(w->exclude, entry.below));

	if (check_rules(c, e) < 0 || (w->exclude && ignore_check_steps(w->exclude, e) < 0))
		return -1;
	bool is_dir = name_type(name) == DT_DIR;
	if (!w->is_names_only || name_type(name) == DT_UNKNOWN) {
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
	return push(c, w->levels, &w->depth, path, e);
}

static int walk(const struct context *c, const char *dir, const struct ignore *exclude,
		bool is_names_only,
		int (*each)(void *ctx, const struct context_entry *entry, struct err *e), void *ctx,
		struct err *e)
{
	SCOPE(str) struct str path = STR_INIT;
	SCOPE_FREE struct level *levels = array_new(LIMIT_DEPTH, sizeof(*levels), e);
	struct walk w = {
		.context = c,
		.exclude = exclude,
		.is_names_only = is_names_only,
		.skip = strcmp(dir, ".") == 0 ? 0 : strlen(dir) + 1,
		.levels = levels,
		.each = each,
		.ctx = ctx,
	};
	int r = levels ? push(c, levels, &w.depth, dir, e) : -1;

	while (r == 0 && w.depth) {
		struct level *l = &levels[w.depth - 1];
		if (l->at == l->names.count) {
			pop(levels, &w.depth);
			continue;
		}
		const char *name = l->names.items[l->at++];
		r = join(&path, l->dir, name + 1, e);
		if (r == 0)
			r = visit(&w, name, path.data, e);
	}
	while (w.depth)
		pop(levels, &w.depth);
	return r;
}

int context_walk(const struct context *c, const char *dir, const struct ignore *exclude,
		 int (*each)(void *ctx, const struct context_entry *entry, struct err *e),
		 void *ctx, struct err *e)
{
	return walk(c, dir, exclude, false, each, ctx, e);
}

int context_walk_names(const struct context *c, const char *dir, const struct ignore *exclude,
		       int (*each)(void *ctx, const struct context_entry *entry, struct err *e),
		       void *ctx, struct err *e)
{
	return walk(c, dir, exclude, true, each, ctx, e);
}
