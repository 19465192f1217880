/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit-session NAME: changes some of all that can be changed in a session that make-session made: a
 * file of the image gets another mode and one more name, another is removed, a directory is made,
 * with a small and a large file.
 *
 * For cases that need a session with changes and no mount.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "fs/session.h"
#include "fs/session_data.h"
#include "store/sessions.h"

enum { LARGE = 100000 };

static const struct session_caller root = {.uid = 0};

static int make_file(struct session *s, uint64_t dir, const char *name, size_t size, struct err *e)
{
	static const char bytes[LARGE] = "some text, then zeros";
	const struct session_new what = {.name = name, .mode = S_IFREG | 0644};
	uint64_t ino;

	if (session_create(s, &root, dir, &what, &ino, e) < 0)
		return -1;
	return session_write(s, &root, ino, 0, bytes, size, 0, e);
}

static int edit(struct session *s, struct err *e)
{
	const struct session_new what = {.name = "made", .mode = S_IFDIR | 0755};
	const struct stat st = {.st_mode = 0600};
	uint64_t ino, dir;

	if (session_lookup(s, SESSION_ROOT, "numbers", &ino, e) < 1 ||
	    session_setattr(s, &root, ino, &st, SESSION_SET_MODE, e) < 0 ||
	    session_link(s, &root, ino, SESSION_ROOT, "linked", e) < 0 ||
	    session_unlink(s, &root, SESSION_ROOT, "hello", e) < 0 ||
	    session_create(s, &root, SESSION_ROOT, &what, &dir, e) < 0 ||
	    make_file(s, dir, "small", 10, e) < 0)
		return -1;
	return make_file(s, dir, "large", LARGE, e);
}

static int run(const char *name, struct err *e)
{
	const struct layers_options opt = {.workers = 0};
	SCOPE(store) struct store *s = NULL;
	SCOPE(sessions) struct session_folder *f = NULL;
	SCOPE(image) struct image im = IMAGE_INIT;
	SCOPE(session) struct session *session = NULL;

	if (store_open(NULL, STORE_WRITE, &s, e) < 0 ||
	    sessions_open(s, name, SESSIONS_LOCK, &f, e) < 0 ||
	    image_load_found(s, sessions_image(f), sessions_manifest(f), NULL, &im, e) < 0)
		return -1;
	SCOPE(view)
	struct view *base = view_open(s, &im, 0, VIEW_CACHE_MIN, "edit-session", &opt, e);
	if (!base || session_open(base, sessions_fd(f), sessions_data_fd(f), SESSION_CREATE,
				  &session, e) < 0)
		return -1;
	const int r = edit(session, e);
	session_close(session);
	session = NULL;
	return r;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;

	if (argc != 2) {
		fprintf(stderr, "usage: edit-session NAME\n");
		return 2;
	}
	if (run(argv[1], &e) == 0)
		return 0;
	const int status = err_exit_status(&e);
	log_err(&e);
	err_clear(&e);
	return status;
}
