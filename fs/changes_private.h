/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of fs/changes.c share.  Private to fs/changes*.c, which read the rows of a session
 * (fs/session_private.h) as its own parts do.
 */
#ifndef FS_CHANGES_PRIVATE_H
#define FS_CHANGES_PRIVATE_H

#include "base/str.h"
#include "base/u64map.h"
#include "fs/changes.h"
#include "fs/session_private.h"

/* A name; its bytes are at `at` of the list's text. */
struct changes_name {
	uint64_t parent, ino;
	size_t at, len;
};

struct changes_list {
	struct changes_name *items;
	size_t count, cap;
	size_t sorted; /* the first of them can be looked up */
};

/*
 * Where to look, and where inodes are.
 *
 * A mark is a name of the base, in the directory of the base where it always was, below which
 * something may differ.  Names that are rows need none.
 */
struct changes_names {
	struct session *session;
	struct str text;
	struct changes_list marks;  /* by parent and name */
	struct changes_list places; /* rows that lead to directories and to files that may have
				       several names; by inode */
	struct u64map seen;         /* inodes of the base that have their marks */
	struct u64map linked;       /* files that are not the base's, with several names */
	bool has_moved;             /* a directory of the base is somewhere else */
};

int changes_names_init(struct changes_names *n, struct session *s, struct err *e);
void changes_names_fini(struct changes_names *n);
/* The names of an inode of the base become marks, unless they are; seen after changes_names_sort.
 */
int changes_names_mark(struct changes_names *n, uint64_t ino, struct err *e);
void changes_names_sort(struct changes_names *n);
/* The first mark in `parent`, or where it would be. */
size_t changes_names_first(const struct changes_names *n, uint64_t parent);

/* Paths, without "/" in front. */
struct changes_paths {
	struct str text;
	struct changes_name *items; /* `at` and `len` alone */
	size_t count, cap;
};

#define CHANGES_PATHS_INIT       \
	{                        \
		.text = STR_INIT \
	}

void changes_paths_fini(struct changes_paths *p);
SCOPE_DEFINE_VALUE(changes_paths, struct changes_paths, changes_paths_fini)

/* Paths of all names of a file, in the session or in the base; in the order of a layer. */
int changes_names_of(struct changes_names *n, uint64_t ino, struct changes_paths *out,
		     struct err *e);
int changes_names_lower(struct changes_names *n, uint32_t inode, struct changes_paths *out,
			struct err *e);

/* What a path leads to; links are not followed: 1, 0, -1. */
int changes_find(struct session *s, const char *path, size_t len, uint64_t *ino, struct err *e);
int changes_find_lower(struct session *s, const char *path, size_t len, uint32_t *inode,
		       struct err *e);

struct changes_compare {
	struct session *session;
	const struct changes_options *opt;
	struct u64map known; /* of files with several names, what their content was compared to */
	uint8_t *buffer;     /* two pieces */
};

int changes_compare_init(struct changes_compare *c, struct session *s,
			 const struct changes_options *opt, struct err *e);
void changes_compare_fini(struct changes_compare *c);

/* The bits of diff_what between an inode and one of the base, about which `st` is. */
int changes_compare(struct changes_compare *c, const struct session_inode *in, uint32_t lower,
		    const struct catalog_stat *st, unsigned *what, struct err *e);
/* All of its content is that of the base under the same number. */
bool changes_is_lower_content(const struct session *s, const struct session_inode *in);

/* What a layer says of files with several names. */
struct changes_links {
	struct changes_names *names;
	struct changes_compare *compare;
	struct u64map groups; /* inode to its place in `items`, plus one */
	struct u64map claims; /* inode of the base, plus one, to the file that stays its */
	struct changes_group *items;
	size_t count, cap;
	struct str text; /* paths of first names */
};

struct changes_group {
	uint64_t ino;
	size_t at, len; /* the path of its first name */
	uint32_t kept;  /* what the base has under all its names, when that is the same file;
			   CHANGES_NONE */
	bool is_told;
};

void changes_links_init(struct changes_links *l, struct changes_names *n,
			struct changes_compare *c);
void changes_links_fini(struct changes_links *l);
/* Whether the layer must bring a file, which is at `path`, and its first name; borrowed until the
 * next call. */
const struct changes_group *changes_links_get(struct changes_links *l,
					      const struct session_inode *in, const char *path,
					      size_t len, struct err *e);

#endif
