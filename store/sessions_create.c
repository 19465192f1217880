/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder is made under gc.lock, shared, so that gc sees either no session, and the lease of who
 * makes it, or all of it; and under sessions.lock, so that of two equal names one is first.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/tmpfile.h"
#include "image/config.h"
#include "store/blobs.h"
#include "store/folder.h"
#include "store/locks.h"
#include "store/sessions_private.h"

enum {
	FOLDER_MODE = 0700,
	DOCUMENT_MODE = 0600,
	NUMBER_MAX = 20, /* digits of a uint64_t */
};

/* shale/sessions, made when it is not there, as in a store that never had a session. */
static int make_all(const struct store *s, int *out, struct err *e)
{
	const int shale = store_dirfd(s, STORE_DIR_SHALE);

	if (mkdirat(shale, SESSIONS_FOLDER, FOLDER_MODE) == 0) {
		if (fsync(shale) < 0)
			return err_sys(e, errno, "cannot sync a folder of the store");
	} else if (errno != EEXIST) {
		return err_sys(e, errno, "cannot create the folder '" SESSIONS_FOLDER "'");
	}
	return sessions_open_all(s, out, e);
}

static bool has_name(const struct session_list *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++) {
		if (l->items[i].name && strcmp(l->items[i].name, name) == 0)
			return true;
	}
	return false;
}

/* What a session over the image is called, but for the number: "web" of "localhost/team/web:1". */
static char *stem_of(const char *image, struct err *e)
{
	const char *at = strrchr(image, '/');
	char stem[LIMIT_SESSION_NAME - NUMBER_MAX];
	struct err why = ERR_INIT;

	at = at ? at + 1 : image;
	const size_t len = strcspn(at, ":@");
	(void)snprintf(stem, sizeof(stem), "%.*s", (int)len, at);
	/* A digest alone is no name, and what other tools call images may be anything. */
	if (str_has_prefix(at, "sha256:") || str_has_prefix(at, "sha512:") ||
	    sessions_check_name(stem, &why) < 0) {
		err_clear(&why);
		return str_dup("session", e);
	}
	return str_dup(stem, e);
}

static char *make_name(const struct session_list *l, const char *image, struct err *e)
{
	SCOPE_FREE char *stem = stem_of(image, e);

	for (uint64_t number = 1; stem; number++) {
		SCOPE_FREE char *name = str_dupf(e, "%s-%" PRIu64, stem, number);
		if (!name || !has_name(l, name))
			return steal_ptr(&name);
	}
	return NULL;
}

static char *choose_name(const struct session_list *l, const char *name, const char *image,
			 struct err *e)
{
	char quoted[QUOTE_MAX];

	if (!name)
		return make_name(l, image, e);
	if (sessions_check_read(l, name, e) < 0)
		return NULL;
	if (has_name(l, name)) {
		err_set(e, ERR_EXISTS, "there is a session '%s' already: give another name",
			quote_str(quoted, name));
		return NULL;
	}
	return str_dup(name, e);
}

static int fill_document(struct session_document *d, const struct session_list *l, const char *name,
			 const struct image *image, struct err *e)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return err_sys(e, errno, "cannot read the clock");
	d->name = choose_name(l, name, image->name, e);
	d->image = d->name ? str_dup(image->name, e) : NULL;
	d->created = d->image ? config_format_time(now.tv_sec, e) : NULL;
	if (!d->created)
		return -1;
	return descriptor_set(&d->manifest, image->chosen.media_type, &image->chosen.digest,
			      image->chosen.size, e);
}

static int write_document(int folder, const struct session_document *d, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	if (session_document_format(d, &text, e) < 0)
		return -1;
	SCOPE_FD int fd = tmpfile_open_at(folder, e);
	if (fd < 0)
		return -1;
	if (io_write_all(fd, text.data, text.len) < 0)
		return err_sys(e, errno, "cannot write '" SESSIONS_DOCUMENT "'");
	return tmpfile_publish_at(fd, folder, SESSIONS_DOCUMENT, DOCUMENT_MODE, e) < 0 ? -1 : 0;
}

static int take_lock(struct session_folder *f, struct err *e)
{
	f->lock = sessions_make_lock(f->fd, e);
	if (f->lock < 0)
		return -1;
	const int r = sessions_take_lock(f->lock, e);
	/* Only who does not know the rules is that quick. */
	return r == 0 ? err_set(e, ERR_BUSY, "somebody has the lock of a new session") : r;
}

