/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session without its image: names are known as far as rows have them.  Every inode that has a
 * row and to which no name leads, and every directory in which something has a row and to which no
 * name leads, is where a tree begins, which has the inode's number for a name.
 *
 * Rows are read as they are, not by session_lookup and session_readdir, to which an inode of the
 * image is none.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/link_table.h"
#include "base/str.h"
#include "fs/session_private.h"
#include "fs/session_tar_private.h"

/* A directory whose names are being taken. */
struct level {
	uint64_t ino;
	size_t path_len;
	struct session_name last; /* that was taken */
};

struct salvage {
	struct session_tar tar;
	struct session_db *db;
	struct u64map named; /* inodes to which a name leads; of no meaning: the values */
	struct link_table links;
	struct str path; /* "/inode-1/a" */
	struct level *levels;
	size_t count, cap;
};

static int find_names_in(struct salvage *x, uint64_t dir, struct err *e)
{
	struct session_name name = {.len = 0};
	int more;

	while ((more = session_db_name_above(x->db, dir, name.name, name.len, &name, e)) > 0) {
		if (name.ino && u64map_put(&x->named, name.ino, 1, e) < 0)
			return -1;
	}
	return more;
}

static int find_names(struct salvage *x, struct err *e)
{
	uint64_t dir = 0;
	int more;

	while ((more = session_db_parent_next(x->db, dir, &dir, e)) > 0) {
		if (find_names_in(x, dir, e) < 0)
			return -1;
	}
	return more;
}

static int push(struct salvage *x, uint64_t ino, struct err *e)
{
	/* Also of a damaged session, whose directories lie in each other. */
	if (x->count >= LIMIT_DEPTH)
		return err_set(e, ERR_LIMIT, "directories nest deeper than %d", LIMIT_DEPTH);
	if (array_reserve(&x->levels, &x->cap, x->count + 1, sizeof(*x->levels), e) < 0)
		return -1;
	x->levels[x->count++] = (struct level){.ino = ino, .path_len = x->path.len};
	return 0;
}

/* A later name of a file is a link to the first. */
static int find_link(struct salvage *x, struct change *c, struct err *e)
{
	const struct file_id id = {.ino = c->ino};
	const struct link_name *first = link_table_get(&x->links, id);

	if (!first)
		return link_table_add(&x->links, id, id, x->path.data + 1, x->path.len - 1, e);
	c->link = first->path;
	c->link_len = first->path_len;
	return 0;
}

/* The member at the path, and the directory, if it is one, entered. */
static int put(struct salvage *x, uint64_t ino, uint32_t type, bool is_top, struct err *e)
{
	struct change c = {.diff = {.kind = DIFF_ADDED}, .ino = ino, .lower = CHANGES_NONE};
	struct session_inode in;

	c.diff.path = x->path.data;
	c.diff.path_len = x->path.len;
	if (x->path.len - 1 > LIMIT_PATH)
		return err_set(e, ERR_LIMIT, "a path is longer than %d bytes", LIMIT_PATH);
	const int found = session_db_inode(x->db, ino, &in, e);
	/* Of a session that is mounted: removed, and still open somewhere. */
	if (found < 0 || (found > 0 && in.nlink == 0))
		return found < 0 ? -1 : 0;
	if (found > 0 && (session_stat(x->tar.session, ino, &c.st, e) < 0 ||
			  (!S_ISDIR(in.mode) && in.nlink > 1 && find_link(x, &c, e) < 0) ||
			  session_tar_put(&x->tar, &c, e) < 0))
		return -1;
	if (found == 0 && !is_top)
		session_tar_leave_out(&x->tar, &c, "it moved, and is in the image alone");
	return (found > 0 ? in.mode & S_IFMT : type) == S_IFDIR ? push(x, ino, e) : 0;
}

/* The next name of the deepest directory. */
static int step(struct salvage *x, struct err *e)
{
	struct level *l = &x->levels[x->count - 1];
	struct session_name *n = &l->last;

	str_truncate(&x->path, l->path_len);
	const int more = session_db_name_above(x->db, l->ino, n->name, n->len, n, e);
	if (more < 0)
		return -1;
	if (more == 0) {
		x->count--;
		return 0;
	}
	if (n->ino == 0)
		return 0;
	if (str_append_c(&x->path, '/', e) < 0 || str_append(&x->path, n->name, n->len, e) < 0)
		return -1;
	return put(x, n->ino, n->type, false, e);
}

static int put_tree(struct salvage *x, uint64_t ino, struct err *e)
{
	str_truncate(&x->path, 0);
	if (str_appendf(&x->path, e, "/inode-%" PRIu64, ino) < 0 ||
	    put(x, ino, S_IFDIR, true, e) < 0)
		return -1;
	while (x->count > 0) {
		if (step(x, e) < 0)
			return -1;
	}
	return 0;
}

/* The first inode above `after` that has a row, or has names that are rows: 1, 0, -1. */
static int next_inode(struct salvage *x, uint64_t after, uint64_t *out, struct err *e)
{
	struct session_inode in = {.ino = 0};
	uint64_t dir = 0;

	const int has_row = session_db_inode_next(x->db, after, &in, e);
	const int has_names = has_row < 0 ? -1 : session_db_parent_next(x->db, after, &dir, e);
	if (has_names < 0)
		return -1;
	*out = has_row && (!has_names || in.ino < dir) ? in.ino : dir;
	return has_row || has_names;
}

static int put_trees(struct salvage *x, struct err *e)
{
	uint64_t ino = 0;
	int more;

	while ((more = next_inode(x, ino, &ino, e)) > 0) {
		if (!u64map_get(&x->named, ino) && put_tree(x, ino, e) < 0)
			return -1;
	}
	return more;
}

int session_tar_salvage(struct session *s, struct tar_archive *to, struct progress *progress,
			struct session_tar_result *out, struct err *e)
{
	struct salvage x = {.db = s->db};
	int r = session_tar_init(&x.tar, s, to, progress, out, e);

	if (r == 0)
		r = find_names(&x, e);
	if (r == 0)
		r = put_trees(&x, e);
	session_tar_fini(&x.tar);
	u64map_fini(&x.named);
	link_table_fini(&x.links);
	str_fini(&x.path);
	free(x.levels);
	return r;
}
