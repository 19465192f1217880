/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Into a directory.  Order: folders, blobs (each named when it is verified and synced), oci-layout,
 * and index.json last.  Whoever reads the layout meanwhile sees what it was before; a process that
 * is killed leaves blobs that nobody names, which the next export of the image uses.
 *
 * The directory is locked (flock(2) on itself) from the first look to the end, so that of two
 * exports into one layout none takes a blob away that the other relies on, and none loses the
 * other's entry.  What fails takes away what it made.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hasher.h"
#include "base/interrupt.h"
#include "base/io.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/outfile.h"
#include "base/quote.h"
#include "base/tmpfile.h"
#include "image/manifest.h"
#include "image/mediatype.h"
#include "packer/exporter.h"
#include "packer/oci_layout.h"
#include "store/refs.h"

enum { FOLDER_MODE = 0777 /* without the umask */ };

#define BLOBS_FOLDER "blobs"
#define STORE_FOLDER "shale" /* only a store of shale has it */

struct layout {
	const struct exporter *x;
	struct export_set *set;
	int fd;      /* the directory, locked */
	int folders; /* "blobs" */
	int sha256, sha512;
	mode_t file_mode;
	/* What was made, and goes when it fails. */
	bool is_new_dir, is_new_layout;
	bool is_new_blobs, is_new_sha256, is_new_sha512;
	bool is_named; /* index.json names the image: nothing goes any more */
	uint64_t bytes;
};

static int open_folder(int dirfd, const char *name, bool *is_new, struct err *e)
{
	*is_new = mkdirat(dirfd, name, FOLDER_MODE) == 0;
	if (!*is_new && errno != EEXIST)
		return err_sys(e, errno, "cannot create '%s'", name);
	const int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return err_set(e, ERR_FORMAT, "'%s' of the layout is no directory", name);
	return fd < 0 ? err_sys(e, errno, "cannot open '%s'", name) : fd;
}

/* NFS locks what is open for writing, which a directory cannot be; others lock nothing at all. */
static bool has_no_locks(int sys)
{
	return sys == EBADF || sys == ENOLCK || sys == EOPNOTSUPP || sys == ENOSYS;
}

/* Waits, unless a signal comes. */
static int lock(int fd, struct err *e)
{
	while (flock(fd, LOCK_EX) < 0) {
		if (has_no_locks(errno))
			return 0;
		if (errno != EINTR)
			return err_sys(e, errno, "cannot lock the layout");
		if (interrupt_check(e) < 0)
			return -1;
	}
	return 0;
}

/* Opens and locks the directory that has the name now: 1; 0: it lost it meanwhile. */
static int open_once(struct layout *l, struct err *e)
{
	const char *path = l->x->dest->path;
	struct stat st;

	l->is_new_dir = mkdir(path, FOLDER_MODE) == 0;
	if (!l->is_new_dir && errno != EEXIST)
		return err_sys(e, errno, "cannot create the directory");
	SCOPE_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !l->is_new_dir)
		return err_set(e, ERR_EXISTS, "is a link that leads to nothing");
	if (fd < 0 && errno == ENOTDIR)
		return err_set(e, ERR_USAGE, "not a directory (did you mean oci-archive:?)");
	if (fd < 0)
		return err_sys(e, errno, "cannot open");
	if (lock(fd, e) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot stat");
	if (st.st_nlink == 0)
		return 0;
	l->fd = steal_fd(&fd);
	return 1;
}

/* Whether a directory holds nothing but what an export leaves that was killed before it could make
 * a layout of it: 1, 0, -1. */
static int is_unused(int dirfd, struct err *e)
{
	SCOPE_FD int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *de;
	bool is_unused = true;

	if (!dir)
		return err_sys(e, errno, "cannot read the directory");
	steal_fd(&fd);
	while (errno = 0, is_unused && (de = readdir(dir)))
		is_unused = strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0 ||
			    strcmp(de->d_name, BLOBS_FOLDER) == 0 || tmpfile_is_litter(de->d_name);
	const int sys = errno;
	closedir(dir);
	return sys ? err_sys(e, sys, "cannot read the directory") : is_unused;
}

