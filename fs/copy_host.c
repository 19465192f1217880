/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/copy_host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/array.h"
#include "base/io.h"
#include "base/log.h"
#include "base/min.h"
#include "base/quote.h"
#include "base/str.h"

#define SIZE_NOT_KNOWN UINT64_MAX

enum { READ_BUFFER = 256 * 1024 };

static struct copy_host *of(struct copy_source *s)
{
	/* `source` is the first member. */
	return (struct copy_host *)s;
}

/* Of what the source is at. */
static int directory_of(const struct copy_host *s)
{
	return s->walk.depth > 0 ? s->walk.fd : s->start;
}

static int look(struct copy_source *source, struct err *e)
{
	const struct copy_host *s = of(source);

	return fstatat(directory_of(s), s->place, &source->st,
		       AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0
		       ? err_sys(e, errno, "cannot stat")
		       : 0;
}

static int enter(struct copy_source *source, struct err *e)
{
	struct copy_host *s = of(source);
	char quoted[QUOTE_MAX];

	if (s->walk.depth == 0)
		s->dev = source->st.st_dev;
	if (host_walk_enter(&s->walk, directory_of(s), s->place, &source->st, e) < 0)
		return -1;
	if (source->st.st_dev == s->dev)
		return 0;
	log_warning("'%s' is another file system: what it holds is left out",
		    quote_str(quoted, str_text(&s->walk.path)));
	host_walk_skip(&s->walk);
	return 0;
}

static int next(struct copy_source *source, struct err *e)
{
	struct copy_host *s = of(source);
	const int found = host_walk_next(&s->walk, &s->place, e);

	if (found <= 0)
		return found;
	/* readdir(3) gives no longer ones, and who gave one would be refused as no name. */
	source->name_len = strnlen(s->place, sizeof(source->name) - 1);
	memcpy(source->name, s->place, source->name_len);
	source->name[source->name_len] = '\0';
	return 1;
}

static int self(struct copy_source *source, struct err *e)
{
	of(source)->place = "";
	return look(source, e);
}

static int leave(struct copy_source *source, struct err *e)
{
	return host_walk_leave(&of(source)->walk, e);
}

static int open_content(struct copy_source *source, struct err *e)
{
	struct copy_host *s = of(source);
	struct stat now;

	if (!s->buf)
		s->buf = array_new(READ_BUFFER, 1, e);
	if (!s->buf)
		return -1;
	s->file = host_walk_open_file(directory_of(s), s->place, &source->st, &now, e);
	if (s->file < 0)
		return -1;
	source->st = now;
	/* Not what is added meanwhile: a file that grows by being copied would have no end.  Files
	 * of /proc do not say how long they are. */
	s->size = now.st_size > 0 ? (uint64_t)now.st_size : SIZE_NOT_KNOWN;
	s->data_start = 0;
	s->data_end = now.st_size > 0 ? 0 : SIZE_NOT_KNOWN;
	return 0;
}

static void close_content(struct copy_source *source)
{
	scope_close(&of(source)->file);
	of(source)->file = -1;
}

/* The data at or behind `at`.  All is data where the file system does not tell. */
static void find_data(struct copy_host *s, uint64_t at)
{
	const off_t data = lseek(s->file, (off_t)at, SEEK_DATA);

	s->data_start = at;
	s->data_end = UINT64_MAX;
	/* There is none. */
	if (data < 0 && errno == ENXIO)
		s->data_start = s->size;
	if (data < 0)
		return;
	const off_t end = lseek(s->file, data, SEEK_HOLE);
	s->data_start = (uint64_t)data;
	if (end > data)
		s->data_end = (uint64_t)end;
}

static int span(struct copy_source *source, uint64_t at, struct copy_span *out, struct err *e)
{
	struct copy_host *s = of(source);

	*out = (struct copy_span){NULL, 0};
	if (at >= s->size)
		return 0;
	if (at >= s->data_end)
		find_data(s, at);
	if (at < s->data_start) {
		out->len = min_u64(s->data_start, s->size) - at;
		return 0;
	}
	const uint64_t len = min_u64(READ_BUFFER, min_u64(s->data_end, s->size) - at);
	const ssize_t n = io_pread_full(s->file, s->buf, len, at);
	if (n < 0)
		return err_sys(e, errno, "cannot read");
	*out = (struct copy_span){s->buf, (size_t)n};
	return 0;
}

static int read_link(struct copy_source *source, char target[static LIMIT_SYMLINK + 1],
		     struct err *e)
{
	const struct copy_host *s = of(source);
	size_t len;

	return host_walk_read_link(directory_of(s), s->place, target, &len, e);
}

static int xattr(struct copy_source *source, bool is_first, struct xattr *out, struct err *e)
{
	struct copy_host *s = of(source);

	if (is_first) {
		s->xattr_at = 0;
		if (host_xattrs_read(&s->xattrs, directory_of(s), s->place, e) < 0)
			return -1;
	}
	if (s->xattr_at >= s->xattrs.count)
		return 0;
	*out = s->xattrs.items[s->xattr_at++];
	return 1;
}

static const struct copy_source_ops ops = {
	.enter = enter,
	.next = next,
	.look = look,
	.self = self,
	.leave = leave,
	.open = open_content,
	.close = close_content,
	.span = span,
	.read_link = read_link,
	.xattr = xattr,
};

/* Opens the directory `path`, or that which holds the last name of it. */
static int open_start(struct copy_host *s, const char *path, const char *whole, struct err *e)
{
	char quoted[QUOTE_MAX];

	s->start = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->start >= 0)
		return 0;
	if (errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "there is no '%s'", quote_str(quoted, whole));
	return err_sys(e, errno, "cannot open '%s'", quote_str(quoted, path));
}

