/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/quote.h"
#include "cli/commands.h"
#include "cli/mount_check.h"
#include "cli/mounting.h"
#include "cli/output.h"
#include "cli/support.h"
#include "fs/readonly.h"
#include "fs/session_db.h"

static const struct option options[] = {
	{'f', "foreground", NULL, "stay in the foreground"},
	{'o', "options", "OPTION,...", "allow_other, nonempty, dev, suid, noexec, writeback"},
	{0, "cache", "SIZE", "memory for decoded content (default: 32M)"},
	{0, "key", "FILE", "mount only what this public key has signed"},
	{0, "identity", "NAME", "with --key: the name that was signed (default: IMAGE)"},
	{0, "edit", NULL, "let the files be changed, in a session that stays"},
	{0, "session", "SESSION", "with --edit: the session's name, to make or to resume it"},
	OPTION_PLATFORM,
	OPTION_QUIET,
	OPTION_END,
};

static const struct word words[] = {
	{"OPTION,...", WORD_LIST, "allow_other|dev|noexec|nonempty|suid|writeback"},
	{NULL, WORD_OTHER, NULL},
};

static int parse_cache(const struct invocation *in, uint64_t *out, struct err *e)
{
	const char *text = invocation_value(in, "cache");
	char q[QUOTE_MAX];

	*out = VIEW_CACHE_DEFAULT;
	if (!text)
		return 0;
	if (str_to_size(text, out) < 0)
		return err_set(e, ERR_USAGE, "option '--cache': '%s' is not a size (16M, 1G)",
			       quote_str(q, text));
	if (*out < VIEW_CACHE_MIN)
		return err_set(e, ERR_USAGE, "option '--cache': at least %llu MiB are needed",
			       (unsigned long long)(VIEW_CACHE_MIN / LIMIT_MIB));
	return 0;
}

static int parse_mount_option(struct mount_options *opt, bool is_edit, const char *word, size_t len,
			      struct err *e)
{
	static const struct {
		const char *name;
		size_t offset;
	} known[] = {
		{"allow_other", offsetof(struct mount_options, allow_other)},
		{"dev", offsetof(struct mount_options, allow_dev)},
		{"noexec", offsetof(struct mount_options, is_noexec)},
		{"nonempty", offsetof(struct mount_options, allow_nonempty)},
		{"suid", offsetof(struct mount_options, allow_suid)},
		{"writeback", offsetof(struct mount_options, is_writeback)},
	};
	char q[QUOTE_MAX];

	/* What every read-only mount is anyway; /etc/fstab and habit give it. */
	if (len == 2 && memcmp(word, "ro", len) == 0) {
		if (is_edit)
			return err_set(e, ERR_USAGE, "option '-o': no 'ro' with '--edit'");
		return 0;
	}
	if (len == 2 && memcmp(word, "rw", len) == 0)
		return err_set(e, ERR_USAGE,
			       "option '-o': no 'rw': --edit makes an image writable");
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strlen(known[i].name) == len && memcmp(known[i].name, word, len) == 0) {
			*(bool *)((char *)opt + known[i].offset) = true;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "option '-o': unknown mount option '%s'",
		       quote_bytes(q, word, len));
}

static int parse_mount_options(const struct invocation *in, struct mount_options *opt,
			       struct err *e)
{
	const bool is_edit = invocation_has(in, "edit");
	const char *list;
	size_t at = 0;

	while ((list = invocation_next(in, "options", &at))) {
		while (*list) {
			const size_t len = strcspn(list, ",");
			if (parse_mount_option(opt, is_edit, list, len, e) < 0)
				return -1;
			list += len;
			list += *list == ',';
		}
	}
	return 0;
}

static int run_readonly(const struct invocation *in, struct mounting *m, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(image) struct image im = IMAGE_INIT;

	if (in->arg_count < 2)
		return err_set(e, ERR_USAGE, "IMAGE and MOUNTPOINT are needed");
	if (support_store(in, 0, &s, e) < 0 || mounting_load_image(in, s, &im, e) < 0 ||
	    (geteuid() != 0 && mount_check_user(&m->opt, e) < 0))
		return -1;
	if (m->opt.is_writeback)
		return err_set(e, ERR_USAGE, "option '-o': 'writeback' goes with '--edit'");
	m->store = s;
	m->image = &im;
	m->opt.source = im.name;
	struct readonly served = {.store = s,
				  .image = &im,
				  .what = m->what,
				  .open_view = mounting_open_view,
				  .ctx = m};
	const struct mount_service service = readonly_service(&served);
	return mount_run(&m->opt, &service, e);
}

/* The session that --session names and that is there, locked: 1, 0 a new one is to be made, -1.
 * With IMAGE the name may be a new one's: that an id begins so is chance. */
static int find_session(const struct invocation *in, const struct store *s,
			struct session_folder **out, struct err *e)
{
	const char *name = invocation_value(in, "session");
	const bool may_be_new = in->arg_count > 1;

