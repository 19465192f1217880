/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of store/sessions share: sessions.c opens folders, sessions_create.c makes
 * them, sessions_document.c knows session.json, sessions_list.c finds them, sessions_remove.c takes
 * them away.
 *
 * Private to store/.  Locks: sessions.lock is held by who makes a session or clears what dead
 * processes left, so that none of them meets another; it is taken after gc.lock and lock.  Who
 * removes a session has its lock, and a lock of the folder itself, which tells others that he lives
 * until all of it is gone.
 */
#ifndef STORE_SESSIONS_PRIVATE_H
#define STORE_SESSIONS_PRIVATE_H

#include "base/str.h"
#include "store/sessions.h"

#define SESSIONS_FOLDER   "sessions"
#define SESSIONS_LOCK_ALL "sessions.lock" /* in shale's own folder */

/* In the folder of a session. */
#define SESSIONS_DOCUMENT  "session.json"
#define SESSIONS_LOCK_FILE "lock"
#define SESSIONS_DATA      "data"

/* In front of the id while it is not whole. */
#define SESSIONS_MAKING   ".making-"
#define SESSIONS_REMOVING ".removing-"

enum { SESSIONS_PART_MAX = sizeof(SESSIONS_REMOVING) + SESSIONS_ID_LEN };

/* What session.json says. */
struct session_document {
	char *name;
	char *image;
	char *created;
	struct descriptor manifest;
};

#define SESSION_DOCUMENT_INIT                                   \
	{                                                       \
		.name = NULL, .manifest = {.media_type = NULL } \
	}

struct session_folder {
	int fd, data_fd;
	int lock; /* -1: for reading only */
	char id[SESSIONS_ID_LEN + 1];
	struct session_document document;
};

/* One with nothing in it yet. */
struct session_folder *session_folder_new(struct err *e);

/* `out` is untouched on failure. */
int session_document_parse(struct session_document *out, const char *bytes, size_t len,
			   struct err *e);
int session_document_format(const struct session_document *d, struct str *out, struct err *e);
/* Of the open folder of a session. */
int session_document_read(int folder, struct session_document *out, struct err *e);
void session_document_fini(struct session_document *d);
SCOPE_DEFINE_VALUE(session_document, struct session_document, session_document_fini)

/* shale/sessions, looked for anew, since it may have been made after the store was opened: 0, with
 * -1 in `out` when it is not there; -1. */
int sessions_open_all(const struct store *s, int *out, struct err *e);

/* The same for gc and fsck: who may not read the sessions of root's store takes nothing away there,
 * and to him there are none. */
int sessions_open_visible(const struct store *s, int *out, struct err *e);

/* An fd of a session's folder in `all`; `name` is its id, or that with a dot in front. */
int sessions_open_folder(const struct store *s, int all, const char *name, struct err *e);

/* Its data/: ERR_FORMAT when there is none. */
int sessions_open_data(int folder, struct err *e);

/* A lock file, of a folder that is being made. */
int sessions_make_lock(int folder, struct err *e);

/* 1 the lock is taken, 0 somebody has it, -1; `fd` is of the lock file. */
int sessions_take_lock(int fd, struct err *e);

/* Says of the open folder that it is being removed, as long as it is open; and whether somebody
 * said so. */
int sessions_hold(int folder, struct err *e);
int sessions_is_held(int folder, bool *out, struct err *e);

/* Who has the lock, without taking it. */
struct session_use {
	bool is_busy; /* false also when there is no lock file */
	pid_t pid;    /* 0: not said */
	char *what;   /* NULL: not said; owned */
};
void session_use_fini(struct session_use *u);
SCOPE_DEFINE_VALUE(session_use, struct session_use, session_use_fini)
int sessions_ask_lock(int folder, struct session_use *out, struct err *e);

/* As sessions_list, but in no order, and leaving all as it is.  `all` as sessions_open_all gives
 * it. */
int sessions_scan(const struct store *s, int all, struct session_list *out, struct err *e);

/* The one that `text` means, as a name or an id, or, unless `is_exact`, as the start of an id:
 * ERR_NOT_FOUND, ERR_USAGE. */
int sessions_find(const struct session_list *l, const char *text, bool is_exact,
		  const struct session_info **out, struct err *e);

/* That every session could be read, as far as the system is concerned: ERR_SYS.  For who says that
 * none is called `text`. */
int sessions_check_read(const struct session_list *l, const char *text, struct err *e);

/* Takes the lock of what was found, whose open folder is `folder`: its fd in `out`.  ERR_BUSY;
 * ERR_FORMAT when there is no lock file; ERR_NOT_FOUND when it was removed before that. */
int sessions_lock_found(int all, const struct session_info *found, int folder, int *out,
			struct err *e);

/* Says in front of `e` which session it is about; when that was removed meanwhile, this is what was
 * wrong: ERR_NOT_FOUND.  Returns -1. */
int sessions_explain(int all, const struct session_info *found, int folder, struct err *e);

/* 1 the open folder still has its name, 0 not any more, -1. */
int sessions_is_named(int all, const char *id, int folder, struct err *e);

/* Removes the folder `name` in `all` with all that is in it; what is gone already is no error. */
int sessions_remove_tree(int all, const char *name, struct err *e);

/* Whether a name in shale/sessions is an id. */
bool sessions_is_id(const char *name);

/* What a name in shale/sessions is when it is not whole. */
enum sessions_part { SESSIONS_NO_PART, SESSIONS_PART_MADE, SESSIONS_PART_REMOVED };
enum sessions_part sessions_part_of(const char *name);

/* Calls `each` for what dead processes left; the caller has sessions.lock, or only wants to know.
 */
int sessions_visit_dead(int all, int (*each)(void *ctx, int all, const char *name, struct err *e),
			void *ctx, struct err *e);
int sessions_has_dead(int all, bool *out, struct err *e);
/* Removes it; the caller has sessions.lock. */
int sessions_clear(int all, struct err *e);
/* The same for those who came for something else: only what can be done, and without waiting. */
void sessions_try_clear(const struct store *s, int all);

/* As sessions_size, of any name in `all`; 0 for what is no folder, or not there. */
int sessions_part_size(int all, const char *name, uint64_t *out, struct err *e);

#endif