/* All that is in a new folder, durable; the lock is taken. */
static int fill_folder(struct session_folder *f, struct err *e)
{
	if (mkdirat(f->fd, SESSIONS_DATA, FOLDER_MODE) < 0)
		return err_sys(e, errno, "cannot create the folder '" SESSIONS_DATA "'");
	f->data_fd = folder_open(f->fd, SESSIONS_DATA, SESSIONS_DATA, e);
	if (f->data_fd < 0 || take_lock(f, e) < 0 || sessions_set_use(f, NULL, e) < 0 ||
	    write_document(f->fd, &f->document, e) < 0)
		return -1;
	if (fsync(f->data_fd) < 0 || fsync(f->fd) < 0)
		return err_sys(e, errno, "cannot sync a folder of the store");
	return 0;
}

/* Under the name `part`; what is left of a failure there is the caller's to remove. */
static int make_part(const struct store *s, int all, const char *part, struct session_folder *f,
		     struct err *e)
{
	if (mkdirat(all, part, FOLDER_MODE) < 0)
		return err_sys(e, errno, "cannot create the folder of a session");
	f->fd = sessions_open_folder(s, all, part, e);
	if (f->fd < 0 || fill_folder(f, e) < 0)
		return -1;
	if (renameat(all, part, all, f->id) < 0)
		return err_sys(e, errno, "cannot name the folder of a session");
	if (fsync(all) < 0) {
		err_sys(e, errno, "cannot sync a folder of the store");
		(void)renameat(all, f->id, all, part);
		return -1;
	}
	return 0;
}

static int make_folder(const struct store *s, int all, struct session_folder *f, struct err *e)
{
	char part[SESSIONS_PART_MAX];
	struct err ignored = ERR_INIT;
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_sys(e, errno, "cannot get random bytes");
	(void)snprintf(f->id, sizeof(f->id), "%0*" PRIx64, SESSIONS_ID_LEN, random);
	(void)snprintf(part, sizeof(part), SESSIONS_MAKING "%s", f->id);
	if (make_part(s, all, part, f, e) == 0)
		return 0;
	/* What cannot be removed now is cleared later. */
	(void)sessions_remove_tree(all, part, &ignored);
	err_clear(&ignored);
	return -1;
}

/* gc may have been there between the end of a lease and now. */
static int check_manifest(const struct store *s, const struct image *image, struct err *e)
{
	char digest[DIGEST_STR_MAX];
	const int is_there = blobs_has(s, NULL, &image->chosen.digest, image->chosen.size, e);

	if (is_there != 0)
		return is_there < 0 ? -1 : 0;
	return err_set(e, ERR_NOT_FOUND, "manifest '%s' is not in the store",
		       digest_format(&image->chosen.digest, digest));
}

static int create(const struct store *s, const char *name, const struct image *image,
		  struct session_folder *f, struct err *e)
{
	SCOPE(session_list) struct session_list list = SESSION_LIST_INIT;
	struct err ignored = ERR_INIT;
	SCOPE_FD int all = -1;

	SCOPE_FD int gc_lock = locks_take(s, LOCKS_GC, LOCKS_SHARED, e);
	if (gc_lock < 0)
		return -1;
	SCOPE_FD int lock = locks_take(s, SESSIONS_LOCK_ALL, LOCKS_EXCLUSIVE, e);
	if (lock < 0 || check_manifest(s, image, e) < 0 || make_all(s, &all, e) < 0)
		return -1;
	/* What cannot be cleared is in nobody's way. */
	if (sessions_clear(all, &ignored) < 0)
		err_clear(&ignored);
	if (sessions_scan(s, all, &list, e) < 0 ||
	    fill_document(&f->document, &list, name, image, e) < 0)
		return -1;
	return make_folder(s, all, f, e);
}

int sessions_create(const struct store *s, const char *name, const struct image *image,
		    struct session_folder **out, struct err *e)
{
	if (name && sessions_check_name(name, e) < 0)
		return -1;
	SCOPE(sessions) struct session_folder *f = session_folder_new(e);
	if (!f)
		return -1;
	if (create(s, name, image, f, e) < 0)
		return err_wrap(e, "cannot make a session");
	*out = steal_ptr(&f);
	return 0;
}
