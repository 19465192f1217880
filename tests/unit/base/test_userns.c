/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each test is a process of its own, which enters and ends there.  What the helpers map is for
 * tests/cases/unshare, which can put users and ranges in place.
 */
#include "base/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/limits.h"
#include "main.h"
#include "tests/support/failalloc.h"

enum { STRANGER = 54321 /* in no passwd(5), and not in subuid(5) */ };

/* The namespace of /proc/self/ns/`which`. */
static ino_t namespace_of(const char *which)
{
	struct stat st;
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", which);
	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_ino;
}

static void check_file(const char *path, const char *want)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;
	SCOPE_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned got[3], wanted[3];

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_slurp(fd, 4096, path, &text, &e), 0);
	/* The kernel aligns numbers. */
	if (sscanf(want, "%u %u %u", &wanted[0], &wanted[1], &wanted[2]) == 3) {
		ck_assert_int_eq(sscanf(str_text(&text), "%u %u %u", &got[0], &got[1], &got[2]), 3);
		ck_assert_mem_eq(got, wanted, sizeof(got));
	} else {
		ck_assert_str_eq(str_text(&text), want);
	}
}

/* Whether a child of this process can make one. */
static bool is_possible(int flags)
{
	int status;
	const pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(flags) == 0 ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status == 0;
}

/* What the test mounts is of no concern to the machine. */
static void keep_mounts(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
}

/* As systemd has them: a mount in one namespace appears in all that come from it. */
static void share_mounts(void)
{
	keep_mounts();
	ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_SHARED, NULL), 0);
}

/* "shared:N" and "master:N" of mountinfo are the two directions. */
static void check_mounts_are_private(void)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;
	SCOPE_FD int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_slurp(fd, LIMIT_MIB, "mountinfo", &text, &e), 0);
	ck_assert_ptr_nonnull(strstr(str_text(&text), " / "));
	ck_assert_ptr_null(strstr(str_text(&text), " shared:"));
	ck_assert_ptr_null(strstr(str_text(&text), " master:"));
}

static void become(uid_t id)
{
	ck_assert_int_eq(setgid(id), 0);
	ck_assert_int_eq(setuid(id), 0);
	/* As an exec would: else /proc/self is root's. */
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0);
}

START_TEST(root_needs_no_ids)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str lack = STR_INIT;

	if (geteuid() != 0 || !is_possible(CLONE_NEWNS))
		SKIP_TEST("needs root");
	share_mounts();
	const ino_t user = namespace_of("user");
	const ino_t mnt = namespace_of("mnt");
	ck_assert_int_eq(userns_enter(&lack, &e), 0);
	ck_assert_uint_eq(namespace_of("user"), user);
	ck_assert_uint_ne(namespace_of("mnt"), mnt);
	ck_assert_uint_eq(lack.len, 0);
	check_mounts_are_private();
}
END_TEST

START_TEST(a_user_without_ranges_has_his_own_ids)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str lack = STR_INIT;
	struct sigaction before;

	if (geteuid() != 0 || !is_possible(CLONE_NEWUSER))
		SKIP_TEST("needs root and user namespaces");
	share_mounts();
	become(STRANGER);
	signal(SIGCHLD, SIG_IGN);
	ck_assert_int_eq(userns_enter(&lack, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(geteuid(), 0);
	ck_assert_uint_eq(getegid(), 0);
	check_file("/proc/self/uid_map", "0 54321 1");
	check_file("/proc/self/gid_map", "0 54321 1");
	check_file("/proc/self/setgroups", "deny\n");
	ck_assert_str_eq(
		str_text(&lack),
		"no user and no group but your own is known, and chown to others fails: "
		"'/etc/subuid' has no line for uid 54321; '/etc/subgid' has no line for uid "
		"54321");
	check_mounts_are_private();
	ck_assert_int_eq(mount("none", "/tmp", "tmpfs", 0, NULL), 0);
	/* As it was: what is executed next inherits it. */
	ck_assert_int_eq(sigaction(SIGCHLD, NULL, &before), 0);
	ck_assert_ptr_eq((void *)before.sa_handler, (void *)SIG_IGN);
}
END_TEST

START_TEST(inside_one_is_root_already)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str lack = STR_INIT;

	if (geteuid() != 0 || !is_possible(CLONE_NEWUSER))
		SKIP_TEST("needs root and user namespaces");
	become(STRANGER);
	ck_assert_int_eq(userns_enter(&lack, &e), 0);
	const ino_t user = namespace_of("user");
	str_truncate(&lack, 0);
	ck_assert_int_eq(userns_enter(&lack, &e), 0);
	ck_assert_uint_eq(namespace_of("user"), user);
	ck_assert_uint_eq(lack.len, 0);
}
END_TEST

