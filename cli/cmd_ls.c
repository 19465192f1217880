/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>

#include "base/array.h"
#include "base/json.h"
#include "base/log.h"
#include "base/quote.h"
#include "cli/commands.h"
#include "cli/file_mode.h"
#include "cli/output.h"
#include "cli/owner_names.h"
#include "cli/support.h"
#include "store/catalogs.h"

static const struct option options[] = {
	{'l', "long", NULL, "modes, owners, sizes and times"},
	{'R', "recursive", NULL, "everything below"},
	{'d', "directory", NULL, "directories themselves, not what they hold"},
	{0, "names", NULL, "names of owners, by the image's own /etc/passwd and /etc/group"},
	OPTION_PLATFORM,
	OPTION_JSON,
	OPTION_QUIET,
	OPTION_END,
};

enum { TIME_MAX = 32, NUMBER_COLUMNS = 5, NAME_COLUMNS = 8, DEVICE_MAX = 24 };

/* What is listed and how. */
struct listing {
	const struct store *store;
	const struct image *image;
	struct catalog *catalog;
	bool is_fresh; /* the catalog was damaged, and built anew */
	bool is_long;
	bool is_recursive;
	bool is_directory;               /* directories stand for themselves */
	const struct owner_names *names; /* NULL: numbers */
	bool is_json;
	size_t printed; /* elements of the JSON array */
};

/* As view_repair, for the catalog alone: a listing opens no layer. */
static bool repair(struct listing *l, struct err *e)
{
	const struct layers_options opt = {.progress = NULL};
	struct err ignored = ERR_INIT;

	if (l->is_fresh || (e->code != ERR_DIGEST && e->code != ERR_FORMAT))
		return false;
	l->is_fresh = true;
	err_clear(e);
	log_warning("the catalog of '%s' is damaged: building it anew", l->image->name);
	if (catalogs_discard(l->store, l->image, &ignored) < 0)
		err_clear(&ignored);
	catalog_free(steal_ptr(&l->catalog));
	return catalogs_open(l->store, l->image, CATALOGS_FRESH, &opt, &l->catalog, e) == 0;
}

/* The value of `call`, tried again once after a repair. */
#define RETRY(l, e, call)                           \
	({                                          \
		int retry_ = (call);                \
		if (retry_ < 0 && repair((l), (e))) \
			retry_ = (call);            \
		retry_;                             \
	})

static const char *format_time(int64_t mtime, char out[static TIME_MAX])
{
	const time_t t = (time_t)mtime;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(out, TIME_MAX, "%Y-%m-%d %H:%M:%S", &tm))
		(void)snprintf(out, TIME_MAX, "%" PRId64, mtime);
	return out;
}

/* As a column of its own: the name, or else the number. */
static int append_owner(struct str *line, const struct owner_list *names, uint32_t id,
			struct err *e)
{
	const char *name = names ? owner_names_get(names, id) : NULL;
	const size_t before = line->len;

	if (!names)
		return str_appendf(line, e, "%*" PRIu32 " ", NUMBER_COLUMNS, id);
	if (name ? quote_append(line, name, strlen(name), e) < 0
		 : str_appendf(line, e, "%" PRIu32, id) < 0)
		return -1;
	const size_t width = line->len - before;
	return str_appendf(line, e, "%*s ", width < NAME_COLUMNS ? (int)(NAME_COLUMNS - width) : 0,
			   "");
}

