/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To open a session, its lock is taken and then looked whether the folder still has its name: who
 * removes one renames it under the same lock.
 *
 * Why no flock(2), as for other locks of the store: of it nobody can ask who has it without taking
 * it for a moment, and a list would be in the way of who opens a session then.
 */
#include "store/sessions.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/io.h"
#include "base/quote.h"
#include "store/folder.h"
#include "store/locks.h"
#include "store/sessions_private.h"

enum {
	LOCK_FILE_MODE = 0600,
	USE_MAX = 4096, /* bytes of a lock file that are looked at */
};

int sessions_open_all(const struct store *s, int *out, struct err *e)
{
	struct err why = ERR_INIT;
	const int shale = store_dirfd(s, STORE_DIR_SHALE);
	SCOPE_FREE char *shown = str_dupf(e, "%s/shale/" SESSIONS_FOLDER, store_path(s));

	if (!shown)
		return -1;
	*out = -1;
	if (shale < 0)
		return 0;
	*out = folder_open(shale, SESSIONS_FOLDER, shown, &why);
	if (why.code == ERR_NONE)
		return 0;
	if (why.code != ERR_NOT_FOUND)
		return err_move(e, &why);
	err_clear(&why);
	return 0;
}

int sessions_open_folder(const struct store *s, int all, const char *name, struct err *e)
{
	SCOPE_FREE char *shown =
		str_dupf(e, "%s/shale/" SESSIONS_FOLDER "/%s", store_path(s), name);

	return shown ? folder_open(all, name, shown, e) : -1;
}

int sessions_open_data(int folder, struct err *e)
{
	struct err why = ERR_INIT;
	const int fd = folder_open(folder, SESSIONS_DATA, SESSIONS_DATA, &why);

	if (fd >= 0)
		return fd;
	if (why.code != ERR_NOT_FOUND)
		return err_move(e, &why);
	err_clear(&why);
	/* Not found is a session that is none. */
	return err_set(e, ERR_FORMAT, "it has no '" SESSIONS_DATA "'");
}

/* 1 taken, 0 somebody has one that excludes it, -1 with errno. */
static int set_lock(int fd, short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
	int rc;

	do {
		rc = fcntl(fd, F_OFD_SETLK, &lock);
	} while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return errno == EAGAIN || errno == EACCES ? 0 : -1;
	return 1;
}

/* Whether somebody else has a lock of any kind: 0, or -1 with errno. */
static int get_lock(int fd, bool *out)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return -1;
	*out = lock.l_type != F_UNLCK;
	return 0;
}

int sessions_make_lock(int folder, struct err *e)
{
	const int fd = openat(folder, SESSIONS_LOCK_FILE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
			      LOCK_FILE_MODE);

	return fd < 0 ? err_sys(e, errno, "cannot create '" SESSIONS_LOCK_FILE "'") : fd;
}

int sessions_take_lock(int fd, struct err *e)
{
	const int r = set_lock(fd, F_WRLCK);

	return r < 0 ? err_sys(e, errno, "cannot lock '" SESSIONS_LOCK_FILE "'") : r;
}

int sessions_hold(int folder, struct err *e)
{
	/* Folders are open for reading only, and nobody takes a write lock of one. */
	return set_lock(folder, F_RDLCK) < 1
		       ? err_sys(e, errno, "cannot lock the folder of a session")
		       : 0;
}

int sessions_is_held(int folder, bool *out, struct err *e)
{
	return get_lock(folder, out) < 0 ? err_sys(e, errno, "cannot test the folder of a session")
					 : 0;
}

/* Never made here: the folder may be on its way out, and has to become empty. */
static int open_lock(int folder, struct err *e)
{
	SCOPE_FD int fd =
		openat(folder, SESSIONS_LOCK_FILE, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_FORMAT, "it has no '" SESSIONS_LOCK_FILE "'");
	if (fd < 0)
		return err_sys(e, errno, "cannot open '" SESSIONS_LOCK_FILE "'");
	if (folder_check_owner(fd, SESSIONS_LOCK_FILE, e) < 0)
		return -1;
	return steal_fd(&fd);
}

void session_use_fini(struct session_use *u)
{
	free(u->what);
}

