/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"
#include "fs/mount.h"

static const struct option options[] = {
	{'l', "lazy", NULL, "detach now; the mount ends when its last user leaves"},
	{0, NULL, NULL, NULL},
};

static const struct word words[] = {
	{"MOUNTPOINT", WORD_MOUNT, NULL},
	{NULL, WORD_OTHER, NULL},
};

static int run(const struct invocation *in, struct err *e)
{
	return mount_end(in->args[0], invocation_has(in, "lazy"), e);
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
