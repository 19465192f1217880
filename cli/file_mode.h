/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modes of files in the letters of ls(1).
 */
#ifndef CLI_FILE_MODE_H
#define CLI_FILE_MODE_H

#include <stdint.h>

enum { FILE_MODE_MAX = 11 /* "-rwxr-xr-x" and a NUL */ };

/* The kind, of S_IFMT bits: "-", "d", "l", "c", "b", "p" or "s". */
char file_mode_letter(uint32_t mode);

/* Kind and permissions, with setuid, setgid and sticky bits. */
void file_mode_format(uint32_t mode, char out[static FILE_MODE_MAX]);

#endif
