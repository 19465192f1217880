/* SPDX-License-Identifier: Apache-2.0 */
#include "store/blobs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hasher.h"
#include "base/io.h"
#include "base/scope.h"
#include "base/tmpfile.h"
#include "store/folder.h"
#include "store/locks.h"

enum { BLOB_MODE = 0444, COPY_STEP = 64 * 1024 };

static int blob_dir(const struct store *s, const struct digest *d)
{
	return store_dirfd(s, d->alg == DIGEST_SHA512 ? STORE_DIR_BLOBS_SHA512
						      : STORE_DIR_BLOBS_SHA256);
}

static int open_blob(const struct store *s, const struct digest *d, uint64_t size, struct err *e)
{
	char hex[DIGEST_HEX_MAX];
	struct stat st;
	SCOPE_FD int fd = folder_open_file(blob_dir(s, d), digest_hex(d, hex), &st, e);

	if (fd < 0)
		return -1;
	if (size != BLOBS_ANY_SIZE && (uint64_t)st.st_size != size)
		return err_set(e, ERR_DIGEST, "has %" PRIu64 " bytes, not %" PRIu64,
			       (uint64_t)st.st_size, size);
	return steal_fd(&fd);
}

int blobs_open(const struct store *s, const struct digest *d, uint64_t size, struct err *e)
{
	char text[DIGEST_STR_MAX];
	struct err why = ERR_INIT;

	const int fd = open_blob(s, d, size, &why);
	if (fd >= 0)
		return fd;
	digest_format(d, text);
	if (why.code == ERR_NOT_FOUND) {
		err_clear(&why);
		return err_set(e, ERR_NOT_FOUND, "blob '%s' is not in the store", text);
	}
	err_move(e, &why);
	return err_wrap(e, "blob '%s'", text);
}

