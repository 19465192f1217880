/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of an edit session share.  Private to fs/session*.c, and to fs/changes*.c, which
 * read rows.
 *
 * Shape of an operation that changes something:
 *
 *	session_begin			locks, and begins a request
 *	session_load ... session_store	rows
 *	session_end			ends or undoes it, and unlocks
 */
#ifndef FS_SESSION_PRIVATE_H
#define FS_SESSION_PRIVATE_H

#include <pthread.h>

#include "base/u64map.h"
#include "fs/session.h"
#include "fs/session_files.h"
#include "fs/session_rows.h"

enum {
	SESSION_BLOCK = 4096,    /* what is copied up of a file of the base, at least */
	SESSION_ROW_MAX = 16384, /* bytes of a file that lives in the database */
};

/*
 * A data file of which rows do not speak any more, or that is shorter for them than it is.  It goes
 * when the rows are on the disk: until then a power loss brings back those that need it.
 */
struct session_doomed {
	uint64_t ino;
	uint32_t version;
	bool is_shorter; /* else it goes */
};

/* Rows that were read or written last: a request loads its directory again and again. */
enum { SESSION_RECENT = 128 };

enum orphan {
	ORPHAN_STORED = 1, /* its row says so */
	ORPHAN_LOWER,      /* it has none: of the base, and nothing of it changed but its name */
};

struct session {
	pthread_mutex_t lock;
	struct view *base;
	uint64_t base_count; /* inodes 1 to this are of the base */
	struct session_db *db;
	struct session_files files;
	struct session_inode recent[SESSION_RECENT]; /* by number; ino 0: free */
	uint64_t next, next_end;                     /* numbers that are reserved in the database */
	struct u64map lookups;                       /* inode to what the kernel was told of it */
	struct u64map orphans; /* inodes without a name that the kernel still knows: enum orphan */
	uint64_t orphan;       /* that this request made; 0 */
	struct u64map forgotten; /* of these, those that it does not know any more */
	struct session_doomed *doomed;
	size_t doomed_count, doomed_cap;
	size_t doomed_before;     /* those of requests that were carried out */
	struct u64map fresh;      /* inode to the version of its data file that nobody reads */
	struct u64map unsynced;   /* inodes whose rows are younger than the last mark */
	pthread_cond_t is_synced; /* `syncs` became less */
	time_t synced;            /* when, of a clock that nobody sets */
	int dirfd;                /* of the session's folder; borrowed */
	int frames_seen;          /* of the log, when its length was looked at */
	int frames_limited;       /* when the batch was limited last */
	unsigned flags;
	unsigned syncs;       /* data that is being synced without the lock */
	bool has_reserve;     /* fs/session_room.c */
	bool is_tight;        /* there is no room for one */
	bool is_reserving;    /* numbers, in this request */
	bool has_cuts;        /* some of `doomed` are shorter */
	bool is_frozen;       /* somebody reads the data files that there are */
	bool is_changed;      /* since the last sync */
	bool is_all_unsynced; /* `unsynced` has not all that there are */
};

void session_lock(struct session *s);
void session_unlock(struct session *s);

int session_begin(struct session *s, struct err *e);
/* `r` < 0: what was done is undone.  `ino` is for the reply.  Returns `r`, or -1 when the commit
 * fails. */
int session_end(struct session *s, const struct session_caller *who, uint64_t ino, int r,
		struct err *e);

bool session_is_lower(const struct session *s, uint64_t ino);
/* Of the catalog. */
static inline uint32_t session_lower(uint64_t ino)
{
	return (uint32_t)(ino - 1);
}

/* The row of an inode, or what the base says of it. */
int session_load(struct session *s, uint64_t ino, struct session_inode *out, struct err *e);
/* The same; ERR_SYS with ENOTDIR. */
int session_load_dir(struct session *s, uint64_t ino, struct session_inode *out, struct err *e);
int session_store(struct session *s, const struct session_inode *in, struct err *e);
int session_remove(struct session *s, const struct session_inode *in, struct err *e);
/* It has lost its last name, and lives until the kernel forgets it. */
int session_orphan(struct session *s, const struct session_inode *in, struct err *e);

/* A number that was never used. */
int session_number(struct session *s, uint64_t *out, struct err *e);

struct timespec session_now(void);

/* Setuid, setgid and security.capability, as Linux takes them away from who writes; see
 * setattr_should_drop_suidgid of its fs/attr.c. */
int session_kill_priv(struct session *s, const struct session_caller *who, struct session_inode *in,
		      bool has_right, struct err *e);

/* fs/session.c: what nobody knows any more goes. */
int session_remove_forgotten(struct session *s, struct err *e);

/* fs/session_room.c, under the lock */
void session_reserve_find(struct session *s, int dirfd);
void session_reserve_fill(struct session *s, int dirfd);
bool session_reserve_release(struct session *s);
bool session_is_full(const struct err *e);

/* fs/session_data.c: content of `in` ends at `size` now. */
int session_resize(struct session *s, struct session_inode *in, uint64_t size, struct err *e);

/* fs/session_names.c */
int session_find(struct session *s, uint64_t dir, const char *name, size_t len, uint64_t *ino,
		 struct err *e);
/* The next name that the base has of `ino` and that still leads to it: 1, in `dir`; 0; -1.  `at`
 * begins at 0. */
int session_lower_name(struct session *s, uint64_t ino, uint32_t *at, uint64_t *dir, struct err *e);
int session_check_name(const char *name, struct err *e);
int session_is_empty(struct session *s, uint64_t dir, struct err *e);
/* The name leads to `ino` (0: nowhere), and is a row only where that is not what the base has. */
int session_set_name(struct session *s, uint64_t dir, const char *name, uint64_t ino, uint32_t type,
		     struct err *e);
/* One name less: the last takes the inode with it, unless the kernel still uses it. */
int session_drop(struct session *s, struct session_inode *in, const struct timespec *now,
		 struct err *e);
/* A directory in it goes, or goes elsewhere: one link less.  ERR_FORMAT when it has none to lose.
 */
int session_lose_dir(struct session_inode *parent, struct err *e);
/* mtime and ctime. */
void session_touch(struct session_inode *in, const struct timespec *now);

#endif
