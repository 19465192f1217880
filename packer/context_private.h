/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a context: its directories, and ways through them.
 *
 * Private to packer/context*.c.  A way is an array of LIMIT_DEPTH levels, of which the innermost is
 * the last; whoever is on one calls context_push for each directory and context_pop for each level.
 */
#ifndef PACKER_CONTEXT_PRIVATE_H
#define PACKER_CONTEXT_PRIVATE_H

#include "base/stamp.h"
#include "base/strlist.h"
#include "packer/context.h"

/* The names of one directory, and what it was when they were read. */
struct context_dir {
	char *path;
	struct strlist names;
	struct stamp stamp;
};

/* All directories of one walk, in its order. */
struct context_walked {
	struct context_dir *dirs;
	size_t count, cap;
};

/* Walks by names, in their order; those before `next` were walked again, and are empty. */
struct context_memory {
	struct context_walked *walks;
	size_t count, cap, next;
};

struct context {
	int fd;
	struct ignore *rules;          /* NULL: nothing is hidden */
	struct context_memory *memory; /* NULL: nothing is kept */
};

/* A directory that a pattern or a walk is in. */
struct context_level {
	struct context_dir dir;
	size_t at;    /* the next name */
	size_t order; /* among the directories of a walk */
	int fd;       /* -1: it is opened again when it is its turn */
};

/* What errno says of `path`. */
int context_set_open_error(const char *path, struct err *e);

/* Whether the context's rules hide `path`; to be relied on when context_check_rules then is 0. */
bool context_hides(const struct context *c, const char *path);
int context_check_rules(const struct context *c, struct err *e);

/* Whether the rules show anything below `dir`: 1, 0, -1. */
int context_shows_below(const struct context *c, const char *dir, struct err *e);

/* "dir/name", or "name" at the root.  ERR_LIMIT. */
int context_join(struct str *out, const char *dir, const char *name, struct err *e);

/* The names in a directory, sorted; the type that readdir(3) tells stands in front of each: DT_DIR,
 * DT_UNKNOWN ... (context_name_type). */
int context_names(const struct context *c, const char *dir, struct strlist *names, struct err *e);
unsigned char context_name_type(const char *name);

/* Enters a directory.  `known` (NULL: nothing is) is what an earlier walk saw there: its names are
 * taken when the directory is still the same.  ERR_LIMIT at LIMIT_DEPTH. */
int context_push(const struct context *c, struct context_level *levels, size_t *depth,
		 const char *dir, struct context_dir *known, struct err *e);
void context_pop(struct context_level *levels, size_t *depth);

/* A descriptor of a level's directory, which stays the level's. */
int context_level_fd(const struct context *c, struct context_level *l, struct err *e);

void context_dir_fini(struct context_dir *d);
void context_walked_fini(struct context_walked *w);
void context_memory_free(struct context_memory *m);

#endif
