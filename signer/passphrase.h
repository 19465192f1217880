/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a passphrase comes from.  Never the command line, which everybody on the machine can read.
 *
 * A passphrase is bytes.  From a file or a descriptor all of it counts, but for one "\n" at the
 * very end, which editors and echo(1) put there: exactly one is taken off, and nothing else ("\r\n"
 * leaves the "\r").  From the environment and the terminal it is taken as it is.  It may be empty.
 *
 * Limits: LIMIT_PASSPHRASE.
 */
#ifndef SIGNER_PASSPHRASE_H
#define SIGNER_PASSPHRASE_H

#include <stdbool.h>

#include "base/err.h"
#include "signer/secret.h"

#define PASSPHRASE_ENV "SHALE_PASSPHRASE"

enum passphrase_kind {
	PASSPHRASE_DEFAULT, /* the environment when it is set there, else the terminal */
	PASSPHRASE_FILE,    /* also a FIFO: <(command) */
	PASSPHRASE_FD,
	PASSPHRASE_PROMPT,
};

struct passphrase_source {
	enum passphrase_kind kind;
	const char *path; /* PASSPHRASE_FILE; borrowed */
	int fd;           /* PASSPHRASE_FD; stays open */
};

/*
 * `subject`: what it is for ("key file 'team.key'"), for the prompt.  `confirm`: a terminal is
 * asked twice.  ERR_USAGE: no terminal to ask on, or the two differ; ERR_LIMIT; ERR_SYS.
 * The environment's value is wiped when it is taken, so that no child inherits it: a second call
 * does not find it.
 */
int passphrase_read(const struct passphrase_source *src, const char *subject, bool confirm,
		    struct secret *out, struct err *e);

#endif
