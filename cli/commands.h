/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands, each in its own file cli/cmd_NAME.c.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

extern const struct command command_build;
extern const struct command command_cat;
extern const struct command command_commit;
extern const struct command command_cp;
extern const struct command command_diff;
extern const struct command command_edit;
extern const struct command command_export;
extern const struct command command_fsck;
extern const struct command command_gc;
extern const struct command command_history;
extern const struct command command_images;
extern const struct command command_import;
extern const struct command command_inspect;
extern const struct command command_keygen;
extern const struct command command_ls;
extern const struct command command_mount;
extern const struct command command_rm;
extern const struct command command_session;
extern const struct command command_sessions;
extern const struct command command_sign;
extern const struct command command_size;
extern const struct command command_tag;
extern const struct command command_umount;
extern const struct command command_unshare;
extern const struct command command_verify;

#endif
