/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before the namespace: read the files, and fork the child that is to run the helpers.  Then
 * unshare in the parent, let the child run them on it, wait for it, and write the map of a single
 * id where one was not written.
 *
 * Refused: to fork the command and map it from outside.  Its parent would have to pass on signals,
 * stops and the terminal.
 */
#include "base/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/idmap.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/strlist.h"
#include "base/subids.h"

enum { UIDS, GIDS, KINDS };

static const struct {
	const char *what;
	const char *file;
	const char *helper;
	const char *map;
	const char *usermod; /* the option of usermod(8) that adds a range */
} kinds[KINDS] = {
	[UIDS] = {"user", "/etc/subuid", "newuidmap", "/proc/self/uid_map", "--add-subuids"},
	[GIDS] = {"group", "/etc/subgid", "newgidmap", "/proc/self/gid_map", "--add-subgids"},
};

/* How running a helper ended. */
enum outcome { WAS_NOT_RUN, HAS_MAPPED, HAS_FAILED, CANNOT_RUN };

enum { OUTCOME_BITS = 2 /* of the child's exit status, for each helper */ };

/* One of the two maps. */
struct side {
	struct strlist argv; /* of the helper; empty: there is nothing for it to do */
	enum outcome outcome;
	struct str reason; /* why it is not used */
	uint32_t unused;   /* where usermod could begin; 0: it is not a range that lacks */
};

struct plan {
	char *name; /* of the user; NULL: he has none */
	uint32_t own[KINDS];
	struct side sides[KINDS];
};

static void plan_fini(struct plan *p)
{
	free(p->name);
	for (int i = 0; i < KINDS; i++) {
		strlist_fini(&p->sides[i].argv);
		str_fini(&p->sides[i].reason);
	}
}
SCOPE_DEFINE_VALUE(plan, struct plan, plan_fini)

/* "HELPER PID INSIDE OUTSIDE COUNT..." */
static int make_argv(struct strlist *argv, const char *helper, const struct idmap *m, struct err *e)
{
	char text[sizeof("4294967295") * 2];

	(void)snprintf(text, sizeof(text), "%ld", (long)getpid());
	if (strlist_add(argv, helper, e) < 0 || strlist_add(argv, text, e) < 0)
		return -1;
	for (size_t i = 0; i < m->count; i++) {
		const uint32_t numbers[] = {m->extents[i].inside, m->extents[i].outside,
					    m->extents[i].count};
		for (size_t k = 0; k < ARRAY_LEN(numbers); k++) {
			(void)snprintf(text, sizeof(text), "%" PRIu32, numbers[k]);
			if (strlist_add(argv, text, e) < 0)
				return -1;
		}
	}
	/* The end that execve(2) wants; it is not counted. */
	if (array_reserve(&argv->items, &argv->cap, argv->count + 1, sizeof(*argv->items), e) < 0)
		return -1;
	argv->items[argv->count] = NULL;
	return 0;
}

/* The file has no range for the user. */
static int tell_no_range(struct plan *p, int kind, const struct subids *ids, struct err *e)
{
	struct side *side = &p->sides[kind];
	char q[QUOTE_MAX];

	if (ids->bad_line)
		return str_appendf(&side->reason, e, "line %zu of '%s' is not NAME:START:COUNT",
				   ids->bad_line, kinds[kind].file);
	side->unused = p->name ? ids->unused : 0;
	return p->name ? str_appendf(&side->reason, e, "'%s' has no line for '%s'",
				     kinds[kind].file, quote_str(q, p->name))
		       : str_appendf(&side->reason, e, "'%s' has no line for uid %" PRIu32,
				     kinds[kind].file, p->own[UIDS]);
}

static int read_side(struct plan *p, int kind, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(subids) struct subids ids = SUBIDS_INIT;
	SCOPE(idmap) struct idmap map = IDMAP_INIT;

	/* No file is as good as an empty one. */
	if (access(kinds[kind].file, F_OK) == 0 &&
	    io_slurp_path(kinds[kind].file, LIMIT_SUBID_FILE, &text, e) < 0)
		return -1;
	if (subids_parse(&ids, str_text(&text), text.len, p->name, p->own[UIDS], e) < 0)
		return err_wrap(e, "'%s'", kinds[kind].file);
	if (ids.count == 0)
		return tell_no_range(p, kind, &ids, e);
	if (idmap_build(&map, p->own[kind], &ids, e) < 0)
		return err_wrap(e, "'%s'", kinds[kind].file);
	return make_argv(&p->sides[kind].argv, kinds[kind].helper, &map, e);
}