	if (!name)
		return 0;
	if ((may_be_new ? sessions_open_exact(s, name, out, e)
			: sessions_open(s, name, SESSIONS_LOCK, out, e)) == 0)
		return 1;
	if (e->code != ERR_NOT_FOUND || !may_be_new)
		return -1;
	err_clear(e);
	return 0;
}

/* A session stays with the manifest that it began with, and what was changed in it nobody has
 * signed: there is nothing to choose in, or to vouch for. */
static int check_resumed(const struct invocation *in, const struct session_folder *folder,
			 struct err *e)
{
	static const char *const names[] = {"key", "identity", "platform"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (invocation_has(in, names[i]))
			return err_set(e, ERR_USAGE,
				       "option '--%s' is for a new session, and '%s' is there "
				       "(choose another name, or leave the option out)",
				       names[i], sessions_name(folder));
	}
	return 0;
}

/* The image of a session that is resumed, and that the command line may name. */
static int load_base(const struct invocation *in, const struct store *s, struct lease *l,
		     const struct session_folder *folder, struct image *im, struct err *e)
{
	char a[QUOTE_MAX], b[QUOTE_MAX];
	SCOPE_FREE char *name = NULL;
	SCOPE(descriptor) struct descriptor found = DESCRIPTOR_INIT;

	if (check_resumed(in, folder, e) < 0)
		return -1;
	if (in->arg_count > 1) {
		if (image_find(s, in->args[0], &name, &found, e) < 0)
			return -1;
		if (strcmp(name, sessions_image(folder)) != 0 &&
		    !digest_equal(&found.digest, &sessions_manifest(folder)->digest))
			return err_set(e, ERR_EXISTS,
				       "session '%s' is there, and edits '%s', not '%s' "
				       "(choose another name, or leave the image out)",
				       sessions_name(folder), quote_str(a, sessions_image(folder)),
				       quote_str(b, in->args[0]));
	}
	return mounting_load_base(s, l, folder, im, e);
}

/* A new session and its image, or one that is resumed. */
static int open_session(const struct invocation *in, const struct store *s, struct image *im,
			struct session_folder **folder, bool *is_new, struct err *e)
{
	SCOPE(lease) struct lease *l = NULL;
	const int found = find_session(in, s, folder, e);

	if (found < 0 || lease_open(s, "mount --edit", &l, e) < 0)
		return -1;
	if (found > 0)
		return load_base(in, s, l, *folder, im, e);
	if (in->arg_count < 2)
		return err_set(e, ERR_USAGE, "IMAGE is needed, or --session to resume one");
	*is_new = true;
	return mounting_new_session(in, s, l, im, folder, e);
}

/* Whether nobody can have used a mount that failed: one in the foreground may have been there for
 * long, but not without a database. */
static bool was_never_used(const struct mounting *m, const struct session_folder *folder)
{
	return !m->opt.is_foreground ||
	       (faccessat(sessions_fd(folder), SESSION_DB_NAME, F_OK, 0) < 0 && errno == ENOENT);
}

/* At once: what is left in the buffer would be the worker's, too. */
static int tell_name(const struct session_folder *folder, struct err *e)
{
	return outputf(e, "%s\n", sessions_name(folder)) < 0 ? -1 : output_finish(e);
}

static int run_edit(const struct invocation *in, struct mounting *m, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(image) struct image im = IMAGE_INIT;
	SCOPE(sessions) struct session_folder *folder = NULL;
	bool is_new = false;

	if (mounting_check_editor(e) < 0 || support_store(in, STORE_WRITE, &s, e) < 0 ||
	    open_session(in, s, &im, &folder, &is_new, e) < 0)
		return -1;
	m->resumed = is_new ? NULL : sessions_name(folder);
	int r = m->opt.is_foreground ? tell_name(folder, e) : 0;
	if (r == 0)
		r = mounting_edit(m, s, &im, folder, e);
	if (r < 0 && is_new && getpid() == m->owner && was_never_used(m, folder))
		mounting_remove_unused(s, steal_ptr(&folder));
	if (r < 0 || m->opt.is_foreground || getpid() != m->owner)
		return r;
	return tell_name(folder, e);
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(mounting) struct mounting m = MOUNTING_INIT;

	if (invocation_has(in, "session") && !invocation_has(in, "edit"))
		return err_set(e, ERR_USAGE, "option '--session' goes with '--edit'");
	if (mounting_init(&m, in, in->args[in->arg_count - 1], e) < 0 ||
	    parse_cache(in, &m.cache_bytes, e) < 0 || parse_mount_options(in, &m.opt, e) < 0)
		return -1;
	m.opt.is_foreground = invocation_has(in, "foreground");
	return invocation_has(in, "edit") ? run_edit(in, &m, e) : run_readonly(in, &m, e);
}

const struct command command_mount = {
	.name = "mount",
	.synopsis = "[OPTION]... [IMAGE] MOUNTPOINT",
	.summary = "Show an image as a file system, to read or to edit",
	.options = options,
	.words = words,
	.min_args = 1,
	.max_args = 2,
	.run = run,
};
