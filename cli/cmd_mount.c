/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/quote.h"
#include "base/workers.h"
#include "fs/mount.h"
#include "fs/readonly.h"
#include "signer/verify.h"

#define FUSE_CONF "/etc/fuse.conf"

enum { FUSE_CONF_MAX = 1024 * 1024 };

static const struct option options[] = {
	{'f', "foreground", NULL, "stay in the foreground"},
	{'o', "options", "OPTION,...", "allow_other, nonempty, dev, suid, noexec"},
	{0, "cache", "SIZE", "memory for decoded content (default: 32M)"},
	{0, "key", "FILE", "mount only what this public key has signed"},
	{0, "identity", "NAME", "with --key: the name that was signed (default: IMAGE)"},
	OPTION_PLATFORM,
	OPTION_QUIET,
	OPTION_END,
};

static const struct word words[] = {
	{"OPTION,...", WORD_LIST, "allow_other|dev|noexec|nonempty|suid"},
	{NULL, WORD_OTHER, NULL},
};

/* What a worker needs to open its view after the fork. */
struct plan {
	const struct store *store;
	const struct image *image;
	unsigned flags;
	uint64_t cache_bytes;
	char *what;
	bool is_quiet;
	pid_t owner; /* the process that was started, and may be another */
};

static struct view *open_view(void *ctx, struct err *e)
{
	const struct plan *p = ctx;
	SCOPE(progress_line) struct progress_line line;
	const struct layers_options opt = {.workers = workers_default_count(),
					   .progress = &line.progress};

	progress_line_init(&line, p->is_quiet);
	line.owner = p->owner;
	return view_open(p->store, p->image, p->flags, p->cache_bytes, p->what, &opt, e);
}

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

static int parse_mount_option(struct mount_options *opt, const char *word, size_t len,
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
	};
	char q[QUOTE_MAX];

	/* What every read-only mount is anyway; /etc/fstab and habit give it. */
	if (len == 2 && memcmp(word, "ro", len) == 0)
		return 0;
	if (len == 2 && memcmp(word, "rw", len) == 0)
		return err_set(e, ERR_USAGE, "option '-o': no 'rw': images are read-only");
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
	const char *list;
	size_t at = 0;

	while ((list = invocation_next(in, "options", &at))) {
		while (*list) {
			const size_t len = strcspn(list, ",");
			if (parse_mount_option(opt, list, len, e) < 0)
				return -1;
			list += len;
			list += *list == ',';
		}
	}
	return 0;
}

/* Trust starts at the signature: the image is the one that was verified, and nothing that the store
 * derived and keeps is believed. */
static int load_signed(const struct invocation *in, const struct store *s, struct image *im,
		       struct err *e)
{
	SCOPE(verify_report) struct verify_report report = VERIFY_REPORT_INIT;
	struct public_key key;
	struct platform room;
	struct verify_options opt = {.key = &key, .identity = invocation_value(in, "identity")};

	if (support_platform(in, &room, &opt.platform, e) < 0 ||
	    public_key_read(&key, invocation_value(in, "key"), e) < 0)
		return -1;
	return verify_image(s, in->args[0], &opt, &report, im, e);
}

static int load_image(const struct invocation *in, const struct store *s, struct image *im,
		      struct err *e)
{
	struct platform room;
	const struct platform *want;

	if (invocation_has(in, "key"))
		return load_signed(in, s, im, e);
	if (support_platform(in, &room, &want, e) < 0)
		return -1;
	return image_load(s, in->args[0], want, im, e);
}

/* A line of fuse.conf(5), blanks around it and a comment behind it left out. */
static bool is_line(const char *line, size_t len, const char *want)
{
	const char *hash = memchr(line, '#', len);

	if (hash)
		len = (size_t)(hash - line);
	while (len && strchr(" \t\r", line[len - 1]))
		len--;
	while (len && strchr(" \t", *line)) {
		line++;
		len--;
	}
	return len == strlen(want) && memcmp(line, want, len) == 0;
}

static int check_allow_other(struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err ignored = ERR_INIT;

	/* Without such a file nothing is allowed; one that cannot be read may allow it. */
	if (access(FUSE_CONF, F_OK) == 0 &&
	    io_slurp_path(FUSE_CONF, FUSE_CONF_MAX, &text, &ignored) < 0) {
		err_clear(&ignored);
		return 0;
	}
	for (const char *line = str_text(&text); *line;) {
		const size_t len = strcspn(line, "\n");
		if (is_line(line, len, "user_allow_other"))
			return 0;
		line += len + (line[len] != '\0');
	}
	return err_sys(e, EPERM,
		       "mount option allow_other: only root may use it, unless " FUSE_CONF
		       " has the line user_allow_other");
}

/* What fusermount3(1) would refuse to a user, told with its reason. */
static int check_as_user(const struct mount_options *opt, struct err *e)
{
	struct stat st;
	char q[QUOTE_MAX];

	SCOPE_FD int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		return err_sys(e, errno,
			       "cannot open /dev/fuse (is the kernel's module fuse loaded?)");
	if (fd < 0)
		return err_sys(e, errno, "cannot open /dev/fuse");
	quote_str(q, opt->mountpoint);
	/* A mountpoint that is not there is the mount's own matter. */
	if (stat(opt->mountpoint, &st) == 0) {
		if (access(opt->mountpoint, W_OK) < 0)
			return err_sys(e, errno,
				       "cannot mount at '%s': a user needs write access to it", q);
		if (st.st_mode & S_ISVTX && st.st_uid != geteuid())
			return err_sys(e, EPERM, "cannot mount at '%s': it is sticky and not yours",
				       q);
	}
	return opt->allow_other ? check_allow_other(e) : 0;
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(image) struct image im = IMAGE_INIT;
	struct plan plan = {.is_quiet = invocation_has(in, "quiet"), .owner = getpid()};
	struct mount_options opt = {
		.mountpoint = in->args[1],
		.is_foreground = invocation_has(in, "foreground"),
	};

	if (invocation_has(in, "identity") && !invocation_has(in, "key"))
		return err_set(e, ERR_USAGE, "option '--identity' goes with '--key'");
	if (parse_cache(in, &plan.cache_bytes, e) < 0 || parse_mount_options(in, &opt, e) < 0 ||
	    support_store(in, 0, &s, e) < 0 || load_image(in, s, &im, e) < 0 ||
	    (geteuid() != 0 && check_as_user(&opt, e) < 0))
		return -1;
	plan.flags = invocation_has(in, "key") ? CATALOGS_FRESH : 0;
	SCOPE_FREE char *what = str_dupf(e, "mount %s", in->args[1]);
	if (!what)
		return -1;
	plan.store = s;
	plan.image = &im;
	plan.what = what;
	opt.source = im.name;
	struct readonly served = {
		.store = s, .image = &im, .what = what, .open_view = open_view, .ctx = &plan};
	const struct mount_service service = readonly_service(&served);
	return mount_run(&opt, &service, e);
}

const struct command command_mount = {
	.name = "mount",
	.synopsis = "[OPTION]... IMAGE MOUNTPOINT",
	.summary = "Show an image as a read-only file system",
	.options = options,
	.words = words,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
