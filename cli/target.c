/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/quote.h"
#include "base/scope.h"
#include "base/tmpfile.h"

enum { TARGET_MODE = 0644 };

/* What is written: a name in a directory, or, without a directory, something that is no file. */
struct target {
	const char *option, *path;
	int dir; /* -1: `path` is a device, a FIFO, ... */
	char *name;
};

static void target_fini(struct target *t)
{
	if (t->dir >= 0)
		close(t->dir);
	free(t->name);
}
SCOPE_DEFINE_VALUE(target, struct target, target_fini)

static int fail(const struct target *t, int sys, struct err *e)
{
	char q[QUOTE_MAX];

	return err_sys(e, sys, "option '--%s': cannot write '%s'", t->option,
		       quote_str(q, t->path));
}

/* The same for an error that speaks of a name which the user never gave. */
static int fail_again(const struct target *t, struct err *e)
{
	const int sys = e->sys;
	char q[QUOTE_MAX];

	if (sys == 0)
		return err_wrap(e, "option '--%s': cannot write '%s'", t->option,
				quote_str(q, t->path));
	err_clear(e);
	return fail(t, sys, e);
}

static int open_dir(struct target *t, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	SCOPE_FREE char *dir =
		slash ? str_dup_n(path, slash == path ? 1 : (size_t)(slash - path), e)
		      : str_dup(".", e);

	t->name = str_dup(slash ? slash + 1 : path, e);
	if (!dir || !t->name)
		return -1;
	t->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return t->dir < 0 ? fail(t, errno, e) : 0;
}

static int target_find(struct target *t, struct err *e)
{
	struct stat st;
	char q[QUOTE_MAX];

	if (stat(t->path, &st) < 0) {
		const size_t len = strlen(t->path);
		if (errno != ENOENT)
			return fail(t, errno, e);
		if (len == 0 || t->path[len - 1] == '/')
			return fail(t, ENOENT, e);
		if (lstat(t->path, &st) == 0)
			return err_set(e, ERR_EXISTS,
				       "option '--%s': cannot write '%s': it is a link that leads "
				       "to nothing",
				       t->option, quote_str(q, t->path));
		return open_dir(t, t->path, e);
	}
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_USAGE, "option '--%s': '%s' is a directory", t->option,
			       quote_str(q, t->path));
	/* /dev/stdout may be a file, which must not be replaced while it is written. */
	if (!S_ISREG(st.st_mode) || str_has_prefix(t->path, "/dev/"))
		return 0;
	SCOPE_FREE char *real = realpath(t->path, NULL);
	return real ? open_dir(t, real, e) : fail(t, errno, e);
}

int target_check(const char *option, const char *path, struct err *e)
{
	SCOPE(target) struct target t = {option, path, -1, NULL};

	if (target_find(&t, e) < 0)
		return -1;
	if (t.dir < 0)
		return access(path, W_OK) < 0 ? fail(&t, errno, e) : 0;
	SCOPE_FD int fd = tmpfile_open_at(t.dir, e);
	return fd < 0 ? fail_again(&t, e) : 0;
}

int target_write(const char *option, const char *path, const struct str *text, struct err *e)
{
	SCOPE(target) struct target t = {option, path, -1, NULL};

	if (target_find(&t, e) < 0)
		return -1;
	if (t.dir >= 0)
		return tmpfile_write_at(t.dir, t.name, TARGET_MODE, text->data, text->len, e) < 0
			       ? fail_again(&t, e)
			       : 0;
	SCOPE_FD int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	return fd < 0 || io_write_all(fd, text->data, text->len) < 0 ? fail(&t, errno, e) : 0;
}