/* "PID", or "PID WHAT".  Anything else says nothing. */
static int parse_use(const char *line, size_t len, struct session_use *out, struct err *e)
{
	const char *space = memchr(line, ' ', len);
	const size_t digits = space ? (size_t)(space - line) : len;
	uint64_t pid;

	if (str_to_u64(line, digits, 10, INT_MAX, &pid) < 0)
		return 0;
	out->pid = (pid_t)pid;
	if (!space)
		return 0;
	out->what = str_dup_n(space + 1, len - digits - 1, e);
	return out->what ? 0 : -1;
}

static int read_use(int fd, struct session_use *out, struct err *e)
{
	char line[USE_MAX];
	const ssize_t len = io_pread_full(fd, line, sizeof(line), 0);

	if (len < 0)
		return err_sys(e, errno, "cannot read '" SESSIONS_LOCK_FILE "'");
	const char *end = memchr(line, '\n', (size_t)len);
	return end ? parse_use(line, (size_t)(end - line), out, e) : 0;
}

int sessions_ask_lock(int folder, struct session_use *out, struct err *e)
{
	struct err why = ERR_INIT;
	SCOPE_FD int fd = folder_open_own(folder, SESSIONS_LOCK_FILE, NULL, &why);

	*out = (struct session_use){.is_busy = false};
	if (why.code == ERR_NOT_FOUND) {
		err_clear(&why);
		return 0;
	}
	if (fd < 0)
		return err_move(e, &why);
	if (get_lock(fd, &out->is_busy) < 0)
		return err_sys(e, errno, "cannot test '" SESSIONS_LOCK_FILE "'");
	return out->is_busy ? read_use(fd, out, e) : 0;
}

/* The line before may have been longer. */
static int write_use(int fd, const struct str *line)
{
	return io_pwrite_all(fd, line->data, line->len, 0) < 0 ||
			       ftruncate(fd, (off_t)line->len) < 0
		       ? -1
		       : 0;
}

int sessions_set_use(struct session_folder *f, const char *what, struct err *e)
{
	SCOPE(str) struct str line = STR_INIT;

	assert(f->lock >= 0);
	if (str_appendf(&line, e, "%ld%s%s", (long)getpid(), what ? " " : "", what ? what : "") < 0)
		return -1;
	for (size_t i = 0; i < line.len; i++) {
		if (line.data[i] == '\n')
			line.data[i] = ' ';
	}
	if (str_append_c(&line, '\n', e) < 0)
		return -1;
	if (write_use(f->lock, &line) == 0)
		return 0;
	/* Nothing is better than half a line, or what somebody else said. */
	if ((errno != ENOSPC && errno != EDQUOT) || ftruncate(f->lock, 0) < 0)
		return err_sys(e, errno, "cannot write '" SESSIONS_LOCK_FILE "'");
	return 0;
}

static int refuse_busy(int folder, const char *quoted, struct err *e)
{
	char what[QUOTE_MAX];
	SCOPE(session_use) struct session_use use = {.is_busy = false};

	if (sessions_ask_lock(folder, &use, e) < 0)
		return -1;
	if (use.pid == 0)
		return err_set(e, ERR_BUSY, "session '%s' is in use by another process", quoted);
	if (!use.what)
		return err_set(e, ERR_BUSY, "session '%s' is in use by process %ld", quoted,
			       (long)use.pid);
	return err_set(e, ERR_BUSY, "session '%s' is in use by process %ld (%s)", quoted,
		       (long)use.pid, quote_str(what, use.what));
}

