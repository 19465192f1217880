/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command that shale runs and waits for: in a mounted tree, or with that tree as its root.
 *
 * It keeps shale's terminal and process group, so what is typed there (Ctrl-C, Ctrl-Z) reaches it
 * as if shale were not between.  Signals that ask shale to end are passed on to it.
 *
 * With a root of its own it has a mount namespace, in which the host's /dev, /sys and
 * /etc/resolv.conf and a /proc are mounted where the tree has a place for them, and a process
 * namespace: all of that, and all processes that it leaves, ends with it.  The place is looked up
 * inside of the root, so no link of the tree leads out of it.
 *
 * Calls: running_hold -> running_run -> running_release.  One at a time: signals are the process's.
 */
#ifndef CLI_RUNNING_H
#define CLI_RUNNING_H

#include <signal.h>
#include <stdbool.h>

#include "base/err.h"
#include "image/config.h"

/* How long a command that was asked to end may take. */
enum { RUNNING_GRACE_S = 10 };

struct running {
	char *const *argv; /* ends with NULL */
	const char *dir;   /* its working directory, or its root */
	/* Of whom its environment is, with `dir` for its root; NULL: it runs on the host. */
	const struct image_config *config;
	/* Set by running_hold: as they were. */
	sigset_t mask;
	struct sigaction on_child;
	/* Set by running_run. */
	int end_signal; /* that asked shale to end; 0: none */
	bool has_run;   /* it was executed, whatever it answered */
	int report;     /* for the command's process: where it says that it was not */
};

/* From now on SIGINT, SIGQUIT, SIGTERM and SIGHUP wait for running_run, but those that are ignored
 * (nohup). */
void running_hold(struct running *r);

/*
 * Runs it, and waits: its exit status, 128 and the number of the signal that killed it, or one of
 * the COMMAND_* when it could not be run, which is then told on standard error.  -1 with ERR_SYS
 * when there is no process for it.  What asks shale to end is passed on to it; a command that does
 * not end after RUNNING_GRACE_S seconds is killed.
 */
int running_run(struct running *r, struct err *e);

/* As before.  A signal that has come meanwhile, and did not ask for the end of the command, is
 * forgotten; `r->end_signal` is raised. */
void running_release(struct running *r);

#endif
