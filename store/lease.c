/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lease file: a line for people ("# build app:1"), then one digest a line.  A last line without
 * its end is what a failed write left: its owner was told so, and does not rely on it.
 *
 * The file is made and locked under gc.lock, so gc never meets one that has a name and no lock yet.
 */
#include "store/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>

#include "base/array.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "store/folder.h"
#include "store/lease_lock.h"
#include "store/lease_scan.h"
#include "store/locks.h"

enum {
	LEASE_NAME_MAX = 64,
	LEASE_FILE_MODE = 0600,
	LEASE_FILE_MAX = 64 * LIMIT_MIB, /* hundreds of thousands of blobs */
};

struct lease {
	const struct store *store;
	int fd;      /* of the file; -1: there is no room for one */
	int gc_lock; /* open and not locked; -1: the store cannot be written, so no gc takes away */
	int locks;   /* for what found no room in the file (store/lease_lock.h); -1: all did */
	uint64_t size; /* of the lines that are whole */
	char name[LEASE_NAME_MAX];
};

static int make_name(char name[static LEASE_NAME_MAX], struct err *e)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_sys(e, errno, "cannot get random bytes");
	snprintf(name, LEASE_NAME_MAX, "%ld-%016" PRIx64, (long)getpid(), random);
	return 0;
}

/* Under gc.lock, shared. */
static int append(struct lease *l, const void *line, size_t len, struct err *e)
{
	if (io_pwrite_all(l->fd, line, len, l->size) < 0)
		return err_sys(e, errno, "cannot write the lease '%s'", l->name);
	l->size += len;
	return 0;
}

/* Under gc.lock, shared.  What a file cannot be made for is leased without one. */
static int make_file(struct lease *l, const char *what, struct err *e)
{
	SCOPE(str) struct str line = STR_INIT;

	if (str_append_z(&line, "# ", e) < 0 || quote_append(&line, what, strlen(what), e) < 0 ||
	    str_append_c(&line, '\n', e) < 0 || make_name(l->name, e) < 0)
		return -1;
	l->fd = openat(store_dirfd(l->store, STORE_DIR_LEASES), l->name,
		       O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, LEASE_FILE_MODE);
	if (l->fd < 0)
		return err_sys(e, errno, "cannot create a lease");
	if (locks_wait(l->fd, LOCKS_EXCLUSIVE, e) < 0)
		return -1;
	return append(l, line.data, line.len, e);
}

/* A full disk can be read all the same, and cleaned. */
static int forgive_full(struct err *e)
{
	if (!folder_is_full(e))
		return -1;
	err_clear(e);
	return 0;
}

/* Under gc.lock, shared. */
static int add_line(struct lease *l, const struct digest *d, struct err *e)
{
	char text[DIGEST_STR_MAX], line[DIGEST_STR_MAX + sizeof("\n")];
	const int len = snprintf(line, sizeof(line), "%s\n", digest_format(d, text));

	if (l->fd >= 0 && append(l, line, (size_t)len, e) == 0)
		return 0;
	if (l->fd >= 0 && forgive_full(e) < 0)
		return -1;
	if (l->locks < 0)
		l->locks = lease_lock_open(l->store, e);
	return l->locks < 0 ? -1 : lease_lock_add(l->locks, d, e);
}

int lease_open(const struct store *s, const char *what, struct lease **out, struct err *e)
{
	SCOPE(lease) struct lease *l = array_new(1, sizeof(*l), e);

	if (!l)
		return -1;
	*l = (struct lease){.store = s, .fd = -1, .gc_lock = -1, .locks = -1};
	if (store_is_writable(s)) {
		l->gc_lock = locks_open(s, LOCKS_GC, e);
		if (l->gc_lock < 0 || locks_wait(l->gc_lock, LOCKS_SHARED, e) < 0)
			return -1;
		if (make_file(l, what, e) < 0 && forgive_full(e) < 0)
			return -1;
		flock(l->gc_lock, LOCK_UN);
	}
	*out = steal_ptr(&l);
	return 0;
}

