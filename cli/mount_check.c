/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/mount_check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/quote.h"
#include "base/scope.h"

#define FUSE_CONF "/etc/fuse.conf"

enum { FUSE_CONF_MAX = 1024 * 1024 };

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

int mount_check_user(const struct mount_options *opt, struct err *e)
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
