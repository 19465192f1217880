/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order of making a store: shale/version, the folders, index.json, oci-layout.  Whoever sees
 * 'oci-layout' sees a whole store; whoever sees less sees only names of the lists below, and no
 * blob yet.
 */
#include "store/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/quote.h"
#include "base/scope.h"
#include "base/tmpfile.h"
#include "image/manifest.h"
#include "image/mediatype.h"
#include "store/folder.h"

#define LAYOUT_FILE        "oci-layout"
#define LAYOUT_VERSION     "1.0.0"
#define LAYOUT_VERSION_KEY "imageLayoutVersion"
#define STORE_VERSION      "1"

enum {
	FOLDER_MODE = 0700,
	FILE_MODE = 0644, /* other tools may run as other users; the folder says who gets in */
	LAYOUT_FILE_MAX = 64 * 1024,
	VERSION_FILE_MAX = 64,
};

static const char *const root_names[] = {"blobs", LAYOUT_INDEX, LAYOUT_FILE, "shale", NULL};
static const char *const shale_names[] = {
	LAYOUT_VERSION_FILE, "lock", "gc.lock", "leases", "layers", "catalogs", "sessions", NULL};

static int check_layout_file(const char *text, size_t len, struct err *e)
{
	char quoted[QUOTE_MAX];
	const char *version;
	SCOPE(json)
	json_t *doc = json_parse_object(text, len, LAYOUT_FILE_MAX, LAYOUT_FILE, e);

	if (!doc || json_need_str(doc, LAYOUT_VERSION_KEY, LAYOUT_FILE, &version, e) < 0)
		return -1;
	if (strcmp(version, LAYOUT_VERSION) != 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "image layout of version '%s', where shale knows '%s'",
			       quote_str(quoted, version), LAYOUT_VERSION);
	return 0;
}

struct name_check {
	const char *const *known;
	bool has_others;
};

static int check_name(void *ctx, const char *name, const struct stat *st, struct err *e)
{
	struct name_check *c = ctx;

	(void)st;
	(void)e;
	if (tmpfile_is_litter(name))
		return 0;
	for (const char *const *known = c->known; *known; known++) {
		if (strcmp(name, *known) == 0)
			return 0;
	}
	c->has_others = true;
	return 0;
}

/* 1 when the folder holds none but known names, 0 when it holds others. */
static int holds_only(int dirfd, const char *const *known, struct err *e)
{
	struct name_check c = {known, false};

	if (folder_visit(dirfd, check_name, &c, e) < 0)
		return -1;
	return !c.has_others;
}

/* A folder that need not be there: -1 with a clean error when it is not. */
static int open_optional(int dirfd, const char *name, int *out, struct err *e)
{
	struct err why = ERR_INIT;

	*out = folder_open(dirfd, name, name, &why);
	if (*out >= 0)
		return 0;
	if (why.code != ERR_NOT_FOUND)
		return err_move(e, &why);
	err_clear(&why);
	return 0;
}

static int is_unfinished(int root, struct err *e)
{
	SCOPE_FD int shale = -1;

	const int r = holds_only(root, root_names, e);
	if (r < 1)
		return r;
	if (open_optional(root, "shale", &shale, e) < 0)
		return -1;
	return holds_only(shale, shale_names, e);
}

int layout_check(int root, const char *shown, enum layout_state *out, struct err *e)
{
	char quoted[QUOTE_MAX];
	struct err why = ERR_INIT;
	SCOPE(str) struct str text = STR_INIT;

	quote_str(quoted, shown);
	if (folder_read_own(root, LAYOUT_FILE, LAYOUT_FILE_MAX, &text, &why) == 0) {
		*out = LAYOUT_WHOLE;
		if (check_layout_file(str_text(&text), text.len, e) < 0)
			return err_wrap(e, "store '%s'", quoted);
		return 0;
	}
	if (why.code != ERR_NOT_FOUND) {
		err_move(e, &why);
		return err_wrap(e, "store '%s'", quoted);
	}
	err_clear(&why);
	const int r = is_unfinished(root, e);
	if (r < 0)
		return err_wrap(e, "store '%s'", quoted);
	if (r == 0)
		return err_set(e, ERR_FORMAT,
			       "'%s' is a directory of something else: it has no '%s'", quoted,
			       LAYOUT_FILE);
	*out = LAYOUT_UNFINISHED;
	return 0;
}

