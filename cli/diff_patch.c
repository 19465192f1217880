/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both files are put into memory that has no name, and diff(1) reads them there: no file of an
 * image gets a name on the host.  What diff prints goes through a pipe, so that all output of the
 * command is one stream.
 */
#include "cli/diff_patch.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/output.h"

enum {
	PIECE = 64 * 1024,
	OLD_FD = 3, /* of the child, and its names below */
	NEW_FD = 4,
	DIFF_TROUBLE = 2, /* exit status of diff(1): 0 the same, 1 not */
};

#define DIFF     "diff"
#define DEV_NULL "/dev/null"
#define OLD_NAME "/dev/fd/3"
#define NEW_NAME "/dev/fd/4"

static bool is_shown(uint32_t mode)
{
	return S_ISREG(mode) || S_ISLNK(mode);
}

/* As git quotes a path: in quotes when it has other bytes than printable ASCII. */
static int append_path(struct str *out, const char *prefix, const struct diff_change *c,
		       struct err *e)
{
	const size_t start = out->len;
	bool is_plain = true;

	if (str_append_z(out, prefix, e) < 0)
		return -1;
	for (size_t i = 0; i < c->path_len; i++) {
		const uint8_t byte = (uint8_t)c->path[i];
		const bool is_special = byte == '"' || byte == '\\';
		int r;
		if (byte < ' ' || byte > '~')
			r = str_appendf(out, e, "\\%03o", byte);
		else
			r = str_appendf(out, e, "%s%c", is_special ? "\\" : "", byte);
		if (r < 0)
			return -1;
		is_plain = is_plain && byte >= ' ' && byte <= '~' && !is_special;
	}
	if (is_plain)
		return 0;
	SCOPE_FREE char *text = str_dup(out->data + start, e);
	str_truncate(out, start);
	return text ? str_appendf(out, e, "\"%s\"", text) : -1;
}

static int copy_content(const struct diff_patch_side *side, int fd, struct err *e)
{
	uint8_t piece[PIECE];
	ssize_t n;

	for (uint64_t at = 0;; at += (uint64_t)n) {
		n = side->source->read(side->source->ctx, side->file, at, piece, sizeof(piece), e);
		if (n <= 0)
			return (int)n;
		if (io_write_all(fd, piece, (size_t)n) < 0)
			return err_sys(e, errno, "cannot keep a file in memory");
	}
}

static int copy_target(const struct diff_patch_side *side, int fd, struct err *e)
{
	char target[LIMIT_SYMLINK + 1];
	size_t len = 0;

	if (side->source->readlink(side->source->ctx, side->file, target, &len, e) < 0)
		return -1;
	return io_write_all(fd, target, len) < 0 ? err_sys(e, errno, "cannot keep a link in memory")
						 : 0;
}

/* A file, or the target of a link, as diff(1) may read it. */
static int open_side(const struct diff_patch_side *side, struct err *e)
{
	if (!side->mode) {
		const int nothing = open(DEV_NULL, O_RDONLY | O_CLOEXEC);
		return nothing < 0 ? err_sys(e, errno, "cannot open " DEV_NULL) : nothing;
	}
	SCOPE_FD int fd = memfd_create("shale-diff", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "cannot get memory for a file");
	if ((S_ISLNK(side->mode) ? copy_target : copy_content)(side, fd, e) < 0)
		return -1;
	return steal_fd(&fd);
}

/* diff(1) of both, writing to `out`. */
static int start_diff(const char *const labels[2], int old, int new, int out, pid_t *pid,
		      struct err *e)
{
	SCOPE_FREE char *old_label = str_dup(labels[0], e);
	SCOPE_FREE char *new_label = str_dup(labels[1], e);
	char name[] = DIFF, unified[] = "-u", label[] = "--label", dashes[] = "--";
	char old_name[] = OLD_NAME, new_name[] = NEW_NAME, locale[] = "LC_ALL=C";
	char *environment[] = {locale, NULL};
	posix_spawn_file_actions_t actions;

	if (!old_label || !new_label)
		return -1;
	char *argv[] = {name,      unified, label,    old_label, label,
			new_label, dashes,  old_name, new_name,  NULL};
	int r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return err_sys(e, r, "cannot run " DIFF);
	r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, old, OLD_FD);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, new, NEW_FD);
	if (r == 0)
		r = posix_spawnp(pid, name, &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	return r ? err_sys(e, r, "cannot run " DIFF " (is the package diffutils installed?)") : 0;
}

