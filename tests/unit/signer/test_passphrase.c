/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/passphrase.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "main.h"
#include "tests/support/scratch.h"

static const struct {
	const char *file;
	size_t len;
	const char *want;
	size_t want_len;
} files[] = {
	{"secret", 6, "secret", 6},
	{"secret\n", 7, "secret", 6},
	{"secret\n\n", 8, "secret\n", 7},
	{"secret\r\n", 8, "secret\r", 7},
	{" two words \n", 12, " two words ", 11},
	{"", 0, "", 0},
	{"\n", 1, "", 0},
	{"a\0b\n", 4, "a\0b", 3},
};

static void put(const char *path, const void *bytes, size_t len)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, bytes, len), 0);
	close(fd);
}

START_TEST(a_file_loses_one_line_end_at_most)
{
	SCOPE(secret) struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;
	const char *path = scratch_file("pass");

	put(path, files[_i].file, files[_i].len);
	const struct passphrase_source src = {.kind = PASSPHRASE_FILE, .path = path};
	ck_assert_int_eq(passphrase_read(&src, "key", false, &s, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(s.len, files[_i].want_len);
	ck_assert_mem_eq(s.data, files[_i].want, s.len);
}
END_TEST

START_TEST(a_descriptor_is_read_like_a_file)
{
	SCOPE(secret) struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(io_write_all(ends[1], "secret\n", 7), 0);
	close(ends[1]);
	const struct passphrase_source src = {.kind = PASSPHRASE_FD, .fd = ends[0]};
	ck_assert_int_eq(passphrase_read(&src, "key", false, &s, &e), 0);
	ck_assert_uint_eq(s.len, 6);
	close(ends[0]);
}
END_TEST

START_TEST(refuses_what_is_too_long)
{
	static char text[1024 * 1024];
	SCOPE(secret) struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;
	const char *path = scratch_file("pass");
	const struct passphrase_source src = {.kind = PASSPHRASE_FILE, .path = path};

	memset(text, 'x', sizeof(text));
	put(path, text, sizeof(text));
	ck_assert_int_eq(passphrase_read(&src, "key", false, &s, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "longer");
	put(path, text, LIMIT_PASSPHRASE + 1);
	ck_assert_int_eq(passphrase_read(&src, "key", false, &s, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "longer");
	text[LIMIT_PASSPHRASE] = '\n';
	put(path, text, LIMIT_PASSPHRASE + 1);
	ck_assert_int_eq(passphrase_read(&src, "key", false, &s, &e), 0);
	ck_assert_uint_eq(s.len, LIMIT_PASSPHRASE);
}
END_TEST

START_TEST(refuses_a_file_that_cannot_be_read)
{
	SCOPE(secret) struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;
	struct passphrase_source src = {.kind = PASSPHRASE_FILE, .path = scratch_file("none")};

	ck_assert_int_eq(passphrase_read(&src, "key", false, &s, &e), -1);
	ck_assert_err(&e, ERR_SYS, "none");
	src.path = scratch_path();
	ck_assert_int_eq(passphrase_read(&src, "key", false, &s, &e), -1);
	ck_assert_err(&e, ERR_SYS, "directory");
}
END_TEST

START_TEST(the_environment_is_wiped)
{
	SCOPE(secret) struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;
	const struct passphrase_source src = {.kind = PASSPHRASE_DEFAULT};

	ck_assert_int_eq(setenv(PASSPHRASE_ENV, "from outside\n", 1), 0);
	const char *was = getenv(PASSPHRASE_ENV);
	ck_assert_int_eq(passphrase_read(&src, "key", false, &s, &e), 0);
	ck_assert_uint_eq(s.len, 13);
	ck_assert_mem_eq(s.data, "from outside\n", 13);
	ck_assert_ptr_null(getenv(PASSPHRASE_ENV));
	ck_assert_str_eq(was, "");
}
END_TEST

START_TEST(a_long_environment_is_refused)
{
	static char text[LIMIT_PASSPHRASE + 2];
	SCOPE(secret) struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;
	const struct passphrase_source src = {.kind = PASSPHRASE_DEFAULT};

	memset(text, 'x', sizeof(text) - 1);
	ck_assert_int_eq(setenv(PASSPHRASE_ENV, text, 1), 0);
	const char *was = getenv(PASSPHRASE_ENV);
	ck_assert_int_eq(passphrase_read(&src, "key", false, &s, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, PASSPHRASE_ENV);
	ck_assert_ptr_null(getenv(PASSPHRASE_ENV));
	ck_assert_str_eq(was, "");
}
END_TEST

/* What the child of `ask_in_a_terminal` exits with. */
enum { GOT_IT = 42, REFUSED = 43, OTHER_ERROR = 44, STILL_QUIET = 45, NOT_STOPPED = 46 };

static bool has_echo(int tty)
{
	struct termios now;

	return tcgetattr(tty, &now) == 0 && now.c_lflag & ECHO;
}

/* In a child with a terminal of its own: a passphrase that must be "secret". */
static void child_asks(bool confirm)
{
	SCOPE(secret) struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;
	const struct passphrase_source src = {.kind = PASSPHRASE_DEFAULT};
	int rc = OTHER_ERROR;

	unsetenv(PASSPHRASE_ENV);
	if (passphrase_read(&src, "the key", confirm, &s, &e) == 0)
		rc = s.len == 6 && memcmp(s.data, "secret", 6) == 0 ? GOT_IT : OTHER_ERROR;
	else if (e.code == ERR_USAGE)
		rc = REFUSED;
	else if (e.code == ERR_LIMIT)
		rc = ERR_LIMIT;
	if (!has_echo(STDIN_FILENO))
		rc = STILL_QUIET;
	err_clear(&e);
	secret_fini(&s);
	_exit(rc);
}

static unsigned count_of(const char *text, const struct str *seen)
{
	unsigned count = 0;

	for (const char *at = str_text(seen); (at = strstr(at, text)); at++)
		count++;
	return count;
}

/* Reads the terminal until `text` has come by so often. */
static void await_times(int tty, unsigned times, const char *text, struct str *seen)
{
	struct err e = ERR_INIT;
	char buf[256];

	while (count_of(text, seen) < times) {
		const ssize_t n = read(tty, buf, sizeof(buf));
		ck_assert_msg(n > 0, "no '%s' in: %s", text, str_text(seen));
		ck_assert_int_eq(str_append(seen, buf, (size_t)n, &e), 0);
	}
}

static void await(int tty, const char *text, struct str *seen)
{
	await_times(tty, 1, text, seen);
}

/* Answers the questions of a child; its wait status.  `seen`: all that the terminal showed. */
static int ask_in_a_terminal(bool confirm, const char *first, const char *second, struct str *seen)
{
	int tty = -1, status = 0;
	const pid_t pid = forkpty(&tty, NULL, NULL, NULL);
	char buf[256];
	ssize_t n;
	struct err e = ERR_INIT;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		signal(SIGINT, SIG_DFL);
		child_asks(confirm);
	}
	await(tty, "passphrase of the key: ", seen);
	ck_assert_int_eq(io_write_all(tty, first, strlen(first)), 0);
	if (second) {
		await(tty, "again, for the key: ", seen);
		ck_assert_int_eq(io_write_all(tty, second, strlen(second)), 0);
	}
	while ((n = read(tty, buf, sizeof(buf))) > 0)
		ck_assert_int_eq(str_append(seen, buf, (size_t)n, &e), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	close(tty);
	return status;
}

START_TEST(asks_on_the_terminal_without_echo)
{
	SCOPE(str) struct str seen = STR_INIT;
	const int status = ask_in_a_terminal(false, "secret\n", NULL, &seen);

	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), GOT_IT);
	ck_assert_ptr_null(strstr(str_text(&seen), "secret"));
}
END_TEST

START_TEST(asks_twice_for_a_new_key)
{
	SCOPE(str) struct str seen = STR_INIT;

	int status = ask_in_a_terminal(true, "secret\n", "secret\n", &seen);
	ck_assert_int_eq(WEXITSTATUS(status), GOT_IT);
	str_truncate(&seen, 0);
	status = ask_in_a_terminal(true, "secret\n", "secreT\n", &seen);
	ck_assert_int_eq(WEXITSTATUS(status), REFUSED);
	str_truncate(&seen, 0);
	status = ask_in_a_terminal(true, "secret\n", "\n", &seen);
	ck_assert_int_eq(WEXITSTATUS(status), REFUSED);
}
END_TEST

/* An empty passphrase takes an empty line. */
START_TEST(the_end_is_no_passphrase)
{
	SCOPE(str) struct str seen = STR_INIT;
	const int status = ask_in_a_terminal(false, "\004", NULL, &seen);

	ck_assert_int_eq(WEXITSTATUS(status), REFUSED);
}
END_TEST

START_TEST(an_interrupt_ends_the_question)
{
	SCOPE(str) struct str seen = STR_INIT;
	const int status = ask_in_a_terminal(false, "sec\003", NULL, &seen);

	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGINT);
}
END_TEST

/* Stopped and continued, it asks again; what was typed before does not count. */
START_TEST(a_stop_repeats_the_question)
{
	SCOPE(str) struct str seen = STR_INIT;
	int tty = -1, status = 0;
	const pid_t pid = forkpty(&tty, NULL, NULL, NULL);
	char buf[256];

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		child_asks(false);
	await(tty, "passphrase of the key: ", &seen);
	ck_assert_int_eq(io_write_all(tty, "wrong", 5), 0);
	ck_assert_int_eq(kill(pid, SIGTSTP), 0);
	/* A session leader without a shell is an orphan, which SIGTSTP does not stop: it goes
	 * on. */
	str_truncate(&seen, 0);
	await(tty, "passphrase of the key: ", &seen);
	ck_assert_int_eq(io_write_all(tty, "secret\n", 7), 0);
	while (read(tty, buf, sizeof(buf)) > 0)
		continue;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	close(tty);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), GOT_IT);
}
END_TEST

