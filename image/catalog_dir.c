/* SPDX-License-Identifier: Apache-2.0 */
/* Names of a catalog: down from a directory, and up from an inode. */
#include <string.h>
#include <sys/stat.h>

#include "base/quote.h"
#include "image/catalog.h"
#include "image/catalog_read.h"
#include "image/resolve.h"

int catalog_dirents_of(const struct catalog_inode *dir, const struct catalog *c, uint32_t *first,
		       uint32_t *count, struct err *e)
{
	*first = (uint32_t)dir->where;
	*count = (uint32_t)(dir->where >> 32);
	if (*first > c->header.dirent_count || *count > c->header.dirent_count - *first)
		return catalog_malformed("names of a directory", e);
	return 0;
}

int catalog_dirent_get(const struct catalog *c, uint32_t dirent, struct catalog_dirent_record *out,
		       struct err *e)
{
	uint8_t bytes[CATALOG_DIRENT_SIZE];

	if (catalog_fetch(c, CATALOG_DIRENTS, (uint64_t)dirent * CATALOG_DIRENT_SIZE, bytes,
			  sizeof(bytes), e) < 0)
		return -1;
	catalog_unpack_dirent(bytes, out);
	if (out->inode >= c->header.inode_count || out->parent >= c->header.inode_count ||
	    out->inode == CATALOG_ROOT || out->name_len == 0)
		return catalog_malformed("a directory entry", e);
	if ((uint32_t)out->type << CATALOG_TYPE_SHIFT == S_IFDIR && out->inode <= out->parent)
		return catalog_malformed("a directory inside itself", e);
	return 0;
}

int catalog_dirent_name(const struct catalog *c, const struct catalog_dirent_record *d,
			char out[static LIMIT_NAME], struct err *e)
{
	const size_t len = d->name_len;

	if (catalog_fetch(c, CATALOG_NAMES, d->name_offset, out, len, e) < 0)
		return -1;
	if (memchr(out, '/', len) || memchr(out, '\0', len) || (len == 1 && out[0] == '.') ||
	    (len == 2 && memcmp(out, "..", 2) == 0))
		return catalog_malformed("a name that is none", e);
	return 0;
}

/* A dirent of a directory that is known to have it. */
static int get_child(const struct catalog *c, uint32_t dir, uint32_t dirent,
		     struct catalog_dirent_record *out, struct err *e)
{
	if (catalog_dirent_get(c, dirent, out, e) < 0)
		return -1;
	if (out->parent != dir)
		return catalog_malformed("a directory entry of another directory", e);
	return 0;
}

/* That a name and its inode agree: in what it is, and a directory has this one name.  Else there
 * could be more ways through the directories than anybody has time to walk. */
static int check_child(const struct catalog *c, uint32_t dirent,
		       const struct catalog_dirent_record *d, struct err *e)
{
	struct catalog_inode i;

	if (catalog_inode_get(c, d->inode, &i, e) < 0)
		return -1;
	if ((i.mode & S_IFMT) >> CATALOG_TYPE_SHIFT != d->type)
		return catalog_malformed("a name's kind is not its inode's", e);
	if (S_ISDIR(i.mode) && i.name != dirent)
		return catalog_malformed("a directory with two names", e);
	return 0;
}

/* As strcmp, of a dirent's name with `name`: into `*order`. */
static int compare_name(const struct catalog *c, const struct catalog_dirent_record *d,
			const char *name, size_t len, int *order, struct err *e)
{
	char have[LIMIT_NAME];

	if (catalog_dirent_name(c, d, have, e) < 0)
		return -1;
	*order = memcmp(have, name, len < d->name_len ? len : d->name_len);
	if (*order == 0 && d->name_len != len)
		*order = d->name_len < len ? -1 : 1;
	return 0;
}

