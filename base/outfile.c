/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals: a file without a name goes with its process.  One that needs a name from the start, and
 * the moment in which a finished file changes names, hold them (base/interrupt.h).
 */
#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/interrupt.h"
#include "base/io.h"
#include "base/quote.h"
#include "base/str.h"

enum {
	BUFFER_SIZE = 256 * 1024,
	NEW_MODE = 0666,
	PERMISSIONS = 0777,
};

static const char stdout_name[] = "standard output";

static int fail(const struct outfile *f, int sys, struct err *e)
{
	char q[QUOTE_MAX];

	if (!f->path)
		return err_sys(e, sys, "cannot write to %s", stdout_name);
	return err_sys(e, sys, "cannot write '%s'", quote_str(q, f->path));
}

/* The same for an error that speaks of a name which the user never gave. */
static int fail_again(const struct outfile *f, struct err *e)
{
	const int sys = e->sys;
	char q[QUOTE_MAX];

	if (sys == 0)
		return err_wrap(e, "cannot write '%s'", quote_str(q, f->path));
	err_clear(e);
	return fail(f, sys, e);
}

static int refuse(const struct outfile *f, const char *why, struct err *e)
{
	char q[QUOTE_MAX];

	return err_set(e, ERR_EXISTS, "cannot write '%s': %s", quote_str(q, f->path), why);
}

mode_t outfile_default_mode(void)
{
	const mode_t mask = umask(0);

	umask(mask);
	return NEW_MODE & ~mask;
}

static int open_dir(struct outfile *f, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	SCOPE_FREE char *dir =
		slash ? str_dup_n(path, slash == path ? 1 : (size_t)(slash - path), e)
		      : str_dup(".", e);

	f->name = str_dup(slash ? slash + 1 : path, e);
	if (!dir || !f->name)
		return -1;
	f->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return f->dir < 0 ? fail(f, errno, e) : 0;
}

static int find_new(struct outfile *f, struct err *e)
{
	const size_t len = strlen(f->path);
	struct stat st;

	if (len == 0 || f->path[len - 1] == '/')
		return fail(f, ENOENT, e);
	if (lstat(f->path, &st) == 0)
		return refuse(f, "it is a link that leads to nothing", e);
	f->mode = outfile_default_mode();
	return open_dir(f, f->path, e);
}

static bool is_stream(const char *path, const struct stat *st)
{
	if (S_ISCHR(st->st_mode) || S_ISFIFO(st->st_mode))
		return true;
	return S_ISREG(st->st_mode) &&
	       (str_has_prefix(path, "/dev/") || str_has_prefix(path, "/proc/"));
}

/* What the path leads to: its directory is open then, or it is a stream. */
static int find(struct outfile *f, unsigned flags, struct err *e)
{
	struct stat st, link;
	char q[QUOTE_MAX];

	if (stat(f->path, &st) < 0)
		return errno == ENOENT ? find_new(f, e) : fail(f, errno, e);
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_USAGE, "'%s' is a directory", quote_str(q, f->path));
	if (is_stream(f->path, &st))
		return 0;
	if (!S_ISREG(st.st_mode))
		return refuse(f, "it is a block device or a socket", e);
	f->mode = st.st_mode & PERMISSIONS;
	if (!(flags & OUTFILE_FOLLOW)) {
		if (lstat(f->path, &link) == 0 && S_ISLNK(link.st_mode))
			return refuse(f, "it is a link; name the file that it leads to", e);
		return open_dir(f, f->path, e);
	}
	SCOPE_FREE char *real = realpath(f->path, NULL);
	return real ? open_dir(f, real, e) : fail(f, errno, e);
}

