/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Edit sessions: the folders in which the store keeps what was changed over an image.  Not what is
 * in their meta.db and data/, which belongs to fs/.
 *
 *	shale/sessions/<id>/session.json	what it is: shale-session(5)
 *	shale/sessions/<id>/lock		held by who uses the session; one line says who that
 *is shale/sessions/<id>/data/		empty at first
 *
 * Nothing in there is named after a path of an image.  A session keeps its image from gc, named or
 * not, until it is removed.
 *
 * Crash: a session is made under a name that begins with a dot, and renamed; it is renamed before
 * anything of it is removed.  What a dead process left there is cleared by whoever makes or lists
 * sessions next, and by gc.
 *
 * The lock is one of the open file (fcntl(2), F_OFD_SETLK), so children inherit it over fork: it is
 * free when the last of them has closed the folder or died, however that happened.
 */
#ifndef STORE_SESSIONS_H
#define STORE_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/scope.h"
#include "image/descriptor.h"
#include "store/image.h"
#include "store/store.h"

enum { SESSIONS_ID_LEN = 16 /* hex digits */ };

/* A folder that is open. */
struct session_folder;

/* [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most LIMIT_SESSION_NAME bytes: 0, or -1 with ERR_USAGE. */
int sessions_check_name(const char *name, struct err *e);

/*
 * A new session over `image`, whose lease the caller has; the lock is taken.  `name` NULL: the last
 * part of the image's name with the first number that is free ("web-1").  ERR_USAGE for a bad name,
 * ERR_EXISTS for one that another session has, ERR_NOT_FOUND when the manifest is not in the store;
 * as locks_need_writable.
 */
int sessions_create(const struct store *s, const char *name, const struct image *image,
		    struct session_folder **out, struct err *e);

enum sessions_how {
	SESSIONS_READ, /* to look at, beside whoever uses it */
	SESSIONS_LOCK, /* to use it alone */
};

/*
 * `text`: a name, or an id or the start of one that is unique.  ERR_NOT_FOUND, with a near name;
 * ERR_USAGE when several are meant; ERR_BUSY when its lock is held, with what the holder says of
 * itself; ERR_FORMAT, ERR_LIMIT for a folder that is damaged, ERR_UNSUPPORTED for one of a newer
 * shale; as locks_need_writable with SESSIONS_LOCK.
 */
int sessions_open(const struct store *s, const char *text, enum sessions_how how,
		  struct session_folder **out, struct err *e);

/* The same with SESSIONS_LOCK, but `text` is a whole name or a whole id: for who makes a session of
 * that name when there is none, or means one alone. */
int sessions_open_exact(const struct store *s, const char *text, struct session_folder **out,
			struct err *e);

/* Gives the lock back when no other process inherited it.  NULL is fine. */
void sessions_close(struct session_folder *f);
SCOPE_DEFINE(sessions, struct session_folder *, sessions_close)

/*
 * Who holds the lock, for messages and lists: this process, and what it does ("mounted at /mnt";
 * NULL: nothing is said).  Each call replaces what was said before.  The lock must be held; a disk
 * without room is no error.
 */
int sessions_set_use(struct session_folder *f, const char *what, struct err *e);

/* All borrowed. */
int sessions_fd(const struct session_folder *f);      /* of the folder */
int sessions_data_fd(const struct session_folder *f); /* of its data/ */
const char *sessions_id(const struct session_folder *f);
const char *sessions_name(const struct session_folder *f);
const char *sessions_image(const struct session_folder *f); /* as image.name has it */
const struct descriptor *sessions_manifest(const struct session_folder *f); /* image.chosen */
const char *sessions_created(const struct session_folder *f);               /* RFC 3339, UTC */

/* A session, as lists tell of it. */
struct session_info {
	char id[SESSIONS_ID_LEN + 1];
	char *label; /* "session web-1", or its id when the name is not known: for messages */
	char *name;  /* NULL when session.json cannot be read, as are image and created */
	char *image;
	char *created;
	struct descriptor manifest;
	struct err why; /* it cannot be read */
	bool is_busy;   /* somebody holds the lock */
	pid_t pid;      /* who, in its own pid namespace; 0: not said */
	char *use;      /* doing what; NULL: not said */
};

struct session_list {
	struct session_info *items;
	size_t count, cap;
};

#define SESSION_LIST_INIT  \
	{                  \
		NULL, 0, 0 \
	}

/* All sessions by name, then those that cannot be read by id.  A store that has none, or no folder
 * for them, has an empty list. */
int sessions_list(const struct store *s, struct session_list *out, struct err *e);
/* The same, leaving all as it is: for who looks at what dead processes left. */
int sessions_collect(const struct store *s, struct session_list *out, struct err *e);
void session_list_fini(struct session_list *l);
SCOPE_DEFINE_VALUE(session_list, struct session_list, session_list_fini)

/* What the folder of a session takes on the file system, in bytes: blocks, not sizes.  What goes
 * away meanwhile is not counted. */
int sessions_size(const struct store *s, const char *id, uint64_t *out, struct err *e);

/* Removes a session for good, also one that cannot be read.  `text` as for sessions_open; ERR_BUSY,
 * ERR_NOT_FOUND, ERR_USAGE as there. */
int sessions_remove(const struct store *s, const char *text, struct err *e);

#endif
