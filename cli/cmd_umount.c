/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/support.h"
#include "fs/edit.h"
#include "fs/mount.h"

enum {
	WAIT_MS = 60 * 1000, /* for an edit session to be brought to the disk */
	STEP_MS = 10,
};

static const struct option options[] = {
	{'l', "lazy", NULL, "detach now; the mount ends when its last user leaves"},
	{0, NULL, NULL, NULL},
};

static const struct word words[] = {
	{"MOUNTPOINT", WORD_MOUNT, NULL},
	{NULL, WORD_OTHER, NULL},
};

/* Until the session is on the disk, and can be mounted again.  The mount is gone: what goes wrong
 * here is told by whoever opens the session next. */
static void wait_for_session(const struct invocation *in, const char *id)
{
	const struct timespec step = {0, STEP_MS * 1000000L};
	SCOPE(store) struct store *s = NULL;
	struct err e = ERR_INIT;

	if (support_store(in, 0, &s, &e) < 0) {
		err_clear(&e);
		return;
	}
	for (int waited = 0; waited < WAIT_MS; waited += STEP_MS) {
		SCOPE(sessions) struct session_folder *folder = NULL;
		const int r = sessions_open(s, id, SESSIONS_LOCK, &folder, &e);
		const bool is_busy = r < 0 && e.code == ERR_BUSY;
		err_clear(&e);
		if (!is_busy)
			return;
		nanosleep(&step, NULL);
	}
}

static int run(const struct invocation *in, struct err *e)
{
	const bool is_lazy = invocation_has(in, "lazy");
	SCOPE_FREE char *source = NULL;

	if (mount_source(in->args[0], &source, e) < 0 || mount_end(in->args[0], is_lazy, e) < 0)
		return -1;
	const char *id = source ? edit_source_id(source) : NULL;
	if (id && !is_lazy)
		wait_for_session(in, id);
	return 0;
}

const struct command command_umount = {
	.name = "umount",
	.synopsis = "[OPTION]... MOUNTPOINT",
	.summary = "End a mount",
	.options = options,
	.words = words,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
