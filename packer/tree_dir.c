/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of the host in the order of a layer, which is that of base/host_walk.h. */
#include "packer/tree_layer.h"

#include <errno.h>
#include <fcntl.h>

#include "base/host_walk.h"
#include "base/host_xattrs.h"
#include "base/limits.h"
#include "base/link_table.h"
#include "base/log.h"
#include "base/quote.h"
#include "image/whiteout.h"
#include "packer/host_file.h"

struct walk {
	struct layer_writer *w;
	struct host_walk host;
	struct link_table links;
	struct host_xattrs xattrs;
	dev_t dev;
	struct progress *progress;
	char target[LIMIT_SYMLINK + 1];
};

/* 1: another name of a file that was added before, and is a hardlink entry now. */
static int check_links(struct walk *k, const struct stat *st, struct entry *en, struct err *e)
{
	const struct file_id id = {st->st_dev, st->st_ino};

	if (st->st_nlink < 2 || en->kind == ENTRY_DIR)
		return 0;
	const struct link_name *first = link_table_get(&k->links, id);
	if (!first)
		return link_table_add(&k->links, id, id, en->path, en->path_len, e);
	*en = (struct entry){
		.kind = ENTRY_HARDLINK,
		.path = en->path,
		.path_len = en->path_len,
		.link = first->path,
		.link_len = first->path_len,
		.mode = en->mode,
		.uid = en->uid,
		.gid = en->gid,
		.mtime = en->mtime,
		.mtime_nsec = en->mtime_nsec,
	};
	return 1;
}

static int read_target(struct walk *k, int dirfd, const char *name, struct entry *en, struct err *e)
{
	en->link = k->target;
	return host_walk_read_link(dirfd, name, k->target, &en->link_len, e);
}

/* Adds the entry `name` of a directory (or, for "", that directory itself). */
static int add(struct walk *k, int dirfd, const char *name, const struct stat *st, struct err *e)
{
	struct entry en;

	if (host_file_entry(st, &en, e) < 0) {
		char q[QUOTE_MAX];
		if (e->code != ERR_UNSUPPORTED)
			return -1;
		err_clear(e);
		log_warning("'%s' is a socket: left out", quote_str(q, str_text(&k->host.path)));
		return 0;
	}
	en.path = str_text(&k->host.path);
	en.path_len = k->host.path.len;
	const int is_link = check_links(k, st, &en, e);
	if (is_link < 0)
		return -1;
	if (is_link)
		return layer_writer_add(k->w, &en, NULL, e);
	if (host_xattrs_read(&k->xattrs, dirfd, name, e) < 0)
		return -1;
	en.xattrs = k->xattrs.items;
	en.xattr_count = k->xattrs.count;
	if (en.kind == ENTRY_SYMLINK && read_target(k, dirfd, name, &en, e) < 0)
		return -1;
	if (en.kind != ENTRY_REG)
		return layer_writer_add(k->w, &en, NULL, e);

	SCOPE_FD int fd = host_file_open(dirfd, name, st, e);
	return fd < 0 ? -1 : host_file_add(k->w, &en, fd, e);
}

static int step(struct walk *k, const char *name, struct err *e)
{
	struct stat st;

	if (str_has_prefix(name, WHITEOUT_PREFIX))
		return err_set(e, ERR_FORMAT,
			       "no image can hold a name that starts with '" WHITEOUT_PREFIX "'");
	progress_name(k->progress, str_text(&k->host.path));
	if (fstatat(k->host.fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "cannot stat");
	if (add(k, k->host.fd, name, &st, e) < 0)
		return -1;
	/* Not into what else is mounted there. */
	return S_ISDIR(st.st_mode) && st.st_dev == k->dev
		       ? host_walk_enter(&k->host, k->host.fd, name, &st, e)
		       : 0;
}

static int walk_all(struct walk *k, int dirfd, struct err *e)
{
	struct stat st;
	const char *name;

	if (fstat(dirfd, &st) < 0)
		return err_sys(e, errno, "cannot open the directory");
	k->dev = st.st_dev;
	if (add(k, dirfd, "", &st, e) < 0 || host_walk_enter(&k->host, dirfd, "", &st, e) < 0)
		return -1;
	while (k->host.depth > 0) {
		const int more = host_walk_next(&k->host, &name, e);
		if (more < 0 || (more > 0 ? step(k, name, e) : host_walk_leave(&k->host, e)) < 0)
			return -1;
	}
	return 0;
}

int tree_layer_from_dir(struct layer_writer *w, int dirfd, const char *what,
			struct progress *progress, struct err *e)
{
	struct walk k = {.w = w, .progress = progress};
	int r = -1;

	progress_begin(progress, "packing", 0);
	layer_writer_set_progress(w, progress);
	if (host_walk_init(&k.host, e) == 0)
		r = walk_all(&k, dirfd, e);
	if (r < 0) {
		char q[QUOTE_MAX];
		err_wrap(e, "%s: '%s'", what,
			 quote_bytes(q, str_text(&k.host.path), k.host.path.len));
	}
	host_walk_fini(&k.host);
	host_xattrs_fini(&k.xattrs);
	link_table_fini(&k.links);
	return r;
}