/* The end of a child that got a signal at the prompt, by its wait status. */
static int signal_the_child(int number, void (*action)(int), const char *answer)
{
	SCOPE(str) struct str seen = STR_INIT;
	int tty = -1, status = 0;
	const pid_t pid = forkpty(&tty, NULL, NULL, NULL);

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		signal(number, action);
		child_asks(false);
	}
	/* Held open, so that the terminal outlives the child. */
	SCOPE_FD int slave = open(ptsname(tty), O_RDWR | O_NOCTTY | O_CLOEXEC);
	await(tty, "passphrase of the key: ", &seen);
	ck_assert(!has_echo(slave));
	ck_assert_int_eq(kill(pid, number), 0);
	/* The signal alone has to wake the child; with the answer at hand it would not matter. */
	usleep(50000);
	ck_assert_int_eq(io_write_all(tty, answer, strlen(answer)), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(has_echo(slave));
	close(tty);
	return status;
}

static const int end_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

START_TEST(signals_that_end_find_the_echo_on)
{
	const int status = signal_the_child(end_signals[_i], SIG_DFL, "");

	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), end_signals[_i]);
}
END_TEST

START_TEST(ignored_signals_stay_ignored)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
	const int status = signal_the_child(numbers[_i], SIG_IGN, "secret\n");

	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), GOT_IT);
}
END_TEST