static int open_stream(struct outfile *f, unsigned flags, struct err *e)
{
	char q[QUOTE_MAX];
	struct stat st;

	/* Appended, so that a file which has some output already keeps it. */
	f->fd = open(f->path, O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		return fail(f, errno, e);
	if (!is_stream(f->path, &st))
		return fail(f, EBUSY, e);
	if (!(flags & OUTFILE_TERMINAL) && isatty(f->fd))
		return err_set(e, ERR_USAGE, "'%s' is a terminal, which cannot show an archive",
			       quote_str(q, f->path));
	return 0;
}

static int open_temporary(struct outfile *f, struct err *e)
{
	f->fd = tmpfile_create_at(f->dir, f->litter, e);
	if (f->fd < 0)
		return fail_again(f, e);
	if (*f->litter)
		interrupt_hold();
	return 0;
}

static int take_buffer(struct outfile *f, struct err *e)
{
	f->buf = array_new(BUFFER_SIZE, 1, e);
	return f->buf ? 0 : -1;
}

int outfile_open(struct outfile *out, const char *path, unsigned flags, struct err *e)
{
	SCOPE(outfile) struct outfile f = OUTFILE_INIT;

	f.path = str_dup(path, e);
	if (!f.path || find(&f, flags, e) < 0 || take_buffer(&f, e) < 0 ||
	    (f.dir < 0 ? open_stream(&f, flags, e) : open_temporary(&f, e)) < 0)
		return -1;
	*out = f;
	f = (struct outfile)OUTFILE_INIT;
	return 0;
}

int outfile_open_stdout(struct outfile *out, struct err *e)
{
	SCOPE(outfile) struct outfile f = OUTFILE_INIT;

	f.fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	if (f.fd < 0)
		return fail(&f, errno, e);
	if (isatty(f.fd))
		return err_set(
			e, ERR_USAGE,
			"%s is a terminal, which cannot show an archive: redirect it, or name "
			"a file",
			stdout_name);
	if (take_buffer(&f, e) < 0)
		return -1;
	*out = f;
	f = (struct outfile)OUTFILE_INIT;
	return 0;
}

int outfile_check(const char *path, unsigned flags, struct err *e)
{
	SCOPE(outfile) struct outfile f = OUTFILE_INIT;

	f.path = str_dup(path, e);
	if (!f.path || find(&f, flags, e) < 0)
		return -1;
	if (f.dir < 0)
		return access(path, W_OK) < 0 ? fail(&f, errno, e) : 0;
	return open_temporary(&f, e);
}

bool outfile_is_stream(const struct outfile *f)
{
	return f->dir < 0;
}

static int write_out(struct outfile *f, const void *bytes, size_t len, struct err *e)
{
	if (interrupt_check(e) < 0)
		return -1;
	if (len > 0 && io_write_all(f->fd, bytes, len) < 0)
		return fail(f, errno, e);
	f->written += len;
	if (!outfile_is_stream(f))
		io_start_sync(f->fd, f->written, &f->started);
	return 0;
}

static int flush(struct outfile *f, struct err *e)
{
	const size_t len = f->used;

	f->used = 0;
	return write_out(f, f->buf, len, e);
}

int outfile_write(struct outfile *f, const void *bytes, size_t len, struct err *e)
{
	if (len > BUFFER_SIZE - f->used && flush(f, e) < 0)
		return -1;
	if (len >= BUFFER_SIZE) {
		if (write_out(f, bytes, len, e) < 0)
			return -1;
	} else {
		memcpy(f->buf + f->used, bytes, len);
		f->used += len;
	}
	f->size += len;
	return 0;
}

static int place(struct outfile *f, struct err *e)
{
	int rc;

	/* What takes long comes first, while a signal can still end it. */
	do {
		rc = fsync(f->fd);
	} while (rc < 0 && errno == EINTR && interrupt_check(e) == 0);
	if (e->code != ERR_NONE)
		return -1;
	if (rc < 0)
		return fail(f, errno, e);
	interrupt_hold();
	const int r = tmpfile_place_at(f->fd, f->dir, f->litter, f->name, f->mode, e);
	if (r == 0 && *f->litter) {
		f->litter[0] = '\0';
		interrupt_release();
	}
	if (r < 0)
		fail_again(f, e);
	interrupt_release();
	return r;
}

int outfile_commit(struct outfile *f, struct err *e)
{
	if (flush(f, e) < 0)
		return -1;
	return outfile_is_stream(f) ? 0 : place(f, e);
}

void outfile_fini(struct outfile *f)
{
	scope_close(&f->fd);
	if (*f->litter) {
		unlinkat(f->dir, f->litter, 0);
		interrupt_release();
	}
	scope_close(&f->dir);
	free(f->path);
	free(f->name);
	free(f->buf);
	*f = (struct outfile)OUTFILE_INIT;
}
