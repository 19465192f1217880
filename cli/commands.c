/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

/* clang-format off */
const struct command *const commands[] = {
	&command_build,
	&command_import,
	&command_export,
	&command_images,
	&command_inspect,
	&command_history,
	&command_size,
	&command_ls,
	&command_diff,
	&command_cat,
	&command_cp,
	&command_mount,
	&command_umount,
	&command_edit,
	&command_commit,
	&command_sessions,
	&command_session,
	&command_unshare,
	&command_keygen,
	&command_sign,
	&command_verify,
	&command_tag,
	&command_rm,
	&command_fsck,
	&command_gc,
	NULL,
};
/* clang-format on */