/* A directory by another name than its own: "link/", "..", "/". */
static int open_directory(struct copy_host *s, const char *path, const char *name, struct err *e)
{
	char quoted[QUOTE_MAX];

	s->place = "";
	if (open_start(s, path, path, e) < 0)
		return -1;
	if (*name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
		s->own_name = str_dup(name, e);
		return s->own_name ? 0 : -1;
	}
	SCOPE_FREE char *real = realpath(path, NULL);
	if (!real)
		return err_sys(e, errno, "cannot find '%s'", quote_str(quoted, path));
	const char *last = strrchr(real, '/') + 1;
	s->is_content = !*last || strcmp(name, ".") == 0;
	if (!*last)
		return 0;
	s->own_name = str_dup(last, e);
	return s->own_name ? 0 : -1;
}

static int open_named(struct copy_host *s, const char *path, const char *name, struct err *e)
{
	const size_t len = (size_t)(name - path);
	/* Of "/name" the "/" stays. */
	SCOPE_FREE char *parent = len ? str_dup_n(path, len > 1 ? len - 1 : 1, e) : str_dup(".", e);

	if (!parent || open_start(s, parent, path, e) < 0)
		return -1;
	s->own_name = str_dup(name, e);
	s->place = s->own_name;
	return s->own_name ? 0 : -1;
}

static int open_path(struct copy_host *s, const char *path, struct err *e)
{
	SCOPE_FREE char *trimmed = str_dup(path, e);

	if (!trimmed)
		return -1;
	size_t len = strlen(trimmed);
	while (len > 0 && trimmed[len - 1] == '/')
		trimmed[--len] = '\0';
	const char *slash = strrchr(trimmed, '/');
	const char *name = slash ? slash + 1 : trimmed;
	if (path[len] == '/' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return open_directory(s, path, name, e);
	return open_named(s, path, path + (name - trimmed), e);
}

int copy_host_open(struct copy_host *s, const char *path, struct err *e)
{
	char quoted[QUOTE_MAX];

	s->source.ops = &ops;
	if (!*path)
		return err_set(e, ERR_NOT_FOUND, "'' is no path");
	if (host_walk_init(&s->walk, e) < 0 || open_path(s, path, e) < 0)
		return -1;
	if (look(&s->source, e) == 0)
		return 0;
	if (e->sys != ENOENT)
		return err_wrap(e, "'%s'", quote_str(quoted, path));
	err_clear(e);
	return err_set(e, ERR_NOT_FOUND, "there is no '%s'", quote_str(quoted, path));
}

void copy_host_fini(struct copy_host *s)
{
	scope_close(&s->start);
	scope_close(&s->file);
	free(s->own_name);
	free(s->buf);
	host_walk_fini(&s->walk);
	host_xattrs_fini(&s->xattrs);
	*s = (struct copy_host)COPY_HOST_INIT;
}