int lease_add(struct lease *l, const struct digest *d, struct err *e)
{
	if (l->gc_lock < 0)
		return 0;
	if (locks_wait(l->gc_lock, LOCKS_SHARED, e) < 0)
		return -1;
	const int r = add_line(l, d, e);
	flock(l->gc_lock, LOCK_UN);
	return r;
}

void lease_close(struct lease *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		unlinkat(store_dirfd(l->store, STORE_DIR_LEASES), l->name, 0);
	scope_close(&l->fd);
	scope_close(&l->gc_lock);
	scope_close(&l->locks);
	free(l);
}

struct scan {
	const struct store *store;
	const struct lease_scan *what;
};

/* One line, without its end. */
static int scan_line(const struct lease_scan *what, const char *line, size_t len, const char *name,
		     struct err *e)
{
	char quoted[QUOTE_MAX];
	struct digest d;
	struct err why = ERR_INIT;

	if (len == 0 || line[0] == '#')
		return 0;
	if (digest_parse(&d, line, len, &why) == 0)
		return what->digest(what->ctx, &d, e);
	err_clear(&why);
	return err_set(e, ERR_FORMAT, "lease '%s' holds a line that is no digest",
		       quote_str(quoted, name));
}

static int scan_lines(const struct lease_scan *what, const struct str *text, const char *name,
		      struct err *e)
{
	const char *at = str_text(text), *const end = at + text->len;

	for (;;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline)
			return 0;
		if (scan_line(what, at, (size_t)(newline - at), name, e) < 0)
			return -1;
		at = newline + 1;
	}
}

/* folder_visit */
static int scan_lease(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	const struct scan *scan = ctx;
	const int dir = store_dirfd(scan->store, STORE_DIR_LEASES);
	SCOPE(str) struct str text = STR_INIT;
	struct err why = ERR_INIT;
	struct stat own;

	if (!S_ISREG(st->st_mode))
		return 0;
	SCOPE_FD int fd = folder_open_file(dir, name, NULL, &why);
	/* Who may not read the leases of root's store takes nothing away there. */
	const bool is_hidden =
		why.code == ERR_SYS && why.sys == EACCES && !store_is_writable(scan->store);
	if (fd < 0 && (why.code == ERR_NOT_FOUND || is_hidden)) {
		err_clear(&why);
		return 0;
	}
	if (fd < 0)
		return err_move(e, &why);
	if (flock(fd, LOCK_SH | LOCK_NB) == 0)
		/* Without a name it is of somebody who ended well just now. */
		return scan->what->dead && fstat(fd, &own) == 0 && own.st_nlink > 0
			       ? scan->what->dead(scan->what->ctx, name, st, e)
			       : 0;
	if (errno != EWOULDBLOCK)
		return err_sys(e, errno, "cannot test the lease '%s'", name);
	if (io_slurp(fd, LEASE_FILE_MAX, "lease", &text, e) < 0)
		return -1;
	return scan_lines(scan->what, &text, name, e);
}

int lease_scan(const struct store *s, const struct lease_scan *what, struct err *e)
{
	struct scan scan = {s, what};

	if (folder_visit(store_dirfd(s, STORE_DIR_LEASES), scan_lease, &scan, e) < 0)
		return -1;
	return lease_lock_visit(s, what->digest, what->ctx, e);
}

struct visit {
	const struct store *store;
	int (*each)(void *ctx, const struct digest *d, struct err *e);
	void *ctx;
};

static int visit_digest(void *ctx, const struct digest *d, struct err *e)
{
	const struct visit *v = ctx;

	return v->each(v->ctx, d, e);
}

static int visit_dead(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	const struct visit *v = ctx;

	(void)st;
	return folder_remove(store_dirfd(v->store, STORE_DIR_LEASES), name, e) < 0 ? -1 : 0;
}

int lease_visit(const struct store *s,
		int (*each)(void *ctx, const struct digest *d, struct err *e), void *ctx,
		struct err *e)
{
	struct visit v = {s, each, ctx};
	const struct lease_scan what = {visit_digest, visit_dead, &v};

	return lease_scan(s, &what, e);
}