START_TEST(a_refusal_says_what_may_forbid_it)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str lack = STR_INIT;

	if (geteuid() != 0 || !is_possible(CLONE_NEWNS))
		SKIP_TEST("needs root");
	/* Linux makes no user namespace in a chroot, not even one that has everything. */
	keep_mounts();
	ck_assert_int_eq(mount("/", "/tmp", NULL, MS_BIND | MS_REC, NULL), 0);
	ck_assert_int_eq(chroot("/tmp"), 0);
	ck_assert_int_eq(chdir("/"), 0);
	become(STRANGER);
	ck_assert_int_eq(userns_enter(&lack, &e), -1);
	ck_assert_int_eq(e.sys, EPERM);
	ck_assert_err(&e, ERR_SYS, "cannot make a user namespace (kernel.unprivileged_userns");
	ck_assert_uint_eq(lack.len, 0);
}
END_TEST

/* How one try with the n-th allocation failing ended. */
enum { FAILED, COPED, NOT_REACHED, IS_WRONG };

static int try_without(unsigned n)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str lack = STR_INIT;

	failalloc_start(n);
	const int r = userns_enter(&lack, &e);
	const bool is_reached = failalloc_stop();
	const bool is_right = r == 0 ? e.code == ERR_NONE : is_reached && e.code == ERR_NOMEM;
	err_clear(&e);
	if (!is_right)
		return IS_WRONG;
	return !is_reached ? NOT_REACHED : r == 0 ? COPED : FAILED;
}

/* The stranger has ranges, and nothing to map them with. */
static void give_ranges(void)
{
	static const char line[] = "54321:100000:65536\n54321:200000:65536\n";

	keep_mounts();
	ck_assert_int_eq(mount("none", "/tmp", "tmpfs", 0, NULL), 0);
	SCOPE_FD int fd = open("/tmp/ids", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, line, strlen(line)), 0);
	ck_assert_int_eq(fchmod(fd, 0644), 0);
	ck_assert_int_eq(mount("/tmp/ids", "/etc/subuid", NULL, MS_BIND, NULL), 0);
	ck_assert_int_eq(mount("/tmp/ids", "/etc/subgid", NULL, MS_BIND, NULL), 0);
	ck_assert_int_eq(setenv("PATH", "/tmp", 1), 0);
}

static bool have_files_of_ranges(void)
{
	return access("/etc/subuid", F_OK) == 0 && access("/etc/subgid", F_OK) == 0;
}

START_TEST(without_helpers_ranges_are_of_no_use)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str lack = STR_INIT;

	if (geteuid() != 0 || !is_possible(CLONE_NEWUSER) || !have_files_of_ranges())
		SKIP_TEST("needs root, user namespaces, /etc/subuid");
	give_ranges();
	become(STRANGER);
	ck_assert_int_eq(userns_enter(&lack, &e), 0);
	check_file("/proc/self/uid_map", "0 54321 1");
	check_file("/proc/self/gid_map", "0 54321 1");
	ck_assert_ptr_nonnull(strstr(str_text(&lack), "'newuidmap' cannot be run (is the package"));
	ck_assert_ptr_nonnull(strstr(str_text(&lack), "'newgidmap' cannot be run (is the package"));
	ck_assert_ptr_null(strstr(str_text(&lack), "usermod"));
}
END_TEST

/* Without ranges, and with some. */
START_TEST(without_memory)
{
	unsigned failed = 0;
	int status = FAILED;

	if (geteuid() != 0 || !is_possible(CLONE_NEWUSER) || (_i && !have_files_of_ranges()))
		SKIP_TEST("needs root, user namespaces, /etc/subuid");
	if (_i)
		give_ranges();
	become(STRANGER);
	for (unsigned n = 1; status != NOT_REACHED; n++) {
		fflush(NULL);
		const pid_t pid = fork();
		if (pid == 0)
			exit(try_without(n));
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFEXITED(status));
		status = WEXITSTATUS(status);
		ck_assert_msg(status <= NOT_REACHED, "allocation %u: status %d", n, status);
		failed += status == FAILED;
	}
	/* Texts that grow, and the words of two helpers. */
	ck_assert_uint_gt(failed, _i ? 20 : 3);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/userns");
	TCase *tc = tcase_create("enter");

	tcase_add_test(tc, root_needs_no_ids);
	tcase_add_test(tc, a_user_without_ranges_has_his_own_ids);
	tcase_add_test(tc, inside_one_is_root_already);
	tcase_add_test(tc, a_refusal_says_what_may_forbid_it);
	tcase_add_test(tc, without_helpers_ranges_are_of_no_use);
	tcase_add_loop_test(tc, without_memory, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