int layout_check_version(int shale, const char *shown, struct err *e)
{
	char quoted[QUOTE_MAX], version[QUOTE_MAX];
	struct err why = ERR_INIT;
	SCOPE(str) struct str text = STR_INIT;

	quote_str(quoted, shown);
	if (folder_read_own(shale, LAYOUT_VERSION_FILE, VERSION_FILE_MAX, &text, &why) < 0) {
		if (why.code == ERR_NOT_FOUND) {
			err_clear(&why);
			return 0;
		}
		err_move(e, &why);
		return err_wrap(e, "store '%s'", quoted);
	}
	if (text.len > 0 && text.data[text.len - 1] == '\n')
		str_truncate(&text, text.len - 1);
	if (strcmp(str_text(&text), STORE_VERSION) != 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "store '%s' has version '%s'; this shale knows version %s", quoted,
			       quote_bytes(version, str_text(&text), text.len), STORE_VERSION);
	return 1;
}

/* Makes the folder unless it is there, and opens it. */
static int make_folder(int dirfd, const char *name, struct err *e)
{
	if (mkdirat(dirfd, name, FOLDER_MODE) < 0 && errno != EEXIST)
		return err_sys(e, errno, "cannot create the folder '%s'", name);
	return folder_open(dirfd, name, name, e);
}

static int sync_folder(int fd, struct err *e)
{
	return fsync(fd) < 0 ? err_sys(e, errno, "cannot sync a folder of the store") : 0;
}

/* A folder with folders, durable. */
static int make_tree(int dirfd, const char *name, const char *const *children, struct err *e)
{
	SCOPE_FD int fd = make_folder(dirfd, name, e);

	if (fd < 0)
		return -1;
	for (const char *const *child = children; *child; child++) {
		SCOPE_FD int child_fd = make_folder(fd, *child, e);
		if (child_fd < 0)
			return -1;
	}
	return sync_folder(fd, e);
}

/* A file that is not there yet; one that is there stays. */
static int make_file(int dirfd, const char *name, const void *bytes, size_t len, struct err *e)
{
	SCOPE_FD int fd = tmpfile_open_at(dirfd, e);

	if (fd < 0)
		return -1;
	if (io_write_all(fd, bytes, len) < 0)
		return err_sys(e, errno, "cannot write '%s'", name);
	return tmpfile_publish_at(fd, dirfd, name, FILE_MODE, e) < 0 ? -1 : 0;
}

static int make_index(int root, struct err *e)
{
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE(str) struct str text = STR_INIT;

	ix.media_type = str_dup(MEDIATYPE_INDEX, e);
	if (!ix.media_type || image_index_format(&ix, &text, e) < 0)
		return -1;
	return make_file(root, LAYOUT_INDEX, text.data, text.len, e);
}

static int make_all(int root, enum layout_state state, struct err *e)
{
	static const char version[] = STORE_VERSION "\n";
	static const char layout[] = "{\"" LAYOUT_VERSION_KEY "\":\"" LAYOUT_VERSION "\"}";
	static const char *const blob_folders[] = {"sha256", "sha512", NULL};
	static const char *const own_folders[] = {"leases", "layers", "catalogs", "sessions", NULL};
	SCOPE_FD int shale = make_folder(root, "shale", e);

	if (shale < 0 ||
	    make_file(shale, LAYOUT_VERSION_FILE, version, sizeof(version) - 1, e) < 0 ||
	    make_tree(root, "shale", own_folders, e) < 0 ||
	    make_tree(root, "blobs", blob_folders, e) < 0 || sync_folder(root, e) < 0)
		return -1;
	if (state == LAYOUT_WHOLE)
		return 0;
	if (make_index(root, e) < 0)
		return -1;
	return make_file(root, LAYOUT_FILE, layout, sizeof(layout) - 1, e);
}

int layout_make(int root, const char *shown, enum layout_state state, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (make_all(root, state, e) < 0)
		return err_wrap(e, "store '%s'", quote_str(quoted, shown));
	return 0;
}