/* Everything that comes from the pipe. */
static int pass_on(int fd, struct err *e)
{
	char piece[PIECE];
	ssize_t n;

	while ((n = io_read(fd, piece, sizeof(piece))) > 0) {
		if (output_write(piece, (size_t)n, e) < 0)
			return -1;
	}
	return n < 0 ? err_sys(e, errno, "cannot read from " DIFF) : 0;
}

static int wait_for(pid_t pid, struct err *e)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return err_sys(e, errno, "cannot wait for " DIFF);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) < DIFF_TROUBLE)
		return 0;
	return err_sys(e, EIO, "cannot compare by " DIFF);
}

/* Above the numbers that the child gives the files: one must not take the place of another before
 * that is moved. */
static int move_up(int *fd, struct err *e)
{
	const int up = fcntl(*fd, F_DUPFD_CLOEXEC, NEW_FD + 1);

	if (up < 0)
		return err_sys(e, errno, "cannot duplicate a descriptor");
	close(*fd);
	*fd = up;
	return 0;
}

static int run_diff(const char *const labels[2], const struct diff_patch_side *old,
		    const struct diff_patch_side *new, struct err *e)
{
	int ends[2];
	pid_t pid = -1;

	SCOPE_FD int a = open_side(old, e);
	if (a < 0)
		return -1;
	SCOPE_FD int b = open_side(new, e);
	if (b < 0)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	SCOPE_FD int ours = ends[0];
	SCOPE_FD int theirs = ends[1];
	if (move_up(&a, e) < 0 || move_up(&b, e) < 0 || move_up(&theirs, e) < 0 ||
	    start_diff(labels, a, b, theirs, &pid, e) < 0)
		return -1;
	close(steal_fd(&theirs));
	const int passed = pass_on(ours, e);
	/* One that still writes ends by that. */
	close(steal_fd(&ours));
	if (passed < 0) {
		struct err ignored = ERR_INIT;
		if (wait_for(pid, &ignored) < 0)
			err_clear(&ignored);
		return -1;
	}
	return wait_for(pid, e);
}

/* As git has it: links have no permissions. */
static uint32_t shown_mode(const struct diff_patch_side *side)
{
	return S_ISLNK(side->mode) ? S_IFLNK : side->mode;
}

static int print_modes(const struct diff_patch_side *old, const struct diff_patch_side *new,
		       struct err *e)
{
	if (!old->mode)
		return outputf(e, "new file mode %06o\n", shown_mode(new));
	if (!new->mode)
		return outputf(e, "deleted file mode %06o\n", shown_mode(old));
	if (shown_mode(old) == shown_mode(new))
		return 0;
	return outputf(e, "old mode %06o\nnew mode %06o\n", old->mode, new->mode);
}

/* One file, which is there on one side at least, and on both of the same kind. */
static int print_file(const struct diff_change *c, const struct diff_patch_side *old,
		      const struct diff_patch_side *new, bool differs, struct err *e)
{
	SCOPE(str) struct str a = STR_INIT;
	SCOPE(str) struct str b = STR_INIT;

	if (append_path(&a, "a", c, e) < 0 || append_path(&b, "b", c, e) < 0 ||
	    outputf(e, "diff --git %s %s\n", a.data, b.data) < 0 || print_modes(old, new, e) < 0)
		return -1;
	const char *const labels[2] = {old->mode ? a.data : DEV_NULL,
				       new->mode ? b.data : DEV_NULL};
	if (!differs)
		return 0;
	if (old->size > LIMIT_PATCH_FILE || new->size > LIMIT_PATCH_FILE)
		return outputf(e, "Binary files %s and %s differ\n", labels[0], labels[1]);
	return run_diff(labels, old, new, e);
}

int diff_patch_print(const struct diff_change *c, const struct diff_patch_side *old,
		     const struct diff_patch_side *new, struct err *e)
{
	static const struct diff_patch_side nothing = {.mode = 0};
	const bool was = is_shown(old->mode), is = is_shown(new->mode);

	if (was && is && (old->mode & S_IFMT) == (new->mode &S_IFMT)) {
		const bool differs = c->what & DIFF_CONTENT;
		return differs || shown_mode(old) != shown_mode(new)
			       ? print_file(c, old, new, differs, e)
			       : 0;
	}
	if (was && print_file(c, old, &nothing, true, e) < 0)
		return -1;
	return is ? print_file(c, &nothing, new, true, e) : 0;
}
