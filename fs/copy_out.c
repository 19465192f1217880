/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/copy_out.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/io.h"
#include "base/path.h"
#include "base/quote.h"
#include "base/str.h"
#include "fs/copy_dest.h"
#include "fs/copy_view.h"

enum { STREAM_BUFFER = 256 * 1024 };

/* What the end of the path in the image says. */
struct source {
	uint32_t inode;
	uint64_t size;             /* of a file; 0: not known */
	mode_t kind;               /* S_IFMT of its mode */
	bool is_content;           /* the directory's content, not itself */
	char name[LIMIT_NAME + 1]; /* "" for the root */
};

static int find_source(struct view *v, const char *path, struct source *out, struct err *e)
{
	char quoted[QUOTE_MAX];
	struct catalog_stat st;
	struct catalog_dirent de;
	uint32_t dir;
	SCOPE(str) struct str clean = STR_INIT;

	/* "link/" is what the link leads to. */
	const bool follow = str_has_suffix(path, "/");
	const int found =
		VIEW_RETRY(v, e, catalog_resolve(view_catalog(v), path, follow, &out->inode, e));
	if (found == 0)
		return err_set(e, ERR_NOT_FOUND, "'%s' is not in the image",
			       quote_str(quoted, path));
	if (found < 0 || VIEW_RETRY(v, e, catalog_stat(view_catalog(v), out->inode, &st, e)) < 0 ||
	    path_clean(path, &clean, e) < 0)
		return -1;
	out->kind = st.mode & S_IFMT;
	out->size = S_ISREG(st.mode) ? st.size : 0;
	out->is_content =
		S_ISDIR(st.mode) && (out->inode == CATALOG_ROOT || str_has_suffix(path, "/."));
	out->name[0] = '\0';
	if (out->inode == CATALOG_ROOT)
		return 0;
	const char *slash = strrchr(str_text(&clean), '/');
	const char *name = slash ? slash + 1 : str_text(&clean);
	if (!str_has_suffix(path, "..") && !str_has_suffix(path, "../") && strlen(name) > 0 &&
	    strlen(name) <= LIMIT_NAME) {
		memcpy(out->name, name, strlen(name) + 1);
		return 0;
	}
	/* "a/.." has no name that is its own in the text. */
	if (VIEW_RETRY(v, e, catalog_name(view_catalog(v), out->inode, 0, &dir, &de, e)) < 0)
		return -1;
	memcpy(out->name, de.name, sizeof(out->name));
	return 0;
}

/* Into something that is written through: all bytes in order, holes as zeros. */
static int write_stream(struct view *v, uint32_t inode, int fd, struct progress *progress,
			struct err *e)
{
	SCOPE_FREE char *buf = array_new(STREAM_BUFFER, 1, e);
	uint64_t at = 0;

	if (!buf)
		return -1;
	for (;;) {
		const ssize_t n = view_read(v, inode, at, buf, STREAM_BUFFER, e);
		if (n <= 0)
			return (int)n;
		if (io_write_all(fd, buf, (size_t)n) < 0)
			return err_sys(e, errno, "cannot write");
		at += (uint64_t)n;
		progress_add(progress, (uint64_t)n);
	}
}

static int copy_tree_from(struct view *v, const struct source *src, const struct copy_dest *to,
			  const struct copy_options *opt, struct err *e)
{
	SCOPE(copy_view) struct copy_view from = {.view = v};

	if (copy_view_init(&from, v, src->inode, e) < 0)
		return -1;
	const char *name = src->is_content ? NULL : src->name;
	return copy_tree(&from.source, to->fd, to->kind == COPY_DEST_NAME ? to->name : name, opt,
			 e);
}

int copy_out(struct view *v, const char *path, const char *dest, const struct copy_options *opt,
	     struct err *e)
{
	SCOPE(copy_dest) struct copy_dest to = COPY_DEST_INIT;
	struct source src;
	char quoted[QUOTE_MAX];

	if (find_source(v, path, &src, e) < 0 || copy_dest_open(&to, dest, src.kind, e) < 0)
		return -1;
	progress_begin(opt->progress, "copying", src.size);
	if (to.kind != COPY_DEST_STREAM)
		return copy_tree_from(v, &src, &to, opt, e);
	if (write_stream(v, src.inode, to.fd, opt->progress, e) < 0)
		return err_wrap(e, "'%s'", quote_str(quoted, dest));
	return 0;
}
