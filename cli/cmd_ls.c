/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>

#include "base/array.h"
#include "base/json.h"
#include "base/quote.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/support.h"
#include "store/catalogs.h"

static const struct option options[] = {
	{'l', "long", NULL, "modes, owners, sizes and times"},
	{'R', "recursive", NULL, "everything below"},
	OPTION_PLATFORM,
	OPTION_JSON,
	OPTION_END,
};

enum { TIME_MAX = 32, MODE_MAX = 11 };

/* What is listed and how. */
struct listing {
	const struct catalog *catalog;
	bool is_long;
	bool is_recursive;
	json_t *doc; /* NULL: text */
};

static char type_letter(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFCHR:
		return 'c';
	case S_IFBLK:
		return 'b';
	case S_IFIFO:
		return 'p';
	default:
		return '-';
	}
}

/* As ls(1) shows them. */
static void format_mode(uint32_t mode, char out[static MODE_MAX])
{
	static const char letters[] = "rwxrwxrwx";

	out[0] = type_letter(mode);
	for (unsigned i = 0; i < 9; i++)
		out[1 + i] = (char)(mode & (0400U >> i) ? letters[i] : '-');
	if (mode & S_ISUID)
		out[3] = mode & S_IXUSR ? 's' : 'S';
	if (mode & S_ISGID)
		out[6] = mode & S_IXGRP ? 's' : 'S';
	if (mode & S_ISVTX)
		out[9] = mode & S_IXOTH ? 't' : 'T';
	out[10] = '\0';
}

static const char *format_time(int64_t mtime, char out[static TIME_MAX])
{
	const time_t t = (time_t)mtime;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(out, TIME_MAX, "%Y-%m-%d %H:%M:%S", &tm))
		(void)snprintf(out, TIME_MAX, "%" PRId64, mtime);
	return out;
}

static int print_long(const struct listing *l, uint32_t inode, const char *name, struct err *e)
{
	struct catalog_stat st;
	char mode[MODE_MAX], when[TIME_MAX], target[LIMIT_SYMLINK];
	size_t target_len = 0;
	SCOPE(str) struct str line = STR_INIT;

	if (catalog_stat(l->catalog, inode, &st, e) < 0)
		return -1;
	if (S_ISLNK(st.mode) && catalog_readlink(l->catalog, inode, target, &target_len, e) < 0)
		return -1;
	format_mode(st.mode, mode);
	if (str_appendf(&line, e, "%s %3" PRIu32 " %5" PRIu32 " %5" PRIu32 " ", mode, st.nlink,
			st.uid, st.gid) < 0)
		return -1;
	if (S_ISCHR(st.mode) || S_ISBLK(st.mode) ? str_appendf(&line, e, "%5" PRIu32 ", %5" PRIu32,
							       st.rdev_major, st.rdev_minor) < 0
						 : str_appendf(&line, e, "%12" PRIu64, st.size) < 0)
		return -1;
	if (str_appendf(&line, e, " %s ", format_time(st.mtime, when)) < 0 ||
	    quote_append(&line, name, strlen(name), e) < 0)
		return -1;
	if (S_ISLNK(st.mode) &&
	    (str_append_z(&line, " -> ", e) < 0 || quote_append(&line, target, target_len, e) < 0))
		return -1;
	return outputf(e, "%s\n", str_text(&line));
}

static int add_json(const struct listing *l, uint32_t inode, const char *path, struct err *e)
{
	SCOPE_JSON json_t *item = json_object();
	struct catalog_stat st;
	char text[TIME_MAX];
	char target[LIMIT_SYMLINK];
	size_t len;

	if (catalog_stat(l->catalog, inode, &st, e) < 0)
		return -1;
	(void)snprintf(text, sizeof(text), "%04o", st.mode & 07777);
	const char kind[2] = {type_letter(st.mode), '\0'};
	if (json_put(item, "path", json_text_value(path, strlen(path)), e) < 0 ||
	    json_put(item, "type", json_string(kind), e) < 0 ||
	    json_put(item, "mode", json_string(text), e) < 0 ||
	    json_put(item, "uid", json_integer(st.uid), e) < 0 ||
	    json_put(item, "gid", json_integer(st.gid), e) < 0 ||
	    json_put(item, "links", json_integer(st.nlink), e) < 0 ||
	    json_put(item, "size", json_integer((json_int_t)st.size), e) < 0 ||
	    json_put(item, "mtime", json_integer(st.mtime), e) < 0)
		return -1;
	if (S_ISLNK(st.mode) && (catalog_readlink(l->catalog, inode, target, &len, e) < 0 ||
				 json_put(item, "target", json_text_value(target, len), e) < 0))
		return -1;
	return json_push(l->doc, json_incref(item), e);
}