int catalog_lookup(const struct catalog *c, uint32_t dir, const char *name, size_t len,
		   uint32_t *out, struct err *e)
{
	struct catalog_inode i;
	uint32_t first;
	uint32_t count;

	if (catalog_inode_get_kind(c, dir, S_IFDIR, &i, e) < 0 ||
	    catalog_dirents_of(&i, c, &first, &count, e) < 0)
		return -1;
	while (count > 0) {
		const uint32_t half = count / 2;
		struct catalog_dirent_record d;
		int order;

		if (get_child(c, dir, first + half, &d, e) < 0 ||
		    compare_name(c, &d, name, len, &order, e) < 0)
			return -1;
		if (order == 0) {
			*out = d.inode;
			return check_child(c, first + half, &d, e) < 0 ? -1 : 1;
		}
		if (order < 0) {
			first += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return 0;
}

static int fill_dirent(const struct catalog *c, const struct catalog_dirent_record *d,
		       struct catalog_dirent *out, struct err *e)
{
	out->inode = d->inode;
	out->type = (uint32_t)d->type << CATALOG_TYPE_SHIFT;
	out->name_len = d->name_len;
	out->name[d->name_len] = '\0';
	return catalog_dirent_name(c, d, out->name, e);
}

int catalog_readdir(const struct catalog *c, uint32_t dir, uint64_t at, struct catalog_dirent *out,
		    struct err *e)
{
	struct catalog_inode i;
	struct catalog_dirent_record d;
	uint32_t first;
	uint32_t count;

	if (catalog_inode_get_kind(c, dir, S_IFDIR, &i, e) < 0 ||
	    catalog_dirents_of(&i, c, &first, &count, e) < 0)
		return -1;
	if (at >= count)
		return 0;
	if (get_child(c, dir, first + (uint32_t)at, &d, e) < 0 ||
	    check_child(c, first + (uint32_t)at, &d, e) < 0 || fill_dirent(c, &d, out, e) < 0)
		return -1;
	return 1;
}

int catalog_dirent_of(const struct catalog *c, uint32_t inode, uint32_t at, uint32_t *dirent,
		      struct catalog_dirent_record *out, struct err *e)
{
	struct catalog_inode i;

	if (catalog_inode_get(c, inode, &i, e) < 0)
		return -1;
	const uint32_t names = S_ISDIR(i.mode) ? inode != CATALOG_ROOT : i.nlink;
	if (at >= names)
		return 0;
	*dirent = i.name;
	if (names > 1) {
		uint8_t bytes[CATALOG_LINK_SIZE];
		if (catalog_fetch(c, CATALOG_LINKS, ((uint64_t)i.name + at) * CATALOG_LINK_SIZE,
				  bytes, sizeof(bytes), e) < 0)
			return -1;
		*dirent = catalog_unpack_link(bytes);
	}
	if (catalog_dirent_get(c, *dirent, out, e) < 0)
		return -1;
	if (out->inode != inode)
		return catalog_malformed("a name of another inode", e);
	return 1;
}

int catalog_name(const struct catalog *c, uint32_t inode, uint32_t at, uint32_t *dir,
		 struct catalog_dirent *out, struct err *e)
{
	struct catalog_dirent_record d;
	uint32_t dirent;

	const int found = catalog_dirent_of(c, inode, at, &dirent, &d, e);
	if (found <= 0)
		return found;
	if (fill_dirent(c, &d, out, e) < 0)
		return -1;
	*dir = d.parent;
	return 1;
}

/* The directory that holds an inode's first name; the root's is the root. */
static int get_parent(const struct catalog *c, uint32_t inode, uint32_t *out, struct err *e)
{
	struct catalog_dirent_record d;
	uint32_t dirent;

	const int found = catalog_dirent_of(c, inode, 0, &dirent, &d, e);
	if (found < 0)
		return -1;
	*out = found ? d.parent : CATALOG_ROOT;
	return 0;
}

int catalog_parent(const struct catalog *c, uint32_t dir, uint32_t *out, struct err *e)
{
	struct catalog_inode i;

	if (catalog_inode_get_kind(c, dir, S_IFDIR, &i, e) < 0)
		return -1;
	return get_parent(c, dir, out, e);
}

int catalog_path(const struct catalog *c, uint32_t inode, struct str *out, struct err *e)
{
	struct catalog_dirent_record way[LIMIT_DEPTH];
	size_t depth = 0;

	for (;;) {
		uint32_t dirent;
		struct catalog_dirent_record d;
		const int found = catalog_dirent_of(c, inode, 0, &dirent, &d, e);
		if (found < 0)
			return -1;
		if (found == 0)
			break;
		if (depth == LIMIT_DEPTH)
			return catalog_malformed("a path without end", e);
		way[depth++] = d;
		inode = d.parent;
	}
	if (depth == 0)
		return str_append_c(out, '/', e);
	while (depth-- > 0) {
		char name[LIMIT_NAME];
		if (catalog_dirent_name(c, &way[depth], name, e) < 0 ||
		    str_append_c(out, '/', e) < 0 ||
		    str_append(out, name, way[depth].name_len, e) < 0)
			return -1;
	}
	return 0;
}

static int tree_lookup(const void *tree, uint32_t dir, const char *name, size_t len, uint32_t *out,
		       struct err *e)
{
	return catalog_lookup(tree, dir, name, len, out, e);
}

static int tree_type(const void *tree, uint32_t node, uint32_t *out, struct err *e)
{
	struct catalog_inode i;

	if (catalog_inode_get(tree, node, &i, e) < 0)
		return -1;
	*out = i.mode & S_IFMT;
	return 0;
}

static int tree_readlink(const void *tree, uint32_t link, struct str *out, struct err *e)
{
	char target[LIMIT_SYMLINK];
	size_t len;

	if (catalog_readlink(tree, link, target, &len, e) < 0)
		return -1;
	return str_append(out, target, len, e);
}

static int tree_parent(const void *tree, uint32_t node, uint32_t *out, struct err *e)
{
	return get_parent(tree, node, out, e);
}

int catalog_resolve(const struct catalog *c, const char *path, bool follow, uint32_t *out,
		    struct err *e)
{
	const struct resolve_tree t = {c, tree_lookup, tree_type, tree_readlink, tree_parent};

	return resolve_path(&t, path, follow, out, e);
}
