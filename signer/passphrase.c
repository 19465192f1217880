/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>

#include "base/io.h"
#include "base/limits.h"
#include "base/quote.h"

/* What ends or stops a program that sits at a prompt: each must find the terminal's echo on.
 * SIGCONT comes after a SIGSTOP, which nobody can catch, and a shell that turned the echo on. */
static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT};

static volatile sig_atomic_t stopped_by;

/* After these the question is asked again. */
static bool is_pause(int number)
{
	return number == SIGTSTP || number == SIGCONT;
}

/* Of several the one that ends. */
static void note_signal(int number)
{
	if (!stopped_by || is_pause(stopped_by))
		stopped_by = number;
}

static int too_long(const char *what, struct err *e)
{
	return err_set(e, ERR_LIMIT, "%s: the passphrase is longer than %" PRIu64 " bytes", what,
		       LIMIT_PASSPHRASE);
}

static int read_fd(int fd, const char *what, struct secret *out, struct err *e)
{
	/* Room for the line end, and for one byte more to see that it is too long. */
	SCOPE(secret) struct secret buf = SECRET_INIT;
	if (secret_init(&buf, LIMIT_PASSPHRASE + 2, e) < 0)
		return -1;

	const ssize_t n = io_read_full(fd, buf.data, buf.len);
	if (n < 0)
		return err_sys(e, errno, "%s: cannot read", what);

	size_t len = (size_t)n;
	if (len > 0 && buf.data[len - 1] == '\n')
		len--;
	if (len > LIMIT_PASSPHRASE)
		return too_long(what, e);
	buf.len = len;
	*out = secret_take(&buf);
	return 0;
}

static int read_file(const char *path, struct secret *out, struct err *e)
{
	char quoted[QUOTE_MAX], what[QUOTE_MAX + 32];

	snprintf(what, sizeof(what), "passphrase file '%s'", quote_str(quoted, path));
	SCOPE_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_sys(e, errno, "cannot open %s", what);
	return read_fd(fd, what, out, e);
}

/* 1 taken, 0 not set, -1; it is gone in any case. */
static int take_environment(struct secret *out, struct err *e)
{
	char *value = getenv(PASSPHRASE_ENV);

	if (!value)
		return 0;
	const size_t len = strlen(value);
	const int rc = len > LIMIT_PASSPHRASE ? too_long("environment variable " PASSPHRASE_ENV, e)
					      : secret_init(out, len, e);
	if (rc == 0)
		memcpy(out->data, value, len);
	/* /proc/PID/environ shows this very memory. */
	sodium_memzero(value, len);
	unsetenv(PASSPHRASE_ENV);
	return rc < 0 ? -1 : 1;
}

/* Waits for a line, or for a signal: those are blocked but while it waits, so that none comes
 * between the question whether one has come and the wait. */
static int await_line(int tty, const sigset_t *waiting_mask, struct err *e)
{
	struct pollfd p = {.fd = tty, .events = POLLIN};

	while (ppoll(&p, 1, NULL, waiting_mask) < 0) {
		if (errno != EINTR || stopped_by)
			return err_sys(e, errno, "cannot read the passphrase from the terminal");
	}
	return 0;
}

/* Reads up to the line end; bytes over the limit are read and counted, so that the rest of a line
 * that is too long does not become the shell's next command. */
static int read_line(int tty, const sigset_t *waiting_mask, struct secret *buf, size_t *out_len,
		     struct err *e)
{
	/* The byte at hand is secret, too. */
	SCOPE(secret) struct secret byte = SECRET_INIT;
	size_t len = 0;

	if (secret_init(&byte, 1, e) < 0)
		return -1;
	for (;;) {
		if (await_line(tty, waiting_mask, e) < 0)
			return -1;
		const ssize_t n = io_read(tty, byte.data, 1);
		if (n < 0)
			return err_sys(e, errno, "cannot read the passphrase from the terminal");
		if (n == 0 && len == 0)
			return err_set(e, ERR_USAGE, "no passphrase was given: the terminal ended");
		if (n == 0 || byte.data[0] == '\n')
			break;
		if (len < buf->len)
			buf->data[len] = byte.data[0];
		len++;
	}
	if (len > buf->len)
		return too_long("terminal", e);
	*out_len = len;
	return 0;
}

/* Signals while the echo is off: blocked but while a line is awaited, and noted. */
struct signal_guard {
	sigset_t mask; /* as it was */
	struct sigaction actions[ARRAY_LEN(stop_signals)];
};