/* `path` is the whole path, `name` how a plain listing shows it. */
static int print_one(const struct listing *l, uint32_t inode, const char *path, const char *name,
		     struct err *e)
{
	SCOPE(str) struct str line = STR_INIT;

	if (l->doc)
		return add_json(l, inode, path, e);
	if (l->is_recursive)
		name = path;
	if (l->is_long)
		return print_long(l, inode, name, e);
	if (quote_append(&line, name, strlen(name), e) < 0)
		return -1;
	return outputf(e, "%s\n", str_text(&line));
}

/* A directory that is being listed. */
struct level {
	uint32_t dir;
	uint64_t at;
	size_t path_len; /* of the directory's path with "/" at the end */
};

static int list_dir(const struct listing *l, uint32_t dir, const char *path, struct err *e)
{
	SCOPE(str) struct str full = STR_INIT;
	SCOPE_FREE struct level *stack = array_new(LIMIT_DEPTH + 1, sizeof(*stack), e);
	struct catalog_dirent de;
	size_t depth = 0;

	if (!stack || str_append_z(&full, path, e) < 0)
		return -1;
	if (!str_has_suffix(path, "/") && str_append_c(&full, '/', e) < 0)
		return -1;
	stack[0] = (struct level){dir, 0, full.len};
	for (;;) {
		struct level *top = &stack[depth];
		const int r = catalog_readdir(l->catalog, top->dir, top->at, &de, e);
		if (r < 0)
			return -1;
		if (r == 0) {
			if (depth-- == 0)
				return 0;
			continue;
		}
		top->at++;
		str_truncate(&full, top->path_len);
		if (str_append(&full, de.name, de.name_len, e) < 0 ||
		    print_one(l, de.inode, full.data, de.name, e) < 0)
			return -1;
		if (!l->is_recursive || !S_ISDIR(de.type))
			continue;
		if (depth == LIMIT_DEPTH)
			return err_set(e, ERR_LIMIT, "directories nest deeper than %d",
				       LIMIT_DEPTH);
		if (str_append_c(&full, '/', e) < 0)
			return -1;
		stack[++depth] = (struct level){de.inode, 0, full.len};
	}
}

static int list_path(const struct listing *l, const char *path, struct err *e)
{
	struct catalog_stat st;
	uint32_t inode;
	char q[QUOTE_MAX];

	/* As ls(1): a link given by name is followed, except for a long listing. */
	const bool follow = !l->is_long || str_has_suffix(path, "/");
	const int found = catalog_resolve(l->catalog, path, follow, &inode, e);
	if (found == 0)
		return err_set(e, ERR_NOT_FOUND, "no file '%s' in the image", quote_str(q, path));
	if (found < 0 || catalog_stat(l->catalog, inode, &st, e) < 0)
		return -1;
	if (!S_ISDIR(st.mode))
		return print_one(l, inode, path, path, e);
	return list_dir(l, inode, path, e);
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(image) struct image im = IMAGE_INIT;
	SCOPE(catalog) struct catalog *c = NULL;
	SCOPE_JSON json_t *doc = invocation_has(in, "json") ? json_array() : NULL;
	struct layers_options opt = {.progress = NULL};

	if (support_workers(in, &opt.workers, e) < 0 || support_image(in, &s, &im, e) < 0 ||
	    catalogs_open(s, &im, 0, &opt, &c, e) < 0)
		return -1;
	const struct listing l = {
		.catalog = c,
		.is_long = invocation_has(in, "long"),
		.is_recursive = invocation_has(in, "recursive"),
		.doc = doc,
	};
	if (in->arg_count == 1 && list_path(&l, "/", e) < 0)
		return -1;
	for (size_t i = 1; i < in->arg_count; i++) {
		if (list_path(&l, in->args[i], e) < 0)
			return -1;
	}
	return doc ? output_json(doc, e) : 0;
}

const struct command command_ls = {
	.name = "ls",
	.synopsis = "[OPTION]... IMAGE [PATH]...",
	.summary = "List files of an image",
	.options = options,
	.min_args = 1,
	.max_args = SIZE_MAX,
	.run = run,
};