/* What is wrong with a file is no reason to do without a namespace. */
static int plan_init(struct plan *p, struct err *e)
{
	const struct passwd *user = getpwuid(geteuid());

	*p = (struct plan){.own = {[UIDS] = geteuid(), [GIDS] = getegid()}};
	if (user && user->pw_name && user->pw_name[0]) {
		p->name = str_dup(user->pw_name, e);
		if (!p->name)
			return -1;
	}
	for (int i = 0; i < KINDS; i++) {
		struct err why = ERR_INIT;
		if (read_side(p, i, &why) == 0)
			continue;
		if (why.code == ERR_NOMEM)
			return err_move(e, &why);
		strlist_clear(&p->sides[i].argv);
		const int r = str_append_z(&p->sides[i].reason, why.msg, e);
		err_clear(&why);
		if (r < 0)
			return -1;
	}
	return 0;
}

static enum outcome run_helper(const struct strlist *argv)
{
	pid_t pid;
	int status;

	if (argv->count == 0)
		return WAS_NOT_RUN;
	const int r = posix_spawnp(&pid, argv->items[0], NULL, NULL, argv->items, environ);
	/* Of a name that no folder of $PATH has, this is not always ENOENT. */
	if (r != 0)
		return CANNOT_RUN;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return HAS_FAILED;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? HAS_MAPPED : HAS_FAILED;
}

/* The child: waits for its parent to be in the namespace, and runs both helpers on it.  Its exit
 * status are their outcomes. */
static void run_helpers(const struct plan *p, int go)
{
	int status = 0;
	char byte;

	/* The parent could not enter, or is dead. */
	if (io_read(go, &byte, 1) != 1)
		_exit(0);
	for (int i = 0; i < KINDS; i++)
		status |= (int)run_helper(&p->sides[i].argv) << (OUTCOME_BITS * i);
	_exit(status);
}

static pid_t start_helpers(const struct plan *p, int *go, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	const pid_t child = fork();
	if (child == 0) {
		close(ends[1]);
		run_helpers(p, ends[0]);
	}
	close(ends[0]);
	if (child < 0) {
		close(ends[1]);
		return err_sys(e, errno, "cannot fork");
	}
	*go = ends[1];
	return child;
}

static int end_helpers(struct plan *p, pid_t child, struct err *e)
{
	int status;

	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return err_sys(e, errno, "cannot wait for newuidmap(1)");
	}
	for (int i = 0; i < KINDS; i++) {
		struct side *side = &p->sides[i];
		const char *helper = kinds[i].helper;
		const int bits = WEXITSTATUS(status) >> (OUTCOME_BITS * i);
		side->outcome = WIFEXITED(status) ? (enum outcome)(bits & ((1 << OUTCOME_BITS) - 1))
						  : HAS_FAILED;
		if ((side->outcome == CANNOT_RUN &&
		     str_appendf(&side->reason, e,
				 "'%s' cannot be run (is the package uidmap installed?)",
				 helper) < 0) ||
		    (side->outcome == HAS_FAILED &&
		     str_appendf(&side->reason, e, "'%s' failed", helper) < 0))
			return -1;
	}
	return 0;
}

static int unshare_user(struct err *e)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0)
		return 0;
	if (errno == EPERM)
		return err_sys(e, errno,
			       "cannot make a user namespace (kernel.unprivileged_userns_clone, "
			       "the policy of a container, or a chroot may forbid it)");
	if (errno == ENOSPC || errno == EUSERS)
		return err_sys(e, errno,
			       "cannot make a user namespace (too many, or too deep: see "
			       "user.max_user_namespaces)");
	return err_sys(e, errno, "cannot make a user namespace");
}

