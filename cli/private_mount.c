/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/private_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/log.h"
#include "base/quote.h"

enum {
	ROOT_MODE = 0700,
	UNMOUNT_TRIES = 200,
	UNMOUNT_PAUSE_MS = 10,
	SERVER_TRIES = 500, /* of UNMOUNT_PAUSE_MS: how long a server may take to see its end */
};

static void pause_a_little(void)
{
	const struct timespec t = {0, UNMOUNT_PAUSE_MS * 1000000L};

	nanosleep(&t, NULL);
}

int private_mount_make(struct private_mount *p, const char *command, struct err *e)
{
	const char *parent = getenv("TMPDIR");
	char q[QUOTE_MAX];
	SCOPE_FREE char *dir =
		str_dupf(e, "%s/shale-%s-XXXXXX", parent && parent[0] ? parent : "/tmp", command);

	if (!dir)
		return -1;
	if (!mkdtemp(dir))
		return err_sys(e, errno, "cannot make a directory '%s' to mount at",
			       quote_str(q, dir));
	p->dir = realpath(dir, NULL);
	if (!p->dir) {
		err_sys(e, errno, "cannot find '%s'", quote_str(q, dir));
		rmdir(dir);
		return -1;
	}
	p->root = str_dupf(e, "%s/root", p->dir);
	if (!p->root)
		return -1;
	return mkdir(p->root, ROOT_MODE) < 0
		       ? err_sys(e, errno, "cannot make '%s'", quote_str(q, p->root))
		       : 0;
}

int private_mount_run(struct private_mount *p, struct mounting *m, const struct store *s,
		      const struct image *im, struct session_folder *folder, struct err *e)
{
	m->opt.supervisor = &p->server;
	const int r = mounting_edit(m, s, im, folder, e);
	p->is_server = getpid() != m->owner;
	return r;
}

static void remove_directory(struct private_mount *p)
{
	char q[QUOTE_MAX];

	if (!p->dir)
		return;
	if ((p->root && rmdir(p->root) < 0 && errno != ENOENT) || rmdir(p->dir) < 0)
		log_warning("cannot remove '%s': %s", quote_str(q, p->dir), strerror(errno));
	free(steal_ptr(&p->root));
	free(steal_ptr(&p->dir));
}

int private_mount_detach(struct private_mount *p, struct err *e)
{
	char q[QUOTE_MAX];
	SCOPE_FD int fd = open(p->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, errno, "cannot open '%s'", quote_str(q, p->root));
	if (mount_end(p->root, true, e) < 0)
		return -1;
	remove_directory(p);
	return steal_fd(&fd);
}

static bool has_ended(const struct private_mount *p)
{
	const pid_t pid = waitpid(p->server, NULL, WNOHANG);

	return pid == p->server || (pid < 0 && errno == ECHILD);
}

/* The mount ends by itself after it was unmounted, unless something else still holds it: another
 * mount namespace, for one. */
static void end_server(const struct private_mount *p, bool is_unmounted)
{
	for (int i = 0; is_unmounted && i < SERVER_TRIES; i++) {
		if (has_ended(p))
			return;
		pause_a_little();
	}
	kill(p->server, SIGTERM);
	for (int i = 0; i < SERVER_TRIES; i++) {
		if (has_ended(p))
			return;
		pause_a_little();
	}
	/* Who ignores SIGTERM has left that to it. */
	kill(p->server, SIGKILL);
	while (waitpid(p->server, NULL, 0) < 0 && errno == EINTR)
		continue;
}

/* True when it is unmounted; else `is_busy` says whether it is used. */
static bool unmount(const struct private_mount *p, bool is_hasty, bool *is_busy)
{
	struct err why = ERR_INIT;
	int r = -1;

	for (int i = 0; r < 0 && i < UNMOUNT_TRIES; i++) {
		if (i > 0)
			pause_a_little();
		err_clear(&why);
		r = mount_end(p->root, false, &why);
		/* Whoever ends us will not wait for who uses it. */
		if (is_hasty || (r < 0 && why.code != ERR_BUSY))
			break;
	}
	*is_busy = r < 0 && why.code == ERR_BUSY;
	err_clear(&why);
	return r == 0;
}

bool private_mount_end(struct private_mount *p, bool is_hasty)
{
	bool is_busy = false;

	if (p->server) {
		/* A mount that was detached has gone with its descriptor. */
		end_server(p, !p->root || unmount(p, is_hasty, &is_busy));
		p->server = 0;
	}
	remove_directory(p);
	return is_busy && !is_hasty;
}

void private_mount_fini(struct private_mount *p)
{
	free(p->dir);
	free(p->root);
}