int sessions_is_named(int all, const char *id, int folder, struct err *e)
{
	struct stat own, named;

	if (fstatat(all, id, &named, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return 0;
	if (fstat(folder, &own) < 0 || fstatat(all, id, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "cannot stat the folder of a session");
	return own.st_dev == named.st_dev && own.st_ino == named.st_ino;
}

int sessions_explain(int all, const struct session_info *found, int folder, struct err *e)
{
	char quoted[QUOTE_MAX];
	struct err ignored = ERR_INIT;

	quote_str(quoted, found->name ? found->name : found->id);
	/* When even that cannot be told, what was wrong before is. */
	if (sessions_is_named(all, found->id, folder, &ignored) != 0) {
		err_clear(&ignored);
		return err_wrap(e, "session '%s'", quoted);
	}
	err_clear(e);
	return err_set(e, ERR_NOT_FOUND, "session '%s' was removed just now", quoted);
}

int sessions_lock_found(int all, const struct session_info *found, int folder, int *out,
			struct err *e)
{
	char quoted[QUOTE_MAX];
	SCOPE_FD int fd = open_lock(folder, e);
	const int r = fd < 0 ? -1 : sessions_take_lock(fd, e);

	if (r < 0)
		return sessions_explain(all, found, folder, e);
	quote_str(quoted, found->name ? found->name : found->id);
	if (r == 0)
		return refuse_busy(folder, quoted, e);
	const int is_named = sessions_is_named(all, found->id, folder, e);
	if (is_named < 0)
		return err_wrap(e, "session '%s'", quoted);
	if (is_named == 0)
		return err_set(e, ERR_NOT_FOUND, "session '%s' was removed just now", quoted);
	*out = steal_fd(&fd);
	return 0;
}

struct session_folder *session_folder_new(struct err *e)
{
	struct session_folder *f = array_new(1, sizeof(*f), e);

	if (!f)
		return NULL;
	f->fd = f->data_fd = f->lock = -1;
	f->document = (struct session_document)SESSION_DOCUMENT_INIT;
	return f;
}

void sessions_close(struct session_folder *f)
{
	if (!f)
		return;
	scope_close(&f->data_fd);
	scope_close(&f->fd);
	scope_close(&f->lock);
	session_document_fini(&f->document);
	free(f);
}

/* All of it but the lock. */
static int open_parts(struct session_folder *f, struct err *e)
{
	if (session_document_read(f->fd, &f->document, e) < 0)
		return -1;
	f->data_fd = sessions_open_data(f->fd, e);
	return f->data_fd < 0 ? -1 : 0;
}

static int open_found(const struct store *s, int all, const struct session_info *found,
		      enum sessions_how how, struct session_folder *f, struct err *e)
{
	memcpy(f->id, found->id, sizeof(f->id));
	f->fd = sessions_open_folder(s, all, f->id, e);
	if (f->fd < 0)
		return -1;
	if (how == SESSIONS_LOCK && (sessions_lock_found(all, found, f->fd, &f->lock, e) < 0 ||
				     sessions_set_use(f, NULL, e) < 0))
		return -1;
	return open_parts(f, e) < 0 ? sessions_explain(all, found, f->fd, e) : 0;
}

static int find_and_open(const struct store *s, const char *text, bool is_exact,
			 enum sessions_how how, struct session_folder **out, struct err *e)
{
	SCOPE(session_list) struct session_list list = SESSION_LIST_INIT;
	SCOPE_FD int all = -1;
	const struct session_info *found;

	if (how == SESSIONS_LOCK && locks_need_writable(s, e) < 0)
		return -1;
	SCOPE(sessions) struct session_folder *f = session_folder_new(e);
	if (!f || sessions_open_all(s, &all, e) < 0 || sessions_scan(s, all, &list, e) < 0 ||
	    sessions_find(&list, text, is_exact, &found, e) < 0 ||
	    open_found(s, all, found, how, f, e) < 0)
		return -1;
	*out = steal_ptr(&f);
	return 0;
}

int sessions_open(const struct store *s, const char *text, enum sessions_how how,
		  struct session_folder **out, struct err *e)
{
	return find_and_open(s, text, false, how, out, e);
}

int sessions_open_exact(const struct store *s, const char *text, struct session_folder **out,
			struct err *e)
{
	return find_and_open(s, text, true, SESSIONS_LOCK, out, e);
}

int sessions_fd(const struct session_folder *f)
{
	return f->fd;
}

int sessions_data_fd(const struct session_folder *f)
{
	return f->data_fd;
}

const char *sessions_id(const struct session_folder *f)
{
	return f->id;
}

const char *sessions_name(const struct session_folder *f)
{
	return f->document.name;
}

const char *sessions_image(const struct session_folder *f)
{
	return f->document.image;
}

const struct descriptor *sessions_manifest(const struct session_folder *f)
{
	return &f->document.manifest;
}

const char *sessions_created(const struct session_folder *f)
{
	return f->document.created;
}