static int print_long(struct listing *l, uint32_t inode, const char *name, struct err *e)
{
	struct catalog_stat st;
	char mode[FILE_MODE_MAX], when[TIME_MAX], target[LIMIT_SYMLINK];
	size_t target_len = 0;
	SCOPE(str) struct str line = STR_INIT;

	if (RETRY(l, e, catalog_stat(l->catalog, inode, &st, e)) < 0)
		return -1;
	if (S_ISLNK(st.mode) &&
	    RETRY(l, e, catalog_readlink(l->catalog, inode, target, &target_len, e)) < 0)
		return -1;
	file_mode_format(st.mode, mode);
	if (str_appendf(&line, e, "%s %3" PRIu32 " ", mode, st.nlink) < 0 ||
	    append_owner(&line, l->names ? &l->names->users : NULL, st.uid, e) < 0 ||
	    append_owner(&line, l->names ? &l->names->groups : NULL, st.gid, e) < 0)
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

/* null when the image has no name for the number. */
static int put_owner(json_t *item, const char *key, const struct owner_list *names, uint32_t id,
		     struct err *e)
{
	const char *name = owner_names_get(names, id);

	return json_put(item, key, name ? json_text_value(name, strlen(name)) : json_null(), e);
}

/* What not all files have. */
static int add_json_details(const struct listing *l, const struct catalog_stat *st, json_t *item,
			    struct err *e)
{
	char device[DEVICE_MAX];

	if (l->names && (put_owner(item, "user", &l->names->users, st->uid, e) < 0 ||
			 put_owner(item, "group", &l->names->groups, st->gid, e) < 0))
		return -1;
	if (!S_ISCHR(st->mode) && !S_ISBLK(st->mode))
		return 0;
	(void)snprintf(device, sizeof(device), "%" PRIu32 ":%" PRIu32, st->rdev_major,
		       st->rdev_minor);
	return json_put(item, "device", json_string(device), e);
}

static int print_json(struct listing *l, uint32_t inode, const char *path, struct err *e)
{
	SCOPE_JSON json_t *item = json_object();
	struct catalog_stat st;
	char text[TIME_MAX];
	char target[LIMIT_SYMLINK];
	size_t len;

	if (RETRY(l, e, catalog_stat(l->catalog, inode, &st, e)) < 0)
		return -1;
	(void)snprintf(text, sizeof(text), "%04o", st.mode & 07777);
	const char kind[2] = {file_mode_letter(st.mode), '\0'};
	if (json_put(item, "path", json_text_value(path, strlen(path)), e) < 0 ||
	    json_put(item, "type", json_string(kind), e) < 0 ||
	    json_put(item, "mode", json_string(text), e) < 0 ||
	    json_put(item, "uid", json_integer(st.uid), e) < 0 ||
	    json_put(item, "gid", json_integer(st.gid), e) < 0 ||
	    json_put(item, "links", json_integer(st.nlink), e) < 0 ||
	    json_put(item, "size", json_integer((json_int_t)st.size), e) < 0 ||
	    json_put(item, "mtime", json_integer(st.mtime), e) < 0 ||
	    add_json_details(l, &st, item, e) < 0)
		return -1;
	if (S_ISLNK(st.mode) &&
	    (RETRY(l, e, catalog_readlink(l->catalog, inode, target, &len, e)) < 0 ||
	     json_put(item, "target", json_text_value(target, len), e) < 0))
		return -1;
	return output_json_element(item, &l->printed, e);
}

/* `path` is the whole path, `name` how a plain listing shows it. */
static int print_one(struct listing *l, uint32_t inode, const char *path, const char *name,
		     struct err *e)
{
	SCOPE(str) struct str line = STR_INIT;

	if (l->is_json)
		return print_json(l, inode, path, e);
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

static int list_dir(struct listing *l, uint32_t dir, const char *path, struct err *e)
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
		const int r = RETRY(l, e, catalog_readdir(l->catalog, top->dir, top->at, &de, e));
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

/* A path that was given. */
struct operand {
	const char *path;
	uint32_t inode;
	bool is_dir;
};

/* As ls(1): a link that is given by name is followed to a directory, and else stands for itself; in
 * a long listing always, but for a slash at its end. */
static int follow_link(struct listing *l, struct operand *o, struct catalog_stat *st, struct err *e)
{
	uint32_t target;
	int found = RETRY(l, e, catalog_resolve(l->catalog, o->path, true, &target, e));

	/* A loop leads nowhere, as a dangling link does. */
	if (found < 0 && e->code == ERR_UNSUPPORTED) {
		err_clear(e);
		found = 0;
	}
	if (found < 1)
		return found;
	struct catalog_stat of_target;
	if (RETRY(l, e, catalog_stat(l->catalog, target, &of_target, e)) < 0)
		return -1;
	if (S_ISDIR(of_target.mode)) {
		o->inode = target;
		*st = of_target;
	}
	return 0;
}

static int find_operand(struct listing *l, struct operand *o, struct err *e)
{
	const bool follow = str_has_suffix(o->path, "/");
	struct catalog_stat st;
	char q[QUOTE_MAX];

	const int found = RETRY(l, e, catalog_resolve(l->catalog, o->path, follow, &o->inode, e));
	if (found == 0)
		return err_set(e, ERR_NOT_FOUND, "no file '%s' in the image",
			       quote_str(q, o->path));
	if (found < 0 || RETRY(l, e, catalog_stat(l->catalog, o->inode, &st, e)) < 0)
		return -1;
	if (S_ISLNK(st.mode) && !l->is_long && !l->is_directory && follow_link(l, o, &st, e) < 0)
		return -1;
	o->is_dir = S_ISDIR(st.mode) && !l->is_directory;
	return 0;
}

/* Files before directories, each by name. */
static int compare_operands(const void *a, const void *b)
{
	const struct operand *x = a, *y = b;

	if (x->is_dir != y->is_dir)
		return x->is_dir ? 1 : -1;
	return strcmp(x->path, y->path);
}

/* "path:" above what a directory holds, where there is more than that to list. */
static int print_heading(const struct listing *l, const char *path, bool is_first, struct err *e)
{
	SCOPE(str) struct str line = STR_INIT;

	/* The paths of these name their directory already. */
	if (l->is_json || l->is_recursive)
		return 0;
	if (quote_append(&line, path, strlen(path), e) < 0)
		return -1;
	return outputf(e, "%s%s:\n", is_first ? "" : "\n", str_text(&line));
}

static int list_operands(struct listing *l, struct operand *operands, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		if (find_operand(l, &operands[i], e) < 0)
			return -1;
	}
	if (!l->is_json)
		qsort(operands, count, sizeof(*operands), compare_operands);
	for (size_t i = 0; i < count; i++) {
		const struct operand *o = &operands[i];
		if (!o->is_dir) {
			if (print_one(l, o->inode, o->path, o->path, e) < 0)
				return -1;
			continue;
		}
		if ((count > 1 && print_heading(l, o->path, i == 0, e) < 0) ||
		    list_dir(l, o->inode, o->path, e) < 0)
			return -1;
	}
	return 0;
}

static int list_all(struct listing *l, const struct invocation *in, struct err *e)
{
	const size_t count = in->arg_count > 1 ? in->arg_count - 1 : 1;
	SCOPE_FREE struct operand *operands = array_new(count, sizeof(*operands), e);

	if (!operands)
		return -1;
	for (size_t i = 0; i < count; i++)
		operands[i].path = in->arg_count > 1 ? in->args[i + 1] : "/";
	return list_operands(l, operands, count, e);
}

/* --names: the image's files are opened for it alone, because a listing reads no content. */
static int read_names(const struct invocation *in, const struct store *s, const struct image *im,
		      struct progress *progress, struct owner_names *out, struct err *e)
{
	if (!invocation_has(in, "names"))
		return 0;
	SCOPE(view) struct view *v = support_view(s, im, "ls", progress, e);
	return v ? owner_names_read(v, out, e) : -1;
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *lease = NULL;
	SCOPE(image) struct image im = IMAGE_INIT;
	SCOPE(owner_names) struct owner_names names = OWNER_NAMES_INIT;
	SCOPE(progress_line) struct progress_line line;
	struct layers_options opt = {.progress = &line.progress};
	struct catalog *c;

	progress_line_init(&line, invocation_has(in, "quiet"));
	if (support_workers(in, &opt.workers, e) < 0 || support_image(in, &s, &lease, &im, e) < 0 ||
	    read_names(in, s, &im, &line.progress, &names, e) < 0 ||
	    catalogs_open(s, &im, 0, &opt, &c, e) < 0)
		return -1;
	progress_line_fini(&line);
	struct listing l = {
		.store = s,
		.image = &im,
		.catalog = c,
		.is_long = invocation_has(in, "long"),
		.is_recursive = invocation_has(in, "recursive"),
		.is_directory = invocation_has(in, "directory"),
		.names = invocation_has(in, "names") ? &names : NULL,
		.is_json = invocation_has(in, "json"),
	};
	const int r = list_all(&l, in, e);
	catalog_free(l.catalog);
	return r == 0 && l.is_json ? output_json_end(l.printed, e) : r;
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