/* 1 a regular file of that size has the name, 0 not, -1. */
static int is_there(const struct store *s, const struct digest *d, uint64_t size, struct err *e)
{
	char hex[DIGEST_HEX_MAX];
	struct stat st;
	const int dir = blob_dir(s, d);

	if (dir < 0)
		return 0;
	if (fstatat(dir, digest_hex(d, hex), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "cannot stat blob '%s'", hex);
	return S_ISREG(st.st_mode) && (size == BLOBS_ANY_SIZE || (uint64_t)st.st_size == size);
}

int blobs_has(const struct store *s, struct lease *l, const struct digest *d, uint64_t size,
	      struct err *e)
{
	/* First the lease: what is seen after it stays. */
	if (l && lease_add(l, d, e) < 0)
		return -1;
	return is_there(s, d, size, e);
}

int blobs_read(const struct store *s, const struct digest *d, uint64_t size, uint64_t limit,
	       struct str *out, struct err *e)
{
	char text[DIGEST_STR_MAX];
	const size_t before = out->len;
	struct hasher h;

	digest_format(d, text);
	if (size != BLOBS_ANY_SIZE && size > limit)
		return err_set(e, ERR_LIMIT, "blob '%s' has %" PRIu64 " bytes, more than %" PRIu64,
			       text, size, limit);
	SCOPE_FD int fd = blobs_open(s, d, size, e);
	if (fd < 0)
		return -1;
	if (io_slurp(fd, limit, "content", out, e) < 0)
		return err_wrap(e, "blob '%s'", text);
	hasher_init(&h, d->alg);
	hasher_update(&h, str_text(out) + before, out->len - before);
	const struct digest got = hasher_final(&h);
	if (!digest_equal(&got, d)) {
		str_truncate(out, before);
		return err_set(e, ERR_DIGEST, "blob '%s': the content has another digest", text);
	}
	return 0;
}

int blobs_tmpfile(const struct store *s, struct err *e)
{
	if (locks_need_writable(s, e) < 0)
		return -1;
	return tmpfile_open_at(store_dirfd(s, STORE_DIR_BLOBS_SHA256), e);
}

/* Takes the place of whatever has the blob's name. */
static int replace(const struct store *s, int fd, const struct digest *d, struct err *e)
{
	char hex[DIGEST_HEX_MAX];
	/* gc would take the name that is there for a moment for that of a dead process. */
	SCOPE_FD int lock = locks_take(s, LOCKS_GC, LOCKS_SHARED, e);

	if (lock < 0)
		return -1;
	return tmpfile_replace_at(fd, blob_dir(s, d), digest_hex(d, hex), BLOB_MODE, e);
}

/* The blob of this name, when there is one that can be opened; else -1. */
static int open_old(const struct store *s, const struct digest *d, uint64_t size)
{
	struct err why = ERR_INIT;
	const int fd = open_blob(s, d, size, &why);

	err_clear(&why);
	return fd;
}

/* Whether a file holds these bytes at `offset`; what cannot be read does not. */
static bool holds_at(int fd, const void *bytes, size_t len, uint64_t offset)
{
	uint8_t there[COPY_STEP];

	assert(len <= sizeof(there));
	return io_pread_full(fd, there, len, offset) == (ssize_t)len &&
	       memcmp(there, bytes, len) == 0;
}

static bool is_same_content(int old, int new, uint64_t size)
{
	uint8_t buf[COPY_STEP];

	for (uint64_t at = 0; at < size;) {
		const ssize_t n = io_pread_full(new, buf, sizeof(buf), at);
		if (n <= 0 || !holds_at(old, buf, (size_t)n, at))
			return false;
		at += (uint64_t)n;
	}
	return true;
}

static int publish(const struct store *s, int fd, const struct digest *d, struct err *e)
{
	char hex[DIGEST_HEX_MAX];
	struct stat st;

	if (locks_need_writable(s, e) < 0)
		return -1;
	const int is_new = tmpfile_publish_at(fd, blob_dir(s, d), digest_hex(d, hex), BLOB_MODE, e);
	if (is_new != 0)
		return is_new < 0 ? -1 : 0;
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot stat a new blob");
	SCOPE_FD int old = open_old(s, d, (uint64_t)st.st_size);
	if (old >= 0 && is_same_content(old, fd, (uint64_t)st.st_size))
		return 0;
	return replace(s, fd, d, e);
}

int blobs_publish(const struct store *s, struct lease *l, int fd, const struct digest *d,
		  struct err *e)
{
	char text[DIGEST_STR_MAX];

	if (lease_add(l, d, e) < 0)
		return -1;
	if (publish(s, fd, d, e) < 0)
		return err_wrap(e, "blob '%s'", digest_format(d, text));
	return 0;
}

/* Whether the blob of this name holds these very bytes; what cannot be read does not. */
static bool holds(const struct store *s, const struct digest *d, const void *bytes, size_t len)
{
	SCOPE(str) struct str there = STR_INIT;
	struct err why = ERR_INIT;

	const bool is_same = blobs_read(s, d, len, len, &there, &why) == 0 &&
			     memcmp(str_text(&there), bytes, len) == 0;
	err_clear(&why);
	return is_same;
}

int blobs_put_bytes(const struct store *s, struct lease *l, const void *bytes, size_t len,
		    struct digest *out, struct err *e)
{
	char text[DIGEST_STR_MAX];
	const struct digest d = hasher_sha256(bytes, len);

	const int there = blobs_has(s, l, &d, len, e);
	if (there < 0)
		return -1;
	if (!there || !holds(s, &d, bytes, len)) {
		SCOPE_FD int fd = blobs_tmpfile(s, e);
		if (fd < 0)
			return -1;
		digest_format(&d, text);
		if (io_write_all(fd, bytes, len) < 0)
			return err_sys(e, errno, "blob '%s': cannot write", text);
		if ((there ? replace(s, fd, &d, e) : publish(s, fd, &d, e)) < 0)
			return err_wrap(e, "blob '%s'", text);
	}
	*out = d;
	return 0;
}

struct intake {
	const struct store *store;
	const struct digest *digest;
	uint64_t size;
	const struct blob_source *src;
	struct progress *progress;
	int old;          /* has the name, and held the same bytes so far; -1 */
	int fd;           /* what is written; -1: nothing, because of `old` */
	uint64_t started; /* io_start_sync, of `fd` */
};

/* What has the name is damaged: what it held so far goes into a new file, too. */
static int begin_anew(struct intake *in, uint64_t done, struct err *e)
{
	uint8_t buf[COPY_STEP];

	in->fd = blobs_tmpfile(in->store, e);
	if (in->fd < 0)
		return -1;
	for (uint64_t at = 0; at < done;) {
		const size_t len = done - at < sizeof(buf) ? (size_t)(done - at) : sizeof(buf);
		const ssize_t n = io_pread_full(in->old, buf, len, at);
		if (n < 0)
			return err_sys(e, errno, "cannot read");
		if (n == 0)
			return err_set(e, ERR_DIGEST, "what the store had was cut meanwhile");
		if (io_write_all(in->fd, buf, (size_t)n) < 0)
			return err_sys(e, errno, "cannot write");
		at += (uint64_t)n;
	}
	return 0;
}

static int keep_bytes(struct intake *in, const void *bytes, size_t len, uint64_t done,
		      struct err *e)
{
	if (in->fd < 0 && in->old >= 0 && holds_at(in->old, bytes, len, done))
		return 0;
	if (in->fd < 0 && begin_anew(in, done, e) < 0)
		return -1;
	if (io_write_all(in->fd, bytes, len) < 0)
		return err_sys(e, errno, "cannot write");
	io_start_sync(in->fd, done + len, &in->started);
	return 0;
}

/* After the last byte.  What was copied from a damaged blob is not what was hashed on its way
 * in. */
static int check_old(struct intake *in, uint64_t total, struct err *e)
{
	struct stat st;
	struct digest got;

	if (in->old < 0)
		return 0;
	if (fstat(in->old, &st) < 0)
		return err_sys(e, errno, "cannot stat");
	if (in->fd < 0 && (uint64_t)st.st_size == total)
		return 0;
	if (in->fd < 0 && begin_anew(in, total, e) < 0)
		return -1;
	if (hasher_fd(in->fd, in->digest->alg, "the new blob", &got, NULL, NULL, e) < 0)
		return -1;
	if (!digest_equal(&got, in->digest))
		return err_set(e, ERR_DIGEST, "what the store had changed meanwhile");
	return 0;
}

static int take_in(struct intake *in, struct err *e)
{
	char text[DIGEST_STR_MAX];
	uint8_t buf[COPY_STEP];
	uint64_t total = 0;
	struct hasher h;

	progress_begin(in->progress, "copying a blob", in->size == BLOBS_ANY_SIZE ? 0 : in->size);
	progress_name(in->progress, digest_format(in->digest, text));
	hasher_init(&h, in->digest->alg);
	for (;;) {
		const ssize_t n = in->src->read(in->src->ctx, buf, sizeof(buf), e);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		/* A source may send for ever. */
		if ((uint64_t)n > in->size - total)
			return err_set(e, ERR_DIGEST, "is longer than %" PRIu64 " bytes", in->size);
		hasher_update(&h, buf, (size_t)n);
		if (keep_bytes(in, buf, (size_t)n, total, e) < 0)
			return -1;
		total += (uint64_t)n;
		progress_add(in->progress, (uint64_t)n);
	}
	if (in->size != BLOBS_ANY_SIZE && total != in->size)
		return err_set(e, ERR_DIGEST, "has %" PRIu64 " bytes, not %" PRIu64, total,
			       in->size);
	const struct digest got = hasher_final(&h);
	if (!digest_equal(&got, in->digest))
		return err_set(e, ERR_DIGEST, "the content has another digest");
	return check_old(in, total, e);
}

static int put(struct intake *in, struct err *e)
{
	const bool is_new = in->old < 0;

	if (is_new) {
		in->fd = blobs_tmpfile(in->store, e);
		if (in->fd < 0)
			return -1;
	}
	if (take_in(in, e) < 0)
		return -1;
	if (in->fd < 0)
		return 0;
	progress_begin(in->progress, "writing to disk", 0);
	return is_new ? publish(in->store, in->fd, in->digest, e)
		      : replace(in->store, in->fd, in->digest, e);
}

int blobs_put(const struct store *s, struct lease *l, const struct digest *d, uint64_t size,
	      const struct blob_source *src, struct progress *progress, struct err *e)
{
	char text[DIGEST_STR_MAX];
	struct intake in = {s, d, size, src, progress, -1, -1, 0};

	const int there = blobs_has(s, l, d, size, e);
	if (there < 0)
		return -1;
	if (there)
		in.old = open_old(s, d, size);
	const int r = put(&in, e);
	scope_close(&in.old);
	scope_close(&in.fd);
	return r < 0 ? err_wrap(e, "blob '%s'", digest_format(d, text)) : 0;
}

struct visit {
	enum digest_alg alg;
	int (*each)(void *ctx, const struct digest *d, const char *name, const struct stat *st,
		    struct err *e);
	void *ctx;
};

/* folder_visit */
static int visit_blob(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	const struct visit *v = ctx;
	char text[DIGEST_STR_MAX];
	struct digest d;
	struct err why = ERR_INIT;

	const int len = snprintf(text, sizeof(text), "%s:%s", digest_alg_name(v->alg), name);
	const bool is_digest =
		(size_t)len < sizeof(text) && digest_parse(&d, text, (size_t)len, &why) == 0;
	err_clear(&why);
	return v->each(v->ctx, is_digest ? &d : NULL, name, st, e);
}

int blobs_visit(const struct store *s,
		int (*each)(void *ctx, const struct digest *d, const char *name,
			    const struct stat *st, struct err *e),
		void *ctx, struct err *e)
{
	struct visit v = {DIGEST_SHA256, each, ctx};

	if (folder_visit(store_dirfd(s, STORE_DIR_BLOBS_SHA256), visit_blob, &v, e) < 0)
		return -1;
	v.alg = DIGEST_SHA512;
	return folder_visit(store_dirfd(s, STORE_DIR_BLOBS_SHA512), visit_blob, &v, e);
}