static int write_file(const char *path, const char *text, struct err *e)
{
	SCOPE_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, errno, "cannot open '%s'", path);
	if (io_write_all(fd, text, strlen(text)) < 0)
		return err_sys(e, errno,
			       "cannot write '%s' (kernel.apparmor_restrict_unprivileged_userns "
			       "may forbid it)",
			       path);
	return 0;
}

/* The user's own id alone, which Linux lets him map himself. */
static int map_own(const struct plan *p, int kind, struct err *e)
{
	char text[sizeof("0 4294967295 1\n")];

	/* Else he could leave a group that is to keep him out of a file. */
	if (kind == GIDS && write_file("/proc/self/setgroups", "deny", e) < 0)
		return -1;
	(void)snprintf(text, sizeof(text), "0 %" PRIu32 " 1\n", p->own[kind]);
	return write_file(kinds[kind].map, text, e);
}

/* "no user and no group but your own is known ...: REASON; REASON (root can mend it: usermod ...)"
 */
static int tell_lack(const struct plan *p, struct str *lack, struct err *e)
{
	SCOPE(str) struct str reasons = STR_INIT;
	SCOPE(str) struct str usermod = STR_INIT;
	const char *separator = "";
	char q[QUOTE_MAX];

	for (int i = 0; i < KINDS; i++) {
		const struct side *side = &p->sides[i];
		if (side->outcome == HAS_MAPPED)
			continue;
		if (str_appendf(lack, e, "%sno %s", *separator ? " and " : "", kinds[i].what) < 0 ||
		    str_appendf(&reasons, e, "%s%s", separator, str_text(&side->reason)) < 0)
			return -1;
		separator = "; ";
		if (side->unused &&
		    str_appendf(&usermod, e, " %s %" PRIu32 "-%" PRIu32, kinds[i].usermod,
				side->unused, side->unused + SUBIDS_COUNT - 1) < 0)
			return -1;
	}
	if (!*separator)
		return 0;
	if (str_appendf(lack, e, " but your own is known, and chown to others fails: %s",
			str_text(&reasons)) < 0)
		return -1;
	return usermod.len == 0 ? 0
				: str_appendf(lack, e, " (root can mend it: usermod%s %s)",
					      str_text(&usermod), quote_str(q, p->name));
}

static int enter_user(struct str *lack, struct err *e)
{
	SCOPE(plan) struct plan p = {.name = NULL};
	pid_t child = 0;
	int go = -1;

	if (plan_init(&p, e) < 0)
		return -1;
	if (p.sides[UIDS].argv.count || p.sides[GIDS].argv.count) {
		child = start_helpers(&p, &go, e);
		if (child < 0)
			return -1;
	}
	int r = unshare_user(e);
	if (child) {
		struct err ignored = ERR_INIT;
		/* Without the byte it only ends. */
		if (r == 0 && io_write_all(go, "", 1) < 0)
			r = err_sys(e, errno, "cannot start newuidmap(1)");
		close(go);
		if (end_helpers(&p, child, r == 0 ? e : &ignored) < 0)
			r = -1;
		err_clear(&ignored);
	}
	for (int i = 0; r == 0 && i < KINDS; i++) {
		if (p.sides[i].outcome != HAS_MAPPED)
			r = map_own(&p, i, e);
	}
	return r == 0 ? tell_lack(&p, lack, e) : -1;
}

/* enter_user, where children can be waited for: a caller that ignores SIGCHLD hands that down. */
static int enter_user_waiting(struct str *lack, struct err *e)
{
	const struct sigaction wait_for_it = {.sa_handler = SIG_DFL};
	struct sigaction before;

	if (sigaction(SIGCHLD, &wait_for_it, &before) < 0)
		return err_sys(e, errno, "cannot wait for children");
	const int r = enter_user(lack, e);
	(void)sigaction(SIGCHLD, &before, NULL);
	return r;
}

int userns_enter(struct str *lack, struct err *e)
{
	if (geteuid() != 0) {
		if (enter_user_waiting(lack, e) < 0)
			return -1;
	} else if (unshare(CLONE_NEWNS) < 0) {
		return err_sys(e, errno,
			       "cannot make a mount namespace (root needs CAP_SYS_ADMIN)");
	}
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, errno, "cannot make the mounts of the namespace private");
	return 0;
}