/* Blocks first, so that none is noted before somebody waits for it.  What the caller ignores
 * (nohup) stays ignored. */
static void guard_enter(struct signal_guard *g)
{
	struct sigaction note = {.sa_handler = note_signal};
	sigset_t stops;

	stopped_by = 0;
	sigemptyset(&note.sa_mask);
	sigemptyset(&stops);
	for (size_t i = 0; i < ARRAY_LEN(stop_signals); i++)
		sigaddset(&stops, stop_signals[i]);
	pthread_sigmask(SIG_BLOCK, &stops, &g->mask);
	for (size_t i = 0; i < ARRAY_LEN(stop_signals); i++) {
		sigaction(stop_signals[i], NULL, &g->actions[i]);
		if (g->actions[i].sa_handler != SIG_IGN)
			sigaction(stop_signals[i], &note, NULL);
	}
}

/* What is pending still comes to our handler. */
static void guard_leave(const struct signal_guard *g)
{
	pthread_sigmask(SIG_SETMASK, &g->mask, NULL);
	for (size_t i = 0; i < ARRAY_LEN(stop_signals); i++)
		sigaction(stop_signals[i], &g->actions[i], NULL);
}

/* 0; 1 when the program was stopped and goes on now, so that it has to ask again; -1. */
static int ask_quietly(int tty, const char *question, struct secret *buf, size_t *out_len,
		       struct err *e)
{
	struct termios before, quiet;
	struct signal_guard guard;
	int rc;

	if (tcgetattr(tty, &before) < 0)
		return err_sys(e, errno, "cannot ask on the terminal");
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ICANON | ECHONL;

	guard_enter(&guard);
	if (tcsetattr(tty, TCSAFLUSH, &quiet) < 0 ||
	    io_write_all(tty, question, strlen(question)) < 0)
		rc = err_sys(e, errno, "cannot ask on the terminal");
	else
		rc = read_line(tty, &guard.mask, buf, out_len, e);
	tcsetattr(tty, TCSAFLUSH, &before);
	guard_leave(&guard);

	if (!stopped_by)
		return rc;
	raise(stopped_by);
	if (!is_pause(stopped_by))
		return rc;
	err_clear(e);
	return 1;
}

static int ask(int tty, const char *before, const char *subject, struct secret *out, struct err *e)
{
	SCOPE(secret) struct secret buf = SECRET_INIT;
	SCOPE_FREE char *question = str_dupf(e, "%s %s: ", before, subject);
	size_t len = 0;
	int rc;

	if (!question || secret_init(&buf, LIMIT_PASSPHRASE, e) < 0)
		return -1;
	do {
		rc = ask_quietly(tty, question, &buf, &len, e);
	} while (rc > 0);
	if (rc < 0)
		return -1;
	buf.len = len;
	*out = secret_take(&buf);
	return 0;
}

static int prompt(const char *subject, bool confirm, struct secret *out, struct err *e)
{
	SCOPE(secret) struct secret first = SECRET_INIT;
	SCOPE(secret) struct secret second = SECRET_INIT;
	SCOPE_FD int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (tty < 0)
		return err_set(e, ERR_USAGE,
			       "the passphrase of %s is needed, and there is no terminal to ask "
			       "for it: give a passphrase file, or set " PASSPHRASE_ENV,
			       subject);
	if (ask(tty, "passphrase of", subject, &first, e) < 0)
		return -1;
	if (confirm) {
		if (ask(tty, "the same again, for", subject, &second, e) < 0)
			return -1;
		if (first.len != second.len ||
		    sodium_memcmp(first.data, second.data, first.len) != 0)
			return err_set(e, ERR_USAGE, "the two passphrases differ");
	}
	*out = secret_take(&first);
	return 0;
}

int passphrase_read(const struct passphrase_source *src, const char *subject, bool confirm,
		    struct secret *out, struct err *e)
{
	switch (src->kind) {
	case PASSPHRASE_FILE:
		return read_file(src->path, out, e);
	case PASSPHRASE_FD:
		return read_fd(src->fd, "passphrase descriptor", out, e);
	case PASSPHRASE_PROMPT:
		return prompt(subject, confirm, out, e);
	case PASSPHRASE_DEFAULT:
		break;
	}
	const int taken = take_environment(out, e);
	if (taken != 0)
		return taken < 0 ? -1 : 0;
	return prompt(subject, confirm, out, e);
}