/* As a shell with job control: stops a child at its prompt and lets it go on. */
static void leader_stops(int number)
{
	const pid_t pid = fork();
	struct termios t;
	int status = 0;

	if (pid == 0) {
		while (tcgetpgrp(STDIN_FILENO) != getpid())
			usleep(1000);
		child_asks(false);
	}
	signal(SIGTTOU, SIG_IGN);
	setpgid(pid, pid);
	tcsetpgrp(STDIN_FILENO, pid);
	while (has_echo(STDIN_FILENO))
		usleep(1000);
	kill(pid, number);
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		_exit(NOT_STOPPED);
	/* Of SIGSTOP the child knows nothing: it is the shell that turns the echo on. */
	if (number == SIGTSTP && !has_echo(STDIN_FILENO))
		_exit(STILL_QUIET);
	tcgetattr(STDIN_FILENO, &t);
	t.c_lflag |= ECHO;
	tcsetattr(STDIN_FILENO, TCSANOW, &t);
	kill(pid, SIGCONT);
	waitpid(pid, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : OTHER_ERROR);
}

START_TEST(a_job_that_goes_on_asks_again_without_echo)
{
	static const int numbers[] = {SIGTSTP, SIGSTOP};
	SCOPE(str) struct str seen = STR_INIT;
	int tty = -1, status = 0;
	const pid_t pid = forkpty(&tty, NULL, NULL, NULL);
	char buf[256];
	ssize_t n;
	struct err e = ERR_INIT;

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		leader_stops(numbers[_i]);
	await_times(tty, 2, "passphrase of the key: ", &seen);
	ck_assert_int_eq(io_write_all(tty, "secret\n", 7), 0);
	while ((n = read(tty, buf, sizeof(buf))) > 0)
		ck_assert_int_eq(str_append(&seen, buf, (size_t)n, &e), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	close(tty);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), GOT_IT);
	ck_assert_ptr_null(strstr(str_text(&seen), "secret"));
}
END_TEST

START_TEST(needs_a_terminal)
{
	SCOPE(secret) struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;
	const struct passphrase_source src = {.kind = PASSPHRASE_PROMPT};

	setsid();
	ck_assert_int_eq(passphrase_read(&src, "the key", false, &s, &e), -1);
	ck_assert_err(&e, ERR_USAGE, "no terminal");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("signer/passphrase");
	TCase *tc = tcase_create("sources");
	TCase *tty = tcase_create("terminal");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_loop_test(tc, a_file_loses_one_line_end_at_most, 0, ARRAY_LEN(files));
	tcase_add_test(tc, a_descriptor_is_read_like_a_file);
	tcase_add_test(tc, refuses_what_is_too_long);
	tcase_add_test(tc, refuses_a_file_that_cannot_be_read);
	tcase_add_test(tc, the_environment_is_wiped);
	tcase_add_test(tc, a_long_environment_is_refused);
	suite_add_tcase(s, tc);
	tcase_add_test(tty, asks_on_the_terminal_without_echo);
	tcase_add_test(tty, asks_twice_for_a_new_key);
	tcase_add_test(tty, the_end_is_no_passphrase);
	tcase_add_test(tty, an_interrupt_ends_the_question);
	tcase_add_test(tty, a_stop_repeats_the_question);
	tcase_add_loop_test(tty, signals_that_end_find_the_echo_on, 0, ARRAY_LEN(end_signals));
	tcase_add_loop_test(tty, ignored_signals_stay_ignored, 0, 5);
	tcase_add_loop_test(tty, a_job_that_goes_on_asks_again_without_echo, 0, 2);
	tcase_add_test(tty, needs_a_terminal);
	suite_add_tcase(s, tty);
	return s;
}

UNIT_MAIN(suite_new)
