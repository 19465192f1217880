/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/edits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/array.h"
#include "base/str.h"
#include "base/u64map.h"
#include "fs/session_data.h"
#include "image/mediatype.h"
#include "main.h"
#include "store/blobs.h"
#include "store/documents.h"
#include "store/refs.h"
#include "tests/support/scratch.h"

enum { WORDS_MAX = 4, PIECE = 4096, XATTRS_MAX = 4096, NAMES_MAX = 256 };

static const struct session_caller root = {.uid = 0};

void edits_open(struct edits_session *s, const struct image *im, const char *name)
{
	struct err e = ERR_INIT;

	s->base = sample_view_of(im, VIEW_CACHE_MIN);
	ck_assert_int_eq(mkdir(scratch_file(name), 0700), 0);
	s->dirfd = open(scratch_file(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(s->dirfd, 0);
	ck_assert_int_eq(mkdirat(s->dirfd, "data", 0700), 0);
	s->datafd = openat(s->dirfd, "data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(s->datafd, 0);
	session_open(s->base, s->dirfd, s->datafd, SESSION_CREATE, &s->session, &e);
	ck_assert_no_err(&e);
}

void edits_close(struct edits_session *s)
{
	session_close(s->session);
	view_close(s->base);
	close(s->datafd);
	close(s->dirfd);
}

/* errno of a call that failed. */
static int reason(int r, struct err *e)
{
	if (r >= 0)
		return 0;
	const int number = e->sys;
	ck_assert_msg(e->code == ERR_SYS, "unexpected error: %s", e->msg);
	err_clear(e);
	return number;
}

/* 1, 0, -1 */
static int find(struct session *s, const char *path, uint64_t *ino, struct err *e)
{
	char copy[PIECE];
	char *rest = copy;
	int r = 1;

	ck_assert_uint_lt(strlen(path), sizeof(copy));
	memcpy(copy, path, strlen(path) + 1);
	*ino = SESSION_ROOT;
	for (char *name; r > 0 && (name = strsep(&rest, "/"));) {
		if (*name)
			r = session_lookup(s, *ino, name, ino, e);
	}
	return r;
}

/* Where a path is to be put: 0 or the errno. */
static int find_dir(struct session *s, const char *path, uint64_t *dir, const char **name)
{
	const char *slash = strrchr(path, '/');
	char parent[PIECE] = "";
	struct err e = ERR_INIT;

	*name = slash ? slash + 1 : path;
	memcpy(parent, path, (size_t)(*name - path));
	const int found = find(s, parent, dir, &e);
	return found < 0 ? reason(-1, &e) : found ? 0 : ENOENT;
}

struct edit {
	struct session *session;
	char *words[WORDS_MAX]; /* NULL behind the last one */
	uint64_t dir, ino;      /* of the first path */
	const char *name;
	bool is_there;
};

static uint64_t number(const char *text, unsigned base)
{
	uint64_t out = 0;

	ck_assert_int_eq(str_to_u64(text, strlen(text), base, INT64_MAX, &out), 0);
	return out;
}

static int create(struct edit *d, uint32_t mode, const char *target, uint32_t minor_number)
{
	const struct session_new what = {.name = d->name,
					 .mode = mode,
					 .rdev_major = 1,
					 .rdev_minor = minor_number,
					 .target = target};
	struct err e = ERR_INIT;

	return reason(session_create(d->session, &root, d->dir, &what, &d->ino, &e), &e);
}

static int set(struct edit *d, unsigned which, const struct stat *st)
{
	struct err e = ERR_INIT;

	if (!d->is_there)
		return ENOENT;
	return reason(session_setattr(d->session, &root, d->ino, st, which, &e), &e);
}

static int write_text(struct edit *d, uint64_t at, const char *text)
{
	struct err e = ERR_INIT;

	return reason(session_write(d->session, &root, d->ino, at, text, strlen(text), 0, &e), &e);
}

static int edit_write(struct edit *d)
{
	const struct stat empty = {.st_size = 0};
	const int r =
		d->is_there ? set(d, SESSION_SET_SIZE, &empty) : create(d, S_IFREG | 0644, NULL, 0);

	return r ? r : write_text(d, 0, d->words[2]);
}

static int edit_patch(struct edit *d)
{
	return d->is_there ? write_text(d, number(d->words[2], 10), d->words[3]) : ENOENT;
}

static int edit_cut(struct edit *d)
{
	const struct stat st = {.st_size = (off_t)number(d->words[2], 10)};

	return set(d, SESSION_SET_SIZE, &st);
}

static int edit_mkdir(struct edit *d)
{
	return create(d, S_IFDIR | (uint32_t)(d->words[2] ? number(d->words[2], 8) : 0755), NULL,
		      0);
}

static int edit_fifo(struct edit *d)
{
	return create(d, S_IFIFO | 0600, NULL, 0);
}

static int edit_sock(struct edit *d)
{
	return create(d, S_IFSOCK | 0600, NULL, 0);
}

static int edit_char(struct edit *d)
{
	return create(d, S_IFCHR | 0600, NULL, (uint32_t)number(d->words[2], 10));
}

static int edit_symlink(struct edit *d)
{
	return create(d, S_IFLNK | 0777, d->words[2], 0);
}

static int edit_ln(struct edit *d)
{
	struct err e = ERR_INIT;
	const char *name;
	uint64_t dir;
	const int r = d->is_there ? find_dir(d->session, d->words[2], &dir, &name) : ENOENT;

	return r ? r : reason(session_link(d->session, &root, d->ino, dir, name, &e), &e);
}

/* Of a directory, what is in it. */
static int empty(struct session *s, uint64_t dir)
{
	struct session_dirent de = {.next = 2};
	struct err e = ERR_INIT;
	int r = 0;

	while (r == 0 && session_readdir(s, dir, de.next, &de, &e) > 0) {
		if (de.type == S_IFDIR)
			r = empty(s, de.ino);
		if (r == 0)
			r = reason((de.type == S_IFDIR ? session_rmdir : session_unlink)(
					   s, &root, dir, de.name, &e),
				   &e);
	}
	ck_assert_no_err(&e);
	return r;
}

static int edit_rm(struct edit *d)
{
	struct err e = ERR_INIT;
	struct stat st;

	if (!d->is_there)
		return ENOENT;
	session_stat(d->session, d->ino, &st, &e);
	ck_assert_no_err(&e);
	const int r = S_ISDIR(st.st_mode) ? empty(d->session, d->ino) : 0;
	return r ? r
		 : reason((S_ISDIR(st.st_mode) ? session_rmdir : session_unlink)(
				  d->session, &root, d->dir, d->name, &e),
			  &e);
}

static int move(struct edit *d, unsigned flags)
{
	struct session_move m = {.from_dir = d->dir, .from = d->name, .flags = flags};
	struct err e = ERR_INIT;
	const int r = find_dir(d->session, d->words[2], &m.to_dir, &m.to);

	return r ? r : reason(session_rename(d->session, &root, &m, &e), &e);
}

static int edit_mv(struct edit *d)
{
	return move(d, 0);
}

static int edit_swap(struct edit *d)
{
	return move(d, RENAME_EXCHANGE);
}

static int edit_chmod(struct edit *d)
{
	const struct stat st = {.st_mode = (mode_t)number(d->words[2], 8)};

	return set(d, SESSION_SET_MODE, &st);
}

static int edit_chown(struct edit *d)
{
	const struct stat st = {.st_uid = (uid_t)number(d->words[2], 10)};

	return set(d, SESSION_SET_UID, &st);
}

static int edit_setx(struct edit *d)
{
	struct err e = ERR_INIT;

	return !d->is_there ? ENOENT
			    : reason(session_setxattr(d->session, &root, d->ino, d->words[2],
						      d->words[3], strlen(d->words[3]), 0, &e),
				     &e);
}

static int edit_delx(struct edit *d)
{
	struct err e = ERR_INIT;

	return !d->is_there
		       ? ENOENT
		       : reason(session_removexattr(d->session, &root, d->ino, d->words[2], &e),
				&e);
}

static int edit_touch(struct edit *d)
{
	const struct stat st = {.st_mtim = {(time_t)number(d->words[2], 10), 0}};

	return set(d, SESSION_SET_MTIME, &st);
}

static const struct {
	const char *name;
	int (*run)(struct edit *d);
} edits[] = {
	{"write", edit_write},     {"patch", edit_patch}, {"cut", edit_cut},
	{"mkdir", edit_mkdir},     {"fifo", edit_fifo},   {"sock", edit_sock},
	{"char", edit_char},       {"ln", edit_ln},       {"rm", edit_rm},
	{"symlink", edit_symlink}, {"mv", edit_mv},       {"swap", edit_swap},
	{"chmod", edit_chmod},     {"chown", edit_chown}, {"setx", edit_setx},
	{"delx", edit_delx},       {"touch", edit_touch},
};

int edits_try(struct session *s, const char *edit)
{
	struct edit d = {.session = s};
	struct err e = ERR_INIT;
	char copy[PIECE];
	char *rest = copy;

	ck_assert_uint_lt(strlen(edit), sizeof(copy));
	memcpy(copy, edit, strlen(edit) + 1);
	for (size_t i = 0; i < WORDS_MAX && rest; i++)
		d.words[i] = strsep(&rest, " ");
	const int r = find_dir(s, d.words[1], &d.dir, &d.name);
	if (r)
		return r;
	const int found = find(s, d.words[1], &d.ino, &e);
	if (found < 0)
		return reason(found, &e);
	d.is_there = found;
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		if (strcmp(edits[i].name, d.words[0]) == 0)
			return edits[i].run(&d);
	}
	ck_abort_msg("no edit '%s'", edit);
	return -1;
}

void edits_do(struct session *s, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const int r = edits_try(s, list[i]);
		ck_assert_msg(r == 0, "%s: %s", list[i], strerror(r));
	}
}

struct tree {
	struct session *session;
	bool has_times;
	struct str path, out;
	struct str firsts;    /* paths of first names */
	struct u64map inodes; /* to their places in `firsts`, plus one */
};

static void add_content(struct tree *t, uint64_t ino)
{
	struct err e = ERR_INIT;
	uint64_t at = 0, sum = 14695981039346656037U; /* FNV-1a */
	uint8_t piece[PIECE];
	ssize_t n;

	while ((n = session_read(t->session, ino, at, piece, sizeof(piece), &e)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			sum = (sum ^ piece[i]) * 1099511628211U;
		at += (uint64_t)n;
	}
	str_appendf(&t->out, &e, " content=%llx", (unsigned long long)sum);
	ck_assert_no_err(&e);
}

static void add_xattrs(struct tree *t, uint64_t ino)
{
	char names[XATTRS_MAX], value[XATTRS_MAX];
	struct err e = ERR_INIT;
	size_t len, value_len;

	session_listxattr(t->session, ino, names, sizeof(names), &len, &e);
	for (size_t at = 0; at < len; at += strlen(names + at) + 1) {
		session_getxattr(t->session, ino, names + at, value, sizeof(value), &value_len, &e);
		str_appendf(&t->out, &e, " %s=%.*s", names + at, (int)value_len, value);
	}
	ck_assert_no_err(&e);
}

static void add_first(struct tree *t, uint64_t ino)
{
	struct err e = ERR_INIT;
	const uint64_t *at = u64map_get(&t->inodes, ino);

	if (at) {
		str_appendf(&t->out, &e, " = %s", t->firsts.data + *at - 1);
	} else {
		u64map_put(&t->inodes, ino, t->firsts.len + 1, &e);
		str_appendf(&t->firsts, &e, "%s", str_text(&t->path));
		str_append_c(&t->firsts, '\0', &e);
	}
	ck_assert_no_err(&e);
}

static void add_line(struct tree *t, uint64_t ino, struct stat *st)
{
	char target[LIMIT_SYMLINK + 1];
	struct err e = ERR_INIT;

	session_stat(t->session, ino, st, &e);
	/* Permissions of links mean nothing. */
	str_appendf(&t->out, &e, "/%s %o %u:%u %lu", str_text(&t->path),
		    S_ISLNK(st->st_mode) ? S_IFLNK : st->st_mode, st->st_uid, st->st_gid,
		    (unsigned long)st->st_nlink);
	if (S_ISCHR(st->st_mode))
		str_appendf(&t->out, &e, " %u:%u", major(st->st_rdev), minor(st->st_rdev));
	if (t->has_times)
		str_appendf(&t->out, &e, " at %lld.%09ld", (long long)st->st_mtim.tv_sec,
			    st->st_mtim.tv_nsec);
	if (S_ISREG(st->st_mode)) {
		str_appendf(&t->out, &e, " %lld", (long long)st->st_size);
		add_content(t, ino);
	}
	if (S_ISLNK(st->st_mode)) {
		session_readlink(t->session, ino, target, &e);
		str_appendf(&t->out, &e, " -> %s", target);
	}
	add_xattrs(t, ino);
	if (!S_ISDIR(st->st_mode))
		add_first(t, ino);
	str_append_c(&t->out, '\n', &e);
	ck_assert_no_err(&e);
}

static int compare_dirents(const void *a, const void *b)
{
	return strcmp(((const struct session_dirent *)a)->name,
		      ((const struct session_dirent *)b)->name);
}

static void add_all(struct tree *t, uint64_t ino)
{
	struct session_dirent names[NAMES_MAX];
	struct err e = ERR_INIT;
	const size_t len = t->path.len;
	uint64_t at = 2;
	size_t count = 0;
	struct stat st;

	add_line(t, ino, &st);
	if (!S_ISDIR(st.st_mode))
		return;
	while (session_readdir(t->session, ino, at, &names[count], &e) > 0) {
		at = names[count].next;
		count += names[count].type != S_IFSOCK; /* that no layer has */
		ck_assert_uint_lt(count, NAMES_MAX);
	}
	ck_assert_no_err(&e);
	qsort(names, count, sizeof(*names), compare_dirents);
	for (size_t i = 0; i < count; i++) {
		str_appendf(&t->path, &e, "%s%s", len ? "/" : "", names[i].name);
		add_all(t, names[i].ino);
		str_truncate(&t->path, len);
	}
}

char *edits_tree(struct session *s, bool has_times)
{
	struct tree t = {.session = s, .has_times = has_times};
	struct err e = ERR_INIT;

	add_all(&t, SESSION_ROOT);
	str_fini(&t.path);
	str_fini(&t.firsts);
	u64map_fini(&t.inodes);
	return str_steal(&t.out, &e);
}

void edits_layer(struct session *s, const struct commit_layer_options *opt,
		 struct layer_result *layer, struct commit_layer_result *out)
{
	const struct layer_options options = {COMPRESSION_DEFAULT, 0};
	struct err e = ERR_INIT;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE_FD int fd = blobs_tmpfile(sample_store, &e);
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(fd, &options, &e);

	ck_assert_no_err(&e);
	lease_open(sample_store, "test", &l, &e);
	commit_layer_write(s, opt, w, out, &e);
	ck_assert_no_err(&e);
	layer_writer_finish(w, layer, &e);
	ck_assert_no_err(&e);
	blobs_publish(sample_store, l, fd, &layer->blob, &e);
	ck_assert_no_err(&e);
}

void edits_image(const struct image *base, const struct layer_result *layer, const char *name,
		 struct image *out)
{
	SCOPE(image_config) struct image_config config;
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	SCOPE(descriptor) struct descriptor top = DESCRIPTOR_INIT;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(str) struct str bytes = STR_INIT;
	struct err e = ERR_INIT;

	image_config_init(&config);
	config.platform = platform_host();
	m.media_type = str_dup(MEDIATYPE_MANIFEST, &e);
	for (size_t i = 0; i < base->manifest.layer_count; i++) {
		image_config_add_diff_id(&config, &base->config.diff_ids[i], &e);
		manifest_add_layer(&m, &base->manifest.layers[i], &e);
	}
	layer_result_descriptor(layer, &d, &e);
	image_config_add_diff_id(&config, &layer->diff_id, &e);
	manifest_add_layer(&m, &d, &e);
	lease_open(sample_store, "test", &l, &e);
	image_config_format(&config, &bytes, &e);
	documents_put(sample_store, l, MEDIATYPE_CONFIG, &bytes, &m.config, &e);
	str_truncate(&bytes, 0);
	manifest_format(&m, &bytes, &e);
	documents_put(sample_store, l, MEDIATYPE_MANIFEST, &bytes, &top, &e);
	refs_set(sample_store, name, &top, &e);
	image_load(sample_store, name, NULL, out, &e);
	ck_assert_no_err(&e);
}
