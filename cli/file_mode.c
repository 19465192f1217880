/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/file_mode.h"

#include <sys/stat.h>

char file_mode_letter(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFCHR:
		return 'c';
	case S_IFBLK:
		return 'b';
	case S_IFIFO:
		return 'p';
	case S_IFSOCK:
		return 's';
	default:
		return '-';
	}
}

void file_mode_format(uint32_t mode, char out[static FILE_MODE_MAX])
{
	static const char letters[] = "rwxrwxrwx";

	out[0] = file_mode_letter(mode);
	for (unsigned i = 0; i < 9; i++)
		out[1 + i] = (char)(mode & (0400U >> i) ? letters[i] : '-');
	if (mode & S_ISUID)
		out[3] = mode & S_IXUSR ? 's' : 'S';
	if (mode & S_ISGID)
		out[6] = mode & S_IXGRP ? 's' : 'S';
	if (mode & S_ISVTX)
		out[9] = mode & S_IXOTH ? 't' : 'T';
	out[10] = '\0';
}