/* What the directory is; another kind than a layout or nothing is refused. */
static int look(struct layout *l, struct err *e)
{
	SCOPE(str) struct str version = STR_INIT;
	struct stat st;

	const int has_version =
		oci_layout_read_file(l->fd, OCI_LAYOUT_FILE, LIMIT_DOCUMENT, &version, e);
	if (has_version < 0 || (has_version > 0 && oci_layout_check_version(&version, e) < 0))
		return -1;
	if (fstatat(l->fd, STORE_FOLDER "/version", &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, ERR_USAGE,
			       "is a store of shale, which 'shale import --store' fills, and no "
			       "export");
	if (has_version > 0)
		return 0;
	const int unused = is_unused(l->fd, e);
	if (unused == 0)
		return err_set(e, ERR_FORMAT,
			       "is a directory of something else: it has no '" OCI_LAYOUT_FILE "'");
	l->is_new_layout = true;
	return unused < 0 ? -1 : 0;
}

static int open_layout(struct layout *l, struct err *e)
{
	int r;

	while ((r = open_once(l, e)) == 0)
		continue;
	return r < 0 ? -1 : look(l, e);
}

/* The folder of a blob, made when there is a first one in it. */
static int folder_of(struct layout *l, const struct digest *d, struct err *e)
{
	int *fd = d->alg == DIGEST_SHA512 ? &l->sha512 : &l->sha256;
	bool *is_new = d->alg == DIGEST_SHA512 ? &l->is_new_sha512 : &l->is_new_sha256;

	if (l->folders < 0)
		l->folders = open_folder(l->fd, BLOBS_FOLDER, &l->is_new_blobs, e);
	if (l->folders >= 0 && *fd < 0)
		*fd = open_folder(l->folders, digest_alg_name(d->alg), is_new, e);
	return *fd;
}

/* 1 the layout has the blob, and it is whole; 0 not: what is there is to be replaced; -1. */
static int has_blob(const struct layout *l, const struct export_blob *b, bool *is_there,
		    struct err *e)
{
	char path[OCI_LAYOUT_BLOB_MAX];
	struct err why = ERR_INIT;
	struct stat st;
	struct digest got;
	SCOPE_FD int fd =
		oci_layout_open_file(l->fd, oci_layout_blob_path(&b->digest, path), &st, &why);

	*is_there = fd >= 0 || why.code != ERR_NOT_FOUND;
	/* Something else of that name is replaced; of what cannot be told nothing is known. */
	if (fd < 0 && why.code != ERR_NOT_FOUND && why.code != ERR_FORMAT)
		return err_move(e, &why);
	err_clear(&why);
	if (fd < 0 || (uint64_t)st.st_size != b->size)
		return 0;
	progress_name(l->x->opt->progress, path);
	if (hasher_fd(fd, b->digest.alg, path, &got, NULL, NULL, e) < 0)
		return -1;
	if (!digest_equal(&got, &b->digest))
		return 0;
	progress_add(l->x->opt->progress, b->size);
	return 1;
}

struct new_blob {
	int fd;
	uint64_t size, started; /* io_start_sync */
};

/* Where a blob is written; a signal stops it there. */
static int write_blob(void *to, const void *bytes, size_t len, struct err *e)
{
	struct new_blob *b = to;

	if (interrupt_check(e) < 0)
		return -1;
	if (io_write_all(b->fd, bytes, len) < 0)
		return err_sys(e, errno, "cannot write");
	b->size += len;
	io_start_sync(b->fd, b->size, &b->started);
	return 0;
}

static int put_blob(struct layout *l, struct export_blob *b, struct err *e)
{
	char hex[DIGEST_HEX_MAX], litter[TMPFILE_LITTER_MAX];
	bool is_there;
	const int dir = folder_of(l, &b->digest, e);

	if (dir < 0)
		return -1;
	const int has = has_blob(l, b, &is_there, e);
	if (has != 0)
		return has < 0 ? -1 : 0;
	SCOPE_FD int fd = tmpfile_create_at(dir, litter, e);
	if (fd < 0)
		return -1;
	b->is_new = !is_there;
	struct new_blob to = {.fd = fd};
	int r = export_copy_blob(l->x, b, write_blob, &to, e);
	if (r == 0)
		r = tmpfile_place_at(fd, dir, litter, digest_hex(&b->digest, hex), l->file_mode, e);
	if (r < 0 && *litter)
		unlinkat(dir, litter, 0);
	if (r < 0)
		return -1;
	l->bytes += b->size;
	return 0;
}

static json_t *read_index(const struct layout *l, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	json_t *list = NULL;

	const int found =
		oci_layout_read_file(l->fd, OCI_LAYOUT_INDEX, LIMIT_STORE_INDEX, &text, e);
	if (found < 0)
		return NULL;
	/* Also of a layout that was killed before it got its first entry. */
	if (found == 0)
		return json_pack("{s:i,s:s,s:[]}", "schemaVersion", 2, "mediaType", MEDIATYPE_INDEX,
				 "manifests");
	SCOPE_JSON json_t *doc = json_parse_object(str_text(&text), text.len, LIMIT_STORE_INDEX,
						   OCI_LAYOUT_INDEX, e);
	if (!doc)
		return NULL;
	const int has_list = json_get_array(doc, "manifests", OCI_LAYOUT_INDEX, &list, e);
	/* containers/image writes null for none. */
	if (has_list < 0 || (has_list == 0 && json_put(doc, "manifests", json_array(), e) < 0))
		return NULL;
	return steal_ptr(&doc);
}

/* Whether an entry is that of `name`; without a name, that of this digest without one. */
static bool is_entry_of(const json_t *entry, const char *name, const char *digest)
{
	const json_t *annotations = json_object_get(entry, "annotations");
	const char *its = json_string_value(json_object_get(annotations, REFS_NAME_KEY));

	if (name)
		return str_equal(its, name);
	return !its && str_equal(json_string_value(json_object_get(entry, "digest")), digest);
}

/* The new entry takes the place of the first of its name, and other tools' further ones go. */
static int set_entry(json_t *list, const char *name, json_t *entry, struct err *e)
{
	const char *digest = json_string_value(json_object_get(entry, "digest"));
	bool is_set = false;

	for (size_t i = 0; i < json_array_size(list);) {
		if (!is_entry_of(json_array_get(list, i), name, digest)) {
			i++;
		} else if (is_set) {
			json_array_remove(list, i);
		} else if (json_array_set(list, i++, entry) < 0) {
			return err_nomem(e);
		} else {
			is_set = true;
		}
	}
	return is_set ? 0 : json_push(list, json_incref(entry), e);
}

/* Whether the file has the name: it may, when what failed was to sync that. */
static bool has_name(const struct layout *l, int fd, const char *name)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && fstatat(l->fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* `*is_named`: also after a failure. */
static int write_file(const struct layout *l, const char *name, const void *bytes, size_t len,
		      bool *is_named, struct err *e)
{
	char litter[TMPFILE_LITTER_MAX];
	SCOPE_FD int fd = tmpfile_create_at(l->fd, litter, e);

	if (fd < 0)
		return -1;
	int r = io_write_all(fd, bytes, len) < 0 ? err_sys(e, errno, "cannot write '%s'", name) : 0;
	if (r == 0)
		r = tmpfile_place_at(fd, l->fd, litter, name, l->file_mode, e);
	*is_named = has_name(l, fd, name);
	if (r < 0 && *litter && !*is_named)
		unlinkat(l->fd, litter, 0);
	return r;
}

static int write_index(struct layout *l, const char *name, struct err *e)
{
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	SCOPE(str) struct str text = STR_INIT;

	if (export_set_entry(l->set, name, &d, e) < 0)
		return -1;
	SCOPE_JSON json_t *entry = descriptor_to_json(&d, e);
	if (!entry)
		return -1;
	SCOPE_JSON json_t *doc = read_index(l, e);
	if (!doc)
		return e->code == ERR_NONE ? err_nomem(e) : -1;
	if (set_entry(json_object_get(doc, "manifests"), name, entry, e) < 0 ||
	    json_format(doc, &text, e) < 0)
		return -1;
	if (text.len > LIMIT_STORE_INDEX)
		return err_set(e, ERR_LIMIT, "'" OCI_LAYOUT_INDEX "' would be too long");
	return write_file(l, OCI_LAYOUT_INDEX, text.data, text.len, &l->is_named, e);
}

static int sync_folder(int fd, struct err *e)
{
	return fd >= 0 && fsync(fd) < 0 ? err_sys(e, errno, "cannot sync a directory") : 0;
}

/* Names of blobs were synced with them, and those in the layout itself will be. */
static int sync_folders(const struct layout *l, struct err *e)
{
	if (sync_folder(l->folders, e) < 0)
		return -1;
	if (!l->is_new_dir)
		return 0;
	SCOPE_FD int parent = openat(l->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return err_sys(e, errno, "cannot open the parent directory");
	return sync_folder(parent, e);
}

static int write_all(struct layout *l, const char *name, struct err *e)
{
	static const char layout[] = OCI_LAYOUT_TEXT;
	bool is_named;

	if (export_prepare(l->x, l->set, e) < 0)
		return -1;
	for (size_t i = 0; i < l->set->blob_count; i++) {
		if (put_blob(l, &l->set->blobs[i], e) < 0)
			return -1;
	}
	/* What follows takes no time, and nothing of it can be taken back. */
	if (interrupt_check(e) < 0)
		return -1;
	if (sync_folders(l, e) < 0)
		return -1;
	if (l->is_new_layout &&
	    write_file(l, OCI_LAYOUT_FILE, layout, sizeof(layout) - 1, &is_named, e) < 0)
		return -1;
	return write_index(l, name, e);
}

/* Nobody else has seen what was made: the directory is locked. */
static void take_away(const struct layout *l)
{
	char path[OCI_LAYOUT_BLOB_MAX];

	for (size_t i = 0; i < l->set->blob_count; i++) {
		const struct export_blob *b = &l->set->blobs[i];
		if (b->is_new)
			unlinkat(l->fd, oci_layout_blob_path(&b->digest, path), 0);
	}
	if (l->is_new_layout)
		unlinkat(l->fd, OCI_LAYOUT_FILE, 0);
	if (l->is_new_sha256)
		unlinkat(l->folders, digest_alg_name(DIGEST_SHA256), AT_REMOVEDIR);
	if (l->is_new_sha512)
		unlinkat(l->folders, digest_alg_name(DIGEST_SHA512), AT_REMOVEDIR);
	if (l->is_new_blobs)
		unlinkat(l->fd, BLOBS_FOLDER, AT_REMOVEDIR);
	if (l->is_new_dir)
		rmdir(l->x->dest->path);
}

static int export_layout(struct layout *l, const char *name, struct err *e)
{
	char quoted[QUOTE_MAX];

	int r = open_layout(l, e);
	if (r == 0)
		r = write_all(l, name, e);
	if (r < 0 && !l->is_named)
		take_away(l);
	scope_close(&l->sha512);
	scope_close(&l->sha256);
	scope_close(&l->folders);
	scope_close(&l->fd);
	return r < 0 ? err_wrap(e, "'%s'", quote_str(quoted, l->x->dest->path)) : 0;
}

int export_to_oci(const struct exporter *x, struct export_set *set, struct export_result *out,
		  struct err *e)
{
	struct layout l = {
		.x = x,
		.set = set,
		.fd = -1,
		.folders = -1,
		.sha256 = -1,
		.sha512 = -1,
		.file_mode = outfile_default_mode(),
	};

	if (export_oci_name(x, &out->name, e) < 0)
		return -1;
	interrupt_hold();
	const int r = export_layout(&l, out->name, e);
	interrupt_release();
	out->bytes = l.bytes;
	return r;
}
